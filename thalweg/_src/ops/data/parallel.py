"""Datasets that work ahead on other threads: parallel map, prefetch, parallel interleave, map and batch."""

import collections
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core import errors, leaving
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import int32, int64, variant
from thalweg._src.core.opdef import Func, Mixed
from thalweg._src.ops.data.calls import Calling
from thalweg._src.ops.data.mapping import Interleaving, cycle_of
from thalweg._src.ops.data.pipeline import (
    CAPTURED,
    SHAPES,
    TYPES,
    Data,
    From,
    Run,
    Shared,
    data_of,
    dataset,
    invalid,
    made,
    positive,
    scalar,
)
from thalweg._src.ops.data.shaping import Batch
from thalweg._src.ops.data.stacking import mapped
from thalweg._src.ops.data.turns import MOST, Laid, called, one_by_one


class _Line:
    """What the thread of a walk ahead shares with the one who takes its elements, which may go away before the thread does."""

    def __init__(self, size: int, shared: Shared, condition: threading.Condition | None):
        self.size, self.shared = size, shared
        self.ready: collections.deque[tuple[bool, Any]] = collections.deque()
        self.condition = condition or threading.Condition()
        self.ended = self.left = False
        shared.watch(self.condition)

    def fill(self, make: Callable[[], Iterator[tuple]]) -> None:
        """Walk, as far ahead as there is room, to the end, or until nobody takes the elements any more."""
        condition, ready = self.condition, self.ready
        try:
            source = make()
        except BaseException as error:
            self._put((False, error))
            self._finish()
            return
        while True:
            if len(ready) >= self.size:
                with condition:
                    while len(ready) >= self.size and not self._is_over():
                        condition.wait()
            if self._is_over():
                break
            leaving.hold()
            try:
                item = (True, next(source))
            except StopIteration:
                break
            except BaseException as error:
                item = (False, error)
            self._put(item)
        self._finish()

    def _is_over(self) -> bool:
        return self.left or self.shared.cancelled

    def _put(self, item: tuple[bool, Any]) -> None:
        was_empty = not self.ready
        self.ready.append(item)
        if was_empty:
            with self.condition:
                self.condition.notify_all()

    def _finish(self) -> None:
        with self.condition:
            self.ended = True
            self.condition.notify_all()


class Ahead:
    """A walk that runs on a thread of its own, up to `size` elements ahead of the one who takes them.

    An error waits in line like an element. The thread ends with the walk, or when the iterator is cancelled or dropped.
    """

    def __init__(
        self,
        source: Callable[[], Iterator[tuple]],
        size: int,
        shared: Shared,
        condition: threading.Condition | None = None,
    ):
        self.make, self.size = source, size
        self.low = size - 1 if size <= 8 else size // 2
        self.line = _Line(size, shared, condition)
        self.ready = self.line.ready
        self.begun = False

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __del__(self) -> None:
        line = self.line
        line.left = True
        with line.condition:
            line.condition.notify_all()

    def start(self) -> None:
        if not self.begun:
            self.begun = True
            threading.Thread(target=self.line.fill, args=(self.make,), daemon=True, name="thalweg-data").start()

    def __next__(self) -> tuple:
        self.start()
        ready, line = self.ready, self.line
        if not ready:
            with line.condition:
                while not ready:
                    if line.shared.cancelled:
                        raise errors.CancelledError(None, None, "Iterator was cancelled")
                    if line.ended:
                        raise StopIteration
                    line.condition.wait()
        good, value = ready.popleft()
        if len(ready) == self.low:  # it waits since it was full; waking it for each element would cost too much
            with line.condition:
                line.condition.notify_all()
        if good:
            return value
        raise value

    def has_next(self) -> bool:
        """Whether an element, an error or the end can be taken without waiting."""
        return bool(self.ready) or self.line.ended


class Prefetch(From):
    """The elements, made on a thread of its own up to `size` ahead."""

    def __init__(self, source: Data, size: int):
        super().__init__(source)
        self.size = size
        self.cardinality, self.fresh = source.cardinality, source.fresh

    def iterate(self, run: Run) -> Iterator[tuple]:
        if self.size == 0:
            return self.source.iterate(run.at())
        ahead = Ahead(lambda: self.source.iterate(run.at()), 2 if self.size == -1 else self.size, run.shared)
        return ahead if run.shared.statistics is None else _Watched(self, ahead, run.shared.statistics)


class _Watched:
    """A walk ahead; how full its buffer is when an element is taken goes to statistics."""

    def __init__(self, data: Data, ahead: Ahead, statistics: Any):
        self.data, self.ahead, self.statistics = data, ahead, statistics

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        ahead = self.ahead
        ready = len(ahead.ready)
        element = next(ahead)
        self.statistics.add_of(self.data, "buffer_utilization", ready / ahead.size)
        self.statistics.put_of(self.data, "buffer_capacity", ahead.size)
        self.statistics.put_of(self.data, "buffer_size", ready)
        return element


def _workers(number: int) -> int:
    return max(2, os.cpu_count() or 1) if number == -1 else number


class ParallelMap(From):
    """As Map, with `workers` calls at once; in order, or with `sloppy` as they come."""

    def __init__(self, source: Data, function: Any, workers: int, keeps: bool, sloppy: bool = False):
        super().__init__(source)
        self.function, self.workers, self.keeps, self.sloppy = function, _workers(workers), keeps, sloppy
        self.cardinality = source.cardinality

    def iterate(self, run: Run) -> Iterator[tuple]:
        run_one = one_by_one(called(self.function.again(run.shared.kept), self.keeps))
        return self._calling(lambda count: run_one, run, 2 * self.workers, 1)

    def iterate_by(self, count: int, run: Run) -> Iterator[tuple]:
        laid = Laid(self.function.again(run.shared.kept), count, self.keeps)
        at_once = max(1, min(MOST, count // (2 * self.workers)))
        # Beside a whole batch, what each thread may have begun of the next one: none waits until the batch is taken.
        return self._calling(laid.begin, run, count + self.workers * at_once, at_once)

    def _calling(self, begin: Callable[[int], Any], run: Run, room: int, at_once: int) -> Calling:
        sloppy = self.sloppy or run.shared.sloppy
        return Calling(begin, self.source.iterate(run.at()), self.workers, room, at_once, run.shared, sloppy)


class ParallelInterleave(From):
    """As Interleave, each open dataset walked on a thread of its own. With `sloppy`, one that is not ready is passed over."""

    def __init__(
        self, source: Data, function: Any, cycle: int, block: int, size: int, sloppy: bool, carries: bool = False
    ):
        super().__init__(source)
        self.carries = carries
        self.function, self.block, self.size, self.sloppy = function, block, size, sloppy
        self.cycle = _workers(cycle)

    def iterate(self, run: Run) -> Iterator[tuple]:
        function = self.function.again(run.shared.kept)
        walks = _AheadOfEach(function, self.source.iterate(run.at()), self.size, run)
        return _ParallelInterleaving(walks, self.cycle, self.block, self.sloppy or run.shared.sloppy, self.carries)


class _AheadOfEach:
    """For each element, a walk over the dataset that a function makes of it, both on a thread of its own."""

    def __init__(self, function: Any, source: Iterator[tuple], size: int, run: Run):
        self.function, self.source, self.size, self.run = function, source, size, run
        self.condition = threading.Condition()
        self.count = 0

    def __iter__(self) -> Iterator[Iterator[tuple]]:
        return self

    def __next__(self) -> Iterator[tuple]:
        element = next(self.source)
        self.count += 1
        place = self.run.at(self.count)
        ahead = Ahead(
            lambda: data_of(self.function(*element)[0]).iterate(place), self.size, self.run.shared, self.condition
        )
        ahead.start()
        return ahead


class _ParallelInterleaving(Interleaving):
    """All walks of the cycle run from the start. With `sloppy`, what is ready comes first. With `carries`, the rest of the block of a
    walk that ends, when no other takes its place, is for the next one.
    """

    def __init__(self, walks: Any, cycle: int, block: int, sloppy: bool, carries: bool):
        super().__init__(walks, cycle, block)
        self.carries = carries
        self.sloppy, self.condition, self.shared = sloppy, walks.condition, walks.run.shared

    def __next__(self) -> tuple:
        while True:
            self._open_all()
            if not self.count:
                raise StopIteration
            at = self._ready() if self.sloppy else self._following()
            if at != self.at:
                self.at, self.taken = at, self.taken if self.carries and not self.sloppy else 0
            walk: Any = self.open[at]
            for element in walk:
                self.taken += 1
                if self.taken == self.block:
                    self._advance()
                return element
            self.open[at] = None
            self.count -= 1
            left = self.count
            self._open_all()
            if self.carries and self.count == left:
                self.at = (at + 1) % self.cycle  # the next one gives what is left of the block
            else:
                self._advance()

    def _open_all(self) -> None:
        while self.walks is not None and self.count < self.cycle:
            try:
                self.open[self.open.index(None)] = next(self.walks)
                self.count += 1
            except StopIteration:
                self.walks = None

    def _following(self) -> int:
        return next(
            i % self.cycle for i in range(self.at, self.at + self.cycle) if self.open[i % self.cycle] is not None
        )

    def _ready(self) -> int:
        """The place of a walk that need not be waited for, the next in turn if it is one; waits for one."""
        while True:
            for i in range(self.at, self.at + self.cycle):
                walk: Any = self.open[i % self.cycle]
                if walk is not None and walk.has_next():
                    return i % self.cycle
            with self.condition:
                if self.shared.cancelled:
                    raise errors.CancelledError(None, None, "Iterator was cancelled")
                if not any(w is not None and w.has_next() for w in self.open):  # type: ignore[attr-defined]
                    self.condition.wait()


@dataset("ParallelMapDataset")
def parallel_map_dataset(
    input_dataset: variant,
    other_arguments: Mixed("Targuments"),
    num_parallel_calls: int32,
    *,
    f: Func,
    Targuments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    use_inter_op_parallelism: bool = True,
    sloppy: bool = False,
    preserve_cardinality: bool = False,
    ctx,
) -> variant:
    """The results of `f` on each element, several made at once."""
    n = positive(num_parallel_calls, "num_parallel_calls", auto=True)
    data = ParallelMap(data_of(input_dataset), ctx.function(f, other_arguments), n, preserve_cardinality, sloppy)
    return made(data, output_types, output_shapes)


@dataset("PrefetchDataset")
def prefetch_dataset(
    input_dataset: variant,
    buffer_size: int64,
    *,
    output_types: TYPES,
    output_shapes: SHAPES,
    slack_period: int = 0,
    legacy_autotune: bool = True,
) -> variant:
    """The elements, made ahead of the one who takes them."""
    size = scalar(buffer_size, "buffer_size")
    if size < -1:
        raise invalid("buffer_size must be >= 0 or set to -1 for auto-tuning")
    return made(Prefetch(data_of(input_dataset), size), output_types, output_shapes)


@dataset("MapAndBatchDataset", "ExperimentalMapAndBatchDataset")
def map_and_batch_dataset(
    input_dataset: variant,
    other_arguments: Mixed("Targuments"),
    batch_size: int64,
    num_parallel_calls: int64,
    drop_remainder: bool_,
    *,
    f: Func,
    Targuments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    preserve_cardinality: bool = False,
    ctx,
) -> variant:
    """Batches of the results of `f` on each element, several made at once."""
    size, n = positive(batch_size, "batch_size"), positive(num_parallel_calls, "num_parallel_calls", auto=True)
    work = ParallelMap(data_of(input_dataset), ctx.function(f, other_arguments), n, preserve_cardinality)
    return made(Batch(work, size, scalar(drop_remainder, "drop_remainder"), mapped), output_types, output_shapes)


@dataset("ParallelInterleaveDataset", "ExperimentalParallelInterleaveDataset")
def parallel_interleave_dataset(
    input_dataset: variant,
    other_arguments: Mixed("Targuments"),
    cycle_length: int64,
    block_length: int64,
    sloppy: bool_,
    buffer_output_elements: int64,
    prefetch_input_elements: int64,
    *,
    f: Func,
    Targuments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    ctx,
) -> variant:
    """As InterleaveDataset, several datasets being read at once."""
    size = scalar(buffer_output_elements, "buffer_output_elements")
    if size <= 0:
        raise invalid("`buffer_output_elements` must be > 0")
    if scalar(prefetch_input_elements, "prefetch_input_elements") < 0:
        raise invalid("`prefetch_input_elements` must be >= 0")
    cycle, block = scalar(cycle_length, "cycle_length"), scalar(block_length, "block_length")
    if cycle <= 0:
        raise invalid("`cycle_length` must be > 0")
    if block <= 0:
        raise invalid("`block_length` must be > 0")
    function = ctx.function(f, other_arguments)
    loose = scalar(sloppy, "sloppy")
    data = ParallelInterleave(data_of(input_dataset), function, cycle, block, size, loose, carries=True)
    return made(data, output_types, output_shapes)


@dataset("ParallelInterleaveDatasetV2")
def parallel_interleave_dataset_v2(
    input_dataset: variant,
    other_arguments: Mixed("Targuments"),
    cycle_length: int64,
    block_length: int64,
    num_parallel_calls: int64,
    *,
    f: Func,
    Targuments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    sloppy: bool = False,
    ctx,
) -> variant:
    """As InterleaveDataset, several datasets being read at once."""
    cycle, block = cycle_of(cycle_length, block_length)
    n = positive(num_parallel_calls, "num_parallel_calls", auto=True)
    if n != -1 and cycle != -1 and n > cycle:
        raise invalid(
            f"num_parallel_calls must less than or equal to cycle_length: num_parallel_calls = {n} cycle_length = {cycle}"
        )
    function = ctx.function(f, other_arguments)
    data = ParallelInterleave(data_of(input_dataset), function, cycle, block, max(2 * block, 64), sloppy)
    return made(data, output_types, output_shapes)
