"""slim.queues: the queue runners of a graph for the length of a block."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.coordinator import Coordinator

_running = threading.Lock()


class NestedQueueRunnerError(Exception):
    """A block of QueueRunners inside of another one."""


@contextlib.contextmanager
def QueueRunners(session: Any) -> Iterator[None]:
    """Start all queue runners, and stop them after the block."""
    if not _running.acquire(False):
        raise NestedQueueRunnerError("QueueRunners cannot be nested")
    coord = Coordinator()
    threads: list[Any] = []
    for runner in scopes.get_collection(GraphKeys.QUEUE_RUNNERS):
        threads.extend(runner.create_threads(session, coord=coord, daemon=True, start=True))
    try:
        yield
    finally:
        coord.request_stop()
        try:
            coord.join(threads, stop_grace_period_secs=120)
        except RuntimeError:
            session.close()
        _running.release()
