"""Functions of one number, element by element, and the ops of their gradients."""

from collections.abc import Callable
from typing import Any

from thalweg._src.core.apply import xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import COMPLEX, FLOATS, bool, int8, int16, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnn, jnp, lax
from thalweg._src.core.opdef import OpDef, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.late import math

R = type_attr("T", (*FLOATS, int8, int16, int32, int64))  # with a sign, and an order
F = type_attr("T", FLOATS)
C = type_attr("T", (*FLOATS, *COMPLEX))
N = type_attr("T", (*FLOATS, *COMPLEX, int32, int64))


def same_shape(op):
    """The shape rule of functions of one tensor."""
    return [op._inputs[0]._dims]


def merged_shape(op):
    """The shape rule of functions of tensors of one shape."""
    from thalweg._src.core import shapes

    dims = shapes.merge_all(t.dims for t in op.inputs)
    if dims is False:
        told = ", ".join(shapes.text(t.dims) for t in op.inputs)
        raise ValueError(f"Shapes must be equal, but are {told} for '{op.name}' (op: '{op.type}')")
    return [dims]


# -- signs and roundings


@op("Abs", numpy_only=True)
def _abs(x: R) -> R:
    """|x|."""
    return xp(x).abs(x)


@op("Neg", numpy_only=True)
def _negative(x: N) -> N:
    """-x."""
    return xp(x).negative(x)


@op("Sign", numpy_only=True)
def _sign(x: N) -> N:
    """-1, 0 or 1 as `x` is negative, zero or positive; x / |x| for complex numbers. NaN gives 0, as in TensorFlow."""
    m = xp(x)
    if x.dtype.kind == "c":
        size = m.abs(x)
        return m.where(size == 0, 0, x / m.where(size == 0, 1, size)).astype(x.dtype)
    return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


@op("Floor", numpy_only=True)
def floor(x: F) -> F:
    """The largest integer that is not above x."""
    return xp(x).floor(x)


@op("Ceil", numpy_only=True)
def ceil(x: F) -> F:
    """The smallest integer that is not below x."""
    return xp(x).ceil(x)


@op("Round")
def _round(x: N) -> N:
    """The nearest integer; halves go to the even one."""
    return jnp.round(x)


@op("Rint")
def rint(x: F) -> F:
    """The nearest integer; halves go to the even one."""
    return jnp.rint(x)


# -- powers and roots


@op("Square", numpy_only=True)
def _square(x: N) -> N:
    """x * x."""
    return x * x


@op("Sqrt")
def _sqrt(x: C) -> C:
    """The root of x; NaN for negative numbers."""
    return jnp.sqrt(x)


@op("SqrtGrad")
def sqrt_grad(y: C, dy: C) -> C:
    """dy / 2y, where y is the root; 0 where dy is 0."""
    return _where_nonzero(dy, 0.5 * dy / jnp.conj(y))


@op("Rsqrt")
def rsqrt(x: C) -> C:
    """1 / sqrt(x)."""
    return lax.rsqrt(x)


@op("RsqrtGrad")
def rsqrt_grad(y: C, dy: C) -> C:
    """-dy y^3 / 2, where y is the reciprocal of the root; 0 where dy is 0."""
    y = jnp.conj(y)
    return _where_nonzero(dy, -0.5 * (dy * y) * (y * y))


@op("Reciprocal")
def reciprocal(x: N) -> N:
    """1 / x."""
    return _inverse(x)


@op("ReciprocalGrad")
def reciprocal_grad(y: C, dy: C) -> C:
    """-dy y^2, where y is the reciprocal; 0 where dy is 0."""
    return _inverse_grad(y, dy)


@op("Inv")
def inv(x: N) -> N:
    """1 / x, as TensorFlow 0.x named it."""
    return _inverse(x)


@op("InvGrad")
def inv_grad(y: C, dy: C) -> C:
    """-dy y^2, where y is the reciprocal; 0 where dy is 0."""
    return _inverse_grad(y, dy)


def _inverse(x):
    return lax.integer_pow(x, -1) if x.dtype.kind != "i" else lax.div(jnp.ones_like(x), x)


def _inverse_grad(y, dy):
    y = jnp.conj(y)
    return _where_nonzero(dy, -y * y * dy)


def _where_nonzero(dy, value):
    # A gradient of 0 stays 0 where the derivative is infinite.
    return jnp.where(dy == 0, jnp.zeros((), dy.dtype), value)


# -- exponentials and logarithms


@op("Exp")
def exp(x: C) -> C:
    """e to the power of x."""
    return jnp.exp(x)


@op("Expm1")
def expm1(x: C) -> C:
    """exp(x) - 1, exact for small x."""
    return jnp.expm1(x)


@op("Log")
def log(x: C) -> C:
    """The natural logarithm."""
    return jnp.log(x)


@op("Log1p")
def log1p(x: C) -> C:
    """log(1 + x), exact for small x."""
    return jnp.log1p(x)


@op("Sigmoid")
def _sigmoid(x: C) -> C:
    """1 / (1 + exp(-x))."""
    return jnn.sigmoid(x)


@op("SigmoidGrad")
def sigmoid_grad(y: C, dy: C) -> C:
    """dy y (1 - y), where y is the sigmoid."""
    return dy * y * (1 - y)


@op("Tanh")
def _tanh(x: C) -> C:
    """The hyperbolic tangent."""
    return jnp.tanh(x)


@op("TanhGrad")
def tanh_grad(y: C, dy: C) -> C:
    """dy (1 - y^2), where y is the hyperbolic tangent."""
    return dy * (1 - y * y)


# -- circles and hyperbolas


@op("Sin")
def sin(x: C) -> C:
    """The sine of radians."""
    return jnp.sin(x)


@op("Cos")
def cos(x: C) -> C:
    """The cosine of radians."""
    return jnp.cos(x)


@op("Tan")
def tan(x: N) -> N:
    """The tangent of radians."""
    return jnp.tan(x)


@op("Asin")
def asin(x: N) -> N:
    """The angle whose sine is x."""
    return jnp.arcsin(x)


@op("Acos")
def acos(x: N) -> N:
    """The angle whose cosine is x."""
    return jnp.arccos(x)


@op("Atan")
def atan(x: N) -> N:
    """The angle whose tangent is x."""
    return jnp.arctan(x)


@op("Sinh")
def sinh(x: C) -> C:
    """The hyperbolic sine."""
    return jnp.sinh(x)


@op("Cosh")
def cosh(x: C) -> C:
    """The hyperbolic cosine."""
    return jnp.cosh(x)


@op("Asinh")
def asinh(x: C) -> C:
    """The number whose hyperbolic sine is x."""
    return jnp.arcsinh(x)


@op("Acosh")
def acosh(x: C) -> C:
    """The number whose hyperbolic cosine is x."""
    return jnp.arccosh(x)


@op("Atanh")
def atanh(x: C) -> C:
    """The number whose hyperbolic tangent is x."""
    return jnp.arctanh(x)


# -- questions


@op("IsNan")
def is_nan(x: F) -> bool:
    """Whether x is not a number."""
    return jnp.isnan(x)


@op("IsInf")
def is_inf(x: F) -> bool:
    """Whether x is infinite."""
    return jnp.isinf(x)


@op("IsFinite")
def is_finite(x: F) -> bool:
    """Whether x is neither infinite nor NaN."""
    return jnp.isfinite(x)


ROUNDINGS = (floor, ceil, _round, rint)
QUESTIONS = (is_nan, is_inf, is_finite)
for _f in (
    *ROUNDINGS,
    *QUESTIONS,
    _abs,
    _negative,
    _sign,
    _square,
    _sqrt,
    rsqrt,
    reciprocal,
    inv,
    exp,
    expm1,
    log,
    log1p,
):
    _f.shape_rule(same_shape)
for _f in (_sigmoid, _tanh, sin, cos, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh):
    _f.shape_rule(same_shape)
for _f in (sqrt_grad, rsqrt_grad, reciprocal_grad, inv_grad, sigmoid_grad, tanh_grad):
    _f.shape_rule(same_shape)
for _f in (*ROUNDINGS, *QUESTIONS):
    _f.not_differentiable()


# -- public functions that are more than their op


@dispatched
def abs(x: Any, name: str | None = None) -> Tensor:
    """|x|, a real number for complex `x`. Of a SparseTensor, that of its values."""
    if isinstance(x, SparseTensor):
        return x._with_values(abs(x.values, name=name))
    with name_scope(name, "Abs", [x]) as name:
        x = to_tensor(x, None, "x")
        if x.dtype.is_complex:
            return math.complex_abs(x, Tout=x.dtype.base_dtype.real_dtype, name=name)
        return _abs(x, name=name)


def over_values(f: OpDef) -> Callable[..., Any]:
    """The op `f` as a function that maps the values of a SparseTensor too."""

    def mapped(x: Any, name: str | None = None) -> Any:
        return x._with_values(f(x.values, name=name)) if isinstance(x, SparseTensor) else f(x, name=name)

    mapped.__name__ = mapped.__qualname__ = f.__name__.lstrip("_")
    mapped.__module__ = f.__module__
    mapped.__doc__ = f"{f.__doc__}\n\n    Of a SparseTensor, that of its values."
    return mapped


negative = dispatched(over_values(_negative))
sign = dispatched(over_values(_sign))
square = dispatched(over_values(_square))
sqrt = dispatched(over_values(_sqrt))
tanh = over_values(_tanh)


@dispatched
def round(x: Any, name: str | None = None) -> Tensor:
    """The nearest integer; halves go to the even one."""
    x = to_tensor(x, None, "x")
    return x if x.dtype.is_integer else _round(x, name=name)


def sigmoid(x: Any, name: str | None = None) -> Tensor:
    """1 / (1 + exp(-x)).

    >>> run(tf.sigmoid([0.0]))
    array([0.5], dtype=float32)
    """
    return _sigmoid(x, name=name)


@dispatched
def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """log(sigmoid(x)), without overflow."""
    from thalweg._src.ops.nets.activations import softplus

    with name_scope(name, "LogSigmoid", [x]) as name:
        x = to_tensor(x, None, "x")
        return negative(softplus(-x), name=name)


def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """1 / x, and 0 where x is 0."""
    with name_scope(name, "reciprocal_no_nan", [x]) as name:
        x = to_tensor(x, None, "x")
        one = _constant(1, x, "one")
        return math._div_no_nan(one, x, name=name)


def _constant(value: Any, like: Tensor, name: str = "Const") -> Tensor:
    from thalweg._src.ops.arrays.constants import constant

    return constant(value, dtype=like.dtype.base_dtype, name=name)
