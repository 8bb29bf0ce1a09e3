"""The feature columns of tf.contrib.layers as inputs of networks, and as sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.contrib.layers.columns import ContribColumn, create_feature_spec_for_parsing, real_valued_column
from thalweg._src.core import dtypes
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib.feature_columns import embedded
from thalweg._src.lib.feature_columns.base import (
    CategoricalColumn,
    DenseColumn,
    FeatureTransformationCache,
    ScopeState,
    scoped_variable,
)
from thalweg._src.ops import activations
from thalweg._src.ops.embedding import safe_embedding_lookup_sparse
from thalweg._src.ops.initializers import zeros_initializer
from thalweg._src.ops.late import array, math
from thalweg._src.ops.parsing import parse_example
from thalweg._src.ops.sparse_arrange import sparse_reshape
from thalweg._src.ops.variable_scope import variable_scope


class Features(FeatureTransformationCache):
    """The cache of tf.feature_column; a feature that is not there is a KeyError, as contrib's columns have it."""

    def get(self, key: Any, state_manager: Any = None) -> Any:
        if isinstance(key, str) and key not in self._made and key not in self._features:
            raise KeyError(key)
        return super().get(key, state_manager)


def check_feature_columns(feature_columns: Any) -> None:
    """Raise ValueError for no columns, and for names that are there twice."""
    if feature_columns is None:
        raise ValueError("feature_columns cannot be None. Please specify feature_columns.")
    if isinstance(feature_columns, dict):
        raise ValueError("Expected feature_columns to be iterable, found dict.")
    seen = set()
    for column in feature_columns:
        if column.name in seen:
            raise ValueError(f"Duplicate feature column key found for column: {column.name}.")
        seen.add(column.name)


def are_of_contrib(feature_columns: Any) -> bool:
    """Whether all columns are of tf.contrib.layers."""
    return all(isinstance(c, ContribColumn) for c in feature_columns)


class _WeightsState(ScopeState):
    """Tables are called `weights`, and belong to the collections of the model."""

    def _make(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        trainable: bool = True,
        use_resource: bool = True,
        initializer: Any = None,
    ) -> Any:
        own = "weights" if name == "embedding_weights" else name
        return super()._make(own, shape, dtype, trainable, use_resource, initializer)


def _collections(names: Any) -> list[Any]:
    return list(dict.fromkeys([*(names or []), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES]))


def input_from_feature_columns(
    columns_to_tensors: dict[Any, Any],
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    cols_to_outs: dict[Any, Any] | None = None,
) -> Any:
    """The dense columns side by side, sorted by name: [batch, width].

    Raises ValueError for columns that are neither real-valued nor embedded nor one-hot.
    """
    check_feature_columns(feature_columns)
    if cols_to_outs is not None and not isinstance(cols_to_outs, dict):
        raise ValueError("cols_to_outs must be a dict unless None")
    with variable_scope(scope, default_name="input_from_feature_columns", values=list(columns_to_tensors.values())):
        cache, tensors = Features(columns_to_tensors), []
        for column in sorted(set(feature_columns), key=lambda c: c.name):
            with variable_scope(None, default_name=column.name):
                if not isinstance(column, DenseColumn):
                    raise ValueError(
                        f"Error creating input layer for column: {column.name}.\nSparseColumn is not supported in DNN. Please "
                        f"use embedding_column or one_hot_column. column: {column}"
                    )
                state = _WeightsState(_collections(weight_collections), trainable)
                tensor = column.get_dense_tensor(cache, state)
                tensors.append(array.reshape(tensor, (-1, column.variable_shape.num_elements())))
                if cols_to_outs is not None:
                    cols_to_outs[column] = tensors[-1]
        return array.concat(tensors, 1)


def weighted_sum_from_feature_columns(
    columns_to_tensors: dict[Any, Any],
    feature_columns: Any,
    num_outputs: int,
    weight_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> tuple[Any, dict[Any, Any], Any]:
    """Weights times features, and a bias: ([batch, num_outputs], {column: variables}, bias).

    Raises ValueError for embedded columns.
    """
    check_feature_columns(feature_columns)
    names = _collections(weight_collections)
    how = {"trainable": trainable, "collections": names}
    with variable_scope(
        scope, default_name="weighted_sum_from_feature_columns", values=list(columns_to_tensors.values())
    ):
        cache, sums, variables = Features(columns_to_tensors), [], {}
        for column in sorted(set(feature_columns), key=lambda c: c.name):
            if isinstance(column, embedded.EmbeddingColumn | embedded.SharedEmbeddingColumn):
                raise ValueError(
                    f"Error creating weighted sum for column: {column.name}.\nColumn {column} is not supported in linear models."
                )
            with variable_scope(None, default_name=column.name):
                if isinstance(column, CategoricalColumn):
                    ids, id_weights = column.get_sparse_tensors(cache, ScopeState(names, trainable))
                    weights = _zeros("weights", [column.num_buckets, num_outputs], how)
                    ids = sparse_reshape(ids, [array.shape(ids)[0], -1])
                    if id_weights is not None:
                        id_weights = sparse_reshape(id_weights, [array.shape(id_weights)[0], -1])
                    combiner = getattr(column, "combiner", "sum")
                    total = safe_embedding_lookup_sparse(weights, ids, sparse_weights=id_weights, combiner=combiner)
                else:
                    width = column.variable_shape.num_elements()
                    tensor = array.reshape(column.get_dense_tensor(cache, ScopeState(names, trainable)), (-1, width))
                    weights = _zeros("weight", [width, num_outputs], how)
                    total = math.matmul(tensor, weights, name="matmul")
            sums.append(array.reshape(total, (-1, num_outputs)))
            variables[column] = [weights]
        bias = _zeros("bias_weight", [num_outputs], how)
        return activations.bias_add(math.add_n(sums), bias), variables, bias


def _zeros(name: str, shape: list[int], how: dict[str, Any]) -> Any:
    return scoped_variable(name, shape, dtypes.float32, zeros_initializer(), **how)


# The weights of all sparse columns in one variable was an optimization: the sums are the same.
joint_weighted_sum_from_feature_columns = weighted_sum_from_feature_columns


def parse_feature_columns_from_examples(
    serialized: Any, feature_columns: Any, name: str | None = None, example_names: Any = None
) -> dict[Any, Any]:
    """{key: tensor} and {column: tensor} of serialized examples."""
    check_feature_columns(feature_columns)
    return parse_example(
        serialized, create_feature_spec_for_parsing(feature_columns), name=name, example_names=example_names
    )


def transform_features(features: dict[Any, Any], feature_columns: Any) -> dict[Any, Any]:
    """{column: its tensor}."""
    check_feature_columns(feature_columns)
    cache = Features(features)
    return {c: cache.get(c, ScopeState()) for c in sorted(set(feature_columns), key=lambda c: c.name)}


def infer_real_valued_columns(features: Any) -> list[Any]:
    """A real-valued column for a tensor, named "", or for each of a dict. Raises ValueError for sparse and other tensors."""
    if not isinstance(features, dict):
        return [_column_of("", features)]
    return [_column_of(name, tensor) for name, tensor in features.items()]


def _column_of(name: str, tensor: Any) -> Any:
    if isinstance(tensor, SparseTensor):
        raise ValueError(
            "SparseTensor is not supported for auto detection. Please define corresponding FeatureColumn for tensor "
            f"{name} {tensor}."
        )
    if not (tensor.dtype.is_floating or tensor.dtype.is_integer):
        raise ValueError(
            "Non integer or non floating types are not supported for auto detection. Please define corresponding "
            f"FeatureColumn for tensor {name} {tensor}."
        )
    dims = tensor.get_shape().as_list()
    width = int(np.prod(dims[1:])) if len(dims) > 1 else 1
    return real_valued_column(name, dimension=width, dtype=tensor.dtype.base_dtype)
