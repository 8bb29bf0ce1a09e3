"""Rows of a tensor replaced or added to. TensorFlow overwrites its memory; here the result is another tensor, and the first one stays."""

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.ops.arrays.scattering import scattered
from thalweg._src.ops.arrays.shaping import expand_dims, reshape, shape
from thalweg._src.ops.late import math

T = type_attr("T")


def _rows_changed(x: Any, i: Any, v: Any, how: str) -> Any:
    return scattered(x, (i % x.shape[0])[:, None], v, how)


@op("InplaceUpdate")
def inplace_update(x: T, i: int32, v: T) -> T:
    """`x` with its rows `i` replaced by those of `v`."""
    return _rows_changed(x, i, v, "set")


@op("InplaceAdd")
def inplace_add(x: T, i: int32, v: T) -> T:
    """`x` with the rows of `v` added to its rows `i`."""
    return _rows_changed(x, i, v, "add")


@op("InplaceSub")
def inplace_sub(x: T, i: int32, v: T) -> T:
    """`x` with the rows of `v` subtracted from its rows `i`."""
    return _rows_changed(x, i, v, "subtract")


for _change in (inplace_update, inplace_add, inplace_sub):
    _change.shape_rule(lambda op: [op.inputs[0].dims])
    _change.not_differentiable()


@op("DeepCopy", stateful=True)
def deep_copy(x: T) -> T:
    """`x`, as an array of its own."""
    return x


@op("Empty", stateful=True)
def empty(shape: Static(int32), *, dtype: type_attr("dtype"), init: bool = False) -> type_attr("dtype"):
    """A tensor of any values, to be filled; with `init`, and here always, of zeros."""
    return np.zeros(shape, dtype._as_numpy)


deep_copy.shape_rule(lambda op: [op.inputs[0].dims])
empty.shape_rule(lambda op: [infer.partial_value(op.inputs[0])])
deep_copy.not_differentiable()
empty.not_differentiable()


def _alias(change: Callable[..., Any], x: Any, i: Any, v: Any) -> Tensor:
    x = to_tensor(x)
    v = to_tensor(v, x.dtype.base_dtype)
    if i is None:
        return reshape(change(reshape(x, [1, -1]), [0], reshape(v, [1, -1])), shape(x))
    i = math.cast(i, int32)
    if i.dims == ():
        return change(x, reshape(i, [1]), expand_dims(v, 0))
    return change(x, i, v)


def alias_inplace_update(x: Any, i: Any, v: Any) -> Tensor:
    """`x` with row `i`, rows `i`, or (for None) all of it replaced by `v`."""
    return _alias(inplace_update, x, i, v)


def alias_inplace_add(x: Any, i: Any, v: Any) -> Tensor:
    """`x` with `v` added to row `i`, rows `i`, or (for None) to all of it."""
    return _alias(inplace_add, x, i, v)


def alias_inplace_sub(x: Any, i: Any, v: Any) -> Tensor:
    """`x` with `v` subtracted from row `i`, rows `i`, or (for None) from all of it."""
    return _alias(inplace_sub, x, i, v)
