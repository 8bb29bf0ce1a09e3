"""Wishart's distributions: of the covariances that samples of normal vectors have, times their number."""

from __future__ import annotations

import math as numbers
from typing import Any

import numpy as np

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from thalweg._src.ops.chance import random, random_draws
from thalweg._src.ops.late import array, linear_systems, math
from thalweg._src.ops.linear.linalg import cholesky
from thalweg._src.ops.numeric import elementwise, special


class _Wishart(Distribution):
    """With `df` degrees of freedom about the matrix L L^T [..., p, p]; values are their Cholesky factors if `as_factors`."""

    def __init__(
        self, df: Any, scale: Any, as_factors: bool, validate_args: bool, allow_nan: bool, name: str, given: Any
    ):
        with scopes.name_scope(name, values=[df, scale]) as scope:
            scale = to_tensor(scale, name="scale")
            self._df = to_tensor(df, scale.dtype, "df")
            self._factor = self._factor_of(scale)
        self._size, self._as_factors = self._factor.get_shape().as_list()[-1], as_factors
        if self._size is None:
            raise ValueError("Wishart: the size of the matrices must be known")
        parts = [self._df, self._factor]
        super().__init__(self._factor.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan, given, parts, scope)

    def _factor_of(self, scale: Any) -> Any:
        """The Cholesky factor of what `scale` stands for."""
        return scale

    @property
    def df(self) -> Any:
        return self._df

    @property
    def dimension(self) -> Any:
        """The number of rows of a matrix."""
        return to_tensor(float(self._size), self.dtype)

    @property
    def cholesky_input_output_matrices(self) -> bool:
        return self._as_factors

    def scale(self) -> Any:
        """The matrix, or its Cholesky factor where values are such."""
        return self._factor if self._as_factors else self._full()

    def _full(self) -> Any:
        return math.matmul(self._factor, self._factor, adjoint_b=True)

    def _batch_shape(self) -> Any:
        return (self._factor[..., 0, 0] + self.df).get_shape()

    def _batch_shape_tensor(self) -> Any:
        return array.shape(self._factor[..., 0, 0] + self.df)

    def _event_shape(self) -> Any:
        return [self._size, self._size]

    def _event_shape_tensor(self) -> Any:
        return to_tensor([self._size, self._size])

    def _sequence(self, a: Any) -> Any:
        """a, a - 1/2, a - 1 ...: [..., p]."""
        return a[..., None] - np.arange(self._size).astype(self.dtype.as_numpy_dtype) / 2

    def _multi_lgamma(self, a: Any) -> Any:
        constant = 0.25 * self._size * (self._size - 1) * numbers.log(numbers.pi)
        return constant + math.reduce_sum(special.lgamma(self._sequence(a)), -1)

    def _multi_digamma(self, a: Any) -> Any:
        return math.reduce_sum(special.digamma(self._sequence(a)), -1)

    def _log_det_factor(self) -> Any:
        return math.reduce_sum(elementwise.log(array.matrix_diag_part(self._factor)), -1)

    def log_normalization(self, name: str = "log_normalization") -> Any:
        """The logarithm of what densities are divided by."""
        with self._scope(name):
            own = self.df * (self._log_det_factor() + 0.5 * self._size * numbers.log(2.0))
            return own + self._multi_lgamma(0.5 * self.df)

    def mean_log_det(self, name: str = "mean_log_det") -> Any:
        """The mean of the logarithm of the determinant."""
        with self._scope(name):
            own = self._size * numbers.log(2.0) + 2.0 * self._log_det_factor()
            return self._multi_digamma(0.5 * self.df) + own

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        # Bartlett's decomposition: the diagonal is made of chi variables, what lies below of normal ones.
        shape = self._shape_of_samples(n)
        below = random.random_normal(shape, dtype=self.dtype, seed=seed)
        half = self._sequence(0.5 * self.df + array.zeros(self.batch_shape_tensor(), self.dtype))
        along = random_draws.random_gamma(shape[:1], half, 0.5, self.dtype, None if seed is None else seed + 1)
        lower = array.matrix_set_diag(array.matrix_band_part(below, -1, 0), elementwise.sqrt(along))
        made = math.matmul(self._factor + array.zeros_like(lower), lower)
        return made if self._as_factors else math.matmul(made, made, adjoint_b=True)

    def _log_prob(self, x: Any) -> Any:
        root = x if self._as_factors else cholesky(x)
        ratio = linear_systems.matrix_triangular_solve(self._factor + array.zeros_like(root), root)
        trace = math.reduce_sum(elementwise.square(ratio), [-2, -1])
        half_log_det = math.reduce_sum(elementwise.log(array.matrix_diag_part(root)), -1)
        return (self.df - self._size - 1.0) * half_log_det - 0.5 * trace - self.log_normalization()

    def _entropy(self) -> Any:
        half, rows = 0.5 * self.df, 0.5 * (self._size + 1.0)
        own = self._size * (half + rows * numbers.log(2.0)) + 2.0 * rows * self._log_det_factor()
        return own + self._multi_lgamma(half) + (rows - half) * self._multi_digamma(half)

    def _times(self, number: Any) -> Any:
        """`number` times the scale, or the factor of that."""
        number = number[..., None, None]
        return elementwise.sqrt(number) * self._factor if self._as_factors else number * self._full()

    def _mean(self) -> Any:
        return self._times(self.df)

    def _variance(self) -> Any:
        full = self._full()
        along = elementwise.sqrt(self.df)[..., None] * array.matrix_diag_part(full)
        spread = elementwise.square(elementwise.sqrt(self.df)[..., None, None] * full)
        found = spread + math.matmul(along[..., None], along[..., None], transpose_b=True)
        return cholesky(found) if self._as_factors else found

    def _stddev(self) -> Any:
        if self._as_factors:
            raise ValueError("Computing std. dev. when is cholesky_input_output_matrices=True does not make sense.")
        return elementwise.sqrt(self._variance())

    def _mode(self) -> Any:
        number = self.df - self._size - 1.0
        return self._times(array.where(number < 0.0, array.zeros_like(number) + np.nan, number))


class WishartCholesky(_Wishart):
    """Wishart's distribution with `df` degrees of freedom; `scale` is the Cholesky factor of its matrix."""

    def __init__(
        self,
        df: Any,
        scale: Any,
        cholesky_input_output_matrices: bool = False,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "WishartCholesky",
    ):
        given = dict(locals())
        super().__init__(df, scale, cholesky_input_output_matrices, validate_args, allow_nan_stats, name, given)


class WishartFull(_Wishart):
    """Wishart's distribution with `df` degrees of freedom about the matrix `scale`."""

    def __init__(
        self,
        df: Any,
        scale: Any,
        cholesky_input_output_matrices: bool = False,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "WishartFull",
    ):
        given = dict(locals())
        super().__init__(df, scale, cholesky_input_output_matrices, validate_args, allow_nan_stats, name, given)

    def _factor_of(self, scale: Any) -> Any:
        return cholesky(scale)
