"""Pieces of images: crops by boxes (with bilinear sampling), glimpses, patches, random crops."""

from typing import Any

import numpy as np

from thalweg._src.core import errors, infer, shapes
from thalweg._src.core.apply import check
from thalweg._src.core.dtypes import (
    REALS,
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
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Enum, Min, Static, op, type_attr
from thalweg._src.ops.images.resizing import sized_dims
from thalweg._src.ops.late import array
from thalweg._src.ops.nets.windows import pad_of, static_output_size

T = type_attr("T", (uint8, uint16, int8, int16, int32, int64, float16, float32, float64))
G = type_attr("T", (float32, float16, float64))
R = type_attr("T", REALS)
BOTH = Enum("bilinear", "nearest")
F = np.float32


# -- boxes


def _places(low: Any, high: Any, size: int, out: int) -> Any:
    """float32[boxes, out]: where the rows (or columns) of the crops lie, for boxes from `low` to `high`."""
    if out > 1:
        step = (high - low) * F(size - 1) / F(out - 1)
        return (low * F(size - 1))[:, None] + jnp.arange(out, dtype=jnp.float32) * step[:, None]
    return (0.5 * (low + high).astype(jnp.float64) * (size - 1)).astype(jnp.float32)[:, None]


def _sampling(boxes: Any, height: int, width: int, crop: tuple[int, int]) -> tuple[Any, Any, Any]:
    """(y [boxes, h], x [boxes, w], whether each pixel of a crop lies in the image [boxes, h, w])."""
    y = _places(boxes[:, 0], boxes[:, 2], height, crop[0])
    x = _places(boxes[:, 1], boxes[:, 3], width, crop[1])
    inside_y, inside_x = (y >= 0) & (y <= height - 1), (x >= 0) & (x <= width - 1)
    return y, x, inside_y[:, :, None] & inside_x[:, None, :]


def _corners(y: Any, x: Any, height: int, width: int) -> tuple[Any, ...]:
    """Rows above and below, columns left and right (indices into the image), and the weights of below and right."""
    top, left = jnp.floor(y), jnp.floor(x)
    index = lambda v, n: jnp.clip(v.astype(jnp.int32), 0, n - 1)
    return (
        index(top, height)[:, :, None],
        index(jnp.ceil(y), height)[:, :, None],
        index(left, width)[:, None, :],
        index(jnp.ceil(x), width)[:, None, :],
        (y - top)[:, :, None, None],
        (x - left)[:, None, :, None],
    )


def _round(v: Any) -> Any:
    """C's roundf: halves away from zero."""
    return jnp.sign(v) * jnp.floor(jnp.abs(v) + F(0.5))


def _check_boxes(boxes: Any, box_ind: Any, batch: int) -> None:
    check(boxes.ndim == 2 and boxes.shape[1] == 4, "boxes must have 4 columns")
    check(box_ind.ndim == 1 and box_ind.shape[0] == boxes.shape[0], "box_index has incompatible shape")
    check((box_ind >= 0) & (box_ind < batch), "box_index has values outside [0, batch_size)", errors.OutOfRangeError)


@op("CropAndResize")
def crop_and_resize_op(
    image: T,
    boxes: float32,
    box_ind: int32,
    crop_size: Static(int32),
    *,
    method: BOTH = "bilinear",
    extrapolation_value: float = 0.0,
) -> float32:
    """float32[boxes, height, width, channels]: what lies in each box of the image `box_ind` says, all of `crop_size`.

    A box is (y1, x1, y2, x2), with 1 at the last row and column. Outside of the image is `extrapolation_value`.
    """
    batch, height, width, _ = image.shape
    check(height > 0 and width > 0, "image dimensions must be positive")
    check(crop_size.shape == (2,), "crop_size must have two elements")
    crop = int(crop_size[0]), int(crop_size[1])
    check(min(crop) > 0, "crop dimensions must be positive")
    _check_boxes(boxes, box_ind, batch)
    y, x, inside = _sampling(boxes, height, width, crop)
    which = jnp.clip(box_ind, 0, batch - 1)[:, None, None]
    if method == "nearest":
        index = lambda v, n: jnp.clip(_round(v).astype(jnp.int32), 0, n - 1)
        out = image[which, index(y, height)[:, :, None], index(x, width)[:, None, :]].astype(jnp.float32)
    else:
        top, bottom, left, right, down, along = _corners(y, x, height, width)
        pixel = lambda row, column: image[which, row, column].astype(jnp.float32)
        above = pixel(top, left) + (pixel(top, right) - pixel(top, left)) * along
        below = pixel(bottom, left) + (pixel(bottom, right) - pixel(bottom, left)) * along
        out = above + (below - above) * down
    return jnp.where(inside[..., None], out, F(extrapolation_value))


@op("CropAndResizeGradImage")
def crop_and_resize_grad_image(
    grads: float32, boxes: float32, box_ind: int32, image_size: Static(int32), *, T: G, method: BOTH = "bilinear"
) -> G:
    """The gradient of CropAndResize with respect to the image, whose shape is `image_size`."""
    check(image_size.shape == (4,), "image_size must have 4 elements")
    batch, height, width, _ = (int(n) for n in image_size)
    _check_boxes(boxes, box_ind, batch)
    y, x, inside = _sampling(boxes, height, width, grads.shape[1:3])
    which = jnp.clip(box_ind, 0, batch - 1)[:, None, None]
    g = jnp.where(inside[..., None], grads, 0)
    out = jnp.zeros([int(n) for n in image_size], T._as_numpy)
    if method == "nearest":
        index = lambda v, n: jnp.clip(_round(v).astype(jnp.int32), 0, n - 1)
        return out.at[which, index(y, height)[:, :, None], index(x, width)[:, None, :]].add(g.astype(out.dtype))
    top, bottom, left, right, down, along = _corners(y, x, height, width)
    for row, part in ((top, g * (1 - down)), (bottom, g * down)):
        out = out.at[which, row, left].add((part * (1 - along)).astype(out.dtype))
        out = out.at[which, row, right].add((part * along).astype(out.dtype))
    return out


@op("CropAndResizeGradBoxes")
def crop_and_resize_grad_boxes(
    grads: float32, image: T, boxes: float32, box_ind: int32, *, method: Enum("bilinear") = "bilinear"
) -> float32:
    """The gradient of CropAndResize with respect to the boxes."""
    batch, height, width, _ = image.shape
    _check_boxes(boxes, box_ind, batch)
    y, x, inside = _sampling(boxes, height, width, grads.shape[1:3])
    which = jnp.clip(box_ind, 0, batch - 1)[:, None, None]
    top, bottom, left, right, down, along = _corners(y, x, height, width)
    pixel = lambda row, column: image[which, row, column].astype(jnp.float32)
    a, b, c, d = pixel(top, left), pixel(top, right), pixel(bottom, left), pixel(bottom, right)
    g = jnp.where(inside[..., None], grads, 0)
    by_y = (((1 - along) * (c - a) + along * (d - b)) * g).sum((2, 3))  # [boxes, h]
    by_x = (((1 - down) * (b - a) + down * (d - c)) * g).sum((1, 3))
    parts = []
    for slope, n, out in ((by_y, height, grads.shape[1]), (by_x, width, grads.shape[2])):
        share = jnp.arange(out, dtype=jnp.float32) * (F(n - 1) / F(out - 1)) if out > 1 else F(0.5 * (n - 1))
        parts.append(((slope * (F(n - 1) - share)).sum(1), (slope * share).sum(1)))
    (y1, y2), (x1, x2) = parts
    return jnp.stack([y1, x1, y2, x2], -1)


def _four(dims, count=None):
    dims = shapes.of_rank(dims, 2)
    if dims[1] not in (None, 4):
        raise ValueError(f"Dimension must be 4 but is {dims[1]}")
    return dims[0] if count is None else shapes.one_size(dims[0], count)


@crop_and_resize_op.shape_rule
def _(op):
    image, boxes, box_ind, size = op.inputs
    dims = shapes.of_rank(image.dims, 4)
    n = shapes.one_size(shapes.of_rank(boxes.dims, 2)[0], shapes.of_rank(box_ind.dims, 1)[0])
    return [sized_dims(_four(boxes.dims, n), size, dims[3])]


@crop_and_resize_grad_image.shape_rule
def _(op):
    return [shapes.of_rank(infer.partial_value(op.inputs[3]), 4)]


crop_and_resize_grad_boxes.shape_rule(lambda op: [op.inputs[2].dims])


@crop_and_resize_op.grad
def _(op, g):
    image, boxes, box_ind, _ = op.inputs
    of_boxes = lambda: crop_and_resize_grad_boxes(g, image, boxes, box_ind)
    if image.dtype not in (float16, float32, float64):
        return None, of_boxes(), None, None
    size = list(image.dims) if image.dims is not None and None not in image.dims else array.shape(image)
    of_image = crop_and_resize_grad_image(g, boxes, box_ind, size, T=image.dtype.base_dtype, method=op.attrs["method"])
    return of_image, of_boxes(), None, None


# -- patches


@op("ExtractImagePatches")
def extract_image_patches_op(
    images: R,
    *,
    ksizes: Min(list[int], 4),
    strides: Min(list[int], 4),
    rates: Min(list[int], 4),
    padding: Enum("SAME", "VALID"),
) -> R:
    """[batch, rows, columns, ksize * ksize * channels]: the window at every place, flattened into the last axis."""
    _need_windows(ksizes, strides, rates)
    sizes = images.shape[1:3]
    pads = [pad_of(sizes[i], ksizes[i + 1], strides[i + 1], padding, rates[i + 1]) for i in range(2)]
    counts = [static_output_size(sizes[i], ksizes[i + 1], strides[i + 1], padding, rates[i + 1]) for i in range(2)]
    x = jnp.pad(images, [(0, 0), *pads, (0, 0)])
    parts = []
    for row in range(ksizes[1]):
        for column in range(ksizes[2]):
            start = (row * rates[1], column * rates[2])
            stop = [s + (n - 1) * step + 1 for s, n, step in zip(start, counts, strides[1:3], strict=True)]
            parts.append(lax.slice(x, (0, *start, 0), (x.shape[0], *stop, x.shape[3]), (1, strides[1], strides[2], 1)))
    return jnp.concatenate(parts, -1)


def _need_windows(ksizes, strides, rates):
    for name, values in (("ksizes", ksizes), ("strides", strides), ("rates", rates)):
        if len(values) != 4:
            raise ValueError(
                f"ExtractImagePatches requires the {name} attribute to contain 4 values, but got: {len(values)}"
            )
        if values[0] != 1 or values[3] != 1:
            raise NotImplementedError("Only support ksizes across space.")


@extract_image_patches_op.shape_rule
def _(op):
    dims = shapes.of_rank(op.inputs[0].dims, 4)
    ksizes, strides, rates = (op.attrs[n] for n in ("ksizes", "strides", "rates"))
    for name, values in (("ksizes", ksizes), ("strides", strides), ("rates", rates)):
        if len(values) != 4:
            raise ValueError(
                f"ExtractImagePatches requires the {name} attribute to contain 4 values, but got: {len(values)}"
            )
    places = [static_output_size(dims[i], ksizes[i], strides[i], op.attrs["padding"], rates[i]) for i in (1, 2)]
    depth = None if dims[3] is None else dims[3] * ksizes[1] * ksizes[2]
    return [(dims[0], *places, depth)]


@op("ExtractVolumePatches")
def extract_volume_patches(
    input: R, *, ksizes: Min(list[int], 5), strides: Min(list[int], 5), padding: Enum("SAME", "VALID")
) -> R:
    """[batch, planes, rows, columns, window * channels]: the window at every place of a volume, flattened into the last axis."""
    sizes = input.shape[1:4]
    pads = [pad_of(n, k, s, padding) for n, k, s in zip(sizes, ksizes[1:4], strides[1:4], strict=True)]
    counts = [static_output_size(n, k, s, padding) for n, k, s in zip(sizes, ksizes[1:4], strides[1:4], strict=True)]
    x = jnp.pad(input, [(0, 0), *pads, (0, 0)])
    parts = []
    for start in np.ndindex(*ksizes[1:4]):
        stop = [at + (n - 1) * step + 1 for at, n, step in zip(start, counts, strides[1:4], strict=True)]
        parts.append(lax.slice(x, (0, *start, 0), (x.shape[0], *stop, x.shape[4]), (1, *strides[1:4], 1)))
    return jnp.concatenate(parts, -1)


@extract_volume_patches.shape_rule
def _(op):
    dims = shapes.of_rank(op.inputs[0].dims, 5)
    ksizes, strides = op.attrs["ksizes"], op.attrs["strides"]
    for name, values in (("ksizes", ksizes), ("strides", strides)):
        if len(values) != 5:
            raise ValueError(
                f"ExtractVolumePatches requires the {name} attribute to contain 5 values, but got: {len(values)}"
            )
    places = [static_output_size(dims[i], ksizes[i], strides[i], op.attrs["padding"]) for i in (1, 2, 3)]
    depth = None if dims[4] is None else dims[4] * int(np.prod(ksizes[1:4]))
    return [(dims[0], *places, depth)]


# -- glimpses


@op("ExtractGlimpse", host=True)
def extract_glimpse_op(
    input: float32,
    size: int32,
    offsets: float32,
    *,
    centered: bool = True,
    normalized: bool = True,
    uniform_noise: bool = True,
    noise: str = "uniform",
) -> float32:
    """[batch, height, width, channels]: the window of `size` around `offsets` of each image; noise where it leaves it.

    TensorFlow draws this noise from a generator without a seed; ours starts anew in every run.
    """
    check(input.ndim == 4, "input must be 4-dimensional (batch_size, height, width, depth)")
    check(size.shape == (2,), "input must be a vector of size 2 (height, width)")
    check(offsets.ndim == 2, "input must be a matrix")
    check(offsets.shape[0] == input.shape[0], "first dimension should be batch")
    check(offsets.shape[1] == 2, "second dimension should be of size 2 (y,x)")
    window = [int(n) for n in size]
    out = np.empty((input.shape[0], *window, input.shape[3]), F)
    random = np.random.RandomState(0)
    for image, glimpse, offset in zip(input, out, offsets, strict=True):
        ours, theirs = [], []
        for axis in range(2):
            n, at = image.shape[axis], offset[axis]
            at = at * F(n) if normalized else at
            at = at / F(2) + F(n) / F(2) if centered else at
            first = int(at - F(window[axis]) / F(2))
            stop = min(first + window[axis], n)
            source = slice(max(first, 0), max(stop, max(first, 0)))
            theirs.append(source)
            start = min(max(-first, 0), window[axis])
            ours.append(slice(start, start + source.stop - source.start))
        part = image[tuple(theirs)]
        if part.shape[:2] != tuple(window):
            glimpse[:] = _noise(image, glimpse.shape, noise if not uniform_noise else "uniform", random)
        glimpse[tuple(ours)] = part
    return out


def _noise(image, shape, kind, random):
    if kind == "uniform":
        low = image.min()
        return low + random.uniform(size=shape) * (image.max() - low)
    if kind == "gaussian":
        mean, deviation = image.mean((0, 1)), image.std((0, 1))
        return np.clip(mean + random.normal(size=shape) * deviation, image.min((0, 1)), image.max((0, 1)))
    check(kind in ("zero", ""), lambda: f"Unknown noise: {kind}, must be one of uniform, gaussian, zero")
    return 0.0


@extract_glimpse_op.shape_rule
def _(op):
    dims, offsets = shapes.of_rank(op.inputs[0].dims, 4), shapes.of_rank(op.inputs[2].dims, 2)
    if offsets[1] not in (None, 2):
        raise ValueError(f"Dimension must be 2 but is {offsets[1]}")
    if op.attrs["uniform_noise"] and op.attrs["noise"] not in ("", "uniform"):
        raise ValueError("The uniform_noise and noise should not be specified at the same time")
    return [sized_dims(shapes.one_size(dims[0], offsets[0]), op.inputs[1], dims[3])]


extract_glimpse_op.not_differentiable()
