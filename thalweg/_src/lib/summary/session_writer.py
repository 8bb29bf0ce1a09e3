"""Events that go to their file through a session: operations write them, to a file that the session's writers share."""

from __future__ import annotations

import os
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.status import translated
from thalweg._src.lib.summary import contrib
from thalweg._src.ops.arrays.constants import constant, placeholder_with_default


class SessionEventWriter:
    """Like EventFileWriter, by operations in the graph of `session`. The file is the one of `create_file_writer(logdir)`."""

    def __init__(
        self, session: Any, logdir: Any, max_queue: int = 10, flush_secs: float = 120, filename_suffix: str = ""
    ):
        self._session, self._logdir, self._closed = session, os.fspath(logdir), False
        with translated():
            os.makedirs(self._logdir, exist_ok=True)
        graph = session.graph
        with graph.as_default(), graph.name_scope("filewriter"):
            writer = contrib.create_file_writer(self._logdir, max_queue, int(flush_secs * 1000), filename_suffix)
            self._event = placeholder_with_default(constant("unused", dtypes.string), [])
            with writer.as_default():
                self._add = contrib.import_event(self._event)
            self._init, self._flush, self._close = writer.init(), writer.flush(), writer.close()
        session.run(self._init)

    def get_logdir(self) -> str:
        """The directory of the event file."""
        return self._logdir

    def reopen(self) -> None:
        """Go on after `close`, with another file."""
        if self._closed:
            self._closed = False
            self._session.run(self._init)

    def add_event(self, event: Any) -> None:
        """Write an Event; after `close`, it is dropped."""
        if not self._closed:
            self._session.run(self._add, {self._event: event.SerializeToString()})

    def flush(self) -> None:
        """Bring all events to the disk."""
        self._session.run(self._flush)

    def close(self) -> None:
        """Write what waits, then close the file, for all who share it."""
        if not self._closed:
            self.flush()
            self._session.run(self._close)
            self._closed = True
