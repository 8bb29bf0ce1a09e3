"""WAV files of 16-bit samples, from arrays."""

import struct

import numpy as np


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
