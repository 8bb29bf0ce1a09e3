"""Columns of numbers, as they are or in buckets."""

from __future__ import annotations

import collections
from typing import Any

from thalweg._src.core import dtypes, nest
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib.feature_columns.base import CategoricalColumn, DenseColumn, check_key
from thalweg._src.ops.arrays.selecting import one_hot
from thalweg._src.ops.io.parsing import FixedLenFeature
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.counting import bucketize


def check_shape(shape: Any, key: Any) -> tuple[int, ...]:
    """`shape` as a tuple. Raises TypeError for sizes that are no ints, ValueError for sizes below 1."""
    assert shape is not None
    shape = tuple(shape) if nest.is_nested(shape) else (shape,)
    for size in shape:
        if not isinstance(size, int):
            raise TypeError(f"shape dimensions must be integer. shape: {shape}, key: {key}")
        if size < 1:
            raise ValueError(f"shape dimensions must be greater than 0. shape: {shape}, key: {key}")
    return shape


def check_default(shape: tuple[int, ...], value: Any, dtype: Any, key: Any) -> Any:
    """`value` as a nested tuple of `shape`. Raises ValueError for another shape, TypeError for another type."""
    if value is None:
        return None
    if isinstance(value, int) or (isinstance(value, float) and dtype.is_floating):
        return _full(shape, value)
    if callable(getattr(value, "tolist", None)):
        value = value.tolist()
    if nest.is_nested(value):
        if not _has_shape(value, shape):
            raise ValueError(
                f"The shape of default_value must be equal to given shape. default_value: {value}, shape: {shape}, key: {key}"
            )
        flat = nest.flatten(value)
        whole = all(isinstance(v, int) for v in flat)
        if whole or (any(isinstance(v, float) for v in flat) and dtype.is_floating):
            return _as_tuple(value)
    raise TypeError(f"default_value must be compatible with dtype. default_value: {value}, dtype: {dtype}, key: {key}")


def _full(shape: tuple[int, ...], value: Any) -> Any:
    return tuple(_full(shape[1:], value) for _ in range(shape[0])) if shape else value


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(v) for v in value) if nest.is_nested(value) else value


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    if nest.is_nested(value) != bool(shape):
        return False
    return not shape or (len(value) == shape[0] and all(_has_shape(v, shape[1:]) for v in value))


class NumericColumn(
    DenseColumn,
    collections.namedtuple("NumericColumn", ("key", "shape", "default_value", "dtype", "normalizer_fn")),
):
    """See `numeric_column`."""

    @property
    def name(self) -> str:
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: FixedLenFeature(self.shape, self.dtype, self.default_value)}

    @property
    def parents(self) -> list[Any]:
        return [self.key]

    @property
    def variable_shape(self) -> TensorShape:
        return TensorShape(self.shape)

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        tensor = transformation_cache.get(self.key, state_manager)
        if isinstance(tensor, SparseTensor):
            raise ValueError(
                "The corresponding Tensor of numerical column must be a Tensor. SparseTensor is not supported. "
                f"key: {self.key}"
            )
        if self.normalizer_fn is not None:
            tensor = self.normalizer_fn(tensor)
        return math.cast(tensor, dtypes.float32)

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        return transformation_cache.get(self, state_manager)


def numeric_column(
    key: str,
    shape: Any = (1,),
    default_value: Any = None,
    dtype: Any = dtypes.float32,
    normalizer_fn: Any = None,
) -> NumericColumn:
    """Numbers: the feature `key`, of `shape` for each example, through `normalizer_fn`, as float32.

    Raises TypeError and ValueError for shapes, defaults and types that do not go together.

    >>> price = tf.feature_column.numeric_column("price")
    >>> run(tf.feature_column.input_layer({"price": [[1.0], [5.0]]}, [price]))
    array([[1.],
           [5.]], dtype=float32)
    """
    shape = check_shape(shape, key)
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {dtype}, key: {key}")
    default_value = check_default(shape, default_value, dtype, key)
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn}")
    check_key(key)
    return NumericColumn(key, shape, default_value, dtype, normalizer_fn)


class BucketizedColumn(
    DenseColumn, CategoricalColumn, collections.namedtuple("BucketizedColumn", ("source_column", "boundaries"))
):
    """See `bucketized_column`."""

    @property
    def name(self) -> str:
        return f"{self.source_column.name}_bucketized"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.source_column.parse_example_spec

    @property
    def parents(self) -> list[Any]:
        return [self.source_column]

    @property
    def variable_shape(self) -> TensorShape:
        return TensorShape((*self.source_column.shape, len(self.boundaries) + 1))

    @property
    def num_buckets(self) -> int:
        return (len(self.boundaries) + 1) * self.source_column.shape[0]

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        return bucketize(
            transformation_cache.get(self.source_column, state_manager), boundaries=[float(b) for b in self.boundaries]
        )

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        buckets = transformation_cache.get(self, state_manager)
        return one_hot(math.cast(buckets, dtypes.int64), depth=len(self.boundaries) + 1, on_value=1.0, off_value=0.0)

    def get_sparse_tensors(self, transformation_cache: Any, state_manager: Any) -> Any:
        """One class for each pair of a dimension and a bucket."""
        buckets = transformation_cache.get(self, state_manager)
        batch, width = array.shape(buckets)[0], self.source_column.shape[0]
        rows = array.reshape(array.tile(array.expand_dims(math.range(0, batch), 1), [1, width]), (-1,))
        columns = array.tile(math.range(0, width), [batch])
        values = array.reshape(buckets, (-1,)) + (len(self.boundaries) + 1) * columns
        indices = math.cast(array.transpose(array.stack((rows, columns))), dtypes.int64)
        shape = math.cast(array.stack([batch, width]), dtypes.int64)
        return self.IdWeightPair(SparseTensor(indices, values, shape), None)


def bucketized_column(source_column: Any, boundaries: Any) -> BucketizedColumn:
    """Which of the buckets between sorted `boundaries` each number of a numeric column falls into; a boundary belongs to
    the bucket after it. Raises ValueError for other columns and boundaries that are not sorted.
    """
    if not isinstance(source_column, NumericColumn):
        raise ValueError(f"source_column must be a column generated with numeric_column(). Given: {source_column}")
    if len(source_column.shape) > 1:
        raise ValueError(f"source_column must be one-dimensional column. Given: {source_column}")
    if not boundaries:
        raise ValueError("boundaries must not be empty.")
    if not isinstance(boundaries, list | tuple):
        raise ValueError("boundaries must be a sorted list.")
    if any(a >= b for a, b in zip(boundaries, boundaries[1:], strict=False)):
        raise ValueError("boundaries must be a sorted list.")
    return BucketizedColumn(source_column, tuple(boundaries))
