"""Ops that enlarge a tensor: pad with a value or with its own mirror image, tile."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import check, is_traced, xp
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Enum, Static, op, type_attr
from thalweg._src.ops.arrays.shaping import rank, reshape, shape_internal, size
from thalweg._src.ops.late import joining, math, slicing, stacking, transposing
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices

T = type_attr("T")
INTS = (int32, int64)
P = type_attr("Tpaddings", INTS, int32)
MODE = Enum("REFLECT", "SYMMETRIC")


# -- pad


def _pairs(paddings: Any, x_rank: int) -> list[tuple[int, int]]:
    if np.ndim(paddings) != 2 or np.shape(paddings)[1] != 2:
        raise ValueError(f"paddings must be a matrix with 2 columns: {shapes.text(np.shape(paddings))}")
    if len(paddings) != x_rank:
        raise ValueError(
            f"The first dimension of paddings must be the rank of inputs{shapes.text(np.shape(paddings))} [rank {x_rank}]"
        )
    return [(int(a), int(b)) for a, b in paddings]


def _padded(x: Any, paddings: Any, value: Any) -> Any:
    pairs = _pairs(paddings, x.ndim)
    if any(n < 0 for pair in pairs for n in pair):
        raise ValueError(f"Paddings must be non-negative: {pairs}")
    if not is_traced(x) and not is_traced(value):
        out = np.full([n + a + b for n, (a, b) in zip(x.shape, pairs, strict=True)], value, x.dtype)
        out[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, pairs, strict=True))] = x
        return out
    return lax.pad(x, jnp.asarray(value, x.dtype), [(a, b, 0) for a, b in pairs])


@op("Pad")
def _pad(input: T, paddings: Static(P)) -> T:
    """`input` with `paddings[i, 0]` zeros before and `paddings[i, 1]` after it along axis i."""
    zero = b"" if input.dtype == object else np.zeros((), input.dtype)
    return _padded(input, paddings, zero)


@op("PadV2")
def _pad_value(input: T, paddings: Static(P), constant_values: T) -> T:
    """As Pad, with copies of the scalar `constant_values`."""
    return _padded(input, paddings, constant_values)


def _padded_rule(op):
    x, paddings = op.inputs[:2]
    n, two = shapes.of_rank(paddings.dims, 2)
    shapes.one_size(two, 2)
    if n is not None and x.dims is not None and len(x.dims) != n:
        raise ValueError(f"Shape must be rank {n} but is rank {len(x.dims)}")
    dims = x.dims if x.dims is not None else None if n is None else (None,) * n
    if dims is None:
        return [None]
    value = infer.constant_value(paddings)
    if value is None:
        return [_partly_padded(dims, paddings)]
    out = []
    for i, (d, (a, b)) in enumerate(zip(dims, value.tolist(), strict=True)):
        if a < 0 or b < 0:
            raise ValueError(f"Paddings must be non-negative for dimension {i}: {a}, {b}")
        out.append(None if d is None else d + a + b)
    return [tuple(out)]


def _partly_padded(dims, paddings):
    """The sizes along axes whose paddings are constants, where a list holds constants and tensors."""
    rows = paddings.op.inputs if paddings.op.type == "Pack" and paddings.op.attrs["axis"] == 0 else ()
    if len(rows) != len(dims):
        return (None,) * len(dims)
    known = [infer.constant_value(r) for r in rows]
    return tuple(None if d is None or k is None else d + int(k.sum()) for d, k in zip(dims, known, strict=True))


def _inside(op, g):
    """The part of `g` that is not padding."""
    x, paddings = op.inputs[:2]
    before = slicing.slice(paddings, [0, 0], stacking.stack([rank(x), 1]))
    return slicing.slice(g, reshape(before, [-1]), shape_internal(x))


@_pad.grad
def _(op, g):
    return _inside(op, g), None


@_pad_value.grad
def _(op, g):
    return _inside(op, g), None, None


@op("MirrorPad")
def _mirror_pad(input: T, paddings: Static(P), *, mode: MODE) -> T:
    """`input` with its mirror image around it; REFLECT leaves the edge out, SYMMETRIC has it twice."""
    pairs = _pairs(paddings, input.ndim)
    edge = int(mode == "REFLECT")
    for n, (a, b) in zip(input.shape, pairs, strict=True):
        check(a >= 0 and b >= 0, f"paddings must be non-negative: {a} {b}")
        how = ("less than", "not less than") if edge else ("no greater than", "greater than")
        check(max(a, b) <= n - edge, f"paddings must be {how[0]} the dimension size: {a}, {b} {how[1]} {n}")
    return xp(input).pad(input, pairs, mode=mode.lower())


for _p in (_pad, _pad_value, _mirror_pad):
    _p.shape_rule(_padded_rule)


@op("MirrorPadGrad")
def mirror_pad_grad(input: T, paddings: Static(P), *, mode: MODE) -> T:
    """The gradient of MirrorPad: the mirror images, folded back and added up."""
    pairs = _pairs(paddings, input.ndim)
    edge = int(mode == "REFLECT")
    lib = xp(input)
    for axis, (a, b) in enumerate(pairs):
        n = input.shape[axis] - a - b
        part = lambda lo, hi: input[(slice(None),) * axis + (slice(lo, hi),)]
        middle = part(a, a + n)
        for count, where, at in ((a, part(0, a), edge), (b, part(a + n, a + n + b), n - edge - b)):
            if count:
                widths = [(0, 0)] * input.ndim
                widths[axis] = (at, n - at - count)
                middle = middle + lib.pad(lib.flip(where, axis), widths)
        input = middle
    return input


@mirror_pad_grad.shape_rule
def _(op):
    x, paddings = op.inputs
    n, _ = shapes.of_rank(paddings.dims, 2)
    value = infer.constant_value(paddings)
    if x.dims is None or value is None:
        rank = n if x.dims is None else len(x.dims)
        return [None if rank is None else (None,) * rank]
    shapes.one_size(n, len(x.dims))
    return [tuple(None if d is None else d - int(p.sum()) for d, p in zip(x.dims, value, strict=True))]


@_mirror_pad.grad
def _(op, g):
    return mirror_pad_grad(g, op.inputs[1], mode=op.attrs["mode"]), None


@mirror_pad_grad.grad
def _(op, g):
    return _mirror_pad(g, op.inputs[1], mode=op.attrs["mode"]), None


def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0
) -> Tensor:
    """`tensor` with `paddings[i, 0]` entries before and `paddings[i, 1]` after it along each axis i.

    `mode`: CONSTANT (of `constant_values`), REFLECT (the mirror image without the edge) or SYMMETRIC (with it). Raises
    ValueError for another mode.

    >>> run(tf.pad([1, 2], [[1, 2]]))
    array([0, 1, 2, 0, 0], dtype=int32)
    """
    mode = mode.upper()
    if mode == "CONSTANT":
        if not isinstance(constant_values, Tensor) and np.isscalar(constant_values) and constant_values == 0:
            return _pad(tensor, paddings, name=name)
        return _pad_value(tensor, paddings, constant_values, name=name)
    if mode not in ("REFLECT", "SYMMETRIC"):
        raise ValueError(f"Unknown padding mode: {mode}")
    return _mirror_pad(tensor, paddings, mode=mode, name=name)


# -- tile


@op("Tile")
def tile(input: T, multiples: Static(type_attr("Tmultiples", INTS, int32))) -> T:
    """`input` repeated `multiples[i]` times along axis i.

    >>> run(tf.tile([1, 2], [3]))
    array([1, 2, 1, 2, 1, 2], dtype=int32)
    """
    times = [int(m) for m in np.asarray(multiples).ravel()]
    if np.ndim(multiples) != 1 or len(times) != input.ndim:
        raise ValueError(
            f"Expected multiples argument to be a vector of length {input.ndim} but got length {len(times)}"
        )
    for i, m in enumerate(times):
        if m < 0:
            raise ValueError(f"Expected multiples[{i}] >= 0, but got {m}")
    return xp(input).tile(input, times)


@tile.shape_rule
def _(op):
    x, multiples = op.inputs
    n = shapes.of_rank(multiples.dims, 1)[0]
    times = infer.partial_ints(multiples)
    if n is None and times is not None:
        n = len(times)
    dims = x.dims if n is None else shapes.of_rank(x.dims, n)
    if dims is None:
        return [None]
    if times is None:
        return [(None,) * len(dims)]
    return [tuple(_times(d, m) for d, m in zip(dims, times, strict=True))]


def _times(a, b):
    return 0 if 0 in (a, b) else None if a is None or b is None else a * b


@tile.grad
def _(op, g):
    """Sums over the repeats: [2, 3] tiled by [4, 5] is [4, 2, 5, 3], summed over axes 0 and 2."""
    x, multiples = op.inputs
    dims = shape_internal(x, out_type=multiples.dtype.base_dtype)
    split = reshape(transposing.transpose(stacking.stack([multiples, dims])), [-1])
    axes = math.range(0, size(split), 2)
    if isinstance(g, IndexedSlices):  # rows of repeats fold back to rows of the input
        n = math.cast(dims[0], g.indices.dtype.base_dtype)
        g = math.unsorted_segment_sum(g.values, math.floormod(g.indices, n), n)
        split = joining.concat([[1], split[1:]], 0)
    back = math.reduce_sum(reshape(g, split), axes)
    back.set_shape(x.dims)
    return back, None
