"""What two GraphDefs differ by, if anything: tf.test.assert_equal_graph_def and programs that keep graphs as golden files ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

TABLES = re.compile("(Mutable|MutableDense)?HashTable(OfTensors)?(V2)?")
SHARDS = re.compile(rb"_temp_[0-9a-z]{32}/part")


def difference(actual: Any, expected: Any) -> str:
    """The first difference between two GraphDefs, or "" for none.

    Nodes are matched by their names. Versions, attrs whose names begin with `_`, and the order of nodes, attrs and control inputs make
    no difference; nor does `x:0` in the place of `x`.
    """
    ours = {node.name: node for node in actual.node}
    for node in expected.node:
        if node.name not in ours:
            return f"Did not find expected node {node.name!r}"
        found = _node_difference(ours.pop(node.name), node)
        if found:
            return f"Node named {node.name!r} {found}"
    return f"Found unexpected node {next(iter(ours))!r}" if ours else ""


def _node_difference(actual: Any, expected: Any) -> str:
    for field in ("op", "device"):
        if getattr(actual, field) != getattr(expected, field):
            return f"has {field} {getattr(actual, field)!r} that is not expected {getattr(expected, field)!r}"
    ours, theirs = _inputs(actual), _inputs(expected)
    if ours != theirs:
        return f"has inputs {ours} that don't match expected {theirs}"
    told, wanted = _attrs(actual), _attrs(expected)
    for name in sorted(told.keys() | wanted.keys()):
        if told.get(name) != wanted.get(name):
            return f"has attr {name!r} {told.get(name)} that does not match expected {wanted.get(name)}"
    return ""


def _inputs(node: Any) -> list[str]:
    """The inputs as far as they count: tensors in order, then control inputs in alphabetical order."""
    tensors = [name.removesuffix(":0") for name in node.input if not name.startswith("^")]
    return tensors + sorted({name for name in node.input if name.startswith("^")})


def _attrs(node: Any) -> Mapping[str, Any]:
    return {name: value for name, value in node.attr.items() if not name.startswith("_")}


def without_process_names(graph_def: Any, shards: bool, tables: bool) -> Any:
    """A copy without attrs that a process numbers: names of a checkpoint's parts (`shards`), shared names of tables (`tables`)."""
    copy = type(graph_def).FromString(graph_def.SerializeToString())
    for node in copy.node:
        if tables and TABLES.fullmatch(node.op):
            node.attr.pop("shared_name", None)
        if shards:
            for name in [name for name, attr in node.attr.items() if _is_shard(attr)]:
                del node.attr[name]
    return copy


def _is_shard(attr: Any) -> bool:
    texts = attr.tensor.string_val
    return len(texts) == 1 and SHARDS.match(texts[0]) is not None
