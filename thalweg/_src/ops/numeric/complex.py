"""Complex numbers: made of their parts, and taken apart."""

from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import complex64, complex128, float32, float64, variant
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.broadcasting import after, back_to, broadcast_rule
from thalweg._src.ops.arrays.constants import constant, zeros_like
from thalweg._src.ops.late import math
from thalweg._src.ops.numeric.elementwise import same_shape

C = type_attr("T", (complex64, complex128), complex64)
V = type_attr("T", (complex64, complex128, variant), complex64)
R = type_attr("T", (float32, float64), float32)
REAL = type_attr("Tout", (float32, float64), float32)
COMPLEX = type_attr("Tout", (complex64, complex128), complex64)


@op("Complex")
def _complex(real: R, imag: R, *, Tout: COMPLEX = complex64) -> COMPLEX:
    """real + i imag."""
    return lax.complex(*jnp.broadcast_arrays(real, imag))


@op("Real")
def _real(input: C, *, Tout: REAL = float32) -> REAL:
    """The real part."""
    return jnp.real(input)


@op("Imag")
def _imag(input: C, *, Tout: REAL = float32) -> REAL:
    """The imaginary part."""
    return jnp.imag(input)


@op("Angle")
def _angle(input: C, *, Tout: REAL = float32) -> REAL:
    """The angle of the number in the plane, in radians between -pi and pi."""
    return jnp.angle(input)


@op("ComplexAbs")
def complex_abs(x: C, *, Tout: REAL = float32) -> REAL:
    """The distance of the number from 0."""
    return jnp.abs(x)


@op("Conj")
def _conj(input: V) -> V:
    """The number with the sign of its imaginary part turned."""
    return jnp.conj(input)


_complex.shape_rule(broadcast_rule)
for _f in (_real, _imag, _angle, complex_abs, _conj):
    _f.shape_rule(same_shape)


@dispatched
def complex(real: Any, imag: Any, name: str | None = None) -> Tensor:
    """real + i imag: complex64 of float32, complex128 of float64. Raises TypeError for other types.

    >>> run(tf.complex([1.0], [2.0]))
    array([1.+2.j], dtype=complex64)
    """
    real, imag = to_tensor(real, None, "real"), to_tensor(imag, None, "imag")
    with name_scope(name, "Complex", [real, imag]) as name:
        want = _OF_PARTS.get((real.dtype.base_dtype, imag.dtype.base_dtype))
        if want is None:
            raise TypeError(f"real and imag have incorrect types: {real.dtype.name} {imag.dtype.name}")
        return _complex(real, imag, Tout=want, name=name)


_OF_PARTS = {(float32, float32): complex64, (float64, float64): complex128}


@dispatched
def real(input: Any, name: str | None = None) -> Tensor:
    """The real part; a real `input` itself."""
    with name_scope(name, "Real", [input]) as name:
        x = to_tensor(input, None, "input")
        return _real(x, Tout=x.dtype.base_dtype.real_dtype, name=name) if x.dtype.is_complex else x


@dispatched
def imag(input: Any, name: str | None = None) -> Tensor:
    """The imaginary part; zeros for a real `input`."""
    with name_scope(name, "Imag", [input]) as name:
        x = to_tensor(input, None, "input")
        return _imag(x, Tout=x.dtype.base_dtype.real_dtype, name=name) if x.dtype.is_complex else zeros_like(x)


@dispatched
def angle(input: Any, name: str | None = None) -> Tensor:
    """The angle of each number in the plane, in radians; zeros for a real `input`."""
    with name_scope(name, "Angle", [input]) as name:
        x = to_tensor(input, None, "input")
        return _angle(x, Tout=x.dtype.base_dtype.real_dtype, name=name) if x.dtype.is_complex else zeros_like(x)


@dispatched
def conj(x: Any, name: str | None = None) -> Tensor:
    """The number with the sign of its imaginary part turned; a real `x` itself. TypeError for other things."""
    if isinstance(x, Tensor) and (x.dtype.is_floating or x.dtype.is_integer):
        return x
    with name_scope(name, "Conj", [x]) as name:
        x = to_tensor(x, None, "x")
        if x.dtype.is_complex or x.dtype.base_dtype == variant:
            return _conj(x, name=name)
        if x.dtype.is_floating or x.dtype.is_integer:
            return x
        raise TypeError(f"Expected numeric or variant tensor, got dtype {x.dtype!r}")


@_complex.grad
def _(op, g):
    to_x, to_y = back_to(*op.inputs)
    return to_x(real(g)), to_y(imag(g))


@_real.grad
def _(op, g):
    return complex(g, constant(0, dtype=g.dtype))


@_imag.grad
def _(op, g):
    return complex(constant(0, dtype=g.dtype), g)


@_angle.grad
def _(op, g):
    (x,) = op.inputs
    with after(g):
        re, im = real(x), imag(x)
        z = math.reciprocal(complex(im, re))
        return -complex(g, constant(0, dtype=g.dtype)) * z


@_conj.grad
def _(op, g):
    return conj(g)


@complex_abs.grad  # dx = g x / |x|
def _(op, g):
    (x,), (size,) = op.inputs, op.outputs
    return math.div_no_nan(complex(g, zeros_like(g)) * x, complex(size, zeros_like(size)))
