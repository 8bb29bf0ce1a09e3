"""Grids of coordinates and repeats of entries: meshgrid, repeat, unravel_index."""

from typing import Any

from thalweg._src.core import shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import ones
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.padding import tile
from thalweg._src.ops.arrays.selecting import boolean_mask, sequence_mask
from thalweg._src.ops.arrays.shaping import expand_dims, rank, reshape, shape, size
from thalweg._src.ops.arrays.stacking import stack
from thalweg._src.ops.late import math


def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """The coordinates of a grid: for vectors of n and m entries two matrices, [m, n], or [n, m] with `indexing="ij"`.

    Raises TypeError for other keywords, ValueError for another `indexing`.

    >>> run(tf.meshgrid([1, 2], [3, 4]))
    [array([[1, 2],
           [1, 2]], dtype=int32), array([[3, 3],
           [4, 4]], dtype=int32)]
    """
    indexing, name = kwargs.pop("indexing", "xy"), kwargs.pop("name", "meshgrid")
    if kwargs:
        raise TypeError(f"'{next(iter(kwargs))}' is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError("indexing parameter must be either 'xy' or 'ij'")
    with name_scope(name, "meshgrid", list(args)):
        n = len(args)
        columns = [reshape(stack(x), (1,) * i + (-1,) + (1,) * (n - i - 1)) for i, x in enumerate(args)]
        counts = [size(x) for x in args]
        kind = to_tensor(args[0]).dtype.base_dtype
        if indexing == "xy" and n > 1:
            columns[0] = reshape(columns[0], (1, -1) + (1,) * (n - 2))
            columns[1] = reshape(columns[1], (-1, 1) + (1,) * (n - 2))
            counts[:2] = counts[1::-1]
        full = ones(counts, kind)
        return [x * full for x in columns]  # type: ignore[operator]


# -- repeat


def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """Each entry along `axis` as often as `repeats` says (one number, or one per entry); by default of the flat input.

    >>> run(tf.repeat([1, 2, 3], [3, 0, 2]))
    array([1, 1, 1, 3, 3], dtype=int32)
    """
    if axis is None:
        input, axis = reshape(input, [-1]), 0
    if not isinstance(axis, int):
        raise TypeError(f"axis must be an int; got {type(axis).__name__}")
    with name_scope(name, "Repeat", [input, repeats]):
        data = to_tensor(input, None, "data")
        repeats = to_tensor(repeats, None, "repeats", preferred=int32)
        if not repeats.dtype.is_integer:
            raise TypeError(f"repeats must be an integer tensor; dtype={repeats.dtype}")
        repeats = math.cast(repeats, int32)
        shapes.of_rank_at_most(repeats.dims, 1)
        data = _at_least_vector(data)
        axis = _positive(axis, None if data.dims is None else len(data.dims))
        dims = shape(data)
        full = [dims[:axis], [-1], dims[axis + 1 :]]
        if repeats.dims == ():
            tiled = _tile_axis(expand_dims(data, axis + 1), axis + 1, repeats)
            return reshape(tiled, concat(full, 0))
        if repeats.dims is not None and data.dims is not None:
            shapes.one_size(repeats.dims[0], data.dims[axis])
        return _repeated(data, repeats, axis, dims, full)


def _repeated(data: Tensor, repeats: Tensor, axis: int, dims: Tensor, full: list[Any]) -> Tensor:
    """Repeats every entry as often as the one with most repeats, and masks the surplus away."""
    from thalweg._src.ops.arrays.shaping import broadcast_to

    if axis > 0:
        repeats = broadcast_to(repeats, dims[: axis + 1])  # type: ignore[index]
    most = math.maximum(0, math.reduce_max(repeats))
    tiled = _tile_axis(expand_dims(data, axis + 1), axis + 1, most)
    result = boolean_mask(tiled, sequence_mask(repeats, most))
    if axis > 0:
        result = reshape(result, concat(full, 0))
    if data.dims is not None:
        result.set_shape((*data.dims[:axis], None, *data.dims[axis + 1 :]))
    return result


def _at_least_vector(data: Tensor) -> Tensor:
    if data.dims is None:
        return reshape(data, concat([[1], shape(data)], 0)[-math.maximum(rank(data), 1) :])
    return reshape(data, [1]) if data.dims == () else data


def _positive(axis: int, n: int | None) -> int:
    if n is None:
        if axis < 0:
            raise ValueError("axis may only be negative if ndims is statically known.")
        return axis
    if not -n <= axis < n:
        raise ValueError(f"axis={axis} out of bounds: expected {-n}<=axis<{n}")
    return axis % n


def _tile_axis(data: Tensor, axis: int, count: Tensor) -> Tensor:
    if data.dims is not None:
        return tile(data, [count if i == axis else 1 for i in range(len(data.dims))])
    each = ones(expand_dims(rank(data), 0), int32)
    return tile(data, concat([each[:axis], [count], each[axis + 1 :]], 0))  # type: ignore[index]


# -- unravel_index


I = type_attr("Tidx", (int32, int64), int32)


@op("UnravelIndex")
def unravel_index(indices: I, dims: I) -> I:
    """The indices along each axis of elements counted flat, of an array of shape `dims`: [n] -> [rank, n].

    >>> run(tf.unravel_index([2, 5, 7], [3, 3]))
    array([[0, 1, 2],
           [2, 2, 1]], dtype=int32)
    """
    lib = xp(indices, dims)
    sizes = lib.concatenate([lib.cumprod(dims[::-1])[::-1], lib.ones(1, dims.dtype)])
    flat = indices.reshape(1, -1)
    out = flat % sizes[:-1, None] // sizes[1:, None]
    return out.reshape(-1) if indices.ndim == 0 else out


@unravel_index.shape_rule
def _(op):
    indices, dims = op.inputs
    n = shapes.of_rank(dims.dims, 1)[0]
    if indices.dims is None:
        return [None]
    return [(n,) if indices.dims == () else (n, shapes.size_of(indices.dims))]


unravel_index.not_differentiable()
