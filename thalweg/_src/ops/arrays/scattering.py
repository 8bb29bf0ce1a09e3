"""Values put at places of a tensor: scatter_nd, and tensors with some entries replaced or added to."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import is_traced
from thalweg._src.core.dtypes import NUMBERS, int32, int64
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.ops.arrays.constants import zeros_like
from thalweg._src.ops.arrays.gathering import check_places, gather_nd
from thalweg._src.ops.basic import identity

T = type_attr("T")
Tindices = type_attr("Tindices", (int32, int64))
ADDED = type_attr("T", (*NUMBERS, bool_))


def scattered(x: Any, indices: Any, updates: Any, how: str) -> Any:
    """`x` with `updates` set at, added to, or subtracted from the places `indices` [..., k]; repeats add up."""
    k = indices.shape[-1]
    if k > x.ndim:
        raise ValueError(f"index innermost dimension length must be <= params rank; saw: {k} vs. {x.ndim}")
    _check_fit(x.shape, indices.shape, updates.shape)
    if x.size == 0:
        if updates.size:
            raise ValueError("Indices and updates specified for empty output tensor")
        return x
    check_places(indices, x.shape, "shape")
    at = tuple(indices[..., i] for i in range(k))
    if is_traced(x) or is_traced(indices) or is_traced(updates):
        place = jnp.asarray(x).at[at]
        if how == "set":
            return place.set(updates, mode="drop")
        if x.dtype == np.bool_:
            return place.max(updates, mode="drop")
        return (place.add if how == "add" else place.subtract)(updates, mode="drop")
    x = np.array(x)
    if how == "set":
        x[at] = updates
    elif x.dtype == np.bool_:
        np.logical_or.at(x, at, updates)
    else:
        (np.add if how == "add" else np.subtract).at(x, at, updates)
    return x


def _check_fit(dims: Any, indices: Any, updates: Any) -> None:
    k, n = indices[-1], len(indices) - 1
    if tuple(updates[:n]) != tuple(indices[:-1]) or tuple(updates[n:]) != tuple(dims[k:]):
        raise ValueError(
            f"Must have updates.shape = indices.shape[:batch_dim] + params_shape[slice_dim:], got updates.shape: "
            f"{list(updates)}, indices.shape: {list(indices)}, params_shape: {list(dims)}"
        )


def _scatter_rule(dims: Any, indices: Any, updates: Any) -> Any:
    """The static checks that all ops of this file share."""
    shapes.of_rank_at_least(indices, 1)
    shapes.of_rank_at_least(updates, 1)
    if shapes.size_of(dims) == 0 and ((shapes.size_of(indices) or 0) > 0 or (shapes.size_of(updates) or 0) > 0):
        raise ValueError("Indices and updates specified for empty output shape")
    if indices is None or updates is None or indices[-1] is None:
        return dims
    n, k = len(indices) - 1, indices[-1]
    try:
        if len(updates) < n:
            raise ValueError(f"Subshape end out of bounds: {n}, for shape with rank {len(updates)}")
        shapes.merged(indices[:-1], updates[:n])
    except ValueError as error:
        raise ValueError(
            f"The outer {n} dimensions of indices.shape={shapes.text(indices)} must match the outer {n} dimensions of "
            f"updates.shape={shapes.text(updates)}: {error}"
        ) from None
    if dims is None:
        return None
    if k > len(dims):
        raise ValueError(f"Subshape start out of bounds: {k}, for shape with rank {len(dims)}")
    try:
        shapes.merged(dims[k:], updates[n:])
    except ValueError as error:
        raise ValueError(
            f"The inner {len(dims) - k} dimensions of output.shape={shapes.text(dims)} must match the inner "
            f"{len(updates) - n} dimensions of updates.shape={shapes.text(updates)}: {error}"
        ) from None
    return dims


@op("ScatterNd")
def scatter_nd(indices: Tindices, updates: T, shape: Static(Tindices)) -> T:
    """Zeros of shape `shape`, with `updates` added at the index vectors in the last axis of `indices`.

    Raises InvalidArgumentError in the run for indices out of range.

    >>> run(tf.scatter_nd([[1], [3], [1]], [5, 6, 7], [4]))
    array([ 0, 12,  0,  6], dtype=int32)
    """
    dims = tuple(int(d) for d in shape)
    if updates.dtype == object:
        zeros: Any = np.full(dims, b"", object)
    else:
        zeros = (jnp if is_traced(updates) or is_traced(indices) else np).zeros(dims, updates.dtype)
    return scattered(zeros, indices, updates, "add")


@scatter_nd.shape_rule
def _(op):
    indices, updates, shape = op.inputs
    shapes.of_rank_at_most(shape.dims, 1)
    return [_scatter_rule(infer.partial_value(shape), indices.dims, updates.dims)]


@scatter_nd.grad
def _(op, g):
    return None, gather_nd(g, op.inputs[0]), None


@op("TensorScatterUpdate")
def tensor_scatter_update(tensor: T, indices: Tindices, updates: T) -> T:
    """`tensor` with `updates` in the place of the parts at the index vectors in the last axis of `indices`.

    >>> run(tf.tensor_scatter_nd_update([1, 2, 3], [[1]], [9]))
    array([1, 9, 3], dtype=int32)
    """
    return scattered(tensor, indices, updates, "set")


@op("TensorScatterAdd")
def tensor_scatter_add(tensor: T, indices: Tindices, updates: T) -> T:
    """`tensor` with `updates` added to the parts at the index vectors in the last axis of `indices`.

    >>> run(tf.tensor_scatter_nd_add([1, 2, 3], [[1], [1]], [9, 9]))
    array([ 1, 20,  3], dtype=int32)
    """
    return scattered(tensor, indices, updates, "add")


@op("TensorScatterSub")
def tensor_scatter_sub(tensor: T, indices: Tindices, updates: T) -> T:
    """`tensor` with `updates` subtracted from the parts at the index vectors in the last axis of `indices`.

    >>> run(tf.tensor_scatter_nd_sub([10, 20, 30], [[1]], [9]))
    array([10, 11, 30], dtype=int32)
    """
    return scattered(tensor, indices, updates, "sub")


@op("ScatterNdNonAliasingAdd")
def scatter_nd_non_aliasing_add(input: ADDED, indices: Tindices, updates: ADDED) -> ADDED:
    """`tensor_scatter_add`, by an older name."""
    return scattered(input, indices, updates, "add")


for _scatter in (tensor_scatter_update, tensor_scatter_add, tensor_scatter_sub, scatter_nd_non_aliasing_add):
    _scatter.shape_rule(lambda op: [_scatter_rule(*(t.dims for t in op.inputs))])


@tensor_scatter_update.grad
def _(op, g):
    _, indices, updates = op.inputs
    mine = gather_nd(g, indices)
    return tensor_scatter_update(identity(g), indices, zeros_like(updates, g.dtype)), None, mine


@scatter_nd_non_aliasing_add.grad
@tensor_scatter_add.grad
def _(op, g):
    return identity(g), None, gather_nd(g, op.inputs[1])


@tensor_scatter_sub.grad
def _(op, g):
    return identity(g), None, -gather_nd(g, op.inputs[1])
