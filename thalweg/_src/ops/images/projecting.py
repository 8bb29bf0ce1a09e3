"""Images seen through a projective transform: the op behind tf.contrib.image."""

from typing import Any

from thalweg._src.core import shapes
from thalweg._src.core.apply import check
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import float16, float32, float64, int32, int64, uint8
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Enum, Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.images.resizing import sized_dims
from thalweg._src.ops.late import array, math
from thalweg._src.ops.linear.linear_systems import matrix_inverse

DTYPES = (uint8, int32, int64, float16, float32, float64)
T = type_attr("dtype", DTYPES)


@op("ImageProjectiveTransformV2")
def image_projective_transform(
    images: T, transforms: float32, output_shape: Static(int32), *, interpolation: Enum("NEAREST", "BILINEAR")
) -> T:
    """[batch, height, width, channels]: at (x, y) the pixel of `images` at (a0 x + a1 y + a2, b0 x + b1 y + b2) / k.

    `transforms` has a row (a0, a1, a2, b0, b1, b2, c0, c1) for each image, or one for all; k is c0 x + c1 y + 1. Outside
    of an image is 0.
    """
    check(output_shape.shape == (2,), "output shape must be 1-dimensional with two elements")
    rows = transforms.shape[0] if transforms.ndim == 2 else 0
    check(rows in (1, images.shape[0]), "Input transform should be num_images x 8 or 1 x 8")
    size = int(output_shape[0]), int(output_shape[1])
    y, x = (jnp.arange(n, dtype=jnp.float32) for n in size)
    a0, a1, a2, b0, b1, b2, c0, c1 = (transforms[:, i, None, None] for i in range(8))
    x, y = x[None, None, :], y[None, :, None]
    depth = c0 * x + c1 * y + 1
    from_x, from_y = (a0 * x + a1 * y + a2) / depth, (b0 * x + b1 * y + b2) / depth
    look = _nearest if interpolation == "NEAREST" else _between
    out = look(images, *(jnp.broadcast_to(v, (images.shape[0], *size)) for v in (from_y, from_x)))
    return jnp.where((depth == 0)[..., None], 0, out).astype(images.dtype)


def _pixels(images: Any, row: Any, column: Any) -> Any:
    """The pixels at whole `row` and `column`, float32[batch, height, width]; 0 outside of the images."""
    batch, height, width, _ = images.shape
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    at = lambda v, n: jnp.clip(jnp.nan_to_num(v), 0, max(n - 1, 0)).astype(jnp.int32)
    which = jnp.arange(batch)[:, None, None]
    return jnp.where(inside[..., None], images[which, at(row, height), at(column, width)], 0)


def _nearest(images: Any, y: Any, x: Any) -> Any:
    away = lambda v: jnp.sign(v) * jnp.floor(jnp.abs(v) + jnp.float32(0.5))  # C's round
    return _pixels(images, away(y), away(x))


def _between(images: Any, y: Any, x: Any) -> Any:
    top, left = jnp.floor(y), jnp.floor(x)
    kind = jnp.promote_types(images.dtype, jnp.float32) if images.dtype != jnp.float16 else jnp.float32
    pixel = lambda row, column: _pixels(images, row, column).astype(kind)
    right_share, low_share = (x - left)[..., None], (y - top)[..., None]
    left_share, high_share = (left + 1 - x)[..., None], (top + 1 - y)[..., None]
    above = left_share * pixel(top, left) + right_share * pixel(top, left + 1)
    below = left_share * pixel(top + 1, left) + right_share * pixel(top + 1, left + 1)
    return high_share * above + low_share * below


@image_projective_transform.shape_rule
def _(op: Any) -> list[Any]:
    dims = shapes.of_rank(op.inputs[0].dims, 4)
    return [sized_dims(dims[0], op.inputs[2], dims[3])]


@image_projective_transform.grad
def _(op: Any, g: Tensor) -> tuple[Tensor, None, None]:
    images, transforms, _ = op.inputs
    back = matrices_to_flat_transforms(matrix_inverse(flat_transforms_to_matrices(transforms)))
    size = array.shape(images)[1:3]
    return image_projective_transform(g, back, size, interpolation=op.attrs["interpolation"]), None, None


def flat_transforms_to_matrices(transforms: Any) -> Tensor:
    """[n, 3, 3] from rows of 8 numbers (or one row): the matrices that take places of the output to the input's."""
    with name_scope("flat_transforms_to_matrices"):
        transforms = to_tensor(transforms, name="transforms")
        if transforms.shape.ndims not in (1, 2):
            raise ValueError(f"Transforms should be 1D or 2D, got: {transforms}")
        transforms = array.reshape(transforms, constant([-1, 8]))
        count = array.shape(transforms)[0]
        return array.reshape(array.concat([transforms, array.ones([count, 1])], axis=1), constant([-1, 3, 3]))


def matrices_to_flat_transforms(transform_matrices: Any) -> Tensor:
    """[n, 8] from [n, 3, 3] or [3, 3]: what `transform` takes."""
    with name_scope("matrices_to_flat_transforms"):
        matrices = to_tensor(transform_matrices, name="transform_matrices")
        if matrices.shape.ndims not in (2, 3):
            raise ValueError(f"Matrices should be 2D or 3D, got: {matrices}")
        transforms = array.reshape(matrices, constant([-1, 9]))
        transforms = math.divide(transforms, transforms[:, 8:9])
        return transforms[:, :8]
