"""Tridiagonal matrices: products with them, and solutions of their systems."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.apply import check
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import COMPLEX, float32, float64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.ops.late import array, math
from thalweg._src.ops.linear.linalg import adjoint

D = type_attr("T", (float64, float32, *COMPLEX))


@op("TridiagonalSolve")
def _tridiagonal_solve(diagonals: D, rhs: D, *, partial_pivoting: bool = True) -> D:
    """The x of A x = rhs, where A has the diagonals above, on and below the main one: [..., 3, m], [..., m, k]."""
    if diagonals.shape[-2] != 3:
        raise ValueError(f"Expected diagonals to have three rows, got shape {list(diagonals.shape)}")
    if not diagonals.size or not rhs.size:
        return rhs
    above, main, below = (diagonals[..., i, :] for i in range(3))
    x = _tridiagonal(above, main, below, rhs)
    check(jnp.isfinite(jnp.abs(x)) | ~jnp.all(jnp.isfinite(jnp.abs(rhs))), "Input matrix is not invertible.")
    return x


def _tridiagonal(above: Any, main: Any, below: Any, rhs: Any) -> Any:
    m = main.shape[-1]
    if m == 1:
        return rhs / main[..., None]
    rows = np.arange(m)
    full = jnp.zeros((*main.shape, m), main.dtype)
    full = full.at[..., rows, rows].set(main)
    full = full.at[..., rows[:-1], rows[1:]].set(above[..., :-1])
    full = full.at[..., rows[1:], rows[:-1]].set(below[..., 1:])
    return jnp.linalg.solve(full, rhs)


@_tridiagonal_solve.shape_rule
def _(op):
    diagonals, rhs = (shapes.of_rank_at_least(t.dims, 2) for t in op.inputs)
    if diagonals is None or rhs is None:
        return [rhs]
    shapes.one_size(diagonals[-2], 3)
    batch = shapes.merged(diagonals[:-2], rhs[:-2])
    shapes.one_size(diagonals[-1], rhs[-2])
    return [(*batch, rhs[-2], rhs[-1])]


@op("TridiagonalMatMul")
def _tridiagonal_mat_mul(superdiag: D, maindiag: D, subdiag: D, rhs: D) -> D:
    """A rhs, where A has these diagonals: three [..., 1, m] and [..., m, k] -> [..., m, k]."""
    above, main, below = (jnp.swapaxes(d, -1, -2) for d in (superdiag, maindiag, subdiag))
    product = main * rhs
    product = product.at[..., :-1, :].add(above[..., :-1, :] * rhs[..., 1:, :])
    return product.at[..., 1:, :].add(below[..., 1:, :] * rhs[..., :-1, :])


@_tridiagonal_mat_mul.shape_rule
def _(op):
    *diagonals, rhs = (shapes.of_rank_at_least(t.dims, 2) for t in op.inputs)
    one = shapes.merged(shapes.merged(diagonals[0], diagonals[1]), diagonals[2])
    if one is None or rhs is None:
        return [rhs]
    shapes.one_size(one[-2], 1)
    shapes.one_size(one[-1], rhs[-2])
    shapes.merged(one[:-2], rhs[:-2])
    return [rhs]


def _compact(superdiag: Any, maindiag: Any, subdiag: Any) -> Tensor:
    return array.stack((superdiag, maindiag, subdiag), axis=-2)


def tridiagonal_solve(
    diagonals: Any,
    rhs: Any,
    diagonals_format: str = "compact",
    transpose_rhs: bool = False,
    conjugate_rhs: bool = False,
    name: str | None = None,
    partial_pivoting: bool = True,
) -> Tensor:
    """The x of A x = rhs for a tridiagonal A.

    `diagonals_format`: "compact", one tensor [..., 3, m] of the diagonals above, on and below the main one; "sequence",
    a list of those three; "matrix", A itself. `rhs` is [..., m, k] or [..., m]. ValueError for shapes that do not fit.
    """
    if diagonals_format == "sequence":
        diagonals = _of_sequence(diagonals)
    elif diagonals_format == "matrix":
        diagonals = _of_matrix(diagonals)
    elif diagonals_format != "compact":
        raise ValueError(f"Unrecognized diagonals_format: {diagonals_format}")
    diagonals, rhs = to_tensor(diagonals), to_tensor(rhs)
    rank, rhs_rank = len(diagonals.shape), len(rhs.shape)
    if rank < 2:
        raise ValueError(f"Expected diagonals to have rank at least 2, got {rank}")
    if rhs_rank not in (rank, rank - 1):
        raise ValueError(f"Expected the rank of rhs to be {rank - 1} or {rank}, got {rhs_rank}")
    if diagonals.dims[-2] not in (None, 3):
        raise ValueError(f"Expected 3 diagonals got {diagonals.dims[-2]}")
    if not shapes.compatible(diagonals.dims[:-2], rhs.dims[: rank - 2]):
        raise ValueError(f"Batch shapes {diagonals.shape[:-2]} and {rhs.shape[: rank - 2]} are incompatible")
    is_vector = rhs_rank == rank - 1
    if is_vector:
        rhs = array.expand_dims(math.conj(rhs) if conjugate_rhs else rhs, -1)
    elif transpose_rhs:
        rhs = array.matrix_transpose(rhs, conjugate=conjugate_rhs)
    elif conjugate_rhs:
        rhs = math.conj(rhs)
    if None not in (diagonals.dims[-1], rhs.dims[-2]) and diagonals.dims[-1] != rhs.dims[-2]:
        raise ValueError(
            "Expected number of left-hand sided and right-hand sides to be equal, "
            f"got {diagonals.dims[-1]} and {rhs.dims[-2]}"
        )
    x = _tridiagonal_solve(diagonals, rhs, partial_pivoting=partial_pivoting, name=name)
    if is_vector:
        return array.squeeze(x, -1)
    return array.matrix_transpose(x) if transpose_rhs else x


def _of_sequence(diagonals: Any) -> Tensor:
    if not isinstance(diagonals, tuple | list) or len(diagonals) != 3:
        raise ValueError("Expected diagonals to be a sequence of length 3.")
    above, main, below = map(to_tensor, diagonals)
    if not all(shapes.compatible(d.dims[:-1], main.dims[:-1]) for d in (above, below)):
        raise ValueError(
            "Tensors representing the three diagonals must have the same shape, except for the last dimension, "
            f"got {below.shape}, {main.shape}, {above.shape}"
        )
    m = main.dims[-1]

    def filled(t: Tensor, what: str, pad: list[int]) -> Tensor:
        n = t.dims[-1]
        if not n or n == m:
            return t
        if n != m - 1:
            raise ValueError(f"Expected {what} to be have length {m} or {m - 1}, got {n}.")
        return array.pad(t, [[0, 0]] * (len(t.dims) - 1) + [pad])

    return _compact(filled(above, "superdiagonal", [0, 1]), main, filled(below, "subdiagonal", [1, 0]))


def _matrix_size(matrix: Tensor) -> int:
    rows, columns = matrix.dims[-2:]  # type: ignore[index]
    if rows and columns and rows != columns:
        raise ValueError(f"Expected last two dimensions of diagonals to be same, got {rows} and {columns}")
    if not (rows or columns):
        raise ValueError('The size of the matrix needs to be known for diagonals_format="matrix"')
    return rows or columns  # type: ignore[return-value]


def _of_matrix(matrix: Any) -> Tensor:
    matrix = to_tensor(matrix)
    m = _matrix_size(matrix)
    # Of the transpose, so that the batch comes last; the corners of the outer diagonals are not read.
    above = [[i + 1, i] for i in range(m - 1)] + [[0, 0]]
    main = [[i, i] for i in range(m)]
    below = [[0, 0]] + [[i - 1, i] for i in range(1, m)]
    return array.transpose(array.gather_nd(array.transpose(matrix), list(zip(above, main, below, strict=True))))


def tridiagonal_matmul(diagonals: Any, rhs: Any, diagonals_format: str = "compact", name: str | None = None) -> Tensor:
    """A rhs for a tridiagonal A, which is given as in `tridiagonal_solve`: [..., m, k] -> [..., m, k]."""
    if diagonals_format == "compact":
        above, main, below = diagonals[..., 0, :], diagonals[..., 1, :], diagonals[..., 2, :]
    elif diagonals_format == "sequence":
        above, main, below = diagonals
    elif diagonals_format == "matrix":
        compact = _of_matrix(diagonals)
        above, main, below = compact[..., 0, :], compact[..., 1, :], compact[..., 2, :]
    else:
        raise ValueError(f"Unrecognized diagonals_format: {diagonals_format}")
    rows = [array.expand_dims(d, -2) for d in (above, main, below)]
    return _tridiagonal_mat_mul(*rows, rhs, name=name)


def _up(x: Tensor) -> Tensor:
    """The rows of `x` moved up by one; the last becomes 0."""
    return array.concat([x[..., 1:, :], math.zeros_like(x[..., :1, :])], axis=-2)


def _down(x: Tensor) -> Tensor:
    """The rows of `x` moved down by one; the first becomes 0."""
    return array.concat([math.zeros_like(x[..., :1, :]), x[..., :-1, :]], axis=-2)


@_tridiagonal_mat_mul.grad
def _(op, g):
    above, main, below = (adjoint(d) for d in op.inputs[:3])
    x = math.conj(op.inputs[3])

    def diagonal(rows):
        return array.expand_dims(math.reduce_sum(rows * g, axis=-1), -2)

    dx = _down(above * g) + main * g + _up(below * g)
    return diagonal(_up(x)), diagonal(x), diagonal(_down(x)), dx


@_tridiagonal_solve.grad
def _(op, g):
    diagonals, (x,) = op.inputs[0], op.outputs
    above, main, below = (diagonals[..., i, :] for i in range(3))
    zero = math.zeros_like(main[..., :1])
    turned = _compact(
        array.concat([below[..., 1:], zero], axis=-1), main, array.concat([zero, above[..., :-1]], axis=-1)
    )
    db = _tridiagonal_solve(turned, g, partial_pivoting=op.attrs["partial_pivoting"])
    parts = [math.reduce_sum(db * rows, axis=-1) for rows in (_up(x), x, _down(x))]
    return -_compact(*parts), db
