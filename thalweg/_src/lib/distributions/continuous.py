"""Distributions of one real number."""

from __future__ import annotations

import hashlib
import math as numbers
from typing import Any

import numpy as np

from thalweg._src.core import scopes
from thalweg._src.lib.distributions.distribution import (
    FULLY_REPARAMETERIZED,
    Distribution,
    RegisterKL,
    as_parameters,
    shaped_as_samples,
)
from thalweg._src.lib.distributions.tails import log_cdf_laplace, log_ndtr, ndtr
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.chance import random, random_draws
from thalweg._src.ops.nets.activations import softplus
from thalweg._src.ops.numeric import elementwise, special
from thalweg._src.ops.reports import checks


def gen_new_seed(seed: int | None, salt: str) -> int | None:
    """Another seed, from a seed and a word."""
    if seed is None:
        return None
    return int(hashlib.md5((str(seed) + salt).encode("utf-8")).hexdigest()[:8], 16) & 0x7FFFFFFF


def named(values: dict[str, Any], positive: tuple[str, ...] = (), validate: bool = False) -> list[Any]:
    """Parameters of one type, each under its name; with `validate`, those that must be positive are checked."""
    made = as_parameters(*values.values())
    positives = [checks.assert_positive(t) for n, t in zip(values, made, strict=True) if validate and n in positive]
    with basic.control_dependencies(positives):
        return [basic.identity(t, name=n) for n, t in zip(values, made, strict=True)]


class LocationScale(Distribution):
    """A distribution of one number, moved by `loc` and stretched by `scale`: both of one type, `scale` checked with `validate_args`."""

    _param_shapes = shaped_as_samples("loc", "scale")

    def __init__(self, loc: Any, scale: Any, validate_args: bool, allow_nan_stats: bool, name: str):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[loc, scale]) as scope:
            self._loc, self._scale = named({"loc": loc, "scale": scale}, ("scale",), validate_args)
        own = [self._loc, self._scale]
        super().__init__(self._loc.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, own, scope)

    @property
    def loc(self) -> Any:
        return self._loc

    @property
    def scale(self) -> Any:
        return self._scale

    def _z(self, x: Any) -> Any:
        return (x - self.loc) / self.scale


class Normal(LocationScale):
    """The normal distribution of mean `loc` and deviation `scale`."""

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Normal"
    ):
        super().__init__(loc, scale, validate_args, allow_nan_stats, name)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        shape = self._shape_of_samples(n)
        return random.random_normal(shape, mean=0.0, stddev=1.0, dtype=self.dtype, seed=seed) * self.scale + self.loc

    def _log_prob(self, x: Any) -> Any:
        return -0.5 * elementwise.square(self._z(x)) - (
            0.5 * numbers.log(2.0 * numbers.pi) + elementwise.log(self.scale)
        )

    def _cdf(self, x: Any) -> Any:
        return ndtr(self._z(x))

    def _log_cdf(self, x: Any) -> Any:
        return log_ndtr(self._z(x))

    def _survival_function(self, x: Any) -> Any:
        return ndtr(-self._z(x))

    def _log_survival_function(self, x: Any) -> Any:
        return log_ndtr(-self._z(x))

    def _quantile(self, p: Any) -> Any:
        return ndtri(p) * self.scale + self.loc

    def _entropy(self) -> Any:
        scale = self.scale * array.ones_like(self.loc)
        return 0.5 + 0.5 * numbers.log(2 * numbers.pi) + elementwise.log(scale)

    def _mean(self) -> Any:
        return self.loc * array.ones_like(self.scale)

    _mode = _mean

    def _stddev(self) -> Any:
        return self.scale * array.ones_like(self.loc)


def ndtri(p: Any) -> Any:
    """The inverse of `ndtr`: Acklam's approximation and a step of Halley's method, on the side that is smaller."""
    low, a, b, c, d = 0.02425, *_ACKLAM
    tail = math.minimum(p, 1.0 - p)
    inside = tail > 0.0
    tail = array.where(inside, tail, array.zeros_like(tail) + 0.25)  # so that gradients are finite at the ends
    q = elementwise.sqrt(-2.0 * elementwise.log(math.minimum(tail, low)))
    outer = _polynomial(c, q) / (_polynomial(d, q) * q + 1.0)
    r = elementwise.square(tail - 0.5)
    inner = (tail - 0.5) * _polynomial(a, r) / (_polynomial(b, r) * r + 1.0)
    x = array.where(tail < low, outer, inner)
    step = (ndtr(x) - tail) * numbers.sqrt(2 * numbers.pi) * elementwise.exp(0.5 * elementwise.square(x))
    x = array.where(inside, x - step / (1.0 + 0.5 * x * step), array.zeros_like(x) - np.inf)
    return array.where(p < 0.5, x, -x)


_ACKLAM: tuple[tuple[float, ...], ...] = (
    (-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.3577518672690, -30.66479806614716, 2.506628277459239),
    (-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572),
    (-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783),
    (0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416),
)  # fmt: skip


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    total: Any = coefficients[0]
    for c in coefficients[1:]:
        total = total * x + c
    return total


class NormalWithSoftplusScale(Normal):
    """`Normal` with softplus(scale) for its deviation."""

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "NormalWithSoftplusScale",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[scale]) as name:
            super().__init__(loc, softplus(scale, name="softplus_scale"), validate_args, allow_nan_stats, name)
        self._parameters = parameters


@RegisterKL(Normal, Normal)
def _(a: Normal, b: Normal, name: str | None = None) -> Any:
    with scopes.name_scope(name, "kl_normal_normal", [a.loc, b.loc]):
        ratio = elementwise.square(a.scale) / elementwise.square(b.scale)
        return elementwise.square(a.loc - b.loc) / (2.0 * elementwise.square(b.scale)) + 0.5 * (
            ratio - 1.0 - elementwise.log(ratio)
        )


class Uniform(Distribution):
    """The uniform distribution over [low, high)."""

    _param_shapes = shaped_as_samples("low", "high")

    def __init__(
        self,
        low: Any = 0.0,
        high: Any = 1.0,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Uniform",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[low, high]) as name:
            self._low, self._high = named({"low": low, "high": high})
        super().__init__(
            self._low.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._low, self._high],
            name,
        )

    @property
    def low(self) -> Any:
        return self._low

    @property
    def high(self) -> Any:
        return self._high

    def range(self, name: str = "range") -> Any:
        """high - low."""
        with self._scope(name):
            return self.high - self.low

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        samples = random.random_uniform(self._shape_of_samples(n), dtype=self.dtype, seed=seed)
        return self.low + self.range() * samples

    def _prob(self, x: Any) -> Any:
        x = x * array.ones_like(self.low) * array.ones_like(self.high)
        density = array.ones_like(x) / self.range()
        outside = math.logical_or(x < self.low, x >= self.high)
        return array.where(math.is_nan(x), x, array.where(outside, array.zeros_like(x), density))

    def _cdf(self, x: Any) -> Any:
        x = x * array.ones_like(self.low) * array.ones_like(self.high)
        zeros = array.zeros_like(x)
        part = (x - self.low) / self.range()
        return array.where(x < self.low, zeros, array.where(x >= self.high, zeros + 1, part))

    def _quantile(self, p: Any) -> Any:
        return self.low + self.range() * p

    def _entropy(self) -> Any:
        return elementwise.log(self.range())

    def _mean(self) -> Any:
        return (self.low + self.high) / 2.0

    def _variance(self) -> Any:
        return elementwise.square(self.range()) / 12.0

    def _stddev(self) -> Any:
        return self.range() / numbers.sqrt(12.0)


class Laplace(LocationScale):
    """The Laplace distribution: exp(-|x - loc| / scale) / (2 scale)."""

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Laplace"
    ):
        super().__init__(loc, scale, validate_args, allow_nan_stats, name)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        kind = self.dtype.as_numpy_dtype
        least = np.nextafter(kind(-1.0), kind(0.0))
        u = random.random_uniform(self._shape_of_samples(n), minval=least, maxval=1.0, dtype=self.dtype, seed=seed)
        return self.loc - self.scale * elementwise.sign(u) * elementwise.log1p(-elementwise.abs(u))

    def _log_prob(self, x: Any) -> Any:
        return -elementwise.abs(self._z(x)) - (numbers.log(2.0) + elementwise.log(self.scale))

    def _cdf(self, x: Any) -> Any:
        z = self._z(x)
        return 0.5 + 0.5 * elementwise.sign(z) * (1.0 - elementwise.exp(-elementwise.abs(z)))

    def _log_cdf(self, x: Any) -> Any:
        return log_cdf_laplace(self._z(x))

    def _log_survival_function(self, x: Any) -> Any:
        return log_cdf_laplace(-self._z(x))

    def _entropy(self) -> Any:
        return numbers.log(2.0) + 1 + elementwise.log(self.scale + array.zeros_like(self.loc))

    def _mean(self) -> Any:
        return self.loc + array.zeros_like(self.scale)

    _mode = _mean

    def _stddev(self) -> Any:
        return numbers.sqrt(2.0) * self.scale + array.zeros_like(self.loc)


class Beta(Distribution):
    """The beta distribution over (0, 1): x^(concentration1 - 1) (1 - x)^(concentration0 - 1), normalised."""

    _param_shapes = shaped_as_samples("concentration1", "concentration0")

    def __init__(
        self,
        concentration1: Any = None,
        concentration0: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Beta",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[concentration1, concentration0]) as name:
            both = {"concentration1": concentration1, "concentration0": concentration0}
            self._concentration1, self._concentration0 = named(both, tuple(both), validate_args)
            self._total_concentration = self._concentration1 + self._concentration0
        super().__init__(
            self._total_concentration.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._concentration1, self._concentration0],
            name,
        )

    @property
    def concentration1(self) -> Any:
        return self._concentration1

    @property
    def concentration0(self) -> Any:
        return self._concentration0

    @property
    def total_concentration(self) -> Any:
        return self._total_concentration

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        ones = array.ones_like(self.total_concentration, dtype=self.dtype)
        one = random_draws.random_gamma([n], self.concentration1 * ones, dtype=self.dtype, seed=seed)
        zero = random_draws.random_gamma(
            [n], self.concentration0 * ones, dtype=self.dtype, seed=gen_new_seed(seed, "beta")
        )
        return one / (one + zero)

    def _log_norm(self) -> Any:
        parts = special.lgamma(self.concentration1) + special.lgamma(self.concentration0)
        return parts - special.lgamma(self.total_concentration)

    def _conditions(self, value: Any) -> list[Any]:
        return [
            checks.assert_positive(value, message="sample must be positive"),
            checks.assert_less(value, array.ones([], self.dtype), message="sample must be less than `1`."),
        ]

    def _log_prob(self, x: Any) -> Any:
        shape = math.xlogy(self.concentration1 - 1.0, x) + (self.concentration0 - 1.0) * elementwise.log1p(-x)
        return shape - self._log_norm()

    def _cdf(self, x: Any) -> Any:
        ones = array.ones_like(x * self.total_concentration)
        return special.betainc(self.concentration1 * ones, self.concentration0 * ones, x * ones)

    def _entropy(self) -> Any:
        return (
            self._log_norm()
            - (self.concentration1 - 1.0) * special.digamma(self.concentration1)
            - (self.concentration0 - 1.0) * special.digamma(self.concentration0)
            + (self.total_concentration - 2.0) * special.digamma(self.total_concentration)
        )

    def _mean(self) -> Any:
        return self.concentration1 / self.total_concentration

    def _variance(self) -> Any:
        return self._mean() * (1.0 - self._mean()) / (1.0 + self.total_concentration)

    def _mode(self) -> Any:
        mode = (self.concentration1 - 1.0) / (self.total_concentration - 2.0)
        inside = math.logical_and(self.concentration1 > 1.0, self.concentration0 > 1.0)
        return self._where_defined(mode, inside, "concentration1 concentration0", "Mode undefined for {} <= 1.")


@RegisterKL(Beta, Beta)
def _(a: Beta, b: Beta, name: str | None = None) -> Any:
    with scopes.name_scope(name, "kl_beta_beta"):
        by = [
            (getattr(b, c) - getattr(a, c)) * special.digamma(getattr(a, c))
            for c in ("concentration1", "concentration0", "total_concentration")
        ]
        return b._log_norm() - a._log_norm() - by[0] - by[1] + by[2]


class StudentT(Distribution):
    """Student's t distribution of `df` degrees of freedom, moved by `loc` and stretched by `scale`."""

    _param_shapes = shaped_as_samples("df", "loc", "scale")

    def __init__(
        self,
        df: Any,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "StudentT",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[df, loc, scale]) as name:
            self._df, self._loc, self._scale = named({"df": df, "loc": loc, "scale": scale}, ("df",), validate_args)
        super().__init__(
            self._scale.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._df, self._loc, self._scale],
            name,
        )

    @property
    def df(self) -> Any:
        return self._df

    @property
    def loc(self) -> Any:
        return self._loc

    @property
    def scale(self) -> Any:
        return self._scale

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        normal = random.random_normal(self._shape_of_samples(n), dtype=self.dtype, seed=seed)
        df = self.df * array.ones(self.batch_shape_tensor(), dtype=self.dtype)
        gamma = random_draws.random_gamma(
            [n], 0.5 * df, beta=0.5, dtype=self.dtype, seed=gen_new_seed(seed, salt="student_t")
        )
        return normal * elementwise.rsqrt(gamma / df) * self.scale + self.loc

    def _log_prob(self, x: Any) -> Any:
        y = (x - self.loc) / self.scale
        log_norm = (
            elementwise.log(elementwise.abs(self.scale))
            + 0.5 * elementwise.log(self.df)
            + 0.5 * numbers.log(numbers.pi)
            + special.lgamma(0.5 * self.df)
            - special.lgamma(0.5 * (self.df + 1.0))
        )
        return -0.5 * (self.df + 1.0) * elementwise.log1p(elementwise.square(y) / self.df) - log_norm

    def _cdf(self, x: Any) -> Any:
        y = (x - self.loc) / elementwise.abs(self.scale)
        tail = self.df / (elementwise.square(y) + self.df)
        ones = array.ones_like(tail)
        half = 0.5 * special.betainc(0.5 * self.df * ones, 0.5 * ones, tail)
        return array.where(y < 0.0, half, 1.0 - half)

    def _entropy(self) -> Any:
        df = self.df * array.ones(self.batch_shape_tensor(), dtype=self.dtype)
        scale = elementwise.abs(self.scale) * array.ones_like(df)
        log_beta = special.lgamma(0.5 * df) + 0.5 * numbers.log(numbers.pi) - special.lgamma(0.5 * (df + 1.0))
        digammas = special.digamma(0.5 * (df + 1.0)) - special.digamma(0.5 * df)
        return elementwise.log(scale) + 0.5 * elementwise.log(df) + log_beta + 0.5 * (df + 1.0) * digammas

    def _mean(self) -> Any:
        mean = self.loc * array.ones(self.batch_shape_tensor(), dtype=self.dtype)
        known = self.df * array.ones_like(mean) > 1.0
        return self._where_defined(mean, known, "df", "mean not defined for components of {} <= 1")

    def _mode(self) -> Any:
        return array.identity(self.loc)

    def _variance(self) -> Any:
        ones = array.ones(self.batch_shape_tensor(), dtype=self.dtype)
        df = self.df * ones
        variance = elementwise.square(self.scale) * ones * df / (df - 2.0)
        variance = array.where(df > 2.0, variance, array.zeros_like(df) + np.inf)
        return self._where_defined(variance, df > 1.0, "df", "variance not defined for components of {} <= 1")
