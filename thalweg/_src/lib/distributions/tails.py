"""Logarithms of probabilities far from the middle, where the probabilities themselves are zero or one to the last bit."""

from __future__ import annotations

import math as numbers
from typing import Any

from thalweg._src.core.dtypes import float64
from thalweg._src.ops import array, math
from thalweg._src.ops.numeric import elementwise, special


def ndtr(x: Any) -> Any:
    """The standard normal cumulative distribution."""
    return 0.5 * special.erfc(-x * numbers.sqrt(0.5))


def log_ndtr(x: Any) -> Any:
    """The logarithm of `ndtr`: right of the middle by the other side's probability, far to the left by its asymptotic series."""
    low = -20.0 if x.dtype.base_dtype == float64 else -10.0
    right = elementwise.log1p(-ndtr(-math.maximum(x, 0.0)))
    middle = elementwise.log(ndtr(math.maximum(x, low)))
    left = math.minimum(x, low)
    far = -0.5 * elementwise.square(left) - elementwise.log(-left) - 0.5 * numbers.log(2.0 * numbers.pi)
    return array.where(x > 0.0, right, array.where(x > low, middle, far + elementwise.log(_series(left))))


def _series(x: Any) -> Any:
    """1 - 1/x^2 + 3/x^4 - 15/x^6: what the normal density is multiplied with, over -x."""
    inverse = 1.0 / elementwise.square(x)
    return 1.0 - inverse * (1.0 - 3.0 * inverse * (1.0 - 5.0 * inverse))


def log_cdf_laplace(x: Any) -> Any:
    """The logarithm of the standard Laplace cumulative distribution."""
    right = elementwise.log1p(-0.5 * elementwise.exp(-elementwise.abs(x)))
    return array.where(x < 0.0, x - numbers.log(2.0), right)
