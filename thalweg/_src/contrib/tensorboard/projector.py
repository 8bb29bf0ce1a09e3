"""What TensorBoard's projector shows: a file beside the summaries that names embeddings and their labels."""

from __future__ import annotations

import os
from typing import Any

from thalweg._src.lib.summary.projections import write_config


def visualize_embeddings(summary_writer: Any, config: Any) -> None:
    """Write the configuration into the directory of a writer (or a directory). Raises ValueError without one.

    A `tf.train.Saver` that saves into that directory then writes the embeddings as text too, for a TensorBoard that has no
    TensorFlow to read checkpoints with.
    """
    given = isinstance(summary_writer, str | os.PathLike)
    logdir = summary_writer if given else summary_writer.get_logdir()
    if logdir is None:
        raise ValueError("Summary writer must have a logdir")
    write_config(os.fspath(logdir), config)
