"""Norms, ranks and pseudo-inverses of matrices, and their exponentials, roots and logarithms."""

import warnings
from typing import Any

import numpy as np

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import (
    COMPLEX,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int32,
)
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.late import array, math
from thalweg._src.ops.linear.linalg import eye, need_square, square_dims, square_rule, svd
from thalweg._src.ops.linear.linear_systems import matrix_solve

T = type_attr("T", (float64, float32, float16, *COMPLEX))
C = type_attr("T", COMPLEX)


# -- norms


def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    keep_dims: Any = None,
) -> Tensor:
    """The norm of vectors along an axis (or of all elements), or of matrices along a list of two axes.

    `ord` of vectors: "euclidean", any positive number, np.inf; of matrices: "fro", "euclidean", 1, 2, np.inf.
    Raises ValueError for others.

    >>> run(tf.norm([3.0, 4.0]))
    5.0
    """
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    of_matrices = isinstance(axis, tuple | list) and len(axis) == 2
    if of_matrices:
        _check_matrix_norm(ord, axis)
        axis = tuple(axis)
    else:
        _check_vector_norm(ord, axis)
        axis = None if axis is None else (axis,)
    with name_scope(name, "norm", [tensor]):
        x = to_tensor(tensor)
        result = _matrix_norm(x, ord, axis) if of_matrices else _vector_norm(x, ord, axis)
        return result if keepdims else array.squeeze(result, axis)


_UNIQUE = "'axis' must be None, an integer, or a tuple of 2 unique integers"


def _check_matrix_norm(ord: Any, axis: Any) -> None:
    if not all(isinstance(a, int) for a in axis) or axis[0] == axis[1]:
        raise ValueError(_UNIQUE)
    allowed = ["euclidean", "fro", 1, 2, np.inf]
    if ord not in allowed:
        raise ValueError(f"'ord' must be a supported matrix norm in {allowed}, got {ord}")


def _check_vector_norm(ord: Any, axis: Any) -> None:
    if not (isinstance(axis, int) or axis is None):
        raise ValueError(_UNIQUE)
    if ord == "euclidean":
        return
    if isinstance(ord, str) or not np.isreal(ord) or ord <= 0:
        raise ValueError(f"'ord' must be a supported vector norm, got {ord}")


def _euclidean(x: Tensor, axis: Any) -> Tensor:
    return math.sqrt(math.reduce_sum(x * math.conj(x), axis, keepdims=True))


def _vector_norm(x: Tensor, ord: Any, axis: Any) -> Tensor:
    if ord in ("euclidean", 2):
        return _euclidean(x, axis)
    size = math.abs(x)
    along = None if axis is None else axis[0]
    if ord == 1:
        return math.reduce_sum(size, along, keepdims=True)
    if ord == np.inf:
        return math.reduce_max(size, along, keepdims=True)
    total = math.reduce_sum(math.pow(size, ord), axis, keepdims=True)
    return math.pow(total, 1.0 / ord)


def _matrix_norm(x: Tensor, ord: Any, axis: Any) -> Tensor:
    if ord in ("fro", "euclidean"):
        return _euclidean(x, axis)
    if ord == 2:
        return _spectral(x, axis)
    size = math.abs(x)
    if ord == 1:  # the largest sum of a column
        return math.reduce_max(math.reduce_sum(size, axis[0], keepdims=True), axis[-1], keepdims=True)
    return math.reduce_max(math.reduce_sum(size, axis[1], keepdims=True), axis[0], keepdims=True)


def _spectral(x: Tensor, axis: Any) -> Tensor:
    """The largest singular value, in the place of the two axes."""
    if x.dims is None:
        rank = array.rank(x)
        last = math.floormod(constant(axis), rank)
        others, _ = array.setdiff1d(math.range(rank), last)
        order = array.concat([others, last], axis=0)
        back = array.invert_permutation(order)
    else:
        rank = len(x.dims)
        last = [a % rank for a in axis]
        order = [i for i in range(rank) if i not in last] + last
        back = np.argsort(order).tolist()
    values = math.abs(svd(array.transpose(x, order), compute_uv=False))
    largest = array.expand_dims(math.reduce_max(values, axis=-1, keepdims=True), axis=-1)
    return array.transpose(largest, back)


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> tuple[Tensor, Tensor]:
    """`tensor` over its norm, as `norm` has it, and that norm with the axes kept."""
    with name_scope(name, "normalize", [tensor]):
        x = to_tensor(tensor)
        size = math.cast(norm(x, ord, axis, keepdims=True), x.dtype)
        return x / size, size


# -- ranks and pseudo-inverses


def _checked(a: Any) -> Tensor:
    a = to_tensor(a, None, "a", preferred=float32)
    if not a.dtype.is_floating:
        raise TypeError(f"Input `a` must have `float`-like `dtype` (saw {a.dtype.name}).")
    if a.dims is not None and len(a.dims) < 2:
        raise ValueError(f"Input `a` must have at least 2 dimensions (saw: {len(a.dims)}).")
    return a


def _larger(a: Tensor) -> Any:
    """The larger of the sizes of the matrices: a number, or a tensor where it is not known."""
    if a.dims is not None and None not in a.dims[-2:]:
        return float(max(a.dims[-2:]))  # type: ignore[type-var]
    return math.cast(math.reduce_max(array.shape(a)[-2:]), a.dtype)


def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """How many singular values of each matrix are above `tol`."""
    with get_default_graph().name_scope(name or "matrix_rank"):
        a = _checked(a)
        values = svd(a, compute_uv=False)
        if tol is None:
            tiny = float(np.finfo(a.dtype.as_numpy_dtype).eps)
            tol = tiny * _larger(a) * math.reduce_max(values, axis=-1, keepdims=True)
        return math.reduce_sum(math.cast(values > tol, int32), axis=-1)


def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The pseudo-inverses of matrices; singular values below `rcond` times the largest count as 0."""
    with get_default_graph().name_scope(name or "pinv"):
        a = _checked(a)
        if rcond is None:
            rcond = 10.0 * _larger(a) * float(np.finfo(a.dtype.as_numpy_dtype).eps)
        rcond = to_tensor(rcond, a.dtype.base_dtype, "rcond")
        s, u, v = svd(a, full_matrices=False, compute_uv=True)
        cutoff = rcond * math.reduce_max(s, axis=-1)
        infinity = np.array(np.inf, a.dtype.as_numpy_dtype)
        s = array.where_v2(s > array.expand_dims(cutoff, -1), s, infinity)
        inverse = math.matmul(v / array.expand_dims(s, -2), u, adjoint_b=True)
        if a.dims is not None:
            inverse.set_shape([*a.dims[:-2], a.dims[-1], a.dims[-2]])
        return inverse


# -- exponentials

# Higham, 2005, "The scaling and squaring method for the matrix exponential revisited": the numerators of Padé's
# approximants by degree, lowest power first, and up to which 1-norm each is good enough.
_PADE = {
    3: (120.0, 60.0, 12.0, 1.0),
    5: (30240.0, 15120.0, 3360.0, 420.0, 30.0, 1.0),
    7: (17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0, 1.0),
    9: (17643225600.0, 8821612800.0, 2075673600.0, 302702400.0, 30270240.0, 2162160.0, 110880.0, 3960.0, 90.0, 1.0),
    13: (
        *(64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0),
        *(10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0),
    ),
}
_SINGLE = ((3, 0.4258730016922831), (5, 1.880152677804762), (7, 3.92572478313866))
_DOUBLE = (
    *((3, 1.495585217958292e-2), (5, 2.539398330063230e-1), (7, 9.504178996162932e-1)),
    *((9, 2.097847961257068e0), (13, 5.371920351148152e0)),
)


def matrix_exponential(input: Any, name: str | None = None) -> Tensor:
    """e to the power of matrices [..., n, n]. Raises ValueError for types that are not floating or complex."""
    with name_scope(name, "matrix_exponential", [input]):
        x = to_tensor(input, None, "input")
        if x.dims is not None and x.dims[-2:] == (0, 0):
            return x
        kind = x.dtype.base_dtype
        if kind not in (float16, float32, float64, complex64, complex128):
            raise ValueError(f"tf.linalg.expm does not support matrices of type {x.dtype}")
        shape = array.shape(x)
        flat = array.reshape(x, array.concat(([-1], shape[-2:]), axis=0))
        result = _exponential(flat, _DOUBLE if kind in (float64, complex128) else _SINGLE)
        result = array.reshape(result, shape)
        result.set_shape(square_dims(x.dims))
        return result


def _exponential(x: Tensor, degrees: Any) -> Tensor:
    """Of a batch [b, n, n]: the lowest degree that is good enough; large matrices are halved first, then squared."""
    size = math.reduce_max(math.reduce_sum(math.abs(x), axis=-2), axis=-1)

    def real(value):
        return constant(value, size.dtype)

    last, limit = degrees[-1]
    halvings = math.maximum(math.floor(math.log(size / real(limit)) / math.log(real(2.0))), 0)
    scale = math.pow(constant(2.0, dtype=x.dtype), math.cast(halvings, x.dtype))
    odd, even = _pade(x / array.reshape(scale, [-1, 1, 1]), last)
    for degree, enough in reversed(degrees[:-1]):
        small = math.less(size, real(enough))
        odd_small, even_small = _pade(x, degree)
        odd = array.where(small, odd_small, odd)
        even = array.where(small, even_small, even)
    result = matrix_solve(even - odd, even + odd)
    return _squared(result, halvings, real)


def _pade(x: Tensor, degree: int) -> tuple[Tensor, Tensor]:
    """The odd and the even part of the numerator; the denominator is their difference."""
    b = [constant(c, x.dtype) for c in _PADE[degree]]
    shape = array.shape(x)
    identity = eye(shape[-2], batch_shape=shape[:-2], dtype=x.dtype)
    powers = [identity, math.matmul(x, x)]
    while 2 * len(powers) < min(degree, 8):
        powers.append(math.matmul(powers[-1], powers[1]))

    def polynomial(coefficients):
        terms = [c * p for c, p in zip(coefficients, powers, strict=False)]
        high = coefficients[len(powers) :]
        if high:  # in powers of x^6, so that no higher ones are needed
            inner = [c * p for c, p in zip(high, powers[1:], strict=False)]
            terms.append(math.matmul(powers[3], math.add_n(inner)))
        return math.add_n(terms)

    return math.matmul(x, polynomial(b[1::2])), polynomial(b[0::2])


def _squared(x: Tensor, times: Tensor, real: Any) -> Tensor:
    """Each matrix of the batch squared `times` times."""
    from thalweg._src.ops.control.while_loop import while_loop

    most = math.reduce_max(times)

    def step(i, y):
        return i + 1, array.where(math.less(i, times), math.matmul(y, y), y)

    _, result = while_loop(lambda i, y: math.less(i, most), step, [real(0.0), x])
    return result


# -- roots and logarithms, by SciPy, on the host


def _each(f: Any, x: Any) -> Any:
    need_square(x)
    out = np.empty(x.shape, x.dtype)
    for i in np.ndindex(x.shape[:-2]):
        value = f(x[i])
        out[i] = value if np.iscomplexobj(out) else value.real
    return out


@op("MatrixSquareRoot", host=True)
def matrix_square_root(input: T) -> T:
    """The y of y y = input, for invertible matrices whose real eigenvalues are positive."""
    import scipy.linalg

    wide = input.astype(np.float32) if input.dtype == np.float16 else input
    return _each(scipy.linalg.sqrtm, wide).astype(input.dtype)


@op("MatrixLogarithm", host=True)
def matrix_logarithm(input: C) -> C:
    """The y of exp(y) = input."""
    import scipy.linalg

    def log(m):
        with warnings.catch_warnings():  # of the accuracy that it estimates
            warnings.simplefilter("ignore", RuntimeWarning)
            return scipy.linalg.logm(m) if m.size else m

    return _each(log, input)


matrix_square_root.shape_rule(square_rule)
matrix_logarithm.shape_rule(square_rule)


@matrix_square_root.grad  # solves da y^T + y^T da = g, as one system of n^2 equations
def _(op, g):
    (y,) = op.outputs
    shape = array.shape(y)
    n = shape[-1]
    batch = shape[:-2]
    identity = eye(n, batch_shape=batch, dtype=y.dtype)
    turned = array.matrix_transpose(y)

    def kronecker(a, b):
        wide = array.reshape(a, array.concat([batch, [n, 1, n, 1]], 0))
        narrow = array.reshape(b, array.concat([batch, [1, n, 1, n]], 0))
        return array.reshape(wide * narrow, array.concat([batch, [n * n, n * n]], 0))

    system = kronecker(identity, turned) + kronecker(y, identity)
    column = array.reshape(array.matrix_transpose(g), array.concat([batch, [n * n, 1]], 0))
    solution = array.reshape(matrix_solve(system, column), shape)
    return array.matrix_transpose(solution)
