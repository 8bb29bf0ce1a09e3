"""Columns that make dense rows of classes: embeddings, shared ones, and indicators."""

from __future__ import annotations

import collections
import math as python_math
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.feature_columns.base import (
    CategoricalColumn,
    DenseColumn,
    ScopeState,
    SequenceDenseColumn,
    scoped_variable,
)
from thalweg._src.lib.feature_columns.categorical import WeightedCategoricalColumn
from thalweg._src.lib.feature_columns.lengths import SequenceCategoricalColumn, sequence_length_from_sparse_tensor
from thalweg._src.lib.first_values import init_from_checkpoint
from thalweg._src.ops.arrays.selecting import one_hot
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets.embedding import safe_embedding_lookup_sparse
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_merge
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_tensor_to_dense
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_slice
from thalweg._src.ops.stateful.initializers import truncated_normal_initializer
from thalweg._src.ops.stateful.partitioned import PartitionedVariable


class _OfClasses(DenseColumn, SequenceDenseColumn):
    """Dense rows of a categorical column; a sequence column gives a row for each step."""

    _maker = "embedding_column"
    categorical_column: Any

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.categorical_column.parse_example_spec

    @property
    def parents(self) -> list[Any]:
        return [self.categorical_column]

    def _check_sequence(self, wanted: bool, old: bool) -> None:
        """Raise ValueError for sequences where rows are asked for, and the other way round."""
        if isinstance(self.categorical_column, SequenceCategoricalColumn) == wanted:
            return
        given = f"Given (type {type(self.categorical_column)}): {self.categorical_column}"
        kind = "_SequenceCategoricalColumn" if old else "SequenceCategoricalColumn"
        rows, steps = ("input_layer", "sequence_input_layer") if old else ("DenseFeatures", "SequenceFeatures")
        if wanted:
            raise ValueError(
                f"In {self._maker}: {self.name}. categorical_column must be of type {kind} to use {steps}. Suggested fix: "
                f"Use one of sequence_categorical_column_with_*. {given}"
            )
        raise ValueError(
            f"In {self._maker}: {self.name}. categorical_column must not be of type {kind}. Suggested fix A: If you wish to "
            f"use {rows}, use a non-sequence categorical_column_with_*. Suggested fix B: If you wish to create sequence "
            f"input, use {steps} instead of {rows}. {given}"
        )

    def _dense(self, transformation_cache: Any, state_manager: Any) -> Any:
        raise NotImplementedError

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        self._check_sequence(False, isinstance(state_manager, ScopeState))
        return self._dense(transformation_cache, state_manager)

    def get_sequence_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        self._check_sequence(True, isinstance(state_manager, ScopeState))
        dense = self._dense(transformation_cache, state_manager)
        ids, _ = self.categorical_column.get_sparse_tensors(transformation_cache, state_manager)
        return self.TensorSequenceLengthPair(dense, sequence_length_from_sparse_tensor(ids))


class _Embedded(_OfClasses):
    """Rows of a table of weights, combined."""

    dimension: int
    combiner: str
    initializer: Any
    ckpt_to_load_from: Any
    tensor_name_in_ckpt: Any
    max_norm: Any
    trainable: bool

    @property
    def variable_shape(self) -> TensorShape:
        return TensorShape([self.dimension])

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        return transformation_cache.get(self.categorical_column, state_manager)

    def _weights(self, state_manager: Any) -> Any:
        raise NotImplementedError

    def _dense(self, transformation_cache: Any, state_manager: Any) -> Any:
        ids, id_weights = self.categorical_column.get_sparse_tensors(transformation_cache, state_manager)
        table = self._weights(state_manager)
        if self.ckpt_to_load_from is not None:
            parts = list(table) if isinstance(table, PartitionedVariable) else table
            init_from_checkpoint(self.ckpt_to_load_from, {self.tensor_name_in_ckpt: parts})
        return safe_embedding_lookup_sparse(
            table,
            ids,
            sparse_weights=id_weights,
            combiner=self.combiner,
            name=f"{self.name}_weights",
            max_norm=self.max_norm,
        )


class EmbeddingColumn(
    _Embedded,
    collections.namedtuple(
        "EmbeddingColumn",
        (
            *("categorical_column", "dimension", "combiner", "initializer", "ckpt_to_load_from", "tensor_name_in_ckpt"),
            *("max_norm", "trainable"),
        ),
    ),
):
    """See `embedding_column`."""

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_embedding"

    def create_state(self, state_manager: Any) -> None:
        state_manager.create_variable(
            self,
            name="embedding_weights",
            shape=(self.categorical_column.num_buckets, self.dimension),
            dtype=dtypes.float32,
            trainable=self.trainable,
            use_resource=True,
            initializer=self.initializer,
        )

    def _weights(self, state_manager: Any) -> Any:
        return state_manager.get_variable(self, name="embedding_weights")


def _check_embedding(dimension: Any, initializer: Any, ckpt: Any, tensor_name: Any, of: str) -> Any:
    """The initializer to use. Raises ValueError for arguments that do not go together."""
    if dimension is None or dimension < 1:
        raise ValueError(f"Invalid dimension {dimension}.")
    if (ckpt is None) != (tensor_name is None):
        raise ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.")
    if initializer is not None and not callable(initializer):
        raise ValueError(f"initializer must be callable if specified.{of}")
    return initializer or truncated_normal_initializer(mean=0.0, stddev=1 / python_math.sqrt(dimension))


def embedding_column(
    categorical_column: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: Any = None,
    max_norm: Any = None,
    trainable: bool = True,
) -> EmbeddingColumn:
    """A learned row of `dimension` numbers for each class; the rows of an example are combined by "mean", "sqrtn" or "sum".

    The table may start from a tensor of a checkpoint. Raises ValueError for dimensions below 1.
    """
    initializer = _check_embedding(
        dimension,
        initializer,
        ckpt_to_load_from,
        tensor_name_in_ckpt,
        f" Embedding of column_name: {getattr(categorical_column, 'name', categorical_column)}",
    )
    return EmbeddingColumn(
        *(categorical_column, dimension, combiner, initializer, ckpt_to_load_from, tensor_name_in_ckpt),
        *(max_norm, trainable),
    )


class SharedEmbeddingColumn(
    _Embedded,
    collections.namedtuple(
        "SharedEmbeddingColumn",
        (
            *("categorical_column", "dimension", "combiner", "initializer", "shared_embedding_collection_name"),
            *("ckpt_to_load_from", "tensor_name_in_ckpt", "max_norm", "trainable"),
        ),
    ),
):
    """See `shared_embedding_columns`. The table stands in a collection of the graph."""

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_shared_embedding"

    @property
    def _var_scope_name(self) -> str:
        return self.shared_embedding_collection_name

    @property
    def _is_v2_column(self) -> bool:
        return False

    def _dense(self, transformation_cache: Any, state_manager: Any) -> Any:
        with scopes.name_scope(None, self.name):
            return super()._dense(transformation_cache, state_manager)

    def _weights(self, state_manager: Any) -> Any:
        shape = [self.categorical_column.num_buckets, self.dimension]
        there = scopes.get_collection(self.shared_embedding_collection_name)
        ways_out = (
            "Suggested fix A: Choose a unique name for this collection. Suggested fix B: Do not add any variables to this "
            "collection. The feature_column library already adds a variable under the hood."
        )
        if len(there) > 1:
            raise ValueError(f"Collection {there} can only contain one variable. {ways_out}")
        if there:
            if there[0].get_shape().as_list() != shape:
                raise ValueError(
                    f"Shared embedding collection {self.shared_embedding_collection_name} contains variable "
                    f"{there[0].name} of unexpected shape {there[0].get_shape()}. Expected shape is {tuple(shape)}. {ways_out}"
                )
            return there[0]
        trainable = self.trainable and getattr(state_manager, "trainable", True)
        collections_ = getattr(state_manager, "collections", None)
        table = scoped_variable(
            "embedding_weights", shape, dtypes.float32, self.initializer, trainable=trainable, collections=collections_
        )
        scopes.add_to_collection(self.shared_embedding_collection_name, table)
        return table


def shared_embedding_columns(
    categorical_columns: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    shared_embedding_collection_name: str | None = None,
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: Any = None,
    max_norm: Any = None,
    trainable: bool = True,
) -> list[SharedEmbeddingColumn]:
    """One embedding column for each of several categorical columns, with one table for all.

    Raises ValueError for columns of different types or numbers of classes.
    """
    initializer = _check_embedding(dimension, initializer, ckpt_to_load_from, tensor_name_in_ckpt, "")
    ordered = sorted(categorical_columns, key=lambda c: c.name)
    if not isinstance(ordered[0], CategoricalColumn):
        raise ValueError(
            f"All categorical_columns must be subclasses of _CategoricalColumn. Given: {ordered[0]}, of type: "
            f"{type(ordered[0])}"
        )
    plain = [c.categorical_column if isinstance(c, WeightedCategoricalColumn) else c for c in ordered]
    first, count = plain[0], ordered[0].num_buckets
    for column in plain[1:]:
        if not isinstance(column, type(first)):
            raise ValueError(
                "To use shared_embedding_column, all categorical_columns must have the same type, or be "
                f"weighted_categorical_column of the same type. Given column: {first} of type: {type(first)} does not match "
                f"given column: {column} of type: {type(column)}"
            )
        if column.num_buckets != count:
            raise ValueError(
                "To use shared_embedding_column, all categorical_columns must have the same number of buckets. Given "
                f"column: {first} with buckets: {count} does  not match column: {column} with buckets: {column.num_buckets}"
            )
    name = shared_embedding_collection_name or "_".join(c.name for c in ordered) + "_shared_embedding"
    return [
        SharedEmbeddingColumn(
            *(column, dimension, combiner, initializer, name, ckpt_to_load_from, tensor_name_in_ckpt),
            *(max_norm, trainable),
        )
        for column in categorical_columns
    ]


class IndicatorColumn(_OfClasses, collections.namedtuple("IndicatorColumn", ("categorical_column",))):
    """See `indicator_column`."""

    _maker = "indicator_column"

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_indicator"

    @property
    def variable_shape(self) -> TensorShape:
        return TensorShape([1, self.categorical_column.num_buckets])

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        ids, weights = self.categorical_column.get_sparse_tensors(transformation_cache, state_manager)
        depth = self.categorical_column.num_buckets
        if weights is not None:
            merged = sparse_merge(sp_ids=ids, sp_values=weights, vocab_size=depth)
            merged = sparse_slice(merged, [0, 0], merged.dense_shape)  # what is no class falls off
            return array.scatter_nd(merged.indices, merged.values, merged.dense_shape)
        dense = sparse_tensor_to_dense(ids, default_value=-1)
        return math.reduce_sum(one_hot(dense, depth=depth, on_value=1.0, off_value=0.0), axis=[-2])

    def _dense(self, transformation_cache: Any, state_manager: Any) -> Any:
        return transformation_cache.get(self, state_manager)


def indicator_column(categorical_column: Any) -> IndicatorColumn:
    """How often each class is there: a row with as many numbers as there are classes."""
    return IndicatorColumn(categorical_column)
