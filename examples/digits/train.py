"""The training loop that the three digit classifiers share.

    model, plan -> fit(...) -> Outcome

`fit` knows nothing of what is inside a graph: it feeds the placeholders of a `Model`, runs its `train_step`, and looks
at its loss and accuracy now and then. What it sees goes to a callback and, with `logdir`, to event files for TensorBoard.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from data import DataError, Digits, Examples, Wobble, batches, load

import thalweg as tf

LOOKS = 50  # how often a training looks at its loss and accuracy
AT_ONCE = 1000  # so many pictures are classified at a time


class Model(NamedTuple):
    """What the loop feeds (`x`, `y_`, `keep_prob`) and fetches of a digit classifier's graph."""

    x: tf.Tensor
    y_: tf.Tensor
    y: tf.Tensor
    loss: tf.Tensor
    accuracy: tf.Tensor
    train_step: tf.Operation
    keep_prob: tf.Tensor | None = None


class Plan(NamedTuple):
    """How a model is trained: `steps` batches of `batch` pictures, each changed a little by `wobble`."""

    steps: int
    batch: int = 100
    wobble: Wobble | None = None
    keep_prob: float = 1.0


class Outcome(NamedTuple):
    """What came of it. `probabilities` [n, 10] are those of the test pictures; `weights` holds each variable by name."""

    parameters: int
    accuracy: float
    seconds: float
    steps_per_second: float
    probabilities: np.ndarray
    weights: dict[str, np.ndarray]


class Look(NamedTuple):
    """The loss and accuracy on the batch of a step, before that step changes the model."""

    step: int
    loss: float
    accuracy: float


def fit(
    build: Callable[[int], Model],
    digits: Digits,
    plan: Plan,
    *,
    logdir: Path | None = None,
    seed: int = 0,
    watch: Callable[[Look], None] = lambda look: None,
) -> Outcome:
    """Builds a graph for `digits`, trains it as `plan` says, and classifies the test pictures.

    With `logdir`, the graph, the loss and the accuracy are written to `logdir`/train, and to `logdir`/test the loss and
    accuracy on the first 1,000 test pictures. The test pictures change nothing in the training.
    """
    start = time.perf_counter()
    graph = tf.Graph()
    with graph.as_default():
        tf.set_random_seed(seed)
        model = build(digits.side)
        probabilities = tf.nn.softmax(model.y, name="probabilities")
        variables = {v.op.name: v for v in tf.trainable_variables()}
        tf.summary.scalar("loss", model.loss)
        tf.summary.scalar("accuracy", model.accuracy)
        summaries = tf.summary.merge_all()
        init = tf.global_variables_initializer()
    sample = Examples(*(part[:AT_ONCE] for part in digits.test))
    writers = []
    if logdir:
        writers = [tf.summary.FileWriter(str(logdir / "train"), graph), tf.summary.FileWriter(str(logdir / "test"))]
    every = max(1, plan.steps // LOOKS)

    with tf.Session(graph=graph) as session:
        session.run(init)

        def look(step: int, batch: Examples) -> None:
            seen = model.loss, model.accuracy, summaries
            loss, accuracy, summary = session.run(seen, {model.x: batch.images, model.y_: batch.labels})
            watch(Look(step, float(loss), float(accuracy)))
            if writers:
                train, test = writers
                train.add_summary(summary, step)
                test.add_summary(session.run(summaries, {model.x: sample.images, model.y_: sample.labels}), step)

        steady = time.perf_counter()
        for step, batch in enumerate(batches(digits.train, plan.batch, plan.steps, seed=seed, wobble=plan.wobble)):
            if step % every == 0:
                look(step, batch)
            feed = {model.x: batch.images, model.y_: batch.labels}
            if model.keep_prob is not None:
                feed[model.keep_prob] = plan.keep_prob
            session.run(model.train_step, feed)
            if step == 0:  # it compiles
                steady = time.perf_counter()
        look(plan.steps, batch)
        loop = time.perf_counter() - steady

        images = digits.test.images
        chunks = [images[i : i + AT_ONCE] for i in range(0, len(images), AT_ONCE)]
        p = np.concatenate([session.run(probabilities, {model.x: chunk}) for chunk in chunks])
        weights = session.run(variables)
    for writer in writers:
        writer.close()
    return Outcome(
        parameters=sum(w.size for w in weights.values()),
        accuracy=float((p.argmax(axis=1) == digits.test.labels.argmax(axis=1)).mean()),
        seconds=time.perf_counter() - start,
        steps_per_second=(plan.steps - 1) / loop,
        probabilities=p,
        weights=weights,
    )


def main(build: Callable[[int], Model], plan: Callable[[Digits], Plan], words: list[str] | None = None) -> None:
    """The command line of a classifier on its own."""
    parser = argparse.ArgumentParser(description=sys.modules[build.__module__].__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="a folder with MNIST's four idx files")
    parser.add_argument("--steps", type=int, help="train for so many steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--logdir", type=Path, help="write event files for TensorBoard there")
    given = parser.parse_args(words)
    try:
        digits = load(given.data)
    except DataError as error:
        sys.exit(str(error))
    chosen = plan(digits)
    chosen = chosen._replace(steps=given.steps or chosen.steps)

    def watch(seen: Look) -> None:
        print(f"step {seen.step:6}   loss {seen.loss:7.4f}   accuracy {seen.accuracy:.3f}")

    outcome = fit(build, digits, chosen, logdir=given.logdir, seed=given.seed, watch=watch)
    right = round(outcome.accuracy * len(digits.test.images))
    print(f"{outcome.accuracy:.2%} of the {len(digits.test.images)} test pictures of {digits.name} are right ({right})")
