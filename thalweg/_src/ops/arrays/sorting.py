"""Sorting along an axis."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.ops import math
from thalweg._src.ops.arrays import constants, joining, shaping, topk, transposing


def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """`values` in order along `axis`; `direction` may be 'DESCENDING'. Raises ValueError for another direction or an unknown axis.

    >>> run(tf.sort([3.0, 1.0, 2.0]))
    array([1., 2., 3.], dtype=float32)
    """
    with scopes.name_scope(name, "sort"):
        return _ordered(values, axis, direction, indices=False)


def argsort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Tensor:
    """The positions that put `values` in order along `axis`; equal values keep their order."""
    with scopes.name_scope(name, "argsort"):
        return _ordered(values, axis, direction, indices=True)


def _ordered(values: Any, axis: Any, direction: str, *, indices: bool) -> Tensor:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"{direction} should be one of ASCENDING, DESCENDING")
    axis = to_tensor(axis, name="axis")
    known = infer.constant_value(axis)
    if axis.shape.ndims != 0 or known is None:
        raise ValueError("axis must be a constant scalar")
    values = to_tensor(values, name="values")
    if direction == "DESCENDING":
        return _descending(values, int(known), indices)
    result = _descending(-values, int(known), indices)
    return result if indices else -result


def _descending(values: Tensor, axis: int, indices: bool) -> Tensor:
    k = shaping.shape(values)[axis]
    rank, known = shaping.rank(values), values.shape.ndims
    if axis == -1 or axis + 1 == known:
        return topk.top_k(values, k)[1 if indices else 0]
    swap: Any
    if known is not None:
        order = np.arange(known)
        order[[axis, -1]] = order[[-1, axis]]
        swap = constants.constant(order, name="transposition")
    else:
        at = axis + rank if axis < 0 else axis
        swap = joining.concat([math.range(at), [rank - 1], math.range(at + 1, rank - 1), [at]], axis=0)
    # The last axis and `axis` change places, twice.
    found = topk.top_k(transposing.transpose(values, swap), k)[1 if indices else 0]
    return transposing.transpose(found, swap)
