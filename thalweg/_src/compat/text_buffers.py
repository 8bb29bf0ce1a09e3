"""`StringIO` as programs for Python 2 know it: a file in memory of text or of bytes, whichever is put in.

`compat/python2.py` puts it behind their imports of StringIO and cStringIO, which hold pictures as often as text.
"""

from __future__ import annotations

import io
from typing import Any


class StringIO(io.BytesIO):
    """Begins with text or bytes. What is read is text where only text was put in."""

    def __init__(self, initial: str | bytes | None = None):
        super().__init__()
        self._is_text = True
        if initial is not None:
            self.write(initial)
            self.seek(0)

    def write(self, data: Any) -> int:
        """Put in text or bytes; from the first bytes on it is a file of bytes."""
        if isinstance(data, str):
            return super().write(data.encode("utf-8"))
        self._is_text = False
        return super().write(data)

    def writelines(self, lines: Any) -> None:
        """Put in one after the other."""
        for line in lines:
            self.write(line)

    def read(self, size: int | None = -1) -> Any:
        """`size` bytes, or all that is left."""
        return self._said(super().read(size))

    def readline(self, size: int | None = -1) -> Any:
        """Up to the end of the line."""
        return self._said(super().readline(size))

    def __next__(self) -> Any:
        return self._said(super().__next__())

    def readlines(self, hint: int | None = -1) -> Any:
        """All lines that are left."""
        return [self._said(line) if isinstance(line, bytes) else line for line in super().readlines(hint)]

    def getvalue(self) -> Any:
        """Everything that was put in."""
        return self._said(super().getvalue())

    def _said(self, data: bytes) -> Any:
        return data.decode("utf-8") if self._is_text and data else ("" if self._is_text else data)
