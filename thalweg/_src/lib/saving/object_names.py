"""The names of variables in a checkpoint of tf.train.Checkpoint, whose keys are the paths of objects instead."""

from __future__ import annotations

from thalweg._src.core import errors
from thalweg._src.core.status import translated
from thalweg._src.formats import protos
from thalweg._src.ops.io.checkpoints import open_reader

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def keys_of_names(path: str) -> dict[str, str]:
    """{name of a variable when it was saved: its key in the checkpoint}; empty where the checkpoint is one of names."""
    with translated(), open_reader(path) as reader:
        try:
            data = reader.read(OBJECT_GRAPH)
        except (errors.NotFoundError, KeyError, ValueError):
            return {}
    graph = protos.TrackableObjectGraph.FromString(data.item())
    return {a.full_name: a.checkpoint_key for node in graph.nodes for a in node.attributes}
