"""Fractional pools, whose windows are random runs of rows and columns (Graham, 2014, "Fractional max-pooling").

On the host: where the windows lie is known only when they are drawn.
"""

import math
import secrets

import numpy as np

from thalweg._src.core import infer, philox
from thalweg._src.core.dtypes import float32, float64, int32, int64
from thalweg._src.core.opdef import Min, Outputs, op, type_attr

T = type_attr("T", (float32, float64, int32, int64))
POOLED = Outputs(output=T, row_pooling_sequence=int64, col_pooling_sequence=int64)


def _edges(size, count, stream, pseudo_random):
    """The first row of each of `count` windows over `size` rows, and the end of the last."""
    if pseudo_random:
        alpha, k = size / count, size // count
        most = min((k + 2) / alpha - 1, (size + 1 - k) / alpha - (count - 1))
        low, high = stream.words(2)
        man = (int(low & 0xFFFFF) << 32) | int(high)
        u = (np.uint64(man | 0x3FF0000000000000).view(np.float64) - 1.0) * most
        stops = [1, *(math.ceil(alpha * (i + u)) for i in range(1, count)), size + 1]
        lengths = np.diff(stops)
        used = 1
    else:
        lengths = [size // count + (i < size % count) for i in range(count)]
        words = stream.words(max(count, 1)).astype(np.int64)
        for i in range(count - 1):  # Fisher and Yates
            j = i + int(words[i]) % (count - i)
            lengths[i], lengths[j] = lengths[j], lengths[i]
        used = -(-count // 4)
    stream.reserve(used, 1)
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _drawn(shape, ratio, pseudo_random, deterministic, seed, seed2):
    """The edges of rows and of columns."""
    if len(shape) != 4:
        raise ValueError("tensor_in must be 4-dimensional")
    if ratio[0] != 1 or ratio[3] != 1:
        raise NotImplementedError("Fractional pooling is not yet supported on the batch nor channel dimension.")
    if not deterministic and (seed or seed2):
        raise ValueError("Both seed and seed2 should be 0 if deterministic is false.")
    if seed == seed2 == 0:
        seed, seed2 = secrets.randbits(63), secrets.randbits(63)
    state, out = philox.initial_state(seed, seed2), []
    for size, by in zip(shape[1:3], ratio[1:3], strict=True):
        stream = philox.Stream(state)
        out.append(_edges(size, math.floor(size / by), stream, pseudo_random))
        state = stream.finish()
    return out


def _cells(edges, size, overlapping):
    """(start, stop) of each window along one axis."""
    return [(a, min(b + overlapping, size)) for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]


def _pooled(x, rows, columns, overlapping, combine):
    x = np.stack([combine(x[:, a:b], 1) for a, b in _cells(rows, x.shape[1], overlapping)], 1)
    return np.stack([combine(x[:, :, a:b], 2) for a, b in _cells(columns, x.shape[2], overlapping)], 2)


@op("FractionalMaxPool", host=True, foldable=False)
def _max_pool(
    value: T,
    *,
    pooling_ratio: Min(list[float], 4),
    pseudo_random: bool = False,
    overlapping: bool = False,
    deterministic: bool = False,
    seed: int = 0,
    seed2: int = 0,
) -> POOLED:
    """The maximum of every window, and where the windows begin."""
    rows, columns = _drawn(value.shape, pooling_ratio, pseudo_random, deterministic, seed, seed2)
    return _pooled(value, rows, columns, overlapping, np.max), rows, columns


@op("FractionalAvgPool", host=True, foldable=False)
def _avg_pool(
    value: T,
    *,
    pooling_ratio: Min(list[float], 4),
    pseudo_random: bool = False,
    overlapping: bool = False,
    deterministic: bool = False,
    seed: int = 0,
    seed2: int = 0,
) -> POOLED:
    """The mean of every window, and where the windows begin."""
    rows, columns = _drawn(value.shape, pooling_ratio, pseudo_random, deterministic, seed, seed2)
    total = _pooled(value, rows, columns, overlapping, np.sum)
    count = _counts(value.shape, rows, columns, overlapping)
    mean = total // count if value.dtype.kind == "i" else total / count.astype(value.dtype)
    return mean.astype(value.dtype), rows, columns


def _counts(shape, rows, columns, overlapping):
    sizes = [
        np.array([b - a for a, b in _cells(edges, n, overlapping)])
        for edges, n in zip((rows, columns), shape[1:3], strict=True)
    ]
    return (sizes[0][:, None] * sizes[1])[:, :, None]


@op("FractionalMaxPoolGrad", host=True)
def fractional_max_pool_grad(
    orig_input: T,
    orig_output: T,
    out_backprop: T,
    row_pooling_sequence: int64,
    col_pooling_sequence: int64,
    *,
    overlapping: bool = False,
) -> T:
    """`out_backprop` at the first maximum of its window."""
    out = np.zeros_like(orig_input)
    n, _, width, depth = orig_input.shape
    b, c = np.arange(n)[:, None], np.arange(depth)
    columns = _cells(col_pooling_sequence, width, overlapping)
    for i, (top, bottom) in enumerate(_cells(row_pooling_sequence, orig_input.shape[1], overlapping)):
        for j, (left, right) in enumerate(columns):
            window = orig_input[:, top:bottom, left:right].reshape(n, -1, depth)
            at = np.argmax(window, 1)
            row, column = top + at // (right - left), left + at % (right - left)
            np.add.at(out, (b, row, column, c), out_backprop[:, i, j])
    return out


@op("FractionalAvgPoolGrad", host=True)
def fractional_avg_pool_grad(
    orig_input_tensor_shape: int64,
    out_backprop: T,
    row_pooling_sequence: int64,
    col_pooling_sequence: int64,
    *,
    overlapping: bool = False,
) -> T:
    """`out_backprop` divided among the elements of its window."""
    shape = tuple(orig_input_tensor_shape.tolist())
    out = np.zeros(shape, np.float64)
    share = out_backprop / _counts(shape, row_pooling_sequence, col_pooling_sequence, overlapping)
    columns = _cells(col_pooling_sequence, shape[2], overlapping)
    for i, (top, bottom) in enumerate(_cells(row_pooling_sequence, shape[1], overlapping)):
        for j, (left, right) in enumerate(columns):
            out[:, top:bottom, left:right] += share[:, i : i + 1, j : j + 1]
    return out.astype(out_backprop.dtype)


def _dims(op):
    dims, ratio = op.inputs[0].dims, op.attrs["pooling_ratio"]
    if dims is not None and len(dims) != 4:
        raise ValueError(f"Shape must be rank 4 but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    if len(ratio) != 4:
        raise ValueError("pooling_ratio field must specify 4 dimensions")
    dims = dims or (None,) * 4
    sizes = [None if n is None else math.floor(n / by) for n, by in zip(dims, ratio, strict=True)]
    if any(n is not None and n < 1 for n in sizes[1:3]):
        raise ValueError(f"FractionalPool computed output size would be negative: {sizes} for '{op.name}'")
    edges = [(None if n is None else n + 1,) for n in sizes[1:3]]
    return [tuple(sizes), *edges]


_max_pool.shape_rule(_dims)
_avg_pool.shape_rule(_dims)
fractional_max_pool_grad.shape_rule(lambda op: [op.inputs[0].dims or (None,) * 4])


@fractional_avg_pool_grad.shape_rule
def _(op):
    return [infer.partial_value(op.inputs[0]) or (None,) * 4]


@_max_pool.grad
def _(op, g, *_):
    y, rows, columns = op.outputs
    return fractional_max_pool_grad(op.inputs[0], y, g, rows, columns, overlapping=op.attrs["overlapping"])


@_avg_pool.grad
def _(op, g, *_):
    from thalweg._src.ops.late import array

    _, rows, columns = op.outputs
    shape = array.shape(op.inputs[0], out_type=int64)
    return fractional_avg_pool_grad(shape, g, rows, columns, overlapping=op.attrs["overlapping"])


def fractional_max_pool(
    value,
    pooling_ratio,
    pseudo_random=False,
    overlapping=False,
    deterministic=False,
    seed=0,
    seed2=0,
    name=None,
):
    """(output, rows, columns): the maximum of random windows, so that height and width shrink by `pooling_ratio`.

    `pooling_ratio`: four floats, the first and last of them one. Raises ValueError where the output would be empty.
    """
    return _max_pool(
        value,
        pooling_ratio=pooling_ratio,
        pseudo_random=pseudo_random,
        overlapping=overlapping,
        deterministic=deterministic,
        seed=seed,
        seed2=seed2,
        name=name,
    )


def fractional_avg_pool(
    value,
    pooling_ratio,
    pseudo_random=False,
    overlapping=False,
    deterministic=False,
    seed=0,
    seed2=0,
    name=None,
):
    """(output, rows, columns): the mean of random windows, so that height and width shrink by `pooling_ratio`."""
    return _avg_pool(
        value,
        pooling_ratio=pooling_ratio,
        pseudo_random=pseudo_random,
        overlapping=overlapping,
        deterministic=deterministic,
        seed=seed,
        seed2=seed2,
        name=name,
    )
