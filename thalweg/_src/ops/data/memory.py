"""Memory for the batches of a map: each call puts its results where the batch will have them, so that joining them copies nothing."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core.laying import Memory

LEAST = 1 << 12  # bytes of a result that is worth a place


class Rows:
    """Gives out the rows of batches of `size`, one batch after the other, to one thread at a time."""

    def __init__(self, size: int):
        self.size, self.at = size, size
        self.batch: dict[int, Memory] = {}

    def next(self) -> "Row":
        if self.at == self.size:
            self.at, self.batch = 0, {}
        self.at += 1
        return Row(self.batch, self.size, self.at - 1)


class Row:
    """The places of one element's components in a batch."""

    __slots__ = ("at", "batch", "size")

    def __init__(self, batch: dict[int, Memory], size: int, at: int):
        self.batch, self.size, self.at = batch, size, at

    def place(self, component: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray | None:
        """Memory of that shape and type; None where it is too little to matter, or the batch is made of other arrays."""
        count, kind = math.prod(shape), np.dtype(dtype)
        if count * kind.itemsize < LEAST or kind.hasobject:
            return None
        memory = self.batch.get(component)
        if memory is None:
            memory = self.batch.setdefault(component, Memory((self.size, count), kind))
        if memory.shape[1] != count or memory.dtype != kind:
            return None
        return np.ndarray(shape, kind, memory, self.at * count * kind.itemsize)

    def filled(self, element: tuple) -> tuple:
        """`element` with its components in their places, copied unless they were made there."""
        return tuple([self._put(i, x) for i, x in enumerate(element)])

    def _put(self, component: int, value: Any) -> Any:
        if type(value) is not np.ndarray or value.nbytes < LEAST:
            return value
        place = self.place(component, value.shape, value.dtype)
        if place is None or (_address(place) == _address(value) and value.flags.c_contiguous):
            return value
        place[...] = value
        return place


def together(column: Sequence[np.ndarray]) -> np.ndarray | None:
    """The batch of arrays of one shape that lie in its rows from the first on; None where they do not."""
    first = column[0]
    memory = _memory(first)
    if memory is None or memory.shape[1] != first.size or len(column) > len(memory):
        return None
    at, step = _address(memory), first.nbytes
    for i, x in enumerate(column):
        if (
            type(x) is not np.ndarray
            or _address(x) != at + i * step
            or not x.flags.c_contiguous
            or x.dtype != memory.dtype
        ):
            return None
    return np.ndarray((len(column), *first.shape), memory.dtype, memory)


def give(element: tuple) -> None:
    """Let the run that takes `element` keep its batches: nobody else has them."""
    for x in element:
        if type(x) is np.ndarray and type(x.base) is Memory:
            x.base.given = True


def _memory(x: np.ndarray) -> Memory | None:
    owner = x.base
    while type(owner) is np.ndarray:
        owner = owner.base
    return owner if isinstance(owner, Memory) else None


def _address(x: np.ndarray) -> int:
    return x.__array_interface__["data"][0]
