"""Places in sorted rows: searchsorted."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.apply import is_traced
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.ops.arrays.shaping import reshape, shape_internal

T = type_attr("T")
OUT = type_attr("out_type", (int32, int64), int32)


def _found(rows: Any, values: Any, side: str) -> Any:
    if rows.ndim != 2 or values.ndim != 2:
        raise ValueError("sorted_inputs and values must be matrices")
    if rows.shape[0] != values.shape[0]:
        raise ValueError("Leading dim_size of both tensors must match.")
    if not is_traced(rows) and not is_traced(values):
        found = [np.searchsorted(r, v, side=side) for r, v in zip(rows, values, strict=True)]
        return np.array(found, np.int64).reshape(values.shape)
    return jax.vmap(lambda r, v: jnp.searchsorted(r, v, side=side))(jnp.asarray(rows), jnp.asarray(values))


@op("LowerBound")
def _lower_bound(sorted_inputs: T, values: T, *, out_type: OUT = int32) -> OUT:
    """Per row, how many entries of `sorted_inputs` are less than each value."""
    return _found(sorted_inputs, values, "left")


@op("UpperBound")
def _upper_bound(sorted_inputs: T, values: T, *, out_type: OUT = int32) -> OUT:
    """Per row, how many entries of `sorted_inputs` are less than or equal to each value."""
    return _found(sorted_inputs, values, "right")


def _like_values(op):
    for t in op.inputs:
        shapes.of_rank(t.dims, 2)
    return [op.inputs[1].dims]


for _bound in (_lower_bound, _upper_bound):
    _bound.shape_rule(_like_values)
    _bound.not_differentiable()


def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = int32, name: str | None = None
) -> Tensor:
    """Where each of `values` would go in `sorted_sequence`, whose last axis is sorted: [..., n], [..., m] -> [..., m].

    `side`: before ("left") or behind ("right") equal entries. Raises ValueError for another side.

    >>> run(tf.searchsorted([1, 3, 5], [3, 4]))
    array([1, 2], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ValueError(f"side must be either 'right' or 'left'.  Saw: {side}.")
    rows, values = to_tensor(sorted_sequence), to_tensor(values)
    row_length, count = shape_internal(rows)[-1], shape_internal(values)[-1]
    bound = _upper_bound if side == "right" else _lower_bound
    flat = bound(
        reshape(rows, [-1, row_length]), reshape(values, [-1, count]), out_type=dtypes.as_dtype(out_type), name=name
    )
    return reshape(flat, shape_internal(values))
