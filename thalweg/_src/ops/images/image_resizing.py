"""tf.image.resize_images and its relatives: one function over the resizing ops."""

import numbers
from collections.abc import Callable
from typing import Any

from thalweg._src.core import infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import float32, float64, int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import formerly
from thalweg._src.ops.basic import with_dependencies
from thalweg._src.ops.images.image_checks import as_batch, image_checks, need, sizes
from thalweg._src.ops.images.image_geometry import largest, pad_to_bounding_box
from thalweg._src.ops.images.resampling import scale_and_translate
from thalweg._src.ops.images.resizing import (
    resize_area,
    resize_bicubic_op,
    resize_bilinear_op,
    resize_nearest_neighbor_op,
)
from thalweg._src.ops.late import array, math


class ResizeMethod:
    """How `tf.image.resize_images` finds pixels between pixels."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


RESIZE = {
    **dict.fromkeys((ResizeMethod.BILINEAR, "bilinear"), resize_bilinear_op),
    **dict.fromkeys((ResizeMethod.NEAREST_NEIGHBOR, "nearest"), resize_nearest_neighbor_op),
    **dict.fromkeys((ResizeMethod.BICUBIC, "bicubic"), resize_bicubic_op),
    **dict.fromkeys((ResizeMethod.AREA, "area"), resize_area),
}


def _resized(
    images: Any, resize: Callable[[Tensor, Tensor], Tensor], size: Any, keep_ratio: bool, name: str | None, skip: bool
) -> Tensor:
    with name_scope(name, "resize", [images, size]):
        images = to_tensor(images, None, "images")
        ndims = images.get_shape().ndims
        if ndims is None:
            raise ValueError("'images' contains no shape.")
        if ndims not in (3, 4):
            raise ValueError("'images' must have either 3 or 4 dimensions.")
        if ndims == 3:
            images = array.expand_dims(images, 0)
        _, height, width, _ = images.get_shape().as_list()
        try:
            size = to_tensor(size, int32, "size")
        except (TypeError, ValueError):
            raise ValueError("'size' must be a 1-D int32 Tensor") from None
        if not size.get_shape().is_compatible_with([2]):
            raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
        new = infer.partial_value(size) or (None, None)
        if keep_ratio:
            size = _fitting(images, new)
            new = infer.partial_value(size) or (None, None)
        if skip and None not in new and (height, width) == new:
            return images if ndims == 4 else array.squeeze(images, axis=[0])
        images = resize(images, size)
        images.set_shape([None, *new, None])
        return images if ndims == 4 else array.squeeze(images, axis=[0])


def _fitting(images: Tensor, box: Any) -> Tensor:
    """The largest size of the images' own ratio that fits into `box` (height, width)."""
    _, *current, _ = sizes(images, 4)
    parts = zip(box, current, strict=True)
    scale = math.minimum(*[math.cast(new, float32) / math.cast(old, float32) for new, old in parts])
    scaled = [math.cast(math.round(scale * math.cast(n, float32)), int32) for n in current]
    return to_tensor(scaled, int32, "size")


def _was_two_numbers(args: tuple, kwargs: dict[str, Any]) -> bool:
    """Whether the second and third arguments are a height and a width; no image is as narrow as a method's number."""
    if "new_height" in kwargs or "new_width" in kwargs:
        return True
    return (
        len(args) > 2 and _is_number(args[1]) and _is_number(args[2]) and (isinstance(args[2], Tensor) or args[2] > 3)
    )


def _is_number(x: Any) -> bool:
    return x.get_shape().ndims == 0 if isinstance(x, Tensor) else isinstance(x, numbers.Integral)


@formerly("images new_height new_width method align_corners", when=_was_two_numbers)  # until 0.11
def resize_images(
    images: Any,
    size: Any = None,
    method: Any = ResizeMethod.BILINEAR,
    align_corners: bool = False,
    preserve_aspect_ratio: bool = False,
    name: str | None = None,
    new_height: Any = None,
    new_width: Any = None,
) -> Tensor:
    """Images [batch, height, width, channels] or one image, of another `size` (height, width), as float32.

    `method` is one of tf.image.ResizeMethod; nearest neighbours keep the dtype, and images that have the size already
    stay as they are. `preserve_aspect_ratio`: the largest such image that fits into `size`. Raises ValueError.
    """
    if new_height is not None:
        size = [new_height, new_width]

    def resize(x: Tensor, new_size: Tensor) -> Tensor:
        if method not in RESIZE:
            raise ValueError("Resize method is not implemented.")
        return RESIZE[method](x, new_size, align_corners=align_corners)

    return _resized(images, resize, size, preserve_aspect_ratio, name, skip=True)


def resize_by_half_pixels(
    images: Any,
    size: Any,
    method: str = "bilinear",
    preserve_aspect_ratio: bool = False,
    antialias: bool = False,
    name: str | None = None,
) -> Tensor:
    """tf.image.resize of TensorFlow 2: half-pixel centers, and kernels that can smooth what is made smaller."""
    kernels = {"lanczos3": "lanczos3", "lanczos5": "lanczos5", "gaussian": "gaussian", "mitchellcubic": "mitchellcubic"}
    if antialias:
        kernels |= {"bilinear": "triangle", "bicubic": "keyscubic"}

    def resize(x: Tensor, new_size: Tensor) -> Tensor:
        if method in kernels:
            scale = math.cast(new_size, float32) / math.cast(array.shape(x)[1:3], float32)
            return scale_and_translate(
                x, new_size, scale, array.zeros([2]), kernel_type=kernels[method], antialias=antialias
            )
        if method == "area":
            return resize_area(x, new_size)
        if method not in RESIZE:
            raise ValueError("Resize method is not implemented.")
        return RESIZE[method](x, new_size, half_pixel_centers=True)

    return _resized(images, resize, size, preserve_aspect_ratio, name, skip=False)


def resize_image_with_pad(
    image: Any,
    target_height: Any,
    target_width: Any,
    method: Any = ResizeMethod.BILINEAR,
    align_corners: bool = False,
) -> Tensor:
    """The image as large as fits into the target without distortion, in the middle of zeros."""
    with name_scope(None, "resize_image_with_pad", [image]):
        image, had_batch = as_batch(to_tensor(image, None, "image"))
        checks = image_checks(image)
        checks += need(target_width > 0, "target_width must be > 0.")
        checks += need(target_height > 0, "target_height must be > 0.")
        image = with_dependencies(checks, image)
        _, *current, _ = sizes(image, 4)
        extents = [math.cast(n, float64) for n in current]
        targets = [math.cast(n, float64) for n in (target_height, target_width)]
        ratio = largest(extents[1] / targets[1], extents[0] / targets[0])
        scaled = [n / ratio for n in extents]
        new_size = [math.cast(math.floor(n), int32) for n in scaled]
        margins = [(target - n) / 2 for target, n in zip(targets, scaled, strict=True)]
        floors = [math.floor(m) for m in margins]
        offsets = [largest(0, math.cast(f, int32)) for f in floors]
        resized = resize_images(image, new_size, method, align_corners=align_corners)
        padded = pad_to_bounding_box(resized, *offsets, target_height, target_width)
        if padded.get_shape().ndims is None:
            raise ValueError("padded contains no shape.")
        sizes(padded, 4)
        return padded if had_batch else array.squeeze(padded, axis=[0])
