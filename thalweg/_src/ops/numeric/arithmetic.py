"""Arithmetic of two tensors, with broadcasting, and sums of many."""

import functools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.apply import check, xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import (
    COMPLEX,
    FLOATS,
    NUMBERS,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
    variant,
)
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.opdef import Many, Shape, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.structured import Structured
from thalweg._src.ops.arrays.broadcasting import broadcast_rule
from thalweg._src.ops.basic import identity
from thalweg._src.ops.chance import rounding
from thalweg._src.ops.late import math
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices

A1 = type_attr("T", (*FLOATS, *COMPLEX, int8, int16, int32, int64, uint8, string))
A2 = type_attr("T", (*FLOATS, *COMPLEX, int8, int16, int32, int64, uint8))
M = type_attr("T", (*FLOATS, *COMPLEX, int8, int16, int32, int64, uint8, uint16))
P = type_attr("T", (*FLOATS, *COMPLEX, int32, int64))
R = type_attr("T", (*FLOATS, int32, int64))
F = type_attr("T", FLOATS)
S = type_attr("T", (float16, float32, float64, *COMPLEX))
N = type_attr("T", NUMBERS)
V = type_attr("T", (*NUMBERS, variant))


def _is_integer(x: Any) -> bool:
    return x.dtype.kind in "iu"


def _no_zeros(x: Any, y: Any) -> None:
    if x.size and y.size:
        check(y != 0, "Integer division by zero")


def _divisor(x: Any, y: Any) -> Any:
    """`y` as integers divide by it, which is an error where it is zero."""
    if type(y) is np.ndarray and np.count_nonzero(y) == y.size:
        return y
    _no_zeros(x, y)
    return _safe(y)


def _safe(y: Any) -> Any:
    """`y` with ones for zeros: XLA leaves a division by zero undefined, and NumPy warns."""
    m = xp(y)
    if m is np and np.count_nonzero(y) == y.size:
        return y
    return m.where(y == 0, m.ones_like(y), y)


def quotient(x: Any, y: Any) -> Any:
    """x / y of floating numbers, rounded once, so that 49 / 49 is 1.

    XLA would multiply by the reciprocal of what is broadcast or constant. It does not where the divisor seems to differ
    from place to place.
    """
    if xp(x, y) is np:
        return x / y
    shape = np.broadcast_shapes(x.shape, y.shape)
    if x.dtype.kind == "c" or (y.shape == shape and shape and isinstance(y, jax.core.Tracer)):
        return x / y
    if not shape:
        return x / lax.optimization_barrier(y)
    places = lax.broadcasted_iota(np.int32, shape, len(shape) - 1)
    nowhere = lax.optimization_barrier(np.int32(-1))
    return x / jnp.where(places == nowhere, jnp.ones((), y.dtype), y)


# -- sums, differences, products


@op("Add", numpy_only=True, structured=True)
def add(x: A1, y: A1) -> A1:
    """x + y, of strings too."""
    return _sum([x, y]) if isinstance(x, Structured) or isinstance(y, Structured) else xp(x, y).add(x, y)


@op("AddV2", numpy_only=True, structured=True)
def add_v2(x: A2, y: A2) -> A2:
    """x + y."""
    return _sum([x, y]) if isinstance(x, Structured) or isinstance(y, Structured) else xp(x, y).add(x, y)


@op("Sub", numpy_only=True)
def subtract(x: M, y: M) -> M:
    """x - y."""
    return xp(x, y).subtract(x, y)


@op("Mul", numpy_only=True)
def multiply(x: M, y: M) -> M:
    """x * y."""
    return rounding.product(x, y)


@op("MulNoNan")
def mul_no_nan(x: S, y: S) -> S:
    """x * y, and 0 where y is 0 whatever x is."""
    return jnp.where(y == 0, jnp.zeros((), x.dtype), x * y)


@op("SquaredDifference")
def squared_difference(x: P, y: P) -> P:
    """(x - y)^2; |x - y|^2 for complex numbers."""
    d = x - y
    return d * jnp.conj(d) if d.dtype.kind == "c" else d * d


# -- quotients


@op("RealDiv")
def realdiv(x: M, y: M) -> M:
    """x / y."""
    return _trunc_div(x, y) if _is_integer(x) else quotient(x, y)


@op("Div", numpy_only=True)
def _div(x: M, y: M) -> M:
    """x / y; integers are rounded towards zero, as in C."""
    return _trunc_div(x, y) if _is_integer(x) else quotient(x, y)


@op("TruncateDiv", numpy_only=True)
def truncatediv(x: M, y: M) -> M:
    """x / y; integers are rounded towards zero."""
    return _trunc_div(x, y) if _is_integer(x) else quotient(x, y)


@op("FloorDiv", numpy_only=True)
def floor_div(x: M, y: M) -> M:
    """x / y, rounded towards minus infinity."""
    m = xp(x, y)
    if _is_integer(x):
        return m.floor_divide(x, _divisor(x, y))
    return m.floor(quotient(x, y))


@op("DivNoNan")
def _div_no_nan(x: S, y: S) -> S:
    """x / y, and 0 where y is 0."""
    return jnp.where(y == 0, jnp.zeros((), x.dtype), quotient(x, _safe(y)))


@op("Xdivy")
def xdivy(x: S, y: S) -> S:
    """x / y, and 0 where x is 0."""
    return jnp.where(x == 0, jnp.zeros((), x.dtype), quotient(x, y))


@op("Xlogy")
def xlogy(x: S, y: S) -> S:
    """x log(y), and 0 where x is 0."""
    return jnp.where(x == 0, jnp.zeros((), x.dtype), x * jnp.log(y))


def _trunc_div(x, y):
    y = _divisor(x, y)
    m = xp(x, y)
    if m is jnp:
        return lax.div(*jnp.broadcast_arrays(x, y))
    q = m.floor_divide(x, y)
    return q + ((x % y != 0) & ((x < 0) != (y < 0))).astype(q.dtype)


# -- remainders


@op("FloorMod", numpy_only=True)
def floormod(x: R, y: R) -> R:
    """What remains of x after division by y: it has the sign of y."""
    m = xp(x, y)
    if _is_integer(x):
        return m.remainder(x, _divisor(x, y))
    if x.dtype.itemsize == 2:
        x, y = x.astype(np.float32), y.astype(np.float32)
    rest = m.fmod(x, y)
    return m.where((x < 0) == (y < 0), rest, m.fmod(rest + y, y))


@op("Mod", numpy_only=True)
def _mod(x: R, y: R) -> R:
    """What remains of x after division by y: it has the sign of x."""
    return _trunc_mod(x, y)


@op("TruncateMod", numpy_only=True)
def truncatemod(x: R, y: R) -> R:
    """What remains of x after division by y: it has the sign of x."""
    return _trunc_mod(x, y)


def _trunc_mod(x, y):
    if _is_integer(x):
        y = _divisor(x, y)
    return xp(x, y).fmod(x, y)


# -- powers, extremes, angles


@op("Pow", numpy_only=True)
def _pow(x: P, y: P) -> P:
    """x to the power of y. Negative powers of integers are an error."""
    m = xp(x, y)
    if _is_integer(x):
        check(y >= 0, "Integers to negative integer powers are not allowed")
        y = m.maximum(y, 0).astype(y.dtype)
    if x.dtype.kind == "c":  # of 0 it is the C library's: exp(y log 0), also for y = 0
        of_zero = m.where(y.real > 0, 0, m.where(y.real < 0, complex(np.inf, np.nan), complex(np.nan, np.nan)))
        return m.where(x == 0, of_zero.astype(x.dtype), m.power(m.where(x == 0, m.ones_like(x), x), y))
    return m.power(x, y)


@op("Maximum", numpy_only=True)
def maximum(x: R, y: R) -> R:
    """The larger of x and y."""
    return xp(x, y).maximum(x, y)


@op("Minimum", numpy_only=True)
def minimum(x: R, y: R) -> R:
    """The smaller of x and y."""
    return xp(x, y).minimum(x, y)


@op("Atan2")
def atan2(y: F, x: F) -> F:
    """The angle of the point (x, y), in radians between -pi and pi."""
    return jnp.arctan2(y, x)


for _f in (add, add_v2, subtract, multiply, mul_no_nan, squared_difference, realdiv, _div, truncatediv, floor_div):
    _f.shape_rule(broadcast_rule)
for _f in (_div_no_nan, xdivy, xlogy, floormod, _mod, truncatemod, _pow, maximum, minimum, atan2):
    _f.shape_rule(broadcast_rule)


# -- sums of many


def _merged(op):
    dims = shapes.merge_all(t._dims for t in op._inputs)
    if dims is False:
        told = ", ".join(shapes.text(t._dims) for t in op._inputs)
        raise ValueError(f"Shapes must be equal, but are {told} for '{op.name}' (op: '{op.type}')")
    return [dims]


def _sum(inputs):
    arrays = [x for x in inputs if isinstance(x, Structured)]
    if arrays:  # gradients of a TensorArray, or zeros that stand for such
        return functools.reduce(operator.add, arrays)
    shape = inputs[0].shape
    for x in inputs:
        if x.shape != shape:
            raise ValueError(f"Inputs to AddN must have the same size and shape: {list(shape)} and {list(x.shape)}")
    total = inputs[0]
    for x in inputs[1:]:
        total = total + x
    return total


@op("AddN", numpy_only=True, structured=True, adds=True)
def _add_n(inputs: Many(V, "N", 1)) -> V:
    """The sum of tensors of one shape."""
    return _sum(inputs)


@op("AccumulateNV2", numpy_only=True, adds=True)
def _accumulate_n(inputs: Many(N, "N", 1), *, shape: Shape) -> N:
    """The sum of tensors of one shape."""
    return _sum(inputs)


_add_n.shape_rule(_merged)


@_accumulate_n.shape_rule
def _(op):
    dims = shapes.merge(op.attrs["shape"], _merged(op)[0])
    if dims is False:
        raise ValueError(f"The shape of '{op.name}' is not the shape of its inputs")
    return [dims]


@_add_n.grad
def _(op, g):
    return [g] * len(op.inputs)


@_accumulate_n.grad
def _(op, g):
    return [g] * len(op.inputs)


_NOTHING = "inputs must be a list of at least one {} with the same dtype and shape"


@dispatched
def add_n(inputs: Sequence[Any], name: str | None = None) -> Tensor:
    """The sum of `inputs`: tensors (or IndexedSlices, made dense) of one type and shape.

    Raises ValueError for an empty list.
    """
    if not isinstance(inputs, list | tuple) or not inputs:
        raise ValueError(_NOTHING.format("Tensor/IndexedSlices"))
    inputs = [x if isinstance(x, Tensor | IndexedSlices) else to_tensor(x) for x in inputs]
    if len(inputs) > 1:
        return _add_n(inputs, name=name)
    only = to_tensor(inputs[0])
    return identity(only, name=name) if name else only


def accumulate_n(inputs: Sequence[Any], shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """The sum of `inputs`: tensors of one type and shape.

    Raises ValueError where they differ in type or shape, TypeError where their type is not `tensor_dtype`.
    """
    if not isinstance(inputs, list | tuple) or not inputs:
        raise ValueError(_NOTHING.format("Tensor"))
    inputs = [x if isinstance(x, Tensor | IndexedSlices) else to_tensor(x) for x in inputs]
    first = inputs[0].dtype
    if not all(isinstance(x, Tensor) and x.dtype == first for x in inputs):
        raise ValueError(_NOTHING.format("Tensor"))
    known = shapes.as_shape(shape)
    for x in inputs:
        known = known.merge_with(x.shape)
    if tensor_dtype is not None and tensor_dtype != first:
        raise TypeError(f"tensor_dtype is {tensor_dtype}, but input is of type {first}")
    if len(inputs) == 1:
        return inputs[0] if name is None else identity(inputs[0], name=name)
    return _accumulate_n(inputs, shape=known, name=name)


# -- public functions that are more than their op

mod = floormod


@dispatched
def pow(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x to the power of y.

    >>> run(tf.pow([2, 3], [3, 2]))
    array([8, 9], dtype=int32)
    """
    with name_scope(name, "Pow", [x]) as name:
        return _pow(x, y, name=name)


@dispatched
def floordiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y, rounded towards minus infinity."""
    with name_scope(name, "floordiv", [x, y]) as name:
        return floor_div(x, y, name=name)


_TRUE_QUOTIENT = {uint8: float32, int8: float32, uint16: float32, int16: float32, int32: float64, int64: float64}


@dispatched
def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y, of integers too: those of 8 and 16 bits become float32, the others float64.

    Raises TypeError where the types of x and y differ.
    """
    with name_scope(name, "truediv", [x, y]) as name:
        x, y = to_tensor(x, None, "x"), to_tensor(y, None, "y")
        dtype = _one_type(x, y)
        wide = _TRUE_QUOTIENT.get(dtype)
        if wide is not None:
            x, y = math.cast(x, wide), math.cast(y, wide)
        elif not (dtype.is_floating or dtype.is_complex):
            raise TypeError(f"Invalid dtype {dtype!r} in __truediv__")
        return realdiv(x, y, name=name)


def _one_type(x: Tensor, y: Tensor) -> Any:
    a, b = x.dtype.base_dtype, y.dtype.base_dtype
    if a != b:
        raise TypeError(f"x and y must have the same dtype, got {a!r} != {b!r}")
    return a


@dispatched
def div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python 2 has it: integers are rounded down."""
    with name_scope(name, "div", [x, y]) as name:
        x = to_tensor(x, None, "x")
        y = to_tensor(y, x.dtype.base_dtype, "y")
        dtype = _one_type(x, y)
        return (realdiv if dtype.is_floating or dtype.is_complex else floor_div)(x, y, name=name)


@dispatched
def divide(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y as Python 3 has it."""
    return x / y if name is None else truediv(x, y, name)


@dispatched
def div_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y, and 0 where y is 0."""
    return _of_one_type(_div_no_nan, "div_no_nan", x, y, name)


def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x * y, and 0 where y is 0, even if x is infinite or NaN."""
    return _of_one_type(mul_no_nan, "multiply_no_nan", x, y, name)


def _of_one_type(f: Any, default: str, x: Any, y: Any, name: str | None) -> Tensor:
    with name_scope(name, default, [x, y]) as name:
        x = to_tensor(x, None, "x")
        y = to_tensor(y, x.dtype.base_dtype, "y")
        _one_type(x, y)
        return f(x, y, name=name)


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """`x`, a tensor or IndexedSlices, times a scalar. Raises ValueError where `scalar` is none."""
    scalar = to_tensor(scalar, x.dtype.base_dtype, "scalar")
    if scalar.dims != ():
        raise ValueError(f"Only scalar multiply works, got shape {scalar.shape}")
    if isinstance(x, IndexedSlices):
        return IndexedSlices(multiply(scalar, x.values, name=name), x.indices, x.dense_shape)
    return multiply(scalar, x, name=name)


def polyval(coeffs: Sequence[Any], x: Any, name: str | None = None) -> Tensor:
    """The polynomial with these coefficients, that of the highest power first, at `x`, by Horner's rule."""
    with name_scope(name, "polyval", [*coeffs, x]) as name:
        x = to_tensor(x, None, "x")
        if not coeffs:
            return math.zeros_like(x, name=name)
        first, *rest = [to_tensor(c, None, f"coeff_{i}") for i, c in enumerate(coeffs)]
        value = first
        for c in rest:
            value = c + value * x
        return value
