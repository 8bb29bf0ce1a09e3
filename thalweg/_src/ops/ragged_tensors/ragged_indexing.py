"""`ragged[...]`: rows and pieces of rows of a RaggedTensor."""

from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import EagerTensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import zeros
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.shaping import shape as shape_of
from thalweg._src.ops.arrays.shaping import size
from thalweg._src.ops.late import array, math
from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor
from thalweg._src.ops.ragged_tensors.ragged_rows import gather, range

_ALL = slice(None)


def item(ragged: RaggedTensor, key: Any) -> Any:
    """What `ragged[key]` gives.

    Raises ValueError for an integer where the axis is ragged, IndexError for too many, TypeError for anything else than integers,
    slices, `...` and None.
    """
    keys = list(key) if isinstance(key, list | tuple) else [key]
    with name_scope(None, "RaggedGetItem", None):
        return _item(ragged, keys)


def _item(ragged: Any, keys: list[Any]) -> Any:
    if not keys:
        return ragged
    first, rest = keys[0], keys[1:]
    if first is Ellipsis:
        return _item(ragged, _spelled_out(keys, ragged.shape.ndims))
    if first is None:
        inner = _item(ragged, rest)
        rows = shape_of(inner.row_splits, out_type=inner.row_splits.dtype.base_dtype)[0] - 1
        return RaggedTensor.from_row_splits(inner, array.stack([array.zeros_like(rows), rows]), validate=False)
    if isinstance(first, slice):
        return _within_rows(_rows(ragged, first), rest)
    starts, limits = ragged.row_splits[:-1], ragged.row_splits[1:]
    if isinstance(starts, EagerTensor) and isinstance(first, int) and first >= starts.dims[0]:  # type: ignore[index]
        raise IndexError(f"Row key {first} out of bounds")
    row = ragged.values[starts[first] : limits[first]]
    return row[tuple(rest)] if rest else row


def _rows(ragged: RaggedTensor, key: slice) -> RaggedTensor:
    if key == _ALL:
        return ragged
    starts, limits = ragged.row_splits[:-1][key], ragged.row_splits[1:][key]
    if not (key.step is None or (isinstance(key.step, int) and key.step == 1)):
        return _ranges(starts, limits, 1, ragged.values)
    # Where no row is left there is no start either, and the splits are one 0.
    zero = zeros([1], ragged.row_splits.dtype.base_dtype)
    splits = concat([zero[size(starts) :], starts[:1], limits], 0)
    return RaggedTensor.from_row_splits(ragged.values[splits[0] : splits[-1]], splits - splits[0], validate=False)


def _within_rows(ragged: Any, keys: list[Any]) -> Any:
    """The pieces that `keys` say of the inner axes, in all rows."""
    if not keys:
        return ragged
    if isinstance(ragged, Tensor):
        return ragged[(_ALL, *keys)]
    first, rest = keys[0], keys[1:]
    if first is Ellipsis:
        return _within_rows(ragged, _spelled_out(keys, ragged.values.shape.ndims))
    if first is None:
        inner = _within_rows(ragged, rest)
        count = shape_of(inner.row_splits, out_type=inner.row_splits.dtype.base_dtype)[0]
        return RaggedTensor.from_row_splits(inner, math.range(count), validate=False)
    if not isinstance(first, slice):
        raise ValueError("Cannot index into an inner ragged dimension.")
    if first == _ALL:
        return ragged.with_values(_within_rows(ragged.values, rest))
    starts, limits = ragged.row_splits[:-1], ragged.row_splits[1:]
    begin = starts if first.start is None else _shifted(first.start, starts, limits)
    end = limits if first.stop is None else _shifted(first.stop, starts, limits)
    pieces = _ranges(begin, end, 1 if first.step is None else first.step, ragged.values)
    return pieces.with_values(_within_rows(pieces.values, rest))


def _shifted(offset: Any, starts: Tensor, limits: Tensor) -> Tensor:
    """The place `offset` of each row, counted from its end where that is negative, and not beyond the row."""
    if isinstance(offset, Tensor):
        offset = math.cast(offset, starts.dtype.base_dtype)
        forwards, backwards = math.minimum(starts + offset, limits), math.maximum(limits + offset, starts)
        return array.where(offset >= 0, forwards, backwards)
    if not isinstance(offset, int):
        raise TypeError("slice offsets must be integers or None")
    return math.minimum(starts + offset, limits) if offset >= 0 else math.maximum(limits + offset, starts)


def _ranges(starts: Tensor, limits: Tensor, step: Any, values: Any) -> RaggedTensor:
    """Rows `values[starts[i]:limits[i]:step]`."""
    step = to_tensor(step, None, "step")
    if not step.dtype.is_integer:
        raise TypeError("slice strides must be integers or None")
    kind = starts.dtype.base_dtype
    places = range(starts, limits, math.cast(step, kind), row_splits_dtype=kind)
    return places.with_values(gather(values, places.values))


def _spelled_out(keys: list[Any], rank: int | None) -> list[Any]:
    """`keys` with one slice more behind the `...` they begin with, or without it where it stands for nothing."""
    if rank is None:
        raise ValueError("Ellipsis not supported for unknown shape RaggedTensors")
    count = sum(k is not None for k in keys)
    if count > rank + 1:
        raise IndexError("Too many indices for RaggedTensor")
    return keys[1:] if count == rank + 1 else [_ALL, *keys]
