"""Batch normalisation of float32 images on a CPU: two passes over memory forwards, two back, and nothing for XLA to compile.

XLA makes some ten loops of a layer and its gradient, which is what it spends most of its time with in a deep network. A relu behind a layer
goes into its kernel, and so does that relu's gradient.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from thalweg._src.core import recipes
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.kernels.calls import called, derived, takes
from thalweg._src.kernels.convolution import scaled
from thalweg._src.kernels.pooling import Rectified
from thalweg._src.ops.nets import batch_norm as plain

LEAST = 1 << 10  # numbers in the images below which it does not matter
FEWEST = 8  # channels, which are the lanes of vectors


def _suits(x, data_format, *vectors):
    """Whether kernels are to normalise the images `x` by `vectors`, which have a number for each channel."""
    return (
        data_format == "NHWC"
        and x.ndim == 4
        and x.size >= LEAST
        and x.shape[3] >= FEWEST
        and all(v.shape == x.shape[3:] for v in vectors)
        and takes(x, *vectors)
    )


class Normalized(NamedTuple):
    """The recipe of images over their deviation. `plainly` makes them of the same arrays by XLA."""

    x: Any
    scale: Any
    offset: Any
    mean: Any
    variance: Any
    epsilon: float
    plainly: Callable[..., Any]

    def with_relu(self):
        """The value, made over with zeros for what is negative."""
        return self.made(rectify=True)

    def made(self, rectify=False):

        def kernel(x, *vectors):
            how = {"epsilon": np.float32(self.epsilon), "rectify": rectify}
            return called("thalweg_normalize", x.shape, x, *vectors, **how)

        plainly = (lambda *given: jnp.maximum(self.plainly(*given), 0)) if rectify else self.plainly
        return derived(kernel, plainly)(self.x, self.scale, self.offset, self.mean, self.variance)


def _statistics(x):
    """(mean, variance of the population, variance) of the channels of `x`, from one pass."""
    vector = jax.ShapeDtypeStruct(x.shape[3:], np.float32)
    kernel = lambda x: tuple(jax.ffi.ffi_call("thalweg_statistics", (vector,) * 3, vmap_method="sequential")(x))
    return derived(kernel, plain.moments)(x)


def _forward(op):
    def lowering(x, scale, offset, mean, variance, *, epsilon, data_format, is_training, **_):
        rest = {"epsilon": epsilon, "data_format": data_format, "is_training": is_training}
        if not is_training:
            plainly = op.fn(x, scale, offset, mean, variance, **rest)
            if data_format != "NHWC" or len({v.shape for v in (scale, offset, mean, variance)}) != 1:
                return plainly
            factor = lax.rsqrt(variance + jnp.float32(epsilon)) * scale
            made = scaled(x, factor, offset - mean * factor)
            return plainly if made is None else (made, *plainly[1:])
        if mean.size or variance.size or not _suits(x, data_format, scale, offset):
            return op.fn(x, scale, offset, mean, variance, **rest)
        mean, unbiased, variance = _statistics(x)
        recipe = Normalized(x, scale, offset, mean, variance, epsilon, _by(epsilon))
        y = recipes.note(recipe.made(), recipe)
        return (y, mean, unbiased, mean, variance, jnp.zeros(0, jnp.float32))[: len(op.outputs)]

    return lowering


def _by(epsilon):
    def plainly(x, scale, offset, mean, variance):
        return (x - mean) * (lax.rsqrt(variance + jnp.float32(epsilon)) * scale) + offset

    return plainly


# -- the gradients


def _backward(op):
    def lowering(y_backprop, x, scale, reserve_space_1, reserve_space_2, *more, epsilon, data_format, is_training):
        vectors = scale, reserve_space_1, reserve_space_2
        rest = {"epsilon": epsilon, "data_format": data_format, "is_training": is_training}
        if not is_training or y_backprop.shape != x.shape or not _suits(x, data_format, *vectors):
            return op.fn(y_backprop, x, *vectors, *more, **rest)
        recipe = recipes.of(y_backprop)
        masked = isinstance(recipe, Rectified) and recipe.gradients.shape == recipe.features.shape
        g, mask = (recipe.gradients, recipe.features) if masked else (y_backprop, np.zeros(0, np.float32))

        def kernel(g, x, scale, mean, variance, mask):
            shapes = [jax.ShapeDtypeStruct(s, np.float32) for s in (x.shape, scale.shape, scale.shape)]
            call = jax.ffi.ffi_call("thalweg_normalize_gradient", shapes, vmap_method="sequential")
            return tuple(call(g, x, scale, mean, variance, mask, epsilon=np.float32(epsilon)))

        def plainly(g, x, scale, mean, variance, mask):
            g = jnp.where(mask > 0, g, 0) if masked else g
            return tuple(op.fn(g, x, scale, mean, variance, *more, **rest)[:3])

        nothing = jnp.zeros(0, jnp.float32)
        return (*derived(kernel, plainly)(g, x, *vectors, mask), nothing, nothing)

    return lowering


_FORWARDS = plain.fused_batch_norm_v1, plain.fused_batch_norm_v2, plain.fused_batch_norm_v3
_BACKWARDS = plain.fused_batch_norm_grad_v1, plain.fused_batch_norm_grad_v2, plain.fused_batch_norm_grad_v3
for _op in _FORWARDS:
    _op.on("cpu")(_forward(_op))
for _op in _BACKWARDS:
    _op.on("cpu")(_backward(_op))
