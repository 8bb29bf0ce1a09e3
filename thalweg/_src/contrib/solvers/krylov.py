"""Conjugate gradients, for equations and for least squares, and Lanczos' bidiagonalisation."""

from __future__ import annotations

from typing import Any, NamedTuple

from thalweg._src.contrib.solvers.operators import LinearOperator, dot, l2norm, l2norm_squared, l2normalize
from thalweg._src.core import dtypes
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.late import array, math


class CGState(NamedTuple):
    """Where the iteration is: steps made, solution, residual, direction, squared length of the residual."""

    i: Any
    x: Any
    r: Any
    p: Any
    gamma: Any


class CGLSState(NamedTuple):
    """The same for least squares; `gamma` is that of the normal equations."""

    i: Any
    x: Any
    r: Any
    p: Any
    gamma: Any


class LanczosBidiagState(NamedTuple):
    """U [m, k + 1] and V [n, k] of orthonormal columns, the diagonal `alpha` and what is below it, `beta`: A V = U B."""

    u: Any
    v: Any
    alpha: Any
    beta: Any


def _squeezed(state: Any) -> Any:
    return state._replace(x=array.squeeze(state.x), r=array.squeeze(state.r), p=array.squeeze(state.p))


def _column(n: Any, dtype: Any) -> Any:
    return array.expand_dims(array.zeros(n, dtype=dtype), -1)


def conjugate_gradient(
    operator: LinearOperator,
    rhs: Any,
    preconditioner: LinearOperator | None = None,
    x: Any = None,
    tol: float = 1e-4,
    max_iter: int = 20,
    name: str = "conjugate_gradient",
) -> CGState:
    """x so that A x = `rhs`, A positive definite and symmetric: until |r| <= `tol` |r of the start|, at most `max_iter` steps."""

    def better(r: Any) -> Any:
        return r if preconditioner is None else preconditioner.apply(r)

    def step(old: CGState) -> tuple[CGState]:
        z = operator.apply(old.p)
        alpha = old.gamma / dot(old.p, z)
        r = old.r - alpha * z
        q = better(r)
        gamma = dot(r, q)
        return (CGState(old.i + 1, old.x + alpha * old.p, r, q + gamma / old.gamma * old.p, gamma),)

    with name_scope(name):
        rhs = array.expand_dims(rhs, -1)
        start = _column(operator.shape[1:], rhs.dtype.base_dtype) if x is None else array.expand_dims(x, -1)
        r0 = rhs if x is None else rhs - operator.apply(start)
        p0 = better(r0)
        least = tol * l2norm(r0)
        state = CGState(array.constant(0, dtype=dtypes.int32), start, r0, p0, dot(r0, p0))
        (state,) = _looped(lambda s: math.logical_and(s.i < max_iter, l2norm(s.r) > least), step, state)
        return _squeezed(state)


def _looped(goes_on: Any, step: Any, state: Any) -> Any:
    found = while_loop(goes_on, step, (state,))
    return found if isinstance(found, tuple) and not hasattr(found, "_fields") else (found,)


def cgls(operator: LinearOperator, rhs: Any, tol: float = 1e-6, max_iter: int = 20, name: str = "cgls") -> CGLSState:
    """x with the least |A x - `rhs`|, by conjugate gradients for A* A x = A* `rhs`."""

    def step(old: CGLSState) -> tuple[CGLSState]:
        q = operator.apply(old.p)
        alpha = old.gamma / l2norm_squared(q)
        r = old.r - alpha * q
        s = operator.apply_adjoint(r)
        gamma = l2norm_squared(s)
        return (CGLSState(old.i + 1, old.x + alpha * old.p, r, s + gamma / old.gamma * old.p, gamma),)

    with name_scope(name):
        rhs = array.expand_dims(rhs, -1)
        s0 = operator.apply_adjoint(rhs)
        gamma0 = l2norm_squared(s0)
        least = tol * tol * gamma0
        x0 = _column(operator.shape[1:], rhs.dtype.base_dtype)
        state = CGLSState(array.constant(0, dtype=dtypes.int32), x0, rhs, s0, gamma0)
        (state,) = _looped(lambda s: math.logical_and(s.i < max_iter, s.gamma > least), step, state)
        return _squeezed(state)


def lanczos_bidiag(
    operator: LinearOperator,
    k: int,
    orthogonalize: bool = True,
    starting_vector: Any = None,
    name: str = "lanczos_bidiag",
) -> LanczosBidiagState:
    """`k` steps of Golub's and Kahan's bidiagonalisation, from `starting_vector` or one drawn by chance.

    With `orthogonalize`, every new vector is made orthogonal to all before it, twice where much of it is lost.
    """

    def orthonormal(basis: list[Any], v: Any) -> tuple[Any, Any]:
        def once() -> tuple[Any, Any]:
            rest = v
            for b in basis:
                rest = rest - math.matmul(b, rest, adjoint_a=True) * b
            return l2normalize(rest)

        if not orthogonalize or not basis:
            return l2normalize(v)
        new, norm = once()
        return cond(norm < 0.7071 * l2norm(v), once, lambda: (new, norm))

    with name_scope(name):
        if starting_vector is None:
            starting_vector = random_uniform(operator.shape[:1], -1, 1, dtype=operator.dtype)
        u0, _ = l2normalize(starting_vector)
        us, vs, alphas, betas = [array.reshape(u0, [-1, 1])], [], [], []
        for i in range(k):
            r = operator.apply_adjoint(us[i])
            v, alpha = orthonormal(vs[: i - 1] if i else [], r - betas[i - 1] * vs[i - 1] if i else r)
            u, beta = orthonormal(us[:i], operator.apply(v) - alpha * us[i])
            us, vs, alphas, betas = [*us, u], [*vs, v], [*alphas, alpha], [*betas, beta]
        return LanczosBidiagState(array.concat(us, 1), array.concat(vs, 1), array.stack(alphas), array.stack(betas))
