"""Functions that lowerings call of JAX, on NumPy arrays: what NumPy has not, or has with other arguments.

NotImplemented, as a result, leaves a call to JAX.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

_FEW = 64  # systems of a batch that are solved one by one


def _dot_general(
    a: Any, b: Any, dimension_numbers: Any, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """The product over axes of two arrays that keep no axis both."""
    over, kept = dimension_numbers
    if any(kept):
        return NotImplemented
    wide = a.dtype if preferred_element_type is None else preferred_element_type
    if a.ndim == b.ndim == 2 and a.dtype == b.dtype == wide and len(over[0]) == 1:
        return np.dot(a if over[0][0] else a.T, b.T if over[1][0] else b)
    return np.tensordot(a.astype(wide, copy=False), b.astype(wide, copy=False), over)


def _matmul(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The products of matrices in two batches."""
    if preferred_element_type is not None:
        a, b = (x.astype(preferred_element_type, copy=False) for x in (a, b))
    return np.matmul(a, b)


def _sigmoid(x: Any) -> Any:
    if np.iscomplexobj(x):
        return 1 / (1 + np.exp(-x))
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def _cholesky(x: Any, *, symmetrize_input: bool = True) -> Any:
    """The lower triangular factor of what stands in lower triangles; no numbers where one is not positive definite."""
    if symmetrize_input:
        x = (x + np.conj(np.swapaxes(x, -1, -2))) / 2
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        return np.full_like(x, np.nan)


def _triangular_solve(
    a: Any,
    b: Any,
    *,
    left_side: bool = False,
    lower: bool = False,
    transpose_a: bool = False,
    conjugate_a: bool = False,
    unit_diagonal: bool = False,
) -> Any:
    """The x of a x = b for a few triangular matrices."""
    if not left_side or a.shape[:-2] != b.shape[:-2] or math.prod(a.shape[:-2]) > _FEW or conjugate_a > transpose_a:
        return NotImplemented
    from scipy.linalg import solve_triangular

    trans = ("C" if conjugate_a else "T") if transpose_a else "N"
    out = np.empty(b.shape, b.dtype)
    for at in np.ndindex(a.shape[:-2]):
        out[at] = solve_triangular(
            a[at], b[at], trans=trans, lower=lower, unit_diagonal=unit_diagonal, check_finite=False
        )
    return out


def _special(name: str) -> Callable[[Any], Any]:
    def call(x: Any) -> Any:
        from scipy import special

        return getattr(special, name)(x)

    return call


def _lgamma(x: Any) -> Any:
    from scipy.special import gammaln

    return np.where(np.isneginf(x), np.inf, gammaln(x)).astype(x.dtype)


# Of `lax`, `jax` and their parts, by name.
OF_LAX: dict[str, Callable[..., Any]] = {
    "dot_general": _dot_general,
    "optimization_barrier": lambda x: x,
    "stop_gradient": lambda x: x,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": _sigmoid,
    "cholesky": _cholesky,
    "triangular_solve": _triangular_solve,
    "erf": _special("erf"),
    "erfc": _special("erfc"),
    "lgamma": _lgamma,
    "digamma": _special("psi"),
}
# Of `jnp`.
OF_JNP: dict[str, Callable[..., Any]] = {"matmul": _matmul}
