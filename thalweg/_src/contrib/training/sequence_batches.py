"""Batches of segments of sequences that come one at a time, by queue runners: `tf.contrib.training.batch_sequences_with_states`."""

from __future__ import annotations

import numbers
from typing import Any

from thalweg._src.contrib.training.sequence_states import (
    NextQueuedSequenceBatch,
    SequenceQueueingStateSaver,
    multiple_of,
)
from thalweg._src.core import dtypes, errors
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import SparseTensor, is_sparse, to_sparse_tensor
from thalweg._src.lib.queue_runner import QueueRunner, add_queue_runner
from thalweg._src.lib.summary import summary
from thalweg._src.ops.arrays.constants import constant, fill
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.padding import tile
from thalweg._src.ops.arrays.ranges import range as tf_range
from thalweg._src.ops.arrays.shaping import expand_dims, reshape, shape
from thalweg._src.ops.basic import with_dependencies
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.numeric.arithmetic import floordiv, mod
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.numeric.compare import equal
from thalweg._src.ops.numeric.reduce import reduce_max
from thalweg._src.ops.reports.checks import Assert
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_reshape
from thalweg._src.ops.sparse_tensors.sparse_serial import (
    add_many_sparse_to_tensors_map,
    take_many_sparse_from_tensors_map,
)
from thalweg._src.ops.text.string_numbers import as_string
from thalweg._src.ops.text.strings import string_join

MOVED = "_context_in_seq_"  # begins the names of sparse context tensors while they travel as sequences


def batch_sequences_with_states(
    input_key: Any,
    input_sequences: dict[str, Any],
    input_context: dict[str, Any],
    input_length: Any,
    initial_states: dict[str, Any],
    num_unroll: int,
    batch_size: Any,
    num_threads: int = 3,
    capacity: int = 1000,
    allow_small_batch: bool = True,
    pad: bool = True,
    make_keys_unique: bool = False,
    make_keys_unique_seed: int | None = None,
    name: str | None = None,
) -> NextQueuedSequenceBatch:
    """Batches of segments, `num_unroll` steps each, of the sequences that come one at a time, filled by queue runners.

    `input_sequences` are tensors or sparse tensors of [steps, ...]; with `pad` they are filled up to whole segments, and `input_length`
    may be None. Keys must be unique: `make_keys_unique` appends random digits. Raises TypeError and ValueError for what does not fit.
    """
    given = [*input_sequences.values(), *input_context.values(), *initial_states.values()]
    with name_scope(name, "batch_sequences_with_states", [t for t in given if not is_sparse(t)]):
        if pad:
            length, sequences = padded(input_sequences, num_unroll)
            input_length = length if input_length is None else input_length
        else:
            sequences = {k: _whole_segments(k, v, num_unroll) for k, v in input_sequences.items()}
        sparse_context = {k: v for k, v in input_context.items() if is_sparse(v)}
        context = {k: v for k, v in input_context.items() if k not in sparse_context}
        steps = _steps(sequences)
        for k in sorted(sparse_context):
            sequences[MOVED + k] = _at_each_segment(to_sparse_tensor(sparse_context[k]), steps, num_unroll)
        maps = {}
        for k in sorted(k for k, v in sequences.items() if is_sparse(v)):
            sequences[k] = add_many_sparse_to_tensors_map(to_sparse_tensor(sequences[k]))
            maps[k] = sequences[k].op
        if make_keys_unique:
            number = random_uniform((), minval=0, maxval=100000000, dtype=dtypes.int32, seed=make_keys_unique_seed)
            input_key = string_join([input_key, as_string(number)])
        saver = SequenceQueueingStateSaver(
            batch_size,
            num_unroll,
            input_length=input_length,
            input_key=input_key,
            input_sequences=sequences,
            input_context=context,
            initial_states=initial_states,
            capacity=capacity,
            allow_small_batch=allow_small_batch,
        )
        ready = cast(saver.barrier.ready_size(), dtypes.float32)
        summary.scalar(f"queue/{saver.barrier.name}/ready_segment_batches_", ready)
        ends = (errors.OutOfRangeError, errors.CancelledError)
        add_queue_runner(QueueRunner(saver, [saver.prefetch_op] * num_threads, queue_closed_exception_types=ends))
        batch = saver.next_batch
        for k, op in maps.items():
            batch.sequences[k] = _restored(op, batch.sequences[k], batch_size, num_unroll)
        for k in [k for k in sorted(batch.sequences) if k.startswith(MOVED)]:
            batch.context[k[len(MOVED) :]] = _without_time(batch.sequences.pop(k))
        return batch


def padded(sequences: Any, num_unroll: Any) -> tuple[Any, dict[str, Any]]:
    """(steps, sequences filled up to a multiple of `num_unroll` with zeros or empty strings).

    Raises ValueError for a `num_unroll` that is no integer, TypeError for what is no dict of names; in a run, InvalidArgumentError
    where the sequences differ in length.
    """
    if not isinstance(num_unroll, numbers.Integral):
        raise ValueError(f"Unsupported num_unroll expected int, got: {num_unroll}")
    if not isinstance(sequences, dict):
        raise TypeError(f"Unsupported sequences expected dict, got: {sequences}")
    for key in sequences:
        if not isinstance(key, str):
            raise TypeError(f"Unsupported sequences key expected string, got: {key}")
    if not sequences:
        return 0, {}
    given = {k: to_sparse_tensor(v) if is_sparse(v) else to_tensor(v) for k, v in sorted(sequences.items())}
    lengths = [shape(v)[0] for v in given.values() if isinstance(v, Tensor)]
    if lengths:
        message = string_join(["All sequence lengths must match, but received lengths: ", as_string(lengths)])
        length = with_dependencies([Assert(equal(n, lengths[0]), [message]) for n in lengths], lengths[0])
    else:
        length = reduce_max(cast([v.dense_shape[0] for v in given.values()], dtypes.int32))
    unroll = constant(num_unroll)
    steps = length + mod(unroll - mod(length, unroll), unroll)
    return length, {k: _filled(v, steps) for k, v in given.items()}


def _filled(value: Any, steps: Tensor) -> Any:
    if isinstance(value, SparseTensor):
        dims = concat([[cast(steps, dtypes.int64)], value.dense_shape[1:]], 0)
        return SparseTensor(value.indices, value.values, dims)
    missing = concat([[steps - shape(value)[0]], shape(value)[1:]], 0)
    nothing = constant("" if value.dtype == dtypes.string else 0, dtype=value.dtype)
    return concat([value, fill(missing, nothing)], 0)


def _whole_segments(key: str, value: Any, num_unroll: int) -> Any:
    """`value`, in runs in which its steps are whole segments."""
    if is_sparse(value):
        value = to_sparse_tensor(value)
        steps = value.dense_shape[0]
        what = f"SparseTensor {key} first dimension"
        return SparseTensor(
            *(multiple_of(part, steps, num_unroll, what) for part in (value.indices, value.values, value.dense_shape))
        )
    try:
        value = to_tensor(value)
    except TypeError:
        raise TypeError(
            f"Unsupported input_sequences expected Tensor or SparseTensor values, got: {type(value)} for key {key}"
        ) from None
    return multiple_of(value, shape(value)[0], num_unroll, f"Tensor {key} first dimension")


def _steps(sequences: dict[str, Any]) -> Tensor:
    if not sequences:
        return constant(1, dtypes.int64)
    first = next(iter(sequences.values()))
    return first.dense_shape[0] if is_sparse(first) else cast(shape(first)[0], dtypes.int64)


def _at_each_segment(value: SparseTensor, steps: Tensor, num_unroll: int) -> SparseTensor:
    """A sparse tensor as a sequence that has it at the first step of each segment: [...] -> [steps, ...]."""
    count = cast(floordiv(steps, num_unroll), dtypes.int32)
    entries, axes = shape(value.indices)[0], shape(value.indices)[1]
    begins = reshape(tf_range(0, steps, num_unroll), [-1, 1, 1])
    indices = concat(
        [tile(begins, [1, entries, 1]), tile(expand_dims(value.indices, 0), [count, 1, 1])],
        2,
    )
    return SparseTensor(
        reshape(indices, [entries * count, axes + 1]),
        tile(value.values, [count]),
        concat([[steps], value.dense_shape], 0),
    )


def _restored(store: Any, handles: Tensor, batch_size: Any, num_unroll: int) -> SparseTensor:
    """The sparse segments behind [batch, num_unroll] numbers: [batch, num_unroll, ...]."""
    flat = take_many_sparse_from_tensors_map(store, reshape(handles, [-1]), rank=None)
    unroll = constant(num_unroll, dtypes.int64)
    row = flat.indices[:, 0]
    place = [expand_dims(floordiv(row, unroll), 1), expand_dims(mod(row, unroll), 1)]
    return SparseTensor(
        concat([*place, flat.indices[:, 1:]], 1),
        flat.values,
        concat([[cast(batch_size, dtypes.int64)], [unroll], flat.dense_shape[1:]], 0),
    )


def _without_time(value: SparseTensor) -> SparseTensor:
    """What `_at_each_segment` made of a sparse tensor, taken back from a segment: [batch, num_unroll, ...] -> [batch, ...]."""
    batch, rest = value.dense_shape[:1], value.dense_shape[2:]
    first_step = SparseTensor(value.indices, value.values, concat([batch, [1], rest], 0))
    return sparse_reshape(first_step, concat([batch, rest], 0))
