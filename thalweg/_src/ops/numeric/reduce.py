"""Reductions over axes: sum, mean, product, extremes, logic, and where the extremes are."""

from typing import Any

import numpy as np

from thalweg._src.core import infer
from thalweg._src.core.apply import is_traced, xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import NUMBERS, int32, int64
from thalweg._src.core.dtypes import bool as truth
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import formerly, renamed
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.arithmetic import quotient

N = type_attr("T", NUMBERS)
I = type_attr("Tidx", (int32, int64), int32)
OUT = type_attr("output_type", (int32, int64), int64)


def normal_axes(axes: Any, rank: int) -> tuple[int, ...]:
    """`axes` (a scalar or a vector) counted from the front, each once. Raises ValueError for one out of range."""
    out: dict[int, None] = {}
    for a in np.asarray(axes).ravel().tolist():
        if not -rank <= a < rank:
            raise ValueError(f"Invalid reduction dimension {a} for input with {rank} dimensions.")
        out[a % rank] = None
    return tuple(out)


def reduction_rule(op):
    """The shape rule of reductions."""
    x, axes = op._inputs
    keep = op._attrs["keep_dims"]
    if axes._dims is not None and len(axes._dims) > 1:
        raise ValueError(
            f"Shape must be at most rank 1 but is rank {len(axes._dims)} for '{op.name}' (op: '{op.type}')"
        )
    dims = x._dims
    if dims is None:
        return [None]
    known = infer.constant_value(axes)
    if known is None:
        return [(None,) * len(dims) if keep else None]
    gone = set(normal_axes(known, len(dims)))
    if keep:
        return [tuple(1 if i in gone else d for i, d in enumerate(dims))]
    return [tuple(d for i, d in enumerate(dims) if i not in gone)]


# -- the ops


@op("Sum", numpy_only=True)
def reduce_sum_op(input: N, reduction_indices: Static(I), *, keep_dims: bool = False) -> N:
    """The sum over axes; 0 where there is nothing to add."""
    axes = normal_axes(reduction_indices, input.ndim)
    if not axes and is_traced(input):  # as gradients of broadcasting have it, where the shapes turn out to be equal
        return input
    return xp(input).sum(input, axes, dtype=input.dtype, keepdims=keep_dims)


@op("Mean", numpy_only=True)
def _mean(input: N, reduction_indices: Static(I), *, keep_dims: bool = False) -> N:
    """The mean over axes; NaN of nothing. Integers are rounded towards zero."""
    axes = normal_axes(reduction_indices, input.ndim)
    count = int(np.prod([input.shape[a] for a in axes]))
    if input.dtype.kind in "iu":
        total = xp(input).sum(input, axes, dtype=input.dtype, keepdims=keep_dims)
        return math.truncatediv.fn(total, np.asarray(max(1, count), input.dtype))
    if isinstance(input, np.ndarray):
        with np.errstate(all="ignore"):
            return np.mean(input, axes, keepdims=keep_dims)
    wide = np.dtype(np.float32) if input.dtype.itemsize == 2 else input.dtype
    total = jnp.sum(input, axes, dtype=wide, keepdims=keep_dims)
    return quotient(total, jnp.asarray(count, wide)).astype(input.dtype)


@op("Prod", numpy_only=True)
def _prod(input: N, reduction_indices: Static(I), *, keep_dims: bool = False) -> N:
    """The product over axes; 1 where there is nothing to multiply."""
    axes = normal_axes(reduction_indices, input.ndim)
    return xp(input).prod(input, axes, dtype=input.dtype, keepdims=keep_dims)


@op("Max", numpy_only=True)
def _max(input: N, reduction_indices: Static(I), *, keep_dims: bool = False) -> N:
    """The largest over axes; the smallest number of the type where there is nothing."""
    axes = normal_axes(reduction_indices, input.ndim)
    return xp(input).max(input, axes, keepdims=keep_dims, initial=_limit(input.dtype, -1))


@op("Min", numpy_only=True)
def _min(input: N, reduction_indices: Static(I), *, keep_dims: bool = False) -> N:
    """The smallest over axes; the largest number of the type where there is nothing."""
    axes = normal_axes(reduction_indices, input.ndim)
    return xp(input).min(input, axes, keepdims=keep_dims, initial=_limit(input.dtype, 1))


def _limit(dtype, sign):
    if dtype.kind in "iu":
        return np.iinfo(dtype).max if sign > 0 else np.iinfo(dtype).min
    return np.array(sign * np.inf, dtype)


@op("All", numpy_only=True)
def _all(input: truth, reduction_indices: Static(I), *, keep_dims: bool = False) -> truth:
    """Whether all are true, over axes."""
    return input.all(normal_axes(reduction_indices, input.ndim), keepdims=keep_dims)


@op("Any", numpy_only=True)
def _any(input: truth, reduction_indices: Static(I), *, keep_dims: bool = False) -> truth:
    """Whether one is true, over axes."""
    return input.any(normal_axes(reduction_indices, input.ndim), keepdims=keep_dims)


@op("EuclideanNorm")
def _euclidean_norm(input: N, reduction_indices: Static(I), *, keep_dims: bool = False) -> N:
    """The root of the sum of squares over axes."""
    axes = normal_axes(reduction_indices, input.ndim)
    squares = jnp.sum(input * jnp.conj(input), axes, dtype=input.dtype, keepdims=keep_dims)
    return jnp.sqrt(squares)


REDUCTIONS = (reduce_sum_op, _mean, _prod, _max, _min, _all, _any, _euclidean_norm)
for _f in REDUCTIONS:
    _f.shape_rule(reduction_rule)
for _f in (_all, _any, _euclidean_norm):
    _f.not_differentiable()


@op("ArgMax", numpy_only=True)
def _arg_max(input: N, dimension: Static(I), *, output_type: OUT = int64) -> OUT:
    """Where the largest along an axis is; the first of equals."""
    return _where_best(input, dimension, xp(input).argmax)


@op("ArgMin", numpy_only=True)
def _arg_min(input: N, dimension: Static(I), *, output_type: OUT = int64) -> OUT:
    """Where the smallest along an axis is; the first of equals."""
    return _where_best(input, dimension, xp(input).argmin)


def _where_best(x, axis, f):
    axis = int(axis)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"Expected dimension in the range [{-x.ndim}, {x.ndim}), but got {axis}")
    if x.shape[axis] == 0:
        raise ValueError(f"Reduction axis {axis} is empty in shape {list(x.shape)}")
    return f(x, axis)


_EXACT = 2**24  # whole numbers that float32 holds


def _first_best(x, axis, f, best):
    """As `_where_best`: the first place that holds the best, or a NaN. XLA's own reduction of pairs takes three times as long."""
    axis = int(axis)
    lib = xp(x)
    known = -x.ndim <= axis < x.ndim and 0 < x.shape[axis] <= _EXACT
    if lib is np or not known or not jnp.issubdtype(x.dtype, jnp.floating):
        return _where_best(x, axis, f)
    at = lax.broadcasted_iota(np.float32, x.shape, axis % x.ndim)
    found = (x == best(x, axis, keepdims=True)) | (x != x)
    return jnp.min(jnp.where(found, at, x.shape[axis]), axis).astype(np.int32)


@_arg_max.on("cpu")
def _(input, dimension, *, output_type=int64):
    return _first_best(input, dimension, xp(input).argmax, jnp.max)


@_arg_min.on("cpu")
def _(input, dimension, *, output_type=int64):
    return _first_best(input, dimension, xp(input).argmin, jnp.min)


def _best_rule(op):
    x, axis = op.inputs
    if axis.dims not in (None, ()):
        raise ValueError(f"Shape must be rank 0 but is rank {len(axis.dims)} for '{op.name}' (op: '{op.type}')")
    dims = x.dims
    if dims is None:
        return [None]
    known = infer.constant_value(axis)
    if len(dims) <= 1:
        return [()]
    if known is None:
        return [(None,) * (len(dims) - 1)]
    a = int(known)
    if not -len(dims) <= a < len(dims):
        raise ValueError(f"Dimension ({a}) must be in the range [{-len(dims)}, {len(dims)}) for '{op.name}'")
    a %= len(dims)
    return [dims[:a] + dims[a + 1 :]]


for _f in (_arg_max, _arg_min):
    _f.shape_rule(_best_rule)
    _f.not_differentiable()


# -- public functions


def _reduce(f: Any, x: Any, axis: Any, keepdims: Any, name: str | None) -> Tensor:
    out = f(x, axes_of(x, axis), keep_dims=None if keepdims is None else _flag(keepdims), name=name)
    if axis is None and not keepdims and out._dims is None:
        out.set_shape(())
    return out


def _flag(value: Any) -> Any:
    return value if isinstance(value, bool | np.bool_) else bool(value)


def axes_of(x: Any, axis: Any) -> Any:
    """`axis`, or all axes of `x` where it is None."""
    if axis is not None:
        return axis
    dims = None
    if isinstance(x, Tensor):
        dims = x._dims
    elif hasattr(x, "dense_shape") and hasattr(x, "indices"):
        dims = x.get_shape()._dims if hasattr(x, "get_shape") else None
    if dims is not None:  # TensorFlow asks only tensors: the number of nodes seeds the random ops that follow
        return constant(np.arange(len(dims), dtype=np.int32))
    return math.range(0, array.rank(x))


@dispatched
def reduce_sum(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """The sum of the elements over `axis` (a number, a list, or all where None).

    `keepdims` leaves axes of size 1. Raises ValueError for an axis out of range.

    >>> run(tf.reduce_sum([[1.0, 2.0], [3.0, 4.0]], axis=1))
    array([3., 7.], dtype=float32)
    """
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    return _reduce(reduce_sum_op, input_tensor, axis, keepdims, name)


@dispatched
def reduce_mean(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """The mean of the elements over `axis`, as `reduce_sum` takes it. The mean of integers is cut to an integer."""
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    return _reduce(_mean, input_tensor, axis, keepdims, name)


@dispatched
def reduce_prod(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """The product of the elements over `axis`, as `reduce_sum` takes it."""
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    return _reduce(_prod, input_tensor, axis, keepdims, name)


@dispatched
def reduce_max(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """The largest of the elements over `axis`, as `reduce_sum` takes it."""
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    return _reduce(_max, input_tensor, axis, keepdims, name)


@dispatched
def reduce_min(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """The smallest of the elements over `axis`, as `reduce_sum` takes it."""
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    return _reduce(_min, input_tensor, axis, keepdims, name)


@dispatched
def reduce_all(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """Whether all elements over `axis` are true; axes as `reduce_sum` takes them."""
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    return _reduce(_all, input_tensor, axis, keepdims, name)


@dispatched
def reduce_any(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """Whether one of the elements over `axis` is true; axes as `reduce_sum` takes them."""
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    return _reduce(_any, input_tensor, axis, keepdims, name)


def reduce_euclidean_norm(
    input_tensor: Any, axis: Any = None, keepdims: Any = False, name: str | None = None
) -> Tensor:
    """The root of the sum of squares over `axis`."""
    return _reduce(_euclidean_norm, input_tensor, axis, keepdims, name)


def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: Any = False, name: str | None = None) -> Tensor:
    """The mean square distance from the mean, over `axis`."""
    with get_default_graph().name_scope(name or "reduce_variance"):
        mean = reduce_mean(input_tensor, axis=axis, keepdims=True)
        return reduce_mean(math.square(input_tensor - mean), axis=axis, keepdims=keepdims)


def reduce_std(input_tensor: Any, axis: Any = None, keepdims: Any = False, name: str | None = None) -> Tensor:
    """The root of `reduce_variance`."""
    with get_default_graph().name_scope(name or "reduce_std"):
        return math.sqrt(reduce_variance(input_tensor, axis=axis, keepdims=keepdims))


def reduce_logsumexp(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Tensor:
    """log(sum(exp(x))) over `axis`, without overflow.

    >>> run(tf.reduce_logsumexp([1000.0, 1000.0]))
    1000.6932
    """
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    x = to_tensor(input_tensor)
    with name_scope(name, "ReduceLogSumExp", [x]):
        highest = reduce_max(x, axis=axis, keepdims=True)
        shift = math.stop_gradient(array.where(math.is_finite(highest), highest, math.zeros_like(highest)))
        result = math.log(reduce_sum(math.exp(math.subtract(x, shift)), axis, keepdims=keepdims))
        if not keepdims:
            shift = array.reshape(shift, array.shape(result))
        result = math.add(result, shift)
        if axis is None and not keepdims and result._dims is None:
            result.set_shape(())
        return result


def count_nonzero(
    input_tensor: Any = None,
    axis: Any = None,
    keepdims: Any = None,
    dtype: Any = int64,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
    input: Any = None,
) -> Tensor:
    """How many elements are not zero (not empty, for strings), over `axis`."""
    keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    input_tensor = renamed("input", input, "input_tensor", input_tensor)
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    with name_scope(name, "count_nonzero", [input_tensor]):
        x = to_tensor(input_tensor, None, "input")
        zero = math.zeros([], dtype=x.dtype)
        counts = math.cast(math.not_equal(x, zero), int64)
        return math.cast(reduce_sum(counts, axis=axis, keepdims=bool(keepdims)), dtype)


def argmax(
    input: Any,
    axis: Any = None,
    name: str | None = None,
    dimension: Any = None,
    output_type: Any = int64,
) -> Tensor:
    """Where the largest element along `axis` (0 unless given) is; the first of equals.

    >>> run(tf.argmax([[1.0, 3.0, 3.0]], 1))
    array([1])
    """
    axis = renamed("axis", axis, "dimension", dimension)
    return _arg_max(input, 0 if axis is None else axis, output_type=output_type, name=name)


def argmin(
    input: Any,
    axis: Any = None,
    name: str | None = None,
    dimension: Any = None,
    output_type: Any = int64,
) -> Tensor:
    """Where the smallest element along `axis` (0 unless given) is; the first of equals."""
    axis = renamed("axis", axis, "dimension", dimension)
    return _arg_min(input, 0 if axis is None else axis, output_type=output_type, name=name)


def _is_named(args: tuple, kwargs: dict[str, Any]) -> bool:
    return len(args) == 3 and isinstance(args[2], str) and args[2] not in ("int32", "int64")


@formerly("input dimension name", when=_is_named)  # until 1.2
def arg_max(input: Any, dimension: Any, output_type: Any = int64, name: str | None = None) -> Tensor:
    """`argmax` with its first name."""
    return _arg_max(input, dimension, output_type=output_type, name=name)


@formerly("input dimension name", when=_is_named)  # until 1.2
def arg_min(input: Any, dimension: Any, output_type: Any = int64, name: str | None = None) -> Tensor:
    """`argmin` with its first name."""
    return _arg_min(input, dimension, output_type=output_type, name=name)


def reduced_shape(input_shape: Tensor, axes: Any) -> Tensor:
    """The shape that is left when `axes` of `input_shape` are reduced to 1."""
    input_shape = math.cast(input_shape, int32)
    axes = math.cast(axes, int32)
    rank = array.size(input_shape)
    axes = (axes + rank) % rank
    ones = math.fill(array.shape(axes), 1)
    return array.dynamic_stitch([math.range(rank), axes], [input_shape, ones])
