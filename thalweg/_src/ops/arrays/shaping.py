"""The shape of a tensor as a value, and ops that give its elements another one: reshape, expand_dims, squeeze ..."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer, shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import DType, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Many, Min, Shape, Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.late import math

T = type_attr("T")
OUT = type_attr("out_type", (int32, int64), int32)
INTS = (int32, int64)


# -- shape, size, rank


@op("Shape", shape_only=True, numpy_only=True)
def _shape(input: T, *, out_type: OUT = int32) -> OUT:
    """The shape of `input`, a vector."""
    return np.array(input.shape, out_type._as_numpy)


@_shape.shape_rule
def _(op):
    dims = op.inputs[0].dims
    return [(None if dims is None else len(dims),)]


@_shape.partial_rule
def _(op):
    return op.inputs[0].dims


@op("ShapeN", shape_only=True, numpy_only=True)
def shape_n(input: Many(T, "N", 1), *, out_type: OUT = int32) -> Many(OUT, "N"):
    """The shapes of several tensors."""
    return [np.array(x.shape, out_type._as_numpy) for x in input]


@shape_n.shape_rule
def _(op):
    return [(None if t.dims is None else len(t.dims),) for t in op.inputs]


@op("Size", shape_only=True, numpy_only=True)
def _size(input: T, *, out_type: OUT = int32) -> OUT:
    """The number of elements."""
    return np.array(np.prod(input.shape, dtype=np.int64), out_type._as_numpy)


@_size.partial_rule
def _(op):
    return (shapes.size_of(op.inputs[0].dims),)


@op("Rank", shape_only=True, numpy_only=True)
def rank_of_tensor(input: T) -> int32:
    """The number of dimensions."""
    return np.array(len(input.shape), np.int32)


@rank_of_tensor.partial_rule
def _(op):
    dims = op.inputs[0].dims
    return (None if dims is None else len(dims),)


for _scalar in (_size, rank_of_tensor):
    _scalar.shape_rule(lambda op: [()])
for _of_shape in (_shape, shape_n, _size, rank_of_tensor):
    _of_shape.not_differentiable()


def _dense_shape(input: Any) -> Any:
    return getattr(input, "dense_shape", None) if not isinstance(input, Tensor) else None


def shape_internal(input: Any, *, optimize: bool = True, out_type: DType = int32, name: str | None = None) -> Tensor:
    """The shape of `input`; a constant where it is known and `optimize` is set."""
    with name_scope(name, "Shape", [input]) as name:
        sparse = _dense_shape(input)
        if sparse is not None:
            return math.cast(sparse, out_type)
        x = to_tensor(input, None, "input")
        if optimize and x._dims is not None and None not in x._dims:
            return constant(np.array(x._dims, out_type._as_numpy), out_type, name=name)
        return _shape(x, out_type=out_type, name=name)


def shape(input: Any, name: str | None = None, out_type: Any = int32) -> Tensor:
    """The shape of `input` (also of a SparseTensor), a vector of integers.

    >>> run(tf.shape([[1, 2, 3], [4, 5, 6]]))
    array([2, 3], dtype=int32)
    """
    return shape_internal(input, out_type=dtypes.as_dtype(out_type), name=name)


def size_internal(input: Any, *, optimize: bool = True, out_type: DType = int32, name: str | None = None) -> Tensor:
    """The number of elements of `input`; a constant where it is known and `optimize` is set."""
    with name_scope(name, "Size", [input]) as name:
        sparse = _dense_shape(input)
        if sparse is not None:
            return math.reduce_prod(math.cast(sparse, out_type), 0, name=name)
        x = to_tensor(input, None, "input")
        n = shapes.size_of(x._dims)
        if optimize and n is not None:
            return constant(n, out_type, name=name)
        return _size(x, out_type=out_type, name=name)


@dispatched
def size(input: Any, name: str | None = None, out_type: Any = int32) -> Tensor:
    """The number of elements of `input`.

    >>> run(tf.size([[1, 2, 3], [4, 5, 6]]))
    6
    """
    return size_internal(input, out_type=dtypes.as_dtype(out_type), name=name)


def rank_internal(input: Any, *, optimize: bool = True, name: str | None = None) -> Tensor:
    """The number of dimensions of `input`; a constant where it is known and `optimize` is set."""
    with name_scope(name, "Rank", [input]) as name:
        sparse = _dense_shape(input)
        if sparse is not None:
            return _size(sparse, name=name)
        x = to_tensor(input, None, "input")
        if optimize and x._dims is not None:
            return constant(len(x._dims), int32, name=name)
        return rank_of_tensor(x, name=name)


@dispatched
def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of dimensions of `input`.

    >>> run(tf.rank([[1, 2, 3], [4, 5, 6]]))
    2
    """
    return rank_internal(input, name=name)


# -- reshape


@op("Reshape", numpy_only=True, reshapes=True)
def _reshape(tensor: T, shape: Static(type_attr("Tshape", INTS, int32))) -> T:
    """The elements of `tensor`, in order, in another shape."""
    return tensor.reshape(target_shape(tensor.shape, shape))


def target_shape(have: Any, want: Any) -> list[int]:
    """`want` with its -1 filled in. Raises ValueError where the elements don't fit."""
    n = int(np.prod(have, dtype=np.int64))
    sizes = [int(d) for d in np.asarray(want).ravel()]
    if np.ndim(want) != 1:
        raise ValueError(f"sizes input must be 1-D, not {shapes.text(np.shape(want))}")
    if sizes.count(-1) > 1:
        raise ValueError(f"Only one input size may be -1, not both {sizes.index(-1)} and {_second(sizes)}")
    for i, d in enumerate(sizes):
        if d < -1:
            raise ValueError(f"Size {i} must be non-negative, not {d}")
    if -1 in sizes:
        # Where a zero is asked for, zeros of the input don't count: [0, 3] as [-1, 0] is [3, 0].
        full = int(np.prod([d for d in have if d or 0 not in sizes], dtype=np.int64))
        rest = int(np.prod([d for d in sizes if d > 0], dtype=np.int64))
        if full % rest:
            raise ValueError(
                f"Input to reshape is a tensor with {n} values, but the requested shape requires a multiple of {rest}"
            )
        sizes[sizes.index(-1)] = full // rest
    count = int(np.prod(sizes, dtype=np.int64))
    if count != n:
        raise ValueError(f"Input to reshape is a tensor with {n} values, but the requested shape has {count}")
    return sizes


def _second(sizes: list[int]) -> int:
    return sizes.index(-1, sizes.index(-1) + 1)


@_reshape.shape_rule  # one unknown size on each side is the same unknown; abstract evaluation can't see that
def _(op):
    x, want = op.inputs
    shapes.of_rank_at_most(want.dims, 1)
    if want.dims == ():
        return [_of_scalar_shape(want)]
    dims = infer.partial_value(want)
    if dims is None or None not in dims:
        return [_all_fit(x, dims)]
    n = shapes.size_of(x.dims)
    known = shapes.size_of(tuple(d for d in dims if d is not None))
    if n is None or dims.count(None) > 1:
        return [dims]
    if known == 0:
        if n:
            raise ValueError(
                "reshape cannot infer the missing input size for an empty tensor unless all specified input sizes are "
                "non-zero"
            )
        return [dims]
    if n % known:
        raise ValueError(f"Dimension size must be evenly divisible by {known} but is {n}")
    return [tuple(n // known if d is None else d for d in dims)]


def _of_scalar_shape(want):
    value = infer.constant_value(want)
    if value is None or value != -1:
        raise ValueError(
            "Input tensor must be rank 1, or if its rank 0 it must have value -1 (representing an unknown shape).  "
            f"Saw {'a value known in the run alone' if value is None else f'value: {value}'}"
        )
    return None


def _all_fit(x, dims):
    n, m = shapes.size_of(x.dims), shapes.size_of(dims)
    if n is not None and m is not None and n != m:
        raise ValueError(f"Cannot reshape a tensor with {n} elements to shape {shapes.text(dims)} ({m} elements)")
    if m is not None and x.dims is not None and x.dims.count(None) == 1:
        known = shapes.size_of(tuple(d for d in x.dims if d is not None))
        if known and m % known:
            raise ValueError(f"Dimension size must be evenly divisible by {known} but is {m}")
    return dims


def _kept(op):
    return infer.partial_ints(op.inputs[0])


_reshape.partial_rule(_kept)


@_reshape.grad
def _(op, g):
    return _reshape(g, shape_internal(op.inputs[0])), None


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The elements of `tensor`, row by row, in another shape; one size may be -1, what is left.

    Raises ValueError (or InvalidArgumentError in the run, for shapes known only there) where the sizes don't fit.

    >>> run(tf.reshape([1, 2, 3, 4, 5, 6], [-1, 2]))
    array([[1, 2],
           [3, 4],
           [5, 6]], dtype=int32)
    """
    return _reshape(tensor, shape, name=name)


# -- axes of size one


@op("ExpandDims", numpy_only=True, reshapes=True)
def _expand_dims(input: T, dim: Static(type_attr("Tdim", INTS, int32))) -> T:
    """`input` with an axis of size 1 before axis `dim`; -1 puts it last."""
    at = _place(int(np.asarray(dim).reshape(())), input.ndim)
    return input.reshape(*input.shape[:at], 1, *input.shape[at:])


def _place(axis: int, rank: int) -> int:
    if not -rank - 1 <= axis <= rank:
        raise ValueError(f"Tried to expand dim index {axis} for tensor with {rank} dimensions.")
    return axis + rank + 1 if axis < 0 else axis


@_expand_dims.shape_rule
def _(op):
    x, axis = op.inputs
    value = infer.constant_value(axis)
    if x.dims is None:
        return [None]
    if value is None or value.size != 1:
        if value is not None:
            raise ValueError(f"'dim' input must be a tensor with a single value, got {value.size}")
        return [None]
    axis, rank = int(value.reshape(())), len(x.dims)
    if not -rank - 1 <= axis <= rank:
        raise ValueError(f"dim {axis} not in the interval [{-rank - 1}, {rank}].")
    at = _place(axis, rank)
    return [(*x.dims[:at], 1, *x.dims[at:])]


_expand_dims.partial_rule(_kept)


def _reshaped_back(op, g):
    return _reshape(g, shape_internal(op.inputs[0]))


@_expand_dims.grad
def _(op, g):
    return _reshaped_back(op, g), None


@dispatched
def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """`input` with an axis of size 1 put before `axis` (once called `dim`); -1 puts it last.

    >>> run(tf.expand_dims([1, 2], 1))
    array([[1],
           [2]], dtype=int32)
    """
    axis = renamed("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("Must specify an axis argument to tf.expand_dims()")
    return _expand_dims(input, axis, name=name)


@op("Squeeze", numpy_only=True, reshapes=True)
def _squeeze(input: T, *, squeeze_dims: Min(list[int], 0) = ()) -> T:
    """`input` without axes of size 1: those in `squeeze_dims`, or all."""
    return input.reshape(_squeezed(input.shape, squeeze_dims))


def _squeezed(dims: Any, axes: Any) -> Any:
    rank = len(dims)
    chosen = set()
    for a in axes:
        if not -rank <= a < rank:
            raise ValueError(f"Tried to squeeze dim index {a} for tensor with {rank} dimensions.")
        chosen.add(a % rank)
    for a in sorted(chosen):
        if dims[a] not in (1, None):
            raise ValueError(f"Can not squeeze dim[{a}], expected a dimension of 1, got {dims[a]}")
    if chosen:
        return tuple(d for i, d in enumerate(dims) if i not in chosen)
    return None if None in dims else tuple(d for d in dims if d != 1)


@_squeeze.shape_rule
def _(op):
    dims = op.inputs[0].dims
    if dims is None:
        return [None]
    return [_squeezed(dims, op.attrs["squeeze_dims"])]


_squeeze.partial_rule(_kept)


@_squeeze.grad
def _(op, g):
    return _reshaped_back(op, g)


@dispatched
def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Tensor:
    """`input` without its axes of size 1, or without those in `axis` (once called `squeeze_dims`). Raises ValueError
    where one of those has another size.

    >>> run(tf.squeeze([[[1], [2]]]))
    array([1, 2], dtype=int32)
    """
    axis = renamed("axis", axis, "squeeze_dims", squeeze_dims)
    if np.isscalar(axis):
        axis = [axis]
    return _squeeze(input, squeeze_dims=axis, name=name)


# -- broadcast_to, ensure_shape


@op("BroadcastTo", numpy_only=True)
def broadcast_to(input: T, shape: Static(type_attr("Tidx", INTS, int32))) -> T:
    """`input` repeated along its axes of size 1, and along new ones before them, to be of shape `shape`.

    >>> run(tf.broadcast_to([1, 2], [2, 2]))
    array([[1, 2],
           [1, 2]], dtype=int32)
    """
    want = tuple(int(d) for d in shape)
    if len(want) < input.ndim:
        raise ValueError(f"Rank of input ({input.ndim}) must be no greater than rank of output shape ({len(want)}).")
    for have, new in zip(reversed(input.shape), reversed(want), strict=False):
        if have not in (1, new):
            raise ValueError(f"Incompatible shapes: {shapes.text(input.shape)} vs. {list(want)}")
    return xp(input).broadcast_to(input, want)


@broadcast_to.shape_rule
def _(op):
    x, want = op.inputs
    shapes.of_rank(want.dims, 1)
    dims = infer.partial_value(want)
    if dims is None or x.dims is None:
        return [dims]
    shapes.of_rank_at_most(x.dims, len(dims))
    for have, new in zip(reversed(x.dims), reversed(dims), strict=False):
        if have is not None and new is not None and have not in (1, new):
            raise ValueError(f"Dimensions must be equal, but are {have} and {new}")
    return [dims]


@broadcast_to.grad
def _(op, g):
    from thalweg._src.ops.arrays.broadcasting import broadcast_gradient_args

    x, want = op.inputs
    back = shape_internal(x, out_type=want.dtype)
    _, axes = broadcast_gradient_args(want, back)
    return _reshape(math.reduce_sum(g, axes, keepdims=True), back), None


BA = type_attr("T", INTS, int32)


@op("BroadcastArgs", numpy_only=True)
def _broadcast_args(s0: Static(BA), s1: Static(BA)) -> BA:
    """The shape of the broadcast of two shapes."""
    dims = shapes.broadcast(tuple(map(int, s0)), tuple(map(int, s1)))
    if dims is False:
        raise ValueError(f"Incompatible shapes: {list(map(int, s0))} vs. {list(map(int, s1))}")
    return np.array(dims, s0.dtype)


@_broadcast_args.shape_rule
def _(op):
    a, b = (shapes.of_rank(t.dims, 1)[0] for t in op.inputs)
    return [(None if a is None or b is None else max(a, b),)]


@_broadcast_args.partial_rule
def _(op):
    dims = shapes.broadcast(*(infer.partial_value(t) for t in op.inputs))
    return None if dims is False else dims


_broadcast_args.not_differentiable()


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape of the broadcast of two shapes that are tensors.

    >>> run(tf.broadcast_dynamic_shape([2, 1], [3]))
    array([2, 3], dtype=int32)
    """
    return _broadcast_args(shape_x, shape_y)


@op("EnsureShape", numpy_only=True)
def _ensure_shape(input: T, *, shape: Shape) -> T:
    """`input`, whose shape must be compatible with `shape` when the graph runs; InvalidArgumentError otherwise."""
    if not shapes.compatible(shape, input.shape):
        raise ValueError(
            f"Shape of tensor {shapes.text(input.shape)} is not compatible with expected shape {shapes.text(shape)}."
        )
    return input


@_ensure_shape.shape_rule
def _(op):
    return [shapes.merged(op.inputs[0].dims, op.attrs["shape"])]


@_ensure_shape.grad
def _(op, g):
    return g


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """`x`, whose static shape is merged with `shape`. InvalidArgumentError where the shapes are not compatible in a run.

    >>> tf.ensure_shape(tf.placeholder(tf.float32, [None, 3]), [2, None]).shape
    TensorShape([Dimension(2), Dimension(3)])
    """
    return _ensure_shape(x, shape=shape, name=name)
