"""Convolutions of float32 images on a CPU, by kernels of machine code where those are quicker than XLA's.

Values agree with the plain lowerings within rounding. What is small, has groups or another type stays with those, and so does what JAX
derives from a kernel: its derivatives are plain convolutions.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from thalweg._src.core import recipes
from thalweg._src.core.apply import kernels_allowed
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.kernels import library
from thalweg._src.ops import convolution as plain
from thalweg._src.ops.activations import bias_add_op, relu
from thalweg._src.ops.arithmetic import add, add_v2
from thalweg._src.ops.convolution import conv2d_backprop_filter_op, conv2d_backprop_input_op, conv2d_op

CONVOLUTION = "thalweg_convolution"

# Where XLA's own convolutions are as quick, as measured (`benchmarks/convolutions.py` shows both).
LEAST = 1 << 15  # multiplications: below, nothing takes long
THIN = 4  # channels of an image whose gradient leaves most lanes of a vector empty ...
DEEP = 16  # ... where the sums over the channels of the result are at least so long
WIDE_FILTER, FEW_PLACES = 1 << 20, 64  # elements of a filter that is summed over few places of each image


def _suits(found, w_shape, *arrays):
    """Whether a kernel is to compute a convolution of this layout."""
    return (
        kernels_allowed()
        and all(a.dtype == np.float32 for a in arrays)
        and any(isinstance(a, jax.Array) for a in arrays)
        and found.groups == 1
        and math.prod(found.shape) * math.prod(w_shape[:3]) >= LEAST
        and library.available()
    )


def _called(target, found, shape, *arrays, **more):
    """The kernel `target` on arrays in the order NHWC."""
    numbers = {"strides": found.steps, "dilations": found.rates, "before": [before for before, _ in found.pads]}
    call = jax.ffi.ffi_call(target, jax.ShapeDtypeStruct(shape, np.float32), vmap_method="sequential")
    return call(*arrays, **{name: np.array(values, np.int64) for name, values in numbers.items()}, **more)


def _derived(kernel, lowering):
    """`kernel`, whose derivatives are those of `lowering`, which is linear in each of its two arguments."""
    call = jax.custom_jvp(kernel)
    call.defjvps(lambda da, out, a, b: lowering(da, b), lambda db, out, a, b: lowering(a, db))
    return call


def _channels_last(x, data_format):
    return x if data_format == "NHWC" else jnp.transpose(x, (0, 2, 3, 1))


def _as_given(x, data_format):
    return x if data_format == "NHWC" else jnp.transpose(x, (0, 3, 1, 2))


def _order(shape, data_format):
    return tuple(shape) if data_format == "NHWC" else (shape[0], *shape[2:], shape[1])


@conv2d_op.on("cpu")
def _(input, filter, *, strides, padding, explicit_paddings, data_format, dilations, **_):
    how = (strides, padding, dilations, data_format, explicit_paddings)
    found = plain.layout(input.shape, filter.shape, *how)
    if not _suits(found, filter.shape, input, filter):
        return plain.convolve(input, filter, *how)
    x_shape, w_shape = plain.whole_as_channels(input.shape, filter.shape, found, data_format)
    input, filter = input.reshape(x_shape), filter.reshape(w_shape)

    def kernel(x, w):
        none = np.zeros(0, np.float32)
        out = _called(
            CONVOLUTION, found, _order(found.shape, data_format), _channels_last(x, data_format), w, none, rectify=False
        )
        return _as_given(out, data_format)

    out = _derived(kernel, lambda x, w: plain.convolve(x, w, *how))(input, filter)
    return recipes.note(out, Convolved(input, filter, how, found)) if data_format == "NHWC" else out


# -- a bias and a relu, which the kernel applies to its sums before it stores them


class Convolved(NamedTuple):
    """The recipe of a convolution, perhaps with a bias."""

    x: Any
    w: Any
    how: tuple[Any, ...]
    found: plain.Layout
    bias: Any = None

    def made(self, rectify):
        """The value, made over with the bias, and with zeros for what is negative."""

        def kernel(x, w, bias):
            return _called(CONVOLUTION, self.found, self.found.shape, x, w, bias, rectify=rectify)

        def plainly(x, w, bias):
            out = plain.convolve(x, w, *self.how) + bias
            return jnp.maximum(out, 0) if rectify else out

        call = jax.custom_jvp(kernel)
        call.defjvp(lambda values, tangents: (call(*values), jax.jvp(plainly, values, tangents)[1]))
        channels = self.found.shape[-1]
        bias = jnp.zeros(channels, np.float32) if self.bias is None else jnp.reshape(self.bias, channels)
        return call(self.x, self.w, bias)


def _with_bias(value, bias):
    """`value` plus `bias` by the kernel that makes `value`, or None where it is not for that."""
    recipe = recipes.of(value)
    if not isinstance(recipe, Convolved) or recipe.bias is not None:
        return None
    channels = value.shape[-1]
    if bias.dtype != value.dtype or bias.size != channels or bias.shape[-1:] != (channels,) or bias.ndim > 4:
        return None
    made = recipe._replace(bias=bias)
    return recipes.note(made.made(False), made)


@bias_add_op.on("cpu")
def _(value, bias, *, data_format):
    made = _with_bias(value, bias) if data_format == "NHWC" and bias.ndim == 1 else None
    return bias_add_op.fn(value, bias, data_format=data_format) if made is None else made


def _sum(op):
    def lowering(x, y):
        made = _with_bias(x, y)
        if made is None:
            made = _with_bias(y, x)
        return op.fn(x, y) if made is None else made

    return lowering


for _op in (add, add_v2):
    _op.on("cpu")(_sum(_op))


@relu.on("cpu")
def _(features):
    recipe = recipes.of(features)
    return recipe.made(True) if isinstance(recipe, Convolved) else relu.fn(features)


# -- the gradients


@conv2d_backprop_input_op.on("cpu")
def _(input_sizes, filter, out_backprop, *, strides, padding, explicit_paddings, data_format, dilations, **_):
    how = (strides, padding, dilations, data_format, explicit_paddings)
    shape = tuple(int(n) for n in input_sizes)
    found = plain.layout(shape, filter.shape, *how)
    x_shape, w_shape = plain.whole_as_channels(shape, filter.shape, found, data_format)
    thin = w_shape[2] <= THIN and w_shape[3] > DEEP
    if thin or found.shape != out_backprop.shape or not _suits(found, filter.shape, filter, out_backprop):
        return plain.conv_input_gradient(shape, filter, out_backprop, *how)

    def kernel(w, g):
        own = _order(x_shape, data_format)
        out = _called("thalweg_convolution_by_input", found, own, w, _channels_last(g, data_format))
        return _as_given(out, data_format)

    derived = _derived(kernel, lambda w, g: plain.conv_input_gradient(x_shape, w, g, *how))
    return derived(filter.reshape(w_shape), out_backprop).reshape(shape)


@conv2d_backprop_filter_op.on("cpu")
def _(input, filter_sizes, out_backprop, *, strides, padding, explicit_paddings, data_format, dilations, **_):
    how = (strides, padding, dilations, data_format, explicit_paddings)
    shape = tuple(int(n) for n in filter_sizes)
    found = plain.layout(input.shape, shape, *how)
    x_shape, w_shape = plain.whole_as_channels(input.shape, shape, found, data_format)
    places = math.prod(found.shape) // max(found.shape[0] * shape[3], 1)
    wide = math.prod(shape) >= WIDE_FILTER and places <= FEW_PLACES
    if wide or found.shape != out_backprop.shape or not _suits(found, shape, input, out_backprop):
        return plain.conv_filter_gradient(input, shape, out_backprop, *how)

    def kernel(x, g):
        x, g = _channels_last(x, data_format), _channels_last(g, data_format)
        return _called("thalweg_convolution_by_filter", found, w_shape, x, g)

    derived = _derived(kernel, lambda x, g: plain.conv_filter_gradient(x, w_shape, g, *how))
    return derived(input.reshape(x_shape), out_backprop).reshape(shape)
