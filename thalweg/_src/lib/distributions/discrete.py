"""Distributions of integers and of one of several classes."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.lib.distributions.continuous import named
from thalweg._src.lib.distributions.distribution import (
    NOT_REPARAMETERIZED,
    Distribution,
    RegisterKL,
    conditions_of_integers,
    logits_and_probs,
    shaped_as_samples,
)
from thalweg._src.ops import array, math
from thalweg._src.ops.chance import random, random_draws
from thalweg._src.ops.nets import softmax
from thalweg._src.ops.nets.activations import softplus
from thalweg._src.ops.numeric import elementwise, special
from thalweg._src.ops.reports import checks


class OfLogits(Distribution):
    """What those have in common that take logits or probabilities."""

    _many = False

    def _start(
        self, logits: Any, probs: Any, dtype: Any, validate: bool, nan: bool, parameters: Any, name: str
    ) -> None:
        with scopes.name_scope(name, values=[logits, probs]) as name:
            self._logits, self._probs = logits_and_probs(logits, probs, self._many, validate)
        super().__init__(dtype, NOT_REPARAMETERIZED, validate, nan, parameters, [self._logits, self._probs], name)

    @property
    def logits(self) -> Any:
        return self._logits

    @property
    def probs(self) -> Any:
        return self._probs


class Bernoulli(OfLogits):
    """1 with probability `probs` (or sigmoid(logits)), else 0."""

    _param_shapes = shaped_as_samples("logits")

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = dtypes.int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Bernoulli",
    ):
        self._start(logits, probs, dtype, validate_args, allow_nan_stats, dict(locals()), name)

    def _batch_shape(self) -> Any:
        return self._logits.get_shape()

    def _batch_shape_tensor(self) -> Any:
        return array.shape(self._logits)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        u = random.random_uniform(self._shape_of_samples(n), seed=seed, dtype=self.probs.dtype)
        return math.cast(math.less(u, self.probs), self.dtype)

    def _conditions(self, value: Any) -> list[Any]:
        return conditions_of_integers(value, 1)

    def _log_prob(self, event: Any) -> Any:
        event = math.cast(event, self.logits.dtype)
        logits = self.logits + array.zeros_like(event)
        event = event + array.zeros_like(self.logits)
        return -softmax.sigmoid_cross_entropy_with_logits(labels=event, logits=logits)

    def _entropy(self) -> Any:
        return -self.logits * (elementwise.sigmoid(self.logits) - 1) + softplus(-self.logits)

    def _mean(self) -> Any:
        return array.identity(self.probs)

    def _variance(self) -> Any:
        return self._mean() * (1.0 - self.probs)

    def _mode(self) -> Any:
        return math.cast(self.probs > 0.5, self.dtype)


@RegisterKL(Bernoulli, Bernoulli)
def _(a: Bernoulli, b: Bernoulli, name: str | None = None) -> Any:
    with scopes.name_scope(name, "kl_bernoulli_bernoulli", values=[a.logits, b.logits]):
        delta0 = softplus(-b.logits) - softplus(-a.logits)
        delta1 = softplus(b.logits) - softplus(a.logits)
        return elementwise.sigmoid(a.logits) * delta0 + elementwise.sigmoid(-a.logits) * delta1


class Categorical(OfLogits):
    """The number of one of several classes, with probabilities `probs` (or softmax(logits)) along the last axis."""

    _many = True

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = dtypes.int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Categorical",
    ):
        self._start(logits, probs, dtype, validate_args, allow_nan_stats, dict(locals()), name)

    def _batch_shape(self) -> Any:
        return self.logits.get_shape()[:-1]

    def _batch_shape_tensor(self) -> Any:
        return array.shape(self.logits)[:-1]

    @property
    def event_size(self) -> Any:
        """The number of classes."""
        known = self.logits.get_shape()[-1].value if self.logits.get_shape().ndims else None
        return array.shape(self.logits)[-1] if known is None else array.constant(known, dtype=dtypes.int32)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        rank = self.logits.get_shape().ndims
        flat = self.logits if rank == 2 else array.reshape(self.logits, [-1, self.event_size])
        kind = dtypes.int64 if self.dtype.size > 4 else dtypes.int32
        draws = random.multinomial(flat, n, seed=seed, output_dtype=kind)
        return math.cast(array.reshape(array.transpose(draws), self._shape_of_samples(n)), self.dtype)

    def _conditions(self, value: Any) -> list[Any]:
        return conditions_of_integers(value)

    def _log_prob(self, k: Any) -> Any:
        logits = self.logits
        batch = logits.get_shape()[:-1]
        if None in (k.get_shape().ndims, batch.ndims) or k.get_shape().as_list() != batch.as_list():
            # The events and the batch side by side: each of them with the other's shape.
            logits = array.expand_dims(array.ones_like(k, dtype=logits.dtype), -1) * logits
            k = k * array.ones(array.shape(logits)[:-1], dtype=k.dtype)
        k = math.cast(k, dtypes.int32 if not k.dtype.is_integer else k.dtype)
        return -softmax.sparse_softmax_cross_entropy_with_logits(labels=k, logits=logits)

    def _entropy(self) -> Any:
        return -math.reduce_sum(softmax.log_softmax(self.logits) * self.probs, axis=-1)

    def _cdf(self, k: Any) -> Any:
        """The probability of the classes before `k`: TensorFlow's leaves that of `k` itself out."""
        rows = self.probs * array.expand_dims(array.ones_like(k, dtype=self.probs.dtype), -1)
        k = k * array.ones(array.shape(rows)[:-1], dtype=k.dtype)
        before = array.sequence_mask(k, array.shape(rows)[-1], dtype=self.probs.dtype)
        return math.reduce_sum(rows * before, axis=-1)

    def _mode(self) -> Any:
        return math.cast(math.argmax(self.logits, axis=-1), self.dtype)


@RegisterKL(Categorical, Categorical)
def _(a: Categorical, b: Categorical, name: str | None = None) -> Any:
    with scopes.name_scope(name, "kl_categorical_categorical", values=[a.logits, b.logits]):
        delta = softmax.log_softmax(a.logits) - softmax.log_softmax(b.logits)
        return math.reduce_sum(softmax.softmax(a.logits) * delta, axis=-1)


class OneHotCategorical(Categorical):
    """`Categorical` as vectors with a 1 at the class."""

    _conditions = Distribution._conditions

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = dtypes.int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "OneHotCategorical",
    ):
        self._start(logits, probs, dtype, validate_args, allow_nan_stats, dict(locals()), name)

    def _event_shape(self) -> Any:
        return self.logits.get_shape()[-1:]

    def _event_shape_tensor(self) -> Any:
        return array.shape(self.logits)[-1:]

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        flat = array.reshape(self.logits, [-1, self.event_size])
        draws = array.transpose(random.multinomial(flat, n, seed=seed))
        vectors = array.one_hot(draws, self.event_size, dtype=self.dtype)
        return array.reshape(vectors, self._shape_of_samples(n))

    def _log_prob(self, x: Any) -> Any:
        return math.reduce_sum(math.cast(x, self.logits.dtype) * softmax.log_softmax(self.logits), axis=-1)

    def _mode(self) -> Any:
        return array.one_hot(math.argmax(self.logits, axis=-1), self.event_size, dtype=self.dtype)

    _cdf: Any = None

    def _variance(self) -> Any:
        return self.probs * (1.0 - self.probs)

    def _covariance(self) -> Any:
        return covariance_of_shares(self.probs, self.probs)


class Poisson(Distribution):
    """The number of events of mean `rate`."""

    def __init__(
        self,
        rate: Any = None,
        log_rate: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Poisson",
    ):
        parameters = dict(locals())
        if (rate is None) == (log_rate is None):
            raise ValueError("Must specify exactly one of `rate` and `log_rate`.")
        with scopes.name_scope(name, values=[rate, log_rate]) as name:
            if log_rate is None:
                (self._rate,) = named({"rate": rate})
                self._log_rate = elementwise.log(self._rate, name="log_rate")
            else:
                (self._log_rate,) = named({"log_rate": log_rate})
                self._rate = elementwise.exp(self._log_rate, name="rate")
        super().__init__(
            self._rate.dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, [self._rate], name
        )

    @property
    def rate(self) -> Any:
        return self._rate

    @property
    def log_rate(self) -> Any:
        return self._log_rate

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        return random_draws.random_poisson(self.rate, [n], dtype=self.dtype, seed=seed)

    def _log_prob(self, x: Any) -> Any:
        return math.multiply(x, self.log_rate) - special.lgamma(1.0 + x) - self.rate

    def _cdf(self, x: Any) -> Any:
        x = elementwise.floor(x)
        return special.igammac(1.0 + x, self.rate + array.zeros_like(x))

    def _mean(self) -> Any:
        return array.identity(self.rate)

    _variance = _mean

    def _mode(self) -> Any:
        return elementwise.floor(self.rate)


class Multinomial(OfLogits):
    """How often each class comes in `total_count` draws."""

    _many = True

    def __init__(
        self,
        total_count: Any,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Multinomial",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[total_count, logits, probs]) as scope:
            (self._total_count,) = named({"total_count": total_count})
        kind = self._total_count.dtype
        self._start(logits, probs, kind, validate_args, allow_nan_stats, parameters, scope)

    @property
    def total_count(self) -> Any:
        return self._total_count

    def _batch_shape(self) -> Any:
        return (self.probs * array.expand_dims(self.total_count, -1)).get_shape()[:-1]

    def _batch_shape_tensor(self) -> Any:
        return array.shape(self.probs * array.expand_dims(self.total_count, -1))[:-1]

    def _event_shape(self) -> Any:
        return self.logits.get_shape()[-1:]

    def _event_shape_tensor(self) -> Any:
        return array.shape(self.logits)[-1:]

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        from thalweg._src.ops.control.higher_order import map_fn

        classes = self.event_shape_tensor()[0]
        ones = array.ones(self.batch_shape_tensor(), dtype=self.total_count.dtype)
        counts = array.reshape(math.cast(self.total_count * ones, dtypes.int32), [-1])
        flat = array.reshape(self.logits * array.expand_dims(math.cast(ones, self.logits.dtype), -1), [-1, classes])

        def one(pair: Any) -> Any:
            logits, count = pair
            draws = array.reshape(random.multinomial(logits[None, :], n * count, seed=seed), [n, count])
            return math.reduce_sum(array.one_hot(draws, classes), axis=-2)

        found = array.transpose(map_fn(one, [flat, counts], dtype=dtypes.float32), [1, 0, 2])
        return math.cast(array.reshape(found, self._shape_of_samples(n)), self.dtype)

    def _conditions(self, value: Any) -> list[Any]:
        return conditions_of_counts(value, self.total_count, "counts")

    def _log_prob(self, counts: Any) -> Any:
        return log_combinations(self.total_count, counts) + math.reduce_sum(
            counts * softmax.log_softmax(self.logits), -1
        )

    def _mean(self) -> Any:
        return self.probs * array.expand_dims(self.total_count, -1)

    def _variance(self) -> Any:
        return self._mean() * (1.0 - self.probs)

    def _covariance(self) -> Any:
        return covariance_of_shares(self._mean(), self.probs)


def covariance_of_shares(a: Any, b: Any) -> Any:
    """-a_i b_j off the diagonal, a_i (1 - b_i) on it."""
    return array.matrix_set_diag(-math.matmul(a[..., None], b[..., None, :]), a * (1.0 - b))


def conditions_of_counts(counts: Any, total: Any, told: str) -> list[Any]:
    """Operations that fail unless `counts` are whole numbers, none negative, whose sum along the last axis is `total`."""
    return [
        checks.assert_non_negative(counts, message=f"'{counts}' must be non-negative."),
        checks.assert_equal(
            counts, elementwise.round(counts), message=f"'{counts}' cannot contain fractional components."
        ),
        checks.assert_equal(total, math.reduce_sum(counts, -1), message=f"{told} must sum to `self.total_count`"),
    ]


def log_combinations(n: Any, counts: Any) -> Any:
    """The logarithm of n! / (counts[0]! counts[1]! ...)."""
    return special.lgamma(n + 1) - math.reduce_sum(special.lgamma(counts + 1), axis=-1)
