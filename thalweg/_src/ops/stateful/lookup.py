"""Tables as ops: hash tables that are filled once, and tables that change. They live in the session, on the host."""

import os
from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.dtypes import DType, int64, resource, string
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import Min, Outputs, Ref, Shape, op, type_attr
from thalweg._src.ops.stateful.handles import held
from thalweg._src.ops.stateful.tables import LINE_NUMBER, WHOLE_LINE, Table, shape_text

Tin = type_attr("Tin")
Tout = type_attr("Tout")
Tkey, Tval = type_attr("Tkey"), type_attr("Tval")
Tkeys, Tvalues = type_attr("Tkeys"), type_attr("Tvalues")
key_dtype, value_dtype = type_attr("key_dtype"), type_attr("value_dtype")


def _kept(ctx: Any, container: str, shared_name: str, key: DType, value: DType, make: Any) -> Table:
    """The table of this op, made on first use. All ops of a server that have its name have it, if it has one."""
    if not shared_name and ctx.op._attrs.get("use_node_name_sharing"):
        shared_name = ctx.op.name
    found = ctx.own("table", container, shared_name, lambda name: make())
    if (found.key_type, found.value_type) != (key, value):
        raise invalid(
            f"Conflicting key/value dtypes {found.key_type.name}->{found.value_type.name} with {key.name}->{value.name} for table "
            f"{shared_name or ctx.op.name}"
        )
    return found


def _scalar(node: Any) -> list[Any]:
    return [()]


# The V2 ops hand out resources; those of 0.x references to strings. Both are the same tables.


def _declare_tables(suffix: str, out: Any) -> dict[str, Any]:
    @op("HashTable" + suffix, host=True, stateful=True, foldable=False)
    def hash_table(
        *,
        container: str = "",
        shared_name: str = "",
        use_node_name_sharing: bool = False,
        key_dtype: key_dtype,
        value_dtype: value_dtype,
        ctx,
    ) -> out:
        """A table that is filled once."""
        return _kept(
            ctx, container, shared_name, key_dtype, value_dtype, lambda: Table(key_dtype, value_dtype, fixed=True)
        )

    @op("MutableHashTable" + suffix, host=True, stateful=True, foldable=False)
    def mutable_hash_table(
        *,
        container: str = "",
        shared_name: str = "",
        use_node_name_sharing: bool = False,
        key_dtype: key_dtype,
        value_dtype: value_dtype,
        ctx,
    ) -> out:
        """A table from scalars to scalars."""
        return _kept(ctx, container, shared_name, key_dtype, value_dtype, lambda: Table(key_dtype, value_dtype))

    @op("MutableHashTableOfTensors" + suffix, host=True, stateful=True, foldable=False)
    def mutable_hash_table_of_tensors(
        *,
        container: str = "",
        shared_name: str = "",
        use_node_name_sharing: bool = False,
        key_dtype: key_dtype,
        value_dtype: value_dtype,
        value_shape: Shape = (),
        ctx,
    ) -> out:
        """A table from scalars to vectors."""
        if len(value_shape) > 1:
            raise invalid(f"Default value must be a vector, got shape {shape_text(value_shape)}")
        return _kept(
            ctx,
            container,
            shared_name,
            key_dtype,
            value_dtype,
            lambda: Table(key_dtype, value_dtype, tuple(value_shape)),
        )

    made = {"fixed": hash_table, "mutable": mutable_hash_table, "tensors": mutable_hash_table_of_tensors}
    for opdef in made.values():
        opdef.shape_rule(_scalar)
        opdef.not_differentiable()
    return made


TABLES = _declare_tables("V2", resource)
_declare_tables("", Ref(string))


def _dense(ctx, container, shared_name, key, value, value_shape, buckets, load, empty_key, deleted_key):
    empty = np.asarray(empty_key)
    if not 0 < load < 1:
        raise invalid(f"max_load_factor must be between 0 and 1, got: {load:g}")
    if buckets < 4 or buckets & (buckets - 1):
        raise invalid(f"Number of buckets must be at least 4 and a power of 2, got: {buckets}")
    if len(value_shape) > 1:
        raise invalid(f"Empty value must be a scalar or a vector, got shape {shape_text(value_shape)}")
    if empty.ndim > 1:
        raise invalid(f"Empty key must be a scalar or a vector, got shape {shape_text(empty.shape)}")

    def make() -> Table:
        table = Table(key, value, tuple(value_shape))
        table.key_shape, table.buckets, table.load = empty.shape, buckets, load
        table.forbidden[table.keys_of(empty)[0][0]] = "empty_key"
        if deleted_key is not None:
            deleted = np.asarray(deleted_key)
            if deleted.shape != empty.shape:
                raise invalid(
                    f"Empty and deleted keys must have same shape, got shapes: {shape_text(empty.shape)} and {shape_text(deleted.shape)}"
                )
            (gone,) = table.keys_of(deleted)[0]
            if gone in table.forbidden:
                raise invalid("Empty and deleted keys cannot be equal")
            table.forbidden[gone] = "deleted_key"
        return table

    return _kept(ctx, container, shared_name, key, value, make)


@op("MutableDenseHashTableV2", host=True, stateful=True, foldable=False)
def dense_hash_table(
    empty_key: key_dtype,
    deleted_key: key_dtype,
    *,
    container: str = "",
    shared_name: str = "",
    use_node_name_sharing: bool = False,
    key_dtype: key_dtype,
    value_dtype: value_dtype,
    value_shape: Shape = (),
    initial_num_buckets: int = 131072,
    max_load_factor: float = 0.8,
    ctx,
) -> resource:
    """A table whose keys may be vectors; two keys stand for empty and deleted entries and can't be used."""
    return _dense(
        *(ctx, container, shared_name, key_dtype, value_dtype, value_shape),
        *(initial_num_buckets, max_load_factor, empty_key, deleted_key),
    )


@op("MutableDenseHashTable", host=True, stateful=True, foldable=False)
def dense_hash_table_v1(
    empty_key: key_dtype,
    *,
    container: str = "",
    shared_name: str = "",
    use_node_name_sharing: bool = False,
    key_dtype: key_dtype,
    value_dtype: value_dtype,
    value_shape: Shape = (),
    initial_num_buckets: int = 131072,
    max_load_factor: float = 0.8,
    ctx,
) -> Ref(string):
    """The dense table of 0.x."""
    return _dense(
        *(ctx, container, shared_name, key_dtype, value_dtype, value_shape),
        *(initial_num_buckets, max_load_factor, empty_key, None),
    )


for _opdef in (dense_hash_table, dense_hash_table_v1):
    _opdef.shape_rule(_scalar)
    _opdef.not_differentiable()


# -- filling a table that is filled once


def _initialize(table_handle, keys, values):
    keys, values = np.asarray(keys), np.asarray(values)
    if keys.shape != values.shape:
        raise invalid(f"Keys and values must have the same size {keys.size} vs {values.size}")
    held(table_handle).fill(list(zip(keys.ravel().tolist(), values.ravel(), strict=True)))


def _initialize_shape(node):
    keys, values = node.inputs[1].dims, node.inputs[2].dims
    if keys is not None and len(keys) != 1:
        raise ValueError(f"Shape must be rank 1 but is rank {len(keys)} for '{node.name}' (op: '{node.type}')")
    if keys is not None and values is not None and None not in keys + values and keys != values:
        raise ValueError(
            f"Dimension 0 in both shapes must be equal, but are {keys[0]} and {values[0]} for '{node.name}' (op: '{node.type}')"
        )


@op("InitializeTableV2", effect="host", host=True)
def initialize_table(table_handle: resource, keys: Tkey, values: Tval):
    """Fill a table with keys and values."""
    _initialize(table_handle, keys, values)


@op("InitializeTable", effect="host", host=True, stateful=False)
def initialize_table_v1(table_handle: Ref(string), keys: Tkey, values: Tval):
    """Fill a table with keys and values."""
    _initialize(table_handle, keys, values)


def _from_file(table_handle, filename, key_index, value_index, vocab_size, delimiter):
    table = held(table_handle)
    path = os.fsdecode(np.asarray(filename)[()])
    if not path:
        raise invalid("Empty filename")
    if key_index == LINE_NUMBER == value_index:
        raise invalid("Key index and value index can't both be the line number")
    try:
        with open(path, "rb") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        raise errors.NotFoundError(None, None, f"{path}; No such file or directory") from None
    except OSError as error:
        raise errors.PermissionDeniedError(None, None, f"{path}: {error}") from None
    if vocab_size >= 0 and len(lines) < vocab_size:
        raise invalid(f"Invalid vocab_size in {path}: expected {vocab_size} but got {len(lines)}")
    pairs = []
    for number, line in enumerate(lines[:vocab_size] if vocab_size >= 0 else lines):
        if not line:
            raise invalid(f"Invalid content in {path}: empty line found at position {number}.")
        fields = line.split(delimiter.encode())
        pairs.append(
            (
                _field(table.key_type, fields, line, number, key_index, path),
                _field(table.value_type, fields, line, number, value_index, path),
            )
        )
    table.fill(pairs)


def _field(dtype: DType, fields: list[bytes], line: bytes, number: int, index: int, path: str) -> Any:
    if index == LINE_NUMBER:
        return number
    if index == WHOLE_LINE:
        token = line
    elif index < len(fields):
        token = fields[index]
    else:
        raise invalid(
            f"Invalid number of columns in {path} line {number} ({line!r}) : expected at least {index + 1} got {len(fields)}"
        )
    if dtype == string:
        return token
    try:
        return dtype.as_numpy_dtype(token.decode()).item()
    except ValueError:
        raise invalid(
            f"Field {token.decode('utf-8', 'replace')} in line {number} is not a valid {dtype.name}."
        ) from None


@op("InitializeTableFromTextFileV2", effect="host", host=True)
def initialize_table_from_text_file(
    table_handle: resource,
    filename: string,
    *,
    key_index: Min(int, -2),
    value_index: Min(int, -2),
    vocab_size: Min(int, -1) = -1,
    delimiter: str = "\t",
):
    """Fill a table from the lines of a file; an index names a column, -2 the whole line, -1 its number."""
    _from_file(table_handle, filename, key_index, value_index, vocab_size, delimiter)


@op("InitializeTableFromTextFile", effect="host", host=True, stateful=False)
def initialize_table_from_text_file_v1(
    table_handle: Ref(string),
    filename: string,
    *,
    key_index: Min(int, -2),
    value_index: Min(int, -2),
    vocab_size: Min(int, -1) = -1,
    delimiter: str = "\t",
):
    """Fill a table from the lines of a file."""
    _from_file(table_handle, filename, key_index, value_index, vocab_size, delimiter)


def _file_shape(node):
    dims = node.inputs[1].dims
    if dims not in (None, ()):
        raise ValueError(f"Shape must be rank 0 but is rank {len(dims)} for '{node.name}' (op: '{node.type}')")


initialize_table.shape_rule(_initialize_shape)
initialize_table_v1.shape_rule(_initialize_shape)
initialize_table_from_text_file.shape_rule(_file_shape)
initialize_table_from_text_file_v1.shape_rule(_file_shape)


# -- using tables


def _find_shape(node):
    keys, default = node.inputs[1].dims, node.inputs[2].dims
    if default is not None and len(default) > 1:
        raise ValueError(
            f"Shape must be at most rank 1 but is rank {len(default)} for '{node.name}' (op: '{node.type}')"
        )
    if keys is None or default is None:
        return [None]
    source = node.inputs[0].op
    key_rank = 0
    if source.opdef in (dense_hash_table, dense_hash_table_v1):
        known = source.inputs[0].dims
        if known is None:
            return [None]
        key_rank = len(known)
    return [keys[: len(keys) - key_rank] + default]


def _import_shape(node):
    keys, values = node.inputs[1].dims, node.inputs[2].dims
    if keys and values and None not in (keys[0], values[0]) and (len(values) < len(keys) or keys[0] != values[0]):
        raise ValueError(
            f"Dimension 0 in both shapes must be equal: keys {keys}, values {values} for '{node.name}' (op: '{node.type}')"
        )


def _declare_use(suffix: str, handle: Any, stateful: bool) -> dict[str, Any]:
    facts = {"host": True, "stateful": stateful, "foldable": False}

    @op("LookupTableFind" + suffix, effect="host", **facts)
    def find(table_handle: handle, keys: Tin, default_value: Tout) -> Outputs(values=Tout):
        """The values of `keys`; `default_value` for those that the table does not have."""
        return held(table_handle).find(keys, default_value)

    @op("LookupTableInsert" + suffix, effect="host", **facts)
    def insert(table_handle: handle, keys: Tin, values: Tout):
        """Put values under keys."""
        held(table_handle).insert(keys, values)

    @op("LookupTableImport" + suffix, effect="host", **facts)
    def import_(table_handle: handle, keys: Tin, values: Tout):
        """Replace the contents of the table."""
        held(table_handle).replace(keys, values)

    @op("LookupTableSize" + suffix, effect="host", **facts)
    def size(table_handle: handle) -> Outputs(size=int64):
        """The number of entries."""
        table = held(table_handle)
        return np.int64(len(table.entries))

    @op("LookupTableExport" + suffix, effect="host", **facts)
    def export(table_handle: handle, *, Tkeys: Tkeys, Tvalues: Tvalues) -> Outputs(keys=Tkeys, values=Tvalues):
        """All keys and values."""
        return held(table_handle).export()

    find.shape_rule(_find_shape)
    import_.shape_rule(_import_shape)
    size.shape_rule(_scalar)
    export.shape_rule(lambda node: [None, None])
    for opdef in (find, insert, import_, size, export):
        opdef.not_differentiable()
    return {"find": find, "insert": insert, "import": import_, "size": size, "export": export}


USE = _declare_use("V2", resource, True)
_declare_use("", Ref(string), False)


@op("LookupTableRemoveV2", effect="host", host=True)
def remove(table_handle: resource, keys: Tin):
    """Take keys out of the table; those that are not there are no error."""
    held(table_handle).remove(keys)
