"""Choices by condition: where, boolean_mask, one_hot, sequence_mask."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer, shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import NUMBERS, int32, int64, uint8
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.broadcasting import broadcast_gradient_args
from thalweg._src.ops.arrays.gathering import gather
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.ranges import range_op
from thalweg._src.ops.arrays.shaping import expand_dims, reshape, shape, squeeze
from thalweg._src.ops.late import math
from thalweg._src.ops.numeric.casting import cast_op

T = type_attr("T")
W = type_attr("T", (*NUMBERS, bool_), bool_)


# -- where


@op("Where", host=True, numpy_only=True)
def _where(input: W) -> int64:
    """The places where `input` is not zero: [n, rank of input], in row-major order."""
    return np.argwhere(input).astype(np.int64).reshape(-1, input.ndim)


@_where.shape_rule
def _(op):
    dims = op.inputs[0].dims
    return [(None, None if dims is None else len(dims))]


_where.not_differentiable()


@op("Select")
def _select(condition: bool_, t: T, e: T) -> T:
    """`t` where `condition` holds, else `e`; the condition is of their shape, a scalar, or one per row."""
    if t.shape != e.shape:
        raise ValueError(
            f"'then' and 'else' must have the same size.  but received: {shapes.text(t.shape)} vs. {shapes.text(e.shape)}"
        )
    if condition.ndim == 1 and t.ndim > 1 and condition.shape[0] == t.shape[0]:
        condition = condition.reshape(-1, *[1] * (t.ndim - 1))
    elif condition.ndim and condition.shape != t.shape:
        raise ValueError(
            "'cond' must have the shape of 'then', be a scalar or a vector with an entry for each of its rows, got "
            f"{shapes.text(condition.shape)} and {shapes.text(t.shape)}"
        )
    return xp(condition, t, e).where(condition, t, e)


@_select.shape_rule
def _(op):
    condition, t, e = (x.dims for x in op.inputs)
    dims = shapes.merged(t, e)
    if condition is None or dims is None or condition == ():
        return [dims]
    if len(condition) != 1 or not dims:
        return [shapes.merged(dims, condition)]
    shapes.merged(condition, dims[:1])
    return [dims]


@_select.grad
def _(op, g):
    c, x, _ = op.inputs
    zeros = constants.zeros_like(x)
    return None, _select(c, g, zeros), _select(c, zeros, g)


@op("SelectV2")
def _select_broadcast(condition: bool_, t: T, e: T) -> T:
    """`t` where `condition` holds, else `e`; the three are broadcast to one shape."""
    return xp(condition, t, e).where(condition, t, e)


@_select_broadcast.shape_rule
def _(op):
    condition, t, e = (x.dims for x in op.inputs)
    dims = shapes.broadcast(t, e)
    both = dims if dims is False else shapes.broadcast(condition, dims)
    if both is False:
        raise ValueError(f"Shapes {', '.join(shapes.text(d) for d in (condition, t, e))} do not fit together")
    return [both]


@_select_broadcast.grad
def _(op, g):
    c, x, y = op.inputs
    zeros = constants.zeros([], g.dtype.base_dtype)
    out_dims = shape(op.outputs[0])

    def back(gradient, operand):
        dims = shape(operand)
        axes, _ = broadcast_gradient_args(dims, out_dims)
        return reshape(math.reduce_sum(gradient, axes, keepdims=True), dims)

    return None, back(_select_broadcast(c, g, zeros), x), back(_select_broadcast(c, zeros, g), y)


def _where_either(condition: Any, x: Any, y: Any, name: str | None, choose: Any) -> Tensor:
    if (x is None) != (y is None):
        raise ValueError("x and y must both be non-None or both be None.")
    if x is not None:
        return choose(condition, x, y, name=name)
    with name_scope(name, "Where", [condition]) as name:
        return _where(to_tensor(condition, None, "condition", preferred=bool_), name=name)


@dispatched
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Entries of `x` where `condition` holds, of `y` elsewhere; without x and y, the places where it holds.

    The condition has the shape of x and y, or is a vector with an entry per row, or a scalar. The places are a matrix
    with one row of indices per place. Raises ValueError where only one of x and y is given.

    >>> run(tf.where([True, False, True], [1, 2, 3], [4, 5, 6]))
    array([1, 5, 3], dtype=int32)
    >>> run(tf.where([[True, False], [False, True]]))
    array([[0, 0],
           [1, 1]])
    """
    return _where_either(condition, x, y, name, _select)


def where_v2(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """As `tf.where`, but condition, `x` and `y` are broadcast to one shape."""
    return _where_either(condition, x, y, name, _select_broadcast)


def select(condition: Any, t: Any, e: Any, name: str | None = None) -> Tensor:
    """`tf.where` with three arguments, as it was called before 1.0."""
    return _select(condition, t, e, name=name)


# -- masks


@dispatched
def boolean_mask(tensor: Any, mask: Any, name: str | None = "boolean_mask", axis: Any = None) -> Tensor:
    """The parts of `tensor` for which `mask` holds. The mask covers the axes from `axis` (0) on, which become one.

    Raises ValueError for a mask of unknown rank, for a scalar, and where the sizes don't fit.

    >>> run(tf.boolean_mask([0, 1, 2, 3], [True, False, True, False]))
    array([0, 2], dtype=int32)
    """
    with name_scope(name, None, [tensor, mask]):
        tensor = to_tensor(tensor, None, "tensor")
        mask = to_tensor(mask, None, "mask")
        if mask.dims is None:
            raise ValueError(
                "Number of mask dimensions must be specified, even if some dimensions are None.  E.g. shape=[None] is "
                "ok, but shape=None is not."
            )
        n = len(mask.dims)
        if n == 0:
            raise ValueError("mask cannot be scalar.")
        axis = 0 if axis is None else axis
        known = tensor.get_shape()
        covered = known[axis : axis + n]
        covered.assert_is_compatible_with(mask.get_shape())
        count = math.reduce_prod(shape(tensor)[axis : axis + n], [0])
        flat = reshape(tensor, concat([shape(tensor)[:axis], [count], shape(tensor)[axis + n :]], 0))
        flat.set_shape(known[:axis].concatenate([covered.num_elements()]).concatenate(known[axis + n :]))
        places = squeeze(where(reshape(mask, [-1])), axis=[1])
        return gather(flat, places, axis=axis)


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool, name: str | None = None) -> Tensor:
    """[..., maxlen], where entry j is whether j is less than the length: [...] -> [..., maxlen]. `maxlen` is by default
    the greatest length.

    >>> run(tf.sequence_mask([1, 3]))
    array([[ True, False, False],
           [ True,  True,  True]])
    """
    dtype = dtypes.as_dtype(dtype)
    with name_scope(name, "SequenceMask", [lengths, maxlen]):
        lengths = to_tensor(lengths)
        if maxlen is None:
            maxlen = math.reduce_max(lengths)
            maxlen = math.maximum(to_tensor(0, lengths.dtype.base_dtype), maxlen)
        else:
            maxlen = to_tensor(maxlen)
        if maxlen.dims is not None and len(maxlen.dims) != 0:
            raise ValueError("maxlen must be scalar for sequence_mask")
        kind = maxlen.dtype.base_dtype
        row = range_op(to_tensor(0, kind), maxlen, to_tensor(1, kind))
        column = cast_op(expand_dims(lengths, -1), DstT=kind)  # also to the type that it has
        result = row < column  # type: ignore[operator]
        return result if dtype == bool_ else cast_op(result, DstT=dtype)


# -- one_hot


@op("OneHot")
def _one_hot(
    indices: type_attr("TI", (uint8, int32, int64), int64),
    depth: Static(int32),
    on_value: T,
    off_value: T,
    *,
    axis: int = -1,
) -> T:
    """`on_value` at each index along a new axis of size `depth`, `off_value` elsewhere."""
    n, rank = int(np.asarray(depth).reshape(())), indices.ndim
    if n < 0:
        raise ValueError(f"depth must be non-negative, got: {n}")
    at = rank if axis == -1 else axis
    if not 0 <= at <= rank:
        raise ValueError(f"Expected axis to be -1 or between [0, {rank + 1}).  But received: {axis}")
    lib = xp(indices, on_value, off_value)
    places = np.arange(n, dtype=np.int64 if n > np.iinfo(indices.dtype).max else indices.dtype)
    places = places.reshape([-1 if i == at else 1 for i in range(rank + 1)])
    return lib.where(lib.expand_dims(indices, at) == places, on_value, off_value)


@_one_hot.shape_rule
def _(op):
    indices, depth, on, off = op.inputs
    axis = op.attrs["axis"]
    if axis < -1:
        raise ValueError("axis must be >= -1")
    n = infer.partial_scalar(depth)
    if n is not None and n < 0:
        raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative but is {n}")
    if indices.dims is None:
        return [None]
    rank = len(indices.dims) + 1
    at = (axis + rank) % rank
    return [(*indices.dims[:at], n, *indices.dims[at:])]


_one_hot.not_differentiable()


@dispatched
def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """A new axis of size `depth` (the last, unless `axis` says), `on_value` (1) at each index and `off_value` (0) else.

    An index out of range gives a row of `off_value`. Raises TypeError where dtypes of the values and `dtype` differ.

    >>> run(tf.one_hot([0, 2], 3))
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    with name_scope(name, "one_hot", [indices, depth, on_value, off_value, axis, dtype]) as name:
        want = None if dtype is None else dtypes.as_dtype(dtype).base_dtype
        kinds = [None if v is None else to_tensor(v).dtype.base_dtype for v in (on_value, off_value)]
        for what, kind in zip(("on_value", "off_value"), kinds, strict=True):
            if kind is not None and want is not None and kind != want:
                raise TypeError(f"dtype {kind} of {what} does not match dtype parameter {want}")
        want = want or kinds[0] or kinds[1] or dtypes.float32
        if on_value is None:
            on_value = to_tensor(1, want, "on_value")
        if off_value is None:
            off_value = to_tensor(0, want, "off_value")
        if (kinds[0] or want) != (kinds[1] or want):
            raise TypeError(f"dtype {kinds[0]} of on_value does not match dtype {kinds[1]} of off_value")
        return _one_hot(indices, depth, on_value, off_value, axis=-1 if axis is None else axis, name=name)
