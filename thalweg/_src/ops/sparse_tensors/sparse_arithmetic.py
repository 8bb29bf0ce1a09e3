"""Sparse tensors with one another: add, maximum, minimum; and softmax along the last axis."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import FLOATS, INTEGERS, NUMBERS, REALS, float32, float64, int64
from thalweg._src.core.opdef import Outputs, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import SparseTensor, is_sparse, to_sparse_tensor
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.late import math
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_dense_cwise_add, sparse_tensor_dense_add
from thalweg._src.ops.sparse_tensors.sparse_reduce import sparse_reduce_sum

N = type_attr("T", NUMBERS)
R = type_attr("T", REALS)
TREAL = type_attr("Treal", (*FLOATS, *INTEGERS))
S = type_attr("T", (float32, float64))


def _union(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The distinct rows of two index matrices in row-major order, and for both the number of each row among them."""
    rows, number = np.unique(np.concatenate([a, b]), axis=0, return_inverse=True)
    number = number.ravel()
    return rows, number[: len(a)], number[len(a) :]


def _same_shape(a: Any, b: Any) -> None:
    if len(a) != len(b):
        raise ValueError(f"Operands do not have the same ranks; got shapes: {a.tolist()} and {b.tolist()}")
    if (a != b).any():
        raise ValueError(f"Operands' shapes do not match: got {a.tolist()} and {b.tolist()}")


# -- add


@op("SparseAdd", host=True, numpy_only=True)
def _sparse_add(
    a_indices: int64, a_values: N, a_shape: int64, b_indices: int64, b_values: N, b_shape: int64, thresh: TREAL
) -> Outputs(sum_indices=int64, sum_values=N, sum_shape=int64):
    """The sum of two sparse tensors; sums of two entries whose magnitude is below `thresh` are left out."""
    _same_shape(a_shape, b_shape)
    for indices in (a_indices, b_indices):
        wrong = np.flatnonzero(((indices < 0) | (indices >= a_shape)).any(-1))
        if len(wrong):
            raise ValueError(f"invalid index: {indices[wrong[0]].tolist()} in a tensor of shape {shapes.text(a_shape)}")
    rows, at_a, at_b = _union(a_indices, b_indices)
    total = np.zeros(len(rows), a_values.dtype)
    np.add.at(total, at_a, a_values)
    np.add.at(total, at_b, b_values)
    both = np.zeros(len(rows), bool)
    both[at_b] = np.isin(at_b, at_a)
    keep = ~both | (np.abs(total) >= thresh)
    return rows[keep], total[keep], a_shape


@_sparse_add.shape_rule
def _(op):
    a, dims = op.inputs[0].dims, op.inputs[2].dims
    return [(None, shapes.of_rank(a, 2)[1]), (None,), shapes.of_rank(dims, 1)]


@op("SparseAddGrad", host=True, numpy_only=True)
def _sparse_add_grad(backprop_val_grad: N, a_indices: int64, b_indices: int64, sum_indices: int64) -> Outputs(
    a_val_grad=N, b_val_grad=N
):
    """The gradients of SparseAdd for the values of both; zero for those whose sum was left out."""
    place = {tuple(at): i for i, at in enumerate(sum_indices.tolist())}

    def back(indices: Any) -> Any:
        found = [place.get(tuple(at), -1) for at in indices.tolist()]
        padded = np.append(backprop_val_grad, np.zeros(1, backprop_val_grad.dtype))
        return padded[np.array(found, np.int64)]

    return back(a_indices), back(b_indices)


@_sparse_add_grad.shape_rule
def _(op):
    return [shapes.of_rank(t.dims, 2)[:1] for t in op.inputs[1:3]]


@_sparse_add.grad
def _(op, _, g, __):
    a, b = _sparse_add_grad(g, op.inputs[0], op.inputs[3], op.outputs[0])
    a.set_shape(op.inputs[1].dims)
    b.set_shape(op.inputs[4].dims)
    return None, a, None, None, b, None, None


def sparse_add(a: Any, b: Any, threshold: Any = None, thresh: Any = None) -> Any:
    """The sum of two SparseTensors, a SparseTensor; or of one and a dense tensor, which is dense.

    Sums of two entries whose magnitude is below `threshold` (once `thresh`) are left out. Raises TypeError where neither
    is sparse.
    """
    threshold = renamed("threshold", threshold, "thresh", thresh)
    if not is_sparse(a) and not is_sparse(b):
        raise TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?")
    if not (is_sparse(a) and is_sparse(b)):
        a, b = (b, a) if is_sparse(b) else (a, b)
        a = to_sparse_tensor(a)
        return sparse_tensor_dense_add(a.indices, a.values, a.dense_shape, b)
    a, b = to_sparse_tensor(a), to_sparse_tensor(b)
    limit = to_tensor(0 if threshold is None else threshold, a.values.dtype.base_dtype.real_dtype, "threshold")
    indices, values, dims = _sparse_add(a.indices, a.values, a.dense_shape, b.indices, b.values, b.dense_shape, limit)
    a.get_shape().assert_is_compatible_with(b.get_shape())
    known = shapes.broadcast_static_shape(a.get_shape(), b.get_shape())
    return SparseTensor(indices, values, known.as_list() if known.is_fully_defined() else dims)


# -- maximum and minimum


def _extreme(f: Any, a: Any, b: Any) -> Any:
    _same_shape(a[2], b[2])
    rows, at_a, at_b = _union(a[0], b[0])
    both = np.zeros((2, len(rows)), a[1].dtype)
    both[0, at_a], both[1, at_b] = a[1], b[1]
    return rows, f(both[0], both[1])


@op("SparseSparseMaximum", host=True, numpy_only=True)
def _sparse_maximum(
    a_indices: int64, a_values: R, a_shape: int64, b_indices: int64, b_values: R, b_shape: int64
) -> Outputs(output_indices=int64, output_values=R):
    """The greater of two sparse tensors at each place where one has an entry."""
    return _extreme(np.maximum, (a_indices, a_values, a_shape), (b_indices, b_values, b_shape))


@op("SparseSparseMinimum", host=True, numpy_only=True)
def _sparse_minimum(
    a_indices: int64, a_values: N, a_shape: int64, b_indices: int64, b_values: N, b_shape: int64
) -> Outputs(output_indices=int64, output_values=N):
    """The lesser of two sparse tensors at each place where one has an entry."""
    return _extreme(np.minimum, (a_indices, a_values, a_shape), (b_indices, b_values, b_shape))


for _of_two in (_sparse_maximum, _sparse_minimum):
    _of_two.shape_rule(lambda op: [(None, None), (None,)])


@_sparse_maximum.grad
def _(op, *_):
    raise NotImplementedError("Gradient for SparseSparseMaximum is currently not implemented yet.")


@_sparse_minimum.grad
def _(op, *_):
    raise NotImplementedError("Gradient for SparseSparseMinimum is currently not implemented yet.")


def _of_both(f: Any, scope: str, a: SparseTensor, b: SparseTensor, name: str | None) -> SparseTensor:
    with name_scope(name, scope, [a.indices, a.values, b.indices, b.values]) as name:
        indices, values = f(a.indices, a.values, a.dense_shape, b.indices, b.values, b.dense_shape, name=name)
    return SparseTensor(indices, values, a.dense_shape)


def sparse_maximum(sp_a: SparseTensor, sp_b: SparseTensor, name: str | None = None) -> SparseTensor:
    """The greater of two SparseTensors of one shape at each place where one has an entry."""
    return _of_both(_sparse_maximum, "SparseSparseMaximum", sp_a, sp_b, name)


def sparse_minimum(sp_a: SparseTensor, sp_b: SparseTensor, name: str | None = None) -> SparseTensor:
    """The lesser of two SparseTensors of one shape at each place where one has an entry."""
    return _of_both(_sparse_minimum, "SparseSparseMinimum", sp_a, sp_b, name)


# -- softmax


@op("SparseSoftmax", host=True, numpy_only=True)
def _sparse_softmax(sp_indices: int64, sp_values: S, sp_shape: int64) -> S:
    """The softmax of each row's entries."""
    if len(sp_shape) < 2:
        raise ValueError(f"Expected rank(sp_shape) >= 2, got {len(sp_shape)}")
    if len(sp_values) == 0:
        return sp_values
    _, row = np.unique(sp_indices[:, :-1], axis=0, return_inverse=True)
    row = row.ravel()
    most = np.full(row.max() + 1, -np.inf, sp_values.dtype)
    np.maximum.at(most, row, sp_values)
    e = np.exp(sp_values - most[row])
    total = np.zeros_like(most)
    np.add.at(total, row, e)
    return e / total[row]


@_sparse_softmax.shape_rule
def _(op):
    indices, values, dims = op.inputs
    shapes.of_rank(indices.dims, 2)
    shapes.of_rank(dims.dims, 1)
    return [shapes.of_rank(values.dims, 1)]


@_sparse_softmax.grad
def _(op, g):
    indices, _, dims = op.inputs
    y = op.outputs[0]
    row_sums = math.negative(sparse_reduce_sum(SparseTensor(indices, y * g, dims), [-1], keepdims=True))
    return None, sparse_dense_cwise_add(SparseTensor(indices, g, dims), row_sums).values * y, None


def sparse_softmax(sp_input: SparseTensor, name: str | None = None) -> SparseTensor:
    """The softmax along the last axis of a SparseTensor, of its entries alone."""
    with name_scope(name, "SparseSoftmax", [sp_input.indices, sp_input.values]):
        values = _sparse_softmax(sp_input.indices, sp_input.values, sp_input.dense_shape)
        return SparseTensor(sp_input.indices, values, sp_input.dense_shape)
