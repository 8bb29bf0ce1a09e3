"""Matrices as functions, and the products that the solvers need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import array, math


class LinearOperator(NamedTuple):
    """What the solvers ask of a matrix: its shape and type, and its products with a column."""

    shape: Any
    dtype: Any
    apply: Callable[[Any], Any]
    apply_adjoint: Callable[[Any], Any]


def _shape(matrix: Any) -> Any:
    known = matrix.get_shape()
    return known.as_list() if known.is_fully_defined() else array.shape(matrix)


def create_operator(matrix: Any) -> LinearOperator:
    """The operator of a matrix."""
    return LinearOperator(
        _shape(matrix),
        matrix.dtype,
        lambda v: math.matmul(matrix, v),
        lambda v: math.matmul(matrix, v, adjoint_a=True),
    )


def identity_operator(matrix: Any) -> LinearOperator:
    """The identity of the shape and type of `matrix`."""
    return LinearOperator(_shape(matrix), matrix.dtype, lambda v: v, lambda v: v)


def dot(x: Any, y: Any) -> Any:
    """The inner product, conjugate in `x`."""
    return math.reduce_sum(math.conj(x) * y)


def l2norm_squared(v: Any) -> Any:
    return math.reduce_sum(math.square(v))


def l2norm(v: Any) -> Any:
    return math.sqrt(l2norm_squared(v))


def l2normalize(v: Any) -> tuple[Any, Any]:
    """(v / |v|, |v|)."""
    norm = l2norm(v)
    return v / norm, norm


def bidiag_matmul(matrix: Any, alpha: Any, beta: Any, adjoint_b: bool = False, name: str = "bidiag_matmul") -> Any:
    """`matrix` times the lower bidiagonal matrix [n + 1, n] of the diagonal `alpha` and `beta` below it, or its transpose."""
    with name_scope(name):
        if not adjoint_b:
            return matrix[:, :-1] * array.expand_dims(alpha, 0) + matrix[:, 1:] * array.expand_dims(beta, 0)
        moved = matrix[:, :-1] * array.expand_dims(beta[:-1], 0)
        return matrix * array.expand_dims(alpha, 0) + array.concat([array.zeros_like(matrix[:, :1]), moved], 1)
