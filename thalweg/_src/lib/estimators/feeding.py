"""Arrays and tables in memory as queues of examples: a thread feeds them, batch by batch."""

from __future__ import annotations

import collections
import itertools
import random
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, errors, scopes
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.queue_runner import QueueRunner, add_queue_runner
from thalweg._src.lib.summary import summary
from thalweg._src.ops.arrays.constants import placeholder
from thalweg._src.ops.late import math
from thalweg._src.ops.queueing.queue_api import FIFOQueue, PaddingFIFOQueue, RandomShuffleQueue


class Epochs:
    """Which rows come next: `count` at a time, around and around, from `start`, `num_epochs` times in all."""

    def __init__(self, length: int, count: int, start: int, num_epochs: int | None):
        self._length, self._count, self._num_epochs = length, count, num_epochs
        self._next, self._last, self._epoch = start, (start - 1) % length, 0

    def rows(self) -> list[int]:
        """The next rows. Raises OutOfRangeError at the end."""
        if self._num_epochs is not None and self._epoch >= self._num_epochs:
            raise errors.OutOfRangeError(None, None, f"Already emitted {self._epoch} epochs.")
        rows = [j % self._length for j in range(self._next, self._next + self._count)]
        ends = [i for i, row in enumerate(rows) if row == self._last]
        self._epoch += len(ends)
        if self._num_epochs is not None and self._epoch >= self._num_epochs:
            rows = rows[: ends[-(self._epoch - self._num_epochs + 1)] + 1]
            self._epoch = self._num_epochs
        self._next = (rows[-1] + 1) % self._length
        return rows


class _FeedFn:
    """Gives {placeholder: rows} of the next batch."""

    def __init__(
        self,
        placeholders: list[Any],
        data: Any,
        batch_size: int,
        random_start: bool = False,
        seed: int | None = None,
        num_epochs: int | None = None,
        pad_value: Any = None,
    ):
        self._placeholders, self._data = placeholders, data
        wanted, length = self._facts()
        if len(placeholders) != wanted:
            raise ValueError(f"Expected {wanted} placeholders; got {len(placeholders)}.")
        random.seed(seed)
        start = random.randrange(length) if random_start else 0
        self._epochs = Epochs(length, batch_size, start, num_epochs)

    def _facts(self) -> tuple[int, int]:
        """The number of placeholders and of rows."""
        raise NotImplementedError

    def __call__(self) -> dict[Any, Any]:
        rows = self._epochs.rows()
        return dict(zip(self._placeholders, self._values(rows), strict=True))

    def _values(self, rows: list[int]) -> list[Any]:
        raise NotImplementedError


class ArrayFeedFn(_FeedFn):
    """The numbers of rows, and the rows of one array."""

    def _facts(self) -> tuple[int, int]:
        return 2, len(self._data)

    def _values(self, rows: list[int]) -> list[Any]:
        return [rows, self._data[rows]]


class OrderedDictNumpyFeedFn(_FeedFn):
    """The numbers of rows, and the rows of each array. Raises ValueError for arrays of different lengths."""

    def _facts(self) -> tuple[int, int]:
        lengths = {len(v) for v in self._data.values()}
        if len(lengths) != 1:
            raise ValueError("Array lengths must match.")
        return len(self._data) + 1, lengths.pop()

    def _values(self, rows: list[int]) -> list[Any]:
        return [rows, *(column[rows] for column in self._data.values())]


class PandasFeedFn(_FeedFn):
    """The index, and the columns of a table."""

    def _facts(self) -> tuple[int, int]:
        return len(self._data.columns) + 1, len(self._data)

    def _values(self, rows: list[int]) -> list[Any]:
        chosen = self._data.iloc[rows]
        return [_plain(chosen.index.values), *(_plain(chosen[name].values) for name in chosen.columns)]


def _plain(values: Any) -> np.ndarray:
    """A NumPy array; strings, of whatever type a table has for them, as bytes."""
    if isinstance(values, np.ndarray) and values.dtype != object:
        return values
    return np.array([v.encode() if isinstance(v, str) else v for v in values], object)


class GeneratorFeedFn:
    """Rows that a function generates as dicts, batch by batch, padded to one length with `pad_value`."""

    def __init__(
        self,
        placeholders: list[Any],
        generator: Callable[[], Any],
        batch_size: int,
        random_start: bool = False,
        seed: int | None = None,
        num_epochs: int | None = None,
        pad_value: Any = None,
    ):
        first = next(generator())
        if len(placeholders) != len(first):
            raise ValueError(f"Expected {len(first)} placeholders; got {len(placeholders)}.")
        self._keys, self._placeholders = sorted(first), placeholders
        self._generator, self._rows = generator, generator()
        self._batch_size, self._num_epochs, self._epoch, self._pad = batch_size, num_epochs, 0, pad_value

    def __call__(self) -> dict[Any, Any]:
        if self._num_epochs and self._epoch >= self._num_epochs:
            raise errors.OutOfRangeError(None, None, f"Already emitted {self._epoch} epochs.")
        columns: dict[Any, list[Any]] = {}
        size = 0
        while size < self._batch_size:
            try:
                row = next(self._rows)
            except StopIteration:
                self._epoch += 1
                self._rows = self._generator()
                row = next(self._rows)
            for place, key in zip(self._placeholders, self._keys, strict=True):
                if key not in row:
                    raise KeyError(
                        f"key mismatch between dicts emitted by GenFun Expected {self._keys} keys; got {row.keys()}"
                    )
                columns.setdefault(place, []).append(row[key])
                size += 1
        if self._pad is not None:
            return {place: np.asarray(pad_if_needed(rows, self._pad)) for place, rows in columns.items()}
        return {place: np.asarray(rows) for place, rows in columns.items()}


def pad_if_needed(rows: list[Any], fill: Any = 0) -> Any:
    """Arrays whose last axes have different lengths, filled up. Raises ValueError where other axes differ."""
    outer = [row.shape[:-1] if row.ndim else -1 for row in rows]
    if any(shape != outer[0] for shape in outer):
        raise ValueError("Array shapes must match.")
    lengths = [row.shape[-1] if row.ndim else 0 for row in rows]
    if len(set(lengths)) == 1:
        return rows
    padded = np.full([len(rows), *outer[0], max(lengths)], fill, dtype=rows[0].dtype)
    for target, row in zip(padded, rows, strict=True):
        target[..., : row.shape[-1]] = row
    return padded


class FeedingQueueRunner(QueueRunner):
    """A queue runner whose enqueue ops are fed, each by a function of its own."""

    def __init__(
        self,
        queue: Any = None,
        enqueue_ops: Any = None,
        close_op: Any = None,
        cancel_op: Any = None,
        feed_fns: list[Any] | None = None,
        queue_closed_exception_types: Any = None,
    ):
        closed = queue_closed_exception_types or (errors.OutOfRangeError, errors.CancelledError)
        super().__init__(queue, enqueue_ops, close_op, cancel_op, queue_closed_exception_types=closed)
        if feed_fns is None:
            feed_fns = [None] * len(enqueue_ops)
        if len(feed_fns) != len(enqueue_ops):
            raise ValueError("If feed_fns is not None, it must have the same length as enqueue_ops.")
        self._feeds = {id(op): fn for op, fn in zip(enqueue_ops, feed_fns, strict=True)}

    def _enqueuer(self, sess: Any, enqueue_op: Any) -> Callable[[Callable[[], bool]], Any]:
        feed = self._feeds[id(enqueue_op)]
        return lambda stop: sess.run(enqueue_op, feed_dict=None if feed is None else feed())

    def to_proto(self, export_scope: str | None = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not support serialization to proto.")


def enqueue_data(
    data: Any,
    capacity: int,
    shuffle: bool = False,
    min_after_dequeue: float | None = None,
    num_threads: int = 1,
    seed: int | None = None,
    name: str = "enqueue_input",
    enqueue_size: int = 1,
    num_epochs: int | None = None,
    pad_value: Any = None,
) -> Any:
    """A queue of the rows of `data`: an array, an OrderedDict of arrays, a table, or a function that generates dicts.

    Rows of arrays and tables come with their number or index before them. Raises TypeError for other data.
    """
    with scopes.name_scope(name):
        kinds, shapes, feed_class = _columns_of(data)
        if pad_value is not None and feed_class is not GeneratorFeedFn:
            raise NotImplementedError("padding is only available with generator usage")
        if shuffle and pad_value is not None:
            raise NotImplementedError("padding and shuffling data at the same time is not implemented")
        if num_threads > 1 and num_epochs is not None:
            log.warning("num_epochs is counted by each of the %d threads.", num_threads)
        if num_threads > 1 and not shuffle:
            log.warning("%d threads read the same rows in order; shuffle them, or use one thread.", num_threads)
        least = 0
        if shuffle:
            least = int(capacity / 4 if min_after_dequeue is None else min_after_dequeue)
            queue: Any = RandomShuffleQueue(capacity, least, dtypes=kinds, shapes=shapes, seed=seed)
        elif pad_value is not None:
            open_shapes = [(*shape[:-1], None) if len(shape) else shape for shape in shapes]
            queue = PaddingFIFOQueue(capacity, dtypes=kinds, shapes=open_shapes)
        else:
            queue = FIFOQueue(capacity, dtypes=kinds, shapes=shapes)
        ops, feeds = [], []
        for i in range(num_threads):
            places = [placeholder(t) for t in kinds]
            ops.append(queue.enqueue_many(places))
            own_seed = None if seed is None else (i + 1) * seed
            feeds.append(feed_class(places, data, enqueue_size, shuffle, own_seed, num_epochs, pad_value))
        add_queue_runner(FeedingQueueRunner(queue, ops, feed_fns=feeds))
        above = math.cast(math.maximum(0, queue.size() - least), dtypes.float32)
        full = f"queue/{queue.name}fraction_over_{least}_of_{capacity - least}_full"
        summary.scalar(full, above * (1.0 / (capacity - least)))
        return queue


def _columns_of(data: Any) -> tuple[list[Any], list[Any], Any]:
    """Types and shapes of the components, and the class that feeds them."""
    if isinstance(data, np.ndarray):
        return [dtypes.int64, dtypes.as_dtype(data.dtype)], [(), data.shape[1:]], ArrayFeedFn
    if isinstance(data, collections.OrderedDict):
        columns = list(data.values())
        kinds = [dtypes.int64, *(dtypes.as_dtype(c.dtype) for c in columns)]
        return kinds, [(), *(c.shape[1:] for c in columns)], OrderedDictNumpyFeedFn
    if isinstance(data, types.FunctionType):
        first = next(data())
        values = [first[key] for key in sorted(first)]
        return [dtypes.as_dtype(v.dtype) for v in values], [v.shape for v in values], GeneratorFeedFn
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        kinds = [_table_type(t) for t in itertools.chain([data.index.dtype], data.dtypes)]
        return kinds, [()] * len(kinds), PandasFeedFn
    raise TypeError(
        f"data must be either a numpy array or pandas DataFrame if pandas is installed; got {type(data).__name__}"
    )


def _table_type(dtype: Any) -> Any:
    return dtypes.as_dtype(dtype) if isinstance(dtype, np.dtype) else dtypes.string
