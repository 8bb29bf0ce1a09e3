"""WAV files of 16-bit samples, from and to arrays."""

import struct

import numpy as np

from thalweg._src.formats.errors import DataLoss, Unimplemented


def write_wav(samples: np.ndarray, sample_rate: int) -> bytes:
    """The WAV file of `samples` [frames, channels], floats of which -1 and 1 are the loudest; what is louder is cut."""
    frames, channels = samples.shape
    scaled = samples.astype(np.float32) * np.float32(32768)
    rounded = np.copysign(np.floor(np.abs(scaled) + np.float32(0.5)), scaled)  # halves away from zero
    data = np.clip(rounded, -32768, 32767).astype("<i2").tobytes()
    align = 2 * channels
    head = struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE")
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, sample_rate, sample_rate * align, align, 16)
    return head + form + struct.pack("<4sI", b"data", len(data)) + data


def read_wav(data: bytes) -> tuple[np.ndarray, int]:
    """(float32[frames, channels] in [-1, 1), samples per second) of a WAV file of 16-bit samples.

    Raises DataLoss for what is no WAV file, Unimplemented for samples of another kind.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise DataLoss("Header mismatch: Expected RIFF and WAVE")
    at, form = 12, None
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if kind == b"fmt ":
            if size not in (16, 18):
                raise DataLoss(f"Bad size for WAV format chunk: Expected 16 or 18, but got {size}")
            if at + size > len(data):
                raise DataLoss(f"Data too short when trying to read the format: {len(data) - at} of {size} bytes")
            form = struct.unpack_from("<HHIIHH", data, at)
        elif kind == b"data":
            if form is None:
                raise DataLoss("the samples come before their format")
            coding, channels, rate, _, align, bits = form
            if coding != 1 or bits != 16:
                raise Unimplemented(
                    f"Can only read 16-bit WAV files of PCM, but received {bits} bits of coding {coding}"
                )
            if align != 2 * channels or not channels:
                raise DataLoss(f"Bad bytes per sample in WAV header: {align} for {channels} channels")
            if at + size > len(data):
                raise DataLoss(f"Data too short when trying to read the samples: {len(data) - at} of {size} bytes")
            # What is left behind the last whole frame is no sample.
            samples = np.frombuffer(data, "<i2", size // align * channels, at).reshape(-1, channels)
            return samples.astype(np.float32) * np.float32(1 / 32768), rate
        at += size + size % 2
    raise DataLoss("a WAV file without samples")
