"""Turning, cutting and padding images: [height, width, channels] or [batch, height, width, channels]."""

from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import float64, int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.basic import with_dependencies
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.control.control_flow import case, cond
from thalweg._src.ops.images.image_checks import as_batch, checked, image_checks, is_tensor, need, sizes
from thalweg._src.ops.late import array, math

WRONG_RANK = "'image' must have either 3 or 4 dimensions."


# -- turning


def _at_least_3(image: Tensor, result: Tensor) -> Tensor:
    dims = image.get_shape()
    result.set_shape([None, None, None] if dims.ndims is None else dims)
    return result


def _random_flip(image: Any, axis: int, seed: Any, name: str) -> Tensor:
    with name_scope(None, name, [image]) as scope:
        image = checked(to_tensor(image, None, "image"))
        ndims = image.get_shape().ndims
        if ndims in (3, None):
            mirror = math.less(random_uniform([], 0, 1.0, seed=seed), 0.5)
            result = cond(mirror, lambda: array.reverse(image, [axis]), lambda: image, name=scope)
            return _at_least_3(image, result)
        if ndims != 4:
            raise ValueError(WRONG_RANK)
        batch = array.shape(image)[0]
        chance = random_uniform([batch], 0, 1.0, seed=seed)
        flips = math.cast(math.round(array.reshape(chance, [batch, 1, 1, 1])), image.dtype)
        flipped = array.reverse(image, [axis + 1])
        return flips * flipped + (1 - flips) * image


def random_flip_up_down(image: Any, seed: Any = None) -> Tensor:
    """`image`, or with a chance of one half the image upside down; each one of a batch for itself."""
    return _random_flip(image, 0, seed, "random_flip_up_down")


def random_flip_left_right(image: Any, seed: Any = None) -> Tensor:
    """`image`, or with a chance of one half its mirror image; each one of a batch for itself."""
    return _random_flip(image, 1, seed, "random_flip_left_right")


def _flip(image: Any, axis: int, name: str) -> Tensor:
    with name_scope(None, name, [image]):
        image = checked(to_tensor(image, None, "image"))
        ndims = image.get_shape().ndims
        if ndims in (3, None):
            return _at_least_3(image, array.reverse(image, [axis]))
        if ndims != 4:
            raise ValueError(WRONG_RANK)
        return array.reverse(image, [axis + 1])


def flip_left_right(image: Any) -> Tensor:
    """The mirror image: columns in reverse order."""
    return _flip(image, 1, "flip_left_right")


def flip_up_down(image: Any) -> Tensor:
    """The image upside down: rows in reverse order."""
    return _flip(image, 0, "flip_up_down")


def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """The image turned by `k` quarters, counter-clockwise."""
    with name_scope(name, "rot90", [image, k]) as scope:
        image = checked(to_tensor(image, None, "image"))
        k = to_tensor(k, int32, "k")
        k.get_shape().assert_has_rank(0)
        k = math.mod(k, 4)
        dims = image.get_shape()
        if dims.ndims not in (3, 4, None):
            raise ValueError(WRONG_RANK)
        first = 1 if dims.ndims == 4 else 0
        order = [0, 2, 1, 3] if first else [1, 0, 2]

        def one() -> Tensor:
            return array.transpose(array.reverse_v2(image, [first + 1]), order)

        def two() -> Tensor:
            return array.reverse_v2(image, [first, first + 1])

        def three() -> Tensor:
            return array.reverse_v2(array.transpose(image, order), [first + 1])

        turns = [(math.equal(k, 1), one), (math.equal(k, 2), two), (math.equal(k, 3), three)]
        result = case(turns, default=lambda: image, exclusive=True, name=scope)
        known = dims.as_list() if dims.ndims is not None else [None] * 3
        result.set_shape([*known[:first], None, None, known[-1]])
        return result


def transpose(image: Any, name: str | None = None) -> Tensor:
    """The image with rows and columns exchanged."""
    with name_scope(name, "transpose", [image]):
        image = checked(to_tensor(image, None, "image"))
        ndims = image.get_shape().ndims
        if ndims in (3, None):
            return array.transpose(image, [1, 0, 2], name=name)
        if ndims != 4:
            raise ValueError(WRONG_RANK)
        return array.transpose(image, [0, 2, 1, 3], name=name)


# -- cutting and padding


def central_crop(image: Any, central_fraction: float) -> Tensor:
    """The middle of the image, `central_fraction` of its height and width. Raises ValueError outside of (0, 1]."""
    with name_scope(None, "central_crop", [image]):
        image = to_tensor(image, None, "image")
        if central_fraction <= 0.0 or central_fraction > 1.0:
            raise ValueError("central_fraction must be within (0, 1]")
        if central_fraction == 1.0:
            return image
        checked(image)
        dims = image.get_shape()
        if dims.ndims not in (3, 4):
            raise ValueError(f"`image` should either be a Tensor with rank = 3 or rank = 4. Had rank = {dims.ndims}.")
        known = dims.as_list()
        at = dims.ndims - 3
        extents = [n if n is not None else array.shape(image)[at + i] for i, n in enumerate(known[at : at + 2])]

        def margin(extent: Any) -> Any:
            if is_tensor(extent):
                size = math.cast(extent, float64)
                return math.cast((size - size * central_fraction) / 2, int32)
            return int((float(extent) - float(extent) * central_fraction) / 2)

        starts = [margin(n) for n in extents]
        lengths = [n - start * 2 for n, start in zip(extents, starts, strict=True)]
        begin = array.stack([*[0] * at, *starts, 0])
        size = array.stack([*[-1] * at, *lengths, -1])
        image = array.slice(image, begin, size)
        image.set_shape([*known[:at], *(None if is_tensor(n) else n for n in lengths), known[-1]])
        return image


def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """The image within zeros: `offset_height` rows above, `offset_width` columns before, to the target's size.

    Raises ValueError where it does not fit.
    """
    with name_scope(None, "pad_to_bounding_box", [image]):
        image, had_batch = as_batch(to_tensor(image, None, "image"))
        checks = image_checks(image)
        batch, height, width, depth = sizes(image, 4)
        after_width = target_width - offset_width - width
        after_height = target_height - offset_height - height
        checks += need(offset_height >= 0, "offset_height must be >= 0")
        checks += need(offset_width >= 0, "offset_width must be >= 0")
        checks += need(after_width >= 0, "width must be <= target - offset")
        checks += need(after_height >= 0, "height must be <= target - offset")
        image = with_dependencies(checks, image)
        flat = [0, 0, offset_height, after_height, offset_width, after_width, 0, 0]
        padded = array.pad(image, array.reshape(array.stack(flat), [4, 2]))
        padded.set_shape([None if is_tensor(n) else n for n in (batch, target_height, target_width, depth)])
        return padded if had_batch else array.squeeze(padded, axis=[0])


def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """The part of the image of the target's size that begins at the offsets. Raises ValueError where it leaves it."""
    with name_scope(None, "crop_to_bounding_box", [image]):
        image, had_batch = as_batch(to_tensor(image, None, "image"))
        checks = image_checks(image)
        batch, height, width, depth = sizes(image, 4)
        checks += need(offset_width >= 0, "offset_width must be >= 0.")
        checks += need(offset_height >= 0, "offset_height must be >= 0.")
        checks += need(target_width > 0, "target_width must be > 0.")
        checks += need(target_height > 0, "target_height must be > 0.")
        checks += need(width >= (target_width + offset_width), "width must be >= target + offset.")
        checks += need(height >= (target_height + offset_height), "height must be >= target + offset.")
        image = with_dependencies(checks, image)
        begin = array.stack([0, offset_height, offset_width, 0])
        cropped = array.slice(image, begin, array.stack([-1, target_height, target_width, -1]))
        cropped.set_shape([None if is_tensor(n) else n for n in (batch, target_height, target_width, depth)])
        return cropped if had_batch else array.squeeze(cropped, axis=[0])


def largest(x: Any, y: Any) -> Any:
    return math.maximum(x, y) if is_tensor(x) or is_tensor(y) else max(x, y)


def smallest(x: Any, y: Any) -> Any:
    return math.minimum(x, y) if is_tensor(x) or is_tensor(y) else min(x, y)


def _same(x: Any, y: Any) -> Any:
    return math.equal(x, y) if is_tensor(x) or is_tensor(y) else x == y


def resize_image_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """The image cut in its middle, or in the middle of zeros, to the target's height and width."""
    with name_scope(None, "resize_image_with_crop_or_pad", [image]):
        image, had_batch = as_batch(to_tensor(image, None, "image"))
        checks = image_checks(image)
        checks += need(target_width > 0, "target_width must be > 0.")
        checks += need(target_height > 0, "target_height must be > 0.")
        image = with_dependencies(checks, image)
        # A batch shape is known to the targets only after its checks have run.
        if is_tensor(target_height):
            target_height = with_dependencies(checks, target_height)
        if is_tensor(target_width):
            target_width = with_dependencies(checks, target_width)
        _, height, width, _ = sizes(image, 4)
        more_width = target_width - width
        crop_width, pad_width = largest(-more_width // 2, 0), largest(more_width // 2, 0)
        more_height = target_height - height
        crop_height, pad_height = largest(-more_height // 2, 0), largest(more_height // 2, 0)
        cropped = crop_to_bounding_box(
            image, crop_height, crop_width, smallest(target_height, height), smallest(target_width, width)
        )
        resized = pad_to_bounding_box(cropped, pad_height, pad_width, target_height, target_width)
        if resized.get_shape().ndims is None:
            raise ValueError("resized contains no shape.")
        _, height, width, _ = sizes(resized, 4)
        checks = need(_same(height, target_height), "resized height is not correct.")
        checks += need(_same(width, target_width), "resized width is not correct.")
        resized = with_dependencies(checks, resized)
        return resized if had_batch else array.squeeze(resized, axis=[0])
