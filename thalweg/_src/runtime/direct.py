"""The variables of a session from outside of a run: what saves and restores them needs one of them at a time in
memory.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.compiler.interpret import uninitialized, variable_key
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax
from thalweg._src.runtime.base_session import BaseSession


def is_local(session: Any) -> bool:
    """Whether `session` keeps its variables in this process, and is open."""
    return isinstance(session, BaseSession) and not session._closed and session._is_alone


@contextlib.contextmanager
def held(session: BaseSession) -> Iterator[None]:
    """In the block, no step of the session changes a variable."""
    with session._store.lock:
        yield


def value_of(session: BaseSession, source: Operation) -> np.ndarray:
    """The value of the variable op `source`; only to be read, and only within `held`. Raises
    FailedPreconditionError.
    """
    return np.asarray(kept(session, source))


def kept(session: BaseSession, source: Operation) -> Any:
    """As `value_of`, where it is: an array of NumPy, or one on a device."""
    value = session._store.values.get(variable_key(source))
    if value is None:
        raise uninitialized(source, source)
    return value


def put(session: BaseSession, source: Operation, value: np.ndarray) -> int:
    """Make `value` the value of the variable op `source`, and tell how many bytes the old one had.

    The array must not change afterwards.
    """
    kept: Any = value
    if value.dtype != object:
        with jax.enable_x64(True):
            kept = jax.device_put(value, session._devices.place(source)).block_until_ready()  # `value` may go then
    with session._store.lock:
        old = session._store.values.get(variable_key(source))
        session._store.commit([variable_key(source)], [kept])
    return getattr(old, "nbytes", 0)


def forget(session: BaseSession) -> None:
    """Forget all variables and random streams: the session is as new, but for the plans that it has compiled."""
    with session._store.lock:
        session._store.clear()
