"""SIGTERM during a training: the step that runs comes to its end, a checkpoint is written, and the training stops.

A monitored session or a Supervisor watches for the signal while it is open, in the main thread of a program that has no handler of
its own. Its loop then sees `should_stop`, and its end saves as ever. A second SIGTERM, or one after the end, ends the process at
once. Whoever begins another training after the signal, or goes on running steps, gets `Terminated`: a SystemExit of status 143.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from thalweg._src.lib.platform import logging as log


class Terminated(SystemExit):
    """The process was asked to end by SIGTERM."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


class _State:
    watching = 0
    asked = False


def asked() -> bool:
    """Whether SIGTERM came while a training watched for it."""
    return _State.asked


def check() -> None:
    """Raise Terminated where SIGTERM came."""
    if _State.asked:
        raise Terminated


class Watch:
    """SIGTERM asks for the end of the training, and no longer ends the process, until `end`."""

    def __init__(self) -> None:
        self._on = _begin()

    def end(self) -> None:
        if self._on:
            self._on = False
            _State.watching -= 1
            if _State.watching == 0 and threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _begin() -> bool:
    if threading.current_thread() is not threading.main_thread():
        return False
    if _State.watching == 0 and signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, _terminate):
        return False  # the program's own handler stays
    signal.signal(signal.SIGTERM, _terminate)
    _State.watching += 1
    return True


def _terminate(number: int, frame: Any) -> None:
    if _State.asked or _State.watching == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
        return
    _State.asked = True
    log.warning("SIGTERM: the training stops after this step and saves. A second SIGTERM ends it at once.")
