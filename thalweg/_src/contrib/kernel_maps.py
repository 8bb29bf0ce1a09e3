"""Maps of vectors into spaces in which a linear model does what a kernel would."""

from __future__ import annotations

import math as numbers
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.ops.late import array, math


class InvalidShapeError(Exception):
    """What is to be mapped has another shape than the map takes."""


class RandomFourierFeatureMapper:
    """sqrt(2 / output_dim) cos(x W + b), W normal and b uniform: products of two are near the Gaussian kernel of width `stddev`."""

    def __init__(self, input_dim: int, output_dim: int, stddev: float = 1.0, seed: int = 1, name: str | None = None):
        self._input_dim, self._output_dim = input_dim, output_dim
        self._stddev, self._seed, self._name = stddev, seed, name

    @property
    def name(self) -> str:
        return self._name or str(id(self))

    @property
    def input_dim(self) -> int:
        return self._input_dim

    @property
    def output_dim(self) -> int:
        return self._output_dim

    def map(self, input_tensor: Any) -> Any:
        """[n, input_dim] -> [n, output_dim]. InvalidShapeError for another shape."""
        shape = input_tensor.get_shape().as_list()
        if len(shape) != 2:
            raise InvalidShapeError(f"The shape of the tensor should be 2. Got {len(shape)} instead.")
        if shape[1] != self._input_dim:
            raise InvalidShapeError(
                f"Invalid dimension: expected {self._input_dim} input features, got {shape[1]} instead."
            )
        drawn = np.random.RandomState(self._seed)
        weights = drawn.normal(scale=1.0 / self._stddev, size=[self._input_dim, self._output_dim])
        bias = drawn.uniform(low=0.0, high=2 * np.pi, size=[self._output_dim])
        mapped = math.matmul(input_tensor, array.constant(weights, dtype=dtypes.float32))
        return numbers.sqrt(2.0 / self._output_dim) * math.cos(mapped + array.constant(bias, dtype=dtypes.float32))
