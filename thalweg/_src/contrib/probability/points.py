"""Distributions of which every sample is one point."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from thalweg._src.ops import array, math
from thalweg._src.ops.numeric import elementwise


class Deterministic(Distribution):
    """`loc`, always. A value counts as that where it is no further away than `atol` + `rtol` |loc|."""

    def __init__(
        self,
        loc: Any,
        atol: Any = None,
        rtol: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Deterministic",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[loc, atol, rtol]) as scope:
            self._loc = to_tensor(loc, name="loc")
            kind = self._loc.dtype.base_dtype
            near = [to_tensor(0 if t is None else t, kind) for t in (atol, rtol)]
            self._atol, self._rtol = near
            self._slack = near[0] if rtol is None else near[0] + near[1] * elementwise.abs(self._loc)
        super().__init__(kind, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, [self._loc], scope)

    @property
    def loc(self) -> Any:
        return self._loc

    @property
    def atol(self) -> Any:
        return self._atol

    @property
    def rtol(self) -> Any:
        return self._rtol

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        return array.zeros(self._shape_of_samples(n), dtype=self.dtype) + self.loc

    def _near(self, x: Any) -> Any:
        return elementwise.abs(x - self.loc) <= self._slack

    def _prob(self, x: Any) -> Any:
        return math.cast(self._near(x), self.dtype)

    def _cdf(self, x: Any) -> Any:
        return math.cast(x >= self.loc - self._slack, self.dtype)

    def _entropy(self) -> Any:
        return array.zeros(self.batch_shape_tensor(), dtype=self.dtype)

    def _mean(self) -> Any:
        return array.identity(self.loc)

    _mode = _mean

    def _variance(self) -> Any:
        return array.zeros_like(self.loc)


class VectorDeterministic(Deterministic):
    """The vectors along the last axis of `loc`, always."""

    _cdf = None  # type: ignore[assignment]

    def __init__(
        self,
        loc: Any,
        atol: Any = None,
        rtol: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "VectorDeterministic",
    ):
        super().__init__(loc, atol, rtol, validate_args, allow_nan_stats, name)
        if self.loc.get_shape().ndims == 0:
            raise ValueError("Argument loc must have at least one dimension.")

    def _batch_shape(self) -> Any:
        return self.loc.get_shape()[:-1]

    def _batch_shape_tensor(self) -> Any:
        return array.shape(self.loc)[:-1]

    def _event_shape(self) -> Any:
        return self.loc.get_shape()[-1:]

    def _event_shape_tensor(self) -> Any:
        return array.shape(self.loc)[-1:]

    def _prob(self, x: Any) -> Any:
        return math.cast(math.reduce_all(self._near(x), -1), self.dtype)
