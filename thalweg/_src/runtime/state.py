"""What a session keeps between runs: variables and random streams, by key."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

import numpy as np

from thalweg._src.core import philox
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax


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
        """Replace the values of `keys`, all at once. What stands on a device stays there."""
        own = self.values
        moving: dict[Any, Any] = {}
        for key, value in zip(keys, values, strict=True):
            old = own.get(key)
            if old is None or old.shape != value.shape or old.dtype != value.dtype:
                self.signature += 1
            elif type(value) is np.ndarray and type(old) is not np.ndarray and value.dtype != object:
                moving[key] = old
            own[key] = value
        for device in {old.device for old in moving.values()}:
            self.bring([key for key, old in moving.items() if old.device == device], device)

    def bring(self, keys: Iterable[Any], device: Any) -> None:
        """Put what is held of `keys` as NumPy arrays of numbers onto `device`."""
        values = self.values
        held = {k: v for k in keys if type(v := values.get(k)) is np.ndarray and v.dtype != object}
        if held:
            with jax.enable_x64(True):
                values.update(zip(held, jax.device_put(list(held.values()), device), strict=True))

    def remove(self, key: Any) -> None:
        if self.values.pop(key, None) is not None:
            self.signature += 1

    def ensure_random(self, op: Operation) -> None:
        """Begin the stream of a random op that has not run in this session."""
        key = ("rng", op.name)
        if key not in self.values:
            self.values[key] = fresh_random(op)
            self.signature += 1

    def ensure_empty(self, key: str, shape: tuple[int, ...], dtype: Any) -> None:
        """Give a variable without elements, which has nothing to be initialized, its value."""
        if key not in self.values:
            self.values[key] = np.empty(shape, dtype)
            self.signature += 1

    def clear(self) -> None:
        self.values.clear()
        self.resources.clear()
        self.signature += 1


class Part(Store):
    """What one session of a server keeps: the server's variables and resources, and random streams of its own."""

    def __init__(self, shared: Store):
        self.shared = shared
        self.lock, self.resources = shared.lock, shared.resources
        self._split = _Split(shared.values)
        self.values = self._split  # type: ignore[assignment]

    @property
    def signature(self) -> int:  # type: ignore[override]
        return self.shared.signature + self._split.changes

    @signature.setter
    def signature(self, value: int) -> None:
        self.shared.signature += value - self.signature

    def clear(self) -> None:
        """Forget what is this session's own."""
        self._split.own.clear()
        self._split.changes += 1


class _Split(MutableMapping[Any, Any]):
    """Two mappings as one: random streams, whose keys are tuples, in `own`, all others in `shared`."""

    def __init__(self, shared: dict[Any, Any]):
        self.shared: dict[Any, Any] = shared
        self.own: dict[Any, Any] = {}
        self.changes = 0

    def _of(self, key: Any) -> dict[Any, Any]:
        return self.own if type(key) is tuple else self.shared

    def __getitem__(self, key: Any) -> Any:
        return self._of(key)[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._of(key)[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._of(key)[key]

    def __iter__(self) -> Iterator[Any]:
        yield from self.shared
        yield from self.own

    def __len__(self) -> int:
        return len(self.shared) + len(self.own)


def fresh_random(op: Operation) -> np.ndarray:
    """The first state of a random op: from its seeds, or from the system's entropy where both are zero."""
    seed, seed2 = int(op._attrs.get("seed", 0)), int(op._attrs.get("seed2", 0))
    if seed == 0 and seed2 == 0:
        seed, seed2 = secrets.randbits(64), secrets.randbits(64)
    return philox.initial_state(seed, seed2)
