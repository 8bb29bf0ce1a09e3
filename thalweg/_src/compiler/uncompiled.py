"""Whether a cluster that meets ever new shapes is compiled for one more of them, or run operation by operation on NumPy arrays.

An executable serves one set of shapes, and takes a good part of a second to make. A step whose shapes are seen once is over sooner
without one, where its operations are small. What either way takes is measured, so nothing here depends on what the operations are.
"""

from __future__ import annotations

from typing import Any

FIRST = 1  # executables that a cluster has before the other way is tried
TRIES = 3  # runs in a row that took longer than to compile, before it is given up


class Uncompiled:
    """What running one cluster without compiling it has taken, by shapes."""

    def __init__(self) -> None:
        self.compiled, self.seconds = 0, 0.0  # how many executables, and what they took to make
        self.spent: dict[Any, float] = {}
        self.slow = 0  # runs in a row that took longer than an executable takes to make
        self.refused = False

    def made(self, seconds: float) -> None:
        """Another executable has been made."""
        self.compiled += 1
        self.seconds += seconds

    def suits(self, key: Any) -> bool:
        """Whether to run shapes `key`, which have no executable, without one.

        Shapes that come again are compiled once they have taken as long as that takes.
        """
        if self.refused or self.compiled < FIRST:
            return False
        return self.spent.get(key, 0.0) < self.seconds / self.compiled

    def ran(self, key: Any, seconds: float) -> None:
        """A run of shapes `key` without an executable took that long."""
        if len(self.spent) > 4096:
            self.spent.clear()
        self.spent[key] = self.spent.get(key, 0.0) + seconds
        self.slow = self.slow + 1 if seconds > self.seconds / self.compiled else 0
        self.refused = self.slow >= TRIES
