"""The queues themselves, as the host keeps them: elements, and the attempts of those that put and take.

An attempt stands in line until it can be served. A batch takes elements as they come; where the queue is closed before it is full, what it
took goes back. All state is behind one lock, which nobody holds while waiting.
"""

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import errors, shapes
from thalweg._src.core.dtypes import DType, int64
from thalweg._src.core.errors import invalid as invalid
from thalweg._src.core.philox import Stream, initial_state
from thalweg._src.core.waiting import Attempt

UNBOUNDED = 2**31 - 1
Row = tuple[Any, ...]  # one element: an array or a NumPy scalar for each component


def stacked(rows: Sequence[Any], dtype: DType, dims: tuple[int, ...]) -> np.ndarray:
    """Values of one shape as one array with a leading axis."""
    out = np.empty((len(rows), *dims), dtype.numpy_dtype)
    if out.dtype == object and not dims:
        out[:] = rows
    elif rows:
        if dims:
            np.concatenate(rows, out=out.reshape(len(rows) * dims[0], *dims[1:]))
        else:
            out[...] = rows
    return out


def copied(value: Any) -> np.ndarray:
    """`value` as an array of its own."""
    if isinstance(value, bytes | str):  # a string of rank 0
        out = np.empty((), object)
        out[()] = value
        return out
    return np.array(value)


def _array(value: Any, dtype: DType) -> np.ndarray:
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value)
    out = np.empty((), dtype.numpy_dtype)
    out[()] = value
    return out


def _done(value: Any, ended: Sequence[Attempt]) -> Attempt:
    """An attempt that needed no waiting, and let those in `ended` go on."""
    for other in ended:
        other.announce()
    attempt = Attempt()
    attempt.fulfil(value)
    return attempt


class Queue:
    """A queue of elements in the order in which they came. `dims` are the shapes of the components, or None where they are free."""

    kind = "FIFOQueue"

    def __init__(self, name: str, types: Sequence[DType], dims: Sequence[Any], capacity: int):
        self.name, self.types, self.dims = name, list(types), [tuple(d) for d in dims] or None
        self.capacity = capacity if capacity >= 0 else UNBOUNDED
        self.closed = False
        self.failure: BaseException | None = None
        self.lock = threading.Lock()
        self.rows: Any = deque()
        # What the components of most elements are, where that is known.
        self._usual = [(d, t.numpy_dtype) for d, t in zip(self.dims or (), self.types, strict=False)]
        self._lines: dict[str, deque[Attempt]] = {"Enqueue": deque(), "Dequeue": deque()}
        if self.dims is not None and len(self.dims) != len(self.types):
            raise invalid(
                f"Different number of component types.  Types: {self._type_names(types)}, Shapes: {self._dims_text(dims)}"
            )

    # -- which element comes next

    def _take(self) -> Row:
        return self.rows.popleft()

    def _put(self, row: Row) -> None:
        self.rows.append(row)

    def _put_back(self, rows: list[Row]) -> None:
        self.rows.extendleft(reversed(rows))

    @property
    def spare(self) -> int:
        """How many elements a dequeue may take now."""
        return len(self.rows)

    # -- what others see

    @property
    def size(self) -> int:
        return len(self.rows)

    def check_same(self, kind: str, types: Sequence[DType], dims: Sequence[Any], capacity: int, **others: Any) -> None:
        """Raise InvalidArgumentError unless an op of these attrs makes this queue."""
        if kind.removesuffix("V2") != self.kind:
            raise invalid(f"Expected {self.kind}, found {kind}")
        capacity = capacity if capacity >= 0 else UNBOUNDED
        if capacity != self.capacity:
            raise invalid(
                f"Shared queue '{self.name}' has capacity {self.capacity} but requested capacity was {capacity}"
            )
        if list(types) != self.types:
            raise invalid(
                f"Shared queue '{self.name}' has component types {self._type_names(self.types)} "
                f"but requested component types were {self._type_names(types)}"
            )
        if not self._same_dims(dims):
            raise invalid(
                f"Shared queue '{self.name}' has component shapes {self._dims_text(self.dims or [])} "
                f"but requested component shapes were {self._dims_text(dims)}"
            )
        self._check_others(**others)

    def _check_others(self) -> None:
        """The attrs that only some queues have."""

    def _same_dims(self, dims: Sequence[Any]) -> bool:
        return [tuple(d) for d in dims] == (self.dims or [])

    def enqueue(self, row: Sequence[Any]) -> Attempt:
        """Put one element."""
        row = [copied(v) for v in row]  # what was fed is the caller's
        if [(v.shape, v.dtype) for v in row] != self._usual:
            self._check(row)
        own = tuple([v if v.ndim else v[()] for v in row])
        with self.lock:
            if not self._lines["Enqueue"] and not self.closed and len(self.rows) < self.capacity:
                self._put(own)
                ended = self._serve() if self._lines["Dequeue"] else ()
            else:
                ended = None
        return self._line_up("Enqueue", self._go_enqueue, deque([own])) if ended is None else _done(None, ended)

    def enqueue_many(self, columns: Sequence[Any]) -> Attempt:
        """Put the rows of `columns`, one after the other."""
        columns = [np.asarray(c) for c in columns]
        self._check_many(columns)
        rows = deque(zip(*[_rows_of(c) for c in columns], strict=True))
        attempt = Attempt()
        if not rows:
            attempt.fulfil(None)
            return attempt
        return self._line_up("Enqueue", self._go_enqueue, rows)

    def dequeue(self) -> Attempt:
        """Take one element; the value is its components."""
        with self.lock:
            if not self._lines["Dequeue"] and self.spare > 0:
                row = self._take()
                ended = self._serve() if self._lines["Enqueue"] else ()
            else:
                ended = None
        return (
            self._line_up("Dequeue", self._go_dequeue, None) if ended is None else _done(self._components(row), ended)
        )

    def dequeue_many(self, n: int, *, fewer: bool = False) -> Attempt:
        """Take `n` elements, stacked; with `fewer`, what is left of a closed queue."""
        self._check_batches()
        if n == 0:
            attempt = Attempt()
            attempt.fulfil(self._batch([]))
            return attempt
        return self._line_up("Dequeue", self._go_dequeue_many, [n, fewer, []])

    def close(self, cancel_pending_enqueues: bool) -> Attempt:
        """No more elements go in, after those that wait for room unless they are cancelled."""
        attempt = Attempt()
        if not cancel_pending_enqueues:
            return self._line_up("Enqueue", self._go_close, None)
        ended = []
        with self.lock:
            self.closed = True
            for waiting in self._lines["Enqueue"]:
                waiting.fail(errors.CancelledError(None, None, "Enqueue operation was cancelled"))
                ended.append(waiting)
            self._lines["Enqueue"].clear()
            ended += self._serve()
            attempt.fulfil(None)
        for other in ended:
            other.announce()
        return attempt

    def fail(self, error: BaseException) -> None:
        """Close because what fills the queue has failed: who takes what is not there gets that error."""
        with self.lock:
            self.failure = error
        self.close(True)

    # -- attempts in line

    def _line_up(self, line: str, go: Any, work: Any) -> Attempt:
        attempt = Attempt(lambda a, error: self._withdraw(line, a, error))
        attempt.work = (go, work)
        with self.lock:
            self._lines[line].append(attempt)
            ended = self._serve()
        for other in ended:
            other.announce()
        return attempt

    def _withdraw(self, line: str, attempt: Attempt, error: BaseException) -> None:
        with self.lock:
            if attempt.done:
                return
            self._lines[line].remove(attempt)
            go, work = attempt.work
            if go == self._go_dequeue_many:  # another one can have what it had taken
                self._put_back(work[2])
            if isinstance(error, errors.CancelledError):
                error = errors.CancelledError(None, None, f"{line} operation was cancelled")
            attempt.fail(error)
            ended = self._serve()
        for other in ended:
            other.announce()

    def _serve(self) -> list[Attempt]:
        """Let attempts go on as far as they can; returns those that ended. The caller holds the lock."""
        ended: list[Attempt] = []
        progress = True
        while progress:
            for line in self._lines.values():
                progress = False  # what the last line, that of dequeues, has moved may let the others move
                while line:
                    attempt = line[0]
                    go, work = attempt.work
                    try:
                        moved = go(attempt, work)
                    except Exception as error:
                        attempt.fail(error)
                        moved = True
                    progress = progress or moved
                    if not attempt.done:
                        break
                    ended.append(line.popleft())
        return ended

    def _go_enqueue(self, attempt: Attempt, rows: Any) -> bool:
        if self.closed:
            raise errors.CancelledError(None, None, f"{self.kind} '{self.name}' is closed.")
        moved = False
        while rows and len(self.rows) < self.capacity:
            self._put(rows.popleft())
            moved = True
        if not rows:
            attempt.fulfil(None)
        return moved

    def _go_close(self, attempt: Attempt, work: Any) -> bool:
        if self.closed:
            raise errors.CancelledError(None, None, f"Queue '{self.name}' is already closed.")
        self.closed = True
        attempt.fulfil(None)
        return True

    def _go_dequeue(self, attempt: Attempt, work: Any) -> bool:
        if self.closed and not self.rows:
            raise self._too_few(1, 0)
        if self.spare <= 0:
            return False
        attempt.fulfil(self._components(self._take()))
        return True

    def _components(self, row: Row) -> list[np.ndarray]:
        return [v if type(v) is np.ndarray else _array(v, t) for v, t in zip(row, self.types, strict=True)]

    def _go_dequeue_many(self, attempt: Attempt, work: Any) -> bool:
        n, fewer, taken = work
        missing = n - len(taken)
        size = len(self.rows)
        if self.closed and size < missing:
            self._put_back(taken)
            taken.clear()
            if fewer and self.rows:
                missing = work[0] = len(self.rows)
            elif fewer and self._lines["Enqueue"]:
                return True
            else:
                raise self._too_few(missing, size)
        moved = False
        while missing and self.spare > 0:
            taken.append(self._take())
            missing -= 1
            moved = True
        if not missing:
            attempt.fulfil(self._batch(taken))
        return moved

    def _too_few(self, wanted: int, size: int) -> BaseException:
        if self.failure is not None:
            return self.failure
        message = f"{self.kind} '{self.name}' is closed and has insufficient elements (requested {wanted}, current size {size})"
        return errors.OutOfRangeError(None, None, message)

    # -- shapes

    def _batch(self, rows: list[Row]) -> list[np.ndarray]:
        assert self.dims is not None
        columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * len(self.types)
        return [stacked(c, t, d) for c, t, d in zip(columns, self.types, self.dims, strict=True)]

    def _check_batches(self) -> None:
        if self.dims is None:
            raise invalid(f"{self.kind}'s DequeueMany and DequeueUpTo require the components to have specified shapes.")

    def _check_count(self, values: Sequence[np.ndarray]) -> None:
        if len(values) != len(self.types):
            raise invalid(f"Wrong number of components in tuple. Expected {len(self.types)}, got {len(values)}")
        for i, (value, t) in enumerate(zip(values, self.types, strict=True)):
            if value.dtype != t.numpy_dtype:
                raise invalid(f"Type mismatch in tuple component {i}. Expected {t.name}, got {value.dtype}")

    def _check(self, row: Sequence[np.ndarray]) -> None:
        self._check_count(row)
        for i, (value, dims) in enumerate(zip(row, self.dims or (), strict=False)):
            if not self._fits(value.shape, dims):
                raise invalid(
                    f"Shape mismatch in tuple component {i}. Expected {shapes.text(dims)}, got {shapes.text(value.shape)}"
                )

    def _check_many(self, columns: Sequence[np.ndarray]) -> None:
        self._check_count(columns)
        if not columns[0].ndim:
            raise invalid("Input component 0 is a scalar, and has no rows to enqueue.")
        n = columns[0].shape[0]
        for i, column in enumerate(columns):
            if self.dims is not None:
                want = (n, *self.dims[i])
                if not self._fits(column.shape, want):
                    raise invalid(
                        f"Shape mismatch in tuple component {i}. Expected {shapes.text(want)}, got {shapes.text(column.shape)}"
                    )
            elif not column.ndim or column.shape[0] != n:
                raise invalid(
                    f"All input tensors must have the same size in the 0th dimension. Component {i} has "
                    f"{column.shape[0] if column.ndim else 'none'}, and should have {n}"
                )

    def _fits(self, came: tuple[int, ...], want: Any) -> bool:
        return came == tuple(want)

    def _type_names(self, types: Sequence[DType]) -> str:
        return "[" + ", ".join(t.name for t in types) + "]"

    def _dims_text(self, dims: Sequence[Any]) -> str:
        return "[" + ", ".join(shapes.text(d) for d in dims) + "]"


def _rows_of(column: np.ndarray) -> Any:
    # Rows are copied, so that one of them does not keep a whole batch in memory.
    return column.copy() if column.ndim == 1 else [row.copy() for row in column]


class PaddingQueue(Queue):
    """A queue in order whose components may have unknown dimensions; the elements of a batch are padded with zeros."""

    kind = "PaddingFIFOQueue"

    def __init__(self, name: str, types: Sequence[DType], dims: Sequence[Any], capacity: int):
        if len(types) != len(dims):
            raise invalid(
                f"Shapes must be provided for all components, but received {len(types)} dtypes and {len(dims)} shapes."
            )
        super().__init__(name, types, dims, capacity)

    def _fits(self, came: tuple[int, ...], want: Any) -> bool:
        return shapes.compatible(tuple(want), came)

    def _same_dims(self, dims: Sequence[Any]) -> bool:
        own = self.dims or []
        return len(own) == len(dims) and all(shapes.compatible(a, tuple(b)) for a, b in zip(own, dims, strict=True))

    def _batch(self, rows: list[Row]) -> list[np.ndarray]:
        assert self.dims is not None
        out = []
        for i, (dtype, dims) in enumerate(zip(self.types, self.dims, strict=True)):
            values = [row[i] for row in rows]
            if None not in dims:
                out.append(stacked(values, dtype, dims))
                continue
            full = [d if d is not None else max((v.shape[k] for v in values), default=0) for k, d in enumerate(dims)]
            batch = np.zeros((len(rows), *full), dtype.numpy_dtype)
            if batch.dtype == object:
                batch[...] = b""
            for k, value in enumerate(values):
                batch[(k, *map(slice, value.shape))] = value
            out.append(batch)
        return out


class ShuffleQueue(Queue):
    """A queue that gives out a random one of its elements, and keeps at least `least` of them until it is closed."""

    kind = "RandomShuffleQueue"

    def __init__(
        self, name: str, types: Sequence[DType], dims: Sequence[Any], capacity: int, least: int, seeds: tuple[int, int]
    ):
        super().__init__(name, types, dims, capacity)
        self.rows = []
        self.least, self.seeds = least, seeds
        if seeds == (0, 0):
            seeds = tuple(int(x) for x in np.random.SeedSequence().generate_state(2, np.uint64))
        self._state = initial_state(*seeds)
        self._words: list[int] = []

    def _draw(self, below: int) -> int:
        if not self._words:
            stream = Stream(self._state)
            self._words = [int(w) for w in stream.words(1024)[::-1]]
            stream.reserve(256, 1)
            self._state = stream.finish()
        return self._words.pop() % below

    def _take(self) -> Row:
        rows = self.rows
        i = self._draw(len(rows))
        row, rows[i] = rows[i], rows[-1]
        rows.pop()
        return row

    def _put_back(self, rows: list[Row]) -> None:
        self.rows.extend(reversed(rows))

    @property
    def spare(self) -> int:
        return len(self.rows) - (0 if self.closed else self.least)

    def _check_others(self, least: int = 0, seeds: tuple[int, int] = (0, 0)) -> None:
        if least != self.least:
            raise invalid(
                f"Shared queue '{self.name}' has min_after_dequeue {self.least} but requested min_after_dequeue was {least}."
            )
        if seeds not in ((0, 0), self.seeds):
            raise invalid(
                f"Shared queue '{self.name}' has random seeds ({self.seeds[0]}, {self.seeds[1]}) but requested seeds are "
                f"({seeds[0]}, {seeds[1]})."
            )


class PriorityQueue(Queue):
    """A queue that gives out the element with the least first component, an int64."""

    kind = "PriorityQueue"

    def __init__(self, name: str, types: Sequence[DType], dims: Sequence[Any], capacity: int):
        super().__init__(name, types, dims, capacity)
        if not types or types[0] != int64:
            raise invalid(
                f"PriorityQueue priority index component must be type int64, but dtype is: {types[0].name if types else 'none'}"
            )
        if self.dims is not None and self.dims[0] != ():
            raise invalid(
                f"PriorityQueue priority index component must be a scalar, but shape is: {shapes.text(self.dims[0])}"
            )
        self.rows = []
        self._numbers = itertools.count()

    def _take(self) -> Row:
        return heapq.heappop(self.rows)[2]

    def _put(self, row: Row) -> None:
        if np.ndim(row[0]):
            raise invalid(
                f"Expected the priority element to be a scalar, but received shape: {shapes.text(row[0].shape)}"
            )
        heapq.heappush(self.rows, (int(row[0]), next(self._numbers), row))

    def _go_dequeue_many(self, attempt: Attempt, work: Any) -> bool:
        # A batch is taken at once: an element that comes while it waits may be less than those that are here.
        n, fewer, _ = work
        size = len(self.rows)
        if size < n:
            if not self.closed:
                return False
            if not size or not fewer:
                raise self._too_few(n, size)
        attempt.fulfil(self._batch([self._take() for _ in range(min(n, size))]))
        return True
