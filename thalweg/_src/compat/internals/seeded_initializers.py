"""tensorflow.python.ops.init_ops_v2: the initializers of 2.x. With a seed they give the same numbers wherever they are called."""

from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.ops.chance import random_draws
from thalweg._src.ops.stateful import initializers
from thalweg._src.ops.stateful.initializers import Constant as Constant
from thalweg._src.ops.stateful.initializers import Identity as Identity
from thalweg._src.ops.stateful.initializers import Initializer as Initializer
from thalweg._src.ops.stateful.initializers import Ones as Ones
from thalweg._src.ops.stateful.initializers import Zeros as Zeros


class _BySeed(Initializer):
    """Draws that are functions of the seed alone, if there is one."""

    def _normal(self, shape: Any, mean: Any, deviation: Any, dtype: Any) -> Tensor:
        if not self.seed:
            return super()._normal(shape, mean, deviation, dtype)
        return random_draws.stateless_normal(shape, [self.seed, 0], mean, deviation, dtype)

    def _truncated(self, shape: Any, mean: Any, deviation: Any, dtype: Any) -> Tensor:
        if not self.seed:
            return super()._truncated(shape, mean, deviation, dtype)
        return random_draws.stateless_truncated_normal(shape, [self.seed, 0], mean, deviation, dtype)

    def _uniform(self, shape: Any, low: Any, high: Any, dtype: Any) -> Tensor:
        if not self.seed:
            return super()._uniform(shape, low, high, dtype)
        return random_draws.stateless_uniform(shape, [self.seed, 0], low, high, dtype)


class RandomUniform(_BySeed, initializers.RandomUniform):
    """Numbers from `minval` to `maxval`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None):
        super().__init__(minval, maxval, seed)


class RandomNormal(_BySeed, initializers.RandomNormal):
    """Normal numbers."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        super().__init__(mean, stddev, seed)


class TruncatedNormal(_BySeed, initializers.TruncatedNormal):
    """Normal numbers within two deviations."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        super().__init__(mean, stddev, seed)


class VarianceScaling(_BySeed, initializers.VarianceScaling):
    """Random numbers of the variance scale / n."""


class GlorotUniform(_BySeed, initializers.GlorotUniform):
    """Uniform numbers of the variance 2 / (inputs + outputs)."""


class GlorotNormal(_BySeed, initializers.GlorotNormal):
    """Normal numbers of the variance 2 / (inputs + outputs)."""


class Orthogonal(_BySeed, initializers.Orthogonal):
    """A matrix with orthonormal rows or columns."""


def lecun_normal(seed: int | None = None) -> VarianceScaling:
    """Normal numbers of the variance 1 / inputs."""
    return VarianceScaling(1.0, "fan_in", "truncated_normal", seed)


def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform numbers of the variance 1 / inputs."""
    return VarianceScaling(1.0, "fan_in", "uniform", seed)


def he_normal(seed: int | None = None) -> VarianceScaling:
    """Normal numbers of the variance 2 / inputs."""
    return VarianceScaling(2.0, "fan_in", "truncated_normal", seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform numbers of the variance 2 / inputs."""
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


constant, identity, ones, orthogonal, zeros = Constant, Identity, Ones, Orthogonal, Zeros
glorot_normal, glorot_uniform, normal, uniform = GlorotNormal, GlorotUniform, RandomNormal, RandomUniform
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
