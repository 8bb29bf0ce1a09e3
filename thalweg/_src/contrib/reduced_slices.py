"""Sums, products and extremes over stretches of one axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import array, math


def _reduced(kind: str, reduce: Callable[..., Any], empty: Callable[[np.dtype], Any]) -> Callable[..., Any]:
    """The function for one kind of reduction: `reduce`, and what a stretch without elements gives."""

    def over_slices(data: Any, indices: Any, axis: Any, name: str | None = None) -> Any:
        with name_scope(name, f"ReduceSlice{kind}", [data, indices]):
            data, indices = to_tensor(data, name="data"), to_tensor(indices, name="indices")
            rank = data.get_shape().ndims
            if not rank or indices.get_shape().ndims not in (1, 2):
                raise ValueError(
                    f"reduce_slice_{kind.lower()}: data of rank 1 and more and indices of rank 1 or 2 are wanted; got "
                    f"{data.get_shape()} and {indices.get_shape()}"
                )
            if indices.get_shape().ndims == 1:
                starts, ends = indices[:-1], indices[1:]
            else:
                starts, ends = indices[:, 0], indices[:, 1]
            order = [int(axis), *(i for i in range(rank) if i != int(axis))]
            rows = array.transpose(data, order)
            at = math.range(math.cast(array.shape(rows)[0], indices.dtype))
            inside = math.logical_and(at >= starts[:, None], at < ends[:, None])
            inside = array.reshape(inside, array.concat([array.shape(inside), [1] * (rank - 1)], 0))
            rest = array.zeros_like(rows) + math.cast(empty(data.dtype.as_numpy_dtype), data.dtype)
            wide = [array.shape(starts)[0], *[1] * rank]
            inside = math.logical_and(inside, array.ones_like(rows, dtype="bool"))
            chosen = array.where(inside, array.tile(rows[None], wide), array.tile(rest[None], wide))
            return array.transpose(reduce(chosen, 1), list(np.argsort(order)))

    over_slices.__name__ = over_slices.__qualname__ = f"reduce_slice_{kind.lower()}"
    over_slices.__doc__ = f"""The {kind.lower()} of `data` over each stretch of `axis`.

    `indices` are pairs [first, behind the last], [stretches, 2], or the bounds between neighbours, [stretches + 1]. What reaches
    beyond the axis ends there; a stretch without elements gives the neutral element. ValueError for other ranks.
    """
    return over_slices


def _lowest(dtype: Any) -> Any:
    return -np.inf if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    return np.inf if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max


reduce_slice_sum = _reduced("Sum", lambda x, a: math.reduce_sum(x, a), lambda dtype: 0)
reduce_slice_prod = _reduced("Prod", lambda x, a: math.reduce_prod(x, a), lambda dtype: 1)
reduce_slice_max = _reduced("Max", lambda x, a: math.reduce_max(x, a), _lowest)
reduce_slice_min = _reduced("Min", lambda x, a: math.reduce_min(x, a), _highest)
