"""Distributions of one number that only tf.contrib.distributions has: Cauchy, logistic, chi-squared, binomial ones and others."""

from __future__ import annotations

import math as numbers
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, scopes
from thalweg._src.lib.distributions.continuous import LocationScale, gen_new_seed, named, ndtri
from thalweg._src.lib.distributions.discrete import OfLogits
from thalweg._src.lib.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from thalweg._src.lib.distributions.gamma import Gamma
from thalweg._src.ops import array, math
from thalweg._src.ops.chance import random, random_draws
from thalweg._src.ops.nets.activations import relu, softplus
from thalweg._src.ops.numeric import elementwise, special
from thalweg._src.ops.numeric.arithmetic import xlogy


class Cauchy(LocationScale):
    """The Cauchy distribution around `loc`: 1 / (1 + z^2), normalised, z = (x - loc) / scale. It has no mean."""

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Cauchy"
    ):
        super().__init__(loc, scale, validate_args, allow_nan_stats, name)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        return self._quantile(random.random_uniform(self._shape_of_samples(n), dtype=self.dtype, seed=seed))

    def _log_prob(self, x: Any) -> Any:
        return (
            -elementwise.log1p(elementwise.square(self._z(x))) - numbers.log(numbers.pi) - elementwise.log(self.scale)
        )

    def _cdf(self, x: Any) -> Any:
        return elementwise.atan(self._z(x)) / numbers.pi + 0.5

    def _log_cdf(self, x: Any) -> Any:
        return elementwise.log1p(2 / numbers.pi * elementwise.atan(self._z(x))) - numbers.log(2)

    def _quantile(self, p: Any) -> Any:
        return self.loc + self.scale * elementwise.tan(numbers.pi * (p - 0.5))

    def _entropy(self) -> Any:
        return (numbers.log(4 * numbers.pi) + elementwise.log(self.scale)) * array.ones_like(self.loc)

    def _mode(self) -> Any:
        return self.loc * array.ones_like(self.scale)

    def _mean(self) -> Any:
        if not self.allow_nan_stats:
            raise ValueError("The Cauchy distribution has no mean and no deviation.")
        return array.fill(self.batch_shape_tensor(), self.dtype.as_numpy_dtype(np.nan))

    _stddev = _mean


class HalfNormal(Distribution):
    """The absolute value of a normal number of mean 0 and deviation `scale`."""

    def __init__(self, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "HalfNormal"):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[scale]) as scope:
            (self._scale,) = named({"scale": scale}, ("scale",), validate_args)
        kind = self._scale.dtype
        super().__init__(kind, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, [self._scale], scope)

    @property
    def scale(self) -> Any:
        return self._scale

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        return elementwise.abs(
            random.random_normal(self._shape_of_samples(n), dtype=self.dtype, seed=seed) * self.scale
        )

    def _prob(self, x: Any) -> Any:
        density = numbers.sqrt(2 / numbers.pi) / self.scale * elementwise.exp(-0.5 * elementwise.square(x / self.scale))
        return density * math.cast(x >= 0, self.dtype)

    def _cdf(self, x: Any) -> Any:
        return special.erf(relu(x) / self.scale / numbers.sqrt(2.0))

    def _quantile(self, p: Any) -> Any:
        return numbers.sqrt(2.0) * self.scale * erfinv(p)

    def _entropy(self) -> Any:
        return 0.5 * elementwise.log(numbers.pi * elementwise.square(self.scale) / 2.0) + 0.5

    def _mean(self) -> Any:
        return self.scale * numbers.sqrt(2.0 / numbers.pi)

    def _mode(self) -> Any:
        return array.zeros(self.batch_shape_tensor(), dtype=self.dtype)

    def _variance(self) -> Any:
        return elementwise.square(self.scale) * (1.0 - 2.0 / numbers.pi)


def erfinv(p: Any) -> Any:
    """The inverse of erf, by that of the normal distribution."""
    return ndtri((p + 1.0) / 2.0) / numbers.sqrt(2.0)


class Kumaraswamy(Distribution):
    """a b x^(a-1) (1 - x^a)^(b-1) between 0 and 1, a `concentration1` and b `concentration0`."""

    def __init__(
        self,
        concentration1: Any = None,
        concentration0: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Kumaraswamy",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[concentration1, concentration0]) as scope:
            both = {"concentration1": concentration1, "concentration0": concentration0}
            self._a, self._b = named(both, tuple(both), validate_args)
        own = [self._a, self._b]
        super().__init__(self._a.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, own, scope)

    @property
    def concentration1(self) -> Any:
        return self._a

    @property
    def concentration0(self) -> Any:
        return self._b

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        return self._quantile(random.random_uniform(self._shape_of_samples(n), dtype=self.dtype, seed=seed))

    def _log_prob(self, x: Any) -> Any:
        a, b = self._a, self._b
        return elementwise.log(a * b) + xlogy(a - 1, x) + xlogy(b - 1, 1 - math.pow(x, a))

    def _cdf(self, x: Any) -> Any:
        return 1.0 - math.pow(1.0 - math.pow(x, self._a), self._b)

    def _quantile(self, p: Any) -> Any:
        return math.pow(1.0 - math.pow(1.0 - p, 1.0 / self._b), 1.0 / self._a)

    def _entropy(self) -> Any:
        a, b = self._a, self._b
        harmonic = special.digamma(b + 1.0) - special.digamma(array.ones_like(b))
        return (1 - 1.0 / a) + (1 - 1.0 / b) * harmonic + elementwise.log(a) + elementwise.log(b)

    def _moment(self, n: int) -> Any:
        """The mean of x^n: b B(1 + n/a, b)."""
        start = 1.0 + n / self._a
        logs = special.lgamma(start) + special.lgamma(self._b) - special.lgamma(start + self._b)
        return elementwise.exp(elementwise.log(self._b) + logs)

    def _mean(self) -> Any:
        return self._moment(1)

    def _variance(self) -> Any:
        return self._moment(2) - elementwise.square(self._moment(1))

    def _mode(self) -> Any:
        a, b = self._a, self._b
        mode = math.pow((a - 1) / (a * b - 1), 1.0 / a)
        inner = math.logical_and(a + array.zeros_like(b) > 1.0, b + array.zeros_like(a) > 1.0)
        return array.where(inner, mode, array.zeros_like(mode) + np.nan)


class Geometric(OfLogits):
    """The number of failures before the first success, of probability `probs`."""

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Geometric",
    ):
        parameters = dict(locals())
        self._start(logits, probs, None, validate_args, allow_nan_stats, parameters, name)
        self._dtype = self.probs.dtype.base_dtype

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        least = np.finfo(self.dtype.as_numpy_dtype).tiny
        u = random.random_uniform(self._shape_of_samples(n), minval=least, maxval=1.0, dtype=self.dtype, seed=seed)
        return elementwise.floor(elementwise.log(u) / elementwise.log1p(-self.probs))

    def _counted(self, x: Any) -> tuple[Any, Any]:
        """(x as a whole number, the probability), both of one shape."""
        x = elementwise.floor(x) * array.ones_like(self.probs)
        return x, self.probs * array.ones_like(x)

    def _log_prob(self, x: Any) -> Any:
        x, probs = self._counted(x)
        safe = array.where(math.equal(x, 0.0), array.zeros_like(probs), probs)
        return x * elementwise.log1p(-safe) + elementwise.log(probs)

    def _cdf(self, x: Any) -> Any:
        x, probs = self._counted(x)
        below = -elementwise.expm1((1.0 + x) * elementwise.log1p(-probs))
        return array.where(x < 0.0, array.zeros_like(x), below)

    def _entropy(self) -> Any:
        return softplus(self.logits) / self.probs - self.logits

    def _mean(self) -> Any:
        return elementwise.exp(-self.logits)

    def _variance(self) -> Any:
        return self._mean() / self.probs

    def _mode(self) -> Any:
        return array.zeros(self.batch_shape_tensor(), dtype=self.dtype)


class NegativeBinomial(OfLogits):
    """The number of successes, each of probability `probs`, before `total_count` failures."""

    def __init__(
        self,
        total_count: Any,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "NegativeBinomial",
    ):
        parameters = dict(locals())
        self._start(logits, probs, None, validate_args, allow_nan_stats, parameters, name)
        self._dtype = self.probs.dtype.base_dtype
        with scopes.name_scope(self.name):
            self._total_count = array.identity(math.cast(total_count, self._dtype), name="total_count")
        self._graph_parents = [self._total_count, *self._graph_parents]

    @property
    def total_count(self) -> Any:
        return self._total_count

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        rates = random_draws.random_gamma(
            [n], self.total_count, beta=elementwise.exp(-self.logits), dtype=self.dtype, seed=seed
        )
        return random_draws.random_poisson(rates, [], dtype=self.dtype, seed=gen_new_seed(seed, "negative_binom"))

    def _log_prob(self, x: Any) -> Any:
        r = self.total_count
        ways = special.lgamma(r + x) - special.lgamma(1.0 + x) - special.lgamma(r)
        return ways - r * softplus(self.logits) - x * softplus(-self.logits)

    def _cdf(self, x: Any) -> Any:
        shape = array.zeros_like(self.total_count + x + self.logits)
        return special.betainc(self.total_count + shape, 1.0 + x + shape, elementwise.sigmoid(-self.logits) + shape)

    def _mean(self) -> Any:
        return self.total_count * elementwise.exp(self.logits)

    def _variance(self) -> Any:
        return self._mean() / elementwise.sigmoid(-self.logits)

    def _mode(self) -> Any:
        least = relu(self.total_count - 1.0)
        return elementwise.floor(least * elementwise.exp(self.logits))


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
