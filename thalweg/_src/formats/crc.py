"""The checksum of TensorFlow's files: CRC-32C, masked where it is stored beside the data that it covers."""

import google_crc32c
import numpy as np

DELTA = 0xA282EAD8
CHUNK = 1 << 26

value = google_crc32c.value  # of bytes or a contiguous array of bytes; a memoryview is refused by google_crc32c


def extend(crc: int, data: bytes | memoryview | np.ndarray) -> int:
    """The CRC-32C of what had `crc` with `data` behind it."""
    if isinstance(data, memoryview):
        data = np.frombuffer(data, np.uint8)
    if len(data) <= CHUNK:
        return google_crc32c.extend(crc, data)
    for at in range(0, len(data), CHUNK):
        crc = google_crc32c.extend(crc, data[at : at + CHUNK])
    return crc


def mask(crc: int) -> int:
    """`crc` as it is stored: rotated and shifted, so that a CRC over data that hold CRCs stays good."""
    return ((crc >> 15 | crc << 17) + DELTA) & 0xFFFFFFFF


def masked(data: bytes) -> int:
    """The CRC-32C of `data` as it is stored."""
    return mask(value(data))


def unmask(stored: int) -> int:
    """The CRC-32C that `stored` stands for."""
    rotated = (stored - DELTA) & 0xFFFFFFFF
    return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF
