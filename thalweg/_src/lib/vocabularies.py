"""Tables of vocabularies: from words to numbers and back, from a file or a tensor, with buckets for other words."""

from __future__ import annotations

import collections
import functools
from typing import Any

from thalweg._src.core import dtypes, infer, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.lib.lookup import HashTable, LookupInterface, StaticHashTable, is_sparse, like_keys
from thalweg._src.lib.table_initializers import (
    LINE_NUMBER,
    WHOLE_LINE,
    KeyValueTensorInitializer,
    TableInitializerBase,
    TextFileIdTableInitializer,
    TextFileStringTableInitializer,
)
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math


class HasherSpec(collections.namedtuple("HasherSpec", ["hasher", "key"])):
    """The hash function of buckets: its name, and its key where it has one."""

    __slots__ = ()


FastHashSpec = HasherSpec("fasthash", None)


class StrongHashSpec(HasherSpec):
    """A keyed hash that nobody can find collisions for; `key` is two unsigned integers."""

    __slots__ = ()

    def __new__(cls, key: Any) -> StrongHashSpec:
        if len(key) != 2:
            raise ValueError(f"key must have size 2, got {len(key)}.")
        if any(isinstance(k, bool) or not isinstance(k, int) or k < 0 for k in key):
            raise TypeError(f"Invalid key {key}. Must be unsigned integer values.")
        return super().__new__(cls, "stronghash", key)


def _bucket_function(spec: HasherSpec) -> Any:
    from thalweg._src.ops.text import string_numbers

    if not isinstance(spec, HasherSpec):
        raise TypeError(f"hasher_spec must be of type HasherSpec {spec}")
    if spec.hasher == "fasthash":
        return string_numbers.string_to_hash_bucket_fast
    if spec.hasher == "legacy":
        return string_numbers.string_to_hash_bucket
    if spec.hasher == "stronghash":
        return functools.partial(string_numbers.string_to_hash_bucket_strong, key=spec.key)
    raise ValueError(f"Unknown hasher {spec.hasher}")


class IdTableWithHashBuckets(LookupInterface):
    """Numbers for keys: those of `table`, and for other keys one of `num_oov_buckets` more, by their hash."""

    def __init__(
        self,
        table: Any,
        num_oov_buckets: int,
        hasher_spec: HasherSpec = FastHashSpec,
        name: str | None = None,
        key_dtype: Any = None,
    ):
        name = name.rstrip("/") if name else name
        key_dtype = None if key_dtype is None else dtypes.as_dtype(key_dtype)
        if table is not None:
            key_dtype = _lookup_type(table, key_dtype)
            name = name or table.name
        else:
            if num_oov_buckets <= 0:
                raise ValueError("oov_buckets must be > 0 if no table is supplied.")
            key_dtype = dtypes.string if key_dtype is None else key_dtype
            name = name or "hash_bucket"
        if not key_dtype.is_integer and key_dtype != dtypes.string:
            raise TypeError(f"Invalid key_dtype, expected integer or string, got {key_dtype!s}.")
        if not isinstance(hasher_spec, HasherSpec):
            raise TypeError(f"hasher_spec must be of type HasherSpec, got {hasher_spec}")
        super().__init__(key_dtype, dtypes.int64)
        self._table, self._num_oov_buckets, self._hasher_spec = table, num_oov_buckets, hasher_spec
        self._table_name = name.split("/")[-1]

    @property
    def initializer(self) -> Operation:
        """The operation that fills the table."""
        if self._table is not None:
            return self._table.initializer
        with scopes.name_scope(None, "init"):
            return basic.no_op()

    @property
    def init(self) -> Operation:
        """`initializer`, by its older name."""
        return self.initializer

    @property
    def resource_handle(self) -> Any:
        return None if self._table is None else self._table.resource_handle

    def size(self, name: str | None = None) -> Tensor:
        with scopes.name_scope(name, f"{self.name}_Size"):
            own = self._table.size() if self._table is not None else to_tensor(0, dtypes.int64)
            return own + self._num_oov_buckets

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The numbers of `keys`. Raises TypeError for keys of another type."""
        self._check_key(keys)
        values = keys.values if is_sparse(keys) else keys
        table = self._table
        if table is not None and table.key_dtype.base_dtype == dtypes.int64:
            values = math.cast(values, dtypes.int64)
        if self._num_oov_buckets == 0:
            return like_keys(keys, table.lookup(values, name=name))
        with scopes.name_scope(name, f"{self.name}_Lookup"):
            text = values if values.dtype.base_dtype == dtypes.string else _as_string(values)
            ids = _bucket_function(self._hasher_spec)(text, num_buckets=self._num_oov_buckets, name="hash_bucket")
            if table is not None:
                found = table.lookup(values)
                buckets = math.add(ids, table.size())
                ids = array.where_v2(math.not_equal(found, table.default_value), found, buckets)
        return like_keys(keys, ids)


def _as_string(values: Tensor) -> Tensor:
    from thalweg._src.ops.text.string_numbers import as_string

    return as_string(values)


def _lookup_type(source: Any, key_dtype: DType | None) -> DType:
    """The type of keys to look up in `source`, which has keys of its own type."""
    wanted = source.key_dtype if key_dtype is None else key_dtype
    if source.key_dtype not in (dtypes.int64, dtypes.string):
        raise TypeError(
            f"Invalid key dtype, expected one of {(dtypes.int64, dtypes.string)}, but got {source.key_dtype!s}."
        )
    if source.key_dtype.is_integer != wanted.is_integer:
        kind = "integer" if wanted.is_integer else "non-integer"
        raise TypeError(f"Invalid key dtype, expected {kind} but got {source.key_dtype!s}.")
    if source.value_dtype != dtypes.int64:
        raise TypeError(f"Invalid value dtype, expected {dtypes.int64!s} but got {source.value_dtype!s}.")
    return wanted


class StaticVocabularyTable(IdTableWithHashBuckets):
    """Numbers for keys: those of `initializer`, and for other keys one of `num_oov_buckets` more, by their hash."""

    def __init__(
        self,
        initializer: TableInitializerBase | None,
        num_oov_buckets: int,
        lookup_key_dtype: Any = None,
        name: str | None = None,
    ):
        if num_oov_buckets <= 0:
            raise ValueError("oov_buckets must be > 0.")
        wanted = None if lookup_key_dtype is None else dtypes.as_dtype(lookup_key_dtype)
        table = None
        if initializer is not None:
            wanted = _lookup_type(initializer, wanted)
            table = HashTable(initializer, default_value=-1)
        super().__init__(table, num_oov_buckets, FastHashSpec, name, wanted if table is not None else dtypes.string)


def _check_vocabulary_file(file: Any, size: int | None, oov: int = 0) -> None:
    if file is None or (isinstance(file, str) and not file):
        raise ValueError("vocabulary_file must be specified and must not be empty.")
    if oov < 0:
        raise ValueError(f"num_oov_buckets must be greater or equal than 0, got {oov}.")
    if size is not None and size < 1:
        shown = (infer.constant_value(file) or "?") if isinstance(file, Tensor) else file
        raise ValueError(f"vocab_size must be greater than 0, got {size}. vocabulary_file: {shown}")


def _check_keys(dtype: DType) -> None:
    if not dtype.is_integer and dtype.base_dtype != dtypes.string:
        raise TypeError("Only integer and string keys are supported.")


def index_table_from_file(
    vocabulary_file: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    key_dtype: Any = dtypes.string,
    name: str | None = None,
    key_column_index: int = WHOLE_LINE,
    value_column_index: int = LINE_NUMBER,
    delimiter: str = "\t",
) -> Any:
    """A table from the lines of a file to their numbers; other keys get a bucket each, or the default value."""
    key_dtype = dtypes.as_dtype(key_dtype)
    _check_vocabulary_file(vocabulary_file, vocab_size, num_oov_buckets)
    _check_keys(key_dtype)
    with scopes.name_scope(name, "string_to_index"):
        with scopes.name_scope(None, "hash_table"):
            init = TextFileIdTableInitializer(
                *(vocabulary_file, key_column_index, value_column_index, vocab_size, delimiter, "table_init"),
                dtypes.int64 if key_dtype.is_integer else key_dtype,
            )
            table = StaticHashTable(init, default_value)
        return _with_buckets(table, num_oov_buckets, hasher_spec, key_dtype)


def index_table_from_tensor(
    vocabulary_list: Any = None,
    num_oov_buckets: int = 0,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    dtype: Any = dtypes.string,
    name: str | None = None,
    mapping: Any = None,
) -> Any:
    """A table from the elements of a vector to their numbers; other keys get a bucket each, or the default value."""
    vocabulary_list = mapping if vocabulary_list is None else vocabulary_list
    dtype = dtypes.as_dtype(dtype)
    if vocabulary_list is None:
        raise ValueError("vocabulary_list must be specified.")
    if num_oov_buckets < 0:
        raise ValueError(f"num_oov_buckets must be greater or equal than 0, got {num_oov_buckets}.")
    _check_keys(dtype)
    with scopes.name_scope(name, "string_to_index"):
        keys = to_tensor(vocabulary_list)
        if keys.dtype.is_integer != dtype.is_integer:
            raise ValueError(f"Expected {'integer' if dtype.is_integer else 'non-integer'}, got {keys.dtype!s}.")
        if not dtype.is_integer and keys.dtype.base_dtype != dtype:
            raise ValueError(f"Expected {dtype!s}, got {keys.dtype!s}.")
        values = math.cast(math.range(array.size(keys)), dtypes.int64)
        with scopes.name_scope(None, "hash_table"):
            own = math.cast(keys, dtypes.int64) if keys.dtype.is_integer else keys
            init = KeyValueTensorInitializer(own, values, own.dtype.base_dtype, dtypes.int64, name="table_init")
            table = StaticHashTable(init, default_value)
        return _with_buckets(table, num_oov_buckets, hasher_spec, dtype)


def _with_buckets(table: Any, count: int, spec: HasherSpec, key_dtype: DType) -> Any:
    return IdTableWithHashBuckets(table, count, spec, key_dtype=key_dtype) if count else table


def index_to_string_table_from_file(
    vocabulary_file: Any,
    vocab_size: int | None = None,
    default_value: str = "UNK",
    name: str | None = None,
    key_column_index: int = LINE_NUMBER,
    value_column_index: int = WHOLE_LINE,
    delimiter: str = "\t",
) -> StaticHashTable:
    """A table from numbers to the lines of a file."""
    _check_vocabulary_file(vocabulary_file, vocab_size)
    with scopes.name_scope(name, "index_to_string"):
        init = TextFileStringTableInitializer(
            vocabulary_file, key_column_index, value_column_index, vocab_size, delimiter, "table_init"
        )
        return StaticHashTable(init, default_value)


def index_to_string_table_from_tensor(
    vocabulary_list: Any = None, default_value: str = "UNK", name: str | None = None, mapping: Any = None
) -> StaticHashTable:
    """A table from numbers to the elements of a vector of strings."""
    vocabulary_list = mapping if vocabulary_list is None else vocabulary_list
    if vocabulary_list is None:
        raise ValueError("vocabulary_list must be specified.")
    with scopes.name_scope(name, "index_to_string"):
        words = to_tensor(vocabulary_list, dtypes.string)
        keys = math.cast(math.range(array.size(words)), dtypes.int64)
        init = KeyValueTensorInitializer(keys, words, dtypes.int64, dtypes.string, name="table_init")
        return StaticHashTable(init, default_value)


def string_to_index(tensor: Any, mapping: Any, default_value: int = -1, name: str | None = None) -> Tensor:
    """The numbers of strings in `mapping`, a vector of strings."""
    return index_table_from_tensor(mapping, default_value=default_value, name=name).lookup(to_tensor(tensor))


def index_to_string(tensor: Any, mapping: Any, default_value: str = "UNK", name: str | None = None) -> Tensor:
    """The strings of `mapping` at the numbers `tensor`."""
    return index_to_string_table_from_tensor(mapping, default_value, name).lookup(to_tensor(tensor))
