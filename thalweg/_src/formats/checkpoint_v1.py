"""Checkpoints of format V1: one table, or one for each shard, of SavedTensorSlices.

The empty key has the list of all tensors with their slices; under `slices.slice_key` is each slice, its elements in the
*_val field of a TensorProto. Numbers of fixed width are written and read as the bytes that the field consists of.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import protos, slices, tensors
from .bundle import Entry
from .bundle_data import shape_of
from .errors import DataLoss, InvalidArgument, NotFound, Unimplemented
from .files import LOCAL, Files, named, temporary_name
from .table import TableReader, TableWriter
from .types import NAME_OF_ENUM, NUMPY_OF_ENUM
from .wire import BYTES, fields, put_bytes

VERSION = 1
META = b""
LARGEST = 1 << 31  # of a message
DATA_OF_TABLE, DATA_OF_SLICE = 2, 3  # SavedTensorSlices.data, SavedSlice.data
FIXED_WIDTH = {"float_val": 5, "double_val": 6, "scomplex_val": 9, "bool_val": 11, "dcomplex_val": 12}
TYPES = frozenset(
    enum for enum, name in NAME_OF_ENUM.items() if name not in ("bfloat16", "resource", "variant", "uint32", "uint64")
)  # TensorFlow has no others in this format


class V1Writer:
    """Writes one file in `finish`, under a temporary name first; until then it refers to the arrays given."""

    def __init__(self, path: str, files: Files = LOCAL):
        self._path = path
        self._files = files
        self._meta = protos.SavedTensorSlices()
        self._meta.meta.versions.producer = VERSION
        self._tensors: dict[str, Any] = {}
        self._data: dict[bytes, tuple[str, slices.Slice, np.ndarray, int]] = {}

    def add(self, name: str, array: np.ndarray, enum: int) -> None:
        """Write a whole tensor of type `enum`; strings are object arrays of bytes."""
        self.add_slice(name, array.shape, slices.full_slice(array.ndim), array, enum)

    def add_slice(self, name: str, shape: Sequence[int], part: slices.Slice, array: np.ndarray, enum: int) -> None:
        """Write slice `part` of the tensor `name` of `shape`."""
        if enum not in TYPES:
            raise Unimplemented(f"A V1 checkpoint can't hold tensors of {NAME_OF_ENUM[enum]}, as {name} is. V2 can.")
        if array.dtype != NUMPY_OF_ENUM[enum]:
            raise TypeError(f"{name}: an array of {array.dtype} can't be a tensor of {NAME_OF_ENUM[enum]}.")
        if slices.slice_shape(part, shape) != array.shape:
            raise InvalidArgument(f"Slice {slices.slice_text(part)} of {name} has shape {list(array.shape)}.")
        _check_size(array, enum)
        key = slices.slice_key(name, part)
        if key in self._data:
            raise InvalidArgument(f"Adding duplicate key: {name} {slices.slice_text(part)}")
        meta = self._tensors.get(name)
        if meta is None:
            meta = self._tensors[name] = self._meta.meta.tensor.add(name=name, type=enum)
            meta.shape.SetInParent()
            for size in shape:
                meta.shape.dim.add().size = size
        elif meta.type != enum or shape_of(meta) != tuple(shape):
            raise InvalidArgument(f"Slices of {name} differ in type or shape.")
        meta.slice.add().CopyFrom(slices.to_proto(part))
        self._data[key] = name, part, array, enum

    def finish(self) -> None:
        """Write everything, and give the file its name."""
        temporary = temporary_name(self._path)
        try:
            with named(self._path), self._files.open(temporary, "wb") as stream:
                table = TableWriter(stream)
                table.add(META, self._meta.SerializeToString())
                for key in sorted(self._data):
                    table.add(key, _saved_slice(*self._data[key]))
                table.finish()
            self._files.rename(temporary, self._path)
        except BaseException:
            if self._files.exists(temporary):
                self._files.remove(temporary)
            raise


class V1Reader:
    """Reads the tensors in the files `paths`, which are the shards of one checkpoint, one by one."""

    def __init__(self, paths: Sequence[str], files: Files = LOCAL):
        self._streams: list[Any] = []
        self._tables: list[tuple[str, TableReader]] = []
        self._entries: dict[str, Entry] = {}
        self._where: dict[bytes, tuple[str, TableReader]] = {}
        try:
            for path in paths:
                self._streams.append(files.open(path, "rb"))
                self._load(path, TableReader(self._streams[-1], source=path))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "V1Reader":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        for stream in self._streams:
            stream.close()

    def _load(self, path: str, table: TableReader) -> None:
        value = table.get(META)
        if value is None:
            raise DataLoss("no list of the saved tensor slices at the beginning.", source=path)
        meta = _parse(protos.SavedTensorSlices, value, "the list of the saved tensor slices", path).meta
        if meta.versions.min_consumer > VERSION or VERSION in meta.versions.bad_consumers:
            raise InvalidArgument(
                f"{path}: Checkpoint min consumer version {meta.versions.min_consumer} above current version {VERSION}."
            )
        for tensor in meta.tensor:
            if tensor.type not in NUMPY_OF_ENUM or any(dim.size < 0 for dim in tensor.shape.dim):
                raise DataLoss(f"{tensor.name} has no good type and shape.", source=path)
            parts = tuple(slices.from_proto(s) for s in tensor.slice)
            entry = Entry(tensor.type, shape_of(tensor), parts)
            before = self._entries.get(tensor.name)
            if before is not None:
                if before[:2] != entry[:2]:
                    raise InvalidArgument(f"{path}: type or shape of {tensor.name} differ from those in another shard.")
                entry = entry._replace(slices=before.slices + parts)
            self._entries[tensor.name] = entry
            for part in parts:
                self._where[slices.slice_key(tensor.name, part)] = path, table

    def names(self) -> list[str]:
        """The names of all tensors, in order."""
        return sorted(self._entries)

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Every tensor with what is known of it, in the order of the names."""
        return ((name, self.entry(name)) for name in self.names())

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def entry(self, name: str) -> Entry:
        """Raises NotFound if there is no such tensor. `slices` is empty if it is stored whole."""
        if name not in self._entries:
            raise NotFound(f"{name} not found in checkpoint file")
        entry = self._entries[name]
        whole = entry.slices == (slices.full_slice(len(entry.shape)),)
        return entry._replace(slices=()) if whole else entry

    def read(self, name: str, part: slices.Slice | None = None) -> np.ndarray:
        """The tensor `name`, or slice `part` of it.

        Raises NotFound, DataLoss, or InvalidArgument if the stored slices don't cover what is wanted.
        """
        entry = self.entry(name)
        stored = self._entries[name].slices
        wanted = slices.full_slice(len(entry.shape)) if part is None else part
        dtype = NUMPY_OF_ENUM[entry.enum]
        return slices.assemble(name, entry.shape, wanted, stored, dtype, lambda p: self._slice(name, entry, p))

    def _slice(self, name: str, entry: Entry, part: slices.Slice) -> np.ndarray:
        key = slices.slice_key(name, part)
        path, table = self._where[key]
        value = table.get(key)
        what = f"slice {slices.slice_text(part)!r} of {name}"
        if value is None:
            raise DataLoss(f"{what} is missing.", source=path)
        shape = slices.slice_shape(part, entry.shape)
        try:
            stored_name, stored_part, data = _saved_parts(value)
            if stored_name != name or slices.from_proto(stored_part) != part:
                raise ValueError(f"It holds {stored_name} instead.")
            return _values(data, entry.enum, shape)
        except ValueError as error:
            raise DataLoss(f"{what} can't be read: {error}", source=path) from error


def _saved_slice(name: str, part: slices.Slice, array: np.ndarray, enum: int) -> bytes:
    """SavedTensorSlices with one slice in it."""
    saved = protos.SavedSlice(name=name, slice=slices.to_proto(part))
    saved.slice.SetInParent()
    number = FIXED_WIDTH.get(tensors.FIELD[enum])
    if number is None:
        proto = tensors.to_proto(array, enum, raw=False)
        proto.ClearField("dtype")
        proto.ClearField("tensor_shape")
        data = [proto.SerializeToString()]
    else:
        raw = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False)).reshape(-1).view(np.uint8)
        data = [put_bytes(number, raw.size), raw.data] if raw.size else []
    size = sum(map(len, data))
    head = saved.SerializeToString() + put_bytes(DATA_OF_SLICE, size)
    return b"".join((put_bytes(DATA_OF_TABLE, len(head) + size), head, *data))


def _saved_parts(value: memoryview) -> tuple[str, Any, memoryview]:
    """Name, TensorSliceProto, and the bytes of the TensorProto, of SavedTensorSlices with one slice in it."""
    name, part, data = "", protos.TensorSliceProto(), memoryview(b"")
    for number, kind, content in fields(value):
        if (number, kind) == (DATA_OF_TABLE, BYTES):
            for inner, _, bytes_ in fields(content):
                if inner == 1:
                    name = bytes(bytes_).decode()
                elif inner == 2:
                    part = _parse(protos.TensorSliceProto, bytes_, "its slice", "")
                elif inner == DATA_OF_SLICE:
                    data = bytes_
    return name, part, data


def _values(data: memoryview, enum: int, shape: tuple[int, ...]) -> np.ndarray:
    """The elements in a TensorProto that tells neither type nor shape. Raises ValueError if there are not as many."""
    dtype = NUMPY_OF_ENUM[enum]
    count = math.prod(shape)
    number = FIXED_WIDTH.get(tensors.FIELD[enum])
    if number is not None:
        found = [content for n, kind, content in fields(data) if n == number and kind == BYTES]
        if len(found) == 1 and len(found[0]) == count * dtype.itemsize:
            return np.frombuffer(found[0], dtype.newbyteorder("<")).astype(dtype).reshape(shape)
    proto = _parse(protos.TensorProto, data, "its data", "")
    stored = len(getattr(proto, tensors.FIELD[enum])) // (2 if dtype.kind == "c" else 1)
    if stored != count:
        raise ValueError(f"It has {stored} elements, not {count}.")
    proto.dtype = enum
    proto.tensor_shape.SetInParent()
    for size in shape:
        proto.tensor_shape.dim.add().size = size
    return tensors.from_proto(proto)


def _parse(message: Any, data: memoryview, what: str, source: str) -> Any:
    from google.protobuf.message import DecodeError

    try:
        return message.FromString(bytes(data))
    except DecodeError as error:
        raise DataLoss(f"{what} can't be parsed: {error}.", source=source) from error


def _check_size(array: np.ndarray, enum: int) -> None:
    """A message is no larger than 2 GB; TensorFlow estimates it with the longest that an element can be."""
    if array.dtype.kind == "O":
        estimate = sum(map(len, array.ravel().tolist())) + 10 * array.size
    else:
        longest = {"bool": 1, "uint8": 2, "quint8": 2, "uint16": 3, "quint16": 3, "float16": 3}
        width = array.itemsize if tensors.FIELD[enum] in FIXED_WIDTH else 10
        estimate = array.size * longest.get(NAME_OF_ENUM[enum], width)
    if estimate + 1024 > LARGEST:
        raise InvalidArgument(
            f"Tensor slice is too large to serialize (conservative estimate: {estimate + 1024} bytes)"
        )
