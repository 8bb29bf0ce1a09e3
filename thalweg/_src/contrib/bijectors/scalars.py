"""Bijectors of numbers, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.contrib.bijectors.base import Bijector
from thalweg._src.contrib.probability.functions import softplus_inverse
from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets.activations import softplus
from thalweg._src.ops.numeric import elementwise
from thalweg._src.ops.reports import checks


def _where(valid: list[Any], value: Any) -> Any:
    """`value`, once the checks hold."""
    with basic.control_dependencies(valid):
        return basic.identity(value)


class _OfNumbers(Bijector):
    """Subclasses say `_domain` and `_range`, bounds that are checked with `validate_args`: (least or None, most or None)."""

    _domain: tuple[float | None, float | None] = (None, None)
    _range: tuple[float | None, float | None] = (None, None)
    _strict = False

    def __init__(self, validate_args: bool, name: str, is_constant_jacobian: bool = False, parents: Any = ()):
        super().__init__(parents, is_constant_jacobian, validate_args, forward_min_event_ndims=0, name=name)

    def _checked(self, value: Any, bounds: tuple[float | None, float | None], what: str) -> Any:
        if not self.validate_args or bounds == (None, None):
            return value
        above, below = (
            (checks.assert_greater, checks.assert_less)
            if self._strict
            else (checks.assert_greater_equal, checks.assert_less_equal)
        )
        valid = []
        for check, bound, word in ((above, bounds[0], "least"), (below, bounds[1], "most")):
            if bound is not None:
                message = f"{what} transformation input must be at {word} {bound:g}."
                valid.append(check(value, math.cast(bound, value.dtype), message=message))
        return _where(valid, value)

    def _x(self, x: Any) -> Any:
        return self._checked(x, self._domain, "Forward")

    def _y(self, y: Any) -> Any:
        return self._checked(y, self._range, "Inverse")

    def _parameters(self, **given: Any) -> list[Any]:
        """The parameters as tensors of one type."""
        with scopes.name_scope(f"{self._name}/init", values=list(given.values())):
            made: list[Any] = []
            for name, value in given.items():
                made.append(to_tensor(value, made[0].dtype if made else None, name))
            return made

    def _positive(self, value: Any, what: str) -> Any:
        if not self.validate_args:
            return value
        return _where([checks.assert_positive(value, message=f"{what} was not positive")], value)


class Identity(_OfNumbers):
    """y = x."""

    def __init__(self, validate_args: bool = False, name: str = "identity"):
        super().__init__(validate_args, name, True)

    def _forward(self, x: Any) -> Any:
        return x

    _inverse = _forward

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return array.constant(0.0, x.dtype)

    _inverse_log_det_jacobian = _forward_log_det_jacobian


class PowerTransform(_OfNumbers):
    """y = (1 + power x)^(1 / power), exp(x) where power is 0. ValueError for a negative power."""

    def __init__(self, power: float = 0.0, validate_args: bool = False, name: str = "power_transform"):
        if power is None or power < 0:
            raise ValueError("`power` must be a non-negative TF constant.")
        super().__init__(validate_args, name)
        self._power = power

    @property
    def power(self) -> float:
        return self._power

    def _forward(self, x: Any) -> Any:
        return elementwise.exp(elementwise.log1p(x * self.power) / self.power if self.power else x)

    def _inverse(self, y: Any) -> Any:
        return elementwise.expm1(elementwise.log(y) * self.power) / self.power if self.power else elementwise.log(y)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return (1.0 / self.power - 1.0) * elementwise.log1p(x * self.power) if self.power else basic.identity(x)

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return (self.power - 1.0) * elementwise.log(y)


class Exp(PowerTransform):
    """y = exp(x)."""

    def __init__(self, validate_args: bool = False, name: str = "exp"):
        super().__init__(0.0, validate_args, name)


class Sigmoid(_OfNumbers):
    """y = 1 / (1 + exp(-x))."""

    def __init__(self, validate_args: bool = False, name: str = "sigmoid"):
        super().__init__(validate_args, name)

    def _forward(self, x: Any) -> Any:
        return elementwise.sigmoid(x)

    def _inverse(self, y: Any) -> Any:
        return elementwise.log(y) - elementwise.log1p(-y)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return -softplus(-x) - softplus(x)

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return -elementwise.log(y) - elementwise.log1p(-y)


class Softplus(_OfNumbers):
    """y = h log(1 + exp(x / h)), h the `hinge_softness`, 1 by default."""

    def __init__(self, hinge_softness: Any = None, validate_args: bool = False, name: str = "softplus"):
        super().__init__(validate_args, name)
        self._hinge_softness = None if hinge_softness is None else self._parameters(hinge_softness=hinge_softness)[0]

    @property
    def hinge_softness(self) -> Any:
        return self._hinge_softness

    def _soft(self, x: Any) -> Any:
        return 1.0 if self.hinge_softness is None else math.cast(self.hinge_softness, x.dtype)

    def _forward(self, x: Any) -> Any:
        return self._soft(x) * softplus(x / self._soft(x))

    def _inverse(self, y: Any) -> Any:
        return self._soft(y) * softplus_inverse(y / self._soft(y))

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return -softplus(-x / self._soft(x))

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return -elementwise.log(-elementwise.expm1(-y / self._soft(y)))


class Softsign(_OfNumbers):
    """y = x / (1 + |x|)."""

    _range, _strict = (-1.0, 1.0), True

    def __init__(self, validate_args: bool = False, name: str = "softsign"):
        super().__init__(validate_args, name)

    def _forward(self, x: Any) -> Any:
        return x / (1.0 + elementwise.abs(x))

    def _inverse(self, y: Any) -> Any:
        y = self._y(y)
        return y / (1.0 - elementwise.abs(y))

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return -2.0 * elementwise.log1p(elementwise.abs(x))

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return -2.0 * elementwise.log1p(-elementwise.abs(self._y(y)))


class Square(_OfNumbers):
    """y = x^2, of numbers that are not negative."""

    _domain = _range = (0.0, None)

    def __init__(self, validate_args: bool = False, name: str = "square"):
        super().__init__(validate_args, name)

    def _forward(self, x: Any) -> Any:
        return elementwise.square(self._x(x))

    def _inverse(self, y: Any) -> Any:
        return elementwise.sqrt(self._y(y))

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return np.log(2.0) + elementwise.log(self._x(x))


class AbsoluteValue(_OfNumbers):
    """y = |x|: two x for each y."""

    _range = (0.0, None)

    def __init__(self, validate_args: bool = False, name: str = "absolute_value"):
        super().__init__(validate_args, name, True)

    @property
    def _is_injective(self) -> bool:
        return False

    def _forward(self, x: Any) -> Any:
        return elementwise.abs(x)

    def _inverse(self, y: Any) -> Any:
        y = self._y(y)
        return -y, y

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        zero = array.constant(0.0, self._y(y).dtype)
        return zero, zero


class AffineScalar(_OfNumbers):
    """y = scale x + shift, by numbers or tensors that broadcast."""

    def __init__(self, shift: Any = None, scale: Any = None, validate_args: bool = False, name: str = "affine_scalar"):
        super().__init__(validate_args, name, True)
        given = {k: v for k, v in (("shift", shift), ("scale", scale)) if v is not None}
        made = dict(zip(given, self._parameters(**given), strict=True))
        self._shift, self._scale = made.get("shift"), made.get("scale")
        if validate_args and self._scale is not None:
            zero = array.zeros([], self._scale.dtype)
            self._scale = _where([checks.assert_none_equal(self._scale, zero)], self._scale)

    @property
    def shift(self) -> Any:
        return self._shift

    @property
    def scale(self) -> Any:
        return self._scale

    def _forward(self, x: Any) -> Any:
        y = x if self.scale is None else x * self.scale
        return basic.identity(y) if self.shift is None else y + self.shift

    def _inverse(self, y: Any) -> Any:
        x = y if self.shift is None else y - self.shift
        return basic.identity(x) if self.scale is None else x / self.scale

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return array.constant(0.0, x.dtype) if self.scale is None else elementwise.log(elementwise.abs(self.scale))


class SinhArcsinh(_OfNumbers):
    """y = sinh((arsinh(x) + skewness) tailweight): more or less skew, and heavier or lighter tails."""

    def __init__(
        self, skewness: Any = None, tailweight: Any = None, validate_args: bool = False, name: str = "SinhArcsinh"
    ):
        super().__init__(validate_args, name)
        skewness, tailweight = 0.0 if skewness is None else skewness, 1.0 if tailweight is None else tailweight
        self._skewness, tailweight = self._parameters(skewness=skewness, tailweight=tailweight)
        self._tailweight = self._positive(tailweight, "Argument tailweight")

    @property
    def skewness(self) -> Any:
        return self._skewness

    @property
    def tailweight(self) -> Any:
        return self._tailweight

    def _forward(self, x: Any) -> Any:
        return elementwise.sinh((elementwise.asinh(x) + self.skewness) * self.tailweight)

    def _inverse(self, y: Any) -> Any:
        return elementwise.sinh(elementwise.asinh(y) / self.tailweight - self.skewness)

    def _log_slope(self, inside: Any, at: Any) -> Any:
        """log(cosh(inside) / sqrt(at^2 + 1)), also where the square overflows."""
        small = elementwise.abs(at) * np.sqrt(np.finfo(at.dtype.as_numpy_dtype).eps) <= 1.0
        root = array.where(small, elementwise.sqrt(elementwise.square(at) + 1.0), elementwise.abs(at))
        return elementwise.log(elementwise.cosh(inside) / root)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        inside = (elementwise.asinh(x) + self.skewness) * self.tailweight
        return self._log_slope(inside, x) + elementwise.log(self.tailweight)

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        inside = elementwise.asinh(y) / self.tailweight - self.skewness
        return self._log_slope(inside, y) - elementwise.log(self.tailweight)


class Kumaraswamy(_OfNumbers):
    """x of a uniform distribution becomes y of Kumaraswamy's: 1 - (1 - y^a)^b = x, a `concentration1` and b `concentration0`."""

    _domain = _range = (0.0, 1.0)

    def __init__(
        self,
        concentration1: Any = None,
        concentration0: Any = None,
        validate_args: bool = False,
        name: str = "kumaraswamy",
    ):
        super().__init__(validate_args, name)
        made = self._parameters(concentration1=concentration1, concentration0=concentration0)
        self._concentration1, self._concentration0 = (self._positive(p, "Concentration parameter") for p in made)

    @property
    def concentration1(self) -> Any:
        return self._concentration1

    @property
    def concentration0(self) -> Any:
        return self._concentration0

    def _forward(self, x: Any) -> Any:
        rest = elementwise.exp(elementwise.log1p(-self._x(x)) / self.concentration0)
        return elementwise.exp(elementwise.log1p(-rest) / self.concentration1)

    def _inverse(self, y: Any) -> Any:
        return 1.0 - (1.0 - self._y(y) ** self.concentration1) ** self.concentration0

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        y, a, b = self._y(y), self.concentration1, self.concentration0
        front = elementwise.log(a) + elementwise.log(b)
        return front + (a - 1.0) * elementwise.log(y) + (b - 1.0) * elementwise.log1p(-(y**a))


class Weibull(_OfNumbers):
    """y = 1 - exp(-(x / scale)^concentration): Weibull's cumulative distribution."""

    _domain, _range = (0.0, None), (0.0, 1.0)

    def __init__(self, scale: Any = 1.0, concentration: Any = 1.0, validate_args: bool = False, name: str = "weibull"):
        super().__init__(validate_args, name)
        made = self._parameters(scale=scale, concentration=concentration)
        words = ("Argument scale", "Argument concentration")
        self._scale, self._concentration = (self._positive(p, w) for p, w in zip(made, words, strict=True))

    @property
    def scale(self) -> Any:
        return self._scale

    @property
    def concentration(self) -> Any:
        return self._concentration

    def _forward(self, x: Any) -> Any:
        return -elementwise.expm1(-((self._x(x) / self.scale) ** self.concentration))

    def _inverse(self, y: Any) -> Any:
        return self.scale * (-elementwise.log1p(-self._y(y))) ** (1.0 / self.concentration)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        x, c = self._x(x), self.concentration
        own = elementwise.log(c) - c * elementwise.log(self.scale)
        return -((x / self.scale) ** c) + (c - 1.0) * elementwise.log(x) + own

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        rest = elementwise.log1p(-self._y(y))
        own = elementwise.log(self.scale / self.concentration)
        return -rest + (1.0 / self.concentration - 1.0) * elementwise.log(-rest) + own


class Gumbel(_OfNumbers):
    """y = exp(-exp(-(x - loc) / scale)): Gumbel's cumulative distribution."""

    _range = (0.0, 1.0)

    def __init__(self, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool = False, name: str = "gumbel"):
        super().__init__(validate_args, name)
        self._loc, scale = self._parameters(loc=loc, scale=scale)
        self._scale = self._positive(scale, "Argument scale")

    @property
    def loc(self) -> Any:
        return self._loc

    @property
    def scale(self) -> Any:
        return self._scale

    def _forward(self, x: Any) -> Any:
        return elementwise.exp(-elementwise.exp(-(x - self.loc) / self.scale))

    def _inverse(self, y: Any) -> Any:
        return self.loc - self.scale * elementwise.log(-elementwise.log(self._y(y)))

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        z = (x - self.loc) / self.scale
        return -z - elementwise.exp(-z) - elementwise.log(self.scale)

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        y = self._y(y)
        return elementwise.log(self.scale / (-elementwise.log(y) * y))
