"""Batches that keep only some of what comes: `tf.contrib.training.rejection_sample` and `stratified_sample`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import convert_n_to_tensor, to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.batching import batch, maybe_batch
from thalweg._src.ops.arrays.constants import zeros_like
from thalweg._src.ops.arrays.gathering import gather
from thalweg._src.ops.arrays.selecting import one_hot, where_v2
from thalweg._src.ops.arrays.shaping import expand_dims, shape, squeeze
from thalweg._src.ops.basic import identity, with_dependencies
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.numeric.arithmetic import truediv
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.numeric.compare import equal, less, logical_or, not_equal
from thalweg._src.ops.numeric.elementwise import is_nan
from thalweg._src.ops.numeric.reduce import reduce_all, reduce_max, reduce_sum
from thalweg._src.ops.reports.checks import (
    Assert,
    assert_equal,
    assert_integer,
    assert_less,
    assert_less_equal,
    assert_non_negative,
    assert_positive,
)
from thalweg._src.ops.reports.printing import Print
from thalweg._src.ops.stateful.variable_scope import variable_scope
from thalweg._src.ops.stateful.variables import Variable

TOLERANCE = 1e-6  # of sums of probabilities
SMOOTHING = 10  # how often each class counts as seen before anything came


def rejection_sample(
    tensors: Any,
    accept_prob_fn: Callable[[list[Tensor]], Any],
    batch_size: Any,
    queue_threads: int = 1,
    enqueue_many: bool = False,
    prebatch_capacity: int = 16,
    prebatch_threads: int = 1,
    runtime_checks: bool = False,
    name: str | None = None,
) -> list[Tensor]:
    """Batches of the examples that were accepted, each with the probability that `accept_prob_fn` gives of its tensors.

    With `enqueue_many` the tensors are batches, which a queue takes apart first. `runtime_checks` holds the probabilities to 0..1.
    """
    with variable_scope(name, "rejection_sample", tensors):
        examples = convert_n_to_tensor(tensors)
        if enqueue_many:
            for t in examples:
                t.shape.with_rank_at_least(1)[0].assert_is_compatible_with(examples[0].shape[0])
            examples = _one_by_one(examples, prebatch_threads, prebatch_capacity)
        probability = accept_prob_fn(examples)
        if runtime_checks:
            checks = [assert_less_equal(0.0, probability), assert_less_equal(probability, 1.0)]
            probability = identity(with_dependencies(checks, probability), name="prob_with_checks")
        accepted = maybe_batch(
            examples, keep_input=random_uniform([]) < probability, batch_size=batch_size, num_threads=queue_threads
        )
        return [accepted] if isinstance(accepted, Tensor) else accepted


def stratified_sample(
    tensors: Any,
    labels: Any,
    target_probs: Any,
    batch_size: Any,
    init_probs: Any = None,
    enqueue_many: bool = False,
    queue_capacity: int = 16,
    threads_per_queue: int = 1,
    name: str | None = None,
) -> tuple[list[Tensor], Tensor]:
    """(batches of `tensors`, batch of labels) in which classes have the proportions `target_probs`.

    `init_probs` are the proportions in the data, counted on the way where none are given. Raises ValueError for shapes that do not
    fit; a run raises InvalidArgumentError for labels that are no classes and for probabilities that don't sum to one.
    """
    with name_scope(name, "stratified_sample", [*tensors, labels]):
        examples = convert_n_to_tensor(tensors)
        labels = to_tensor(labels)
        target = to_tensor(target_probs, dtypes.float32)
        if not enqueue_many:
            examples, labels = [expand_dims(t, 0) for t in examples], expand_dims(labels, 0)
        if init_probs is None:
            target.shape.assert_is_fully_defined()
            found = _proportions(labels, target.shape.num_elements())
        else:
            found = to_tensor(init_probs, dtypes.float32)
        examples, labels, found, target = _checked(examples, labels, found, target)
        reachable = Assert(
            reduce_all(logical_or(not_equal(found, 0), equal(target, 0))),
            ["All classes with zero initial probability must also have zero target probability: ", found, target],
        )
        found = with_dependencies([reachable], found)
        accept = acceptance(found, target)
        rejected = reduce_sum((1 - accept) * found)
        accept = cond(
            less(rejected, 0.5),
            lambda: accept,
            lambda: Print(accept, [accept], message="Proportion of examples rejected by sampler is high.", first_n=10),
        )
        *values, label = _one_by_one([*examples, labels], threads_per_queue, queue_capacity)
        batched = maybe_batch(
            [*values, label],
            keep_input=random_uniform([]) < gather(accept, label),
            batch_size=batch_size,
            num_threads=threads_per_queue,
        )
        return batched[:-1], batched[-1]


def _one_by_one(tensors: list[Tensor], threads: int, capacity: int) -> list[Tensor]:
    """The rows of batches, one at a time, from a queue."""
    rows = batch(tensors, batch_size=1, num_threads=threads, capacity=capacity, enqueue_many=True)
    return [squeeze(t, [0]) for t in (rows if isinstance(rows, list) else [rows])]


def _proportions(labels: Tensor, classes: int) -> Tensor:
    """The share of each class among the labels so far."""
    counts = Variable([SMOOTHING] * classes, trainable=False, name="class_count", dtype=dtypes.int64)
    seen = counts.assign_add(reduce_sum(one_hot(labels, classes, dtype=dtypes.int64), 0))
    seen = identity(seen)  # a value, which other threads' steps leave alone
    return cast(truediv(seen, reduce_sum(seen)), dtypes.float32)


def _checked(
    examples: list[Tensor], labels: Tensor, found: Tensor, target: Tensor
) -> tuple[list[Tensor], Tensor, Tensor, Tensor]:
    """The arguments, with what holds them to their shapes and ranges."""
    probabilities = []
    for p in (found, target):
        p.shape.assert_is_fully_defined()
        p.shape.assert_has_rank(1)
        total = reduce_sum(p)
        checks = [assert_non_negative(p), assert_less(total, 1.0 + TOLERANCE), assert_less(1.0 - TOLERANCE, total)]
        probabilities.append(with_dependencies(checks, p))
    classes = found.shape.num_elements()
    if target.shape.num_elements() != classes:
        raise ValueError("Probability parameters must have the same length.")
    labels.shape.assert_has_rank(1)
    for t in examples:
        t.shape.with_rank_at_least(1)[0].assert_is_compatible_with(labels.shape[0])
    size = shape(labels)[0]
    some = assert_positive(size)
    labels = with_dependencies([some], labels)
    examples = [with_dependencies([some, assert_equal(shape(t)[0], size)], t) for t in examples]
    known = [assert_integer(labels), assert_non_negative(labels), assert_less(labels, cast(classes, labels.dtype))]
    return examples, with_dependencies(known, labels), *probabilities


def acceptance(found: Tensor, target: Tensor) -> Tensor:
    """How likely an example of each class must be kept, so that classes found so often come out as often as in `target`.

    Kept examples have class i in proportion to found_i * accept_i, so accept_i is target_i / found_i up to a factor; the greatest
    factor for which all are probabilities rejects least.
    """
    ratio = target / found
    ratio = where_v2(is_nan(ratio), zeros_like(ratio), ratio)
    return ratio / reduce_max(ratio)
