"""Updates of rows of variables: scatter_add and its kin, scatter_nd_*, and the gather of a resource variable."""

from typing import Any

import numpy as np

from thalweg._src.core import errors, shapes
from thalweg._src.core.apply import check, xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import NUMBERS, bfloat16, float16, float32, float64, int32, int64
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Handle, Ref, op, type_attr
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices
from thalweg._src.ops.stateful.handles import dims_of_handle

T = type_attr("T")
N = type_attr("T", NUMBERS)
dtype_attr = type_attr("dtype")
number_dtype = type_attr("dtype", NUMBERS)
Tindices = type_attr("Tindices", (int32, int64))


def _rows(ref, indices, updates):
    """The updates with the shape indices.shape + ref.shape[1:], a scalar spread out; the indices are checked."""
    check((indices >= 0).all() & (indices < ref.shape[0]).all(), lambda: _outside(indices, ref.shape[0]))
    return xp(ref, indices, updates).broadcast_to(updates, (*indices.shape, *ref.shape[1:]))


def _outside(indices, n):
    flat = np.asarray(indices)
    at = np.argwhere((flat < 0) | (flat >= n))[0]
    return f"indices{at.tolist()} = {flat[tuple(at)]} is not in [0, {n})"


def _replace(ref, indices, updates):
    # The last update of a row wins, as where updates are made one after the other.
    flat = indices.reshape(-1)
    rows = updates.reshape(flat.size, *ref.shape[1:])
    order = jnp.arange(flat.size)
    last = jnp.full((ref.shape[0],), -1).at[flat].max(order)
    chosen = rows[jnp.maximum(last, 0)] if flat.size else jnp.zeros((1, *ref.shape[1:]), ref.dtype)
    mask = (last >= 0).reshape(-1, *[1] * (ref.ndim - 1))
    return jnp.where(mask, chosen, ref)


def _divide(ref, indices, updates):
    return ref / jnp.ones_like(ref).at[indices].multiply(updates)


_COMBINE = {
    "Update": _replace,
    "Add": lambda ref, i, u: ref.at[i].add(u),
    "Sub": lambda ref, i, u: ref.at[i].add(-u),
    "Mul": lambda ref, i, u: ref.at[i].multiply(u),
    "Div": _divide,
    "Min": lambda ref, i, u: ref.at[i].min(u),
    "Max": lambda ref, i, u: ref.at[i].max(u),
}


_IN_PLACE = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Min": np.minimum,
    "Max": np.maximum,
}


def _combined(kind, ref, indices, updates):
    """`ref` with the rows at `indices` combined with `updates`: on NumPy arrays, where nothing is traced, without compiling."""
    rows = _rows(ref, indices, updates)
    exact = ref.dtype.kind == "f" or (ref.dtype.kind in "iu" and kind != "Div")
    if not exact or not all(isinstance(v, np.ndarray) for v in (ref, indices, rows)):
        return _COMBINE[kind](jnp.asarray(ref), indices, rows)
    out = ref.copy()
    if kind == "Update":
        out[indices] = rows
    else:
        _IN_PLACE[kind].at(out, indices, rows)
    return out


def _check_update_shape(op, ref, indices, updates):
    if ref is None or indices is None or updates is None or updates == ():
        return
    if len(ref) < 1:
        raise ValueError(f"Shape must be at least rank 1 but is rank 0 for '{op.name}' (op: '{op.type}')")
    if shapes.merge(updates, indices + ref[1:]) is False:
        raise ValueError(
            f"Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], got updates.shape "
            f"{shapes.text(updates)}, indices.shape {shapes.text(indices)}, params.shape {shapes.text(ref)}"
        )


def _ref_rule(op):
    ref, indices, updates = op.inputs
    _check_update_shape(op, ref.dims, indices.dims, updates.dims)
    return [ref.dims]


def _handle_rule(op):
    handle, indices, updates = op.inputs
    _check_update_shape(op, dims_of_handle(handle), indices.dims, updates.dims)


def _declare(kind, element):
    handle_type = dtype_attr if kind == "Update" else number_dtype

    def scatter(ref: Ref(element), indices: Tindices, updates: element, *, use_locking: bool = kind == "Update") -> Ref(
        element
    ):
        return _combined(kind, ref, indices, updates)

    def resource(resource: Handle(handle_type), indices: Tindices, updates: handle_type, *, dtype: handle_type):
        return _combined(kind, resource, indices, updates)

    by_ref = op("Scatter" + kind, effect="write", stateful=False)(scatter)
    by_ref.not_differentiable()
    by_handle = op("ResourceScatter" + kind, effect="write")(resource)
    by_ref.shape_rule(_ref_rule)
    by_handle.shape_rule(_handle_rule)
    return by_ref, by_handle


_UPDATE = _declare("Update", T)
_ADD = _declare("Add", N)
_SUB = _declare("Sub", N)
_MUL = _declare("Mul", N)
_DIV = _declare("Div", N)
_ORDERED = type_attr("T", (float16, bfloat16, float32, float64, int32, int64))
_MIN = _declare("Min", _ORDERED)
_MAX = _declare("Max", _ORDERED)


def _scatter(pair, ref, indices, updates, use_locking, name):
    """Add the op for a reference or for a resource variable; gives the variable after it."""
    handle = getattr(ref, "handle", None)
    if isinstance(handle, Tensor):
        done = pair[1](handle, indices, to_tensor(updates, ref.dtype.base_dtype), dtype=ref.dtype.base_dtype, name=name)
        return ref._lazy_read(done)
    tensor = ref._ref() if hasattr(ref, "_ref") and not isinstance(ref, Tensor) else ref
    return pair[0](tensor, indices, updates, use_locking=use_locking, name=name)


def scatter_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None) -> Any:
    """Replace the rows `indices` of the variable by `updates` (indices.shape + ref.shape[1:], or a scalar).

    Of several updates of one row the last wins. An index out of range raises InvalidArgumentError.
    """
    return _scatter(_UPDATE, ref, indices, updates, use_locking, name)


def scatter_add(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Add `updates` to the rows `indices` of the variable; repeated rows add up."""
    return _scatter(_ADD, ref, indices, updates, use_locking, name)


def resource_scatter_add(variable: Any, indices: Any, updates: Any) -> Operation:
    """The operation that adds `updates` to the rows `indices` of a resource variable; nothing reads it afterwards."""
    return _ADD[1](variable.handle, indices, updates, dtype=variable.dtype.base_dtype)


def scatter_sub(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Subtract `updates` from the rows `indices` of the variable."""
    return _scatter(_SUB, ref, indices, updates, use_locking, name)


def scatter_mul(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Multiply the rows `indices` of the variable by `updates`."""
    return _scatter(_MUL, ref, indices, updates, use_locking, name)


def scatter_div(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Divide the rows `indices` of the variable by `updates`."""
    return _scatter(_DIV, ref, indices, updates, use_locking, name)


def scatter_min(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Put the minimum of the rows `indices` of the variable and `updates` there."""
    return _scatter(_MIN, ref, indices, updates, use_locking, name)


def scatter_max(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Put the maximum of the rows `indices` of the variable and `updates` there."""
    return _scatter(_MAX, ref, indices, updates, use_locking, name)


def batch_scatter_update(
    ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None
) -> Any:
    """`scatter_update` in each of a batch: `indices` [batch..., n] choose rows along the axis behind the batch."""
    from thalweg._src.core import scopes
    from thalweg._src.ops.arrays.joining import stack
    from thalweg._src.ops.late import array, math

    with scopes.name_scope(name):
        indices = to_tensor(indices, None, "indices")
        shape = array.shape(indices)
        count = indices.shape.ndims - 1
        parts = [math.range(shape[i]) for i in range(count)]
        wide = [
            array.reshape(math.cast(p, indices.dtype), [-1 if j == i else 1 for j in range(count + 1)])
            for i, p in enumerate(parts)
        ]
        full = [w + indices * 0 for w in wide] + [indices]
        return scatter_nd_update(ref, stack(full, axis=-1), updates, use_locking, name)


# -- scatter_nd


def _nd_check(ref, indices):
    if not ref.shape:
        raise errors.InvalidArgumentError(None, None, "Output must be at least 1-D, got shape: []")
    depth = indices.shape[-1]
    if depth > len(ref.shape):
        raise errors.InvalidArgumentError(
            None,
            None,
            f"The innermost dimension of indices, {depth}, must be <= the rank of the variable, {len(ref.shape)}",
        )
    bound = np.array(ref.shape[:depth], np.int64)
    ok = ((indices >= 0) & (indices < bound)).all() if indices.size else np.bool_(True)
    check(ok, lambda: _nd_outside(np.asarray(indices), bound, ref.shape))
    return tuple(xp(indices).moveaxis(indices, -1, 0))


def _nd_outside(indices, bound, shape):
    flat = indices.reshape(-1, indices.shape[-1])
    at = int(np.argwhere(((flat < 0) | (flat >= bound)).any(-1))[0][0])
    where = "" if indices.ndim == 1 else str([int(i) for i in np.unravel_index(at, indices.shape[:-1])])
    return f"indices{where} = {flat[at].tolist()} does not index into shape {list(shape)}"


def _nd_replace(ref, index, updates):
    return ref.at[index].set(updates)


_ND = {
    "Update": _nd_replace,
    "Add": lambda ref, i, u: ref.at[i].add(u),
    "Sub": lambda ref, i, u: ref.at[i].add(-u),
}


def _nd_dims(op, ref, indices, updates):
    for dims in (indices, updates):
        if dims == ():
            raise ValueError(f"Shape must be at least rank 1 but is rank 0 for '{op.name}' (op: '{op.type}')")
    if ref is None or indices is None or updates is None or indices[-1] is None:
        return
    depth = indices[-1]
    if shapes.merge(updates, indices[:-1] + ref[depth:]) is False:
        outer = len(indices) - 1
        part = "outer" if shapes.merge(updates[:outer], indices[:-1]) is False else "inner"
        count = outer if part == "outer" else len(ref[depth:])
        raise ValueError(
            f"The {part} {count} dimensions of {'indices' if part == 'outer' else 'input'}.shape="
            f"{shapes.text(indices if part == 'outer' else ref)} must match the {part} {count} dimensions of "
            f"updates.shape={shapes.text(updates)}: indices {shapes.text(indices)} into shape "
            f"{shapes.text(ref)} want {shapes.text(indices[:-1] + ref[depth:])}, for '{op.name}' (op: '{op.type}')"
        )


def _nd_ref_rule(op):
    ref, indices, updates = op.inputs
    _nd_dims(op, ref.dims, indices.dims, updates.dims)
    return [ref.dims]


def _nd_handle_rule(op):
    handle, indices, updates = op.inputs
    _nd_dims(op, dims_of_handle(handle), indices.dims, updates.dims)


def _declare_nd(kind, element):
    combine = _ND[kind]

    def scatter(ref: Ref(element), indices: Tindices, updates: element, *, use_locking: bool = kind == "Update") -> Ref(
        element
    ):
        return combine(jnp.asarray(ref), _nd_check(ref, indices), updates)

    def resource(ref: Handle(T), indices: Tindices, updates: T, *, use_locking: bool = True):
        return combine(jnp.asarray(ref), _nd_check(ref, indices), updates)

    by_ref = op("ScatterNd" + kind, effect="write", stateful=False)(scatter)
    by_ref.not_differentiable()
    by_handle = op("ResourceScatterNd" + kind, effect="write")(resource)
    by_ref.shape_rule(_nd_ref_rule)
    by_handle.shape_rule(_nd_handle_rule)
    return by_ref, by_handle


_ND_UPDATE = _declare_nd("Update", T)
_ND_ADD = _declare_nd("Add", N)
_ND_SUB = _declare_nd("Sub", N)


def _scatter_nd(pair, ref, indices, updates, use_locking, name):
    handle = getattr(ref, "handle", None)
    if isinstance(handle, Tensor):
        done = pair[1](handle, indices, to_tensor(updates, ref.dtype.base_dtype), name=name)
        return ref._lazy_read(done)
    tensor = ref._ref() if hasattr(ref, "_ref") and not isinstance(ref, Tensor) else ref
    return pair[0](tensor, indices, updates, use_locking=use_locking, name=name)


def scatter_nd_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None) -> Any:
    """Put `updates` at `indices` [..., depth] of the variable. An index out of range raises InvalidArgumentError."""
    return _scatter_nd(_ND_UPDATE, ref, indices, updates, use_locking, name)


def scatter_nd_add(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Add `updates` at `indices` of the variable; repeated places add up."""
    return _scatter_nd(_ND_ADD, ref, indices, updates, use_locking, name)


def scatter_nd_sub(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Subtract `updates` at `indices` of the variable."""
    return _scatter_nd(_ND_SUB, ref, indices, updates, use_locking, name)


# -- reading rows of a resource variable


@op("ResourceGather", effect="read", foldable=False)
def resource_gather(
    resource: Handle(dtype_attr),
    indices: Tindices,
    *,
    batch_dims: int = 0,
    validate_indices: bool = True,
    dtype: dtype_attr,
) -> dtype_attr:
    """The rows `indices` of a resource variable."""
    n = resource.shape[batch_dims]
    check(((indices >= 0) & (indices < n)).all(), lambda: _outside(indices, n))
    if batch_dims == 0:
        return jnp.take(resource, indices, axis=0, mode="clip")
    from thalweg._src.core.lazy import jax

    gather = lambda p, i: jnp.take(p, i, axis=0, mode="clip")
    for _ in range(batch_dims):
        gather = jax.vmap(gather)
    return gather(resource, indices)


@resource_gather.shape_rule
def _(op):
    dims, indices = dims_of_handle(op.inputs[0]), op.inputs[1].dims
    batch = op.attrs["batch_dims"]
    if dims is None or indices is None:
        return [None]
    return [dims[:batch] + indices[batch:] + dims[batch + 1 :]]


@resource_gather.grad
def _(op, g):
    from thalweg._src.ops.arrays.joining import concat
    from thalweg._src.ops.late import array, math
    from thalweg._src.ops.stateful import state

    handle, indices = op.inputs
    shape = state.variable_shape(handle)
    size = array.expand_dims(array.size(indices), 0)
    values = array.reshape(g, concat([size, shape[1:]], 0))
    return IndexedSlices(values, array.reshape(indices, math.cast(size, int32)), shape), None
