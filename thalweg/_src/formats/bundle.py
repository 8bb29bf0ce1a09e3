"""Checkpoints of format V2, called bundles: `prefix.index` and `prefix.data-00000-of-00001`, or more data files.

The index is a table of BundleEntryProtos by tensor name; the empty name has the BundleHeaderProto. The data files hold
the bytes of the tensors, one after the other, each with a checksum in its entry. A partitioned variable has an entry of
its name that lists its slices, and one for each slice, under `slices.slice_key`.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import crc, protos, slices
from .bundle_data import read_tensor, shape_of, write_tensor
from .errors import DataLoss, InvalidArgument, NotFound, Unimplemented
from .files import LOCAL, Files, named, temporary_name
from .publishing import HEADER, data_name, index_name, pending_name, publish
from .table import TableReader, TableWriter
from .types import NUMPY_OF_ENUM

VERSION = 1


class Entry(NamedTuple):
    """What a checkpoint tells of a tensor without reading it. `slices` is empty for one that is stored whole."""

    enum: int
    shape: tuple[int, ...]
    slices: tuple[slices.Slice, ...]


class BundleWriter:
    """Writes tensors to `prefix`, each at once and none twice in memory; the files get their names in `finish`.

    As a context manager it finishes, or removes its files if the block raised.
    """

    def __init__(self, prefix: str, files: Files = LOCAL):
        self._files = files
        self._prefix = prefix
        self._entries: dict[bytes, Any] = {}
        self._temporary = [temporary_name(data_name(prefix, 0, 1))]
        self._stream = files.open(self._temporary[0], "wb")
        self._offset = 0
        self._open = True

    def __enter__(self) -> "BundleWriter":
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            self.finish()
        else:
            self.abort()

    def add(self, name: str, array: np.ndarray, enum: int) -> None:
        """Write a whole tensor of type `enum`; strings are object arrays of bytes."""
        self._add(_key(name), array, enum)

    def add_slice(self, name: str, shape: Sequence[int], part: slices.Slice, array: np.ndarray, enum: int) -> None:
        """Write slice `part` of the tensor `name` of `shape`."""
        if slices.slice_shape(part, shape) != array.shape:
            raise InvalidArgument(f"Slice {slices.slice_text(part)} of {name} has shape {list(array.shape)}.")
        if slices.is_full(part, shape):
            return self.add(name, array, enum)
        key = _key(name)
        full = self._entries.get(key)
        if full is None:
            full = protos.BundleEntryProto(dtype=enum)
            _set_shape(full, shape)
        elif not full.slices or full.dtype != enum or shape_of(full) != tuple(shape):
            raise InvalidArgument(f"Slices of {name} differ in type or shape, or it was written whole.")
        self._add(slices.slice_key(name, part), array, enum)
        full.slices.add().CopyFrom(slices.to_proto(part))
        self._entries[key] = full

    def _add(self, key: bytes, array: np.ndarray, enum: int) -> None:
        if key in self._entries:
            raise InvalidArgument(f"Adding duplicate key: {key.decode(errors='replace')}")
        entry = protos.BundleEntryProto(dtype=enum, offset=self._offset)
        _set_shape(entry, array.shape)
        with named(data_name(self._prefix, 0, 1)):
            entry.size, checksum = write_tensor(array, enum, self._stream)
        entry.crc32c = crc.mask(checksum)
        self._offset += entry.size
        self._entries[key] = entry

    def finish(self) -> None:
        """Write the index, and give both files their names; where there is such a bundle, it is replaced in one step."""
        if not self._open:
            raise ValueError("The bundle writer is closed.")
        try:
            with named(data_name(self._prefix, 0, 1)):
                self._stream.close()
            self._temporary.append(_write_index(self._prefix, 1, self._entries, self._files))
            publish(self._prefix, self._temporary[:1], self._temporary[1], self._files)
        except BaseException:
            self.abort()
            raise
        self._open = False

    def abort(self) -> None:
        """Give up: remove what was written under a temporary name."""
        if self._open:
            self._open = False
            with contextlib.suppress(OSError):  # what could not be written can't be flushed either
                self._stream.close()
            for path in filter(self._files.exists, self._temporary):
                self._files.remove(path)


class BundleReader:
    """Reads the tensors of `prefix` one by one. Raises DataLoss where the files are damaged, naming file and tensor."""

    def __init__(self, prefix: str, files: Files = LOCAL):
        self._files = files
        self._prefix = prefix
        self._data: dict[int, Any] = {}
        self._index_file = index_name(prefix)
        self._pending = files.exists(pending_name(self._index_file))
        self._index = self._open(self._index_file)
        try:
            self._table = TableReader(self._index, source=self._index_file)
            header = self._parse(protos.BundleHeaderProto, HEADER, "the header")
            _check_version(header.version, self._index_file)
        except BaseException:
            self._index.close()
            raise
        self.shards: int = header.num_shards
        self._order = ">" if header.endianness == protos.BundleHeaderProto.BIG else "<"

    def __enter__(self) -> "BundleReader":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        for stream in (self._index, *self._data.values()):
            stream.close()

    def _open(self, path: str) -> Any:
        """The file that `path` stands for: where the bundle is pending, the pending one, if it has not moved on yet."""
        if self._pending:
            with contextlib.suppress(FileNotFoundError):
                return self._files.open(pending_name(path), "rb")
        return self._files.open(path, "rb")

    def names(self) -> list[str]:
        """The names of all tensors, in order."""
        return [name for name, _ in self.entries()]

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Every tensor with what is known of it, in the order of the names."""
        found = {}
        parts: set[bytes] = set()
        for key, value in self._table:
            if key != HEADER:
                entry = self._entry_of(key, value)
                found[key] = entry
                parts.update(slices.slice_key(_name(key), part) for part in entry.slices)
        return iter([(_name(key), entry) for key, entry in found.items() if key not in parts])

    def __contains__(self, name: str) -> bool:
        return self._table.get(_key(name)) is not None

    def entry(self, name: str) -> Entry:
        """Raises NotFound if there is no such tensor."""
        key = _key(name)
        return self._entry_of(key, self._value(key))

    def read(self, name: str, part: slices.Slice | None = None) -> np.ndarray:
        """The tensor `name`, or slice `part` of it.

        Raises NotFound, DataLoss, or InvalidArgument if the stored slices don't cover what is wanted.
        """
        entry = self.entry(name)
        if part is None:
            part = slices.full_slice(len(entry.shape))
        if not entry.slices:
            whole = self._tensor(_key(name))
            if slices.is_full(part, entry.shape):
                return whole
            stored = [slices.full_slice(len(entry.shape))]
            return slices.assemble(name, entry.shape, part, stored, whole.dtype, lambda _: whole)
        dtype = NUMPY_OF_ENUM[entry.enum]
        return slices.assemble(
            name, entry.shape, part, entry.slices, dtype, lambda p: self._tensor(slices.slice_key(name, p))
        )

    def _value(self, key: bytes) -> memoryview:
        value = self._table.get(key)
        if value is None:
            raise NotFound(f"Key {_name(key)} not found in checkpoint")
        return value

    def _parse(self, message: Any, key: bytes, what: str, value: memoryview | None = None) -> Any:
        from google.protobuf.message import DecodeError

        value = self._table.get(key) if value is None else value
        if value is None:
            raise DataLoss(f"{what} is missing.", source=self._index_file)
        try:
            return message.FromString(bytes(value))
        except DecodeError as error:
            raise DataLoss(f"{what} can't be parsed: {error}.", source=self._index_file) from error

    def _proto(self, key: bytes, value: memoryview) -> Any:
        proto = self._parse(protos.BundleEntryProto, key, f"the entry of {_name(key)}", value)
        if proto.dtype not in NUMPY_OF_ENUM or any(dim.size < 0 for dim in proto.shape.dim):
            raise DataLoss(f"the entry of {_name(key)} has no good type and shape.", source=self._index_file)
        return proto

    def _entry_of(self, key: bytes, value: memoryview) -> Entry:
        proto = self._proto(key, value)
        return Entry(proto.dtype, shape_of(proto), tuple(slices.from_proto(s) for s in proto.slices))

    def _tensor(self, key: bytes) -> np.ndarray:
        """What the entry of `key` points at."""
        entry = self._proto(key, self._value(key))
        if not 0 <= entry.shard_id < self.shards:
            raise DataLoss(f"{_name(key)} is in shard {entry.shard_id} of {self.shards}.", source=self._index_file)
        source = data_name(self._prefix, entry.shard_id, self.shards)
        if entry.shard_id not in self._data:
            self._data[entry.shard_id] = self._open(source)
        stream = self._data[entry.shard_id]
        try:
            array, checksum = read_tensor(entry, stream, self._order)
        except Unimplemented:
            raise
        except ValueError as error:
            raise DataLoss(f"tensor {_name(key)}: {error}", offset=entry.offset, source=source) from error
        if crc.mask(checksum) != entry.crc32c:
            raise DataLoss(
                f"tensor {_name(key)}: Checksum does not match: stored {crc.unmask(entry.crc32c):08x} vs. calculated "
                f"on the restored bytes {checksum:08x}",
                offset=entry.offset,
                source=source,
            )
        return array


def merge_bundles(prefixes: Iterable[str], merged: str, files: Files = LOCAL) -> None:
    """Make one bundle `merged` of several: their data files are renamed, their indexes joined and removed.

    Raises InvalidArgument if two of them hold the same tensor, or differ in byte order or version.
    """
    prefixes = list(prefixes)
    headers: list[Any] = []
    entries: dict[bytes, Any] = {}
    shards: dict[str, int] = {}
    for prefix in prefixes:
        with files.open(index_name(prefix), "rb") as stream:
            for key, value in TableReader(stream, source=index_name(prefix)):
                if key == HEADER:
                    headers.append(protos.BundleHeaderProto.FromString(bytes(value)))
                    continue
                if not headers:
                    raise DataLoss("the header is missing.", source=index_name(prefix))
                entry = protos.BundleEntryProto.FromString(bytes(value))
                if key in entries:
                    _merge_slices(entries[key], entry, _name(key), prefix)
                    continue
                file = data_name(prefix, entry.shard_id, headers[-1].num_shards)
                entry.shard_id = shards.setdefault(file, len(shards))
                entries[key] = entry
    for header in headers[1:]:
        if header.endianness != headers[0].endianness:
            raise InvalidArgument("Merging bundles with conflicting endianness; inputs corrupted?")
        if header.version != headers[0].version:
            raise InvalidArgument("Merging bundles with different format versions")
    index = _write_index(merged, len(shards), entries, files, headers[0])
    try:
        publish(merged, list(shards), index, files)
    except BaseException:
        if files.exists(index):
            files.remove(index)
        raise
    for prefix in prefixes:
        if prefix != merged:
            files.remove(index_name(prefix))


def _merge_slices(into: Any, entry: Any, name: str, prefix: str) -> None:
    if not into.slices or not entry.slices:
        raise InvalidArgument(f"Duplicate tensor keyed by {name} encountered, when merging prefix: {prefix}")
    if into.dtype != entry.dtype or into.shape != entry.shape:
        raise InvalidArgument(f"Slices of {name} differ in type or shape, when merging prefix: {prefix}")
    into.slices.extend(entry.slices)


def _write_index(prefix: str, shards: int, entries: dict[bytes, Any], files: Files, like: Any = None) -> str:
    """Write the index of `prefix`; the temporary name that it has."""
    header = protos.BundleHeaderProto(num_shards=shards)
    if like is None:
        header.version.producer = VERSION
    else:
        header.endianness = like.endianness
        header.version.CopyFrom(like.version)
    temporary = temporary_name(index_name(prefix))
    try:
        with named(index_name(prefix)), files.open(temporary, "wb") as stream:
            table = TableWriter(stream)
            table.add(HEADER, header.SerializeToString())
            for key in sorted(entries):
                table.add(key, entries[key].SerializeToString())
            table.finish()
    except BaseException:
        if files.exists(temporary):
            files.remove(temporary)
        raise
    return temporary


def _check_version(version: Any, source: str) -> None:
    if version.min_consumer > VERSION or VERSION in version.bad_consumers:
        raise InvalidArgument(
            f"{source}: Checkpoint min consumer version {version.min_consumer} above current version {VERSION}."
        )


def _key(name: str) -> bytes:
    if not name:
        raise InvalidArgument("The name of a tensor can't be empty.")
    return name.encode()


def _name(key: bytes) -> str:
    return key.decode(errors="replace")


def _set_shape(entry: Any, shape: Sequence[int]) -> None:
    entry.shape.SetInParent()
    for size in shape:
        entry.shape.dim.add().size = size
