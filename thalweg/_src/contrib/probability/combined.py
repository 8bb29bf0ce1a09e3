"""Distributions made of others: batches taken for events, mixtures, whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import infer, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.distributions.continuous import gen_new_seed
from thalweg._src.lib.distributions.discrete import Categorical
from thalweg._src.lib.distributions.distribution import (
    NOT_REPARAMETERIZED,
    Distribution,
    RegisterKL,
    kl_divergence,
)
from thalweg._src.ops import array, math
from thalweg._src.ops.nets.softmax import log_softmax, softmax
from thalweg._src.ops.numeric import elementwise


class Independent(Distribution):
    """`distribution` with the last `reinterpreted_batch_ndims` axes of its batch (all but the first) as axes of an event."""

    def __init__(
        self,
        distribution: Distribution,
        reinterpreted_batch_ndims: Any = None,
        validate_args: bool = False,
        name: str | None = None,
    ):
        parameters = dict(locals())
        self._distribution = distribution
        rank = distribution.batch_shape.ndims
        if rank is None:
            raise ValueError(f"Independent: the rank of the batch of {distribution.name} must be known")
        count = (
            rank - 1
            if reinterpreted_batch_ndims is None
            else infer.constant_value(to_tensor(reinterpreted_batch_ndims))
        )
        if count is None:
            raise ValueError("Independent: reinterpreted_batch_ndims must be known while the graph is built")
        self._moved, self._kept = max(int(count), 0), rank - max(int(count), 0)
        if self._kept < 0:
            raise ValueError(f"reinterpreted_batch_ndims({count}) cannot exceed distribution.batch_ndims({rank})")
        name = name or "Independent" + distribution.name.rstrip("/").rsplit("/", 1)[-1]
        rule, nan = distribution.reparameterization_type, distribution.allow_nan_stats
        super().__init__(distribution.dtype, rule, validate_args, nan, parameters, distribution._graph_parents, name)

    @property
    def distribution(self) -> Distribution:
        return self._distribution

    @property
    def reinterpreted_batch_ndims(self) -> int:
        return self._moved

    def _batch_shape(self) -> Any:
        return self.distribution.batch_shape[: self._kept]

    def _batch_shape_tensor(self) -> Any:
        return self.distribution.batch_shape_tensor()[: self._kept]

    def _event_shape(self) -> Any:
        return self.distribution.batch_shape[self._kept :].concatenate(self.distribution.event_shape)

    def _event_shape_tensor(self) -> Any:
        moved = self.distribution.batch_shape_tensor()[self._kept :]
        return array.concat([moved, self.distribution.event_shape_tensor()], 0)

    def _summed(self, x: Any) -> Any:
        return math.reduce_sum(x, [-1 - i for i in range(self._moved)]) if self._moved else x

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        return self.distribution.sample(n, seed=seed)

    def _log_prob(self, x: Any) -> Any:
        return self._summed(self.distribution.log_prob(x))

    def _entropy(self) -> Any:
        return self._summed(self.distribution.entropy())

    def _mean(self) -> Any:
        return self.distribution.mean()

    def _variance(self) -> Any:
        return self.distribution.variance()

    def _stddev(self) -> Any:
        return self.distribution.stddev()

    def _mode(self) -> Any:
        return self.distribution.mode()


@RegisterKL(Independent, Independent)
def _(a: Independent, b: Independent, name: str | None = None) -> Any:
    if not a.event_shape.is_compatible_with(b.event_shape):
        raise ValueError("Event shapes do not match.")
    if a.reinterpreted_batch_ndims != b.reinterpreted_batch_ndims:
        raise NotImplementedError("KL between Independents with different event shapes not supported.")
    return a._summed(kl_divergence(a.distribution, b.distribution, name=name))


class OfComponents(Distribution):
    """What mixtures have in common. `_apart(f)` is f of each component: [..., components, *event] or [..., components]."""

    _logits: Any

    def _apart(self, function: Callable[[Distribution], Any], event_ndims: int) -> Any:
        raise NotImplementedError

    @property
    def _ndims(self) -> int:
        return int(self.event_shape.ndims or 0)

    def _shares(self, event_ndims: int) -> Any:
        """The probabilities of the components, with axes for an event."""
        shares = softmax(self._logits)
        for _ in range(event_ndims):
            shares = array.expand_dims(shares, -1)
        return shares

    def _log_mixed(self, which: str, x: Any) -> Any:
        logs = self._apart(lambda d: getattr(d, which)(x), 0)
        return math.reduce_logsumexp(logs + log_softmax(self._logits), -1)

    def _log_prob(self, x: Any) -> Any:
        return self._log_mixed("log_prob", x)

    def _log_cdf(self, x: Any) -> Any:
        return self._log_mixed("log_cdf", x)

    def _mean(self) -> Any:
        e = self._ndims
        return math.reduce_sum(self._shares(e) * self._apart(lambda d: d.mean(), e), -1 - e)

    def _variance(self) -> Any:
        """The mean of the variances plus the variance of the means."""
        e = self._ndims
        off = self._apart(lambda d: d.mean(), e) - array.expand_dims(self._mean(), -1 - e)
        inner = self._apart(lambda d: d.variance(), e)
        return math.reduce_sum(self._shares(e) * (inner + elementwise.square(off)), -1 - e)

    def _picked(self, samples: Any, which: Any, count: int) -> Any:
        """Of samples of all components the ones of the components that were drawn."""
        mask = array.one_hot(which, count, dtype=samples.dtype.base_dtype)
        for _ in range(self._ndims):
            mask = array.expand_dims(mask, -1)
        return math.reduce_sum(samples * mask, -1 - self._ndims)


class MixtureSameFamily(OfComponents):
    """A mixture whose components are the last axis of the batch of one distribution."""

    def __init__(
        self,
        mixture_distribution: Any,
        components_distribution: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MixtureSameFamily",
    ):
        parameters = dict(locals())
        self._mixture, self._components, self._logits = (
            mixture_distribution,
            components_distribution,
            mixture_distribution.logits,
        )
        if not mixture_distribution.dtype.is_integer:
            raise ValueError(f"`mixture_distribution.dtype` ({mixture_distribution.dtype.name}) is not over integers")
        if mixture_distribution.event_shape.ndims:
            raise ValueError("`mixture_distribution` must have scalar `event_dim`s")
        own, theirs = mixture_distribution.batch_shape, components_distribution.batch_shape[:-1]
        if own.is_fully_defined() and theirs.is_fully_defined() and own.ndims and own != theirs:
            raise ValueError(
                f"`mixture_distribution.batch_shape` (`{own.as_list()}`) is not compatible with "
                f"`components_distribution.batch_shape` (`{theirs.as_list()}`)"
            )
        count = [s.as_list()[-1] for s in (self._logits.get_shape(), components_distribution.batch_shape)]
        if None not in count and count[0] != count[1]:
            raise ValueError(
                f"`mixture_distribution components` ({count[0]}) does not equal `components_distribution.batch_shape[-1]` "
                f"({count[1]})"
            )
        self._count = count[0] if count[0] is not None else array.shape(self._logits)[-1]
        parents = [*mixture_distribution._graph_parents, *components_distribution._graph_parents]
        kind = components_distribution.dtype
        super().__init__(kind, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, name)

    @property
    def mixture_distribution(self) -> Any:
        return self._mixture

    @property
    def components_distribution(self) -> Any:
        return self._components

    def _batch_shape(self) -> Any:
        return self._components.batch_shape[:-1]

    def _batch_shape_tensor(self) -> Any:
        return self._components.batch_shape_tensor()[:-1]

    def _event_shape(self) -> Any:
        return self._components.event_shape

    def _event_shape_tensor(self) -> Any:
        return self._components.event_shape_tensor()

    def _apart(self, function: Callable[[Distribution], Any], event_ndims: int) -> Any:
        return function(self._components)

    def _log_mixed(self, which: str, x: Any) -> Any:
        return super()._log_mixed(which, array.expand_dims(x, -1 - self._ndims))

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        which = self._mixture.sample(n, seed=gen_new_seed(seed, "mixture"))
        return self._picked(self._components.sample(n, seed=seed), which, self._count)

    def _covariance(self) -> Any:
        """For vectors: the mean of the covariances plus the covariance of the means."""
        if self._ndims != 1:
            raise NotImplementedError("covariance is not implemented")
        off = self._components.mean() - array.expand_dims(self._mean(), -2)
        outer = array.expand_dims(off, -1) * array.expand_dims(off, -2)
        return math.reduce_sum(self._shares(2) * (self._components.covariance() + outer), -3)


class Mixture(OfComponents):
    """One of several distributions, which `cat`, a Categorical, chooses."""

    def __init__(
        self,
        cat: Any,
        components: Sequence[Distribution],
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        use_static_graph: bool = False,
        name: str = "Mixture",
    ):
        parameters = dict(locals())
        if not isinstance(cat, Categorical):
            raise TypeError(f"cat must be a Categorical distribution, but saw: {cat}")
        if not components:
            raise ValueError("components must be a non-empty list or tuple")
        if not isinstance(components, list | tuple) or not all(isinstance(c, Distribution) for c in components):
            raise TypeError(f"components must be a list or tuple of Distribution instances, but saw: {components}")
        kinds = {d.dtype for d in components}
        if len(kinds) > 1:
            raise TypeError(f"All components must have the same dtype, but saw dtypes: {kinds}")
        count = cat.logits.get_shape().as_list()[-1]
        if count is None:
            raise ValueError("Could not infer number of classes from cat")
        if count != len(components):
            raise ValueError(f"cat.num_classes != len(components): {count} vs. {len(components)}")
        self._cat, self._parts, self._logits = cat, list(components), cat.logits
        self._event, self._batch = components[0].event_shape, cat.batch_shape
        for d in components:
            self._event, self._batch = self._event.merge_with(d.event_shape), self._batch.merge_with(d.batch_shape)
        if self._event.ndims is None:
            raise ValueError("Expected to know rank(event_shape) from components")
        parents = [*cat._graph_parents, *(p for d in components for p in d._graph_parents)]
        kind = components[0].dtype
        super().__init__(kind, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, parents, name)

    @property
    def cat(self) -> Any:
        return self._cat

    @property
    def components(self) -> list[Distribution]:
        return self._parts

    @property
    def num_components(self) -> int:
        return len(self._parts)

    def _batch_shape(self) -> Any:
        return self._batch

    def _batch_shape_tensor(self) -> Any:
        return self._cat.batch_shape_tensor()

    def _event_shape(self) -> Any:
        return self._event

    def _event_shape_tensor(self) -> Any:
        return self._parts[0].event_shape_tensor()

    def _apart(self, function: Callable[[Distribution], Any], event_ndims: int) -> Any:
        return array.stack([function(d) for d in self._parts], -1 - event_ndims)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        which = self._cat.sample(n, seed=seed)
        drawn = []
        for d in self._parts:
            seed = gen_new_seed(seed, "mixture")
            drawn.append(d.sample(n, seed=seed))
        return self._picked(array.stack(drawn, -1 - self._ndims), which, len(self._parts))

    def entropy_lower_bound(self, name: str = "entropy_lower_bound") -> Any:
        """The mean of the entropies of the components, which the entropy is never less than."""
        with self._scope(name):
            return math.reduce_sum(softmax(self._logits) * self._apart(lambda d: d.entropy(), 0), -1)


class QuantizedDistribution(Distribution):
    """`distribution` rounded up to whole numbers, those below `low` and above `high` moved there."""

    def __init__(
        self,
        distribution: Distribution,
        low: Any = None,
        high: Any = None,
        validate_args: bool = False,
        name: str = "QuantizedDistribution",
    ):
        parameters = dict(locals())
        self._distribution = distribution
        with scopes.name_scope(name, values=[low, high]) as scope:
            self._low, self._high = (None if b is None else to_tensor(b, distribution.dtype) for b in (low, high))
        own = [*distribution._graph_parents, *(b for b in (self._low, self._high) if b is not None)]
        nan = distribution.allow_nan_stats
        super().__init__(distribution.dtype, NOT_REPARAMETERIZED, validate_args, nan, parameters, own, scope)

    @property
    def distribution(self) -> Distribution:
        return self._distribution

    @property
    def low(self) -> Any:
        return self._low

    @property
    def high(self) -> Any:
        return self._high

    def _batch_shape(self) -> Any:
        return self.distribution.batch_shape

    def _batch_shape_tensor(self) -> Any:
        return self.distribution.batch_shape_tensor()

    def _event_shape(self) -> TensorShape:
        return self.distribution.event_shape

    def _event_shape_tensor(self) -> Any:
        return self.distribution.event_shape_tensor()

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        samples = elementwise.ceil(self.distribution.sample(n, seed=seed))
        if self.low is not None:
            samples = math.maximum(samples, self.low)
        return samples if self.high is None else math.minimum(samples, self.high)

    def _beyond(self, at: Any, value: Any, below: float, above: float) -> Any:
        """`value`, but for `below` where `at` is less than `low`, and `above` where it is not less than `high`."""
        at = at + array.zeros_like(value)
        if self.low is not None:
            value = array.where(at < self.low, array.zeros_like(value) + below, value)
        return value if self.high is None else array.where(at >= self.high, array.zeros_like(value) + above, value)

    def _cdf(self, y: Any) -> Any:
        whole = elementwise.floor(y)
        return self._beyond(whole, self.distribution.cdf(whole), 0.0, 1.0)

    def _log_cdf(self, y: Any) -> Any:
        whole = elementwise.floor(y)
        return self._beyond(whole, self.distribution.log_cdf(whole), -np.inf, 0.0)

    def _survival_function(self, y: Any) -> Any:
        whole = elementwise.ceil(y)
        return self._beyond(whole, self.distribution.survival_function(whole), 1.0, 0.0)

    def _log_survival_function(self, y: Any) -> Any:
        whole = elementwise.ceil(y)
        return self._beyond(whole, self.distribution.log_survival_function(whole), 0.0, -np.inf)

    def _prob(self, y: Any) -> Any:
        """P(Y = y), from whichever side of the median is more exact."""
        survive, reach = self.survival_function(y), self.cdf(y)
        return array.where(survive < reach, self.survival_function(y - 1) - survive, reach - self.cdf(y - 1))

    def _log_prob(self, y: Any) -> Any:
        survive, reach = self.log_survival_function(y), self.log_cdf(y)
        right = survive < reach
        big = array.where(right, self.log_survival_function(y - 1), reach)
        small = array.where(right, survive, self.log_cdf(y - 1))
        return elementwise.log1p(-elementwise.exp(small - big)) + big
