"""A network with one hidden layer that shows TensorBoard all it can: `thalweg board runs/board` afterwards.

    python examples/digits/board.py --logdir runs/board

Scalars and histograms of every layer, the digits of a batch, a table as text, the graph with the time and memory of a traced
step, and the test digits in the projector: as the hidden layer sees them, with their labels and their pictures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from data import batches, load
from hidden import hidden
from train import Model

import thalweg as tf
from thalweg import plot


def watched(model: Model, side: int) -> tf.Tensor:
    """One summary of everything in the graph that is worth a look."""
    tf.summary.scalar("loss", model.loss)
    tf.summary.scalar("accuracy", model.accuracy)
    for variable in tf.trainable_variables():
        tf.summary.histogram(variable.op.name, variable)
    tf.summary.histogram("logits", model.y)
    tf.summary.image("digits", tf.reshape(model.x, [-1, side, side, 1]), max_outputs=6)
    return tf.summary.merge_all()


def main(words: list[str] | None = None) -> float:
    """Trains, writes, and returns the accuracy on the test digits."""
    parser = argparse.ArgumentParser(description="Train a network that writes all that TensorBoard shows.")
    parser.add_argument("--logdir", type=Path, default=Path("runs/board"))
    parser.add_argument("--steps", type=int, default=300)
    given = parser.parse_args(words)

    digits = load(None)
    tf.set_random_seed(0)
    model = hidden(digits.side)
    summaries = watched(model, digits.side)
    units = tf.get_default_graph().get_tensor_by_name("hidden1/Relu:0")
    images, labels = digits.test
    with tf.Session() as session, tf.summary.FileWriter(given.logdir, session.graph) as writer:
        session.run(tf.global_variables_initializer())
        for step, batch in enumerate(batches(digits.train, 100, given.steps + 1, seed=0)):
            feed = {model.x: batch.images, model.y_: batch.labels}
            if step % 20 == 0:
                writer.add_summary(session.run(summaries, feed), step)
            if step == given.steps:
                metadata = tf.RunMetadata()
                options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
                session.run(model.train_step, feed, options=options, run_metadata=metadata)
                writer.add_run_metadata(metadata, f"step {step}", step)
            else:
                session.run(model.train_step, feed)
        seen, accuracy = session.run([units, model.accuracy], {model.x: images, model.y_: labels})
        report = tf.constant([["test digits", "right"], [str(len(images)), f"{accuracy:.3f}"]])
        writer.add_summary(session.run(tf.summary.text("report", report)), given.steps)
    pictures = images.reshape(-1, digits.side, digits.side)
    plot.project(given.logdir, seen, name="hidden layer", labels=labels.argmax(axis=1), images=pictures)
    print(f"{accuracy:.1%} of {len(images)} test digits are right. Look at them: thalweg board {given.logdir}")
    return float(accuracy)


if __name__ == "__main__":
    main()
