"""Depthwise convolutions of float32 images on a CPU, with what follows them, and their gradients.

A filter for each channel is little work for each number that is read, so the kernels go over an image once, in vectors of channels. What
has several results for a channel, few channels or another order of axes stays with the plain lowerings.
"""

import math

from thalweg._src.kernels import library
from thalweg._src.kernels.calls import called, derived, takes
from thalweg._src.kernels.convolution import DEPTHWISE, Convolved, noted, walk
from thalweg._src.ops.nets import depthwise as plain
from thalweg._src.ops.nets.depthwise import (
    depthwise_conv2d_filter_gradient,
    depthwise_conv2d_input_gradient,
    depthwise_conv2d_native_op,
)

LEAST = 1 << 13  # numbers in an image below which nothing takes long


def _suits(x_shape, w_shape, data_format, *arrays):
    multiplied = w_shape[3] != 1 or data_format != "NHWC" or 0 in w_shape
    return not multiplied and math.prod(x_shape) >= LEAST and takes(*arrays) and w_shape[2] >= library.lanes()


@depthwise_conv2d_native_op.on("cpu")
def _(input, filter, *, strides, padding, data_format, dilations):
    how = (strides, padding, data_format, dilations)
    found = plain.depthwise_layout(input.shape, filter.shape, *how)
    if 0 in found.shape or not _suits(input.shape, filter.shape, data_format, input, filter):
        return plain.depthwise(input, filter, *how)
    return noted(Convolved(input, filter, lambda x, w: plain.depthwise(x, w, *how), found, target=DEPTHWISE))


@depthwise_conv2d_input_gradient.on("cpu")
def _(input_sizes, filter, out_backprop, *, strides, padding, data_format, dilations):
    how = (strides, padding, data_format, dilations)
    shape = tuple(int(n) for n in input_sizes)
    found = plain.depthwise_layout(shape, filter.shape, *how)
    plainly = lambda w, g: plain.depthwise_by_input(shape, w, g, *how)
    fits = found.shape == out_backprop.shape and 0 not in found.shape
    if not fits or not _suits(shape, filter.shape, data_format, filter, out_backprop):
        return plainly(filter, out_backprop)
    kernel = lambda w, g: called("thalweg_depthwise_by_input", shape, w, g, lists=walk(found))
    return derived(kernel, plainly)(filter, out_backprop)


@depthwise_conv2d_filter_gradient.on("cpu")
def _(input, filter_sizes, out_backprop, *, strides, padding, data_format, dilations):
    how = (strides, padding, data_format, dilations)
    shape = tuple(int(n) for n in filter_sizes)
    found = plain.depthwise_layout(input.shape, shape, *how)
    fits = found.shape == out_backprop.shape and 0 not in found.shape
    if not fits or not _suits(input.shape, shape, data_format, input, out_backprop):
        return plain.depthwise_by_filter_in_turn(input, shape, out_backprop, *how)
    kernel = lambda x, g: called("thalweg_depthwise_by_filter", shape, x, g, lists=walk(found))
    plainly = lambda x, g: plain.depthwise_by_filter_in_turn(x, shape, g, *how)
    return derived(kernel, plainly)(input, out_backprop)
