"""Measures of images: total variation, gradients, edges; likeness of two images (PSNR, SSIM)."""

from typing import Any

import numpy as np

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import float32, int32
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.basic import identity
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.images.image_colors import convert_image_dtype
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets.activations import relu
from thalweg._src.ops.nets.pooling_api import avg_pool
from thalweg._src.ops.nets.softmax import softmax
from thalweg._src.ops.nets.spaced import depthwise_conv2d
from thalweg._src.ops.reports.checks import Assert


def total_variation(images: Any, name: str | None = None) -> Tensor:
    """The sum of the differences between neighbours: a scalar for one image, [batch] for a batch. Raises ValueError."""
    with name_scope(name, "total_variation"):
        ndims = images.get_shape().ndims
        if ndims == 3:
            down, along = images[1:, :, :] - images[:-1, :, :], images[:, 1:, :] - images[:, :-1, :]
            axis = None
        elif ndims == 4:
            down = images[:, 1:, :, :] - images[:, :-1, :, :]
            along = images[:, :, 1:, :] - images[:, :, :-1, :]
            axis = [1, 2, 3]
        else:
            raise ValueError("'images' must be either 3 or 4-dimensional.")
        return math.reduce_sum(math.abs(down), axis=axis) + math.reduce_sum(math.abs(along), axis=axis)


def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """(dy, dx): each pixel's difference to the next row, and to the next column; zeros at the end."""
    if image.get_shape().ndims != 4:
        raise ValueError(f"image_gradients expects a 4D tensor [batch_size, h, w, d], not {image.get_shape()}.")
    shape = array.shape(image)
    batch, height, width, depth = array.unstack(shape)
    dy = image[:, 1:, :, :] - image[:, :-1, :, :]
    dx = image[:, :, 1:, :] - image[:, :, :-1, :]
    row = array.stack([batch, 1, width, depth])
    dy = array.reshape(array.concat([dy, array.zeros(row, image.dtype)], 1), shape)
    column = array.stack([batch, height, 1, depth])
    dx = array.reshape(array.concat([dx, array.zeros(column, image.dtype)], 2), shape)
    return dy, dx


def sobel_edges(image: Any) -> Tensor:
    """[batch, height, width, channels, 2]: the vertical and horizontal slopes by Sobel's kernels."""
    known, shape = image.get_shape(), array.shape(image)
    down = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    kernels = np.stack([down, down.T], -1)[:, :, None]
    filters = array.tile(constant(kernels, dtype=image.dtype), [1, 1, shape[-1], 1], name="sobel_filters")
    padded = array.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")
    out = depthwise_conv2d(padded, filters, [1, 1, 1, 1], "VALID")
    out = array.reshape(out, shape=array.concat([shape, [2]], 0))
    out.set_shape(known.concatenate([2]))
    return out


# -- likeness


def _checked_pair(img1: Any, img2: Any) -> tuple[Tensor, Tensor, list[Any]]:
    """The shapes of both images, and assertions that they fit. Raises ValueError where they never do."""
    known1, known2 = img1.get_shape().with_rank_at_least(3), img2.get_shape().with_rank_at_least(3)
    known1[-3:].assert_is_compatible_with(known2[-3:])
    if known1.ndims is not None and known2.ndims is not None:
        for a, b in zip(reversed(known1.dims[:-3]), reversed(known2.dims[:-3]), strict=False):
            if not (a == 1 or b == 1 or a.is_compatible_with(b)):
                raise ValueError(f"Two images are not compatible: {known1} and {known2}")
    shape1, shape2 = array.shape_n([img1, img2])
    rank = Assert(math.greater_equal(array.size(shape1), 3), [shape1, shape2], summarize=10)
    same = math.reduce_all(math.equal(shape1[-3:], shape2[-3:]))
    return shape1, shape2, [rank, Assert(same, [shape1, shape2], summarize=10)]


def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """The peak signal-to-noise ratio in decibels, for each image; `max_val` is the largest value that a pixel can have."""
    with name_scope(name, "PSNR", [a, b]):
        max_val = convert_image_dtype(math.cast(max_val, a.dtype), float32)
        a, b = convert_image_dtype(a, float32), convert_image_dtype(b, float32)
        error = math.reduce_mean(math.squared_difference(a, b), [-3, -2, -1])
        peak = 20 * math.log(max_val) / math.log(10.0)
        ratio = math.subtract(peak, np.float32(10 / np.log(10)) * math.log(error), name="psnr")
        _, _, checks = _checked_pair(a, b)
        with get_default_graph().control_dependencies(checks):
            return identity(ratio)


def _gaussian(size: Tensor, sigma: Tensor) -> Tensor:
    """[size, size, 1, 1], with the sum 1."""
    size, sigma = to_tensor(size, int32), to_tensor(sigma)
    coords = math.cast(math.range(size), sigma.dtype)
    coords -= math.cast(size - 1, sigma.dtype) / 2.0
    g = math.square(coords)
    g *= -0.5 / math.square(sigma)
    g = array.reshape(g, shape=[1, -1]) + array.reshape(g, shape=[-1, 1])
    g = softmax(array.reshape(g, shape=[1, -1]))
    return array.reshape(g, shape=[size, size, 1, 1])


def _ssim_per_channel(img1, img2, max_val, filter_size, filter_sigma, k1, k2):
    """(SSIM, its part of contrast and structure) for each channel (Wang et al., 2004, "Image quality assessment")."""
    filter_size = constant(filter_size, dtype=int32)
    filter_sigma = constant(filter_sigma, dtype=img1.dtype)
    shape1, shape2 = array.shape_n([img1, img2])
    checks = [
        Assert(math.reduce_all(math.greater_equal(s[-3:-1], filter_size)), [s, filter_size], summarize=8)
        for s in (shape1, shape2)
    ]
    with get_default_graph().control_dependencies(checks):
        img1 = identity(img1)
    kernel = array.tile(_gaussian(filter_size, filter_sigma), multiples=[1, 1, shape1[-1], 1])

    def blurred(x: Tensor) -> Tensor:
        shape = array.shape(x)
        x = array.reshape(x, shape=array.concat([[-1], shape[-3:]], 0))
        y = depthwise_conv2d(x, kernel, strides=[1, 1, 1, 1], padding="VALID")
        return array.reshape(y, array.concat([shape[:-3], array.shape(y)[1:]], 0))

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean1, mean2 = blurred(img1), blurred(img2)
    product = mean1 * mean2 * 2.0
    squares = math.square(mean1) + math.square(mean2)
    luminance = (product + c1) / (squares + c1)
    both = blurred(img1 * img2) * 2.0
    each = blurred(math.square(img1) + math.square(img2))
    c2 *= 1.0  # TensorFlow's graph has this product, of its compensation for the bias of small windows
    contrast = (both - product + c2) / (each - squares + c2)
    axes = constant([-3, -2], dtype=int32)
    return math.reduce_mean(luminance * contrast, axes), math.reduce_mean(contrast, axes)


def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """The structural similarity of two images [..., height, width, channels], 1 where they are equal."""
    _, _, checks = _checked_pair(img1, img2)
    with get_default_graph().control_dependencies(checks):
        img1 = identity(img1)
    max_val = convert_image_dtype(math.cast(max_val, img1.dtype), float32)
    img1, img2 = convert_image_dtype(img1, float32), convert_image_dtype(img2, float32)
    of_channels, _ = _ssim_per_channel(img1, img2, max_val, filter_size, filter_sigma, k1, k2)
    return math.reduce_mean(of_channels, [-1])


MSSSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Any = MSSSIM_WEIGHTS,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """SSIM over several scales, each half of the last, weighted by `power_factors` (Wang et al., 2003)."""
    with name_scope(None, "MS-SSIM", [img1, img2]):
        img1, img2 = to_tensor(img1, None, "img1"), to_tensor(img2, None, "img2")
        shape1, shape2, checks = _checked_pair(img1, img2)
        with get_default_graph().control_dependencies(checks):
            img1 = identity(img1)
        max_val = convert_image_dtype(math.cast(max_val, img1.dtype), float32)
        images = [convert_image_dtype(img1, float32), convert_image_dtype(img2, float32)]
        heads, tails = [s[:-3] for s in (shape1, shape2)], [s[-3:] for s in (shape1, shape2)]
        half = [1, 2, 2, 1]
        divisor = constant(half[1:], dtype=int32)
        parts = []
        whole = None
        for k in range(len(power_factors)):
            with name_scope(None, f"Scale{k}", images):
                if k > 0:
                    flat = [array.reshape(x, array.concat([[-1], t], 0)) for x, t in zip(images, tails, strict=True)]
                    rest = tails[0] % divisor
                    uneven = math.reduce_any(math.not_equal(rest, 0))
                    padded = cond(uneven, lambda flat=flat, rest=rest: _evened(flat, rest), lambda flat=flat: flat)
                    smaller = [avg_pool(x, ksize=half, strides=half, padding="VALID") for x in padded]
                    tails = [s[1:] for s in array.shape_n(smaller)]
                    images = [
                        array.reshape(x, array.concat([h, t], 0)) for x, h, t in zip(smaller, heads, tails, strict=True)
                    ]
                whole, contrast = _ssim_per_channel(*images, max_val, filter_size, filter_sigma, k1, k2)
                parts.append(relu(contrast))
        parts.pop()  # at the last scale luminance counts too
        values = array.stack([*parts, relu(whole)], axis=-1)
        product = math.reduce_prod(math.pow(values, power_factors), [-1])
        return math.reduce_mean(product, [-1])


def _evened(images: list[Tensor], rest: Tensor) -> list[Tensor]:
    padding = array.pad(array.expand_dims(rest, -1), [[1, 0], [1, 0]])
    return [array.pad(x, padding, mode="SYMMETRIC") for x in images]
