"""The losses of stochastic dual coordinate ascent: their values, their conjugates, and the best dual of one example.

`wx` is what the model says of an example, `label` is -1 or 1 where the loss tells classes apart, `scale` is
partitions * example weight * |x|^2 / l2. Sources: arxiv.org/abs/1211.2717 and, for several workers, arxiv.org/abs/1502.03508.
"""

import math
from typing import Any

import numpy as np

from thalweg._src.core.errors import invalid


def _exp(x: float) -> float:
    return math.exp(x) if x < 709.0 else math.inf


def _signs(labels: Any) -> Any:
    """Labels 0 and 1 as -1 and 1. Raises InvalidArgumentError for others."""
    wrong = labels[(labels != 0) & (labels != 1)]
    if wrong.size:
        raise invalid(
            f"Only labels of 0.0 or 1.0 are supported right now. Found example with label: {float(wrong.flat[0]):g}"
        )
    return np.where(labels == 0, -1.0, 1.0)


def _between(label: float, candidate: float) -> float:
    """The nearest dual with 0 <= label * dual <= 1."""
    return 0.0 if label * candidate < 0 else label if label * candidate > 1.0 else candidate


def _inside(dual: Any, label: Any, value: Any) -> Any:
    """`value`, where label * dual is in [0, 1]; elsewhere the conjugate has none."""
    y = dual * label
    return np.where((y < 0) | (y > 1), np.finfo(np.float64).max, value)


class Logistic:
    """log(1 + exp(-label wx))."""

    smoothness = 4.0
    labels = staticmethod(_signs)

    @staticmethod
    def dual(label: float, dual: float, wx: float, scale: float) -> float:
        """By Newton's method on x with dual = (1 + tanh x) / 2 label; ten steps are exact in floats."""
        x = 0.0
        for _ in range(10):
            t = math.tanh(x)
            value = -2.0 * label * x - wx - scale * (0.5 * (1.0 + t) / label - dual)
            x -= value / (-2.0 * label - scale * (1.0 - t * t) * 0.5 / label)
        return 0.5 * (1.0 + math.tanh(x)) / label

    @staticmethod
    def conjugate(dual: Any, label: Any) -> Any:
        y = dual * label
        return y * np.log(np.where(y > 0, y, 1.0)) + (1 - y) * np.log(np.where(y < 1, 1 - y, 1.0))

    @staticmethod
    def primal(wx: Any, label: Any) -> Any:
        return np.logaddexp(0.0, -label * wx)

    @staticmethod
    def slope(wx: Any, label: Any) -> Any:
        return -label * np.exp(-np.logaddexp(0.0, label * wx))


class Squared:
    """(wx - label)^2 / 2."""

    smoothness = 1.0

    @staticmethod
    def labels(labels: Any) -> Any:
        return labels

    @staticmethod
    def dual(label: float, dual: float, wx: float, scale: float) -> float:
        return dual + (label - dual - wx) / (1.0 + scale)

    @staticmethod
    def conjugate(dual: Any, label: Any) -> Any:
        return dual * (0.5 * dual - label)

    @staticmethod
    def primal(wx: Any, label: Any) -> Any:
        return (wx - label) ** 2 * 0.5

    @staticmethod
    def slope(wx: Any, label: Any) -> Any:
        return wx - label


class Hinge:
    """max(0, 1 - label wx)."""

    smoothness = 0.0
    labels = staticmethod(_signs)

    @staticmethod
    def dual(label: float, dual: float, wx: float, scale: float) -> float:
        if scale == 0.0:  # an example without weight or features: any dual is as good
            return _between(label, math.copysign(math.inf, label - wx)) if label != wx else dual
        return _between(label, dual + (label - wx) / scale)

    @staticmethod
    def conjugate(dual: Any, label: Any) -> Any:
        return _inside(dual, label, -dual * label)

    @staticmethod
    def primal(wx: Any, label: Any) -> Any:
        return np.maximum(0.0, 1.0 - label * wx)

    @staticmethod
    def slope(wx: Any, label: Any) -> Any:
        return np.where(label * wx < 1, -label, 0.0)


class SmoothHinge:
    """The hinge with a parabola of width 1 in its corner."""

    smoothness = 1.0
    labels = staticmethod(_signs)

    @staticmethod
    def dual(label: float, dual: float, wx: float, scale: float) -> float:
        return _between(label, dual + (label - wx - dual) / (scale + 1.0))

    @staticmethod
    def conjugate(dual: Any, label: Any) -> Any:
        return _inside(dual, label, 0.5 * dual * dual - dual * label)

    @staticmethod
    def primal(wx: Any, label: Any) -> Any:
        gap = 1.0 - label * wx
        return np.where(gap <= 0, 0.0, np.where(gap >= 1, gap - 0.5, 0.5 * gap * gap))

    @staticmethod
    def slope(wx: Any, label: Any) -> Any:
        y = label * wx
        return np.where(y >= 1, 0.0, np.where(y <= 0, -label, wx - label))


class Poisson:
    """exp(wx) - wx label."""

    smoothness = 1.0

    @staticmethod
    def labels(labels: Any) -> Any:
        wrong = labels[labels < 0]
        if wrong.size:
            raise invalid(
                "Only non-negative labels can be used with the Poisson log loss. "
                f"Found example with label: {float(wrong.flat[0]):g}"
            )
        return labels

    @staticmethod
    def dual(label: float, dual: float, wx: float, scale: float) -> float:
        """By Newton's method on x with dual = label - exp(x)."""
        rest = label - dual
        x = math.log(rest) if rest > 0 else 0.0
        for _ in range(10):
            e = _exp(x)
            x -= (x - wx - scale * (rest - e)) / (1.0 + scale * e)
        return label - _exp(x)

    @staticmethod
    def conjugate(dual: Any, label: Any) -> Any:
        rest = label - dual
        value = rest * (np.log(np.where(rest > 0, rest, 1.0)) - 1.0)
        return np.where(rest > 0, value, np.where(rest == 0, 0.0, np.finfo(np.float64).max))

    @staticmethod
    def primal(wx: Any, label: Any) -> Any:
        return np.exp(wx) - wx * label

    @staticmethod
    def slope(wx: Any, label: Any) -> Any:
        return np.exp(wx) - label


LOSSES: dict[str, Any] = {
    "logistic_loss": Logistic,
    "squared_loss": Squared,
    "hinge_loss": Hinge,
    "smooth_hinge_loss": SmoothHinge,
    "poisson_loss": Poisson,
}
