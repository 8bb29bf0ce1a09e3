"""The gradients of element-wise functions."""

from thalweg._src.ops.arrays.broadcasting import after
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.elementwise import (
    _abs,
    _constant,
    _negative,
    _sigmoid,
    _sign,
    _sqrt,
    _square,
    _tanh,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    cos,
    cosh,
    exp,
    expm1,
    inv,
    inv_grad,
    log,
    log1p,
    reciprocal,
    reciprocal_grad,
    rsqrt,
    rsqrt_grad,
    sigmoid_grad,
    sign,
    sin,
    sinh,
    sqrt,
    sqrt_grad,
    square,
    tan,
    tanh_grad,
)


@_abs.grad  # dx = g sign(x)
def _(op, g):
    return g * sign(op.inputs[0])


@_negative.grad
def _(op, g):
    return -g


@_sign.grad
def _(op, g):
    (x,) = op.inputs
    return math.zeros(array.shape(x), dtype=x.dtype)


@_square.grad  # dx = 2 g x
def _(op, g):
    (x,) = op.inputs
    with after(g):
        x = math.conj(x)
        return math.multiply(g, math.multiply(x, _constant(2.0, x)))


@_sqrt.grad
def _(op, g):
    return sqrt_grad(op.outputs[0], g)


@sqrt_grad.grad
def _(op, g):
    a, y = op.inputs[0], op.outputs[0]
    with after(g):
        ga = math.xdivy(g, a)
        return -math.mul_no_nan(y, math.conj(ga)), 0.5 * ga


@rsqrt.grad
def _(op, g):
    return rsqrt_grad(op.outputs[0], g)


@rsqrt_grad.grad
def _(op, g):
    a, b = op.inputs
    with after(g):
        ca = math.conj(a)
        cg = math.conj(g)
        return -1.5 * cg * b * square(ca), rsqrt_grad(ca, g)


@reciprocal.grad
def _(op, g):
    return reciprocal_grad(op.outputs[0], g)


@inv.grad
def _(op, g):
    return reciprocal_grad(op.outputs[0], g)


def _inverse_grad_grad(op, g):
    b = op.inputs[1]
    with after(g):
        ca = math.conj(op.inputs[0])
        cg = math.conj(g)
        return cg * -2.0 * b * ca, reciprocal_grad(ca, g)


reciprocal_grad.grad(_inverse_grad_grad)
inv_grad.grad(_inverse_grad_grad)


@exp.grad  # dx = g y
def _(op, g):
    (y,) = op.outputs
    with after(g):
        return math.mul_no_nan(math.conj(y), g)


@expm1.grad  # dx = g exp(x)
def _(op, g):
    with after(g):
        y = exp(math.conj(op.inputs[0]))
        return math.mul_no_nan(y, g)


@log.grad  # dx = g / x
def _(op, g):
    with after(g):
        return math.xdivy(g, math.conj(op.inputs[0]))


@log1p.grad  # dx = g / (1 + x)
def _(op, g):
    with after(g):
        return math.xdivy(g, 1 + math.conj(op.inputs[0]))


@_sigmoid.grad
def _(op, g):
    with after(g):
        return sigmoid_grad(math.conj(op.outputs[0]), g)


@sigmoid_grad.grad
def _(op, g):
    with after(g):
        a = math.conj(op.inputs[0])
        b = math.conj(op.inputs[1])
        gb = g * b
        return gb - 2.0 * gb * a, sigmoid_grad(a, g)


@_tanh.grad
def _(op, g):
    with after(g):
        return tanh_grad(math.conj(op.outputs[0]), g)


@tanh_grad.grad
def _(op, g):
    with after(g):
        a = math.conj(op.inputs[0])
        b = math.conj(op.inputs[1])
        return g * -2.0 * b * a, tanh_grad(a, g)


@sin.grad
def _(op, g):
    with after(g):
        return g * cos(math.conj(op.inputs[0]))


@cos.grad
def _(op, g):
    with after(g):
        return -g * sin(math.conj(op.inputs[0]))


@tan.grad  # dx = g / cos(x)^2
def _(op, g):
    with after(g):
        secant = reciprocal(cos(math.conj(op.inputs[0])))
        return math.mul_no_nan(square(secant), g)


def _side(op, g):
    """sqrt(1 - x^2)."""
    x2 = square(math.conj(op.inputs[0]))
    return sqrt(math.subtract(_constant(1, g), x2))


@asin.grad
def _(op, g):
    with after(g):
        return math.xdivy(g, _side(op, g))


@acos.grad
def _(op, g):
    with after(g):
        return -math.xdivy(g, _side(op, g))


@atan.grad  # dx = g / (1 + x^2)
def _(op, g):
    with after(g):
        x2 = square(math.conj(op.inputs[0]))
        return g * reciprocal(math.add(_constant(1, g), x2))


@sinh.grad
def _(op, g):
    with after(g):
        return g * cosh(math.conj(op.inputs[0]))


@cosh.grad
def _(op, g):
    with after(g):
        return g * sinh(math.conj(op.inputs[0]))


@asinh.grad
def _(op, g):
    with after(g):
        return g / cosh(math.conj(op.outputs[0]))


@acosh.grad
def _(op, g):
    with after(g):
        return math.xdivy(g, sinh(math.conj(op.outputs[0])))


@atanh.grad  # dx = g / (1 - x^2)
def _(op, g):
    with after(g):
        x2 = square(math.conj(op.inputs[0]))
        return g * reciprocal(math.subtract(_constant(1, g), x2))
