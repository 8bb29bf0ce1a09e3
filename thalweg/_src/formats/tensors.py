"""NumPy arrays <-> TensorProto.

Strings are object arrays of bytes; resources and variants are object arrays of ResourceHandleProto and
VariantTensorDataProto; quantized tensors are arrays of the integers that carry them.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import protos
from .types import ENUM_OF_NAME, NAME_OF_ENUM, NUMPY_OF_ENUM

# The types that TensorFlow writes as raw bytes when there is more than one element; the others go element by element.
RAW = frozenset(
    ENUM_OF_NAME[name]
    for name in (
        *("float32", "float64", "int32", "uint8", "int16", "int8", "int64"),
        *("qint8", "quint8", "qint16", "quint16", "qint32", "uint32", "uint64"),
    )
)
FIELD_OF_NAME = {
    "float32": "float_val",
    "float64": "double_val",
    "string": "string_val",
    "complex64": "scomplex_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "bfloat16": "half_val",
    "complex128": "dcomplex_val",
    "float16": "half_val",
    "resource": "resource_handle_val",
    "variant": "variant_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
}  # the other integers share int_val
FIELD = {enum: FIELD_OF_NAME.get(name, "int_val") for enum, name in NAME_OF_ENUM.items()}
LIMIT = 1 << 31  # protobuf's for one message


def to_proto(
    array: np.ndarray, enum: int, shape: Sequence[int] | None = None, *, raw: bool = True, content: bool = False
) -> Any:
    """The TensorProto of `array` as type `enum`, in the bytes of TensorFlow's make_tensor_proto.

    A `shape` with more elements than `array` stands for its last element repeated. Strings may be str or bytes. Unless
    `raw`, every element stands by itself, and none in tensor_content; with `content`, a single one stands there too.
    Raises TypeError if the array's dtype is not the one of `enum`, ValueError if it has more elements than `shape`, or
    2 GB.
    """
    dtype = NUMPY_OF_ENUM[enum]
    array = np.asarray(array)
    if array.dtype != dtype:
        raise TypeError(f"An array of {array.dtype} can't be a tensor of {NAME_OF_ENUM[enum]}: it must be {dtype}.")
    shape = array.shape if shape is None else tuple(int(n) for n in shape)
    count = math.prod(shape)
    if array.size > count:
        raise ValueError(f"Too many elements provided. Needed at most {count}, but received {array.size}")
    proto = protos.TensorProto(dtype=enum)
    proto.tensor_shape.SetInParent()
    for size in shape:
        proto.tensor_shape.dim.add().size = size
    if raw and array.size == count > (0 if content else 1) and enum in RAW:
        if array.nbytes >= LIMIT:
            raise ValueError("Cannot create a tensor proto whose content is larger than 2GB.")
        proto.tensor_content = array.astype(dtype.newbyteorder("<"), copy=False).tobytes()
        return proto
    flat = array.ravel()
    if FIELD[enum] == "half_val":
        flat = flat.view(np.uint16)
    elif dtype.kind == "c":
        flat = flat.view(flat.real.dtype)
    elif FIELD[enum] == "string_val":
        proto.string_val.extend(_as_bytes(x) for x in flat)
        return proto
    getattr(proto, FIELD[enum]).extend(flat.tolist())
    return proto


def from_proto(proto: Any) -> np.ndarray:
    """The array of a TensorProto, writable and its own.

    Raises TypeError for an unknown type, ValueError where elements and shape contradict each other.
    """
    enum = proto.dtype
    if enum not in NUMPY_OF_ENUM:
        raise TypeError(f"Unsupported tensor type: {enum}")
    dtype = NUMPY_OF_ENUM[enum]
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise ValueError("A TensorProto must have a fully defined shape.")
    count = math.prod(shape)
    if proto.tensor_content:
        return _from_content(proto.tensor_content, dtype, enum, count).reshape(shape)
    field = getattr(proto, FIELD[enum])
    if FIELD[enum] == "half_val":
        values = np.fromiter(field, np.uint16, len(field)).view(dtype)
    elif dtype.kind == "c":
        values = np.fromiter(field, dtype.char.lower(), len(field)).view(dtype)
    elif dtype.kind == "O":
        values = np.empty(len(field), object)
        values[:] = list(field)
    else:
        values = np.fromiter(field, dtype, len(field))
    if values.size > count:
        raise ValueError(f"A tensor of shape {list(shape)} has {count} elements, but its message has {values.size}.")
    if values.size < count:
        values = _repeat_last(values, enum, count)
    return values.reshape(shape)


def _repeat_last(values: np.ndarray, enum: int, count: int) -> np.ndarray:
    """`values` with the last one repeated up to `count`. Without any, the elements are zeros or empty strings."""
    full = np.empty(count, values.dtype)
    full[: values.size] = values
    if values.size:
        last = values[-1]
    elif values.dtype.kind != "O":
        last = 0
    elif FIELD[enum] == "string_val":
        last = b""
    else:
        raise ValueError(f"A {NAME_OF_ENUM[enum]} tensor of {count} elements has none in its message.")
    full[values.size :] = last
    return full


def _from_content(content: bytes, dtype: np.dtype, enum: int, count: int) -> np.ndarray:
    if FIELD[enum] == "string_val":
        return _strings(content, count)
    if dtype.kind == "O":
        raise TypeError(f"A {NAME_OF_ENUM[enum]} tensor can't be read from tensor_content.")
    if len(content) != count * dtype.itemsize:
        raise ValueError(
            f"A {NAME_OF_ENUM[enum]} tensor of {count} elements needs {count * dtype.itemsize} bytes of "
            f"tensor_content, not {len(content)}."
        )
    return np.frombuffer(content, dtype.newbyteorder("<")).astype(dtype)


def _strings(content: bytes, count: int) -> np.ndarray:
    """The strings of a tensor_content: their lengths as varints, then their bytes. C++ writes these, Python never."""
    sizes: list[int] = []
    at = 0
    while len(sizes) < count:
        size = shift = 0
        while True:
            if at >= len(content):
                raise ValueError(
                    f"The tensor_content of {count} strings ends within the length of string {len(sizes)}."
                )
            byte = content[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        sizes.append(size)
    if at + sum(sizes) != len(content):
        raise ValueError(f"{count} strings need {at + sum(sizes)} bytes of tensor_content, not {len(content)}.")
    values = np.empty(count, object)
    for i, size in enumerate(sizes):
        values[i] = content[at : at + size]
        at += size
    return values


def _as_bytes(x: Any) -> bytes:
    if isinstance(x, str):
        return x.encode()
    if isinstance(x, (bytes, bytearray, memoryview)):
        return bytes(x)
    raise TypeError(f"Expected binary or unicode string, got {x!r}")
