"""BMP files to arrays: uncompressed, 8, 24 or 32 bits per pixel."""

import struct

import numpy as np

from thalweg._src.formats.errors import InvalidArgument
from thalweg._src.formats.limits import limits


def read_bmp(data: bytes, channels: int = 0) -> np.ndarray:
    """uint8[height, width, channels]: grey, RGB or RGBA. `channels`, where not 0, must be what the file has.

    Raises InvalidArgument for that, and for a file that is cut short.
    """
    if len(data) < 32:
        raise InvalidArgument(
            "Incomplete bmp content, requires at least 32 bytes to find the header size, width, height, and bpp, "
            f"got {len(data)} bytes"
        )
    start, width, height = (struct.unpack_from("<i", data, at)[0] for at in (10, 18, 22))
    depth = struct.unpack_from("<i", data, 28)[0] // 8
    if channels and channels != depth:
        raise InvalidArgument(f"channels attribute {channels} does not match bits per pixel from file {depth}")
    if depth not in (1, 3, 4):
        raise InvalidArgument(f"Number of channels must be 1, 3 or 4, was {depth}")
    if width <= 0:
        raise InvalidArgument("Width must be positive")
    if height == 0:
        raise InvalidArgument("Height must be nonzero")
    if start < 0:
        raise InvalidArgument("header size must be nonnegative")
    rows = abs(height)
    if width * rows >= (1 << 31) // 8:
        raise InvalidArgument("Total possible pixel bytes must be less than 2^30")
    limits.check_picture(width, rows)
    stride = (depth * width + 3) // 4 * 4
    wanted = start + (rows - 1) * stride + width * depth
    if wanted > len(data):
        raise InvalidArgument(f"Incomplete bmp content, requires at least {wanted} bytes, got {len(data)} bytes")
    flat = np.zeros(rows * stride, np.uint8)
    content = np.frombuffer(data, np.uint8)[start : start + rows * stride]
    flat[: len(content)] = content
    pixels = flat.reshape(rows, stride)[:, : width * depth].reshape(rows, width, depth)
    if height > 0:  # the last row comes first
        pixels = pixels[::-1]
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[depth]
    return np.ascontiguousarray(pixels[:, :, order])
