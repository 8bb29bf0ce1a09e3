"""The hash functions of TensorFlow's strings: FarmHash's fingerprint, SipHash-2-4, and the 64-bit Murmur of old.

Plain integer arithmetic modulo 2^64, so that equal strings get TensorFlow's own numbers and buckets.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_M = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_MURMUR = 0xC6A4A7935BD1E995


def _rotate(x: int, n: int) -> int:
    x &= _M
    return (x >> n | x << (64 - n)) & _M


def _mix(x: int) -> int:
    x &= _M
    return x ^ x >> 47


def _u64(s: bytes, at: int) -> int:
    return int.from_bytes(s[at : at + 8], "little")


def _u32(s: bytes, at: int) -> int:
    return int.from_bytes(s[at : at + 4], "little")


def _join(u: int, v: int, mul: int) -> int:
    a = _mix(((u ^ v) & _M) * mul)
    b = _mix(((v & _M) ^ a) * mul)
    return b * mul & _M


def fingerprint64(s: bytes) -> int:
    """FarmHash's Fingerprint64 of `s`, unsigned."""
    n = len(s)
    if n <= 16:
        return _upto16(s, n)
    if n <= 32:
        mul = _K2 + n * 2
        a, b = _u64(s, 0) * _K1, _u64(s, 8)
        c, d = _u64(s, n - 8) * mul, _u64(s, n - 16) * _K2
        return _join((_rotate(a + b, 43) + _rotate(c, 30) + d) & _M, (a + _rotate(b + _K2, 18) + c) & _M, mul)
    return _upto64(s, n) if n <= 64 else _longer(s, n)


def _upto16(s: bytes, n: int) -> int:
    mul = _K2 + n * 2
    if n >= 8:
        a, b = _u64(s, 0) + _K2, _u64(s, n - 8)
        return _join((_rotate(b, 37) * mul + a) & _M, (_rotate(a, 25) + b) * mul & _M, mul)
    if n >= 4:
        return _join(n + (_u32(s, 0) << 3), _u32(s, n - 4), mul)
    if n == 0:
        return _K2
    y, z = s[0] + (s[n >> 1] << 8), n + (s[n - 1] << 2)
    return _mix(y * _K2 & _M ^ z * _K0 & _M) * _K2 & _M


def _upto64(s: bytes, n: int) -> int:
    mul = _K2 + n * 2
    a, b = _u64(s, 0) * _K2, _u64(s, 8)
    c, d = _u64(s, n - 8) * mul, _u64(s, n - 16) * _K2
    y = (_rotate(a + b, 43) + _rotate(c, 30) + d) & _M
    z = _join(y, (a + _rotate(b + _K2, 18) + c) & _M, mul)
    e, f = _u64(s, 16) * mul, _u64(s, 24)
    g, h = (y + _u64(s, n - 32)) * mul, (z + _u64(s, n - 24)) * mul
    return _join((_rotate(e + f, 43) + _rotate(g, 30) + h) & _M, (e + _rotate(f + a, 18) + g) & _M, mul)


def _weak(s: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = struct.unpack_from("<4Q", s, at)
    a += w
    b = _rotate(b + a + z, 21)
    c = a
    a += x + y
    b += _rotate(a, 44)
    return (a + z) & _M, (b + c) & _M


def _longer(s: bytes, n: int) -> int:
    x, y = 81, (81 * _K1 + 113) & _M
    z = _mix(y * _K2 + 113) * _K2 & _M
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _u64(s, 0)) & _M
    for at in range(0, (n - 1) // 64 * 64, 64):
        x, y, z, v, w = _round(s, at, x, y, z, v, w, _K1, 1)
    mul = (_K1 + ((z & 0xFF) << 1)) & _M
    first = (w[0] + ((n - 1) & 63)) & _M
    v0 = (v[0] + first) & _M
    w = ((first + v0) & _M, w[1])
    x, y, z, v, w = _round(s, n - 64, x, y, z, (v0, v[1]), w, mul, 9)
    return _join(
        (_join(v[0], w[0], mul) + _mix(y) * _K0 + z) & _M, (_join(v[1], w[1], mul) + x) & _M, mul
    )  # fmt: skip


def _round(s: bytes, at: int, x: int, y: int, z: int, v: tuple, w: tuple, mul: int, times: int) -> tuple:
    x = _rotate(x + y + v[0] + _u64(s, at + 8), 37) * mul & _M
    y = _rotate(y + v[1] + _u64(s, at + 48), 42) * mul & _M
    x ^= w[1] * times & _M
    y = (y + v[0] * times + _u64(s, at + 40)) & _M
    z = _rotate(z + w[0], 33) * mul & _M
    v = _weak(s, at, v[1] * mul & _M, x + w[0])
    w = _weak(s, at + 32, z + w[1], y + _u64(s, at + 16))
    return z, y, x, v, w


def _hash16(u: int, v: int) -> int:
    return _join(u & _M, v & _M, 0x9DDFEA08EB382D69)


def fingerprint128(s: bytes) -> tuple[int, int]:
    """FarmHash's Fingerprint128 of `s`: the low and the high 64 bits, unsigned."""
    low, high = (_u64(s, 0), (_u64(s, 8) + _K0) & _M) if len(s) >= 16 else (_K0, _K1)
    s = s[16:] if len(s) >= 16 else s
    return _wide_upto127(s, low, high) if len(s) < 128 else _wide_longer(s, low, high)


def _wide_upto127(s: bytes, a: int, b: int) -> tuple[int, int]:
    n = len(s)
    if n <= 16:
        a = _mix(a * _K1) * _K1 & _M
        c = (b * _K1 + _upto16(s, n)) & _M
        d = _mix(a + (_u64(s, 0) if n >= 8 else c))
    else:
        c = _hash16(_u64(s, n - 8) + _K1, a)
        d = _hash16(b + n, c + _u64(s, n - 16))
        a = (a + d) & _M
        for at in range(0, n - 16, 16):
            a = (a ^ _mix(_u64(s, at) * _K1) * _K1 & _M) * _K1 & _M
            b ^= a
            c = (c ^ _mix(_u64(s, at + 8) * _K1) * _K1 & _M) * _K1 & _M
            d ^= c
    a, b = _hash16(a, c), _hash16(d, b)
    return a ^ b, _hash16(b, a)


def _wide_longer(s: bytes, x: int, y: int) -> tuple[int, int]:
    n = len(s)
    z = n * _K1 & _M
    v0 = (_rotate(y ^ _K1, 49) * _K1 + _u64(s, 0)) & _M
    v = (v0, (_rotate(v0, 42) * _K1 + _u64(s, 8)) & _M)
    w = ((_rotate(y + z, 35) * _K1 + x) & _M, _rotate(x + _u64(s, 88), 53) * _K1 & _M)
    whole = n // 128 * 128
    for at in range(0, whole, 64):
        x, y, z, v, w = _round(s, at, x, y, z, v, w, _K1, 1)
    x = (x + _rotate(v[0] + z, 49) * _K0) & _M
    y = (y * _K0 + _rotate(w[1], 37)) & _M
    z = (z * _K0 + _rotate(w[0], 27)) & _M
    w, v = (w[0] * 9 & _M, w[1]), (v[0] * _K0 & _M, v[1])
    for at in range(n - 32, whole - 32, -32):  # the rest from its end, in pieces that may reach back before it
        y = (_rotate(x + y, 42) * _K0 + v[1]) & _M
        w0 = (w[0] + _u64(s, at + 16)) & _M
        x = (x * _K0 + w0) & _M
        z = (z + w[1] + _u64(s, at)) & _M
        w = (w0, (w[1] + v[0]) & _M)
        v = _weak(s, at, (v[0] + z) & _M, v[1])
        v = (v[0] * _K0 & _M, v[1])
    x, y = _hash16(x, v[0]), _hash16(y + z, w[0])
    return (_hash16(x + v[1], w[1]) + y) & _M, _hash16(x + w[1], y + v[1])


def fingerprint_cat64(a: int, b: int) -> int:
    """One fingerprint of two, in order."""
    result = a ^ _MURMUR
    result ^= _mix(b * _MURMUR) * _MURMUR & _M
    result = result * _MURMUR & _M
    return _mix(_mix(result) * _MURMUR)


def hash64(s: bytes, seed: int = 0xDECAFCAFFE) -> int:
    """TensorFlow's Hash64 (Murmur), which StringToHashBucket uses."""
    n = len(s)
    h = (seed ^ n * _MURMUR) & _M
    whole = n // 8 * 8
    for at in range(0, whole, 8):
        k = _u64(s, at) * _MURMUR & _M
        k = (k ^ k >> 47) * _MURMUR & _M
        h = (h ^ k) * _MURMUR & _M
    if whole < n:
        h = (h ^ int.from_bytes(s[whole:], "little")) * _MURMUR & _M
    h = (h ^ h >> 47) * _MURMUR & _M
    return h ^ h >> 47


def siphash(key: Sequence[int], s: bytes) -> int:
    """SipHash-2-4 of `s` under a key of two 64-bit numbers (Aumasson and Bernstein, 2012)."""
    k0, k1 = (int(k) & _M for k in key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    padded = s + b"\0" * (7 - len(s) % 8) + bytes([len(s) & 0xFF])
    for (m,) in struct.iter_unpack("<Q", padded):
        v[3] ^= m
        _sip_round(v)
        _sip_round(v)
        v[0] ^= m
    v[2] ^= 0xFF
    for _ in range(4):
        _sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_round(v: list[int]) -> None:
    v[0] = (v[0] + v[1]) & _M
    v[1] = _rotate(v[1], 51) ^ v[0]
    v[0] = _rotate(v[0], 32)
    v[2] = (v[2] + v[3]) & _M
    v[3] = _rotate(v[3], 48) ^ v[2]
    v[0] = (v[0] + v[3]) & _M
    v[3] = _rotate(v[3], 43) ^ v[0]
    v[2] = (v[2] + v[1]) & _M
    v[1] = _rotate(v[1], 47) ^ v[2]
    v[2] = _rotate(v[2], 32)
