"""Products of matrices, and of tensors along axes."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import COMPLEX, FLOATS, REALS, bfloat16, float32, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import array, math

T = type_attr("T", (*FLOATS, *COMPLEX, int32, int64))
R = type_attr("T", REALS)
Ta = type_attr("Ta", (bfloat16, float32), float32)
Tb = type_attr("Tb", (bfloat16, float32), float32)


def _matmul_rule(op):
    a, b = (shapes.of_rank(t._dims, 2) for t in op._inputs)
    if op._attrs["transpose_a"]:
        a = a[::-1]
    if op._attrs["transpose_b"]:
        b = b[::-1]
    shapes.one_size(a[1], b[0])
    return [(a[0], b[1])]


def _wide(dtype):
    # Sums of products of 16-bit numbers are kept in 32 bits.
    return np.float32 if dtype.itemsize == 2 and dtype.kind != "i" else dtype


def check_sizes(a, b, transpose_a, transpose_b):
    for i, x in enumerate((a, b)):
        if x.ndim != 2:
            raise ValueError(f"In[{i}] is not a matrix. Instead it has shape {shapes.text(x.shape)}")
    if a.shape[0 if transpose_a else 1] != b.shape[1 if transpose_b else 0]:
        raise ValueError(f"Matrix size-incompatible: In[0]: {shapes.text(a.shape)}, In[1]: {shapes.text(b.shape)}")


@op("MatMul")
def mat_mul_op(a: T, b: T, *, transpose_a: bool = False, transpose_b: bool = False) -> T:
    """The matrix product: [m, k], [k, n] -> [m, n]; a flag says that a matrix comes transposed."""
    check_sizes(a, b, transpose_a, transpose_b)
    axes = ((0 if transpose_a else 1,), (1 if transpose_b else 0,))
    if a.shape[axes[0][0]] != b.shape[axes[1][0]]:
        raise ValueError(f"Matrix size-incompatible: In[0]: {shapes.text(a.shape)}, In[1]: {shapes.text(b.shape)}")
    return lax.dot_general(a, b, (axes, ((), ())), preferred_element_type=_wide(a.dtype)).astype(a.dtype)


@op("SparseMatMul")
def sparse_matmul(
    a: Ta,
    b: Tb,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
) -> float32:
    """The matrix product of matrices with many zeros. Here they are multiplied as any others."""
    axes = ((0 if transpose_a else 1,), (1 if transpose_b else 0,))
    a, b = a.astype(np.float32), b.astype(np.float32)
    return lax.dot_general(a, b, (axes, ((), ())))


mat_mul_op.shape_rule(_matmul_rule)
sparse_matmul.shape_rule(_matmul_rule)


def _batch(x, y, adj_x, adj_y):
    inner = x.shape[-2 if adj_x else -1], y.shape[-1 if adj_y else -2]
    told = f"{shapes.text(x.shape)} {shapes.text(y.shape)}"
    if inner[0] != inner[1]:
        raise ValueError(f"In[0] mismatch In[1] shape: {inner[0]} vs. {inner[1]}: {told} {int(adj_x)} {int(adj_y)}")
    if shapes.broadcast(x.shape[:-2], y.shape[:-2]) is False:
        raise ValueError(f"In[0] and In[1] must have compatible batch dimensions: {told}")
    if adj_x:
        x = jnp.conj(jnp.swapaxes(x, -1, -2))
    if adj_y:
        y = jnp.conj(jnp.swapaxes(y, -1, -2))
    if x.shape[-1] != y.shape[-2]:
        raise ValueError(
            f"In[0] mismatch In[1] shape: {x.shape[-1]} vs. {y.shape[-2]}: {shapes.text(x.shape)} {shapes.text(y.shape)}"
        )
    return jnp.matmul(x, y, preferred_element_type=_wide(x.dtype)).astype(x.dtype)


@op("BatchMatMul")
def _batch_mat_mul(x: T, y: T, *, adj_x: bool = False, adj_y: bool = False) -> T:
    """The products of matrices in two batches: [..., m, k], [..., k, n] -> [..., m, n]; `adj` takes adjoints."""
    if x.ndim != y.ndim or x.shape[:-2] != y.shape[:-2]:
        raise ValueError(f"The batches differ: {list(x.shape)} and {list(y.shape)}")
    return _batch(x, y, adj_x, adj_y)


@op("BatchMatMulV2")
def _batch_mat_mul_v2(x: T, y: T, *, adj_x: bool = False, adj_y: bool = False) -> T:
    """As BatchMatMul; the batches may be broadcast."""
    if shapes.broadcast(x.shape[:-2], y.shape[:-2]) is False:
        raise ValueError(
            f"In[0] and In[1] must have compatible batch dimensions: {shapes.text(x.shape)} vs. {shapes.text(y.shape)}"
        )
    return _batch(x, y, adj_x, adj_y)


def _last_two(dims, swap):
    rows, columns = dims[-2:]
    return (columns, rows) if swap else (rows, columns)


def _batch_rule(op):
    x, y = (shapes.of_rank_at_least(t._dims, 2) for t in op._inputs)
    if x is None or y is None:
        return [None]
    rows, a = _last_two(x, op._attrs["adj_x"])
    b, columns = _last_two(y, op._attrs["adj_y"])
    shapes.one_size(a, b)
    if op.type == "BatchMatMul":
        batch = shapes.merged(x[:-2], y[:-2])
    else:
        batch = shapes.broadcast(x[:-2], y[:-2])
        if batch is False:
            raise ValueError(f"Incompatible batch shapes: {shapes.text(x[:-2])} and {shapes.text(y[:-2])}")
    return [(*batch, rows, columns)]


_batch_mat_mul.shape_rule(_batch_rule)
_batch_mat_mul_v2.shape_rule(_batch_rule)


# -- public functions


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of matrices [m, k] and [k, n], or of batches of them [..., m, k] and [..., k, n].

    Raises ValueError where sizes don't fit, or where a matrix is to be transposed and its adjoint taken.

    >>> run(tf.matmul([[1.0, 2.0]], [[3.0], [4.0]]))
    array([[11.]], dtype=float32)
    """
    if transpose_a and adjoint_a:
        raise ValueError("Only one of transpose_a and adjoint_a can be True.")
    if transpose_b and adjoint_b:
        raise ValueError("Only one of transpose_b and adjoint_b can be True.")
    with name_scope(name, "MatMul", [a, b]) as name:
        a, b = to_tensor(a, None, "a"), to_tensor(b, None, "b")
        sparse = a_is_sparse or b_is_sparse
        if not sparse and any(t._dims is None or len(t._dims) > 2 for t in (a, b)):
            if transpose_a:
                a, adjoint_a = math.conj(a), True
            if transpose_b:
                b, adjoint_b = math.conj(b), True
            return _batch_mat_mul_v2(a, b, adj_x=bool(adjoint_a), adj_y=bool(adjoint_b), name=name)
        if adjoint_a:
            a, transpose_a = math.conj(a), True
        if adjoint_b:
            b, transpose_b = math.conj(b), True
        return _matrix_product(a, b, bool(transpose_a), bool(transpose_b), a_is_sparse, b_is_sparse, name)


def _matrix_product(
    a: Tensor, b: Tensor, transpose_a: bool, transpose_b: bool, a_is_sparse: bool, b_is_sparse: bool, name: str
) -> Tensor:
    kinds = {a.dtype.base_dtype, b.dtype.base_dtype}
    mixed = len(kinds) == 2 and bfloat16 in kinds
    if not mixed and not ((a_is_sparse or b_is_sparse) and kinds <= {bfloat16, float32}):
        return mat_mul_op(a, b, transpose_a=transpose_a, transpose_b=transpose_b, name=name)
    product = sparse_matmul(
        a,
        b,
        transpose_a=transpose_a,
        transpose_b=transpose_b,
        a_is_sparse=bool(a_is_sparse),
        b_is_sparse=bool(b_is_sparse),
        name=name,
    )
    return math.cast(product, bfloat16) if kinds == {bfloat16} else product


def batch_matmul(x: Any, y: Any, adj_x: bool = False, adj_y: bool = False, name: str | None = None) -> Tensor:
    """The products of matrices in two batches of one shape, as TensorFlow 0.x named it."""
    return _batch_mat_mul(x, y, adj_x=adj_x, adj_y=adj_y, name=name)


def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The products of matrices [..., m, k] and vectors [..., k]."""
    with name_scope(name, "MatVec", [a, b]):
        column = array.expand_dims(b, axis=-1)
        product = matmul(
            a,
            column,
            transpose_a=transpose_a,
            adjoint_a=adjoint_a,
            a_is_sparse=a_is_sparse,
            b_is_sparse=b_is_sparse,
        )
        return array.squeeze(product, axis=-1)


# -- gradients


def _matmul_grads(a, b, g, transpose_a, transpose_b, product):
    """The gradients of a product: `product(x, y, transpose_x, transpose_y)` multiplies."""
    if transpose_a:
        da = product(b, g, transpose_b, True)
    else:
        da = product(g, b, False, not transpose_b)
    if transpose_b:
        db = product(g, a, True, transpose_a)
    else:
        db = product(a, g, not transpose_a, False)
    return da, db


@mat_mul_op.grad
def _(op, g):
    a, b = map(math.conj, op.inputs)

    def product(x, y, transpose_x, transpose_y):
        return mat_mul_op(x, y, transpose_a=transpose_x, transpose_b=transpose_y)

    return _matmul_grads(a, b, g, op.attrs["transpose_a"], op.attrs["transpose_b"], product)


@sparse_matmul.grad
def _(op, g):
    a, b = op.inputs
    sparse = {a: op.attrs["a_is_sparse"], b: op.attrs["b_is_sparse"], g: g.op.type == "ReluGrad"}

    def product(x, y, transpose_x, transpose_y):
        want = a.dtype if y is b or x is b else b.dtype
        sparse_x, sparse_y = sparse[x], sparse[y]
        if transpose_y:
            y = array.transpose(y)
        z = matmul(x, y, transpose_a=transpose_x, a_is_sparse=sparse_x, b_is_sparse=sparse_y)
        return math.cast(z, want)

    return _matmul_grads(a, b, g, op.attrs["transpose_a"], op.attrs["transpose_b"], product)


def _batch_grads(op, g):
    x, y = op.inputs

    def product(x, y, adjoint_x, adjoint_y):
        return matmul(x, y, adjoint_a=adjoint_x, adjoint_b=adjoint_y)

    return _matmul_grads(x, y, g, op.attrs["adj_x"], op.attrs["adj_y"], product)


_batch_mat_mul.grad(_batch_grads)


@_batch_mat_mul_v2.grad
def _(op, g):
    x, y = op.inputs
    dx, dy = _batch_grads(op, g)
    if x._dims is not None and None not in x._dims and x._dims == y._dims:
        return dx, dy
    sx, sy = array.shape(x), array.shape(y)
    rx, ry = math.broadcast_gradient_args(sx[:-2], sy[:-2])
    return array.reshape(math.reduce_sum(dx, rx), sx), array.reshape(math.reduce_sum(dy, ry), sy)


# -- products along any axes


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """The sum of products along axes: the last `axes` of `a` with the first of `b`, or `axes[0]` with `axes[1]`.

    Raises ValueError where the axes don't fit.

    >>> run(tf.tensordot([[1.0, 2.0]], [3.0, 4.0], 1))
    array([11.], dtype=float32)
    """
    with name_scope(name, "Tensordot", [a, b, axes]) as name:
        a, b = to_tensor(a, None, "a"), to_tensor(b, None, "b")
        a_axes, b_axes = _contracted(a, axes)
        a_matrix, a_free, a_static = _as_matrix(a, a_axes, flipped=False)
        b_matrix, b_free, b_static = _as_matrix(b, b_axes, flipped=True)
        product = matmul(a_matrix, b_matrix)
        if isinstance(a_free, list) and isinstance(b_free, list):
            return array.reshape(product, a_free + b_free, name=name)
        a_free, b_free = to_tensor(a_free, int32), to_tensor(b_free, int32)
        result = array.reshape(product, array.concat([a_free, b_free], 0), name=name)
        if a_static is not None and b_static is not None:
            result.set_shape(a_static + b_static)
        return result


def _contracted(a: Tensor, axes: Any) -> tuple[Any, Any]:
    """The axes of `a` and of b that are summed over: lists, or tensors where they are not known."""
    if isinstance(axes, int | np.integer):
        if axes < 0:
            raise ValueError("'axes' must be at least 0.")
        if a._dims is None:
            rank = array.rank(a)
            return math.range(rank - axes, rank, dtype=int32), math.range(axes, dtype=int32)
        if axes > len(a._dims):
            raise ValueError(f"'axes' must not be larger than the number of dimensions of tensor {a}.")
        return list(range(len(a._dims) - axes, len(a._dims))), list(range(axes))
    if not isinstance(axes, list | tuple):
        both = to_tensor(axes, int32, "axes")
        return both[0], both[1]
    if len(axes) != 2:
        raise ValueError("'axes' must be an integer or have length 2.")
    a_axes, b_axes = axes
    if isinstance(a_axes, int | np.integer) and isinstance(b_axes, int | np.integer):
        return [a_axes], [b_axes]
    if len(a_axes) != len(b_axes):
        raise ValueError(f"Different number of contraction axes 'a' and 'b', {len(a_axes)} != {len(b_axes)}.")
    return a_axes, b_axes


def _as_matrix(a: Tensor, axes: Any, *, flipped: bool) -> tuple[Tensor, Any, Any]:
    """`a` as a matrix [free, contracted] (turned if `flipped`), its free sizes, and what is known of those."""
    listed = isinstance(axes, list | tuple)
    dims = a._dims
    if dims is not None and listed:
        axes = [int(i) + len(dims) if i < 0 else int(i) for i in axes]
        free = [i for i in range(len(dims)) if i not in axes]
        known = [dims[i] for i in free]
        if None not in dims:
            sizes = [int(np.prod(known, dtype=np.int64)), int(np.prod([dims[i] for i in axes], dtype=np.int64))]
            order = axes + free if flipped else free + axes
            matrix = array.reshape(array.transpose(a, order), sizes[::-1] if flipped else sizes)
            return matrix, known, known
        axes, free_axes = to_tensor(axes, int32, "axes"), to_tensor(free, int32, "free")
        shape = array.shape(a)
    else:
        known = None
        shape, rank = array.shape(a), array.rank(a)
        axes = to_tensor(axes, int32, "axes")
        axes = array.where(axes >= 0, axes, axes + rank)
        free_axes, _ = array.setdiff1d(math.range(rank), axes)
    free_sizes, summed_sizes = array.gather(shape, free_axes), array.gather(shape, axes)
    sizes = [math.reduce_prod(free_sizes), math.reduce_prod(summed_sizes)]
    order = array.concat([axes, free_axes] if flipped else [free_axes, axes], 0)
    matrix_shape = array.stack(sizes[::-1] if flipped else sizes)
    matrix = array.reshape(array.transpose(a, order), matrix_shape)
    return matrix, free_sizes, known


# -- others


@op("Cross")
def cross(a: R, b: R) -> R:
    """The cross products of vectors of three: [..., 3], [..., 3] -> [..., 3]."""
    if a.shape != b.shape or not a.ndim or a.shape[-1] != 3:
        raise ValueError(f"Both inputs must be of one shape [..., 3], got {list(a.shape)} and {list(b.shape)}")
    return jnp.cross(a, b)


@cross.shape_rule
def _(op):
    a, b = op.inputs[0].dims, op.inputs[1].dims
    dims = shapes.merged(shapes.of_rank_at_least(a, 1), shapes.of_rank_at_least(b, 1))
    if dims is None:
        return [None]
    shapes.one_size(dims[-1], 3)
    return [(*dims[:-1], dims[-1])]


@cross.grad
def _(op, g):
    a, b = op.inputs
    return cross(b, g), cross(g, a)


def trace(x: Any, name: str | None = None) -> Tensor:
    """The sums of the diagonals of matrices: [..., n, n] -> [...]."""
    with name_scope(name, "Trace", [x]) as name:
        x = to_tensor(x, None, "x")
        return math.reduce_sum(array.matrix_diag_part(x), [-1], name=name)
