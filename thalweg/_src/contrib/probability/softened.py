"""Distributions that take their parameters through softplus, or their absolute value, so that any number will do."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.probability.univariate import Chi2, InverseGamma
from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.distributions.continuous import Beta, Laplace, StudentT
from thalweg._src.lib.distributions.gamma import Exponential, Gamma
from thalweg._src.ops.nets.activations import softplus
from thalweg._src.ops.numeric import elementwise


def _soft(value: Any, name: str) -> Any:
    return softplus(to_tensor(value), name="softplus_" + name)


class BetaWithSoftplusConcentration(Beta):
    """`Beta` of softplus of both concentrations."""

    def __init__(
        self,
        concentration1: Any,
        concentration0: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "BetaWithSoftplusConcentration",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[concentration1, concentration0]) as scope:
            pair = _soft(concentration1, "concentration1"), _soft(concentration0, "concentration0")
            super().__init__(*pair, validate_args, allow_nan_stats, scope)
        self._parameters = parameters


class GammaWithSoftplusConcentrationRate(Gamma):
    """`Gamma` of softplus of concentration and rate."""

    def __init__(
        self,
        concentration: Any,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "GammaWithSoftplusConcentrationRate",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[concentration, rate]) as scope:
            pair = _soft(concentration, "concentration"), _soft(rate, "rate")
            super().__init__(*pair, validate_args, allow_nan_stats, scope)
        self._parameters = parameters


class InverseGammaWithSoftplusConcentrationRate(InverseGamma):
    """`InverseGamma` of softplus of concentration and rate."""

    def __init__(
        self,
        concentration: Any,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "InverseGammaWithSoftplusConcentrationRate",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[concentration, rate]) as scope:
            pair = _soft(concentration, "concentration"), _soft(rate, "rate")
            super().__init__(*pair, validate_args, allow_nan_stats, scope)
        self._parameters = parameters


class ExponentialWithSoftplusRate(Exponential):
    """`Exponential` of softplus(rate)."""

    def __init__(
        self,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "ExponentialWithSoftplusRate",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[rate]) as scope:
            super().__init__(_soft(rate, "rate"), validate_args, allow_nan_stats, scope)
        self._parameters = parameters


class LaplaceWithSoftplusScale(Laplace):
    """`Laplace` of softplus(scale)."""

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "LaplaceWithSoftplusScale",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[loc, scale]) as scope:
            super().__init__(loc, _soft(scale, "scale"), validate_args, allow_nan_stats, scope)
        self._parameters = parameters


class StudentTWithAbsDfSoftplusScale(StudentT):
    """`StudentT` of floor(|df|) degrees of freedom and softplus(scale)."""

    def __init__(
        self,
        df: Any,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "StudentTWithAbsDfSoftplusScale",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[df, scale]) as scope:
            df = elementwise.floor(elementwise.abs(to_tensor(df)))
            super().__init__(df, loc, _soft(scale, "scale"), validate_args, allow_nan_stats, scope)
        self._parameters = parameters


class Chi2WithAbsDf(Chi2):
    """`Chi2` of floor(|df|) degrees of freedom."""

    def __init__(self, df: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Chi2WithAbsDf"):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[df]) as scope:
            super().__init__(elementwise.floor(elementwise.abs(to_tensor(df))), validate_args, allow_nan_stats, scope)
        self._parameters = parameters
