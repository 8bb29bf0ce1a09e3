"""Cross entropies, the piecewise linear sigmoid, and random numbers, as tf.keras.backend computes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.compat.keras_backend import settings
from thalweg._src.core.graph import Tensor
from thalweg._src.ops.arrays import constants, shaping
from thalweg._src.ops.arrays.selecting import where
from thalweg._src.ops.arrays.transposing import transpose
from thalweg._src.ops.chance import random
from thalweg._src.ops.nets import softmax
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.numeric.clip import clip_by_value
from thalweg._src.ops.numeric.elementwise import log
from thalweg._src.ops.numeric.reduce import reduce_sum


def _logits(output: Any, kind: str) -> Any:
    """What a softmax or a sigmoid was taken of, or None where `output` is something else."""
    return output.op.inputs[0] if isinstance(output, Tensor) and output.op.type == kind else None


def _clipped(output: Any) -> Any:
    small: Any = constants.constant(settings.epsilon(), dtype=output.dtype.base_dtype)
    return clip_by_value(output, small, 1.0 - small)


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-sum target log(output) along `axis`: of logits, or of probabilities, which are scaled to the sum 1."""
    logits = output if from_logits else _logits(output, "Softmax")
    if logits is not None:
        return softmax.softmax_cross_entropy_with_logits_v2(labels=target, logits=logits, axis=axis)
    share = _clipped(output / reduce_sum(output, axis, True))
    return reduce_sum(-target * log(share), axis)


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """The same for targets that are the numbers of classes. ValueError where the rank is unknown and `axis` not last."""
    logits = output if from_logits else _logits(output, "Softmax")
    if logits is None:
        logits = log(_clipped(output))
    rank = logits.shape.ndims
    if rank is None and axis != -1:
        raise ValueError(
            f"Cannot compute sparse categorical crossentropy with `axis={axis}` on an output tensor with unknown rank"
        )
    if rank is not None and axis % rank != rank - 1:
        axis %= rank
        logits = transpose(logits, [*range(axis), *range(axis + 1, rank), axis])
    target = cast(target, "int64")
    sizes: Any = shaping.shape(logits)
    flat = None not in (rank, target.shape.ndims) and target.shape.ndims != rank - 1
    if flat:
        target, logits = shaping.reshape(target, [-1]), shaping.reshape(logits, [-1, sizes[-1]])
    loss = softmax.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
    return shaping.reshape(loss, sizes[:-1]) if flat and rank >= 3 else loss


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """-target log(output) - (1 - target) log(1 - output), element by element."""
    logits = output if from_logits else _logits(output, "Sigmoid")
    if logits is not None:
        return softmax.sigmoid_cross_entropy_with_logits(labels=target, logits=logits)
    share, small = _clipped(output), settings.epsilon()
    return -(target * log(share + small) + (1 - target) * log(1 - share + small))


def hard_sigmoid(x: Any) -> Any:
    """0.2 x + 0.5, cut at 0 and 1."""
    return clip_by_value(x * 0.2 + 0.5, 0.0, 1.0)


def _seed(seed: int | None) -> int:
    return np.random.randint(10_000_000) if seed is None else seed


def random_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None) -> Any:
    return random.random_normal(shape, mean, stddev, dtype=dtype or settings.floatx(), seed=_seed(seed))


def random_uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: int | None = None) -> Any:
    return random.random_uniform(shape, minval, maxval, dtype=dtype or settings.floatx(), seed=_seed(seed))


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None) -> Any:
    return random.truncated_normal(shape, mean, stddev, dtype=dtype or settings.floatx(), seed=_seed(seed))


def random_binomial(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """1 with the probability `p`, else 0."""
    kind = dtype or settings.floatx()
    drawn = random.random_uniform(shape, dtype=kind, seed=_seed(seed)) <= p
    return where(drawn, constants.ones(shape, dtype=kind), constants.zeros(shape, dtype=kind))
