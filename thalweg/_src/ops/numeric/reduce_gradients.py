"""The gradients of reductions."""

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.dtypes import int32
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.reduce import (
    _max,
    _mean,
    _min,
    _prod,
    normal_axes,
    reduce_prod,
    reduce_sum,
    reduce_sum_op,
    reduced_shape,
)


def _tiles(input_shape: Tensor, kept: Tensor) -> Tensor:
    return input_shape // math.maximum(kept, 1)


def _spread(op, g):
    """`g` in the shape of the op's input: every element that was summed gets what the sum gets."""
    x, axes = op.inputs
    dims = x._dims
    known = infer.constant_value(axes) if dims is not None else None
    if known is not None:
        if np.array_equal(known, np.arange(len(dims))):
            g = array.reshape(g, [1] * len(dims))
            full = constant(np.array(dims, np.int32)) if None not in dims else array.shape(x)
            return array.tile(g, full)
        if None not in dims:
            gone = set(normal_axes(known, len(dims)))
            g = array.reshape(g, [1 if i in gone else d for i, d in enumerate(dims)])
            return array.tile(g, [d if i in gone else 1 for i, d in enumerate(dims)])
    full = array.shape(x)
    kept = reduced_shape(full, axes)
    tiles = _tiles(full, kept)
    return array.tile(array.reshape(g, kept), tiles)


@reduce_sum_op.grad
def _(op, g):
    return _spread(op, g), None


@_mean.grad  # dx = g / count
def _(op, g):
    dx = _spread(op, g)
    a, b = op.inputs[0]._dims, op.outputs[0]._dims
    if shapes.size_of(a) is not None and shapes.size_of(b) is not None:
        count = constant(shapes.size_of(a) // max(shapes.size_of(b), 1), dtype=dx.dtype)
    else:
        sizes = (reduce_prod(array.shape(op.inputs[0])), reduce_prod(array.shape(op.outputs[0])))
        count = sizes[0] // math.maximum(sizes[1], 1)
    return math.truediv(dx, math.cast(count, dx.dtype)), None


def _best_grad(op, g):
    """Equals share the gradient."""
    x, axes = op.inputs
    kept = reduced_shape(array.shape(x), axes)
    y = array.reshape(op.outputs[0], kept)
    g = array.reshape(g, kept)
    wins = math.cast(math.equal(y, x), g.dtype)
    count = array.reshape(reduce_sum(wins, axes), kept)
    return math.divide(wins, count) * g, None


_max.grad(_best_grad)
_min.grad(_best_grad)


@_prod.grad  # dx = g times the product of all others, so that zeros do no harm
def _(op, g):
    x, axes = op.inputs
    full = array.shape(x)
    axes = array.reshape(axes, [-1])
    kept = reduced_shape(full, op.inputs[1])
    tiles = _tiles(full, kept)
    g = array.tile(array.reshape(g, kept), tiles)
    with get_default_graph().device("/cpu:0"):
        rank = array.rank(x)
        axes = (axes + rank) % rank
        reduced = math.cast(axes, int32)
        other, _ = array.setdiff1d(math.range(0, rank), reduced)
        order = array.concat([reduced, other], 0)
        inner = reduce_prod(array.gather(full, reduced))
        outer = reduce_prod(array.gather(full, other))
    moved = array.transpose(x, order)
    moved_shape = array.shape(moved)
    flat = array.reshape(moved, (inner, outer))
    left = math.cumprod(flat, axis=0, exclusive=True)
    right = math.cumprod(flat, axis=0, exclusive=True, reverse=True)
    others = array.reshape(math.conj(left) * math.conj(right), moved_shape)
    dx = g * array.transpose(others, array.invert_permutation(order))
    return array.reshape(dx, full), None
