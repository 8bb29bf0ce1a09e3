"""Philox 4x32-10, the counter-based generator of TensorFlow's random ops (Salmon et al., 2011, "Parallel random
numbers: as easy as 1, 2, 3", table 2 and figure 2).

A stream's state is six words: the key (2) and the counter (4), least significant first. Each random operation has one,
kept by the session like a variable, so that the hundredth run gives TensorFlow's hundredth numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core.apply import xp
from thalweg._src.core.lazy import jax, jnp, lax

_M0, _M1 = 0xD2511F53, 0xCD9E8D57
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10


def initial_state(seed: int, seed2: int) -> np.ndarray:
    """The state of a fresh stream: `seed` is the key, `seed2` the upper half of the counter."""
    words = [seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF, 0, 0, seed2 & 0xFFFFFFFF, (seed2 >> 32) & 0xFFFFFFFF]
    return np.array(words, np.uint32)


def _mul_hi_lo(a: int, b: Any) -> tuple[Any, Any]:
    product = b.astype(np.uint64) * np.uint64(a)
    return (product >> np.uint64(32)).astype(np.uint32), product.astype(np.uint32)


Words = tuple[Any, Any, Any, Any]


def rounds(key: tuple[Any, Any], counter: Words) -> Words:
    """Four random words for each counter: arrays of uint32 of one shape."""
    k0, k1 = key
    c0, c1, c2, c3 = counter
    for i in range(ROUNDS):
        hi0, lo0 = _mul_hi_lo(_M0, c0)
        hi1, lo1 = _mul_hi_lo(_M1, c2)
        c0, c1, c2, c3 = hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0
        if i + 1 < ROUNDS:
            k0 = k0 + np.uint32(_W0)
            k1 = k1 + np.uint32(_W1)
    return c0, c1, c2, c3


def _add(counter: Words, low: Any) -> Words:
    """`counter` plus an array of uint32 or uint64, with carries through all 128 bits.

    32-bit offsets stay in 32-bit arithmetic, which a CPU runs twice as fast.
    """
    high = (low >> np.uint64(32)).astype(np.uint32) if low.dtype == np.uint64 else np.uint32(0)
    low = low.astype(np.uint32)
    c0 = counter[0] + low
    carry = (c0 < low).astype(np.uint32)
    c1 = counter[1] + high
    more = (c1 < high) | ((c1 + carry) < c1)
    c1 = c1 + carry
    carry = more.astype(np.uint32)
    c2 = counter[2] + carry
    c3 = counter[3] + ((c2 == 0) & more).astype(np.uint32)
    return c0, c1, c2, c3


class Stream:
    """The stream of a random operation while its lowering runs: it gives words, and `finish` the state of the next run.

    `apart`: compute numbers before anything reads them (a CPU's fusions would compute a block for each of its words).
    """

    def __init__(self, state: Any, *, apart: bool = False):
        self.state = state
        self.apart = apart
        self._skip = 0

    def reserve(self, outputs: int, multiplier: int = 256) -> None:
        """Move the next run past the blocks that TensorFlow reserves for so many outputs."""
        self._skip += outputs * multiplier

    def blocks(self, offsets: Any) -> Words:
        """Four arrays of words, for the blocks at `offsets` (unsigned integers) from the start of this run."""
        return _blocks(self.state, offsets)

    def words(self, count: int) -> Any:
        """The first `count` words of this run, in order: uint32[count]. NumPy on the host, where JAX has no part."""
        if isinstance(self.state, np.ndarray):
            with np.errstate(over="ignore"):
                return np.stack(self.blocks(np.arange(-(-count // 4), dtype=np.uint32)), axis=-1).reshape(-1)[:count]
        return self.draw(count, lambda words: words)

    def draw(self, count: int, numbers: Callable[[Words], Sequence[Any]]) -> Any:
        """The first `count` of the numbers that `numbers` makes of each block: an array of rank one.

        `numbers` maps four arrays of words to so many arrays of numbers, all element by element.
        """

        def make(state: Any, groups: int) -> Any:
            return interleaved(numbers(_first_blocks()(state, groups)))

        per_block = len(jax.eval_shape(numbers, (jax.ShapeDtypeStruct((1,), np.uint32),) * 4))
        groups = -(-count // per_block)
        return self.alone(lambda state: make(state, groups)).reshape(-1)[:count]

    def alone(self, make: Callable[[Any], Any]) -> Any:
        """`make(state)`, computed apart from what reads it where that is wanted."""
        if not self.apart:
            return make(self.state)
        # A branch of a conditional is a computation of its own, and the compiler can't know that this one is taken.
        like = jax.eval_shape(make, self.state)
        nothing = lambda _: jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), like)
        return lax.cond((self.state[2] & jnp.uint32(1)) < 2, make, nothing, self.state)

    def finish(self) -> Any:
        """The state after this run."""
        state = self.state
        with np.errstate(over="ignore"):
            counter = _add((state[2], state[3], state[4], state[5]), np.uint64(self._skip))
        return xp(state).stack([state[0], state[1], *counter])


def _blocks(state: Any, offsets: Any) -> Words:
    return rounds((state[0], state[1]), _add((state[2], state[3], state[4], state[5]), offsets))


@functools.cache
def _first_blocks() -> Any:
    """(state, n) -> the first n blocks, as a function of its own: ten rounds take long to trace, so that is done once."""
    return jax.jit(lambda state, groups: _blocks(state, jnp.arange(groups, dtype=jnp.uint32)), static_argnums=1)


def interleaved(parts: Sequence[Any]) -> Any:
    """Arrays of shape [n] as the columns of one [n, k].

    A choice by the column, not a concatenation: a CPU then computes all parts in one pass, once for each row.
    """
    shape = (parts[0].shape[0], len(parts))
    column = lax.broadcasted_iota(jnp.int32, shape, 1)
    out = jnp.broadcast_to(parts[-1][:, None], shape)
    for i in reversed(range(len(parts) - 1)):
        out = jnp.where(column == i, jnp.broadcast_to(parts[i][:, None], shape), out)
    return out


def uniform_float(words: Any) -> Any:
    """Words to float32 in [0, 1): 23 random bits as the mantissa of a number in [1, 2), less one."""
    bits = (words & jnp.uint32(0x7FFFFF)) | jnp.uint32(0x3F800000)
    return bits.view(jnp.float32) - jnp.float32(1.0)


def uniform_half(words: Any) -> Any:
    """Words to float16 in [0, 1): their lowest 10 bits as the mantissa."""
    bits = (words & jnp.uint32(0x3FF)).astype(jnp.uint16) | jnp.uint16(0x3C00)
    return bits.view(jnp.float16) - jnp.float16(1.0)


def uniform_bfloat16(words: Any) -> Any:
    """Words to bfloat16 in [0, 1): their lowest 7 bits as the mantissa."""
    bits = (words & jnp.uint32(0x7F)).astype(jnp.uint16) | jnp.uint16(0x3F80)
    return bits.view(jnp.bfloat16) - jnp.bfloat16(1.0)


def uniform_double(low: Any, high: Any) -> Any:
    """Two words each to float64 in [0, 1): 20 bits of the first and the whole second are the mantissa."""
    man = ((low & jnp.uint32(0xFFFFF)).astype(jnp.uint64) << jnp.uint64(32)) | high.astype(jnp.uint64)
    return (man | jnp.uint64(0x3FF0000000000000)).view(jnp.float64) - 1.0


def sine_cosine(angle: Any) -> tuple[Any, Any]:
    """Sine and cosine of float32 angles of a few turns, to the last digit.

    One reduction to an eighth of a turn and the polynomials of the Cephes library (Moshier, 1989) serve both, and a CPU
    runs them on whole vectors, where it calls a function for each sine.
    """
    quarter = jnp.round(angle * jnp.float32(2 / np.pi))
    r = (angle.astype(jnp.float64) - quarter.astype(jnp.float64) * (np.pi / 2)).astype(jnp.float32)
    r2 = r * r
    sine = r + r * r2 * _polynomial(r2, -1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4)
    tail = _polynomial(r2, 4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5)
    cosine = jnp.float32(1) - jnp.float32(0.5) * r2 + r2 * r2 * tail
    turn = quarter.astype(jnp.int32)
    swap = (turn & 1) == 1
    s, c = jnp.where(swap, cosine, sine), jnp.where(swap, sine, cosine)
    return jnp.where((turn & 2) != 0, -s, s), jnp.where(((turn + 1) & 2) != 0, -c, c)


def _polynomial(x: Any, *coefficients: float) -> Any:
    total = jnp.float32(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = jnp.float32(c) + x * total
    return total


def box_muller(x0: Any, x1: Any) -> tuple[Any, Any]:
    """Two words to two independent standard normal float32 (Box and Muller, 1958)."""
    u1 = jnp.maximum(uniform_float(x0), jnp.float32(1.0e-7))
    # The product is rounded once, from float64, as in TensorFlow.
    v1 = (uniform_float(x1).astype(jnp.float64) * (2.0 * np.pi)).astype(jnp.float32)
    u2 = jnp.sqrt(jnp.float32(-2.0) * jnp.log(u1))
    s, c = sine_cosine(v1)
    return s * u2, c * u2


def box_muller_double(x0: Any, x1: Any, x2: Any, x3: Any) -> tuple[Any, Any]:
    """Four words to two independent standard normal float64."""
    u1 = jnp.maximum(uniform_double(x0, x1), 1.0e-7)
    v1 = 2.0 * np.pi * uniform_double(x2, x3)
    u2 = jnp.sqrt(-2.0 * jnp.log(u1))
    return jnp.sin(v1) * u2, jnp.cos(v1) * u2
