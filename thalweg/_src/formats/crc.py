"""The checksum of TensorFlow's files: CRC-32C, masked where it is stored beside the data that it covers."""

from google_crc32c import extend, value

__all__ = ["extend", "masked", "unmask", "value"]

DELTA = 0xA282EAD8


def masked(data: bytes) -> int:
    """The CRC-32C of `data` as it is stored: rotated and shifted, so that a CRC over data that hold CRCs stays good."""
    crc = value(data)
    return ((crc >> 15 | crc << 17) + DELTA) & 0xFFFFFFFF


def unmask(stored: int) -> int:
    """The CRC-32C that `stored` stands for."""
    rotated = (stored - DELTA) & 0xFFFFFFFF
    return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF
