"""Decompositions of matrices: Cholesky, QR, SVD, eigenvalues, LU. All take batches [..., m, n]."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.apply import check
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import COMPLEX, float16, float32, float64, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Outputs, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import ones, zeros
from thalweg._src.ops.basic import control_dependencies
from thalweg._src.ops.late import array, linear_systems, math

T = type_attr("T", (float64, float32, float16, *COMPLEX))
R = type_attr("T", (float16, float32, float64))
P = type_attr("output_idx_type", (int32, int64), int32)


def square_dims(dims: Any) -> Any:
    """The shape of a batch of square matrices. Raises ValueError where they are not."""
    shapes.of_rank_at_least(dims, 2)
    if dims is None:
        return None
    n = shapes.one_size(dims[-2], dims[-1])
    return (*dims[:-2], n, n)


def square_rule(op):
    """The shape rule of functions of square matrices."""
    return [square_dims(op.inputs[0].dims)]


def need_square(x: Any) -> None:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"Input matrix must be square, got shape {list(x.shape)}")


def wide(x: Any) -> Any:
    """`x` in a type that linear algebra is done in."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """The conjugate transpose of matrices."""
    with name_scope(name, "adjoint", [matrix]):
        return array.matrix_transpose(to_tensor(matrix, None, "matrix"), conjugate=True)


def eye(
    num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = float32, name: str | None = None
) -> Tensor:
    """The identity matrix, or a batch of them; the sizes are numbers or scalar tensors.

    >>> run(tf.eye(2))
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    with name_scope(name, "eye", [num_rows, num_columns, batch_shape]):
        is_square = num_columns is None
        num_columns = num_rows if is_square else num_columns
        batch = [] if batch_shape is None else batch_shape
        if isinstance(num_rows, Tensor) or isinstance(num_columns, Tensor):
            size = math.minimum(num_rows, num_columns)
        elif isinstance(num_rows, int | np.integer) and isinstance(num_columns, int | np.integer):
            is_square = num_rows == num_columns
            size = min(num_rows, num_columns)
        else:
            raise TypeError("num_rows and num_columns must be positive integer values.")
        if isinstance(batch, Tensor) or isinstance(size, Tensor):
            batch = to_tensor(batch, int32, "shape")
            diagonal_shape = array.concat((batch, [size]), axis=0)
            full = None if is_square else array.concat((batch, [num_rows, num_columns]), axis=0)
        else:
            diagonal_shape = [*batch, size]
            full = None if is_square else [*batch, num_rows, num_columns]
        diagonal = ones(diagonal_shape, dtype=dtype)
        if is_square:
            return array.matrix_diag(diagonal)
        return array.matrix_set_diag(zeros(full, dtype=dtype), diagonal)


# -- Cholesky


@op("Cholesky")
def cholesky(input: T) -> T:
    """The lower triangular L with L L^H = input, of positive definite matrices; only their lower triangles are read."""
    need_square(input)
    if not input.size:
        return input
    x = wide(input)
    lower = lax.linalg.cholesky(x, symmetrize_input=False)
    check(jnp.isfinite(lower.real), "Cholesky decomposition was not successful. The input might not be valid.")
    return jnp.tril(lower)


@op("CholeskyGrad")
def cholesky_grad(l: R, grad: R) -> R:
    """The gradient of Cholesky, from its output."""
    x, g = wide(l), wide(grad)
    inverse = _inverse_of_lower(x)
    middle = _half_lower(jnp.swapaxes(x, -1, -2) @ g)
    out = jnp.swapaxes(inverse, -1, -2) @ middle @ inverse
    return 0.5 * (out + jnp.swapaxes(out, -1, -2))


def _inverse_of_lower(x):
    eye = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    return lax.linalg.triangular_solve(x, eye, left_side=True, lower=True)


def _half_lower(x):
    """The lower triangle, with half of the diagonal."""
    return jnp.tril(x) - 0.5 * x * jnp.eye(x.shape[-1], dtype=x.dtype)


cholesky.shape_rule(square_rule)
cholesky_grad.shape_rule(square_rule)


@cholesky.grad  # Murray, 2016, "Differentiation of the Cholesky decomposition"
def _(op, g):
    (lower,) = op.outputs
    rows = array.shape(lower)[-1]
    identity = eye(rows, batch_shape=array.shape(lower)[:-2], dtype=lower.dtype)
    inverse = linear_systems.matrix_triangular_solve(lower, identity)
    middle = math.matmul(lower, g, adjoint_a=True)
    middle = array.matrix_set_diag(middle, 0.5 * array.matrix_diag_part(middle))
    middle = array.matrix_band_part(middle, -1, 0)
    dx = math.matmul(math.matmul(inverse, middle, adjoint_a=True), inverse)
    return (dx + adjoint(dx)) * 0.5


# -- QR


@op("Qr")
def qr(input: T, *, full_matrices: bool = False) -> Outputs(q=T, r=T):
    """An orthonormal q and an upper triangular r with q r = input: [..., m, n] -> [..., m, p], [..., p, n]."""
    m, n = input.shape[-2:]
    if not input.size:
        p = m if full_matrices else min(m, n)
        eye = jnp.broadcast_to(jnp.eye(m, p, dtype=input.dtype), (*input.shape[:-2], m, p))
        return eye, jnp.zeros((*input.shape[:-2], p, n), input.dtype)
    return tuple(jnp.linalg.qr(wide(input), mode="complete" if full_matrices else "reduced"))


@qr.shape_rule
def _(op):
    dims = shapes.of_rank_at_least(op.inputs[0].dims, 2)
    if dims is None:
        return [None, None]
    *batch, m, n = dims
    p = m if op.attrs["full_matrices"] else _smaller(m, n)
    return [(*batch, m, p), (*batch, p, n)]


def _smaller(m: Any, n: Any) -> Any:
    if 0 in (m, n):
        return 0
    return None if m is None or n is None else min(m, n)


@qr.grad
def _(op, dq, dr):
    q, r = op.outputs
    if q.dtype.is_complex:
        raise NotImplementedError(f"QrGrad not implemented for dtype: {q.dtype}")
    if r.dims is None or None in r.dims[-2:]:
        raise NotImplementedError("QrGrad not implemented with dynamic shapes.")
    if r.dims[-2] != r.dims[-1]:
        raise NotImplementedError(
            "QrGrad not implemented when ncols > nrows or full_matrices is true and ncols != nrows."
        )
    qdq = math.matmul(q, dq, adjoint_a=True)
    rdr = math.matmul(r, dr, adjoint_b=True)
    lower = array.matrix_band_part((qdq - adjoint(qdq)) + (rdr - adjoint(rdr)), -1, 0)

    def over_r(x):
        return adjoint(linear_systems.matrix_triangular_solve(r, adjoint(x), lower=False, adjoint=False))

    return math.matmul(q, dr + over_r(lower)) + over_r(dq - math.matmul(q, qdq))


# -- singular values


@op("Svd")
def _svd(input: T, *, compute_uv: bool = True, full_matrices: bool = False) -> Outputs(s=T, u=T, v=T):
    """Singular values, largest first, and vectors: input = u diag(s) v^H. Vectors are left empty unless asked for."""
    *batch, m, n = input.shape
    p = min(m, n)
    none = jnp.zeros((0,), input.dtype)
    if not input.size:
        s = jnp.zeros((*batch, p), input.dtype)
        if not compute_uv:
            return s, none, none
        sizes = (m, n) if full_matrices else (p, p)
        u, v = (
            jnp.broadcast_to(jnp.eye(k, j, dtype=input.dtype), (*batch, k, j))
            for k, j in zip((m, n), sizes, strict=True)
        )
        return s, u, v
    x = wide(input)
    if not compute_uv:
        return jnp.linalg.svd(x, compute_uv=False).astype(x.dtype), none, none
    u, s, vh = jnp.linalg.svd(x, full_matrices=full_matrices)
    return s.astype(x.dtype), u, jnp.conj(jnp.swapaxes(vh, -1, -2))


@_svd.shape_rule
def _(op):
    dims = shapes.of_rank_at_least(op.inputs[0].dims, 2)
    vectors = op.attrs["compute_uv"]
    if dims is None:
        return [None] + ([None, None] if vectors else [(0,), (0,)])
    *batch, m, n = dims
    p = _smaller(m, n)
    if not vectors:
        return [(*batch, p), (0,), (0,)]
    full = op.attrs["full_matrices"]
    return [(*batch, p), (*batch, m, m if full else p), (*batch, n, n if full else p)]


def svd(
    tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None
) -> Tensor | tuple[Tensor, Tensor, Tensor]:
    """Singular values s, largest first, and vectors u, v: tensor = u diag(s) v^H. Without `compute_uv` only s."""
    s, u, v = _svd(tensor, compute_uv=compute_uv, full_matrices=full_matrices, name=name)
    return (math.real(s), u, v) if compute_uv else math.real(s)


@_svd.grad
def _(op, ds, du, dv):
    (a,) = op.inputs
    shape = a.get_shape().with_rank_at_least(2)
    ds_matrix = array.matrix_diag(ds)
    if not op.attrs["compute_uv"]:
        _, u, v = svd(a, compute_uv=True)
        da = math.matmul(u, math.matmul(ds_matrix, v, adjoint_b=True))
        da.set_shape(shape)
        return da
    if a.dtype.is_complex:
        raise NotImplementedError("SVD gradient is not implemented for complex types and compute_uv=True.")
    m, n = _inner_sizes(shape, du, dv)
    s, u, v = op.outputs
    turned = m > n
    if turned:
        m, n, u, v, du, dv = n, m, v, u, dv, du
    full = op.attrs["full_matrices"]
    if full and abs(m - n) > 1:
        raise NotImplementedError("svd gradient is not implemented for abs(m - n) > 1 when full_matrices is True")
    with control_dependencies([ds, du, dv]):
        da = _svd_gradient(s, u, v, ds_matrix, du, dv, m, n, full)
        if turned:
            da = array.matrix_transpose(da)
        da.set_shape(shape)
        return da


def _inner_sizes(shape: Any, du: Tensor, dv: Tensor) -> tuple[int, int]:
    m = shape[-2].merge_with(du.get_shape().with_rank_at_least(2)[-2]).value
    n = shape[-1].merge_with(dv.get_shape().with_rank_at_least(2)[-2]).value
    if m is None or n is None:
        raise NotImplementedError("SVD gradient has not been implemented for input with unknown inner matrix shape.")
    return m, n


def _svd_gradient(s, u, v, ds_matrix, du, dv, m, n, full):
    """Townsend, 2016, "Differentiating the singular value decomposition"; for m <= n."""
    s_matrix = array.matrix_diag(s)
    squares = math.square(s)
    sizes = array.shape(s)
    identity = eye(sizes[-1], batch_shape=sizes[:-1], dtype=s.dtype)
    gaps = array.expand_dims(squares, -2) - array.expand_dims(squares, -1) + identity
    f = array.matrix_set_diag(math.reciprocal(gaps), math.zeros_like(s))
    v1, dv1 = v[..., :, :m], dv[..., :, :m]
    fu = f * math.matmul(u, du, adjoint_a=True)
    fv = f * math.matmul(v1, dv1, adjoint_a=True)
    inner = ds_matrix + math.matmul(fu + adjoint(fu), s_matrix) + math.matmul(s_matrix, fv + adjoint(fv))
    da = math.matmul(u, math.matmul(inner, v1, adjoint_b=True))
    if m == n:
        return da
    dv1t = array.matrix_transpose(dv1)
    outer = dv1t - math.matmul(math.matmul(dv1t, v1), v1, adjoint_b=True)
    if full:
        v2, dv2 = v[..., :, m:n], dv[..., :, m:n]
        outer -= math.matmul(math.matmul(v1, dv2, adjoint_a=True), v2, adjoint_b=True)
    return da + math.matmul(math.matmul(u, array.matrix_diag(math.reciprocal(s))), outer)


# -- eigenvalues


@op("SelfAdjointEigV2")
def _eigh(input: T, *, compute_v: bool = True) -> Outputs(e=T, v=T):
    """Eigenvalues, smallest first, and vectors of self-adjoint matrices; only their lower triangles are read."""
    need_square(input)
    none = jnp.zeros((0,), input.dtype)
    if not input.size:
        return jnp.zeros(input.shape[:-1], input.dtype), input if compute_v else none
    x = wide(input)
    v, e = lax.linalg.eigh(x, lower=True, symmetrize_input=False)
    check(jnp.isfinite(e), "Self-adjoint eigen decomposition was not successful. The input might not be valid.")
    return e.astype(x.dtype), v if compute_v else none


@_eigh.shape_rule
def _(op):
    dims = square_dims(op.inputs[0].dims)
    vectors = dims if op.attrs["compute_v"] else (0,)
    return [None if dims is None else dims[:-1], vectors]


def self_adjoint_eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Eigenvalues, smallest first, and vectors (columns) of self-adjoint matrices."""
    e, v = _eigh(tensor, compute_v=True, name=name)
    return e, v


def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """Eigenvalues of self-adjoint matrices, smallest first."""
    return _eigh(tensor, compute_v=False, name=name)[0]


@_eigh.grad
def _(op, de, dv):
    e, v = op.outputs
    with control_dependencies([g for g in (de, dv) if g is not None]):
        if op.attrs["compute_v"]:
            gaps = array.expand_dims(e, -2) - array.expand_dims(e, -1)
            f = array.matrix_set_diag(math.reciprocal(gaps), math.zeros_like(e))
            inner = array.matrix_diag(de) + f * math.matmul(v, dv, adjoint_a=True)
        else:
            _, v = self_adjoint_eig(op.inputs[0])
            inner = array.matrix_diag(de)
        da = math.matmul(v, math.matmul(inner, v, adjoint_b=True))
        # Only the lower triangle is read: what belongs to the upper one is added to it.
        da = array.matrix_band_part(da + adjoint(da), -1, 0)
        return array.matrix_set_diag(da, 0.5 * array.matrix_diag_part(da))


# -- LU


@op("Lu")
def lu(input: T, *, output_idx_type: P = int32) -> Outputs(lu=T, p=P):
    """L below the diagonal (ones on it) and U on and above it, in one matrix, and the order of rows: input[p] = L U."""
    need_square(input)
    if not input.size:
        return input, jnp.zeros(input.shape[:-1], output_idx_type._as_numpy)
    x = wide(input)
    factors, _, order = lax.linalg.lu(x)
    diagonal = jnp.diagonal(factors, axis1=-2, axis2=-1)
    check((diagonal != 0) & jnp.isfinite(jnp.abs(diagonal)), "Input is not invertible.")
    return factors, order


@lu.shape_rule
def _(op):
    dims = square_dims(op.inputs[0].dims)
    return [dims, None if dims is None else dims[:-1]]
