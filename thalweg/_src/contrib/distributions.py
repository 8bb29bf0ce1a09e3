"""The distributions that only tf.contrib.distributions has."""

from __future__ import annotations

import math as numbers
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, scopes
from thalweg._src.lib.distributions.continuous import LocationScale, named
from thalweg._src.lib.distributions.discrete import OfLogits
from thalweg._src.lib.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from thalweg._src.lib.distributions.gamma import Gamma
from thalweg._src.ops import array, math
from thalweg._src.ops.chance import random, random_draws
from thalweg._src.ops.nets.activations import softplus
from thalweg._src.ops.numeric import elementwise, special


class Chi2(Gamma):
    """The chi-squared distribution of `df` degrees of freedom."""

    def __init__(self, df: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Chi2"):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[df]) as name:
            (self._df,) = named({"df": df}, ("df",), validate_args)
            rate = array.zeros([], self._df.dtype) + 0.5
            super().__init__(0.5 * self._df, rate, validate_args, allow_nan_stats, name)
        self._parameters = parameters

    @property
    def df(self) -> Any:
        return self._df


class InverseGamma(Distribution):
    """The distribution of 1 / x, x of the gamma distribution: x^(-concentration - 1) exp(-rate / x), normalised."""

    def __init__(
        self,
        concentration: Any,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "InverseGamma",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[concentration, rate]) as name:
            both = {"concentration": concentration, "rate": rate}
            self._concentration, self._rate = named(both, tuple(both), validate_args)
        own = [self._concentration, self._rate]
        kind = self._concentration.dtype
        super().__init__(kind, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, own, name)

    @property
    def concentration(self) -> Any:
        return self._concentration

    @property
    def rate(self) -> Any:
        return self._rate

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        return 1.0 / random_draws.random_gamma([n], self.concentration, beta=self.rate, dtype=self.dtype, seed=seed)

    def _log_prob(self, x: Any) -> Any:
        log_norm = special.lgamma(self.concentration) - self.concentration * elementwise.log(self.rate)
        return -(1.0 + self.concentration) * elementwise.log(x) - self.rate / x - log_norm

    def _cdf(self, x: Any) -> Any:
        return special.igammac(self.concentration * array.ones_like(self.rate / x), self.rate / x)

    def _entropy(self) -> Any:
        a = self.concentration
        return a + elementwise.log(self.rate) + special.lgamma(a) - (1.0 + a) * special.digamma(a)

    def _known_above(self, least: float, value: Any) -> Any:
        """`value` where the concentration is above `least`, NaN elsewhere."""
        return array.where(self.concentration * array.ones_like(value) > least, value, array.zeros_like(value) + np.nan)

    def _mean(self) -> Any:
        return self._known_above(1.0, self.rate / (self.concentration - 1.0))

    def _variance(self) -> Any:
        a = self.concentration
        return self._known_above(2.0, elementwise.square(self.rate) / elementwise.square(a - 1.0) / (a - 2.0))

    def _mode(self) -> Any:
        return self.rate / (1.0 + self.concentration)


class Binomial(OfLogits):
    """The number of successes in `total_count` trials that each succeed with probability `probs`."""

    def __init__(
        self,
        total_count: Any,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Binomial",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[total_count, logits, probs]) as scope:
            (self._total_count,) = named({"total_count": total_count})
        self._start(logits, probs, self._total_count.dtype, validate_args, allow_nan_stats, parameters, scope)

    @property
    def total_count(self) -> Any:
        return self._total_count

    def _batch_shape(self) -> Any:
        return (self.total_count + self.probs).get_shape()

    def _batch_shape_tensor(self) -> Any:
        return array.shape(self.total_count + self.probs)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        most = math.cast(math.reduce_max(self.total_count), dtypes.int32)
        shape = array.concat([self._shape_of_samples(n), [most]], 0)
        draws = random.random_uniform(shape, dtype=self.dtype, seed=seed) < array.expand_dims(self.probs, -1)
        inside = math.cast(math.range(most), self.dtype) < array.expand_dims(self.total_count, -1)
        return math.reduce_sum(math.cast(math.logical_and(draws, inside), self.dtype), -1)

    def _log_prob(self, counts: Any) -> Any:
        rest = self.total_count - counts
        ways = special.lgamma(self.total_count + 1.0) - special.lgamma(counts + 1.0) - special.lgamma(rest + 1.0)
        return ways - counts * softplus(-self.logits) - rest * softplus(self.logits)

    def _mean(self) -> Any:
        return self.total_count * self.probs

    def _variance(self) -> Any:
        return self._mean() * (1.0 - self.probs)

    def _mode(self) -> Any:
        return elementwise.floor((1.0 + self.total_count) * self.probs)


class Logistic(LocationScale):
    """The logistic distribution: its cumulative distribution is sigmoid((x - loc) / scale)."""

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Logistic"
    ):
        super().__init__(loc, scale, validate_args, allow_nan_stats, name)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        least = np.finfo(self.dtype.as_numpy_dtype).tiny
        u = random.random_uniform(self._shape_of_samples(n), minval=least, maxval=1.0, dtype=self.dtype, seed=seed)
        return (elementwise.log(u) - elementwise.log1p(-u)) * self.scale + self.loc

    def _log_prob(self, x: Any) -> Any:
        z = self._z(x)
        return -z - 2.0 * softplus(-z) - elementwise.log(self.scale)

    def _cdf(self, x: Any) -> Any:
        return elementwise.sigmoid(self._z(x))

    def _entropy(self) -> Any:
        return elementwise.log(self.scale + array.zeros_like(self.loc)) + 2.0

    def _mean(self) -> Any:
        return self.loc + array.zeros_like(self.scale)

    _mode = _mean

    def _stddev(self) -> Any:
        return self.scale * (numbers.pi / numbers.sqrt(3.0)) + array.zeros_like(self.loc)
