"""The safetensors format: named arrays of numbers, as other frameworks exchange them.

    file   = size of the header (8 bytes, little endian), header, the arrays' bytes one after the other
    header = JSON: name -> {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]},
             "__metadata__" -> text -> text

Limits: headers up to 100 MB; the types below and no strings; the offsets must cover the bytes without gap or overlap.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

from .errors import DataLoss, Unimplemented

DTYPES: dict[str, np.dtype] = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype(np.uint8),
    "I8": np.dtype(np.int8),
    "U16": np.dtype(np.uint16),
    "I16": np.dtype(np.int16),
    "F16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "U32": np.dtype(np.uint32),
    "I32": np.dtype(np.int32),
    "F32": np.dtype(np.float32),
    "U64": np.dtype(np.uint64),
    "I64": np.dtype(np.int64),
    "F64": np.dtype(np.float64),
    "C64": np.dtype(np.complex64),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
METADATA = "__metadata__"
LARGEST_HEADER = 100_000_000


def write_safetensors(
    stream: Any, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None
) -> None:
    """Write `tensors` to `stream`, the widest types first so that each is aligned, then by name.

    They may lie on a device: what has a dtype, a shape and nbytes becomes a NumPy array when it is written, one after the other.
    Raises Unimplemented for a type that the format does not have.
    """
    for name, array in tensors.items():
        if array.dtype not in NAMES:
            raise Unimplemented(f"safetensors has no type for {name}, an array of {array.dtype}.")
        if name == METADATA:
            raise ValueError(f"{METADATA} is no name for a tensor.")
    order = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    header: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    at = 0
    for name in order:
        array = tensors[name]
        offsets = [at, at + array.nbytes]
        header[name] = {"dtype": NAMES[array.dtype], "shape": list(array.shape), "data_offsets": offsets}
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    stream.write(len(text).to_bytes(8, "little") + text)
    for name in order:
        array = np.asarray(tensors[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        stream.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


class SafetensorsReader:
    """Reads tensors one by one from a stream that can seek. Raises DataLoss for what is no safetensors file."""

    def __init__(self, stream: Any, *, source: str = ""):
        self._stream = stream
        self._source = source
        total = stream.seek(0, 2)
        stream.seek(0)
        head = stream.read(8)
        size = int.from_bytes(head, "little")
        if len(head) < 8 or size > min(LARGEST_HEADER, total - 8):
            raise self._loss("the header is cut short or too large")
        try:
            header = json.loads(stream.read(size).decode(), object_pairs_hook=_unique)
            self.metadata: dict[str, str] = dict(header.pop(METADATA, {}))
            self._tensors = {name: _entry(entry) for name, entry in header.items()}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise self._loss(f"the header is not good: {error}") from error
        self._start = 8 + size
        end = 0
        for begin, stop in sorted((begin, stop) for _, _, begin, stop in self._tensors.values()):
            if begin != end:
                raise self._loss(f"the offsets have a gap or overlap at {begin}")
            end = stop
        if end != total - self._start:
            raise self._loss(f"the tensors have {end} bytes, the file {total - self._start} behind its header")

    def names(self) -> list[str]:
        return list(self._tensors)

    def kind(self, name: str) -> tuple[np.dtype, tuple[int, ...]]:
        """Type and shape of `name`. Raises KeyError if there is none."""
        return self._tensors[name][:2]

    def read(self, name: str) -> np.ndarray:
        """The array `name`, writable and its own. Raises KeyError if there is none."""
        dtype, shape, begin, end = self._tensors[name]
        self._stream.seek(self._start + begin)
        data = self._stream.read(end - begin)
        if len(data) != end - begin:
            raise self._loss(f"{name} is cut short")
        return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype).reshape(shape)

    def _loss(self, what: str) -> DataLoss:
        return DataLoss(f"not a good safetensors file: {what}.", source=self._source)


def _entry(entry: Any) -> tuple[np.dtype, tuple[int, ...], int, int]:
    """Type, shape, begin and end. Raises one of the errors above for what does not fit together."""
    dtype = DTYPES[entry["dtype"]]
    shape = tuple(entry["shape"])
    begin, end = entry["data_offsets"]
    if not all(type(n) is int and n >= 0 for n in (*shape, begin, end)):
        raise ValueError(f"sizes and offsets must be natural numbers, not {entry}")
    if end - begin != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"type, shape and offsets differ: {entry}")
    return dtype, shape, begin, end


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name occurs twice")
    return dict(pairs)
