"""What TensorBoard's projector shows: a file beside the summaries that names embeddings and their labels."""

from __future__ import annotations

import os
from typing import Any

from thalweg._src.lib.io.file_io import write_string_to_file


def visualize_embeddings(summary_writer: Any, config: Any) -> None:
    """Write the configuration into the directory of a writer (or a directory). Raises ValueError without one."""
    from google.protobuf import text_format

    logdir = summary_writer if isinstance(summary_writer, str) else summary_writer.get_logdir()
    if logdir is None:
        raise ValueError("Summary writer must have a logdir")
    write_string_to_file(os.path.join(logdir, "projector_config.pbtxt"), text_format.MessageToString(config))
