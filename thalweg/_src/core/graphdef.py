"""Graphs as GraphDef and back: what we export TensorFlow imports, and the other way round."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import build
from thalweg._src.core.attr_protos import attr_to_proto, kind_of
from thalweg._src.core.graph import Graph, Operation
from thalweg._src.core.opdef import REQUIRED, OpDef
from thalweg._src.formats import protos


def node_def(op: Operation, *, add_shapes: bool = False) -> Any:
    """`op` as a NodeDef, with all its attrs."""
    proto = protos.NodeDef(name=op.name, op=op.type, device=op.device)
    proto.input.extend(t._as_node_def_input() for t in op.inputs)
    proto.input.extend(sorted("^" + c.name for c in op._control_inputs))
    for name, value in op.attrs.items():
        kind = kind_of(op.opdef, name, value)
        proto.attr[name].CopyFrom(attr_to_proto(kind, value, op.attrs.get("dtype") if kind == "tensor" else None))
    if add_shapes and op.outputs:
        shaped = proto.attr["_output_shapes"]
        shaped.list.SetInParent()
        shaped.list.shape.extend(t.shape.as_proto() for t in op.outputs)
    return proto


def export(graph: Graph, *, from_version: int | None = None, add_shapes: bool = False) -> Any:
    """The graph (or what was added to it after `from_version`) as a GraphDef."""
    from thalweg._src.core import functions

    proto = protos.GraphDef(versions=graph.graph_def_versions)
    start = 0 if from_version is None else from_version
    proto.node.extend(node_def(op, add_shapes=add_shapes) for op in graph._ops if op._id > start)
    for function in graph._functions.values():
        proto.library.function.add().CopyFrom(function)
    for name, (body, hands_on) in functions.bodies_in(graph._ops).items():
        if name not in graph._functions:
            proto.library.function.append(functions.definition(body, hands_on=hands_on))
    return proto


def op_def(opdef: OpDef) -> Any:
    """The schema of an op as an OpDef proto."""
    proto = protos.OpDef(name=opdef.name, is_stateful=opdef.stateful)
    for args, out in ((opdef.inputs, proto.input_arg), (opdef.outputs, proto.output_arg)):
        for arg in args:
            a = out.add(name=arg.name, is_ref=arg.ref)
            if arg.dtype is not None:
                a.type = arg.dtype.as_datatype_enum
            elif arg.type_attr is not None:
                a.type_attr = arg.type_attr.name
            if arg.number:
                a.number_attr = arg.number
            if arg.types:
                a.type_list_attr = arg.types
    for attr in opdef.attrs.values():
        a = proto.attr.add(name=attr.name, type=attr.kind)
        if attr.default is not REQUIRED:
            default = build.check_attr(opdef, attr, attr.default) if attr.default is not None else None
            a.default_value.CopyFrom(attr_to_proto(attr.kind, default))
        if attr.minimum is not None:
            a.has_minimum, a.minimum = True, attr.minimum
        if attr.allowed is not None:
            kind = attr.kind if attr.kind.startswith("list(") else f"list({attr.kind})"
            a.allowed_values.CopyFrom(attr_to_proto(kind, list(attr.allowed)))
    return proto
