"""A function called on the elements of a walk by several threads at once, results in order or as they come."""

import collections
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from thalweg._src.core import errors, leaving
from thalweg._src.ops.data.pipeline import Shared
from thalweg._src.ops.data.turns import Outcome, several


class _Result:
    """The place of one result in the line: `value` is the element, an error, or None where the function ends the walk."""

    __slots__ = ("done", "value")

    def __init__(self) -> None:
        self.done = False
        self.value: Any = None


class _Work:
    """What the threads of one walk share. They take elements themselves, in turn, so that none waits for who takes the results."""

    def __init__(
        self,
        begin: Callable[[int], Callable[[Sequence[tuple]], list[Outcome]]],
        source: Iterator[tuple],
        workers: int,
        room: int,
        at_once: int,
        shared: Shared,
        sloppy: bool,
    ):
        self.begin, self.source, self.workers, self.shared = begin, source, workers, shared
        self.room, self.at_once, self.sloppy = room, at_once, sloppy  # `room`: results in line, made or not
        self.line: collections.deque[_Result] = collections.deque()
        self.condition = threading.Condition()
        self.turn = threading.Lock()  # of whom takes the next element
        self.threads = 0
        self.waited = self.full = False  # whether somebody waits for results, or for room
        self.wanted = 1  # how many results
        self.ended = self.stopped = False
        shared.watch(self.condition)

    def start(self) -> None:
        """One more thread, unless there are enough. Called by one thread at a time."""
        if self.threads < self.workers:
            self.threads += 1
            threading.Thread(target=self._run, daemon=True, name="thalweg-data").start()

    def stop(self) -> None:
        self.stopped = True
        self.wake()

    def wake(self) -> None:
        with self.condition:
            self.condition.notify_all()

    def _run(self) -> None:
        while True:
            with self.turn:
                taken = self._take()
            if taken is None:
                return
            results, elements, call = taken
            leaving.hold()
            try:
                values = call(elements)
            except BaseException as error:
                values = [error] * len(results)
            for result, value in zip(results, values, strict=True):
                result.value, result.done = value, True
            if self.waited and (self.sloppy or self.has_enough()):
                self.wake()

    def has_enough(self) -> bool:
        """Whether as many results are made as are wanted, in the order of elements."""
        line, wanted = self.line, self.wanted
        return 0 < wanted <= len(line) and line[wanted - 1].done and all(line[i].done for i in range(wanted))

    def _take(self) -> tuple[list[_Result], list[tuple], Any] | None:
        """Places in line, the next elements and what to call on them; None at the end. An error of the source stands in line by itself."""
        if len(self.line) >= self.room:
            with self.condition:
                self.full = True
                while len(self.line) >= self.room and not self._is_over():
                    self.condition.wait()
                self.full = False
        if self._is_over():
            return None
        self.start()
        count = min(self.at_once, self.room - len(self.line))
        elements, error = several(self.source, count)
        if not elements and error is None:
            self.ended = True
            self.wake()
            return None
        results = [_Result() for _ in elements]
        call = self.begin(len(elements))
        self.line.extend(results)
        if error is not None:
            failed = _Result()
            failed.value, failed.done = error, True
            self.line.append(failed)
        return results, elements, call

    def _is_over(self) -> bool:
        return self.ended or self.stopped or self.shared.cancelled


class Calling:
    """The results, for the one who takes them. The threads end with it. With `sloppy`, what is ready comes first.

    A thread takes up to `at_once` elements and calls what `begin(how many)` gives on them; that is asked by one thread at a time, in the
    order of elements. `room` is how many results may wait.
    """

    def __init__(
        self,
        begin: Callable[[int], Callable[[Sequence[tuple]], list[Outcome]]],
        source: Iterator[tuple],
        workers: int,
        room: int,
        at_once: int,
        shared: Shared,
        sloppy: bool = False,
    ):
        self.work = _Work(begin, source, workers, room, at_once, shared, sloppy)
        self.begun = False

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __del__(self) -> None:
        self.work.stop()

    def __next__(self) -> tuple:
        for element in self.take(1):
            return element
        raise StopIteration

    def take(self, count: int) -> list[tuple]:
        """The next `count` elements, fewer at the end. The thread that waits for them is woken for the last, not for each."""
        work = self.work
        if not self.begun:
            self.begun = True
            work.start()
        out: list[tuple] = []
        while len(out) < count:
            result = self._ready() or self._awaited(count - len(out))
            if result is None or result.value is None:
                work.ended = True
                work.line.clear()
                work.stop()
                break
            if isinstance(result.value, BaseException):
                self._make_room()
                raise result.value
            out.append(result.value)
        self._make_room()
        return out

    def _make_room(self) -> None:
        if self.work.full:
            self.work.wake()

    def _ready(self) -> _Result | None:
        """The next result, if it is made."""
        line = self.work.line
        if line and line[0].done:
            return line.popleft()
        if self.work.sloppy:
            for result in list(line):
                if result.done:
                    line.remove(result)
                    return result
        return None

    def _awaited(self, count: int) -> _Result | None:
        """The next result, once `count` of them are made or all there is room for; None behind the last.

        Raises CancelledError when the iterator ends.
        """
        work = self.work
        self._make_room()
        with work.condition:
            work.waited = True
            try:
                while True:
                    # First what is wanted, then whether it is there: a thread that has made a result looks in the other order.
                    work.wanted = min(count, len(work.line) if work.ended else work.room)
                    found = self._ready() if work.sloppy or work.has_enough() else None
                    if found is not None:
                        return found
                    if work.shared.cancelled:
                        raise errors.CancelledError(None, None, "Iterator was cancelled")
                    if work.ended and not work.line:
                        return None
                    work.condition.wait()
            finally:
                work.waited = False
