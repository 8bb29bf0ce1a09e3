"""Scans: sums and products of all elements so far, along an axis."""

from typing import Any

from thalweg._src.core.apply import xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import NUMBERS, float16, float32, float64, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.elementwise import same_shape

N = type_attr("T", NUMBERS)
F = type_attr("T", (float16, float32, float64))
I = type_attr("Tidx", (int32, int64), int32)


def _scan(f: Any, x: Any, axis: Any, exclusive: bool, reverse: bool, empty: Any) -> Any:
    """`f(x, axis)` from the front or the back; `exclusive`: each place gets what came before it, the first `empty`."""
    if axis.ndim:
        raise ValueError(f"ScanOp: axis must be a scalar, not {list(axis.shape)}")
    axis = int(axis)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"ScanOp: Expected scan axis in the range [{-x.ndim}, {x.ndim}), but got {axis}")
    axis %= x.ndim
    m = xp(x)
    if reverse:
        x = m.flip(x, axis)
    if exclusive and x.shape[axis]:
        before = m.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), empty, x.dtype)
        x = m.concatenate([before, x[(slice(None),) * axis + (slice(None, -1),)]], axis)
    y = f(m, x, axis)
    return m.flip(y, axis) if reverse else y


@op("Cumsum", numpy_only=True)
def _cumsum(x: N, axis: Static(I), *, exclusive: bool = False, reverse: bool = False) -> N:
    """The sums of all elements up to each, along an axis."""
    return _scan(lambda m, x, axis: m.cumsum(x, axis, dtype=x.dtype), x, axis, exclusive, reverse, 0)


@op("Cumprod", numpy_only=True)
def _cumprod(x: N, axis: Static(I), *, exclusive: bool = False, reverse: bool = False) -> N:
    """The products of all elements up to each, along an axis."""
    return _scan(lambda m, x, axis: m.cumprod(x, axis, dtype=x.dtype), x, axis, exclusive, reverse, 1)


@op("CumulativeLogsumexp")
def _cumulative_logsumexp(x: F, axis: Static(I), *, exclusive: bool = False, reverse: bool = False) -> F:
    """log(sum(exp(x))) of all elements up to each, along an axis."""
    lowest = jnp.finfo(x.dtype).min
    return _scan(lambda m, x, axis: lax.cumlogsumexp(jnp.asarray(x), axis), x, axis, exclusive, reverse, lowest)


for _f in (_cumsum, _cumprod, _cumulative_logsumexp):
    _f.shape_rule(same_shape)


def cumsum(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """The sums of all elements up to each, along `axis`.

    `exclusive` leaves the element itself out, `reverse` starts at the end.

    >>> run(tf.cumsum([1, 2, 3], exclusive=True))
    array([0, 1, 3], dtype=int32)
    """
    with name_scope(name, "Cumsum", [x]) as name:
        return _cumsum(to_tensor(x, None, "x"), axis, exclusive=exclusive, reverse=reverse, name=name)


def cumprod(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """The products of all elements up to each, along `axis`, with the options of `cumsum`."""
    with name_scope(name, "Cumprod", [x]) as name:
        return _cumprod(to_tensor(x, None, "x"), axis, exclusive=exclusive, reverse=reverse, name=name)


def cumulative_logsumexp(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """log(sum(exp(x))) of all elements up to each, along `axis`, with the options of `cumsum`, without overflow."""
    with name_scope(name, "CumulativeLogsumexp", [x]) as name:
        return _cumulative_logsumexp(to_tensor(x, None, "x"), axis, exclusive=exclusive, reverse=reverse, name=name)


@_cumsum.grad
def _(op, g):
    flags = op.attrs
    return cumsum(g, op.inputs[1], exclusive=flags["exclusive"], reverse=not flags["reverse"]), None


@_cumprod.grad  # not defined where x is 0, as in TensorFlow
def _(op, g):
    x, axis = op.inputs
    exclusive, reverse = op.attrs["exclusive"], op.attrs["reverse"]
    product = cumprod(x, axis, exclusive=exclusive, reverse=reverse)
    total = cumsum(product * g, axis, exclusive=exclusive, reverse=not reverse)
    return total / x, None


@_cumulative_logsumexp.grad  # in logarithms, the positive and the negative gradients apart
def _(op, g):
    x, axis = op.inputs
    y = op.outputs[0]
    exclusive, reverse = op.attrs["exclusive"], op.attrs["reverse"]

    def part(log_g):
        total = cumulative_logsumexp(log_g - y, axis=axis, reverse=not reverse, exclusive=exclusive)
        return math.exp(total + x)

    lowest = g.dtype.min
    positive = array.where_v2(math.greater(g, 0), math.log(g), lowest)
    negative = array.where_v2(math.less(g, 0), math.log(-g), lowest)
    return part(positive) - part(negative), None
