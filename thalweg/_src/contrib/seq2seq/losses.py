"""The loss of sequences that are tensors."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import scopes
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import softmax


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    sum_over_timesteps: bool = False,
    sum_over_batch: bool = False,
    softmax_loss_function: Any = None,
    name: str | None = None,
) -> Any:
    """The weighted cross-entropy of `logits` [batch, time, classes] for class ids `targets` [batch, time].

    Averages divide by the weights; `sum_over_…` by the number of weights that are not zero. What is neither averaged nor summed keeps its
    axis. Raises ValueError for other ranks, or an average and a sum over the same axis.
    """
    if len(logits.get_shape()) != 3:
        raise ValueError("Logits must be a [batch_size x sequence_length x logits] tensor")
    if len(targets.get_shape()) != 2:
        raise ValueError("Targets must be a [batch_size x sequence_length] tensor")
    if len(weights.get_shape()) != 2:
        raise ValueError("Weights must be a [batch_size x sequence_length] tensor")
    if average_across_timesteps and sum_over_timesteps:
        raise ValueError("average_across_timesteps and sum_over_timesteps cannot be set to True at same time.")
    if average_across_batch and sum_over_batch:
        raise ValueError("average_across_batch and sum_over_batch cannot be set to True at same time.")
    with scopes.name_scope(name, "sequence_loss", [logits, targets, weights]):
        classes = array.shape(logits)[2]
        flat = array.reshape(logits, [-1, classes])
        labels = array.reshape(targets, [-1])
        loss = softmax_loss_function or softmax.sparse_softmax_cross_entropy_with_logits
        cost = loss(labels=labels, logits=flat)
        cost *= array.reshape(weights, [-1])
        if average_across_timesteps and average_across_batch:
            return math.div_no_nan(math.reduce_sum(cost), math.reduce_sum(weights))
        if sum_over_timesteps and sum_over_batch:
            cost = math.reduce_sum(cost)
            return math.div_no_nan(cost, math.cast(math.count_nonzero(weights), cost.dtype))
        cost = array.reshape(cost, array.shape(logits)[0:2])
        if average_across_timesteps or average_across_batch:
            axis = [0] if average_across_batch else [1]
            return math.div_no_nan(math.reduce_sum(cost, axis=axis), math.reduce_sum(weights, axis=axis))
        if sum_over_timesteps or sum_over_batch:
            axis = [0] if sum_over_batch else [1]
            cost = math.reduce_sum(cost, axis=axis)
            return math.div_no_nan(cost, math.cast(math.count_nonzero(weights, axis=axis), cost.dtype))
        return cost
