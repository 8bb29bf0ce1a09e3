"""Graphs as files."""

from __future__ import annotations

import os
from typing import Any

from thalweg._src.core.graph import Graph
from thalweg._src.lib.io import file_io


def write_graph(graph_or_graph_def: Any, logdir: Any, name: str, as_text: bool = True) -> str:
    """Write a graph (or a message: GraphDef, MetaGraphDef) to the file `name` in `logdir`, and return its path.

    The file is there as a whole or not at all.

    >>> tf.train.write_graph(tf.get_default_graph(), logdir, "train.pbtxt")
    '.../train.pbtxt'
    """
    from google.protobuf import text_format

    message = graph_or_graph_def
    if isinstance(message, Graph):
        message = message.as_graph_def()
    logdir = os.fspath(logdir)
    if not logdir.startswith("gs:"):  # buckets have no folders
        file_io.recursive_create_dir(logdir)
    path = os.path.join(logdir, name)
    contents = text_format.MessageToString(message) if as_text else message.SerializeToString()
    file_io.atomic_write_string_to_file(path, contents)
    return path
