"""The attrs of an operation as AttrValue messages, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.graph import Operation
from thalweg._src.core.opdef import OpDef
from thalweg._src.core.shapes import TensorShape
from thalweg._src.formats import protos, tensors


def _kind_of(value: Any) -> str:
    """The kind of an attr that no OpDef declares (its name begins with '_'), from its Python type."""
    if isinstance(value, list):
        return f"list({_kind_of(value[0])})" if value else "list(string)"
    for kind, types in (
        ("bool", bool | np.bool_),
        ("int", int | np.integer),
        ("float", float | np.floating),
        ("string", str | bytes),
        ("type", dtypes.DType),
        ("tensor", np.ndarray),
        ("shape", tuple | TensorShape),
    ):
        if isinstance(value, types):  # type: ignore[arg-type]
            return kind
    return "func"


def kind_of(opdef: OpDef, name: str, value: Any) -> str:
    attr = opdef.attrs.get(name)
    return _kind_of(value) if attr is None else attr.kind


def _as_bytes(value: Any) -> bytes:
    return value.encode("utf-8") if isinstance(value, str) else value


def _tensor(array: np.ndarray, dtype: Any = None) -> Any:
    element = dtype if dtype is not None else dtypes.of_numpy(array.dtype)
    return tensors.to_proto(array, element.base_dtype.as_datatype_enum)


def _func(value: Any) -> Any:
    from thalweg._src.core import calls

    if isinstance(value, calls.Call):
        return calls.to_proto(value)
    if isinstance(value, str | bytes):
        return protos.NameAttrList(name=value)
    if hasattr(value, "WhichOneof") or type(value).__name__ == "NameAttrList":
        return value
    return protos.NameAttrList(name=value.name)


def attr_to_proto(kind: str, value: Any, dtype: Any = None) -> Any:
    """An AttrValue. `dtype` is the type of a tensor attr whose NumPy type does not tell (quantized values)."""
    out = protos.AttrValue()
    if kind == "int":
        out.i = int(value)
    elif kind == "float":
        out.f = float(value)
    elif kind == "bool":
        out.b = bool(value)
    elif kind == "string":
        out.s = _as_bytes(value)
    elif kind == "type":
        out.type = value.as_datatype_enum
    elif kind == "shape":
        out.shape.CopyFrom(shapes.as_shape(value).as_proto())
    elif kind == "tensor":
        out.tensor.CopyFrom(_tensor(value, dtype))
    elif kind == "func":
        out.func.CopyFrom(_func(value))
    else:
        out.list.SetInParent()
        _fill_list(out.list, kind[5:-1], value)
    return out


def _fill_list(out: Any, kind: str, values: Sequence[Any]) -> None:
    if kind == "int":
        out.i.extend(int(v) for v in values)
    elif kind == "float":
        out.f.extend(float(v) for v in values)
    elif kind == "bool":
        out.b.extend(bool(v) for v in values)
    elif kind == "string":
        out.s.extend(_as_bytes(v) for v in values)
    elif kind == "type":
        out.type.extend(v.as_datatype_enum for v in values)
    elif kind == "shape":
        out.shape.extend(shapes.as_shape(v).as_proto() for v in values)
    elif kind == "tensor":
        out.tensor.extend(_tensor(v) for v in values)
    elif kind == "func":
        out.func.extend(_func(v) for v in values)


def _text(value: bytes) -> Any:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value


def attr_from_proto(proto: Any) -> Any:
    """The Python value of an AttrValue."""
    which = proto.WhichOneof("value")
    if which == "s":
        return _text(proto.s)
    if which in ("i", "f", "b"):
        return getattr(proto, which)
    if which == "type":
        return dtypes.as_dtype(proto.type)
    if which == "shape":
        return shapes.as_dims(proto.shape)
    if which == "tensor":
        return tensors.from_proto(proto.tensor)
    if which == "func":
        return proto.func
    if which == "list":
        return _list_from_proto(proto.list)
    return None


def _list_from_proto(proto: Any) -> list[Any]:
    if proto.s:
        return [_text(s) for s in proto.s]
    for field in ("i", "f", "b", "func"):
        if getattr(proto, field):
            return list(getattr(proto, field))
    if proto.type:
        return [dtypes.as_dtype(t) for t in proto.type]
    if proto.shape:
        return [shapes.as_dims(s) for s in proto.shape]
    return [tensors.from_proto(t) for t in proto.tensor]


def public_attr(op: Operation, name: str) -> Any:
    """An attr as `Operation.get_attr` gives it: strings as bytes, shapes and tensors as protos."""
    value = op.attrs[name]
    kind = kind_of(op.opdef, name, value)
    many = kind.startswith("list(")
    base = kind[5:-1] if many else kind
    if base == "string":
        return [_as_bytes(v) for v in value] if many else _as_bytes(value)
    if base == "shape":
        return [shapes.as_shape(v).as_proto() for v in value] if many else shapes.as_shape(value).as_proto()
    if base == "tensor":
        return [_tensor(v) for v in value] if many else _tensor(value, op.attrs.get("dtype"))
    if base == "func":
        return [_func(v) for v in value] if many else _func(value)
    return list(value) if many else value
