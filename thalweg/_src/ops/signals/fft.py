"""Fourier transforms: complex and real, over one, two or three inner axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import complex64, complex128, float32, int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.elementwise import same_shape

C = type_attr("Tcomplex", (complex64, complex128), complex64)


def _inner(x: Any, rank: int) -> tuple[int, ...]:
    if x.ndim < rank:
        raise ValueError(f"Input must have rank of at least {rank} but got: {list(x.shape)}")
    return tuple(range(-rank, 0))


def _transform(f: Any, x: Any, rank: int) -> Any:
    axes = _inner(x, rank)
    return f(x, axes=axes) if x.size else x


# -- complex


@op("FFT")
def fft(input: C) -> C:
    """The discrete Fourier transform over the last axis."""
    return _transform(jnp.fft.fftn, input, 1)


@op("IFFT")
def ifft(input: C) -> C:
    """The inverse of `fft`."""
    return _transform(jnp.fft.ifftn, input, 1)


@op("FFT2D")
def fft2d(input: C) -> C:
    """The discrete Fourier transform over the last two axes."""
    return _transform(jnp.fft.fftn, input, 2)


@op("IFFT2D")
def ifft2d(input: C) -> C:
    """The inverse of `fft2d`."""
    return _transform(jnp.fft.ifftn, input, 2)


@op("FFT3D")
def fft3d(input: C) -> C:
    """The discrete Fourier transform over the last three axes."""
    return _transform(jnp.fft.fftn, input, 3)


@op("IFFT3D")
def ifft3d(input: C) -> C:
    """The inverse of `fft3d`."""
    return _transform(jnp.fft.ifftn, input, 3)


def _complex_pair(forward: Any, inverse: Any, rank: int) -> None:
    """Shape rules and gradients of a transform and its inverse: each is the other's, but for a factor."""

    def rule(op):
        shapes.of_rank_at_least(op.inputs[0].dims, rank)
        return same_shape(op)

    forward.shape_rule(rule)
    inverse.shape_rule(rule)

    @forward.grad
    def _(op, g):
        size = math.cast(_size(g, rank), g.dtype)
        return inverse(g) * size

    @inverse.grad
    def _(op, g):
        share = math.cast(1.0 / math.cast(_size(g, rank), g.dtype.real_dtype), g.dtype)
        return forward(g) * share


def _size(x: Tensor, rank: int) -> Tensor:
    return math.reduce_prod(array.shape(x)[-rank:])


_complex_pair(fft, ifft, 1)
_complex_pair(fft2d, ifft2d, 2)
_complex_pair(fft3d, ifft3d, 3)


# -- real


def _lengths(x: Any, lengths: Any, rank: int, *, half: bool) -> tuple[int, ...]:
    """The sizes of the transform. Raises ValueError where `x` is too small for them."""
    if lengths.shape != (rank,):
        raise ValueError(f"fft_length must have shape [{rank}]")
    sizes = tuple(int(n) for n in lengths)
    for i, (n, have) in enumerate(zip(sizes, x.shape[x.ndim - rank :], strict=True)):
        if n < 0:
            raise ValueError(f"fft_length[{i}] must be non-negative, got {n}")
        need = n // 2 + 1 if half and i == rank - 1 else n
        if have and have < need:
            raise ValueError(f"Input dimension {i} must have length of at least {need} but got: {have}")
    return sizes


def _real_forward(x: Any, lengths: Any, rank: int) -> Any:
    axes = _inner(x, rank)
    sizes = _lengths(x, lengths, rank, half=False)
    outer = x.shape[: x.ndim - rank]
    if 0 in x.shape or 0 in sizes:
        return jnp.zeros((*outer, *sizes[:-1], sizes[-1] // 2 + 1 if sizes[-1] else 0), np.complex64)
    return jnp.fft.rfftn(x, sizes, axes)


def _real_inverse(x: Any, lengths: Any, rank: int) -> Any:
    axes = _inner(x, rank)
    sizes = _lengths(x, lengths, rank, half=True)
    if 0 in x.shape or 0 in sizes:
        return jnp.zeros((*x.shape[: x.ndim - rank], *sizes), np.float32)
    return jnp.fft.irfftn(x, sizes, axes)


@op("RFFT")
def _rfft(input: float32, fft_length: Static(int32)) -> complex64:
    """The first half of the Fourier transform of real numbers, over the last axis; the rest is its mirror."""
    return _real_forward(input, fft_length, 1)


@op("RFFT2D")
def _rfft2d(input: float32, fft_length: Static(int32)) -> complex64:
    """As RFFT over the last two axes."""
    return _real_forward(input, fft_length, 2)


@op("RFFT3D")
def _rfft3d(input: float32, fft_length: Static(int32)) -> complex64:
    """As RFFT over the last three axes."""
    return _real_forward(input, fft_length, 3)


@op("IRFFT")
def _irfft(input: complex64, fft_length: Static(int32)) -> float32:
    """The inverse of RFFT."""
    return _real_inverse(input, fft_length, 1)


@op("IRFFT2D")
def _irfft2d(input: complex64, fft_length: Static(int32)) -> float32:
    """The inverse of RFFT2D."""
    return _real_inverse(input, fft_length, 2)


@op("IRFFT3D")
def _irfft3d(input: complex64, fft_length: Static(int32)) -> float32:
    """The inverse of RFFT3D."""
    return _real_inverse(input, fft_length, 3)


_RANKS = {_rfft: 1, _rfft2d: 2, _rfft3d: 3, _irfft: 1, _irfft2d: 2, _irfft3d: 3}


def _real_rule(op):
    rank = _RANKS[op.opdef]
    x, lengths = op.inputs
    dims = shapes.of_rank_at_least(x.dims, rank)
    known = infer.constant_value(lengths)
    if lengths.dims is not None and lengths.dims != (rank,) and None not in lengths.dims:
        raise ValueError(f"fft_length must have shape [{rank}], got {shapes.text(lengths.dims)}")
    if dims is None:
        return [None]
    if known is None:
        return [(*dims[: len(dims) - rank], *(None,) * rank)]
    sizes = [int(n) for n in known]
    if op.outputs[0].dtype.is_complex:
        sizes[-1] = sizes[-1] // 2 + 1 if sizes[-1] else 0
    return [(*dims[: len(dims) - rank], *sizes)]


for _f in _RANKS:
    _f.shape_rule(_real_rule)


# -- public functions of the real transforms


def _padded(x: Tensor, rank: int, lengths: Tensor, *, half: bool) -> Tensor:
    """`x` with zeros behind its inner axes, where a transform of these lengths needs more than it has."""
    want = infer.partial_value(lengths)
    if x.dims is not None and 0 in x.dims:
        return x
    if want is not None and None not in want and x.dims is not None:
        have = x.dims[len(x.dims) - len(want) :]
        if None not in have:
            need = (*want[:-1], want[-1] // 2 + 1) if half else want  # type: ignore[operator]
            pads = [[0, max(n - d, 0)] for n, d in zip(need, have, strict=True)]  # type: ignore[operator]
            if not any(p for _, p in pads):
                return x
            return array.pad(x, [[0, 0]] * (len(x.dims) - len(want)) + pads)
    full_rank = array.rank(x)
    have = array.shape(x)[-rank:]
    outer = math.zeros([math.maximum(0, full_rank - rank)], lengths.dtype)
    if half:
        lengths = array.concat([lengths[:-1], lengths[-1:] // 2 + 1], 0)
    after = array.concat([outer, math.maximum(0, lengths - have)], 0)
    return array.pad(x, array.stack([math.zeros_like(after), after], axis=1))


def _forward_lengths(x: Tensor, rank: int) -> Tensor:
    have = None if x.dims is None else x.dims[len(x.dims) - rank :]
    if have is None or None in have:
        return array.shape(x)[-rank:]
    return to_tensor(list(have), int32)


def _inverse_lengths(x: Tensor, rank: int) -> Tensor:
    have = None if x.dims is None else x.dims[len(x.dims) - rank :]
    if have is None or None in have:
        sizes = array.unstack(array.shape(x)[-rank:], rank)
        sizes[-1] = math.maximum(0, 2 * (sizes[-1] - 1))
        return array.stack(sizes)
    return to_tensor([*have[:-1], max(0, 2 * (have[-1] - 1))], int32)  # type: ignore[operator]


def _real(f: Any, rank: int, default: str, x: Any, fft_length: Any, name: str | None, *, inverse: bool) -> Tensor:
    with name_scope(name, default, [x, fft_length]) as name:
        x = to_tensor(x, complex64 if inverse else float32)
        x.shape.with_rank_at_least(rank)
        if fft_length is not None:
            lengths = to_tensor(fft_length, int32)
        else:
            lengths = (_inverse_lengths if inverse else _forward_lengths)(x, rank)
        return f(_padded(x, rank, lengths, half=inverse), lengths, name=name)


def rfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The first half of the Fourier transform of real numbers over the last axis: [..., n] -> [..., n // 2 + 1].

    `fft_length`, a vector of one size, cuts the axis or fills it up with zeros first.
    """
    return _real(_rfft, 1, "rfft", input_tensor, fft_length, name, inverse=False)


def rfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """As `rfft`, over the last two axes."""
    return _real(_rfft2d, 2, "rfft2d", input_tensor, fft_length, name, inverse=False)


def rfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """As `rfft`, over the last three axes."""
    return _real(_rfft3d, 3, "rfft3d", input_tensor, fft_length, name, inverse=False)


def irfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `rfft`: [..., n] -> [..., 2 (n - 1)], or `fft_length`."""
    return _real(_irfft, 1, "irfft", input_tensor, fft_length, name, inverse=True)


def irfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `rfft2d`."""
    return _real(_irfft2d, 2, "irfft2d", input_tensor, fft_length, name, inverse=True)


def irfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `rfft3d`."""
    return _real(_irfft3d, 3, "irfft3d", input_tensor, fft_length, name, inverse=True)


# -- gradients of the real transforms


def _signs(n: Tensor) -> Tensor:
    """1, -1, 1, ... : the wave of the highest frequency."""
    return math.cast(1 - 2 * (math.range(n) % 2), complex64)


def _waves(n: Tensor) -> Tensor:
    """The matrix of the Fourier transform of `n` numbers."""
    row = array.tile(array.expand_dims(math.range(n), 0), (n, 1))
    products = math.cast(row * array.transpose(row, [1, 0]), complex64)
    return math.exp(-2j * np.pi * products / math.cast(n, complex64))


def _forward_grad(rank: int, inverse: Any) -> Any:
    """The gradient of a real transform: the inverse counts frequencies twice, but for the first and the middle one."""

    def grad(op, g):
        x, lengths = op.inputs
        shape = array.shape(x)
        is_even = math.cast(1 - lengths[-1] % 2, complex64)
        first, last = g[..., 0:1], g[..., -1:]
        if rank == 1:
            once = first + is_even * last * _signs(shape[-1])
        else:
            waves = _waves(shape[-2])
            ones = math.ones([array.rank(first) - 2], int32)
            waves = array.reshape(waves, array.concat([ones, array.shape(waves)], 0))
            waves = array.tile(waves, array.concat([array.shape(first)[:-2], [1, 1]], 0))
            middle = math.matmul(waves, math.conj(last))
            times = array.concat([math.ones([array.rank(g) - 1], int32), [shape[-1]]], 0)
            middle = array.tile(middle, times) * _signs(shape[-1])
            once = math.matmul(waves, math.conj(first)) + is_even * middle
        size = math.cast(_size(x, rank), float32)
        return 0.5 * (inverse(g, lengths) * size + math.real(once)), None

    return grad


def _inverse_grad(rank: int, forward: Any) -> Any:
    def grad(op, g):
        x, lengths = op.inputs
        is_odd = lengths[-1] % 2
        columns = array.shape(x)[-1]
        twice = 2.0 * math.ones([columns - 2 + is_odd])
        times = array.concat([[1.0], twice, math.ones([1 - is_odd])], 0)
        share = math.reciprocal(math.cast(_size(g, rank), float32))
        return forward(g, lengths) * math.cast(share * times, complex64), None

    return grad


_rfft.grad(_forward_grad(1, irfft))
_irfft.grad(_inverse_grad(1, rfft))
_rfft2d.grad(_forward_grad(2, irfft2d))
_irfft2d.grad(_inverse_grad(2, rfft2d))


# -- shifts


def _shift(x: Any, axes: Any, default: str, name: str | None, sign: int) -> Tensor:
    with name_scope(name, default) as name:
        x = to_tensor(x)
        if axes is None:
            axes = tuple(range(len(x.dims)))  # type: ignore[arg-type]
        if isinstance(axes, int):
            return array.roll(x, sign * (int(x.shape[axes]) // 2), axes, name=name)
        return array.roll(x, [sign * (int(x.shape[a]) // 2) for a in axes], axes, name=name)


def fftshift(x: Any, axes: int | Sequence[int] | None = None, name: str | None = None) -> Tensor:
    """The frequency 0 moved to the middle of `axes` (all unless given)."""
    return _shift(x, axes, "fftshift", name, 1)


def ifftshift(x: Any, axes: int | Sequence[int] | None = None, name: str | None = None) -> Tensor:
    """The inverse of `fftshift`."""
    return _shift(x, axes, "ifftshift", name, -1)
