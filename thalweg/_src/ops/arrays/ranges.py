"""Rows of numbers: range and linspace."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer, shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import bfloat16, float32, float64, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import math

I = type_attr("Tidx", (bfloat16, float32, float64, int32, int64), int32)
T = type_attr("T", (bfloat16, float32, float64))
J = type_attr("Tidx", (int32, int64), int32)


def _count(start: Any, limit: Any, delta: Any) -> int:
    if any(np.ndim(v) for v in (start, limit, delta)):
        raise ValueError("start, limit and delta of a range must be scalars")
    if delta == 0:
        raise ValueError("Requires delta != 0")
    if delta > 0 and start > limit:
        raise ValueError(f"Requires start <= limit when delta > 0: {start}/{limit}")
    if delta < 0 and start < limit:
        raise ValueError(f"Requires start >= limit when delta < 0: {start}/{limit}")
    if np.asarray(start).dtype.kind == "i":
        return -((int(start) - int(limit)) // int(delta)) if delta else 0
    dtype = np.asarray(
        start
    ).dtype.type  # the division is rounded to the range's own type: (2 - -2) / 0.01f is 400, and a bit more in doubles
    return int(np.ceil(abs((dtype(limit) - dtype(start)) / dtype(delta))))


@op("Range", numpy_only=True)
def range_op(start: Static(I), limit: Static(I), delta: Static(I)) -> I:
    """start, start + delta, start + 2 delta ... before `limit`."""
    n = _count(start, limit, delta)
    dtype = np.asarray(start).dtype
    if dtype.kind == "i":
        return np.asarray(start) + np.arange(n, dtype=dtype) * delta
    steps = np.full((n,), delta, dtype)  # added one by one, as TensorFlow does: the same roundings
    steps[:1] = start
    return np.add.accumulate(steps)


@range_op.shape_rule
def _(op):
    values = []
    for t in op._inputs:
        if t._dims not in (None, ()):
            raise ValueError(f"Shape must be rank 0 but is rank {len(t._dims)}")
        values.append(infer.constant_value(t))
    if any(v is None for v in values):
        return [_partly(op)]
    return [(_count(*values),)]


def _partly(op) -> Any:
    """The size of a range over integers that are known although not constant: `range(tf.shape(x)[0])`."""
    if not op._inputs[0].dtype.is_integer:
        return (None,)
    known = [infer.partial_scalar(t) for t in op._inputs]
    if any(v is None for v in known):
        return (None,)
    return (_count(*(np.int64(v) for v in known)),)


range_op.not_differentiable()


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> Tensor:
    """The numbers from `start` (0 if one number is given) before `limit`, `delta` apart.

    >>> run(tf.range(3, 18, 3))
    array([ 3,  6,  9, 12, 15], dtype=int32)
    """
    if limit is None:
        start, limit = 0, start
    with name_scope(name, "Range", [start, limit, delta]) as name:
        want = None if dtype is None else dtypes.as_dtype(dtype)
        start = to_tensor(start, want, "start")
        limit = to_tensor(limit, want, "limit")
        delta = to_tensor(delta, want, "delta")
        if want is None:
            widest = max((start, limit, delta), key=lambda t: _WIDTHS.index(t.dtype.base_dtype)).dtype.base_dtype
            start, limit, delta = math.cast(start, widest), math.cast(limit, widest), math.cast(delta, widest)
        return range_op(start, limit, delta, name=name)


_WIDTHS = (int32, int64, float32, float64)


@op("LinSpace", numpy_only=True)
def lin_space(start: T, stop: T, num: Static(J)) -> T:
    """`num` numbers at equal distances from `start` to `stop`, both included."""
    n = int(num)
    if n < 1:
        raise ValueError(f"Requires num > 0: {n}")
    if start.ndim or stop.ndim:
        raise ValueError("start and stop of linspace must be scalars")
    m = xp(start, stop)
    if n == 1:
        return m.reshape(start, (1,))
    step = (stop - start) / np.asarray(n - 1, start.dtype)
    inner = start + step * np.arange(n - 1).astype(start.dtype)
    return m.concatenate([inner, m.reshape(stop, (1,))])


@lin_space.shape_rule
def _(op):
    for t in op.inputs:
        shapes.of_rank(t.dims, 0)
    num = infer.partial_scalar(op.inputs[2])
    if num is not None and num < 1:
        raise ValueError(f"Requires num > 0: {num}")
    return [(num,)]


lin_space.not_differentiable()
