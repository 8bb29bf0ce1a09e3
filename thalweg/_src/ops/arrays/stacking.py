"""Several tensors to one and back along a new axis: stack, unstack, and lists that hold tensors."""

from typing import Any

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.convert import register_tensor_conversion_function, to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Many, Min, Shape, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.shaping import expand_dims
from thalweg._src.ops.control.partly import parts_of, remember
from thalweg._src.ops.late import math

T = type_attr("T")


def _stack_axis(axis: int, rank: int) -> int:
    if not -rank - 1 <= axis <= rank:
        raise ValueError(f"axis = {axis} not in [{-rank - 1}, {rank + 1})")
    return axis + rank + 1 if axis < 0 else axis


@op("Pack", default_name="stack")
def _pack(values: Many(T, "N", 1), *, axis: int = 0) -> T:
    """`values`, all of one shape, along a new axis."""
    first = values[0]
    for i, v in enumerate(values):
        if v.shape != first.shape:
            raise ValueError(
                f"Shapes of all inputs must match: values[0].shape = {shapes.text(first.shape)} != values[{i}].shape = "
                f"{shapes.text(v.shape)}"
            )
    out = xp(*values).stack(values, axis=_stack_axis(axis, first.ndim))
    if first.ndim == 0 and first.dtype.kind in "iu":
        return remember(out, [parts_of(v)[0] for v in values])
    return out


_pack.of_rows = lambda attrs, rows: xp(rows).moveaxis(rows, 0, _stack_axis(attrs["axis"], rows.ndim - 1))


@_pack.shape_rule
def _(op):
    dims: Any = None
    for i, v in enumerate(op.inputs):
        try:
            dims = shapes.merged(dims, v.dims)
        except ValueError as error:
            raise ValueError(f"{error}\n\tFrom merging shape {i - 1} with other shapes.") from None
    if dims is None:
        return [None]
    at, rank = op.attrs["axis"], len(dims)
    if not -rank - 1 <= at <= rank:
        raise ValueError(f"Invalid axis: {at}; axis must be in the range [{-rank - 1}, {rank + 1})")
    at = _stack_axis(at, rank)
    return [(*dims[:at], len(op.inputs), *dims[at:])]


@_pack.partial_rule
def _(op):
    return tuple(infer.partial_scalar(v) for v in op.inputs)


@_pack.grad
def _(op, g):
    return unstack(g, num=len(op.inputs), axis=op.attrs["axis"])


@dispatched
def stack(values: Any, axis: int = 0, name: str | None = "stack") -> Tensor:
    """`values`, tensors of one shape, along a new axis in the place of `axis`.

    Raises ValueError for an axis out of range and for shapes that differ.

    >>> run(tf.stack([[1, 4], [2, 5], [3, 6]], axis=1))
    array([[1, 2, 3],
           [4, 5, 6]], dtype=int32)
    """
    if axis == 0:
        try:  # a list of numbers is a constant
            return to_tensor(values, None, name)
        except (TypeError, ValueError):
            pass
    dims = to_tensor(values[0], None, "stack").dims
    if dims is not None and not -len(dims) - 1 <= axis <= len(dims):
        raise ValueError(f"axis = {axis} not in [{-len(dims) - 1}, {len(dims) + 1})")
    return _pack(values, axis=axis, name=name)


def _tensor_like(value: Any) -> bool:
    return isinstance(value, Tensor) or hasattr(value, "_as_graph_element")


def _inside(values: Any) -> Any:
    """The first tensor in nested lists, or None."""
    for v in values:
        found = _inside(v) if isinstance(v, list | tuple) else v if _tensor_like(v) else None
        if found is not None:
            return found
    return None


def _convert_list(values: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Any:
    """Nested lists that hold tensors become Pack nodes; others are left to the conversion to a constant."""
    found = None if as_ref else _inside(values)
    if found is None:
        return NotImplemented
    inferred = found.dtype.base_dtype
    if dtype is not None and dtype != inferred:
        values = _cast_all(values, dtype)
    return _packed(values, dtype or inferred, name or "packed")


def _cast_all(values: Any, dtype: DType) -> Any:
    if isinstance(values, list | tuple):
        return [_cast_all(v, dtype) for v in values]
    return math.cast(values, dtype) if _tensor_like(values) and values.dtype.base_dtype != dtype else values


def _packed(values: Any, dtype: DType, name: str) -> Any:
    with name_scope(name) as inner:
        parts = []
        for i, v in enumerate(values):
            if isinstance(v, list | tuple) and _inside(v) is not None:
                v = _packed(v, dtype, str(i))
            if _tensor_like(v) and v.dtype.base_dtype != dtype:
                raise TypeError(
                    f"Cannot convert a list containing a tensor of dtype {v.dtype} to {dtype} (Tensor is: {v!r})"
                )
            parts.append(v if _tensor_like(v) else constants.constant(v, dtype, name=str(i)))
        return _pack(parts, name=inner)


register_tensor_conversion_function((list, tuple), _convert_list, 99)


@op("Unpack", default_name="unstack")
def _unpack(value: T, *, num: Min(int, 0), axis: int = 0) -> Many(T, "num"):
    """The slices of `value` along `axis`, without that axis."""
    if value.shape[axis] != num:
        raise ValueError(f"Input shape axis {axis} must equal {num}, got shape {shapes.text(value.shape)}")
    lead = (slice(None),) * (axis % value.ndim)
    return [value[(*lead, i)] for i in range(num)]


def _unpack_rows(attrs, value):
    return xp(value).moveaxis(value, attrs["axis"], 0) if value.shape[attrs["axis"]] == attrs["num"] else None


_unpack.as_rows = _unpack_rows


@_unpack.shape_rule
def _(op):
    dims, at, n = op.inputs[0].dims, op.attrs["axis"], op.attrs["num"]
    if dims is None:
        return [None] * n
    rank = len(dims)
    if not -rank <= at < rank:
        raise ValueError(f"Invalid axis: {at}; axis must be in the range [{-rank}, {rank})")
    at %= rank
    if dims[at] is not None and dims[at] != n:
        raise ValueError(f"Dimension must be {dims[at]} but is {n}")
    return [dims[:at] + dims[at + 1 :]] * n


@_unpack.grad
def _(op, *grads):
    return stack(list(grads), axis=op.attrs["axis"])


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str | None = "unstack") -> list[Tensor]:
    """The slices of `value` along `axis`, as a list; the inverse of `stack`.

    Raises ValueError where there are not `num`, or where their number is not known.

    >>> run(tf.unstack([[1, 2], [3, 4]]))
    [array([1, 2], dtype=int32), array([3, 4], dtype=int32)]
    """
    if num is None:
        value = to_tensor(value)
        if value.dims is not None:
            rank = len(value.dims)
            if not -rank <= axis < rank:
                raise ValueError(f"axis = {axis} not in [{-rank}, {rank})")
            num = value.dims[axis]
        if num is None:
            raise ValueError(f"Cannot infer num from shape {value.get_shape()}")
    return _unpack(value, num=num, axis=axis, name=name)


@op("ParallelConcat")
def _parallel_concat(values: Many(T, "N", 1), *, shape: Shape) -> T:
    """`values`, each of one row, one below the other."""
    return xp(*values).concatenate(values, axis=0)


@_parallel_concat.shape_rule
def _(op):
    dims = op.attrs["shape"]
    if dims is None or None in dims:
        raise ValueError("shape attr must be fully defined.")
    if not dims or dims[0] != len(op.inputs):
        raise ValueError(f"shape attr {shapes.text(dims)} must have a first size of {len(op.inputs)}")
    for v in op.inputs:
        if v.dims is None or None in v.dims:
            raise ValueError("All input shapes must be fully defined.")
        if v.dims != (1, *dims[1:]):
            raise ValueError(f"Each input must have the shape {shapes.text((1, *dims[1:]))}, got {shapes.text(v.dims)}")
    return [dims]


def parallel_stack(values: Any, name: str | None = "parallel_stack") -> Tensor:
    """`tf.stack` along the first axis, for tensors whose shapes are all known."""
    with name_scope(name):
        first = to_tensor(values[0])
        full = (len(values), *first.get_shape().as_list())
        return _parallel_concat([expand_dims(v, 0) for v in values], shape=full)
