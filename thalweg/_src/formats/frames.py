"""Messages between the tasks of a cluster: facts as JSON, and arrays and bytes as they lie in memory.

A frame is the length of its head (8 bytes, little-endian), the head, and the bytes of what it carries, one after the other. The head is a
JSON object of `facts` and of `items`: [dtype, shape] for an array; for one of strings, whose dtype is "string", the lengths of the strings
follow; ["bytes", length] for bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import DataLoss
from .types import TYPES

_DTYPES = {dtype.name: dtype for dtype in (np.dtype(t) for _, _, t in TYPES) if dtype != object}
_START = 8


def pack(facts: dict[str, Any], items: Sequence[np.ndarray | bytes] = ()) -> bytes:
    """A frame of `facts`, which JSON can say, and `items`. Raises TypeError for arrays of other objects than strings."""
    entries: list[list[Any]] = []
    pieces: list[Any] = []
    for item in items:
        if isinstance(item, bytes):
            entries.append(["bytes", len(item)])
            pieces.append(item)
        elif item.dtype == object:
            strings = [x.encode() if isinstance(x, str) else x for x in item.flat]
            if not all(isinstance(x, bytes) for x in strings):
                raise TypeError("Only numbers and strings go from one task of a cluster to another.")
            entries.append(["string", list(item.shape), *map(len, strings)])
            pieces += strings
        else:
            entries.append([item.dtype.name, list(item.shape)])
            pieces.append(np.ascontiguousarray(item).reshape(-1).view(np.uint8).data)
    head = json.dumps({"facts": facts, "items": entries}).encode()
    return b"".join([len(head).to_bytes(_START, "little"), head, *pieces])


def unpack(frame: bytes) -> tuple[dict[str, Any], list[Any]]:
    """The facts and the items of a frame; its arrays are not to be written to. Raises DataLoss."""
    view = memoryview(frame)
    end = _START + int.from_bytes(view[:_START], "little")
    try:
        head = json.loads(bytes(view[_START:end]))
        items = []
        for entry in head["items"]:
            item, end = _item(entry, view, end)
            items.append(item)
        facts = head["facts"]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DataLoss(f"{len(frame)} bytes are no message of a cluster: {error}") from None
    if end != len(view):
        raise DataLoss(f"A message of a cluster has {len(view)} bytes, where its head says {end}.")
    return facts, items


def _item(entry: list[Any], view: memoryview, at: int) -> tuple[Any, int]:
    kind, size, *lengths = entry
    if kind == "bytes":
        return bytes(view[at : at + size]), at + size
    if kind == "string":
        out = np.empty(len(lengths), object)
        for i, n in enumerate(lengths):
            out[i] = bytes(view[at : at + n])
            at += n
        return out.reshape(size), at
    dtype, count = _DTYPES[kind], math.prod(size)
    return np.frombuffer(view, dtype, count, at).reshape(size) if count else np.empty(size, dtype), at + (
        count * dtype.itemsize
    )
