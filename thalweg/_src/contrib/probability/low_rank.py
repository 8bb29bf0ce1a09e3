"""Normal distributions of vectors whose scale is a diagonal and a matrix of low rank; seeds made from one seed."""

from __future__ import annotations

import hashlib
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.distributions.vectors import MultivariateNormalTriL
from thalweg._src.ops import array, math
from thalweg._src.ops.late import linear_systems
from thalweg._src.ops.linear.linalg import cholesky
from thalweg._src.ops.numeric import elementwise


class MultivariateNormalDiagPlusLowRank(MultivariateNormalTriL):
    """loc + S z with S = diag(scale_diag + scale_identity_multiplier) + F diag(scale_perturb_diag) F^T, F the
    `scale_perturb_factor` [..., k, r].
    """

    def __init__(
        self,
        loc: Any = None,
        scale_diag: Any = None,
        scale_identity_multiplier: Any = None,
        scale_perturb_factor: Any = None,
        scale_perturb_diag: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalDiagPlusLowRank",
    ):
        parameters = dict(locals())
        with scopes.name_scope(name, values=[loc, scale_diag, scale_perturb_factor]) as scope:
            if scale_perturb_factor is None:
                raise ValueError("MultivariateNormalDiagPlusLowRank: scale_perturb_factor is missing")
            factor = to_tensor(scale_perturb_factor, name="scale_perturb_factor")
            diag = array.zeros_like(factor[..., 0])
            if scale_diag is not None:
                diag = diag + to_tensor(scale_diag, factor.dtype)
            if scale_identity_multiplier is not None:
                diag = diag + array.expand_dims(to_tensor(scale_identity_multiplier, factor.dtype), -1)
            if scale_diag is None and scale_identity_multiplier is None:
                diag = array.ones_like(diag)
            middle = factor
            if scale_perturb_diag is not None:
                middle = factor * array.expand_dims(to_tensor(scale_perturb_diag, factor.dtype), -2)
            self._scale = array.matrix_diag(diag) + math.matmul(middle, factor, transpose_b=True)
            self._start(loc, diag, parameters, validate_args, allow_nan_stats, scope)

    @property
    def _scale_tril(self) -> Any:
        return cholesky(self._covariance())

    def _times(self, z: Any) -> Any:
        return math.reduce_sum(self._scale * z[..., None, :], -1)

    def _solved(self, x: Any) -> Any:
        scale = self._scale + array.zeros_like(x)[..., None]
        return linear_systems.matrix_solve(scale, x[..., None])[..., 0]

    def _log_det(self) -> Any:
        return elementwise.log(elementwise.abs(linear_systems.matrix_determinant(self._scale)))

    def _covariance(self) -> Any:
        return math.matmul(self._scale, self._scale, transpose_b=True)

    def _variance(self) -> Any:
        return math.reduce_sum(elementwise.square(self._scale), -1) + array.zeros_like(self._shaping)


class SeedStream:
    """Seeds made from one: each call gives another, and streams of other words give others. None stays None."""

    def __init__(self, seed: int | SeedStream | None, salt: str):
        self._seed = seed.original_seed if isinstance(seed, SeedStream) else seed
        self._salt, self._count = salt, 0

    def __call__(self) -> int | None:
        self._count += 1
        if self._seed is None:
            return None
        return int(hashlib.sha512(str((self._seed, self._count, self._salt)).encode("utf-8")).hexdigest(), 16)

    @property
    def original_seed(self) -> int | None:
        return self._seed

    @property
    def salt(self) -> str:
        return self._salt
