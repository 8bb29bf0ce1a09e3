"""Fused batch normalisation of images, and its gradient ops."""

from thalweg._src.core import shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import NUMBERS, bfloat16, float16, float32
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.opdef import Enum, Outputs, op, type_attr
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.basic import stop_gradient
from thalweg._src.ops.late import array, math

F = type_attr("T", (float32,))
T = type_attr("T", (bfloat16, float16, float32))
U = type_attr("U", (float32,))
N = type_attr("T", NUMBERS)
FORMAT = Enum("NHWC", "NCHW")
MIN_EPSILON = 1.001e-5  # what cuDNN demands, and so TensorFlow everywhere


def _axes(data_format):
    """(axes to average over, axis of the channels)."""
    return ((0, 1, 2), 3) if data_format == "NHWC" else ((0, 2, 3), 1)


def _along(v, data_format):
    return v if data_format == "NHWC" else v[:, None, None]


def moments(x, data_format="NHWC"):
    """(mean, unbiased variance, variance) of each channel."""
    axes, channel = _axes(data_format)
    count = float(x.size // max(x.shape[channel], 1))
    mean = jnp.sum(x, axes) / count
    centered = x - _along(mean, data_format)
    variance = jnp.sum(centered * centered, axes) / count
    return mean, variance * (count / max(count - 1.0, 1.0)), variance


def _normalized(x, scale, offset, mean, variance, epsilon, data_format, is_training):
    """(y, mean, unbiased variance, mean, variance), computed in float32."""
    if x.ndim != 4:
        raise ValueError(f"input must be 4-dimensional, got {x.shape}")
    wide = x.astype(jnp.float32)
    if is_training:
        if mean.size or variance.size:
            raise ValueError("estimated_mean and estimated_variance must be empty for training")
        mean, unbiased, variance = moments(wide, data_format)
        centered = wide - _along(mean, data_format)
    else:
        centered, unbiased = wide - _along(mean, data_format), variance
    factor = lax.rsqrt(variance + jnp.float32(epsilon)) * scale
    y = centered * _along(factor, data_format) + _along(offset, data_format)
    return y.astype(x.dtype), mean, unbiased, mean, variance


@op("FusedBatchNorm")
def fused_batch_norm_v1(
    x: F,
    scale: F,
    offset: F,
    mean: F,
    variance: F,
    *,
    epsilon: float = 0.0001,
    data_format: FORMAT = "NHWC",
    is_training: bool = True,
) -> Outputs(y=F, batch_mean=F, batch_variance=F, reserve_space_1=F, reserve_space_2=F):
    """Images over the deviation of their batch (training) or of `variance`, scaled and shifted by channel."""
    return _normalized(x, scale, offset, mean, variance, epsilon, data_format, is_training)


@op("FusedBatchNormV2")
def fused_batch_norm_v2(
    x: T,
    scale: U,
    offset: U,
    mean: U,
    variance: U,
    *,
    epsilon: float = 0.0001,
    data_format: FORMAT = "NHWC",
    is_training: bool = True,
) -> Outputs(y=T, batch_mean=U, batch_variance=U, reserve_space_1=U, reserve_space_2=U):
    """As FusedBatchNorm, with statistics in float32 for images in narrower types."""
    return _normalized(x, scale, offset, mean, variance, epsilon, data_format, is_training)


@op("FusedBatchNormV3")
def fused_batch_norm_v3(
    x: T,
    scale: U,
    offset: U,
    mean: U,
    variance: U,
    *,
    epsilon: float = 0.0001,
    data_format: FORMAT = "NHWC",
    is_training: bool = True,
) -> Outputs(y=T, batch_mean=U, batch_variance=U, reserve_space_1=U, reserve_space_2=U, reserve_space_3=U):
    """As FusedBatchNormV2; its last output is cuDNN's own, and empty here."""
    return (
        *_normalized(x, scale, offset, mean, variance, epsilon, data_format, is_training),
        jnp.zeros(0, jnp.float32),
    )


def _vector_dims(op, first, last, channels):
    for t in op.inputs[first:last]:
        if t.dims is not None and len(t.dims) != 1:
            raise ValueError(f"Shape must be rank 1 but is rank {len(t.dims)} for '{op.name}' (op: '{op.type}').")
        merged = shapes.merge((channels,), t.dims)
        if merged is False:
            raise ValueError(
                f"Dimensions must be equal, but are {channels} and {t.dims[0]} for '{op.name}' (op: '{op.type}')."
            )
        channels = merged[0]
    return channels


def _image_dims(op, which):
    dims = op.inputs[which].dims
    if dims is not None and len(dims) != 4:
        raise ValueError(f"Shape must be rank 4 but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    return (None,) * 4 if dims is None else dims


def _forward_dims(op):
    dims, (_, channel) = _image_dims(op, 0), _axes(op.attrs["data_format"])
    channels = _vector_dims(op, 1, 3 if op.attrs["is_training"] else 5, dims[channel])
    y = (*dims[:channel], channels, *dims[channel + 1 :])
    return [y, *[(channels,)] * 4, None][: len(op.outputs)]


# -- gradients


def _pulled_back(g, x, scale, mean, variance, epsilon, data_format, is_training):
    """(gradient of x, of scale, of offset, and two that stand for the statistics)."""
    axes, _ = _axes(data_format)
    if not x.size:  # no image, no gradient
        nothing = jnp.zeros_like(mean)
        rest = nothing[:0] if is_training else nothing
        return x, nothing, nothing, rest, rest
    wide, up = x.astype(jnp.float32), g.astype(jnp.float32)
    inverse = lax.rsqrt(variance + jnp.float32(epsilon))
    centered = wide - _along(mean, data_format)
    g_offset = jnp.sum(up, axes)
    product = jnp.sum(up * centered, axes)
    if not is_training:
        dx = up * _along(inverse * scale, data_format)
        return dx.astype(x.dtype), product * inverse, g_offset, jnp.zeros_like(mean), jnp.zeros_like(mean)
    count = float(max(x.size // max(mean.size, 1), 1))
    slope = _along(product / count / (variance + jnp.float32(epsilon)), data_format)
    inner = up - _along(g_offset / count, data_format) - centered * slope
    dx = _along(scale * inverse, data_format) * inner
    nothing = jnp.zeros(0, jnp.float32)
    return dx.astype(x.dtype), product * inverse, g_offset, nothing, nothing


@op("FusedBatchNormGrad")
def fused_batch_norm_grad_v1(
    y_backprop: F,
    x: F,
    scale: F,
    reserve_space_1: F,
    reserve_space_2: F,
    *,
    epsilon: float = 0.0001,
    data_format: FORMAT = "NHWC",
    is_training: bool = True,
) -> Outputs(x_backprop=F, scale_backprop=F, offset_backprop=F, reserve_space_3=F, reserve_space_4=F):
    """The gradient of FusedBatchNorm."""
    mean, variance = reserve_space_1, reserve_space_2
    return _pulled_back(y_backprop, x, scale, mean, variance, epsilon, data_format, is_training)


@op("FusedBatchNormGradV2")
def fused_batch_norm_grad_v2(
    y_backprop: T,
    x: T,
    scale: float32,
    reserve_space_1: U,
    reserve_space_2: U,
    *,
    epsilon: float = 0.0001,
    data_format: FORMAT = "NHWC",
    is_training: bool = True,
) -> Outputs(x_backprop=T, scale_backprop=U, offset_backprop=U, reserve_space_3=U, reserve_space_4=U):
    """The gradient of FusedBatchNormV2."""
    mean, variance = reserve_space_1, reserve_space_2
    return _pulled_back(y_backprop, x, scale, mean, variance, epsilon, data_format, is_training)


@op("FusedBatchNormGradV3")
def fused_batch_norm_grad_v3(
    y_backprop: T,
    x: T,
    scale: float32,
    reserve_space_1: U,
    reserve_space_2: U,
    reserve_space_3: U,
    *,
    epsilon: float = 0.0001,
    data_format: FORMAT = "NHWC",
    is_training: bool = True,
) -> Outputs(x_backprop=T, scale_backprop=U, offset_backprop=U, reserve_space_4=U, reserve_space_5=U):
    """The gradient of FusedBatchNormV3."""
    mean, variance = reserve_space_1, reserve_space_2
    return _pulled_back(y_backprop, x, scale, mean, variance, epsilon, data_format, is_training)


def _backward_dims(op):
    dims, (_, channel) = _image_dims(op, 0), _axes(op.attrs["data_format"])
    x = _image_dims(op, 1)
    channels = shapes.merge((dims[channel],), (x[channel],))
    if channels is False:
        raise ValueError(f"Dimensions must be equal, but are {dims[channel]} and {x[channel]} for '{op.name}'")
    c = _vector_dims(op, 2, 5, channels[0])
    rest = (0,) if op.attrs["is_training"] else (c,)
    return [(*dims[:channel], c, *dims[channel + 1 :]), (c,), (c,), rest, rest]


def _how(op):
    return {n: op.attrs[n] for n in ("epsilon", "data_format", "is_training")}


def _gradient(grad_op):
    def gradient(op, g, *_):
        x, scale = op.inputs[:2]
        more = [op.outputs[5]] if len(op.outputs) > 5 else []
        if op.attrs["is_training"]:
            return (*grad_op(g, x, scale, op.outputs[3], op.outputs[4], *more, **_how(op))[:3], None, None)
        how = _how(op)
        swap = how["data_format"] == "NCHW"
        if swap:
            x, g = (array.transpose(v, [0, 2, 3, 1]) for v in (x, g))
            how["data_format"] = "NHWC"
        dx, dscale, doffset, _, _ = grad_op(g, x, scale, op.inputs[3], op.inputs[4], *more, **how)
        if swap:
            dx = array.transpose(dx, [0, 3, 1, 2])
        return dx, dscale, doffset, None, None

    return gradient


def _as_graph(g, x, scale, mean, variance, epsilon, data_format, is_training):
    """The outputs of the gradient op from ops that differentiate: in training the statistics depend on `x` too."""
    dtype = x.dtype.base_dtype
    if dtype != float32:
        x, g = math.cast(x, float32), math.cast(g, float32)
    axes, _ = _axes(data_format)
    axes = list(axes)
    tall = (lambda v: v) if data_format == "NHWC" else (lambda v: array.reshape(v, [1, -1, 1, 1]))
    if is_training:
        mean = math.reduce_mean(x, axes)
        spread = math.squared_difference(x, tall(stop_gradient(mean)))
        variance = math.reduce_mean(spread, axes)
    inverse = math.rsqrt(variance + epsilon)
    centered = x - tall(mean)
    product = g * centered
    dscale = math.reduce_sum(product, axes) * inverse
    doffset = math.reduce_sum(g, axes)
    if is_training:
        slope = math.reciprocal(variance + epsilon) * math.reduce_mean(product, axes)
        dx = tall(scale * inverse) * (g - tall(math.reduce_mean(g, axes)) - tall(slope) * centered)
    else:
        dx = g * tall(scale * inverse)
    return math.cast(dx, dtype), dscale, doffset


def _second_gradient(op, *grads):
    from thalweg._src.ops.derivatives.gradients import gradients

    ys = _as_graph(*op.inputs[:5], *(op.attrs[n] for n in ("epsilon", "data_format", "is_training")))
    pairs = [(y, g) for y, g in zip(ys, grads[:3], strict=True) if g is not None]
    found = gradients([y for y, _ in pairs], list(op.inputs[:3]), [g for _, g in pairs])
    return (*found, *[None] * (len(op.inputs) - 3))


_VERSIONS = (
    (fused_batch_norm_v1, fused_batch_norm_grad_v1),
    (fused_batch_norm_v2, fused_batch_norm_grad_v2),
    (fused_batch_norm_v3, fused_batch_norm_grad_v3),
)
for _forward, _backward in _VERSIONS:
    _forward.shape_rule(_forward_dims)
    _backward.shape_rule(_backward_dims)
    _forward.grad(_gradient(_backward))
    _backward.grad(_second_gradient)


def fused_batch_norm(
    x, scale, offset, mean=None, variance=None, epsilon=0.001, data_format="NHWC", is_training=True, name=None
):
    """(y, mean, variance) of a batch of images, normalised by channel.

    In training the statistics are the batch's own; the variance that comes back is the unbiased one. Otherwise `mean` and
    `variance` are used. Raises ValueError for statistics given in training.
    """
    x, scale, offset = to_tensor(x, None, "input"), to_tensor(scale, None, "scale"), to_tensor(offset, None, "offset")
    if is_training and (mean is not None or variance is not None):
        raise ValueError("Both 'mean' and 'variance' must be None if is_training is True.")
    mean = constant([]) if mean is None else mean
    variance = constant([]) if variance is None else variance
    y, mean, variance, *_ = fused_batch_norm_v3(
        x,
        scale,
        offset,
        mean,
        variance,
        epsilon=max(epsilon, MIN_EPSILON),
        data_format=data_format,
        is_training=is_training,
        name=name,
    )
    return y, mean, variance


# -- the ops of 0.5


def _global(t, m, v, beta, gamma, epsilon, scale_after):
    inverse = lax.rsqrt(v + jnp.asarray(epsilon, v.dtype))
    return (t - m) * (inverse * gamma if scale_after else inverse) + beta


@op("BatchNormWithGlobalNormalization")
def batch_norm_global(
    t: N, m: N, v: N, beta: N, gamma: N, *, variance_epsilon: float, scale_after_normalization: bool
) -> Outputs(result=N):
    """Images normalised by the mean `m` and variance `v` of their channels; the form of graphs before 0.6."""
    return _global(t, m, v, beta, gamma, variance_epsilon, scale_after_normalization)


@op("BatchNormWithGlobalNormalizationGrad")
def batch_norm_global_grad(
    t: N, m: N, v: N, gamma: N, backprop: N, *, variance_epsilon: float, scale_after_normalization: bool
) -> Outputs(dx=N, dm=N, dv=N, db=N, dg=N):
    """The gradient of BatchNormWithGlobalNormalization."""
    beta = jnp.zeros_like(gamma)
    forward = lambda *xs: _global(*xs, variance_epsilon, scale_after_normalization)
    _, back = jax.vjp(forward, t, m, v, beta, gamma)
    return back(backprop)


@batch_norm_global.shape_rule
def _(op):
    dims = _image_dims(op, 0)
    return [(*dims[:3], _vector_dims(op, 1, 5, dims[3]))]


@batch_norm_global_grad.shape_rule
def _(op):
    dims = _image_dims(op, 0)
    c = _vector_dims(op, 1, 4, dims[3])
    return [(*dims[:3], c), (c,), (c,), (c,), (c,)]


@batch_norm_global.grad
def _(op, g):
    t, m, v, _, gamma = op.inputs
    how = {n: op.attrs[n] for n in ("variance_epsilon", "scale_after_normalization")}
    return batch_norm_global_grad(t, m, v, gamma, g, **how)
