"""Ops that TensorFlow 2 writes into graphs of the 1.x API and that do nothing there: hints to its own runtime."""

from __future__ import annotations

from typing import Any

from thalweg._src.formats import protos

HINTS = frozenset(["DisableCopyOnRead"])  # of a variable's buffer, before a Saver reads it


def without_hints(graph_def: Any) -> Any:
    """The GraphDef with a NoOp in the place of each hint; itself where it has none."""
    if not any(node.op in HINTS for node in graph_def.node):
        return graph_def
    out = protos.GraphDef()
    out.CopyFrom(graph_def)
    for node in out.node:
        if node.op in HINTS:
            before = ["^" + text.lstrip("^").split(":")[0] for text in node.input]
            node.op = "NoOp"
            node.ClearField("attr")
            del node.input[:]
            node.input.extend(dict.fromkeys(before))
    return out
