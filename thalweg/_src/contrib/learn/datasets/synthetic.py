"""Points of figures, to classify."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.contrib.learn.datasets.base import Dataset


def _shuffled(x: list[np.ndarray], y: list[np.ndarray], noise: float | None) -> Dataset:
    points, labels = np.vstack(x), np.hstack(y).astype(np.int32)
    order = np.random.permutation(len(points))
    if noise is not None:
        points = points + np.random.normal(scale=noise, size=points.shape)
    return Dataset(data=points[order], target=labels[order])


def circles(
    n_samples: int = 100,
    noise: float | None = None,
    seed: int | None = None,
    factor: float = 0.8,
    n_classes: int = 2,
    *args: Any,
    **kwargs: Any,
) -> Dataset:
    """Circles around one centre, each smaller by `factor`; a class each."""
    if seed is not None:
        np.random.seed(seed)
    count = n_samples // n_classes
    angles = np.linspace(0, 2 * np.pi, count)
    circle = np.column_stack((np.cos(angles), np.sin(angles)))
    x = [circle * factor**label for label in range(n_classes)]
    y = [np.full(count, label) for label in range(n_classes)]
    extras = n_samples % n_classes
    if extras:
        x.append(np.column_stack([f(np.random.rand(extras) * 2 * np.pi) for f in (np.cos, np.sin)]))
        y.append(np.zeros(extras))
    return _shuffled(x, y, noise)


def _archimedes(theta: np.ndarray, offset: float = 0.0, **_: Any) -> np.ndarray:
    x, y = theta * np.cos(theta + offset), theta * np.sin(theta + offset)
    return np.column_stack((x / np.abs(x).max(), y / np.abs(y).max()))


def _bernoulli(theta: np.ndarray, offset: float = 0.0, exp_scale: float = 0.1, **_: Any) -> np.ndarray:
    radius = np.exp(exp_scale * theta)
    x, y = radius * np.cos(theta + offset), radius * np.sin(theta + offset)
    return np.column_stack((x / np.abs(x).max(), y / np.abs(y).max()))


def _fermat(theta: np.ndarray, offset: float = 0.0, **_: Any) -> np.ndarray:
    x, y = np.sqrt(theta) * np.cos(theta + offset), np.sqrt(theta) * np.sin(theta + offset)
    return np.column_stack((x / np.abs(x).max(), y / np.abs(y).max()))


_MODES = {"archimedes": _archimedes, "bernoulli": _bernoulli, "fermat": _fermat}


def spirals(
    n_samples: int = 100,
    noise: float | None = None,
    seed: int | None = None,
    mode: str = "archimedes",
    n_loops: float = 2,
    *args: Any,
    **kwargs: Any,
) -> Dataset:
    """Two spirals, a class each. Raises ValueError for unknown modes."""
    if mode is None or mode not in _MODES:
        raise ValueError(f"Cannot generate spiral with mode {mode}")
    if seed is not None:
        np.random.seed(seed)
    count = n_samples // 2
    angles = np.linspace(0, 2 * n_loops * np.pi, count)
    x = [_MODES[mode](angles, label * np.pi, **kwargs) for label in range(2)]
    y = [np.full(count, label) for label in range(2)]
    extras = n_samples % 2
    if extras:
        x.append(_MODES[mode](np.random.rand(extras) * 2 * np.pi, **kwargs))
        y.append(np.zeros(extras))
    return _shuffled(x, y, noise)
