"""Ragged tensors of nested lists, and back: constants, values and placeholders."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.dtypes import DType, int64
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor, RaggedTensorValue


def constant(
    pylist: Any,
    dtype: Any = None,
    ragged_rank: int | None = None,
    inner_shape: Any = None,
    name: str | None = None,
    row_splits_dtype: Any = int64,
) -> Any:
    """Nested lists as a RaggedTensor, all of whose axes but the innermost regular ones (`inner_shape`) are ragged.

    A list of one level gives a Tensor. Raises ValueError for lists of mixed depth.

    >>> run(tf.ragged.constant([[1, 2], [3]])).to_list()
    [[1, 2], [3]]
    """
    with name_scope(name, "RaggedConstant", None):
        splits, flat = _flattened(pylist, ragged_rank, inner_shape)
        want = None if dtype is None else dtypes.as_dtype(dtype)
        values = constants.constant(_array(flat, want, inner_shape), want)
        kind = dtypes.as_dtype(row_splits_dtype)
        if not splits:
            return values
        return RaggedTensor.from_nested_row_splits(
            values, [constants.constant(s, kind) for s in splits], validate=False
        )


def constant_value(
    pylist: Any,
    dtype: Any = None,
    ragged_rank: int | None = None,
    inner_shape: Any = None,
    row_splits_dtype: Any = "int64",
) -> Any:
    """Nested lists as a RaggedTensorValue; one level of them as an array."""
    splits, flat = _flattened(pylist, ragged_rank, inner_shape)
    want = None if dtype is None else dtypes.as_dtype(dtype)
    result = _array(flat, want, inner_shape)
    for s in reversed(splits):
        result = RaggedTensorValue(result, np.array(s, dtypes.as_dtype(row_splits_dtype).as_numpy_dtype))
    return result


def _array(flat: list[Any], dtype: DType | None, inner_shape: Any) -> Any:
    from thalweg._src.core.convert import as_array

    if inner_shape is not None and not flat:
        return np.zeros((0, *inner_shape), (dtype or dtypes.float32)._as_numpy)
    if not flat:
        return np.zeros(0, (dtype or dtypes.float32)._as_numpy)
    return as_array(flat, dtype)


def _depth(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.ndim
    if not isinstance(value, list | tuple):
        return 0
    return 1 + max((_depth(v) for v in value), default=0)


def _flattened(pylist: Any, ragged_rank: int | None, inner_shape: Any) -> tuple[list[list[int]], list[Any]]:
    """The splits of each ragged axis and the values below."""
    depth = _depth(pylist)
    if depth == 0:
        if ragged_rank:
            raise ValueError(f"Invalid pylist={pylist!r}: incompatible with ragged_rank={ragged_rank}")
        return [], pylist
    inner = 0 if inner_shape is None else len(inner_shape)
    if ragged_rank is None:
        ragged_rank = max(0, depth - 1 - inner)
    if ragged_rank < 0 or ragged_rank >= max(depth, ragged_rank + 1):
        raise ValueError(f"Invalid pylist={pylist!r}: incompatible with ragged_rank={ragged_rank}")
    splits: list[list[int]] = []
    level: list[Any] = list(pylist)
    for _ in range(ragged_rank):
        ends = [0]
        below: list[Any] = []
        for row in level:
            if _depth(row) == 0:
                raise ValueError(f"Invalid pylist={pylist!r}: inconsistent depths, or a scalar where a row should be")
            below += list(row)
            ends.append(len(below))
        splits.append(ends)
        level = below
    if len({_depth(v) for v in level if not (isinstance(v, list | tuple) and not v)}) > 1:
        raise ValueError(f"Invalid pylist={pylist!r}: values have inconsistent depths")
    return splits, level


def placeholder(dtype: Any, ragged_rank: int, value_shape: Any = None, name: str | None = None) -> Any:
    """A RaggedTensor that every run feeds with a RaggedTensorValue."""
    with name_scope(name, "RaggedPlaceholder", None):
        dims = None if value_shape is None else (None, *shapes.as_dims(value_shape))  # type: ignore[misc]
        result: Any = constants.placeholder(dtype, dims, name="flat_values")
        for i in reversed(range(ragged_rank)):
            splits = constants.placeholder(int64, [None], name=f"row_splits_{i}")
            result = RaggedTensor.from_row_splits(result, splits, validate=False)
        return result
