"""Several readers of files that fill one queue."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes as types
from thalweg._src.core import scopes
from thalweg._src.lib.io import gfile
from thalweg._src.lib.producers import string_input_producer
from thalweg._src.lib.queue_runner import QueueRunner, add_queue_runner
from thalweg._src.lib.summary import summary
from thalweg._src.ops import math
from thalweg._src.ops.io.reader_api import ReaderBase
from thalweg._src.ops.queueing.queue_api import FIFOQueue, PaddingFIFOQueue, RandomShuffleQueue


class ParallelReader(ReaderBase):
    """Readers that read at once; what they find goes through one queue. Raises TypeError unless that holds two strings."""

    def __init__(self, reader_class: Any, common_queue: Any, num_readers: int = 4, reader_kwargs: Any = None):
        kinds = common_queue.dtypes
        if len(kinds) != 2 or not all(k.is_compatible_with(types.string) for k in kinds):
            raise TypeError("common_queue.dtypes must be [tf.string, tf.string]")
        self._readers = [reader_class(**(reader_kwargs or {})) for _ in range(num_readers)]
        self._common_queue = common_queue

    @property
    def num_readers(self) -> int:
        return len(self._readers)

    @property
    def common_queue(self) -> Any:
        return self._common_queue

    def read(self, queue: Any, name: str | None = None) -> Any:
        """The next (key, value)."""
        self._fill_from(queue)
        return self._common_queue.dequeue(name=name)

    def read_up_to(self, queue: Any, num_records: Any, name: str | None = None) -> Any:
        """The next keys and values, fewer at the end."""
        self._fill_from(queue)
        return self._common_queue.dequeue_up_to(num_records, name)

    def _fill_from(self, queue: Any) -> None:
        enqueues = [self._common_queue.enqueue(reader.read(queue)) for reader in self._readers]
        add_queue_runner(QueueRunner(self._common_queue, enqueues))

    def num_records_produced(self, name: str | None = None) -> Any:
        return math.add_n([r.num_records_produced() for r in self._readers], name=name)

    def num_work_units_completed(self, name: str | None = None) -> Any:
        return math.add_n([r.num_work_units_completed() for r in self._readers], name=name)


def parallel_read(
    data_sources: Any,
    reader_class: Any,
    num_epochs: int | None = None,
    num_readers: int = 4,
    reader_kwargs: Any = None,
    shuffle: bool = True,
    dtypes: Any = None,
    capacity: int = 256,
    min_after_dequeue: int = 128,
    seed: int | None = None,
    scope: Any = None,
) -> Any:
    """(key, value) of the next record of the files, in an order shuffled by files and by records."""
    files = get_data_files(data_sources)
    with scopes.name_scope(scope, "parallel_read"):
        names = string_input_producer(files, num_epochs=num_epochs, shuffle=shuffle, seed=seed, name="filenames")
        kinds = dtypes or [types.string, types.string]
        common: Any
        if shuffle:
            common = RandomShuffleQueue(
                capacity=capacity, min_after_dequeue=min_after_dequeue, dtypes=kinds, seed=seed, name="common_queue"
            )
        else:
            common = FIFOQueue(capacity=capacity, dtypes=kinds, name="common_queue")
        report_full(common, capacity)
        return ParallelReader(reader_class, common, num_readers=num_readers, reader_kwargs=reader_kwargs).read(names)


def report_full(queue: Any, capacity: int) -> None:
    """A summary of how full a queue is."""
    summary.scalar(f"fraction_of_{capacity}_full", math.cast(queue.size(), types.float32) * (1.0 / capacity))


def single_pass_read(data_sources: Any, reader_class: Any, reader_kwargs: Any = None, scope: Any = None) -> Any:
    """(key, value) of the next record of the files, once and in order."""
    files = get_data_files(data_sources)
    with scopes.name_scope(scope, "single_pass_read"):
        names = string_input_producer(files, num_epochs=1, shuffle=False, capacity=1, name="filenames")
        return reader_class(**(reader_kwargs or {})).read(names)


def get_data_files(data_sources: Any) -> list[str]:
    """The files that names and patterns (also lists of them) mean. Raises ValueError where there are none."""
    if isinstance(data_sources, list | tuple):
        files = [f for source in data_sources for f in get_data_files(source)]
    elif any(c in data_sources for c in "*?["):
        files = gfile.glob(data_sources)
    else:
        files = [data_sources]
    if not files:
        raise ValueError(f"No data files found in {data_sources}")
    return files


def prefetch_queue(
    tensors: Any,
    capacity: int = 8,
    num_threads: int = 1,
    dynamic_pad: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """A queue of batches, filled ahead by threads. `tensors` is a list or a dict."""
    names = sorted(tensors) if isinstance(tensors, dict) else None
    listed = [tensors[n] for n in names] if names is not None else tensors
    with scopes.name_scope(name, "prefetch_queue", listed) as name:
        queue = (PaddingFIFOQueue if dynamic_pad else FIFOQueue)(
            capacity=capacity,
            dtypes=[t.dtype for t in listed],
            shapes=[t.get_shape() for t in listed],
            names=names,
            shared_name=shared_name,
        )
        enqueue = queue.enqueue(tensors)
        add_queue_runner(QueueRunner(queue, [enqueue] * num_threads))
        report_full(queue, capacity)
        return queue
