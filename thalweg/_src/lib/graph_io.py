"""Graphs as files, binary or text."""

from __future__ import annotations

import os
from typing import Any

from thalweg._src.core.graph import Graph
from thalweg._src.lib.io import file_io


def contents_of(message: Any, *, as_text: bool) -> Any:
    """What stands in the file of a message."""
    from google.protobuf import text_format

    return text_format.MessageToString(message) if as_text else message.SerializeToString()


def read_message(path: Any, kind: Any, *, as_text: bool) -> Any:
    """The message of the type `kind` in a file. Raises protobuf's DecodeError or ParseError for other contents."""
    from google.protobuf import text_format

    with file_io.FileIO(path, "rb") as f:
        contents = f.read()
    return text_format.Parse(contents.decode(), kind()) if as_text else kind.FromString(contents)


def write_graph(graph_or_graph_def: Any, logdir: Any, name: str, as_text: bool = True) -> str:
    """Write a graph (or a message: GraphDef, MetaGraphDef) to the file `name` in `logdir`, and return its path.

    The file is there as a whole or not at all.

    >>> tf.train.write_graph(tf.get_default_graph(), logdir, "train.pbtxt")
    '.../train.pbtxt'
    """
    message = graph_or_graph_def
    if isinstance(message, Graph):
        message = message.as_graph_def()
    logdir = os.fspath(logdir)
    if not logdir.startswith("gs:"):  # buckets have no folders
        file_io.recursive_create_dir(logdir)
    path = os.path.join(logdir, name)
    file_io.atomic_write_string_to_file(path, contents_of(message, as_text=as_text))
    return path
