"""Linear regression, y = Wx + b: inference, loss, optimize.

    python examples/linear_regression.py --out linear_regression.png

The points come from a mystery equation, y = 0.1 * x + 0.3 + noise. Gradient descent has to find the 0.1 and the 0.3.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np

import thalweg as tf


class Fit(NamedTuple):
    """The parameters and the loss before each step and after the last: [steps + 1] each."""

    W: np.ndarray
    b: np.ndarray
    loss: np.ndarray


def points(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """x [n] in 0..1, and the mystery equation's y [n]."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=n)
    y = 0.1 * x + 0.3 + rng.normal(scale=0.01, size=n)
    return x.astype(np.float32), y.astype(np.float32)


def train(x_data: np.ndarray, y_data: np.ndarray, *, steps: int = 400, rate: float = 0.5, seed: int = 0) -> Fit:
    """Descends from random W and b; each step sees all the points."""
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        x = tf.placeholder(shape=[None], dtype=tf.float32, name="x")
        y_label = tf.placeholder(shape=[None], dtype=tf.float32, name="y_label")

        # Inference: given x, this predicts y.
        W = tf.Variable(tf.random_normal([1]), name="W")
        b = tf.Variable(tf.random_normal([1]), name="b")
        y = W * x + b

        # Loss: how bad was the prediction?
        loss = tf.reduce_mean(tf.square(y - y_label))

        # Optimize: change the variables to improve the prediction.
        train_step = tf.train.GradientDescentOptimizer(rate).minimize(loss)

        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            feed = {x: x_data, y_label: y_data}
            way = [sess.run([W, b, loss], feed)]
            for _ in range(steps):
                sess.run(train_step, feed)
                way.append(sess.run([W, b, loss], feed))
    return Fit(*(np.array(values).reshape(-1) for values in zip(*way, strict=True)))


def draw(x: np.ndarray, y: np.ndarray, fit: Fit, path: Path) -> None:
    """Left: the points, and the line at some steps. Right: the valley of the loss, and the way down."""
    from matplotlib.figure import Figure

    from thalweg import plot

    figure = Figure(figsize=(10, 4), layout="constrained", dpi=110)
    left, right = figure.subplots(1, 2)
    left.plot(x, y, ".", color="#9a9a9a", markersize=4, label="points")
    ends = np.array([0, 1])
    shown = [i for i in (0, 1, 5, 20) if i < len(fit.W) - 1] + [len(fit.W) - 1]
    for place, i in enumerate(shown):
        last = i == shown[-1]
        color = "#1f5f99" if last else "#d35400"
        left.plot(
            ends, fit.W[i] * ends + fit.b[i], color=color, alpha=1 if last else 0.25 + 0.15 * place, label=f"step {i}"
        )
    left.set(xlabel="x", ylabel="y", title=f"y = {fit.W[-1]:.3f} x + {fit.b[-1]:.3f}")
    left.legend(frameon=False, fontsize=8)
    left.spines[["top", "right"]].set_visible(False)

    def span(values: np.ndarray, end: float) -> np.ndarray:
        reach = 1.15 * np.abs(values - end).max() + 0.05
        return np.linspace(end - reach, end + reach, 81)

    def loss(W: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.square(W[..., None] * x + b[..., None] - y).mean(-1)

    way = np.stack([fit.W, fit.b], axis=1)
    plot.loss_surface(loss, span(fit.W, fit.W[-1]), span(fit.b, fit.b[-1]), way, ax=right)
    right.set(xlabel="W", ylabel="b", title="the loss, and the way down")
    figure.savefig(path)


def main(words: list[str] | None = None) -> Fit:
    """Finds the line, prints and draws it."""
    parser = argparse.ArgumentParser(description="Fit y = Wx + b by gradient descent.")
    parser.add_argument("--out", type=Path, default=Path("linear_regression.png"), help="the picture")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)

    x, y = points(seed=given.seed)
    fit = train(x, y, steps=given.steps, seed=given.seed)
    for i in range(0, given.steps + 1, max(1, given.steps // 10)):
        print(f"step {i:5}   loss {fit.loss[i]:.6f}   W {fit.W[i]: .4f}   b {fit.b[i]: .4f}")
    draw(x, y, fit, given.out)
    print(f"drawn in {given.out}")
    return fit


if __name__ == "__main__":
    main()
