"""What a host op receives as `ctx`: the session's resources, and the way to its own inputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.compiler.interpret import RefValue
from thalweg._src.core import errors
from thalweg._src.core.graph import Operation
from thalweg._src.core.structured import Structured


def on_host(value: Any) -> Any:
    """`value` as host work takes it: a NumPy array, or a reference to a variable."""
    if type(value) is np.ndarray:
        return value
    if isinstance(value, Structured):
        return value.on_host()
    if isinstance(value, np.ndarray | RefValue):
        return value
    if isinstance(value, bytes | str):  # NumPy would make an array of a fixed length of it
        array = np.empty((), object)
        array[()] = value
        return array
    return np.asarray(value)


_numbers = itertools.count()


def _is_stream(key: Any) -> bool:
    return isinstance(key, tuple) and key[0] == "rng"


class HostContext:
    """The runtime as one host op sees it."""

    __slots__ = ("env", "op", "session")

    def __init__(self, session: Any, op: Operation, env: dict[Any, Any]):
        self.session, self.op, self.env = session, op, env

    def resource(self, key: Any, make: Callable[[], Any]) -> Any:
        """The resource of that key in this session, made on first use."""
        resources = self.session._store.resources
        with self.session._store.lock:
            if key not in resources:
                resources[key] = make()
            return resources[key]

    def function(self, graph: Any, captured: Sequence[Any] = ()) -> Any:
        """`graph`, a function graph of an attr, as a Python function on arrays, its last inputs bound to `captured`."""
        from thalweg._src.runtime.host_functions import HostFunction

        return HostFunction(self.session, graph, captured)

    def own(self, kind: str, container: str, shared_name: str, make: Callable[[str], Any]) -> Any:
        """The resource of this op, or the one that all ops with that `shared_name` have; `make` makes it, given its name."""
        if not shared_name:
            return self.resource(
                (kind, self.session._owner, self.op.name), lambda: make(f"_{next(_numbers)}_{self.op.name}")
            )
        if shared_name.startswith("_"):
            raise errors.InvalidArgumentError(None, None, f"shared_name cannot start with '_':{shared_name}")
        return self.resource((kind, container, shared_name), lambda: make(shared_name))

    def random_streams(self) -> dict[str, np.ndarray]:
        """The state of each random op that has run in this session, by its name."""
        store = self.session._store
        with store.lock:
            return {key[1]: np.asarray(value) for key, value in store.values.items() if _is_stream(key)}

    def put_random_streams(self, streams: dict[str, np.ndarray]) -> None:
        """Let the random ops go on from `streams`; those that are not among them begin anew."""
        store = self.session._store
        with store.lock:
            for key in [key for key in store.values if _is_stream(key)]:
                store.remove(key)
            store.commit([("rng", name) for name in streams], list(streams.values()))

    @property
    def device(self) -> Any:
        """The JAX device that the op is placed on."""
        return self.session._devices.place(self.op)

    @property
    def cancelled(self) -> bool:
        """Whether the session was closed while the op ran."""
        return self.session._cancelled.is_set()
