"""Hue, saturation and value changed at once, as a rotation of colours in the YIQ space."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import float32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.images.image_colors import convert_image_dtype
from thalweg._src.ops.late import array, math

_TO_YIQ = np.float32([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_FROM_YIQ = np.float32([[1, 0.95617069, 0.62143257], [1, -0.2726886, -0.64681324], [1, -1.103744, 1.70062309]])


def adjust_hsv_in_yiq(
    image: Any, delta_hue: Any = 0, scale_saturation: Any = 1, scale_value: Any = 1, name: str | None = None
) -> Tensor:
    """RGB `image` with its hue turned by `delta_hue` radians, its chroma times `scale_saturation`, all times `scale_value`.

    The type stays; whole numbers go through float32 and are clipped. ValueError for fewer than 3 dimensions,
    InvalidArgumentError where the last one is not 3.
    """
    with name_scope(name, "adjust_hsv_in_yiq", [image]):
        image = to_tensor(image, name="image")
        kind, dims = image.dtype.base_dtype, image.get_shape().as_list() if image.get_shape().dims else []
        if 0 < len(dims) < 3:
            raise ValueError(f"Shape must be at least rank 3 but is rank {len(dims)} for 'AdjustHsvInYiq'")
        if dims and dims[-1] not in (3, None):
            raise errors.InvalidArgumentError(
                None, None, f"input must have 3 channels but instead has {dims[-1]} channels."
            )
        hue, saturation, value = (to_tensor(v, float32) for v in (delta_hue, scale_saturation, scale_value))
        along, across = (value * saturation * f(hue) for f in (math.cos, math.sin))
        none = array.zeros_like(value)
        turn = array.stack([value, none, none, none, along, -across, none, across, along])
        colours = math.matmul(math.matmul(_FROM_YIQ, array.reshape(turn, [3, 3])), _TO_YIQ)
        pixels = convert_image_dtype(image, float32)
        turned = math.matmul(array.reshape(pixels, [-1, 3]), colours, transpose_b=True)
        result = array.reshape(turned, array.shape(pixels))
        result.set_shape(image.get_shape())
        return convert_image_dtype(result, kind, saturate=True)


def random_hsv_in_yiq(
    image: Any,
    max_delta_hue: float = 0,
    lower_saturation: float = 1,
    upper_saturation: float = 1,
    lower_value: float = 1,
    upper_value: float = 1,
    seed: int | None = None,
) -> Tensor:
    """`adjust_hsv_in_yiq` by numbers drawn between these. ValueError for bounds that are negative or the wrong way around."""
    if max_delta_hue < 0:
        raise ValueError("max_delta must be non-negative.")
    for low, high, what in (
        (lower_saturation, upper_saturation, "saturation"),
        (lower_value, upper_value, "value"),
    ):
        if low < 0:
            raise ValueError(f"lower_{what} must be non-negative.")
        if low > high:
            raise ValueError(f"lower_{what} must be < upper_{what}.")

    def drawn(low: float, high: float, fixed: float) -> Any:
        return random_uniform([], low, high, seed=seed) if low != high else fixed

    hue = drawn(-max_delta_hue, max_delta_hue, 0)
    saturation = drawn(lower_saturation, upper_saturation, lower_saturation)
    return adjust_hsv_in_yiq(image, hue, saturation, drawn(lower_value, upper_value, lower_value))
