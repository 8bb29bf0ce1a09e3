"""`pickle` as programs for Python 2 know it: pickles are text unless a protocol is asked for, and strings of old ones are text.

`compat/python2.py` puts this module behind their imports of pickle and cPickle.
"""

from __future__ import annotations

import io
import pickle
from typing import Any


def dumps(obj: Any, protocol: int | None = None) -> str | bytes:
    """Text of protocol 0, or bytes of another one."""
    made = pickle.dumps(obj, protocol or 0)
    return made if protocol else made.decode("latin-1")


def dump(obj: Any, file: Any, protocol: int | None = None) -> None:
    """Write to a file, whether it was opened for text or for bytes."""
    made = pickle.dumps(obj, protocol or 0)
    if isinstance(file, io.TextIOBase):
        _bytes_below(file).write(made)
    else:
        file.write(made)


def loads(string: str | bytes) -> Any:
    """What was pickled, by Python 2 or 3."""
    return pickle.loads(string.encode("latin-1") if isinstance(string, str) else string, encoding="latin1")


def load(file: Any) -> Any:
    """What was pickled into a file, whether it was opened for text or for bytes."""
    return pickle.load(_bytes_below(file) if isinstance(file, io.TextIOBase) else file, encoding="latin1")


def _bytes_below(file: Any) -> Any:
    file.flush()
    return file.buffer


def __getattr__(name: str) -> Any:
    return getattr(pickle, name)
