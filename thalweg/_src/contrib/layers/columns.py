"""The feature columns of tf.contrib.layers: those of tf.feature_column under their earlier names and with their earlier faces."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.lib.feature_columns import categorical, embedded, numeric
from thalweg._src.lib.feature_columns.base import FeatureColumn
from thalweg._src.ops.constants import placeholder
from thalweg._src.ops.initializers import truncated_normal_initializer
from thalweg._src.ops.parsing import VarLenFeature
from thalweg._src.ops.sparse_arrange import sparse_placeholder
from thalweg._src.ops.sparse_cross import sparse_feature_cross


class ContribColumn:
    """What columns of contrib have besides: `config`, how to parse them, and `key`, which orders them."""

    @property
    def config(self) -> dict[str, Any]:
        return self.parse_example_spec  # type: ignore[attr-defined]

    @property
    def column_name(self) -> str:
        return self.name  # type: ignore[attr-defined]

    @property
    def is_real_valued(self) -> bool:
        return False


class RealValuedColumn(ContribColumn, numeric.NumericColumn):
    """See `real_valued_column`."""

    @property
    def dimension(self) -> int:
        return self.shape[0]

    @property
    def config(self) -> dict[str, Any]:
        return {self.name: self.parse_example_spec[self.key]._replace(shape=list(self.shape))}

    @property
    def normalizer(self) -> Any:
        return self.normalizer_fn

    @property
    def is_real_valued(self) -> bool:
        return True


def real_valued_column(
    column_name: str, dimension: int = 1, default_value: Any = None, dtype: Any = dtypes.float32, normalizer: Any = None
) -> RealValuedColumn:
    """Numbers: `dimension` of them in each example. Raises TypeError and ValueError for arguments that don't go together."""
    if dimension is None or not isinstance(dimension, int):
        raise TypeError(f"dimension must be an integer. dimension: {dimension}, column_name: {column_name}")
    if dimension < 1:
        raise ValueError(f"dimension must be greater than 0. dimension: {dimension}, column_name: {column_name}")
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {dtype}, column_name: {column_name}")
    if isinstance(default_value, list) and len(default_value) != dimension:
        raise ValueError(
            f"The length of default_value must be equal to dimension. default_value: {default_value}, dimension: {dimension}, "
            f"column_name: {column_name}"
        )
    values = default_value if isinstance(default_value, list) else [default_value] * dimension
    if default_value is not None:
        whole = all(isinstance(v, int) for v in values)
        numbers = all(isinstance(v, int | float) for v in values)
        if not (whole or (numbers and dtype.is_floating)):
            raise TypeError(
                f"default_value must be compatible with dtype. default_value: {default_value}, dtype: {dtype}, column_name: "
                f"{column_name}"
            )
    kind = float if dtype.is_floating else int
    default = None if default_value is None else tuple(kind(v) for v in values)
    return RealValuedColumn(column_name, (dimension,), default, dtype, normalizer)


class BucketizedColumn(ContribColumn, numeric.BucketizedColumn):
    """See `bucketized_column`."""


def bucketized_column(source_column: Any, boundaries: Any) -> BucketizedColumn:
    """Which bucket each number of a real-valued column falls into. Raises ValueError for boundaries that are not sorted."""
    if not isinstance(source_column, RealValuedColumn):
        raise TypeError(f"source_column must be an instance of _RealValuedColumn. source_column: {source_column}")
    if not isinstance(boundaries, list | tuple) or not boundaries:
        raise ValueError(f"boundaries must be a non-empty list or tuple. boundaries: {boundaries}")
    if any(a > b for a, b in zip(boundaries, boundaries[1:], strict=False)):
        raise ValueError(f"boundaries must be a sorted list. boundaries: {boundaries}")
    return BucketizedColumn(source_column, tuple(sorted(set(boundaries))))


class _Sparse(ContribColumn):
    """Classes, with the name of their combination in sums."""

    combiner = "sum"

    @property
    def length(self) -> int:
        return self.num_buckets  # type: ignore[attr-defined]


class HashedSparseColumn(_Sparse, categorical.HashedCategoricalColumn):
    """See `sparse_column_with_hash_bucket`."""


class IntegerizedSparseColumn(_Sparse, categorical.IdentityCategoricalColumn):
    """See `sparse_column_with_integerized_feature`."""


class KeysSparseColumn(_Sparse, categorical.VocabularyListCategoricalColumn):
    """See `sparse_column_with_keys`."""


class VocabularySparseColumn(_Sparse, categorical.VocabularyFileCategoricalColumn):
    """See `sparse_column_with_vocabulary_file`."""


class WeightedSparseColumn(_Sparse, categorical.WeightedCategoricalColumn):
    """See `weighted_sparse_column`."""


class CrossedColumn(_Sparse, categorical.CrossedColumn):
    """See `crossed_column`. Without `hash_key` its hash is the one of contrib."""

    def _crossed(self, tensors: list[Any]) -> Any:
        return sparse_feature_cross(tensors, True, self.hash_bucket_size, hash_key=self.hash_key)


def _combined(column: Any, combiner: str | None) -> Any:
    column.combiner = combiner or "sum"
    return column


def sparse_column_with_hash_bucket(
    column_name: str, hash_bucket_size: int, combiner: str = "sum", dtype: Any = dtypes.string, hash_keys: Any = None
) -> HashedSparseColumn:
    """Strings or integers, spread over classes by a hash. Raises ValueError for sizes below 1."""
    made = categorical.categorical_column_with_hash_bucket(column_name, hash_bucket_size, dtype)
    return _combined(HashedSparseColumn(*made), combiner)


def sparse_column_with_integerized_feature(
    column_name: str, bucket_size: int, combiner: str = "sum", dtype: Any = dtypes.int64
) -> IntegerizedSparseColumn:
    """Integers that are class numbers in [0, bucket_size). Raises ValueError for other types."""
    if not dtype.is_integer:
        raise ValueError(f"dtype must be an integer. dtype: {dtype}, column_name: {column_name}")
    made = categorical.categorical_column_with_identity(column_name, bucket_size)
    return _combined(IntegerizedSparseColumn(*made), combiner)


def sparse_column_with_keys(
    column_name: str, keys: Any, default_value: int = -1, combiner: str = "sum", dtype: Any = dtypes.string
) -> KeysSparseColumn:
    """Words by their place in `keys`."""
    return _combined(KeysSparseColumn(column_name, tuple(keys), dtype, default_value, 0), combiner)


def sparse_column_with_vocabulary_file(
    column_name: str,
    vocabulary_file: str,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    combiner: str = "sum",
    dtype: Any = dtypes.string,
) -> VocabularySparseColumn:
    """Words by their lines in a file. Raises ValueError without `vocab_size`."""
    if vocab_size is None:
        raise ValueError(f"vocab_size should be defined. column_name: {column_name}")
    made = VocabularySparseColumn(column_name, vocabulary_file, vocab_size, num_oov_buckets, dtype, default_value)
    return _combined(made, combiner)


def weighted_sparse_column(
    sparse_id_column: Any, weight_column_name: str, dtype: Any = dtypes.float32
) -> WeightedSparseColumn:
    """Classes that count as much as another feature says. Raises ValueError for types without numbers."""
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype is not convertible to float. Given {dtype}")
    return _combined(WeightedSparseColumn(sparse_id_column, weight_column_name, dtype), sparse_id_column.combiner)


def crossed_column(
    columns: Any,
    hash_bucket_size: int,
    combiner: str = "sum",
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: Any = None,
    hash_key: int | None = None,
) -> CrossedColumn:
    """Every combination of the values of several columns, by a hash. Raises ValueError for fewer than two columns."""
    if len(columns) < 2:
        raise ValueError("columns must contain at least 2 elements.")
    # A hashed feature is crossed as the words that it is.
    keys = tuple(c.key if isinstance(c, HashedSparseColumn) else c for c in columns)
    return _combined(CrossedColumn(keys, hash_bucket_size, hash_key), combiner)


class EmbeddingColumn(ContribColumn, embedded.EmbeddingColumn):
    """See `embedding_column`."""

    @property
    def sparse_id_column(self) -> Any:
        return self.categorical_column


class SharedEmbeddingColumn(ContribColumn, embedded.SharedEmbeddingColumn):
    """See `shared_embedding_columns`."""

    @property
    def sparse_id_column(self) -> Any:
        return self.categorical_column


def _initializer(initializer: Any, width: int, column: Any) -> Any:
    """The first values: spread by the number of classes, as contrib had it."""
    if initializer is not None and not callable(initializer):
        raise ValueError(f"initializer must be callable if specified. Embedding of column_name: {column.name}")
    return initializer or truncated_normal_initializer(mean=0.0, stddev=1 / width**0.5)


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
    chosen = _initializer(initializer, sparse_id_column.num_buckets, sparse_id_column)
    return EmbeddingColumn(
        *(sparse_id_column, dimension, combiner, chosen, ckpt_to_load_from, tensor_name_in_ckpt, max_norm, trainable)
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
) -> list[SharedEmbeddingColumn]:
    """Embedding columns with one table. Raises TypeError for other things, ValueError for none."""
    if not isinstance(sparse_id_columns, list | tuple):
        raise TypeError("columns must be a non-empty list or tuple.")
    if not sparse_id_columns:
        raise ValueError("The input sparse_id_columns should have at least one element.")
    ordered = sorted(sparse_id_columns, key=lambda c: c.name)
    name = shared_embedding_name or "_".join(c.name for c in ordered) + "_shared_embedding"
    collection = f"SHARED_EMBEDDING_COLLECTION_{name.upper()}"
    chosen = _initializer(initializer, ordered[0].num_buckets, ordered[0])
    return [
        SharedEmbeddingColumn(
            *(c, dimension, combiner, chosen, collection, ckpt_to_load_from, tensor_name_in_ckpt, max_norm, trainable)
        )
        for c in sparse_id_columns
    ]


class OneHotColumn(ContribColumn, embedded.IndicatorColumn):
    """See `one_hot_column`."""

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_one_hot"

    @property
    def sparse_id_column(self) -> Any:
        return self.categorical_column

    @property
    def length(self) -> int:
        return self.categorical_column.num_buckets


def one_hot_column(sparse_id_column: Any) -> OneHotColumn:
    """How often each class is there."""
    return OneHotColumn(sparse_id_column)


def create_feature_spec_for_parsing(feature_columns: Any) -> dict[str, Any]:
    """{key: how to parse it}, for tf.parse_example. Raises TypeError for what is no column."""
    if isinstance(feature_columns, dict):
        feature_columns = feature_columns.values()
    spec: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise TypeError("feature_columns should be an instance of _FeatureColumn.")
        spec.update(column.parse_example_spec)
    return spec


def make_place_holder_tensors_for_base_features(feature_columns: Any) -> dict[str, Any]:
    """{key: placeholder} of all features of columns."""
    made = {}
    for key, kind in create_feature_spec_for_parsing(feature_columns).items():
        if isinstance(kind, VarLenFeature):
            made[key] = sparse_placeholder(kind.dtype, name=f"Placeholder_{key}")
        else:
            made[key] = placeholder(kind.dtype, shape=(None, kind.shape[0]), name=f"Placeholder_{key}")
    return made
