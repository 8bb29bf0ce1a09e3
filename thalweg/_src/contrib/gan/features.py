"""What helps GANs along: clipped weights, conditioned tensors, a pool of older samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.contrib.layers.dense import linear
from thalweg._src.contrib.layers.shapes import flatten
from thalweg._src.contrib.opt.wrappers import VariableClippingOptimizer
from thalweg._src.core.graph import Tensor
from thalweg._src.core.infer import constant_value
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib import nesting as nest
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.nets.embedding import embedding_lookup
from thalweg._src.ops.queueing.queue_api import RandomShuffleQueue
from thalweg._src.ops.stateful.variable_scope import get_variable


def clip_variables(optimizer: Optimizer, variables: Sequence[Any], weight_clip: float) -> Optimizer:
    """`optimizer`, which keeps each number of `variables` between -weight_clip and weight_clip. ValueError below 0."""
    if weight_clip < 0:
        raise ValueError(f"`discriminator_weight_clip` must be positive. Instead, was {weight_clip}")
    return VariableClippingOptimizer(
        opt=optimizer,
        vars_to_clip_dims={variable: [] for variable in variables},
        max_norm=weight_clip,
        use_locking=True,
        colocate_clip_ops_with_vars=True,
    )


def clip_discriminator_weights(optimizer: Optimizer, model: Any, weight_clip: float) -> Optimizer:
    """`clip_variables` of a model's discriminator (arXiv 1701.07875)."""
    return clip_variables(optimizer, model.discriminator_variables, weight_clip)


def condition_tensor(tensor: Tensor, conditioning: Tensor) -> Tensor:
    """`tensor` plus a linear map of `conditioning`, example by example (arXiv 1609.03499).

    Raises ValueError where the sizes of an example are unknown or `conditioning` is no batch of vectors.
    """
    tensor.shape[1:].assert_is_fully_defined()
    if conditioning.shape.ndims < 2:
        raise ValueError(f"conditioning must be at least 2D, but saw shape: {conditioning.shape}")
    mapped = linear(flatten(conditioning), tensor.shape[1:].num_elements())
    if not mapped.shape.is_compatible_with(tensor.shape):
        shape = array.shape(tensor)
        known = constant_value(shape)
        mapped = array.reshape(mapped, shape if known is None else known)
    return tensor + mapped


def condition_tensor_from_onehot(tensor: Tensor, one_hot_labels: Tensor, embedding_size: int = 256) -> Tensor:
    """`tensor` conditioned on an embedding of its label: [batch, classes], one-hot. ValueError for other shapes."""
    one_hot_labels.shape.assert_has_rank(2)
    one_hot_labels.shape[1:].assert_is_fully_defined()
    table = get_variable("embedding", [one_hot_labels.shape[1], embedding_size])
    labels = math.argmax(one_hot_labels, axis=1)
    return condition_tensor(tensor, embedding_lookup(table, labels, name="token_to_embedding"))


def tensor_pool(
    input_values: Any, pool_size: int = 50, pooling_probability: Any = 0.5, name: str = "tensor_pool"
) -> Any:
    """`input_values` or, with `pooling_probability` once the pool is full, what it held since an earlier run.

    Each run puts its values into the pool. Raises ValueError for a negative size; a pool of size 0 changes nothing.
    """
    size = int(pool_size)
    if size < 0:
        raise ValueError("`pool_size` is negative.")
    if size == 0:
        return input_values
    values = nest.flatten(input_values)
    with name_scope(f"{name}_pool_queue", None, [*values, pooling_probability]):
        pool = RandomShuffleQueue(
            capacity=size, min_after_dequeue=0, dtypes=[value.dtype for value in values], shapes=None
        )

        def filled() -> list[Tensor]:
            with basic.control_dependencies([pool.enqueue(values)]):
                return [basic.identity(value) for value in values]

        def exchanged() -> list[Tensor]:
            older = _listed(pool.dequeue())
            with basic.control_dependencies(older), basic.control_dependencies([pool.enqueue(values)]):
                return _listed(cond(random_uniform(()) < pooling_probability, lambda: older, lambda: values))

        chosen = _listed(cond(pool.size() < size, filled, exchanged))
        for value, result in zip(values, chosen, strict=True):
            result.set_shape(value.shape)
    return nest.pack_sequence_as(input_values, chosen)


def _listed(values: Any) -> list[Tensor]:
    """What gives one tensor bare and several in a list, as a list."""
    return [values] if isinstance(values, Tensor) else list(values)
