"""Columns of sequences, and the layer that joins them: [batch, time, width] and the lengths."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.feature_columns import categorical
from thalweg._src.lib.feature_columns.base import (
    FeatureTransformationCache,
    ScopeState,
    SequenceDenseColumn,
    check_batch_sizes,
    check_key,
    normalize,
)
from thalweg._src.lib.feature_columns.layers import FeaturesLayer
from thalweg._src.lib.feature_columns.lengths import SequenceCategoricalColumn, sequence_length_from_sparse_tensor
from thalweg._src.lib.feature_columns.numeric import check_shape
from thalweg._src.ops import basic
from thalweg._src.ops.io.parsing import VarLenFeature
from thalweg._src.ops.late import array
from thalweg._src.ops.reports import checks
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_tensor_to_dense
from thalweg._src.ops.stateful.variable_scope import variable_scope


class SequenceNumericColumn(
    SequenceDenseColumn,
    collections.namedtuple("SequenceNumericColumn", ("key", "shape", "default_value", "dtype", "normalizer_fn")),
):
    """See `sequence_numeric_column`."""

    @property
    def name(self) -> str:
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: VarLenFeature(self.dtype)}

    @property
    def parents(self) -> list[Any]:
        return [self.key]

    @property
    def variable_shape(self) -> TensorShape:
        return TensorShape(self.shape)

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        tensor = transformation_cache.get(self.key, state_manager)
        return tensor if self.normalizer_fn is None else self.normalizer_fn(tensor)

    def get_sequence_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        sparse = transformation_cache.get(self, state_manager)
        dense = sparse_tensor_to_dense(sparse, default_value=self.default_value)
        size = int(np.prod(self.shape))
        shape = array.concat([array.shape(dense)[:1], [-1], list(self.shape)], axis=0)
        # A row of a matrix holds all numbers of its sequence; of a cube each step has its own row.
        grouped = size if sparse.shape.ndims == 2 else 1
        return self.TensorSequenceLengthPair(
            array.reshape(dense, shape), sequence_length_from_sparse_tensor(sparse, num_elements=grouped)
        )


def sequence_numeric_column(
    key: str, shape: Any = (1,), default_value: float = 0.0, dtype: Any = dtypes.float32, normalizer_fn: Any = None
) -> SequenceNumericColumn:
    """Numbers at each step of a sequence; what is missing is `default_value`. Raises as `numeric_column`."""
    shape = check_shape(shape, key)
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {dtype}, key: {key}")
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn}")
    check_key(key)
    return SequenceNumericColumn(key, shape, default_value, dtype, normalizer_fn)


def sequence_categorical_column_with_identity(
    key: str, num_buckets: int, default_value: int | None = None
) -> SequenceCategoricalColumn:
    """Class numbers at each step of a sequence."""
    return SequenceCategoricalColumn(categorical.categorical_column_with_identity(key, num_buckets, default_value))


def sequence_categorical_column_with_hash_bucket(
    key: str, hash_bucket_size: int, dtype: Any = dtypes.string
) -> SequenceCategoricalColumn:
    """Hashed strings or integers at each step of a sequence."""
    return SequenceCategoricalColumn(categorical.categorical_column_with_hash_bucket(key, hash_bucket_size, dtype))


def sequence_categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: Any,
    vocabulary_size: int | None = None,
    num_oov_buckets: int = 0,
    default_value: int | None = None,
    dtype: Any = dtypes.string,
) -> SequenceCategoricalColumn:
    """Words of a file at each step of a sequence."""
    return SequenceCategoricalColumn(
        categorical.categorical_column_with_vocabulary_file(
            key, vocabulary_file, vocabulary_size, num_oov_buckets, default_value, dtype
        )
    )


def sequence_categorical_column_with_vocabulary_list(
    key: str, vocabulary_list: Any, dtype: Any = None, default_value: int = -1, num_oov_buckets: int = 0
) -> SequenceCategoricalColumn:
    """Words of a list at each step of a sequence."""
    return SequenceCategoricalColumn(
        categorical.categorical_column_with_vocabulary_list(key, vocabulary_list, dtype, default_value, num_oov_buckets)
    )


class SequenceFeatures(FeaturesLayer):
    """A layer that joins columns of sequences: ([batch, time, width], [batch] lengths). Raises ValueError for other columns."""

    _kind = SequenceDenseColumn

    def call(self, features: Any) -> tuple[Any, Any]:
        cache = FeatureTransformationCache(features)
        tensors, lengths = [], []
        for column in self._feature_columns:
            with scopes.name_scope(column.name):
                dense, length = column.get_sequence_dense_tensor(cache, self._state)
                tensors.append(_flat(dense, column))
                lengths.append(length)
        check_batch_sizes(lengths, self._feature_columns)
        length = _same(lengths)
        check_batch_sizes(tensors, self._feature_columns)
        return array.concat(tensors, -1), length


def sequence_input_layer(
    features: dict[Any, Any], feature_columns: Any, weight_collections: Any = None, trainable: bool = True
) -> tuple[Any, Any]:
    """The columns side by side, [batch, time, width], and the lengths. tf.contrib.feature_column."""
    columns = normalize(feature_columns)
    for column in columns:
        if not isinstance(column, SequenceDenseColumn):
            raise ValueError(
                "All feature_columns must be of type _SequenceDenseColumn. You can wrap a sequence_categorical_column with an "
                f"embedding_column or indicator_column. Given (type {type(column)}): {column}"
            )
    with variable_scope(None, default_name="sequence_input_layer", values=features.values()):
        cache = FeatureTransformationCache(features)
        tensors, lengths = [], []
        for column in columns:
            with variable_scope(None, default_name=column._var_scope_name):
                state = ScopeState(_with_variables(weight_collections), trainable)
                dense, length = column.get_sequence_dense_tensor(cache, state)
                tensors.append(_flat(dense, column))
                lengths.append(length)
        check_batch_sizes(tensors, columns)
        check_batch_sizes(lengths, columns)
        return array.concat(tensors, -1), _same(lengths)


def _with_variables(names: Any) -> list[Any]:
    names = list(names or [])
    return [*names, *(n for n in ("variables", "model_variables") if n not in names)]


def _flat(dense: Any, column: Any) -> Any:
    shape = array.shape(dense)
    return array.reshape(dense, (shape[0], shape[1], column.variable_shape.num_elements()))


def _same(lengths: list[Any]) -> Any:
    """The lengths, once they are checked to be the same for all columns."""
    with scopes.name_scope(None, "assert_all_equal", lengths):
        if len(lengths) == 1:
            return lengths[0]
        equal = [checks.assert_equal(lengths[0], other) for other in lengths[1:]]
        with get_default_graph().control_dependencies(equal):
            return basic.identity(lengths[0])


def concatenate_context_input(context_input: Any, sequence_input: Any) -> Any:
    """[batch, a] repeated at each step of [batch, time, b]: [batch, time, b + a]. Raises ValueError for other ranks."""
    conditions = [
        checks.assert_rank(sequence_input, 3, message="sequence_input must have rank 3"),
        checks.assert_type(
            sequence_input,
            dtypes.float32,
            message=f"sequence_input must have dtype float32; got {sequence_input.dtype}.",
        ),
        checks.assert_rank(context_input, 2, message="context_input must have rank 2"),
        checks.assert_type(
            context_input, dtypes.float32, message=f"context_input must have dtype float32; got {context_input.dtype}."
        ),
    ]
    with get_default_graph().control_dependencies(conditions):
        steps = array.shape(sequence_input)[1]
        repeated = array.tile(array.expand_dims(context_input, 1), array.concat([[1], [steps], [1]], 0))
    return array.concat([sequence_input, repeated], 2)
