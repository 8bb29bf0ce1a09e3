"""What a session keeps between runs: variables and random streams, by key."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from thalweg._src.core import philox
from thalweg._src.core.graph import Operation


class Store:
    """Variables of one session: key -> array. `lock` is held from the gathering of a step's variables to its commit.

    `signature` grows whenever a variable appears, vanishes or changes its shape or type, so that a plan sees at a glance
    whether what it was compiled for still holds.
    """

    def __init__(self) -> None:
        self.values: dict[Any, Any] = {}
        self.lock = threading.RLock()
        self.signature = 0
        self.resources: dict[Any, Any] = {}

    def commit(self, keys: Iterable[Any], values: Iterable[Any]) -> None:
        """Replace the values of `keys`, all at once."""
        own = self.values
        for key, value in zip(keys, values, strict=True):
            old = own.get(key)
            if old is None or old.shape != value.shape or old.dtype != value.dtype:
                self.signature += 1
            own[key] = value

    def remove(self, key: Any) -> None:
        if self.values.pop(key, None) is not None:
            self.signature += 1

    def ensure_random(self, op: Operation) -> None:
        """Begin the stream of a random op that has not run in this session."""
        key = ("rng", op.name)
        if key not in self.values:
            self.values[key] = fresh_random(op)
            self.signature += 1

    def clear(self) -> None:
        self.values.clear()
        self.resources.clear()
        self.signature += 1


def fresh_random(op: Operation) -> np.ndarray:
    """The first state of a random op: from its seeds, or from the system's entropy where both are zero."""
    seed, seed2 = int(op._attrs.get("seed", 0)), int(op._attrs.get("seed2", 0))
    if seed == 0 and seed2 == 0:
        seed, seed2 = secrets.randbits(64), secrets.randbits(64)
    return philox.initial_state(seed, seed2)
