"""The ways to the tasks of a cluster that are other processes: questions go there as frames, and so do the answers come back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from thalweg._src.core import errors
from thalweg._src.formats import frames

log = logging.getLogger("thalweg")
PATIENCE = 10.0  # seconds after which a task that does not answer is named, again and again
GLANCE = 2.0  # seconds after which whoever waits for a task looks whether it still should


class Call(Protocol):
    """A question to a task that has been sent."""

    def when_done(self, then: Callable[[], None]) -> None: ...
    def result(self) -> bytes: ...
    def cancel(self) -> None: ...


class Link(Protocol):
    """The way to a task. `call` sends a frame; with `seconds`, it waits so long for a task that is not there yet."""

    def call(self, method: str, frame: bytes, seconds: float | None = None) -> Call: ...


class Transport(Protocol):
    """How tasks reach each other: `reach` gives the way to an address; `serve` answers for `server` what comes to an address, whose port
    it returns. Both raise ImportError where what they need is not installed.
    """

    def reach(self, address: str) -> Link: ...
    def serve(self, server: Any, address: str) -> int: ...


transport: Transport  # put here by what stands above: tf.train.Server


def reach(address: str) -> Link:
    """The way to the task at `address`, `host:port`."""
    return transport.reach(address)


def ask(call: Call) -> tuple[dict[str, Any], list[Any]]:
    """The answer to a call. Raises the error that the task tells of, or that keeps the answer from coming."""
    facts, items = frames.unpack(call.result())
    if "error" in facts:
        told = facts["error"]
        error = errors.exception_type_from_error_code(told["code"])._rebuild(told["message"], told["code"])
        error.__dict__["told_of"] = told["op"]
        raise error
    return facts, items


def wait(link: Link, method: str, frame: bytes, name: str, ended: threading.Event, until: float | None) -> Any:
    """The answer of a task that may not be there yet; every ten seconds the log says so."""
    begun = told = time.monotonic()
    while True:
        try:
            left = GLANCE if until is None else min(GLANCE, max(until - time.monotonic(), 0.01))
            return ask(link.call(method, frame, left))
        except (errors.UnavailableError, errors.DeadlineExceededError):
            now = time.monotonic()
            if ended.is_set():
                raise errors.CancelledError(None, None, "Session was closed.") from None
            if until is not None and now > until:
                raise errors.DeadlineExceededError(
                    None, None, f"{name} did not answer within {now - begun:.0f} seconds"
                ) from None
            if now - told > PATIENCE:
                told = now
                log.warning("CreateSession still waiting for response from worker: %s", name)
