"""Pools of float32 images on a CPU. XLA makes one loop of a window's elements: slow for windows that overlap, slower for strides.

Values are those of the plain lowerings, means within rounding: also where something is not a number, and where maxima are equal.
"""

from thalweg._src.kernels import library
from thalweg._src.kernels.calls import called, derived, takes
from thalweg._src.ops.nets import pool_windows as plain
from thalweg._src.ops.nets.pooling import (
    avg_pool_op,
    max_pool_grad,
    max_pool_grad_v2,
    max_pool_op,
    max_pool_v2_op,
    mean_over,
    pool_over,
)

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


def _largest(input, ksize, strides, *, padding, data_format):
    pool = pool_over(input.shape, ksize, strides, padding, data_format)
    return _pooled(input, pool, data_format, plain.max_pool_of, mean=False)


max_pool_op.on("cpu")(_largest)
max_pool_v2_op.on("cpu")(_largest)


def _back(orig_input, orig_output, grad, ksize, strides, *, padding, data_format):
    pool = pool_over(orig_input.shape, ksize, strides, padding, data_format)
    plainly = lambda x, g: plain.max_pool_gradient(x, g, pool)
    if data_format != "NHWC" or grad.shape != pool.counts or not _suits(pool, orig_input, grad):
        return plainly(orig_input, grad)
    kernel = lambda x, g: called("thalweg_pool_by_input", pool.shape, x, g, lists=_windows(pool))
    return derived(kernel, plainly)(orig_input, grad)


max_pool_grad.on("cpu")(_back)
max_pool_grad_v2.on("cpu")(_back)
