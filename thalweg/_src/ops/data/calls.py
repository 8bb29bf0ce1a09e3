"""A function called on the elements of a walk by several threads at once, results in order or as they come."""

import collections
import threading
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core import errors, leaving
from thalweg._src.ops.data.pipeline import Shared


class _Result:
    """The place of one result in the line: `value` is the element, an error, or None where the function ends the walk."""

    __slots__ = ("done", "value")

    def __init__(self) -> None:
        self.done = False
        self.value: Any = None


class _Work:
    """What the threads of one walk share. They take elements themselves, in turn, so that none waits for who takes the results."""

    def __init__(self, call: Callable[..., tuple], source: Iterator[tuple], workers: int, shared: Shared):
        self.call, self.source, self.workers, self.shared = call, source, workers, shared
        self.room = 2 * workers  # results in line, made or not
        self.line: collections.deque[_Result] = collections.deque()
        self.condition = threading.Condition()
        self.turn = threading.Lock()  # of whom takes the next element
        self.threads = 0
        self.wanted = self.full = False  # whether somebody waits for a result, or for room
        self.ended = self.stopped = False
        shared.watch(self.condition)

    def start(self) -> None:
        """One more thread, unless there are enough. Called by one thread at a time."""
        if self.threads < self.workers:
            self.threads += 1
            threading.Thread(target=self._run, daemon=True, name="thalweg-data").start()

    def stop(self) -> None:
        self.stopped = True
        self._wake()

    def _wake(self) -> None:
        with self.condition:
            self.condition.notify_all()

    def _run(self) -> None:
        while True:
            with self.turn:
                taken = self._take()
            if taken is None:
                return
            result, element = taken
            if element is not None:
                leaving.hold()
                try:
                    result.value = self.call(*element)
                except StopIteration:
                    pass
                except BaseException as error:
                    result.value = error
            result.done = True
            if self.wanted:
                self._wake()

    def _take(self) -> tuple[_Result, Any] | None:
        """A place in line and the next element; None at the end. An error of the source stands in line by itself."""
        if len(self.line) >= self.room:
            with self.condition:
                self.full = True
                while len(self.line) >= self.room and not self._is_over():
                    self.condition.wait()
                self.full = False
        if self._is_over():
            return None
        self.start()
        element, result = None, _Result()
        try:
            element = next(self.source)
        except StopIteration:
            self.ended = True
            self._wake()
            return None
        except BaseException as error:
            result.value = error
        self.line.append(result)
        return result, element

    def _is_over(self) -> bool:
        return self.ended or self.stopped or self.shared.cancelled


class Calling:
    """The results, for the one who takes them. The threads end with it. With `sloppy`, what is ready comes first."""

    def __init__(
        self, call: Callable[..., tuple], source: Iterator[tuple], workers: int, shared: Shared, sloppy: bool = False
    ):
        self.work, self.sloppy = _Work(call, source, workers, shared), sloppy
        self.begun = False

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __del__(self) -> None:
        self.work.stop()

    def __next__(self) -> tuple:
        work = self.work
        if not self.begun:
            self.begun = True
            work.start()
        result = self._ready() or self._awaited()
        if result is None or result.value is None:
            work.ended = True
            work.line.clear()
            work.stop()
            raise StopIteration
        if work.full:
            work._wake()
        if isinstance(result.value, BaseException):
            raise result.value
        return result.value

    def _ready(self) -> _Result | None:
        """The next result, if it is made."""
        line = self.work.line
        if line and line[0].done:
            return line.popleft()
        if self.sloppy:
            for result in list(line):
                if result.done:
                    line.remove(result)
                    return result
        return None

    def _awaited(self) -> _Result | None:
        """The next result, once it is made; None behind the last. Raises CancelledError when the iterator ends."""
        work = self.work
        with work.condition:
            work.wanted = True
            try:
                while True:
                    found = self._ready()
                    if found is not None:
                        return found
                    if work.shared.cancelled:
                        raise errors.CancelledError(None, None, "Iterator was cancelled")
                    if work.ended and not work.line:
                        return None
                    work.condition.wait()
            finally:
                work.wanted = False
