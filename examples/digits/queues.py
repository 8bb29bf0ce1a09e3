"""Softmax regression fed by queues: the digits are written to TFRecord files, and threads read them beside the training.

python examples/digits/queues.py [--data mnist/] [--records folder/] [--passes 20]

files -> queue of names -> reader -> parse -> shuffling queue -> batch -> step
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from data import DataError, Examples, load

import thalweg as tf

SHARDS = 4  # files that the training pictures are spread over
THREADS = 2
BATCH = 100


def write(part: Examples, folder: Path, name: str, shards: int = 1) -> list[str]:
    """Write pictures, as bytes, and their labels to TFRecord files; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.round(part.images * 255).astype(np.uint8)
    labels = part.labels.argmax(1)
    paths = []
    for shard in range(shards):
        path = folder / f"{name}-{shard:05}-of-{shards:05}.tfrecords"
        with tf.python_io.TFRecordWriter(str(path)) as writer:
            for image, label in zip(pixels[shard::shards], labels[shard::shards], strict=True):
                features = {
                    "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()])),
                    "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[int(label)])),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
        paths.append(str(path))
    return paths


def read(paths: Sequence[str], side: int, *, passes: int, shuffle: bool, batch: int = BATCH):
    """Batches of (images [n, side * side] in 0..1, labels [n]) from TFRecord files, `passes` times through them."""
    names = tf.train.string_input_producer(list(paths), num_epochs=passes, shuffle=shuffle)
    _, record = tf.TFRecordReader().read(names)
    example = tf.parse_single_example(
        record, {"image": tf.FixedLenFeature([], tf.string), "label": tf.FixedLenFeature([], tf.int64)}
    )
    image = tf.cast(tf.decode_raw(example["image"], tf.uint8), tf.float32) / 255
    image.set_shape([side * side])
    if not shuffle:
        return tf.train.batch([image, example["label"]], batch, allow_smaller_final_batch=True)
    return tf.train.shuffle_batch(
        [image, example["label"]],
        batch,
        capacity=2000 + 3 * batch,
        min_after_dequeue=1000,
        num_threads=THREADS,
        allow_smaller_final_batch=True,
    )


class Softmax:
    """The weights, and what is computed of them for some pictures."""

    def __init__(self, side: int):
        self.weights = tf.Variable(tf.zeros([side * side, 10]), name="weights")
        self.biases = tf.Variable(tf.zeros([10]), name="biases")

    def loss(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        logits = tf.matmul(images, self.weights) + self.biases
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))

    def right(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        best = tf.argmax(tf.matmul(images, self.weights) + self.biases, 1)
        return tf.reduce_sum(tf.cast(tf.equal(best, labels), tf.int32))


def train(train_files: Sequence[str], test_files: Sequence[str], side: int, passes: int) -> tuple[float, int, float]:
    """Train, then test: (accuracy, steps, seconds)."""
    with tf.Graph().as_default():
        tf.set_random_seed(0)
        model = Softmax(side)
        images, labels = read(train_files, side, passes=passes, shuffle=True)
        step = tf.train.GradientDescentOptimizer(0.5).minimize(model.loss(images, labels))
        test_images, test_labels = read(test_files, side, passes=1, shuffle=False)
        right, count = model.right(test_images, test_labels), tf.size(test_labels)
        with tf.Session() as sess:
            sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
            coord = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(sess, coord)
            start, steps = time.perf_counter(), 0
            try:
                while not coord.should_stop():
                    sess.run(step)
                    steps += 1
            except tf.errors.OutOfRangeError:  # the files have been read so many times
                seconds = time.perf_counter() - start
            good = total = 0
            try:
                while True:
                    r, n = sess.run([right, count])
                    good, total = good + int(r), total + int(n)
            except tf.errors.OutOfRangeError:
                coord.request_stop()
            coord.join(threads)
    return good / total, steps, seconds


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder with MNIST's files; the digits of scikit-learn without it")
    parser.add_argument(
        "--records", type=Path, help="where the TFRecord files are written; a temporary folder without it"
    )
    parser.add_argument("--passes", type=int, default=20, help="how often the training pictures are read")
    args = parser.parse_args(argv)
    try:
        digits = load(args.data)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.records or Path(temporary)
        train_files = write(digits.train, folder, "train", SHARDS)
        test_files = write(digits.test, folder, "test")
        accuracy, steps, seconds = train(train_files, test_files, digits.side, args.passes)
    print(f"{digits.name}: {steps} steps in {seconds:.1f} s, {steps * BATCH / seconds:,.0f} pictures a second")
    print(f"accuracy on {len(digits.test.images)} test pictures: {accuracy:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
