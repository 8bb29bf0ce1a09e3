"""JPEGs by libjpeg-turbo itself, where the package simplejpeg is installed: TensorFlow's numbers to the last bit, and sooner.

What it does not take (CMYK) is left to Pillow, which is also asked first whether a file with damage can be read at all.
"""

import functools
from typing import Any

import numpy as np

from thalweg._src.formats.limits import limits

SPACES = {(0, "Gray"): "GRAY", (0, "YCbCr"): "RGB", (0, "RGB"): "RGB"}
SPACES |= {(n, kind): "GRAY" if n == 1 else "RGB" for n in (1, 3) for kind in ("Gray", "YCbCr", "RGB")}


@functools.cache
def _turbo() -> Any:
    try:
        import simplejpeg
    except ImportError:
        return None
    return simplejpeg


def decoded(
    data: bytes, channels: int, *, ratio: int = 1, fast: bool = True, fancy: bool = True, whole: bool = True
) -> np.ndarray | None:
    """uint8[height, width, 1 or 3], or None where Pillow is to be asked.

    `channels` is 0 as in the file, 1 or 3. `fast`: the quick cosine transform; `fancy`: colours smoothed where they are enlarged.
    `whole`: None for a file with damage, whose missing parts the library makes up otherwise. Raises TooLarge.
    """
    turbo = _turbo()
    if turbo is None:
        return None
    try:
        height, width, kind, _ = turbo.decode_jpeg_header(data, strict=whole)
    except ValueError:
        return None
    limits.check_picture(width, height)
    space = SPACES.get((channels, kind))
    if space is None:
        return None
    least = {} if ratio == 1 else {"min_height": -(-height // ratio), "min_width": -(-width // ratio)}
    try:
        return turbo.decode_jpeg(data, space, fastdct=fast, fastupsample=not fancy, strict=whole, **least)
    except ValueError:
        return None
