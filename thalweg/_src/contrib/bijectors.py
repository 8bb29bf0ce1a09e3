"""tf.contrib.distributions.bijectors: invertible functions, and the distributions that they make of others.

The density of y = g(x) is that of x times |dx/dy| (change of variables).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.nets.activations import softplus
from thalweg._src.ops.numeric import elementwise


class Bijector:
    """An invertible, differentiable function. Subclasses say `_forward`, `_inverse` and `_forward_log_det_jacobian`, which is
    of the shape of x, one number per element; the public one sums it over the last `event_ndims` dimensions.
    """

    def __init__(self, forward_min_event_ndims: int = 0, validate_args: bool = False, name: str | None = None):
        self._least_ndims, self._validate_args = forward_min_event_ndims, validate_args
        self._name = name or type(self).__name__.lower()

    @property
    def name(self) -> str:
        return self._name

    @property
    def validate_args(self) -> bool:
        return self._validate_args

    @property
    def forward_min_event_ndims(self) -> int:
        return self._least_ndims

    inverse_min_event_ndims = forward_min_event_ndims

    def _forward(self, x: Any) -> Any:
        raise NotImplementedError("forward not implemented.")

    def _inverse(self, y: Any) -> Any:
        raise NotImplementedError("inverse not implemented.")

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        raise NotImplementedError("forward_log_det_jacobian not implemented.")

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return -self._forward_log_det_jacobian(self._inverse(y))

    def forward(self, x: Any, name: str = "forward") -> Any:
        """y = g(x)."""
        return self._call(self._forward, x, name)

    def inverse(self, y: Any, name: str = "inverse") -> Any:
        """x = g^-1(y)."""
        return self._call(self._inverse, y, name)

    def forward_log_det_jacobian(self, x: Any, event_ndims: int = 0, name: str = "forward_log_det_jacobian") -> Any:
        """log |det dy/dx|, of events of `event_ndims` dimensions."""
        return self._summed(self._call(self._forward_log_det_jacobian, x, name), event_ndims)

    def inverse_log_det_jacobian(self, y: Any, event_ndims: int = 0, name: str = "inverse_log_det_jacobian") -> Any:
        """log |det dx/dy|, of events of `event_ndims` dimensions."""
        return self._summed(self._call(self._inverse_log_det_jacobian, y, name), event_ndims)

    def _call(self, function: Callable[[Any], Any], value: Any, name: str) -> Any:
        with scopes.name_scope(f"{self._name}/{name}", values=[value]):
            return function(to_tensor(value, None, "value"))

    def _summed(self, found: Any, event_ndims: Any) -> Any:
        count = int(event_ndims)
        return math.reduce_sum(found, axis=list(range(-count, 0))) if count else found


class Identity(Bijector):
    """y = x."""

    def _forward(self, x: Any) -> Any:
        return basic.identity(x)

    _inverse = _forward

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return array.zeros_like(x)


class Exp(Bijector):
    """y = exp(x)."""

    def _forward(self, x: Any) -> Any:
        return elementwise.exp(x)

    def _inverse(self, y: Any) -> Any:
        return elementwise.log(y)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return basic.identity(x)


class Sigmoid(Bijector):
    """y = 1 / (1 + exp(-x))."""

    def _forward(self, x: Any) -> Any:
        return elementwise.sigmoid(x)

    def _inverse(self, y: Any) -> Any:
        return elementwise.log(y) - elementwise.log1p(-y)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return -softplus(-x) - softplus(x)


class Softplus(Bijector):
    """y = log(1 + exp(x))."""

    def _forward(self, x: Any) -> Any:
        return softplus(x)

    def _inverse(self, y: Any) -> Any:
        return y + elementwise.log(-elementwise.expm1(-y))

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return -softplus(-x)


class AffineScalar(Bijector):
    """y = scale x + shift, by numbers or tensors that broadcast."""

    def __init__(self, shift: Any = None, scale: Any = None, validate_args: bool = False, name: str = "affine_scalar"):
        super().__init__(0, validate_args, name)
        self.shift = None if shift is None else to_tensor(shift, None, "shift")
        self.scale = None if scale is None else to_tensor(scale, None, "scale")

    def _forward(self, x: Any) -> Any:
        y = x if self.scale is None else x * self.scale
        return basic.identity(y) if self.shift is None else y + self.shift

    def _inverse(self, y: Any) -> Any:
        x = y if self.shift is None else y - self.shift
        return basic.identity(x) if self.scale is None else x / self.scale

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        zeros = array.zeros_like(x)
        return zeros if self.scale is None else zeros + elementwise.log(elementwise.abs(self.scale))


class PowerTransform(Bijector):
    """y = (1 + power x)^(1 / power), exp(x) where power is 0."""

    def __init__(self, power: float = 0.0, validate_args: bool = False, name: str = "power_transform"):
        if power < 0:
            raise ValueError("`power` must be a non-negative TF constant.")
        super().__init__(0, validate_args, name)
        self.power = power

    def _forward(self, x: Any) -> Any:
        return elementwise.exp(elementwise.log1p(x * self.power) / self.power if self.power else x)

    def _inverse(self, y: Any) -> Any:
        return elementwise.expm1(elementwise.log(y) * self.power) / self.power if self.power else elementwise.log(y)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return (1.0 / self.power - 1.0) * elementwise.log1p(x * self.power) if self.power else basic.identity(x)


class Invert(Bijector):
    """The inverse of another one."""

    def __init__(self, bijector: Bijector, validate_args: bool = False, name: str | None = None):
        super().__init__(bijector.forward_min_event_ndims, validate_args, name or f"invert_{bijector.name}")
        self.bijector = bijector
        self._forward, self._inverse = bijector._inverse, bijector._forward  # type: ignore[method-assign]
        self._forward_log_det_jacobian = bijector._inverse_log_det_jacobian  # type: ignore[method-assign]
        self._inverse_log_det_jacobian = bijector._forward_log_det_jacobian  # type: ignore[method-assign]


class Chain(Bijector):
    """Several, one after the other: the last of `bijectors` comes first, as in f(g(x))."""

    def __init__(self, bijectors: Sequence[Bijector] = (), validate_args: bool = False, name: str | None = None):
        least = max((b.forward_min_event_ndims for b in bijectors), default=0)
        super().__init__(least, validate_args, name or "_of_".join(["chain", *(b.name for b in bijectors)]))
        self.bijectors = list(bijectors)

    def _forward(self, x: Any) -> Any:
        for b in reversed(self.bijectors):
            x = b._forward(x)
        return x

    def _inverse(self, y: Any) -> Any:
        for b in self.bijectors:
            y = b._inverse(y)
        return y

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        total = array.zeros_like(x)
        for b in reversed(self.bijectors):
            total = total + b._forward_log_det_jacobian(x)
            x = b._forward(x)
        return total


class Inline(Bijector):
    """One made of functions."""

    def __init__(
        self,
        forward_fn: Callable | None = None,
        inverse_fn: Callable | None = None,
        inverse_log_det_jacobian_fn: Callable | None = None,
        forward_log_det_jacobian_fn: Callable | None = None,
        forward_event_shape_fn: Callable | None = None,
        forward_event_shape_tensor_fn: Callable | None = None,
        inverse_event_shape_fn: Callable | None = None,
        inverse_event_shape_tensor_fn: Callable | None = None,
        is_constant_jacobian: bool = False,
        validate_args: bool = False,
        forward_min_event_ndims: int = 0,
        inverse_min_event_ndims: int | None = None,
        name: str = "inline",
    ):
        super().__init__(forward_min_event_ndims, validate_args, name)
        given = {
            "_forward": forward_fn,
            "_inverse": inverse_fn,
            "_inverse_log_det_jacobian": inverse_log_det_jacobian_fn,
            "_forward_log_det_jacobian": forward_log_det_jacobian_fn,
        }
        for attribute, function in given.items():
            if function is not None:
                setattr(self, attribute, function)


class TransformedDistribution(Distribution):
    """The distribution of y = bijector(x), x of `distribution`.

    `batch_shape` and `event_shape`, where given, replace those of a scalar distribution, of which as many are drawn.
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
        if batch_shape is not None or event_shape is not None:
            raise NotImplementedError(
                "TransformedDistribution takes the shapes of its distribution: give that one its batch shape."
            )
        self._distribution, self._bijector = distribution, bijector or Identity()
        name = name or self._bijector.name + distribution.name.rstrip("/").rsplit("/", 1)[-1]
        rule = distribution.reparameterization_type if distribution is not None else FULLY_REPARAMETERIZED
        super().__init__(distribution.dtype, rule, validate_args, distribution.allow_nan_stats, parameters, [], name)

    @property
    def distribution(self) -> Distribution:
        return self._distribution

    @property
    def bijector(self) -> Bijector:
        return self._bijector

    def _batch_shape(self) -> Any:
        return self.distribution.batch_shape

    def _batch_shape_tensor(self) -> Any:
        return self.distribution.batch_shape_tensor()

    def _event_shape(self) -> Any:
        return self.distribution.event_shape

    def _event_shape_tensor(self) -> Any:
        return self.distribution.event_shape_tensor()

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        return self.bijector.forward(self.distribution._sample_n(n, seed))

    def _log_prob(self, y: Any) -> Any:
        x = self.bijector.inverse(y)
        ndims = self.distribution.event_shape.ndims or 0
        return self.distribution.log_prob(x) + self.bijector.inverse_log_det_jacobian(y, ndims)

    def _cdf(self, y: Any) -> Any:
        return self.distribution.cdf(self.bijector.inverse(y))

    def _quantile(self, p: Any) -> Any:
        return self.bijector.forward(self.distribution.quantile(p))

    def _mean(self) -> Any:
        if isinstance(self.bijector, Identity | AffineScalar):
            return self.bijector.forward(self.distribution.mean())
        raise NotImplementedError("mean is not implemented for this bijector")
