"""Sums and the like over segments: rows of a tensor that share an id."""

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import errors, infer, shapes
from thalweg._src.core.apply import check, xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import NUMBERS, REALS, int32, int64, string
from thalweg._src.core.dtypes import bool as truth
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.late import array, math

N = type_attr("T", NUMBERS)
R = type_attr("T", REALS)
I = type_attr("Tindices", (int32, int64))
K = type_attr("Tnumsegments", (int32, int64), int32)

_MANY = 1 << 14  # numbers, from which on rows are sorted by their segments first
# How a segment begins, and how a row joins it: NumPy's ufunc, and the method of `x.at[ids]`.
_JOINS: dict[str, tuple[Any, str]] = {
    "sum": (np.add, "add"),
    "prod": (np.multiply, "multiply"),
    "max": (np.maximum, "max"),
    "min": (np.minimum, "min"),
}


def _lowest(dtype):
    return np.iinfo(dtype).min if dtype.kind in "iu" else jnp.finfo(dtype).min


def _highest(dtype):
    return np.iinfo(dtype).max if dtype.kind in "iu" else jnp.finfo(dtype).max


_START: dict[str, Callable[[Any], Any]] = {
    "sum": lambda dtype: 0,
    "prod": lambda dtype: 1,
    "max": _lowest,
    "min": _highest,
}


def joined(x: Any, ids: Any, n: int, how: str) -> Any:
    """The `n` segments of `x`, whose rows are those of all axes of `ids`; rows of negative ids are left out."""
    rest = x.shape[ids.ndim :]
    x = x.reshape((ids.size, *rest))
    ids = ids.reshape(-1)
    ufunc, method = _JOINS[how]
    start = _START[how](x.dtype)
    if xp(x, ids) is np:
        out = np.full((n, *rest), start, x.dtype)
        keep = (ids >= 0) & (ids < n)  # the ids of a step that a check lets fail
        if x.size < _MANY or x.ndim < 2 or x.dtype == object:
            ufunc.at(out, ids[keep], x[keep])
        else:
            order = np.argsort(np.where(keep, ids, n), kind="stable")[: np.count_nonzero(keep)]
            ordered = ids[order]
            begins = _begins(ordered)
            out[ordered[begins]] = ufunc.reduceat(x[order], begins, axis=0) if len(order) else start
        return out
    out = jnp.full((n, *rest), start, x.dtype)
    # A negative index would count from the end; one past the end is dropped.
    where = out.at[jnp.where(ids < 0, n, ids)]
    return getattr(where, method)(x, mode="drop")


def _begins(ids: Any) -> Any:
    """Where in a vector of ids another one than before begins."""
    return np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]])[: len(ids)])


# -- sorted segments: as many rows as the last id says


def _unless_known(op):
    # The number of rows of the result is a value: known only where the ids are.
    return infer.constant_value(op.inputs[1]) is None


def _checked(x: Any, ids: Any) -> int:
    """The number of segments. The ids must be sorted, one for each row."""
    if ids.ndim != 1:
        raise ValueError(f"segment_ids should be a vector, got shape {list(ids.shape)}")
    if not x.ndim or x.shape[0] != ids.shape[0]:
        raise ValueError("segment_ids should be the same size as dimension 0 of input.")
    rows = int(ids[-1]) + 1 if ids.size else 0
    check_sorted(ids, rows)
    return rows


def check_sorted(ids: Any, rows: int) -> None:
    """Raise InvalidArgumentError for the first segment whose id is out of range or larger than the next one."""
    if not ids.size:
        return
    if rows <= 0:
        raise errors.InvalidArgumentError(None, None, "segment ids must be >= 0")
    begins = _begins(ids)
    segments = ids[begins].astype(np.int64)
    falls = np.append(segments[1:] < segments[:-1], False)
    outside = (segments < 0) | (segments >= rows)
    for i in np.flatnonzero(falls | outside)[:1]:
        outside_of = (
            f"Segment id {segments[i]} out of range [0, {rows}), possibly because 'segment_ids' input is not sorted."
        )
        raise errors.InvalidArgumentError(None, None, "segment ids are not increasing" if falls[i] else outside_of)


def _sorted(x: Any, ids: Any, how: str, empty: Any) -> Any:
    n = _checked(x, ids)
    out = joined(x, ids, n, how)
    present = np.zeros((n,), bool)
    present[ids] = True
    if present.all():
        return out
    m = xp(out)
    return m.where(present.reshape((n,) + (1,) * (out.ndim - 1)), out, m.asarray(empty, out.dtype))


@op("SegmentSum", host=_unless_known)
def segment_sum(data: N, segment_ids: Static(I)) -> N:
    """The sums of rows with the same id. The ids are sorted, one per row; ids that are left out give 0."""
    return _sorted(data, segment_ids, "sum", 0)


@op("SegmentProd", host=_unless_known)
def segment_prod(data: N, segment_ids: Static(I)) -> N:
    """The products of rows with the same id; ids that are left out give 1."""
    return _sorted(data, segment_ids, "prod", 1)


@op("SegmentMax", host=_unless_known)
def segment_max(data: R, segment_ids: Static(I)) -> R:
    """The largest of rows with the same id; ids that are left out give 0."""
    return _sorted(data, segment_ids, "max", 0)


@op("SegmentMin", host=_unless_known)
def segment_min(data: R, segment_ids: Static(I)) -> R:
    """The smallest of rows with the same id; ids that are left out give 0."""
    return _sorted(data, segment_ids, "min", 0)


@op("SegmentMean", host=_unless_known)
def segment_mean(data: N, segment_ids: Static(I)) -> N:
    """The means of rows with the same id; ids that are left out give 0."""
    total = _sorted(data, segment_ids, "sum", 0)
    return _divided(total, _counts(segment_ids, total.shape[0]))


def _counts(ids: Any, n: int) -> Any:
    return np.maximum(np.bincount(ids.reshape(-1), minlength=n)[:n] if ids.size else np.zeros((n,), np.int64), 1)


def _divided(total: Any, by: Any) -> Any:
    by = by.reshape(by.shape + (1,) * (total.ndim - by.ndim))
    if total.dtype.kind in "iu":
        return math.truncatediv.fn(total, by.astype(total.dtype))
    return total / by.astype(total.dtype)


def _sorted_rule(op):
    data, ids = (t.dims for t in op.inputs)
    shapes.of_rank(ids, 1)
    shapes.of_rank_at_least(data, 1)
    known = infer.constant_value(op.inputs[1])
    if data is None:
        return [None]
    rows = None if known is None else int(known[-1]) + 1 if known.size else 0
    return [(rows, *data[1:])]


for _f in (segment_sum, segment_prod, segment_max, segment_min, segment_mean):
    _f.shape_rule(_sorted_rule)


# -- segments of any order


def _unsorted(x: Any, ids: Any, n: Any, how: str) -> Any:
    n = int(n)
    if n < 0:
        raise ValueError(f"Input num_segments == {n} must not be negative.")
    if x.shape[: ids.ndim] != ids.shape:
        raise ValueError(f"data.shape = {list(x.shape)} does not start with segment_ids.shape = {list(ids.shape)}")
    check(
        ids < n,
        lambda: "segment_ids[{}] = {} is out of range [0, {})".format(*first_of(ids, ids >= n), n),
    )
    return joined(x, ids, n, how)


def first_of(values: Any, where: Any) -> tuple[str, Any]:
    """The place of the first of `values` for which `where` holds, as text, and that value."""
    place = tuple(np.argwhere(np.asarray(where))[0])
    return ",".join(map(str, place)), np.asarray(values)[place]


@op("UnsortedSegmentSum", numpy_only=True)
def unsorted_segment_sum(data: N, segment_ids: I, num_segments: Static(K)) -> N:
    """The sums of rows with the same id, in any order; rows with a negative id are left out, empty segments are 0."""
    return _unsorted(data, segment_ids, num_segments, "sum")


@op("UnsortedSegmentProd", numpy_only=True)
def unsorted_segment_prod(data: N, segment_ids: I, num_segments: Static(K)) -> N:
    """The products of rows with the same id; empty segments are 1."""
    return _unsorted(data, segment_ids, num_segments, "prod")


@op("UnsortedSegmentMax")
def unsorted_segment_max(data: R, segment_ids: I, num_segments: Static(K)) -> R:
    """The largest of rows with the same id; empty segments have the lowest number of the type."""
    return _unsorted(data, segment_ids, num_segments, "max")


@op("UnsortedSegmentMin")
def unsorted_segment_min(data: R, segment_ids: I, num_segments: Static(K)) -> R:
    """The smallest of rows with the same id; empty segments have the highest number of the type."""
    return _unsorted(data, segment_ids, num_segments, "min")


def _unsorted_rule(op):
    data, ids, number = op.inputs
    shapes.of_rank(number.dims, 0)
    n = infer.partial_scalar(number)
    if n is not None and n < 0:
        raise ValueError(f"Dimension size, given by scalar input 2, must be non-negative but is {n}")
    if ids.dims is None or data.dims is None:
        return [None]
    shapes.merged(data.dims[: len(ids.dims)], ids.dims)
    return [(n, *data.dims[len(ids.dims) :])]


for _f in (unsorted_segment_sum, unsorted_segment_prod, unsorted_segment_max, unsorted_segment_min):
    _f.shape_rule(_unsorted_rule)


def _sizes(data: Tensor, segment_ids: Tensor, num_segments: Any) -> Tensor:
    """How many rows each segment has (one at least), shaped to divide the segments of `data`."""
    ones = math.ones(array.shape_internal(segment_ids), dtype=data.dtype)
    count = unsorted_segment_sum(ones, segment_ids, num_segments)
    axes = len(data.dims) - len(segment_ids.dims)  # type: ignore[arg-type]
    return math.maximum(array.reshape(count, [num_segments] + [1] * axes), 1)


@dispatched
def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """The means of rows with the same id, in any order; empty segments are 0."""
    with name_scope(name, "UnsortedSegmentMean"):
        data, segment_ids = to_tensor(data), to_tensor(segment_ids)
        sizes = _sizes(data, segment_ids, num_segments)
        return unsorted_segment_sum(data, segment_ids, num_segments) / sizes


@dispatched
def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """The sums of rows with the same id, over the root of how many they are; empty segments are 0."""
    with name_scope(name, "UnsortedSegmentSqrtN"):
        data, segment_ids = to_tensor(data), to_tensor(segment_ids)
        sizes = _sizes(data, segment_ids, num_segments)
        return unsorted_segment_sum(data, segment_ids, num_segments) / math.sqrt(sizes)


# -- strings


@op("UnsortedSegmentJoin", host=True)
def _unsorted_segment_join(inputs: string, segment_ids: I, num_segments: Static(K), *, separator: str = "") -> string:
    """The strings with the same id, joined in their order; empty segments are empty."""
    n, rank = int(num_segments), segment_ids.ndim
    if not rank:
        raise ValueError("Segment_id cannot have rank 0")
    if rank > inputs.ndim:
        raise errors.OutOfRangeError(
            None, None, f"Invalid segment_id rank {rank} for input with {inputs.ndim} dimension(s)"
        )
    if inputs.shape[:rank] != segment_ids.shape:
        raise ValueError(f"Segment dimension is {segment_ids.shape} while input dimension is {inputs.shape[:rank]}")
    check(
        (segment_ids >= 0) & (segment_ids < n),
        "segment_ids are not allowed to exceed num_segments or to have negative values.",
    )
    rest = inputs.shape[rank:]
    rows = inputs.reshape((segment_ids.size, *rest))
    ids = segment_ids.reshape(-1)
    out = np.empty((n, *rest), object)
    for place in np.ndindex(out.shape):
        out[place] = separator.encode().join(rows[(ids == place[0], *place[1:])])
    return out


@_unsorted_segment_join.shape_rule
def _(op):
    data, ids, number = op.inputs
    shapes.of_rank(number.dims, 0)
    if data.dims is None or ids.dims is None:
        return [None]
    shapes.merged(data.dims[: len(ids.dims)], ids.dims)
    return [(infer.partial_scalar(number), *data.dims[len(ids.dims) :])]


_unsorted_segment_join.not_differentiable()


def unsorted_segment_join(
    inputs: Any, segment_ids: Any, num_segments: Any, separator: str = "", name: str | None = None
) -> Tensor:
    """The strings with the same id, joined in their order with `separator` between; empty segments are empty."""
    return _unsorted_segment_join(inputs, segment_ids, num_segments, separator=separator, name=name)


# -- gradients


@segment_sum.grad
def _(op, g):
    return array.gather(g, op.inputs[1]), None


@segment_mean.grad  # each row gets its share
def _(op, g):
    data, ids = op.inputs
    rank = array.rank(data)
    ones_shape = array.concat([array.shape(ids), math.fill(array.expand_dims(rank - 1, 0), 1)], 0)
    ones = math.fill(ones_shape, constant(1, dtype=g.dtype))
    return array.gather(math.divide(g, segment_sum(ones, ids)), ids), None


def _sorted_best_grad(op, g):
    """Equals share the gradient."""
    data, ids = op.inputs
    zeros = math.zeros_like(data, dtype=data.dtype)
    wins = math.equal(data, array.gather(op.outputs[0], ids))
    count = segment_sum(math.cast(wins, g.dtype), ids)
    shares = array.gather(math.divide(g, count), ids)
    return array.where(wins, shares, zeros), None


segment_max.grad(_sorted_best_grad)
segment_min.grad(_sorted_best_grad)


@segment_prod.grad
def _(op, g):
    raise LookupError(f"No gradient defined for operation '{op.name}' (op type: {op.type})")


def _rows(params: Tensor, ids: Tensor, clipped: Any = None, positive: Any = None) -> tuple[Tensor, Tensor, Tensor]:
    """The rows of `params` that `ids` name, zeros for negative ids; and the two tensors that were needed for that."""
    if clipped is None:
        clipped = math.maximum(ids, math.zeros_like(ids))
    rows = array.gather(params, clipped)
    if positive is None:
        positive = math.greater_equal(ids, 0)
        for _ in range(len(rows.dims) - len(positive.dims)):  # type: ignore[arg-type]
            positive = array.expand_dims(positive, -1)
        positive = positive & math.ones_like(rows, dtype=truth)
    return array.where(positive, rows, math.zeros_like(rows)), clipped, positive


@unsorted_segment_sum.grad
def _(op, g):
    return _rows(g, op.inputs[1])[0], None, None


def _unsorted_best_grad(op, g):
    """Equals share the gradient."""
    data, ids, n = op.inputs
    best, clipped, positive = _rows(op.outputs[0], ids)
    wins = math.logical_and(math.equal(data, best), positive)
    count = unsorted_segment_sum(math.cast(wins, g.dtype), ids, n)
    shares, _, _ = _rows(math.divide(g, count), ids, clipped, positive)
    return array.where(wins, shares, math.zeros_like(shares)), None, None


unsorted_segment_max.grad(_unsorted_best_grad)
unsorted_segment_min.grad(_unsorted_best_grad)


@unsorted_segment_prod.grad  # g times the product of the others: by division, but for zeros
def _(op, g):
    data, ids, n = op.inputs
    is_zero = math.equal(data, 0)
    zeros = unsorted_segment_sum(math.cast(is_zero, int32), ids, n)
    g = array.where(math.greater(zeros, 1), math.zeros_like(g), g)
    others = array.where(is_zero, math.ones_like(data), data)
    product = unsorted_segment_prod(others, ids, n)
    clipped = math.maximum(ids, math.zeros_like(ids))
    divided = array.gather(op.outputs[0], clipped) / data
    partial = array.where(is_zero, array.gather(product, clipped), divided)
    return _rows(g, ids, clipped)[0] * partial, None, None
