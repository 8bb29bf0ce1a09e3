"""Transfer learning: a classifier of any folder of pictures, on top of what another network has learned.

    python examples/retrain/retrain.py                     # makes pictures of its own, to try it
    python examples/retrain/retrain.py --folder pictures/  # one sub-folder for each class

A convolutional network learns to tell shapes drawn here: discs, squares, triangles and bars, in any colour, size and place. Its last
layer before the answer, the bottleneck, then describes other pictures, which it has never seen, by 64 numbers. They are computed once;
what is trained for the new classes is one layer on top, in a moment and from a few pictures. The same network trained on those
pictures from scratch stands beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import thalweg as tf

SIDE, BOTTLENECK = 32, 64
SHAPES = ["disc", "square", "triangle", "bar"]
NEW = ["ring", "cross", "corner"]


def draw(shape: str, rng: np.random.Generator) -> np.ndarray:
    """A picture [32, 32, 3] in 0..1 of a shape in some colour, size, place and turn, on another colour, with noise."""
    x0, y0 = rng.uniform(11, 21, 2)
    size, turn = rng.uniform(6, 10), rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    x, y = x - x0, y - y0
    u, v = (np.cos(turn) * x + np.sin(turn) * y) / size, (np.cos(turn) * y - np.sin(turn) * x) / size
    r = np.hypot(u, v)
    inside = {
        "disc": r < 0.9,
        "square": np.maximum(abs(u), abs(v)) < 0.8,
        "triangle": (v > -0.5) & (v < 1 - 1.7 * abs(u)),
        "bar": (abs(u) < 1.1) & (abs(v) < 0.25),
        "ring": (r < 1) & (r > 0.6),
        "cross": (np.maximum(abs(u), abs(v)) < 1) & (np.minimum(abs(u), abs(v)) < 0.25),
        "corner": (np.maximum(abs(u), abs(v)) < 0.9) & (np.minimum(u, v) < -0.4),
    }[shape]
    ground, ink = rng.uniform(0, 1, 3), rng.uniform(0, 1, 3)
    while abs(ground - ink).max() < 0.5:
        ink = rng.uniform(0, 1, 3)
    picture = np.where(inside[..., None], ink, ground) + rng.normal(scale=0.03, size=(SIDE, SIDE, 3))
    return np.clip(picture, 0, 1).astype(np.float32)


def drawn(shapes: list[str], each: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`each` pictures of every shape, and their class numbers."""
    rng = np.random.default_rng(seed)
    return np.stack([draw(s, rng) for s in shapes for _ in range(each)]), np.repeat(np.arange(len(shapes)), each)


def read(folder: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The pictures below `folder`, made 32 x 32, their class numbers and the names of the classes: its sub-folders."""
    names = sorted(p.name for p in folder.iterdir() if p.is_dir())
    files = [(p, i) for i, name in enumerate(names) for p in sorted((folder / name).iterdir())]
    files = [(p, i) for p, i in files if p.suffix.lower() in (".png", ".jpg", ".jpeg", ".bmp", ".gif")]
    if len(names) < 2 or not files:
        raise SystemExit(f"{folder} must have a sub-folder of pictures for each of two or more classes.")
    with tf.Graph().as_default(), tf.Session() as session:
        data = tf.placeholder(tf.string, [])
        picture = tf.image.decode_image(data, channels=3)
        small = (
            tf.image.resize_images(tf.expand_dims(tf.ensure_shape(picture, [None, None, 3]), 0), [SIDE, SIDE])[0] / 255
        )
        images = np.stack([session.run(small, {data: p.read_bytes()}) for p, _ in files])
    return images, np.array([i for _, i in files]), names


class Network:
    """Two convolutions, a bottleneck, and an answer among `classes`."""

    def __init__(self, classes: int, seed: int):
        self.graph = tf.Graph()
        with self.graph.as_default():
            tf.set_random_seed(seed)
            self.x = tf.placeholder(tf.float32, [None, SIDE, SIDE, 3], "pictures")
            self.y = tf.placeholder(tf.int64, [None], "labels")
            layer = self.x
            for filters in (16, 32):
                layer = tf.layers.max_pooling2d(
                    tf.layers.conv2d(layer, filters, 5, 2, "same", activation=tf.nn.relu), 2, 2
                )
            self.bottleneck = tf.layers.dense(tf.layers.flatten(layer), BOTTLENECK, tf.nn.relu, name="bottleneck")
            logits = tf.layers.dense(self.bottleneck, classes)
            self.loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=self.y, logits=logits))
            self.step = tf.train.AdamOptimizer(0.003).minimize(self.loss)
            self.answer = tf.argmax(logits, 1)
            start = tf.global_variables_initializer()
        self.session = tf.Session(graph=self.graph)
        self.session.run(start)

    def train(self, images: np.ndarray, labels: np.ndarray, steps: int, seed: int) -> None:
        """`steps` batches of 64 pictures, half of them mirrored."""
        rng = np.random.default_rng(seed)
        for _ in range(steps):
            rows = rng.integers(0, len(images), 64)
            batch = images[rows].copy()
            batch[::2] = batch[::2, :, ::-1]
            self.session.run(self.step, {self.x: batch, self.y: labels[rows]})

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """The share of pictures that are told right."""
        return float((self.session.run(self.answer, {self.x: images}) == labels).mean())

    def describe(self, images: np.ndarray) -> np.ndarray:
        """The bottlenecks [n, 64]."""
        return self.session.run(self.bottleneck, {self.x: images})


def top(train: tuple, test: tuple, classes: int, steps: int, seed: int) -> float:
    """The accuracy of one layer, trained on bottlenecks and class numbers."""
    mean, scale = train[0].mean(axis=0), train[0].std(axis=0) + 1e-3
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(seed)
        x, y = tf.placeholder(tf.float32, [None, BOTTLENECK]), tf.placeholder(tf.int64, [None])
        logits = tf.layers.dense((x - mean) / scale, classes)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        step = tf.train.AdamOptimizer(0.02).minimize(
            loss + 1e-3 * tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables()])
        )
        session.run(tf.global_variables_initializer())
        for _ in range(steps):
            session.run(step, {x: train[0], y: train[1]})
        return float((session.run(tf.argmax(logits, 1), {x: test[0]}) == test[1]).mean())


def main(words: list[str] | None = None) -> dict[str, float]:
    """Trains the first network, then both ways to the new classes; returns the three accuracies."""
    parser = argparse.ArgumentParser(description="Retrain the top of a network for another folder of pictures.")
    parser.add_argument("--folder", type=Path, help="pictures in a sub-folder for each class")
    parser.add_argument(
        "--each", type=int, default=30, help="pictures for each new class that are made without a folder"
    )
    parser.add_argument(
        "--base", type=int, default=2000, help="pictures of each shape that the first network learns from"
    )
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)

    base = Network(len(SHAPES), given.seed)
    base.train(*drawn(SHAPES, given.base, given.seed), given.steps, given.seed)
    found = {"the first network, on its shapes": base.accuracy(*drawn(SHAPES, 100, given.seed + 1))}
    if given.folder:
        images, labels, names = read(given.folder)
        order = np.random.default_rng(given.seed).permutation(len(images))
        held = max(1, len(order) // 4)
        train, test = ((images[rows], labels[rows]) for rows in (order[held:], order[:held]))
    else:
        names = NEW
        train, test = drawn(NEW, given.each, given.seed + 2), drawn(NEW, 100, given.seed + 3)
    print(f"{len(train[0])} pictures of {', '.join(names)} to learn from, {len(test[0])} to tell")
    known = base.describe(train[0]), base.describe(test[0])
    found["one layer on its bottlenecks"] = top((known[0], train[1]), (known[1], test[1]), len(names), 150, given.seed)
    fresh = Network(len(names), given.seed)
    fresh.train(*train, given.steps // 3, given.seed)
    found["a network from scratch"] = fresh.accuracy(*test)
    for name, accuracy in found.items():
        print(f"{name:<34} {accuracy:.3f}")
    return found


if __name__ == "__main__":
    main()
