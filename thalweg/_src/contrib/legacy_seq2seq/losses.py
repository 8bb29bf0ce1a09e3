"""Losses of sequences that are lists with one tensor for each step, and models unrolled to several lengths."""

from __future__ import annotations

import inspect
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import softmax
from thalweg._src.ops.stateful import variable_scope


def sequence_loss_by_example(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    softmax_loss_function: Any = None,
    name: str | None = None,
) -> Any:
    """The weighted cross-entropy of each row of the batch, over all steps: [batch].

    `logits`: a list of [batch, classes]; `targets`: of [batch] class ids; `weights`: of [batch] floats. `softmax_loss_function(labels,
    logits)` replaces the full softmax (one with two other names is called by position: as in 1.0 where the first is `labels`, else
    logits first, as in 0.x). Raises ValueError for lists of different lengths.
    """
    if len(targets) != len(logits) or len(weights) != len(logits):
        raise ValueError(
            f"Lengths of logits, weights, and targets must be the same {len(logits)}, {len(weights)}, {len(targets)}."
        )
    with scopes.name_scope(name, "sequence_loss_by_example", [*logits, *targets, *weights]):
        costs = []
        for logit, target, weight in zip(logits, targets, weights, strict=True):
            if softmax_loss_function is None:
                target = array.reshape(target, [-1])
                cost = softmax.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logit)
            else:
                cost = _custom(softmax_loss_function, target, logit)
            costs.append(cost * weight)
        total = math.add_n(costs)
        if average_across_timesteps:
            # The small number keeps rows without any weight from a division by zero.
            total /= math.add_n(weights) + 1e-12
    return total


def _custom(function: Any, target: Any, logit: Any) -> Any:
    signature = inspect.signature(function)
    try:
        signature.bind(labels=target, logits=logit)
    except TypeError:
        return function(target, logit) if next(iter(signature.parameters), "") == "labels" else function(logit, target)
    return function(labels=target, logits=logit)


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Any = None,
    name: str | None = None,
) -> Any:
    """The sum of `sequence_loss_by_example`, divided by the size of the batch unless `average_across_batch` is off."""
    with scopes.name_scope(name, "sequence_loss", [*logits, *targets, *weights]):
        by_example = sequence_loss_by_example(
            logits,
            targets,
            weights,
            average_across_timesteps=average_across_timesteps,
            softmax_loss_function=softmax_loss_function,
        )
        cost = math.reduce_sum(by_example)
        return cost / math.cast(array.shape(targets[0])[0], cost.dtype) if average_across_batch else cost


def model_with_buckets(
    encoder_inputs: Any,
    decoder_inputs: Any,
    targets: Any,
    weights: Any,
    buckets: Any,
    seq2seq: Any,
    softmax_loss_function: Any = None,
    per_example_loss: bool = False,
    name: str | None = None,
) -> Any:
    """(outputs, losses) of `seq2seq(encoder inputs, decoder inputs)` for each bucket (input length, output length); variables are shared.

    Raises ValueError for lists shorter than the last bucket.
    """
    for what, given, need in (
        ("encoder_inputs", encoder_inputs, buckets[-1][0]),
        ("targets", targets, buckets[-1][1]),
        ("weights", weights, buckets[-1][1]),
    ):
        if len(given) < need:
            raise ValueError(f"Length of {what} ({len(given)}) must be at least that of last bucket ({need}).")
    loss = sequence_loss_by_example if per_example_loss else sequence_loss
    outputs, losses = [], []
    with scopes.name_scope(name, "model_with_buckets", [*encoder_inputs, *decoder_inputs, *targets, *weights]):
        for j, (inner, outer) in enumerate(buckets):
            here = variable_scope.get_variable_scope()
            with variable_scope.variable_scope(here, reuse=True if j > 0 else None):
                out, _ = seq2seq(encoder_inputs[:inner], decoder_inputs[:outer])
                outputs.append(out)
                losses.append(loss(out, targets[:outer], weights[:outer], softmax_loss_function=softmax_loss_function))
    return outputs, losses
