"""How pools are computed: the maximum or the mean of every window, and the way back.

A window is a handful of offsets, so a pool is a few strided slices of the padded image, combined element by element.
That fuses into one loop, where XLA's own reduce-window and select-and-scatter run 2 to 70 times as long on a CPU.
"""

import itertools
import math

import numpy as np

from thalweg._src.core.lazy import jnp, lax
from thalweg._src.ops.nets.windows import output_size, pad_of

_MANY = 32  # windows of more elements are not unrolled


class Pool:
    """Where the windows lie over an image of `shape`: sizes, strides, padding and count along every axis."""

    def __init__(self, shape, sizes, strides, counts, pads):
        self.shape, self.sizes, self.strides, self.counts, self.pads = shape, sizes, strides, counts, pads
        self.reach = [(c - 1) * s + k for c, s, k in zip(counts, strides, sizes, strict=True)]

    @classmethod
    def over(cls, shape, sizes, strides, padding):
        """The windows over an image of `shape` under SAME or VALID padding."""
        shape, sizes, strides = ([int(n) for n in values] for values in (shape, sizes, strides))
        if any(k <= 0 for k in sizes):
            raise ValueError(f"Sliding window ksize must be positive, got {sizes}")
        axes = list(zip(shape, sizes, strides, strict=True))
        counts = tuple(output_size(*axis, padding) for axis in axes)
        return cls(tuple(shape), sizes, strides, counts, [pad_of(*axis, padding) for axis in axes])

    def along(self, axis, shape):
        """The windows of this pool along `axis` alone, over an image that has as many windows as `shape`."""

        def only(values, other):
            return [values[axis] if i == axis else o for i, o in enumerate(other)]

        ones = [1] * len(shape)
        image = tuple(only(self.shape, shape))
        return Pool(
            image, only(self.sizes, ones), only(self.strides, ones), shape, only(self.pads, [(0, 0)] * len(ones))
        )

    def offsets(self):
        """The places within a window, in the order in which a tie is decided."""
        return itertools.product(*(range(k) for k in self.sizes))

    def padded(self, x, fill):
        """`x` as far as windows reach, `fill` around it."""
        pads = [
            (before, max(0, r - before - n), 0)
            for (before, _), r, n in zip(self.pads, self.reach, self.shape, strict=True)
        ]
        return lax.pad(x, jnp.asarray(fill, x.dtype), pads) if any(b or a for b, a, _ in pads) else x

    def at(self, padded, offset):
        """The elements at `offset` of all windows."""
        stop = [o + (c - 1) * s + 1 for o, c, s in zip(offset, self.counts, self.strides, strict=True)]
        return lax.slice(padded, offset, stop, self.strides)

    def along_axis(self, axis):
        """The numbers of the windows along `axis`, in the shape that broadcasts over windows."""
        shape = [c if i == axis else 1 for i, c in enumerate(self.counts)]
        return lax.broadcasted_iota(jnp.int32, shape, axis)

    def edges(self, offset):
        """(which windows have an element of the image at `offset`, for which it is their first one).

        None stands for all of them in the first place, for none in the second.
        """
        inside = first = None
        for axis, (n, k, s, c) in enumerate(self._axes()):
            before = self.pads[axis][0]
            if before or (c - 1) * s + k > n:
                at = self.along_axis(axis) * s + (offset[axis] - before)
                ok = (at >= 0) & (at < n)
                inside = ok if inside is None else inside & ok
        if any(offset) and not any(o and not b for o, (b, _) in zip(offset, self.pads, strict=True)):
            for axis, o in enumerate(offset):
                before = self.pads[axis][0]
                if before:
                    ok = jnp.maximum(0, before - self.along_axis(axis) * self.strides[axis]) == o
                    first = ok if first is None else first & ok
        return inside, first

    @property
    def empty(self):
        return 0 in self.shape or 0 in self.counts

    @property
    def whole(self):
        """Whether one window covers the image along every axis on which there are windows."""
        return all(k == 1 == s or (c == 1 and k >= n) for n, k, s, c in self._axes())

    def _axes(self):
        return zip(self.shape, self.sizes, self.strides, self.counts, strict=True)


def _lowest(dtype):
    return -np.inf if jnp.issubdtype(dtype, jnp.floating) else np.iinfo(dtype).min


def max_pool_of(x, pool):
    """The maximum of every window."""
    if pool.empty:
        return jnp.zeros(pool.counts, x.dtype)
    low = _lowest(x.dtype)
    if math.prod(pool.sizes) > _MANY:
        pads = [(b, max(a, 0)) for b, a in pool.pads]
        out = lax.reduce_window(x, jnp.asarray(low, x.dtype), lax.max, pool.sizes, pool.strides, pads)
        return out[tuple(slice(c) for c in pool.counts)]
    padded = pool.padded(x, low)
    out = None
    for offset in pool.offsets():
        v = pool.at(padded, offset)
        out = v if out is None else jnp.maximum(out, v)
    return out


def places_of_max(x, pool):
    """Which offset of every window holds its first maximum: its number in the order of `pool.offsets()`."""
    kind = jnp.int8 if math.prod(pool.sizes) < 128 else jnp.int32
    padded = pool.padded(x, _lowest(x.dtype))
    best = place = None
    for n, offset in enumerate(pool.offsets()):
        v = pool.at(padded, offset)
        if best is None:
            best, place = v, jnp.zeros(pool.counts, kind)
            continue
        better = v > best
        inside, first = pool.edges(offset)
        if first is not None:  # padding never wins, even against minus infinity
            better = better | first
        if inside is not None:
            better = better & inside
        best, place = jnp.where(better, v, best), jnp.where(better, jnp.asarray(n, kind), place)
    return place


def _spread(pool, contributions):
    """The image whose every place is the sum of what the windows over it contribute.

    Along an axis of stride s the places fall into s phases. Those of one phase see the same offsets of their windows,
    so each phase is a sum of shifted slices, and the phases interleave. `contributions(widened, shifted)` gives the
    term of an offset and its dtype: `widened(y, fill)` puts a border around windows, `shifted` reads them from there.
    """
    rank = len(pool.shape)
    turns = [
        -(-max(r, n + b) // s) for r, n, (b, _), s in zip(pool.reach, pool.shape, pool.pads, pool.strides, strict=True)
    ]
    before = [-(-k // s) - 1 for k, s in zip(pool.sizes, pool.strides, strict=True)]
    after = [max(0, t - c) for t, c in zip(turns, pool.counts, strict=True)]

    def widened(y, fill):
        return lax.pad(y, jnp.asarray(fill, y.dtype), [(b, a, 0) for b, a in zip(before, after, strict=True)])

    def shifted(y, offset):
        start = [b - o // s for b, o, s in zip(before, offset, pool.strides, strict=True)]
        return lax.slice(y, start, [a + t for a, t in zip(start, turns, strict=True)])

    term, dtype = contributions(widened, shifted)
    numbers = {offset: n for n, offset in enumerate(pool.offsets())}

    def phase(which):
        places = [range(r, k, s) for r, k, s in zip(which, pool.sizes, pool.strides, strict=True)]
        total = None
        for offset in itertools.product(*places):
            c = term(offset, numbers[offset])
            total = c if total is None else total + c
        return jnp.zeros(turns, dtype) if total is None else total

    def interleaved(which):
        axis = len(which)
        if axis == rank:
            return phase(which)
        parts = [interleaved((*which, r)) for r in range(pool.strides[axis])]
        if len(parts) == 1:
            return parts[0]
        joined = jnp.stack(parts, axis + 1)
        return joined.reshape(*joined.shape[:axis], -1, *joined.shape[axis + 2 :])

    image = interleaved(())
    start = [b for b, _ in pool.pads]
    return lax.slice(image, start, [b + n for b, n in zip(start, pool.shape, strict=True)])


def max_pool_gradient(x, g, pool):
    """`g` at the first maximum of its window, summed over windows."""
    if g.shape != pool.counts:
        raise ValueError(f"Expected grad shape to be {pool.counts}, but got {g.shape}")
    if pool.empty:
        return jnp.zeros(pool.shape, g.dtype)
    if math.prod(pool.sizes) > _MANY:
        flat = flat_places(x, pool)
        return jnp.zeros(math.prod(pool.shape), g.dtype).at[flat.ravel()].add(g.ravel()).reshape(pool.shape)
    place = places_of_max(x, pool)

    def contributions(widened, shifted):
        marks, grads = widened(place, -1), widened(g, 0)
        zero = jnp.zeros((), g.dtype)
        return lambda offset, n: jnp.where(shifted(marks, offset) == n, shifted(grads, offset), zero), g.dtype

    return _spread(pool, contributions)


def at_max(x, values, pool):
    """The element of `values`, an image like `x`, where each window of `x` has its first maximum."""
    if pool.empty:
        return jnp.zeros(pool.counts, values.dtype)
    if math.prod(pool.sizes) > _MANY:
        return values.ravel()[flat_places(x, pool)]
    place, padded = places_of_max(x, pool), pool.padded(values, 0)
    out = None
    for n, offset in enumerate(pool.offsets()):
        v = pool.at(padded, offset)
        out = v if out is None else jnp.where(place == n, v, out)
    return out


def flat_places(x, pool):
    """The index into the flattened image of the first maximum of every window: int64."""
    if math.prod(pool.sizes) > _MANY:
        return _flat_places_of_many(x, pool)
    place = places_of_max(x, pool).astype(jnp.int64)
    flat = jnp.zeros(pool.counts, jnp.int64)
    for axis in range(x.ndim):
        inner = math.prod(pool.sizes[axis + 1 :])
        offset = place // inner % pool.sizes[axis]
        first = pool.along_axis(axis).astype(jnp.int64) * pool.strides[axis] - pool.pads[axis][0]
        flat = flat * pool.shape[axis] + (first + offset)
    return flat


def _flat_places_of_many(x, pool):
    index = jnp.arange(x.size, dtype=jnp.int64).reshape(x.shape)

    def larger(a, b):
        (av, ai), (bv, bi) = a, b
        keep = (av > bv) | ((av == bv) & (ai < bi))
        return jnp.where(keep, av, bv), jnp.where(keep, ai, bi)

    start = (jnp.asarray(_lowest(x.dtype), x.dtype), jnp.asarray(x.size - 1, jnp.int64))
    pads = [(b, max(a, 0)) for b, a in pool.pads]
    _, places = lax.reduce_window((x, index), start, larger, pool.sizes, pool.strides, pads)
    return places[tuple(slice(c) for c in pool.counts)]


def mean_pool_of(x, pool):
    """The mean of every window, over the elements that lie in the image."""
    if pool.empty:
        return jnp.full(pool.counts, np.nan, x.dtype)
    wide = x.astype(jnp.float32) if x.dtype.itemsize < 4 else x
    if pool.whole:
        axes = [i for i, (k, s) in enumerate(zip(pool.sizes, pool.strides, strict=True)) if (k, s) != (1, 1)]
        total = jnp.sum(wide, axes, keepdims=True)
    elif math.prod(pool.sizes) > _MANY:
        pads = [(b, max(a, 0)) for b, a in pool.pads]
        total = lax.reduce_window(wide, jnp.zeros((), wide.dtype), lax.add, pool.sizes, pool.strides, pads)
        total = total[tuple(slice(c) for c in pool.counts)]
    else:
        padded = pool.padded(wide, 0)
        total = sum(pool.at(padded, offset) for offset in pool.offsets())
    return (total / _elements(pool, wide.dtype)).astype(x.dtype)


def _elements(pool, dtype):
    """How many elements of the image each window has, in the shape that broadcasts over windows."""
    out = 1
    for axis, (n, k, s, c) in enumerate(pool._axes()):
        before = pool.pads[axis][0]
        if before or (c - 1) * s + k > n:
            first = pool.along_axis(axis) * s - before
            out = out * (jnp.minimum(first + k, n) - jnp.maximum(first, 0))
        else:
            out = out * k
    return jnp.asarray(out, dtype)


def mean_pool_gradient(g, pool):
    """`g` divided evenly among the elements of its window, summed over windows."""
    if g.shape != pool.counts:
        raise ValueError(f"Expected grad shape to be {pool.counts}, but got {g.shape}")
    if pool.empty:
        return jnp.zeros(pool.shape, g.dtype)
    share = g / _elements(pool, g.dtype)
    if pool.whole:
        return jnp.broadcast_to(share, pool.shape)
    # The windows are boxes, so the axes go one after the other.
    for axis in range(g.ndim):
        if pool.sizes[axis] == pool.strides[axis] == 1:
            continue

        def contributions(widened, shifted, share=share):
            wide = widened(share, 0)
            return lambda offset, n: shifted(wide, offset), share.dtype

        share = _spread(pool.along(axis, share.shape), contributions)
    return share
