"""Pools of float32 images on a CPU. XLA makes one loop of a window's elements: slow for windows that overlap, slower for strides.

Values are those of the plain lowerings, means within rounding: also where something is not a number, and where maxima are equal.

Networks rectify what they pool, so the gradient of a relu follows that of a pool: the kernel does both. And the gradient of a bias is the
sum of what came out; each window gave its gradient to one place, so that it is as well the sum over windows, which are fewer.
"""

from typing import Any, NamedTuple

from thalweg._src.core import recipes
from thalweg._src.core.lazy import jnp
from thalweg._src.kernels import library
from thalweg._src.kernels.calls import called, derived, takes
from thalweg._src.ops.nets import pool_windows as plain
from thalweg._src.ops.nets.activations import bias_add_grad, relu_grad
from thalweg._src.ops.nets.pooling import (
    avg_pool_op,
    max_pool_grad,
    max_pool_grad_v2,
    max_pool_op,
    max_pool_v2_op,
    mean_over,
    pool_over,
)
from thalweg._src.ops.numeric.reduce import normal_axes, reduce_sum_op

LEAST = 1 << 13  # numbers in an image below which nothing takes long


def _suits(pool, *arrays):
    """Whether a kernel is to compute a pool of images with their channels last."""
    windows = not pool.empty and not pool.whole and pool.sizes[3] == pool.strides[3] == 1
    return windows and arrays[0].size >= LEAST and takes(*arrays) and pool.shape[3] >= library.lanes()


def _windows(pool):
    return {"sizes": pool.sizes[1:3], "strides": pool.strides[1:3], "before": [b for b, _ in pool.pads[1:3]]}


def _pooled(x, pool, data_format, plainly, *, mean):
    if data_format != "NHWC" or not _suits(pool, x):
        return plainly(x, pool)
    kernel = lambda x: called("thalweg_pool", pool.counts, x, lists=_windows(pool), mean=mean)
    return derived(kernel, lambda x: plainly(x, pool))(x)


@avg_pool_op.on("cpu")
def _(value, *, ksize, strides, padding, data_format):
    pool = mean_over(value.shape, ksize, strides, padding, data_format)
    return _pooled(value, pool, data_format, plain.mean_pool_of, mean=True)


class Largest(NamedTuple):
    """The recipe of the largest numbers of the windows over `x`."""

    x: Any


class Unpooled(NamedTuple):
    """The recipe of `g` at the first largest numbers of the windows over `x`, where those are positive if that is `rectified`.

    `y` holds the largest numbers.
    """

    x: Any
    g: Any
    y: Any
    pool: Any
    rectified: bool = False

    def made(self):
        kernel = lambda x, g: called(
            "thalweg_pool_by_input", self.pool.shape, x, g, lists=_windows(self.pool), rectify=self.rectified
        )

        def plainly(x, g):
            out = plain.max_pool_gradient(x, g, self.pool)
            return relu_grad.fn(out, x) if self.rectified else out

        return recipes.note(derived(kernel, plainly)(self.x, self.g), self)

    def summed(self):
        """The sum of each channel."""
        return jnp.sum(relu_grad.fn(self.g, self.y) if self.rectified else self.g, (0, 1, 2))


def _largest(input, ksize, strides, *, padding, data_format):
    pool = pool_over(input.shape, ksize, strides, padding, data_format)
    return recipes.note(_pooled(input, pool, data_format, plain.max_pool_of, mean=False), Largest(input))


max_pool_op.on("cpu")(_largest)
max_pool_v2_op.on("cpu")(_largest)


def _back(orig_input, orig_output, grad, ksize, strides, *, padding, data_format):
    pool = pool_over(orig_input.shape, ksize, strides, padding, data_format)
    if data_format != "NHWC" or grad.shape != pool.counts or not _suits(pool, orig_input, grad):
        return plain.max_pool_gradient(orig_input, grad, pool)
    return Unpooled(orig_input, grad, orig_output, pool).made()


max_pool_grad.on("cpu")(_back)
max_pool_grad_v2.on("cpu")(_back)


class Rectified(NamedTuple):
    """The recipe of what a relu passes back: `gradients` where `features` are positive."""

    gradients: Any
    features: Any


@relu_grad.on("cpu")
def _(gradients, features):
    recipe = recipes.of(gradients)
    if isinstance(recipe, Unpooled) and recipe.x is features:
        return recipe._replace(rectified=True).made()
    return recipes.note(relu_grad.fn(gradients, features), Rectified(gradients, features))


def _sum_of_channels(value):
    """The sum of each channel of `value`, if that is quicker by its recipe; otherwise None."""
    recipe = recipes.seen(value)
    if not isinstance(recipe, Unpooled) or recipe.g.size >= recipe.x.size:
        return None
    largest = recipes.seen(recipe.y)  # any numbers may have been given as the largest ones
    return recipe.summed() if isinstance(largest, Largest) and largest.x is recipe.x else None


@bias_add_grad.on("cpu")
def _(out_backprop, *, data_format):
    found = _sum_of_channels(out_backprop) if data_format == "NHWC" else None
    return bias_add_grad.fn(out_backprop, data_format=data_format) if found is None else found


@reduce_sum_op.on("cpu")
def _(input, reduction_indices, *, keep_dims):
    channels = input.ndim == 4 and sorted(normal_axes(reduction_indices, 4)) == [0, 1, 2]
    found = _sum_of_channels(input) if channels else None
    if found is None:
        return reduce_sum_op.fn(input, reduction_indices, keep_dims=keep_dims)
    return found.reshape(1, 1, 1, -1) if keep_dims else found
