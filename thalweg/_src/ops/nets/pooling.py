"""Pools of images and volumes: ops, their gradients, and tf.nn's functions over them."""

import numpy as np

from thalweg._src.core import infer
from thalweg._src.core.dtypes import (
    FLOATS,
    REALS,
    bfloat16,
    float16,
    float32,
    int8,
    int16,
    int32,
    int64,
    qint8,
    uint8,
    uint16,
)
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Enum, Min, Outputs, Static, op, type_attr
from thalweg._src.ops.arrays.constants import zeros
from thalweg._src.ops.basic import stop_gradient
from thalweg._src.ops.late import array
from thalweg._src.ops.nets import pool_windows as windows
from thalweg._src.ops.nets.pool_windows import Pool
from thalweg._src.ops.nets.windows import need_length, need_rank, static_output_size

M = type_attr("T", (*FLOATS, int8, int16, int32, int64, qint8, uint8, uint16), float32)
F = type_attr("T", FLOATS)
R = type_attr("T", REALS)
R1 = type_attr("T", REALS, float32)
F3 = type_attr("T", (float16, bfloat16, float32))
F3D = type_attr("T", (float16, bfloat16, float32), float32)
TInput = type_attr("TInput", (float16, bfloat16, float32), float32)
Targmax = type_attr("Targmax", (int32, int64), int64)
Targmax_given = type_attr("Targmax", (int32, int64))
SIZES, SIZES3 = Min(list[int], 4), Min(list[int], 5)
PADDING = Enum("SAME", "VALID")
FORMAT, FORMAT_V = Enum("NHWC", "NCHW"), Enum("NHWC", "NCHW", "NCHW_VECT_C")
FORMAT3 = Enum("NDHWC", "NCDHW")


# -- checks and shapes


def pool_over(shape, ksize, strides, padding, data_format="NHWC"):
    """The windows of a pool, checked as TensorFlow's kernels do."""
    if data_format == "NCHW_VECT_C":
        raise NotImplementedError("pools of NCHW_VECT_C, a format of cuDNN's int8 kernels")
    _refuse_batch(ksize, strides, data_format)
    channels = data_format.index("C")
    if ksize[channels] != 1:
        if any(ksize[i] != 1 for i in range(len(ksize)) if i != channels):
            raise NotImplementedError(
                "MaxPooling supports exactly one of pooling across depth or pooling across width/height."
            )
        if shape[channels] % ksize[channels]:
            raise NotImplementedError(
                "Depthwise max pooling requires the depth window to evenly divide the input depth"
            )
        if ksize[channels] != strides[channels]:
            raise NotImplementedError("Depthwise max pooling requires the depth window to equal the depth stride")
    return Pool.over(shape, ksize, strides, padding)


def _refuse_batch(ksize, strides, data_format):
    batch = data_format.index("N")
    if ksize[batch] != 1 or strides[batch] != 1:
        raise NotImplementedError("Pooling is not yet supported on the batch dimension.")


def _pool_dims(op, rank, ksize=None, strides=None):
    dims = op.inputs[0].dims
    need_rank(op, dims, rank)
    if ksize is None:
        for attr in ("ksize", "strides"):
            need_length(op, attr, rank)
        ksize, strides = op.attrs["ksize"], op.attrs["strides"]
    dims = dims if dims is not None else (None,) * rank
    return tuple(
        static_output_size(n, k, s, op.attrs["padding"]) if (k, s) != (1, 1) else n
        for n, k, s in zip(dims, ksize, strides, strict=True)
    )


def _first_dims(rank):
    def rule(op):
        need_rank(op, op.inputs[0].dims, rank)
        return [op.inputs[0].dims if op.inputs[0].dims is not None else (None,) * rank]

    return rule


def _second_dims(rank):
    def rule(op):
        dims = op.inputs[1].dims
        need_rank(op, dims, rank)
        return [dims if dims is not None else (None,) * rank]

    return rule


def _given_dims(rank):
    def rule(op):
        dims = infer.partial_value(op.inputs[0])
        need_rank(op, dims, rank)
        return [dims if dims is not None else (None,) * rank]

    return rule


def _attrs(op):
    names = ("ksize", "strides", "padding", "data_format", "include_batch_in_index")
    return {n: op.attrs[n] for n in names if n in op.attrs}


def _zeros_of(x):
    return zeros(array.shape(x), x.dtype)


# -- maximum


@op("MaxPool")
def max_pool_op(input: M, *, ksize: SIZES, strides: SIZES, padding: PADDING, data_format: FORMAT_V = "NHWC") -> M:
    """The maximum of every window of `ksize`."""
    return windows.max_pool_of(input, pool_over(input.shape, ksize, strides, padding, data_format))


max_pool_op.shape_rule(lambda op: [_pool_dims(op, 4)])


@op("MaxPoolGrad")
def max_pool_grad(
    orig_input: R1,
    orig_output: R1,
    grad: R1,
    *,
    ksize: SIZES,
    strides: SIZES,
    padding: PADDING,
    data_format: FORMAT = "NHWC",
) -> R1:
    """`grad` at the first maximum of its window."""
    return windows.max_pool_gradient(
        orig_input, grad, pool_over(orig_input.shape, ksize, strides, padding, data_format)
    )


@op("MaxPoolGradGrad")
def max_pool_grad_grad(
    orig_input: R,
    orig_output: R,
    grad: R,
    *,
    ksize: SIZES,
    strides: SIZES,
    padding: PADDING,
    data_format: FORMAT = "NHWC",
) -> R:
    """The element of `grad`, an image like `orig_input`, at the first maximum of every window."""
    return windows.at_max(orig_input, grad, pool_over(orig_input.shape, ksize, strides, padding, data_format))


@op("MaxPoolV2")
def max_pool_v2_op(
    input: M, ksize: Static(int32), strides: Static(int32), *, padding: PADDING, data_format: FORMAT_V = "NHWC"
) -> M:
    """As MaxPool, windows and strides given as tensors."""
    return windows.max_pool_of(input, pool_over(input.shape, ksize, strides, padding, data_format))


@op("MaxPoolGradV2")
def max_pool_grad_v2(
    orig_input: R1,
    orig_output: R1,
    grad: R1,
    ksize: Static(int32),
    strides: Static(int32),
    *,
    padding: PADDING,
    data_format: FORMAT = "NHWC",
) -> R1:
    """As MaxPoolGrad, windows and strides given as tensors."""
    return windows.max_pool_gradient(
        orig_input, grad, pool_over(orig_input.shape, ksize, strides, padding, data_format)
    )


@op("MaxPoolGradGradV2")
def max_pool_grad_grad_v2(
    orig_input: R,
    orig_output: R,
    grad: R,
    ksize: Static(int32),
    strides: Static(int32),
    *,
    padding: PADDING,
    data_format: FORMAT = "NHWC",
) -> R:
    """As MaxPoolGradGrad, windows and strides given as tensors."""
    return windows.at_max(orig_input, grad, pool_over(orig_input.shape, ksize, strides, padding, data_format))


for _back in (max_pool_grad, max_pool_grad_v2):
    _back.shape_rule(_first_dims(4))
for _forth in (max_pool_grad_grad, max_pool_grad_grad_v2):
    _forth.shape_rule(_second_dims(4))


@max_pool_v2_op.shape_rule
def _(op):
    ksize, strides = (infer.constant_value(t) for t in op.inputs[1:])
    if ksize is None or strides is None:
        need_rank(op, op.inputs[0].dims, 4)
        return [(None,) * 4]
    return [_pool_dims(op, 4, ksize, strides)]


@max_pool_op.grad
def _(op, g):
    return max_pool_grad(op.inputs[0], op.outputs[0], g, **_attrs(op))


@max_pool_grad.grad
def _(op, g):
    x, y, _ = op.inputs
    return _zeros_of(x), _zeros_of(y), max_pool_grad_grad(x, y, g, **_attrs(op))


@max_pool_grad_grad.grad
def _(op, g):
    x, y, _ = op.inputs
    return _zeros_of(x), _zeros_of(y), max_pool_grad(x, y, g, **_attrs(op))


@max_pool_v2_op.grad
def _(op, g):
    x, ksize, strides = op.inputs
    return max_pool_grad_v2(x, op.outputs[0], g, ksize, strides, **_attrs(op)), None, None


@max_pool_grad_v2.grad
def _(op, g):
    x, y, _, ksize, strides = op.inputs
    return _zeros_of(x), _zeros_of(y), max_pool_grad_grad_v2(x, y, g, ksize, strides, **_attrs(op)), None, None


@max_pool_grad_grad_v2.grad
def _(op, g):
    x, y, _, ksize, strides = op.inputs
    return _zeros_of(x), _zeros_of(y), max_pool_grad_v2(x, y, g, ksize, strides, **_attrs(op)), None, None


# -- maximum and its place


def _starts(shape, include_batch):
    """Where each image begins in the flattened batch, or 0 where indices count from the start of the batch."""
    if include_batch:
        return 0
    return (np.arange(shape[0]) * int(np.prod(shape[1:])))[:, None, None, None]


@op("MaxPoolWithArgmax")
def max_pool_with_argmax_op(
    input: R,
    *,
    ksize: SIZES,
    strides: SIZES,
    Targmax: Targmax = int64,
    padding: PADDING,
    include_batch_in_index: bool = False,
) -> Outputs(output=R, argmax=Targmax):
    """The maximum of every window, and its index into the flattened image (or batch of images)."""
    pool = pool_over(input.shape, ksize, strides, padding)
    if pool.empty:
        return jnp.zeros(pool.counts, input.dtype), jnp.zeros(pool.counts, jnp.int64)
    flat = windows.flat_places(input, pool)
    return windows.max_pool_of(input, pool), flat - _starts(input.shape, include_batch_in_index)


@max_pool_with_argmax_op.shape_rule
def _(op):
    return [_pool_dims(op, 4)] * 2


@op("MaxPoolGradWithArgmax")
def max_pool_grad_with_argmax(
    input: R,
    grad: R,
    argmax: Targmax_given,
    *,
    ksize: SIZES,
    strides: SIZES,
    padding: PADDING,
    include_batch_in_index: bool = False,
) -> R:
    """`grad` added at the indices `argmax` of an image of zeros."""
    flat = argmax + _starts(input.shape, include_batch_in_index)
    return jnp.zeros(input.size, grad.dtype).at[flat.ravel()].add(grad.ravel()).reshape(input.shape)


@op("MaxPoolGradGradWithArgmax")
def max_pool_grad_grad_with_argmax(
    input: R,
    grad: R,
    argmax: Targmax_given,
    *,
    ksize: SIZES,
    strides: SIZES,
    padding: PADDING,
    include_batch_in_index: bool = False,
) -> R:
    """The elements of `grad` at the indices `argmax`."""
    return grad.ravel()[argmax + _starts(input.shape, include_batch_in_index)]


max_pool_grad_with_argmax.shape_rule(_first_dims(4))
max_pool_grad_grad_with_argmax.shape_rule(lambda op: [_pool_dims(op, 4)])


@max_pool_with_argmax_op.grad
def _(op, g, _):
    return max_pool_grad_with_argmax(op.inputs[0], g, op.outputs[1], **_attrs(op))


# -- mean


@op("AvgPool")
def avg_pool_op(value: F, *, ksize: SIZES, strides: SIZES, padding: PADDING, data_format: FORMAT = "NHWC") -> F:
    """The mean of every window of `ksize`; padding does not count."""
    return windows.mean_pool_of(value, mean_over(value.shape, ksize, strides, padding, data_format))


@op("AvgPoolGrad")
def avg_pool_grad(
    orig_input_shape: Static(int32),
    grad: F,
    *,
    ksize: SIZES,
    strides: SIZES,
    padding: PADDING,
    data_format: FORMAT = "NHWC",
) -> F:
    """`grad` divided among the elements of its window."""
    return windows.mean_pool_gradient(grad, mean_over(orig_input_shape, ksize, strides, padding, data_format))


def mean_over(shape, ksize, strides, padding, data_format):
    channels = data_format.index("C")
    if ksize[channels] != 1 or strides[channels] != 1:
        raise NotImplementedError("Non-spatial pooling is not yet supported.")
    return pool_over(shape, ksize, strides, padding, data_format)


avg_pool_op.shape_rule(lambda op: [_pool_dims(op, 4)])
avg_pool_grad.shape_rule(_given_dims(4))
for _op in (max_pool_op, avg_pool_op):
    _op.refuses(lambda op: _refuse_batch(op.attrs["ksize"], op.attrs["strides"], op.attrs["data_format"]))


@avg_pool_op.grad
def _(op, g):
    return avg_pool_grad(array.shape(op.inputs[0]), g, **_attrs(op))


@avg_pool_grad.grad
def _(op, g):
    return stop_gradient(op.inputs[0]), avg_pool_op(g, **_attrs(op))


# -- volumes


@op("AvgPool3D")
def avg_pool3d_op(input: F, *, ksize: SIZES3, strides: SIZES3, padding: PADDING, data_format: FORMAT3 = "NDHWC") -> F:
    """The mean of every window of `ksize`; padding does not count."""
    return windows.mean_pool_of(input, mean_over(input.shape, ksize, strides, padding, data_format))


@op("AvgPool3DGrad")
def avg_pool3d_grad(
    orig_input_shape: Static(int32),
    grad: F,
    *,
    ksize: SIZES3,
    strides: SIZES3,
    padding: PADDING,
    data_format: FORMAT3 = "NDHWC",
) -> F:
    """`grad` divided among the elements of its window."""
    return windows.mean_pool_gradient(grad, mean_over(orig_input_shape, ksize, strides, padding, data_format))


@op("MaxPool3D")
def max_pool3d_op(input: F3, *, ksize: SIZES3, strides: SIZES3, padding: PADDING, data_format: FORMAT3 = "NDHWC") -> F3:
    """The maximum of every window of `ksize`."""
    return windows.max_pool_of(input, mean_over(input.shape, ksize, strides, padding, data_format))


@op("MaxPool3DGrad")
def max_pool3d_grad(
    orig_input: TInput,
    orig_output: TInput,
    grad: F3D,
    *,
    ksize: SIZES3,
    strides: SIZES3,
    padding: PADDING,
    data_format: FORMAT3 = "NDHWC",
) -> F3D:
    """`grad` at the first maximum of its window."""
    return windows.max_pool_gradient(
        orig_input, grad, mean_over(orig_input.shape, ksize, strides, padding, data_format)
    )


@op("MaxPool3DGradGrad")
def max_pool3d_grad_grad(
    orig_input: R,
    orig_output: R,
    grad: R,
    *,
    ksize: SIZES3,
    strides: SIZES3,
    padding: PADDING,
    data_format: FORMAT3 = "NDHWC",
) -> R:
    """The element of `grad` at the first maximum of every window of `orig_input`."""
    return windows.at_max(orig_input, grad, mean_over(orig_input.shape, ksize, strides, padding, data_format))


for _forward in (avg_pool3d_op, max_pool3d_op):
    _forward.shape_rule(lambda op: [_pool_dims(op, 5)])
avg_pool3d_grad.shape_rule(_given_dims(5))
max_pool3d_grad.shape_rule(_first_dims(5))
max_pool3d_grad_grad.shape_rule(_second_dims(5))


@avg_pool3d_op.grad
def _(op, g):
    return avg_pool3d_grad(array.shape(op.inputs[0]), g, **_attrs(op))


@avg_pool3d_grad.grad
def _(op, g):
    return stop_gradient(op.inputs[0]), avg_pool3d_op(g, **_attrs(op))


@max_pool3d_op.grad
def _(op, g):
    return max_pool3d_grad(op.inputs[0], op.outputs[0], g, **_attrs(op))


@max_pool3d_grad.grad
def _(op, g):
    x, y, _ = op.inputs
    return _zeros_of(x), _zeros_of(y), max_pool3d_grad_grad(x, y, g, **_attrs(op))


@max_pool3d_grad_grad.grad
def _(op, g):
    x, y, _ = op.inputs
    return _zeros_of(x), _zeros_of(y), max_pool3d_grad(x, y, g, **_attrs(op))
