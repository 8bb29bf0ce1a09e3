"""Pictures of sound: spectrograms by the short-time Fourier transform, and mel-frequency cepstral coefficients.

Davis and Mermelstein, 1980, "Comparison of parametric representations for monosyllabic word recognition".
"""

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import float32, int32
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Static, op

_FLOOR = 1e-12  # of a band, before its logarithm


def _bins(window_size):
    return 1 + (1 << max(window_size - 1, 0).bit_length()) // 2


@op("AudioSpectrogram")
def audio_spectrogram(input: float32, *, window_size: int, stride: int, magnitude_squared: bool = False) -> float32:
    """[channels, windows, frequencies] of sound [samples, channels]: windows are periodic Hann ones, padded to a power of two."""
    if window_size < 2 or stride < 1:
        raise ValueError(f"Spectrogram initialization failed for window size {window_size} and stride {stride}")
    samples, channels = input.shape
    count = 1 + (samples - window_size) // stride if samples >= window_size else 0
    if not count:
        return jnp.zeros((channels, 0, _bins(window_size)), jnp.float32)
    at = stride * np.arange(count)[:, None] + np.arange(window_size)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window_size) / window_size)
    frames = jnp.transpose(input)[:, at].astype(jnp.float64) * window
    found = jnp.fft.rfft(frames, 2 * (_bins(window_size) - 1))
    squared = (jnp.square(found.real) + jnp.square(found.imag)).astype(jnp.float32)
    return squared if magnitude_squared else jnp.sqrt(squared)


@audio_spectrogram.shape_rule
def _(node):
    samples, channels = shapes.of_rank(node.inputs[0].dims, 2)
    size, stride = node.attrs["window_size"], node.attrs["stride"]
    count = None if samples is None or stride < 1 else max(0, 1 + (samples - size) // stride)
    return [(channels, count, _bins(size))]


audio_spectrogram.not_differentiable()


def _mel(frequency):
    return 1127.0 * np.log1p(frequency / 700.0)


def mel_bands(bins: int, rate: float, channels: int, low: float, high: float) -> np.ndarray:
    """[bins, channels]: triangles that overlap by half, equally wide on the mel scale; the constant part is left out."""
    bounds = (
        (channels < 1, "Number of filterbank channels must be positive"),
        (rate <= 0, "Sample rate must be positive"),
        (bins < 2, "Input length must greater than 1"),
        (low < 0, "Lower frequency limit must be nonnegative"),
        (high <= low, "Upper frequency limit must be greater than lower frequency limit"),
    )
    for wrong, message in bounds:
        if wrong:
            raise ValueError(f"Mfcc initialization failed: {message}")
    least = _mel(low)
    edges = least + (_mel(high) - least) / (channels + 1) * np.arange(channels + 2)
    width = 0.5 * rate / (bins - 1)
    first, last = int(1.5 + low / width), int(high / width)
    if last >= bins:
        raise ValueError(f"Mfcc: the upper frequency limit {high} is above half of the sample rate {rate}")
    out = np.zeros((bins, channels + 2))
    for i in range(first, last + 1):
        at = _mel(i * width)
        band = min(
            int(np.searchsorted(edges[1:], at, side="left")), channels
        )  # between edges[band] and edges[band + 1]
        falling = (edges[band + 1] - at) / (edges[band + 1] - edges[band])
        out[i, band] += falling
        out[i, band + 1] += 1.0 - falling
    return out[:, 1:-1]


@op("Mfcc")
def mfcc(
    spectrogram: float32,
    sample_rate: Static(int32),
    *,
    upper_frequency_limit: float = 4000.0,
    lower_frequency_limit: float = 20.0,
    filterbank_channel_count: int = 40,
    dct_coefficient_count: int = 13,
) -> float32:
    """[channels, windows, coefficients] of squared spectrograms: the cosine transform of the logarithms of mel bands."""
    count, channels = dct_coefficient_count, filterbank_channel_count
    if not 1 <= count <= channels:
        raise ValueError(f"Mfcc initialization failed: {count} coefficients of {channels} bands")
    rate = float(np.asarray(sample_rate))
    bands = mel_bands(spectrogram.shape[-1], rate, channels, lower_frequency_limit, upper_frequency_limit)
    angles = np.outer(np.arange(channels) + 0.5, np.arange(count)) * np.pi / channels
    energies = jnp.maximum(jnp.matmul(jnp.sqrt(spectrogram.astype(jnp.float64)), bands), _FLOOR)
    return jnp.matmul(jnp.log(energies), np.sqrt(2.0 / channels) * np.cos(angles)).astype(jnp.float32)


@mfcc.shape_rule
def _(node):
    dims = shapes.of_rank(node.inputs[0].dims, 3)
    shapes.of_rank(node.inputs[1].dims, 0)
    return [(dims[0], dims[1], node.attrs["dct_coefficient_count"])]


mfcc.not_differentiable()
