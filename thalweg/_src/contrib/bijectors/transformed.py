"""The distribution of y = g(x). The density of y is that of x times |dx/dy| (change of variables)."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.contrib.bijectors.base import Bijector
from thalweg._src.contrib.bijectors.scalars import Identity
from thalweg._src.core import dtypes, infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.distributions.distribution import Distribution
from thalweg._src.ops.late import array, math


class TransformedDistribution(Distribution):
    """The distribution of y = bijector(x), x of `distribution`.

    `batch_shape` replaces the batch of a distribution that has one member, `event_shape` the event of a distribution of numbers:
    as many are drawn, each by itself. ValueError for other distributions.
    """

    def __init__(
        self,
        distribution: Distribution,
        bijector: Bijector | None = None,
        batch_shape: Any = None,
        event_shape: Any = None,
        validate_args: bool = False,
        name: str | None = None,
    ):
        parameters = dict(locals())
        self._distribution = distribution
        self._bijector = Identity(validate_args=validate_args) if bijector is None else bijector
        own = distribution.name.rstrip("/").rsplit("/", 1)[-1]
        name = name or ("" if bijector is None else bijector.name) + own
        rule, nan = distribution.reparameterization_type, distribution.allow_nan_stats
        super().__init__(distribution.dtype, rule, validate_args, nan, parameters, [], name)
        self._own_batch, self._own_event = (
            None if s is None or _none(s) else to_tensor(s, dtypes.int32) for s in (batch_shape, event_shape)
        )
        if self._own_batch is not None and distribution.batch_shape.ndims:
            raise ValueError("Base distribution is not scalar: it has a batch of its own.")
        if self._own_event is not None and distribution.event_shape.ndims:
            raise ValueError("Base distribution is not scalar: it has events of its own.")

    @property
    def distribution(self) -> Distribution:
        return self._distribution

    @property
    def bijector(self) -> Bijector:
        return self._bijector

    # -- shapes

    def _base_event(self) -> TensorShape:
        return self.distribution.event_shape if self._own_event is None else _static(self._own_event)

    def _base_event_tensor(self) -> Any:
        return self.distribution.event_shape_tensor() if self._own_event is None else self._own_event

    def _batch_shape(self) -> Any:
        return self.distribution.batch_shape if self._own_batch is None else _static(self._own_batch)

    def _batch_shape_tensor(self) -> Any:
        return self.distribution.batch_shape_tensor() if self._own_batch is None else self._own_batch

    def _event_shape(self) -> Any:
        return self.bijector.forward_event_shape(self._base_event())

    def _event_shape_tensor(self) -> Any:
        return self.bijector.forward_event_shape_tensor(self._base_event_tensor())

    def _event_axes(self) -> int:
        """How many axes an event has. Raises ValueError where that is not known."""
        count = self.event_shape.ndims
        if count is None:
            raise ValueError(f"{self.name}: the rank of an event must be known")
        return count

    def _drawn_axes(self) -> int:
        """How many axes of events are drawn number by number."""
        return 0 if self._own_event is None else int(self._base_event().ndims or 0)

    def _turned(self, x: Any, axes: int, to_the_end: bool) -> Any:
        """`x` with the drawn axes, which stand before the batch of the distribution, behind it, or the other way round."""
        batch = self.distribution.batch_shape.ndims if self._own_batch is None else 0
        if not axes or not batch:
            return x
        rank = x.get_shape().ndims
        free = rank - axes - batch
        batch_axes = list(range(free + axes, rank)) if to_the_end else list(range(free, free + batch))
        moved = list(range(free, free + axes)) if to_the_end else list(range(free + batch, rank))
        order = [*range(free), *batch_axes, *moved] if to_the_end else [*range(free), *moved, *batch_axes]
        return array.transpose(x, order)

    # -- samples and densities

    def sample(self, sample_shape: Any = (), seed: int | None = None, name: str = "sample", **conditions: Any) -> Any:
        """Independent samples: [*sample_shape, *batch, *event]. `bijector_kwargs` go to the bijector."""
        with self._scope(name, [sample_shape]):
            wanted = array.reshape(to_tensor(sample_shape, dtypes.int32, "sample_shape"), [-1])
            parts = [wanted]
            parts += [s for s in (self._own_batch, self._own_event) if s is not None]
            known = [infer.constant_value(p) for p in parts]
            drawn = array.concat(parts, 0) if any(k is None for k in known) else np.concatenate(known).astype(np.int32)
            x = self.distribution.sample(drawn, seed, **conditions.get("distribution_kwargs", {}) or {})
            x = self._turned(x, self._drawn_axes(), True)
            y = self.bijector.forward(x, **conditions.get("bijector_kwargs", {}) or {})
            if known[0] is not None:
                y.set_shape(TensorShape(known[0]).concatenate(self.batch_shape).concatenate(self.event_shape))
            return y

    def _log_density(self, x: Any, stretched: Any) -> Any:
        """The log-density at a point x whose inverse log-determinant is `stretched`."""
        axes = self._drawn_axes()
        logs = self.distribution.log_prob(self._turned(x, axes, False))
        if axes:
            rank = logs.get_shape().ndims
            batch = (self.distribution.batch_shape.ndims or 0) if self._own_batch is None else 0
            logs = math.reduce_sum(logs, list(range(rank - batch - axes, rank - batch)))
        return logs + stretched

    def _log_prob(self, y: Any, **conditions: Any) -> Any:
        x = self.bijector.inverse(y, **conditions)
        stretched = self.bijector.inverse_log_det_jacobian(y, self._event_axes(), **conditions)
        if self.bijector._is_injective:
            return self._log_density(x, stretched)
        logs = [self._log_density(one, s) for one, s in zip(x, stretched, strict=True)]
        return math.reduce_logsumexp(array.stack(logs), 0)

    def _cdf(self, y: Any) -> Any:
        return self._of_numbers("cdf").cdf(self.bijector.inverse(y))

    def _log_cdf(self, y: Any) -> Any:
        return self._of_numbers("log_cdf").log_cdf(self.bijector.inverse(y))

    def _survival_function(self, y: Any) -> Any:
        return self._of_numbers("survival_function").survival_function(self.bijector.inverse(y))

    def _log_survival_function(self, y: Any) -> Any:
        return self._of_numbers("log_survival_function").log_survival_function(self.bijector.inverse(y))

    def _quantile(self, p: Any) -> Any:
        return self.bijector.forward(self._of_numbers("quantile").quantile(p))

    def _of_numbers(self, what: str) -> Distribution:
        """The distribution of x. Raises NotImplementedError where `what` of y does not follow from it."""
        if self._own_event is not None:
            raise NotImplementedError(f"{what} is not implemented when overriding event_shape")
        if not self.bijector._is_injective:
            raise NotImplementedError(f"{what} is not implemented when bijector is not injective")
        return self.distribution

    # -- numbers

    def _spread(self, value: Any, event: bool) -> Any:
        """A number for each member of the batch, and of the drawn event if `event`."""
        axes = self._drawn_axes() if event else 0
        for _ in range(axes):
            value = value[..., None] if not self.distribution.event_shape.ndims else value
        shape = [self.batch_shape_tensor()] if self._own_batch is not None or axes else []
        if not shape:
            return value
        shape += [self._base_event_tensor()] if event else []
        return value + array.zeros(array.concat(shape, 0), value.dtype)

    def _mean(self) -> Any:
        if not self.bijector.is_constant_jacobian or not self.bijector._is_injective:
            raise NotImplementedError("mean is not implemented for non-affine bijectors")
        return self.bijector.forward(self._spread(self.distribution.mean(), True))

    def _entropy(self) -> Any:
        if not self.bijector.is_constant_jacobian or not self.bijector._is_injective:
            raise NotImplementedError("entropy is not implemented when bijector is not constant")
        entropy = self.distribution.entropy()
        if self._own_event is not None:
            entropy = entropy * math.cast(math.reduce_prod(self._own_event), entropy.dtype)
        entropy = self._spread(entropy, False)
        anywhere = array.zeros(array.concat([self.batch_shape_tensor(), self._base_event_tensor()], 0), self.dtype)
        return entropy + self.bijector.forward_log_det_jacobian(anywhere, int(self._base_event().ndims or 0))


class ConditionalTransformedDistribution(TransformedDistribution):
    """One whose bijector takes further arguments: `sample` and `log_prob` hand it `bijector_kwargs`."""

    def log_prob(
        self, value: Any, name: str = "log_prob", bijector_kwargs: Any = None, distribution_kwargs: Any = None
    ) -> Any:
        """The logarithm of the density at `value`."""
        with self._scope(name, [value]):
            return self._log_prob(to_tensor(value, self.dtype, "value"), **(bijector_kwargs or {}))

    def prob(self, value: Any, name: str = "prob", bijector_kwargs: Any = None, distribution_kwargs: Any = None) -> Any:
        """The density at `value`."""
        return math.exp(self.log_prob(value, name, bijector_kwargs, distribution_kwargs))


def _none(shape: Any) -> bool:
    """Whether `shape`, which replaces another, is the empty one: that replaces nothing."""
    static = infer.constant_value(to_tensor(shape, dtypes.int32))
    return static is not None and static.size == 0


def _static(shape: Any) -> TensorShape:
    known = infer.constant_value(shape)
    return TensorShape(shape.get_shape().as_list()[0] * [None]) if known is None else TensorShape(known.reshape(-1))
