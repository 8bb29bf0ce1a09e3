"""What fills a lookup table: tensors of keys and values, or a text file."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.ops import basic
from thalweg._src.ops.stateful import lookup, tables

# What stands for columns of a text file beside their numbers.
WHOLE_LINE, LINE_NUMBER = tables.WHOLE_LINE, tables.LINE_NUMBER


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
