"""Sums and greatest entries of sparse tensors along axes, dense or sparse."""

from typing import Any

import numpy as np

from thalweg._src.core import infer
from thalweg._src.core.apply import xp
from thalweg._src.core.dtypes import NUMBERS, REALS, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Outputs, Static, op, type_attr
from thalweg._src.core.sparse_tensor import SparseTensor, is_sparse, to_sparse_tensor
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.gathering import gather_nd
from thalweg._src.ops.arrays.shaping import rank, reshape
from thalweg._src.ops.late import math

N = type_attr("T", NUMBERS)
R = type_attr("T", REALS)


def reduction_axes(sp: SparseTensor, axis: Any) -> Any:
    """`axis`, by default all."""
    if axis is not None:
        return axis
    dims = sp.dense_shape.dims
    if dims is not None and dims[0] is not None:
        return constants.constant(np.arange(dims[0], dtype=np.int32))
    return math.range(0, rank(sp))


def kept_axes(axes: Any, rank_: int) -> list[int]:
    """The axes that are not reduced. Raises ValueError for axes out of range."""
    flat = np.asarray(axes).ravel().tolist()
    for a in flat:
        if not -rank_ <= a < rank_:
            raise ValueError(f"Invalid reduction dimension {a}, for input with {rank_} dimensions.")
    if not flat:
        flat = list(range(rank_))
    reduced = {a % rank_ for a in flat}
    return [i for i in range(rank_) if i not in reduced]


def _reduced(indices: Any, values: Any, dims: Any, axes: Any, keep_dims: bool, how: str) -> Any:
    sizes = [int(d) for d in dims]
    kept = kept_axes(axes, len(sizes))
    out_dims = [n if i in kept else 1 for i, n in enumerate(sizes)] if keep_dims else [sizes[i] for i in kept]
    lib = xp(indices, values)
    at = lib.zeros(values.shape, np.int64)
    for i in kept:
        at = at * sizes[i] + indices[:, i]
    n = int(np.prod([sizes[i] for i in kept], dtype=np.int64))
    if how == "add":
        if lib is jnp:
            return jnp.zeros(n, values.dtype).at[at].add(values).reshape(out_dims)
        out = np.zeros(n, values.dtype)
        np.add.at(out, at, values)
        return out.reshape(out_dims)
    least = np.iinfo(values.dtype).min if values.dtype.kind in "iu" else -np.inf
    if lib is jnp:
        best = jnp.full(n, least, values.dtype).at[at].max(values)
        some = jnp.zeros(n, bool).at[at].set(True)
    else:
        best, some = np.full(n, least, values.dtype), np.zeros(n, bool)
        np.maximum.at(best, at, values)
        some[at] = True
    return lib.where(some, best, lib.zeros((), values.dtype)).reshape(out_dims)


@op("SparseReduceSum")
def _sparse_reduce_sum(
    input_indices: int64,
    input_values: N,
    input_shape: Static(int64),
    reduction_axes: Static(int32),
    *,
    keep_dims: bool = False,
) -> N:
    """The sum of a sparse tensor over some axes, dense."""
    return _reduced(input_indices, input_values, input_shape, reduction_axes, keep_dims, "add")


@op("SparseReduceMax")
def _sparse_reduce_max(
    input_indices: int64,
    input_values: R,
    input_shape: Static(int64),
    reduction_axes: Static(int32),
    *,
    keep_dims: bool = False,
) -> R:
    """The greatest entry of a sparse tensor over some axes, dense; 0 where there is none."""
    return _reduced(input_indices, input_values, input_shape, reduction_axes, keep_dims, "max")


def _reduce_rule(op):
    dims, axes = infer.partial_value(op.inputs[2]), infer.constant_value(op.inputs[3])
    if dims is None or axes is None:
        return [None]
    try:
        kept = kept_axes(axes, len(dims))
    except ValueError:  # TensorFlow notices in the run
        return [None]
    if op.attrs["keep_dims"]:
        return [tuple(d if i in kept else 1 for i, d in enumerate(dims))]
    return [tuple(dims[i] for i in kept)]


_sparse_reduce_sum.shape_rule(_reduce_rule)
_sparse_reduce_max.shape_rule(_reduce_rule)
_sparse_reduce_max.not_differentiable()


@_sparse_reduce_sum.grad
def _(op, g):
    indices, _, dims, axes = op.inputs
    from thalweg._src.ops.numeric.reduce import reduced_shape

    kept = reduced_shape(dims, axes)
    scale = dims // math.cast(kept, int64)
    return None, gather_nd(reshape(g, kept), indices // scale), None, None


def sparse_reduce_sum(
    sp_input: SparseTensor, axis: Any = None, keepdims: Any = None, reduction_axes: Any = None, keep_dims: Any = None
) -> Tensor:
    """The sum of a SparseTensor over `axis` (by default all), as a dense tensor."""
    return _reduce(_sparse_reduce_sum, sp_input, axis, keepdims, reduction_axes, keep_dims)


def sparse_reduce_max(
    sp_input: SparseTensor, axis: Any = None, keepdims: Any = None, reduction_axes: Any = None, keep_dims: Any = None
) -> Tensor:
    """The greatest entry of a SparseTensor over `axis` (by default all), as a dense tensor; 0 where there is none."""
    return _reduce(_sparse_reduce_max, sp_input, axis, keepdims, reduction_axes, keep_dims)


def _reduce(f: Any, sp: Any, axis: Any, keepdims: Any, old_axis: Any, keep_dims: Any) -> Any:
    sp = to_sparse_tensor(sp) if is_sparse(sp) else sp
    keep = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    axes = reduction_axes(sp, renamed("axis", axis, "reduction_axes", old_axis))
    return f(sp.indices, sp.values, sp.dense_shape, axes, keep_dims=bool(keep))


# -- sparse results


def _reduced_sparse(indices: Any, values: Any, dims: Any, axes: Any, keep_dims: bool, f: Any) -> Any:
    kept = kept_axes(axes, len(dims))
    if kept:
        groups, group = np.unique(indices[:, kept], axis=0, return_inverse=True)
    else:
        groups, group = np.zeros((min(len(indices), 1), 0), np.int64), np.zeros(len(indices), np.int64)
    order = np.argsort(group.ravel(), kind="stable")
    begins = np.flatnonzero(np.diff(group.ravel()[order], prepend=-1))
    out = f.reduceat(values[order], begins) if len(order) else values[:0]
    at, sizes = groups, dims[kept]
    if keep_dims:
        full, full_sizes = np.zeros((len(at), len(dims)), np.int64), np.ones(len(dims), np.int64)
        full[:, kept], full_sizes[kept] = at, sizes
        at, sizes = full, full_sizes
    return at, out.astype(values.dtype), sizes


@op("SparseReduceSumSparse", host=True, numpy_only=True)
def _sparse_reduce_sum_sparse(
    input_indices: int64, input_values: N, input_shape: int64, reduction_axes: int32, *, keep_dims: bool = False
) -> Outputs(output_indices=int64, output_values=N, output_shape=int64):
    """The sum of a sparse tensor over some axes, sparse."""
    return _reduced_sparse(input_indices, input_values, input_shape, reduction_axes, keep_dims, np.add)


@op("SparseReduceMaxSparse", host=True, numpy_only=True)
def _sparse_reduce_max_sparse(
    input_indices: int64, input_values: R, input_shape: int64, reduction_axes: int32, *, keep_dims: bool = False
) -> Outputs(output_indices=int64, output_values=R, output_shape=int64):
    """The greatest entry of a sparse tensor over some axes, sparse."""
    return _reduced_sparse(input_indices, input_values, input_shape, reduction_axes, keep_dims, np.maximum)


for _to_sparse in (_sparse_reduce_sum_sparse, _sparse_reduce_max_sparse):
    _to_sparse.shape_rule(lambda op: [None, None, None])
    _to_sparse.not_differentiable()


def sparse_reduce_sum_sparse(
    sp_input: SparseTensor, axis: Any = None, keepdims: Any = None, reduction_axes: Any = None, keep_dims: Any = None
) -> SparseTensor:
    """The sum of a SparseTensor over `axis` (by default all), as a SparseTensor."""
    return SparseTensor(*_reduce(_sparse_reduce_sum_sparse, sp_input, axis, keepdims, reduction_axes, keep_dims))


def sparse_reduce_max_sparse(
    sp_input: SparseTensor, axis: Any = None, keepdims: Any = None, reduction_axes: Any = None, keep_dims: Any = None
) -> SparseTensor:
    """The greatest entry of a SparseTensor over `axis` (by default all), as a SparseTensor."""
    return SparseTensor(*_reduce(_sparse_reduce_max_sparse, sp_input, axis, keepdims, reduction_axes, keep_dims))
