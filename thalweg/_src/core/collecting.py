"""Python's collector of cyclic garbage, held back while much is made that stays.

Tracing a large step and importing JAX make hundreds of thousands of objects. Each time their number has grown, the collector goes
through all of them, and finds nothing: an eighth of the time to the first step.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator

_lock = threading.Lock()
_inside, _was_on = 0, False


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """No collection in the block, in whatever thread. Where the program has turned the collector off, it stays off."""
    global _inside, _was_on
    with _lock:
        if not _inside:
            _was_on = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _was_on:
                gc.enable()
