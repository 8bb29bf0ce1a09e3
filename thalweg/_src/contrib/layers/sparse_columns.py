"""Columns of classes of tf.contrib.layers: numbered, hashed, listed, from a file, weighted."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.layers.column import Column, LinearArguments, with_rank
from thalweg._src.contrib.layers.embedding import dense_to_sparse_tensor
from thalweg._src.core import dtypes
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib import vocabularies
from thalweg._src.lib.feature_columns.base import CategoricalColumn
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops.io.parsing import VarLenFeature
from thalweg._src.ops.late import math
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_concat
from thalweg._src.ops.stateful.initializers import zeros_initializer
from thalweg._src.ops.text.string_numbers import as_string, string_to_hash_bucket_fast, string_to_hash_bucket_strong

# The words of a column: a list or a file, how many, and the number of a word that is not among them.
SparseIdLookupConfig = collections.namedtuple(
    "SparseIdLookupConfig",
    ["vocabulary_file", "keys", "num_oov_buckets", "vocab_size", "default_value"],
    defaults=(None, None, 0, None, -1),
)


class Classes(Column, CategoricalColumn):
    """What columns of classes have in common: how many there are, and their numbers with or without weights."""

    @property
    def length(self) -> int:
        """How many classes there are."""
        raise NotImplementedError

    @property
    def num_buckets(self) -> int:
        return self.length

    def id_tensor(self, input_tensor: Any) -> Any:
        """The class numbers of a transformed tensor."""
        return input_tensor

    def weight_tensor(self, input_tensor: Any) -> Any:
        """The weights of a transformed tensor, or None."""
        return None

    def get_sparse_tensors(self, transformation_cache: Any, state_manager: Any) -> Any:
        made = transformation_cache.get(self, state_manager)
        return self.IdWeightPair(self.id_tensor(made), self.weight_tensor(made))

    def _wide_embedding_lookup_arguments(self, input_tensor: Any) -> LinearArguments:
        return LinearArguments(
            *(self.id_tensor(input_tensor), self.weight_tensor(input_tensor), self.length, zeros_initializer()),
            combiner=self.combiner,
        )

    def _to_dnn_input_layer(
        self, input_tensor: Any, weight_collections: Any = None, trainable: bool = True, output_rank: int = 2
    ) -> Any:
        raise ValueError(
            f"SparseColumn is not supported in DNN. Please use embedding_column or one_hot_column. column: {self}"
        )


class SparseColumn(
    Classes,
    collections.namedtuple(
        "SparseColumn", ["column_name", "is_integerized", "bucket_size", "lookup_config", "combiner", "dtype"]
    ),
):
    """Classes of one feature, numbered up to `bucket_size` or looked up as `lookup_config` says.

    Raises ValueError for types that are neither strings nor integers, and for sizes below 1.
    """

    def __new__(
        cls,
        column_name: str,
        is_integerized: bool = False,
        bucket_size: int | None = None,
        lookup_config: Any = None,
        combiner: str = "sum",
        dtype: Any = dtypes.string,
    ) -> Any:
        about = f"column_name: {column_name}"
        if is_integerized and bucket_size is None:
            raise ValueError(f"bucket_size must be set if is_integerized is True. {about}")
        if is_integerized and not dtype.is_integer:
            raise ValueError(f"dtype must be an integer if is_integerized is True. dtype: {dtype}, {about}.")
        if dtype != dtypes.string and not dtype.is_integer:
            raise ValueError(f"dtype must be string or integer. dtype: {dtype}, {about}")
        if bucket_size is None and lookup_config is None:
            raise ValueError(f"one of bucket_size or lookup_config must be set. {about}")
        if bucket_size is not None and lookup_config:
            raise ValueError(f"one and only one of bucket_size or lookup_config must be set. {about}")
        if bucket_size is not None and bucket_size < 1:
            raise ValueError(f"bucket_size must be at least 1. bucket_size: {bucket_size}, {about}")
        if lookup_config and not isinstance(lookup_config, SparseIdLookupConfig):
            raise TypeError(f"lookup_config must be an instance of _SparseIdLookupConfig, not {lookup_config}. {about}")
        if lookup_config and lookup_config.vocabulary_file and lookup_config.vocab_size is None:
            raise ValueError(f"vocab_size must be defined. {about}")
        return super().__new__(cls, column_name, is_integerized, bucket_size, lookup_config, combiner, dtype)

    @property
    def name(self) -> str:
        return self.column_name

    @property
    def length(self) -> int:
        if self.bucket_size is not None:
            return self.bucket_size
        return self.lookup_config.vocab_size + self.lookup_config.num_oov_buckets

    @property
    def config(self) -> dict[str, Any]:
        return {self.column_name: VarLenFeature(self.dtype)}

    def _transformed(self, get: Callable[[Any], Any]) -> SparseTensor:
        tensor = get(self.name)
        if not isinstance(tensor, SparseTensor):
            ignored = "" if tensor.dtype == dtypes.string else -1
            tensor = dense_to_sparse_tensor(with_rank(tensor, 2, self.name), ignore_value=ignored)
        return self._do_transform(tensor)

    def _do_transform(self, input_tensor: SparseTensor) -> SparseTensor:
        """The numbers of the classes that `input_tensor` names."""
        raise NotImplementedError

    def is_compatible(self, other_column: Any) -> bool:
        """Whether both can share embeddings: the same words, or as many classes of one type."""
        if self.lookup_config and other_column.lookup_config:
            return self.lookup_config == other_column.lookup_config
        same_type = self.dtype == other_column.dtype or (self.dtype.is_integer and other_column.dtype.is_integer)
        compatible = self.length == other_column.length and same_type
        if compatible:
            log.warning(f"Column {self.name} and {other_column.name} may not have the same vocabulary.")
        return compatible


class SparseColumnIntegerized(SparseColumn):
    """See `sparse_column_with_integerized_feature`."""

    def _do_transform(self, input_tensor: SparseTensor) -> SparseTensor:
        numbers = math.mod(input_tensor.values, self.bucket_size, name="mod")
        return SparseTensor(input_tensor.indices, numbers, input_tensor.dense_shape)


class SparseColumnHashed(SparseColumn):
    """See `sparse_column_with_hash_bucket`. With `hash_keys` each value has a class for each key."""

    hash_keys: Any

    def __new__(cls, *args: Any, hash_keys: Any = None, **kwargs: Any) -> Any:
        if hash_keys is not None:
            if not isinstance(hash_keys, list) or not hash_keys:
                raise ValueError("hash_keys must be a non-empty list.")
            if not all(isinstance(k, list) and len(k) == 2 and all(isinstance(n, int) for n in k) for k in hash_keys):
                raise ValueError("Each element of hash_keys must be a pair of integers.")
        made = super().__new__(cls, *args, **kwargs)
        made.hash_keys = hash_keys
        return made

    def _do_transform(self, input_tensor: SparseTensor) -> SparseTensor:
        words = as_string(input_tensor.values) if self.dtype.is_integer else input_tensor.values

        def numbered(numbers: Any) -> SparseTensor:
            return SparseTensor(input_tensor.indices, numbers, input_tensor.dense_shape)

        if not self.hash_keys:
            return numbered(string_to_hash_bucket_fast(words, num_buckets=self.bucket_size, name="lookup"))
        parts = [
            numbered(string_to_hash_bucket_strong(words, num_buckets=self.bucket_size, key=key))
            for key in self.hash_keys
        ]
        return sparse_concat(axis=1, sp_inputs=parts, name="lookup")


class SparseColumnKeys(SparseColumn):
    """See `sparse_column_with_keys`."""

    def _do_transform(self, input_tensor: SparseTensor) -> SparseTensor:
        table = vocabularies.index_table_from_tensor(
            vocabulary_list=tuple(self.lookup_config.keys),
            default_value=self.lookup_config.default_value,
            dtype=self.dtype,
            name="lookup",
        )
        return table.lookup(input_tensor)


class SparseColumnVocabulary(SparseColumn):
    """See `sparse_column_with_vocabulary_file`."""

    def _do_transform(self, input_tensor: SparseTensor) -> SparseTensor:
        if self.dtype.is_integer:
            words = as_string(input_tensor.values)
            input_tensor = SparseTensor(input_tensor.indices, words, input_tensor.dense_shape)
        table = vocabularies.index_table_from_file(
            vocabulary_file=self.lookup_config.vocabulary_file,
            num_oov_buckets=self.lookup_config.num_oov_buckets,
            vocab_size=self.lookup_config.vocab_size,
            default_value=self.lookup_config.default_value,
            name=f"{self.name}_lookup",
        )
        return table.lookup(input_tensor)


class WeightedSparseColumn(
    Classes, collections.namedtuple("WeightedSparseColumn", ["sparse_id_column", "weight_column_name", "dtype"])
):
    """See `weighted_sparse_column`."""

    @property
    def name(self) -> str:
        return f"{self.sparse_id_column.name}_weighted_by_{self.weight_column_name}"

    @property
    def length(self) -> int:
        return self.sparse_id_column.length

    @property
    def config(self) -> dict[str, Any]:
        return {**self.sparse_id_column.config, self.weight_column_name: VarLenFeature(self.dtype)}

    @property
    def lookup_config(self) -> Any:
        return self.sparse_id_column.lookup_config

    @property
    def combiner(self) -> str:
        """That of the column of classes."""
        return self.sparse_id_column.combiner

    @property
    def parents(self) -> list[Any]:
        return [self.sparse_id_column]

    def id_tensor(self, input_tensor: Any) -> Any:
        return input_tensor[0]

    def weight_tensor(self, input_tensor: Any) -> Any:
        return input_tensor[1]

    def _transformed(self, get: Callable[[Any], Any]) -> tuple[Any, Any]:
        ids, weights = get(self.sparse_id_column), get(self.weight_column_name)
        if not isinstance(weights, SparseTensor):
            weights = dense_to_sparse_tensor(weights)
        if not self.dtype.is_floating:
            weights = math.cast(weights, dtypes.float32)
        return ids, weights

    def is_compatible(self, other_column: Any) -> bool:
        """Whether both can share embeddings: as the columns of classes can."""
        own = other_column.sparse_id_column if isinstance(other_column, WeightedSparseColumn) else other_column
        return self.sparse_id_column.is_compatible(own)


def sparse_column_with_integerized_feature(
    column_name: str, bucket_size: int, combiner: str = "sum", dtype: Any = dtypes.int64
) -> SparseColumnIntegerized:
    """Integers that are class numbers in [0, bucket_size). Raises ValueError for other types."""
    return SparseColumnIntegerized(
        column_name, is_integerized=True, bucket_size=bucket_size, combiner=combiner, dtype=dtype
    )


def sparse_column_with_hash_bucket(
    column_name: str, hash_bucket_size: int, combiner: str = "sum", dtype: Any = dtypes.string, hash_keys: Any = None
) -> SparseColumnHashed:
    """Strings or integers, spread over classes by a hash. Raises ValueError for sizes below 1."""
    return SparseColumnHashed(
        column_name, bucket_size=hash_bucket_size, combiner=combiner, dtype=dtype, hash_keys=hash_keys
    )


def sparse_column_with_keys(
    column_name: str, keys: Any, default_value: int = -1, combiner: str = "sum", dtype: Any = dtypes.string
) -> SparseColumnKeys:
    """Words by their place in `keys`."""
    keys = tuple(keys)
    words = SparseIdLookupConfig(keys=keys, vocab_size=len(keys), default_value=default_value)
    return SparseColumnKeys(column_name, lookup_config=words, combiner=combiner, dtype=dtype)


def sparse_column_with_vocabulary_file(
    column_name: str,
    vocabulary_file: str,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    combiner: str = "sum",
    dtype: Any = dtypes.string,
) -> SparseColumnVocabulary:
    """Words by their lines in a file. Raises ValueError without `vocab_size`."""
    if vocab_size is None:
        raise ValueError(f"vocab_size should be defined. column_name: {column_name}")
    words = SparseIdLookupConfig(vocabulary_file, None, num_oov_buckets, vocab_size, default_value)
    return SparseColumnVocabulary(column_name, lookup_config=words, combiner=combiner, dtype=dtype)


def weighted_sparse_column(
    sparse_id_column: Any, weight_column_name: str, dtype: Any = dtypes.float32
) -> WeightedSparseColumn:
    """Classes that count as much as another feature says. Raises ValueError for types without numbers."""
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype is not convertible to float. Given {dtype}")
    return WeightedSparseColumn(sparse_id_column, weight_column_name, dtype)
