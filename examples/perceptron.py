"""The perceptron, in NumPy and as a graph: it learns the boolean functions that a straight line can tell apart.

    python examples/perceptron.py --out perceptron.png

Start with random weights. For each example, estimate y_hat = (sum_i w_i x_i >= 0), and add rate * (y - y_hat) * x_i to
each weight. Go on until a whole pass is right: that happens if, and only if, some line has all the ones on one side
(Rosenblatt 1958). For XOR there is none.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import thalweg as tf

# The last input is always 1, so that its weight is the threshold.
X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], np.float32)
FUNCTIONS = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "NAND": [1, 1, 1, 0], "XOR": [0, 1, 1, 0]}


def train_in_numpy(y: np.ndarray, w: np.ndarray, *, rate: float = 0.25, passes: int = 50) -> tuple[np.ndarray, bool]:
    """Trains from the weights `w` [3] towards `y` [4]; the weights it ends with, and whether all four are right."""
    w = w.copy()
    for _ in range(passes):
        mistakes = 0
        for x, wanted in zip(X, y, strict=True):
            estimate = np.float32(w @ x >= 0)
            w += np.float32(rate) * (wanted - estimate) * x
            mistakes += int(estimate != wanted)
        if not mistakes:
            return w, True
    return w, False


def train_as_graph(y: np.ndarray, w: np.ndarray, *, rate: float = 0.25, passes: int = 50) -> tuple[np.ndarray, bool]:
    """The same, with the step as a graph and the weights as its variable."""
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [3], name="x")
        wanted = tf.placeholder(tf.float32, [], name="y")
        weights = tf.Variable(w, name="w")
        estimate = tf.cast(tf.reduce_sum(weights * x) >= 0, tf.float32)
        learn = weights.assign_add(rate * (wanted - estimate) * x)
        mistake = tf.not_equal(estimate, wanted)

        session.run(tf.global_variables_initializer())
        for _ in range(passes):
            mistakes = 0
            for example in zip(X, y, strict=True):
                feed = dict(zip((x, wanted), example, strict=True))
                mistakes += int(session.run(mistake, feed))
                session.run(learn, feed)
            if not mistakes:
                return session.run(weights), True
        return session.run(weights), False


def draw(learned: dict[str, tuple[np.ndarray, bool]], path: Path) -> None:
    """The four corners of each function, and the line w_1 x_1 + w_2 x_2 + w_3 = 0 that was found between them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3), layout="constrained", dpi=110)
    ground = np.stack(np.meshgrid(np.linspace(-0.5, 1.5, 201), np.linspace(-0.5, 1.5, 201)), -1)
    for ax, (name, (w, solved)) in zip(figure.subplots(1, 4), learned.items(), strict=True):
        above = ground @ w[:2] + w[2]
        ax.contourf(ground[..., 0], ground[..., 1], above, levels=[-99, 0, 99], colors=["#f6e3dc", "#dbe8f4"])
        ax.contour(ground[..., 0], ground[..., 1], above, levels=[0], colors="#444444", linewidths=1.2)
        for corner, y in zip(X, FUNCTIONS[name], strict=True):
            ax.plot(*corner[:2], marker="o", markersize=15, color="#1f5f99" if y else "#c0392b")
            ax.annotate(str(y), corner[:2], color="white", ha="center", va="center", weight="bold")
        ax.set_title(name if solved else f"{name}: no line does it")
        ax.set(xticks=[0, 1], yticks=[0, 1], xlabel="$x_1$", aspect="equal")
    figure.axes[0].set_ylabel("$x_2$")
    figure.savefig(path)


def main(words: list[str] | None = None) -> dict[str, tuple[np.ndarray, bool]]:
    """Learns the four functions both ways, prints and draws them."""
    parser = argparse.ArgumentParser(description="Learn boolean functions with a perceptron.")
    parser.add_argument("--out", type=Path, default=Path("perceptron.png"), help="the picture")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)

    start = np.random.default_rng(given.seed).normal(size=3).astype(np.float32)
    learned = {}
    for name, values in FUNCTIONS.items():
        y = np.array(values, np.float32)
        by_hand, learned[name] = train_in_numpy(y, start), train_as_graph(y, start)
        w, solved = learned[name]
        same = np.array_equal(by_hand[0], w) and by_hand[1] == solved
        told = "learned" if solved else "not learned"
        print(f"{name:5} {told:12} w = {w.round(3)}   NumPy and graph {'agree' if same else f'differ: {by_hand[0]}'}")
    draw(learned, given.out)
    print(f"drawn in {given.out}")
    return learned


if __name__ == "__main__":
    main()
