"""Lookup tables that operations change, and what a Saver keeps of them."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.lookup import LookupInterface
from thalweg._src.lib.saving.saveables import SaveableObject, SaveSpec
from thalweg._src.ops.stateful import lookup


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
