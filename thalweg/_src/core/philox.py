"""Philox 4x32-10, the counter-based generator of TensorFlow's random ops (Salmon et al., 2011, "Parallel random numbers: as
easy as 1, 2, 3", table 2 and figure 2).

A stream's state is six words: the key (2) and the counter (4), least significant first. Each random operation has one, kept
by the session like a variable, so that the hundredth run gives TensorFlow's hundredth numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core.lazy import jnp

_M0, _M1 = 0xD2511F53, 0xCD9E8D57
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10


def initial_state(seed: int, seed2: int) -> np.ndarray:
    """The state of a fresh stream: `seed` is the key, `seed2` the upper half of the counter."""
    words = [seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF, 0, 0, seed2 & 0xFFFFFFFF, (seed2 >> 32) & 0xFFFFFFFF]
    return np.array(words, np.uint32)


def _mul_hi_lo(a: int, b: Any) -> tuple[Any, Any]:
    product = b.astype(jnp.uint64) * jnp.uint64(a)
    return (product >> jnp.uint64(32)).astype(jnp.uint32), product.astype(jnp.uint32)


def rounds(key: tuple[Any, Any], counter: tuple[Any, Any, Any, Any]) -> tuple[Any, Any, Any, Any]:
    """Four random words for each counter: arrays of uint32 of one shape."""
    k0, k1 = key
    c0, c1, c2, c3 = counter
    for i in range(ROUNDS):
        hi0, lo0 = _mul_hi_lo(_M0, c0)
        hi1, lo1 = _mul_hi_lo(_M1, c2)
        c0, c1, c2, c3 = hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0
        if i + 1 < ROUNDS:
            k0 = k0 + jnp.uint32(_W0)
            k1 = k1 + jnp.uint32(_W1)
    return c0, c1, c2, c3


def _add(counter: tuple[Any, Any, Any, Any], low: Any) -> tuple[Any, Any, Any, Any]:
    """`counter` plus the uint64 array `low`, with carries through all 128 bits."""
    base = counter[0].astype(jnp.uint64) | (counter[1].astype(jnp.uint64) << jnp.uint64(32))
    total = base + low
    carry = (total < base).astype(jnp.uint32)
    c2 = counter[2] + carry
    c3 = counter[3] + ((c2 == 0) & (carry == 1)).astype(jnp.uint32)
    return total.astype(jnp.uint32), (total >> jnp.uint64(32)).astype(jnp.uint32), c2, c3


class Stream:
    """The stream of one random operation while its lowering runs: it gives blocks, and `finish` the state for the next run."""

    def __init__(self, state: Any):
        self.state = jnp.asarray(state)
        self._skip = 0

    @property
    def key(self) -> tuple[Any, Any]:
        return self.state[0], self.state[1]

    @property
    def counter(self) -> tuple[Any, Any, Any, Any]:
        return self.state[2], self.state[3], self.state[4], self.state[5]

    def reserve(self, outputs: int, multiplier: int = 256) -> None:
        """Move the next run past the blocks that TensorFlow reserves for so many outputs."""
        self._skip += outputs * multiplier

    def blocks(self, offsets: Any) -> tuple[Any, Any, Any, Any]:
        """Four arrays of words, for the blocks at `offsets` (uint64 array) from the start of this run."""
        return rounds(self.key, _add(self.counter, jnp.asarray(offsets, jnp.uint64)))

    def words(self, count: int) -> Any:
        """The first `count` words of this run, in order: uint32[count]."""
        groups = -(-count // 4)
        block = self.blocks(jnp.arange(groups, dtype=jnp.uint64))
        return jnp.stack(block, axis=-1).reshape(-1)[:count]

    def finish(self) -> Any:
        """The state after this run."""
        counter = _add(self.counter, jnp.uint64(self._skip))
        return jnp.stack([self.state[0], self.state[1], *counter])


def uniform_float(words: Any) -> Any:
    """Words to float32 in [0, 1): 23 random bits as the mantissa of a number in [1, 2), less one."""
    bits = (words & jnp.uint32(0x7FFFFF)) | jnp.uint32(0x3F800000)
    return bits.view(jnp.float32) - jnp.float32(1.0)


def uniform_double(low: Any, high: Any) -> Any:
    """Two words each to float64 in [0, 1): 20 bits of the first and the whole second are the mantissa."""
    man = ((low & jnp.uint32(0xFFFFF)).astype(jnp.uint64) << jnp.uint64(32)) | high.astype(jnp.uint64)
    return (man | jnp.uint64(0x3FF0000000000000)).view(jnp.float64) - 1.0


def box_muller(x0: Any, x1: Any) -> tuple[Any, Any]:
    """Two words to two independent standard normal float32 (Box and Muller, 1958)."""
    u1 = jnp.maximum(uniform_float(x0), jnp.float32(1.0e-7))
    v1 = jnp.float32(2.0 * np.pi) * uniform_float(x1)
    u2 = jnp.sqrt(jnp.float32(-2.0) * jnp.log(u1))
    return jnp.sin(v1) * u2, jnp.cos(v1) * u2


def box_muller_double(x0: Any, x1: Any, x2: Any, x3: Any) -> tuple[Any, Any]:
    """Four words to two independent standard normal float64."""
    u1 = jnp.maximum(uniform_double(x0, x1), 1.0e-7)
    v1 = 2.0 * np.pi * uniform_double(x2, x3)
    u2 = jnp.sqrt(-2.0 * jnp.log(u1))
    return jnp.sin(v1) * u2, jnp.cos(v1) * u2
