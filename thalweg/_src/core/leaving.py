"""The end of the process while threads are still at work.

Python ends a thread that outlives the main program by unwinding its stack where it next asks for the interpreter. XLA's C++ lets
nothing be unwound: a thread that is inside a step then aborts the process, whatever its exit code was to be. So, before the
interpreter goes, no thread begins another step, and the steps under way get a while to reach their end.
"""

from __future__ import annotations

import atexit
import functools
import os
import sys
import threading
import time
from types import FrameType

GRACE = 10.0  # seconds
ROOT = os.path.dirname(os.path.dirname(__file__))
STEPS = tuple(os.path.join(ROOT, part) + os.sep for part in ("compiler", "ops", "runtime"))  # the code of steps
begun = False


@functools.cache
def watch() -> None:
    """From now on, see to it. Called when JAX is there, so that what JAX does at the end comes after."""
    atexit.register(leave)


def hold() -> None:
    """Keep every thread but the main one here, for the rest of the process, once it has begun to end."""
    if begun and threading.current_thread() is not threading.main_thread():
        threading.Event().wait()


def leave(grace: float = GRACE) -> None:
    """Begin to end: wait until no other thread is inside a step, or `grace` seconds."""
    global begun
    begun = True
    until = time.monotonic() + grace
    while time.monotonic() < until and any(_is_at_work(frame) for frame in _others()):
        time.sleep(0.002)


def _others() -> list[FrameType]:
    own = threading.get_ident()
    return [frame for ident, frame in sys._current_frames().items() if ident != own]


def _is_at_work(frame: FrameType | None) -> bool:
    """Whether a thread with this innermost frame is inside a step, and does not just wait there for another thread."""
    if frame is not None and frame.f_code.co_filename == threading.__file__:
        return False
    while frame is not None:
        if frame.f_code.co_filename.startswith(STEPS):
            return True
        frame = frame.f_back
    return False
