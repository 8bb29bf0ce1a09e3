"""PNG files from arrays (W3C, "Portable Network Graphics", second edition): 8 or 16 bits, one pass, no palette."""

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by the number of channels: grey, grey + alpha, RGB, RGB + alpha


def write_png(image: np.ndarray, compression: int = -1) -> bytes:
    """The PNG of `image` [height, width, channels], uint8 or uint16, with 1 to 4 channels.

    `compression` is zlib's, 0 to 9; -1 is its default. Rows are stored as differences to their neighbours where that
    makes them smaller. Raises ValueError for another type, or another number of dimensions or channels.
    """
    if image.ndim != 3 or image.shape[2] not in COLOUR_TYPES or image.size == 0:
        raise ValueError(f"a PNG has height, width and 1 to 4 channels, not the shape {list(image.shape)}")
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"a PNG holds uint8 or uint16, not {image.dtype}")
    height, width, channels = image.shape
    bits = 8 * image.dtype.itemsize
    rows = np.ascontiguousarray(image.astype(image.dtype.newbyteorder(">"))).view(np.uint8).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, bits, COLOUR_TYPES[channels], 0, 0, 0)
    data = zlib.compress(_filtered(rows, channels * image.dtype.itemsize), compression)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _filtered(rows: np.ndarray, step: int) -> bytes:
    """Each row behind the number of its filter, the one whose differences are smallest; `step` bytes are one pixel."""
    above, left, corner = np.zeros_like(rows), np.zeros_like(rows), np.zeros_like(rows)
    above[1:], left[:, step:], corner[1:, step:] = rows[:-1], rows[:, :-step], rows[:-1, :-step]
    a, b, c = (x.astype(np.int16) for x in (left, above, corner))
    to_a, to_b, to_c = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    paeth = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    guesses = [np.zeros_like(a), a, b, (a + b) >> 1, paeth]
    choices = np.stack([rows - g.astype(np.uint8) for g in guesses])
    # The smaller sum of signed differences usually compresses better.
    cost = np.minimum(choices, -choices.astype(np.int16) & 0xFF).sum(axis=2, dtype=np.int64)
    best = cost.argmin(axis=0)
    out = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    out[:, 0] = best
    out[:, 1:] = choices[best, np.arange(len(rows))]
    return out.tobytes()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
