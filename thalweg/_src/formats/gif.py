"""GIF files to arrays (CompuServe, "Graphics Interchange Format, version 89a"): the frames as TensorFlow decodes them.

The canvas has the size of the largest frame. A frame that leaves a part of it free shows the frame before there;
transparency and disposal are ignored.
"""

import itertools

import numpy as np

from thalweg._src.formats.errors import DataLoss, InvalidArgument
from thalweg._src.formats.limits import limits


def read_gif(data: bytes) -> np.ndarray:
    """uint8[frames, height, width, 3]. Raises DataLoss for bytes that are no GIF, InvalidArgument for an odd first frame."""
    try:
        frames = list(_frames(data))
    except IndexError:
        raise DataLoss("a GIF that ends before its time", offset=len(data)) from None
    if not frames:
        raise InvalidArgument("gif file does not contain any image")
    height = max(pixels.shape[0] for _, _, pixels in frames)
    width = max(pixels.shape[1] for _, _, pixels in frames)
    out = np.zeros((len(frames), height, width, 3), np.uint8)
    for k, (top, left, pixels) in enumerate(frames):
        if (top, left, *pixels.shape[:2]) != (0, 0, height, width):
            if k == 0:
                raise InvalidArgument("the first frame does not fill the canvas")
            out[k] = out[k - 1]
        part = out[k, top : top + pixels.shape[0], left : left + pixels.shape[1]]
        part[:] = pixels[: part.shape[0], : part.shape[1]]
    return out


def _frames(data: bytes):
    """(top, left, uint8[height, width, 3]) of every frame."""
    if data[:3] != b"GIF":  # whatever the version, as in TensorFlow
        raise DataLoss("no GIF: the signature is missing", offset=0)
    flags = data[10]
    at, shared = _palette(data, 13, flags)
    frames = 0
    while True:
        kind = data[at]
        if kind == 0x3B:
            return
        if kind == 0x21:  # an extension: its label, then blocks
            at = _blocks(data, at + 2)[1]
            continue
        if kind != 0x2C:
            raise DataLoss(f"a GIF block of unknown kind {kind}", offset=at)
        left, top, width, height = (data[i] | data[i + 1] << 8 for i in range(at + 1, at + 9, 2))
        frames += 1
        limits.check_picture(frames, height, width)
        flags = data[at + 9]
        at, own = _palette(data, at + 10, flags)
        palette = shared if own is None else own
        if palette is None:
            raise InvalidArgument("missing color map for a frame")
        packed, end = _blocks(data, at + 1)
        indices = _unpacked(packed, data[at], width * height)
        if indices.max(initial=0) >= len(palette):
            raise InvalidArgument(f"color index {indices.max()} is outside of the color map of {len(palette)}")
        rows = palette[indices].reshape(height, width, 3)
        if flags & 0x40:
            rows = _interlaced(rows)
        yield top, left, rows
        at = end


def _palette(data: bytes, at: int, flags: int) -> tuple[int, np.ndarray | None]:
    """(where what follows begins, the colours [n, 3])."""
    if not flags & 0x80:
        return at, None
    size = 3 * 2 << (flags & 7)
    if at + size > len(data):
        raise DataLoss("a GIF whose colors are cut short")
    return at + size, np.frombuffer(data[at : at + size], np.uint8).reshape(-1, 3)


def _blocks(data: bytes, at: int) -> tuple[bytes, int]:
    """The content of a chain of blocks, and where it ends."""
    parts = []
    while data[at]:
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts), at + 1


def _interlaced(rows: np.ndarray) -> np.ndarray:
    out = np.empty_like(rows)
    order = itertools.chain.from_iterable(range(s, len(rows), n) for s, n in ((0, 8), (4, 8), (2, 4), (1, 2)))
    out[list(order)] = rows
    return out


def _unpacked(data: bytes, bits: int, count: int) -> np.ndarray:
    """`count` colour indices from LZW codes that begin with `bits` + 1 bits each. Raises DataLoss."""
    clear, end = 1 << bits, (1 << bits) + 1
    table: list[bytes] = []
    out = bytearray()
    size, held, have, last = bits + 1, 0, 0, b""
    for byte in data:
        held |= byte << have
        have += 8
        while have >= size:
            code = held & ((1 << size) - 1)
            held >>= size
            have -= size
            if code == clear:
                table = [bytes([i]) for i in range(clear)] + [b"", b""]
                size, last = bits + 1, b""
                continue
            if code == end or len(out) >= count:
                break
            if code < len(table):
                entry = table[code]
            elif code == len(table) and last:
                entry = last + last[:1]
            else:
                raise DataLoss("a GIF whose codes are damaged")
            out += entry
            if last and len(table) < 4096:
                table.append(last + entry[:1])
                if len(table) == 1 << size and size < 12:
                    size += 1
            last = entry
    if len(out) < count:
        raise DataLoss("a GIF whose picture is cut short")
    return np.frombuffer(bytes(out[:count]), np.uint8)
