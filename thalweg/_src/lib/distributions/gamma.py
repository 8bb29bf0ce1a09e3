"""The gamma distribution, and the exponential one."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core import scopes
from thalweg._src.lib.distributions.continuous import named
from thalweg._src.lib.distributions.distribution import (
    FULLY_REPARAMETERIZED,
    Distribution,
    RegisterKL,
    shaped_as_samples,
)
from thalweg._src.ops import array
from thalweg._src.ops.chance import random, random_draws
from thalweg._src.ops.numeric import elementwise, special
from thalweg._src.ops.numeric.arithmetic import xlogy
from thalweg._src.ops.reports import checks


class Gamma(Distribution):
    """The gamma distribution: x^(concentration - 1) exp(-rate x), normalised."""

    _param_shapes = shaped_as_samples("concentration", "rate")

    def __init__(
        self,
        concentration: Any,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Gamma",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[concentration, rate]) as name:
            both = {"concentration": concentration, "rate": rate}
            self._concentration, self._rate = named(both, tuple(both), validate_args)
        super().__init__(
            self._rate.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._concentration, self._rate],
            name,
        )

    @property
    def concentration(self) -> Any:
        return self._concentration

    @property
    def rate(self) -> Any:
        return self._rate

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        return random_draws.random_gamma([n], self.concentration, beta=self.rate, dtype=self.dtype, seed=seed)

    def _conditions(self, value: Any) -> list[Any]:
        return [checks.assert_positive(value)]

    def _log_prob(self, x: Any) -> Any:
        log_norm = special.lgamma(self.concentration) - self.concentration * elementwise.log(self.rate)
        return xlogy(self.concentration - 1.0, x) - self.rate * x - log_norm

    def _cdf(self, x: Any) -> Any:
        return special.igamma(self.concentration * array.ones_like(self.rate * x), self.rate * x)

    def _entropy(self) -> Any:
        a = self.concentration
        return a - elementwise.log(self.rate) + special.lgamma(a) + (1.0 - a) * special.digamma(a)

    def _mean(self) -> Any:
        return self.concentration / self.rate

    def _variance(self) -> Any:
        return self.concentration / elementwise.square(self.rate)

    def _stddev(self) -> Any:
        return elementwise.sqrt(self.concentration) / self.rate

    def _mode(self) -> Any:
        mode = (self.concentration - 1.0) / self.rate
        inside = self.concentration * array.ones_like(mode) > 1.0
        return self._where_defined(mode, inside, "concentration", "mode not defined when any {} <= 1")


class Exponential(Gamma):
    """The exponential distribution: rate exp(-rate x)."""

    _param_shapes = shaped_as_samples("rate")

    def __init__(self, rate: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Exponential"):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[rate]) as name:
            (rate,) = named({"rate": rate})
            super().__init__(array.ones([], dtype=rate.dtype), rate, validate_args, allow_nan_stats, name)
        self._parameters = parameters

    def _batch_shape(self) -> Any:
        return self._rate.get_shape()

    def _log_survival_function(self, x: Any) -> Any:
        return self._log_prob(x) - elementwise.log(self._rate)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        least = np.finfo(self.dtype.as_numpy_dtype).tiny
        u = random.random_uniform(self._shape_of_samples(n), minval=least, maxval=1.0, seed=seed, dtype=self.dtype)
        return -elementwise.log(u) / self._rate


@RegisterKL(Gamma, Gamma)
def _(a: Gamma, b: Gamma, name: str | None = None) -> Any:
    with scopes.name_scope(name, "kl_gamma_gamma"):
        return (
            (a.concentration - b.concentration) * special.digamma(a.concentration)
            + special.lgamma(b.concentration)
            - special.lgamma(a.concentration)
            + b.concentration * elementwise.log(a.rate)
            - b.concentration * elementwise.log(b.rate)
            + a.concentration * (b.rate / a.rate - 1.0)
        )
