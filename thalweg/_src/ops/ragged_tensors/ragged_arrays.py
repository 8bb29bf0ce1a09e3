"""Array functions of ragged tensors: joined, tiled, with axes more or less, rows and entries by their places."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.shaping import shape as shape_of
from thalweg._src.ops.basic import control_dependencies, with_dependencies
from thalweg._src.ops.late import array, math
from thalweg._src.ops.ragged_tensors import ragged_rows
from thalweg._src.ops.ragged_tensors.ragged import (
    RaggedTensor,
    convert_to_tensor_or_ragged_tensor,
    map_flat_values,
    positive_axis,
)
from thalweg._src.ops.ragged_tensors.ragged_rows import gather, with_same_splits
from thalweg._src.ops.reports import checks


def concat(values: Any = None, axis: Any = None, name: str | None = "concat", concat_dim: Any = None) -> Any:
    """Ragged tensors and tensors of one rank, one behind the other along `axis`."""
    return ragged_rows.concatenated(values, concat_dim if axis is None else axis, name)


def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """A ragged tensor with an axis of size 1 more."""
    with name_scope(name, "RaggedExpandDims", None):
        return _expanded(convert_to_tensor_or_ragged_tensor(input, name="input"), dim if axis is None else axis)


def _expanded(value: Any, axis: Any) -> Any:
    if not isinstance(value, RaggedTensor):
        return array.expand_dims(value, axis)
    rank = value.shape.ndims
    axis = positive_axis(axis, None if rank is None else rank + 1)
    if axis > 1:
        return value.with_values(_expanded(value.values, axis - 1))
    rows = value.nrows()
    splits = math.range(rows + 1) if axis == 1 else array.stack([array.zeros_like(rows), rows])
    return RaggedTensor.from_row_splits(value, splits, validate=False)


def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Any:
    """A ragged tensor without the axes `axis`, whose sizes are 1. Raises ValueError for none, TypeError for no integers."""
    axis = squeeze_dims if axis is None else axis
    with name_scope(name, "RaggedSqueeze", None):
        value = convert_to_tensor_or_ragged_tensor(input)
        if axis is None:
            raise ValueError("Ragged.squeeze must have an axis argument.")
        axes = [axis] if isinstance(axis, int) else axis
        if not isinstance(axes, list | tuple) or not all(isinstance(a, int) for a in axes):
            raise TypeError("Axis must be a list or tuple of integers.")
        chosen = {positive_axis(a, value.shape.ndims) for a in axes}
        depth = value.ragged_rank
        kind = value.row_splits.dtype.base_dtype
        sizes = [value.nrows(), *value.nested_row_lengths()]
        found = [
            checks.Assert(
                math.reduce_all(math.equal(sizes[a], to_tensor(1, kind))),
                [f"the given axis (axis = {a}) is not squeezable!"],
            )
            for a in sorted(chosen)
            if a <= depth
        ]
        flat = with_dependencies(found, value.flat_values)
        dense = [a - depth for a in chosen if a > depth]
        kept = [s for i, s in enumerate(value.nested_row_splits, 1) if i not in chosen]
        if 0 in chosen:  # the rows of the one row become the rows
            dense, kept = (dense, kept[1:]) if kept else ([0, *dense], kept)
        if dense:
            flat = array.squeeze(flat, sorted(dense))
        return RaggedTensor.from_nested_row_splits(flat, kept, validate=False) if kept else flat


def size(input: Any, name: str | None = None, out_type: Any = int32) -> Tensor:
    """The number of entries of a ragged tensor."""
    return array.size(convert_to_tensor_or_ragged_tensor(input).flat_values, out_type=out_type, name=name)


def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of axes of a ragged tensor."""
    with name_scope(name, "RaggedRank", None):
        value = convert_to_tensor_or_ragged_tensor(input)
        return value.ragged_rank + array.rank(value.flat_values)


def tile(input: Any, multiples: Any, name: str | None = None) -> RaggedTensor:
    """A ragged tensor repeated along each axis."""
    with name_scope(name, "RaggedTile", None):
        value = convert_to_tensor_or_ragged_tensor(input, name="input")
        times = to_tensor(multiples, None, "multiples", preferred=value.row_splits.dtype.base_dtype)
        times = math.cast(times, value.row_splits.dtype.base_dtype)
        times.get_shape().assert_has_rank(1)
        return _tiled(value, times, infer.constant_value(times))


def _tiled(value: Any, times: Tensor, known: Any) -> Any:
    if not isinstance(value, RaggedTensor):
        return array.tile(value, times)
    if known is not None and (known == 1).all():
        return value
    one = array.ones_like(times[:1])
    inner = _tiled(
        value.values, array.concat([one, times[2:]], 0), None if known is None else np.array([1, *known[2:]])
    )
    starts, lengths = (_repeated(part, times) for part in (value.row_starts(), value.row_lengths()))
    places = ragged_rows.range(starts, starts + lengths, row_splits_dtype=times.dtype.base_dtype).values
    repeated = array.tile(value.row_lengths() * times[1], times[:1])
    return RaggedTensor.from_row_lengths(gather(inner, places), repeated, validate=False)


def _repeated(rows: Tensor, times: Tensor) -> Tensor:
    """What belongs to each row, as often as the row's content is repeated, for all repeated rows."""
    within = array.reshape(
        array.tile(array.expand_dims(rows, 1), array.stack([array.ones_like(times[1]), times[1]])), [-1]
    )
    return array.tile(within, times[:1])


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: Any = None,
    name: str | None = None,
) -> RaggedTensor:
    """One-hot vectors of the entries of a ragged tensor, along the axis `axis` of its flat values, counted as an axis of `indices`."""
    with name_scope(name, "RaggedOneHot", None):
        value = convert_to_tensor_or_ragged_tensor(indices, name="indices")
        if axis is not None:
            axis = positive_axis(axis, value.shape.ndims)
            if axis < value.ragged_rank:
                raise ValueError("axis may not be less than indices.ragged_rank.")
        return map_flat_values(array.one_hot, value, depth, on_value, off_value, axis, dtype)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """Places of truths, or entries of `x` and `y` by a condition of their rows, or rows by a vector.

    Raises ValueError for other shapes of the condition.
    """
    if (x is None) != (y is None):
        raise ValueError("x and y must be either both None or both non-None")
    with name_scope(name, "RaggedWhere", None):
        condition = convert_to_tensor_or_ragged_tensor(condition, name="condition")
        if x is None:
            return _places_of_truths(condition)
        x = convert_to_tensor_or_ragged_tensor(x, name="x")
        y = convert_to_tensor_or_ragged_tensor(y, name="y")
        condition, x, y = with_same_splits(condition, x, y)
        if all(isinstance(v, RaggedTensor) for v in (condition, x, y)):
            return map_flat_values(array.where, condition, x, y)
        if isinstance(condition, RaggedTensor):
            raise ValueError("Input shapes do not match.")
        condition.get_shape().assert_has_rank(1)
        both = ragged_rows.concatenated([x, y], 0)
        kind = both.row_splits.dtype.base_dtype
        rows, others = (v.nrows(kind) if isinstance(v, RaggedTensor) else shape_of(v, out_type=kind)[0] for v in (x, y))
        return gather(both, array.where(condition, math.range(rows), rows + math.range(others)))


def _places_of_truths(condition: Any) -> Tensor:
    if not isinstance(condition, RaggedTensor):
        return array.where(condition)
    chosen = _places_of_truths(condition.values)  # [truths, axes below]
    rows = array.gather(condition.value_rowids(), chosen[:, 0])
    within = chosen[:, 0] - math.cast(array.gather(condition.row_starts(), rows), int64)
    front = array.stack([math.cast(rows, int64), within], axis=1)
    return array.concat([front, chosen[:, 1:]], 1)


def gather_rows(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    name: str | None = None,
    axis: Any = None,
    batch_dims: int = 0,
) -> Any:
    """`tf.gather` of ragged tensors: rows by their numbers. Raises ValueError for another axis than the first."""
    if axis is not None and not (isinstance(axis, int) and axis == 0):
        raise ValueError("axis != 0 is not supported for ragged gather yet.")
    if not (isinstance(batch_dims, int) and batch_dims == 0):
        raise ValueError("batch_dims != 0 is not supported for ragged gather yet.")
    return gather(params, indices, name)


def gather_nd(params: Any, indices: Any, name: str | None = None, batch_dims: int = 0) -> Any:
    """Entries of a ragged tensor by their places along its first axes; the places may be ragged too, but not their own last axis."""
    if not (isinstance(batch_dims, int) and batch_dims == 0):
        raise ValueError("batch_dims != 0 is not supported for ragged gather yet.")
    with name_scope(name, "RaggedGatherNd", None):
        params = convert_to_tensor_or_ragged_tensor(params, name="params")
        indices = convert_to_tensor_or_ragged_tensor(indices, name="indices")
        params, indices = with_same_splits(params, indices)
        rank = indices.get_shape().ndims
        if rank is None:
            raise ValueError("indices.rank be statically known.")
        if rank == 0:
            raise ValueError("indices.rank must be at least 1.")
        if isinstance(indices, RaggedTensor) and rank == indices.ragged_rank + 1:
            raise ValueError("The innermost dimension of indices may not be ragged")
        width = indices.get_shape().as_list()[-1]
        if width is None:
            raise ValueError("indices.shape[-1] must be statically known.")
        if rank > 2 and isinstance(indices, RaggedTensor):
            return indices.with_flat_values(gather_nd(params, indices.flat_values))
        if rank > 2:
            kind = params.row_splits.dtype.base_dtype
            rows = RaggedTensor.from_tensor(indices, ragged_rank=rank - 2, row_splits_dtype=kind)
            result = rows.with_flat_values(gather_nd(params, rows.flat_values))
            return result.to_tensor() if result.ragged_rank == rank - 2 else result
        if not isinstance(params, RaggedTensor):
            return array.gather_nd(params, indices)
        return _by_places(params, indices, rank, width)


def _by_places(params: Any, indices: Tensor, rank: int, width: int) -> Any:
    """`gather_nd` of a ragged tensor by a vector or matrix of places."""
    if width == 0:
        axes = params.ragged_rank + array.rank(params.flat_values)
        for _ in range(rank - 1):
            params = _expanded(params, 0)
        return tile(params, array.concat([shape_of(indices)[:-1], array.fill([axes], 1)], 0))
    if rank == 1:
        result = params
        for axis in range(width):
            result = result[indices[axis]]
        return result
    indices = math.cast(indices, params.row_splits.dtype.base_dtype)
    at = indices[..., 0]
    for axis in range(1, width):
        if not isinstance(params, RaggedTensor):
            return array.gather_nd(params, array.concat([array.expand_dims(at, 1), indices[..., axis:]], 1))
        at = array.gather(params.row_starts(), at) + indices[..., axis]
        params = params.values
    return gather(params, at)


def batch_gather(params: Any, indices: Any, name: str | None = None) -> Any:
    """The entries of each row of `params` that a row of `indices` names. Raises ValueError where their first axes differ."""
    with name_scope(name, "RaggedBatchGather", None):
        params = convert_to_tensor_or_ragged_tensor(params, name="params")
        indices = convert_to_tensor_or_ragged_tensor(indices, name="indices")
        params, indices = with_same_splits(params, indices)
        rank = indices.get_shape().ndims
        if rank is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        if rank == 0:
            raise ValueError("indices.rank must be at least 1.")
        mismatch = ValueError("batch shape from indices does not match params shape")
        if rank > 1:
            params.get_shape()[:1].assert_is_compatible_with(indices.get_shape()[:1])
        if not isinstance(indices, RaggedTensor):
            if rank == 1:
                return gather(params, indices)
            if rank > 2 or not isinstance(params, RaggedTensor):
                raise mismatch
            starts = array.expand_dims(params.row_starts(), 1)
            return gather(params.values, math.cast(indices, starts.dtype.base_dtype) + starts)
        if rank > 2:
            if not isinstance(params, RaggedTensor):
                raise mismatch
            with control_dependencies([checks.assert_equal(params.row_splits, indices.row_splits)]):
                return indices.with_values(batch_gather(params.values, indices.values))
        if not isinstance(params, RaggedTensor):
            if (params.get_shape().ndims or 2) < 2:
                raise mismatch
            params = RaggedTensor.from_tensor(params, row_splits_dtype=indices.row_splits.dtype.base_dtype)
        starts = array.gather(params.row_starts(), indices.value_rowids())
        return indices.with_values(gather(params.values, math.cast(indices.values, starts.dtype.base_dtype) + starts))


def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> Sequence[Any]:
    """The rows of each partition. Raises TypeError for a number of partitions that is no natural number."""
    if not isinstance(num_partitions, int) or num_partitions < 0:
        raise TypeError("num_partitions must be a non-negative integer")
    result = ragged_rows.stack_dynamic_partitions(data, partitions, num_partitions, name)
    return [result[i] for i in range(num_partitions)]


def identity(input: Any, name: str | None = None) -> Any:
    """A ragged tensor, each part of it through `tf.identity`."""
    value = convert_to_tensor_or_ragged_tensor(input)
    with name_scope(name, "Identity", None):
        return value._with_components([array.identity(t) for t in value._components()])


def boolean_mask(tensor: Any, mask: Any, name: str | None = "boolean_mask", axis: Any = None) -> Any:
    """`tf.boolean_mask` of ragged tensors. Raises ValueError for another axis than the first."""
    if axis not in (None, 0):
        raise ValueError("axis != 0 is not supported for ragged boolean_mask.")
    return ragged_rows.boolean_mask(tensor, mask, name=name)
