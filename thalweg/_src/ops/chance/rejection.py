"""Random numbers by rejection: tried again, from the same stream, until they are accepted.

TensorFlow's kernels give every output (or group of four) a part of the stream for itself, so all are tried at once here.
"""

import functools

import numpy as np

from thalweg._src.core import philox
from thalweg._src.core.apply import xp
from thalweg._src.core.lazy import jax, jnp, lax

RESERVED = 256  # words of the stream that a rejecting kernel keeps for each output, or blocks
_ROW, _ROWS = 1024, 64  # numbers that are tried again together, once few are left
_LARGE = 1 << 20  # entries from which on it pays to compile more than one loop


def settled(count, values, step, is_open):
    """`values`, arrays whose first dimension is `count`, after as many steps as each entry needs.

    `step(number, turn, values)` gives them after one more turn, what is settled untouched; `is_open(values)` tells which
    entries need one. Two turns settle nearly all: of many entries, only the rows that still have an open one go on after those.
    """
    rows = -(-count // _ROW)
    large = count >= _LARGE
    size = rows * _ROW if large else count
    number = jnp.arange(size, dtype=jnp.uint32)
    values = jax.tree.map(lambda v: _grown(v, size), values)

    def finished(number, turn, values):
        def body(carry):
            turn, values = carry
            return turn + jnp.uint32(1), step(number, turn, values)

        live = lambda carry: jnp.any(is_open(carry[1]) & (number < count))
        return lax.while_loop(live, body, (jnp.uint32(turn), values))[1]

    if not large:
        return finished(number, 0, values)
    for turn in range(2):
        values = step(number, jnp.uint32(turn), values)
    table = jax.tree.map(lambda v: v.reshape(rows, _ROW, *v.shape[1:]), values)
    inside = (number < count).reshape(rows, _ROW)
    lacking = lambda table: jnp.any(jax.vmap(is_open)(table) & inside, axis=1)

    def rest(table):
        at = jnp.argsort(~lacking(table))[:_ROWS]
        own = (at[:, None].astype(jnp.uint32) * jnp.uint32(_ROW) + jnp.arange(_ROW, dtype=jnp.uint32)).reshape(-1)
        part = jax.tree.map(lambda v: v[at].reshape(-1, *v.shape[2:]), table)
        done = finished(own, 2, part)
        return jax.tree.map(lambda v, d: v.at[at].set(d.reshape(-1, *v.shape[1:])), table, done)

    table = lax.while_loop(lambda table: jnp.any(lacking(table)), rest, table)
    return jax.tree.map(lambda v: v.reshape(-1, *v.shape[2:])[:count], table)


def _settled_on_host(count, table, step, is_open):
    """`settled` for one NumPy array, which is changed."""
    at, turn = np.arange(count), 0
    while at.size:
        table[at] = step(at, np.int64(turn), table[at])
        at, turn = at[is_open(table[at])], turn + 1
    return table


def _grown(v, size):
    return v if v.shape[0] == size else jnp.pad(v, [(0, size - v.shape[0])] + [(0, 0)] * (v.ndim - 1), mode="edge")


def _first(result, tried):
    """What was accepted before, else what is now; NaN stands for nothing."""
    return jnp.where(jnp.isnan(result), tried, result)


def _offset(count, step, number, block):
    """Where in the stream block `block` of output `number` is, each having `step` blocks."""
    kind = np.uint32 if count * step < 2**31 else np.uint64
    return number.astype(kind) * kind(step) + block.astype(kind)


# -- normal


def truncated_normal(stream, count, dtype):
    """`count` standard normal numbers, those beyond two deviations drawn again."""
    return stream.made(_truncated(count, np.dtype(dtype))).reshape(-1)[:count].astype(dtype)


@functools.lru_cache(1024)
def _truncated(count, dtype):
    wide = dtype.itemsize == 8
    size = 2 if wide else 4
    groups = -(-count // size)

    def make(state):
        def step(number, turn, table):
            words = philox.Stream(state).blocks(_offset(groups, RESERVED * size // 4, number, turn))
            made = philox.box_muller_double(*words) if wide else four_normals(words)
            return _filled(table, made)

        lib = xp(state)
        table = lib.full((groups, size), np.nan, np.float64 if wide else np.float32)
        settle = settled if lib is jnp else _settled_on_host
        return settle(groups, table, step, lambda table: xp(table).isnan(table[..., -1]))

    return make


def four_normals(words):
    return [*philox.box_muller(words[0], words[1]), *philox.box_muller(words[2], words[3])]


def _filled(table, made):
    """`table` [groups, size], whose free places hold NaN, with the good numbers put into them, from left to right.

    The table alone is carried through the loops, so that one pass over the groups makes the numbers once.
    """
    lib = xp(table)
    out = [table[:, k] for k in range(table.shape[1])]
    have = sum((~lib.isnan(column)).astype(np.int32) for column in out)
    for f in made:
        good = lib.abs(f) < 2.0
        for k in range(len(out)):
            out[k] = lib.where(good & (have == k), f, out[k])
        have = have + good.astype(np.int32)
    return philox.interleaved(out)


# -- gamma: Marsaglia and Tsang, 2000, "A simple method for generating gamma variables"


class _Draws:
    """Uniform and normal float64 of one output each, two to a block, the second of a pair first; blocks in turn."""

    def __init__(self, state, count, number, block, normal, uniform):
        self.at = lambda block: philox.Stream(state).blocks(_offset(count, RESERVED, number, block))
        self.block, self._normal, self._uniform = block, normal, uniform

    def normal(self):
        """The next normal number of every output; `normal` is what is left of a pair, or NaN."""
        first, second = philox.box_muller_double(*self.at(self.block))
        left = ~jnp.isnan(self._normal)
        x = jnp.where(left, self._normal, second)
        self.block = self.block + (~left).astype(self.block.dtype)
        self._normal = jnp.where(left, jnp.nan, first)
        return x

    def uniform(self, live):
        """The next uniform number of the outputs that are `live`; the others keep theirs."""
        words = self.at(self.block)
        first, second = philox.uniform_double(words[0], words[1]), philox.uniform_double(words[2], words[3])
        left = ~jnp.isnan(self._uniform)
        u = jnp.where(left, self._uniform, second)
        self.block = self.block + (live & ~left).astype(self.block.dtype)
        self._uniform = jnp.where(live, jnp.where(left, jnp.nan, first), self._uniform)
        return u

    @property
    def kept(self):
        return self.block, self._normal, self._uniform


def gamma(stream, samples, alpha):
    """[samples, alphas] numbers of the gamma distribution of scale one, for the vector `alpha`, in float64."""
    alphas = alpha.shape[0]
    count = samples * alphas
    a = jnp.broadcast_to(alpha.astype(jnp.float64)[:, None], (alphas, samples)).reshape(-1)

    def make(state):
        def step(number, turn, values):
            result, a, block, normal, uniform = values
            draws = _Draws(state, count, number, block, normal, uniform)
            small = a < 1
            d = a + jnp.where(small, 2.0 / 3, -1.0 / 3)
            x = draws.normal()
            v = 1 + (1.0 / 3 / jnp.sqrt(d)) * x
            positive = v > 0
            v = v * v * v
            u = draws.uniform(positive)
            squeeze = u < 1 - 0.0331 * (x * x) * (x * x)
            good = positive & (squeeze | (jnp.log(u) < 0.5 * x * x + d * (1 - v + jnp.log(v))))
            b = draws.uniform(good & small)
            made = d * v * jnp.where(small, jnp.power(b, 1 / a), 1.0)
            one = a == 1.0  # an exponential, by the first uniform number of its own
            words = draws.at(jnp.zeros_like(block))
            made = jnp.where(one, -jnp.log(1.0 - philox.uniform_double(words[2], words[3])), made)
            return _first(result, jnp.where(good | one, made, jnp.nan)), a, *draws.kept

        nothing = jnp.full(count, jnp.nan)
        start = (nothing, a, jnp.zeros(count, jnp.uint32), nothing, nothing)
        return settled(count, start, step, lambda values: jnp.isnan(values[0]))[0]

    return stream.alone(make).reshape(alphas, samples).T


# -- Poisson: products of uniforms below ten, else Hormann, 1993, "The transformed rejection method" (PTRS)


def poisson(stream, samples, rate, most):
    """[samples, rates] numbers of the Poisson distribution for the vector `rate`, none above `most`, in float64."""
    rates = rate.shape[0]
    count = samples * rates
    r = jnp.broadcast_to(rate.astype(jnp.float64)[:, None], (rates, samples)).reshape(-1)

    def make(state):
        def step(number, turn, values):
            result, r, product, x = values
            words = philox.Stream(state).blocks(_offset(count, RESERVED, number, turn))
            u = philox.uniform_double(words[2], words[3])
            v = philox.uniform_double(words[0], words[1])
            once, product, x = _multiplied(r, product, x, u, most)
            twice, product, x = _multiplied(r, product, x, v, most)
            small = jnp.where(jnp.isnan(once), twice, once)
            return _first(result, jnp.where(r < 10, small, _transformed(r, u, v, most))), r, product, x

        start = (jnp.full(count, jnp.nan), r, jnp.ones(count), jnp.zeros(count))
        return settled(count, start, step, lambda values: jnp.isnan(values[0]))[0]

    return stream.alone(make).reshape(rates, samples).T


def _multiplied(r, product, x, u, most):
    """(the number of factors so far, if their product has fallen below exp(-r), else NaN; product; factors)."""
    product = product * u
    done = (product <= jnp.exp(-r)) & (x <= most)
    return jnp.where(done, x, jnp.nan), product, x + 1


def _transformed(r, u, v, most):
    """One try for rates of ten and more: the number, or NaN."""
    b = 0.931 + 2.53 * jnp.sqrt(r)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    u = u - 0.5
    shifted = 0.5 - jnp.abs(u)
    k = jnp.floor((2 * a / shifted + b) * u + r + 0.43)
    fits = k <= most
    quick = (shifted >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2))
    never = (k < 0) | ((shifted < 0.013) & (v > shifted))
    s = jnp.log(v * inverse_alpha / (a / (shifted * shifted) + b))
    t = -r + k * jnp.log(r) - lax.lgamma(k + 1)
    return jnp.where(fits & (quick | (~never & (s <= t))), k, jnp.nan)


# -- normal between bounds: Robert, 1995, "Simulation of truncated normal variables"


def bounded_normal(stream, means, deviations, low, high, dtype):
    """Normal numbers in [low, high], element by element over arrays of one shape [count].

    The sampler follows the bounds: normal numbers where they hold the mean amply, uniform ones for narrow bounds, else
    exponential ones.
    """
    count = means.shape[0]
    wide = jnp.float64
    mean, deviation, low, high = (v.astype(wide) for v in (means, deviations, low, high))
    flip = (jnp.isinf(low) & (low < 0)) | (high < mean)
    low, high = jnp.where(flip, high, low), jnp.where(flip, low, high)
    deviation = jnp.where(flip, -deviation, deviation)
    a, b = (low - mean) / deviation, (high - mean) / deviation
    root = jnp.sqrt(a * a + 4)
    cutoff = 2 * jnp.exp(0.5 + a * (a - root) / 4) / (a + root)
    ample = ((a < -1.3) & (b >= 0)) | ((b > 1.3) & (a <= 0))
    narrow = b - a < cutoff
    alpha = (a + root) / 2

    def make(state):
        def step(number, turn, values):
            z, a, b, alpha, ample, narrow = values
            words = philox.Stream(state).blocks(_offset(count, RESERVED, number, turn))
            normal, _ = philox.box_muller_double(*words)
            u, v = philox.uniform_double(words[0], words[1]), philox.uniform_double(words[2], words[3])
            flat = u * (b - a) + a
            tail = a - jnp.log(jnp.maximum(u, 1e-300)) / alpha
            gap = jnp.where(a < alpha, alpha - tail, a - alpha)
            flat_good = v <= jnp.exp((jnp.where(a < 0, 0, a * a) - flat * flat) / 2)
            tail_good = (v <= jnp.exp(-gap * gap / 2)) & (tail < b)
            good = jnp.where(ample, (normal >= a) & (normal <= b), jnp.where(narrow, flat_good, tail_good))
            tried = jnp.where(ample, normal, jnp.where(narrow, flat, tail))
            return _first(z, jnp.where(good, tried, jnp.nan)), a, b, alpha, ample, narrow

        start = (jnp.full(count, jnp.nan), a, b, alpha, ample, narrow)
        return settled(count, start, step, lambda values: jnp.isnan(values[0]))[0]

    return (stream.alone(make) * deviation + mean).astype(dtype)
