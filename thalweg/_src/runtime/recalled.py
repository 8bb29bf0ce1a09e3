"""What follows from shapes and constants, recalled where they come again.

A graph says in operations what its program means by `x.shape[0]`: half of a recurrent step are slices, ranges and concatenations of shapes.
Run one by one, in a cluster whose shapes keep changing, they would be computed for the same shapes again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core.graph import Operation

MOST = 1 << 14  # operations with their inputs
LARGE = 1 << 10  # numbers that are not kept


class Recalled:
    """The outputs of operations without effects, by their inputs: their shapes where these are all that counts, or arrays that are known
    because they are constants or outputs that are kept here.
    """

    def __init__(self) -> None:
        self._outputs: dict[Any, list[np.ndarray]] = {}
        self._own: dict[int, np.ndarray] = {}  # by id, which is nobody else's as long as they are kept here

    def outputs(self, op: Operation, values: Sequence[Any], make: Callable[[], list[np.ndarray]]) -> list[np.ndarray]:
        """The outputs of `op` for `values`, by `make()` where they are not known. They are only to be read."""
        key = self._key(op, values)
        if key is None:
            return make()
        found = self._outputs.get(key)
        if found is None:
            found = make()
            if sum(v.size for v in found) <= LARGE:
                self._keep(key, found)
        return found

    def _key(self, op: Operation, values: Sequence[Any]) -> Any:
        if op.opdef.needs_only_shapes(op):
            return (op, *[v.shape for v in values]) if all(type(v) is np.ndarray for v in values) else None
        for t, v in zip(op._inputs, values, strict=True):
            if not t.op.opdef.constant and self._own.get(id(v)) is not v:
                return None
        return (op, *map(id, values))

    def _keep(self, key: Any, found: list[np.ndarray]) -> None:
        if len(self._outputs) >= MOST:
            self._outputs.clear()
            self._own.clear()
        self._outputs[key] = found
        for v in found:
            v.flags.writeable = False
            self._own[id(v)] = v
