"""Event files, written by a thread of their own so that training does not wait for the disk."""

from __future__ import annotations

import atexit
import os
import queue
import threading
import time
import weakref
from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.status import translated
from thalweg._src.core.storage import scheme_of
from thalweg._src.ops.reports.event_files import EventFile

_CLOSE = object()
# What is still open when the program ends is closed, so that no event is lost.
_open: weakref.WeakSet[EventFileWriter] = weakref.WeakSet()


class EventFileWriter:
    """Adds events to a new event file in `logdir`; they are on disk after `flush`, `close`, or `flush_secs` seconds.

    At most `max_queue` events wait; then `add_event` waits too. Raises PermissionDeniedError for a directory that can't
    be written to. An error of the thread (a full disk, say) is raised by the next `add_event`, `flush` or `close`.
    """

    def __init__(self, logdir: Any, max_queue: int = 10, flush_secs: float = 120, filename_suffix: str | None = None):
        self._logdir = os.fspath(logdir)
        if not scheme_of(self._logdir):
            _make_folder(self._logdir or ".")
        self._queue: queue.Queue[Any] = queue.Queue(max_queue)
        self._flush_secs, self._suffix = flush_secs, filename_suffix or ""
        self._file = EventFile(os.path.join(self._logdir, "events"), self._suffix)
        if self._suffix:
            self._file.open()
        self._closed = True
        self.reopen()
        _open.add(self)

    def get_logdir(self) -> str:
        return self._logdir

    def reopen(self) -> None:
        """Go on after `close`, with another file."""
        if self._closed:
            self._closed = False
            self._worker = threading.Thread(
                target=_work, args=(self._queue, self._file, self._flush_secs), name="thalweg-events", daemon=True
            )
            self._worker.start()

    def add_event(self, event: Any) -> None:
        """Queue an Event; after `close`, it is dropped."""
        if not self._closed:
            self._file.raise_error()
            self._queue.put(event)

    def flush(self) -> None:
        """Wait until all events are on disk."""
        self._queue.join()
        self._file.flush()
        self._file.raise_error()

    def close(self) -> None:
        """Write what waits, then close the file."""
        if not self._closed:
            self._closed = True
            self._queue.put(_CLOSE)
            self._worker.join()
        self._file.close()
        self._file.raise_error()


def _make_folder(path: str) -> None:
    with translated():
        os.makedirs(path, exist_ok=True)
    if not os.access(path, os.W_OK | os.X_OK):
        raise errors.PermissionDeniedError(None, None, f"{path}; the event files can't be written there")


def _work(events: queue.Queue[Any], file: EventFile, flush_secs: float) -> None:
    """Write what comes. The first event goes to the disk at once, later ones no later than `flush_secs` after it."""
    next_flush = 0.0
    waiting = False  # whether something is not on the disk yet
    while True:
        try:
            event = events.get(timeout=max(0.0, next_flush - time.monotonic()) if waiting else None)
        except queue.Empty:
            event = None
        try:
            if event is _CLOSE:
                return
            if event is not None:
                file.write(event)
                waiting = True
            if time.monotonic() >= next_flush:
                file.flush()
                next_flush = time.monotonic() + flush_secs
                waiting = False
        finally:
            if event is not None:
                events.task_done()


@atexit.register
def _close_all() -> None:
    for writer in list(_open):
        try:
            writer.close()
        except errors.OpError as error:
            print(f"thalweg: events in {writer.get_logdir()} were not written: {error}", flush=True)
