"""Who listens to operations as they are run or built: the tapes of a thread, innermost last."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any


class _Listeners(threading.local):
    def __init__(self) -> None:
        self.tapes: tuple[Any, ...] = ()


listeners = _Listeners()


def start(tape: Any) -> None:
    """Let `tape.record(op)` hear of every operation that runs eagerly in this thread."""
    listeners.tapes = (*listeners.tapes, tape)


def stop(tape: Any) -> None:
    listeners.tapes = tuple(t for t in listeners.tapes if t is not tape)


@contextlib.contextmanager
def silence(*tapes: Any) -> Iterator[None]:
    """A block that `tapes` (all, where none are named) do not hear of."""
    old = listeners.tapes
    listeners.tapes = tuple(t for t in old if t not in tapes) if tapes else ()
    try:
        yield
    finally:
        listeners.tapes = old
