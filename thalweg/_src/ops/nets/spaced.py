"""Convolutions and pools of any number of spatial dimensions, with holes: by space_to_batch, as TensorFlow builds them."""

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int32
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import formerly, named_at, renamed
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import convolution_api, pooling_api
from thalweg._src.ops.nets.convolution import conv2d_op, conv3d_op
from thalweg._src.ops.nets.depthwise import RATES, depthwise_conv2d_native_op, dilation2d_op
from thalweg._src.ops.nets.depthwise import depthwise_conv2d_filter_gradient as filter_gradient
from thalweg._src.ops.nets.depthwise import depthwise_conv2d_input_gradient as input_gradient
from thalweg._src.ops.nets.windows import per_axis


def _channels_first(data_format):
    return data_format is not None and data_format.startswith("NC")


class _Spaced:
    """`op` on an image whose pixels at a distance of `rate` are brought side by side, and back.

    `build(n, padding)` gives a function of (image, filter); it works on what has no holes.
    """

    def __init__(self, input_shape, rate, padding, build, filter_shape=None, spatial_dims=None, data_format=None):
        rate = to_tensor(rate, int32, "dilation_rate")
        dims = rate.dims
        if dims is None or len(dims) != 1:
            raise ValueError("rate must be rank 1")
        if dims[0] is None:
            raise ValueError("rate must have known shape")
        n = dims[0]
        start = 2 if _channels_first(data_format) else 1
        given = list(range(start, n + start) if spatial_dims is None else spatial_dims)
        spatial = sorted({int(d) for d in given})
        if spatial != given or any(d < 1 for d in spatial):
            raise ValueError("spatial_dims must be a monotonically increasing sequence of positive integers")
        need = spatial[-1] + (0 if _channels_first(data_format) else 1)
        if input_shape.ndims is not None and input_shape.ndims < need:
            raise ValueError(f"input tensor must have rank {need} at least")
        known = infer.constant_value(rate)
        if known is not None:
            if np.any(known < 1):
                raise ValueError("dilation_rate must be positive")
            if np.all(known == 1):
                self._call = build(n, padding)
                return
        self._base, self._n, self._rate = None, n, rate if known is None else known
        if padding == "SAME":
            if filter_shape is None:
                raise ValueError("filter_shape must be specified for SAME padding")
            sizes = infer.constant_value(to_tensor(filter_shape, None, "filter_shape"))
            if sizes is not None:
                self._base = _full_padding(sizes, n, self._rate)
        elif padding == "VALID":
            self._base = np.zeros([n, 2], np.int32)
        else:
            raise ValueError(f"Invalid padding method {padding!r}")
        self._shape, self._spatial, self._rate_tensor, self._format = input_shape, spatial, rate, data_format
        self._op = build(n, "VALID")
        self._call = self._apart

    def __call__(self, x, w):
        return self._call(x, w)

    def _apart(self, x, w):
        sizes = None
        if self._shape.ndims is not None:
            sizes = [self._shape.as_list()[i] for i in self._spatial]
        if sizes is None or None in sizes:
            whole = array.shape(x)
            sizes = array.stack([whole[i] for i in self._spatial])
        base = self._base if self._base is not None else _full_padding(array.shape(w), self._n, self._rate)
        paddings, crops = array.required_space_to_batch_paddings(
            input_shape=sizes, base_paddings=base, block_shape=self._rate_tensor
        )
        rate = _with_gaps(self._rate_tensor, 1, self._spatial)
        paddings, crops = _with_gaps(paddings, 0, self._spatial), _with_gaps(crops, 0, self._spatial)
        near = array.space_to_batch_nd(input=x, block_shape=rate, paddings=paddings)
        out = array.batch_to_space_nd(input=self._op(near, w), block_shape=rate, crops=crops)
        if _channels_first(self._format) and w is not None and out.dims is not None and not out.dims[1]:
            out.set_shape([out.dims[0], w.dims[-1], *out.dims[2:]])
        return out


def _full_padding(filter_shape, n, rate):
    """What SAME needs around an image for a filter with holes: pairs, the odd one at the end."""
    sizes = filter_shape[:n]
    extra = sizes + (sizes - 1) * (rate - 1) - 1
    before = extra // 2
    after = extra - before
    return array.stack([[before[i], after[i]] for i in range(n)])


def _with_gaps(values, fill, spatial):
    """`values`, one row per spatial dimension, with rows of `fill` for the dimensions between them."""
    known = infer.constant_value(values)
    rest = values.shape.as_list()[1:]
    parts, last, i = [], 0, 0
    while i < len(spatial):
        start, first = i, spatial[i]
        if first > 1:
            parts.append(np.full([first - 1 - last, *rest], fill, values.dtype.as_numpy_dtype))
        while i + 1 < len(spatial) and spatial[i + 1] == spatial[i] + 1:
            i += 1
        parts.append((values if known is None else known)[start : i + 1])
        last = spatial[i]
        i += 1
    return np.concatenate(parts) if known is not None else array.concat(parts, 0)


def with_space_to_batch(input, dilation_rate, padding, op, filter_shape=None, spatial_dims=None, data_format=None):
    """`op(input, number of spatial dimensions, padding)` on an image with holes of `dilation_rate` between its pixels."""
    input = to_tensor(input, None, "input")
    build = lambda n, padding: lambda x, _: op(x, n, padding)
    call = _Spaced(input.shape, dilation_rate, padding, build, filter_shape, spatial_dims, data_format)
    return call(input, None)


# -- convolution


def _strides_and_rate(n, strides, rate):
    rate = [1] * n if rate is None else rate
    if len(rate) != n:
        raise ValueError(f"len(dilation_rate)={len(rate)} but should be {n}")
    rate = np.array(rate, np.int32)
    if np.any(rate < 1):
        raise ValueError("all values of dilation_rate must be positive")
    strides = [1] * n if strides is None else strides
    if len(strides) != n:
        raise ValueError(f"len(strides)={len(strides)} but should be {n}")
    strides = np.array(strides, np.int32)
    if np.any(strides < 1):
        raise ValueError("all values of strides must be positive")
    if np.any(strides > 1) and np.any(rate > 1):
        raise ValueError("strides > 1 not supported in conjunction with dilation_rate > 1")
    return strides, rate


def _plain(n, strides, padding, data_format, name):
    """A convolution without holes of n spatial dimensions: a function of (image, filter)."""
    if n == 1:
        form = data_format or "NWC"
        return lambda x, w: convolution_api.conv1d(
            x, w, stride=int(strides[0]), padding=padding, data_format=form, name=name
        )
    form = data_format or ("NHWC" if n == 2 else "NDHWC")
    steps = per_axis([int(s) for s in strides], n, form, "strides")
    call = convolution_api.conv2d if n == 2 else conv3d_op
    return lambda x, w: call(x, w, strides=steps, padding=padding, data_format=form, name=name)


class Convolution:
    """`convolution` of images and filters of known shapes, as an object: call it with (input, filter).

    Raises ValueError where the ranks or the depths do not fit.
    """

    def __init__(
        self, input_shape, filter_shape, padding, strides=None, dilation_rate=None, name=None, data_format=None
    ):
        rank = filter_shape.ndims if filter_shape.ndims is not None else input_shape.ndims
        if rank is None:
            raise ValueError("rank of input or filter must be known")
        for shape, word in ((input_shape, "input"), (filter_shape, "filter")):
            if shape.ndims not in (None, rank):
                raise ValueError(f"{word} tensor must have rank {rank}")
        n = rank - 2
        first = _channels_first(data_format)
        at = 1 if first else n + 1
        depth = shapes.Dimension(None) if input_shape.ndims is None else input_shape[at]
        want = shapes.Dimension(None) if filter_shape.ndims is None else filter_shape[n]
        if not depth.is_compatible_with(want):
            raise ValueError(
                f"number of input channels does not match corresponding dimension of filter, {depth} != {want}"
            )
        strides, rate = _strides_and_rate(n, strides, dilation_rate)
        self.input_shape, self.filter_shape, self.padding = input_shape, filter_shape, padding
        self.strides, self.dilation_rate, self.name, self.data_format = strides, rate, name, data_format
        spatial = range(2, n + 2) if first else range(1, n + 1)
        build = lambda n, padding: _plain(n, strides, padding, data_format, name)
        self.conv_op = _Spaced(input_shape, rate, padding, build, filter_shape, spatial, data_format)

    def __call__(self, inp, filter):
        return self.conv_op(inp, filter)


def _shape_of(value):
    shape = getattr(value, "shape", None)
    return shapes.as_shape(np.shape(value) if shape is None else shape)


def convolution(
    input,
    filter,
    padding,
    strides=None,
    dilation_rate=None,
    name=None,
    data_format=None,
    filters=None,
    dilations=None,
):
    """The convolution of one to three spatial dimensions, as many as the rank of `input` tells.

    `strides` or `dilation_rate` may be more than one, not both. Raises ValueError where ranks or depths do not fit.
    """
    filter = renamed("filters", filters, "filter", filter)
    rate = renamed("dilations", dilations, "dilation_rate", dilation_rate)
    rank = _shape_of(input).ndims
    rank = _shape_of(filter).ndims if rank is None else rank
    if rank is None:
        raise ValueError("rank of input or filter must be known")
    n = rank - 2
    if not 1 <= n <= 3:
        raise ValueError(f"Input tensor must be of rank 3, 4 or 5 but was {rank}.")
    form = data_format if data_format is not None else "N" + "DHW"[-n:] + "C"
    strides, rates = per_axis(strides, n, form, "strides"), per_axis(rate, n, form, "dilations")
    with name_scope(name, "convolution", [input, filter]) as scope:
        if all(i == 1 for i in rates):
            if n == 1:
                return convolution_api.conv1d(
                    input, filter, strides, padding=padding, data_format=data_format, dilations=rates, name=scope
                )
            call = conv2d_op if n == 2 else conv3d_op
            return call(
                input, filter, strides=strides, padding=padding, data_format=data_format, dilations=rates, name=scope
            )
        inner = slice(2, None) if _channels_first(data_format) else slice(1, -1)
        input, filter = to_tensor(input, None, "input"), to_tensor(filter, None, "filter")
        call = Convolution(
            input.shape,
            filter.shape,
            padding,
            strides=strides[inner],
            dilation_rate=rates[inner],
            name=scope,
            data_format=data_format,
        )
        return call(input, filter)


def atrous_conv2d(value, filters, rate, padding, name=None):
    """`conv2d` with `rate` - 1 holes between the elements of the filters along height and width."""
    return convolution(
        input=value, filter=filters, padding=padding, dilation_rate=np.broadcast_to(rate, (2,)), name=name
    )


# -- pool


def pool(
    input,
    window_shape,
    pooling_type,
    padding,
    dilation_rate=None,
    strides=None,
    name=None,
    data_format=None,
    dilations=None,
):
    """The maximum ("MAX") or mean ("AVG") of every window, of one to three spatial dimensions.

    Raises ValueError for other types, for strides beyond the window, and for SAME padding together with dilation.
    """
    rate = renamed("dilations", dilations, "dilation_rate", dilation_rate)
    with name_scope(name, f"{pooling_type.lower()}_pool", [input]) as scope:
        input = to_tensor(input, None, "input")
        n = len(window_shape)
        if not 1 <= n <= 3:
            raise ValueError("It is required that 1 <= num_spatial_dims <= 3.")
        input.shape.with_rank(n + 2)
        strides, rate = _strides_and_rate(n, strides, rate)
        if padding == "SAME" and np.any(rate > 1):
            raise ValueError("pooling with SAME padding is not implemented for dilation_rate > 1")
        if np.any(strides > window_shape):
            raise ValueError(
                "strides > window_shape not supported due to inconsistency between CPU and GPU implementations"
            )
        if pooling_type not in ("MAX", "AVG"):
            raise ValueError(f"{n}-D {pooling_type} pooling is not supported.")
        names = {"MAX": ("max_pool", "max_pool3d"), "AVG": ("avg_pool", "avg_pool3d")}[pooling_type]
        call = getattr(pooling_api, names[n == 3])
        first = _channels_first(data_format)
        ones = ([1, 1], []) if first else ([1], [1])
        ksize = [*ones[0], *(int(k) for k in window_shape), *ones[1]]
        steps = [*ones[0], *(int(s) for s in strides), *ones[1]]
        spatial = range(2, n + 2) if first else range(1, n + 1)
        form = data_format
        if n == 1:
            if data_format not in (None, "NWC", "NCW"):
                raise ValueError('data_format must be either "NWC" or "NCW".')
            form, ksize, steps = "NCHW" if first else "NHWC", [1, *ksize], [1, *steps]

        def op(x, _, padding):
            if n == 1:
                x = array.expand_dims(x, spatial[0])
            out = call(x, ksize, steps, padding, name=scope, data_format=form)
            return array.squeeze(out, [spatial[0]]) if n == 1 else out

        return with_space_to_batch(
            input=input, dilation_rate=rate, padding=padding, op=op, spatial_dims=spatial, filter_shape=window_shape
        )


# -- depthwise


@formerly("input filter strides padding name", when=named_at(4))  # until 0.12
def depthwise_conv2d(input, filter, strides, padding, rate=None, name=None, data_format=None, dilations=None):
    """Images whose channels are filtered each on its own: filters [height, width, channels, multiplier].

    The output has channels * multiplier channels. `rate` puts holes into the filters.
    """
    rate = renamed("dilations", dilations, "rate", rate)
    with name_scope(name, "depthwise", [input, filter]) as scope:
        input, filter = to_tensor(input, None, "tensor_in"), to_tensor(filter, None, "filter_in")
        op = lambda x, _, padding: depthwise_conv2d_native(
            x, filter, strides, padding, data_format=data_format, name=scope
        )
        return with_space_to_batch(
            input=input,
            filter_shape=array.shape(filter),
            dilation_rate=[1, 1] if rate is None else rate,
            padding=padding,
            data_format=data_format,
            op=op,
        )


@formerly("input depthwise_filter pointwise_filter strides padding name", when=named_at(5))  # until 0.12
def separable_conv2d(
    input,
    depthwise_filter,
    pointwise_filter,
    strides,
    padding,
    rate=None,
    name=None,
    data_format=None,
    dilations=None,
):
    """`depthwise_conv2d`, whose channels are then mixed by `pointwise_filter` [1, 1, channels * multiplier, out]."""
    rate = renamed("dilations", dilations, "rate", rate)
    with name_scope(name, "separable_conv2d", [input, depthwise_filter, pointwise_filter]) as scope:
        input = to_tensor(input, None, "tensor_in")
        depthwise_filter = to_tensor(depthwise_filter, None, "depthwise_filter")
        pointwise_filter = to_tensor(pointwise_filter, None, "pointwise_filter")
        mixing = pointwise_filter.shape.with_rank(4)
        for i in (0, 1):
            mixing[i].assert_is_compatible_with(1)
        op = lambda x, _, padding: depthwise_conv2d_native(
            x, depthwise_filter, strides, padding, data_format=data_format, name="depthwise"
        )
        each = with_space_to_batch(
            input=input,
            filter_shape=array.shape(depthwise_filter),
            dilation_rate=[1, 1] if rate is None else rate,
            padding=padding,
            data_format=data_format,
            op=op,
        )
        return convolution_api.conv2d(
            each, pointwise_filter, [1, 1, 1, 1], padding="VALID", data_format=data_format, name=scope
        )


def depthwise_conv2d_native(input, filter, strides, padding, data_format="NHWC", dilations=RATES, name=None):
    """The op DepthwiseConv2dNative; see `depthwise_conv2d`."""
    return depthwise_conv2d_native_op(
        input, filter, strides=strides, padding=padding, data_format=data_format, dilations=dilations, name=name
    )


def depthwise_conv2d_backprop_input(
    input_sizes, filter, out_backprop, strides, padding, data_format="NHWC", dilations=RATES, name=None
):
    """The gradient of `depthwise_conv2d_native` with respect to its images, which have the shape `input_sizes`."""
    return input_gradient(
        input_sizes,
        filter,
        out_backprop,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def depthwise_conv2d_backprop_filter(
    input, filter_sizes, out_backprop, strides, padding, data_format="NHWC", dilations=RATES, name=None
):
    """The gradient of `depthwise_conv2d_native` with respect to its filters, which have the shape `filter_sizes`."""
    return filter_gradient(
        input,
        filter_sizes,
        out_backprop,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


# -- dilation and erosion


def dilation2d(input, filter=None, strides=None, rates=None, padding=None, name=None, filters=None, dilations=None):
    """Grey-scale dilation of images by a filter [height, width, channels]: the maximum of image plus filter."""
    filter = renamed("filters", filters, "filter", filter)
    rates = renamed("dilations", dilations, "rates", rates)
    return dilation2d_op(input, filter, strides=strides, rates=rates, padding=padding, name=name)


def erosion2d(value, kernel, strides, rates, padding, name=None):
    """Grey-scale erosion of images by a kernel [height, width, channels]: the minimum of image less kernel."""
    with name_scope(name, "erosion2d", [value, kernel]) as scope:
        mirrored = array.reverse_v2(kernel, [0, 1])
        return math.negative(
            dilation2d_op(math.negative(value), mirrored, strides=strides, rates=rates, padding=padding, name=scope)
        )
