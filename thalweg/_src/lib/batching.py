"""Batches made by queues: `tf.train.batch`, `shuffle_batch`, their `join` forms, and those that keep only some elements (`maybe_`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib import sparse_in_queues
from thalweg._src.lib.queue_runner import QueueRunner, add_queue_runner
from thalweg._src.lib.summary import summary
from thalweg._src.ops.arrays.partitioning import dynamic_partition
from thalweg._src.ops.basic import no_op
from thalweg._src.ops.control.control_flow import smart_cond
from thalweg._src.ops.numeric.arithmetic import maximum
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.queueing.queue_api import FIFOQueue, PaddingFIFOQueue, QueueBase, RandomShuffleQueue

Tensors = Any  # a list of tensors, or a dict of them by name


def as_list(tensors: Tensors) -> list[Any]:
    """The tensors of a list, or of a dict in the order of its keys."""
    return [tensors[k] for k in sorted(tensors, key=str)] if isinstance(tensors, dict) else tensors


def like(tensors: Tensors, values: Any) -> Any:
    """`values`, what a queue gave, in the structure of `tensors`, what went in."""
    if not isinstance(tensors, dict):
        return values
    if len(tensors) == 1:
        values = [values]
    return {k: values[i] for i, k in enumerate(sorted(tensors, key=str))}


def _lists(tensors_list: Sequence[Tensors]) -> list[list[Any]]:
    if not tensors_list:
        raise ValueError("Expected at least one set of tensors")
    first = tensors_list[0]
    if isinstance(first, dict) and any(set(t) != set(first) for t in tensors_list[1:]):
        raise ValueError("All dictionaries in tensors_list must have the same keys")
    return [as_list(t) for t in tensors_list]


def _converted(tensors: Sequence[Any]) -> list[Any]:
    return [t if isinstance(t, SparseTensor) else to_tensor(t) for t in tensors]


def checked_keep_input(keep_input: Any, enqueue_many: bool) -> Tensor:
    """`keep_input` as a bool tensor of rank 0, or 1 with `enqueue_many`."""
    keep = to_tensor(keep_input)
    if keep.shape.ndims is None:
        raise ValueError("`keep_input` dimensions must be known at graph construction.")
    if not enqueue_many and keep.shape.ndims == 1:
        raise ValueError("`keep_input` cannot be a vector when `enqueue_many=False`.")
    if keep.shape.ndims > 1:
        raise ValueError("`keep_input` must be 0 or 1 dimensions.")
    return keep


def types_of(lists: Sequence[Sequence[Tensor]]) -> list[Any]:
    """The dtypes of the components. Raises TypeError where the lists differ."""
    every = [[t.dtype.base_dtype for t in tensors] for tensors in lists]
    for others in every[1:]:
        if others != every[0]:
            raise TypeError(
                f"Expected types to be consistent: {', '.join(t.name for t in every[0])} vs. "
                f"{', '.join(t.name for t in others)}."
            )
    return every[0]


def shapes_of(lists: Sequence[Sequence[Tensor]], shapes: Any, enqueue_many: bool) -> Any:
    """The shapes of the components: those given, or what is known of the tensors."""
    if shapes is not None:
        return shapes
    for tensors in lists:
        for t in tensors:
            if t.shape.ndims is None:
                raise ValueError(f"Cannot infer Tensor's rank: {t}")
    return [_merged([tensors[i].shape for tensors in lists], enqueue_many) for i in range(len(lists[0]))]


def _merged(every: Sequence[TensorShape], enqueue_many: bool) -> list[int | None]:
    if enqueue_many:
        every = [s.with_rank_at_least(1)[1:] for s in every]
    for s in every[1:]:
        every[0].merge_with(s)
    return every[0].as_list()


def _enqueue(queue: QueueBase, tensors: list[Tensor], enqueue_many: bool, keep: Tensor) -> Any:
    put = queue.enqueue_many if enqueue_many else queue.enqueue
    if keep.shape.ndims == 1:
        chosen = cast(keep, dtypes.int32)
        return put([dynamic_partition(t, chosen, num_partitions=2)[1] for t in tensors])
    return smart_cond(keep, lambda: put(tensors), no_op)


def _fill(queue: QueueBase, lists: list[list[Tensor]], threads: int, enqueue_many: bool, keep: Tensor) -> None:
    """Let threads put each of `lists` into the queue, `threads` of them where there is one list."""
    ops = [_enqueue(queue, tensors, enqueue_many, keep) for tensors in lists]
    add_queue_runner(QueueRunner(queue, ops * threads))


def _batches(
    scope: tuple[str | None, str],
    lists_of: Callable[[], list[list[Any]]],
    make: Callable[..., QueueBase],
    report: Callable[[QueueBase], None],
    batch_size: Any,
    keep_input: Any,
    num_threads: int,
    enqueue_many: bool,
    shapes: Any,
    allow_smaller_final_batch: bool,
    shared_name: str | None,
) -> Any:
    """What all the functions below do: a queue, threads that fill it, a summary of how full it is, and batches from it."""
    raw = lists_of()
    keep_values = [t for tensors in raw for t in tensors] + [keep_input]
    with name_scope(*scope, keep_values) as name:
        lists = [_converted(tensors) for tensors in raw]
        if not lists[0]:
            raise ValueError("Expected at least one tensor in batch().")
        keep = checked_keep_input(keep_input, enqueue_many)
        stored, sparse = sparse_in_queues.store_all(lists, enqueue_many, keep)
        types = types_of(stored)
        shapes = shapes_of(stored, shapes, enqueue_many)
        queue = make(dtypes=types, shapes=shapes, shared_name=shared_name)
        _fill(queue, stored, num_threads, enqueue_many, keep)
        report(queue)
        take = queue.dequeue_up_to if allow_smaller_final_batch else queue.dequeue_many
        return sparse_in_queues.restore(take(batch_size, name=name), sparse)


def report_full(capacity: int) -> Callable[[QueueBase], None]:
    """A function that adds the summary `fraction_of_<capacity>_full` of a queue."""

    def report(queue: QueueBase) -> None:
        summary.scalar(f"fraction_of_{capacity}_full", cast(queue.size(), dtypes.float32) * (1.0 / capacity))

    return report


def _report_over(least: int, capacity: int) -> Callable[[QueueBase], None]:
    def report(queue: QueueBase) -> None:
        full = cast(maximum(0, queue.size() - least), dtypes.float32) * (1.0 / (capacity - least))
        summary.scalar(f"fraction_over_{least}_of_{capacity - least}_full", full)

    return report


def _in_order(dynamic_pad: bool, capacity: int) -> Callable[..., QueueBase]:
    kind = PaddingFIFOQueue if dynamic_pad else FIFOQueue
    return lambda **facts: kind(capacity=capacity, **facts)


def _shuffled(capacity: int, least: int, seed: int | None) -> Callable[..., QueueBase]:
    return lambda **facts: RandomShuffleQueue(capacity=capacity, min_after_dequeue=least, seed=seed, **facts)


def maybe_batch(
    tensors: Tensors,
    keep_input: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`batch` of those elements for which `keep_input` holds: a scalar, or with `enqueue_many` a vector."""
    values = _batches(
        (name, "batch"),
        lambda: [as_list(tensors)],
        _in_order(dynamic_pad, capacity),
        report_full(capacity),
        *(batch_size, keep_input, num_threads, enqueue_many, shapes, allow_smaller_final_batch, shared_name),
    )
    return like(tensors, values)


def batch(
    tensors: Tensors,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """Batches of `tensors` (a list or a dict), made by a queue that `num_threads` threads fill.

    With `enqueue_many` each row of a tensor is an element. `dynamic_pad` pads unknown dimensions to those of the largest
    element of a batch. When the input has ended the rest is lost, unless `allow_smaller_final_batch`. Raises ValueError
    where shapes are not known.
    """
    return maybe_batch(
        tensors,
        True,
        batch_size,
        num_threads=num_threads,
        capacity=capacity,
        enqueue_many=enqueue_many,
        shapes=shapes,
        dynamic_pad=dynamic_pad,
        allow_smaller_final_batch=allow_smaller_final_batch,
        shared_name=shared_name,
        name=name,
    )


def maybe_batch_join(
    tensors_list: Sequence[Tensors],
    keep_input: Any,
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`batch_join` of those elements for which `keep_input` holds."""
    values = _batches(
        (name, "batch_join"),
        lambda: _lists(tensors_list),
        _in_order(dynamic_pad, capacity),
        report_full(capacity),
        *(batch_size, keep_input, 1, enqueue_many, shapes, allow_smaller_final_batch, shared_name),
    )
    return like(tensors_list[0], values)


def batch_join(
    tensors_list: Sequence[Tensors],
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`batch` from several sources, one thread for each entry of `tensors_list`."""
    return maybe_batch_join(
        tensors_list,
        True,
        batch_size,
        capacity=capacity,
        enqueue_many=enqueue_many,
        shapes=shapes,
        dynamic_pad=dynamic_pad,
        allow_smaller_final_batch=allow_smaller_final_batch,
        shared_name=shared_name,
        name=name,
    )


def maybe_shuffle_batch(
    tensors: Tensors,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`shuffle_batch` of those elements for which `keep_input` holds."""

    def lists() -> list[list[Any]]:
        return [as_list(tensors)]

    _check_capacity(capacity, min_after_dequeue)
    values = _batches(
        (name, "shuffle_batch"),
        lists,
        _shuffled(capacity, min_after_dequeue, seed),
        _report_over(min_after_dequeue, capacity),
        *(batch_size, keep_input, num_threads, enqueue_many, shapes, allow_smaller_final_batch, shared_name),
    )
    return like(tensors, values)


def _check_capacity(capacity: int, least: int) -> None:
    if capacity <= least:
        raise ValueError(f"capacity {capacity} must be bigger than min_after_dequeue {least}.")


def shuffle_batch(
    tensors: Tensors,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """Batches of elements in a random order: a queue holds up to `capacity` of them, and at least `min_after_dequeue`."""
    return maybe_shuffle_batch(
        tensors,
        batch_size,
        capacity,
        min_after_dequeue,
        True,
        num_threads=num_threads,
        seed=seed,
        enqueue_many=enqueue_many,
        shapes=shapes,
        allow_smaller_final_batch=allow_smaller_final_batch,
        shared_name=shared_name,
        name=name,
    )


def maybe_shuffle_batch_join(
    tensors_list: Sequence[Tensors],
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`shuffle_batch_join` of those elements for which `keep_input` holds."""
    values = _batches(
        (name, "shuffle_batch_join"),
        lambda: _lists(tensors_list),
        _shuffled(capacity, min_after_dequeue, seed),
        _report_over(min_after_dequeue, capacity),
        *(batch_size, keep_input, 1, enqueue_many, shapes, allow_smaller_final_batch, shared_name),
    )
    return like(tensors_list[0], values)


def shuffle_batch_join(
    tensors_list: Sequence[Tensors],
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`shuffle_batch` from several sources, one thread for each entry of `tensors_list`."""
    return maybe_shuffle_batch_join(
        tensors_list,
        batch_size,
        capacity,
        min_after_dequeue,
        True,
        seed=seed,
        enqueue_many=enqueue_many,
        shapes=shapes,
        allow_smaller_final_batch=allow_smaller_final_batch,
        shared_name=shared_name,
        name=name,
    )
