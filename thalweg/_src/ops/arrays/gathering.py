"""Rows and elements by index: gather, batch_gather, gather_nd."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import check, is_traced, xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.opdef import Handle, Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.shaping import expand_dims, rank, reshape, shape, shape_internal, size, squeeze
from thalweg._src.ops.arrays.stacking import stack, unstack
from thalweg._src.ops.late import math, padding, scattering, transposing
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices
from thalweg._src.ops.stateful.handles import dims_of_handle

INTS = (int32, int64)
Tparams = type_attr("Tparams")
Tindices = type_attr("Tindices", INTS)
DTYPE = type_attr("dtype")


# -- gather


def _bad_index(indices: Any, n: int) -> Any:
    def message() -> str:
        at = tuple(int(i) for i in np.argwhere((indices < 0) | (indices >= n))[0])
        return f"indices{_place(at)} = {indices[at]} is not in [0, {n})"

    return message


def _place(at: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, at))}]" if at else ""


def gathered(params: Any, indices: Any, axis: int = 0) -> Any:
    """The entries of `params` along `axis` at `indices`, which are checked."""
    n = params.shape[axis]
    check((indices >= 0) & (indices < n), _bad_index(indices, n))
    lib = xp(params, indices)
    if n == 0:
        dims = params.shape[:axis] + indices.shape + params.shape[axis + 1 :]
        return lib.zeros(dims, params.dtype)
    return lib.take(params, indices, axis=axis, mode="clip")


def _batched(params: Any, indices: Any, axis: int, batch_dims: int) -> Any:
    """As `gathered`, where the first `batch_dims` axes of both go together."""
    batch, before, after = params.shape[:batch_dims], params.shape[batch_dims:axis], params.shape[axis + 1 :]
    if indices.shape[:batch_dims] != batch:
        raise ValueError(
            f"params.shape[:{batch_dims}] {list(batch)} should be equal to indices.shape[:{batch_dims}] "
            f"{shapes.text(indices.shape[:batch_dims])}"
        )
    inner, n = indices.shape[batch_dims:], params.shape[axis]
    check((indices >= 0) & (indices < n), _bad_index(indices, n))
    flat = params.reshape(_count(batch), _count(before), n, _count(after))
    at = indices.reshape(_count(batch), _count(inner))
    lib = xp(params, indices)
    dims = batch + before + inner + after
    if n == 0:
        return lib.zeros(dims, params.dtype)
    at = lib.clip(at, 0, n - 1)[:, None, :, None]
    return lib.take_along_axis(flat, at, axis=2).reshape(dims)


def _count(dims: Any) -> int:
    return int(np.prod(dims, dtype=np.int64))


@op("Gather")
def _gather_rows(params: Tparams, indices: Tindices, *, validate_indices: bool = True) -> Tparams:
    """Rows of `params`, in graphs of TensorFlow 0.x."""
    return gathered(params, indices)


@_gather_rows.shape_rule
def _(op):
    params, indices = (t.dims for t in op.inputs)
    shapes.of_rank_at_least(params, 1)
    return [None if params is None or indices is None else indices + params[1:]]


@op("GatherV2")
def _gather(
    params: Tparams, indices: Tindices, axis: Static(type_attr("Taxis", INTS)), *, batch_dims: int = 0
) -> Tparams:
    """Entries of `params` along `axis`; the first `batch_dims` axes of params and indices go together."""
    at, rank_ = int(np.asarray(axis).reshape(())), params.ndim
    if not -rank_ <= at < rank_:
        raise ValueError(f"Expected axis in the range [{-rank_}, {rank_}), but got {at}")
    at %= rank_
    batch = batch_dims + indices.ndim if batch_dims < 0 else batch_dims
    if not 0 <= batch <= indices.ndim or batch > at:
        raise ValueError(f"batch_dims ({batch}) must be at most axis ({at}) and rank(indices) ({indices.ndim})")
    if batch:
        return _batched(params, indices, at, batch)
    return gathered(params, indices, at)


def _row(params, indices, axis=0, *, batch_dims=0, validate_indices=True):
    """One row, as it lies: what input pipelines take again and again."""
    if indices.ndim or batch_dims or axis != 0:
        return NotImplemented
    at = indices.item()
    return params[at, ...] if 0 <= at < len(params) else NotImplemented


_gather_rows.on("host")(_row)
_gather.on("host")(_row)


@_gather.shape_rule
def _(op):
    params, indices = op.inputs[0].dims, op.inputs[1].dims
    shapes.of_rank_at_least(params, 1)
    shapes.of_rank(op.inputs[2].dims, 0)
    axis, batch = infer.constant_value(op.inputs[2]), op.attrs["batch_dims"]
    if axis is None:
        known = params is not None and indices is not None
        return [(None,) * (len(params) + len(indices) - 1 - (batch if batch > 0 else 0)) if known else None]
    at = int(axis)
    shapes.of_rank_at_least(params, -at if at < 0 else at + 1)
    shapes.of_rank_at_least(params, -batch if batch < 0 else batch + 1)
    if params is None or indices is None:
        return [None]
    at %= len(params)
    batch = batch + len(indices) if batch < 0 else batch
    return [params[:at] + indices[batch:] + params[at + 1 :]]


@_gather.partial_rule
def _(op):
    params, indices, axis = op.inputs
    values, at = infer.partial_ints(params), infer.constant_value(indices)
    if values is None or at is None or at.ndim > 1 or infer.constant_value(axis) is None:
        return None
    chosen = at.ravel().tolist()
    return tuple(values[i] for i in chosen) if all(0 <= i < len(values) for i in chosen) else None


def _shape_of_params(params: Tensor) -> Tensor:
    with get_default_graph().colocate_with(params.op):
        return math.cast(shape(params, out_type=int64), int32)


def _rows_gradient(op, g):
    """Only the rows that were gathered have a gradient."""
    params, indices = op.inputs[:2]
    dims = _shape_of_params(params)
    count = expand_dims(size(indices), 0)
    values = reshape(g, concat([count, dims[1:]], 0))
    return IndexedSlices(values, reshape(indices, count), dims)


@_gather_rows.grad
def _(op, g):
    return _rows_gradient(op, g), None


@_gather.grad
def _(op, g):
    params, indices, axis = op.inputs
    at, batch = infer.constant_value(axis), op.attrs["batch_dims"]
    if batch < 0:
        batch += len(indices.dims)
    if at is not None and at == 0 and not batch:
        return _rows_gradient(op, g), None, None
    return _gradient_along(params, indices, axis, batch, g), None, None


def _gradient_along(params: Tensor, indices: Tensor, axis: Tensor, batch: int, g: Any) -> Tensor:
    """The gradient with the gathered axis brought to the front, summed per index, and put back."""
    dims = _shape_of_params(params)
    at = infer.constant_value(axis)
    where: Any = axis if at is None else int(at) if at >= 0 else axis + rank(params)
    outer, inner = dims[:where], dims[where:][1:]
    full = concat([outer, [-1], inner], 0)
    total, front = size(full), size(outer)
    batch_axes, between = math.range(batch), math.range(batch, front)
    after = math.range(front + 1, total)
    values = reshape(g, full)
    values = transposing.transpose(values, concat([batch_axes, [front], between, after], 0))
    n = dims[where]
    flat = reshape(indices, expand_dims(size(indices), 0))
    if batch:
        lead = shape(values)[:batch]
        rest = shape(values)[batch:][1:]
        flat = reshape(_offset(dims, indices, batch), expand_dims(size(indices), 0))
        rows = math.unsorted_segment_sum(
            reshape(values, concat([[-1], rest], 0)), flat, n * math.reduce_prod(lead, [0])
        )
        summed = reshape(rows, concat([lead, [-1], rest], 0))
    else:
        summed = math.unsorted_segment_sum(values, flat, n)
    back = transposing.transpose(summed, concat([batch_axes, between + 1, [batch], after], 0))
    back.set_shape(params.dims)
    return back


def _offset(dims: Tensor, indices: Tensor, batch: int) -> Tensor:
    """`indices` into params whose batch axes and gathered axis are flattened to one."""
    kind = indices.dtype.base_dtype
    sizes = math.cast(dims, kind)
    step: Any = 1
    for axis in range(batch, 0, -1):
        n = sizes[axis - 1]
        step = sizes[axis] * step
        at = math.range(to_tensor(0, kind), n, to_tensor(1, kind)) * step
        ones = [to_tensor(1, kind)]
        column = stack(ones * (axis - 1) + [n] + ones * (len(indices.dims) - axis))  # type: ignore[arg-type]
        indices = indices + reshape(at, column)  # type: ignore[operator]
    return indices


@dispatched
def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    name: str | None = None,
    axis: Any = None,
    batch_dims: int = 0,
) -> Tensor:
    """Slices of `params` along `axis` (by default the first that is no batch axis) at `indices`.

    [..., n, ...] and [...] -> the shape of `indices` in the place of n. With `batch_dims`, the first axes of both go
    together. Raises InvalidArgumentError in the run for indices out of range.

    >>> run(tf.gather([10, 20, 30], [2, 0]))
    array([30, 10], dtype=int32)
    """
    if axis is None:
        axis = batch_dims
    known = infer.constant_value(axis) if isinstance(axis, Tensor) else axis
    if known is not None and known == 0 and hasattr(params, "sparse_read"):
        return params.sparse_read(indices, name=name)
    return _gather(params, indices, axis, batch_dims=batch_dims, name=name)


@dispatched
def batch_gather(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """Entries of `params` along the last axis of `indices`, all axes before which go together.

    Raises ValueError where the rank of `indices` is not known.

    >>> run(tf.batch_gather([[1, 2], [3, 4]], [[1], [0]]))
    array([[2],
           [3]], dtype=int32)
    """
    with name_scope(name, "BatchGather", [params, indices]):
        indices = to_tensor(indices, None, "indices")
        params = to_tensor(params, None, "params")
        if indices.dims is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        return _batch_gather(params, indices, len(indices.dims) - 1)


def _batch_gather(params: Tensor, indices: Tensor, batch: int) -> Tensor:
    """The batch axes and the gathered one flattened to one, for a plain gather."""
    n = len(indices.dims)  # type: ignore[arg-type]
    if not 0 <= batch < n:
        raise ValueError(f"batch_dims = {batch} must be less than rank(indices) = {n}")
    if params.dims is not None and batch >= len(params.dims):
        raise ValueError(f"batch_dims = {batch} must be less than rank(params) = {len(params.dims)}")
    out_dims, dims = shape(indices), shape(params)
    flat = reshape(_offset(dims, indices, batch) if batch else indices, [-1])
    outer = dims[batch + 1 :]
    count = math.reduce_prod(dims[: batch + 1], [0])
    rows = gather(reshape(params, concat([[count], outer], 0)), flat)
    result = reshape(rows, concat([out_dims, outer], 0))
    if params.dims is not None:
        lead = shapes.merged(indices.dims[:batch], params.dims[:batch])  # type: ignore[index]
        result.set_shape((*lead, *indices.dims[batch:], *params.dims[batch + 1 :]))  # type: ignore[misc,index]
    return result


# -- gather_nd


def _bad_place(indices: Any, dims: Any, what: str) -> Any:
    def message() -> str:
        k = indices.shape[-1]
        wrong = ((indices < 0) | (indices >= np.array(dims[:k]))).any(-1)
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        value, size = (",".join(map(str, v)) for v in (indices[at].tolist(), dims))
        return f"indices{_place(at)} = [{value}] does not index into {what} [{size}]"

    return message


def check_places(indices: Any, dims: Any, what: str) -> None:
    """Every index vector of `indices` [..., k] must lie in the first k axes of `dims`."""
    k = indices.shape[-1]
    limit = np.array(dims[:k], indices.dtype)
    check(xp(indices).all((indices >= 0) & (indices < limit)), _bad_place(indices, dims, what))


@op("GatherNd")
def _gather_nd(params: Tparams, indices: Tindices) -> Tparams:
    """The parts of `params` at the index vectors in the last axis of `indices`."""
    return elements(params, indices)


def elements(params: Any, indices: Any) -> Any:
    """`params[indices[..., 0], indices[..., 1], ...]`, checked."""
    if params.ndim < 1:
        raise ValueError("params must be at least a vector")
    if indices.ndim < 1:
        raise ValueError("indices must be at least a vector")
    k = indices.shape[-1]
    if k > params.ndim:
        raise ValueError(f"index innermost dimension length must be <= params rank; saw: {k} vs. {params.ndim}")
    lead = indices.shape[:-1]
    if _count(lead) and _count(params.shape[:k]) == 0:
        raise ValueError("Requested more than 0 entries, but params is empty.")
    check_places(indices, params.shape, "param shape")
    lib = xp(params, indices)
    if k == 0:
        return lib.broadcast_to(params, lead + params.shape)
    at = tuple(indices[..., i] for i in range(k))
    if not is_traced(params) and not is_traced(indices):
        return params[at]
    return lib.asarray(params).at[at].get(mode="clip")


@_gather_nd.shape_rule
def _(op):
    params, indices = op.inputs
    shapes.of_rank_at_least(params.dims, 1)
    shapes.of_rank_at_least(indices.dims, 1)
    if params.dims is None or indices.dims is None or indices.dims[-1] is None:
        return [None]
    k = indices.dims[-1]
    if k > len(params.dims):
        raise ValueError(f"indices.shape[-1] must be <= params.rank, but saw indices shape: "
                         f"{shapes.text(indices.dims)} and params shape: {shapes.text(params.dims)}")  # fmt: skip
    return [indices.dims[:-1] + params.dims[k:]]


@_gather_nd.grad
def _(op, g):
    params, indices = op.inputs
    dims = shape_internal(params, out_type=indices.dtype.base_dtype)
    if indices.dims is not None and len(indices.dims) == 2 and indices.dims[-1] == 1:
        return IndexedSlices(g, squeeze(indices, axis=-1), dims), None
    return scattering.scatter_nd(indices, g, dims), None


@op("ResourceGatherNd", effect="read", foldable=False)
def resource_gather_nd(resource: Handle(DTYPE), indices: Tindices, *, dtype: DTYPE) -> DTYPE:
    """The parts of a resource variable at the index vectors in the last axis of `indices`."""
    return elements(resource, indices)


@resource_gather_nd.shape_rule
def _(op):
    params, indices = dims_of_handle(op.inputs[0]), op.inputs[1].dims
    shapes.of_rank_at_least(indices, 1)
    if params is None or indices is None or indices[-1] is None:
        return [None]
    return [indices[:-1] + params[indices[-1] :]]


@resource_gather_nd.grad
def _(op, g):
    from thalweg._src.ops.stateful.state import variable_shape

    handle, indices = op.inputs
    dims = variable_shape(handle, out_type=indices.dtype.base_dtype)
    if indices.dims is not None and len(indices.dims) == 2 and indices.dims[-1] == 1:
        return IndexedSlices(g, squeeze(indices, axis=-1), dims), None
    return scattering.scatter_nd(indices, g, dims), None


@dispatched
def gather_nd(params: Any, indices: Any, name: str | None = None, batch_dims: int = 0) -> Tensor:
    """The parts of `params` at the index vectors in the last axis of `indices`: [..., k] -> [..., params.shape[k:]].

    With `batch_dims`, the first axes of both go together. Raises InvalidArgumentError in the run for indices out of
    range.

    >>> run(tf.gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]))
    array([2, 3], dtype=int32)
    """
    known = infer.constant_value(batch_dims) if isinstance(batch_dims, Tensor) else batch_dims
    if known is None or np.size(known) != 1:
        raise TypeError(f"batch_dims must be an int; got {batch_dims!r}")
    if np.ravel(known)[0]:
        return _batch_gather_nd(params, indices, int(np.ravel(known)[0]), name)
    if hasattr(params, "gather_nd"):
        return params.gather_nd(indices, name=name)
    return _gather_nd(params, indices, name=name)


def _batch_gather_nd(params: Any, indices: Any, batch: int, name: str | None) -> Tensor:
    """Puts the place in the batch before every index vector."""
    from thalweg._src.ops.arrays.grids import meshgrid

    with name_scope(name, "BatchGatherND", [params, indices]):
        indices = to_tensor(indices, None, "indices")
        params = to_tensor(params, None, "params")
        if batch < 0:
            raise ValueError("tf.gather_nd does not allow negative batch_dims.")
        for what, t in (("indices", indices), ("params", params)):
            if t.dims is not None and batch >= len(t.dims):
                raise ValueError(f"batch_dims = {batch} must be less than rank({what}) = {len(t.dims)}")
        kind = indices.dtype.base_dtype
        dims, lead = shape(indices), shape(params)[:batch]
        ranges = [math.cast(math.range(0, n), kind) for n in unstack(lead, num=batch)]
        grid = stack(meshgrid(*ranges, indexing="ij"), axis=-1)
        ones = math.ones_like(dims[batch:-1])
        grid = reshape(grid, concat([[-1], ones, [batch]], 0))
        grid = padding.tile(grid, concat([[1], dims[batch:-1], [1]], 0))
        flat = reshape(indices, concat([[math.reduce_prod(lead, [0])], dims[batch:]], 0))
        parts = _gather_nd(params, concat([grid, flat], -1))
        return reshape(parts, concat([lead, shape(parts)[1:]], 0))
