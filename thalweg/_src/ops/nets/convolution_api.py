"""tf.nn's convolutions: the public functions over the ops of convolution.py."""

from thalweg._src.core import shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import formerly, named_at, renamed
from thalweg._src.ops.late import array
from thalweg._src.ops.nets.convolution import (
    conv2d_backprop_filter_op,
    conv2d_backprop_input_op,
    conv2d_op,
    conv3d_backprop_filter_op,
    conv3d_backprop_input_op,
    conv3d_op,
)
from thalweg._src.ops.nets.windows import explicit_padding, per_axis

ONES, ONES3 = [1, 1, 1, 1], [1, 1, 1, 1, 1]


def conv2d(
    input,
    filter=None,
    strides=None,
    padding=None,
    use_cudnn_on_gpu=True,
    data_format="NHWC",
    dilations=ONES,
    name=None,
    filters=None,
):
    """Images [batch, height, width, in] under filters [height, width, in, out].

    `strides`, `dilations`: a number, or a list of 1, 2 or 4. `padding`: "SAME", "VALID", or four pairs (before, after).
    Raises ValueError where the depths differ or no window fits.
    """
    filter = renamed("filters", filters, "filter", filter)
    padding, explicit = explicit_padding(padding)
    data_format = data_format or "NHWC"
    return conv2d_op(
        input,
        filter,
        strides=per_axis(strides, 2, data_format, "strides"),
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=per_axis(dilations, 2, data_format, "dilations"),
        name=name,
    )


def conv2d_backprop_filter(
    input,
    filter_sizes,
    out_backprop,
    strides,
    padding,
    use_cudnn_on_gpu=True,
    data_format="NHWC",
    dilations=ONES,
    name=None,
):
    """The gradient of `conv2d` with respect to its filters, which have the shape `filter_sizes`."""
    padding, explicit = explicit_padding(padding)
    return conv2d_backprop_filter_op(
        input,
        filter_sizes,
        out_backprop,
        strides=strides,
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def conv2d_backprop_input(
    input_sizes,
    filter=None,
    out_backprop=None,
    strides=None,
    padding=None,
    use_cudnn_on_gpu=True,
    data_format="NHWC",
    dilations=ONES,
    name=None,
    filters=None,
):
    """The gradient of `conv2d` with respect to its images, which have the shape `input_sizes`."""
    filter = renamed("filters", filters, "filter", filter)
    padding, explicit = explicit_padding(padding)
    return conv2d_backprop_input_op(
        input_sizes,
        filter,
        out_backprop,
        strides=strides,
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def conv2d_transpose(
    value=None,
    filter=None,
    output_shape=None,
    strides=None,
    padding="SAME",
    data_format="NHWC",
    name=None,
    input=None,
    filters=None,
    dilations=None,
):
    """The transpose of `conv2d`: images of `output_shape` from `value`, filters [height, width, out, in]."""
    value = renamed("input", input, "value", value)
    filter = renamed("filters", filters, "filter", filter)
    with name_scope(name, "conv2d_transpose", [value, filter, output_shape]) as scope:
        data_format = data_format or "NHWC"
        return conv2d_backprop_input_op(
            output_shape,
            filter,
            value,
            strides=per_axis(strides, 2, data_format, "strides"),
            padding=padding,
            data_format=data_format,
            dilations=per_axis(dilations, 2, data_format, "dilations"),
            name=scope,
        )


@formerly("input filter strides padding name", when=named_at(4))  # until 1.0
def conv3d(
    input,
    filter=None,
    strides=None,
    padding=None,
    data_format="NDHWC",
    dilations=ONES3,
    name=None,
    filters=None,
):
    """Volumes [batch, depth, height, width, in] under filters [depth, height, width, in, out]."""
    filter = renamed("filters", filters, "filter", filter)
    return conv3d_op(
        input, filter, strides=strides, padding=padding, data_format=data_format, dilations=dilations, name=name
    )


def conv3d_backprop_filter(
    input, filter_sizes, out_backprop, strides, padding, data_format="NDHWC", dilations=ONES3, name=None
):
    """The gradient of `conv3d` with respect to its filters, which have the shape `filter_sizes`."""
    return conv3d_backprop_filter_op(
        input,
        filter_sizes,
        out_backprop,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def conv3d_transpose(
    value,
    filter=None,
    output_shape=None,
    strides=None,
    padding="SAME",
    data_format="NDHWC",
    name=None,
    input=None,
    filters=None,
    dilations=None,
):
    """The transpose of `conv3d`: volumes of `output_shape` from `value`, filters [depth, height, width, out, in]."""
    filter = renamed("filters", filters, "filter", filter)
    value = renamed("input", input, "value", value)
    with name_scope(name, "conv3d_transpose", [value, filter, output_shape]) as scope:
        data_format = data_format or "NDHWC"
        return conv3d_backprop_input_op(
            output_shape,
            filter,
            value,
            strides=per_axis(strides, 3, data_format, "strides"),
            padding=padding,
            data_format=data_format,
            dilations=per_axis(dilations, 3, data_format, "dilations"),
            name=scope,
        )


_FORMATS_1D = {None: "NHWC", "NHWC": "NHWC", "NWC": "NHWC", "NCHW": "NCHW", "NCW": "NCHW"}


def _lifted_format(data_format, allowed):
    """(format of images, axis of the height that a signal gets)."""
    if data_format not in allowed:
        raise ValueError('data_format must be "NWC" or "NCW".')
    data_format = _FORMATS_1D[data_format]
    return data_format, data_format.index("H")


def conv1d(
    value=None,
    filters=None,
    stride=None,
    padding=None,
    use_cudnn_on_gpu=None,
    data_format=None,
    name=None,
    input=None,
    dilations=None,
):
    """Signals [batch, width, in] under filters [width, in, out]: `conv2d` with a height of one."""
    value = renamed("input", input, "value", value)
    with name_scope(name, "conv1d", [value, filters]) as scope:
        data_format, axis = _lifted_format(data_format, _FORMATS_1D)
        strides = [1, *per_axis(stride, 1, data_format, "stride")]
        dilations = [1, *per_axis(dilations, 1, data_format, "dilations")]
        value, filters = array.expand_dims(value, axis), array.expand_dims(filters, 0)
        result = conv2d_op(
            value,
            filters,
            strides=strides,
            padding=padding,
            use_cudnn_on_gpu=use_cudnn_on_gpu,
            data_format=data_format,
            dilations=dilations,
            name=scope,
        )
        return array.squeeze(result, [axis])


def conv1d_transpose(
    input, filters, output_shape, strides, padding="SAME", data_format="NWC", dilations=None, name=None
):
    """The transpose of `conv1d`: signals of `output_shape` from `input`, filters [width, out, in]."""
    with name_scope(name, "conv1d_transpose", [input, filters, output_shape]) as scope:
        data_format, axis = _lifted_format(data_format, (None, "NWC", "NCW"))
        strides = [1, *per_axis(strides, 1, data_format, "stride")]
        dilations = [1, *per_axis(dilations, 1, data_format, "dilations")]
        input, filters = array.expand_dims(input, axis), array.expand_dims(filters, 0)
        if not isinstance(output_shape, Tensor):
            output_shape = list(output_shape)
        sizes = array.concat([output_shape[:axis], [1], output_shape[axis:]], 0)
        result = conv2d_backprop_input_op(
            sizes,
            filters,
            input,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilations=dilations,
            name=scope,
        )
        return array.squeeze(result, axis)


def conv_transpose(input, filters, output_shape, strides, padding="SAME", data_format=None, dilations=None, name=None):
    """The transpose of `convolution`, of one to three spatial dimensions, as many as `output_shape` tells."""
    with name_scope(name, "conv_transpose", [input, filters, output_shape]) as scope:
        if isinstance(output_shape, Tensor):
            n = output_shape.shape[0] - 2
        elif hasattr(output_shape, "__len__"):
            n = len(output_shape) - 2
        else:
            raise ValueError("output_shape must be a tensor or sized collection.")
        if not 1 <= n <= 3:
            raise ValueError(f"output_shape must be of length 3, 4 or 5 but was {n + 2}.")
        call = (conv1d_transpose, conv2d_transpose, conv3d_transpose)[int(n) - 1]
        return call(
            input,
            filters,
            output_shape,
            strides,
            padding=padding,
            data_format=data_format,
            dilations=dilations,
            name=scope,
        )


def atrous_conv2d_transpose(value, filters, output_shape, rate, padding, name=None):
    """The transpose of `atrous_conv2d`: images of `output_shape` from `value`, filters [height, width, out, in]."""
    with name_scope(name, "atrous_conv2d_transpose", [value, filters, output_shape]):
        value, filters = to_tensor(value, None, "value"), to_tensor(filters, None, "filters")
        if not value.shape[3].is_compatible_with(filters.shape[3]):
            raise ValueError(
                f"value's input channels does not match filters' input channels, {value.shape[3]} != {filters.shape[3]}"
            )
        if rate < 1:
            raise ValueError(f"rate {rate} cannot be less than one")
        if rate == 1:
            return conv2d_transpose(value, filters, output_shape, strides=ONES, padding=padding, data_format="NHWC")
        sizes = to_tensor(output_shape, None, "output_shape")
        if not sizes.shape.is_compatible_with(shapes.TensorShape([4])):
            raise ValueError(f"output_shape must have shape (4,), got {sizes.shape}")
        if not isinstance(output_shape, Tensor) and not filters.shape[2].is_compatible_with(output_shape[3]):
            raise ValueError(
                f"output_shape does not match filter's output channels, {output_shape[3]} != {filters.shape[2]}"
            )
        if padding == "SAME":
            kernel = filters.dims if None not in filters.dims else array.shape(filters)
            full = [(kernel[i] - 1) * rate for i in (0, 1)]
        elif padding == "VALID":
            full = [0, 0]
        else:
            raise ValueError(f"padding must be either VALID or SAME: {padding}")
        before = [f // 2 for f in full]
        after = [f - b for f, b in zip(full, before, strict=True)]
        padded = [output_shape[1 + i] + full[i] for i in (0, 1)]
        extra = [(rate - p % rate) % rate for p in padded]
        value = array.space_to_batch(input=value, paddings=[[0, extra[0]], [0, extra[1]]], block_size=rate)
        inner = [
            rate * rate * output_shape[0],
            (padded[0] + extra[0]) // rate,
            (padded[1] + extra[1]) // rate,
            output_shape[3],
        ]
        value = conv2d_backprop_input_op(inner, filters, value, strides=ONES, padding="VALID", data_format="NHWC")
        crops = [[b, a + e] for b, a, e in zip(before, after, extra, strict=True)]
        return array.batch_to_space(input=value, crops=crops, block_size=rate)
