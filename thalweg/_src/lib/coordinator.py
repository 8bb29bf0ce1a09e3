"""Threads that stop together: `tf.train.Coordinator`."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from thalweg._src.core import errors
from thalweg._src.lib.platform import logging as log


class Coordinator:
    """Asks threads to stop, waits for them, and raises in the main thread what went wrong in one of them.

    Exceptions of `clean_stop_exception_types` (OutOfRangeError unless given: an input has ended) stop without an error.

    >>> import threading
    >>> coord = tf.train.Coordinator()
    >>> def work():
    ...     while not coord.should_stop():
    ...         coord.request_stop()
    >>> thread = threading.Thread(target=work)
    >>> thread.start()
    >>> coord.join([thread])
    >>> coord.should_stop()
    True
    """

    def __init__(self, clean_stop_exception_types: tuple[type[BaseException], ...] | list | None = None):
        if clean_stop_exception_types is None:
            clean_stop_exception_types = (errors.OutOfRangeError,)
        self._clean = tuple(clean_stop_exception_types)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._joined = False
        self._registered_threads: set[threading.Thread] = set()

    def request_stop(self, ex: Any = None) -> None:
        """Ask all threads to stop. `ex`, an exception or `sys.exc_info()`, is raised by `join`; only the first one is.

        After `join`, it is raised here.
        """
        with self._lock:
            error = ex[1] if isinstance(ex, tuple) else ex
            if isinstance(error, self._clean):
                error = None
            if self._joined and error is not None:
                raise error
            if self._stop.is_set():
                return
            if error is not None and self._error is None:
                log.info("Error reported to Coordinator: %s, %s", type(error), error)
                if not isinstance(error, BaseException):
                    error = ValueError(
                        f"ex must be a tuple or sys.exc_info must return the current exception: {error!r}"
                    )
                self._error = error
            self._stop.set()

    def clear_stop(self) -> None:
        """Forget that a stop was requested, and why."""
        with self._lock:
            self._joined, self._error = False, None
            self._stop.clear()

    def should_stop(self) -> bool:
        """Whether a stop was requested."""
        return self._stop.is_set()

    @contextlib.contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """An exception in the block requests a stop with it, and goes no further."""
        try:
            yield
        except BaseException:
            self.request_stop(sys.exc_info())

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Wait until a stop is requested, or `timeout` seconds; tells whether one is."""
        return self._stop.wait(timeout)

    def register_thread(self, thread: threading.Thread) -> None:
        """A thread that `join` waits for."""
        with self._lock:
            self._registered_threads.add(thread)

    def join(
        self,
        threads: Sequence[threading.Thread] | None = None,
        stop_grace_period_secs: float = 120,
        ignore_live_threads: bool = False,
    ) -> None:
        """Wait for all threads; once a stop is requested, no longer than `stop_grace_period_secs`.

        Raises what was reported to `request_stop`, or RuntimeError for threads that are still running.
        """
        with self._lock:
            waiting = list(self._registered_threads | set(threads or ()))
        while any(t.is_alive() for t in waiting) and not self.wait_for_stop(1.0):
            pass
        deadline, pause = time.monotonic() + stop_grace_period_secs, 0.001
        while any(t.is_alive() for t in waiting) and time.monotonic() < deadline:
            time.sleep(min(pause, max(deadline - time.monotonic(), 0.001)))
            pause = min(2 * pause, 0.1)
        running = " ".join(t.name for t in waiting if t.is_alive())
        with self._lock:
            self._joined = True
            self._registered_threads = set()
            if self._error is not None:
                raise self._error
        if running:
            if not ignore_live_threads:
                raise RuntimeError(f"Coordinator stopped with threads still running: {running}")
            log.info("Coordinator stopped with threads still running: %s", running)

    @property
    def joined(self) -> bool:
        return self._joined

    def raise_requested_exception(self) -> None:
        """Raise what was reported to `request_stop`, if anything was."""
        with self._lock:
            if self._error is not None:
                raise self._error


class LooperThread(threading.Thread):
    """A thread that calls `target` (or its `run_loop`) every `timer_interval_secs`, or without pause, until the
    stop.
    """

    def __init__(
        self,
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any] | None = None,
        args: Any = None,
        kwargs: Any = None,
    ):
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord}")
        super().__init__(daemon=True)
        if target is None and (args or kwargs):
            raise ValueError("'args' and 'kwargs' argument require that you also pass 'target'")
        self._coord, self._timer_interval_secs = coord, timer_interval_secs
        self._call = None if target is None else (target, args or (), kwargs or {})
        coord.register_thread(self)

    def isAlive(self) -> bool:
        """`is_alive`, which was spelled so before Python 3.9."""
        return self.is_alive()

    @staticmethod
    def loop(
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any],
        args: Any = None,
        kwargs: Any = None,
    ) -> LooperThread:
        """Start a thread that calls `target` again and again."""
        looper = LooperThread(coord, timer_interval_secs, target=target, args=args, kwargs=kwargs)
        looper.start()
        return looper

    def run(self) -> None:
        with self._coord.stop_on_exception():
            self.start_loop()
            if self._timer_interval_secs is None:
                while not self._coord.should_stop():
                    self.run_loop()
            else:
                next_time = time.time()
                while not self._coord.wait_for_stop(max(0.0, next_time - time.time())):
                    next_time += self._timer_interval_secs
                    self.run_loop()
            self.stop_loop()

    def start_loop(self) -> None:
        """Called once, before the first loop."""

    def stop_loop(self) -> None:
        """Called once, after the last loop."""

    def run_loop(self) -> None:
        """Called at each loop."""
        if self._call is not None:
            target, args, kwargs = self._call
            target(*args, **kwargs)
