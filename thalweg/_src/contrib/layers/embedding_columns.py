"""Dense columns made of classes, of tf.contrib.layers: counts, embeddings, shared embeddings, scattered embeddings."""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.contrib.framework.variables import model_variable
from thalweg._src.contrib.layers.column import Column, DeepArguments, LinearArguments
from thalweg._src.contrib.layers.embedding import safe_embedding_lookup_sparse, scattered_embedding_lookup_sparse
from thalweg._src.contrib.layers.shapes import inner_flatten
from thalweg._src.contrib.layers.sparse_columns import SparseColumn, WeightedSparseColumn
from thalweg._src.core import dtypes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.feature_columns.base import DenseColumn
from thalweg._src.lib.first_values import init_from_checkpoint
from thalweg._src.ops.io.parsing import VarLenFeature
from thalweg._src.ops.late import array, math
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_merge
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_tensor_to_dense
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_slice
from thalweg._src.ops.stateful.initializers import truncated_normal_initializer
from thalweg._src.ops.stateful.partitioned import PartitionedVariable


class OneHotColumn(Column, DenseColumn, collections.namedtuple("OneHotColumn", ["sparse_id_column"])):
    """See `one_hot_column`."""

    @property
    def name(self) -> str:
        return f"{self.sparse_id_column.name}_one_hot"

    @property
    def length(self) -> int:
        """How many classes there are."""
        return self.sparse_id_column.length

    @property
    def config(self) -> dict[str, Any]:
        return self.sparse_id_column.config

    @property
    def variable_shape(self) -> TensorShape:
        return TensorShape([self.length])

    @property
    def parents(self) -> list[Any]:
        return [self.sparse_id_column]

    def _transformed(self, get: Callable[[Any], Any]) -> Any:
        return get(self.sparse_id_column)

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        return self._to_dnn_input_layer(transformation_cache.get(self.sparse_id_column, state_manager))

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        return transformation_cache.get(self, state_manager)

    def _to_dnn_input_layer(
        self, input_tensor: Any, weight_collections: Any = None, trainable: bool = True, output_rank: int = 2
    ) -> Any:
        ids = inner_flatten(self.sparse_id_column.id_tensor(input_tensor), output_rank)
        weights = self.sparse_id_column.weight_tensor(input_tensor)
        if weights is None:
            numbers = sparse_tensor_to_dense(ids, default_value=-1)
            ones = array.one_hot(numbers, depth=self.length, on_value=1.0, off_value=0.0)
            return math.reduce_sum(ones, axis=[output_rank - 1])
        merged = sparse_merge(sp_ids=ids, sp_values=weights, vocab_size=self.length)
        # A word that is not in the vocabulary is at -1: outside.
        merged = sparse_slice(merged, array.zeros_like(merged.dense_shape), merged.dense_shape)
        dense = sparse_tensor_to_dense(merged)
        return array.reshape(dense, array.concat([array.shape(dense)[:-1], [self.length]], axis=0))


class EmbeddingColumn(
    Column,
    DenseColumn,
    collections.namedtuple(
        "EmbeddingColumn",
        [
            *("sparse_id_column", "dimension", "combiner", "initializer", "ckpt_to_load_from", "tensor_name_in_ckpt"),
            *("shared_embedding_name", "shared_vocab_size", "max_norm", "trainable"),
        ],
    ),
):
    """See `embedding_column` and `shared_embedding_columns`."""

    def __new__(
        cls,
        sparse_id_column: Any,
        dimension: int,
        combiner: str = "mean",
        initializer: Any = None,
        ckpt_to_load_from: Any = None,
        tensor_name_in_ckpt: Any = None,
        shared_embedding_name: str | None = None,
        shared_vocab_size: int | None = None,
        max_norm: Any = None,
        trainable: bool = True,
    ) -> Any:
        if initializer is not None and not callable(initializer):
            raise ValueError(
                f"initializer must be callable if specified. Embedding of column_name: {sparse_id_column.name}"
            )
        _check_checkpoint(ckpt_to_load_from, tensor_name_in_ckpt)
        if initializer is None:
            initializer = truncated_normal_initializer(mean=0.0, stddev=1 / sparse_id_column.length**0.5)
        return super().__new__(
            *(cls, sparse_id_column, dimension, combiner, initializer, ckpt_to_load_from, tensor_name_in_ckpt),
            *(shared_embedding_name, shared_vocab_size, max_norm, trainable),
        )

    @property
    def name(self) -> str:
        shared = "" if self.shared_embedding_name is None else "_shared"
        return f"{self.sparse_id_column.name}{shared}_embedding"

    @property
    def length(self) -> int:
        """The number of rows of the table."""
        return self.sparse_id_column.length if self.shared_vocab_size is None else self.shared_vocab_size

    @property
    def config(self) -> dict[str, Any]:
        return self.sparse_id_column.config

    @property
    def key(self) -> str:
        return self._key_without("initializer")

    @property
    def variable_shape(self) -> TensorShape:
        return TensorShape([self.dimension])

    @property
    def parents(self) -> list[Any]:
        return [self.sparse_id_column]

    def _transformed(self, get: Callable[[Any], Any]) -> Any:
        return get(self.sparse_id_column)

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        made = transformation_cache.get(self, state_manager)
        return _embedded_for_core(self, made, state_manager)

    def _deep_embedding_lookup_arguments(self, input_tensor: Any) -> DeepArguments:
        ids, weights = self.sparse_id_column.id_tensor(input_tensor), self.sparse_id_column.weight_tensor(input_tensor)
        return DeepArguments(
            *(ids, weights, self.length, self.initializer, self.combiner, self.dimension),
            *(self.shared_embedding_name, None, self.max_norm, self.trainable),
        )

    def _wide_embedding_lookup_arguments(self, input_tensor: Any) -> LinearArguments:
        raise ValueError(f"Column {self} is not supported in linear models. Please use sparse_column.")

    def _checkpoint_path(self) -> tuple[Any, Any] | None:
        return None if self.ckpt_to_load_from is None else (self.ckpt_to_load_from, self.tensor_name_in_ckpt)


def _check_checkpoint(path: Any, name: Any) -> None:
    if (path is None) != (name is None):
        raise ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.")


class ScatteredEmbeddingColumn(
    Column,
    DenseColumn,
    collections.namedtuple(
        "ScatteredEmbeddingColumn", ["column_name", "size", "dimension", "hash_key", "combiner", "initializer"]
    ),
):
    """See `scattered_embedding_column`."""

    def __new__(
        cls,
        column_name: str,
        size: int,
        dimension: int,
        hash_key: int | None,
        combiner: str = "sqrtn",
        initializer: Any = None,
    ) -> Any:
        if initializer is not None and not callable(initializer):
            raise ValueError(f"initializer must be callable if specified. column_name: {column_name}")
        initializer = initializer or truncated_normal_initializer(mean=0.0, stddev=0.1)
        return super().__new__(cls, column_name, size, dimension, hash_key, combiner, initializer)

    @property
    def name(self) -> str:
        return f"{self.column_name}_scattered_embedding"

    @property
    def config(self) -> dict[str, Any]:
        return {self.column_name: VarLenFeature(dtypes.string)}

    @property
    def key(self) -> str:
        return self._key_without("initializer")

    @property
    def variable_shape(self) -> TensorShape:
        return TensorShape([self.dimension])

    def _transformed(self, get: Callable[[Any], Any]) -> Any:
        return get(self.column_name)

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        made = transformation_cache.get(self, state_manager)
        return _embedded_for_core(self, made, state_manager)

    def _deep_embedding_lookup_arguments(self, input_tensor: Any) -> DeepArguments:
        return DeepArguments(
            *(input_tensor, None, self.size, self.initializer, self.combiner, self.dimension),
            *(None, self.hash_key, None, True),
        )


def _embedded_for_core(column: Any, tensor: Any, state: Any) -> Any:
    collections, trainable = getattr(state, "collections", None), getattr(state, "trainable", True)
    return embedded(column, column._deep_embedding_lookup_arguments(tensor), collections, trainable)


def embedded(
    column: Column, args: DeepArguments, weight_collections: Any, trainable: bool, output_rank: int = 2
) -> Any:
    """The embeddings that `args` ask for, in a variable of the current scope or one that is shared, [..., dimension].

    Raises ValueError where a shared table has another shape.
    """
    ids = inner_flatten(args.input_tensor, output_rank)
    weights = None if args.weight_tensor is None else inner_flatten(args.weight_tensor, output_rank)
    how = {
        "dtype": dtypes.float32,
        "initializer": args.initializer,
        "trainable": trainable and args.trainable,
        "collections": weight_collections,
    }
    if args.hash_key:
        table = model_variable("weights", shape=[args.vocab_size], **how)
        return scattered_embedding_lookup_sparse(
            table, ids, args.dimension, hash_key=args.hash_key, combiner=args.combiner, name="lookup"
        )
    shape = [args.vocab_size, args.dimension]
    if args.shared_embedding_name is None:
        table = model_variable("weights", shape=shape, **how)
    else:
        table = _shared_table(args.shared_embedding_name, shape, how)
    begin_with_checkpoint(column, table)
    return safe_embedding_lookup_sparse(
        *(parts_of(table), ids, weights, args.combiner), name=f"{column.name}weights", max_norm=args.max_norm
    )


def _shared_table(name: str, shape: list[int], how: dict[str, Any]) -> Any:
    collection = f"SHARED_EMBEDDING_COLLECTION_{name.upper()}"
    found = get_default_graph().get_collection_ref(collection)
    if not found:
        found.append(model_variable(name, shape=shape, **how))
    if len(found) > 1:
        raise ValueError(f"Collection {collection} can only contain one (partitioned) variable.")
    if found[0].get_shape() != shape:
        raise ValueError(
            f"The embedding variable with name {name} already exists, but its shape does not match required embedding shape here. "
            "Please make sure to use different shared_embedding_name for different shared embeddings."
        )
    return found[0]


def parts_of(variable: Any) -> list[Any]:
    """The variables that a variable consists of."""
    return list(variable) if isinstance(variable, PartitionedVariable) else [variable]


def begin_with_checkpoint(column: Column, variable: Any) -> None:
    """Let a variable begin with what the column says of a checkpoint, if it says something."""
    path = column._checkpoint_path()
    if path is not None:
        parts = parts_of(variable)
        init_from_checkpoint(path[0], {path[1]: parts[0] if len(parts) == 1 else parts})


def one_hot_column(sparse_id_column: Any) -> OneHotColumn:
    """How often each class is there."""
    return OneHotColumn(sparse_id_column)


def embedding_column(
    sparse_id_column: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: Any = None,
    max_norm: Any = None,
    trainable: bool = True,
) -> EmbeddingColumn:
    """A learned row for each class."""
    return EmbeddingColumn(
        *(sparse_id_column, dimension, combiner, initializer, ckpt_to_load_from, tensor_name_in_ckpt),
        max_norm=max_norm,
        trainable=trainable,
    )


def shared_embedding_columns(
    sparse_id_columns: Any,
    dimension: int,
    combiner: str = "mean",
    shared_embedding_name: str | None = None,
    initializer: Any = None,
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: Any = None,
    max_norm: Any = None,
    trainable: bool = True,
) -> Sequence[EmbeddingColumn]:
    """Embedding columns with one table.

    Raises TypeError for what is no list of columns of classes, ValueError for none and for columns that don't go together.
    """
    if not isinstance(sparse_id_columns, Sequence) or isinstance(sparse_id_columns, str):
        raise TypeError(
            f"sparse_id_columns must be a non-string sequence (ex: list or tuple) instead of type {type(sparse_id_columns)}."
        )
    if not sparse_id_columns:
        raise ValueError("The input sparse_id_columns should have at least one element.")
    for column in sparse_id_columns:
        if not isinstance(column, SparseColumn | WeightedSparseColumn):
            raise TypeError(
                f"Elements of sparse_id_columns must be _SparseColumn or _WeightedSparseColumn, but {column} is not."
            )
    first, size = sparse_id_columns[0], None
    if len(sparse_id_columns) > 1:
        weighted = isinstance(first, WeightedSparseColumn)
        if not all(first.is_compatible(c) if weighted else c.is_compatible(first) for c in sparse_id_columns[1:]):
            raise ValueError("The input sparse id columns are not compatible.")
        shared_embedding_name, size = shared_embedding_name or _shared_name(sparse_id_columns), first.length
    made = [
        EmbeddingColumn(
            *(column, dimension, combiner, initializer, ckpt_to_load_from, tensor_name_in_ckpt),
            *(shared_embedding_name, size, max_norm, trainable),
        )
        for column in sparse_id_columns
    ]
    return made if len(made) == 1 else tuple(made)


def _shared_name(columns: Sequence[Any]) -> str:
    """The names of the first three columns, those without weights first."""
    ordered = [c.name for c in sorted(columns, key=lambda c: (isinstance(c, WeightedSparseColumn), c.name))]
    rest = f"_plus_{len(ordered) - 3}_others" if len(ordered) > 3 else ""
    return "_".join(ordered[:3]) + rest + "_shared_embedding"


def scattered_embedding_column(
    column_name: str, size: int, dimension: int, hash_key: int, combiner: str = "mean", initializer: Any = None
) -> ScatteredEmbeddingColumn:
    """Embeddings of any words, whose numbers are spread over `size` weights by a hash.

    Raises ValueError for sizes below 1, and for combiners that there are not.
    """
    if dimension < 1 or size < 1:
        raise ValueError(
            f"Dimension and size must be greater than 0. dimension: {dimension}, size: {size}, column_name: {column_name}"
        )
    if combiner not in ("mean", "sqrtn", "sum"):
        raise ValueError(
            f"Combiner must be one of 'mean', 'sqrtn' or 'sum'. combiner: {combiner}, column_name: {column_name}"
        )
    return ScatteredEmbeddingColumn(column_name, size, dimension, hash_key, combiner, initializer)
