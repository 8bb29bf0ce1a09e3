"""Whether a cluster that meets ever new shapes is compiled for one more of them, or run operation by operation on NumPy arrays.

An executable serves one set of shapes, and takes a good part of a second to make. A step whose shapes are seen once is over sooner
without one, where its operations are small. What either way costs is counted in operations and numbers, at the prices below, and never
measured: a program gives the same numbers again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from thalweg._src.compiler.bodies import inner_ops
from thalweg._src.core.graph import Operation

FIRST = 1  # executables that a cluster has before the other way is tried
TRIES = 3  # runs in a row that cost more than to compile, before it is given up

# Prices in microseconds, about those of one core.
COMPILED, EACH = 40_000, 1_800  # an executable compiled hastily, and each operation in it
CALLED = 15  # an operation on NumPy arrays
NUMBER = 0.001  # a number that it gives
DISPATCHED = 20_000  # a function of JAX called on arrays of a shape of its own, which it compiles


def price_of(ops: Iterable[Operation]) -> float:
    """What it costs to compile `ops` and what is in their bodies."""
    return COMPILED + EACH * sum(1 + len(inner_ops(op)) for op in ops)


class Uncompiled:
    """What running one cluster without compiling it has cost, by shapes."""

    def __init__(self) -> None:
        self.compiled, self.price = 0, 0.0  # how many executables, and what they cost to make
        self.spent: dict[Any, float] = {}
        self.slow = 0  # runs in a row that cost more than an executable
        self.refused = False

    def made(self, price: float) -> None:
        """Another executable has been made."""
        self.compiled += 1
        self.price += price

    def suits(self, key: Any) -> bool:
        """Whether to run shapes `key`, which have no executable, without one.

        Shapes that come again are compiled once they have cost as much as that.
        """
        if self.refused or self.compiled < FIRST:
            return False
        return self.spent.get(key, 0.0) < self.price / self.compiled

    def ran(self, key: Any, price: float) -> None:
        """A run of shapes `key` without an executable cost that much."""
        if len(self.spent) > 4096:
            self.spent.clear()
        self.spent[key] = self.spent.get(key, 0.0) + price
        self.slow = self.slow + 1 if price > self.price / self.compiled else 0
        self.refused = self.slow >= TRIES
