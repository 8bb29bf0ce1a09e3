"""Bodies of ops as FunctionDef, and back: how the branches and loops of a graph stand in the library of its GraphDef.

In a FunctionDef, an input reads `argument` or `node:output name:index in it`; the results are named in `ret`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from thalweg._src.core import attr_protos, graph_import, graphdef
from thalweg._src.core.calls import Call
from thalweg._src.core.dtypes import as_dtype
from thalweg._src.core.funcgraph import FuncGraph
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.opdef import OpDef
from thalweg._src.core.signatures import find_op
from thalweg._src.formats import protos


def bodies_in(ops: Iterable[Operation]) -> dict[str, tuple[FuncGraph, bool]]:
    """All graphs in the attrs of `ops`, those in their own ops included, by name; and whether they hand on what they captured."""
    found: dict[str, tuple[FuncGraph, bool]] = {}
    for op in ops:
        named = [(op.opdef, name, held) for name, held in op._attrs.items()]
        for call in [held for _, _, held in named if isinstance(held, Call)]:
            named += [(call.opdef, name, held) for name, held in call.attrs.items()]
        for opdef, name, held in named:
            graphs = [held] if isinstance(held, FuncGraph) else held if isinstance(held, list) else []
            for value in graphs:
                if not isinstance(value, FuncGraph) or value.name in found:
                    continue
                found[value.name] = (value, name in opdef.hands_on)
                found |= {k: v for k, v in bodies_in(value._ops).items() if k not in found}
    return found


def definition(graph: FuncGraph, *, hands_on: bool = False) -> Any:
    """The FunctionDef of `graph`. With `hands_on`, the inputs behind its outputs are results too, as a While body's must be."""
    proto = protos.FunctionDef()
    signature = proto.signature
    signature.name = graph.name
    places: dict[Tensor, str] = {}
    names: set[str] = set()
    for t in graph.inputs:
        name = _argument_name(t.op.name, names)
        signature.input_arg.add(name=name, type=t.dtype.base_dtype.as_datatype_enum, is_ref=t.dtype._is_ref_dtype)
        places[t] = name
    parameters = {t.op for t in graph.inputs}
    for op in graph._ops:
        if op in parameters:
            continue
        node = graphdef.node_def(op)
        del node.input[:]
        node.input.extend(_reference(t, places) for t in op._inputs)
        node.input.extend(sorted("^" + c.name for c in op._control_inputs if c not in parameters))
        proto.node_def.append(node)
        if op.opdef.stateful:
            signature.is_stateful = True
            proto.control_ret[op.name] = op.name
            signature.control_output.append(op.name)
    results = list(graph.outputs)
    if hands_on:
        results += graph.inputs[len(results) :]
    for i, t in enumerate(results):
        signature.output_arg.add(name=f"result_{i}", type=t.dtype.base_dtype.as_datatype_enum)
        proto.ret[f"result_{i}"] = _reference(t, places)
    return proto


def _argument_name(name: str, taken: set[str]) -> str:
    base = re.sub(r"\W", "_", name.lower()).lstrip("_0123456789") or "x"
    found, n = base, 0
    while found in taken:
        n += 1
        found = f"{base}_{n}"
    taken.add(found)
    return found


def _reference(t: Tensor, places: dict[Tensor, str]) -> str:
    if t in places:
        return places[t]
    op, at = t.op, t.value_index
    for arg, count in _outputs_of(op.opdef, op._attrs):
        if at < count:
            return f"{op.name}:{arg}:{at}"
        at -= count
    raise AssertionError(t)


def _outputs_of(opdef: OpDef, attrs: dict[str, Any]) -> list[tuple[str, int]]:
    """The names of the outputs, and how many tensors each is."""
    return [
        (a.name, 1 if a.kind == "one" else attrs[a.number] if a.kind == "many" else len(attrs[a.types]))
        for a in opdef.outputs
    ]


def instantiate(proto: Any, outer: Graph, dims: Iterable[Any] = ()) -> FuncGraph:
    """The graph of a FunctionDef; `dims` are the static shapes of its arguments, as far as they are known.

    Raises ValueError where its nodes can't be imported.
    """
    graph = FuncGraph(proto.signature.name, outer, exact=True)
    known = list(dims)
    arguments: dict[str, Tensor] = {}
    for i, arg in enumerate(proto.signature.input_arg):
        dtype = as_dtype(arg.type)._as_ref if arg.is_ref else as_dtype(arg.type)
        arguments[arg.name] = graph.argument(dtype, known[i] if i < len(known) else None, arg.name)
    nodes = {n.name: n for n in proto.node_def}
    plain = protos.GraphDef(versions=outer.graph_def_versions)
    for node in proto.node_def:
        copy = plain.node.add()
        copy.CopyFrom(node)
        del copy.input[:]
        copy.input.extend(_as_in_graph(text, nodes) for text in node.input)
    with graph.as_default(), graph.name_scope(None):
        used = {t for n in plain.node for t in n.input}
        importer = graph_import.Importer(graph, plain, {k: v for k, v in arguments.items() if k in used}, None)
        importer.check()
        importer.run("")
    for arg in proto.signature.output_arg:
        text = proto.ret[arg.name]
        graph.outputs.append(
            arguments[text] if text in arguments else importer.element(_as_in_graph(text, nodes, index=True))
        )
    return graph


def _as_in_graph(text: str, nodes: dict[str, Any], *, index: bool = False) -> str:
    """`node:output name:i` as `node:n`, the form of a GraphDef; arguments and control inputs stay as they are."""
    parts = text.split(":")
    if text.startswith("^") or len(parts) == 1:
        return text
    node = nodes.get(parts[0])
    opdef = find_op(node.op) if node is not None else None
    if node is None or opdef is None:
        raise ValueError(f"A function refers to {text!r}, which it does not hold")
    at = int(parts[2]) if len(parts) == 3 else 0
    attrs = {k: attr_protos.attr_from_proto(v) for k, v in node.attr.items()}
    outputs = _outputs_of(opdef, attrs)
    if len(outputs) > 1:
        for arg, count in outputs:
            if arg == parts[1]:
                break
            at += count
    return f"{parts[0]}:{at}" if at or index else parts[0]
