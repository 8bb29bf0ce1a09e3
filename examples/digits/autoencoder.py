"""Digits through a narrow place: an auto-encoder, and layers that a restricted Boltzmann machine trains first.

    python examples/digits/autoencoder.py --out runs/autoencoder

Two ways to the same network 64 - 100 - 50 - 2 - 50 - 100 - 64 of sigmoids, which must draw each digit from two numbers. One starts from
random weights. The other trains its layers one by one as restricted Boltzmann machines, with contrastive divergence, and unrolls them
(Hinton and Salakhutdinov 2006). Under gradient descent with momentum the first draws the mean digit and stays there: deep sigmoids
hardly learn from scratch. (Adam gets both to the same place in 1,500 steps, the second one sooner.) The digits in the plane of the
two numbers are drawn, and what the network draws of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from data import load

import thalweg as tf

SIZES = (64, 100, 50, 2)


def boltzmann(visible: np.ndarray, hidden: int, *, passes: int, linear: bool, seed: int) -> tuple[np.ndarray, ...]:
    """Weights [m, hidden], biases of both sides, and the hidden probabilities of `visible` [n, m] after contrastive divergence.

    Each step lets the hidden units answer to the data, the visible ones to them, and takes the difference of what goes together
    (CD-1). `linear` hidden units have Gaussian noise instead of being on or off.
    """
    m = visible.shape[1]
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(seed)
        v0 = tf.placeholder(tf.float32, [None, m])
        w = tf.Variable(tf.random_normal([m, hidden], stddev=0.1))
        bv, bh = tf.Variable(tf.zeros([m])), tf.Variable(tf.zeros([hidden]))
        rate = 0.003 if linear else 0.1

        def answer(v: tf.Tensor) -> tf.Tensor:
            total = tf.matmul(v, w) + bh
            return total if linear else tf.sigmoid(total)

        h0 = answer(v0)
        noise = tf.random_normal(tf.shape(h0)) if linear else tf.random_uniform(tf.shape(h0))
        sample = h0 + noise if linear else tf.cast(h0 > noise, tf.float32)
        v1 = tf.sigmoid(tf.matmul(sample, w, transpose_b=True) + bv)
        h1 = answer(v1)
        n = tf.cast(tf.shape(v0)[0], tf.float32)
        together = (tf.matmul(v0, h0, transpose_a=True) - tf.matmul(v1, h1, transpose_a=True)) / n
        learn = tf.group(
            w.assign_add(rate * (together - 2e-4 * w)),
            bv.assign_add(rate * tf.reduce_mean(v0 - v1, 0)),
            bh.assign_add(rate * tf.reduce_mean(h0 - h1, 0)),
        )
        session.run(tf.global_variables_initializer())
        rng = np.random.default_rng(seed)
        for _ in range(passes):
            for rows in np.array_split(rng.permutation(len(visible)), max(1, len(visible) // 100)):
                session.run(learn, {v0: visible[rows]})
        return tuple(session.run([w, bv, bh, h0], {v0: visible}))


def train(
    images: np.ndarray, starts: list | None, *, steps: int, seed: int
) -> tuple[list[float], np.ndarray, np.ndarray]:
    """The loss while the whole network is trained, the two numbers of each image, and what it draws of them."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(seed)
        x = tf.placeholder(tf.float32, [None, SIZES[0]])
        layer, code = x, x
        sides = [*zip(SIZES[:-1], SIZES[1:], strict=True)]
        sides += [(b, a) for a, b in reversed(sides)]
        for i, (a, b) in enumerate(sides):
            given = None if starts is None else starts[i]
            w = tf.Variable(tf.random_normal([a, b], stddev=0.1) if given is None else tf.constant(given[0]))
            bias = tf.Variable(tf.zeros([b]) if given is None else tf.constant(given[1]))
            total = tf.matmul(layer, w) + bias
            layer = total if b == SIZES[-1] else tf.sigmoid(total)
            code = layer if b == SIZES[-1] else code
        loss = tf.reduce_mean(tf.reduce_sum(tf.square(layer - x), axis=1))
        step = tf.train.MomentumOptimizer(0.02, 0.9).minimize(loss)
        session.run(tf.global_variables_initializer())
        rng = np.random.default_rng(seed)
        seen = []
        for _ in range(steps):
            batch = images[rng.integers(0, len(images), 100)]
            _, now = session.run([step, loss], {x: batch})
            seen.append(float(now))
        return seen, *session.run([code, layer], {x: images})


def pretrained(images: np.ndarray, *, passes: int, seed: int) -> list:
    """(weights, biases) of every layer of the unrolled network, from a stack of Boltzmann machines."""
    up, down, data = [], [], images
    for i, hidden in enumerate(SIZES[1:]):
        w, bv, bh, data = boltzmann(data, hidden, passes=passes, linear=i == len(SIZES) - 2, seed=seed + i)
        up.append((w, bh))
        down.insert(0, (w.T, bv))
    return up + down


def main(words: list[str] | None = None) -> dict[str, float]:
    """Trains both ways, prints and draws; returns the squared error per digit of each."""
    parser = argparse.ArgumentParser(description="An auto-encoder of digits, with and without Boltzmann machines.")
    parser.add_argument("--out", type=Path, default=Path("runs/autoencoder"))
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--passes", type=int, default=30, help="over the data for each Boltzmann machine")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)

    images, labels = load(None).train
    ways = {"from random weights": None, "pre-trained": pretrained(images, passes=given.passes, seed=given.seed)}
    results = {name: train(images, starts, steps=given.steps, seed=given.seed) for name, starts in ways.items()}
    errors = {name: float(np.mean(seen[-100:])) for name, (seen, _, _) in results.items()}
    nothing = float(np.mean(np.sum((images - images.mean(axis=0)) ** 2, axis=1)))
    print(f"{'the mean digit':<22} squared error per digit {nothing:.2f}")
    for name, error in errors.items():
        print(f"{name:<22} squared error per digit {error:.2f}")

    from matplotlib.figure import Figure

    from thalweg import plot

    given.out.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(11, 4.6), layout="constrained", dpi=110)
    left, right = figure.subplots(1, 2, width_ratios=(1.1, 1))
    code, kinds = results["pre-trained"][1], labels.argmax(axis=1)
    points = left.scatter(*code.T, c=kinds, cmap="tab10", s=8, linewidths=0)
    left.set(title="digits as two numbers, pre-trained", xticks=[], yticks=[])
    figure.colorbar(points, ax=left, ticks=range(10))
    plot.curves(
        {name: np.convolve(seen, np.ones(50) / 50, "valid") for name, (seen, _, _) in results.items()}, ax=right
    )
    right.set(title="squared error while training", ylabel="")
    figure.savefig(given.out / "plane.png")
    shown = [int(np.flatnonzero(kinds == digit)[0]) for digit in range(10)]
    drawn = np.concatenate([images[shown], *[results[name][2][shown] for name in ways]])
    figure = plot.most_exciting(drawn, -np.arange(30.0)[:, None], 0, count=30).figure
    for text in figure.axes[0].texts:
        text.set_text("")
    figure.axes[0].set_title("digits; drawn from two numbers, random start; pre-trained")
    figure.savefig(given.out / "drawn.png")
    print(f"drawn in {given.out}")
    return errors


if __name__ == "__main__":
    main()
