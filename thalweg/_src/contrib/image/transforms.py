"""tf.contrib.image: images turned, moved and seen through projective transforms."""

from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import float32, int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.images.projecting import (
    DTYPES,
    flat_transforms_to_matrices,
    image_projective_transform,
    matrices_to_flat_transforms,
)
from thalweg._src.ops.late import array, math


def _as_batch(images: Tensor) -> Tensor:
    """`images` [height, width], [height, width, channels] or [batch, height, width, channels] as the last."""
    if images.dtype.base_dtype not in DTYPES:
        raise TypeError(f"Invalid dtype {images.dtype}.")
    if images.get_shape().ndims is None:
        raise TypeError("image_or_images rank must be statically known")
    if images.get_shape().ndims == 2:
        return images[None, :, :, None]
    if images.get_shape().ndims == 3:
        return images[None, :, :, :]
    if images.get_shape().ndims == 4:
        return images
    raise TypeError("Images should have rank between 2 and 4.")


def _of_rank(images: Tensor, ndims: int) -> Tensor:
    """A batch of one as the image of rank `ndims` that it came from."""
    if ndims == 2:
        return images[0, :, :, 0]
    return images[0, :, :, :] if ndims == 3 else images


def transform(
    images: Any, transforms: Any, interpolation: str = "NEAREST", output_shape: Any = None, name: str | None = None
) -> Tensor:
    """`images` through `transforms` (8 numbers, or a row of them for each image), which lead from the output to the input.

    `interpolation` is NEAREST or BILINEAR; `output_shape` [height, width] is that of the images unless given. Pixels from
    outside are 0. Raises TypeError for images or transforms of a wrong rank or dtype, ValueError for a wrong output shape.
    """
    with name_scope(name, "transform"):
        given = to_tensor(images, name="images")
        transforms = to_tensor(transforms, float32, name="transforms")
        batch = _as_batch(given)
        if output_shape is None:
            output_shape = array.shape(batch)[1:3]
        output_shape = to_tensor(output_shape, int32, name="output_shape")
        if not output_shape.get_shape().is_compatible_with([2]):
            raise ValueError("output_shape must be a 1-D Tensor of 2 elements: new_height, new_width")
        ndims = transforms.get_shape().ndims
        if ndims is None:
            raise TypeError("transform_or_transforms rank must be statically known")
        if ndims not in (1, 2):
            raise TypeError("Transforms should have rank 1 or 2.")
        transforms = transforms[None] if ndims == 1 else transforms
        result = image_projective_transform(batch, transforms, output_shape, interpolation=interpolation.upper())
        return _of_rank(result, given.get_shape().ndims)


def rotate(images: Any, angles: Any, interpolation: str = "NEAREST", name: str | None = None) -> Tensor:
    """`images` turned counterclockwise by `angles` in radians, one or one for each image. Raises TypeError."""
    with name_scope(name, "rotate"):
        given = to_tensor(images)
        batch = _as_batch(given)
        height = math.cast(array.shape(batch)[1], float32)[None]
        width = math.cast(array.shape(batch)[2], float32)[None]
        turned = transform(batch, angles_to_projective_transforms(angles, height, width), interpolation=interpolation)
        return _of_rank(turned, given.get_shape().ndims)


def translate(images: Any, translations: Any, interpolation: str = "NEAREST", name: str | None = None) -> Tensor:
    """`images` moved by `translations` [dx, dy], or a row of them for each image."""
    with name_scope(name, "translate"):
        return transform(images, translations_to_projective_transforms(translations), interpolation=interpolation)


def angles_to_projective_transforms(
    angles: Any, image_height: Any, image_width: Any, name: str | None = None
) -> Tensor:
    """[n, 8]: the transforms that turn images of that size by `angles` around their centres. Raises TypeError."""
    with name_scope(name, "angles_to_projective_transforms"):
        angles = to_tensor(angles, float32, name="angles")
        if angles.get_shape().ndims not in (0, 1):
            raise TypeError("Angles should have rank 0 or 1.")
        if angles.get_shape().ndims == 0:
            angles = angles[None]
        cos, sin = math.cos, math.sin
        x = ((image_width - 1) - (cos(angles) * (image_width - 1) - sin(angles) * (image_height - 1))) / 2.0
        y = ((image_height - 1) - (sin(angles) * (image_width - 1) + cos(angles) * (image_height - 1))) / 2.0
        count = array.shape(angles)[0]
        columns = [
            cos(angles)[:, None],
            -sin(angles)[:, None],
            x[:, None],
            sin(angles)[:, None],
            cos(angles)[:, None],
            y[:, None],
            array.zeros((count, 2), float32),
        ]
        return array.concat(columns, axis=1)


def translations_to_projective_transforms(translations: Any, name: str | None = None) -> Tensor:
    """[n, 8]: the transforms that move images by `translations`, [dx, dy] or rows of it. Raises TypeError."""
    with name_scope(name, "translations_to_projective_transforms"):
        translations = to_tensor(translations, float32, name="translations")
        ndims = translations.get_shape().ndims
        if ndims is None:
            raise TypeError("translation_or_translations rank must be statically known")
        if ndims not in (1, 2):
            raise TypeError("Translations should have rank 1 or 2.")
        translations = translations[None] if ndims == 1 else translations
        count = array.shape(translations)[0]
        return array.concat(
            [
                array.ones((count, 1), float32),
                array.zeros((count, 1), float32),
                -translations[:, 0, None],
                array.zeros((count, 1), float32),
                array.ones((count, 1), float32),
                -translations[:, 1, None],
                array.zeros((count, 2), float32),
            ],
            axis=1,
        )


def compose_transforms(*transforms: Any) -> Tensor:
    """The transform [n, 8] that is `transforms` one after the other."""
    assert transforms, "transforms cannot be empty"
    with name_scope("compose_transforms"):
        composed = flat_transforms_to_matrices(transforms[0])
        for more in transforms[1:]:
            composed = math.matmul(composed, flat_transforms_to_matrices(more))
        return matrices_to_flat_transforms(composed)
