"""Scaling and shifting images with an anti-aliasing kernel: ScaleAndTranslate (Lanczos, Gaussian, cubic kernels and others)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.apply import check
from thalweg._src.core.dtypes import (
    bfloat16,
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
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.ops.images.resizing import sized_dims
from thalweg._src.ops.images.taps import mixed, transposed

T = type_attr("T", (int8, uint8, int16, uint16, int32, int64, bfloat16, float16, float32, float64))
G = type_attr("T", (float32,))
F = np.float32


# -- kernels: weight of a pixel at a distance, and the distance beyond which it has none


def lanczos(radius: float) -> Callable[[np.ndarray], np.ndarray]:
    def weight(x: np.ndarray) -> np.ndarray:
        angle = F(np.pi) * np.where(x <= F(1e-3), F(1), x)
        value = F(radius) * np.sin(angle) * np.sin(angle / F(radius)) / (angle * angle)
        return np.where(x > radius, F(0), np.where(x <= F(1e-3), F(1), value))

    return weight


def gaussian(x: np.ndarray) -> np.ndarray:
    sigma = F(0.5)
    return np.where(x >= F(1.5), F(0), np.exp(-x * x / (F(2) * sigma * sigma)))


def box(x: np.ndarray) -> np.ndarray:
    return np.where(x < F(0.5), F(1), np.where(x == F(0.5), F(0.5), F(0)))


def triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(F(1) - x, F(0))


def keys_cubic(x: np.ndarray) -> np.ndarray:
    near = ((F(1.5) * x - F(2.5)) * x) * x + F(1)
    far = ((F(-0.5) * x + F(2.5)) * x - F(4)) * x + F(2)
    return np.where(x >= 2, F(0), np.where(x >= 1, far, near))


def mitchell_cubic(x: np.ndarray) -> np.ndarray:
    near = ((F(7 / 6) * x - F(2)) * x) * x + F(8 / 9)
    far = ((F(-7 / 18) * x + F(2)) * x - F(10 / 3)) * x + F(16 / 9)
    return np.where(x >= 2, F(0), np.where(x >= 1, far, near))


KERNELS: dict[str, tuple[float, Callable[[np.ndarray], np.ndarray]]] = {
    "lanczos1": (1.0, lanczos(1.0)),
    "lanczos3": (3.0, lanczos(3.0)),
    "lanczos5": (5.0, lanczos(5.0)),
    "gaussian": (1.5, gaussian),
    "box": (1.0, box),
    "triangle": (1.0, triangle),
    "keyscubic": (2.0, keys_cubic),
    "mitchellcubic": (2.0, mitchell_cubic),
}


def spans(
    out: int, size: int, scale: float, shift: float, kernel_type: str, antialias: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(indices [out, k], weights [out, k]): what each output pixel takes of the input; rows without a place take nothing."""
    radius, kernel = KERNELS[kernel_type]
    inverse = F(1.0 / scale)
    stretch = max(inverse, F(1)) if antialias else F(1)
    at = (np.arange(out, dtype=F) + F(0.5)) * inverse + -inverse * F(shift)
    inside = ~((at < 0) | (at > size))
    first = np.clip(np.ceil(at - F(radius) * stretch - F(0.5)), 0, size - 1).astype(np.int64)
    last = np.clip(np.floor(at + F(radius) * stretch - F(0.5)), 0, size - 1).astype(np.int64)
    source = first[:, None] + np.arange(max(int((last - first).max(initial=0)), 0) + 1)
    distance = np.abs((source.astype(F) + F(0.5) - at[:, None]) * (F(1) / stretch))
    weights = np.where(inside[:, None] & (source <= last[:, None]), kernel(distance), F(0)).astype(F)
    total = weights.sum(-1, keepdims=True, dtype=F)
    usable = np.abs(total) >= 1000 * np.finfo(F).tiny
    weights = np.where(usable, weights / np.where(usable, total, F(1)), F(0)).astype(F)
    return np.minimum(source, size - 1), weights


def _pair(values: Any, what: str) -> tuple[float, float]:
    check(values.ndim == 1, lambda: f"{what} must be 1-dimensional")
    check(values.size == 2, lambda: f"{what} must have two elements")
    return float(values[0]), float(values[1])


def _kernel(kernel_type: str) -> None:
    check(kernel_type in KERNELS, lambda: f"Unrecognized kernel type: {kernel_type}")


@op("ScaleAndTranslate")
def scale_and_translate(
    images: T,
    size: Static(int32),
    scale: Static(float32),
    translation: Static(float32),
    *,
    kernel_type: str = "lanczos3",
    antialias: bool = True,
) -> float32:
    """Images of height and width `size`, whose pixel (y, x) lies at (y, x) / scale - translation / scale of the input."""
    _kernel(kernel_type)
    height, width = (int(n) for n in size)
    check(height > 0 and width > 0, "output dimensions must be positive")
    check(images.shape[3] > 0, "image must have at least one channel")
    check(images.shape[1] > 0 and images.shape[2] > 0, "input image must be of non-zero size")
    scales, shifts = _pair(scale, "scale"), _pair(translation, "translation")
    check(min(scales) > 0, "Scale must be greater than zero.")
    x = images.astype(jnp.float32)
    for axis, out, s, t in zip((1, 2), (height, width), scales, shifts, strict=True):
        x = mixed(x, axis, *spans(out, x.shape[axis], s, t, kernel_type, antialias))
    return x


@op("ScaleAndTranslateGrad")
def scale_and_translate_grad(
    grads: G,
    original_image: G,
    scale: Static(float32),
    translation: Static(float32),
    *,
    kernel_type: str = "lanczos3",
    antialias: bool = True,
) -> G:
    """The gradient of ScaleAndTranslate with respect to its images."""
    _kernel(kernel_type)
    scales, shifts = _pair(scale, "scale"), _pair(translation, "translation")
    check(min(scales) > 0, "Scale must be greater than zero.")
    g = grads
    for axis, s, t in zip((1, 2), scales, shifts, strict=True):
        size = original_image.shape[axis]
        g = mixed(g, axis, *transposed(*spans(g.shape[axis], size, s, t, kernel_type, antialias), size))
    return g


@scale_and_translate.shape_rule
def _(op):
    dims = shapes.of_rank(op.inputs[0].dims, 4)
    return [sized_dims(dims[0], op.inputs[1], dims[3])]


scale_and_translate_grad.shape_rule(lambda op: [op.inputs[1].dims])


@scale_and_translate.grad
def _(op, g):
    x, _, scale, translation = op.inputs
    attrs = {n: op.attrs[n] for n in ("kernel_type", "antialias")}
    return scale_and_translate_grad(g, x, scale, translation, **attrs), None, None, None
