"""Bijectors y = scale x + shift of vectors, where the scale is a matrix."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.bijectors.base import Bijector
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.linear_operators.base import LinearOperator
from thalweg._src.lib.linear_operators.products import LinearOperatorLowRankUpdate
from thalweg._src.lib.linear_operators.simple import (
    LinearOperatorDiag,
    LinearOperatorLowerTriangular,
)
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric import elementwise


class _Shifting(Bijector):
    """y = S x + shift. Subclasses say what S does, in `_stretched`, and how it is undone, in `_shrunk`."""

    _shift: Any = None
    _scale: Any = None

    @property
    def shift(self) -> Any:
        return self._shift

    @property
    def scale(self) -> Any:
        return self._scale

    def _stretched(self, x: Any) -> Any:
        raise NotImplementedError

    def _shrunk(self, x: Any) -> Any:
        raise NotImplementedError

    def _forward(self, x: Any) -> Any:
        y = self._stretched(x)
        return y if self.shift is None else y + self.shift

    def _inverse(self, y: Any) -> Any:
        return self._shrunk(y if self.shift is None else y - self.shift)


class AffineLinearOperator(_Shifting):
    """y = scale x + shift, `scale` a tf.linalg.LinearOperator. TypeError for another one, and for other types of numbers."""

    def __init__(
        self, shift: Any = None, scale: Any = None, validate_args: bool = False, name: str = "affine_linear_operator"
    ):
        with scopes.name_scope(f"{name}/init", values=[shift]):
            self._shift = None if shift is None else to_tensor(shift, name="shift")
        if scale is not None:
            if not isinstance(scale, LinearOperator):
                raise TypeError("scale is not an instance of tf.LinearOperator")
            if shift is not None and self._shift.dtype.base_dtype != scale.dtype.base_dtype:
                raise TypeError(f"shift.dtype({self._shift.dtype}) is incompatible with scale.dtype({scale.dtype}).")
            if validate_args and not scale.is_non_singular:
                raise ValueError("Scale matrix must be non-singular.")
        self._scale = scale
        kind = scale.dtype if scale is not None else self._shift.dtype if shift is not None else dtypes.float32
        super().__init__(None, True, validate_args, kind.base_dtype, 1, None, name)

    def _stretched(self, x: Any) -> Any:
        return x if self.scale is None else self.scale.matvec(x)

    def _shrunk(self, x: Any) -> Any:
        return x if self.scale is None else self.scale.solvevec(x)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return array.constant(0.0, x.dtype) if self.scale is None else self.scale.log_abs_determinant()


class Affine(_Shifting):
    """y = S x + shift, S = scale_identity_multiplier I + diag(scale_diag) + scale_tril + F diag(scale_perturb_diag) F^T.

    What is not given is left out, and S is I when nothing is; F, [..., k, r], is `scale_perturb_factor`.
    """

    def __init__(
        self,
        shift: Any = None,
        scale_identity_multiplier: Any = None,
        scale_diag: Any = None,
        scale_tril: Any = None,
        scale_perturb_factor: Any = None,
        scale_perturb_diag: Any = None,
        validate_args: bool = False,
        name: str = "affine",
        event_ndims: int = 1,
    ):
        if event_ndims != 1:
            raise ValueError("Affine maps vectors: event_ndims is 1; AffineScalar maps numbers")
        given = [scale_identity_multiplier, scale_diag, scale_tril, scale_perturb_factor, scale_perturb_diag]
        with scopes.name_scope(f"{name}/init", values=[shift, *given]):
            kind = next((to_tensor(v).dtype for v in (shift, *given) if v is not None), dtypes.float32)
            self._shift = None if shift is None else to_tensor(shift, kind, "shift")
            times, diag, tril, factor, middle = (None if v is None else to_tensor(v, kind) for v in given)
            if middle is not None and factor is None:
                raise ValueError("scale_perturb_diag needs a scale_perturb_factor")
            self._identity = times if diag is None and tril is None and factor is None else None
            self._scale = _operator(times, diag, tril, factor, middle)
        super().__init__(None, True, validate_args, kind.base_dtype, 1, None, name)

    @property
    def scale(self) -> Any:
        """The matrix as a LinearOperator; a tensor where it is a number times I; None where it is I."""
        return self._identity if self._scale is None else self._scale

    def _stretched(self, x: Any) -> Any:
        if self._scale is not None:
            return self._scale.matvec(x)
        return x if self._identity is None else x * self._identity[..., None]

    def _shrunk(self, x: Any) -> Any:
        if self._scale is not None:
            return self._scale.solvevec(x)
        return x if self._identity is None else x / self._identity[..., None]

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        if self._scale is not None:
            return self._scale.log_abs_determinant()
        if self._identity is None:
            return array.constant(0.0, x.dtype)
        size = math.cast(array.shape(x)[-1], x.dtype)
        return elementwise.log(elementwise.abs(self._identity)) * size


def _operator(times: Any, diag: Any, tril: Any, factor: Any, middle: Any) -> Any:
    """The sum as a LinearOperator, None where it is a multiple of I."""
    if diag is None and tril is None and factor is None:
        return None
    if tril is not None:
        lower = array.matrix_band_part(tril, -1, 0)
        along = array.matrix_diag_part(lower)
        if diag is not None:
            along = along + diag
        if times is not None:
            along = along + times[..., None]
        base: Any = LinearOperatorLowerTriangular(array.matrix_set_diag(lower, along), is_non_singular=True)
    else:
        if diag is None:
            diag = array.zeros_like(factor[..., 0])
            diag = diag + (1.0 if times is None else times[..., None])
        elif times is not None:
            diag = diag + times[..., None]
        base = LinearOperatorDiag(
            diag, is_non_singular=True, is_self_adjoint=True, is_positive_definite=factor is not None
        )
    if factor is None:
        return base
    plain = tril is None
    return LinearOperatorLowRankUpdate(
        base,
        factor,
        middle,
        is_diag_update_positive=middle is None,
        is_non_singular=True,
        is_self_adjoint=plain or None,
    )
