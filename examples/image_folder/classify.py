"""A classifier of pictures, from a folder with one sub-folder for each class: cucumbers by quality, traffic signs by kind.

    python examples/image_folder/classify.py train pictures/ --model model/
    python examples/image_folder/classify.py predict a.png b.jpg --model model/

Every fifth picture of a class is kept for testing. After the training those that the model takes for another class are
listed, the surest first: they are the hard ones, or their labels are wrong. With matplotlib they are also drawn, into
mistakes.png beside the model, and confusion.png shows how often each class is taken for each.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import thalweg as tf

ENDINGS = {".png", ".jpg", ".jpeg", ".gif", ".bmp"}
SIDE = 32  # pictures are made so large
BATCH = 64
BAR = 30  # characters of the progress bar
STARTS = [b"\xff\xd8", b"\x89P", b"GI", b"BM"]  # of the files that are pictures: JPEG, PNG, GIF, BMP


class FolderError(Exception):
    """The folder does not hold pictures in sub-folders."""


class Pictures(NamedTuple):
    """Files and the numbers of their classes."""

    paths: list[str]
    labels: list[int]


class Mistake(NamedTuple):
    """A picture whose label the model does not believe."""

    path: str
    label: str
    guess: str
    chance: float


def find(folder: Path) -> tuple[list[str], Pictures, Pictures]:
    """The names of the classes, the pictures to train with and those to test with."""
    if not folder.is_dir():
        raise FolderError(f"{folder} is not a folder.")
    classes = sorted(d.name for d in folder.iterdir() if d.is_dir())
    train, test = Pictures([], []), Pictures([], [])
    for number, name in enumerate(classes):
        files = sorted(p for p in (folder / name).iterdir() if p.suffix.lower() in ENDINGS)
        for i, path in enumerate(files):
            part = test if i % 5 == 4 else train
            part.paths.append(str(path))
            part.labels.append(number)
    if len(classes) < 2 or not test.paths:
        raise FolderError(f"{folder} must hold a sub-folder for each of two classes or more, with five pictures each.")
    return classes, train, test


def load(path: tf.Tensor) -> tf.Tensor:
    """The picture in a file: [SIDE, SIDE, 3] in 0..1."""
    content = tf.read_file(path)
    known = tf.reduce_any(tf.equal(tf.substr(content + b"  ", 0, 2), STARTS))
    with tf.control_dependencies([tf.Assert(known, ["no JPEG, PNG, GIF or BMP:", path])]):
        picture = tf.image.decode_image(tf.identity(content), channels=3)
    picture.set_shape([None, None, 3])
    return tf.image.resize_images(tf.cast(picture, tf.float32) / 255, [SIDE, SIDE])


def changed(picture: tf.Tensor) -> tf.Tensor:
    """`picture` moved and lit a little otherwise, so that none is seen twice."""
    larger = tf.pad(picture, [[3, 3], [3, 3], [0, 0]], "SYMMETRIC")
    return tf.image.random_brightness(tf.random_crop(larger, [SIDE, SIDE, 3]), 0.2)


def batches(part: Pictures, *, passes: int | None, train: bool) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """(pictures, labels, paths), read by threads beside the training."""
    path, label = tf.train.slice_input_producer([part.paths, part.labels], num_epochs=passes, shuffle=train)
    picture = changed(load(path)) if train else load(path)
    return tf.train.batch(
        [picture, label, path], BATCH, num_threads=2 if train else 1, allow_smaller_final_batch=not train
    )


def dense(x: tf.Tensor, size: int, name: str) -> tf.Tensor:
    with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
        weights = tf.get_variable("weights", [x.shape[1].value, size])
        return tf.matmul(x, weights) + tf.get_variable("biases", [size], initializer=tf.zeros_initializer())


def convolution(x: tf.Tensor, size: int, name: str) -> tf.Tensor:
    """A convolution with windows of 5x5, and the largest of each 2x2."""
    with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
        weights = tf.get_variable("weights", [5, 5, x.shape[3].value, size])
        biases = tf.get_variable("biases", [size], initializer=tf.zeros_initializer())
    y = tf.nn.relu(tf.nn.conv2d(x, weights, [1, 1, 1, 1], "SAME") + biases)
    return tf.nn.max_pool(y, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")


def logits(pictures: tf.Tensor, classes: int, keep: float = 1.0) -> tf.Tensor:
    x = convolution(pictures - 0.5, 16, "first")
    x = convolution(x, 32, "second")
    x = tf.nn.relu(dense(tf.reshape(x, [-1, (SIDE // 4) ** 2 * 32]), 128, "third"))
    return dense(tf.nn.dropout(x, keep), classes, "classes")


def bar(step: int, steps: int, loss: float, start: float) -> None:
    """One line that fills up."""
    done = BAR * step // steps
    passed = time.monotonic() - start
    minutes, seconds = divmod(round(passed if step == steps else passed / step * (steps - step)), 60)
    told = "in all " if step == steps else "left"
    text = f"\r[{'#' * done}{'.' * (BAR - done)}] {step:{len(str(steps))}}/{steps}  loss {loss:.3f}  {minutes}:{seconds:02} {told} "
    print(text, end="\n" if step == steps else "", file=sys.stderr, flush=True)


def train(folder: Path, model: Path, steps: int) -> tuple[float, list[Mistake]]:
    """Train a model and save it; returns its accuracy on the test pictures, and those that it got wrong."""
    classes, train_part, test_part = find(folder)
    counts = (
        f"{len(classes)} classes, {len(train_part.paths)} pictures to train with, {len(test_part.paths)} to test with"
    )
    print(counts, file=sys.stderr)
    model.mkdir(parents=True, exist_ok=True)
    with tf.Graph().as_default():
        tf.set_random_seed(0)
        pictures, labels, _ = batches(train_part, passes=None, train=True)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits(pictures, len(classes), 0.7))
        )
        step = tf.train.AdamOptimizer(0.001).minimize(loss)
        test_pictures, test_labels, test_paths = batches(test_part, passes=1, train=False)
        chances = tf.nn.softmax(logits(test_pictures, len(classes)))
        saver = tf.train.Saver(tf.trainable_variables())
        with tf.Session() as sess:
            sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
            coord = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(sess, coord)
            start = time.monotonic()
            try:
                for i in range(1, steps + 1):
                    value, _ = sess.run([loss, step])
                    if i % 10 == 0 or i == steps:
                        bar(i, steps, value, start)
                results = list(until_end(sess, [chances, test_labels, test_paths, test_pictures]))
                saver.save(sess, str(model / "model.ckpt"))
                (model / "classes.txt").write_text("\n".join(classes) + "\n", encoding="utf-8")
            except Exception as error:  # a picture that can't be read, say: join raises what came first
                coord.request_stop(error)
            coord.request_stop()
            coord.join(threads)
    all_chances, all_labels, all_paths, all_pictures = map(np.concatenate, zip(*results, strict=True))
    draw(model, all_pictures, all_chances, all_labels, classes)
    wrong = [
        Mistake(path.decode(), classes[label], classes[p.argmax()], float(p.max()))
        for p, label, path in zip(all_chances, all_labels, all_paths, strict=True)
        if p.argmax() != label
    ]
    return 1 - len(wrong) / len(all_labels), sorted(wrong, key=lambda m: -m.chance)


def draw(model: Path, pictures: np.ndarray, chances: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> None:
    """Two pictures beside the model: the surest mistakes, and how often each class is taken for each."""
    if importlib.util.find_spec("matplotlib") is None:
        return
    from thalweg import plot

    mistakes = plot.most_wrong(pictures, chances, labels, names=classes, columns=6)
    mistakes.figure.savefig(model / "mistakes.png", dpi=150, bbox_inches="tight")
    confusion = plot.confusion_matrix(labels, chances, names=classes)
    confusion.figure.savefig(model / "confusion.png", dpi=150, bbox_inches="tight")


def until_end(sess: tf.Session, fetches: Sequence[tf.Tensor]) -> Iterable[list[np.ndarray]]:
    """What `fetches` give until the input ends."""
    try:
        while True:
            yield sess.run(fetches)
    except tf.errors.OutOfRangeError:
        return


def report(accuracy: float, wrong: Sequence[Mistake], show: int = 20) -> None:
    print(f"accuracy on the test pictures: {accuracy:.4f}")
    if not wrong:
        return
    print(f"\n{len(wrong)} pictures that the model takes for something else, the surest first:")
    for m in wrong[:show]:
        print(f"  {m.chance:.2f}  {m.path}  labelled {m.label}, looks like {m.guess}")
    print("\nmost often mixed up:")
    for (label, guess), count in Counter((m.label, m.guess) for m in wrong).most_common(5):
        print(f"  {count:4}  {label} taken for {guess}")


def predict(files: Sequence[str], model: Path) -> Iterator[list[tuple[str, float]] | tf.errors.OpError]:
    """The three likeliest classes of each picture, with their chances; the error of one that can't be read."""
    if not (model / "classes.txt").is_file():
        raise FolderError(f"{model} holds no model: train one first.")
    classes = (model / "classes.txt").read_text(encoding="utf-8").split("\n")[:-1]
    with tf.Graph().as_default():
        path = tf.placeholder(tf.string, [])
        chances = tf.nn.softmax(logits(load(path)[tf.newaxis], len(classes)))[0]
        with tf.Session() as sess:
            tf.train.Saver().restore(sess, str(model / "model.ckpt"))
            for file in files:
                try:
                    p = sess.run(chances, {path: file})
                    yield [(classes[i], float(p[i])) for i in np.argsort(-p)[:3]]
                except tf.errors.OpError as error:
                    yield error


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="train a model on a folder with one sub-folder for each class")
    training.add_argument("folder", type=Path)
    training.add_argument("--steps", type=int, default=1000)
    predicting = commands.add_parser("predict", help="say what pictures show")
    predicting.add_argument("files", nargs="+")
    for command in (training, predicting):
        command.add_argument("--model", type=Path, default=Path("model"), help="the folder of the model")
    args = parser.parse_args(argv)
    try:
        if args.command == "train":
            report(*train(args.folder, args.model, args.steps))
            print(f"\nThe model is in {args.model}.")
            return 0
        return show(args.files, predict(args.files, args.model))
    except FolderError as error:
        print(error, file=sys.stderr)
    except tf.errors.OpError as error:
        print(reason(error), file=sys.stderr)
    return 1


def show(files: Sequence[str], found: Iterable[list[tuple[str, float]] | tf.errors.OpError]) -> int:
    """A line for each file; 1 if one of them could not be read."""
    failed = 0
    for file, guesses in zip(files, found, strict=True):
        if isinstance(guesses, tf.errors.OpError):
            failed = 1
            print(reason(guesses), file=sys.stderr)
        else:
            print(file + "  " + ", ".join(f"{name} {chance:.2f}" for name, chance in guesses))
    return failed


def reason(error: tf.errors.OpError) -> str:
    """What a user wants to know of an error: its first line."""
    return error.message.strip().split("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
