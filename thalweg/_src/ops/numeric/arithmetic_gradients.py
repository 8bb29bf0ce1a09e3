"""The gradients of sums, products, quotients and extremes."""

from thalweg._src.core.dtypes import float32, int32
from thalweg._src.core.graph import Tensor
from thalweg._src.ops.arrays.broadcasting import after, all_equal, back_to, back_to_known, summed_to
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.arithmetic import (
    _div,
    _div_no_nan,
    _pow,
    add,
    add_v2,
    atan2,
    div_no_nan,
    divide,
    floor_div,
    floormod,
    maximum,
    minimum,
    mul_no_nan,
    multiply,
    pow,
    realdiv,
    scalar_mul,
    squared_difference,
    subtract,
    truncatediv,
    xdivy,
    xlogy,
)


def _add_grad(op, g):
    x, y = op.inputs
    if all_equal(x, y, g):
        return g, g
    to_x, to_y = back_to_known(x, y, g)
    return to_x(g), to_y(g)


add.grad(_add_grad)
add_v2.grad(_add_grad)


@subtract.grad
def _(op, g):
    x, y = op.inputs
    if all_equal(x, y, g):
        return g, -g
    to_x, to_y = back_to_known(x, y, g)
    return to_x(g), to_y(-g)


@multiply.grad
def _(op, g):
    x, y = op.inputs
    if all_equal(x, y, g) and g.dtype in (int32, float32):
        return multiply(g, y), multiply(g, x)
    to_x, to_y = back_to_known(x, y, g)
    x, y = math.conj(x), math.conj(y)
    return to_x(multiply(g, y)), to_y(multiply(x, g))


@mul_no_nan.grad
def _(op, g):
    x, y = op.inputs
    if all_equal(x, y, g):
        return mul_no_nan(g, y), mul_no_nan(x, g)
    to_x, to_y = back_to(x, y)
    return to_x(mul_no_nan(g, y)), to_y(mul_no_nan(x, g))


@squared_difference.grad  # dx = 2 g (x - y)
def _(op, g):
    x, y = op.inputs
    with after(g):
        dx = scalar_mul(2.0, g) * (x - y)
    if all_equal(x, y, g):
        return dx, -dx
    to_x, to_y = back_to_known(x, y, g)
    return to_x(dx), -to_y(dx)


def _quotient_grad(op, g, quotient, by):
    """dx = g / y, dy = -g x / y^2."""
    to_x, to_y = back_to(*op.inputs)
    x, y = map(math.conj, op.inputs)
    return to_x(by(g, y)), to_y(mul_no_nan(quotient(quotient(-x, y), y), g))


@realdiv.grad
def _(op, g):
    return _quotient_grad(op, g, realdiv, xdivy)


@_div.grad
def _(op, g):
    return _quotient_grad(op, g, divide, xdivy)


@_div_no_nan.grad
def _(op, g):
    return _quotient_grad(op, g, div_no_nan, div_no_nan)


for _f in (floor_div, truncatediv):
    _f.not_differentiable()


@floormod.grad  # dx = g, dy = -g floor(x / y)
def _(op, g):
    x, y = op.inputs
    to_x, to_y = back_to(x, y)
    quotient = floor_div(x, y)
    return to_x(g), to_y(g * math.negative(quotient))


def _nonzero(x: Tensor) -> Tensor:
    return math.cast(math.not_equal(x, math.cast(0.0, x.dtype)), x.dtype)


@xlogy.grad
def _(op, g):
    x, y = op.inputs
    to_x, to_y = back_to(x, y)
    with after(g):
        dx = xlogy(_nonzero(x), y)
        dy = xdivy(x, y)
        return to_x(dx * g), to_y(dy * g)


@xdivy.grad
def _(op, g):
    x, y = op.inputs
    to_x, to_y = back_to(x, y)
    with after(g):
        dx = xdivy(_nonzero(x), y)
        dy = xdivy(math.negative(x), y**2)
        return to_x(dx * g), to_y(dy * g)


@_pow.grad  # dx = g y x^(y - 1), dy = g z log(x)
def _(op, g):
    x, y = op.inputs
    to_x, to_y = back_to_known(x, y, g)
    x, y = math.conj(x), math.conj(y)
    dx = to_x(mul_no_nan(y * pow(x, y - 1), g))
    z = math.conj(op.outputs[0])
    defined = math.not_equal(x, 0) if x.dtype.is_complex else x > 0
    safe_x = array.where(defined, x, math.ones_like(x))
    log_x = array.where(defined, math.log(safe_x), math.zeros_like(x))
    return dx, to_y(mul_no_nan(z * log_x, g))


def _extreme_grad(op, g, wins):
    """The winner takes the gradient; of equals, the first."""
    x, y = op.inputs
    sx, sy = array.shape(x), array.shape(y)
    zeros = math.zeros(array.shape(g), g.dtype)
    first = wins(x, y)
    to_x, to_y = summed_to(sx, sy)
    return to_x(array.where(first, g, zeros)), to_y(array.where(first, zeros, g))


@maximum.grad
def _(op, g):
    return _extreme_grad(op, g, math.greater_equal)


@minimum.grad
def _(op, g):
    return _extreme_grad(op, g, math.less_equal)


@atan2.grad
def _(op, g):
    y, x = op.inputs
    with after(g):
        scaled = xdivy(g, math.square(x) + math.square(y))
        return x * scaled, -y * scaled
