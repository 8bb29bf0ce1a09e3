"""What a feature column of tf.contrib.layers is: a description of features that knows how it becomes inputs of models.

Columns of contrib come before those of tf.feature_column and can be used in their place. A model asks a column in two steps:
`insert_transformed_feature` puts the column's own tensor beside the features in a dict, and then the wide part of a model takes
the arguments of an embedding with zeros (`_wide_embedding_lookup_arguments`), the deep part those of an embedding or a dense tensor.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.layers.shapes import inner_flatten
from thalweg._src.lib.feature_columns.base import FeatureColumn
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops.io.parsing import FixedLenFeature, FixedLenSequenceFeature, VarLenFeature
from thalweg._src.ops.late import array

# What the wide part of a model looks up: weights of zeros for each class, [vocab_size, outputs].
LinearArguments = collections.namedtuple(
    "LinearArguments", ["input_tensor", "weight_tensor", "vocab_size", "initializer", "combiner"]
)
# What the deep part looks up: embeddings, [vocab_size, dimension].
DeepArguments = collections.namedtuple(
    "DeepArguments",
    [
        *LinearArguments._fields,
        *("dimension", "shared_embedding_name", "hash_key", "max_norm", "trainable"),
    ],
)


class Column(FeatureColumn):
    """A column of contrib. Each kind is a namedtuple too, so that equal columns are one key of a dict."""

    _fields: tuple[str, ...]

    @property
    def config(self) -> dict[str, Any]:
        """{key: how to parse it}, for tf.parse_example."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """Text that orders columns and tells whether two are the same."""
        return f"{self}"

    def _key_without(self, left_out: str) -> str:
        fields = ", ".join(f"{f}={getattr(self, f)}" for f in self._fields if f != left_out)
        return f"{type(self).__name__}({fields})"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.config

    @property
    def parents(self) -> list[Any]:
        return []

    @property
    def _is_v2_column(self) -> bool:
        return False

    def _transformed(self, get: Callable[[Any], Any]) -> Any:
        """The column's tensor; `get` gives those of a key or of another column."""
        raise NotImplementedError(f"Transform is not implemented for {self}.")

    def insert_transformed_feature(self, columns_to_tensors: dict[Any, Any]) -> None:
        """Put the column's own tensor into the dict. Raises KeyError for a feature that is not there."""
        columns_to_tensors[self] = self._transformed(lambda key: tensor_of(columns_to_tensors, key))

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        return self._transformed(lambda key: transformation_cache.get(key, state_manager))

    def _to_dnn_input_layer(
        self, input_tensor: Any, weight_collections: Any = None, trainable: bool = True, output_rank: int = 2
    ) -> Any:
        """The tensor as an input of a network: its last axes are one, so that there are `output_rank`."""
        raise ValueError(f"{type(self).__name__} has no dense tensor. column: {self}")

    def _deep_embedding_lookup_arguments(self, input_tensor: Any) -> DeepArguments:
        raise NotImplementedError(f"No deep embedding lookup arguments for column {self}.")

    def _wide_embedding_lookup_arguments(self, input_tensor: Any) -> LinearArguments:
        raise NotImplementedError(f"No wide embedding lookup arguments for column {self}.")

    def _to_dense_tensor(self, input_tensor: Any) -> Any:
        raise NotImplementedError(f"No dense tensor representation for column {self}.")

    def _checkpoint_path(self) -> tuple[Any, Any] | None:
        """(checkpoint, name of a tensor there) that the weights begin with."""
        return None


def tensor_of(columns_to_tensors: dict[Any, Any], key: Any) -> Any:
    """The tensor of a key or a column; that of a column is made if it is not there yet."""
    if isinstance(key, Column) and key not in columns_to_tensors:
        key.insert_transformed_feature(columns_to_tensors)
    return columns_to_tensors[key]


def with_rank(tensor: Any, output_rank: int, column_name: str | None = None) -> Any:
    """A dense tensor with `output_rank` axes: the last ones become one, or there is one more.

    Raises ValueError where more than one axis is missing.
    """
    rank = tensor.get_shape().ndims
    if rank is None or output_rank < rank:
        return inner_flatten(tensor, output_rank)
    if output_rank == rank:
        return tensor
    if output_rank > rank + 1:
        where = "" if column_name is None else f"Error while processing column {column_name}."
        raise ValueError(
            f"{where}Rank of input Tensor ({rank}) should be the same as output_rank ({output_rank}). For example, sequence data "
            "should typically be 3 dimensional (rank 3) while non-sequence data is typically 2 dimensional (rank 2)."
        )
    log.warning(f"The input of column {column_name} has {rank} axes, {output_rank} are wanted: there will be one more.")
    return array.expand_dims(tensor, -1, name="expand_dims")


def create_feature_spec_for_parsing(feature_columns: Any) -> dict[str, Any]:
    """{key: how to parse it}, for tf.parse_example. Raises TypeError for what is no column."""
    if isinstance(feature_columns, dict):
        feature_columns = feature_columns.values()
    spec: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise TypeError(
                f"feature_columns should only contain instances of _FeatureColumn. Given column is {column}"
            )
        spec.update(column.parse_example_spec)
    return spec


def create_sequence_feature_spec_for_parsing(
    sequence_feature_columns: Any, allow_missing_by_default: bool = False
) -> dict[str, Any]:
    """{key: how to parse it}, for tf.parse_sequence_example. A feature with a default value may be missing; the value is not used."""
    spec = {}
    for key, kind in create_feature_spec_for_parsing(sequence_feature_columns).items():
        if not isinstance(kind, VarLenFeature | FixedLenFeature | FixedLenSequenceFeature):
            raise TypeError(f"Unsupported feature type: {type(kind).__name__}")
        if not isinstance(kind, VarLenFeature):
            missing = allow_missing_by_default or kind.default_value is not None
            kind = FixedLenSequenceFeature(shape=kind.shape, dtype=kind.dtype, allow_missing=missing)
        spec[key] = kind
    return spec


def make_place_holder_tensors_for_base_features(feature_columns: Any) -> dict[str, Any]:
    """{key: placeholder} of all features of columns."""
    from thalweg._src.ops.arrays.constants import placeholder
    from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_placeholder

    made = {}
    for key, kind in create_feature_spec_for_parsing(feature_columns).items():
        if isinstance(kind, VarLenFeature):
            made[key] = sparse_placeholder(kind.dtype, name=f"Placeholder_{key}")
        else:
            made[key] = placeholder(kind.dtype, shape=(None, kind.shape[0]), name=f"Placeholder_{key}")
    return made
