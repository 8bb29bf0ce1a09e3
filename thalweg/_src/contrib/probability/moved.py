"""Distributions that are moved and stretched: skew ones (Jones & Pewsey, 2009), and vectors of numbers drawn one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.bijectors.affine import Affine
from thalweg._src.contrib.bijectors.combined import Chain
from thalweg._src.contrib.bijectors.scalars import AffineScalar
from thalweg._src.contrib.bijectors.scalars import SinhArcsinh as SinhArcsinhBijector
from thalweg._src.contrib.bijectors.transformed import TransformedDistribution
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.distributions.continuous import Laplace, Normal
from thalweg._src.lib.distributions.distribution import Distribution
from thalweg._src.lib.distributions.gamma import Exponential
from thalweg._src.ops.late import array
from thalweg._src.ops.numeric import elementwise


def _skewed(skewness: Any, tailweight: Any) -> tuple[Any, Any]:
    """The bijector, and what it makes of 2 without skewness: the stretching is divided by that."""
    bijector = SinhArcsinhBijector(skewness, tailweight)
    plain = SinhArcsinhBijector(array.zeros_like(bijector.skewness), bijector.tailweight)
    return bijector, plain.forward(to_tensor(2.0, bijector.skewness.dtype))


class SinhArcsinh(TransformedDistribution):
    """loc + C F(z), F(z) = sinh((arsinh(z) + skewness) tailweight), C = 2 scale / F(2) without skewness; z of `distribution`, the
    standard normal one by default. Positive skewness leans to the right, a tailweight above 1 makes heavier tails.
    """

    def __init__(
        self,
        loc: Any,
        scale: Any,
        skewness: Any = None,
        tailweight: Any = None,
        distribution: Distribution | None = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "SinhArcsinh",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[loc, scale, skewness, tailweight]) as scope:
            self._loc = to_tensor(loc, name="loc")
            self._scale = to_tensor(scale, self._loc.dtype, "scale")
            kind = self._loc.dtype
            self._skewness = to_tensor(0.0 if skewness is None else skewness, kind, "skewness")
            self._tailweight = to_tensor(1.0 if tailweight is None else tailweight, kind, "tailweight")
            bijector, of_two = _skewed(self._skewness, self._tailweight)
            if distribution is None:
                distribution = Normal(array.zeros([], kind), array.ones([], kind), allow_nan_stats=allow_nan_stats)
            moved = Chain([AffineScalar(self._loc, self._scale * 2.0 / of_two), bijector])
            batch = array.shape(self._loc + self._scale + self._skewness + self._tailweight)
        super().__init__(distribution, moved, batch, None, validate_args, scope)
        self._parameters = parameters

    @property
    def loc(self) -> Any:
        return self._loc

    @property
    def scale(self) -> Any:
        return self._scale

    @property
    def skewness(self) -> Any:
        return self._skewness

    @property
    def tailweight(self) -> Any:
        return self._tailweight


class _Vectors(TransformedDistribution):
    """loc + scale z, z of numbers drawn one by one. Subclasses say their mean and variance about `loc`, where scale is one."""

    _center, _spread_of_one = 0.0, 1.0

    def __init__(
        self,
        make: Callable[[Any], Distribution],
        loc: Any,
        scale_diag: Any,
        times: Any,
        validate_args: bool,
        name: str,
        given: dict[str, Any],
    ):
        """`make` gives the distribution of a number of a type, `times` the multiple of I. ValueError where the length is not told."""
        with scopes.name_scope(name, values=[loc, scale_diag, times]) as scope:
            distribution = make(_kind(loc, scale_diag))
        kind = distribution.dtype
        loc, diag, times = (None if v is None else to_tensor(v, kind) for v in (loc, scale_diag, times))
        if loc is None and diag is None:
            raise ValueError("the length of the vectors is not known: neither loc nor scale_diag is given")
        diag = array.ones_like(loc) if diag is None else diag
        if times is not None:
            diag = times[..., None] + (array.zeros_like(diag) if scale_diag is None else diag)
        self._loc, self._diag = loc, diag
        shape = array.shape(diag if loc is None else diag + loc)
        affine = Affine(loc, scale_diag=diag)
        super().__init__(distribution, affine, shape[:-1], shape[-1:], validate_args, scope)
        self._parameters = given

    @property
    def loc(self) -> Any:
        return self._loc

    @property
    def scale(self) -> Any:
        """The scale, as a LinearOperator."""
        return self.bijector.scale  # type: ignore[attr-defined]

    def _everywhere(self) -> Any:
        return array.zeros(array.concat([self.batch_shape_tensor(), self.event_shape_tensor()], 0), self.dtype)

    def _mean(self) -> Any:
        return self.bijector.forward(self._everywhere() + self._center)

    def _mode(self) -> Any:
        return self.bijector.forward(self._everywhere())

    def _variance(self) -> Any:
        return self._spread_of_one * elementwise.square(self._diag) + self._everywhere()

    def _covariance(self) -> Any:
        return array.matrix_diag(self._variance())


class VectorExponentialDiag(_Vectors):
    """loc + S z, the elements of z of exponential distributions of rate 1, S = diag(scale_diag + scale_identity_multiplier)."""

    _center, _spread_of_one = 1.0, 1.0

    def __init__(
        self,
        loc: Any = None,
        scale_diag: Any = None,
        scale_identity_multiplier: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "VectorExponentialDiag",
    ):
        given = dict(locals())
        make = lambda kind: Exponential(array.ones([], kind), allow_nan_stats=allow_nan_stats)
        super().__init__(make, loc, scale_diag, scale_identity_multiplier, validate_args, name, given)


class VectorLaplaceDiag(_Vectors):
    """loc + S z, the elements of z of Laplace's distribution, S = diag(scale_diag + scale_identity_multiplier)."""

    _center, _spread_of_one = 0.0, 2.0

    def __init__(
        self,
        loc: Any = None,
        scale_diag: Any = None,
        scale_identity_multiplier: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "VectorLaplaceDiag",
    ):
        given = dict(locals())
        make = lambda kind: Laplace(array.zeros([], kind), array.ones([], kind), allow_nan_stats=allow_nan_stats)
        super().__init__(make, loc, scale_diag, scale_identity_multiplier, validate_args, name, given)


def _kind(*values: Any) -> Any:
    return next((to_tensor(v).dtype for v in values if v is not None), dtypes.float32)
