"""Event files as ops and writers make them: under a name of their own, with errors that are kept until somebody is told."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any

from thalweg._src.core.status import status_of
from thalweg._src.core.storage import files_of, scheme_of
from thalweg._src.formats.events import EventWriter, event_file_name


class EventFile:
    """A file that begins with `prefix`, made by the first event or by `open`. `error` is what went wrong and was not told yet."""

    def __init__(self, prefix: str, suffix: str):
        self._prefix, self._suffix = prefix, suffix
        self._stream: Any = None
        self._writer: Any = None
        self._lock = threading.Lock()
        self.error: Exception | None = None

    def open(self) -> None:
        """Make the file, with the event that tells its version."""
        now = time.time()
        while True:
            # Two writers of one second must not share a file.
            path = event_file_name(self._prefix, now, socket.gethostname(), self._suffix)
            try:
                self._stream = files_of(path).open(path, "xb")
                break
            except FileExistsError:
                now += 1
        self._writer = EventWriter(self._stream, now)

    def write(self, event: Any) -> None:
        """Add an Event."""
        with self._lock:
            try:
                if self._writer is None:
                    self.open()
                self._writer.write(event)
            except OSError as error:
                self.error = error

    def flush(self) -> None:
        """Bring what was added to the disk."""
        with self._lock:
            if self._stream is not None:
                try:
                    self._writer.flush()
                    if not scheme_of(self._prefix):  # an object store has the file when it is closed
                        os.fsync(self._stream.fileno())
                except OSError as error:
                    self.error = error

    def close(self) -> None:
        """Flush and close; the next event makes another file."""
        self.flush()
        with self._lock:
            if self._stream is not None:
                try:
                    self._stream.close()
                except OSError as error:
                    self.error = error
            self._stream = self._writer = None

    def raise_error(self) -> None:
        """Raise, as an error of `tf.errors`, what went wrong since the last time."""
        error, self.error = self.error, None
        if error is not None:
            raise status_of(error) from error
