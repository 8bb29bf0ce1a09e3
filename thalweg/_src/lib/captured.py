"""What is written to a stream of the process, also by code that is not Python."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import Any


class CapturedWrites:
    """What has been written into a file so far."""

    def __init__(self, path: str):
        self._path = path

    def contents(self) -> str:
        """The text."""
        with open(self._path, encoding="utf-8") as file:
            return file.read()


@contextlib.contextmanager
def captured_writes(stream: Any, folder: str) -> Iterator[CapturedWrites]:
    """A block in which what goes to the file of `stream` goes to a new one in `folder`."""
    stream.flush()
    number = stream.fileno()
    kept = os.dup(number)
    file, path = tempfile.mkstemp(dir=folder)
    try:
        os.dup2(file, number)
        yield CapturedWrites(path)
    finally:
        stream.flush()
        os.dup2(kept, number)
        os.close(kept)
        os.close(file)
