"""What a step waits for: an element of a queue, room in one, a batch of gradients.

The lowering of an op that `waits` may be a generator: it yields attempts, each of which is handed back to it when it is done, and returns
the outputs. Or it returns one attempt, whose value they are. So one thread can wait for several of them at once, and nothing is held
meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Any

from thalweg._src.core import errors

Waits = Generator["Attempt", Any, Any]


class Attempt:
    """Something that will have a value or fail, once. `withdraw` takes it back: it then ends with that error."""

    __slots__ = ("_then", "done", "error", "value", "withdraw", "work")

    def __init__(self, withdraw: Callable[[Attempt, BaseException], None] | None = None):
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.withdraw = withdraw
        self.work: Any = None  # what its maker needs to go on with it
        self._then: Callable[[], None] | None = None

    def fulfil(self, value: Any) -> None:
        """End with a value. The caller tells those who wait by `announce`, once it holds no locks."""
        self.value, self.done = value, True

    def fail(self, error: BaseException) -> None:
        """End with an error."""
        self.error, self.done = error, True

    def announce(self) -> None:
        """Tell whoever waits that this is done."""
        then = self._then
        if then is not None:
            then()

    def when_done(self, then: Callable[[], None]) -> None:
        """Call `then` when this is done: at once if it is, and perhaps twice."""
        self._then = then
        if self.done:
            then()

    def cancel(self, error: BaseException) -> None:
        """Give up, unless it is done."""
        if not self.done and self.withdraw is not None:
            self.withdraw(self, error)

    def result(self) -> Any:
        """The value. Raises the error that it ended with."""
        if self.error is not None:
            raise self.error
        return self.value


def advance(work: Waits, attempt: Attempt | None = None) -> tuple[bool, Any]:
    """Go on with a lowering, after `attempt` is done: (True, its outputs), or (False, the attempt that it waits for now)."""
    try:
        while True:
            if attempt is None:
                attempt = next(work)
            elif attempt.error is not None:
                attempt = work.throw(attempt.error)
            else:
                attempt = work.send(attempt.value)
            if not attempt.done:
                return False, attempt
    except StopIteration as end:
        return True, end.value


def begun(work: Any) -> Any:
    """What a lowering returned: its outputs, or work to be advanced."""
    if type(work) is not Attempt:
        return work
    return work.result() if work.done else _alone(work)


def _alone(attempt: Attempt) -> Waits:
    return (yield attempt)


def finish(work: Any, wait: Callable[[Attempt], None]) -> Any:
    """The outputs of a lowering, calling `wait` for each attempt that is not done."""
    work = begun(work)
    if not isinstance(work, Generator):
        return work
    try:
        ended, value = advance(work)
        while not ended:
            wait(value)
            ended, value = advance(work, value)
    finally:
        work.close()
    return value


class Turns:
    """A lock whose holders may wait for other things: whoever wants it stands in line as an attempt."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: list[Attempt] = []

    def ask(self) -> Attempt:
        """An attempt that is done when it is its turn; `release` ends the turn, or the waiting for it."""
        attempt = Attempt(self._withdraw)
        with self._lock:
            self._line.append(attempt)
            if len(self._line) == 1:
                attempt.fulfil(None)
        return attempt

    def release(self, attempt: Attempt) -> None:
        with self._lock:
            if attempt not in self._line:
                return
            first = self._line[0] is attempt
            self._line.remove(attempt)
            following = self._line[0] if first and self._line else None
            if following is not None:
                following.fulfil(None)
        if following is not None:
            following.announce()

    def _withdraw(self, attempt: Attempt, error: BaseException) -> None:
        with self._lock:
            if attempt.done:
                return
            self._line.remove(attempt)
            attempt.fail(error)
        attempt.announce()


NOT_YET = object()


class Shared:
    """The base of resources that threads wait for: attempts are tried again whenever the resource changes."""

    in_order = False  # whether an attempt must wait for those before it

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._line: list[Attempt] = []

    def attempt(self, go: Callable[[], Any], cancelled: str) -> Attempt:
        """An attempt that ends with what `go()` gives when that is not NOT_YET. `cancelled` is what a CancelledError says."""
        attempt = Attempt(self._withdraw)
        attempt.work = (go, cancelled)
        with self.lock:
            self._line.append(attempt)
            ended = self._serve()
        for other in ended:
            other.announce()
        return attempt

    def change(self, do: Callable[[], Any]) -> Any:
        """`do()`, after which others may go on."""
        with self.lock:
            result = do()
            ended = self._serve()
        for other in ended:
            other.announce()
        return result

    def _serve(self) -> list[Attempt]:
        ended: list[Attempt] = []
        progress = True
        while progress:
            progress = False
            for attempt in list(self._line):
                try:
                    value = attempt.work[0]()
                except Exception as error:
                    attempt.fail(error)
                else:
                    if value is NOT_YET:
                        if self.in_order:
                            break
                        continue
                    attempt.fulfil(value)
                self._line.remove(attempt)
                ended.append(attempt)
                progress = True
        return ended

    def _withdraw(self, attempt: Attempt, error: BaseException) -> None:
        with self.lock:
            if attempt.done:
                return
            self._line.remove(attempt)
            if isinstance(error, errors.CancelledError):
                error = errors.CancelledError(None, None, attempt.work[1])
            attempt.fail(error)
            ended = self._serve()
        attempt.announce()
        for other in ended:
            other.announce()
