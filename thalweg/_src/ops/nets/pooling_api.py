"""tf.nn's pools: the public functions over the ops of pooling.py."""

import numpy as np

from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.ops.arguments import formerly, named_at, renamed
from thalweg._src.ops.late import array
from thalweg._src.ops.nets.pooling import (
    avg_pool3d_op,
    avg_pool_op,
    max_pool3d_op,
    max_pool_op,
    max_pool_with_argmax_op,
)
from thalweg._src.ops.nets.windows import per_axis


def _sized(pool, value, ksize, strides, padding, data_format, name):
    n = len(data_format) - 2
    return pool(
        value,
        ksize=per_axis(ksize, n, data_format, "ksize"),
        strides=per_axis(strides, n, data_format, "strides"),
        padding=padding,
        data_format=data_format,
        name=name,
    )


def avg_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The mean of every window of images [batch, height, width, channels]; padding does not count.

    `ksize`, `strides`: a number, or a list of 1, 2 or 4. Raises ValueError where no window fits.
    """
    with name_scope(name, "AvgPool", [value]) as scope:
        value = renamed("input", input, "value", value)
        return _sized(avg_pool_op, value, ksize, strides, padding, data_format or "NHWC", scope)


def max_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The maximum of every window of images [batch, height, width, channels].

    `ksize`, `strides`: a number, or a list of 1, 2 or 4. Raises ValueError where no window fits.
    """
    value = renamed("input", input, "value", value)
    with name_scope(name, "MaxPool", [value]) as scope:
        if np.any(np.equal(ksize, 0)):
            raise ValueError("ksize cannot be zero.")
        return _sized(max_pool_op, value, ksize, strides, padding, data_format or "NHWC", scope)


def max_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """As `max_pool`."""
    with name_scope(name, "MaxPool2d", [input]) as scope:
        return _sized(max_pool_op, input, ksize, strides, padding, data_format or "NHWC", scope)


@formerly("input ksize strides padding name", when=named_at(4))  # until 1.0
def avg_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    """The mean of every window of volumes [batch, depth, height, width, channels]."""
    with name_scope(name, "AvgPool3D", [input]) as scope:
        return _sized(avg_pool3d_op, input, ksize, strides, padding, data_format or "NDHWC", scope)


@formerly("input ksize strides padding name", when=named_at(4))  # until 1.0
def max_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    """The maximum of every window of volumes [batch, depth, height, width, channels]."""
    with name_scope(name, "MaxPool3D", [input]) as scope:
        return _sized(max_pool3d_op, input, ksize, strides, padding, data_format or "NDHWC", scope)


def _lifted(pool, input, ksize, strides, padding, data_format, name, default):
    with name_scope(name, default, [input]) as scope:
        data_format = data_format or "NWC"
        ksize = [1, *per_axis(ksize, 1, data_format, "ksize")]
        strides = [1, *per_axis(strides, 1, data_format, "strides")]
        axis = 1 if data_format == "NWC" else 2
        images = array.expand_dims(input, axis)
        form = "NHWC" if data_format == "NWC" else "NCHW"
        result = pool(images, ksize=ksize, strides=strides, padding=padding, data_format=form, name=scope)
        return array.squeeze(result, axis)


def avg_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    """The mean of every window of signals [batch, width, channels]."""
    return _lifted(avg_pool_op, input, ksize, strides, padding, data_format, name, "AvgPool1D")


def max_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    """The maximum of every window of signals [batch, width, channels]."""
    return _lifted(max_pool_op, input, ksize, strides, padding, data_format, name, "MaxPool1d")


def _of_rank(pools, input, ksize, strides, padding, data_format, name):
    rank = TensorShape(input.shape).ndims
    if rank is not None:
        n = rank - 2
    elif data_format is not None:
        n = len(data_format) - 2
    else:
        raise ValueError("The input must have a rank or a data format must be given.")
    if not 1 <= n <= 3:
        raise ValueError(f"Input tensor must be of rank 3, 4 or 5 but was {n + 2}.")
    ksize = per_axis(ksize, n, data_format, "ksize")
    strides = per_axis(strides, n, data_format, "strides")
    return pools[n - 1](input, ksize=ksize, strides=strides, padding=padding, data_format=data_format, name=name)


def avg_pool_v2(input, ksize, strides, padding, data_format=None, name=None):
    """The mean of every window of signals, images or volumes, as the rank of `input` tells."""
    return _of_rank((avg_pool1d, avg_pool_op, avg_pool3d_op), input, ksize, strides, padding, data_format, name)


def max_pool_v2(input, ksize, strides, padding, data_format=None, name=None):
    """The maximum of every window of signals, images or volumes, as the rank of `input` tells."""
    return _of_rank((max_pool1d, max_pool_op, max_pool3d_op), input, ksize, strides, padding, data_format, name)


def max_pool_with_argmax(
    input,
    ksize,
    strides,
    padding,
    data_format="NHWC",
    Targmax=None,
    name=None,
    output_dtype=None,
    include_batch_in_index=False,
):
    """The maximum of every window, and its index into the flattened image (or batch, with `include_batch_in_index`)."""
    if data_format != "NHWC":
        raise ValueError("Data formats other than 'NHWC' are not yet supported")
    return max_pool_with_argmax_op(
        input,
        ksize=ksize,
        strides=strides,
        padding=padding,
        Targmax=renamed("output_dtype", output_dtype, "Targmax", Targmax),
        include_batch_in_index=include_batch_in_index,
        name=name,
    )
