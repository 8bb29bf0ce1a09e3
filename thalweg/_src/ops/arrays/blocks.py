"""Blocks of space moved to the batch or to the depth, and back: space_to_batch, batch_to_space, space_to_depth ..."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Enum, Min, Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.arrays.constants import zeros
from thalweg._src.ops.arrays.stacking import stack

T = type_attr("T")
INTS = (int32, int64)
BLOCK = type_attr("Tblock_shape", INTS, int32)
PADDINGS = type_attr("Tpaddings", INTS, int32)
CROPS = type_attr("Tcrops", INTS, int32)
INT = type_attr("Tidx", INTS, int32)


# -- batch


def _to_batch(x: Any, block: Any, paddings: Any) -> Any:
    block, paddings = np.asarray(block).tolist(), np.asarray(paddings).tolist()
    m = len(block)
    if x.ndim < m + 1:
        raise ValueError(f"input rank should be >= {m + 1} instead of {x.ndim}")
    if any(b < 1 for b in block):
        raise ValueError(f"block_shape must be positive, got {block}")
    if any(p < 0 for pair in paddings for p in pair):
        raise ValueError("Paddings must be non-negative")
    lib = xp(x)
    x = lib.pad(x, [(0, 0), *[tuple(p) for p in paddings], *[(0, 0)] * (x.ndim - m - 1)])
    batch, space, rest = x.shape[0], x.shape[1 : m + 1], x.shape[m + 1 :]
    for n, b in zip(space, block, strict=True):
        if n % b:
            raise ValueError(
                f"padded_shape[{space.index(n)}]={n} is not divisible by block_shape[{block.index(b)}]={b}"
            )
    parts = [n for s, b in zip(space, block, strict=True) for n in (s // b, b)]
    x = x.reshape(batch, *parts, *rest)
    order = [2 * i + 2 for i in range(m)] + [0] + [2 * i + 1 for i in range(m)]
    x = x.transpose([*order, *range(2 * m + 1, x.ndim)])
    return x.reshape(batch * int(np.prod(block, dtype=np.int64)), *parts[::2], *rest)


def _from_batch(x: Any, block: Any, crops: Any) -> Any:
    block, crops = np.asarray(block).tolist(), np.asarray(crops).tolist()
    m = len(block)
    if x.ndim < m + 1:
        raise ValueError(f"input rank should be >= {m + 1} instead of {x.ndim}")
    if any(b < 1 for b in block):
        raise ValueError(f"block_shape must be positive, got {block}")
    if any(c < 0 for pair in crops for c in pair):
        raise ValueError("Crops must be non-negative")
    many = int(np.prod(block, dtype=np.int64))
    if x.shape[0] % many:
        raise ValueError(f"Input batch dimension ({x.shape[0]}) is not divisible by product of block sizes ({many})")
    batch, space, rest = x.shape[0] // many, x.shape[1 : m + 1], x.shape[m + 1 :]
    x = x.reshape(*block, batch, *space, *rest)
    order = [m] + [axis for i in range(m) for axis in (m + 1 + i, i)]
    x = x.transpose([*order, *range(2 * m + 1, x.ndim)])
    x = x.reshape(batch, *[s * b for s, b in zip(space, block, strict=True)], *rest)
    for n, (a, b) in zip(x.shape[1:], crops, strict=False):
        if a + b > n:
            raise ValueError(f"cropped_shape is negative: {n} - {a} - {b}")
    return x[(slice(None), *[slice(a, n - b) for n, (a, b) in zip(x.shape[1:], crops, strict=False)])]


@op("SpaceToBatchND")
def space_to_batch_nd(input: T, block_shape: Static(BLOCK), paddings: Static(PADDINGS)) -> T:
    """The padded spatial axes cut into blocks, whose entries go to the batch.

    [batch, spatial..., ...] -> [batch * prod(block_shape), (spatial + paddings) / block_shape ..., ...]. Sizes with their
    paddings must be multiples of the block's.
    """
    return _to_batch(input, block_shape, paddings)


@op("SpaceToBatch")
def _space_to_batch(input: T, paddings: Static(PADDINGS), *, block_size: Min(int, 2)) -> T:
    """SpaceToBatchND of square blocks of images."""
    return _to_batch(input, [block_size] * 2, paddings)


@op("BatchToSpaceND")
def batch_to_space_nd(input: T, block_shape: Static(BLOCK), crops: Static(CROPS)) -> T:
    """The inverse of `space_to_batch_nd`: entries of the batch become blocks of space, and `crops` are cut off."""
    return _from_batch(input, block_shape, crops)


@op("BatchToSpace")
def _batch_to_space(input: T, crops: Static(INT), *, block_size: Min(int, 2)) -> T:
    """BatchToSpaceND of square blocks of images."""
    return _from_batch(input, [block_size] * 2, crops)


def _block_dims(x: Any, block: Any, m: int, edges: Tensor, what: str, resize: Any, rebatch: Any) -> Any:
    shapes.of_rank_at_least(x, m + 1)
    shapes.merged(edges.dims, (m, 2))
    pairs = infer.constant_value(edges)
    if pairs is not None and (pairs < 0).any():
        raise ValueError(f"{what} cannot be negative")
    if block is not None and any(b < 1 for b in block):
        raise ValueError("block_shape must be positive")
    if x is None:
        return None
    known = block is not None and pairs is not None
    many = None if block is None else int(np.prod(block, dtype=np.int64))
    batch = x[0] if m == 0 else None if x[0] is None or many is None else rebatch(x[0], many)
    space = [
        None if n is None or not known else resize(n, block[i], *pairs[i].tolist()) for i, n in enumerate(x[1 : m + 1])
    ]
    return (batch, *space, *x[m + 1 :])


def _divided(n: int, by: int) -> int:
    if n % by:
        raise ValueError(f"Dimension size must be evenly divisible by {by} but is {n}")
    return n // by


def _cropped(n: int, block: int, before: int, after: int) -> int:
    n *= block
    for crop in (before, after):
        if crop > n:
            raise ValueError(f"Negative dimension size caused by subtracting {crop} from {n}")
        n -= crop
    return n


def _rule(x: Any, block: Any, m: int, edges: Tensor, *, to_batch: bool) -> Any:
    if to_batch:
        return _block_dims(
            x, block, m, edges, "paddings", lambda n, b, p, q: _divided(n + p + q, b), lambda n, by: n * by
        )
    return _block_dims(x, block, m, edges, "crops", _cropped, _divided)


def _nd_rule(op, *, to_batch):
    x, block, edges = op.inputs
    if block.dims is None or len(block.dims) != 1:
        raise ValueError("block_shape must have rank 1.")
    if block.dims[0] is None:
        raise ValueError("block_shape must have known size.")
    value = infer.constant_value(block)
    return [_rule(x.dims, None if value is None else value.tolist(), block.dims[0], edges, to_batch=to_batch)]


space_to_batch_nd.shape_rule(lambda op: _nd_rule(op, to_batch=True))
batch_to_space_nd.shape_rule(lambda op: _nd_rule(op, to_batch=False))


def _square_rule(op, *, to_batch):
    dims = shapes.of_rank(op.inputs[0].dims, 4)
    return [_rule(dims, [op.attrs["block_size"]] * 2, 2, op.inputs[1], to_batch=to_batch)]


_space_to_batch.shape_rule(lambda op: _square_rule(op, to_batch=True))
_batch_to_space.shape_rule(lambda op: _square_rule(op, to_batch=False))


@space_to_batch_nd.grad
def _(op, g):
    return batch_to_space_nd(g, op.inputs[1], op.inputs[2]), None, None


@batch_to_space_nd.grad
def _(op, g):
    return space_to_batch_nd(g, op.inputs[1], op.inputs[2]), None, None


@_space_to_batch.grad
def _(op, g):
    return _batch_to_space(g, op.inputs[1], block_size=op.attrs["block_size"]), None


@_batch_to_space.grad
def _(op, g):
    return _space_to_batch(g, op.inputs[1], block_size=op.attrs["block_size"]), None


def space_to_batch(
    input: Any, paddings: Any, block_size: Any = None, name: str | None = None, block_shape: Any = None
) -> Tensor:
    """Blocks of `block_size` x `block_size` pixels of padded images [batch, height, width, depth] go to the batch."""
    n = renamed("block_shape", block_shape, "block_size", block_size)
    return _of_rank_4(space_to_batch_nd(input, np.array([n, n], np.int64), paddings, name=name))


def batch_to_space(
    input: Any, crops: Any, block_size: Any = None, name: str | None = None, block_shape: Any = None
) -> Tensor:
    """The inverse of `space_to_batch`; `crops` are cut off the result."""
    n = renamed("block_shape", block_shape, "block_size", block_size)
    return _of_rank_4(batch_to_space_nd(input, np.array([n, n], np.int64), crops, name=name))


def _of_rank_4(t: Tensor) -> Tensor:
    t.set_shape(t.get_shape().with_rank(4))
    return t


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """(paddings, crops) that make `space_to_batch_nd` fit: `input_shape` with `base_paddings` becomes a multiple.

    All are about the spatial axes alone. Raises ValueError for a block shape of unknown length.
    """
    with name_scope(name, "required_space_to_batch_paddings", [input_shape, block_shape]):
        sizes: Any = to_tensor(input_shape, int32, "input_shape")
        block: Any = to_tensor(block_shape, int32, "block_shape")
        block.get_shape().assert_is_fully_defined()
        block.get_shape().assert_has_rank(1)
        m = block.dims[0]
        if m == 0:
            return zeros([0, 2], int32), zeros([0, 2], int32)
        sizes.get_shape().assert_is_compatible_with([m])
        base: Any = zeros([m, 2], int32) if base_paddings is None else to_tensor(base_paddings, int32, "base_paddings")
        base.get_shape().assert_is_compatible_with([m, 2])
        known = [infer.constant_value(t) for t in (sizes, block, base)]
        if all(k is not None for k in known):
            sizes, block, base = known
        before, after = base[:, 0], base[:, 1]
        extra = (block - (sizes + before + after) % block) % block
        after = after + extra
        paddings = stack([[before[i], after[i]] for i in range(m)], name="paddings")
        return paddings, stack([[0, extra[i]] for i in range(m)], name="crops")


# -- depth

FORMAT = Enum("NHWC", "NCHW", "NCHW_VECT_C")


def _channels_last(x: Any, data_format: str) -> tuple[Any, Any]:
    """`x` as NHWC, and the way back."""
    if data_format == "NHWC":
        return x, lambda y: y
    if data_format == "NCHW":
        return x.transpose(0, 2, 3, 1), lambda y: y.transpose(0, 3, 1, 2)
    n, c, h, w, four = x.shape
    flat = x.transpose(0, 2, 3, 1, 4).reshape(n, h, w, c * four)
    return flat, lambda y: y.reshape(*y.shape[:3], -1, four).transpose(0, 3, 1, 2, 4)


@op("SpaceToDepth")
def _space_to_depth(input: T, *, block_size: Min(int, 2), data_format: FORMAT = "NHWC") -> T:
    """Blocks of pixels moved to the depth."""
    x, back = _channels_last(input, data_format)
    n, h, w, c = x.shape
    b = block_size
    x = x.reshape(n, h // b, b, w // b, b, c).transpose(0, 1, 3, 2, 4, 5)
    return back(x.reshape(n, h // b, w // b, b * b * c))


@op("DepthToSpace")
def _depth_to_space(input: T, *, block_size: Min(int, 2), data_format: FORMAT = "NHWC") -> T:
    """Depth moved to blocks of pixels."""
    x, back = _channels_last(input, data_format)
    n, h, w, c = x.shape
    b = block_size
    x = x.reshape(n, h, w, b, b, c // (b * b)).transpose(0, 1, 3, 2, 4, 5)
    return back(x.reshape(n, h * b, w * b, c // (b * b)))


_AXES = {"NHWC": (1, 2, 3), "NCHW": (2, 3, 1), "NCHW_VECT_C": (2, 3, 1)}


def _depth_rule(op, space, depth):
    layout = op.attrs["data_format"]
    dims = list(shapes.of_rank(op.inputs[0].dims, 5 if layout == "NCHW_VECT_C" else 4))
    h, w, c = _AXES[layout]
    b = op.attrs["block_size"]
    for axis, f, by in ((h, space, b), (w, space, b), (c, depth, b * b)):
        dims[axis] = None if dims[axis] is None else f(dims[axis], by)
    return [tuple(dims)]


def _times(n: int, by: int) -> int:
    return n * by


_space_to_depth.shape_rule(lambda op: _depth_rule(op, _divided, _times))
_depth_to_space.shape_rule(lambda op: _depth_rule(op, _times, _divided))


def _like(op):
    return {k: op.attrs[k] for k in ("block_size", "data_format")}


@_space_to_depth.grad
def _(op, g):
    return _depth_to_space(g, **_like(op))


@_depth_to_space.grad
def _(op, g):
    return _space_to_depth(g, **_like(op))


def space_to_depth(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:
    """Blocks of pixels moved to the depth: [n, h, w, c] -> [n, h / b, w / b, b * b * c].

    Raises ValueError where the block size b doesn't divide height and width.
    """
    return _space_to_depth(input, block_size=block_size, data_format=data_format, name=name)


def depth_to_space(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:
    """The inverse of `space_to_depth`: [n, h, w, b * b * c] -> [n, h * b, w * b, c]."""
    return _depth_to_space(input, block_size=block_size, data_format=data_format, name=name)
