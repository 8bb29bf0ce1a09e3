"""The ways to make a RaggedTensor of values and their splits, lengths, starts, ends or row numbers; of dense and sparse ones."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.shaping import shape as shape_of
from thalweg._src.ops.basic import control_dependencies, with_dependencies
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports import checks


class RaggedMakers:
    """The `from_...` methods of RaggedTensor. With `validate`, a run checks that the partition is one of the values."""

    def __init__(self, values: Any, row_splits: Any, *known: Any, internal: bool = False, **parts: Any):
        raise NotImplementedError

    @classmethod
    def _parts(cls, values: Any, partition: Any, name: str, validate: Any) -> tuple[Any, Tensor]:
        """Values, and their partition as a vector of int32 or int64: that of the splits below, where those can be cast to no other."""
        if not isinstance(validate, bool):
            raise TypeError("validate must have type bool")
        if not isinstance(values, cls):
            values = to_tensor(values, None, "values")
        if isinstance(partition, np.ndarray) and partition.dtype in (np.int32, np.int64):
            partition = to_tensor(partition, None, name)
        kind = getattr(getattr(values, "row_splits", None), "dtype", None)
        if kind is not None and not isinstance(partition, Tensor):
            partition = to_tensor(partition, None, name, preferred=kind.base_dtype)
        partition = to_tensor(partition, None, name, preferred=int64)
        if partition.dtype.base_dtype not in (int32, int64):
            raise ValueError(f"{name} must have dtype int32 or int64")
        if kind is not None and kind.base_dtype != partition.dtype.base_dtype:
            raise ValueError(
                f"{name} and values.row_splits must have the same dtype; with_row_splits_dtype() changes it"
            )
        partition.get_shape().assert_has_rank(1)
        if values.get_shape().ndims == 0:
            raise ValueError("values must have at least rank 1")
        return values, partition

    @classmethod
    def from_row_splits(cls, values: Any, row_splits: Any, name: str | None = None, validate: bool = True) -> Any:
        """Rows that begin and end at `row_splits` [rows + 1]. Raises ValueError for an empty list of splits."""
        if isinstance(row_splits, list | tuple) and not row_splits:
            raise ValueError("row_splits tensor may not be empty.")
        with name_scope(name, "RaggedFromRowSplits", None):
            values, splits = cls._parts(values, row_splits, "row_splits", validate)
            if validate:
                message = _invalid("from_row_splits")
                splits = with_dependencies(
                    [
                        checks.assert_equal(splits[0], constants.zeros([], splits.dtype.base_dtype), message=message),
                        _ascending(splits, message),
                        checks.assert_equal(splits[-1], rows_of(values, splits.dtype.base_dtype), message=message),
                    ],
                    splits,
                )
            return cls(values, splits, internal=True)

    @classmethod
    def from_row_lengths(cls, values: Any, row_lengths: Any, name: str | None = None, validate: bool = True) -> Any:
        """Rows of the lengths `row_lengths`."""
        with name_scope(name, "RaggedFromRowLengths", None):
            values, lengths = cls._parts(values, row_lengths, "row_lengths", validate)
            if validate:
                message = _invalid("from_row_lengths")
                total, rows = math.reduce_sum(lengths), rows_of(values, lengths.dtype.base_dtype)
                found = [
                    checks.assert_non_negative(lengths, message=message),
                    checks.assert_equal(total, rows, message=message),
                ]
                lengths = with_dependencies(found, lengths)
            return cls(values, splits_of(lengths), cached_row_lengths=lengths, internal=True)

    @classmethod
    def from_row_starts(cls, values: Any, row_starts: Any, name: str | None = None, validate: bool = True) -> Any:
        """Rows that begin at `row_starts`."""
        with name_scope(name, "RaggedFromRowStarts", None):
            values, starts = cls._parts(values, row_starts, "row_starts", validate)
            rows = rows_of(values, starts.dtype.base_dtype)
            if validate:
                message = _invalid("from_row_starts")
                found = [
                    checks.assert_equal(starts[:1], array.zeros_like(starts[:1]), message=message),
                    _ascending(starts, message),
                    checks.assert_less_equal(starts[-1:], rows, message=message),
                ]
                starts = with_dependencies(found, starts)
            return cls(values, concat([starts, [rows]], 0), internal=True)

    @classmethod
    def from_row_limits(cls, values: Any, row_limits: Any, name: str | None = None, validate: bool = True) -> Any:
        """Rows that end at `row_limits`."""
        with name_scope(name, "RaggedFromRowLimits", None):
            values, limits = cls._parts(values, row_limits, "row_limits", validate)
            if validate:
                message = _invalid("from_row_limits")
                found = [
                    checks.assert_non_negative(limits[:1], message=message),
                    _ascending(limits, message),
                    checks.assert_equal(limits[-1:], rows_of(values, limits.dtype.base_dtype), message=message),
                ]
                limits = with_dependencies(found, limits)
            return cls(values, concat([constants.zeros([1], limits.dtype.base_dtype), limits], 0), internal=True)

    @classmethod
    def from_value_rowids(
        cls, values: Any, value_rowids: Any, nrows: Any = None, name: str | None = None, validate: bool = True
    ) -> Any:
        """`nrows` rows, where `values[i]` belongs to row `value_rowids[i]`; the ids ascend.

        Raises ValueError where `nrows` is known and negative, or too few for the ids.
        """
        with name_scope(name, "RaggedFromValueRowIds", None):
            values, ids = cls._parts(values, value_rowids, "value_rowids", validate)
            kind = ids.dtype.base_dtype
            known = infer.constant_value(ids)
            if nrows is None and known is not None:
                nrows = to_tensor(int(known[-1]) + 1 if known.size else 0, kind, "nrows")
            elif nrows is None:
                nrows = concat([ids[-1:], [-1]], 0)[0] + 1
            elif isinstance(nrows, Tensor):
                nrows = math.cast(nrows, kind)
            else:
                nrows = to_tensor(nrows, kind, "nrows")
            nrows.get_shape().assert_has_rank(0)
            count = infer.constant_value(nrows)
            if count is not None and count < 0:
                raise ValueError(f"Expected nrows >= 0; got {count}")
            if count is not None and known is not None and known.size and count <= known[-1]:
                raise ValueError(
                    f"Expected nrows >= value_rowids[-1] + 1; got nrows={count}, value_rowids[-1]={known[-1]}"
                )
            values.get_shape()[:1].assert_is_compatible_with(ids.get_shape())
            if validate:
                message = _invalid("from_value_rowids")
                found = [
                    checks.assert_equal(rows_of(values, kind), rows_of(ids, kind), message=message),
                    checks.assert_non_negative(ids[:1], message=message),
                    _ascending(ids, message),
                    checks.assert_less(ids[-1:], nrows, message=message),
                ]
                ids = with_dependencies(found, ids)
            lengths = math.unsorted_segment_sum(array.ones_like(ids), ids, nrows)
            if count is not None:
                lengths.set_shape([int(count)])
            return cls(values, splits_of(lengths), lengths, ids, nrows, internal=True)

    @classmethod
    def from_nested_row_splits(
        cls, flat_values: Any, nested_row_splits: Sequence[Any], name: str | None = None, validate: bool = True
    ) -> Any:
        """A RaggedTensor of several ragged axes, outermost splits first."""
        made = cls.from_row_splits
        return _nested(made, flat_values, nested_row_splits, name, "RaggedFromNestedRowSplits", validate)

    @classmethod
    def from_nested_row_lengths(
        cls, flat_values: Any, nested_row_lengths: Sequence[Any], name: str | None = None, validate: bool = True
    ) -> Any:
        """A RaggedTensor of several ragged axes, outermost lengths first."""
        made = cls.from_row_lengths
        return _nested(made, flat_values, nested_row_lengths, name, "RaggedFromNestedRowLengths", validate)

    @classmethod
    def from_nested_value_rowids(
        cls,
        flat_values: Any,
        nested_value_rowids: Sequence[Any],
        nested_nrows: Any = None,
        name: str | None = None,
        validate: bool = True,
    ) -> Any:
        """A RaggedTensor of several ragged axes, outermost row ids first."""
        if not isinstance(validate, bool):
            raise TypeError("validate must have type bool")
        if isinstance(nested_value_rowids, Tensor):
            raise TypeError("nested_value_rowids must be a list of Tensors")
        if isinstance(nested_nrows, Tensor):
            raise TypeError("nested_nrows must be a list of Tensors")
        counts = [None] * len(nested_value_rowids) if nested_nrows is None else list(nested_nrows)
        if len(counts) != len(nested_value_rowids):
            raise ValueError("nested_nrows must have the same length as nested_value_rowids")
        result = flat_values
        with name_scope(name, "RaggedFromNestedValueRowIds", None):
            for ids, n in reversed(list(zip(nested_value_rowids, counts, strict=True))):
                result = cls.from_value_rowids(result, ids, n, validate=validate)
        return result

    @classmethod
    def from_tensor(
        cls,
        tensor: Any,
        lengths: Any = None,
        padding: Any = None,
        ragged_rank: int = 1,
        name: str | None = None,
        row_splits_dtype: Any = int64,
    ) -> Any:
        """The rows of a dense tensor: whole, cut to `lengths` (of each ragged axis, if a list of them), or without the `padding`
        at their ends. With a larger `ragged_rank` the axes before the last of those stay whole.
        """
        kind = dtypes.as_dtype(row_splits_dtype)
        if lengths is not None and padding is not None:
            raise ValueError("Specify lengths or padding, but not both")
        if not isinstance(ragged_rank, int):
            raise TypeError(f"ragged_rank expected int, got {ragged_rank!r}")
        if ragged_rank <= 0:
            raise ValueError(f"ragged_rank must be greater than 0; got {ragged_rank}")
        with name_scope(name, "RaggedFromTensor", None):
            tensor = to_tensor(tensor, None, "tensor")
            tensor.get_shape().with_rank_at_least(ragged_rank + 1)
            dims = shape_of(tensor, out_type=kind)
            if ragged_rank > 1:
                merged = array.reshape(tensor, concat([to_tensor([-1], kind), dims[ragged_rank:]], 0))
                if tensor.dims is not None:
                    merged.set_shape((None, *tensor.dims[ragged_rank:]))
                result = cls.from_tensor(merged, lengths, padding, row_splits_dtype=kind)
                counts = math.cumprod(dims)
                for axis in range(ragged_rank - 1, 0, -1):
                    ends = math.range(0, counts[axis - 1] + 1) * dims[axis]
                    result = cls.from_row_splits(result, ends, validate=False)
                return result
            if padding is not None:
                lengths = _without_padding(tensor, padding, kind)
            if isinstance(lengths, list | tuple) and len(lengths) and not isinstance(lengths[0], int | float):
                tensor.get_shape().with_rank_at_least(len(lengths) + 1)
                taken = cls.from_nested_row_lengths(
                    constants.ones([math.reduce_sum(lengths[-1])], dtypes.bool), lengths, validate=False
                )
                chosen = array.boolean_mask(tensor, taken.to_tensor(False))
                return cls.from_nested_row_lengths(chosen, lengths, validate=False)
            if lengths is not None:
                lengths = to_tensor(lengths, None, "lengths", preferred=kind)
                if not lengths.dtype.is_integer:
                    raise TypeError("lengths must be an integer tensor")
                lengths = math.cast(lengths, kind)
                lengths.get_shape().assert_has_rank(1)
                lengths = math.maximum(math.minimum(lengths, dims[1]), 0)
                chosen = array.boolean_mask(tensor, array.sequence_mask(lengths, dims[1]))
                return cls.from_row_splits(chosen, splits_of(lengths), validate=False)
            flat = array.reshape(tensor, concat([[dims[0] * dims[1]], dims[2:]], 0))
            if tensor.dims is not None:
                flat.set_shape((None, *tensor.dims[2:]))
            return cls.from_row_splits(flat, math.range(dims[0] + 1) * dims[1], validate=False)

    @classmethod
    def from_sparse(cls, st_input: Any, name: str | None = None, row_splits_dtype: Any = int64) -> Any:
        """The rows of a sparse matrix, whose entries fill them from the left. Raises ValueError for another rank."""
        if not (isinstance(st_input, SparseTensor) or hasattr(st_input, "dense_shape")):
            raise TypeError(f"Expected SparseTensor, got {type(st_input).__name__}")
        with name_scope(name, "RaggedFromSparse", None):
            sparse = SparseTensor.from_value(st_input)
            ranks = (sparse.dense_shape.dims, sparse.indices.dims and sparse.indices.dims[1:])
            if (2,) not in ranks:
                raise ValueError(f"rank(st_input) must be 2, got {sparse.get_shape().ndims}")
            kind = dtypes.as_dtype(row_splits_dtype)
            with control_dependencies([_filled_from_the_left(sparse.indices)]):
                rows = math.cast(sparse.indices[:, 0], kind)
                count = math.cast(sparse.dense_shape[0], kind)
                return cls.from_value_rowids(sparse.values, rows, count, validate=False)


def rows_of(values: Any, kind: DType) -> Tensor:
    """How many rows (or entries along the first axis) there are."""
    return shape_of(values, out_type=kind)[0] if isinstance(values, Tensor) else values.nrows(kind)


def splits_of(lengths: Tensor) -> Tensor:
    """The row splits of rows of these lengths."""
    return concat([constants.zeros([1], lengths.dtype.base_dtype), math.cumsum(lengths)], 0)


def _invalid(made_by: str) -> str:
    return f"Arguments to {made_by} do not form a valid RaggedTensor"


def _ascending(numbers: Tensor, message: str) -> Any:
    return checks.assert_less_equal(numbers[:-1], numbers[1:], message=message)


def _nested(made: Callable[..., Any], flat: Any, levels: Any, name: str | None, scope: str, validate: Any) -> Any:
    if not isinstance(validate, bool):
        raise TypeError("validate must have type bool")
    if isinstance(levels, Tensor):
        raise TypeError(
            f"{'nested_row_splits' if 'Splits' in scope else 'nested_row_lengths'} must be a list of Tensors"
        )
    with name_scope(name, scope, None):
        for level in reversed(list(levels)):
            flat = made(flat, level, validate=validate)
    return flat


def _without_padding(tensor: Tensor, padding: Any, kind: DType) -> Tensor:
    """The lengths of rows up to their last entry that is no padding."""
    padding = to_tensor(padding, tensor.dtype.base_dtype, "padding")
    if padding.dims is not None and tensor.dims is not None:
        shapes.merged(tensor.dims[2:], padding.dims)
    same = math.equal(tensor, padding)
    inner = 0 if tensor.dims is None else len(tensor.dims) - 2
    if inner:
        same = math.reduce_all(same, list(range(2, inner + 2)))
    most = shape_of(tensor, out_type=kind)[1]
    return math.reduce_max(math.range(1, most + 1) * math.cast(math.logical_not(same), kind), axis=1)


def _filled_from_the_left(indices: Tensor) -> Any:
    """A check that each entry of a sparse matrix stands behind another of its row, or is the first of it."""
    same_row = math.equal(indices[1:, 0], indices[:-1, 0])
    wanted = array.where(same_row, indices[:-1, 1] + 1, array.zeros_like(indices[1:, 1]))
    fits = math.logical_and(
        math.reduce_all(math.equal(indices[1:, 1], wanted)), math.reduce_all(math.equal(indices[:1, 1], 0))
    )
    return checks.Assert(fits, ["SparseTensor is not right-ragged: SparseTensor.indices =", indices])
