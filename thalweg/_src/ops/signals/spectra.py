"""Spectra of signals over time, cosine transforms, and the scale on which ears hear."""

import math as numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import float32, int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.late import array, math
from thalweg._src.ops.signals.fft import irfft, rfft
from thalweg._src.ops.signals.frames import frame, hann_window, known, overlap_and_add, scalar

# -- short-time Fourier transforms


def stft(
    signals: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable[..., Tensor] | None = hann_window,
    pad_end: bool = False,
    name: str | None = None,
) -> Tensor:
    """The Fourier transforms of windowed frames: [..., n] -> [..., frames, fft_length // 2 + 1], complex.

    `fft_length` is the next power of two of `frame_length` unless given.
    """
    with name_scope(name, "stft", [signals, frame_length, frame_step]):
        signals = to_tensor(signals, None, "signals")
        signals.shape.with_rank_at_least(1)
        frame_length, frame_step = scalar(frame_length, "frame_length"), scalar(frame_step, "frame_step")
        if fft_length is None:
            fft_length = _enclosing_power_of_two(frame_length)
        else:
            fft_length = to_tensor(fft_length, None, "fft_length")
        frames = frame(signals, frame_length, frame_step, pad_end=pad_end)
        if window_fn is not None:
            frames *= window_fn(frame_length, dtype=frames.dtype)
        return rfft(frames, [fft_length])


def _enclosing_power_of_two(value: Tensor) -> Tensor:
    n = known(value)
    if n is not None:
        return constant(int(2 ** np.ceil(np.log(n) / np.log(2.0))), value.dtype)
    exponent = math.ceil(math.log(math.cast(value, float32)) / math.log(2.0))
    return math.cast(math.pow(2.0, exponent), value.dtype)


def inverse_stft(
    stfts: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable[..., Tensor] | None = hann_window,
    name: str | None = None,
) -> Tensor:
    """The signals with these short-time Fourier transforms: [..., frames, bins] -> [..., n].

    They are those that went into `stft` where `window_fn` is `inverse_stft_window_fn` of the window there.
    """
    with name_scope(name, "inverse_stft", [stfts]):
        stfts = to_tensor(stfts, None, "stfts")
        stfts.shape.with_rank_at_least(2)
        frame_length, frame_step = scalar(frame_length, "frame_length"), scalar(frame_step, "frame_step")
        if fft_length is None:
            fft_length = _enclosing_power_of_two(frame_length)
        else:
            fft_length = scalar(fft_length, "fft_length")
        frames = _of_length(irfft(stfts, [fft_length]), frame_length)
        if window_fn is not None:
            frames *= window_fn(frame_length, dtype=stfts.dtype.real_dtype)
        return overlap_and_add(frames, frame_step)


def _of_length(frames: Tensor, length: Tensor) -> Tensor:
    """`frames` cut to `length` samples, or filled up with zeros."""
    n = known(length)
    have = None if frames.dims is None else frames.dims[-1]
    if n is None or have is None:
        frames = frames[..., :length]
        missing = math.maximum(0, length - array.shape(frames)[-1])
        outer = math.zeros([array.rank(frames) - 1, 2], dtype=length.dtype)
        frames = array.pad(frames, array.concat([outer, [[0, missing]]], 0))
    elif have > n:
        frames = frames[..., :n]
    elif have < n:
        frames = array.pad(frames, [[0, 0]] * (len(frames.dims) - 1) + [[0, n - have]])  # type: ignore[arg-type]
    if n is not None and frames.dims is not None:
        frames.set_shape([None] * (len(frames.dims) - 1) + [n])
    return frames


def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: Callable[..., Tensor] = hann_window, name: str | None = None
) -> Callable[..., Tensor]:
    """The window for `inverse_stft` that undoes `forward_window_fn`, whose overlaps add up to one."""
    with name_scope(name, "inverse_stft_window_fn", []):
        frame_step = scalar(frame_step, "frame_step")

    def window(frame_length: Any, dtype: Any) -> Tensor:
        with name_scope(name, "inverse_stft_window_fn", []):
            frame_length = scalar(frame_length, "frame_length")
            forward = forward_window_fn(frame_length, dtype=dtype)
            overlaps = -(-frame_length // frame_step)
            squares = array.pad(math.square(forward), [(0, overlaps * frame_step - frame_length)])
            squares = array.reshape(squares, [overlaps, frame_step])
            total = array.tile(math.reduce_sum(squares, 0, keepdims=True), [overlaps, 1])
            return forward / array.reshape(total, [overlaps * frame_step])[:frame_length]

    return window


# -- cosine transforms


def _check_dct(x: Tensor, kind: int, n: int | None, axis: int, norm: str | None) -> None:
    if axis != -1:
        raise NotImplementedError(f"axis must be -1. Got: {axis}")
    if n is not None and n < 1:
        raise ValueError("n should be a positive integer or None")
    if kind not in (1, 2, 3):
        raise ValueError("Only Types I, II and III (I)DCT are supported.")
    if norm not in (None, "ortho"):
        raise ValueError(f"Unknown normalization. Expected None or 'ortho', got: {norm}")
    if kind == 1:
        if norm == "ortho":
            raise ValueError("Normalization is not supported for the Type-I DCT.")
        size = x.shape[-1].value
        if size is not None and size < 2:
            raise ValueError("Type-I DCT requires the dimension to be greater than one.")


def _last(x: Tensor) -> Any:
    """The size of the last axis: a number, or a tensor where it is not known."""
    return x.shape[-1].value or array.shape(x)[-1]


def dct(
    input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Tensor:
    """The discrete cosine transform of type I, II or III over the last axis, cut or filled up with zeros to `n`.

    `norm` "ortho" makes types II and III orthonormal.
    """
    x = to_tensor(input, float32)
    _check_dct(x, type, n, axis, norm)
    with name_scope(name, "dct", [x]):
        if n is not None:
            x = _of_length(x, to_tensor(n, int32))
        size = _last(x)
        size_float = math.cast(size, float32)
        if type == 1:
            return math.real(rfft(array.concat([x, x[..., -2:0:-1]], axis=-1)))
        if type == 2:
            angle = -math.range(size_float) * numbers.pi * 0.5 / size_float
            turn = 2.0 * math.exp(math.complex(0.0, angle))
            y = math.real(rfft(x, fft_length=[2 * size])[..., :size] * turn)
            return y * _orthonormal(0.5 * math.rsqrt(size_float), 2.0, size) if norm == "ortho" else y
        x = x * (_orthonormal(math.sqrt(size_float), 0.5, size) if norm == "ortho" else size_float)
        angle = math.range(size_float) * numbers.pi * 0.5 / size_float
        turn = 2.0 * math.exp(math.complex(0.0, angle))
        return math.real(irfft(turn * math.complex(x, 0.0), fft_length=[2 * size]))[..., :size]


def _orthonormal(first: Tensor, factor: float, size: Any) -> Tensor:
    """The weights `first`, then `first` times the root of `factor`."""
    others = first * math.sqrt(factor)
    return array.pad(array.expand_dims(first, 0), [[0, size - 1]], constant_values=others)


def idct(
    input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Tensor:
    """The inverse of `dct` of that type, but for a factor of 2 n (of n - 1 for type I) unless `norm` is "ortho"."""
    _check_dct(to_tensor(input, float32), type, n, axis, norm)
    return dct(input, type={1: 1, 2: 3, 3: 2}[type], n=n, axis=axis, norm=norm, name=name)


# -- the mel scale: O'Shaughnessy, 1987, "Speech communication"


def _mel(hertz: Tensor) -> Tensor:
    return 1127.0 * math.log(1.0 + hertz / 700.0)


def linear_to_mel_weight_matrix(
    num_mel_bins: int = 20,
    num_spectrogram_bins: Any = 129,
    sample_rate: Any = 8000,
    lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0,
    dtype: Any = float32,
    name: str | None = None,
) -> Tensor:
    """The matrix [num_spectrogram_bins, num_mel_bins] that sums spectra over triangles, equally spaced in mel.

    Raises ValueError for edges out of order or above half of `sample_rate`.
    """
    with name_scope(name, "linear_to_mel_weight_matrix") as name:
        dtype = dtypes.as_dtype(dtype)
        if isinstance(sample_rate, Tensor):
            value = infer.constant_value(sample_rate)
            if value is None:
                raise ValueError("`sample_rate` was a non-constant Tensor. It must be a number or a constant Tensor.")
            sample_rate = value
        _check_mel(num_mel_bins, sample_rate, lower_edge_hertz, upper_edge_hertz, dtype)
        rate = to_tensor(sample_rate, dtype, "sample_rate")
        lowest = to_tensor(lower_edge_hertz, dtype, "lower_edge_hertz")
        highest = to_tensor(upper_edge_hertz, dtype, "upper_edge_hertz")
        zero = to_tensor(0.0, dtype)
        # The frequency 0 belongs to no triangle.
        frequencies = math.lin_space(zero, rate / 2.0, num_spectrogram_bins)[1:]
        bins = array.expand_dims(_mel(frequencies), 1)
        edges = math.lin_space(_mel(lowest), _mel(highest), num_mel_bins + 2)
        lower, center, upper = (array.reshape(edges[i : i + num_mel_bins], [1, num_mel_bins]) for i in range(3))
        rising = (bins - lower) / (center - lower)
        falling = (upper - bins) / (upper - center)
        weights = math.maximum(zero, math.minimum(rising, falling))
        return array.pad(weights, [[1, 0], [0, 0]], name=name)


def _check_mel(bins: int, rate: Any, lowest: float, highest: float, dtype: Any) -> None:
    if bins <= 0:
        raise ValueError(f"num_mel_bins must be positive. Got: {bins}")
    if rate <= 0.0:
        raise ValueError(f"sample_rate must be positive. Got: {rate}")
    if lowest < 0.0:
        raise ValueError(f"lower_edge_hertz must be non-negative. Got: {lowest}")
    if lowest >= highest:
        raise ValueError(f"lower_edge_hertz {lowest:.1f} >= upper_edge_hertz {highest:.1f}")
    if highest > rate / 2:
        raise ValueError(
            "upper_edge_hertz must not be larger than the Nyquist frequency (sample_rate / 2). "
            f"Got: {highest} for sample_rate: {rate}"
        )
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Got: {dtype}")


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """Mel-frequency cepstral coefficients: the cosine transform of logarithmic mel spectra [..., bins]."""
    with name_scope(name, "mfccs_from_log_mel_spectrograms", [log_mel_spectrograms]):
        x = to_tensor(log_mel_spectrograms, float32)
        bins: Any = None if x.dims is None else x.dims[-1] if x.dims else None
        if bins == 0:
            raise ValueError(f"num_mel_bins must be positive. Got: {x}")
        if bins is None:
            bins = array.shape(x)[-1]
        return dct(x, type=2) * math.rsqrt(math.cast(bins, float32) * 2.0)
