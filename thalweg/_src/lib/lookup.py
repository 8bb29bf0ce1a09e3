"""Lookup tables: `tf.lookup` and `tf.contrib.lookup`. Their contents live in the session; `tf.tables_initializer`
fills them.
"""

from __future__ import annotations

import collections
import functools
import uuid
from typing import Any

from thalweg._src.core import dtypes, infer, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.saving.saveables import SaveableObject, SaveSpec
from thalweg._src.ops import basic, lookup
from thalweg._src.ops.late import array, math

# What stands for columns of a text file beside their numbers.
WHOLE_LINE, LINE_NUMBER = lookup.WHOLE_LINE, lookup.LINE_NUMBER


class TextFileIndex:
    """What a line of a text file gives beside its columns: the whole line, or its number from 0."""

    WHOLE_LINE = WHOLE_LINE
    LINE_NUMBER = LINE_NUMBER


def tables_initializer(name: str = "init_all_tables") -> Operation:
    """An operation that fills all tables of the default graph."""
    initializers = scopes.get_collection(GraphKeys.TABLE_INITIALIZERS)
    return basic.group(*initializers, name=name) if initializers else basic.no_op(name=name)


def initialize_all_tables(name: str = "init_all_tables") -> Operation:
    """`tables_initializer`, by its name of 0.x."""
    return tables_initializer(name)


def _check_types(table: Any, key_dtype: DType, value_dtype: DType) -> None:
    if key_dtype.base_dtype != table.key_dtype:
        raise TypeError(f"Invalid key dtype, expected {table.key_dtype!s} but got {key_dtype!s}.")
    if value_dtype.base_dtype != table.value_dtype:
        raise TypeError(f"Invalid value dtype, expected {table.value_dtype!s} but got {value_dtype!s}.")


# -- what fills a table


class TableInitializerBase:
    """What fills a table that is filled once."""

    def __init__(self, key_dtype: Any, value_dtype: Any):
        self._key_dtype, self._value_dtype = dtypes.as_dtype(key_dtype), dtypes.as_dtype(value_dtype)

    @property
    def key_dtype(self) -> DType:
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        return self._value_dtype

    def initialize(self, table: Any) -> Operation:
        """The operation that fills `table`."""
        raise NotImplementedError

    @property
    def _shared_name(self) -> str:
        return ""


class KeyValueTensorInitializer(TableInitializerBase):
    """Fills a table from a tensor of keys and one of values."""

    def __init__(self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: str | None = None):
        with scopes.init_scope():
            self._keys = to_tensor(keys, None if key_dtype is None else dtypes.as_dtype(key_dtype), "keys")
            self._values = to_tensor(values, None if value_dtype is None else dtypes.as_dtype(value_dtype), "values")
        self._name = "key_value_init" if name is None else name
        super().__init__(self._keys.dtype, self._values.dtype)

    def initialize(self, table: Any) -> Operation:
        """The operation that fills `table`. Raises TypeError where the types do not match."""
        _check_types(table, self._keys.dtype, self._values.dtype)
        with scopes.name_scope(self._name, values=[table.resource_handle, self._keys, self._values]):
            done = lookup.USE["import"](table.resource_handle, self._keys, self._values)
        scopes.add_to_collection(GraphKeys.TABLE_INITIALIZERS, done)
        return done


class TextFileInitializer(TableInitializerBase):
    """Fills a table from a text file: an index names the column (or TextFileIndex) of the keys, another that of the
    values.
    """

    def __init__(
        self,
        filename: Any,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = None,
    ):
        if not isinstance(filename, Tensor) and not filename:
            raise ValueError(f"Filename required for {name}.")
        key_dtype, value_dtype = dtypes.as_dtype(key_dtype), dtypes.as_dtype(value_dtype)
        for what, index in (("key", key_index), ("value", value_index)):
            if index < -2:
                raise ValueError(f"Invalid {what} index {index}.")
        if key_index == LINE_NUMBER and key_dtype != dtypes.int64:
            raise ValueError(f"Signature mismatch. Keys must be dtype {dtypes.int64!s}, got {key_dtype!s}.")
        if key_index == WHOLE_LINE and not key_dtype.is_integer and key_dtype != dtypes.string:
            raise ValueError(f"Signature mismatch. Keys must be integer or string, got {key_dtype!s}.")
        if value_index == LINE_NUMBER and value_dtype != dtypes.int64:
            raise ValueError(f"Signature mismatch. Values must be dtype {dtypes.int64!s}, got {value_dtype!s}.")
        if value_index == WHOLE_LINE and value_dtype != dtypes.string:
            raise ValueError(f"Signature mismatch. Values must be dtype {dtypes.string!s}, got {value_dtype!s}.")
        if vocab_size is not None and vocab_size <= 0:
            raise ValueError(f"Invalid vocab_size {vocab_size}.")
        self._filename, self._key_index, self._value_index = filename, key_index, value_index
        self._vocab_size, self._delimiter, self._name = vocab_size, delimiter, name
        super().__init__(key_dtype, value_dtype)

    def initialize(self, table: Any) -> Operation:
        """The operation that fills `table`. Raises TypeError where the types do not match."""
        _check_types(table, self.key_dtype, self.value_dtype)
        with scopes.name_scope(self._name, "text_file_init", [table.resource_handle]):
            filename = to_tensor(self._filename, dtypes.string, "asset_filepath")
            done = lookup.initialize_table_from_text_file(
                table.resource_handle,
                filename,
                key_index=self._key_index,
                value_index=self._value_index,
                vocab_size=-1 if self._vocab_size is None else self._vocab_size,
                delimiter=self._delimiter,
            )
        scopes.add_to_collection(GraphKeys.TABLE_INITIALIZERS, done)
        if filename.op.opdef.constant:
            scopes.add_to_collection(GraphKeys.ASSET_FILEPATHS, filename)
        return done

    @property
    def _shared_name(self) -> str:
        # Tables of one file are one table.
        size = f"{self._vocab_size}_" if self._vocab_size else ""
        return f"hash_table_{self._filename}_{size}{self._key_index}_{self._value_index}"


class TextFileStringTableInitializer(TextFileInitializer):
    """Fills a table from numbers to strings with the lines of a file."""

    def __init__(
        self,
        filename: Any,
        key_column_index: int = LINE_NUMBER,
        value_column_index: int = WHOLE_LINE,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = "text_file_string_table_init",
    ):
        super().__init__(
            *(filename, dtypes.int64, key_column_index, dtypes.string, value_column_index),
            *(vocab_size, delimiter, name),
        )


class TextFileIdTableInitializer(TextFileInitializer):
    """Fills a table from strings to numbers with the lines of a file."""

    def __init__(
        self,
        filename: Any,
        key_column_index: int = WHOLE_LINE,
        value_column_index: int = LINE_NUMBER,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = "text_file_id_table_init",
        key_dtype: Any = dtypes.string,
    ):
        super().__init__(
            *(filename, key_dtype, key_column_index, dtypes.int64, value_column_index),
            *(vocab_size, delimiter, name),
        )


# -- tables


def _sparse(keys: Any) -> bool:
    return hasattr(keys, "_components") and hasattr(keys, "indices")


def _like(keys: Any, values: Tensor) -> Any:
    """`values` in the structure of `keys`."""
    return type(keys)(keys.indices, values, keys.dense_shape) if _sparse(keys) else values


class LookupInterface:
    """A mapping from keys of one type to values of another, held by the session."""

    def __init__(self, key_dtype: Any, value_dtype: Any):
        self._key_dtype, self._value_dtype = dtypes.as_dtype(key_dtype), dtypes.as_dtype(value_dtype)
        self._resource_handle: Any = None
        self._table_name: str | None = None

    @property
    def key_dtype(self) -> DType:
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        return self._value_dtype

    @property
    def name(self) -> str | None:
        return self._table_name

    @property
    def resource_handle(self) -> Any:
        """The tensor that stands for the table."""
        return self._resource_handle

    def size(self, name: str | None = None) -> Tensor:
        """The number of entries."""
        with scopes.name_scope(name, f"{self.name}_Size", [self.resource_handle]):
            return lookup.USE["size"](self.resource_handle)

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of `keys`."""
        raise NotImplementedError

    def _check_key(self, keys: Any) -> None:
        if keys.dtype.base_dtype != self._key_dtype:
            raise TypeError(f"Signature mismatch. Keys must be dtype {self._key_dtype!s}, got {keys.dtype!s}.")


class InitializableLookupTableBase(LookupInterface):
    """A table that is filled once, by an initializer."""

    def __init__(self, default_value: Any, initializer: TableInitializerBase):
        super().__init__(initializer.key_dtype, initializer.value_dtype)
        self._default_value = to_tensor(default_value, self._value_dtype)
        self._default_value.get_shape().merge_with([])
        self._initializer = initializer
        with scopes.init_scope():
            self._resource_handle = self._create_resource()
            self._init_op = initializer.initialize(self)

    def _create_resource(self) -> Tensor:
        raise NotImplementedError

    @property
    def initializer(self) -> Operation:
        """The operation that fills the table."""
        return self._init_op

    @property
    def init(self) -> Operation:
        """`initializer`, by its older name."""
        return self._init_op

    @property
    def default_value(self) -> Tensor:
        """The value of keys that the table does not have."""
        return self._default_value

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of `keys` (a tensor or a SparseTensor). Raises TypeError for keys of another type."""
        self._check_key(keys)
        tensor = keys.values if _sparse(keys) else keys
        with scopes.name_scope(name, f"{self.name}_Lookup", [self.resource_handle, tensor, self._default_value]):
            values = lookup.USE["find"](self.resource_handle, tensor, self._default_value)
        values.set_shape(tensor.get_shape())
        return _like(keys, values)


class StaticHashTable(InitializableLookupTableBase):
    """A hash table that is filled once."""

    def __init__(self, initializer: TableInitializerBase, default_value: Any, name: str | None = None):
        self._shared_name = initializer._shared_name or f"hash_table_{uuid.uuid4()}"
        self._name = name or "hash_table"
        super().__init__(default_value, initializer)
        self._value_shape = self._default_value.get_shape()

    def _create_resource(self) -> Tensor:
        handle = lookup.TABLES["fixed"](
            shared_name=self._shared_name, key_dtype=self._key_dtype, value_dtype=self._value_dtype, name=self._name
        )
        self._table_name = handle.op.name.split("/")[-1]
        return handle

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys, and their values."""
        with scopes.name_scope(name, f"{self.name}_Export", [self.resource_handle]):
            keys, values = lookup.USE["export"](self.resource_handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype)
        values.set_shape(keys.get_shape().concatenate(self._value_shape))
        return keys, values


class HashTable(StaticHashTable):
    """A hash table that is filled once, with the arguments of contrib."""

    def __init__(
        self,
        initializer: TableInitializerBase,
        default_value: Any,
        shared_name: str | None = None,
        name: str | None = None,
    ):
        if shared_name:
            initializer = _named(initializer, shared_name)
        super().__init__(initializer, default_value, name)


def _named(initializer: Any, shared_name: str) -> Any:
    class Named(type(initializer)):  # type: ignore[misc]
        _shared_name = shared_name

    initializer.__class__ = Named
    return initializer


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
    from thalweg._src.ops import string_numbers

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
        values = keys.values if _sparse(keys) else keys
        table = self._table
        if table is not None and table.key_dtype.base_dtype == dtypes.int64:
            values = math.cast(values, dtypes.int64)
        if self._num_oov_buckets == 0:
            return _like(keys, table.lookup(values, name=name))
        with scopes.name_scope(name, f"{self.name}_Lookup"):
            text = values if values.dtype.base_dtype == dtypes.string else _as_string(values)
            ids = _bucket_function(self._hasher_spec)(text, num_buckets=self._num_oov_buckets, name="hash_bucket")
            if table is not None:
                found = table.lookup(values)
                buckets = math.add(ids, table.size())
                ids = array.where_v2(math.not_equal(found, table.default_value), found, buckets)
        return _like(keys, ids)


def _as_string(values: Tensor) -> Tensor:
    from thalweg._src.ops.string_numbers import as_string

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


class _MutableTable(LookupInterface):
    """A table that operations change."""

    _default_value: Tensor
    _saved_name: str

    def _gather_saveables_for_checkpoint(self) -> dict[str, Any]:
        """What a Saver or Checkpoint that is given the table saves of it."""
        return {"table": lambda name=self._saved_name: _Saved(self, name)}

    def _named_scope(self, name: str | None, what: str, *values: Any) -> Any:
        return scopes.name_scope(name, f"{self.name}_lookup_table_{what}", [self.resource_handle, *values])

    def lookup(self, keys: Any, name: str | None = None) -> Tensor:
        """The values of `keys`; the default value for those that the table does not have."""
        with self._named_scope(name, "find", keys), scopes.colocate_with(self.resource_handle):
            keys = to_tensor(keys, self._key_dtype, "keys")
            return lookup.USE["find"](self.resource_handle, keys, self._default_value)

    def insert(self, keys: Any, values: Any, name: str | None = None) -> Operation:
        """An operation that puts `values` under `keys`."""
        with self._named_scope(name, "insert", keys, values):
            keys, values = to_tensor(keys, self._key_dtype, "keys"), to_tensor(values, self._value_dtype, "values")
            with scopes.colocate_with(self.resource_handle):
                return lookup.USE["insert"](self.resource_handle, keys, values)

    def remove(self, keys: Any, name: str | None = None) -> Operation:
        """An operation that takes `keys` out of the table. Raises TypeError for keys of another type."""
        self._check_key(keys)
        with self._named_scope(name, "remove", keys):
            return lookup.remove(self.resource_handle, keys)

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys, and their values."""
        with self._named_scope(name, "export_values"), scopes.colocate_with(self.resource_handle):
            return tuple(lookup.USE["export"](self.resource_handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype))  # type: ignore[return-value]


class MutableHashTable(_MutableTable):
    """A hash table from scalars to scalars or vectors."""

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        name: str = "MutableHashTable",
        checkpoint: bool = True,
    ):
        super().__init__(key_dtype, value_dtype)
        self._default_value = to_tensor(default_value, self._value_dtype)
        dims = self._default_value.dims
        kind, shape = ("mutable", {}) if not dims else ("tensors", {"value_shape": dims})
        self._resource_handle = lookup.TABLES[kind](
            use_node_name_sharing=checkpoint,
            key_dtype=self._key_dtype,
            value_dtype=self._value_dtype,
            name=name,
            **shape,
        )
        self._table_name = self._resource_handle.op.name.split("/")[-1]
        _saved_with(self, name, checkpoint)


class DenseHashTable(_MutableTable):
    """A hash table whose keys may be vectors; `empty_key` and `deleted_key` can't be used as keys."""

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        empty_key: Any,
        deleted_key: Any,
        initial_num_buckets: int | None = None,
        name: str = "MutableDenseHashTable",
        checkpoint: bool = True,
    ):
        super().__init__(key_dtype, value_dtype)
        self._default_value = to_tensor(default_value, self._value_dtype, "default_value")
        empty = to_tensor(empty_key, self._key_dtype, "empty_key")
        deleted = to_tensor(deleted_key, self._key_dtype, "deleted_key")
        self._resource_handle = lookup.dense_hash_table(
            empty,
            deleted,
            use_node_name_sharing=checkpoint,
            value_dtype=self._value_dtype,
            value_shape=self._default_value.dims,
            initial_num_buckets=initial_num_buckets,
            name=name,
        )
        self._table_name = self._resource_handle.op.name.split("/")[-1]
        _saved_with(self, name, checkpoint)

    def insert_or_assign(self, keys: Any, values: Any, name: str | None = None) -> Operation:
        """An operation that puts `values` under `keys`."""
        return self.insert(keys, values, name)

    def erase(self, keys: Any, name: str | None = None) -> Operation:
        """An operation that takes `keys` out of the table."""
        return self.remove(keys, name)


MutableDenseHashTable = DenseHashTable


class _Saved(SaveableObject):
    """A table as the saver knows it: its keys and values are two tensors of a checkpoint."""

    def __init__(self, table: _MutableTable, name: str):
        keys, values = table.export()
        specs = [SaveSpec(keys, "", name + "-keys"), SaveSpec(values, "", name + "-values")]
        super().__init__(table.resource_handle, specs, name)

    def restore(self, restored_tensors: Any, restored_shapes: Any = None) -> Operation:
        """The operation that puts saved keys and values back."""
        with scopes.colocate_with(self.op):
            return lookup.USE["import"](self.op, restored_tensors[0], restored_tensors[1])


def _saved_with(table: _MutableTable, name: str, checkpoint: bool) -> None:
    table._saved_name = name
    if checkpoint:
        get_default_graph().add_to_collection(GraphKeys.SAVEABLE_OBJECTS, _Saved(table, name))


# -- tables of vocabularies


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
