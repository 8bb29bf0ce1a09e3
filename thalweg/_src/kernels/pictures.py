"""Bilinear resizing of the pictures of an input pipeline, element by element, on the thread that makes the element.

NumPy takes several passes for it and an executable of XLA a dispatch; this is one call, without Python's lock, on the picture as it lies:
cut out of a larger one, mirrored, bytes or floats.
"""

import ctypes
import functools

import numpy as np

from thalweg._src.core import laying
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


@functools.lru_cache(1024)
def _planned(kind, shape, strides, height, width, align_corners, half_pixel_centers):
    """How pictures that lie so are resized, None where the plain lowering is to be asked.

    The function, the shape of the result, and for each picture where it begins, where its memory ends, what else the function is told,
    and where the result goes, in bytes from the first number on. Last the arrays whose addresses the function is told.
    """
    item = kind.itemsize
    call = _entry(kind) if all(s % item == 0 for s in strides) else None
    if call is None:
        return None
    batch, rows, columns, channels = shape
    rows_of, down = _between(rows, height, align_corners, half_pixel_centers)
    columns_of, along = _between(columns, width, align_corners, half_pixel_centers)
    step, *distances = strides
    end = sum(max(s, 0) * (n - 1) for s, n in zip(strides, shape, strict=True)) + item
    more = (*[s // item for s in distances], channels, *down, *along)
    size = height * width * channels * 4
    pictures = [(i * step, end, more, i * size) for i in range(batch)]
    return call, (batch, height, width, channels), pictures, (rows_of, columns_of)


@resize_bilinear_op.on("host")
def _(images, size, *, align_corners=False, half_pixel_centers=False):
    if images.ndim != 4 or size.shape != (2,) or images.dtype not in ENTRIES or not images.size:
        return NotImplemented
    height, width = size.tolist()
    if height * width * images.shape[3] < LEAST or height <= 0 or width <= 0 or (align_corners and half_pixel_centers):
        return NotImplemented
    plan = _planned(images.dtype, images.shape, images.strides, height, width, align_corners, half_pixel_centers)
    if plan is None:
        return NotImplemented
    call, dims, pictures, _ = plan
    out = laying.empty(dims, np.float32)
    start, to = images.__array_interface__["data"][0], out.__array_interface__["data"][0]
    for at, end, more, place in pictures:
        call(start + at, start + end, *more, to + place)
    return out
