"""Sums and the like over the axes of ragged tensors, and over segments of their rows."""

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.shaping import shape as shape_of
from thalweg._src.ops.basic import control_dependencies
from thalweg._src.ops.late import array, math
from thalweg._src.ops.ragged_tensors.ragged import (
    RaggedTensor,
    convert_to_tensor_or_ragged_tensor,
    is_ragged,
    map_flat_values,
    positive_axis,
)
from thalweg._src.ops.ragged_tensors.ragged_makers import splits_of
from thalweg._src.ops.ragged_tensors.ragged_rows import range, with_same_splits
from thalweg._src.ops.reports import checks

Reduce = Callable[..., Any]


def of_segments(combine: Reduce) -> Reduce:
    """`combine`, a function of (data, segment_ids, num_segments), for ragged data: rows of one segment are combined entry by entry.

    Raises ValueError for segment ids that are no integers, or ragged where the data is not.
    """

    def segments(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
        if not is_ragged(data) and not is_ragged(segment_ids):
            return combine(data, segment_ids, num_segments)
        with name_scope(name, "RaggedSegment", None):
            data = convert_to_tensor_or_ragged_tensor(data, name="data")
            ids = convert_to_tensor_or_ragged_tensor(segment_ids, name="segment_ids")
            data, ids = with_same_splits(data, ids)
            if ids.dtype.base_dtype not in (int32, int64):
                raise ValueError("segment_ids must have dtype int32 or int64.")
            if isinstance(ids, RaggedTensor):
                if not isinstance(data, RaggedTensor):
                    raise ValueError(
                        "segment_ids.shape must be a prefix of data.shape, but segment_ids is ragged and data is not."
                    )
                message = "segment_ids.shape must be a prefix of data.shape"
                with control_dependencies([checks.assert_equal(ids.row_splits, data.row_splits, message=message)]):
                    return segments(data.values, ids.values, num_segments)
            lengths = data.row_lengths()
            widest = math.maximum(math.unsorted_segment_max(lengths, ids, num_segments), array.zeros_like(lengths[:1]))
            splits = splits_of(widest)
            starts = array.gather(splits, ids)
            places = range(starts, starts + lengths).values
            return RaggedTensor.from_row_splits(segments(data.values, places, splits[-1]), splits, validate=False)

    return segments


def _mean_of_segments(divisor: Callable[[Any], Any]) -> Reduce:
    def segments(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
        with name_scope(name, "RaggedSegmentMean", None):
            data = convert_to_tensor_or_ragged_tensor(data, name="data")
            total = segment_sum(data, segment_ids, num_segments)
            counts = segment_sum(map_flat_values(array.ones_like, data), segment_ids, num_segments)
            return map_flat_values(lambda t, n: math.truediv(t, divisor(n)), total, counts)

    return segments


segment_sum = of_segments(lambda *args: math.unsorted_segment_sum(*args))
segment_prod = of_segments(lambda *args: math.unsorted_segment_prod(*args))
segment_min = of_segments(lambda *args: math.unsorted_segment_min(*args))
segment_max = of_segments(lambda *args: math.unsorted_segment_max(*args))
segment_mean = _mean_of_segments(lambda count: count)
segment_sqrt_n = _mean_of_segments(lambda count: math.sqrt(count))


def over_axes(reduce: Reduce, segments: Reduce, value: Any, axis: Any, keepdims: Any = None) -> Any:
    """`value` without the axes `axis` (all of them for None), which `reduce` joins where they are regular and `segments` where not.

    Raises ValueError for `keepdims` and for axes that a run computes.
    """
    if not is_ragged(value):
        return reduce(value, axis)
    if keepdims:
        raise ValueError("keepdims=True is not supported for RaggedTensors.")
    if isinstance(axis, Tensor):
        axis = infer.constant_value(axis)
        if axis is None:
            raise ValueError("axis must be known at graph construction time.")
    if isinstance(axis, np.ndarray):
        axis = axis.tolist()
    value = convert_to_tensor_or_ragged_tensor(value)
    if axis is None:
        return reduce(value.flat_values, None)
    rank = value.get_shape().ndims
    if isinstance(axis, tuple | list):
        axes = list(axis) if len(axis) == 1 else sorted(positive_axis(a, rank) for a in axis)
        for a in reversed(axes):
            value = over_axes(reduce, segments, value, a)
        return value
    axis = positive_axis(axis, rank)
    if axis > 1:
        return value.with_values(over_axes(reduce, segments, value.values, axis - 1))
    if axis == 1:
        count = shape_of(value.row_splits)[0] - 1
        return segments(value.values, value.value_rowids(), count)
    lengths = value.row_lengths()
    widest = math.maximum(math.reduce_max(lengths), array.zeros_like(value.row_splits[0]))
    return segments(value.values, range(lengths).values, widest)


def _reduction(word: str, reduce: Reduce, segments: Reduce) -> Reduce:
    def reduction(
        input_tensor: Any,
        axis: Any = None,
        keepdims: Any = None,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: Any = None,
    ) -> Any:
        with name_scope(name, f"RaggedReduce{word}", None):
            chosen = reduction_indices if axis is None else axis
            return over_axes(reduce, segments, input_tensor, chosen, keepdims or keep_dims)

    return reduction


reduce_sum = _reduction("Sum", lambda *args: math.reduce_sum(*args), segment_sum)
reduce_prod = _reduction("Prod", lambda *args: math.reduce_prod(*args), segment_prod)
reduce_min = _reduction("Min", lambda *args: math.reduce_min(*args), segment_min)
reduce_max = _reduction("Max", lambda *args: math.reduce_max(*args), segment_max)


def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: Any = None, name: str | None = None, **old: Any) -> Any:
    """The mean over axes of a ragged tensor; of integers in float64."""
    with name_scope(name, "RaggedReduceMean", None):
        value = convert_to_tensor_or_ragged_tensor(input_tensor)
        total = reduce_sum(value, axis, keepdims, **old)
        counts = reduce_sum(map_flat_values(array.ones_like, value), axis, keepdims, **old)
        return map_flat_values(lambda t, n: math.truediv(t, n), total, counts)


def _of_truths(word: str, reduce: Reduce) -> Reduce:
    def reduction(
        input_tensor: Any, axis: Any = None, keepdims: Any = None, name: str | None = None, **old: Any
    ) -> Any:
        with name_scope(name, f"RaggedReduce{word}", None):
            numbers = map_flat_values(lambda v: math.cast(v, int32), input_tensor)
            return map_flat_values(lambda v: math.cast(v, dtypes.bool), reduce(numbers, axis, keepdims, **old))

    return reduction


reduce_all = _of_truths("All", reduce_prod)
reduce_any = _of_truths("Any", reduce_sum)


def reduce_join(
    inputs: Any,
    axis: Any = None,
    keep_dims: Any = None,
    separator: str = "",
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Any:
    """The strings along axes of a ragged tensor joined by `separator`."""
    from thalweg._src.ops.text.strings import reduce_join as joined

    with name_scope(name, "RaggedSegmentJoin", None):
        segments = of_segments(lambda *args: math.unsorted_segment_join(*args, separator=separator))
        plain = lambda value, axes: joined(value, axes, separator=separator)
        return over_axes(plain, segments, inputs, reduction_indices if axis is None else axis, keepdims or keep_dims)
