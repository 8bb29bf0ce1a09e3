"""Semi-supervised learning: 100 labelled digits, and the others without labels.

    python examples/digits/pseudo_labels.py --out pseudo_labels.png

A network learns from the 100 labels. Then it labels the other digits itself, and learns on from those too, at first with little weight
and with more and more as it gets surer (Lee 2013, "Pseudo-Label"). The loss is that of the labelled digits, plus alpha(t) times that of
the others against the network's own guesses, renewed at every step.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from data import Digits, load

import thalweg as tf

HIDDEN = 100


def alpha(step: int, steps: int, most: float = 1.0) -> float:
    """The weight of pseudo-labels: nothing for a fifth of the way, then rising to `most` at three fifths."""
    return most * min(max((step / steps - 0.2) / 0.4, 0.0), 1.0)


def train(
    digits: Digits, labelled: np.ndarray, *, steps: int, pseudo: bool, seed: int
) -> tuple[list[int], list[float]]:
    """The steps at which it was looked at the accuracy on the test digits, and that accuracy."""
    images, labels = digits.train
    others = np.setdiff1d(np.arange(len(images)), labelled)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(seed)
        x, y_ = tf.placeholder(tf.float32, [None, images.shape[1]]), tf.placeholder(tf.float32, [None, 10])
        more, weight = tf.placeholder(tf.float32, [None, images.shape[1]]), tf.placeholder(tf.float32, [])
        keep = tf.placeholder_with_default(1.0, [])

        def network(x: tf.Tensor) -> tf.Tensor:
            with tf.variable_scope("network", reuse=tf.AUTO_REUSE):
                hidden = tf.layers.dense(x, HIDDEN, tf.nn.relu, name="hidden")
                return tf.layers.dense(tf.nn.dropout(hidden, keep), 10, name="readout")

        logits, guessed = network(x), network(more)
        own = tf.stop_gradient(tf.one_hot(tf.argmax(guessed, 1), 10))
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y_, logits=logits))
        loss += weight * tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=own, logits=guessed))
        step = tf.train.AdamOptimizer(0.002).minimize(loss)
        accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), tf.argmax(y_, 1)), tf.float32))
        session.run(tf.global_variables_initializer())
        rng = np.random.default_rng(seed)
        at, seen = [], []
        for i in range(steps + 1):
            if i % max(1, steps // 25) == 0:
                at.append(i)
                seen.append(float(session.run(accuracy, {x: digits.test.images, y_: digits.test.labels})))
            rows, rest = rng.choice(labelled, 50), rng.choice(others, 200)
            feed = {x: images[rows], y_: labels[rows], more: images[rest], keep: 0.5}
            session.run(step, {**feed, weight: alpha(i, steps) if pseudo else 0.0})
        return at, seen


def main(words: list[str] | None = None) -> dict[str, float]:
    """Trains both ways with each seed, prints and draws; returns the mean accuracy of each."""
    parser = argparse.ArgumentParser(description="Pseudo-labels on digits, of which 100 have labels.")
    parser.add_argument("--out", type=Path, default=Path("pseudo_labels.png"))
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args(words)

    digits = load(None)
    kinds = digits.train.labels.argmax(axis=1)
    curves: dict[str, tuple] = {}
    means = {"labels alone": [], "with pseudo-labels": []}
    for seed in range(given.seeds):
        rng = np.random.default_rng(seed)
        labelled = np.concatenate(
            [rng.permutation(np.flatnonzero(kinds == k))[: given.labels // 10] for k in range(10)]
        )
        for name in means:
            at, seen = train(digits, labelled, steps=given.steps, pseudo=name != "labels alone", seed=seed)
            means[name].append(seen)
            print(f"seed {seed}  {name:<20} {seen[-1]:.3f} of {len(digits.test.images)} test digits are right")
    for name, seen in means.items():
        curves[name] = (at, np.mean(seen, axis=0))
    result = {name: float(values[1][-1]) for name, values in curves.items()}
    print("mean     " + "   ".join(f"{name} {value:.3f}" for name, value in result.items()))

    from thalweg import plot

    ax = plot.curves(curves, "accuracy on test digits")
    ax.set_ylim(0.7, 1.0)
    ax.set_title(f"{len(labelled)} of {len(kinds)} digits have labels")
    ax.figure.savefig(given.out)
    print(f"drawn in {given.out}")
    return result


if __name__ == "__main__":
    main()
