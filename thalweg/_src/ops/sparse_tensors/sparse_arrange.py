"""Sparse tensors rearranged, or made of others: reorder, reshape, transpose, expand_dims, merge, eye, mask ..."""

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer, shapes
from thalweg._src.core.apply import check, xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import NUMBERS, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Outputs, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import SparseTensor, is_sparse, to_sparse_tensor
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.gathering import gather
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.shaping import expand_dims, rank, shape
from thalweg._src.ops.arrays.slicing import slice as slice_
from thalweg._src.ops.arrays.stacking import stack
from thalweg._src.ops.arrays.transposing import invert_permutation, transpose
from thalweg._src.ops.late import math

T = type_attr("T")
N = type_attr("T", NUMBERS)


def row_major(indices: Any) -> Any:
    """The order of the rows of `indices` [n, rank] as numbers; equal rows stay in order."""
    lib = xp(indices)
    if indices.shape[1] == 0:
        return lib.arange(indices.shape[0])
    return lib.lexsort(tuple(indices[:, i] for i in reversed(range(indices.shape[1]))))


def _columns(t: Tensor) -> int | None:
    return shapes.of_rank(t.dims, 2)[1]


# -- reorder, transpose, reshape


@op("SparseReorder")
def _sparse_reorder(input_indices: int64, input_values: T, input_shape: int64) -> Outputs(
    output_indices=int64, output_values=T
):
    """The entries in row-major order."""
    order = row_major(input_indices)
    lib = xp(order, input_values)
    return lib.take(input_indices, order, axis=0), lib.take(input_values, order, axis=0)


@_sparse_reorder.shape_rule
def _(op):
    indices, values, dims = op.inputs
    shapes.of_rank(dims.dims, 1)
    return [shapes.of_rank(indices.dims, 2), shapes.of_rank(values.dims, 1)]


@_sparse_reorder.grad
def _(op, _, g):
    indices, _, dims = op.inputs
    places = math.range(shape(indices)[0])
    ordered = sparse_reorder(SparseTensor(indices, places, dims))
    return None, gather(g, invert_permutation(ordered.values)), None


def sparse_reorder(sp_input: Any, name: str | None = None) -> SparseTensor:
    """A SparseTensor with its entries in row-major order, as most sparse ops want them."""
    sp = to_sparse_tensor(sp_input)
    indices, values = _sparse_reorder(sp.indices, sp.values, sp.dense_shape, name=name)
    known = sp.get_shape()
    return SparseTensor(
        indices, values, known.as_list() if known.is_fully_defined() else basic.identity(sp.dense_shape)
    )


def sparse_transpose(sp_input: Any, perm: Any = None, name: str | None = None) -> SparseTensor:
    """A SparseTensor with its axes in the order `perm`, by default reversed, and its entries in row-major order."""
    sp = to_sparse_tensor(sp_input)
    with name_scope(name, "SparseTranspose", [sp.values]):
        order = None if perm is None else infer.constant_value(to_tensor(perm))
        if perm is None:
            n = rank(sp)
            perm = (n - 1) - math.range(0, n, 1)
        indices = transpose(gather(transpose(sp.indices), perm))
        known = sp.get_shape()
        if order is not None and known.is_fully_defined():
            dims: Any = [known.as_list()[p] for p in order.tolist()]
        else:
            dims = gather(sp.dense_shape, perm)
        return sparse_reorder(SparseTensor(indices, sp.values, dims))


@op("SparseReshape")
def _sparse_reshape(input_indices: int64, input_shape: int64, new_shape: int64) -> Outputs(
    output_indices=int64, output_shape=int64
):
    """The places of entries in a tensor of another shape."""
    lib = xp(input_indices, input_shape, new_shape)
    total, missing = input_shape.prod(), new_shape == -1
    known = lib.where(missing, 1, new_shape).prod()
    check(missing.sum() <= 1, "only one output dimension may be -1")
    check(lib.where(missing, 0, new_shape).min(initial=0) >= 0, lambda: "size must be non-negative")
    check(
        ~missing.any() | (known > 0) | (total == 0), "reshape cannot infer the missing input size for an empty tensor"
    )
    sizes = lib.where(missing, total // lib.maximum(known, 1), new_shape)
    check(
        sizes.prod() == total,
        lambda: (
            f"Input to reshape is a tensor with {total} dense values, but the requested shape has {sizes.prod()}"
            if not missing.any()
            else f"Input to reshape is a SparseTensor with {total} dense values, but the requested shape requires a multiple "
            f"of {known}"
        ),
    )
    flat = (input_indices * _strides(input_shape, lib)).sum(-1)
    ours = _strides(sizes, lib)
    out = flat[:, None] // lib.maximum(ours, 1) % lib.maximum(sizes, 1)
    return out, sizes


def _strides(sizes: Any, lib: Any) -> Any:
    if sizes.shape[0] == 0:
        return sizes
    return lib.concatenate([lib.cumprod(sizes[:0:-1])[::-1], lib.ones(1, np.int64)])


@_sparse_reshape.shape_rule
def _(op):
    indices, dims, new = op.inputs
    n = shapes.of_rank(indices.dims, 2)[0]
    shapes.of_rank(dims.dims, 1)
    rank_ = shapes.of_rank(new.dims, 1)[0]
    return [(n, rank_), (rank_,)]


_sparse_reshape.not_differentiable()


def sparse_reshape(sp_input: Any, shape: Any, name: str | None = None) -> SparseTensor:
    """A SparseTensor with its entries, in row-major order, in another shape; one size may be -1, what is left.

    Raises ValueError where the sizes are known and don't fit, else InvalidArgumentError in the run.
    """
    sp = to_sparse_tensor(sp_input)
    shape = math.cast(shape, int64)
    with name_scope(name, "SparseReshape", [sp.values]) as name:
        indices, dims = _sparse_reshape(sp.indices, sp.dense_shape, shape, name=name)
        wanted, known = infer.partial_value(shape), sp.get_shape()
        if wanted is not None and known.is_fully_defined():
            dims = _known_reshape(dims, shape, list(wanted), known.num_elements())
        return SparseTensor(indices, basic.identity(sp.values), dims)


def _known_reshape(dims: Tensor, shape: Tensor, wanted: list[Any], total: int) -> Tensor:
    value = infer.constant_value(shape)
    if value is not None and (value == -1).sum() > 1:
        raise ValueError(f"At most one dimension can be inferred (-1). Found: {value}")
    if wanted.count(None) > 1:
        return dims
    full = list(wanted)
    if None in full:
        rest = shapes.size_of(tuple(d for d in full if d is not None)) or 0
        full[full.index(None)] = total // rest if rest else 0
    count = shapes.size_of(tuple(full))
    if count != total:
        raise ValueError(f"Cannot reshape a tensor with {total} elements to shape {wanted} ({count} elements).")
    return constants.constant(full, int64)


def sparse_expand_dims(sp_input: Any, axis: Any = None, name: str | None = None) -> SparseTensor:
    """A SparseTensor with an axis of size 1 put before `axis`, by default last."""
    sp = to_sparse_tensor(sp_input)
    n = sp.dense_shape.dims[0]  # type: ignore[index]
    with name_scope(name, "expand_dims", [sp.values]):
        if isinstance(axis, numbers.Integral) or axis is None:
            axis = to_tensor(-1 if axis is None else int(axis), int32, "axis")
        elif not isinstance(axis, Tensor):
            raise TypeError("axis must be an integer value in range [-rank(sp_input) - 1, rank(sp_input)]")
        from thalweg._src.ops.arrays.selecting import where_v2

        at = where_v2(axis >= 0, axis, axis + n + 1)
        new = constants.zeros([shape(sp.indices)[0], 1], int64)
        before, after = slice_(sp.indices, [0, 0], [-1, at]), slice_(sp.indices, [0, at], [-1, -1])
        left, right = slice_(sp.dense_shape, [0], [at]), slice_(sp.dense_shape, [at], [-1])
        one = to_tensor([1], int64, "new_shape")
        return SparseTensor(concat([before, new, after], 1), sp.values, concat([left, one, right], 0))


# -- made of others


def sparse_merge(
    sp_ids: Any, sp_values: Any, vocab_size: Any, name: str | None = None, already_sorted: bool = False
) -> SparseTensor:
    """Rows of ids and rows of values as one SparseTensor: the last axis of the ids becomes one of size `vocab_size`.

    With lists of ids and of sizes there is an axis for each. Raises TypeError for arguments of other kinds.
    """
    if is_sparse(sp_ids):
        sp_ids = [sp_ids]
        if not isinstance(vocab_size, Tensor | numbers.Integral):
            raise TypeError(f"vocab_size has to be a Tensor or Python int. Found {type(vocab_size)}")
        vocab_size = [vocab_size]
    else:
        if not isinstance(sp_ids, Iterable):
            raise TypeError(f"sp_ids has to be a SparseTensor or list thereof. Found {type(sp_ids)}")
        if not isinstance(vocab_size, Iterable):
            raise TypeError(f"vocab_size has to be a list of Tensors or Python ints. Found {type(vocab_size)}")
        for n in vocab_size:
            if not isinstance(n, Tensor | numbers.Integral):
                raise TypeError(f"vocab_size has to be a list of Tensors or Python ints. Found {type(n)}")
    if len(sp_ids) != len(vocab_size):
        raise ValueError("sp_ids and vocab_size have to have equal lengths.")
    with name_scope(name, "SparseMerge", None):
        parts = [to_sparse_tensor(sp) for sp in sp_ids]
        values = to_sparse_tensor(sp_values).values
        ids = [expand_dims(math.cast(sp.values, int64), axis=1) for sp in parts]
        sizes = [math.cast(n, int64) for n in vocab_size]
        indices = concat([parts[0].indices[:, :-1], *ids], 1)
        dims = concat([parts[0].dense_shape[:-1], sizes], 0)
        merged = SparseTensor(indices, values, dims)
        if already_sorted:
            return merged
        ordered = sparse_reorder(merged)
        return SparseTensor(ordered.indices, ordered.values, dims)


def sparse_eye(
    num_rows: Any, num_columns: Any = None, dtype: Any = dtypes.float32, name: str | None = None
) -> SparseTensor:
    """The identity matrix as a SparseTensor."""
    with name_scope(name, "eye", [num_rows, num_columns]):
        rows = math.cast(to_tensor(num_rows, None, "num_rows"), int64)
        columns = rows if num_columns is None else math.cast(to_tensor(num_columns, None, "num_columns"), int64)
        n = math.minimum(rows, columns)
        places = math.range(n, dtype=int64)
        ones = constants.ones(expand_dims(n, 0), dtype=dtype)
        return SparseTensor(stack([places, places], axis=1), ones, [rows, columns])


def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A SparseTensor that every run feeds: with a SparseTensorValue or (indices, values, dense_shape)."""
    part = lambda what: None if name is None else f"{name}/{what}"
    rank_ = dims = None
    if isinstance(shape, Tensor):
        rank_, dims = shapes.of_rank(shape.dims, 1)[0], math.cast(shape, int64)
    elif shape is not None:
        known = shapes.as_dims(shape)
        rank_ = None if known is None else len(known)
        if known is not None and None not in known:
            dims = to_tensor(np.array(known, np.int64), int64, part("shape"))
    if dims is None:
        dims = constants.placeholder(int64, [rank_], name=part("shape"))
    values = constants.placeholder(dtype, [None], name=part("values"))
    return SparseTensor(constants.placeholder(int64, [None, rank_], name=part("indices")), values, dims)


def sparse_mask(a: Any, mask_indices: Any, name: str | None = None) -> Any:
    """IndexedSlices without the rows whose index is among `mask_indices`."""
    from thalweg._src.ops.arrays.distinct import listdiff
    from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices

    with name_scope(name, "sparse_mask", [a.values, mask_indices]) as name:
        out, keep = listdiff(a.indices, mask_indices)
        return IndexedSlices(gather(a.values, keep, name=name), out, a.dense_shape)
