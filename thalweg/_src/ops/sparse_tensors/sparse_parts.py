"""Sparse tensors joined, cut and completed: concat, split, slice, retain, reset_shape, fill_empty_rows."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import NUMBERS, int64
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Many, Min, Outputs, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import SparseTensor, is_sparse, to_sparse_tensor
from thalweg._src.ops import basic
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.gathering import gather
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.selecting import where
from thalweg._src.ops.arrays.shaping import reshape, shape
from thalweg._src.ops.late import math
from thalweg._src.ops.sparse_tensors.sparse_arrange import row_major

T = type_attr("T")
N = type_attr("T", NUMBERS)


def _columns(t: Tensor) -> int | None:
    return shapes.of_rank(t.dims, 2)[1]


# -- concat and split


@op("SparseConcat", host=True, numpy_only=True)
def _sparse_concat(
    indices: Many(int64, "N", 2), values: Many(T, "N", 2), shapes: Many(int64, "N", 2), *, concat_dim: int
) -> Outputs(output_indices=int64, output_values=T, output_shape=int64):
    """Sparse tensors one after the other along an axis."""
    n = len(shapes[0])
    if not -n <= concat_dim < n:
        raise ValueError(f"Concat dimension must be in range [{-n}, {n}), got {concat_dim}")
    axis = concat_dim % n
    out_shape = np.array(shapes[0])
    moved = []
    begin = 0
    for i, (at, dims) in enumerate(zip(indices, shapes, strict=True)):
        if len(dims) != n:
            raise ValueError(f"Ranks of all input tensors must match: expected {n} but got {len(dims)} at position {i}")
        for j in range(n):
            if j != axis and dims[j] != shapes[0][j]:
                raise ValueError(
                    f"Input shapes must match: expected {shapes[0][j]} for dimension {j} but got {dims[j]} at position {i}"
                )
        shift = np.zeros(n, np.int64)
        shift[axis] = begin
        begin += int(dims[axis])
        moved.append(at + shift)
    out_shape[axis] = begin
    at, v = np.concatenate(moved), np.concatenate(values)
    order = row_major(at)
    return at[order], v[order], out_shape


@_sparse_concat.shape_rule
def _(op):
    n = op.attrs["N"]
    entries: int | None = 0
    columns = size = None
    for at, v, dims in zip(op.inputs[:n], op.inputs[n : 2 * n], op.inputs[2 * n :], strict=True):
        rows, c = shapes.of_rank(at.dims, 2)
        columns = shapes.one_size(columns, c)
        size = shapes.one_size(size, shapes.of_rank(dims.dims, 1)[0])
        rows = shapes.one_size(rows, shapes.of_rank(v.dims, 1)[0])
        entries = None if entries is None or rows is None else entries + rows
    return [(entries, columns), (entries,), (size,)]


_sparse_concat.not_differentiable()


def sparse_concat(
    axis: Any,
    sp_inputs: Any = None,
    name: str | None = None,
    expand_nonconcat_dim: bool = False,
    concat_dim: Any = None,
    expand_nonconcat_dims: Any = None,
) -> SparseTensor:
    """SparseTensors one after the other along `axis`, entries in row-major order.

    The other sizes must be equal; with `expand_nonconcat_dims` the greatest of each counts for all.
    """
    expand = expand_nonconcat_dim if expand_nonconcat_dims is None else expand_nonconcat_dims
    axis = concat_dim if axis is None else axis
    parts = [to_sparse_tensor(sp) for sp in _listed(sp_inputs)]
    if len(parts) == 1:
        return parts[0]
    sizes = [sp.dense_shape for sp in parts]
    if expand:
        most = math.reduce_max(concat([reshape(s, [1, -1]) for s in sizes], 0), 0)
        sizes = [
            concat(
                [most[:axis], s[-1:] if axis == -1 else s[axis : axis + 1], [] if axis == -1 else most[axis + 1 :]], 0
            )
            for s in sizes
        ]
    indices, values, dims = _sparse_concat(
        [sp.indices for sp in parts], [sp.values for sp in parts], sizes, concat_dim=axis, name=name
    )
    known = [infer.constant_value(s) for s in sizes]
    if all(k is not None for k in known):
        full = np.array(known[0])
        full[axis] = sum(k[axis] for k in known)  # type: ignore[index]
        dims = to_tensor(full)
    return SparseTensor(indices, values, dims)


def _listed(sp_inputs: Any) -> list[Any]:
    if isinstance(sp_inputs, list):
        return sp_inputs
    if not isinstance(sp_inputs, Iterable) or is_sparse(sp_inputs):
        raise TypeError("Inputs must be a list")
    return list(sp_inputs)


@op("SparseSplit", host=True, numpy_only=True)
def _sparse_split(split_dim: int64, indices: int64, values: T, shape: int64, *, num_split: Min(int, 1)) -> Outputs(
    output_indices=Many(int64, "num_split"), output_values=Many(T, "num_split"), output_shape=Many(int64, "num_split")
):
    """A sparse tensor cut into parts of equal size, of which the first ones may be one larger."""
    axis, n = int(split_dim), len(shape)
    if not -n <= axis < n:
        raise ValueError(f"Input split_dim should be between 0 and rank ({n}), got {axis}")
    axis %= n
    size = int(shape[axis])
    if not 1 <= num_split <= size:
        raise ValueError(
            f"Input num_split should be between 1 and the splitting dimension size ({size}), got {num_split}"
        )
    each, more = divmod(size, num_split)
    out: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    begin = 0
    for i in range(num_split):
        end = begin + each + (i < more)
        mine = (indices[:, axis] >= begin) & (indices[:, axis] < end)
        at, dims = np.array(indices[mine]), np.array(shape)
        at[:, axis] -= begin
        dims[axis] = end - begin
        for kept, part in zip(out, (at, values[mine], dims), strict=True):
            kept.append(part)
        begin = end
    return out


@_sparse_split.shape_rule
def _(op):
    n = op.attrs["num_split"]
    columns = _columns(op.inputs[1])
    return [(None, columns)] * n + [(None,)] * n + [op.inputs[3].dims] * n


_sparse_split.not_differentiable()

_KEYWORDS = object()


def sparse_split(
    keyword_required: Any = _KEYWORDS,
    sp_input: Any = None,
    num_split: Any = None,
    axis: Any = None,
    name: str | None = None,
    split_dim: Any = None,
) -> list[SparseTensor]:
    """`sp_input` cut into `num_split` parts along `axis`; the first ones are one larger where it doesn't divide evenly.

    Its arguments are keywords. Before 1.0 the order was `tf.sparse_split(split_dim, num_split, sp_input)`; that works too.
    """
    if keyword_required is not _KEYWORDS:
        if is_sparse(num_split):  # the old order
            keyword_required, sp_input, num_split, axis = _KEYWORDS, num_split, sp_input, keyword_required
        else:
            raise ValueError("Keyword arguments are required for this function.")
    axis = renamed("axis", axis, "split_dim", split_dim)
    for what, value in (("sp_input", sp_input), ("num_split", num_split), ("axis", axis)):
        if value is None:
            raise ValueError(f"{what} is required")
    sp = to_sparse_tensor(sp_input)
    parts = _sparse_split(axis, sp.indices, sp.values, sp.dense_shape, num_split=num_split, name=name)
    return [SparseTensor(*part) for part in zip(*parts, strict=True)]


# -- parts


@op("SparseSlice", host=True, numpy_only=True)
def _sparse_slice(indices: int64, values: T, shape: int64, start: int64, size: int64) -> Outputs(
    output_indices=int64, output_values=T, output_shape=int64
):
    """The entries inside a box, and the part of the box that is inside the tensor."""
    if not len(shape) == len(start) == len(size) == indices.shape[1]:
        raise ValueError(
            f"Expected start and size to be vectors of {len(shape)} entries, got {len(start)} and {len(size)}"
        )
    inside = ((indices >= start) & (indices < start + size)).all(-1)
    dims = np.where(start < shape, np.minimum(size, shape - start), 0)
    return indices[inside] - start, values[inside], dims


@_sparse_slice.shape_rule
def _(op):
    columns = _columns(op.inputs[0])
    for t in op.inputs[2:]:
        shapes.of_rank(t.dims, 1)
    return [(None, columns), (None,), op.inputs[2].dims]


@op("SparseSliceGrad", host=True, numpy_only=True)
def sparse_slice_grad(backprop_val_grad: N, input_indices: int64, input_start: int64, output_indices: int64) -> N:
    """The gradient of SparseSlice for the values: zero for those outside of the box."""
    places = {tuple(at): i for i, at in enumerate((output_indices + input_start).tolist())}
    out = np.zeros(len(input_indices), backprop_val_grad.dtype)
    for i, at in enumerate(input_indices.tolist()):
        if tuple(at) in places:
            out[i] = backprop_val_grad[places[tuple(at)]]
    return out


@sparse_slice_grad.shape_rule
def _(op):
    return [shapes.of_rank(op.inputs[1].dims, 2)[:1]]


@_sparse_slice.grad
def _(op, _, g, __):
    back = sparse_slice_grad(g, op.inputs[0], op.inputs[3], op.outputs[0])
    back.set_shape(op.inputs[1].dims)
    return None, back, None, None, None


def sparse_slice(sp_input: Any, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """The part of a SparseTensor from `start` on, of `size` along each axis, or what there is of it."""
    sp = to_sparse_tensor(sp_input)
    start, size = to_tensor(start, int64), to_tensor(size, int64)
    with name_scope(name, "SparseSlice", [sp.values]) as name:
        return SparseTensor(*_sparse_slice(sp.indices, sp.values, sp.dense_shape, start, size, name=name))


def sparse_retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """The entries of a SparseTensor for which the bools `to_retain` [n] hold."""
    sp = to_sparse_tensor(sp_input)
    to_retain = to_tensor(to_retain)
    to_retain.get_shape().assert_has_rank(1)
    if sp.values.dims is not None and to_retain.dims is not None:
        shapes.Dimension(sp.values.dims[0]).merge_with(to_retain.dims[0])
    chosen = reshape(where(to_retain), [-1])
    return SparseTensor(gather(sp.indices, chosen), gather(sp.values, chosen), basic.identity(sp.dense_shape))


def sparse_reset_shape(sp_input: Any, new_shape: Any = None) -> SparseTensor:
    """A SparseTensor in a larger dense shape, or without `new_shape`, in the least that holds its entries."""
    sp = to_sparse_tensor(sp_input)
    indices, values, old = (basic.identity(t) for t in (sp.indices, sp.values, sp.dense_shape))
    if new_shape is None:
        last = math.reduce_max(indices, axis=0)
        least = math.add(last, constants.ones_like(old))
        return SparseTensor(indices, values, math.maximum(constants.constant(0, int64), least))
    from thalweg._src.ops.reports.checks import assert_equal, assert_less_equal

    new = to_tensor(new_shape)
    new.get_shape().assert_has_rank(1)
    new = math.cast(new, int64)
    if new.dims is not None:
        shapes.Dimension(new.dims[0]).merge_with(shapes.of_rank(old.dims, 1)[0])
    value, known = infer.constant_value(new), sp.get_shape()
    if value is not None and known.is_fully_defined():
        if not (np.array(known.as_list()) <= value).all():
            raise ValueError(
                "Requested new_shape should have dimension sizes >= sp_input.shape.  "
                f"Found new_shape ({np.array(known.as_list())}), sp_input.shape ({value})."
            )
        return SparseTensor(indices, values, value)
    new = basic.with_dependencies([assert_equal(shape(old), shape(new))], new)
    new = basic.with_dependencies([assert_less_equal(old, new)], new)
    return SparseTensor(indices, values, new)


# -- empty rows


@op("SparseFillEmptyRows", host=True, numpy_only=True)
def _fill_empty_rows(indices: int64, values: T, dense_shape: int64, default_value: T) -> Outputs(
    output_indices=int64, output_values=T, empty_row_indicator=bool_, reverse_index_map=int64
):
    """The entries by row, with one of `default_value` in each row that has none."""
    rows = int(dense_shape[0])
    if rows == 0 and len(indices):
        raise ValueError(f"Received SparseTensor with dense_shape[0] = 0 but indices.shape[0] = {len(indices)}")
    row = indices[:, 0]
    wrong = np.flatnonzero((row < 0) | (row >= rows))
    if len(wrong):
        raise ValueError(f"indices({wrong[0]}, 0) is invalid: {row[wrong[0]]} >= {rows}")
    empty = np.bincount(row, minlength=rows) == 0
    extra = np.zeros((int(empty.sum()), indices.shape[1]), np.int64)
    extra[:, 0] = np.flatnonzero(empty)
    all_rows = np.concatenate([row, extra[:, 0]])
    order = np.argsort(all_rows, kind="stable")
    at = np.concatenate([indices, extra])[order]
    filled = np.concatenate([values, np.full(len(extra), default_value, values.dtype)])[order]
    reverse = np.empty(len(order), np.int64)
    reverse[order] = np.arange(len(order))
    return at, filled, empty, reverse[: len(row)]


@_fill_empty_rows.shape_rule
def _(op):
    indices, values, dims, default = op.inputs
    n, columns = shapes.of_rank(indices.dims, 2)
    n = shapes.one_size(n, shapes.of_rank(values.dims, 1)[0])
    columns = shapes.one_size(columns, shapes.of_rank(dims.dims, 1)[0])
    shapes.of_rank(default.dims, 0)
    known = infer.partial_value(dims)
    return [(None, columns), (None,), (known[0] if known else None,), (n,)]


@op("SparseFillEmptyRowsGrad", host=True, numpy_only=True)
def _fill_empty_rows_grad(reverse_index_map: int64, grad_values: T) -> Outputs(d_values=T, d_default_value=T):
    """The gradients of SparseFillEmptyRows for the values and the default value."""
    back = grad_values[reverse_index_map]
    rest = np.ones(len(grad_values), bool)
    rest[reverse_index_map] = False
    return back, grad_values[rest].sum(dtype=grad_values.dtype)


@_fill_empty_rows_grad.shape_rule
def _(op):
    shapes.of_rank(op.inputs[1].dims, 1)
    return [shapes.of_rank(op.inputs[0].dims, 1), ()]


@_fill_empty_rows.grad
def _(op, _, g, __, ___):
    back, default = _fill_empty_rows_grad(op.outputs[3], g)
    return None, back, None, default


def sparse_fill_empty_rows(sp_input: Any, default_value: Any, name: str | None = None) -> tuple[SparseTensor, Tensor]:
    """(filled, empty): an entry of `default_value` at the start of each row that has none, and which rows those are."""
    sp = to_sparse_tensor(sp_input)
    with name_scope(name, "SparseFillEmptyRows", [sp.values]):
        default = to_tensor(default_value, sp.values.dtype.base_dtype)
        indices, values, empty, _ = _fill_empty_rows(sp.indices, sp.values, sp.dense_shape, default)
        return SparseTensor(indices, values, sp.dense_shape), empty
