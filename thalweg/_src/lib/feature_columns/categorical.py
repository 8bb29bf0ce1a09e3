"""Columns of classes: hashed, listed, numbered, weighted, crossed."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor
from thalweg._src.lib import vocabularies
from thalweg._src.lib.feature_columns.base import (
    CategoricalColumn,
    FeatureColumn,
    check_key,
    check_string_or_int,
    to_sparse,
)
from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops import basic
from thalweg._src.ops.arrays.selecting import where_v2
from thalweg._src.ops.io.parsing import VarLenFeature
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports import checks
from thalweg._src.ops.sparse_tensors.sparse_cross import sparse_cross_hashed
from thalweg._src.ops.text.string_numbers import as_string, string_to_hash_bucket_fast


class _OfKey(CategoricalColumn):
    """Classes of one feature."""

    @property
    def name(self) -> str:
        return self.key  # type: ignore[attr-defined]

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: VarLenFeature(self.dtype)}  # type: ignore[attr-defined]

    @property
    def parents(self) -> list[Any]:
        return [self.key]  # type: ignore[attr-defined]

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        return self._numbered(to_sparse(transformation_cache.get(self.name, state_manager)), state_manager)

    def _numbered(self, tensor: SparseTensor, state_manager: Any) -> SparseTensor:
        """The sparse tensor of class numbers."""
        raise NotImplementedError

    def _check_type(self, dtype: Any, own: Any) -> None:
        check_string_or_int(dtype, f"column_name: {self.name} input_tensor")
        if own.is_integer != dtype.is_integer:
            raise ValueError(
                f"Column dtype and SparseTensors dtype must be compatible. key: {self.name}, column dtype: {own}, "
                f"tensor dtype: {dtype}"
            )


class HashedCategoricalColumn(
    _OfKey, collections.namedtuple("HashedCategoricalColumn", ("key", "hash_bucket_size", "dtype"))
):
    """See `categorical_column_with_hash_bucket`."""

    @property
    def num_buckets(self) -> int:
        return self.hash_bucket_size

    def _numbered(self, tensor: SparseTensor, state_manager: Any) -> SparseTensor:
        self._check_type(tensor.dtype, self.dtype)
        values = tensor.values if self.dtype == dtypes.string else as_string(tensor.values)
        numbers = string_to_hash_bucket_fast(values, self.hash_bucket_size, name="lookup")
        return SparseTensor(tensor.indices, numbers, tensor.dense_shape)


def categorical_column_with_hash_bucket(
    key: str, hash_bucket_size: int, dtype: Any = dtypes.string
) -> HashedCategoricalColumn:
    """Strings or integers, spread over `hash_bucket_size` classes by a hash. Raises ValueError for sizes below 1."""
    if hash_bucket_size is None:
        raise ValueError(f"hash_bucket_size must be set. key: {key}")
    if hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be at least 1. hash_bucket_size: {hash_bucket_size}, key: {key}")
    check_key(key)
    check_string_or_int(dtype, f"column_name: {key}")
    return HashedCategoricalColumn(key, hash_bucket_size, dtype)


class _InTable(_OfKey):
    """Classes by the place of a word in a vocabulary."""

    def _numbered(self, tensor: SparseTensor, state_manager: Any) -> SparseTensor:
        own = self.dtype  # type: ignore[attr-defined]
        if own.is_integer != tensor.dtype.is_integer:
            raise ValueError(
                f"Column dtype and SparseTensors dtype must be compatible. key: {self.name}, column dtype: {own}, "
                f"tensor dtype: {tensor.dtype}"
            )
        check_string_or_int(tensor.dtype, f"column_name: {self.name} input_tensor")
        if tensor.dtype.is_integer:
            own, tensor = dtypes.int64, math.cast(tensor, dtypes.int64)
        name = f"{self.name}_lookup"
        table = self._table(own, name)
        if state_manager is not None:
            state_manager.add_resource(self, name, table)
        return table.lookup(tensor)

    def _table(self, dtype: Any, name: str) -> Any:
        raise NotImplementedError


class VocabularyFileCategoricalColumn(
    _InTable,
    collections.namedtuple(
        "VocabularyFileCategoricalColumn",
        ("key", "vocabulary_file", "vocabulary_size", "num_oov_buckets", "dtype", "default_value"),
    ),
):
    """See `categorical_column_with_vocabulary_file`."""

    @property
    def num_buckets(self) -> int:
        return self.vocabulary_size + self.num_oov_buckets

    def _table(self, dtype: Any, name: str) -> Any:
        return vocabularies.index_table_from_file(
            vocabulary_file=self.vocabulary_file,
            num_oov_buckets=self.num_oov_buckets,
            vocab_size=self.vocabulary_size,
            default_value=self.default_value,
            key_dtype=dtype,
            name=name,
        )


class VocabularyListCategoricalColumn(
    _InTable,
    collections.namedtuple(
        "VocabularyListCategoricalColumn", ("key", "vocabulary_list", "dtype", "default_value", "num_oov_buckets")
    ),
):
    """See `categorical_column_with_vocabulary_list`."""

    @property
    def num_buckets(self) -> int:
        return len(self.vocabulary_list) + self.num_oov_buckets

    def _table(self, dtype: Any, name: str) -> Any:
        return vocabularies.index_table_from_tensor(
            vocabulary_list=tuple(self.vocabulary_list),
            default_value=self.default_value,
            num_oov_buckets=self.num_oov_buckets,
            dtype=dtype,
            name=name,
        )


def _check_oov(key: str, num_oov_buckets: Any, default_is_given: bool) -> None:
    if not num_oov_buckets:
        return
    if default_is_given:
        raise ValueError(f"Can't specify both num_oov_buckets and default_value in {key}.")
    if num_oov_buckets < 0:
        raise ValueError(f"Invalid num_oov_buckets {num_oov_buckets} in {key}.")


def categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: Any,
    vocabulary_size: int | None = None,
    num_oov_buckets: int = 0,
    default_value: int | None = None,
    dtype: Any = dtypes.string,
) -> VocabularyFileCategoricalColumn:
    """Words by their lines in a file; others become `default_value` (-1) or one of `num_oov_buckets` more classes.

    Raises ValueError where the file is missing or the arguments contradict each other.
    """
    if not vocabulary_file:
        raise ValueError(f"Missing vocabulary_file in {key}.")
    if vocabulary_size is None:
        if not file_io.file_exists(vocabulary_file):
            raise ValueError(f"vocabulary_file in {key} does not exist.")
        with file_io.FileIO(vocabulary_file, "r") as lines:
            vocabulary_size = sum(1 for _ in lines)
        log.info("vocabulary_size = %d in %s is the number of lines of %s.", vocabulary_size, key, vocabulary_file)
    if vocabulary_size < 1:
        raise ValueError(f"Invalid vocabulary_size in {key}.")
    _check_oov(key, num_oov_buckets, default_value is not None)
    check_string_or_int(dtype, f"column_name: {key}")
    check_key(key)
    default = -1 if default_value is None else default_value
    return VocabularyFileCategoricalColumn(key, vocabulary_file, vocabulary_size, num_oov_buckets or 0, dtype, default)


def categorical_column_with_vocabulary_list(
    key: str, vocabulary_list: Any, dtype: Any = None, default_value: int = -1, num_oov_buckets: int = 0
) -> VocabularyListCategoricalColumn:
    """Words by their place in a list; others become `default_value` or one of `num_oov_buckets` more classes.

    Raises ValueError for empty lists, words that are there twice, and types that do not go together.
    """
    if vocabulary_list is None or len(vocabulary_list) < 1:
        raise ValueError(f"vocabulary_list {vocabulary_list} must be non-empty, column_name: {key}")
    if len(set(vocabulary_list)) != len(vocabulary_list):
        raise ValueError(f"Duplicate keys in vocabulary_list {vocabulary_list}, column_name: {key}")
    found = dtypes.as_dtype(np.array(vocabulary_list).dtype)
    _check_oov(key, num_oov_buckets, default_value != -1)
    check_string_or_int(found, f"column_name: {key} vocabulary")
    if dtype is None:
        dtype = found
    elif dtype.is_integer != found.is_integer:
        raise ValueError(f"dtype {dtype} and vocabulary dtype {found} do not match, column_name: {key}")
    check_string_or_int(dtype, f"column_name: {key}")
    check_key(key)
    return VocabularyListCategoricalColumn(key, tuple(vocabulary_list), dtype, default_value, num_oov_buckets)


class IdentityCategoricalColumn(
    _OfKey, collections.namedtuple("IdentityCategoricalColumn", ("key", "number_buckets", "default_value"))
):
    """See `categorical_column_with_identity`."""

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: VarLenFeature(dtypes.int64)}

    @property
    def num_buckets(self) -> int:
        return self.number_buckets

    def _numbered(self, tensor: SparseTensor, state_manager: Any) -> SparseTensor:
        if not tensor.dtype.is_integer:
            raise ValueError(f"Invalid input, not integer. key: {self.key} dtype: {tensor.dtype}")
        values = math.cast(tensor.values, dtypes.int64, name="values")
        count = math.cast(self.num_buckets, dtypes.int64, name="num_buckets")
        zero = math.cast(0, dtypes.int64, name="zero")
        if self.default_value is None:
            below = checks.assert_less(
                values,
                count,
                data=(values, count),
                message=f'Bucket index for categorical column "{self.name}" exceeds number of buckets',
                name="assert_less_than_num_buckets",
            )
            above = checks.assert_greater_equal(
                values,
                zero,
                data=(values,),
                message=f'Negative bucket index for categorical column "{self.name}"',
                name="assert_greater_or_equal_0",
            )
            with get_default_graph().control_dependencies((below, above)):
                values = basic.identity(values)
        else:
            outside = math.logical_or(values < zero, values >= count, name="out_of_range")
            default = math.cast(self.default_value, dtypes.int64)
            values = where_v2(outside, array.fill(array.shape(values), default, name="default_values"), values)
        return SparseTensor(tensor.indices, values, tensor.dense_shape)


def categorical_column_with_identity(
    key: str, num_buckets: int, default_value: int | None = None
) -> IdentityCategoricalColumn:
    """Integers that are class numbers in [0, num_buckets); others become `default_value`, or are errors.

    Raises ValueError for a default that is no class.
    """
    if num_buckets < 1:
        raise ValueError(f"num_buckets {num_buckets} < 1, column_name {key}")
    if default_value is not None and not 0 <= default_value < num_buckets:
        raise ValueError(f"default_value {default_value} not in range [0, {num_buckets}), column_name {key}")
    check_key(key)
    return IdentityCategoricalColumn(key, num_buckets, default_value)


class WeightedCategoricalColumn(
    CategoricalColumn,
    collections.namedtuple("WeightedCategoricalColumn", ("categorical_column", "weight_feature_key", "dtype")),
):
    """See `weighted_categorical_column`."""

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_weighted_by_{self.weight_feature_key}"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        spec = dict(self.categorical_column.parse_example_spec)
        if self.weight_feature_key in spec:
            raise ValueError(
                f"Parse config {spec[self.weight_feature_key]} already exists for {self.weight_feature_key}."
            )
        spec[self.weight_feature_key] = VarLenFeature(self.dtype)
        return spec

    @property
    def parents(self) -> list[Any]:
        return [self.categorical_column, self.weight_feature_key]

    @property
    def num_buckets(self) -> int:
        return self.categorical_column.num_buckets

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        weights = transformation_cache.get(self.weight_feature_key, state_manager)
        if weights is None:
            raise ValueError(f"Missing weights {self.weight_feature_key}.")
        weights = convert_to_tensor_or_sparse_tensor(weights)
        if self.dtype != weights.dtype.base_dtype:
            raise ValueError(f"Bad dtype, expected {self.dtype}, but got {weights.dtype}.")
        weights = to_sparse(weights, 0.0)
        if not weights.dtype.is_floating:
            weights = math.cast(weights, dtypes.float32)
        return transformation_cache.get(self.categorical_column, state_manager), weights

    def get_sparse_tensors(self, transformation_cache: Any, state_manager: Any) -> Any:
        return self.IdWeightPair(*transformation_cache.get(self, state_manager))


def weighted_categorical_column(
    categorical_column: Any, weight_feature_key: str, dtype: Any = dtypes.float32
) -> WeightedCategoricalColumn:
    """Classes that count as much as the feature `weight_feature_key` says. Raises ValueError for types without numbers."""
    if dtype is None or not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype {dtype} is not convertible to float.")
    return WeightedCategoricalColumn(categorical_column, weight_feature_key, dtype)


class CrossedColumn(
    CategoricalColumn, collections.namedtuple("CrossedColumn", ("keys", "hash_bucket_size", "hash_key"))
):
    """See `crossed_column`."""

    @property
    def _leaves(self) -> list[Any]:
        return [leaf for key in self.keys for leaf in (key._leaves if isinstance(key, CrossedColumn) else [key])]

    @property
    def name(self) -> str:
        return "_X_".join(sorted(leaf.name if isinstance(leaf, FeatureColumn) else leaf for leaf in self._leaves))

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {}
        for key in self.keys:
            spec.update(
                key.parse_example_spec if isinstance(key, FeatureColumn) else {key: VarLenFeature(dtypes.string)}
            )
        return spec

    @property
    def parents(self) -> list[Any]:
        return list(self.keys)

    @property
    def num_buckets(self) -> int:
        return self.hash_bucket_size

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        tensors = []
        for leaf in self._leaves:
            if isinstance(leaf, str):
                tensors.append(transformation_cache.get(leaf, state_manager))
                continue
            ids, weights = leaf.get_sparse_tensors(transformation_cache, state_manager)
            if weights is not None:
                raise ValueError(
                    "crossed_column does not support weight_tensor, but the given column populates weight_tensor. "
                    f"Given column: {leaf.name}"
                )
            tensors.append(ids)
        return self._crossed(tensors)

    def _crossed(self, tensors: list[Any]) -> Any:
        return sparse_cross_hashed(tensors, num_buckets=self.hash_bucket_size, hash_key=self.hash_key)


def crossed_column(keys: Any, hash_bucket_size: int, hash_key: int | None = None) -> CrossedColumn:
    """Every combination of the values of several features, spread over `hash_bucket_size` classes.

    `keys`: names of string features, and categorical columns that are not hashed themselves. Raises ValueError for others.
    """
    if not hash_bucket_size or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be > 1. hash_bucket_size: {hash_bucket_size}")
    if not keys or len(keys) < 2:
        raise ValueError(f"keys must be a list with length > 1. Given: {keys}")
    for key in keys:
        if not isinstance(key, str | CategoricalColumn):
            raise ValueError(
                "Unsupported key type. All keys must be either string, or categorical column except "
                f"HashedCategoricalColumn. Given: {key}"
            )
        if isinstance(key, HashedCategoricalColumn):
            raise ValueError(
                "categorical_column_with_hash_bucket is not supported for crossing. Hashing before crossing will increase "
                f"probability of collision. Instead, use the feature name as a string. Given: {key}"
            )
    return CrossedColumn(tuple(keys), hash_bucket_size, hash_key)
