"""Segments of rows that are picked first: `data[indices]`, then sums, means or sums over roots by sorted ids."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import check, xp
from thalweg._src.core.dtypes import REALS, float32, float64, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.segments import check_sorted, first_of, joined

R = type_attr("T", REALS)
F = type_attr("T", (float32, float64))
I = type_attr("Tidx", (int32, int64), int32)
K = type_attr("Tnumsegments", (int32, int64), int32)


def _unless_known(op):
    return infer.constant_value(op.inputs[2]) is None


def _picked(x: Any, indices: Any, ids: Any, n: int | None, how: str) -> Any:
    if ids.ndim != 1:
        raise ValueError("segment_ids should be a vector.")
    if indices.ndim != 1:
        raise ValueError("indices should be a vector.")
    if ids.shape != indices.shape:
        raise ValueError("segment_ids and indices should have same size.")
    last = int(ids[-1]) + 1 if ids.size else 0
    if n is not None and last > n:
        raise ValueError("segment ids must be < num_segments")
    n = last if n is None else n
    check_sorted(ids, n)
    _in_range(indices, x.shape[0], "indices[{}] == {} out of range [0, {})")
    m = xp(x, indices)
    total = joined(m.take(x, indices, 0, mode="clip"), ids, n, "sum")
    weights = _weights(ids, n, how)
    return total * weights.reshape((n,) + (1,) * (total.ndim - 1)).astype(total.dtype) if how != "sum" else total


def _weights(ids: Any, n: int, how: str) -> Any:
    counts = np.maximum(np.bincount(ids, minlength=n)[:n] if ids.size else np.zeros((n,)), 1)
    return 1 / (np.sqrt(counts) if how == "sqrt_n" else counts)


def _in_range(values: Any, limit: int, message: str) -> None:
    outside = (values < 0) | (values >= limit)
    check(~outside, lambda: message.format(*first_of(values, outside), limit))


@op("SparseSegmentSum", host=_unless_known)
def _sum(data: R, indices: I, segment_ids: Static(int32)) -> R:
    """The sums of rows `indices` of `data` with the same, sorted, id."""
    return _picked(data, indices, segment_ids, None, "sum")


@op("SparseSegmentMean", host=_unless_known)
def _mean(data: F, indices: I, segment_ids: Static(int32)) -> F:
    """The means of rows `indices` of `data` with the same, sorted, id."""
    return _picked(data, indices, segment_ids, None, "mean")


@op("SparseSegmentSqrtN", host=_unless_known)
def _sqrt_n(data: F, indices: I, segment_ids: Static(int32)) -> F:
    """The sums of rows `indices` of `data` with the same, sorted, id, over the root of how many they are."""
    return _picked(data, indices, segment_ids, None, "sqrt_n")


@op("SparseSegmentSumWithNumSegments", host=_unless_known)
def _sum_n(data: R, indices: I, segment_ids: Static(int32), num_segments: Static(K)) -> R:
    """As SparseSegmentSum, with the number of segments."""
    return _picked(data, indices, segment_ids, int(num_segments), "sum")


@op("SparseSegmentMeanWithNumSegments", host=_unless_known)
def _mean_n(data: F, indices: I, segment_ids: Static(int32), num_segments: Static(K)) -> F:
    """As SparseSegmentMean, with the number of segments."""
    return _picked(data, indices, segment_ids, int(num_segments), "mean")


@op("SparseSegmentSqrtNWithNumSegments", host=_unless_known)
def _sqrt_n_n(data: F, indices: I, segment_ids: Static(int32), num_segments: Static(K)) -> F:
    """As SparseSegmentSqrtN, with the number of segments."""
    return _picked(data, indices, segment_ids, int(num_segments), "sqrt_n")


def _rule(op):
    data, indices, ids = (t.dims for t in op.inputs[:3])
    shapes.of_rank_at_least(data, 1)
    shapes.merged(shapes.of_rank(indices, 1), shapes.of_rank(ids, 1))
    rows: Any = None
    if len(op.inputs) == 4:
        shapes.of_rank(op.inputs[3].dims, 0)
        rows = infer.partial_scalar(op.inputs[3])
        if rows is not None and rows < 0:
            raise ValueError("Cannot specify a negative value for num_segments")
    else:
        known = infer.constant_value(op.inputs[2])
        if known is not None:
            rows = int(known[-1]) + 1 if known.size else 0
    return [None if data is None else (rows, *data[1:])]


for _f in (_sum, _mean, _sqrt_n, _sum_n, _mean_n, _sqrt_n_n):
    _f.shape_rule(_rule)


def sparse_segment_sum(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """The sums of rows `indices` of `data` with the same id; the ids are sorted. Segments without rows are 0."""
    if num_segments is None:
        return _sum(data, indices, segment_ids, name=name)
    return _sum_n(data, indices, segment_ids, num_segments, name=name)


def sparse_segment_mean(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """The means of rows `indices` of `data` with the same id; the ids are sorted. Segments without rows are 0."""
    if num_segments is None:
        return _mean(data, indices, segment_ids, name=name)
    return _mean_n(data, indices, segment_ids, num_segments, name=name)


def sparse_segment_sqrt_n(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """The sums of rows `indices` of `data` with the same id, over the root of how many they are."""
    if num_segments is None:
        return _sqrt_n(data, indices, segment_ids, name=name)
    return _sqrt_n_n(data, indices, segment_ids, num_segments, name=name)


# -- gradients


def _spread(g: Any, indices: Any, ids: Any, rows: Any, how: str) -> Any:
    n = int(rows)
    if ids.shape != indices.shape:
        raise ValueError("segment_ids and indices should have same size.")
    if not n or not ids.size:
        return xp(g).zeros((n, *g.shape[1:]), g.dtype)
    check(ids[-1] < g.shape[0], "Invalid number of segments")
    _in_range(ids, g.shape[0], "Segment id {1} out of range [0, {2}).")
    _in_range(indices, n, "Index {1} out of range [0, {2}).")
    m = xp(g, indices, ids)
    ones = m.ones(ids.shape, g.dtype)
    counts = m.maximum(joined(ones, ids, g.shape[0], "sum"), 1)
    weights = 1 / (m.sqrt(counts) if how == "sqrt_n" else counts)
    picked = m.take(g, ids, 0, mode="clip") * m.take(weights, ids, 0, mode="clip").reshape(
        (-1,) + (1,) * (g.ndim - 1)
    ).astype(g.dtype)
    return joined(picked, indices, n, "sum")


@op("SparseSegmentMeanGrad")
def sparse_segment_mean_grad(grad: F, indices: I, segment_ids: int32, output_dim0: Static(int32)) -> F:
    """The gradient of SparseSegmentMean with respect to its data of `output_dim0` rows."""
    return _spread(grad, indices, segment_ids, output_dim0, "mean")


@op("SparseSegmentSqrtNGrad")
def sparse_segment_sqrt_n_grad(grad: F, indices: I, segment_ids: int32, output_dim0: Static(int32)) -> F:
    """The gradient of SparseSegmentSqrtN with respect to its data of `output_dim0` rows."""
    return _spread(grad, indices, segment_ids, output_dim0, "sqrt_n")


def _grad_rule(op):
    data, indices, ids, rows = op.inputs
    shapes.of_rank_at_least(data.dims, 1)
    shapes.merged(shapes.of_rank(indices.dims, 1), shapes.of_rank(ids.dims, 1))
    shapes.of_rank(rows.dims, 0)
    return [None if data.dims is None else (infer.partial_scalar(rows), *data.dims[1:])]


for _f in (sparse_segment_mean_grad, sparse_segment_sqrt_n_grad):
    _f.shape_rule(_grad_rule)


def _none_for_others(op, dx):
    return (dx,) + (None,) * (len(op.inputs) - 1)


def _sum_grad(op, g):
    data, indices, ids = op.inputs[:3]
    rows = array.shape(data)[0]
    return _none_for_others(op, math.unsorted_segment_sum(array.gather(g, ids), indices, rows))


def _mean_grad(op, g):
    data, indices, ids = op.inputs[:3]
    return _none_for_others(op, sparse_segment_mean_grad(g, indices, ids, array.shape(data)[0]))


def _sqrt_n_grad(op, g):
    data, indices, ids = op.inputs[:3]
    return _none_for_others(op, sparse_segment_sqrt_n_grad(g, indices, ids, array.shape(data)[0]))


for _f in (_sum, _sum_n):
    _f.grad(_sum_grad)
for _f in (_mean, _mean_n):
    _f.grad(_mean_grad)
for _f in (_sqrt_n, _sqrt_n_n):
    _f.grad(_sqrt_n_grad)
