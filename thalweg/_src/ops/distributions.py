"""The numbers of random ops, made of the words of their streams exactly as TensorFlow's CPU kernels make them.

A kernel gives every group of outputs its own part of the stream, so all groups are computed at once. A group is what
one block of four words gives: four float32, float16 or int32, two float64 or int64.
"""

import math

from thalweg._src.core import philox
from thalweg._src.core.lazy import jax, jnp, lax

RESERVED = 256  # words of the stream that a rejecting kernel keeps for each output


def _size(dtype):
    return jnp.dtype(dtype).itemsize


def _of_pairs(function):
    """The two results of `function` on the two halves of a block."""
    return lambda w: (function(w[0], w[1]), function(w[2], w[3]))


def uniform(stream, count, dtype):
    """`count` numbers in [0, 1)."""
    if _size(dtype) == 8:
        return stream.draw(count, _of_pairs(philox.uniform_double))
    one = {
        jnp.dtype(jnp.float32): philox.uniform_float,
        jnp.dtype(jnp.float16): philox.uniform_half,
        jnp.dtype(jnp.bfloat16): philox.uniform_bfloat16,
    }[jnp.dtype(dtype)]
    return stream.draw(count, lambda words: [one(w) for w in words])


def uniform_int(stream, count, low, high):
    """`count` integers in [low, high), with the bias of a remainder."""
    if _size(low.dtype) == 8:
        span = (high - low).astype(jnp.uint64)
        wide = lambda a, b: a.astype(jnp.uint64) | (b.astype(jnp.uint64) << jnp.uint64(32))
        words = stream.draw(count, _of_pairs(wide))
        return low + (words % span).astype(jnp.int64)
    words = stream.words(count)
    span = (high - low).astype(jnp.uint32)
    return low + _remainder(words, span).astype(jnp.int32)


def _remainder(words, span):
    """words % span. The floor of a quotient of 32-bit integers is exact in float64, which a CPU divides in vectors."""
    quotient = jnp.floor(words.astype(jnp.float64) / span.astype(jnp.float64))
    return words - quotient.astype(jnp.uint32) * span


def normal_words(dtype):
    """(function of a block, numbers that it gives) for standard normal numbers of `dtype`."""
    if _size(dtype) == 8:
        return lambda w: philox.box_muller_double(*w)
    return lambda w: [n.astype(dtype) for n in (*philox.box_muller(w[0], w[1]), *philox.box_muller(w[2], w[3]))]


def normal(stream, count, dtype):
    """`count` standard normal numbers."""
    return stream.draw(count, normal_words(dtype))


# -- rejection: blocks of a group are tried until enough of their numbers are accepted


_ROW = 1024  # groups that are tried again together, once few are left
_ROWS = 64


def truncated_normal(stream, count, dtype):
    """`count` standard normal numbers, those beyond two deviations drawn again."""
    size = 2 if _size(dtype) == 8 else 4
    step = RESERVED * size // 4
    groups = -(-count // size)

    def attempt(state, group, turn):
        """The numbers of the block number `turn` of each group, and which of them are good."""
        kind = jnp.uint32 if groups * step < 2**31 else jnp.uint64
        offset = group.astype(kind) * kind(step) + turn.astype(kind)
        numbers = philox.Stream(state).blocks(offset)
        made = philox.box_muller_double(*numbers) if size == 2 else _four_normals(numbers)
        return made, [jnp.abs(f) < 2.0 for f in made]

    out = stream.alone(lambda state: _accepted(state, groups, size, attempt, jnp.float64 if size == 2 else jnp.float32))
    return out.reshape(-1)[:count].astype(dtype)


def _four_normals(words):
    return [*philox.box_muller(words[0], words[1]), *philox.box_muller(words[2], words[3])]


def _filled(table, made, good):
    """`table` [groups, size], whose free places hold NaN, with the good numbers put into them, from left to right.

    The table alone is carried through the loops, so that one pass over the groups makes the numbers once.
    """
    out = [table[:, k] for k in range(table.shape[1])]
    have = sum((~jnp.isnan(column)).astype(jnp.int32) for column in out)
    for f, ok in zip(made, good, strict=True):
        for k in range(len(out)):
            out[k] = jnp.where(ok & (have == k), f, out[k])
        have = have + ok.astype(jnp.int32)
    return philox.interleaved(out)


def _accepted(state, groups, size, attempt, dtype):
    """[groups, size] accepted numbers, each group's in the order of its stream."""
    rows = -(-groups // _ROW)
    small = rows <= _ROWS
    number = jnp.arange(groups if small else rows * _ROW, dtype=jnp.uint32)
    table = jnp.full((*number.shape, size), jnp.nan, dtype)
    if small:
        return _completed(state, number, table, 0, attempt)
    # After two turns all but some in a hundred thousand groups are complete.
    first = lambda turn, table: _filled(table, *attempt(state, number, turn))
    table = lax.fori_loop(jnp.uint32(0), jnp.uint32(2), first, table)
    return _rest(state, table.reshape(rows, _ROW, size), 2, attempt).reshape(-1, size)[:groups]


def _completed(state, number, table, turn, attempt):
    """The table whose groups have all their numbers, trying the blocks from `turn` on."""

    def body(carry):
        turn, table = carry
        return turn + jnp.uint32(1), _filled(table, *attempt(state, number, turn))

    return lax.while_loop(lambda c: jnp.any(jnp.isnan(c[1][:, -1])), body, (jnp.uint32(turn), table))[1]


def _rest(state, table, turn, attempt):
    """`table` [rows, _ROW, size] with the few rows completed that still lack numbers."""

    def body(table):
        lacking = jnp.any(jnp.isnan(table[:, :, -1]), axis=1)
        rows = jnp.argsort(~lacking)[:_ROWS]
        number = rows[:, None].astype(jnp.uint32) * jnp.uint32(_ROW) + jnp.arange(_ROW, dtype=jnp.uint32)
        part = table[rows]
        done = _completed(state, number.reshape(-1), part.reshape(-1, table.shape[-1]), turn, attempt)
        return table.at[rows].set(done.reshape(part.shape))

    return lax.while_loop(lambda t: jnp.any(jnp.isnan(t[:, :, -1])), body, table)


# -- from a table


def multinomial(stream, logits, samples):
    """[rows, samples] indices into the rows of `logits` [rows, classes], by their unnormalised log-probabilities."""
    rows, classes = logits.shape
    finite = jnp.isfinite(logits)
    low = jnp.asarray(jnp.finfo(logits.dtype).min, logits.dtype)
    top = jnp.max(jnp.where(finite, logits, low), axis=1, keepdims=True)
    weights = jnp.where(finite, jnp.exp(logits.astype(jnp.float64) - top.astype(jnp.float64)), 0.0)
    cdf = jnp.cumsum(weights, axis=1)
    drawn = stream.draw(rows * samples, _of_pairs(philox.uniform_double)).reshape(rows, samples)
    wanted = drawn * cdf[:, -1:]
    return jax.vmap(lambda c, w: jnp.searchsorted(c, w, side="right"))(cdf, wanted)


def size_of(shape):
    """The number of elements of `shape` (a static vector). Raises ValueError for negative sizes."""
    sizes = [int(n) for n in shape]
    if any(n < 0 for n in sizes):
        raise ValueError(f"Dimension {next(n for n in sizes if n < 0)} must be >= 0")
    return math.prod(sizes)
