"""Rows of ragged tensors: ranges as rows, the row of each value, rows chosen by number or by a mask, rows put together."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import bfloat16, float32, float64, int32, int64
from thalweg._src.core.errors import invalid
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Outputs, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import zeros
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.sorting import argsort
from thalweg._src.ops.basic import control_dependencies
from thalweg._src.ops.late import array, math
from thalweg._src.ops.ragged_tensors.ragged import (
    SPLITS,
    RaggedTensor,
    convert_to_tensor_or_ragged_tensor,
    map_flat_values,
    positive_axis,
)
from thalweg._src.ops.reports import checks

T = type_attr("T", (bfloat16, float32, float64, int32, int64), int32)
_WIDER = (int32, int64, float32, float64)


def _size(start: Any, limit: Any, delta: Any) -> int:
    if (delta > 0 and limit < start) or (delta < 0 and limit > start):
        return 0
    if isinstance(start, np.integer):
        return int((abs(int(limit) - int(start)) + abs(int(delta)) - 1) // abs(int(delta)))
    return int(np.ceil(abs((limit - start) / delta)))


@op("RaggedRange", host=True, numpy_only=True)
def _ragged_range(starts: T, limits: T, deltas: T, *, Tsplits: SPLITS) -> Outputs(
    rt_nested_splits=SPLITS, rt_dense_values=T
):
    """Numbers from each of `starts` up to `limits` by `deltas`, as row splits and values; scalars stand for every row."""
    given = [np.asarray(a) for a in (starts, limits, deltas)]
    for name, a in zip(("starts", "limits", "deltas"), given, strict=True):
        if a.ndim > 1:
            raise invalid(f"{name} must be a scalar or vector")
    if len({a.shape for a in given if a.ndim}) > 1:
        raise invalid("starts, limits, and deltas must have the same shape")
    if not given[2].all():
        raise invalid("Requires delta != 0")
    triples = list(zip(*np.broadcast_arrays(*[np.atleast_1d(a) for a in given]), strict=True))
    sizes = [_size(*triple) for triple in triples]
    # Added up one by one, as TensorFlow does: in floating point that is not the same as a product.
    rows = [
        np.add.accumulate(np.r_[start, np.full(max(n - 1, 0), delta)].astype(given[0].dtype))[:n]
        for n, (start, _, delta) in zip(sizes, triples, strict=True)
    ]
    values = np.concatenate(rows) if rows else np.zeros(0, given[0].dtype)
    return np.concatenate([[0], np.cumsum(sizes)]).astype(Tsplits.as_numpy_dtype), values


@_ragged_range.shape_rule
def _(op):
    vectors = [shapes.of_rank(t.dims, 1) for t in op.inputs if t.dims != ()]
    if not vectors:
        return [(2,), (None,)]
    rows = functools.reduce(shapes.merged, vectors)
    return [(None if rows is None or rows[0] is None else rows[0] + 1,), (None,)]


_ragged_range.not_differentiable()


def range(
    starts: Any,
    limits: Any = None,
    deltas: Any = 1,
    dtype: Any = None,
    name: str | None = None,
    row_splits_dtype: Any = int64,
) -> RaggedTensor:
    """Rows of numbers from `starts` (0 where only one argument is given) up to `limits` by `deltas`.

    >>> run(tf.ragged.range([3, 5, 2]))
    tf.RaggedTensorValue(values=array([0, 1, 2, 0, 1, 2, 3, 4, 0, 1], dtype=int32), row_splits=array([ 0,  3,  8, 10]))
    """
    if limits is None:
        starts, limits = 0, starts
    with name_scope(name, "RaggedRange", [starts, limits, deltas]) as scope:
        given = [to_tensor(a, dtype and dtypes.as_dtype(dtype), n) for a, n in ((starts, "starts"), (limits, "limits"))]
        given.append(to_tensor(deltas, dtype and dtypes.as_dtype(dtype), "deltas"))
        if dtype is None:
            widest = max((t.dtype.base_dtype for t in given), key=_WIDER.index)
            given = [math.cast(t, widest) for t in given]
        splits, values = _ragged_range(*given, Tsplits=dtypes.as_dtype(row_splits_dtype), name=scope)
        return RaggedTensor.from_row_splits(values, splits, validate=False)


def row_splits_to_segment_ids(splits: Any, name: str | None = None, out_type: Any = None) -> Tensor:
    """The row of each value. Raises ValueError for splits that are no vector of integers, or an empty one."""
    with name_scope(name, "RaggedSplitsToSegmentIds", [splits]):
        splits = to_tensor(splits, None, "splits", preferred=int64)
        if splits.dtype.base_dtype not in (int32, int64):
            raise ValueError("splits must have dtype int32 or int64")
        splits.get_shape().assert_has_rank(1)
        if splits.dims == (0,):
            raise ValueError("Invalid row_splits: []")
        ids = RaggedTensor.from_row_splits(
            math.range(math.cast(splits[-1], int64)), splits, validate=False
        ).value_rowids()
        return math.cast(ids, splits.dtype.base_dtype if out_type is None else dtypes.as_dtype(out_type))


def segment_ids_to_row_splits(
    segment_ids: Any, num_segments: Any = None, out_type: Any = None, name: str | None = None
) -> Tensor:
    """Where the rows of ascending `segment_ids` begin and end, for `num_segments` rows or as many as there are."""
    if out_type is None:
        given = [t.dtype for t in (segment_ids, num_segments) if isinstance(t, Tensor)]
        out_type = given[0] if given else int64
    with name_scope(name, "SegmentIdsToRaggedSplits", [segment_ids]):
        ids = math.cast(to_tensor(segment_ids, None, "segment_ids"), int32)
        ids.get_shape().assert_has_rank(1)
        if num_segments is not None:
            num_segments = math.cast(to_tensor(num_segments, None, "num_segments"), int32)
            num_segments.get_shape().assert_has_rank(0)
        lengths = math.bincount(ids, minlength=num_segments, maxlength=num_segments, dtype=dtypes.as_dtype(out_type))
        splits = concat([[0], math.cumsum(lengths)], axis=0)
        known = None if num_segments is None else infer.constant_value(num_segments)
        if known is not None:
            splits.set_shape([int(known) + 1])
        return splits


def with_same_splits(*values: Any) -> list[Any]:
    """RaggedTensors and tensors, the former with splits of one type: int64 where they differ."""
    kinds = {v.row_splits.dtype.base_dtype for v in values if isinstance(v, RaggedTensor)}
    if len(kinds) < 2:
        return list(values)
    return [v.with_row_splits_dtype(int64) if isinstance(v, RaggedTensor) else v for v in values]


def gather(params: Any, indices: Any, name: str | None = None) -> Any:
    """Rows of `params` by their numbers; RaggedTensors both or either, indices of any rank."""
    with name_scope(name, "RaggedGather", [params, indices]):
        params = convert_to_tensor_or_ragged_tensor(params, name="params")
        indices = convert_to_tensor_or_ragged_tensor(indices, name="indices")
        params, indices = with_same_splits(params, indices)
        if isinstance(indices, RaggedTensor):
            return indices.with_values(gather(params, indices.values))
        if not isinstance(params, RaggedTensor):
            return array.gather(params, indices)
        rank = indices.get_shape().ndims
        if rank is None:
            raise ValueError("indices.shape.ndims must be known statically")
        if rank == 0:
            return params[indices]
        if rank > 1:
            ragged = RaggedTensor.from_tensor(indices, ragged_rank=rank - 1)
            return gather(params, ragged)
        starts, lengths = array.gather(params.row_starts(), indices), array.gather(params.row_lengths(), indices)
        places = range(starts, starts + lengths).values
        return RaggedTensor.from_row_lengths(gather(params.values, places), lengths, validate=False)


def boolean_mask(data: Any, mask: Any, name: str | None = None) -> Any:
    """What `mask` says of `data`, in rows where the mask has several axes; each of both may be ragged.

    Raises ValueError for a mask of unknown rank, or a scalar.
    """
    with name_scope(name, "RaggedMask", [data, mask]):
        data = convert_to_tensor_or_ragged_tensor(data, name="data")
        mask = convert_to_tensor_or_ragged_tensor(mask, dtypes.bool, name="mask")
        data, mask = with_same_splits(data, mask)
        rank = mask.get_shape().ndims
        if rank is None:
            raise ValueError("mask.shape.ndims must be known statically.")
        if rank == 0:
            raise ValueError("mask cannot be scalar.")
        if rank == 1:
            if not isinstance(data, RaggedTensor):
                return array.boolean_mask(data, mask)
            return gather(data, array.reshape(array.where(mask), [-1]))
        kind = next((v.row_splits.dtype for v in (data, mask) if isinstance(v, RaggedTensor)), int64)
        data, mask = (_ragged(v, kind) for v in (data, mask))
        same = checks.assert_equal(mask.row_splits, data.row_splits, message="Inputs must have identical ragged splits")
        with control_dependencies([same]):
            values = boolean_mask(data.values, mask.values)
        if rank > 2:
            return RaggedTensor.from_row_splits(values, mask.row_splits, validate=False)
        chosen = math.unsorted_segment_sum(math.cast(mask.values, kind), mask.value_rowids(), mask.nrows())
        return RaggedTensor.from_row_lengths(values, chosen, validate=False)


def _ragged(value: Any, kind: Any = int64) -> RaggedTensor:
    return value if isinstance(value, RaggedTensor) else RaggedTensor.from_tensor(value, row_splits_dtype=kind)


def stack_dynamic_partitions(data: Any, partitions: Any, num_partitions: Any, name: str | None = None) -> RaggedTensor:
    """Rows of `data` in as many partitions: row i has those whose entry of `partitions` is i, in their order.

    Raises ValueError for partitions of unknown rank.
    """
    with name_scope(name, "SegmentStack", [data, partitions, num_partitions]):
        data = convert_to_tensor_or_ragged_tensor(data, name="data")
        kind = data.row_splits.dtype.base_dtype if isinstance(data, RaggedTensor) else None
        partitions = convert_to_tensor_or_ragged_tensor(partitions, name="partitions", preferred_dtype=kind)
        rank = partitions.get_shape().ndims
        if rank is None:
            raise ValueError("partitions must have known rank.")
        partitions.get_shape().assert_is_compatible_with(data.get_shape()[:rank])
        if kind is not None:
            partitions = map_flat_values(math.cast, partitions, kind)
        if rank > 1:
            data, partitions = with_same_splits(data, partitions)
            kind = next(
                (v.row_splits.dtype.base_dtype for v in (data, partitions) if isinstance(v, RaggedTensor)), int64
            )
            data, partitions = _ragged(data, kind), _ragged(partitions, kind)
            message = "data and partitions have incompatible ragged shapes"
            same = checks.assert_equal(data.row_splits, partitions.row_splits, message=message)
            with control_dependencies([same]):
                return stack_dynamic_partitions(data.values, partitions.values, num_partitions)
        count = math.cast(to_tensor(num_partitions, None, "num_partitions"), partitions.dtype.base_dtype)
        count.get_shape().assert_has_rank(0)
        if rank == 0:
            return RaggedTensor.from_value_rowids(
                array.stack([data]), array.stack([partitions]), nrows=count, validate=False
            )
        order = argsort(partitions, stable=True)
        rows = array.gather(partitions, order)
        within = [
            checks.assert_less(rows[-1:], count, message="partitions must be less than num_partitions"),
            checks.assert_non_negative(rows[:1], message="partitions must be non-negative"),
        ]
        with control_dependencies(within):
            return RaggedTensor.from_value_rowids(gather(data, order), rows, nrows=count, validate=False)


def stack(values: Any, axis: int = 0, name: str | None = None) -> Any:
    """Ragged tensors and tensors of one rank along a new axis.

    >>> run(tf.ragged.stack([tf.ragged.constant([[1, 2], []]), [[3, 4, 5]]])).to_list()
    [[[1, 2], []], [[3, 4, 5]]]
    """
    values = values if isinstance(values, list | tuple) else [values]
    if not values:
        raise ValueError("rt_inputs may not be empty.")
    with name_scope(name, "RaggedConcat", list(values)):
        made = [convert_to_tensor_or_ragged_tensor(v, name="rt_input") for v in values]
        return _stacked(with_same_splits(*made), axis)


def concatenated(values: Any, axis: int, name: str | None = None) -> Any:
    """Ragged tensors and tensors of one rank, one behind the other along `axis`."""
    values = values if isinstance(values, list | tuple) else [values]
    if not values:
        raise ValueError("rt_inputs may not be empty.")
    with name_scope(name, "RaggedConcat", list(values)):
        made = [convert_to_tensor_or_ragged_tensor(v, name="rt_input") for v in values]
        return _put_together(with_same_splits(*made), axis)


def _common_rank(values: Sequence[Any]) -> int | None:
    rank = next((v.get_shape().ndims for v in values if v.get_shape().ndims is not None), None)
    for v in values:
        v.get_shape().assert_has_rank(rank)
    return rank


def _put_together(values: Sequence[Any], axis: Any) -> Any:
    if len(values) == 1:
        return values[0]
    rank = _common_rank(values)
    axis = positive_axis(axis, rank)
    if not any(isinstance(v, RaggedTensor) for v in values) and rank is not None and axis == rank - 1:
        return concat(values, axis)
    kind = next((v.row_splits.dtype.base_dtype for v in values if isinstance(v, RaggedTensor)), int64)
    if axis == 0:
        depth = max((v.ragged_rank for v in values if isinstance(v, RaggedTensor)), default=1)
        return _joined([_of_depth(v, depth, kind) for v in values])
    ragged = [_ragged(v, kind) for v in values]
    first = ragged[0]
    if axis == 1:
        # Rows of all in turn, then as many rows as there are values become one.
        rows, count = first.nrows(), len(ragged)
        same = [
            checks.assert_equal(v.nrows(), rows, message="Input tensors have incompatible shapes.") for v in ragged[1:]
        ]
        with control_dependencies(same):
            depth = max(v.ragged_rank for v in ragged)
            beneath = _joined([_of_depth(v, depth, kind) for v in ragged])
            numbers = array.reshape(array.transpose(array.reshape(math.range(rows * count), [count, -1])), [-1])
            ordered = gather(beneath, numbers)
            return RaggedTensor.from_row_splits(ordered.values, ordered.row_splits[::count], validate=False)
    same = [checks.assert_equal(v.row_splits, first.row_splits) for v in ragged[1:]]
    with control_dependencies(same):
        return first.with_values(_put_together([v.values for v in ragged], axis - 1))


def _stacked(values: Sequence[Any], axis: int) -> Any:
    rank = _common_rank(values)
    axis = positive_axis(axis, None if rank is None else rank + 1)
    plain = not any(isinstance(v, RaggedTensor) for v in values)
    if plain and rank is not None and axis >= rank - 1:
        return array.stack(values, axis)
    if axis == 0:
        return _beneath(values)
    kind = next((v.row_splits.dtype for v in values if isinstance(v, RaggedTensor)), int64)
    values = [_ragged(v, kind) if v.get_shape().ndims != 1 else v for v in values]
    rows = values[0].nrows() if isinstance(values[0], RaggedTensor) else array.shape(values[0], out_type=int64)[0]
    if axis == 1:
        count = len(values)
        numbers = array.reshape(array.transpose(array.reshape(math.range(rows * count), [count, -1])), [-1])
        ordered = gather(_beneath(values).values, numbers)
        return RaggedTensor.from_row_splits(ordered, math.range(0, rows * count + 1, count), validate=False)
    first = values[0]
    same = [checks.assert_equal(v.row_splits, first.row_splits) for v in values[1:]]
    with control_dependencies(same):
        return first.with_values(_stacked([v.values for v in values], axis - 1))


def _beneath(values: Sequence[Any]) -> RaggedTensor:
    """The values, one behind the other, each a row."""
    depth = max(v.ragged_rank if isinstance(v, RaggedTensor) else 0 for v in values)
    if depth == 0 and values[0].get_shape().ndims not in (None, 1):
        depth = 1
    kind = next((v.row_splits.dtype.base_dtype for v in values if isinstance(v, RaggedTensor)), int64)
    values = [_of_depth(v, depth, kind) for v in values]
    counts = [v.nrows() if isinstance(v, RaggedTensor) else array.shape(v, out_type=kind)[0] for v in values]
    return RaggedTensor.from_row_lengths(_joined(values), array.stack(counts), validate=False)


def _of_depth(value: Any, depth: int, kind: Any) -> Any:
    if depth == 0:
        return value
    ragged = _ragged(value, kind)
    return ragged.with_values(_of_depth(ragged.values, depth - 1, kind))


def _joined(values: Sequence[Any]) -> Any:
    if not isinstance(values[0], RaggedTensor):
        return concat(list(values), axis=0)
    lengths = concat([v.row_lengths() for v in values], axis=0)
    splits = concat([zeros([1], lengths.dtype.base_dtype), math.cumsum(lengths)], axis=0)
    return RaggedTensor.from_row_splits(_joined([v.values for v in values]), splits, validate=False)
