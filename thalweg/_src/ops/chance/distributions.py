"""The numbers of random ops, made of the words of their streams exactly as TensorFlow's CPU kernels make them.

A kernel gives every group of outputs its own part of the stream, so all groups are computed at once. A group is what
one block of four words gives: four float32, float16 or int32, two float64 or int64.
"""

import functools
import math

import numpy as np

from thalweg._src.core import philox
from thalweg._src.core.apply import xp
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.ops.chance.rejection import four_normals


def _size(dtype):
    return np.dtype(dtype).itemsize


@functools.cache
def _of_pairs(function):
    """The two results of `function` on the two halves of a block."""
    return lambda w: (function(w[0], w[1]), function(w[2], w[3]))


@functools.cache
def _of_words(function):
    """The results of `function` on the four words of a block."""
    return lambda words: [function(w) for w in words]


def uniform(stream, count, dtype):
    """`count` numbers in [0, 1)."""
    if _size(dtype) == 8:
        return stream.draw(count, _of_pairs(philox.uniform_double))
    one = {
        "float32": philox.uniform_float,
        "float16": philox.uniform_half,
        "bfloat16": philox.uniform_bfloat16,
    }[np.dtype(dtype).name]
    return stream.draw(count, _of_words(one))


def uniform_int(stream, count, low, high):
    """`count` integers in [low, high), with the bias of a remainder."""
    if _size(low.dtype) == 8:
        span = (high - low).astype(np.uint64)
        words = stream.draw(count, _of_pairs(_wide))
        return low + (words % span).astype(np.int64)
    words = stream.words(count)
    span = (high - low).astype(np.uint32)
    return low + _remainder(words, span).astype(np.int32)


def _wide(low, high):
    return low.astype(np.uint64) | (high.astype(np.uint64) << np.uint64(32))


def _remainder(words, span):
    """words % span. The floor of a quotient of 32-bit integers is exact in float64, which a CPU divides in vectors."""
    quotient = xp(words).floor(words.astype(np.float64) / span.astype(np.float64))
    return words - quotient.astype(np.uint32) * span


@functools.cache
def normal_words(dtype):
    """(function of a block, numbers that it gives) for standard normal numbers of `dtype`."""
    if _size(dtype) == 8:
        return lambda w: philox.box_muller_double(*w)
    return lambda w: [n.astype(dtype) for n in four_normals(w)]


def normal(stream, count, dtype):
    """`count` standard normal numbers."""
    return stream.draw(count, normal_words(dtype))


# -- from a table


def multinomial(stream, logits, samples):
    """[rows, samples] indices into the rows of `logits` [rows, classes], by their unnormalised log-probabilities."""
    rows, classes = logits.shape
    finite = jnp.isfinite(logits)
    low = jnp.asarray(jnp.finfo(logits.dtype).min, logits.dtype)
    top = jnp.max(jnp.where(finite, logits, low), axis=1, keepdims=True)
    weights = jnp.where(finite, jnp.exp(logits.astype(jnp.float64) - top.astype(jnp.float64)), 0.0)
    cdf = jnp.cumsum(weights, axis=1)
    drawn = stream.draw(rows * samples, _of_pairs(philox.uniform_double)).reshape(rows, samples)
    wanted = drawn * cdf[:, -1:]
    return jax.vmap(lambda c, w: jnp.searchsorted(c, w, side="right"))(cdf, wanted)


def checked_multinomial(stream, logits, samples):
    """`multinomial`, its arguments checked, with the part of the stream that TensorFlow keeps for it. Raises ValueError."""
    if logits.ndim != 2:
        raise ValueError(f"logits should be a matrix, got shape {list(logits.shape)}")
    rows, classes = logits.shape
    if samples < 0:
        raise ValueError(f"num_samples should be nonnegative, got {samples}")
    if not classes:
        raise ValueError(f"num_classes should be positive, got {classes}")
    if not rows * samples:
        return jnp.zeros((rows, samples), jnp.int64)
    stream.reserve(rows * (-(-samples // 4) * 4) * 2)
    return multinomial(stream, logits, samples)


def size_of(shape):
    """The number of elements of `shape` (a static vector). Raises ValueError for negative sizes."""
    sizes = [int(n) for n in shape]
    if any(n < 0 for n in sizes):
        raise ValueError(f"Dimension {next(n for n in sizes if n < 0)} must be >= 0")
    return math.prod(sizes)
