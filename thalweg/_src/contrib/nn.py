"""tf.contrib.nn: alpha dropout, a softplus that sharpens, cross-entropies with the arguments of 0.x."""

import numbers
from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.infer import get_static_value
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets.activations import softplus
from thalweg._src.ops.nets.softmax import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
)

ALPHA = -1.7580993408473766  # what SELU tends to, downwards


def alpha_dropout(x: Any, keep_prob: Any, noise_shape: Any = None, seed: Any = None, name: str | None = None) -> Tensor:
    """Dropout that keeps the mean and the variance of SELU's outputs (Klambauer et al., 2017). Raises ValueError."""
    with name_scope(name, "alpha_dropout", [x]):
        x = to_tensor(x, None, "x")
        if isinstance(keep_prob, numbers.Real) and not 0 < keep_prob <= 1:
            raise ValueError(f"keep_prob must be a scalar tensor or a float in the range (0, 1], got {keep_prob:g}")
        keep_prob = to_tensor(keep_prob, x.dtype.base_dtype, "keep_prob")
        keep_prob.get_shape().assert_has_rank(0)
        if get_static_value(keep_prob) == 1:
            return x
        shape = noise_shape if noise_shape is not None else array.shape(x)
        chance = random_uniform(shape, seed=seed, dtype=x.dtype.base_dtype)
        kept = math.cast(math.greater_equal(chance, 1 - keep_prob), x.dtype)
        x = x * kept + ALPHA * (1 - kept)
        a = (keep_prob + keep_prob * (1 - keep_prob) * ALPHA**2) ** -0.5
        return a * x + -a * ALPHA * (1 - keep_prob)


def scaled_softplus(x: Any, alpha: Any, clip: Any = None, name: str | None = None) -> Tensor:
    """alpha * log(1 + exp(x / alpha)), at most `clip`: it tends to relu as `alpha` tends to 0."""
    with name_scope(name, "scaled_softplus", [x, alpha]):
        x = to_tensor(x, None, "x")
        alpha = to_tensor(alpha, x.dtype.base_dtype, "alpha")
        y = alpha * softplus(x / alpha)
        return y if clip is None else math.minimum(y, to_tensor(clip, x.dtype.base_dtype, "clip"))


def deprecated_flipped_softmax_cross_entropy_with_logits(
    logits: Any, labels: Any, dim: int = -1, name: str | None = None
) -> Tensor:
    """tf.nn.softmax_cross_entropy_with_logits with the logits first, as before 1.0."""
    return softmax_cross_entropy_with_logits(labels=labels, logits=logits, dim=dim, name=name)


def deprecated_flipped_sparse_softmax_cross_entropy_with_logits(
    logits: Any, labels: Any, name: str | None = None
) -> Tensor:
    """tf.nn.sparse_softmax_cross_entropy_with_logits with the logits first, as before 1.0."""
    return sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name=name)


def deprecated_flipped_sigmoid_cross_entropy_with_logits(logits: Any, targets: Any, name: str | None = None) -> Tensor:
    """tf.nn.sigmoid_cross_entropy_with_logits with the logits first, as before 1.0."""
    return sigmoid_cross_entropy_with_logits(labels=targets, logits=logits, name=name)
