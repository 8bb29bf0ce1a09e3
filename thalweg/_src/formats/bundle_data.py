"""The bytes of one tensor in a data file of a bundle: written to where a stream is, read from there, with a checksum.

numbers = their bytes, in the byte order that the header of the bundle tells
variants = for each: a varint for its length, a VariantTensorDataProto, masked crc of all up to here (lengths as numbers of 8 bytes)
strings = a varint for each length; masked crc of the lengths as numbers of 4 bytes (8 beyond 4 GB); the bytes
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from . import crc, protos
from .errors import Unimplemented
from .types import ENUM_OF_NAME, NAME_OF_ENUM, NUMPY_OF_ENUM
from .wire import get_varint, put_varint

STRING, VARIANT = ENUM_OF_NAME["string"], ENUM_OF_NAME["variant"]
CHUNK = 1 << 26


def _check_type(array: np.ndarray, enum: int) -> None:
    dtype = NUMPY_OF_ENUM[enum]
    if array.dtype != dtype:
        raise TypeError(f"An array of {array.dtype} can't be a tensor of {NAME_OF_ENUM[enum]}: it must be {dtype}.")
    if dtype.kind == "O" and enum not in (STRING, VARIANT):
        raise Unimplemented(f"Tensors of {NAME_OF_ENUM[enum]} can't be written to a checkpoint.")


def shape_of(entry: Any) -> tuple[int, ...]:
    return tuple(dim.size for dim in entry.shape.dim)


def write_tensor(array: np.ndarray, enum: int, stream: Any) -> tuple[int, int]:
    """Size and checksum of the bytes of `array`, now written to `stream`."""
    _check_type(array, enum)
    if enum == VARIANT:
        return _write_variants(array, stream)
    return _write_strings(array, stream) if enum == STRING else _write_numbers(array, stream)


def read_tensor(entry: Any, stream: Any, order: str) -> tuple[np.ndarray, int]:
    """The array of a BundleEntryProto, and the checksum of its bytes; `order` is "<" or ">".

    Raises ValueError for bytes that can't be those of the entry, Unimplemented for types that are not read here.
    """
    stream.seek(entry.offset)
    if entry.dtype == VARIANT:
        return _read_variants(entry, stream, order)
    return _read_strings(entry, stream, order) if entry.dtype == STRING else _read_numbers(entry, stream, order)


def _write_numbers(array: np.ndarray, stream: Any) -> tuple[int, int]:
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    checksum = 0
    for at in range(0, raw.size, CHUNK):
        chunk = raw[at : at + CHUNK]
        stream.write(chunk.data)
        checksum = crc.extend(checksum, chunk)
    return raw.size, checksum


def _read_numbers(entry: Any, stream: Any, order: str) -> tuple[np.ndarray, int]:
    dtype = NUMPY_OF_ENUM[entry.dtype]
    if dtype.kind == "O":
        raise Unimplemented(f"Tensors of {NAME_OF_ENUM[entry.dtype]} in checkpoints are not read here.")
    shape = shape_of(entry)
    expected = math.prod(shape) * dtype.itemsize
    if entry.size != expected:
        raise ValueError(f"Invalid size in bundle entry: stored size {entry.size}; expected size {expected}")
    _check_rest(stream, expected)
    array = np.empty(shape, dtype)
    raw = array.reshape(-1).view(np.uint8)
    checksum = 0
    for at in range(0, raw.size, CHUNK):
        chunk = raw[at : at + CHUNK]
        chunk[:] = np.frombuffer(_exactly(stream, chunk.size), np.uint8)
        checksum = crc.extend(checksum, chunk)
    if order == ">" and dtype.itemsize > 1:
        array = array.view(dtype.newbyteorder(">")).astype(dtype)
    return array, checksum


def _write_strings(array: np.ndarray, stream: Any) -> tuple[int, int]:
    strings = array.ravel().tolist()
    lengths = b"".join(put_varint(len(s)) for s in strings)
    checksum = crc.value(_length_bytes(map(len, strings), "<"))
    foot = crc.mask(checksum).to_bytes(4, "little")
    checksum = crc.extend(checksum, foot)
    stream.write(lengths + foot)
    size = len(lengths) + len(foot)
    for string in strings:
        stream.write(string)
        checksum = crc.extend(checksum, string)
        size += len(string)
    return size, checksum


def _read_strings(entry: Any, stream: Any, order: str) -> tuple[np.ndarray, int]:
    shape = shape_of(entry)
    count = math.prod(shape)
    array = np.empty(count, object)
    if entry.size < count:
        raise ValueError(f"Invalid size in bundle entry: {count} strings in {entry.size} bytes")
    _check_rest(stream, entry.size)
    data = _exactly(stream, entry.size)
    lengths, at = [], 0
    for _ in range(count):
        length, at = get_varint(data, at)
        lengths.append(length)
    if at + 4 + sum(lengths) != entry.size:
        raise ValueError(f"String lengths do not fit the size of the entry, {entry.size}")
    checksum = crc.value(_length_bytes(lengths, order))
    foot = data[at : at + 4]
    if crc.mask(checksum) != int.from_bytes(foot, "little" if order == "<" else "big"):
        raise ValueError("The length checksum does not match")
    checksum = crc.value(_length_bytes(lengths, order) + data[at:])
    at += 4
    for i, length in enumerate(lengths):
        array[i] = data[at : at + length]
        at += length
    return array.reshape(shape), checksum


def _write_variants(array: np.ndarray, stream: Any) -> tuple[int, int]:
    checksum = size = 0
    for element in array.ravel():
        if not isinstance(element, protos.VariantTensorDataProto):
            raise Unimplemented(f"A variant that holds a {type(element).__name__} can't be written to a checkpoint.")
        data = element.SerializeToString()
        checksum = crc.extend(crc.extend(checksum, len(data).to_bytes(8, "little")), data)
        foot = crc.mask(checksum).to_bytes(4, "little")
        checksum = crc.extend(checksum, foot)
        parts = put_varint(len(data)) + data + foot
        stream.write(parts)
        size += len(parts)
    return size, checksum


def _read_variants(entry: Any, stream: Any, order: str) -> tuple[np.ndarray, int]:
    shape = shape_of(entry)
    name = "little" if order == "<" else "big"
    array = np.empty(math.prod(shape), object)
    _check_rest(stream, entry.size)
    data = _exactly(stream, entry.size)
    at = checksum = 0
    for i in range(array.size):
        length, at = get_varint(data, at)
        element, foot = data[at : at + length], data[at + length : at + length + 4]
        at += length + 4
        checksum = crc.extend(crc.extend(checksum, length.to_bytes(8, name)), element)  # type: ignore[arg-type]
        if len(foot) < 4 or crc.mask(checksum) != int.from_bytes(foot, name):  # type: ignore[arg-type]
            raise ValueError(f"The checksum after Variant {i} does not match")
        checksum = crc.extend(checksum, foot)
        array[i] = protos.VariantTensorDataProto.FromString(element)
    return array.reshape(shape), checksum


def _length_bytes(lengths: Iterable[int], order: str) -> bytes:
    """What the checksum of string lengths is of."""
    name = "little" if order == "<" else "big"
    return b"".join(n.to_bytes(4 if n < 1 << 32 else 8, name) for n in lengths)  # type: ignore[arg-type]


def _exactly(stream: Any, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise ValueError(f"The file ends {size - len(data)} bytes too early")
    return data


def _check_rest(stream: Any, size: int) -> None:
    """A damaged entry must not ask for more memory than the file has bytes."""
    at = stream.tell()
    end = stream.seek(0, 2)
    stream.seek(at)
    if at + size > end:
        raise ValueError(f"The file ends {at + size - end} bytes too early")
