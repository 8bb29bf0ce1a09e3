"""A call of an op as an attr: what SymbolicGradient differentiates. In a GraphDef it is a NameAttrList of the op and its attrs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from thalweg._src.core import attr_protos, build
from thalweg._src.core.graph import Operation
from thalweg._src.core.opdef import OPS, OpDef
from thalweg._src.formats import protos

_OPERATION = "_operation"  # the name of the operation that made the call, if it is in the same graph


class Call:
    """The type of an op and its attrs; and the operation that made the call, where it is at hand."""

    def __init__(self, name: str, attrs: dict[str, Any], operation: Operation | None = None):
        self.name, self.attrs, self.operation = name, attrs, operation

    @property
    def opdef(self) -> OpDef:
        return OPS[self.name]


def of_operation(op: Operation) -> Call:
    """The call that `op` is."""
    return Call(op.type, {k: v for k, v in op._attrs.items() if not k.startswith("_")}, op)


def to_proto(call: Call) -> Any:
    proto = protos.NameAttrList(name=call.name)
    for name, value in call.attrs.items():
        kind = attr_protos.kind_of(call.opdef, name, value)
        dtype = call.attrs.get("dtype") if kind == "tensor" else None
        proto.attr[name].CopyFrom(attr_protos.attr_to_proto(kind, value, dtype))
    if call.operation is not None:
        proto.attr[_OPERATION].s = call.operation.name.encode()
    return proto


def operation_named(proto: Any) -> str | None:
    """The name of the operation that made the call, if the call says so."""
    return proto.attr[_OPERATION].s.decode() if _OPERATION in proto.attr else None


def from_proto(proto: Any, made: Mapping[str, Operation], body: Callable[[OpDef, dict[str, Any]], None]) -> Call:
    """The call in an imported node. `made` has the operations by their names in that graph; `body` makes attrs that name
    functions their graphs.
    """
    operation = made.get(operation_named(proto) or "")
    if operation is not None and operation.type == proto.name:
        return of_operation(operation)
    opdef = OPS[proto.name]
    values = {k: attr_protos.attr_from_proto(v) for k, v in proto.attr.items() if k in opdef.attrs}
    attrs = {k: None if v is None else build.check_attr(opdef, opdef.attrs[k], v) for k, v in values.items()}
    body(opdef, attrs)
    return Call(proto.name, attrs)
