"""Weighted sums of a few entries along one axis, where indices and weights are known while tracing.

A "tap" is an index with a weight: output i is the sum over k of weights[i, k] * x[indices[i, k]].
"""

from typing import Any

import numpy as np

from thalweg._src.core.lazy import jnp, lax

UNROLLED = 12  # with more taps a matrix product is faster than that many gathers


def gathered(x: Any, axis: int, indices: np.ndarray) -> Any:
    """The entries of `x` at `indices` along `axis`: a slice or nothing where that is the same."""
    n = len(indices)
    if n == x.shape[axis] and np.array_equal(indices, np.arange(n)):
        return x
    step = int(indices[1] - indices[0]) if n > 1 else 1
    if step > 0 and np.array_equal(indices, indices[0] + step * np.arange(n)):
        return lax.slice_in_dim(jnp.asarray(x), int(indices[0]), int(indices[-1]) + 1, step, axis)
    repeats = n // x.shape[axis]
    if repeats > 1 and np.array_equal(indices, np.repeat(np.arange(x.shape[axis]), repeats)):
        return jnp.repeat(jnp.asarray(x), repeats, axis)  # a broadcast, where a gather would copy pixel by pixel
    return jnp.take(x, indices, axis=axis, mode="clip")


def mixed(x: Any, axis: int, indices: np.ndarray, weights: np.ndarray) -> Any:
    """The sums along `axis`, in the dtype of `x`."""
    n, taps = indices.shape
    if taps > UNROLLED:
        return _product(x, axis, matrix(indices, weights, x.shape[axis]))
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]
    total = None
    for k in range(taps):
        w = weights[:, k].astype(x.dtype)
        if not w.any():
            continue
        part = gathered(x, axis, indices[:, k])
        part = part if (w == 1).all() else part * w.reshape(shape)
        if not w.all():  # what has no weight has no part, an infinity too
            part = jnp.where((w != 0).reshape(shape), part, jnp.zeros((), x.dtype))
        total = part if total is None else total + part
    if total is None:
        return jnp.zeros([n if i == axis else s for i, s in enumerate(x.shape)], x.dtype)
    return total


def _product(x: Any, axis: int, m: np.ndarray) -> Any:
    out = lax.dot_general(
        jnp.asarray(m.astype(x.dtype)), x, (((1,), (axis,)), ((), ())), precision=lax.Precision.HIGHEST
    )
    return jnp.moveaxis(out, 0, axis)


def matrix(indices: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """[outputs, size]: the same sums as a matrix."""
    m = np.zeros((len(indices), size), weights.dtype)
    np.add.at(m, (np.arange(len(indices))[:, None], indices), weights)
    return m


def transposed(indices: np.ndarray, weights: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(indices [size, k], weights [size, k]) of the transposed sums, those of the gradient."""
    out, tap = np.nonzero(weights)
    source = indices[out, tap]
    order = np.lexsort((out, source))
    source, out, w = source[order], out[order], weights[out, tap][order]
    counts = np.bincount(source, minlength=size)
    k = max(int(counts.max(initial=0)), 1)
    place = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
    new_indices, new_weights = np.zeros((size, k), np.int64), np.zeros((size, k), weights.dtype)
    new_indices[source, place] = out
    new_weights[source, place] = w
    return new_indices, new_weights
