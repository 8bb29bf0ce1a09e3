"""Columns of numbers of tf.contrib.layers: as many in each example, of varying length, or by buckets."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.layers.column import Column, LinearArguments, with_rank
from thalweg._src.core import dtypes
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib.feature_columns.base import CategoricalColumn, DenseColumn
from thalweg._src.ops.io.parsing import FixedLenFeature, FixedLenSequenceFeature, VarLenFeature
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.counting import bucketize
from thalweg._src.ops.stateful.initializers import zeros_initializer


class RealValuedColumn(
    Column,
    DenseColumn,
    collections.namedtuple("RealValuedColumn", ["column_name", "dimension", "default_value", "dtype", "normalizer"]),
):
    """See `real_valued_column`."""

    @property
    def name(self) -> str:
        return self.column_name

    @property
    def config(self) -> dict[str, Any]:
        default = None if self.default_value is None else list(self.default_value)
        return {self.column_name: FixedLenFeature([self.dimension], self.dtype, default)}

    @property
    def key(self) -> str:
        return self._key_without("normalizer")

    @property
    def normalizer_fn(self) -> Any:
        """`normalizer`, by its name in tf.feature_column."""
        return self.normalizer

    @property
    def variable_shape(self) -> TensorShape:
        return TensorShape([self.dimension])

    def _transformed(self, get: Callable[[Any], Any]) -> Any:
        tensor = get(self.name)
        return math.cast(tensor if self.normalizer is None else self.normalizer(tensor), dtypes.float32)

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        return transformation_cache.get(self, state_manager)

    def _to_dnn_input_layer(
        self, input_tensor: Any, weight_collections: Any = None, trainable: bool = True, output_rank: int = 2
    ) -> Any:
        return with_rank(math.cast(self._to_dense_tensor(input_tensor), dtypes.float32), output_rank, self.name)

    def _to_dense_tensor(self, input_tensor: Any) -> Any:
        return input_tensor


def _check_dimension(dimension: Any, column_name: str) -> None:
    if not isinstance(dimension, int):
        raise TypeError(f"dimension must be an integer. dimension: {dimension}, column_name: {column_name}")
    if dimension < 1:
        raise ValueError(f"dimension must be greater than 0. dimension: {dimension}, column_name: {column_name}")


def real_valued_column(
    column_name: str, dimension: int = 1, default_value: Any = None, dtype: Any = dtypes.float32, normalizer: Any = None
) -> RealValuedColumn:
    """Numbers: `dimension` of them in each example. Raises TypeError and ValueError for arguments that don't go together."""
    _check_dimension(dimension, column_name)
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {dtype}, column_name: {column_name}")
    if default_value is None:
        return RealValuedColumn(column_name, dimension, None, dtype, normalizer)
    if isinstance(default_value, list) and len(default_value) != dimension:
        raise ValueError(
            f"The length of default_value must be equal to dimension. default_value: {default_value}, dimension: {dimension}, "
            f"column_name: {column_name}"
        )
    values = default_value if isinstance(default_value, list) else [default_value] * dimension
    if not all(isinstance(v, int) or (isinstance(v, float) and dtype.is_floating) for v in values):
        raise TypeError(
            f"default_value must be compatible with dtype. default_value: {default_value}, dtype: {dtype}, column_name: "
            f"{column_name}"
        )
    kind = float if dtype.is_floating else int
    return RealValuedColumn(column_name, dimension, tuple(kind(v) for v in values), dtype, normalizer)


class RealValuedVarLenColumn(
    Column,
    collections.namedtuple(
        "RealValuedVarLenColumn", ["column_name", "default_value", "dtype", "normalizer", "is_sparse"]
    ),
):
    """See `real_valued_var_len_column`."""

    @property
    def name(self) -> str:
        return self.column_name

    @property
    def config(self) -> dict[str, Any]:
        if self.is_sparse:
            return {self.column_name: VarLenFeature(self.dtype)}
        return {self.column_name: FixedLenSequenceFeature([], self.dtype, True, self.default_value)}

    @property
    def key(self) -> str:
        return self._key_without("normalizer")

    @property
    def normalizer_fn(self) -> Any:
        """`normalizer`, by its name in tf.feature_column."""
        return self.normalizer

    def _transformed(self, get: Callable[[Any], Any]) -> Any:
        tensor = get(self.name)
        if self.normalizer is not None and self.is_sparse:
            tensor = SparseTensor(tensor.indices, self.normalizer(tensor.values), tensor.dense_shape)
        elif self.normalizer is not None:
            tensor = self.normalizer(tensor)
        return math.cast(tensor, dtypes.float32)

    def _to_dnn_input_layer(
        self, input_tensor: Any, weight_collections: Any = None, trainable: bool = True, output_rank: int = 2
    ) -> Any:
        return with_rank(self._to_dense_tensor(input_tensor), output_rank, self.name)

    def _to_dense_tensor(self, input_tensor: Any) -> Any:
        if self.is_sparse:
            raise ValueError(f"Set is_sparse to False if you want a dense Tensor for column_name: {self.name}")
        return input_tensor


def real_valued_var_len_column(
    column_name: str,
    default_value: Any = None,
    dtype: Any = dtypes.float32,
    normalizer: Any = None,
    is_sparse: bool = False,
) -> RealValuedVarLenColumn:
    """Numbers, as many as there are in each example: sparse, or padded with `default_value`.

    Raises TypeError for types without numbers, ValueError without a default value where one is needed, or for a list of them.
    """
    if not (dtype.is_integer or dtype.is_floating):
        raise TypeError(f"dtype must be convertible to float. dtype: {dtype}, column_name: {column_name}")
    if default_value is None and not is_sparse:
        raise ValueError(
            f"default_value must be provided when is_sparse=False to parse a padded Tensor. column_name: {column_name}"
        )
    if isinstance(default_value, list):
        raise ValueError(f"Only scalar default value. default_value: {default_value}, column_name: {column_name}")
    if default_value is not None:
        default_value = int(default_value) if dtype.is_integer else float(default_value)
    return RealValuedVarLenColumn(column_name, default_value, dtype, normalizer, is_sparse)


class BucketizedColumn(
    Column, CategoricalColumn, DenseColumn, collections.namedtuple("BucketizedColumn", ["source_column", "boundaries"])
):
    """See `bucketized_column`."""

    @property
    def name(self) -> str:
        return f"{self.source_column.name}_bucketized"

    @property
    def length(self) -> int:
        """The number of buckets."""
        return len(self.boundaries) + 1

    @property
    def config(self) -> dict[str, Any]:
        return self.source_column.config

    @property
    def num_buckets(self) -> int:
        return self.length * self.source_column.dimension

    @property
    def variable_shape(self) -> TensorShape:
        return TensorShape([self.num_buckets])

    @property
    def parents(self) -> list[Any]:
        return [self.source_column]

    def _transformed(self, get: Callable[[Any], Any]) -> Any:
        return bucketize(get(self.source_column), boundaries=list(self.boundaries), name="bucketize")

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        return self._to_dnn_input_layer(transformation_cache.get(self, state_manager))

    def get_sparse_tensors(self, transformation_cache: Any, state_manager: Any) -> Any:
        return self.IdWeightPair(self.to_sparse_tensor(transformation_cache.get(self, state_manager)), None)

    def _to_dnn_input_layer(
        self, input_tensor: Any, weight_collections: Any = None, trainable: bool = True, output_rank: int = 2
    ) -> Any:
        if output_rank != 2:
            raise ValueError("BucketizedColumn currently only supports output_rank=2")
        one_hot = array.one_hot(math.cast(input_tensor, dtypes.int64), self.length, 1.0, 0.0, name="one_hot")
        return array.reshape(one_hot, [-1, self.num_buckets], name="reshape")

    def to_sparse_tensor(self, input_tensor: Any) -> SparseTensor:
        """The buckets [batch, dimension] as class numbers: each dimension has classes of its own."""
        width = self.source_column.dimension
        batch = array.shape(input_tensor, name="shape")[0]
        flat = array.reshape(input_tensor, [-1], name="reshape")
        if width > 1:
            rows = array.reshape(array.tile(array.expand_dims(math.range(0, batch), 1), [1, width]), [-1])
            columns = array.tile(math.range(0, width), [batch])
            flat = flat + self.length * columns
        else:
            rows, columns = math.range(0, batch), array.zeros([batch], dtype=dtypes.int32)
        indices = math.cast(array.transpose(array.stack((rows, columns))), dtypes.int64)
        return SparseTensor(indices, flat, math.cast(array.stack([batch, width]), dtypes.int64))

    def _wide_embedding_lookup_arguments(self, input_tensor: Any) -> LinearArguments:
        return LinearArguments(
            self.to_sparse_tensor(input_tensor), None, self.num_buckets, zeros_initializer(), combiner="sum"
        )


def bucketized_column(source_column: Any, boundaries: Any) -> BucketizedColumn:
    """Which bucket each number of a real-valued column falls into. Raises ValueError for boundaries that are not sorted."""
    if not isinstance(source_column, RealValuedColumn):
        raise TypeError(f"source_column must be an instance of _RealValuedColumn. source_column: {source_column}")
    if not isinstance(boundaries, list | tuple) or not boundaries:
        raise ValueError(f"boundaries must be a non-empty list or tuple. boundaries: {boundaries}")
    if any(a > b for a, b in zip(boundaries, boundaries[1:], strict=False)):
        raise ValueError(f"boundaries must be a sorted list. boundaries: {boundaries}")
    return BucketizedColumn(source_column, tuple(sorted(set(boundaries))))
