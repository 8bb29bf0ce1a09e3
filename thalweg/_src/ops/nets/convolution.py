"""Convolutions of images and volumes, and the two gradient ops of each."""

import math
from typing import NamedTuple

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.dtypes import FLOATS, float16, float32, float64, int32, int64
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.opdef import Enum, Min, Static, op, type_attr
from thalweg._src.ops.late import array
from thalweg._src.ops.nets.windows import (
    arrange,
    channel_axis,
    need_length,
    need_rank,
    output_size,
    pad_of,
    spatial,
    spatial_axes,
    spatial_pads,
    static_output_size,
)

T = type_attr("T", FLOATS)
T3 = type_attr("T", (float16, float32, float64))
PADDING = Enum("SAME", "VALID", "EXPLICIT")
PADDING3 = Enum("SAME", "VALID")
FORMAT = Enum("NHWC", "NCHW")
FORMAT3 = Enum("NDHWC", "NCDHW")


# -- lowerings


class Layout(NamedTuple):
    """How a filter walks over images: strides, (before, after) of padding and dilations along each spatial axis; the result's shape."""

    steps: list[int]
    pads: list[tuple[int, int]]
    rates: list[int]
    shape: tuple[int, ...]
    groups: int


def layout(x_shape, w_shape, strides, padding, dilations, data_format, explicit=()) -> Layout:
    """The layout of a convolution of images of `x_shape` under filters of `w_shape`. Raises ValueError where they don't fit."""
    check_strides(strides, dilations, data_format)
    axes = spatial_axes(data_format)
    sizes, kernel = [x_shape[i] for i in axes], w_shape[: len(axes)]
    depth = x_shape[channel_axis(data_format)]
    if depth % max(w_shape[-2], 1) or (w_shape[-2] == 0) != (depth == 0):
        raise ValueError(f"Depth of input ({depth}) is not a multiple of input depth of filter ({w_shape[-2]})")
    steps, rates = spatial(strides, data_format), spatial(dilations, data_format)
    pairs = spatial_pads(explicit, data_format)
    each = list(zip(sizes, kernel, steps, rates, pairs, strict=True))
    pads = [pad_of(s, k, st, padding, d, p) for s, k, st, d, p in each]
    counts = [output_size(s, k, st, padding, d, p) for s, k, st, d, p in each]
    shape = arrange(x_shape[0], counts, w_shape[-1], data_format)
    return Layout(steps, pads, rates, tuple(shape), depth // max(w_shape[-2], 1))


def convolve(x, w, strides, padding, dilations, data_format, explicit=()):
    """The convolution (cross-correlation, as ever in neural networks) of `x` with `w`: [spatial..., in, out]."""
    found = layout(x.shape, w.shape, strides, padding, dilations, data_format, explicit)
    if 0 in found.shape or 0 in w.shape:
        return jnp.zeros(found.shape, x.dtype)
    x_shape, w_shape = whole_as_channels(x.shape, w.shape, found, data_format)
    letters = "DHW"[-len(found.steps) :]
    out = lax.conv_general_dilated(
        x.reshape(x_shape),
        w.reshape(w_shape),
        found.steps,
        found.pads,
        rhs_dilation=found.rates,
        dimension_numbers=(data_format, letters + "IO", data_format),
        feature_group_count=found.groups,
        preferred_element_type=sum_type(x.dtype),
    )
    return out.astype(x.dtype)


def whole_as_channels(x_shape, w_shape, found, data_format):
    """The shapes of images and filters with the last axes that the filter covers whole, such as words' vectors, counted among the channels.

    A filter has one place along such an axis. Loops over wide filters take long, above all in the gradient of the image.
    """
    n = len(found.pads)
    whole = 0
    for i in reversed(range(n)):
        if w_shape[i] != x_shape[1 + i] or tuple(found.pads[i]) != (0, 0) or (found.rates[i] != 1 and w_shape[i] != 1):
            break
        whole += 1
    ones = (1,) * whole
    if not data_format.endswith("C") or found.groups != 1 or w_shape[n - whole : n] == ones:
        return tuple(x_shape), tuple(w_shape)
    depth = math.prod(w_shape[n - whole : -1])
    return (*x_shape[: 1 + n - whole], *ones, depth), (*w_shape[: n - whole], *ones, depth, w_shape[-1])


def sum_type(dtype):
    return None if dtype.itemsize > 2 else np.dtype(np.float32)


def check_strides(strides, dilations, data_format):
    for values, word in ((strides, "strides"), (dilations, "dilations")):
        outer = [v for i, v in enumerate(values) if i not in spatial_axes(data_format)]
        if any(v != 1 for v in outer):
            raise ValueError(f"Current implementation does not yet support {word} in the batch and depth dimensions.")


def transposed(function, shape, dtype, g, what):
    """The gradient `g` of a linear function pulled back to its argument, of `shape`."""
    want = jax.eval_shape(function, jax.ShapeDtypeStruct(shape, dtype)).shape
    if want != g.shape:
        raise ValueError(f"{what}: out_backprop has the shape {g.shape}, the forward convolution gives {want}")
    if 0 in shape or 0 in g.shape:
        return jnp.zeros(shape, dtype)
    (out,) = jax.linear_transpose(function, jax.ShapeDtypeStruct(shape, dtype))(g)
    return out


def conv_input_gradient(shape, w, g, *how):
    """The gradient of `convolve` with respect to its image of `shape`."""
    shape = tuple(int(n) for n in shape)
    return transposed(lambda x: convolve(x, w, *how), shape, g.dtype, g, "Conv gradient of the input")


def conv_filter_gradient(x, shape, g, *how):
    """The gradient of `convolve` with respect to its filter of `shape`."""
    shape = tuple(int(n) for n in shape)
    return transposed(lambda w: convolve(x, w, *how), shape, g.dtype, g, "Conv gradient of the filter")


# -- shapes


def _conv_dims(op, n):
    x, w = op.inputs[0].dims, op.inputs[1].dims
    attrs = op.attrs
    need_rank(op, x, n + 2)
    need_rank(op, w, n + 2)
    need_length(op, "strides", n + 2)
    need_length(op, "dilations", n + 2)
    form, padding = attrs["data_format"], attrs["padding"]
    explicit = attrs.get("explicit_paddings", [])
    _check_explicit(padding, explicit, form)
    x = x if x is not None else (None,) * (n + 2)
    w = w if w is not None else (None,) * (n + 2)
    depth, want = x[channel_axis(form)], w[-2]
    if depth is not None and want and depth % want:
        raise ValueError(
            f"Depth of input ({depth}) is not a multiple of input depth of filter ({want}) for '{op.name}' "
            f"(op: '{op.type}') with input shapes: {shapes.text(x)}, {shapes.text(w)}."
        )
    if depth is not None and want and depth != want and w[-1] is not None and w[-1] % (depth // want):
        raise ValueError(
            f"Depth of output ({w[-1]}) is not a multiple of the number of groups ({depth // want}) for '{op.name}'"
        )
    sizes = [
        static_output_size(s, k, st, padding, d, p)
        for s, k, st, d, p in zip(
            spatial(x, form),
            w[:n],
            spatial(attrs["strides"], form),
            spatial(attrs["dilations"], form),
            spatial_pads(explicit, form),
            strict=True,
        )
    ]
    return [arrange(x[0], sizes, w[-1], form)]


def _check_explicit(padding, explicit, data_format):
    if padding != "EXPLICIT":
        if explicit:
            raise ValueError("explicit_paddings attribute must be empty if the padding attribute is not EXPLICIT")
        return
    if len(explicit) != 2 * len(data_format):
        raise ValueError(
            f"explicit_paddings attribute must contain {2 * len(data_format)} values, but got: {len(explicit)}"
        )
    if any(p < 0 for p in explicit):
        raise ValueError(f"All elements of explicit_paddings must be nonnegative, got {explicit}")
    outer = [i for i in range(len(data_format)) if i not in spatial_axes(data_format)]
    if any(explicit[2 * i] or explicit[2 * i + 1] for i in outer):
        raise ValueError("Nonzero explicit padding in the batch or depth dimensions is not supported")


def _sizes_dims(rank, which):
    """The rule of a gradient op whose output's shape is one of its inputs."""

    def rule(op):
        dims = infer.partial_value(op.inputs[which])
        need_rank(op, dims, rank)
        if dims is None:
            dims = (None,) * rank
        return [dims]

    return rule


# -- two dimensions


@op("Conv2D", convolves=True)
def conv2d_op(
    input: T,
    filter: T,
    *,
    strides: list[int],
    use_cudnn_on_gpu: bool = True,
    padding: PADDING,
    explicit_paddings: list[int] = [],  # noqa: B006
    data_format: FORMAT = "NHWC",
    dilations: list[int] = [1, 1, 1, 1],  # noqa: B006
) -> T:
    """Images [batch, height, width, in] under filters [height, width, in, out]."""
    return convolve(input, filter, strides, padding, dilations, data_format, explicit_paddings)


conv2d_op.shape_rule(lambda op: _conv_dims(op, 2))


@op("Conv2DBackpropInput", convolves=True)
def conv2d_backprop_input_op(
    input_sizes: Static(int32),
    filter: T,
    out_backprop: T,
    *,
    strides: list[int],
    use_cudnn_on_gpu: bool = True,
    padding: PADDING,
    explicit_paddings: list[int] = [],  # noqa: B006
    data_format: FORMAT = "NHWC",
    dilations: list[int] = [1, 1, 1, 1],  # noqa: B006
) -> T:
    """The gradient of Conv2D with respect to its images, which have the shape `input_sizes`."""
    return conv_input_gradient(
        input_sizes, filter, out_backprop, strides, padding, dilations, data_format, explicit_paddings
    )


@op("Conv2DBackpropFilter", convolves=True)
def conv2d_backprop_filter_op(
    input: T,
    filter_sizes: Static(int32),
    out_backprop: T,
    *,
    strides: list[int],
    use_cudnn_on_gpu: bool = True,
    padding: PADDING,
    explicit_paddings: list[int] = [],  # noqa: B006
    data_format: FORMAT = "NHWC",
    dilations: list[int] = [1, 1, 1, 1],  # noqa: B006
) -> T:
    """The gradient of Conv2D with respect to its filters, which have the shape `filter_sizes`."""
    return conv_filter_gradient(
        input, filter_sizes, out_backprop, strides, padding, dilations, data_format, explicit_paddings
    )


conv2d_backprop_input_op.shape_rule(_sizes_dims(4, 0))
conv2d_backprop_filter_op.shape_rule(_sizes_dims(4, 1))


def _how(op):
    """The attrs that a convolution hands on to its gradient ops."""
    names = ("dilations", "strides", "padding", "explicit_paddings", "use_cudnn_on_gpu", "data_format")
    return {n: op.attrs[n] for n in names if n in op.attrs}


@conv2d_op.grad
def _(op, g):
    x, w = op.inputs
    x_shape, w_shape = array.shape_n([x, w])
    return (
        conv2d_backprop_input_op(x_shape, w, g, **_how(op)),
        conv2d_backprop_filter_op(x, w_shape, g, **_how(op)),
    )


@conv2d_backprop_input_op.grad
def _(op, g):
    _, w, dy = op.inputs
    return (
        None,
        conv2d_backprop_filter_op(g, array.shape(w), dy, **_how(op)),
        conv2d_op(g, w, **_how(op)),
    )


@conv2d_backprop_filter_op.grad
def _(op, g):
    x, _, dy = op.inputs
    return (
        conv2d_backprop_input_op(array.shape(x), g, dy, **_how(op)),
        None,
        conv2d_op(x, g, **_how(op)),
    )


# -- three dimensions


@op("Conv3D", convolves=True)
def conv3d_op(
    input: T,
    filter: T,
    *,
    strides: Min(list[int], 5),
    padding: PADDING3,
    data_format: FORMAT3 = "NDHWC",
    dilations: list[int] = [1, 1, 1, 1, 1],  # noqa: B006
) -> T:
    """Volumes [batch, depth, height, width, in] under filters [depth, height, width, in, out]."""
    return convolve(input, filter, strides, padding, dilations, data_format)


conv3d_op.shape_rule(lambda op: _conv_dims(op, 3))


for _op in (conv2d_op, conv3d_op):

    @_op.refuses
    def _(op):
        check_strides(*(op.attrs[name] for name in ("strides", "dilations", "data_format")))


Tshape = type_attr("Tshape", (int32, int64), int32)


@op("Conv3DBackpropInputV2", convolves=True)
def conv3d_backprop_input_op(
    input_sizes: Static(Tshape),
    filter: T,
    out_backprop: T,
    *,
    strides: Min(list[int], 5),
    padding: PADDING3,
    data_format: FORMAT3 = "NDHWC",
    dilations: list[int] = [1, 1, 1, 1, 1],  # noqa: B006
) -> T:
    """The gradient of Conv3D with respect to its volumes, which have the shape `input_sizes`."""
    return conv_input_gradient(input_sizes, filter, out_backprop, strides, padding, dilations, data_format)


@op("Conv3DBackpropFilterV2", convolves=True)
def conv3d_backprop_filter_op(
    input: T,
    filter_sizes: Static(int32),
    out_backprop: T,
    *,
    strides: Min(list[int], 5),
    padding: PADDING3,
    data_format: FORMAT3 = "NDHWC",
    dilations: list[int] = [1, 1, 1, 1, 1],  # noqa: B006
) -> T:
    """The gradient of Conv3D with respect to its filters, which have the shape `filter_sizes`."""
    return conv_filter_gradient(input, filter_sizes, out_backprop, strides, padding, dilations, data_format)


conv3d_backprop_input_op.shape_rule(_sizes_dims(5, 0))
conv3d_backprop_filter_op.shape_rule(_sizes_dims(5, 1))


@op("Conv3DBackpropInput", convolves=True)
def conv3d_backprop_input_v1(
    input: T3,
    filter: T3,
    out_backprop: T3,
    *,
    strides: Min(list[int], 5),
    padding: PADDING3,
    dilations: list[int] = [1, 1, 1, 1, 1],  # noqa: B006
) -> T3:
    """As Conv3DBackpropInputV2; the form of old graphs, which take the input for its shape."""
    return conv_input_gradient(input.shape, filter, out_backprop, strides, padding, dilations, "NDHWC")


@op("Conv3DBackpropFilter", convolves=True)
def conv3d_backprop_filter_v1(
    input: T3,
    filter: T3,
    out_backprop: T3,
    *,
    strides: Min(list[int], 5),
    padding: PADDING3,
    dilations: list[int] = [1, 1, 1, 1, 1],  # noqa: B006
) -> T3:
    """As Conv3DBackpropFilterV2; the form of old graphs, which take the filter for its shape."""
    return conv_filter_gradient(input, filter.shape, out_backprop, strides, padding, dilations, "NDHWC")


conv3d_backprop_input_v1.shape_rule(lambda op: [op.inputs[0].dims])
conv3d_backprop_filter_v1.shape_rule(lambda op: [op.inputs[1].dims])


@conv3d_op.grad
def _(op, g):
    x, w = op.inputs
    x_shape, w_shape = array.shape_n([x, w])
    return (
        conv3d_backprop_input_op(x_shape, w, g, **_how(op)),
        conv3d_backprop_filter_op(x, w_shape, g, **_how(op)),
    )


@conv3d_backprop_input_op.grad
def _(op, g):
    _, w, dy = op.inputs
    return (
        None,
        conv3d_backprop_filter_op(g, array.shape(w), dy, **_how(op)),
        conv3d_op(g, w, **_how(op)),
    )


@conv3d_backprop_filter_op.grad
def _(op, g):
    x, _, dy = op.inputs
    return (
        conv3d_backprop_input_op(array.shape(x), g, dy, **_how(op)),
        None,
        conv3d_op(x, g, **_how(op)),
    )
