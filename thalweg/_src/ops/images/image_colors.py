"""Adjusting the numbers of images: types, brightness, contrast, hue, saturation, colour spaces, standardization.

Images of integers are converted to [0, 1], adjusted, and converted back.
"""

from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import float16, float32, int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.basic import identity, with_dependencies
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.images.colors import adjust_contrastv2, adjust_hue_op, adjust_saturation_op
from thalweg._src.ops.images.image_checks import checked, checked_grey, is_tensor, need
from thalweg._src.ops.images.picture_files import decode_jpeg, encode_jpeg_variable_quality
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.casting import saturate_cast
from thalweg._src.ops.numeric.matmul import tensordot

HALVES = (float16, float32)


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Tensor:
    """`image` in another dtype, its values scaled: floats are in [0, 1), integers from 0 to the largest of their type.

    `saturate`: values out of range become the nearest in it. Raises AttributeError for a dtype that is no number.
    """
    image = to_tensor(image, None, "image")
    dtype = dtypes.as_dtype(dtype)
    if not dtype.is_floating and not dtype.is_integer:
        raise AttributeError("dtype must be either floating point or integer")
    have = image.dtype.base_dtype
    if dtype == have:
        return identity(image, name=name)
    cast = saturate_cast if saturate else math.cast
    with name_scope(name, "convert_image", [image]) as name:
        if have.is_floating and dtype.is_floating:
            return math.cast(image, dtype, name=name)
        if have.is_integer and dtype.is_integer:
            if have.max > dtype.max:
                return cast(math.div(image, (have.max + 1) // (dtype.max + 1)), dtype, name=name)
            return math.multiply(cast(image, dtype), (dtype.max + 1) // (have.max + 1), name=name)
        if have.is_integer:
            return math.multiply(math.cast(image, dtype), 1.0 / have.max, name=name)
        # Half a step more, so that 1.0 is not alone in the last step.
        return cast(math.multiply(image, dtype.max + 0.5), dtype, name=name)


def _as_floats(image: Tensor) -> Tensor:
    return image if image.dtype.base_dtype in HALVES else convert_image_dtype(image, float32)


# -- brightness, contrast, gamma


def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """`image` with `delta` (of [0, 1]) added to every value."""
    with name_scope(None, "adjust_brightness", [image, delta]) as name:
        image = to_tensor(image, None, "image")
        floats = _as_floats(image)
        adjusted = math.add(floats, math.cast(delta, floats.dtype), name=name)
        return convert_image_dtype(adjusted, image.dtype.base_dtype, saturate=True)


def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """(x - mean) * factor + mean, for each channel of each image."""
    with name_scope(None, "adjust_contrast", [images, contrast_factor]) as name:
        images = to_tensor(images, None, "images")
        adjusted = adjust_contrastv2(_as_floats(images), contrast_factor=contrast_factor, name=name)
        return convert_image_dtype(adjusted, images.dtype.base_dtype, saturate=True)


def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """gain * x ** gamma. Raises ValueError where `gamma` is negative."""
    with name_scope(None, "adjust_gamma", [image, gamma, gain]):
        image = to_tensor(image, None, "image")
        floats = _as_floats(image)
        checks = need(gamma >= 0, "Gamma should be a non-negative real number.")
        if checks:
            gamma = with_dependencies(checks, gamma)
        return convert_image_dtype(gain * floats**gamma, image.dtype.base_dtype, saturate=True)


def random_brightness(image: Any, max_delta: float, seed: Any = None) -> Tensor:
    """adjust_brightness by a random number of [-max_delta, max_delta). Raises ValueError where `max_delta` is negative."""
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_brightness(image, random_uniform([], -max_delta, max_delta, seed=seed))


def _check_range(lower: float, upper: float) -> None:
    if upper <= lower:
        raise ValueError("upper must be > lower.")
    if lower < 0:
        raise ValueError("lower must be non-negative.")


def random_contrast(image: Any, lower: float, upper: float, seed: Any = None) -> Tensor:
    """adjust_contrast by a random number of [lower, upper). Raises ValueError unless 0 <= lower < upper."""
    _check_range(lower, upper)
    return adjust_contrast(image, random_uniform([], lower, upper, seed=seed))


# -- hue and saturation


def _adjusted(image: Any, adjust: Any, amount: Any, name: str | None, default: str) -> Tensor:
    with name_scope(name, default, [image]) as name:
        image = to_tensor(image, None, "image")
        return convert_image_dtype(adjust(_as_floats(image), amount), image.dtype.base_dtype)


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """RGB images whose hue is turned by `delta`, where 1 is the whole circle."""
    return _adjusted(image, adjust_hue_op, delta, name, "adjust_hue")


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """RGB images whose saturation is multiplied."""
    return _adjusted(image, adjust_saturation_op, saturation_factor, name, "adjust_saturation")


def random_hue(image: Any, max_delta: float, seed: Any = None) -> Tensor:
    """adjust_hue by a random number of [-max_delta, max_delta). Raises ValueError unless 0 <= max_delta <= 0.5."""
    if max_delta > 0.5:
        raise ValueError("max_delta must be <= 0.5.")
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_hue(image, random_uniform([], -max_delta, max_delta, seed=seed))


def random_saturation(image: Any, lower: float, upper: float, seed: Any = None) -> Tensor:
    """adjust_saturation by a random number of [lower, upper). Raises ValueError unless 0 <= lower < upper."""
    _check_range(lower, upper)
    return adjust_saturation(image, random_uniform([], lower, upper, seed=seed))


# -- JPEG's losses


def adjust_jpeg_quality(image: Any, jpeg_quality: Any, name: str | None = None) -> Tensor:
    """`image` after it was a JPEG of quality 0 to 100."""
    with name_scope(name, "adjust_jpeg_quality", [image]) as name:
        image = to_tensor(image, None, "image")
        kind = image.dtype.base_dtype
        image = convert_image_dtype(image, dtypes.uint8)
        if not is_tensor(jpeg_quality):
            jpeg_quality = to_tensor(jpeg_quality, int32)
        return convert_image_dtype(decode_jpeg(encode_jpeg_variable_quality(image, jpeg_quality)), kind)


def random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: Any = None) -> Tensor:
    """adjust_jpeg_quality by a random number of [min, max). Raises ValueError outside of [0, 100]."""
    if min(min_jpeg_quality, max_jpeg_quality) < 0 or max(min_jpeg_quality, max_jpeg_quality) > 100:
        raise ValueError("jpeg encoding range must be between 0 and 100.")
    if min_jpeg_quality >= max_jpeg_quality:
        raise ValueError("`min_jpeg_quality` must be less than `max_jpeg_quality`.")
    quality = random_uniform([], min_jpeg_quality, max_jpeg_quality, seed=seed, dtype=int32)
    return adjust_jpeg_quality(image, quality)


# -- colour spaces


def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """[..., 3] to [..., 1]: the luminance of RGB (ITU-R BT.601), in the dtype of `images`."""
    with name_scope(name, "rgb_to_grayscale", [images]) as name:
        images = to_tensor(images, None, "images")
        floats = convert_image_dtype(images, float32)
        grey = array.expand_dims(tensordot(floats, [0.2989, 0.5870, 0.1140], [-1, -1]), -1)
        return convert_image_dtype(grey, images.dtype.base_dtype, name=name)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """[..., 1] to [..., 3]: the same value thrice. Raises ValueError where the last dimension is another."""
    with name_scope(name, "grayscale_to_rgb", [images]) as name:
        images = to_tensor(checked_grey(images), None, "images")
        ones = array.ones(array.expand_dims(array.rank(images) - 1, 0), dtype=int32)
        multiples = array.concat([ones, array.expand_dims(3, 0)], 0)
        rgb = array.tile(images, multiples, name=name)
        rgb.set_shape(images.get_shape()[:-1].concatenate([3]))
        return rgb


RGB_TO_YIQ = [
    [0.299, 0.59590059, 0.2115],
    [0.587, -0.27455667, -0.52273617],
    [0.114, -0.32134392, 0.31119955],
]
YIQ_TO_RGB = [
    [1, 1, 1],
    [0.95598634, -0.27201283, -1.10674021],
    [0.6208248, -0.64720424, 1.70423049],
]
RGB_TO_YUV = [
    [0.299, -0.14714119, 0.61497538],
    [0.587, -0.28886916, -0.51496512],
    [0.114, 0.43601035, -0.10001026],
]
YUV_TO_RGB = [
    [1, 1, 1],
    [0, -0.394642334, 2.03206185],
    [1.13988303, -0.58062185, 0],
]


def _mixed(matrix: Any) -> Callable[[Any], Tensor]:
    def mix(images: Any) -> Tensor:
        images = to_tensor(images, None, "images")
        kernel = to_tensor(matrix, images.dtype.base_dtype, "kernel")
        return tensordot(images, kernel, axes=[[images.get_shape().ndims - 1], [0]])

    return mix


def rgb_to_yiq(images: Any) -> Tensor:
    """[..., 3]: RGB to YIQ."""
    return _mixed(RGB_TO_YIQ)(images)


def yiq_to_rgb(images: Any) -> Tensor:
    """[..., 3]: YIQ to RGB."""
    return _mixed(YIQ_TO_RGB)(images)


def rgb_to_yuv(images: Any) -> Tensor:
    """[..., 3]: RGB to YUV."""
    return _mixed(RGB_TO_YUV)(images)


def yuv_to_rgb(images: Any) -> Tensor:
    """[..., 3]: YUV to RGB."""
    return _mixed(YUV_TO_RGB)(images)


def per_image_standardization(image: Any) -> Tensor:
    """Images with mean 0 and variance 1 each. A deviation below 1 / sqrt(pixels) counts as that.

    Integers give float32, as until 1.14; TensorFlow 1.15 squeezes the result into the integers again.
    """
    with name_scope(None, "per_image_standardization", [image]) as scope:
        image = checked(to_tensor(image, None, "image"))
        kind = image.dtype.base_dtype if image.dtype.is_floating else float32
        if image.dtype.base_dtype not in HALVES:
            image = math.cast(image, float32) if image.dtype.is_integer else convert_image_dtype(image, float32)
        count = math.reduce_prod(array.shape(image)[-3:])
        mean = math.reduce_mean(image, axis=[-1, -2, -3], keepdims=True)
        deviation = math.reduce_std(image, axis=[-1, -2, -3], keepdims=True)
        least = math.rsqrt(math.cast(count, image.dtype))
        adjusted = math.maximum(deviation, least)
        image -= mean
        return convert_image_dtype(math.div(image, adjusted, name=scope), kind, saturate=True)
