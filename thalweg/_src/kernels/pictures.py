"""Bilinear resizing of the pictures of an input pipeline, element by element, on the thread that makes the element.

NumPy takes several passes for it and an executable of XLA a dispatch; this is one call, without Python's lock, on the picture as it lies:
cut out of a larger one, mirrored, bytes or floats.
"""

import ctypes
import functools

import numpy as np

from thalweg._src.kernels import library
from thalweg._src.ops.images.resizing import linear_taps, resize_bilinear_op

LEAST = 1 << 12  # numbers in the result below which the plain lowering takes no longer
ENTRIES = {np.dtype(np.uint8): "thalweg_resize_bytes", np.dtype(np.float32): "thalweg_resize_floats"}


@functools.cache
def _entry(kind):
    """The function for pictures of `kind`, None where there is no library."""
    handle = library.opened()
    if handle is None:
        return None
    call = getattr(handle, ENTRIES[kind])
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    call.argtypes = [pointer, pointer, *[size] * 4, *[pointer] * 3, size, *[pointer] * 3, size, pointer]
    call.restype = None
    return call


@functools.lru_cache(256)
def _between(size, out, align_corners, half_pixel_centers):
    """The arrays of `linear_taps`, and what a kernel is told of them: three addresses and the length."""
    lower, upper, share = linear_taps(size, out, align_corners, half_pixel_centers)
    arrays = lower.astype(np.int32), upper.astype(np.int32), share.astype(np.float32)
    return arrays, (*[a.ctypes.data for a in arrays], out)


@resize_bilinear_op.on("host")
def _(images, size, *, align_corners=False, half_pixel_centers=False):
    if images.ndim != 4 or size.shape != (2,) or images.dtype not in ENTRIES or not images.size:
        return NotImplemented
    height, width = size.tolist()
    batch, rows, columns, channels = images.shape
    if height * width * channels < LEAST or height <= 0 or width <= 0 or (align_corners and half_pixel_centers):
        return NotImplemented
    item = images.itemsize
    call = _entry(images.dtype) if all(s % item == 0 for s in images.strides) else None
    if call is None:
        return NotImplemented
    _, down = _between(rows, height, align_corners, half_pixel_centers)
    _, along = _between(columns, width, align_corners, half_pixel_centers)
    out = np.empty((batch, height, width, channels), np.float32)
    step, *distances = [s // item for s in images.strides]
    start = images.ctypes.data
    reach = sum(max(s, 0) * (n - 1) for s, n in zip(images.strides, images.shape, strict=True))
    for i in range(batch):
        picture = start + i * step * item
        call(picture, start + reach + item, *distances, channels, *down, *along, out[i].ctypes.data)
    return out
