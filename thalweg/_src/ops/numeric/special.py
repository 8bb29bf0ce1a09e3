"""Special functions: the error function, gamma, beta, zeta and Bessel functions, and the next floating number."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import FLOATS, float32, float64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.broadcasting import after, back_to, broadcast_gradient_args, broadcast_rule
from thalweg._src.ops.arrays.constants import constant, ones, zeros, zeros_like
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.elementwise import over_values, same_shape

F = type_attr("T", FLOATS)
W = type_attr("T", (float32, float64))
X = type_attr("T", (float32, float64), float32)


def _in_32_bits(f: Any, *xs: Any) -> Any:
    """`f` of 16-bit numbers computed in 32 bits."""
    if xs[0].dtype.itemsize > 2:
        return f(*xs)
    return f(*(x.astype(np.float32) for x in xs)).astype(xs[0].dtype)


# -- of one number


@op("Erf")
def _erf(x: F) -> F:
    """The error function: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    return _in_32_bits(lax.erf, x)


@op("Erfc")
def erfc(x: F) -> F:
    """1 - erf(x), exact for large x."""
    return _in_32_bits(lax.erfc, x)


@op("Lgamma")
def lgamma(x: F) -> F:
    """The logarithm of |gamma(x)|."""
    return _in_32_bits(lax.lgamma, x)


@op("Digamma")
def digamma(x: F) -> F:
    """The derivative of lgamma; infinity at its poles, the negative whole numbers and 0."""
    pole = (x <= 0) & (x == jnp.floor(x))
    return jnp.where(pole, jnp.asarray(jnp.inf, x.dtype), _in_32_bits(lax.digamma, x))


@op("BesselI0e")
def _bessel_i0e(x: F) -> F:
    """exp(-|x|) I0(x): the scaled modified Bessel function of order 0."""
    return _in_32_bits(jax.scipy.special.i0e, x)


@op("BesselI1e")
def _bessel_i1e(x: F) -> F:
    """exp(-|x|) I1(x): the scaled modified Bessel function of order 1."""
    return _in_32_bits(jax.scipy.special.i1e, x)


for _f in (_erf, erfc, lgamma, digamma, _bessel_i0e, _bessel_i1e):
    _f.shape_rule(same_shape)


erf = dispatched(over_values(_erf))
bessel_i0e = over_values(_bessel_i0e)
bessel_i1e = over_values(_bessel_i1e)


# -- of two


@op("Igamma")
def igamma(a: W, x: W) -> W:
    """The lower regularized incomplete gamma function: the share of gamma(a) up to x."""
    share = jnp.where(a <= 0, jnp.asarray(jnp.nan, x.dtype), lax.igamma(*jnp.broadcast_arrays(a, x)))
    return jnp.where(x == 0, jnp.zeros((), x.dtype), share)


@op("IgammaGradA")
def igamma_grad_a(a: W, x: W) -> W:
    """The derivative of `igamma` with respect to a."""
    return lax.igamma_grad_a(*jnp.broadcast_arrays(a, x))


@op("Igammac")
def igammac(a: W, x: W) -> W:
    """1 - igamma(a, x), exact where that is near 1."""
    return jnp.where(a <= 0, jnp.asarray(jnp.nan, x.dtype), lax.igammac(*jnp.broadcast_arrays(a, x)))


@op("Zeta")
def zeta(x: W, q: W) -> W:
    """Hurwitz's zeta function: the sum of (q + n)^-x for n = 0, 1, ..."""
    return lax.zeta(*jnp.broadcast_arrays(x, q))


@op("Polygamma")
def polygamma(a: W, x: W) -> W:
    """The derivative of order `a`, a whole number, of digamma; NaN for other orders."""
    a, x = jnp.broadcast_arrays(a, x)
    order = a + 1
    sign = jnp.where(order % 2 == 0, 1, -1).astype(x.dtype)
    value = jnp.where(a == 0, lax.digamma(x), sign * jnp.exp(lax.lgamma(order)) * lax.zeta(order, x))
    return jnp.where((a == jnp.floor(a)) & (a >= 0), value, jnp.nan)


@op("NextAfter")
def nextafter(x1: X, x2: X) -> X:
    """The floating number that follows `x1` in the direction of `x2`."""
    return jnp.nextafter(x1, x2)


for _f in (igamma, igamma_grad_a, igammac, zeta, polygamma, nextafter):
    _f.shape_rule(broadcast_rule)


@op("Betainc")
def betainc(a: W, b: W, x: W) -> W:
    """The regularized incomplete beta function. All of one shape, but for scalars."""
    shapes_ = {"a": a.shape, "b": b.shape, "x": x.shape}
    for one, other in ("ab", "ax", "bx"):
        if shapes_[one] and shapes_[other] and shapes_[one] != shapes_[other]:
            told = f"{list(shapes_[one])} vs. {list(shapes_[other])}"
            raise ValueError(f"Shapes of {one} and {other} are inconsistent: {told}")
    # In 32 bits its series loses too much.
    return jax.scipy.special.betainc(*(v.astype(np.float64) for v in jnp.broadcast_arrays(a, b, x))).astype(x.dtype)


def _one_shape(known: Any) -> Any:
    shape: Any = ()
    for dims in known:
        if len(dims):
            shape = shapes.merged(tuple(dims), tuple(shape)) if len(shape) else tuple(dims)
    return shape


@betainc.shape_rule
def _(op):
    known = [t.dims for t in op.inputs]
    if None in known:
        full = [d for d in known if d]
        return [full[0] if full else None]
    return [_one_shape(known)]


# -- public functions of several ops


def lbeta(x: Any, name: str | None = None) -> Tensor:
    """log|beta(x)| over the last axis: the sum of lgamma(x) less lgamma of the sum."""
    with name_scope(name, "lbeta", [x]):
        x = to_tensor(x, None, "x")
        return math.reduce_sum(lgamma(x), axis=[-1]) - lgamma(math.reduce_sum(x, axis=[-1]))


def bessel_i0(x: Any, name: str | None = None) -> Tensor:
    """I0(x): the modified Bessel function of order 0."""
    with name_scope(name, "bessel_i0", [x]):
        return math.exp(math.abs(x)) * bessel_i0e(x)


def bessel_i1(x: Any, name: str | None = None) -> Tensor:
    """I1(x): the modified Bessel function of order 1."""
    with name_scope(name, "bessel_i1", [x]):
        return math.exp(math.abs(x)) * bessel_i1e(x)


# -- gradients


def _bell(op, g, factor):
    """g times `factor` exp(-x^2)."""
    scale = constant(factor, dtype=g.dtype)
    with after(g):
        x = math.conj(op.inputs[0])
        return g * scale * math.exp(-math.square(x))


@_erf.grad
def _(op, g):
    return _bell(op, g, 2 / np.sqrt(np.pi))


@erfc.grad
def _(op, g):
    return _bell(op, g, -2 / np.sqrt(np.pi))


@lgamma.grad
def _(op, g):
    with after(g):
        return math.mul_no_nan(digamma(op.inputs[0]), g)


@digamma.grad
def _(op, g):
    (x,) = op.inputs
    with after(g):
        return math.mul_no_nan(polygamma(constant(1, dtype=x.dtype), x), g)


@_bessel_i0e.grad  # dx = I1e(x) - sign(x) y
def _(op, g):
    (x,), (y,) = op.inputs, op.outputs
    with after(g):
        return math.mul_no_nan(bessel_i1e(x) - math.sign(x) * y, g)


@_bessel_i1e.grad  # dx = I0e(x) - y (sign(x) + 1 / x), and 1/2 at 0
def _(op, g):
    (x,), (y,) = op.inputs, op.outputs
    with after(g):
        tiny = float(np.finfo(x.dtype.as_numpy_dtype).eps)
        none = zeros_like(x)
        usable = math.abs(x) > tiny
        safe = array.where(usable, x, tiny + none)
        slope = bessel_i0e(safe) - y * (math.sign(safe) + math.reciprocal(safe))
        return math.mul_no_nan(array.where(usable, slope, 0.5 + none), g)


def _igamma_parts(op, g):
    a, x = op.inputs
    to_a, to_x = back_to(a, x)
    with after(g):
        da = igamma_grad_a(a, x)
        dx = math.exp(-x + (a - 1) * math.log(x) - lgamma(a))
        return to_a(math.mul_no_nan(da, g)), to_x(math.mul_no_nan(dx, g))


igamma.grad(_igamma_parts)


@igammac.grad
def _(op, g):
    da, dx = _igamma_parts(op, g)
    return -da, -dx


@betainc.grad  # with respect to x alone, as in TensorFlow
def _(op, g):
    a, b, x = op.inputs
    sx = array.shape(x)
    _, rx = broadcast_gradient_args(array.shape(a), sx)
    log_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
    dx = math.exp((b - 1) * math.log(1 - x) + (a - 1) * math.log(x) - log_beta)
    return None, None, array.reshape(math.reduce_sum(math.mul_no_nan(dx, g), rx), sx)


@zeta.grad  # with respect to q alone, as in TensorFlow
def _(op, g):
    x, q = op.inputs
    _, to_q = back_to(x, q)
    with after(g):
        return None, to_q(math.mul_no_nan(-x * zeta(x + 1, q), g))


@polygamma.grad  # with respect to x alone, as in TensorFlow
def _(op, g):
    n, x = op.inputs
    _, to_x = back_to(n, x)
    with after(g):
        return None, to_x(math.mul_no_nan(polygamma(n + 1, x), g))


@nextafter.grad  # dx1 = g, dx2 = 0
def _(op, g):
    a, b = op.inputs
    sa, sb = array.shape(a), array.shape(b)
    ra, rb = broadcast_gradient_args(sa, sb)
    with after(g):
        da, db = ones(sa, dtype=a.dtype), zeros(sb, dtype=b.dtype)
        return (
            array.reshape(math.reduce_sum(da * g, ra), sa),
            array.reshape(math.reduce_sum(db * g, rb), sb),
        )
