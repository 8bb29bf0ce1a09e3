"""Normalisations: local response, batch, L2; and the moments they rest on."""

from thalweg._src.core import shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import FLOATS, bfloat16, float16, float32, int32, int64
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.arrays.constants import constant, zeros, zeros_like
from thalweg._src.ops.basic import identity, stop_gradient
from thalweg._src.ops.late import array, math

T = type_attr("T", FLOATS)
L = type_attr("T", (bfloat16, float16, float32), float32)


@op("L2Loss")
def l2_loss(t: T) -> T:
    """sum(t^2) / 2."""
    wide = t.astype(jnp.float32) if t.dtype.itemsize < 4 else t
    return (jnp.sum(wide * wide) / 2).astype(t.dtype)


l2_loss.shape_rule(lambda op: [()])


@l2_loss.grad
def _(op, g):
    return op.inputs[0] * g


# -- local response: Krizhevsky et al., 2012, "ImageNet classification with deep convolutional neural networks", 3.3


def _near(v, radius):
    """The sum of `v` over 2 radius + 1 neighbouring channels."""
    depth = v.shape[3]
    padded = jnp.pad(v, [(0, 0)] * 3 + [(radius, radius)])
    if radius > 8:
        window = (1, 1, 1, 2 * radius + 1)
        return lax.reduce_window(padded, jnp.float32(0), lax.add, window, (1, 1, 1, 1), "VALID")
    return sum(lax.slice_in_dim(padded, i, i + depth, axis=3) for i in range(2 * radius + 1))


def _scale(x, radius, bias, alpha, beta):
    """(bias + alpha sum(x^2 over neighbours), that to the power -beta), in float32."""
    if x.ndim != 4:
        raise ValueError("in must be 4-dimensional")
    wide = x.astype(jnp.float32)
    scale = jnp.float32(bias) + jnp.float32(alpha) * _near(wide * wide, radius)
    # A CPU runs exp and log on vectors, and pow one number at a time.
    return scale, jnp.exp(jnp.float32(-beta) * jnp.log(scale))


@op("LRN")
def _lrn(input: L, *, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5) -> L:
    """Images over a power of the sum of squares of their neighbouring channels."""
    _, power = _scale(input, depth_radius, bias, alpha, beta)
    return (input.astype(jnp.float32) * power).astype(input.dtype)


@op("LRNGrad")
def lrn_grad(
    input_grads: L,
    input_image: L,
    output_image: L,
    *,
    depth_radius: int = 5,
    bias: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
) -> L:
    """The gradient of LRN: g s^-beta - 2 alpha beta x sum(g x s^(-beta - 1) over neighbours)."""
    scale, power = _scale(input_image, depth_radius, bias, alpha, beta)
    g, x = input_grads.astype(jnp.float32), input_image.astype(jnp.float32)
    # As a product with a band matrix: a sum of slices would be fused with, and repeat, what it adds up.
    channel = jnp.arange(x.shape[3])
    band = (jnp.abs(channel[:, None] - channel) <= depth_radius).astype(jnp.float32)
    near = jnp.dot((g * x * power / scale).reshape(-1, x.shape[3]), band, precision="highest").reshape(x.shape)
    return (g * power - jnp.float32(2 * alpha * beta) * x * near).astype(input_grads.dtype)


def _images(op):
    dims = shapes.merge_all(t.dims for t in op.inputs)
    if dims is False:
        raise ValueError(f"The inputs of {op.type} {op.name!r} have different shapes")
    if dims is not None and len(dims) != 4:
        raise ValueError(f"Shape must be rank 4 but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    return [(None,) * 4 if dims is None else dims]


_lrn.shape_rule(_images)
lrn_grad.shape_rule(_images)


@_lrn.grad
def _(op, g):
    how = {n: op.attrs[n] for n in ("depth_radius", "bias", "alpha", "beta")}
    return lrn_grad(g, op.inputs[0], op.outputs[0], **how)


def local_response_normalization(input, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    """input / (bias + alpha sum(input^2 over 2 depth_radius + 1 channels))^beta, of images [batch, h, w, channels]."""
    return _lrn(input, depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta, name=name)


# -- composites


def l2_normalize(x, axis=None, epsilon=1e-12, name=None, dim=None):
    """x / sqrt(max(sum(x^2), epsilon)), the sum over `axis` (all of them unless given)."""
    axis = renamed("axis", axis, "dim", dim)
    with name_scope(name, "l2_normalize", [x]) as scope:
        x = to_tensor(x, None, "x")
        square_sum = math.reduce_sum(math.square(x), axis, keepdims=True)
        return math.multiply(x, math.rsqrt(math.maximum(square_sum, epsilon)), name=scope)


def _count_nonzero(x, dtype):
    with name_scope("count_nonzero", values=[x]):
        zero = zeros([], dtype=x.dtype)
        return math.reduce_sum(math.cast(math.not_equal(x, zero), dtype), name="nonzero_count")


def zero_fraction(value, name=None):
    """What part of the elements of `value` is zero: a float32."""
    from thalweg._src.ops.control.control_flow import cond

    with name_scope(name, "zero_fraction", [value]):
        value = to_tensor(value, None, "value")
        size = array.size(value, out_type=int64)
        nonzero = cond(
            size <= int32.max,
            true_fn=lambda: math.cast(_count_nonzero(value, int32), int64),
            false_fn=lambda: _count_nonzero(value, int64),
        )
        with name_scope("counts_to_fraction"):
            fraction = math.cast(size - nonzero, float32) / math.cast(size, float32)
        return identity(fraction, "fraction")


def sufficient_statistics(x, axes, shift=None, keep_dims=None, name=None, keepdims=None):
    """(count, sum of x - shift, sum of (x - shift)^2, shift) over `axes`; `normalize_moments` makes moments of them."""
    axes = list(set(axes))
    keep = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "sufficient_statistics", [x, shift]):
        x = to_tensor(x, None, "x")
        dims = x.dims
        if dims is not None and all(dims[d] is not None for d in axes):
            n = 1
            for d in axes:
                n *= dims[d]
            counts = constant(n, dtype=x.dtype)
        else:
            sizes = array.gather(math.cast(array.shape(x), x.dtype), axes)
            counts = math.reduce_prod(sizes, name="count")
        if shift is not None:
            shift = to_tensor(shift, None, "shift")
            first, second = math.subtract(x, shift), math.squared_difference(x, shift)
        else:
            first, second = x, math.square(x)
        first = math.reduce_sum(first, axes, keepdims=keep, name="mean_ss")
        second = math.reduce_sum(second, axes, keepdims=keep, name="var_ss")
    return counts, first, second, shift


def normalize_moments(counts, mean_ss, variance_ss, shift, name=None):
    """(mean, variance) from what `sufficient_statistics` gives."""
    with name_scope(name, "normalize", [counts, mean_ss, variance_ss, shift]):
        divisor = math.reciprocal(counts, name="divisor")
        if shift is not None:
            shifted = math.multiply(mean_ss, divisor, name="shifted_mean")
            mean = math.add(shifted, shift, name="mean")
        else:
            mean = shifted = math.multiply(mean_ss, divisor, name="mean")
        variance = math.subtract(math.multiply(variance_ss, divisor), math.square(shifted), name="variance")
    return mean, variance


def moments(x, axes, shift=None, name=None, keep_dims=None, keepdims=None):
    """(mean, variance) of `x` over `axes`. `shift` is ignored: the variance is taken about the true mean."""
    keep = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "moments", [x, axes]):
        x = to_tensor(x)
        y = math.cast(x, float32) if x.dtype == float16 else x
        mean = math.reduce_mean(y, axes, keepdims=True, name="mean")
        squared = math.squared_difference(y, stop_gradient(mean))
        variance = math.reduce_mean(squared, axes, keepdims=True, name="variance")
        if not keep:
            mean, variance = array.squeeze(mean, axes), array.squeeze(variance, axes)
        if x.dtype == float16:
            return math.cast(mean, float16), math.cast(variance, float16)
        return mean, variance


def weighted_moments(x, axes, frequency_weights, name=None, keep_dims=None, keepdims=None):
    """(mean, variance) of `x` over `axes`, where every element counts as often as its weight says."""
    keep = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "weighted_moments", [x, frequency_weights, axes]):
        x = to_tensor(x, None, "x")
        weights = to_tensor(frequency_weights, None, "frequency_weights")
        narrow = x.dtype == float16
        if narrow:
            x = math.cast(x, float32)
        if weights.dtype != x.dtype:
            weights = math.cast(weights, x.dtype)
        total = math.reduce_sum(weights * x, axes, name="weighted_input_sum", keepdims=True)
        spread = weights + zeros_like(x)
        weight = math.reduce_sum(spread, axes, name="sum_of_weights", keepdims=True)
        divisor = math.reciprocal(weight, name="inv_weight_sum")
        mean = math.multiply(total, divisor)
        squares = math.reduce_sum(
            weights * math.squared_difference(x, mean), axes, name="weighted_distsq", keepdims=True
        )
        variance = math.multiply(squares, divisor)
        if not keep:
            mean, variance = array.squeeze(mean, axis=axes), array.squeeze(variance, axis=axes)
        if narrow:
            mean, variance = math.cast(mean, float16), math.cast(variance, float16)
        return mean, variance


def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    """scale (x - mean) / sqrt(variance + variance_epsilon) + offset; `scale` and `offset` may be None."""
    with name_scope(name, "batchnorm", [x, mean, variance, scale, offset]):
        inverse = math.rsqrt(variance + variance_epsilon)
        if scale is not None:
            inverse *= scale
        scaled = x * math.cast(inverse, x.dtype)
        return scaled + math.cast(offset - mean * inverse if offset is not None else -mean * inverse, x.dtype)


def batch_norm_with_global_normalization(
    t=None,
    m=None,
    v=None,
    beta=None,
    gamma=None,
    variance_epsilon=None,
    scale_after_normalization=None,
    name=None,
    input=None,
    mean=None,
    variance=None,
):
    """`batch_normalization` with the mean `m`, variance `v`, offset `beta`, and the scale `gamma` if asked."""
    t = renamed("input", input, "t", t)
    m = renamed("mean", mean, "m", m)
    v = renamed("variance", variance, "v", v)
    return batch_normalization(t, m, v, beta, gamma if scale_after_normalization else None, variance_epsilon, name)
