"""The class that every distribution extends, and the divergence of two."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.shapes import TensorShape, as_shape, broadcast_static_shape
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.numeric import elementwise
from thalweg._src.ops.reports import checks
from thalweg._src.ops.reports.checks import Assert

_SLACK = 1e-5  # by which probabilities may miss one together


class ReparameterizationType:
    """Whether samples are functions of the parameters that gradients go through."""

    def __init__(self, rep_type: str):
        self._rep_type = rep_type

    def __repr__(self) -> str:
        return f"<Reparameteriation Type: {self._rep_type}>"


FULLY_REPARAMETERIZED = ReparameterizationType("FULLY_REPARAMETERIZED")
NOT_REPARAMETERIZED = ReparameterizationType("NOT_REPARAMETERIZED")


class Distribution:
    """A batch of distributions over events: scalars, vectors, ... of one shape.

    Subclasses say `_sample_n`, `_log_prob` (or `_prob`) and what else they know: `_mean`, `_variance`, `_entropy`, `_cdf` ...;
    each has a public function of its name. What is not known raises NotImplementedError.
    """

    def __init__(
        self,
        dtype: Any,
        reparameterization_type: Any,
        validate_args: bool,
        allow_nan_stats: bool,
        parameters: Any = None,
        graph_parents: Any = None,
        name: str | None = None,
    ):
        self._dtype = None if dtype is None else dtypes.as_dtype(dtype).base_dtype
        self._reparameterization_type = reparameterization_type
        self._validate_args, self._allow_nan_stats = validate_args, allow_nan_stats
        self._parameters = dict(parameters or {})
        self._graph_parents = list(graph_parents or [])
        name = name or type(self).__name__
        if not name.endswith("/"):
            with scopes.name_scope(name) as name:  # the scope of all that it builds
                pass
        self._name = name

    # -- facts

    @property
    def name(self) -> str:
        return self._name

    @property
    def dtype(self) -> Any:
        return self._dtype

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {k: v for k, v in self._parameters.items() if not k.startswith("__") and k != "self"}

    @property
    def reparameterization_type(self) -> Any:
        return self._reparameterization_type

    @property
    def allow_nan_stats(self) -> bool:
        return self._allow_nan_stats

    @property
    def validate_args(self) -> bool:
        return self._validate_args

    @staticmethod
    def _param_shapes(sample_shape: Any) -> dict[str, Tensor]:
        raise NotImplementedError("_param_shapes not implemented")

    @classmethod
    def param_shapes(cls, sample_shape: Any, name: str = "DistributionParamShapes") -> dict[str, Tensor]:
        """The shapes that the parameters have, by name, where a sample has `sample_shape`."""
        with scopes.name_scope(name, values=[sample_shape]):
            return cls._param_shapes(sample_shape)

    @classmethod
    def param_static_shapes(cls, sample_shape: Any) -> dict[str, TensorShape]:
        """`param_shapes` as TensorShapes. Raises ValueError where `sample_shape` is not known while building."""
        if isinstance(sample_shape, TensorShape):
            if not sample_shape.is_fully_defined():
                raise ValueError("TensorShape sample_shape must be fully defined")
            sample_shape = sample_shape.as_list()
        known = {name: infer.constant_value(shape) for name, shape in cls.param_shapes(sample_shape).items()}
        if any(shape is None for shape in known.values()):
            raise ValueError("sample_shape must be a fully-defined TensorShape or list/tuple")
        return {name: TensorShape(shape) for name, shape in known.items()}

    def copy(self, **override_parameters_kwargs: Any) -> Any:
        """The same distribution with other parameters."""
        return type(self)(**{**self.parameters, **override_parameters_kwargs})

    @contextlib.contextmanager
    def _scope(self, name: str, values: Any = ()) -> Iterator[str]:
        with scopes.name_scope(self.name), scopes.name_scope(name, values=[*values, *self._graph_parents]) as scope:
            yield scope

    @property
    def batch_shape(self) -> TensorShape:
        """The shape of the batch, as far as it is known."""
        return as_shape(self._batch_shape())

    @property
    def event_shape(self) -> TensorShape:
        """The shape of one event, as far as it is known."""
        return as_shape(self._event_shape())

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """The shape of the batch."""
        with self._scope(name):
            if self.batch_shape.is_fully_defined():
                return to_tensor(np.array(self.batch_shape.as_list(), np.int32), name="batch_shape")
            return self._batch_shape_tensor()

    def event_shape_tensor(self, name: str = "event_shape_tensor") -> Tensor:
        """The shape of one event."""
        with self._scope(name):
            if self.event_shape.is_fully_defined():
                return to_tensor(np.array(self.event_shape.as_list(), np.int32), name="event_shape")
            return self._event_shape_tensor()

    def is_scalar_event(self, name: str = "is_scalar_event") -> Tensor:
        with self._scope(name):
            return to_tensor(self.event_shape.ndims == 0)

    def is_scalar_batch(self, name: str = "is_scalar_batch") -> Tensor:
        with self._scope(name):
            return to_tensor(self.batch_shape.ndims == 0)

    # -- what subclasses say

    def _batch_shape(self) -> Any:
        """By default that of the parameters together."""
        shape = TensorShape([])
        for p in self._graph_parents:
            shape = broadcast_static_shape(shape, p.get_shape())
        return shape

    def _batch_shape_tensor(self) -> Tensor:
        shape = array.shape(self._graph_parents[0])
        for p in self._graph_parents[1:]:
            shape = array.broadcast_dynamic_shape(shape, array.shape(p))
        return shape

    def _event_shape(self) -> Any:
        return TensorShape([])

    def _event_shape_tensor(self) -> Tensor:
        return array.constant([], dtype=dtypes.int32)

    def _sample_n(self, n: Any, seed: Any = None) -> Tensor:
        raise NotImplementedError(f"sample_n is not implemented: {type(self).__name__}")

    def _shape_of_samples(self, n: Any) -> Tensor:
        """[n, *batch, *event]."""
        return array.concat([array.reshape(n, [1]), self.batch_shape_tensor(), self.event_shape_tensor()], 0)

    # -- samples

    def sample(self, sample_shape: Any = (), seed: int | None = None, name: str = "sample") -> Tensor:
        """Independent samples: [*sample_shape, *batch, *event]."""
        with self._scope(name, [sample_shape]):
            shape = to_tensor(sample_shape, dtypes.int32, "sample_shape")
            known = infer.constant_value(shape)
            count = math.reduce_prod(shape) if known is None else int(np.prod(known))
            shape = array.reshape(shape, [-1]) if shape.get_shape().ndims != 1 else shape
            samples = self._sample_n(count, seed)
            result = array.reshape(samples, array.concat([shape, array.shape(samples)[1:]], 0))
            if known is not None:
                result.set_shape(
                    TensorShape(known.reshape(-1)).concatenate(self.batch_shape).concatenate(self.event_shape)
                )
            return result

    # -- functions of a value

    def _conditions(self, value: Tensor) -> list[Any]:
        """With `validate_args`: operations that fail unless `value` can be a sample."""
        return []

    def _of_value(self, which: str, value: Any, name: str, *others: tuple[str, Callable[..., Any]]) -> Tensor:
        """`_which(value)`; where that is not known, a function of another one that is."""
        with self._scope(name, [value]):
            value = to_tensor(value, None, "value", preferred=self.dtype)
            if self._validate_args and which != "quantile":
                with get_default_graph().control_dependencies(self._conditions(value)):
                    value = basic.identity(value)
            for method, then in ((which, lambda x: x), *others):
                if getattr(type(self), f"_{method}", None) is not None:
                    return then(getattr(self, f"_{method}")(value))
            raise NotImplementedError(f"{which} is not implemented: {type(self).__name__}")

    def log_prob(self, value: Any, name: str = "log_prob") -> Tensor:
        """The logarithm of the density, or of the probability, at `value`."""
        return self._of_value("log_prob", value, name, ("prob", elementwise.log))

    def prob(self, value: Any, name: str = "prob") -> Tensor:
        """The density, or the probability, at `value`."""
        return self._of_value("prob", value, name, ("log_prob", elementwise.exp))

    def log_cdf(self, value: Any, name: str = "log_cdf") -> Tensor:
        """The logarithm of `cdf`."""
        return self._of_value("log_cdf", value, name, ("cdf", elementwise.log))

    def cdf(self, value: Any, name: str = "cdf") -> Tensor:
        """The probability of no more than `value`."""
        return self._of_value("cdf", value, name, ("log_cdf", elementwise.exp))

    def log_survival_function(self, value: Any, name: str = "log_survival_function") -> Tensor:
        """The logarithm of `survival_function`."""
        after = ("cdf", lambda c: elementwise.log1p(-c)), ("log_cdf", lambda c: elementwise.log1p(-elementwise.exp(c)))
        return self._of_value("log_survival_function", value, name, *after)

    def survival_function(self, value: Any, name: str = "survival_function") -> Tensor:
        """The probability of more than `value`."""
        after = ("cdf", lambda c: 1.0 - c), ("log_cdf", lambda c: 1.0 - elementwise.exp(c))
        return self._of_value("survival_function", value, name, *after)

    def quantile(self, value: Any, name: str = "quantile") -> Tensor:
        """The inverse of `cdf`."""
        return self._of_value("quantile", value, name)

    # -- numbers

    def _number(self, which: str, name: str, *others: tuple[str, Callable[..., Any]]) -> Tensor:
        with self._scope(name):
            for method, then in ((which, lambda x: x), *others):
                if getattr(type(self), f"_{method}", None) is not None:
                    return then(getattr(self, f"_{method}")())
            raise NotImplementedError(f"{which} is not implemented: {type(self).__name__}")

    def _where_defined(self, value: Tensor, valid: Tensor, least: str, message: str) -> Tensor:
        """`value` where `valid` holds, NaN elsewhere. Where `allow_nan_stats` is off, the parameter `least`, which is to be above one, is
        checked instead, with that message.
        """
        if self.allow_nan_stats:
            return array.where(valid, value, array.zeros_like(value) + np.nan)
        one = array.ones([], self.dtype)
        above = [checks.assert_less(one, getattr(self, name), message=message.format(name)) for name in least.split()]
        with get_default_graph().control_dependencies(above):
            return basic.identity(value)

    def mean(self, name: str = "mean") -> Tensor:
        return self._number("mean", name)

    def mode(self, name: str = "mode") -> Tensor:
        return self._number("mode", name)

    def variance(self, name: str = "variance") -> Tensor:
        return self._number("variance", name, ("stddev", elementwise.square))

    def stddev(self, name: str = "stddev") -> Tensor:
        return self._number("stddev", name, ("variance", elementwise.sqrt))

    def covariance(self, name: str = "covariance") -> Tensor:
        return self._number("covariance", name)

    def entropy(self, name: str = "entropy") -> Tensor:
        """The entropy, in nats."""
        return self._number("entropy", name)

    def kl_divergence(self, other: Any, name: str = "kl_divergence") -> Tensor:
        """How far `other` is from this one."""
        with self._scope(name):
            return kl_divergence(self, other, allow_nan_stats=self.allow_nan_stats)

    def cross_entropy(self, other: Any, name: str = "cross_entropy") -> Tensor:
        """`entropy` plus `kl_divergence`."""
        with self._scope(name):
            return self.entropy() + kl_divergence(self, other, allow_nan_stats=self.allow_nan_stats)

    def __repr__(self) -> str:
        return (
            f"<tfp.distributions.{type(self).__name__} '{self.name}' batch_shape={self.batch_shape} "
            f"event_shape={self.event_shape} dtype={self.dtype.name}>"
        )

    __str__ = __repr__


# -- divergences by pairs of classes

_divergences: dict[tuple[type, type], Callable[..., Any]] = {}


def shaped_as_samples(*names: str) -> Any:
    """The `_param_shapes` of distributions of scalars: the parameters `names` have the shape of a sample."""

    def param_shapes(sample_shape: Any) -> dict[str, Tensor]:
        return dict.fromkeys(names, to_tensor(sample_shape, dtypes.int32))

    return staticmethod(param_shapes)


class RegisterKL:
    """Decorates the function (a, b, name) that gives the divergence of two classes. Raises ValueError for a pair in use."""

    def __init__(self, dist_cls_a: type, dist_cls_b: type):
        self._key = (dist_cls_a, dist_cls_b)

    def __call__(self, kl_fn: Any) -> Any:
        if not callable(kl_fn):
            raise TypeError(f"kl_fn must be callable, received: {kl_fn}")
        if self._key in _divergences:
            raise ValueError(
                f"KL({self._key[0].__name__} || {self._key[1].__name__}) has already been registered to: "
                f"{_divergences[self._key]}"
            )
        _divergences[self._key] = kl_fn
        return kl_fn


def _registered(a: type, b: type) -> Callable[..., Any] | None:
    pairs = [(i + j, x, y) for i, x in enumerate(a.__mro__) for j, y in enumerate(b.__mro__) if (x, y) in _divergences]
    return _divergences[min(pairs, key=lambda p: p[0])[1:]] if pairs else None


def kl_divergence(
    distribution_a: Any, distribution_b: Any, allow_nan_stats: bool = True, name: str | None = None
) -> Tensor:
    """The mean under the first of the difference of log-probabilities. NotImplementedError for a pair that nobody knows."""
    function = _registered(type(distribution_a), type(distribution_b))
    if function is None:
        raise NotImplementedError(
            f"No KL(distribution_a || distribution_b) registered for distribution_a type {type(distribution_a).__name__} and "
            f"distribution_b type {type(distribution_b).__name__}"
        )
    with scopes.name_scope("KullbackLeibler"):
        value = function(distribution_a, distribution_b, name=name)
        if allow_nan_stats:
            return value
        finite = math.logical_not(math.reduce_any(math.is_nan(value)))
        message = (
            f"KL calculation between {distribution_a.name} and {distribution_b.name} returned NaN values (and was called with "
            "allow_nan_stats=False). Values:"
        )
        with basic.control_dependencies([Assert(finite, [message, value])]):
            return basic.identity(value, name="checked_kl")


def cross_entropy(ref: Any, other: Any, allow_nan_stats: bool = True, name: str | None = None) -> Tensor:
    """The entropy of the first plus the divergence of the second from it."""
    with scopes.name_scope(name, "cross_entropy"):
        return ref.entropy() + kl_divergence(ref, other, allow_nan_stats=allow_nan_stats)


def as_parameters(*values: Any) -> list[Tensor]:
    """Tensors of one floating-point type: that of the first tensor, variable or array."""
    typed = [hasattr(v, "dtype") and not isinstance(v, np.ndarray | np.generic) for v in values]
    kinds = [dtypes.as_dtype(v.dtype).base_dtype for v, is_typed in zip(values, typed, strict=True) if is_typed]
    kinds += [dtypes.as_dtype(v.dtype) for v in values if isinstance(v, np.ndarray | np.generic)]
    kind = kinds[0] if kinds and kinds[0].is_floating else dtypes.float32
    return [to_tensor(v, None if is_typed else kind) for v, is_typed in zip(values, typed, strict=True)]


def logits_and_probs(logits: Any, probs: Any, multidimensional: bool, validate: bool = False) -> tuple[Tensor, Tensor]:
    """Both, from the one that is given. Raises ValueError for none and for both. With `validate`, probabilities are checked in the run."""
    if (logits is None) == (probs is None):
        raise ValueError("Must pass probs or logits, but not both.")
    if probs is None:
        logits = to_tensor(logits, name="logits")
        from thalweg._src.ops.nets.softmax import softmax

        return logits, softmax(logits, name="probs") if multidimensional else elementwise.sigmoid(logits, name="probs")
    probs = to_tensor(probs, name="probs")
    if validate:
        with get_default_graph().control_dependencies(_conditions_of_probs(probs, multidimensional)):
            probs = basic.identity(probs)
    with scopes.name_scope("logits"):
        logits = elementwise.log(probs)
        return (logits if multidimensional else logits - elementwise.log1p(-1.0 * probs)), probs


def _conditions_of_probs(probs: Tensor, multidimensional: bool) -> list[Any]:
    one = array.ones([], probs.dtype)
    if multidimensional:
        close = math.less_equal(elementwise.abs(math.reduce_sum(probs, -1) - one), _SLACK)
        last = Assert(math.reduce_all(close), ["probs does not sum to 1.", probs])
    else:
        last = checks.assert_less_equal(probs, one, message="probs has components greater than 1.")
    return [checks.assert_non_negative(probs), last]


def conditions_of_integers(value: Tensor, most: int | None = None) -> list[Any]:
    """Operations that fail unless `value` holds whole numbers from 0, to `most` if there is one."""
    found = [checks.assert_non_negative(value, message="Elements must be non-negative.")]
    if not value.dtype.is_integer:
        whole = elementwise.round(value)
        found.append(checks.assert_equal(value, whole, message="Elements must be int32-equivalent."))
    if most is not None:
        limit = array.constant(most, dtype=value.dtype)
        found.append(checks.assert_less_equal(value, limit, message=f"Elements cannot exceed {most}."))
    return found
