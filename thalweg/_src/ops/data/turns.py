"""The function of a map called on several elements in a go, for a reader that joins them to batches.

What the interpreter needs for an operation is in the processor's caches then, from the second element on.
"""

import collections
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from thalweg._src.core import errors
from thalweg._src.ops.data.memory import Row, Rows
from thalweg._src.ops.data.pipeline import invalid

MOST = 8  # elements in a go
Outcome = tuple | BaseException | None  # an element, an error, or None where the function ends the walk


def called(function: Any, keeps: bool) -> Callable[..., tuple]:
    """`function` on the components of an element. Where it is out of range the dataset ends, or, with `keeps`, that is an error."""

    def call(*element: Any) -> tuple:
        try:
            return function(*element)
        except errors.OutOfRangeError as error:
            if keeps:
                raise _kept(error) from error
            raise StopIteration from None

    return call


def _kept(error: errors.OpError) -> errors.OpError:
    return invalid(f"Function invocation produced OutOfRangeError: {error.message}")


def one_by_one(call: Callable[..., tuple]) -> Callable[[Sequence[tuple]], list[Outcome]]:
    """What `call` gives for each of several elements."""

    def outcome(element: tuple) -> Outcome:
        try:
            return call(*element)
        except StopIteration:
            return None
        except BaseException as error:
            return error

    return lambda elements: [outcome(e) for e in elements]


class Laid:
    """A function whose results are laid in the rows of batches of `size`."""

    def __init__(self, function: Any, size: int, keeps: bool):
        self.function, self.rows, self.keeps = function, Rows(size), keeps

    def begin(self, count: int) -> Callable[[Sequence[tuple]], list[Outcome]]:
        """What is to be called, by any thread, on the next `count` elements. Asked by one thread at a time."""
        rows = [self.rows.next() for _ in range(count)]
        return lambda elements: list(map(self._laid, rows, self.function.many(elements, rows)))

    def _laid(self, row: Row, outcome: Outcome) -> Outcome:
        if isinstance(outcome, errors.OutOfRangeError):
            return _kept(outcome) if self.keeps else None
        return outcome if isinstance(outcome, BaseException) else row.filled(outcome)


class Turns:
    """The outcomes for the elements of `source`, as many at a time as are asked for, but MOST at most."""

    def __init__(self, laid: Laid, source: Iterator[tuple]):
        self.laid, self.source = laid, source
        self.ready: collections.deque[Outcome] = collections.deque()

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        for element in self.take(1):
            return element
        raise StopIteration

    def take(self, count: int) -> list[tuple]:
        """The next `count` elements, fewer at the end."""
        out: list[tuple] = []
        while len(out) < count:
            if not self.ready:
                self._fill(min(count - len(out), MOST))
            outcome = self.ready.popleft()
            if outcome is None:
                break
            if isinstance(outcome, BaseException):
                raise outcome
            out.append(outcome)
        return out

    def _fill(self, count: int) -> None:
        elements, end = several(self.source, count)
        self.ready.extend(self.laid.begin(len(elements))(elements))
        if len(elements) < count:
            self.ready.append(end)


def several(source: Iterator[tuple], count: int) -> tuple[list[tuple], BaseException | None]:
    """Up to `count` elements; where there are fewer, the error that came then, None at the end."""
    elements: list[tuple] = []
    try:
        for element in itertools.islice(source, count):
            elements.append(element)
    except BaseException as error:
        return elements, error
    return elements, None
