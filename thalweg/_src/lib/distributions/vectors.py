"""Distributions of vectors."""

from __future__ import annotations

import math as numbers
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.distributions.continuous import gen_new_seed, named
from thalweg._src.lib.distributions.discrete import conditions_of_counts, covariance_of_shares, log_combinations
from thalweg._src.lib.distributions.distribution import (
    FULLY_REPARAMETERIZED,
    NOT_REPARAMETERIZED,
    Distribution,
    RegisterKL,
)
from thalweg._src.ops import array, math
from thalweg._src.ops.chance import random, random_draws
from thalweg._src.ops.linear import linear_systems
from thalweg._src.ops.nets.activations import softplus
from thalweg._src.ops.numeric import elementwise, special
from thalweg._src.ops.reports import checks


class _OfLastAxis(Distribution):
    """Whose events are the last axis of `_shaping`."""

    _shaping: Any

    def _batch_shape(self) -> Any:
        return self._shaping.get_shape()[:-1]

    def _batch_shape_tensor(self) -> Any:
        return array.shape(self._shaping)[:-1]

    def _event_shape(self) -> Any:
        return self._shaping.get_shape()[-1:]

    def _event_shape_tensor(self) -> Any:
        return array.shape(self._shaping)[-1:]


class Dirichlet(_OfLastAxis):
    """The Dirichlet distribution over probabilities of k classes: product of x_i^(concentration_i - 1), normalised."""

    def __init__(
        self,
        concentration: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Dirichlet",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[concentration]) as name:
            (self._concentration,) = named({"concentration": concentration}, ("concentration",), validate_args)
            self._shaping = self._concentration
            self._total_concentration = math.reduce_sum(self._concentration, -1)
        super().__init__(
            self._concentration.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._concentration],
            name,
        )

    @property
    def concentration(self) -> Any:
        return self._concentration

    @property
    def total_concentration(self) -> Any:
        return self._total_concentration

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        gamma = random_draws.random_gamma([n], self.concentration, dtype=self.dtype, seed=seed)
        return gamma / math.reduce_sum(gamma, -1, keepdims=True)

    def _conditions(self, value: Any) -> list[Any]:
        total = math.reduce_sum(value, -1)
        return [
            checks.assert_positive(value, message="samples must be positive"),
            checks.assert_near(array.ones([], self.dtype), total, message="sample last-dimension must sum to `1`"),
        ]

    def _log_prob(self, x: Any) -> Any:
        return math.reduce_sum(math.xlogy(self.concentration - 1.0, x), -1) - special.lbeta(self.concentration)

    def _entropy(self) -> Any:
        k = math.cast(self.event_shape_tensor()[0], self.dtype)
        total = self.total_concentration
        return (
            special.lbeta(self.concentration)
            + (total - k) * special.digamma(total)
            - math.reduce_sum((self.concentration - 1.0) * special.digamma(self.concentration), axis=-1)
        )

    def _mean(self) -> Any:
        return self.concentration / array.expand_dims(self.total_concentration, -1)

    def _variance(self) -> Any:
        mean = self._mean()
        return mean * (1.0 - mean) / array.expand_dims(1.0 + self.total_concentration, -1)

    def _covariance(self) -> Any:
        mean = self._mean()
        return covariance_of_shares(mean, mean) / (1.0 + self.total_concentration)[..., None, None]

    def _mode(self) -> Any:
        k = math.cast(self.event_shape_tensor()[0], self.dtype)
        mode = (self.concentration - 1.0) / array.expand_dims(self.total_concentration - k, -1)
        inside = math.reduce_all(self.concentration > 1.0, -1, keepdims=True)
        inside = math.logical_and(inside, self.concentration > 1.0)
        return self._where_defined(mode, inside, "concentration", "Mode undefined when any {} <= 1")


@RegisterKL(Dirichlet, Dirichlet)
def _(a: Dirichlet, b: Dirichlet, name: str | None = None) -> Any:
    with scopes.name_scope(name, "kl_dirichlet_dirichlet", values=[a.concentration, b.concentration]):
        total = array.expand_dims(special.digamma(math.reduce_sum(a.concentration, axis=-1)), -1)
        by_class = special.digamma(a.concentration) - total
        difference = a.concentration - b.concentration
        return (
            math.reduce_sum(difference * by_class, axis=-1)
            - special.lbeta(a.concentration)
            + special.lbeta(b.concentration)
        )


class DirichletMultinomial(_OfLastAxis):
    """How often each class comes in `total_count` draws whose probabilities are drawn from a Dirichlet.

    Several counts stand in a tensor that has a last axis of one, beside the classes, as in TensorFlow.
    """

    def __init__(
        self,
        total_count: Any,
        concentration: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "DirichletMultinomial",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[total_count, concentration]) as name:
            self._total_count, self._concentration = named({"total_count": total_count, "concentration": concentration})
            self._shaping = self._concentration
            self._total_concentration = math.reduce_sum(self._concentration, -1)
        super().__init__(
            self._concentration.dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            parameters,
            [self._total_count, self._concentration],
            name,
        )

    @property
    def total_count(self) -> Any:
        return self._total_count

    @property
    def concentration(self) -> Any:
        return self._concentration

    @property
    def total_concentration(self) -> Any:
        return self._total_concentration

    def _conditions(self, value: Any) -> list[Any]:
        return conditions_of_counts(value, self.total_count, "counts last-dimension")

    def _log_prob(self, counts: Any) -> Any:
        ordered = special.lbeta(self.concentration + counts) - special.lbeta(self.concentration)
        return ordered + log_combinations(self.total_count, counts)

    def _mean(self) -> Any:
        return self.total_count * (self.concentration / self.total_concentration[..., None])

    def _spread(self) -> Any:
        """How much wider than a multinomial, as a factor."""
        total = self.total_concentration[..., None]
        return (self.total_count + total) / (1.0 + total)

    def _variance(self) -> Any:
        shares = self.concentration / self.total_concentration[..., None]
        return self._mean() * (1.0 - shares) * self._spread()

    def _covariance(self) -> Any:
        shares = self.concentration / self.total_concentration[..., None]
        return covariance_of_shares(self._mean(), shares) * self._spread()[..., None]

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        k = self.event_shape_tensor()[0]
        gamma = random_draws.random_gamma([n], self._shaping, dtype=self.dtype, seed=seed)
        logits = array.reshape(elementwise.log(gamma), [-1, k])
        count = math.cast(self.total_count, dtypes.int32)
        draws = random.multinomial(logits, count, seed=gen_new_seed(seed, "dirichlet_multinomial"))
        found = math.reduce_sum(array.one_hot(draws, depth=k), -2)
        return math.cast(array.reshape(found, self._shape_of_samples(n)), self.dtype)


class MultivariateNormalTriL(_OfLastAxis):
    """The normal distribution of vectors: loc + scale_tril z, of covariance scale_tril scale_tril^T."""

    def __init__(
        self,
        loc: Any = None,
        scale_tril: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalTriL",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[loc, scale_tril]) as name:
            self._scale_tril = array.matrix_band_part(to_tensor(scale_tril, name="scale_tril"), -1, 0)
            self._start(loc, self._scale_tril[..., 0], parameters, validate_args, allow_nan_stats, name)

    def _start(self, loc: Any, like: Any, parameters: Any, validate: bool, nan: bool, name: str) -> None:
        self._loc = array.zeros_like(like) if loc is None else to_tensor(loc, like.dtype, name="loc")
        self._shaping = self._loc + array.zeros_like(like)
        super().__init__(self._shaping.dtype, FULLY_REPARAMETERIZED, validate, nan, parameters, [self._shaping], name)

    @property
    def loc(self) -> Any:
        return self._loc

    @property
    def scale_tril(self) -> Any:
        return self._scale_tril

    def _times(self, z: Any) -> Any:
        """scale z."""
        return math.reduce_sum(self._scale_tril * z[..., None, :], -1)

    def _solved(self, x: Any) -> Any:
        """scale^-1 x."""
        tril = self._scale_tril + array.zeros_like(x)[..., None]
        return linear_systems.matrix_triangular_solve(tril, x[..., None])[..., 0]

    def _log_det(self) -> Any:
        return math.reduce_sum(elementwise.log(elementwise.abs(array.matrix_diag_part(self._scale_tril))), -1)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        z = random.random_normal(self._shape_of_samples(n), dtype=self.dtype, seed=seed)
        return self._times(z) + self.loc

    def _log_prob(self, x: Any) -> Any:
        z = self._solved(x - self.loc)
        k = math.cast(self.event_shape_tensor()[0], self.dtype)
        normal = -0.5 * math.reduce_sum(elementwise.square(z), -1) - 0.5 * k * numbers.log(2 * numbers.pi)
        return normal - self._log_det()

    def _entropy(self) -> Any:
        k = math.cast(self.event_shape_tensor()[0], self.dtype)
        entropy = 0.5 * k * (1.0 + numbers.log(2 * numbers.pi)) + self._log_det()
        return entropy + array.zeros_like(self._shaping[..., 0])

    def _mean(self) -> Any:
        return array.identity(self._shaping)

    _mode = _mean

    def _covariance(self) -> Any:
        return math.matmul(self._scale_tril, self._scale_tril, transpose_b=True)

    def _variance(self) -> Any:
        return math.reduce_sum(elementwise.square(self._scale_tril), -1) + array.zeros_like(self._shaping)


class MultivariateNormalFullCovariance(MultivariateNormalTriL):
    """The normal distribution of vectors of that covariance."""

    def __init__(
        self,
        loc: Any = None,
        covariance_matrix: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalFullCovariance",
    ):
        from thalweg._src.ops.linear.linalg import cholesky

        parameters = dict(locals())
        parameters.pop("cholesky")
        with scopes.name_scope(name, values=[loc, covariance_matrix]) as name:
            self._scale_tril = cholesky(to_tensor(covariance_matrix, name="covariance_matrix"))
            self._start(loc, self._scale_tril[..., 0], parameters, validate_args, allow_nan_stats, name)


class MultivariateNormalDiag(MultivariateNormalTriL):
    """The normal distribution of vectors of independent numbers, of deviations scale_diag + scale_identity_multiplier."""

    def __init__(
        self,
        loc: Any = None,
        scale_diag: Any = None,
        scale_identity_multiplier: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalDiag",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[loc, scale_diag, scale_identity_multiplier]) as name:
            if loc is not None:
                loc = to_tensor(loc, name="loc")
            if scale_diag is not None:
                diag = to_tensor(scale_diag, name="scale_diag")
            elif loc is None:
                raise ValueError("Must specify one or both of `loc`, `scale_diag`.")
            else:
                diag = array.zeros_like(loc) if scale_identity_multiplier is not None else array.ones_like(loc)
            if scale_identity_multiplier is not None:
                diag = diag + array.expand_dims(to_tensor(scale_identity_multiplier, diag.dtype), -1)
            self._diag = diag
            self._start(loc, diag, parameters, validate_args, allow_nan_stats, name)

    @property
    def scale_diag(self) -> Any:
        return self._diag

    @property
    def _scale_tril(self) -> Any:
        return array.matrix_diag(self._diag)

    def _times(self, z: Any) -> Any:
        return self._diag * z

    def _solved(self, x: Any) -> Any:
        return x / self._diag

    def _log_det(self) -> Any:
        return math.reduce_sum(elementwise.log(elementwise.abs(self._diag)), -1)

    def _variance(self) -> Any:
        return elementwise.square(self._diag) + array.zeros_like(self._shaping)

    def _covariance(self) -> Any:
        return array.matrix_diag(elementwise.square(self._diag))


class MultivariateNormalDiagWithSoftplusScale(MultivariateNormalDiag):
    """`MultivariateNormalDiag` of deviations softplus(scale_diag)."""

    def __init__(
        self,
        loc: Any,
        scale_diag: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalDiagWithSoftplusScale",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[scale_diag]) as name:
            super().__init__(
                loc=loc,
                scale_diag=softplus(scale_diag),
                validate_args=validate_args,
                allow_nan_stats=allow_nan_stats,
                name=name,
            )
        self._parameters = parameters


@RegisterKL(MultivariateNormalTriL, MultivariateNormalTriL)
def _(a: MultivariateNormalTriL, b: MultivariateNormalTriL, name: str | None = None) -> Any:
    with scopes.name_scope(name, "kl_mvn", values=[a.loc, b.loc]):
        k = math.cast(a.event_shape_tensor()[0], a.dtype)
        if isinstance(a, MultivariateNormalDiag) and isinstance(b, MultivariateNormalDiag):
            inner = math.reduce_sum(elementwise.square(a._diag / b._diag), -1)
        else:
            inner = math.reduce_sum(
                elementwise.square(linear_systems.matrix_triangular_solve(b._scale_tril, a._scale_tril)), [-2, -1]
            )
        apart = math.reduce_sum(elementwise.square(b._solved(b.loc - a.loc)), -1)
        return b._log_det() - a._log_det() + 0.5 * (-k + inner + apart)
