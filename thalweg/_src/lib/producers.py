"""Queues that a program's inputs come from: file names, ranges, slices of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.convert import convert_n_to_tensor, to_tensor
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.queue_runner import QueueRunner, add_queue_runner
from thalweg._src.lib.summary import summary
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.arrays.gathering import gather
from thalweg._src.ops.arrays.ranges import range as range_op
from thalweg._src.ops.arrays.shaping import shape, size
from thalweg._src.ops.basic import control_dependencies, identity
from thalweg._src.ops.chance.random import random_shuffle
from thalweg._src.ops.io.files import matching_files
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.numeric.compare import greater
from thalweg._src.ops.queueing.queue_api import FIFOQueue
from thalweg._src.ops.reports.checks import Assert
from thalweg._src.ops.stateful.variable_lists import ONCE_GLOBAL
from thalweg._src.ops.stateful.variables import Variable


def match_filenames_once(pattern: Any, name: str | None = None) -> Any:
    """A local variable with the names of the files that match `pattern`, found when it is initialized."""
    with name_scope(name, "matching_filenames", [pattern]) as name:
        found = Variable(
            name=name,
            initial_value=matching_files(pattern),
            trainable=False,
            validate_shape=False,
            collections=[GraphKeys.LOCAL_VARIABLES],
        )
        ONCE_GLOBAL.add(found)
        return found


def limit_epochs(tensor: Any, num_epochs: int | None = None, name: str | None = None) -> Any:
    """`tensor`, which can be had `num_epochs` times; then OutOfRangeError. The local variable `epochs` counts."""
    if num_epochs is None:
        return tensor
    if num_epochs <= 0:
        raise ValueError(f"num_epochs must be > 0 not {num_epochs}.")
    with name_scope(name, "limit_epochs", [tensor]) as name:
        zero = constant(0, dtype=dtypes.int64)
        epochs = Variable(zero, name="epochs", trainable=False, collections=[GraphKeys.LOCAL_VARIABLES])
        counter = epochs.count_up_to(num_epochs)
        with control_dependencies([counter]):
            return identity(tensor, name=name)


def input_producer(
    input_tensor: Any,
    element_shape: Any = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    summary_name: str | None = None,
    name: str | None = None,
    cancel_op: Operation | None = None,
) -> FIFOQueue:
    """A queue of the rows of `input_tensor`, filled again and again or `num_epochs` times, each time in another order with `shuffle`.

    A queue runner fills it; `num_epochs` needs `tf.local_variables_initializer()`. Raises ValueError where the shape of a row is not known.
    """
    with name_scope(name, "input_producer", [input_tensor]):
        input_tensor = to_tensor(input_tensor, name="input_tensor")
        element_shape = input_tensor.shape[1:].merge_with(element_shape)
        if not element_shape.is_fully_defined():
            raise ValueError(
                "Either `input_tensor` must have a fully defined shape or `element_shape` must be specified"
            )
        if shuffle:
            input_tensor = random_shuffle(input_tensor, seed=seed)
        input_tensor = limit_epochs(input_tensor, num_epochs)
        queue = FIFOQueue(
            capacity=capacity,
            dtypes=[input_tensor.dtype.base_dtype],
            shapes=[element_shape],
            shared_name=shared_name,
            name=name,  # type: ignore[arg-type]
        )
        enqueue = queue.enqueue_many([input_tensor])
        add_queue_runner(QueueRunner(queue, [enqueue], cancel_op=cancel_op))
        if summary_name is not None:
            summary.scalar(summary_name, cast(queue.size(), dtypes.float32) * (1.0 / capacity))
        return queue


def string_input_producer(
    string_tensor: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
    cancel_op: Operation | None = None,
) -> FIFOQueue:
    """A queue of strings, file names as a rule for a reader. Raises ValueError for an empty list."""
    null = "string_input_producer requires a non-null input tensor"
    if isinstance(string_tensor, list | tuple | np.ndarray) and not len(string_tensor):
        raise ValueError(null)
    with name_scope(name, "input_producer", [string_tensor]) as name:
        string_tensor = to_tensor(string_tensor, dtypes.string)
        with control_dependencies([Assert(greater(size(string_tensor), 0), [null])]):
            string_tensor = identity(string_tensor)
        return input_producer(
            input_tensor=string_tensor,
            element_shape=[],
            num_epochs=num_epochs,
            shuffle=shuffle,
            seed=seed,
            capacity=capacity,
            shared_name=shared_name,
            name=name,
            summary_name=f"fraction_of_{capacity}_full",
            cancel_op=cancel_op,
        )


def range_input_producer(
    limit: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> FIFOQueue:
    """A queue of the integers below `limit`."""
    with name_scope(name, "input_producer", [limit]) as name:
        numbers = range_op(limit)
        return input_producer(
            numbers, [], num_epochs, shuffle, seed, capacity, shared_name, f"fraction_of_{capacity}_full", name
        )


def slice_input_producer(
    tensor_list: Sequence[Any],
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> list[Tensor]:
    """One row of each tensor, the same row of all; they must have as many rows. A queue decides which."""
    with name_scope(name, "input_producer", list(tensor_list)):
        tensors = convert_n_to_tensor(tensor_list)
        if not tensors:
            raise ValueError("Expected at least one tensor in slice_input_producer().")
        count = shape(tensors[0])[0]
        queue = range_input_producer(
            count, num_epochs=num_epochs, shuffle=shuffle, seed=seed, capacity=capacity, shared_name=shared_name
        )
        index = queue.dequeue()
        return [gather(t, index) for t in tensors]
