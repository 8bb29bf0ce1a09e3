"""Colour spaces and colour adjustments: RGB and HSV, contrast, hue, saturation."""

from typing import Any

from thalweg._src.core import shapes
from thalweg._src.core.apply import check
from thalweg._src.core.dtypes import FLOATS, float16, float32
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import op, type_attr

C = type_attr("T", FLOATS, float32)
A = type_attr("T", (float16, float32), float32)


def _channels_last(op):
    dims = shapes.of_rank_at_least(op.inputs[0].dims, 1)
    if dims is None:
        return [None]
    if dims[-1] not in (None, 3):
        raise ValueError(f"Dimension must be 3 but is {dims[-1]}")
    return [(*dims[:-1], 3)]


def _unchanged(op):
    return [shapes.of_rank_at_least(op.inputs[0].dims, 3)]


def _planes(images: Any) -> tuple[Any, Any, Any]:
    return images[..., 0], images[..., 1], images[..., 2]


def _safe(x: Any) -> Any:
    """`x`, with 1 for what must not divide: the derivative of the unused branch stays finite."""
    return jnp.where(x > 0, x, jnp.ones((), x.dtype))


@op("RGBToHSV")
def rgb_to_hsv(images: C) -> C:
    """Hue, saturation and value, all in [0, 1], of RGB images [..., 3]. Grey has hue 0, black saturation 0."""
    r, g, b = _planes(images)
    value = jnp.maximum(jnp.maximum(r, g), b)
    span = value - jnp.minimum(jnp.minimum(r, g), b)
    saturation = jnp.where(value > 0, span / _safe(value), 0)
    sixth = (1.0 / _safe(span)) * jnp.asarray(1 / 6, images.dtype)
    third = jnp.asarray(1 / 3, images.dtype)
    two_thirds = jnp.asarray(2 / 3, images.dtype)
    hue = jnp.where(
        r == value, sixth * (g - b), jnp.where(g == value, sixth * (b - r) + third, sixth * (r - g) + two_thirds)
    )
    hue = jnp.where(span > 0, hue, 0)
    return jnp.stack([jnp.where(hue < 0, hue + 1, hue), saturation, value], -1)


@op("HSVToRGB")
def hsv_to_rgb(images: C) -> C:
    """RGB of images [..., 3] of hue, saturation and value."""
    hue, saturation, value = _planes(images)
    six = hue * 6
    ramps = (
        jnp.clip(jnp.abs(six - 3) - 1, 0, 1),
        jnp.clip(2 - jnp.abs(six - 2), 0, 1),
        jnp.clip(2 - jnp.abs(six - 4), 0, 1),
    )
    return jnp.stack([(1 - saturation + saturation * ramp) * value for ramp in ramps], -1)


for _space in (rgb_to_hsv, hsv_to_rgb):
    _space.shape_rule(_channels_last)
hsv_to_rgb.not_differentiable()


# -- adjustments


def _mean(images: Any) -> Any:
    return jnp.sum(images.astype(jnp.float32), (-3, -2), keepdims=True) / (images.shape[-3] * images.shape[-2])


@op("AdjustContrastv2")
def adjust_contrastv2(images: A, contrast_factor: float32) -> A:
    """(x - mean) * factor + mean, with the mean of each channel of each image [..., height, width, channels]."""
    check(images.ndim >= 3, lambda: f"input must be at least 3-D, got shape{list(images.shape)}")
    mean = _mean(images).astype(images.dtype)
    return mean + ((images - mean).astype(jnp.float32) * contrast_factor).astype(images.dtype)


def _three_channels(images: Any) -> None:
    check(images.ndim >= 3, lambda: f"input must be at least 3-D, got shape{list(images.shape)}")
    check(images.shape[-1] == 3, lambda: f"input must have 3 channels but instead has {images.shape[-1]} channels.")


@op("AdjustHue")
def adjust_hue_op(images: A, delta: float32) -> A:
    """RGB images [..., height, width, 3] whose hue is turned by `delta`, where 1 is a full turn."""
    _three_channels(images)
    r, g, b = _planes(images.astype(jnp.float32))
    most, least = jnp.maximum(jnp.maximum(r, g), b), jnp.minimum(jnp.minimum(r, g), b)
    middle = jnp.maximum(jnp.minimum(r, g), jnp.minimum(jnp.maximum(r, g), b))
    # The sixth of the colour circle: which channel is largest, and which smallest.
    below = jnp.where(b < r, 1, jnp.where(b > g, 3, 2))
    above = jnp.where(b < g, 0, jnp.where(b > r, 4, 5))
    sector = jnp.where(r < g, below, above)
    ratio = (middle - least) / _safe(most - least)
    hue = jnp.where(most == least, 0, sector + jnp.where(sector % 2 == 0, ratio, 1 - ratio))
    hue = hue + delta * 6
    hue = hue - 6 * jnp.floor(hue / 6)
    ahead = [
        jnp.where(hue >= 6 - n, hue + (n - 6), hue + n) for n in (5, 3, 1)
    ]  # of where red, green and blue are full
    return jnp.stack([most - (most - least) * jnp.clip(jnp.minimum(k, 4 - k), 0, 1) for k in ahead], -1)


@op("AdjustSaturation")
def adjust_saturation_op(images: A, scale: float32) -> A:
    """RGB images [..., height, width, 3] whose saturation is multiplied by `scale` and cut to [0, 1]."""
    _three_channels(images)
    planes = _planes(images.astype(jnp.float32))
    most = jnp.maximum(jnp.maximum(planes[0], planes[1]), planes[2])
    span = most - jnp.minimum(jnp.minimum(planes[0], planes[1]), planes[2])
    # The hue stays: what is missing to the largest channel grows and shrinks in proportion. Grey and black have no saturation.
    share = jnp.where((span > 0) & (most > 0), jnp.clip(scale, 0, most / _safe(span)), 0)
    return jnp.stack([most - (most - plane) * share for plane in planes], -1)


for _adjust in (adjust_contrastv2, adjust_hue_op, adjust_saturation_op):
    _adjust.shape_rule(_unchanged)


@adjust_contrastv2.shape_rule
def _(op):
    shapes.of_rank(op.inputs[1].dims, 0)
    return _unchanged(op)
