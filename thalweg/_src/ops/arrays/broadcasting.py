"""Two operands of different shapes: the shape of their result, and how a gradient goes back to each."""

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.opdef import Outputs, Static, op, type_attr
from thalweg._src.ops.late import array, math

I = type_attr("T", (dtypes.int32, dtypes.int64), dtypes.int32)


def broadcast_rule(op):
    """The shape rule of ops on two tensors. Raises ValueError where the shapes don't fit."""
    a, b = op._inputs[0]._dims, op._inputs[1]._dims
    dims = shapes.broadcast(a, b)
    if dims is False:
        raise ValueError(misfit(op, a, b))
    return [dims]


def misfit(op, a: Any, b: Any) -> str:
    pairs = reversed(
        list(zip(reversed(a), reversed(b), strict=False))
    )  # the first axis that does not fit, as TensorFlow
    x, y = next((x, y) for x, y in pairs if None not in (x, y) and x != y and 1 not in (x, y))
    return (
        f"Dimensions must be equal, but are {x} and {y} for '{op.name}' (op: '{op.type}') "
        f"with input shapes: {shapes.text(a)}, {shapes.text(b)}."
    )


def reduction_axes(s0: Any, s1: Any) -> tuple[list[int], list[int]]:
    """The axes over which gradients of the broadcast of shapes `s0` and `s1` are summed, for each of them.

    Where both are 1 either has the axis, as TensorFlow has it: the sum over one element changes nothing.
    """
    rank = max(len(s0), len(s1))
    a = [1] * (rank - len(s0)) + [int(d) for d in s0]
    b = [1] * (rank - len(s1)) + [int(d) for d in s1]
    if a == b:
        return [], []
    return [i for i, d in enumerate(a) if d == 1], [i for i, d in enumerate(b) if d == 1]


@op("BroadcastGradientArgs", numpy_only=True)
def broadcast_gradient_args(s0: Static(I), s1: Static(I)) -> Outputs(r0=I, r1=I):
    """The axes to sum over, for gradients of each of two tensors of shapes `s0` and `s1`. Two vectors."""
    for a, b in zip(reversed(s0), reversed(s1), strict=False):
        if a != b and 1 not in (a, b):
            raise ValueError(f"Incompatible shapes: {list(map(int, s0))} vs. {list(map(int, s1))}")
    r0, r1 = reduction_axes(s0, s1)
    return np.array(r0, s0.dtype), np.array(r1, s0.dtype)


@broadcast_gradient_args.shape_rule
def _(op):
    for t in op.inputs:
        if t.dims is not None and len(t.dims) != 1:
            raise ValueError(f"Shape must be rank 1 but is rank {len(t.dims)} for '{op.name}' (op: '{op.type}')")
    return [(None,), (None,)]


broadcast_gradient_args.not_differentiable()

Back = Callable[[Tensor], Tensor]


def back_to(x: Tensor, y: Tensor) -> tuple[Back, Back]:
    """For each of two operands, the function that sums a gradient of the result to that operand's shape.

    The shapes are taken when the graph runs: Shape, BroadcastGradientArgs, Sum and Reshape nodes.
    """
    return summed_to(array.shape(x), array.shape(y))


def summed_to(sx: Tensor, sy: Tensor) -> tuple[Back, Back]:
    """As `back_to`, for operands of the shapes `sx` and `sy`."""
    rx, ry = broadcast_gradient_args(sx, sy)
    return (
        lambda g: array.reshape(math.reduce_sum(g, rx), sx),
        lambda g: array.reshape(math.reduce_sum(g, ry), sy),
    )


def back_to_known(x: Tensor, y: Tensor, g: Any) -> tuple[Back, Back]:
    """As `back_to`, but where both shapes are known there are only the nodes that are needed."""
    a, b = x._dims, y._dims
    if a is None or b is None or None in a or None in b:
        return summed_to(array.shape_internal(x, optimize=False), array.shape_internal(y, optimize=False))
    rx, ry = reduction_axes(a, b)
    return _to_known(a, rx, g), _to_known(b, ry, g)


def _to_known(dims: Any, axes: list[int], g: Any) -> Back:
    if isinstance(g, Tensor) and dims == g._dims:  # IndexedSlices become a tensor by being summed
        return lambda g: g
    return lambda g: array.reshape(math.reduce_sum(g, axes), dims)


def all_equal(x: Tensor, y: Tensor, g: Any) -> bool:
    """Whether operands and gradient have one and the same, fully known shape."""
    dims = x._dims
    return isinstance(g, Tensor) and dims is not None and None not in dims and dims == y._dims == g._dims


def after(g: Any) -> Any:
    """What is made in the block waits for the gradient `g`, as in TensorFlow, which so holds less in memory."""
    return get_default_graph().control_dependencies([g])
