"""Whether a cluster is compiled for shapes that it meets, or run operation by operation on NumPy arrays first: to rent or to buy.

An executable serves one set of shapes, and takes a good part of a second to make. A step that is run a few times is over sooner
without one, where its operations are small. What either way costs is counted in operations and numbers, at the prices below, and never
measured: a program gives the same numbers again. The first runs of a step are made on NumPy arrays until they have cost a part of what
it costs to compile it; where shapes change all the time, until they have cost as much. THALWEG_UNCOMPILED=off compiles everything else at
once.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Collection
from typing import Any

from thalweg._src.compiler.bodies import inner_ops
from thalweg._src.core import shapes
from thalweg._src.core.graph import Operation

# Of the price of an executable: what runs without it may cost.
SHARE = 0.0 if os.environ.get("THALWEG_UNCOMPILED") == "off" else 0.5
RUNS = 64  # without it, at most
TRAINED = 10  # of a step that changes variables, which is run again and again, unless it is large
_PER_RUN = 100  # operations of a large one for each run
MANY = 8  # runs without it, for which nothing is compiled ahead
TRIES = 3  # runs of changing shapes in a row that cost more than to compile, before the other way is given up
_SHAPES = 4096  # that are remembered

# Prices in microseconds, about those of one core.
COMPILED, EACH = 40_000, 1_800  # an executable compiled hastily, and each operation in it
CALLED = 15  # an operation on NumPy arrays
NUMBER = 0.001  # a number that it gives
DRAWN = 0.03  # a random number
DISPATCHED = 20_000  # a function of JAX called on arrays of a shape of its own, which it compiles

# By type: calls of operations on NumPy arrays, and of JAX's functions in them, where there were any.
seen: dict[str, list[float]] = {}


class Costly(Exception):
    """A run without an executable would cost more than it may."""


class Uncompiled:
    """What running one cluster without compiling it has cost, by shapes.

    `once`: what of its operations there is to compile. `varies`: its shapes change all the time. `trains`: its plan changes variables.
    """

    def __init__(
        self,
        ops: Collection[Operation] = (),
        once: Collection[Operation] = (),
        *,
        varies: bool = False,
        trains: bool = False,
    ):
        self.varies = varies
        self.spent: dict[Any, float] = {}
        self.runs: dict[Any, int] = {}
        self.slow = 0  # runs in a row that cost more than an executable
        # JAX traces what is differentiated; loops of changing lengths have a way of their own.
        self.refused = not varies and any(op.opdef.forward_of is not None for op in ops)
        self._ops, self._once = _working(ops), once
        self._most = min(RUNS, max(TRAINED, len(self._ops) // _PER_RUN)) if trains else RUNS
        # XLA sums products as TensorFlow does, NumPy does not: training follows TensorFlow's more closely where it is compiled.
        self._dearest = 2 * CALLED * len(self._ops) if trains and self._most == TRAINED else math.inf

    @functools.cached_property
    def price(self) -> float:
        """What an executable costs that is made hastily."""
        return COMPILED + EACH * sum(1 + len(inner_ops(op)) for op in _working(self._once))

    def left(self, key: Any) -> float:
        """What a run of shapes `key`, which have no executable, may cost without one; 0 where one is to be made."""
        if self.refused:
            return 0.0
        spent = self.spent.get(key)
        if self.varies:
            return math.inf if spent is None or spent < self.price else 0.0
        if self.runs.get(key, 0) >= self._most:
            return 0.0
        left = min(SHARE * self.price - (spent or 0.0), self._dearest)
        return max(left, 0.0) if spent is not None or self._expected() <= left else 0.0

    def _expected(self) -> float:
        """What a run costs at least, as far as that is known before the first one."""
        dispatched = 0.0
        for op in self._ops:
            calls, found = seen.get(op.type, (1, 1 if op.opdef.convolves else 0))
            dispatched += found / calls
        return CALLED * len(self._ops) + DISPATCHED * dispatched

    def is_cheap(self) -> bool:
        """Whether `MANY` runs, of shapes that are known beforehand, will be made without an executable."""
        numbers = sum(shapes.size_of(t._dims) or 0 for op in self._ops for t in op.outputs)
        return self.left(None) > MANY * (self._expected() + NUMBER * numbers)

    def ran(self, key: Any, price: float) -> None:
        """A run of shapes `key` without an executable cost that much."""
        if len(self.spent) > _SHAPES:
            self.spent.clear()
            self.runs.clear()
        self.spent[key] = self.spent.get(key, 0.0) + price
        self.runs[key] = self.runs.get(key, 0) + 1
        if self.varies:
            self.slow = self.slow + 1 if price > self.price else 0
            self.refused = self.slow >= TRIES

    def gave_up(self, key: Any) -> None:
        """Shapes `key` are to be compiled."""
        self.spent[key] = math.inf


def _working(ops: Collection[Operation]) -> list[Operation]:
    """Those of `ops` that are more than a value, or another name."""
    return [op for op in ops if not (op.opdef.source or op.opdef.alias or op.opdef.constant)]


def called(kind: str, dispatched: float) -> None:
    """An operation of that type has been called on NumPy arrays, and has called so many of JAX's functions."""
    if dispatched or kind in seen:
        counts = seen.setdefault(kind, [0.0, 0.0])
        counts[0] += 1
        counts[1] += dispatched
