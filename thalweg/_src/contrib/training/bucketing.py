"""Batches of elements of one kind or length: `tf.contrib.training.bucket` and `bucket_by_sequence_length`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, errors, infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib import batching, sparse_in_queues
from thalweg._src.lib.queue_runner import QueueRunner, add_queue_runner
from thalweg._src.lib.summary import summary
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.arrays.selecting import where_v2 as positions
from thalweg._src.ops.basic import group, no_op
from thalweg._src.ops.control.control_flow import cond, smart_cond
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.numeric.compare import equal, less, less_equal, logical_and
from thalweg._src.ops.numeric.reduce import reduce_min
from thalweg._src.ops.queueing.queue_api import FIFOQueue, PaddingFIFOQueue, QueueBase

_ENDS = (errors.OutOfRangeError, errors.CancelledError)


def _sizes(given: Any, count: int, message: str) -> list[Any]:
    if not isinstance(given, list | tuple):
        return [given] * count
    if len(given) != count:
        raise ValueError(message)
    return list(given)


def bucket(
    tensors: Any,
    which_bucket: Any,
    batch_size: Any,
    num_buckets: int,
    num_threads: int = 1,
    capacity: int = 32,
    bucket_capacities: Sequence[int] | None = None,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    keep_input: Any = True,
    shared_name: str | None = None,
    name: str | None = None,
) -> tuple[Tensor, Any]:
    """(bucket, batch): elements wait in the queue that `which_bucket` says; one that has `batch_size` of them gives the next batch.

    `batch_size` and `bucket_capacities` may differ from bucket to bucket; the rest is as in `tf.train.batch`.
    """
    one_size = not isinstance(batch_size, list | tuple)
    sizes = _sizes(batch_size, num_buckets, "If batch_size is a list it must have num_buckets elements")
    rooms = _sizes(
        capacity if bucket_capacities is None else list(bucket_capacities),
        num_buckets,
        f"The list bucket_capacities ({bucket_capacities}) must have exactly num_buckets ({num_buckets}) elements.",
    )
    listed = batching.as_list(tensors)
    with name_scope(name, "bucket", list(listed)) as name:
        given = [t if isinstance(t, SparseTensor) else to_tensor(t) for t in listed]
        if not given:
            raise ValueError("Expected at least one tensor in bucket().")
        keep = batching.checked_keep_input(keep_input, False)
        (stored,), sparse = sparse_in_queues.store_all([given], False, keep)
        for i, size in enumerate(sizes):
            size = to_tensor(size, dtypes.int32, name="batch_size")
            known = infer.constant_value(size)
            sizes[i] = size if known is None else int(known)
        types = batching.types_of([stored])
        shapes = batching.shapes_of([stored], shapes, False)
        which = to_tensor(which_bucket, dtypes.int32, name="which_bucket")
        kind = PaddingFIFOQueue if dynamic_pad else FIFOQueue
        queues = [
            kind(
                capacity=rooms[i],
                dtypes=types,
                shapes=shapes,
                shared_name=None if shared_name is None else f"{shared_name}_{i}",
                name=f"bucket_queue_{i}",
            )
            for i in range(num_buckets)
        ]
        static = sizes[0] if one_size and not allow_smaller_final_batch and isinstance(sizes[0], int) else None
        rows = [TensorShape([static]).concatenate(s) for s in queues[0].shapes]
        top = PaddingFIFOQueue(
            capacity=capacity,
            dtypes=[dtypes.int32, *types],
            shapes=[TensorShape([]), *rows],
            shared_name=shared_name,
            name="top_queue",
        )
        fill = [_enqueue_one(queues, stored, which, keep)] * num_threads
        move = [
            _move(q, top, i, size, allow_smaller_final_batch)
            for i, (q, size) in enumerate(zip(queues, sizes, strict=True))
        ]
        add_queue_runner(
            QueueRunner(
                queues[0],
                move,
                close_op=top.close(),
                cancel_op=top.close(cancel_pending_enqueues=True),
                queue_closed_exception_types=_ENDS,
            )
        )
        add_queue_runner(
            QueueRunner(
                top,
                fill,
                close_op=group(*[q.close() for q in queues]),
                cancel_op=group(*[q.close(cancel_pending_enqueues=True) for q in queues]),
                queue_closed_exception_types=_ENDS,
            )
        )
        for queue in queues:
            summary.scalar(f"bucket/{queue.name}/size", cast(top.size(), dtypes.float32))
        full = cast(top.size(), dtypes.float32) * (1.0 / capacity)
        summary.scalar(f"bucket/{top.name}/fraction_of_{capacity}_full", full)
        which_taken, *values = top.dequeue(name="dequeue_top")
        restored = sparse_in_queues.restore(values[0] if len(values) == 1 else values, sparse)
        return which_taken, batching.like(tensors, restored)


def _enqueue_one(queues: list[QueueBase], tensors: list[Tensor], which: Tensor, keep: Tensor) -> Operation:
    """The operation that puts an element into its bucket."""

    def put_where_it_belongs() -> Operation:
        puts = [
            cond(equal(which, i), functools.partial(queue.enqueue, tensors), no_op) for i, queue in enumerate(queues)
        ]
        return group(*puts, name="group_enqueues")

    return smart_cond(keep, put_where_it_belongs, no_op)


def _move(queue: QueueBase, top: QueueBase, i: int, size: Any, smaller: bool) -> Operation:
    """The operation that moves a batch from a bucket to the top."""
    values = (queue.dequeue_up_to if smaller else queue.dequeue_many)(size, name=f"read_bucket_{i}")
    values = list(values) if isinstance(values, list | tuple) else [values]
    return top.enqueue([constant(i), *values], name=f"enqueue_from_bucket_{i}")


def bucket_by_sequence_length(
    input_length: Any,
    tensors: Any,
    batch_size: Any,
    bucket_boundaries: Sequence[int],
    num_threads: int = 1,
    capacity: int = 32,
    bucket_capacities: Sequence[int] | None = None,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    keep_input: Any = True,
    shared_name: str | None = None,
    name: str | None = None,
) -> tuple[Tensor, Any]:
    """(lengths, batch) of elements of similar length: those between two of the `bucket_boundaries` share a bucket.

    Raises TypeError for boundaries that are no list of integers, ValueError where they don't increase.
    """
    listed = batching.as_list(tensors)
    if not isinstance(bucket_boundaries, list | tuple):
        raise TypeError(f"bucket_boundaries must be a list or tuple, but received: {bucket_boundaries}")
    if not bucket_boundaries:
        raise ValueError("bucket_boundaries must not be empty")
    for s, e in zip(bucket_boundaries, bucket_boundaries[1:], strict=False):
        if not isinstance(s, int) or not isinstance(e, int):
            raise TypeError(f"bucket boundaries must be integers, but saw: {s} and {e}")
        if s >= e:
            raise ValueError(f"Buckets must contain sequential increasing lengths, but saw: {s} before {e}")
    with name_scope(name, "bucket_by_sequence_length", [input_length, *listed]):
        length = to_tensor(input_length, dtypes.int32, name="input_length")
        low = [np.iinfo(np.int32).min, *bucket_boundaries]
        high = [*bucket_boundaries, np.iinfo(np.int32).max]
        inside = logical_and(less_equal(low, length), less(length, high))
        which = cast(reduce_min(positions(inside)), dtypes.int32)
        _, taken = bucket(
            tensors=[length, *listed],
            which_bucket=which,
            batch_size=batch_size,
            num_buckets=len(bucket_boundaries) + 1,
            num_threads=num_threads,
            capacity=capacity,
            bucket_capacities=bucket_capacities,
            shapes=None if shapes is None else [TensorShape([]), *shapes],
            dynamic_pad=dynamic_pad,
            allow_smaller_final_batch=allow_smaller_final_batch,
            keep_input=keep_input,
            shared_name=shared_name,
        )
        lengths, *values = taken
        if isinstance(tensors, dict) and len(tensors) == 1:
            return lengths, {next(iter(tensors)): values[0]}
        return lengths, batching.like(tensors, values)
