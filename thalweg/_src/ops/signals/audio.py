"""Sounds as strings: WAV files decoded and encoded, on the host. The time, and TensorFlow's example of an op."""

import time
from typing import Any

import numpy as np

from thalweg._src.core import errors, shapes
from thalweg._src.core.apply import check
from thalweg._src.core.dtypes import float32, float64, int32, string
from thalweg._src.core.opdef import Outputs, op
from thalweg._src.formats import wav
from thalweg._src.formats.errors import FormatError
from thalweg._src.ops.text.strings import texts


@op("DecodeWav", host=True)
def decode_wav(contents: string, *, desired_channels: int = -1, desired_samples: int = -1) -> Outputs(
    audio=float32, sample_rate=int32
):
    """(float32[samples, channels] in [-1, 1), samples per second) of a WAV file of 16-bit samples.

    With `desired_channels`, channels are left out or the first is repeated; with `desired_samples`, the sound is cut, or
    silence added. Raises InvalidArgumentError in the run.
    """
    check(contents.ndim == 0, lambda: f"contents must be scalar, got shape {list(contents.shape)}")
    try:
        audio, rate = wav.read_wav(contents.item())
    except FormatError as error:
        raise errors.InvalidArgumentError(None, None, str(error)) from None
    samples = len(audio) if desired_samples == -1 else desired_samples
    channels = audio.shape[1] if desired_channels == -1 else desired_channels
    out = np.zeros((samples, channels), np.float32)
    part = audio[:samples]
    for i in range(channels):
        out[: len(part), i] = part[:, min(i, audio.shape[1] - 1)]
    return out, np.int32(rate)


@decode_wav.shape_rule
def _(node):
    shapes.of_rank(node.inputs[0].dims, 0)
    for name in ("desired_channels", "desired_samples"):
        if node.attrs[name] < 0 and node.attrs[name] != -1:
            raise ValueError(f"{name} must be non-negative, got {node.attrs[name]}")
    sizes = [node.attrs[n] if node.attrs[n] >= 0 else None for n in ("desired_samples", "desired_channels")]
    return [tuple(sizes), ()]


@op("EncodeWav", host=True)
def encode_wav(audio: float32, sample_rate: int32) -> string:
    """The WAV file, of 16-bit samples, of float32[samples, channels] in [-1, 1]."""
    check(audio.ndim == 2, lambda: f"audio must be 2-dimensional{list(audio.shape)}")
    check(sample_rate.ndim == 0, lambda: f"sample_rate should be a scalar{list(sample_rate.shape)}")
    check(audio.shape[1] > 0, "num_channels must be positive")
    check(int(sample_rate) > 0, "sample_rate must be positive")
    return texts([wav.write_wav(audio, int(sample_rate))], ())


@encode_wav.shape_rule
def _(node):
    shapes.of_rank(node.inputs[0].dims, 2)
    shapes.of_rank(node.inputs[1].dims, 0)
    return [()]


for _op in (decode_wav, encode_wav):
    _op.not_differentiable()


# -- the op of tf.user_ops


@op("Fact")
def fact() -> string:
    """The text that TensorFlow's example of an op of one's own gives."""
    return np.array(b"0! == 1", object)


fact.shape_rule(lambda node: [None])
fact.not_differentiable()


def my_fact() -> Any:
    """A string: the example of tf.user_ops."""
    return fact()


# -- the time


@op("Timestamp", host=True, stateful=True, foldable=False)
def timestamp() -> float64:
    """Seconds since 1970, when the operation runs."""
    return np.float64(time.time())


timestamp.shape_rule(lambda node: [()])
timestamp.not_differentiable()
