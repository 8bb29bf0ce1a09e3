"""Slices of tensors, as checkpoints store the parts of partitioned variables.

A slice is a tuple with a pair for each dimension: (start, length), or FULL for all of it.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from . import protos
from .errors import InvalidArgument

Slice = tuple[tuple[int, int], ...]
FULL = (0, -1)


def full_slice(rank: int) -> Slice:
    return (FULL,) * rank


def parse_shape_and_slice(text: str) -> tuple[tuple[int, ...], Slice, tuple[int, ...]]:
    """The full shape, the slice, and its shape, of a specification such as "4 3 0,2:-": rows 0 and 1 of [4, 3]."""
    *sizes, last = text.split(" ")
    if not sizes:
        raise InvalidArgument(f"Need least two elements in shape_and_slice specification: {text}")
    try:
        shape = tuple(int(size) for size in sizes)
    except ValueError:
        raise InvalidArgument(f"Non numerical dimension in shape_and_slice: {text}") from None
    wanted = parse_slice(last)
    return shape, wanted, slice_shape(wanted, shape)


def parse_slice(text: str) -> Slice:
    """The slice of "0,2:-"; "-" is a whole dimension."""
    pairs = []
    for item in filter(None, text.split(":")):
        if item == "-":
            pairs.append(FULL)
            continue
        numbers = [n for n in item.split(",") if n]
        try:
            start, length = (int(n) for n in numbers)
        except ValueError:
            raise InvalidArgument(f"Expected a pair of numbers or '-' but got '{item}': string = {text}") from None
        if start < 0 or length <= 0:
            raise InvalidArgument(
                f"Expected non-negative start and positive length but got start = {start}, length = {length}: "
                f"string = {text}"
            )
        pairs.append((start, length))
    return tuple(pairs)


def slice_text(part: Slice) -> str:
    """The inverse of `parse_slice`."""
    return ":".join("-" if pair == FULL else f"{pair[0]},{pair[1]}" for pair in part)


def slice_shape(part: Slice, shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of slice `part` of a tensor of `shape`. Raises InvalidArgument if it does not lie within."""
    if len(part) != len(shape):
        raise InvalidArgument(f"Mismatching ranks: shape = {list(shape)}, slice = {slice_text(part)}")
    for d, (pair, size) in enumerate(zip(part, shape, strict=True)):
        if pair != FULL and pair[0] + pair[1] > size:
            raise InvalidArgument(
                f"Extent in dimension {d} out of bounds: shape = {list(shape)}, slice = {slice_text(part)}"
            )
    return tuple(size if pair == FULL else pair[1] for pair, size in zip(part, shape, strict=True))


def is_full(part: Slice, shape: Sequence[int]) -> bool:
    return slice_shape(part, shape) == tuple(shape)


def to_proto(part: Slice) -> Any:
    """The TensorSliceProto of `part`."""
    proto = protos.TensorSliceProto()
    for pair in part:
        extent = proto.extent.add()
        if pair != FULL:
            extent.start, extent.length = pair
    return proto


def from_proto(proto: Any) -> Slice:
    return tuple((e.start, e.length) if e.WhichOneof("has_length") else FULL for e in proto.extent)


def slice_key(name: str, part: Slice) -> bytes:
    """The key under which a table has slice `part` of tensor `name`: an ordered code of both.

    The code is a zero; the name with bytes 0 and 255 escaped, ended by 0 1; the rank; start and length of each pair.
    """
    escaped = name.encode().replace(b"\x00", b"\x00\xff")  # 0xff, the other byte that is escaped, is not in UTF-8
    key = b"\x00" + escaped + b"\x00\x01" + _natural(len(part))
    return key + b"".join(_signed(start) + _signed(length) for start, length in part)


def assemble(
    name: str,
    shape: Sequence[int],
    wanted: Slice,
    stored: Iterable[Slice],
    dtype: np.dtype,
    read: Callable[[Slice], np.ndarray],
) -> np.ndarray:
    """Slice `wanted` of the tensor of `shape` that is stored in slices, each of which `read` gives.

    Raises InvalidArgument when the stored slices overlap, or do not cover what is wanted.
    """
    stored = list(stored)
    if wanted in stored:
        return read(wanted)
    target = _bounds(wanted, shape)
    parts = []
    for part in stored:
        slice_shape(part, shape)
        common = [(max(a, c), min(b, d)) for (a, b), (c, d) in zip(_bounds(part, shape), target, strict=True)]
        if all(a < b for a, b in common):
            parts.append((part, common))
    result_shape = slice_shape(wanted, shape)
    covered = sum(math.prod(b - a for a, b in common) for _, common in parts)
    if covered != math.prod(result_shape):
        raise InvalidArgument(
            f"Does not have sufficient slices for partitioned tensor {name} to restore in slice_spec: "
            f"{slice_text(wanted)}"
        )
    for (first, one), (second, other) in itertools.combinations(parts, 2):
        if all(max(a, c) < min(b, d) for (a, b), (c, d) in zip(one, other, strict=True)):
            raise InvalidArgument(
                f"Overlapping slices of partitioned tensor {name}: {slice_text(first)}, {slice_text(second)}"
            )
    result = np.empty(result_shape, dtype)
    for part, common in parts:
        into = tuple(slice(a - t, b - t) for (a, b), (t, _) in zip(common, target, strict=True))
        source = tuple(slice(a - s, b - s) for (a, b), (s, _) in zip(common, _bounds(part, shape), strict=True))
        result[into] = read(part)[source]
    return result


def _bounds(part: Slice, shape: Sequence[int]) -> list[tuple[int, int]]:
    return [(0, size) if p == FULL else (p[0], p[0] + p[1]) for p, size in zip(part, shape, strict=True)]


def _natural(n: int) -> bytes:
    """A length byte and as many bytes of `n`, the highest first."""
    size = (n.bit_length() + 7) // 8
    return bytes([size]) + n.to_bytes(size, "big")


def _signed(n: int) -> bytes:
    """`n` in as few bytes as hold it with its header, so that codes sort as numbers do.

    A code of `size` bytes is `n` in two's complement, the highest byte first, with its first `size` bits inverted.
    """
    size = next(size for size in range(1, 11) if -(1 << (7 * size - 1)) <= n < 1 << (7 * size - 1))
    bits = n & ((1 << 8 * size) - 1)
    return (bits ^ (((1 << size) - 1) << (7 * size))).to_bytes(size, "big")
