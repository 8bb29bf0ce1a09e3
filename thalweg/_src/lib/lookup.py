"""Lookup tables: `tf.lookup` and `tf.contrib.lookup`. Their contents live in the session; `tf.tables_initializer`
fills them.
"""

from __future__ import annotations

import uuid
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.lib.table_initializers import (
    TableInitializerBase,
)
from thalweg._src.ops.stateful import lookup


def is_sparse(keys: Any) -> bool:
    return hasattr(keys, "_components") and hasattr(keys, "indices")


def like_keys(keys: Any, values: Tensor) -> Any:
    """`values` in the structure of `keys`."""
    return type(keys)(keys.indices, values, keys.dense_shape) if is_sparse(keys) else values


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
        tensor = keys.values if is_sparse(keys) else keys
        with scopes.name_scope(name, f"{self.name}_Lookup", [self.resource_handle, tensor, self._default_value]):
            values = lookup.USE["find"](self.resource_handle, tensor, self._default_value)
        values.set_shape(tensor.get_shape())
        return like_keys(keys, values)


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
