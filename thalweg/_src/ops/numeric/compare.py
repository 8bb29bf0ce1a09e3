"""Comparisons of two tensors, and logic."""

from typing import Any

from thalweg._src.core import shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import (
    COMPLEX,
    FLOATS,
    NUMBERS,
    REALS,
    int8,
    int16,
    int32,
    int64,
    qint8,
    qint32,
    quint8,
    string,
    uint8,
)
from thalweg._src.core.dtypes import (
    bool as truth,
)
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.ops.arrays.broadcasting import broadcast_rule
from thalweg._src.ops.numeric.elementwise import merged_shape, same_shape

R = type_attr("T", REALS)
N = type_attr("T", NUMBERS)
E = type_attr(
    "T", (*FLOATS, *COMPLEX, int8, int16, int32, int64, uint8, qint8, qint32, quint8, string, truth)
)  # what can be equal


@op("Less", numpy_only=True)
def less(x: R, y: R) -> truth:
    """x < y."""
    return xp(x, y).less(x, y)


@op("LessEqual", numpy_only=True)
def less_equal(x: R, y: R) -> truth:
    """x <= y."""
    return xp(x, y).less_equal(x, y)


@op("Greater", numpy_only=True)
def greater(x: R, y: R) -> truth:
    """x > y."""
    return xp(x, y).greater(x, y)


@op("GreaterEqual", numpy_only=True)
def greater_equal(x: R, y: R) -> truth:
    """x >= y."""
    return xp(x, y).greater_equal(x, y)


@op("Equal", numpy_only=True)
def _equal(x: E, y: E, *, incompatible_shape_error: bool = True) -> truth:
    """x == y, element by element."""
    if not incompatible_shape_error and not _fit(x.shape, y.shape):
        return xp(x, y).zeros((), "bool")
    return xp(x, y).equal(x, y)


@op("NotEqual", numpy_only=True)
def _not_equal(x: E, y: E, *, incompatible_shape_error: bool = True) -> truth:
    """x != y, element by element."""
    if not incompatible_shape_error and not _fit(x.shape, y.shape):
        return xp(x, y).ones((), "bool")
    return xp(x, y).not_equal(x, y)


def _fit(a: Any, b: Any) -> Any:
    return shapes.broadcast(tuple(a), tuple(b)) is not False


@op("ApproximateEqual")
def approximate_equal(x: N, y: N, *, tolerance: float = 1e-5) -> truth:
    """Whether x and y, of one shape, differ by less than `tolerance`."""
    return jnp.abs(x - y) < tolerance


@op("LogicalAnd", numpy_only=True)
def logical_and(x: truth, y: truth) -> truth:
    """Whether both are true."""
    return xp(x, y).logical_and(x, y)


@op("LogicalOr", numpy_only=True)
def logical_or(x: truth, y: truth) -> truth:
    """Whether one of them, or both, is true."""
    return xp(x, y).logical_or(x, y)


@op("LogicalNot", numpy_only=True)
def logical_not(x: truth) -> truth:
    """Whether it is false."""
    return xp(x).logical_not(x)


for _f in (less, less_equal, greater, greater_equal, logical_and, logical_or):
    _f.shape_rule(broadcast_rule)
for _f in (less, less_equal, greater, greater_equal, logical_and, logical_or, logical_not, _equal, _not_equal):
    _f.not_differentiable()
logical_not.shape_rule(same_shape)
approximate_equal.shape_rule(merged_shape)
approximate_equal.not_differentiable()


def _comparison_rule(op):
    a, b = op.inputs[0].dims, op.inputs[1].dims
    if op.attrs["incompatible_shape_error"]:
        return broadcast_rule(op)
    # Shapes that don't fit give one answer, False (or True), for all.
    if a is None or b is None or any(None in (x, y) and x != y for x, y in zip(reversed(a), reversed(b), strict=False)):
        return [None]
    dims = shapes.broadcast(a, b)
    return [() if dims is False else dims]


_equal.shape_rule(_comparison_rule)
_not_equal.shape_rule(_comparison_rule)


@dispatched
def equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x == y, element by element.

    >>> run(tf.equal([1, 2], [1, 3]))
    array([ True, False])
    """
    return _equal(x, y, name=name)


@dispatched
def not_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x != y, element by element."""
    return _not_equal(x, y, name=name)


@dispatched
def logical_xor(x: Any, y: Any, name: str = "LogicalXor") -> Tensor:
    """Whether exactly one of them is true."""
    return logical_and(logical_or(x, y), logical_not(logical_and(x, y)), name=name)
