"""Activations, their gradient ops, and the addition of a bias."""

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import FLOATS, NUMBERS, REALS, float32, qint8
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.infer import same_shape
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Enum, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import ones_like, zeros, zeros_like
from thalweg._src.ops.late import array, math

T = type_attr("T", FLOATS)
R = type_attr("T", REALS)
Q = type_attr("T", (*REALS, qint8))
L = type_attr("T", FLOATS, float32)
N = type_attr("T", NUMBERS)

# Klambauer et al., 2017, "Self-normalizing neural networks": the fixed point of mean zero and variance one.
_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_SCALE_ALPHA = 1.7580993408473768599402175208123


def _merged(op):
    dims = shapes.merge(op.inputs[0].dims, op.inputs[1].dims)
    if dims is False:
        a, b = op.inputs
        raise ValueError(
            f"{op.type} {op.name!r} needs inputs of one shape, got {shapes.text(a.dims)} and {shapes.text(b.dims)}"
        )
    return [dims]


def _kept(g, condition):
    # A product, so that an infinite or NaN gradient shows itself, as it does there.
    return g * condition.astype(g.dtype)


@op("Relu")
def relu(features: Q) -> Q:
    """max(features, 0)."""
    return jnp.maximum(features, jnp.zeros((), features.dtype))


@op("ReluGrad")
def relu_grad(gradients: R, features: R) -> R:
    """`gradients` where `features` (the input or the output of Relu) are positive, else 0."""
    return _kept(gradients, features > 0)


@op("Relu6")
def relu6(features: R) -> R:
    """min(max(features, 0), 6)."""
    zero = jnp.zeros((), features.dtype)
    return jnp.minimum(jnp.maximum(features, zero), zero + 6)


@op("Relu6Grad")
def relu6_grad(gradients: R, features: R) -> R:
    """`gradients` where `features` lie between 0 and 6, else 0."""
    return _kept(gradients, (features > 0) & (features < 6))


@op("LeakyRelu")
def _leaky_relu(features: L, *, alpha: float = 0.2) -> L:
    """features where positive, alpha * features elsewhere."""
    return jnp.where(features > 0, features, features * jnp.asarray(alpha, features.dtype))


@op("LeakyReluGrad")
def leaky_relu_grad(gradients: L, features: L, *, alpha: float = 0.2) -> L:
    """`gradients` where `features` are positive, alpha times them elsewhere."""
    return jnp.where(features > 0, gradients, gradients * jnp.asarray(alpha, gradients.dtype))


@op("Elu")
def elu(features: T) -> T:
    """exp(features) - 1 where negative, features elsewhere."""
    # The branch that is not taken must not overflow, or the compiler's own derivative would be NaN.
    return jnp.where(features < 0, jnp.expm1(jnp.minimum(features, 0)), features)


@op("EluGrad")
def elu_grad(gradients: T, outputs: T) -> T:
    """The gradient of Elu from its `outputs`."""
    return jnp.where(outputs < 0, (outputs + 1) * gradients, gradients)


@op("Selu")
def selu(features: T) -> T:
    """The scaled exponential linear unit."""
    negative = _in(features, _SELU_SCALE_ALPHA) * jnp.expm1(jnp.minimum(features, 0))
    return jnp.where(features < 0, negative, _in(features, _SELU_SCALE) * features)


@op("SeluGrad")
def selu_grad(gradients: T, outputs: T) -> T:
    """The gradient of Selu from its `outputs`."""
    return gradients * jnp.where(outputs < 0, outputs + _in(outputs, _SELU_SCALE_ALPHA), _in(outputs, _SELU_SCALE))


def _in(like, value):
    return jnp.asarray(value, like.dtype)


@op("Softplus")
def softplus(features: T) -> T:
    """log(1 + exp(features))."""
    # Beyond the threshold one of the two terms is below the precision of the type.
    eps = 2.0**-13 if features.dtype == jnp.float16 else float(jnp.finfo(features.dtype).eps)  # Eigen's of half
    threshold = float(np.log(eps)) + 2.0
    x = features.astype(jnp.float32) if features.dtype.itemsize < 4 else features
    e = jnp.exp(x)
    return jnp.where(x > -threshold, x, jnp.where(x < threshold, e, jnp.log1p(e))).astype(features.dtype)


@op("SoftplusGrad")
def softplus_grad(gradients: T, features: T) -> T:
    """gradients / (exp(-features) + 1)."""
    return gradients / (jnp.exp(-features) + 1)


@op("Softsign")
def softsign(features: T) -> T:
    """features / (|features| + 1)."""
    return features / (jnp.abs(features) + 1)


@op("SoftsignGrad")
def softsign_grad(gradients: T, features: T) -> T:
    """gradients / (|features| + 1)^2."""
    return gradients / jnp.square(jnp.abs(features) + 1)


for _unary in (relu, relu6, _leaky_relu, elu, selu, softplus, softsign):
    _unary.shape_rule(same_shape)
for _pair in (relu_grad, relu6_grad, leaky_relu_grad, elu_grad, selu_grad, softplus_grad, softsign_grad):
    _pair.shape_rule(_merged)


# -- gradients


def _zeros_of(x):
    return zeros(array.shape(x), x.dtype)


@relu.grad
def _(op, g):
    return relu_grad(g, op.outputs[0])


@relu_grad.grad
def _(op, g):
    x = op.inputs[1]
    return relu_grad(g, x), _zeros_of(x)


@relu6.grad
def _(op, g):
    return relu6_grad(g, op.outputs[0])


@relu6_grad.grad
def _(op, g):
    x = op.inputs[1]
    return relu6_grad(g, x), _zeros_of(x)


@_leaky_relu.grad
def _(op, g):
    return leaky_relu_grad(g, op.inputs[0], alpha=op.attrs["alpha"])


@leaky_relu_grad.grad
def _(op, g):
    x = op.inputs[1]
    return leaky_relu_grad(g, x, alpha=op.attrs["alpha"]), _zeros_of(x)


@elu.grad
def _(op, g):
    return elu_grad(g, op.outputs[0])


@elu_grad.grad
def _(op, g):
    dy, y = op.inputs
    return elu_grad(g, y), array.where(y < 0, g * dy, zeros_like(y))


@selu.grad
def _(op, g):
    return selu_grad(g, op.outputs[0])


@selu_grad.grad
def _(op, g):
    dy, y = op.inputs
    return selu_grad(g, y), array.where(y < 0.0, g * dy, zeros_like(y))


@softplus.grad  # dx = g sigmoid(x)
def _(op, g):
    return g * math.sigmoid(op.inputs[0])


@softplus_grad.grad  # d/dx sigmoid(x) = 1 / (exp(-x) + 2 + exp(x))
def _(op, g):
    dy, x = op.inputs
    with get_default_graph().control_dependencies([g]):
        return softplus_grad(g, x), g * dy / (math.exp(-x) + 2.0 + math.exp(x))


@softsign.grad
def _(op, g):
    return softsign_grad(g, op.inputs[0])


# -- bias


def _channels(rank, data_format):
    return 1 if data_format == "NCHW" else rank - 1


@op("BiasAdd")
def bias_add_op(value: N, bias: N, *, data_format: Enum("NHWC", "NCHW") = "NHWC") -> N:
    """`value` plus the vector `bias` along the channels."""
    if bias.ndim != 1:
        raise ValueError(f"Biases must be 1D: {bias.shape}")
    axis = _channels(value.ndim, data_format)
    if value.shape[axis] != bias.shape[0]:
        raise ValueError(
            f"Must provide as many biases as the last dimension of the input tensor: {bias.shape} vs. {value.shape}"
        )
    return value + jnp.expand_dims(bias, [i for i in range(value.ndim) if i != axis])


@bias_add_op.shape_rule
def _(op):
    return [_biased(op, *(t.dims for t in op.inputs), op.attrs["data_format"])]


def _biased(op, value, bias, data_format):
    if bias is not None and len(bias) != 1:
        raise ValueError(f"Shape must be rank 1 but is rank {len(bias)} for '{op.name}' (op: '{op.type}').")
    lowest = 3 if data_format == "NCHW" else 2
    if value is not None and len(value) < lowest:
        raise ValueError(
            f"Shape must be at least rank {lowest} but is rank {len(value)} for '{op.name}' (op: '{op.type}')."
        )
    if value is None or bias is None:
        return value
    axis = _channels(len(value), data_format)
    depth = shapes.merge((value[axis],), bias)
    if depth is False:
        raise ValueError(
            f"Dimensions must be equal, but are {value[axis]} and {bias[0]} for '{op.name}' (op: '{op.type}') "
            f"with input shapes: {shapes.text(value)}, {shapes.text(bias)}."
        )
    return (*value[:axis], depth[0], *value[axis + 1 :])


@op("BiasAddV1")
def bias_add_v1_op(value: N, bias: N) -> N:
    """`value` plus the vector `bias` along its last dimension; the form of BiasAdd in old graphs."""
    return value + bias


@bias_add_v1_op.shape_rule
def _(op):
    return [_biased(op, *(t.dims for t in op.inputs), "NHWC")]


@op("BiasAddGrad")
def bias_add_grad(out_backprop: N, *, data_format: Enum("NHWC", "NCHW") = "NHWC") -> N:
    """`out_backprop` summed over all dimensions but the channels."""
    axis = _channels(out_backprop.ndim, data_format)
    return jnp.sum(out_backprop, tuple(i for i in range(out_backprop.ndim) if i != axis), dtype=out_backprop.dtype)


@bias_add_grad.shape_rule
def _(op):
    dims = op.inputs[0].dims
    if dims is None:
        return [(None,)]
    if len(dims) < 2:
        raise ValueError(f"Shape must be at least rank 2 but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    return [(dims[_channels(len(dims), op.attrs["data_format"])],)]


@bias_add_op.grad
def _(op, g):
    return g, bias_add_grad(g, data_format=op.attrs["data_format"])


@bias_add_grad.grad  # the bias is spread over all other dimensions
def _(op, g):
    dims, bias = array.shape(op.inputs[0]), array.shape(g)
    if op.attrs["data_format"] == "NCHW":
        expanded = array.concat([ones_like(dims[:1]), bias, ones_like(dims[2:])], 0)
        times = array.concat([dims[:1], [1], dims[2:]], 0)
    else:
        expanded = array.concat([ones_like(dims[:-1]), bias], 0)
        times = array.concat([dims[:-1], [1]], 0)
    return array.tile(array.reshape(g, expanded), times)


@bias_add_v1_op.grad
def _(op, g):
    return g, math.reduce_sum(g, math.range(array.rank(g) - 1))


# -- public functions


def leaky_relu(features, alpha=0.2, name=None):
    """`features` where they are positive, `alpha` times them elsewhere. Integers become float32."""
    with name_scope(name, "LeakyRelu", [features, alpha]) as scope:
        features = to_tensor(features, None, "features")
        if features.dtype.is_integer:
            features = math.cast(features, float32)
        if isinstance(alpha, Tensor):  # TensorFlow 1.4 allowed it
            return math.maximum(alpha * features, features, name=scope)
        return _leaky_relu(features, alpha=alpha.item() if isinstance(alpha, np.ndarray) else alpha, name=scope)


def crelu(features, name=None, axis=-1):
    """Relu of `features` beside Relu of their negation, along `axis`: that dimension doubles."""
    with name_scope(name, "CRelu", [features]) as scope:
        features = to_tensor(features, None, "features")
        return relu(array.concat([features, -features], axis, name=scope))


def bias_add(value, bias, data_format=None, name=None):
    """`value` plus the vector `bias` along the channels: the last dimension, the second one for `data_format` "NC...".

    Raises ValueError where the sizes differ, or for another `data_format`.
    """
    with name_scope(name, "BiasAdd", [value, bias]) as scope:
        if data_format is not None:
            data_format = data_format.decode() if isinstance(data_format, bytes) else data_format
            if data_format.startswith("NC"):
                data_format = "NCHW"
            elif data_format.startswith("N") and data_format.endswith("C"):
                data_format = "NHWC"
            else:
                raise ValueError("data_format must be of the form `N...C` or `NC...`")
        value = to_tensor(value, None, "input")
        bias = to_tensor(bias, value.dtype.base_dtype, "bias")
        return bias_add_op(value, bias, data_format=data_format, name=scope)


def bias_add_v1(value, bias, name=None):
    """`value` plus the vector `bias` along its last dimension."""
    with name_scope(name, "BiasAddV1", [value, bias]) as scope:
        value = to_tensor(value, None, "input")
        bias = to_tensor(bias, value.dtype.base_dtype, "bias")
        return bias_add_v1_op(value, bias, name=scope)


def _affine(x, weights, biases, name, default, names, last):
    with name_scope(name, default, [x, weights, biases]) as scope:
        x, weights, biases = (to_tensor(v, None, n) for v, n in zip((x, weights, biases), names, strict=True))
        return last(math.matmul(x, weights), biases, scope)


def xw_plus_b(x, weights, biases, name=None):
    """x . weights + biases: [batch, in], [in, out], [out] -> [batch, out]."""
    add = lambda xw, b, scope: bias_add(xw, b, name=scope)
    return _affine(x, weights, biases, name, "xw_plus_b", ("x", "weights", "biases"), add)


def xw_plus_b_v1(x, weights, biases, name=None):
    """x . weights + biases, with the op of old graphs."""
    add = lambda xw, b, scope: bias_add_v1(xw, b, name=scope)
    return _affine(x, weights, biases, name, "xw_plus_b_v1", ("x", "weights", "biases"), add)


def relu_layer(x, weights, biases, name=None):
    """relu(x . weights + biases)."""
    act = lambda xw, b, scope: relu(bias_add(xw, b), name=scope)
    return _affine(x, weights, biases, name, "relu_layer", ("x", "weights", "biases"), act)


def swish(features):
    """features * sigmoid(features); the gradient keeps no more than `features`."""
    from thalweg._src.ops.derivatives.custom_gradient import custom_gradient

    @custom_gradient
    def swished(x):
        def grad(dy):
            with get_default_graph().control_dependencies([dy]):
                s = math.sigmoid(x)
            return dy * (s * (1.0 + x * (1.0 - s)))

        return x * math.sigmoid(x), grad

    return swished(to_tensor(features, None, "features"))
