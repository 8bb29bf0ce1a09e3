"""Batches of the records of files, by queues: as strings, or as parsed features."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, errors, scopes
from thalweg._src.core.graph import Tensor
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib import batching
from thalweg._src.lib.io import file_io
from thalweg._src.lib.producers import string_input_producer
from thalweg._src.lib.queue_runner import QueueRunner, add_queue_runner
from thalweg._src.lib.summary import summary
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.io.parsing import parse_example
from thalweg._src.ops.io.reader_api import TFRecordReader
from thalweg._src.ops.late import array, math
from thalweg._src.ops.queueing.queue_api import FIFOQueue
from thalweg._src.ops.stateful.variables import Variable

KEY_FEATURE_NAME = "__key__"


def _file_names(pattern: Any, in_order: bool) -> list[str]:
    if isinstance(pattern, list) and not pattern:
        raise ValueError("No files given to dequeue_examples.")
    found = file_io.get_matching_files(pattern)
    if not found:
        raise ValueError(f"No files match {pattern}.")
    return sorted(found) if in_order else found


def _check(queue_capacity: Any, batch_size: Any, read_batch_size: Any, num_threads: Any, num_epochs: Any) -> None:
    if not queue_capacity or queue_capacity <= 0:
        raise ValueError(f"Invalid queue_capacity {queue_capacity}.")
    if batch_size is None or (not isinstance(batch_size, Tensor) and not 0 < batch_size < queue_capacity):
        raise ValueError(f"Invalid batch_size {batch_size}, with queue_capacity {queue_capacity}.")
    if read_batch_size is None or (not isinstance(read_batch_size, Tensor) and read_batch_size <= 0):
        raise ValueError(f"Invalid read_batch_size {read_batch_size}.")
    if not num_threads or num_threads <= 0:
        raise ValueError(f"Invalid num_threads {num_threads}.")
    if num_epochs is not None and num_epochs <= 0:
        raise ValueError(f"Invalid num_epochs {num_epochs}.")


def _read(queue: Any, reader: Any, read_batch_size: int, parse_fn: Any) -> Any:
    """What one reader gives: (keys, records), or a dict of parsed features with the keys among them."""
    many = read_batch_size > 1
    keys, records = reader().read_up_to(queue, read_batch_size) if many else reader().read(queue)
    if not parse_fn:
        return keys, records
    parsed = parse_fn(records)
    if not isinstance(parsed, dict):
        return keys, parsed
    return {**parsed, KEY_FEATURE_NAME: keys}


def _shared_names(names: list[str], shuffle: bool, num_epochs: int | None, seed: int | None) -> FIFOQueue:
    """A queue of file names that workers share, because the variable that counts them is shared."""
    if shuffle:
        names = random.Random(seed).sample(names, len(names))
    counter = Variable(constant(0, dtypes.int64), name="obtain_next_counter", trainable=False)
    limit = np.iinfo(np.int64).max if num_epochs is None else len(names) * num_epochs
    place = math.floormod(counter.count_up_to(limit), len(names))
    queue = FIFOQueue(capacity=1, dtypes=[dtypes.string], shapes=[[]])
    add_queue_runner(QueueRunner(queue, [queue.enqueue(array.gather(constant(names), place))]))
    return queue


def _batches(
    file_pattern: Any,
    batch_size: Any,
    reader: Any,
    randomize_input: bool,
    num_epochs: int | None,
    queue_capacity: int,
    num_threads: int,
    read_batch_size: int,
    parse_fn: Any,
    name: str | None,
    seed: int | None,
    *,
    shared: bool,
) -> Any:
    names = _file_names(file_pattern, not randomize_input)
    _check(queue_capacity, batch_size, read_batch_size, num_threads, num_epochs)
    with scopes.name_scope(name, "read_batch_examples", [file_pattern]) as scope:
        with scopes.name_scope("file_name_queue") as queue_scope:
            if shared:
                queue = _shared_names(names, randomize_input, num_epochs, seed)
            else:
                inputs = constant(names, name="input")
                queue = string_input_producer(
                    inputs, shuffle=randomize_input, num_epochs=num_epochs, name=queue_scope, seed=seed
                )
        with scopes.name_scope("read"):
            examples = [_read(queue, reader, read_batch_size, parse_fn) for _ in range(num_threads)]
        how = {
            "capacity": queue_capacity,
            "enqueue_many": read_batch_size > 1,
            "name": scope,
            "allow_smaller_final_batch": num_epochs is not None,
        }
        if randomize_input:
            if isinstance(batch_size, Tensor):
                least = int(queue_capacity * 0.4)
            else:
                least = max(queue_capacity - 3 * batch_size, batch_size)
            batch = batching.shuffle_batch_join(examples, batch_size, min_after_dequeue=least, seed=seed, **how)
        else:
            batch = batching.batch_join(examples, batch_size, **how)
        if isinstance(batch, dict):
            return batch.pop(KEY_FEATURE_NAME), batch
        return batch


def read_keyed_batch_examples(
    file_pattern: Any,
    batch_size: Any,
    reader: Any,
    randomize_input: bool = True,
    num_epochs: int | None = None,
    queue_capacity: int = 10000,
    num_threads: int = 1,
    read_batch_size: int = 1,
    parse_fn: Any = None,
    name: str | None = None,
    seed: int | None = None,
) -> Any:
    """(keys, records), a batch of what `reader` reads in files, in random order with `randomize_input`.

    The last batch may be smaller where `num_epochs` is given. Raises ValueError for files that are not there and for
    sizes that are not above zero.
    """
    return _batches(
        *(file_pattern, batch_size, reader, randomize_input, num_epochs, queue_capacity, num_threads),
        *(read_batch_size, parse_fn, name, seed),
        shared=False,
    )


def read_keyed_batch_examples_shared_queue(
    file_pattern: Any,
    batch_size: Any,
    reader: Any,
    randomize_input: bool = True,
    num_epochs: int | None = None,
    queue_capacity: int = 10000,
    num_threads: int = 1,
    read_batch_size: int = 1,
    parse_fn: Any = None,
    name: str | None = None,
    seed: int | None = None,
) -> Any:
    """`read_keyed_batch_examples` where workers of a cluster share the files: each file is read by one of them."""
    return _batches(
        *(file_pattern, batch_size, reader, randomize_input, num_epochs, queue_capacity, num_threads),
        *(read_batch_size, parse_fn, name, seed),
        shared=True,
    )


def read_batch_examples(file_pattern: Any, batch_size: Any, reader: Any, *args: Any, **how: Any) -> Any:
    """`read_keyed_batch_examples` without the keys."""
    return read_keyed_batch_examples(file_pattern, batch_size, reader, *args, **how)[1]


def queue_parsed_features(
    parsed_features: dict[str, Any],
    keys: Any = None,
    feature_queue_capacity: int = 100,
    num_enqueue_threads: int = 2,
    name: str | None = None,
) -> tuple[Any, dict[str, Any]]:
    """(keys, features): the same tensors, dense and sparse, from a queue that threads fill."""
    given = [*parsed_features.values(), *([] if keys is None else [keys])]
    with scopes.name_scope(name, "queue_parsed_features", given):
        tensors: list[Any] = []
        for _, feature in sorted(parsed_features.items()):
            sparse = isinstance(feature, SparseTensor)
            tensors += [feature.indices, feature.values, feature.dense_shape] if sparse else [feature]
        if keys is not None:
            tensors.append(keys)
        queue = FIFOQueue(feature_queue_capacity, [t.dtype for t in tensors])
        full = math.cast(queue.size(), dtypes.float32) * (1.0 / feature_queue_capacity)
        summary.scalar(f"queue/parsed_features/{queue.name}/fraction_of_{feature_queue_capacity}_full", full)
        fill = [queue.enqueue(tensors) for _ in range(num_enqueue_threads)]
        over = (errors.OutOfRangeError, errors.CancelledError)
        add_queue_runner(QueueRunner(queue, fill, queue_closed_exception_types=over))
        taken = queue.dequeue()
        taken = list(taken) if isinstance(taken, list | tuple) else [taken]
        for out, tensor in zip(taken, tensors, strict=True):
            out.set_shape(tensor.get_shape())
        last = taken.pop() if keys is not None else None
        features, rest = {}, iter(taken)
        for key, feature in sorted(parsed_features.items()):
            sparse = isinstance(feature, SparseTensor)
            features[key] = SparseTensor(next(rest), next(rest), next(rest)) if sparse else next(rest)
        return last, features


def read_keyed_batch_features(
    file_pattern: Any,
    batch_size: Any,
    features: Any,
    reader: Any,
    randomize_input: bool = True,
    num_epochs: int | None = None,
    queue_capacity: int = 10000,
    reader_num_threads: int = 1,
    feature_queue_capacity: int = 100,
    num_enqueue_threads: int = 2,
    parse_fn: Any = None,
    name: str | None = None,
    read_batch_size: int | None = None,
) -> tuple[Any, dict[str, Any]]:
    """(keys, features): batches of records that are Examples, parsed by the specification `features`."""
    with scopes.name_scope(name, "read_batch_features", [file_pattern]) as scope:
        keys, examples = read_keyed_batch_examples(
            *(file_pattern, batch_size, reader, randomize_input, num_epochs, queue_capacity, reader_num_threads),
            *(batch_size if read_batch_size is None else read_batch_size, parse_fn, scope),
        )
        parsed = parse_example(examples, features)
        return queue_parsed_features(parsed, keys, feature_queue_capacity, num_enqueue_threads, scope)


def read_keyed_batch_features_shared_queue(
    file_pattern: Any,
    batch_size: Any,
    features: Any,
    reader: Any,
    randomize_input: bool = True,
    num_epochs: int | None = None,
    queue_capacity: int = 10000,
    reader_num_threads: int = 1,
    feature_queue_capacity: int = 100,
    num_queue_runners: int = 2,
    parse_fn: Any = None,
    name: str | None = None,
) -> tuple[Any, dict[str, Any]]:
    """`read_keyed_batch_features` where workers of a cluster share the files."""
    with scopes.name_scope(name, "read_batch_features", [file_pattern]) as scope:
        keys, examples = read_keyed_batch_examples_shared_queue(
            *(file_pattern, batch_size, reader, randomize_input, num_epochs, queue_capacity, reader_num_threads),
            *(batch_size, parse_fn, scope),
        )
        parsed = parse_example(examples, features)
        return queue_parsed_features(parsed, keys, feature_queue_capacity, num_queue_runners, scope)


def read_batch_features(
    file_pattern: Any,
    batch_size: Any,
    features: Any,
    reader: Any,
    randomize_input: bool = True,
    num_epochs: int | None = None,
    queue_capacity: int = 10000,
    feature_queue_capacity: int = 100,
    reader_num_threads: int = 1,
    num_enqueue_threads: int = 2,
    parse_fn: Any = None,
    name: str | None = None,
    read_batch_size: int | None = None,
) -> dict[str, Any]:
    """`read_keyed_batch_features` without the keys."""
    return read_keyed_batch_features(
        *(file_pattern, batch_size, features, reader, randomize_input, num_epochs, queue_capacity),
        *(reader_num_threads, feature_queue_capacity, num_enqueue_threads, parse_fn, name, read_batch_size),
    )[1]


def read_batch_record_features(
    file_pattern: Any,
    batch_size: Any,
    features: Any,
    randomize_input: bool = True,
    num_epochs: int | None = None,
    queue_capacity: int = 10000,
    reader_num_threads: int = 1,
    name: str | None = "dequeue_record_examples",
) -> dict[str, Any]:
    """`read_batch_features` of TFRecord files."""
    return read_batch_features(
        file_pattern,
        batch_size,
        features,
        TFRecordReader,
        randomize_input=randomize_input,
        num_epochs=num_epochs,
        queue_capacity=queue_capacity,
        reader_num_threads=reader_num_threads,
        name=name,
    )
