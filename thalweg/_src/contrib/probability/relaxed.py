"""Classes drawn so that gradients go through: Gumbel noise and a softmax of some temperature."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.contrib.bijectors import scalars
from thalweg._src.contrib.bijectors.transformed import TransformedDistribution
from thalweg._src.contrib.probability.univariate import Logistic
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.distributions.distribution import FULLY_REPARAMETERIZED, Distribution, logits_and_probs
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.chance import random
from thalweg._src.ops.nets.softmax import log_softmax
from thalweg._src.ops.numeric import elementwise, special
from thalweg._src.ops.reports.checks import assert_positive


def _temperature(value: Any, dtype: Any, validate: bool) -> Any:
    value = math.cast(to_tensor(value), dtype)
    with basic.control_dependencies([assert_positive(value)] if validate else []):
        return basic.identity(value, name="temperature")


class ExpRelaxedOneHotCategorical(Distribution):
    """The logarithm of a `RelaxedOneHotCategorical`: log_softmax((logits + Gumbel noise) / temperature)."""

    def __init__(
        self,
        temperature: Any,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "ExpRelaxedOneHotCategorical",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[logits, probs, temperature]) as scope:
            self._logits, self._probs = logits_and_probs(logits, probs, True)
            kind = dtypes.as_dtype(dtype or self._logits.dtype).base_dtype
            self._temperature = _temperature(temperature, kind, validate_args)
        own = [self._logits, self._probs, self._temperature]
        super().__init__(kind, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, own, scope)

    @property
    def temperature(self) -> Any:
        return self._temperature

    @property
    def logits(self) -> Any:
        return self._logits

    @property
    def probs(self) -> Any:
        return self._probs

    @property
    def event_size(self) -> Any:
        """The number of classes."""
        return array.shape(self.logits)[-1]

    def _batch_shape(self) -> Any:
        return self.logits.get_shape()[:-1]

    def _batch_shape_tensor(self) -> Any:
        return array.shape(self.logits)[:-1]

    def _event_shape(self) -> Any:
        return self.logits.get_shape()[-1:]

    def _event_shape_tensor(self) -> Any:
        return array.shape(self.logits)[-1:]

    def _hot(self) -> Any:
        """The temperature, with an axis for the classes where it is one for each of a batch."""
        return self.temperature if self.temperature.get_shape().ndims == 0 else array.expand_dims(self.temperature, -1)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        least = np.finfo(self.dtype.as_numpy_dtype).tiny
        u = random.random_uniform(self._shape_of_samples(n), minval=least, maxval=1.0, dtype=self.dtype, seed=seed)
        noise = -elementwise.log(-elementwise.log(u))
        return log_softmax((noise + self.logits) / self._hot())

    def _log_prob(self, x: Any) -> Any:
        count = math.cast(self.event_size, self.dtype)
        norm = special.lgamma(count) + (count - 1.0) * elementwise.log(self.temperature)
        return norm + math.reduce_sum(log_softmax(self.logits - x * self._hot()), -1)


class RelaxedOneHotCategorical(TransformedDistribution):
    """Points of the simplex near its corners; the smaller `temperature` is, the nearer. Gradients go through samples."""

    def __init__(
        self,
        temperature: Any,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "RelaxedOneHotCategorical",
    ):
        inner = ExpRelaxedOneHotCategorical(temperature, logits, probs, dtype, validate_args, allow_nan_stats)
        super().__init__(inner, scalars.Exp(), name=name)

    @property
    def temperature(self) -> Any:
        return self.distribution.temperature  # type: ignore[attr-defined]

    @property
    def logits(self) -> Any:
        return self.distribution.logits  # type: ignore[attr-defined]

    @property
    def probs(self) -> Any:
        return self.distribution.probs  # type: ignore[attr-defined]

    @property
    def event_size(self) -> Any:
        """The number of classes."""
        return self.distribution.event_size  # type: ignore[attr-defined]


class RelaxedBernoulli(TransformedDistribution):
    """Numbers between 0 and 1, near either; the smaller `temperature` is, the nearer. Gradients go through samples."""

    def __init__(
        self,
        temperature: Any,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "RelaxedBernoulli",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[logits, probs, temperature]) as scope:
            self._logits, self._probs = logits_and_probs(logits, probs, False)
            self._temperature = _temperature(temperature, self._logits.dtype.base_dtype, validate_args)
            inner = Logistic(self._logits / self._temperature, 1.0 / self._temperature, validate_args, allow_nan_stats)
        super().__init__(inner, scalars.Sigmoid(), validate_args=validate_args, name=scope)
        self._parameters = parameters

    @property
    def temperature(self) -> Any:
        return self._temperature

    @property
    def logits(self) -> Any:
        return self._logits

    @property
    def probs(self) -> Any:
        return self._probs
