"""Inverses, determinants, and solutions of linear systems. All take batches [..., m, n]."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.apply import check
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import COMPLEX, complex128, float16, float32, float64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Outputs, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import array, math
from thalweg._src.ops.linear.linalg import cholesky, eye, need_square, square_dims, square_rule, wide

T = type_attr("T", (float64, float32, float16, *COMPLEX))


def _turned(x: Any) -> Any:
    return jnp.conj(jnp.swapaxes(x, -1, -2))


def _factors(x: Any, message: str) -> Any:
    """The LU factors of matrices that must be invertible."""
    factors, _, order = lax.linalg.lu(x)
    check(jnp.diagonal(factors, axis1=-2, axis2=-1) != 0, message)
    return factors, order


# -- inverses and determinants


@op("MatrixInverse")
def matrix_inverse(input: T, *, adjoint: bool = False) -> T:
    """The inverses of matrices, or of their adjoints. InvalidArgumentError where there is none."""
    need_square(input)
    if not input.size:
        return input
    x = _turned(wide(input)) if adjoint else wide(input)
    return _solve(x, jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape), "Input is not invertible.")


def _solve(x: Any, rhs: Any, message: str) -> Any:
    factors, order = _factors(x, message)
    rhs = jnp.take_along_axis(rhs, order[..., None], -2)
    y = lax.linalg.triangular_solve(factors, rhs, left_side=True, lower=True, unit_diagonal=True)
    return lax.linalg.triangular_solve(factors, y, left_side=True, lower=False)


matrix_inverse.shape_rule(square_rule)


@matrix_inverse.grad  # dx = -y^H g y^H; of the adjoint's inverse, its adjoint
def _(op, g):
    (y,) = op.outputs
    if op.attrs["adjoint"]:
        return -math.matmul(y, math.matmul(g, y, adjoint_a=True))
    return -math.matmul(y, math.matmul(g, y, adjoint_b=True), adjoint_a=True)


@op("MatrixDeterminant")
def matrix_determinant(input: T) -> T:
    """The determinants of matrices."""
    need_square(input)
    sign, size = jnp.linalg.slogdet(wide(input))
    return sign * jnp.exp(size)


@op("LogMatrixDeterminant")
def log_matrix_determinant(input: T) -> Outputs(sign=T, log_abs_determinant=T):
    """The signs of determinants and the logarithms of their absolute values; 0 and -inf for singular matrices."""
    need_square(input)
    return tuple(jnp.linalg.slogdet(wide(input)))


@matrix_determinant.shape_rule
def _(op):
    dims = square_dims(op.inputs[0].dims)
    return [None if dims is None else dims[:-2]]


@log_matrix_determinant.shape_rule
def _(op):
    dims = square_dims(op.inputs[0].dims)
    return [None if dims is None else dims[:-2]] * 2


def _times_inverse(a: Tensor, g: Tensor, like: Tensor) -> Tensor:
    inverse = matrix_inverse(a, adjoint=True)
    factors = array.reshape(g, array.concat([array.shape(like), [1, 1]], 0))
    return factors * inverse


@matrix_determinant.grad
def _(op, g):
    (y,) = op.outputs
    inverse = matrix_inverse(op.inputs[0], adjoint=True)
    factors = array.reshape(g * y, array.concat([array.shape(y), [1, 1]], 0))
    return factors * inverse


@log_matrix_determinant.grad
def _(op, _, g):
    return _times_inverse(op.inputs[0], g, op.outputs[1])


# -- systems


@op("MatrixSolve")
def matrix_solve(matrix: T, rhs: T, *, adjoint: bool = False) -> T:
    """The x of matrix x = rhs, or of its adjoint: [..., m, m], [..., m, k] -> [..., m, k]."""
    _need_system(matrix, rhs)
    need_square(matrix)
    if not matrix.size or not rhs.size:
        return jnp.zeros(rhs.shape, rhs.dtype)
    x = _turned(wide(matrix)) if adjoint else wide(matrix)
    return _solve(x, wide(rhs), "Input matrix is not invertible.")


def _need_system(matrix: Any, rhs: Any) -> None:
    if matrix.ndim < 2 or matrix.shape[:-1] != rhs.shape[:-1] or matrix.ndim != rhs.ndim:
        raise ValueError(f"Input matrix and rhs are incompatible: {list(matrix.shape)} and {list(rhs.shape)}")


@op("MatrixTriangularSolve")
def matrix_triangular_solve(matrix: T, rhs: T, *, lower: bool = True, adjoint: bool = False) -> T:
    """The x of matrix x = rhs, or of its adjoint, for a triangular matrix; its other half is not read."""
    _need_system(matrix, rhs)
    need_square(matrix)
    if not matrix.size or not rhs.size:
        return jnp.zeros(rhs.shape, rhs.dtype)
    x = wide(matrix)
    check(jnp.diagonal(x, axis1=-2, axis2=-1) != 0, "Input matrix is not invertible.")
    return lax.linalg.triangular_solve(
        x, wide(rhs), left_side=True, lower=lower, transpose_a=adjoint, conjugate_a=adjoint
    )


def _system(op: Any, matrix: Any, rhs: Any) -> list[Any]:
    shapes.of_rank_at_least(rhs, 2)
    if matrix is None or rhs is None:
        known = matrix or rhs
        return [None if known is None else (None,) * len(known)]
    batch = shapes.merged(matrix[:-2], rhs[:-2])
    rows = shapes.one_size(matrix[-2], rhs[-2])
    inner = matrix[-1] if op.type == "MatrixSolveLs" else shapes.one_size(rows, matrix[-1])
    return [(*batch, inner, rhs[-1])]


def _square_system_rule(op):
    return _system(op, square_dims(op.inputs[0].dims), op.inputs[1].dims)


matrix_solve.shape_rule(_square_system_rule)
matrix_triangular_solve.shape_rule(_square_system_rule)


def _matrix_part(y: Tensor, db: Tensor, turned: bool) -> Tensor:
    """The gradient of the matrix, from the solution and the gradient of the right side."""
    return -(math.matmul(y, db, adjoint_b=True) if turned else math.matmul(db, y, adjoint_b=True))


@matrix_solve.grad
def _(op, g):
    turned = op.attrs["adjoint"]
    db = matrix_solve(op.inputs[0], g, adjoint=not turned)
    return _matrix_part(op.outputs[0], db, turned), db


@matrix_triangular_solve.grad
def _(op, g):
    turned, lower = op.attrs["adjoint"], op.attrs["lower"]
    db = matrix_triangular_solve(op.inputs[0], g, lower=lower, adjoint=not turned)
    da = _matrix_part(op.outputs[0], db, turned)
    return array.matrix_band_part(da, -1 if lower else 0, 0 if lower else -1), db


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """The x of A x = rhs, from the Cholesky factor of A."""
    with name_scope(name, "cholesky_solve", [chol, rhs]):
        y = matrix_triangular_solve(chol, rhs, adjoint=False, lower=True)
        return matrix_triangular_solve(chol, y, adjoint=True, lower=True)


def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """The logarithm of the determinant of positive definite matrices."""
    with name_scope(name, "logdet", [matrix]):
        diagonal = math.real(array.matrix_diag_part(cholesky(matrix)))
        return 2.0 * math.reduce_sum(math.log(diagonal), axis=[-1])


# -- least squares


@op("MatrixSolveLs")
def _matrix_solve_ls(matrix: T, rhs: T, l2_regularizer: float64, *, fast: bool = True) -> T:
    """The x of least |matrix x - rhs|^2 + regularizer |x|^2, and of least |x| where there are several."""
    _need_system(matrix, rhs)
    a, b = wide(matrix), wide(rhs)
    *batch, rows, columns = a.shape
    if not matrix.size or not rhs.size:
        return jnp.zeros((*batch, columns, b.shape[-1]), rhs.dtype)
    if not fast:
        return jnp.linalg.pinv(a) @ b
    regularizer = l2_regularizer.astype(a.dtype)
    if rows >= columns:
        return _normal(_turned(a) @ a, regularizer, _turned(a) @ b)
    return _turned(a) @ _normal(a @ _turned(a), regularizer, b)


def _normal(gramian: Any, regularizer: Any, rhs: Any) -> Any:
    gramian = gramian + regularizer * jnp.eye(gramian.shape[-1], dtype=gramian.dtype)
    lower = lax.linalg.cholesky(gramian, symmetrize_input=False)
    check(jnp.isfinite(lower.real), "Input matrix was rank deficient or ill-conditioned. Try setting fast=False.")
    y = lax.linalg.triangular_solve(lower, rhs, left_side=True, lower=True)
    return lax.linalg.triangular_solve(lower, y, left_side=True, lower=True, transpose_a=True, conjugate_a=True)


@_matrix_solve_ls.shape_rule
def _(op):
    shapes.of_rank(op.inputs[2].dims, 0)
    return _system(op, shapes.of_rank_at_least(op.inputs[0].dims, 2), op.inputs[1].dims)


_IN_CACHE = 256_000  # bytes; of larger batches of small matrices TensorFlow makes one op instead of several


def matrix_solve_ls(
    matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None
) -> Tensor:
    """The x of least |matrix x - rhs|^2 + `l2_regularizer` |x|^2: [..., m, n], [..., m, k] -> [..., n, k].

    `fast` solves the normal equations by Cholesky; without it x is the solution of least norm, at any rank.
    Raises NotImplementedError for complex128 with a regularizer.
    """
    matrix = to_tensor(matrix, None, "matrix")
    if matrix.dtype == complex128 and l2_regularizer != 0:
        raise NotImplementedError(
            "matrix_solve_ls is disabled for complex128 and l2_regularizer != 0, for its poor accuracy"
        )
    if not fast or _is_large(matrix):
        return _matrix_solve_ls(matrix, rhs, l2_regularizer, fast=fast, name=name)
    with name_scope(name, "matrix_solve_ls", [matrix, rhs, l2_regularizer]):
        return _either(
            matrix,
            lambda: cholesky_solve(
                _regularized(matrix, l2_regularizer, True), math.matmul(matrix, rhs, adjoint_a=True)
            ),
            lambda: math.matmul(
                matrix, cholesky_solve(_regularized(matrix, l2_regularizer, False), rhs), adjoint_a=True
            ),
        )


def _is_large(matrix: Tensor) -> bool:
    size = shapes.size_of(matrix.dims)
    if size is None:
        return False
    assert matrix.dims is not None
    batch = int(np.prod(matrix.dims[:-2], dtype=np.int64))  # type: ignore[arg-type]
    return size * matrix.dtype.size > _IN_CACHE and batch > min(matrix.dims[-2:])  # type: ignore[type-var]


def _either(matrix: Tensor, tall: Any, wide: Any) -> Tensor:
    """`tall()` for matrices with at least as many rows as columns, else `wide()`; decided when run if need be."""
    dims = None if matrix.dims is None else matrix.dims[-2:]
    if dims is not None and None not in dims:
        return tall() if dims[0] >= dims[1] else wide()  # type: ignore[operator]
    from thalweg._src.ops.control.control_flow import cond

    shape = array.shape(matrix)[-2:]
    return cond(shape[-2] >= shape[-1], tall, wide)


def _regularized(matrix: Tensor, l2_regularizer: Any, tall: bool) -> Tensor:
    """The Cholesky factor of the Gramian plus `l2_regularizer` times the identity."""
    gramian = math.matmul(matrix, matrix, adjoint_a=tall, adjoint_b=not tall)
    if isinstance(l2_regularizer, Tensor) or l2_regularizer != 0:
        shape = array.shape(matrix)
        batch = shape[:-2]
        identity = eye(shape[-1 if tall else -2], batch_shape=batch, dtype=matrix.dtype)
        n = None if matrix.dims is None else matrix.dims[-1 if tall else -2]
        identity.set_shape(None if matrix.dims is None else [*matrix.dims[:-2], n, n])
        gramian += l2_regularizer * identity
    return cholesky(gramian)


@_matrix_solve_ls.grad
def _(op, g):
    if not op.attrs["fast"]:
        raise ValueError("Gradient not defined for fast=False")
    a, b = op.inputs[:2]
    (x,) = op.outputs
    regularizer = math.cast(op.inputs[2], a.dtype.base_dtype)

    def tall():
        z = cholesky_solve(_regularized(a, regularizer, True), g)
        xz = math.matmul(x, z, adjoint_b=True)
        da = -math.matmul(a, xz + array.matrix_transpose(xz)) + math.matmul(b, z, adjoint_b=True)
        return da, math.matmul(a, z)

    def wide():
        chol = _regularized(a, regularizer, False)
        db = cholesky_solve(chol, math.matmul(a, g))
        y = cholesky_solve(chol, b)
        first = -math.matmul(db, math.matmul(y, a, adjoint_a=True))
        second = math.matmul(y, g - math.matmul(a, db, adjoint_a=True), adjoint_b=True)
        return first + second, db

    da, db = _either(a, tall, wide)
    return da, db, None
