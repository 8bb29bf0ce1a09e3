"""What the indices of a strided slice choose along each axis, and how that is taken from an array or put into it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg._src.core.apply import Replan, check, is_traced
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.ops.control.partly import Parts


class Masks(NamedTuple):
    """Bits per index: begin or end to be ignored, '...', a new axis, a number in the place of a range."""

    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0


class Cut(NamedTuple):
    """What is taken along one axis: `count` entries from `start` on, `stride` apart; None where that is not known.

    `shrink` drops the axis; `index` is the number of the index that says so (None for an axis that '...' stands for).
    """

    start: int | None
    count: int | None
    stride: int
    shrink: bool
    index: int | None


FULL = Cut(0, None, 1, False, None)


def cuts(dims: Sequence[int | None], begin: Parts, end: Parts, strides: Parts, masks: Masks) -> Any:
    """Per axis of the input its Cut, and the axes of the result: numbers of axes of the input, None for new ones.

    Raises ValueError for indices that are out of range, or too many.
    """
    if bin(masks.ellipsis_mask).count("1") > 1:
        raise ValueError("Multiple ellipses in slice spec not allowed")
    per_axis: list[Cut] = []
    result: list[int | None] = []
    n, rank_ = len(begin), len(dims)
    order = [*range(n)] if masks.ellipsis_mask else [*range(n), None]  # at the end there is one more '...', unwritten
    taken = sum(not (masks.new_axis_mask | masks.ellipsis_mask) >> i & 1 for i in range(n))
    for i in order:
        if i is None or masks.ellipsis_mask >> i & 1:
            for _ in range(max(rank_ - taken, 0)):
                result.append(len(per_axis))
                per_axis.append(FULL._replace(count=dims[len(per_axis)]))
        elif masks.new_axis_mask >> i & 1:
            result.append(None)
        else:
            axis = len(per_axis)
            if axis >= rank_:
                raise ValueError(f"Index out of range using input dim {axis}; input has only {rank_} dims")
            cut = _cut(dims[axis], axis, i, begin[i], end[i], strides[i], masks)
            if not cut.shrink:
                result.append(axis)
            per_axis.append(cut)
    return per_axis, result


def _cut(n: Any, axis: int, i: int, begin: Any, end: Any, stride: Any, masks: Masks) -> Cut:
    shrink = bool(masks.shrink_axis_mask >> i & 1)
    if stride == 0:
        raise ValueError(f"strides[{i}] must be non-zero")
    if shrink:
        if stride is not None and stride < 0:
            raise ValueError("only stride 1 allowed on non-range indexing.")
        if begin is None or n is None:
            return Cut(None, 1, 1, True, i)
        start = begin + n if begin < 0 else begin
        if not 0 <= start < n:
            raise ValueError(f"slice index {begin} of dimension {axis} out of bounds.")
        return Cut(start, 1, 1, True, i)
    no_begin, no_end = masks.begin_mask >> i & 1, masks.end_mask >> i & 1
    if stride is None:
        return Cut(None, None, 1, False, i)
    if n is None or (begin is None and not no_begin) or (end is None and not no_end):
        return Cut(None, None, stride, False, i)
    low, high = (0, n) if stride > 0 else (-1, n - 1)
    first, last = (low, high) if stride > 0 else (high, low)
    start = first if no_begin else min(max(begin + n if begin < 0 else begin, low), high)
    stop = last if no_end else min(max(end + n if end < 0 else end, low), high)
    count = max(0, -((start - stop) // stride) if stride > 0 else -((stop - start) // -stride))
    return Cut(start, count, stride, False, i)


def sizes_of(per_axis: Sequence[Cut], result: Sequence[int | None]) -> tuple[int | None, ...]:
    return tuple(1 if a is None else per_axis[a].count for a in result)


def only_cut(x_dims: Sequence[int], per_axis: Sequence[Cut]) -> tuple[int, int, int, bool] | None:
    """(axis, start, entries, whether the axis is kept) where one axis is cut, into a known part without gaps; None otherwise."""
    found = [(axis, c) for axis, (n, c) in enumerate(zip(x_dims, per_axis, strict=True)) if c.shrink or c.count != n]
    if len(found) != 1:
        return None
    ((axis, cut),) = found
    if cut.start is None or not cut.count or cut.stride != 1:
        return None
    return axis, cut.start, cut.count, not cut.shrink


def _starts(x_dims: Sequence[int], per_axis: Sequence[Cut], begin: Any) -> list[Any]:
    """Where each cut starts, for those that are numbers that only the run knows."""
    out: list[Any] = []
    for n, cut in zip(x_dims, per_axis, strict=True):
        if cut.start is None:
            at = begin[cut.index]
            at = jnp.where(at < 0, at + n, at)
            check((at >= 0) & (at < n), f"slice index is out of bounds of an axis of {n}")
            out.append(at.astype(np.int32))
        else:
            out.append(None)
    return out


def _all_known(per_axis: Sequence[Cut]) -> None:
    for axis, cut in enumerate(per_axis):
        if cut.count is None:
            raise Replan(None, f"the range of the slice along axis {axis} is not known while the graph is compiled")


def take(x: Any, per_axis: Sequence[Cut], begin: Any) -> Any:
    """The entries of `x` that the cuts choose, no axis dropped yet."""
    _all_known(per_axis)
    known = [FULL._replace(count=n) if c.start is None else c for n, c in zip(x.shape, per_axis, strict=True)]
    if not is_traced(x) and not is_traced(begin):
        return x[tuple(_python_slice(c) for c in known)]
    if any(c.count != n or c.stride != 1 for n, c in zip(x.shape, known, strict=True)):
        x = _static_take(x, known)
    moving = _starts(x.shape, per_axis, begin)
    if any(m is not None for m in moving):
        zero = np.int32(0)
        sizes = [n if m is None else 1 for n, m in zip(x.shape, moving, strict=True)]
        if any(n == 0 and m is not None for n, m in zip(x.shape, moving, strict=True)):
            return jnp.zeros(sizes, x.dtype)  # in a loop that makes no turn; else the check above has failed
        x = lax.dynamic_slice(jnp.asarray(x), [zero if m is None else m for m in moving], sizes)
    return x


def _python_slice(c: Cut) -> slice:
    stop = c.start + c.count * c.stride  # type: ignore[operator]
    return slice(c.start, None if stop < 0 else stop, c.stride) if c.count else slice(0, 0)


def _span(c: Cut) -> tuple[int, int, int]:
    """First, last and distance, forwards."""
    last = c.start + (c.count - 1) * c.stride  # type: ignore[operator]
    return min(c.start, last), max(c.start, last), abs(c.stride)  # type: ignore[type-var]


def _static_take(x: Any, per_axis: Sequence[Cut]) -> Any:
    if any(c.count == 0 for c in per_axis):
        return jnp.zeros([c.count for c in per_axis], x.dtype)
    spans = [_span(c) for c in per_axis]
    x = lax.slice(x, [s[0] for s in spans], [s[1] + 1 for s in spans], [s[2] for s in spans])
    backwards = [i for i, c in enumerate(per_axis) if c.stride < 0]
    return lax.rev(x, backwards) if backwards else x


def put(x: Any, per_axis: Sequence[Cut], begin: Any, value: Any) -> Any:
    """`x` with `value` in the place of the entries that the cuts choose; `value` has no axis dropped."""
    _all_known(per_axis)
    if 0 in value.shape:
        return x
    if not is_traced(x) and not is_traced(value) and not is_traced(begin):
        out = np.array(x)
        out[tuple(_python_slice(c) for c in per_axis)] = value
        return out
    x, value = jnp.asarray(x), jnp.asarray(value)
    moving = _starts(x.shape, per_axis, begin)
    if all(c.stride == 1 for c in per_axis):
        starts = [np.int32(c.start) if m is None else m for c, m in zip(per_axis, moving, strict=True)]
        return lax.dynamic_update_slice(x, value, starts)
    index = tuple(_python_slice(c) if m is None else m[None] for c, m in zip(per_axis, moving, strict=True))
    return x.at[index].set(value)


def spread(dims: Sequence[int], per_axis: Sequence[Cut], begin: Any, value: Any) -> Any:
    """Zeros of shape `dims` with `value` in the place of the entries that the cuts choose."""
    if 0 in value.shape or any(c.start is None for c in per_axis) or not is_traced(value):
        zeros = (jnp if is_traced(value) or is_traced(begin) else np).zeros(dims, value.dtype)
        return put(zeros, per_axis, begin, value)
    backwards = [i for i, c in enumerate(per_axis) if c.stride < 0]
    spans = [_span(c) for c in per_axis]
    value = lax.rev(value, backwards) if backwards else value
    config = [(low, n - 1 - high, step - 1) for n, (low, high, step) in zip(dims, spans, strict=True)]
    return lax.pad(value, jnp.zeros((), value.dtype), config)
