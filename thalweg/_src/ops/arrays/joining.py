"""Several tensors to one and back along an axis: concat and split."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jax, lax
from thalweg._src.core.opdef import Many, Min, Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops import basic
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.shaping import rank, shape, shape_n, squeeze
from thalweg._src.ops.arrays.stacking import stack
from thalweg._src.ops.control.partly import parts_of, remember
from thalweg._src.ops.late import gathering, math, selecting, slicing
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices

T = type_attr("T")
INTS = (int32, int64)
AXIS = type_attr("Tidx", INTS, int32)


# -- concat


def _concatenate(values: Sequence[Any], axis: Any) -> Any:
    at = int(np.asarray(axis).reshape(()))
    first = values[0]
    if not -max(first.ndim, 1) <= at < max(first.ndim, 1):
        raise ValueError(
            f"ConcatOp : Expected concatenating dimensions in the range [{-first.ndim}, {first.ndim}), but got {at}"
        )
    for i, v in enumerate(values):
        if v.ndim != first.ndim:
            raise ValueError(
                f"ConcatOp : Ranks of all input tensors should match: shape[0] = {shapes.text(first.shape)} vs. shape[{i}] = "
                f"{shapes.text(v.shape)}"
            )
        for j, (a, b) in enumerate(zip(first.shape, v.shape, strict=True)):
            if a != b and j != at % max(first.ndim, 1):
                raise ValueError(
                    f"ConcatOp : Dimensions of inputs should match: shape[0] = {shapes.text(first.shape)} vs. shape[{i}] = "
                    f"{shapes.text(v.shape)}"
                )
    if first.ndim == 0:  # old graphs join scalars
        values = [v.reshape(1) for v in values]
    out = xp(*values).concatenate(values, axis=at)
    if first.ndim < 2 and first.dtype.kind in "iu":
        return remember(out, [p for v in values for p in parts_of(v)])
    return out


@op("ConcatV2", default_name="concat")
def _concat(values: Many(T, "N", 2), axis: Static(AXIS)) -> T:
    """`values` one after the other along `axis`."""
    return _concatenate(values, axis)


@op("Concat")
def _concat_old(concat_dim: Static(int32), values: Many(T, "N", 2)) -> T:
    """`values` one after the other along `concat_dim`, in graphs of TensorFlow 0.x."""
    return _concatenate(values, concat_dim)


def _concat_rows(attrs, rows, axis):
    rank = rows.ndim - 1
    at = int(np.asarray(axis).reshape(()))
    if not -rank <= at < rank:
        return None
    parts = xp(rows).moveaxis(rows, 0, at % rank)
    return parts.reshape(*rows.shape[1:][: at % rank], -1, *rows.shape[1:][at % rank + 1 :])


_concat.of_rows = _concat_rows


def _concat_rule(axis: Tensor, values: Sequence[Tensor]) -> Any:
    shapes.of_rank(axis.dims, 0)
    known = [v.dims for v in values if v.dims is not None]
    value = infer.constant_value(axis)
    if not known:
        return None
    if any(len(k) != len(known[0]) for k in known):
        other = next(k for k in known if len(k) != len(known[0]))
        raise ValueError(f"Shapes must be equal rank, but are {len(known[0])} and {len(other)}")
    rank = len(known[0])
    if value is None:
        if rank == 0:
            raise ValueError("Can't concatenate scalars (use tf.stack instead)")
        return (None,) * rank
    at = int(value)
    shapes.of_rank_at_least(known[0], at + 1 if at >= 0 else -at)
    at %= max(rank, 1)
    rest: Any = None
    total: int | None = 0
    for v in values:
        if v.dims is None:
            total = None
            continue
        total = None if total is None or v.dims[at] is None else total + v.dims[at]
        others = (*v.dims[:at], None, *v.dims[at + 1 :])
        rest = shapes.merged(rest, others)
    return (*rest[:at], total, *rest[at + 1 :])


@_concat.shape_rule
def _(op):
    return [_concat_rule(op.inputs[-1], op.inputs[:-1])]


@_concat_old.shape_rule
def _(op):
    return [_concat_rule(op.inputs[0], op.inputs[1:])]


def _joined(values):
    parts = [infer.partial_ints(v) for v in values]
    return None if None in parts else tuple(p for part in parts for p in part)


_concat.partial_rule(lambda op: _joined(op.inputs[:-1]))
_concat_old.partial_rule(lambda op: _joined(op.inputs[1:]))


@op("ConcatOffset", numpy_only=True)
def concat_offset(concat_dim: Static(int32), shape: Many(Static(int32), "N", 2)) -> Many(int32, "N"):
    """Where each of several tensors of these shapes begins in their concatenation."""
    at = int(concat_dim)
    first = shape[0]
    rank = len(first)
    if not -rank <= at < rank:
        raise ValueError(f"Concat dim is out of range: {at} vs. {rank}")
    at %= rank
    out, begin = [], 0
    for i, s in enumerate(shape):
        if len(s) != rank:
            raise ValueError(f"input {i} should contain {rank} elements, but got {len(s)}")
        for j in range(rank):
            if j != at and s[j] != first[j]:
                raise ValueError(
                    f"All dimensions except {at} must match. Input {i} has shape {list(map(int, s))} and doesn't match "
                    f"input 0 with shape {list(map(int, first))}."
                )
        offset = np.zeros(rank, np.int32)
        offset[at] = begin
        begin += int(s[at])
        out.append(offset)
    return out


@concat_offset.shape_rule
def _(op):
    return [s.dims for s in op.inputs[1:]]


concat_offset.not_differentiable()


def _concat_gradient(g, axis, values):
    """The part of `g` that belongs to each of `values`."""
    if len(values) == 1:
        return [g]
    if isinstance(g, IndexedSlices):
        return _concat_slices_gradient(g, axis, values)
    at = axis % rank(values[0])
    sizes = [shape(v) for v in values]
    if not all(s.op.opdef.constant for s in sizes):
        sizes = shape_n(list(values))
    if len(values) > 16:  # TensorFlow's own threshold, for one Split in the place of many slices
        column = squeeze(slicing.slice(stack(sizes, axis=1), [at, 0], [1, -1]))
        return _split_sizes(g, column, at, num_split=len(values))
    offsets = concat_offset(at, sizes)
    return [slicing.slice(g, begin, size) for begin, size in zip(offsets, sizes, strict=True)]


def _concat_slices_gradient(g, axis, values):
    """Rows of a concatenation: along the first axis they are shared out, along others every part gets its columns."""
    at = infer.constant_value(axis)
    dims = values[0].dims
    if at is None or (at < 0 and dims is None):
        raise ValueError("Can only compute IndexedSlices gradient with statically-known concat_dim")
    at = int(at) + (len(dims) if at < 0 else 0)
    sizes = [shape(v) for v in values]
    out = []
    if at > 0:
        n = shape(sizes[0])
        mask = concat([constants.fill([at], 0), [1], constants.fill(n - at - 1, 0)], 0)
        begin = constants.fill(n, 0)
        for size in sizes:
            columns = slicing.slice(g.values, begin, concat([[-1], slicing.slice(size, [1], [-1])], 0))
            out.append(IndexedSlices(columns, g.indices, size))
            begin = begin + size * mask
        return out
    start: Any = constants.constant(0, g.indices.dtype.base_dtype)
    for size in sizes:
        end = start + math.cast(size[0], g.indices.dtype.base_dtype)
        # Which rows belong to a part is known only when the graph runs.
        chosen = squeeze(selecting.where(math.logical_and(g.indices >= start, g.indices < end)), axis=[1])
        rows = gathering.gather(g.indices, chosen) - start
        out.append(IndexedSlices(gathering.gather(g.values, chosen), rows, size))
        start = end
    return out


@_concat.grad
def _(op, g):
    return [*_concat_gradient(g, op.inputs[-1], op.inputs[:-1]), None]


@_concat_old.grad
def _(op, g):
    return [None, *_concat_gradient(g, op.inputs[0], op.inputs[1:])]


@dispatched
def concat(values: Any = None, axis: Any = None, name: str | None = "concat", concat_dim: Any = None) -> Tensor:
    """`values` one after the other along `axis`, in which alone their shapes may differ.

    Before 1.0 the axis came first, `tf.concat(0, [a, b])`, and was called `concat_dim`; that works too.

    >>> run(tf.concat([[[1, 2]], [[3, 4], [5, 6]]], 0))
    array([[1, 2],
           [3, 4],
           [5, 6]], dtype=int32)
    """
    axis = renamed("axis", axis, "concat_dim", concat_dim)
    if values is None or axis is None:
        raise TypeError("tf.concat needs the arguments 'values' and 'axis'")
    if _is_axis(values) and isinstance(axis, list | tuple):
        values, axis = axis, values
    if not isinstance(values, list | tuple):
        values = [values]
    if len(values) == 1:
        with name_scope(name, "concat"):
            shapes.of_rank(to_tensor(axis, int32, "concat_dim").dims, 0)
            return basic.identity(values[0], name="concat")
    return _concat(values, axis, name=name)


def _is_axis(value: Any) -> bool:
    return isinstance(value, int | np.integer) or (isinstance(value, Tensor) and value.dims == ())


# -- split


def _pieces(x: Any, sizes: Sequence[int], axis: int) -> list[Any]:
    if isinstance(x, jax.Array) and len(sizes) > 1 and sum(sizes) == x.shape[axis]:
        return list(
            lax.split(x, [int(n) for n in sizes], axis % x.ndim)
        )  # whose derivative joins, where slices' pad and add
    lead = (slice(None),) * (axis % x.ndim)
    ends = np.cumsum(sizes).tolist()
    return [x[(*lead, slice(e - n, e))] for n, e in zip(sizes, ends, strict=True)]


def _split_axis(split_dim: Any, rank: int) -> int:
    if np.size(split_dim) != 1:
        raise ValueError("split_dim_tensor must have exactly one element.")
    at = int(np.asarray(split_dim).reshape(()))
    if not -rank <= at < rank:
        raise ValueError(f"-input rank(-{rank}) <= split_dim < input rank ({rank}), but got {at}")
    return at


@op("Split", default_name="split")
def _split(split_dim: Static(int32), value: T, *, num_split: Min(int, 1)) -> Many(T, "num_split"):
    """`value` cut into `num_split` equal parts along `split_dim`."""
    at = _split_axis(split_dim, value.ndim)
    n = value.shape[at]
    if n % num_split:
        raise ValueError(
            f"Number of ways to split should evenly divide the split dimension, but got split_dim {at} (size = {n}) "
            f"and num_split {num_split}"
        )
    return _pieces(value, [n // num_split] * num_split, at)


def _equal_rows(value, at, n):
    """The `n` equal parts of `value` along the axis `at`, as rows of one array; None where they are not equal."""
    if value.shape[at] % n:
        return None
    at %= value.ndim
    parts = value.reshape(*value.shape[:at], n, value.shape[at] // n, *value.shape[at + 1 :])
    return xp(value).moveaxis(parts, at, 0)


_split.as_rows = lambda attrs, axis, value: _equal_rows(value, _split_axis(axis, value.ndim), attrs["num_split"])


@_split.shape_rule
def _(op):
    axis, x = op.inputs
    shapes.of_rank(axis.dims, 0)
    value, n = infer.constant_value(axis), op.attrs["num_split"]
    if x.dims is None:
        return [None] * n
    if value is None:
        shapes.of_rank_at_least(x.dims, 1)
        return [(None,) * len(x.dims)] * n
    at = shapes.axis_in(int(value), len(x.dims))
    size = x.dims[at]
    if size is not None and size % n:
        raise ValueError(
            f"Dimension size must be evenly divisible by {n} but is {size}: "
            "Number of ways to split should evenly divide the split dimension"
        )
    part = None if size is None else size // n
    return [(*x.dims[:at], part, *x.dims[at + 1 :])] * n


@_split.grad
def _(op, *grads):
    return None, concat(list(grads), op.inputs[0])


@op("SplitV")
def _split_sizes(
    value: T, size_splits: Static(type_attr("Tlen", INTS, int64)), split_dim: Static(int32), *, num_split: Min(int, 1)
) -> Many(T, "num_split"):
    """`value` cut along `split_dim` into parts of the given sizes, one of which may be -1: what is left."""
    at = _split_axis(split_dim, value.ndim)
    if len(size_splits) != num_split:
        raise ValueError(f"size of the split_tensor must be 1-D and have {num_split} elements, not {len(size_splits)}")
    return _pieces(value, _all_sizes(size_splits.tolist(), value.shape[at]), at)


def _all_sizes(sizes: list[int], total: int) -> list[int]:
    if sizes.count(-1) > 1:
        raise ValueError("There can only be one -1 in the input.")
    rest = total - sum(n for n in sizes if n != -1)
    if rest < 0 or (rest and -1 not in sizes):
        raise ValueError(
            "Determined shape must either match input shape along split_dim exactly if fully specified, or be less "
            f"than the size of the input along split_dim if not fully specified.  Got: {total - rest}, of {total}"
        )
    if any(n < -1 for n in sizes):
        raise ValueError("Split size must be >= 0")
    return [rest if n == -1 else n for n in sizes]


def _split_sizes_rows(attrs, value, size_splits, split_dim):
    sizes = set(_all_sizes(size_splits.tolist(), value.shape[_split_axis(split_dim, value.ndim)]))
    return _equal_rows(value, _split_axis(split_dim, value.ndim), attrs["num_split"]) if len(sizes) == 1 else None


_split_sizes.as_rows = _split_sizes_rows


@_split_sizes.shape_rule
def _(op):
    x, sizes, axis = op.inputs
    n = op.attrs["num_split"]
    shapes.of_rank(sizes.dims, 1)
    value = infer.constant_value(axis)
    if x.dims is None:
        return [None] * n
    if value is None:
        return [(None,) * len(x.dims)] * n
    at = shapes.axis_in(int(value), len(x.dims))
    known = infer.partial_ints(sizes)
    if known is None:
        known = (None,) * n
    if len(known) != n:
        raise ValueError(f"Length of size_splits should be equal to num_outputs, {len(known)} vs. {n}")
    total = x.dims[at]
    if None not in known:
        if known.count(-1) > 1:
            raise ValueError("size_splits can only have one -1.")
        if total is not None:
            rest = total - sum(s for s in known if s != -1)
            if -1 not in known and rest:
                raise ValueError(f"can't split axis of size {total} into pieces of size [{','.join(map(str, known))}]")
            if rest < 0:
                raise ValueError(f"can't split axis of size {total} into pieces of size [{','.join(map(str, known))}]")
            known = tuple(rest if s == -1 else s for s in known)
    sizes_known = [None if s is None or s < 0 else s for s in known]
    return [(*x.dims[:at], s, *x.dims[at + 1 :]) for s in sizes_known]


@_split_sizes.grad
def _(op, *grads):
    return concat(list(grads), op.inputs[2]), None, None


def split(
    value: Any,
    num_or_size_splits: Any = None,
    axis: Any = 0,
    num: int | None = None,
    name: str | None = "split",
    split_dim: Any = None,
    num_split: Any = None,
) -> list[Tensor]:
    """`value` cut along `axis`: into that many equal parts, or into parts of the given sizes (one may be -1, the rest).

    Before 1.0 the arguments were `tf.split(split_dim, num_split, value)`; that works too.

    >>> run(tf.split([1, 2, 3, 4], 2))
    [array([1, 2], dtype=int32), array([3, 4], dtype=int32)]
    >>> run(tf.split([1, 2, 3, 4], [1, 3]))
    [array([1], dtype=int32), array([2, 3, 4], dtype=int32)]
    """
    num_or_size_splits = renamed("num_or_size_splits", num_or_size_splits, "num_split", num_split)
    if num_or_size_splits is None:
        raise TypeError("tf.split needs the argument 'num_or_size_splits'")
    axis = axis if split_dim is None else split_dim
    if _is_axis(value) and not _is_axis(axis):
        axis, value = value, axis
    sizes = to_tensor(num_or_size_splits)
    if isinstance(num_or_size_splits, int | np.integer | shapes.Dimension):
        return _split(axis, value, num_split=int(num_or_size_splits), name=name)
    if sizes.dims == ():
        raise ValueError(
            "Rank-0 tensors are not supported as the num_or_size_splits argument to split. "
            f"Argument provided: {num_or_size_splits}"
        )
    if num is None:
        num = sizes.dims[0] if sizes.dims else None
        if num is None:
            raise ValueError(f"Cannot infer num from shape {num_or_size_splits}")
    return _split_sizes(value, sizes, axis, num_split=num, name=name)


def split_v(
    value: Any, size_splits: Any, split_dim: Any = 0, num: int | None = None, name: str | None = "split_v"
) -> list[Tensor]:
    """`split` into parts of given sizes, by its name and arguments of 0.12."""
    return split(value, size_splits, split_dim, num, name)
