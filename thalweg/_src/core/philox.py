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

from thalweg._src.core import dtypes
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
            with np.errstate(over="ignore"):  # NumPy warns where numbers, not arrays, wrap around
                k0, k1 = k0 + np.uint32(_W0), k1 + np.uint32(_W1)
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
        return self.draw(count, tuple)

    def draw(self, count: int, numbers: Callable[[Words], Sequence[Any]]) -> Any:
        """The first `count` of the numbers that `numbers` makes of each block: an array of rank one.

        `numbers` maps four arrays of words to so many arrays of numbers, all element by element. What it gives for a `count` is traced
        once, so it should be the same object each time.
        """
        if isinstance(self.state, np.ndarray):
            with np.errstate(over="ignore"):
                blocks = self.blocks(np.arange(_groups(numbers, count), dtype=np.uint32))
                return interleaved(numbers(blocks)).reshape(-1)[:count]
        return self.made(_numbers(numbers, count))

    def made(self, make: Callable[[Any], Any]) -> Any:
        """`alone` for a function that is the same object whenever it is the same function: it is traced once for all who ask."""
        if isinstance(self.state, np.ndarray):
            with np.errstate(over="ignore"):
                return make(self.state)
        return _traced_once(make, self.apart)(self.state)

    def alone(self, make: Callable[[Any], Any]) -> Any:
        """`make(state)`, computed apart from what reads it where that is wanted."""
        return _apart(make, self.state) if self.apart else make(self.state)

    def finish(self) -> Any:
        """The state after this run."""
        if isinstance(self.state, np.ndarray):
            with np.errstate(over="ignore"):
                return _moved(self.state, np.uint64(self._skip))
        return _traced_move()(self.state, np.uint64(self._skip))


def _moved(state: Any, blocks: Any) -> Any:
    counter = _add((state[2], state[3], state[4], state[5]), blocks)
    return xp(state).stack([state[0], state[1], *counter])


@functools.cache
def _traced_move() -> Any:
    return jax.jit(_moved)


def _apart(make: Callable[[Any], Any], state: Any) -> Any:
    # A branch of a conditional is a computation of its own, and the compiler can't know that this one is taken.
    like = jax.eval_shape(make, state)
    nothing = lambda _: jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), like)
    return lax.cond((state[2] & jnp.uint32(1)) < 2, make, nothing, state)


@functools.lru_cache(1024)
def _traced_once(make: Callable[[Any], Any], apart: bool) -> Any:
    return jax.jit(functools.partial(_apart, make) if apart else make)


@functools.lru_cache(1024)
def _numbers(numbers: Callable[[Words], Sequence[Any]], count: int) -> Callable[[Any], Any]:
    """A function of a stream's state that gives the first `count` numbers: see `Stream.draw`."""
    groups = _groups(numbers, count)
    return lambda state: interleaved(numbers(_first_blocks()(state, groups))).reshape(-1)[:count]


def _groups(numbers: Callable[[Words], Sequence[Any]], count: int) -> int:
    """How many blocks give `count` numbers."""
    nothing = np.zeros(1, np.uint32)
    return -(-count // len(numbers((nothing, nothing, nothing, nothing))))


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
    if isinstance(parts[0], np.ndarray):
        return np.stack(parts, axis=-1)
    shape = (parts[0].shape[0], len(parts))
    column = lax.broadcasted_iota(jnp.int32, shape, 1)
    out = jnp.broadcast_to(parts[-1][:, None], shape)
    for i in reversed(range(len(parts) - 1)):
        out = jnp.where(column == i, jnp.broadcast_to(parts[i][:, None], shape), out)
    return out


def uniform_float(words: Any) -> Any:
    """Words to float32 in [0, 1): 23 random bits as the mantissa of a number in [1, 2), less one."""
    bits = (words & np.uint32(0x7FFFFF)) | np.uint32(0x3F800000)
    return bits.view(np.float32) - np.float32(1.0)


def uniform_half(words: Any) -> Any:
    """Words to float16 in [0, 1): their lowest 10 bits as the mantissa."""
    bits = (words & np.uint32(0x3FF)).astype(np.uint16) | np.uint16(0x3C00)
    return bits.view(np.float16) - np.float16(1.0)


def uniform_bfloat16(words: Any) -> Any:
    """Words to bfloat16 in [0, 1): their lowest 7 bits as the mantissa."""
    bits = (words & np.uint32(0x7F)).astype(np.uint16) | np.uint16(0x3F80)
    kind = dtypes.bfloat16._as_numpy
    return bits.view(kind) - kind.type(1.0)


def uniform_double(low: Any, high: Any) -> Any:
    """Two words each to float64 in [0, 1): 20 bits of the first and the whole second are the mantissa."""
    man = ((low & np.uint32(0xFFFFF)).astype(np.uint64) << np.uint64(32)) | high.astype(np.uint64)
    return (man | np.uint64(0x3FF0000000000000)).view(np.float64) - 1.0


def sine_cosine(angle: Any) -> tuple[Any, Any]:
    """Sine and cosine of float32 angles of a few turns, to the last digit.

    One reduction to an eighth of a turn and the polynomials of the Cephes library (Moshier, 1989) serve both, and a CPU
    runs them on whole vectors, where it calls a function for each sine.
    """
    lib = xp(angle)
    quarter = lib.round(angle * np.float32(2 / np.pi))
    r = (angle.astype(np.float64) - quarter.astype(np.float64) * (np.pi / 2)).astype(np.float32)
    r2 = r * r
    sine = r + r * r2 * _polynomial(r2, -1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4)
    tail = _polynomial(r2, 4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5)
    cosine = np.float32(1) - np.float32(0.5) * r2 + r2 * r2 * tail
    turn = quarter.astype(np.int32)
    swap = (turn & 1) == 1
    s, c = lib.where(swap, cosine, sine), lib.where(swap, sine, cosine)
    return lib.where((turn & 2) != 0, -s, s), lib.where(((turn + 1) & 2) != 0, -c, c)


def _polynomial(x: Any, *coefficients: float) -> Any:
    total = np.float32(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = np.float32(c) + x * total
    return total


def box_muller(x0: Any, x1: Any) -> tuple[Any, Any]:
    """Two words to two independent standard normal float32 (Box and Muller, 1958)."""
    lib = xp(x0)
    u1 = lib.maximum(uniform_float(x0), np.float32(1.0e-7))
    # The product is rounded once, from float64, as in TensorFlow.
    v1 = (uniform_float(x1).astype(np.float64) * (2.0 * np.pi)).astype(np.float32)
    u2 = lib.sqrt(np.float32(-2.0) * lib.log(u1))
    s, c = sine_cosine(v1)
    return s * u2, c * u2


def box_muller_double(x0: Any, x1: Any, x2: Any, x3: Any) -> tuple[Any, Any]:
    """Four words to two independent standard normal float64."""
    lib = xp(x0)
    u1 = lib.maximum(uniform_double(x0, x1), 1.0e-7)
    v1 = 2.0 * np.pi * uniform_double(x2, x3)
    u2 = lib.sqrt(-2.0 * lib.log(u1))
    return lib.sin(v1) * u2, lib.cos(v1) * u2
