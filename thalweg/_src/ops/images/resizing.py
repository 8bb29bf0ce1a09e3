"""Resizing images: nearest, bilinear, bicubic and area interpolation, with TensorFlow's own coordinates.

Every method but nearest is a weighted sum of a few rows, then of a few columns. Sizes are known while tracing, so the
indices ("taps") and weights are NumPy arrays, computed in float32 as TensorFlow's kernels compute them.
"""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import check
from thalweg._src.core.dtypes import (
    bfloat16,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
)
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.ops.images.taps import gathered, mixed, transposed
from thalweg._src.ops.late import array

NUMBERS = (int8, uint8, int16, uint16, int32, int64, float16, float32, float64)
T = type_attr("T", NUMBERS)
TB = type_attr("T", (int8, uint8, int16, uint16, int32, int64, bfloat16, float16, float32, float64))
G = type_attr("T", (float32, bfloat16, float16, float64))
GC = type_attr("T", (float32, float64))
GN = type_attr("T", (uint8, int8, int32, float16, float32, float64))
F = np.float32
TABLE = 1 << 10  # bicubic weights are looked up in steps of 1/1024


# -- where output pixels lie in the input


def scale_of(size: int, out: int, align_corners: bool) -> Any:
    """Input pixels per output pixel, a float32."""
    return F(size - 1) / F(out - 1) if align_corners and out > 1 else F(size) / F(out)


def places(size: int, out: int, align_corners: bool, half_pixel_centers: bool) -> np.ndarray:
    """float32[out]: the input coordinate of every output pixel."""
    x = np.arange(out, dtype=F)
    scale = scale_of(size, out, align_corners)
    return (x + F(0.5)) * scale - F(0.5) if half_pixel_centers else x * scale


def linear_taps(size: int, out: int, align_corners: bool, half_pixel_centers: bool) -> tuple[np.ndarray, ...]:
    """(lower, upper, weight of the upper one) of every output pixel."""
    at = places(size, out, align_corners, half_pixel_centers)
    low = np.floor(at)
    lower = np.maximum(low.astype(np.int64), 0)
    upper = np.minimum(np.ceil(at).astype(np.int64), size - 1)
    return lower, upper, at - low


def nearest_taps(size: int, out: int, align_corners: bool, half_pixel_centers: bool) -> np.ndarray:
    """int64[out]: the input pixel of every output pixel."""
    x = np.arange(out, dtype=F)
    at = (x + F(0.5) if half_pixel_centers else x) * scale_of(size, out, align_corners)
    # C's roundf: halves away from zero.
    picked = np.floor(at + F(0.5)) if align_corners else np.floor(at)
    return np.clip(picked.astype(np.int64), 0, size - 1)


def cubic_table(a: float) -> np.ndarray:
    """float32[1025, 2]: the cubic convolution kernel (Keys, 1981) at distance x and 1 + x, for x in steps of 1/1024."""
    x = (np.arange(TABLE + 1) / TABLE).astype(F).astype(np.float64)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    x = x + 1.0
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.stack([near, far], -1).astype(F)


def cubic_taps(size: int, out: int, align_corners: bool, half_pixel_centers: bool) -> tuple[np.ndarray, np.ndarray]:
    """(indices [out, 4], weights [out, 4]). With half-pixel centers, taps outside of the image have no weight."""
    at = places(size, out, align_corners, half_pixel_centers)
    low = np.floor(at)
    step = np.rint((at - low) * F(TABLE)).astype(np.int64)
    table = cubic_table(-0.5 if half_pixel_centers else -0.75)
    weights = np.stack([table[step, 1], table[step, 0], table[TABLE - step, 0], table[TABLE - step, 1]], -1)
    wanted = low.astype(np.int64)[:, None] + np.arange(-1, 3)
    indices = np.clip(wanted, 0, size - 1)
    if half_pixel_centers:
        weights = np.where(indices == wanted, weights, F(0))
        total = weights.sum(-1, dtype=F, keepdims=True)
        usable = np.abs(total) >= 1000 * np.finfo(F).tiny
        weights = np.where(usable, weights * (F(1) / np.where(usable, total, F(1))), weights)
    return indices, weights.astype(F)


def area_taps(size: int, out: int, align_corners: bool) -> tuple[np.ndarray, np.ndarray]:
    """(indices [out, k], weights [out, k]): the share of each input pixel that an output pixel covers."""
    scale = scale_of(size, out, align_corners)
    x = np.arange(out + 1, dtype=F)
    start, end = (x[:-1] * scale)[:, None], (x[1:] * scale)[:, None]
    first, last = np.floor(start).astype(np.int64), np.ceil(end).astype(np.int64)
    v = first + np.arange(max(int((last - first).max()), 1))
    begun, over = v.astype(F) < start, (v + 1).astype(F) > end
    # Inside: 1. Cut off on the left, on the right, or on both sides.
    part = np.where(
        begun,
        np.where(over, scale, (v + 1).astype(F) - start),
        np.where(over, end - v.astype(F), F(1)),
    )
    return np.clip(v, 0, size - 1), np.where(v < last, part, F(0)).astype(F)


# -- checks and shapes


def _checked(images, size, align_corners=False, half_pixel_centers=False):
    """(height, width) of the result. Raises InvalidArgumentError."""
    check(not (align_corners and half_pixel_centers), "If half_pixel_centers is True, align_corners must be False.")
    check(np.ndim(images) == 4, lambda: f"input must be 4-dimensional{list(np.shape(images))}")
    check(size.ndim == 1, lambda: f"shape_t must be 1-dimensional{list(size.shape)}")
    check(size.size == 2, lambda: f"shape_t must have two elements{list(size.shape)}")
    height, width = int(size[0]), int(size[1])
    check(height > 0 and width > 0, "output dimensions must be positive")
    check(images.shape[3] > 0, "image must have at least one channel")
    check(images.shape[1] > 0 and images.shape[2] > 0, "input image must be of non-zero size")
    return max(height, 0), max(width, 0)


def sized_dims(batch: int | None, size: Any, channels: int | None) -> tuple[int | None, ...]:
    """The dims of images whose height and width are the value of the tensor `size`. Raises ValueError."""
    (two,) = shapes.of_rank(size.dims, 1)
    if two not in (None, 2):
        raise ValueError(f"Dimension must be 2 but is {two}")
    known = infer.constant_value(size)
    height, width = (None, None) if known is None else (int(n) if n >= 0 else None for n in known)
    return (batch, height, width, channels)


def _resized(op):
    dims = shapes.of_rank(op.inputs[0].dims, 4)
    return [sized_dims(dims[0], op.inputs[1], dims[3])]


def _like_second(op):
    return [op.inputs[1].dims]


def _empty(images, height, width):
    return jnp.zeros((images.shape[0], height, width, images.shape[3]), jnp.float32)


def _none_in(images, height, width):
    """Whether there is nothing to compute: an empty batch, or sizes that the checks have refused."""
    return not all((*images.shape, height, width))


# -- bilinear


@op("ResizeBilinear")
def resize_bilinear_op(
    images: TB, size: Static(int32), *, align_corners: bool = False, half_pixel_centers: bool = False
) -> float32:
    """Images [batch, height, width, channels] of another size, each pixel between four of the input."""
    height, width = _checked(images, size, align_corners, half_pixel_centers)
    if _none_in(images, height, width):
        return _empty(images, height, width)
    x = images.astype(jnp.float32)
    if x.shape[1:3] == (height, width):
        return x
    left, right, along = linear_taps(x.shape[2], width, align_corners, half_pixel_centers)
    top, bottom, down = linear_taps(x.shape[1], height, align_corners, half_pixel_centers)
    needed, rows = np.unique([top, bottom], return_inverse=True)
    top, bottom = rows.reshape(2, -1)
    x = _between(gathered(x, 1, needed), 2, left, right, along)
    return _between(x, 1, top, bottom, down)


def _between(x, axis, lower, upper, weight):
    a, b = gathered(x, axis, lower), gathered(x, axis, upper)
    return a + (b - a) * weight.reshape([-1 if i == axis else 1 for i in range(x.ndim)])


@op("ResizeBilinearGrad")
def resize_bilinear_grad(
    grads: float32, original_image: G, *, align_corners: bool = False, half_pixel_centers: bool = False, T: G
) -> G:
    """The gradient of ResizeBilinear with respect to its images."""
    check(not (align_corners and half_pixel_centers), "If half_pixel_centers is True, align_corners must be False.")
    g = grads
    for axis in (1, 2):
        size = original_image.shape[axis]
        lower, upper, w = linear_taps(size, g.shape[axis], align_corners, half_pixel_centers)
        taps = np.stack([lower, upper], -1), np.stack([F(1) - w, w], -1)
        g = mixed(g, axis, *transposed(*taps, size))
    return g.astype(T._as_numpy)


@op("ResizeNearestNeighbor")
def resize_nearest_neighbor_op(
    images: T, size: Static(int32), *, align_corners: bool = False, half_pixel_centers: bool = False
) -> T:
    """Images of another size, each pixel one of the input."""
    height, width = _checked(images, size, align_corners, half_pixel_centers)
    if _none_in(images, height, width):
        return _empty(images, height, width)
    for axis, out in ((1, height), (2, width)):
        images = gathered(images, axis, nearest_taps(images.shape[axis], out, align_corners, half_pixel_centers))
    return images


@op("ResizeNearestNeighborGrad")
def resize_nearest_neighbor_grad(
    grads: GN, size: Static(int32), *, align_corners: bool = False, half_pixel_centers: bool = False
) -> GN:
    """The gradient of ResizeNearestNeighbor with respect to images of height and width `size`."""
    height, width = _checked(grads, size, align_corners, half_pixel_centers)
    for axis, n in ((1, height), (2, width)):
        taps = nearest_taps(n, grads.shape[axis], align_corners, half_pixel_centers)[:, None]
        ones = np.ones(taps.shape, grads.dtype)
        grads = mixed(grads, axis, *transposed(taps, ones, n))
    return grads


# -- bicubic and area


@op("ResizeBicubic")
def resize_bicubic_op(
    images: T, size: Static(int32), *, align_corners: bool = False, half_pixel_centers: bool = False
) -> float32:
    """Images of another size, each pixel a weighted sum of sixteen of the input."""
    height, width = _checked(images, size, align_corners, half_pixel_centers)
    if _none_in(images, height, width):
        return _empty(images, height, width)
    x = images.astype(jnp.float32)
    x = mixed(x, 1, *cubic_taps(x.shape[1], height, align_corners, half_pixel_centers))
    return mixed(x, 2, *cubic_taps(x.shape[2], width, align_corners, half_pixel_centers))


@op("ResizeBicubicGrad")
def resize_bicubic_grad(
    grads: float32, original_image: GC, *, align_corners: bool = False, half_pixel_centers: bool = False, T: GC
) -> GC:
    """The gradient of ResizeBicubic with respect to its images."""
    check(not (align_corners and half_pixel_centers), "If half_pixel_centers is True, align_corners must be False.")
    g = grads.astype(T._as_numpy)
    for axis in (1, 2):
        size = original_image.shape[axis]
        taps = cubic_taps(size, g.shape[axis], align_corners, half_pixel_centers)
        g = mixed(g, axis, *transposed(*taps, size))
    return g


@op("ResizeArea")
def resize_area(images: T, size: Static(int32), *, align_corners: bool = False) -> float32:
    """Images of another size, each pixel the mean of what it covers of the input."""
    height, width = _checked(images, size, align_corners)
    if _none_in(images, height, width):
        return _empty(images, height, width)
    x = images.astype(jnp.float32)
    rows, columns = scale_of(x.shape[1], height, align_corners), scale_of(x.shape[2], width, align_corners)
    x = mixed(x, 2, *area_taps(x.shape[2], width, align_corners))
    x = mixed(x, 1, *area_taps(x.shape[1], height, align_corners))
    with np.errstate(divide="ignore"):  # aligned corners of a single row: 0 * infinity, as in TensorFlow
        return x * (F(1) / (rows * columns))


for _resize in (resize_bilinear_op, resize_nearest_neighbor_op, resize_bicubic_op, resize_area):
    _resize.shape_rule(_resized)
for _back in (resize_bilinear_grad, resize_bicubic_grad):
    _back.shape_rule(_like_second)


@resize_nearest_neighbor_grad.shape_rule
def _(op):
    return _resized(op)


def _attrs(op):
    return {n: op.attrs[n] for n in ("align_corners", "half_pixel_centers")}


@resize_bilinear_op.grad
def _(op, g):
    return resize_bilinear_grad(g, op.inputs[0], **_attrs(op)), None


@resize_bicubic_op.grad
def _(op, g):
    if op.inputs[0].dtype not in (float32, float64):
        return None, None
    return resize_bicubic_grad(g, op.inputs[0], **_attrs(op)), None


@resize_nearest_neighbor_op.grad
def _(op, g):
    dims = op.inputs[0].dims
    known = dims is not None and None not in dims[1:3]
    size = list(dims[1:3]) if known else array.shape(op.inputs[0])[1:3]
    return resize_nearest_neighbor_grad(g, size, **_attrs(op)), None


# -- public


def resize_bilinear(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """Images [batch, height, width, channels] as float32 of `size` (height, width), by bilinear interpolation.

    Without `half_pixel_centers`, pixel i lies at i times the ratio of the sizes, as TensorFlow 1 always had it;
    `align_corners` puts the corner pixels upon each other.
    """
    return resize_bilinear_op(
        images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name
    )


def resize_nearest_neighbor(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """Images of `size` (height, width), in their own dtype: each pixel is the nearest of the input."""
    return resize_nearest_neighbor_op(
        images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name
    )


def resize_bicubic(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """Images as float32 of `size` (height, width), by cubic convolution (Keys, 1981)."""
    return resize_bicubic_op(
        images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name
    )
