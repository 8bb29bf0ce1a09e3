"""Why the cross-entropy of a sigmoid is computed from logits, not from probabilities.

    python examples/logits.py --out logits.png

-log(sigmoid(x)) is right on paper. In 32 bits sigmoid(-104) is 0, whose logarithm is minus infinity; and sigmoid(20) is 1, so a
network that is wrong with that much confidence has the gradient 0/0. From the logits x the same loss is
max(x, 0) - x * y + log(1 + exp(-|x|)), which nothing makes overflow; its gradient is sigmoid(x) - y, everywhere.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import thalweg as tf


def losses(x: np.ndarray, y: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The loss of logits `x` [n] where `y` is right, and its gradient, both ways."""
    with tf.Graph().as_default(), tf.Session() as session:
        logits = tf.constant(x, tf.float32)
        wanted = tf.fill(tf.shape(logits), y)
        p = tf.sigmoid(logits)
        ways = {
            "from probabilities": -wanted * tf.log(p) - (1 - wanted) * tf.log(1 - p),
            "from logits": tf.nn.sigmoid_cross_entropy_with_logits(labels=wanted, logits=logits),
        }
        return {name: tuple(session.run([loss, tf.gradients(loss, logits)[0]])) for name, loss in ways.items()}


def main(words: list[str] | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Prints both losses at some logits, and draws them."""
    parser = argparse.ArgumentParser(description="The sigmoid's cross-entropy, from probabilities and from logits.")
    parser.add_argument("--out", type=Path, default=Path("logits.png"))
    given = parser.parse_args(words)

    told = np.array([-120.0, -90, -20, -1, 0, 1, 20, 90, 120])
    found = losses(told, 0.0)
    print("right is 0          " + "".join(f"{x:>9.0f}" for x in told))
    for name, (loss, gradient) in found.items():
        print(f"{name:<20}" + "".join(f"{v:>9.3g}" for v in loss))
        print(f"{'  its gradient':<20}" + "".join(f"{v:>9.3g}" for v in gradient))

    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained", dpi=110)
    x = np.linspace(-40, 40, 801)
    for ax, part, title in zip(
        figure.subplots(1, 2), (0, 1), ("the loss where 0 is right", "its gradient"), strict=True
    ):
        for (name, values), style in zip(losses(x, 0.0).items(), (("#c0392b", 2.5), ("#1f5f99", 1.2)), strict=True):
            ax.plot(
                x,
                np.where(np.isfinite(values[part]), values[part], np.nan),
                color=style[0],
                linewidth=style[1],
                label=name,
            )
        ax.set(title=title, xlabel="logit")
        ax.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False, loc="upper left")
    figure.savefig(given.out)
    print(f"drawn in {given.out}")
    return found


if __name__ == "__main__":
    main()
