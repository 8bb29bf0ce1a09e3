"""JPEG and PNG files to arrays and back, by Pillow, which is imported on use. 16-bit PNGs are read here.

What comes out is what TensorFlow's decoders give, but for the last bits of JPEGs that Pillow decodes (`jpeg.py` tells when): TensorFlow
asks libjpeg for its fast cosine transform, Pillow for the accurate one.
"""

import io
import struct
import threading
import zlib
from typing import Any

import numpy as np

from thalweg._src.formats import jpeg
from thalweg._src.formats.errors import DataLoss, FormatError, Unimplemented
from thalweg._src.formats.limits import TooLarge, limits
from thalweg._src.formats.png import COLOUR_TYPES, SIGNATURE

_recovering = threading.Lock()  # Pillow's switch for truncated files is global


def _pillow() -> Any:
    try:
        import PIL.Image
        import PIL.ImageFile
    except ModuleNotFoundError:
        raise Unimplemented("reading and writing pictures needs Pillow: pip install pillow") from None
    return PIL


def _opened(data: bytes, kind: str) -> Any:
    """Pillow's image of a file whose header says that it is not too large. Raises TooLarge, or what Pillow raises."""
    image_module = _pillow().Image
    try:
        image = image_module.open(io.BytesIO(data), formats=(kind,))
    except image_module.DecompressionBombError as error:
        raise TooLarge(f"{error} PIL.Image.MAX_IMAGE_PIXELS sets that limit.") from None
    limits.check_picture(*image.size)
    return image


def format_of(data: bytes) -> str:
    """'JPEG', 'PNG', 'GIF' or '' for what begins like none of them."""
    starts = {b"\xff\xd8\xff": "JPEG", SIGNATURE: "PNG", b"GIF8": "GIF"}
    return next((kind for start, kind in starts.items() if data.startswith(start)), "")


# -- JPEG


def read_jpeg(
    data: bytes, channels: int = 0, *, ratio: int = 1, recover: bool = False, fast: bool = True, fancy: bool = True
) -> np.ndarray:
    """uint8[height, width, channels]; `channels` 0 as in the file, 1 grey, 3 RGB; sizes divided by `ratio`, rounded up.

    `recover`: grey in the place of what is cut off. `fast` and `fancy` as in `jpeg.decoded`; Pillow is accurate and fancy.
    Raises DataLoss.
    """
    quick = jpeg.decoded(data, channels, ratio=ratio, fast=fast, fancy=fancy)
    if quick is not None:
        return quick
    slow = _by_pillow(data, channels, ratio, recover)
    damaged = jpeg.decoded(data, channels, ratio=ratio, fast=fast, fancy=fancy, whole=False)
    return slow if damaged is None or damaged.shape != slow.shape else damaged


def _by_pillow(data: bytes, channels: int, ratio: int, recover: bool) -> np.ndarray:
    pil = _pillow()
    try:
        image = _opened(data, "JPEG")
        grey = channels == 1 or (channels == 0 and image.mode == "L")
        if grey and image.mode == "CMYK":
            raise ValueError("no conversion from CMYK to grey")
        wanted = tuple(-(-n // ratio) for n in image.size)
        if ratio > 1 or (grey and image.mode != "L"):
            image.draft("L" if grey else image.mode, tuple(max(n // ratio, 1) for n in image.size))
        if recover:
            with _recovering:
                pil.ImageFile.LOAD_TRUNCATED_IMAGES = True
                try:
                    image.load()
                finally:
                    pil.ImageFile.LOAD_TRUNCATED_IMAGES = False
        else:
            image.load()
    except FormatError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        raise DataLoss(f"Invalid JPEG data or crop window, data size {len(data)}: {error}") from None
    if image.size != wanted:  # too small for the decoder's own scaling
        image = image.reduce(ratio)
    if image.mode == "CMYK":
        c, m, y, k = np.moveaxis(255 - np.asarray(image).astype(np.int32), -1, 0)
        return np.stack([c * k // 255, m * k // 255, y * k // 255], -1).astype(np.uint8)
    mode = "L" if grey else "RGB"
    pixels = np.array(image if image.mode == mode else image.convert(mode))
    return pixels[..., None] if grey else pixels


def jpeg_shape(data: bytes) -> tuple[int, int, int]:
    """(height, width, channels) from the header alone. Raises DataLoss."""
    try:
        image = _opened(data, "JPEG")
    except (OSError, SyntaxError) as error:
        raise DataLoss(f"Invalid JPEG data, size {len(data)}: {error}") from None
    return image.size[1], image.size[0], len(image.getbands())


def write_jpeg(
    image: np.ndarray,
    *,
    quality: int = 95,
    progressive: bool = False,
    optimize: bool = False,
    downsample: bool = True,
    density: tuple[int, int] = (300, 300),
    xmp: bytes = b"",
) -> bytes:
    """The JPEG of uint8[height, width, 1 or 3]. `density` is in dots per inch."""
    pixels = image[..., 0] if image.shape[-1] == 1 else image
    out = io.BytesIO()
    more = {"xmp": xmp} if xmp else {}
    _pillow().Image.fromarray(pixels).save(
        *(out, "JPEG"),
        quality=quality,
        progressive=progressive,
        optimize=optimize,
        subsampling=2 if downsample else 0,
        dpi=density,
        **more,
    )
    return out.getvalue()


# -- PNG


def read_png(data: bytes, channels: int = 0, bits: int = 8) -> np.ndarray:
    """uint8 (or uint16 for `bits` 16) [height, width, channels]; `channels` 0 as in the file, 1 grey, 3 RGB, 4 RGBA.

    Numbers of the other width are scaled. Raises DataLoss.
    """
    if len(data) < 33 or not data.startswith(SIGNATURE):
        raise DataLoss(f"Invalid PNG header, data size {len(data)}")
    _check_chunks(data)
    try:
        pixels, gamma = _deep(data) if data[24] == 16 else _shallow(data, channels)
    except FormatError:
        raise
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error) as error:
        raise DataLoss(f"Invalid PNG data, size {len(data)}: {error}") from None
    pixels = _with_channels(pixels, channels, gamma)
    if bits == 8:
        return (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels
    return pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint16) * np.uint16(257)


def _check_chunks(data: bytes) -> None:
    """Raises DataLoss where a chunk that the pixels depend on does not match its checksum, or the file ends before its last chunk."""
    at, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        size = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        end = at + 8 + size
        if end + 4 > len(data):
            raise DataLoss(f"Invalid PNG data, size {len(data)}: the file ends within the chunk at {at}", offset=at)
        needed = not kind[0] & 0x20  # a small first letter: decoders may do without it
        if needed and zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise DataLoss(
                f"Invalid PNG data, size {len(data)}: the chunk at {at} does not match its checksum", offset=at
            )
        at = end + 4


def _shallow(data: bytes, channels: int) -> tuple[np.ndarray, float]:
    """The pixels of a file of 8 bits or fewer (grey, grey and alpha, RGB or RGBA), and its gamma."""
    image = _opened(data, "PNG")
    image.load()
    transparent = "transparency" in image.info
    gamma = 0.45455 if "srgb" in image.info else image.info.get("gamma", 1.0)
    if image.mode == "P":
        image = image.convert("RGBA" if transparent else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    if transparent and channels == 4 and image.mode in ("L", "RGB"):
        image = image.convert("RGBA")
    pixels = np.array(image)
    return pixels if pixels.ndim == 3 else pixels[..., None], gamma


def _grey(colour: np.ndarray, gamma: float) -> np.ndarray:
    """The luminance of RGB as libpng computes it: of light where the file says its gamma, in 8 bits."""
    weights = np.array([9798, 19235, 3735])  # 0.299, 0.587 and 0.114 of 2^15
    if colour.dtype == np.uint16:
        return ((colour.astype(np.int64) @ weights + 16384) >> 15).astype(np.uint16)
    if abs(gamma - 1) <= 0.05:
        return ((colour.astype(np.int64) @ weights) >> 15).astype(np.uint8)
    levels = np.arange(256) / 255
    to_light = np.floor(levels ** (1 / gamma) * 255 + 0.5).astype(np.int64)
    from_light = np.floor(levels**gamma * 255 + 0.5).astype(np.uint8)
    mixed = from_light[(to_light[colour] @ weights + 16384) >> 15]
    return np.where((colour == colour[..., :1]).all(-1), colour[..., 0], mixed)


def _with_channels(pixels: np.ndarray, channels: int, gamma: float) -> np.ndarray:
    have = pixels.shape[-1]
    if channels in (0, have):
        return pixels
    if channels % 2 == 0 and have % 2:
        alpha = np.full((*pixels.shape[:2], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
    else:
        alpha = pixels[..., have - 1 :] if channels % 2 == 0 else pixels[..., :0]
    colour = pixels[..., : have - (have + 1) % 2]
    if channels < 3 and colour.shape[-1] == 3:
        colour = _grey(colour, gamma)[..., None]
    elif channels >= 3 and colour.shape[-1] == 1:
        colour = np.repeat(colour, 3, -1)
    return np.concatenate([colour, alpha], -1)


PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def _deep(data: bytes) -> tuple[np.ndarray, float]:
    """The pixels of a file of 16 bits, which Pillow reads as 8, and its gamma, taken as 1."""
    width, height, _, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    limits.check_picture(width, height)
    channels = {kind: n for n, kind in COLOUR_TYPES.items()}.get(colour)
    if channels is None:
        raise ValueError(f"16 bits with colour type {colour}")
    packed, at = [], 8
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            packed.append(data[at + 8 : at + 8 + size])
        at += size + 12
    raw = zlib.decompress(b"".join(packed))
    out = np.zeros((height, width, channels), np.uint16)
    at = 0
    for top, left, down, along in PASSES if interlaced else ((0, 0, 1, 1),):
        part = out[top::down, left::along]
        if part.size:
            rows, at = _unfiltered(raw, at, part.shape[0], part.shape[1] * channels * 2, channels * 2)
            part[:] = rows.view(">u2").reshape(part.shape)
    return out, 1.0


def _unfiltered(raw: bytes, at: int, rows: int, size: int, step: int) -> tuple[np.ndarray, int]:
    """(uint8[rows, size], where the next pass begins); `step` bytes are one pixel. PNG's section 9 tells the filters."""
    if len(raw) < at + rows * (size + 1):
        raise ValueError("the pixels are cut short")
    out = np.zeros((rows, size), np.uint8)
    above = np.zeros(size, np.uint8)
    for i in range(rows):
        kind, line = raw[at], np.frombuffer(raw, np.uint8, size, at + 1)
        at += size + 1
        if kind == 0:
            out[i] = line
        elif kind == 1:
            out[i] = np.cumsum(line.reshape(-1, step), 0, dtype=np.uint8).reshape(-1)
        elif kind == 2:
            out[i] = line + above
        elif kind in (3, 4):
            out[i] = _by_neighbours(kind, line.tolist(), above.tolist(), step)
        else:
            raise ValueError(f"no such filter: {kind}")
        above = out[i]
    return out, at


def _by_neighbours(kind: int, line: list[int], above: list[int], step: int) -> list[int]:
    """The filters that need the byte to the left, byte by byte: 3 the mean, 4 Paeth's predictor."""
    out = [0] * len(line)
    for j, byte in enumerate(line):
        a, b = (out[j - step] if j >= step else 0), above[j]
        if kind == 3:
            guess = (a + b) >> 1
        else:
            c = above[j - step] if j >= step else 0
            near = abs(b - c), abs(a - c), abs(a + b - 2 * c)
            guess = a if near[0] <= near[1] and near[0] <= near[2] else b if near[1] <= near[2] else c
        out[j] = (byte + guess) & 0xFF
    return out
