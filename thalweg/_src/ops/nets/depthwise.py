"""Depthwise convolutions, which filter every channel on its own, and morphological dilation; with their gradient ops."""

import itertools

from thalweg._src.core import infer, shapes
from thalweg._src.core.dtypes import FLOATS, REALS, int32
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.opdef import Enum, Min, Outputs, Static, op, type_attr
from thalweg._src.ops.late import array
from thalweg._src.ops.nets.convolution import Layout, check_strides, sum_type, transposed
from thalweg._src.ops.nets.windows import (
    arrange,
    channel_axis,
    need_length,
    need_rank,
    output_size,
    pad_of,
    spatial,
    spatial_axes,
    static_output_size,
)

T = type_attr("T", FLOATS)
R = type_attr("T", REALS)
PADDING = Enum("SAME", "VALID")
FORMAT = Enum("NHWC", "NCHW")
RATES = [1, 1, 1, 1]
_MANY = 49  # filters of more elements are left to the compiler's own convolution


def depthwise_layout(x_shape, w_shape, strides, padding, data_format, dilations):
    """The layout of images of `x_shape` under filters of `w_shape`. Raises ValueError where they don't fit."""
    check_strides(strides, dilations, data_format)
    channels, multiplier = w_shape[2:]
    depth = x_shape[channel_axis(data_format)]
    if depth != channels:
        raise ValueError(f"input and filter must have the same depth: {depth} vs {channels}")
    sizes = [x_shape[i] for i in spatial_axes(data_format)]
    steps, rates = spatial(strides, data_format), spatial(dilations, data_format)
    each = list(zip(sizes, w_shape[:2], steps, rates, strict=True))
    counts = [output_size(n, k, s, padding, d) for n, k, s, d in each]
    pads = [pad_of(n, k, s, padding, d) for n, k, s, d in each]
    shape = arrange(x_shape[0], counts, channels * multiplier, data_format)
    return Layout(steps, pads, rates, tuple(shape), channels)


def depthwise(x, w, strides, padding, data_format, dilations):
    """Images under `w` [height, width, channels, multiplier]: channel c becomes channels c * multiplier ..."""
    steps, pads, rates, shape, _ = depthwise_layout(x.shape, w.shape, strides, padding, data_format, dilations)
    if 0 in shape or 0 in x.shape or 0 in w.shape:
        return jnp.zeros(shape, x.dtype)
    if w.shape[0] * w.shape[1] > _MANY:
        return _grouped(x, w, steps, pads, rates, data_format)
    return _shifted(x, w, steps, pads, rates, data_format, [shape[i] for i in spatial_axes(data_format)])


def _grouped(x, w, steps, pads, rates, data_format):
    filters = w.reshape(*w.shape[:2], 1, -1)
    out = lax.conv_general_dilated(
        x,
        filters,
        steps,
        pads,
        rhs_dilation=rates,
        dimension_numbers=(data_format, "HWIO", data_format),
        feature_group_count=w.shape[2],
        preferred_element_type=sum_type(x.dtype),
    )
    return out.astype(x.dtype)


def _shifted(x, w, steps, pads, rates, data_format, counts):
    """A sum over the filter's elements, each times a shifted image: one fused loop on a CPU, where groups are slow."""
    dtype = x.dtype
    axes, at = spatial_axes(data_format), channel_axis(data_format)
    wide = x.astype(sum_type(dtype) or dtype)
    config = [(0, 0, 0)] * 4
    for axis, (before, after) in zip(axes, pads, strict=True):
        config[axis] = (before, after, 0)
    padded = lax.pad(wide, jnp.zeros((), wide.dtype), config)
    out = 0
    for i, j in itertools.product(*(range(k) for k in w.shape[:2])):
        start, stop, stride = [0] * 4, list(padded.shape), [1] * 4
        for axis, o, rate, step, count in zip(axes, (i, j), rates, steps, counts, strict=True):
            start[axis], stop[axis], stride[axis] = o * rate, o * rate + (count - 1) * step + 1, step
        part = jnp.expand_dims(lax.slice(padded, start, stop, stride), at + 1)
        by = w[i, j].astype(wide.dtype)  # [channels, multiplier]
        out = out + part * (by if at == 3 else by[:, :, None, None])
    return out.reshape(*out.shape[:at], -1, *out.shape[at + 2 :]).astype(dtype)


def depthwise_by_input(shape, w, g, *how):
    """The gradient of `depthwise` with respect to its images of `shape`."""
    shape = tuple(int(n) for n in shape)
    return transposed(lambda x: depthwise(x, w, *how), shape, g.dtype, g, "Depthwise gradient of the input")


def depthwise_by_filter(x, shape, g, *how):
    """The gradient of `depthwise` with respect to its filters of `shape`."""
    shape = tuple(int(n) for n in shape)
    return transposed(lambda w: depthwise(x, w, *how), shape, g.dtype, g, "Depthwise gradient of the filter")


def depthwise_by_filter_in_turn(x, shape, g, strides, padding, data_format, dilations):
    """As `depthwise_by_filter`, for a CPU: image by image, with sums that stay in the cache, on whole vectors.

    One reduction of all takes seven times as long.
    """
    shape = tuple(int(n) for n in shape)
    if 0 in (*shape, *x.shape, *g.shape) or shape[0] * shape[1] > _MANY:
        return depthwise_by_filter(x, shape, g, strides, padding, data_format, dilations)
    steps, pads, rates, out_shape, _ = depthwise_layout(x.shape, shape, strides, padding, data_format, dilations)
    if out_shape != g.shape:
        raise ValueError(f"out_backprop has the shape {g.shape}, which the forward convolution does not give")
    dtype, wide = x.dtype, sum_type(x.dtype) or x.dtype
    if data_format == "NCHW":
        x, g = jnp.transpose(x, (0, 2, 3, 1)), jnp.transpose(g, (0, 2, 3, 1))
    padded = jnp.pad(x, [(0, 0), *pads, (0, 0)])
    g = g.reshape(*g.shape[:3], *shape[2:])
    offsets = list(itertools.product(range(shape[0]), range(shape[1])))

    def added(image, sums):
        own = lax.dynamic_index_in_dim(padded, image, 0, False).astype(wide)[:, :, :, None]
        up = lax.dynamic_index_in_dim(g, image, 0, False).astype(wide)
        out = []
        for total, offset in zip(sums, offsets, strict=True):
            start = [o * d for o, d in zip(offset, rates, strict=True)]
            stop = [a + (c - 1) * s + 1 for a, c, s in zip(start, g.shape[1:3], steps, strict=True)]
            part = lax.slice(own, (*start, 0, 0), (*stop, *own.shape[2:]), (*steps, 1, 1))
            out.append(total + part * up)
        return out

    sums = lax.fori_loop(0, x.shape[0], added, [jnp.zeros(g.shape[1:], wide)] * len(offsets))
    return jnp.stack([jnp.sum(total, (0, 1)) for total in sums]).reshape(shape).astype(dtype)


@op("DepthwiseConv2dNative", convolves=True)
def depthwise_conv2d_native_op(
    input: T,
    filter: T,
    *,
    strides: list[int],
    padding: PADDING,
    data_format: FORMAT = "NHWC",
    dilations: list[int] = RATES,
) -> T:
    """Images whose channels are filtered each on its own, by filters [height, width, channels, multiplier]."""
    return depthwise(input, filter, strides, padding, data_format, dilations)


@op("DepthwiseConv2dNativeBackpropInput", convolves=True)
def depthwise_conv2d_input_gradient(
    input_sizes: Static(int32),
    filter: T,
    out_backprop: T,
    *,
    strides: list[int],
    padding: PADDING,
    data_format: FORMAT = "NHWC",
    dilations: list[int] = RATES,
) -> T:
    """The gradient of DepthwiseConv2dNative with respect to its images, which have the shape `input_sizes`."""
    return depthwise_by_input(input_sizes, filter, out_backprop, strides, padding, data_format, dilations)


@op("DepthwiseConv2dNativeBackpropFilter", convolves=True)
def depthwise_conv2d_filter_gradient(
    input: T,
    filter_sizes: Static(int32),
    out_backprop: T,
    *,
    strides: list[int],
    padding: PADDING,
    data_format: FORMAT = "NHWC",
    dilations: list[int] = RATES,
) -> T:
    """The gradient of DepthwiseConv2dNative with respect to its filters, which have the shape `filter_sizes`."""
    return depthwise_by_filter(input, filter_sizes, out_backprop, strides, padding, data_format, dilations)


@depthwise_conv2d_native_op.shape_rule
def _(op):
    x, w = (t.dims for t in op.inputs)
    need_rank(op, x, 4)
    need_rank(op, w, 4)
    need_length(op, "strides", 4)
    form, padding = op.attrs["data_format"], op.attrs["padding"]
    x, w = x or (None,) * 4, w or (None,) * 4
    if shapes.merge((x[channel_axis(form)],), w[2:3]) is False:
        raise ValueError(
            f"Dimensions must be equal, but are {x[channel_axis(form)]} and {w[2]} for '{op.name}' (op: '{op.type}') "
            f"with input shapes: {shapes.text(x)}, {shapes.text(w)}."
        )
    depth = w[2] if w[2] is not None else x[channel_axis(form)]
    sizes = [
        static_output_size(n, k, s, padding, d)
        for n, k, s, d in zip(
            spatial(x, form),
            w[:2],
            spatial(op.attrs["strides"], form),
            spatial(op.attrs["dilations"], form),
            strict=True,
        )
    ]
    out = None if depth is None or w[3] is None else depth * w[3]
    return [arrange(x[0], sizes, out, form)]


def _given(which):
    def rule(op):
        dims = infer.partial_value(op.inputs[which])
        need_rank(op, dims, 4)
        return [(None,) * 4 if dims is None else dims]

    return rule


depthwise_conv2d_input_gradient.shape_rule(_given(0))
depthwise_conv2d_filter_gradient.shape_rule(_given(1))


def _how(op):
    return {n: op.attrs[n] for n in ("strides", "padding", "data_format", "dilations")}


@depthwise_conv2d_native_op.grad
def _(op, g):
    x, w = op.inputs
    return (
        depthwise_conv2d_input_gradient(array.shape(x), w, g, **_how(op)),
        depthwise_conv2d_filter_gradient(x, array.shape(w), g, **_how(op)),
    )


@depthwise_conv2d_input_gradient.grad
def _(op, g):
    _, w, dy = op.inputs
    return (
        None,
        depthwise_conv2d_filter_gradient(g, array.shape(w), dy, **_how(op)),
        depthwise_conv2d_native_op(g, w, **_how(op)),
    )


@depthwise_conv2d_filter_gradient.grad
def _(op, g):
    x, _, dy = op.inputs
    return (
        depthwise_conv2d_input_gradient(array.shape(x), g, dy, **_how(op)),
        None,
        depthwise_conv2d_native_op(x, g, **_how(op)),
    )


# -- dilation: the maximum of image plus filter


def _offsets(x, w, strides, rates, padding):
    """(counts, padded image, [(offset in the filter, slice of the image)])."""
    if x.ndim != 4 or w.ndim != 3:
        raise ValueError(f"input must be 4-dimensional and filter 3-dimensional: {x.shape}, {w.shape}")
    if x.shape[3] != w.shape[2]:
        raise ValueError(f"input and filter must have the same depth: {x.shape[3]} vs {w.shape[2]}")
    if strides[0] != 1 or strides[3] != 1 or rates[0] != 1 or rates[3] != 1:
        raise NotImplementedError("Stride and rate must be 1 in the batch and depth dimensions")
    each = list(zip(x.shape[1:3], w.shape[:2], strides[1:3], rates[1:3], strict=True))
    counts = [output_size(n, k, s, padding, d) for n, k, s, d in each]
    pads = [pad_of(n, k, s, padding, d) for n, k, s, d in each]
    return counts, pads, each


def _lowest(dtype):
    if jnp.issubdtype(dtype, jnp.floating):
        return jnp.finfo(dtype).min
    return jnp.iinfo(dtype).min


def dilate(x, w, strides, rates, padding):
    """max over (i, j) of x[.. stride + (i, j) rate ..] + w[i, j]; padding never wins."""
    counts, pads, each = _offsets(x, w, strides, rates, padding)
    shape = (x.shape[0], *counts, x.shape[3])
    if 0 in shape or 0 in x.shape:
        return jnp.zeros(shape, x.dtype)
    low = jnp.asarray(_lowest(x.dtype), x.dtype)
    padded = lax.pad(x, low, [(0, 0, 0), *((b, a, 0) for b, a in pads), (0, 0, 0)])
    inside = lax.pad(jnp.ones(x.shape[1:3], bool), jnp.asarray(False), [(b, a, 0) for b, a in pads])
    steps, rates = [s for _, _, s, _ in each], [d for _, _, _, d in each]
    reach = [(c - 1) * s + 1 for c, s in zip(counts, steps, strict=True)]

    def taken(best, i, j):
        start = (i * rates[0], j * rates[1])
        zero = jnp.zeros_like(start[0]) if isinstance(i, jax.Array) else 0
        part = lax.dynamic_slice(padded, (zero, *start, zero), (x.shape[0], *reach, x.shape[3]))
        ok = lax.dynamic_slice(inside, start, reach)[:: steps[0], :: steps[1], None]
        value = part[:, :: steps[0], :: steps[1]] + w[i, j]
        return jnp.where(ok & (value > best), value, best)

    best = jnp.full(shape, low)
    if w.shape[0] * w.shape[1] > _MANY:
        columns = w.shape[1]
        return lax.fori_loop(0, w.shape[0] * columns, lambda n, best: taken(best, n // columns, n % columns), best)
    for i, j in itertools.product(range(w.shape[0]), range(w.shape[1])):
        best = taken(best, i, j)
    return best


@op("Dilation2D")
def dilation2d_op(input: R, filter: R, *, strides: Min(list[int], 4), rates: Min(list[int], 4), padding: PADDING) -> R:
    """Grey-scale dilation of images by a filter [height, width, channels]."""
    return dilate(input, filter, strides, rates, padding)


@op("Dilation2DBackpropInput")
def dilation2d_input_gradient(
    input: R,
    filter: R,
    out_backprop: R,
    *,
    strides: Min(list[int], 4),
    rates: Min(list[int], 4),
    padding: PADDING,
) -> Outputs(in_backprop=R):
    """The gradient of Dilation2D with respect to its images: all of it goes to the first maximum."""
    _, back = jax.vjp(lambda x: dilate(x, filter, strides, rates, padding), input)
    return back(out_backprop)[0]


@op("Dilation2DBackpropFilter")
def dilation2d_filter_gradient(
    input: R,
    filter: R,
    out_backprop: R,
    *,
    strides: Min(list[int], 4),
    rates: Min(list[int], 4),
    padding: PADDING,
) -> Outputs(filter_backprop=R):
    """The gradient of Dilation2D with respect to its filter: all of it goes to the first maximum."""
    _, back = jax.vjp(lambda w: dilate(input, w, strides, rates, padding), filter)
    return back(out_backprop)[0]


@dilation2d_op.shape_rule
def _(op):
    x, w = (t.dims for t in op.inputs)
    need_rank(op, x, 4)
    need_rank(op, w, 3)
    for attr in ("strides", "rates"):
        need_length(op, attr, 4)
    x, w = x or (None,) * 4, w or (None,) * 3
    depth = shapes.merge(x[3:], w[2:])
    if depth is False:
        raise ValueError(
            f"Dimensions must be equal, but are {x[3]} and {w[2]} for '{op.name}' (op: '{op.type}') "
            f"with input shapes: {shapes.text(x)}, {shapes.text(w)}."
        )
    if None in (*x[1:3], *w[:2]):  # all or nothing, as there
        return [(x[0], None, None, *depth)]
    sizes = [
        static_output_size(x[1 + i], w[i], op.attrs["strides"][1 + i], op.attrs["padding"], op.attrs["rates"][1 + i])
        for i in (0, 1)
    ]
    return [(x[0], *sizes, *depth)]


dilation2d_input_gradient.shape_rule(lambda op: [op.inputs[0].dims])
dilation2d_filter_gradient.shape_rule(lambda op: [op.inputs[1].dims])


@dilation2d_op.grad
def _(op, g):
    how = {n: op.attrs[n] for n in ("strides", "rates", "padding")}
    return dilation2d_input_gradient(*op.inputs, g, **how), dilation2d_filter_gradient(*op.inputs, g, **how)
