"""Clipping: of values, and of tensors by their norm."""

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import NUMBERS, float32
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant, ones_like
from thalweg._src.ops.basic import identity
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.elementwise import same_shape
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices

N = type_attr("T", NUMBERS)


@op("ClipByValue")
def _clip_by_value(t: N, clip_value_min: N, clip_value_max: N) -> N:
    """`t` cut to the range from `clip_value_min` to `clip_value_max`: scalars, or of the shape of `t`."""
    return jnp.clip(t, clip_value_min, clip_value_max)


_clip_by_value.shape_rule(same_shape)


@_clip_by_value.grad
def _(op, g):
    x, low, high = op.inputs
    sx, sl, sh = (array.shape(t) for t in op.inputs)
    zeros = math.zeros(array.shape(g), g.dtype)
    below, above = math.less(x, low), math.greater(x, high)
    rx, rl = math.broadcast_gradient_args(sx, sl)
    rx, rh = math.broadcast_gradient_args(sx, sh)
    parts = (
        (array.where(math.logical_or(below, above), zeros, g), rx, sx),
        (array.where(below, g, zeros), rl, sl),
        (array.where(above, g, zeros), rh, sh),
    )
    return [array.reshape(math.reduce_sum(part, axes), shape) for part, axes, shape in parts]


def _dense(t: Any, name: str) -> Tensor:
    return to_tensor(t.values if isinstance(t, IndexedSlices) else t, None, name)


def _like(result: Tensor, t: Any) -> Any:
    return IndexedSlices(result, t.indices, t.dense_shape) if isinstance(t, IndexedSlices) else result


@dispatched
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """`t` (a tensor or IndexedSlices) cut to the range from `clip_value_min` to `clip_value_max`.

    Raises ValueError where the bounds would broadcast `t` to another shape.

    >>> run(tf.clip_by_value([-1.0, 0.5, 2.0], 0.0, 1.0))
    array([0. , 0.5, 1. ], dtype=float32)
    """
    with name_scope(name, "clip_by_value", [t, clip_value_min, clip_value_max]) as name:
        values = _dense(t, "t")
        below = math.minimum(values, clip_value_max)
        values.shape.assert_is_compatible_with(below.shape)
        clipped = math.maximum(below, clip_value_min, name=name)
        values.shape.assert_is_compatible_with(clipped.shape)
        return _like(clipped, t)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """`t` scaled down to an L2 norm (over `axes`, or all) of at most `clip_norm`."""
    with name_scope(name, "clip_by_norm", [t, clip_norm]) as name:
        values = _dense(t, "t")
        squares = math.reduce_sum(values * values, axes, keepdims=True)
        positive = squares > 0
        # The root's gradient is infinite at 0; keep it away from there.
        safe = array.where(positive, squares, ones_like(squares))
        norm = array.where(positive, math.sqrt(safe), squares)
        scaled = values * clip_norm
        values.shape.assert_is_compatible_with(scaled.shape)
        return _like(identity(scaled / math.maximum(norm, clip_norm), name=name), t)


def global_norm(t_list: Sequence[Any], name: str | None = None) -> Tensor:
    """The L2 norm of all elements of several tensors (or IndexedSlices) together; None is passed over.

    Raises TypeError where `t_list` is no list.
    """
    t_list = _as_list(t_list)
    with name_scope(name, "global_norm", t_list):
        halves = []
        for v in _values(t_list):
            if v is not None:
                with get_default_graph().colocate_with(v):
                    halves.append(math.l2_loss(v))
        total = math.reduce_sum(array.stack(halves))
        return math.sqrt(total * constant(2.0, dtype=total.dtype), name="global_norm")


def _as_list(t_list: Any) -> list[Any]:
    if not isinstance(t_list, Sequence) or isinstance(t_list, str | bytes):
        raise TypeError("t_list should be a sequence")
    return list(t_list)


def _values(t_list: list[Any]) -> list[Any]:
    return [None if t is None else _dense(t, f"t_{i}") for i, t in enumerate(t_list)]


def clip_by_global_norm(
    t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor]:
    """Tensors scaled down together to a `global_norm` of at most `clip_norm`, and the norm that they had.

    `use_norm` is that norm where you have it already. A norm that is not finite makes all of them NaN.
    """
    t_list = _as_list(t_list)
    if use_norm is None:
        use_norm = global_norm(t_list, name)
    with name_scope(name, "clip_by_global_norm", [*t_list, clip_norm]) as name:
        scale = clip_norm * math.minimum(1.0 / use_norm, constant(1.0, dtype=use_norm.dtype) / clip_norm)
        finite = math.is_finite(use_norm)
        scale = array.where(finite, scale, constant(float("nan"), dtype=use_norm.dtype))
        clipped: list[Any] = []
        for i, v in enumerate(_values(t_list)):
            if v is None:
                clipped.append(None)
                continue
            with get_default_graph().colocate_with(v):
                clipped.append(identity(v * scale, name=f"{name}_{i}"))
        return [_like(c, t) for c, t in zip(clipped, t_list, strict=True)], use_norm


def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Tensor:
    """`t` scaled down to an average L2 norm per element of at most `clip_norm`."""
    with name_scope(name, "clip_by_average_norm", [t, clip_norm]) as name:
        t = to_tensor(t, None, "t")
        count = math.cast(array.size(t), float32)
        inverse = math.rsqrt(math.reduce_sum(t * t, math.range(array.rank(t))))
        return identity(t * clip_norm * math.minimum(inverse * count, constant(1.0) / clip_norm), name=name)
