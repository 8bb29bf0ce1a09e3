"""The sliced Wasserstein distance of images, by patches of a Laplacian pyramid (arXiv 1710.10196)."""

from __future__ import annotations

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.ops import array, math
from thalweg._src.ops.arrays.blocks import batch_to_space
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.arrays.topk import top_k
from thalweg._src.ops.chance.random import random_normal
from thalweg._src.ops.control.py_func import py_func
from thalweg._src.ops.nets.convolution_api import conv2d
from thalweg._src.ops.nets.normalization import moments

_BINOMIAL = np.float32([1, 4, 6, 4, 1])
_BLUR = np.outer(_BINOMIAL, _BINOMIAL).reshape([5, 5, 1, 1]) / 256


def laplacian_pyramid(batch: Tensor, num_levels: int) -> list[Tensor]:
    """The details of each size, from the full one down, and last what is left: [batch, height, width, channels]."""

    def blurred(images: Tensor, gain: float) -> Tensor:
        s = array.shape(images)
        padded = array.pad(images, [[0, 0], [2, 2], [2, 2], [0, 0]], "REFLECT")
        planes = array.reshape(array.transpose(padded, [0, 3, 1, 2]), [s[0] * s[3], s[1] + 4, s[2] + 4, 1])
        planes = conv2d(planes, constant(_BLUR * np.float32(gain)), [1, 1, 1, 1], "VALID")
        return array.transpose(array.reshape(planes, [s[0], s[3], s[1], s[2]]), [0, 2, 3, 1])

    def larger(images: Tensor) -> Tensor:
        s = array.shape(images)
        spread = array.concat([images, array.zeros([3 * s[0], s[1], s[2], s[3]])], 0)
        return blurred(batch_to_space(spread, crops=[[0, 0], [0, 0]], block_size=2), 4)

    pyramid = [math.cast(batch, dtypes.float32)]
    for _ in range(1, num_levels):
        pyramid.append(blurred(pyramid[-1], 1)[:, ::2, ::2])
        pyramid[-2] -= larger(pyramid[-1])
    return pyramid


def batch_to_patches(batch: Tensor, patches_per_image: int, patch_size: int) -> Tensor:
    """Square patches at random places: [batch * patches_per_image, patch_size, patch_size, 3]."""

    def cut(images: np.ndarray) -> np.ndarray:
        count, height, width, channels = images.shape
        half = patch_size // 2
        patch, y, x, channel = np.ogrid[0 : count * patches_per_image, -half : half + 1, -half : half + 1, 0:3]
        y = y + np.random.randint(half, height - half, size=(len(patch), 1, 1, 1))
        x = x + np.random.randint(half, width - half, size=(len(patch), 1, 1, 1))
        image = patch // patches_per_image
        return images.flat[((image * height + y) * width + x) * channels + channel]

    return py_func(cut, [batch], batch.dtype, stateful=False)


def normalize_patches(patches: list[Tensor] | Tensor) -> Tensor:
    """Patches, each with mean 0 and variance 1, as rows."""
    patches = array.concat(patches, 0)
    mean, variance = moments(patches, [1, 2, 3], keep_dims=True)
    patches = (patches - mean) / math.sqrt(variance)
    return array.reshape(patches, [array.shape(patches)[0], -1])


def _sorted_columns(matrix: Tensor, rows: Tensor) -> Tensor:
    return array.transpose(top_k(array.transpose(matrix, [1, 0]), rows)[0], [1, 0])


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """The mean distance of the sorted columns."""
    rows = array.shape(a)[0]
    return math.reduce_mean(math.abs(_sorted_columns(a, rows) - _sorted_columns(b, rows)))


def _by_chance(a: Tensor, b: Tensor, samplings: int, directions: int) -> Tensor:
    """The distance along random directions, the mean of several draws."""
    means = []
    for _ in range(samplings):
        along = random_normal([array.shape(a)[1], directions])
        along *= math.rsqrt(math.reduce_sum(math.square(along), 0, keepdims=True))
        means.append(_distance(math.matmul(a, along), math.matmul(b, along)))
    return math.reduce_mean(array.stack(means))


def _by_singular_vectors(a: Tensor, b: Tensor) -> Tensor:
    """The distance along the principal directions of both."""
    sizes, left = math.svd(array.concat([a, b], 0))[:2]
    of_a, of_b = array.split(left * sizes, 2, axis=0)
    return _distance(of_a[:, ::-1], of_b[:, ::-1])


def sliced_wasserstein_distance(
    real_images: Tensor,
    fake_images: Tensor,
    resolution_min: int = 16,
    patches_per_image: int = 64,
    patch_size: int = 7,
    random_sampling_count: int = 1,
    random_projection_dim: int = 7 * 7 * 3,
    use_svd: bool = False,
) -> list[tuple[Tensor, Tensor]]:
    """For each size of the pyramid, the distance of real images from themselves and from `fake_images`.

    Images are square, of three channels. Raises ValueError for others.
    """
    height = real_images.shape[1]
    real_images.shape.assert_is_compatible_with([None, None, height, 3])
    fake_images.shape.assert_is_compatible_with(real_images.shape)
    largest = int(height)
    smallest = min(resolution_min, largest)
    levels = int(np.log2(largest)) - int(np.log2(smallest)) + 1

    def patches(pyramid: list[Tensor]) -> list[Tensor]:
        return [normalize_patches([batch_to_patches(level, patches_per_image, patch_size)]) for level in pyramid]

    real_pyramid = laplacian_pyramid(real_images, levels)
    real, again = patches(real_pyramid), patches(real_pyramid)
    fake = patches(laplacian_pyramid(fake_images, levels))

    def score(a: Tensor, b: Tensor) -> Tensor:
        return _by_singular_vectors(a, b) if use_svd else _by_chance(a, b, random_sampling_count, random_projection_dim)

    return [(score(r, t), score(r, f)) for r, t, f in zip(real, again, fake, strict=True)]
