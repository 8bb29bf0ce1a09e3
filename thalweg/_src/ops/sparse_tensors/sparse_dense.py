"""Sparse tensors and dense ones: conversions, matrix products, operations element by element."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import check, is_traced, xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import NUMBERS, REALS, float32, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import SparseTensor, to_sparse_tensor
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.gathering import gather, gather_nd
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.shaping import expand_dims, shape, size
from thalweg._src.ops.late import math, slicing, transposing

T = type_attr("T")
N = type_attr("T", NUMBERS)
R = type_attr("T", REALS)
INTS = (int32, int64)


def in_bounds(indices: Any, dims: Any, prefix: str = "") -> None:
    """Every row of `indices` [n, rank] must lie in a tensor of shape `dims`."""
    limit = np.asarray(dims) if not is_traced(dims) else dims

    def message() -> str:
        i = int(np.argwhere(((indices < 0) | (indices >= limit)).any(-1))[0][0])
        at, size_ = indices[i].tolist(), np.asarray(limit).tolist()
        return f"{prefix}indices[{i}] = {_list(at)} is out of bounds: need 0 <= index < {_list(size_)}"

    check(xp(indices, limit).all((indices >= 0) & (indices < limit)), message)


def _list(values: Any) -> str:
    return f"[{','.join(map(str, values))}]"


def in_order(indices: Any) -> None:
    """The rows of `indices` must come in row-major order, each once."""
    if len(indices) < 2:
        return
    lib = xp(indices)
    step = indices[1:] - indices[:-1]
    first = (step != 0).argmax(-1) if indices.shape[1] else np.zeros(len(step), np.int64)
    lead = lib.take_along_axis(step, first[:, None], 1)[:, 0] if indices.shape[1] else lib.zeros(len(step), np.int64)

    def message() -> str:
        i = int(np.argwhere(lead <= 0)[0][0]) + 1
        what = "repeated" if lead[i - 1] == 0 else "out of order"
        return f"indices[{i}] = {_list(indices[i].tolist())} is {what}. Many sparse ops require sorted indices."

    check(lead > 0, message)


# -- to dense


@op("SparseToDense")
def _sparse_to_dense(
    sparse_indices: type_attr("Tindices", INTS),
    output_shape: Static(type_attr("Tindices", INTS)),
    sparse_values: T,
    default_value: T,
    *,
    validate_indices: bool = True,
) -> T:
    """A tensor of shape `output_shape` with `sparse_values` at `sparse_indices` and `default_value` elsewhere."""
    if np.ndim(output_shape) != 1:
        raise ValueError(f"output_shape should be a vector, got shape {shapes.text(np.shape(output_shape))}")
    dims = tuple(int(d) for d in output_shape)
    if sparse_indices.ndim > 2:
        raise ValueError(
            f"sparse_indices should be a scalar, vector, or matrix, got shape {shapes.text(sparse_indices.shape)}"
        )
    at = sparse_indices.reshape(-1, sparse_indices.shape[1] if sparse_indices.ndim == 2 else 1)
    if at.shape[1] != len(dims):
        raise ValueError(f"output_shape has incorrect number of elements: {len(dims)} should be: {at.shape[1]}")
    if sparse_values.ndim > 1 or (sparse_values.ndim and sparse_values.shape[0] != at.shape[0]):
        raise ValueError(
            f"sparse_values has incorrect shape {shapes.text(sparse_values.shape)}, should be [] or [{at.shape[0]}]"
        )
    if default_value.ndim:
        raise ValueError("default_value should be a scalar.")
    in_bounds(at, np.array(dims, np.int64))
    if validate_indices:
        in_order(at)
    lib = xp(sparse_indices, sparse_values, default_value)
    out = lib.full(dims, default_value)
    if 0 in dims:
        return out
    places = tuple(at[:, i] for i in range(len(dims)))
    if lib is jnp:
        return out.at[places].set(sparse_values, mode="drop")
    out[places] = sparse_values
    return out


@_sparse_to_dense.shape_rule
def _(op):
    shapes.of_rank(op.inputs[1].dims, 1)
    return [infer.partial_value(op.inputs[1])]


@_sparse_to_dense.grad
def _(op, g):
    indices, dims, _, _ = op.inputs
    values = gather_nd(g, indices)
    default = math.subtract(math.reduce_sum(g), math.reduce_sum(values))
    return constants.zeros_like(indices), constants.zeros_like(dims), values, default


def sparse_to_dense(
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Tensor:
    """A tensor of shape `output_shape` with `sparse_values` (or one value) at `sparse_indices`, `default_value` elsewhere.

    Raises InvalidArgumentError in the run for indices out of bounds, and unless `validate_indices` is False, for indices
    that come twice or out of order.

    >>> run(tf.sparse_to_dense([1, 3], [5], 1))
    array([0, 1, 0, 1, 0], dtype=int32)
    """
    return _sparse_to_dense(
        sparse_indices, output_shape, sparse_values, default_value, validate_indices=validate_indices, name=name
    )


def sparse_tensor_to_dense(
    sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Tensor:
    """A SparseTensor as a dense one, with `default_value` (0, or an empty string) where it has no entry."""
    sp = to_sparse_tensor(sp_input)
    if default_value is None:
        default_value = constants.zeros([], sp.dtype)
    return _sparse_to_dense(
        sp.indices, sp.dense_shape, sp.values, default_value, validate_indices=validate_indices, name=name
    )


def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """A dense tensor as a SparseTensor of its entries that are not zero."""
    from thalweg._src.ops.arrays.selecting import where_v2

    with name_scope(name, "dense_to_sparse"):
        tensor = to_tensor(tensor)
        zero = b"" if tensor.dtype.base_dtype.name == "string" else 0
        indices = where_v2(math.not_equal(tensor, constants.constant(zero, tensor.dtype.base_dtype)))
        return SparseTensor(indices, gather_nd(tensor, indices), shape(tensor, out_type=int64))


def sparse_to_indicator(sp_input: Any, vocab_size: Any, name: str | None = None) -> Tensor:
    """The ids in the rows of a SparseTensor as bools: [..., n] of ids less than `vocab_size` -> [..., vocab_size]."""
    from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_merge

    sp = to_sparse_tensor(sp_input)
    with name_scope(name, "SparseToIndicator", [sp.values]) as name:
        count = shape(sp.indices)[0]
        new_values = constants.fill(expand_dims(count, 0), True)
        marked = sparse_merge(sp, SparseTensor(sp.indices, new_values, sp.dense_shape), vocab_size, name)
        return sparse_tensor_to_dense(marked, default_value=False, validate_indices=False, name=name)


# -- matrix product


@op("SparseTensorDenseMatMul")
def _sparse_matmul(
    a_indices: type_attr("Tindices", INTS, int64),
    a_values: T,
    a_shape: Static(int64),
    b: T,
    *,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
) -> T:
    """The product of a sparse matrix and a dense one."""
    if len(a_shape) != 2:
        raise ValueError("Tensor 'a_shape' must have 2 elements")
    if b.ndim != 2:
        raise ValueError("Tensor 'b' is not a matrix")
    lib = xp(a_indices, a_values, b)
    if adjoint_b:
        b = lib.conj(b.T)
    row, col = (1, 0) if adjoint_a else (0, 1)
    m, k = int(a_shape[row]), int(a_shape[col])
    if b.shape[0] != k:
        raise ValueError(
            f"Cannot multiply A and B because inner dimension does not match: {k} vs. {b.shape[0]}.  Did you forget a "
            f"transpose?  Dimensions of A: [{m}, {k}).  Dimensions of B: {shapes.text(b.shape)}"
        )
    for letter, axis, n in (("m", row, m), ("k", col, k)):
        _axis_in_bounds(a_indices, axis, n, letter)
    values = lib.conj(a_values) if adjoint_a else a_values
    parts = (
        values[:, None] * lib.take(b, a_indices[:, col], axis=0, mode="clip")
        if k
        else lib.zeros((0, b.shape[1]), b.dtype)
    )
    if lib is jnp:
        return jnp.zeros((m, b.shape[1]), b.dtype).at[a_indices[:, row]].add(parts, mode="drop")
    out = np.zeros((m, b.shape[1]), b.dtype)
    np.add.at(out, a_indices[:, row], parts)
    return out


def _axis_in_bounds(indices: Any, axis: int, n: int, letter: str) -> None:
    def message() -> str:
        i = int(np.flatnonzero((indices[:, axis] < 0) | (indices[:, axis] >= n))[0])
        return f"{letter} ({indices[i, axis]}) from index[{i},{axis}] out of bounds (>={n})"

    check(xp(indices).all((indices[:, axis] >= 0) & (indices[:, axis] < n)), message)


@_sparse_matmul.shape_rule
def _(op):
    indices, values, dims, b = op.inputs
    shapes.of_rank(indices.dims, 2)
    shapes.of_rank(values.dims, 1)
    a = infer.partial_value(dims)
    a = shapes.of_rank(a, 2)
    right = shapes.of_rank(b.dims, 2)
    row, col = (1, 0) if op.attrs["adjoint_a"] else (0, 1)
    inner, outer = (1, 0) if op.attrs["adjoint_b"] else (0, 1)
    shapes.one_size(a[col], right[inner])
    return [(a[row], right[outer])]


@_sparse_matmul.grad
def _(op, g):
    indices, values, dims, b = op.inputs
    if values.dtype.base_dtype.is_complex:
        raise NotImplementedError("SparseTensorDenseMatMul op does not support complex gradients.")
    adj_a, adj_b = op.attrs["adjoint_a"], op.attrs["adjoint_b"]
    b_grad = _sparse_matmul(indices, values, dims, g, adjoint_a=not adj_a)
    if adj_b:
        b_grad = transposing.transpose(b_grad)
    rows, cols = indices[:, 0], indices[:, 1]
    parts_a = gather(g, cols if adj_a else rows)
    parts_b = gather(transposing.transpose(b) if adj_b else b, rows if adj_a else cols)
    return None, math.reduce_sum(parts_a * parts_b, axis=1), None, b_grad


def sparse_tensor_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Tensor:
    """The product of a sparse matrix [m, k] and a dense one [k, n], either conjugated and transposed on demand."""
    a = to_sparse_tensor(sp_a)
    with name_scope(name, "SparseTensorDenseMatMul", [a.indices, a.values, b]):
        b = to_tensor(b, None, "b")
        return _sparse_matmul(a.indices, a.values, a.dense_shape, b, adjoint_a=adjoint_a, adjoint_b=adjoint_b)


# -- element by element


@op("SparseTensorDenseAdd")
def sparse_tensor_dense_add(
    a_indices: type_attr("Tindices", INTS), a_values: N, a_shape: type_attr("Tindices", INTS), b: N
) -> N:
    """A dense tensor with the entries of a sparse one added."""
    in_bounds(a_indices, np.array(b.shape, np.int64), "Sparse tensor has an invalid index: ")
    at = tuple(a_indices[:, i] for i in range(b.ndim))
    if is_traced(a_indices) or is_traced(a_values) or is_traced(b):
        return jnp.asarray(b).at[at].add(a_values, mode="drop")
    out = np.array(b)
    np.add.at(out, at, a_values)
    return out


sparse_tensor_dense_add.shape_rule(lambda op: [op.inputs[3].dims])


@sparse_tensor_dense_add.grad
def _(op, g):
    return None, gather_nd(g, op.inputs[0]), None, g


def _dense_at(indices: Any, dims: Any, dense: Any) -> Any:
    """The entries of `dense`, broadcast to the sparse shape `dims`, at `indices`."""
    extra = indices.shape[1] - dense.ndim
    if extra < 0:
        raise ValueError(
            f"SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: [{indices.shape[1]} "
            f"axes] vs. {shapes.text(dense.shape)}"
        )
    lib = xp(indices, dense)
    sizes = np.array(dense.shape, np.int64)
    tail = dims[extra:]
    check(
        lib.all((sizes == tail) | (sizes == 1)),
        lambda: (
            "SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: "
            f"[{','.join(map(str, dims))}] vs. [{','.join(map(str, dense.shape))}]"
        ),
    )
    at = tuple(indices[:, extra + i] * (n > 1) for i, n in enumerate(dense.shape))
    if lib is jnp:
        return lib.asarray(dense).at[at].get(mode="clip")
    return dense[at]


@op("SparseDenseCwiseAdd")
def _cwise_add(sp_indices: int64, sp_values: N, sp_shape: int64, dense: N) -> N:
    """The entries of a sparse tensor plus those of a dense one at the same places."""
    return sp_values + _dense_at(sp_indices, sp_shape, dense)


@op("SparseDenseCwiseMul")
def _cwise_mul(sp_indices: int64, sp_values: N, sp_shape: int64, dense: N) -> N:
    """The entries of a sparse tensor times those of a dense one at the same places."""
    return sp_values * _dense_at(sp_indices, sp_shape, dense)


@op("SparseDenseCwiseDiv")
def _cwise_div(sp_indices: int64, sp_values: N, sp_shape: int64, dense: N) -> N:
    """The entries of a sparse tensor divided by those of a dense one at the same places."""
    other = _dense_at(sp_indices, sp_shape, dense)
    if sp_values.dtype.kind in "iu":
        check(xp(other).all(other != 0), "Integer division by zero")
        lib = xp(sp_values, other)
        return (lib.sign(sp_values) * lib.sign(other) * (abs(sp_values) // lib.maximum(abs(other), 1))).astype(
            sp_values.dtype
        )
    return sp_values / other


for _cwise in (_cwise_add, _cwise_mul, _cwise_div):
    _cwise.shape_rule(lambda op: [op.inputs[1].dims if op.inputs[0].dims is None else op.inputs[0].dims[:1]])


@_cwise_add.grad
def _(op, g):
    raise NotImplementedError("Gradient for SparseDenseCwiseAdd is currently not implemented yet.")


def _cwise_gradient(op, g, *, is_mul):
    x_indices, x_values, x_shape, y = op.inputs
    y_shape = math.cast(shape(y), int64)
    added = expand_dims(size(x_shape) - size(y_shape), 0)
    scaling = x_shape // concat([constants.ones(added, int64), y_shape], 0)
    at = slicing.slice(x_indices // scaling, concat([[0], added], 0), [-1, -1])
    dense = gather_nd(y, at)
    if is_mul:
        dx, dy = g * dense, g * x_values
    else:
        dx, dy = g / dense, g * (-x_values / math.square(dense))
    return None, dx, None, sparse_tensor_dense_add(at, dy, y_shape, constants.zeros_like(y))


_cwise_mul.grad(lambda op, g: _cwise_gradient(op, g, is_mul=True))
_cwise_div.grad(lambda op, g: _cwise_gradient(op, g, is_mul=False))


def sparse_dense_cwise_add(sp: SparseTensor, dense: Any) -> SparseTensor:
    """A SparseTensor with a dense tensor, broadcast to it, added at its places."""
    return sp._with_values(_cwise_add(sp.indices, sp.values, sp.dense_shape, dense))


def _operator(f: Any, scope: str) -> Any:
    def apply(sp: SparseTensor, dense: Any) -> SparseTensor:
        with name_scope(None, scope, [sp.indices, dense]) as name:
            y = to_tensor(dense, sp.dtype.base_dtype, "y")
            return sp._with_values(f(sp.indices, sp.values, sp.dense_shape, y, name=name))

    return apply


def _true_divide(indices: Tensor, values: Tensor, dims: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """Integers are divided as floats, as Python 3 divides them."""
    kind = values.dtype.base_dtype
    wide = {"int8": float32, "uint8": float32, "int16": float32, "uint16": float32}.get(kind.name)
    if kind.name in ("int32", "int64"):
        from thalweg._src.core.dtypes import float64

        wide = float64
    if wide is not None:
        values, y = math.cast(values, wide), math.cast(y, wide)
    return _cwise_div(indices, values, dims, y, name=name)


SparseTensor._override_operator("__mul__", _operator(_cwise_mul, "mul"))
SparseTensor._override_operator("__div__", _operator(_cwise_div, "div"))
SparseTensor._override_operator("__truediv__", _operator(_true_divide, "truediv"))
