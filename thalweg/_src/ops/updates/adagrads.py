"""Rules that keep sums of squares for each number of a variable: the Adagrad family, Adadelta and FTRL."""

from typing import Any

from thalweg._src.core.dtypes import int64
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Ref
from thalweg._src.ops.updates.update_rules import T, Tindices, Var, on_rows, proximal, update

# -- the Adagrad family


def _adagrad(var: Any, accum: Any, lr: Any, grad: Any, update_slots: bool) -> Any:
    if update_slots:
        accum = accum + grad * grad
    return var - grad * lr * lax.rsqrt(accum), accum


@update("ApplyAdagrad")
def apply_adagrad(var: Var, accum: Var, lr: T, grad: T, *, use_locking: bool = False, update_slots: bool = True) -> Ref(
    T
):
    """accum += grad^2; var -= lr grad / sqrt(accum)."""
    return _adagrad(jnp.asarray(var), jnp.asarray(accum), lr, grad, update_slots)


@update("SparseApplyAdagrad")
def sparse_apply_adagrad(
    var: Var, accum: Var, lr: T, grad: T, indices: Tindices, *, use_locking: bool = False, update_slots: bool = True
) -> Ref(T):
    """As ApplyAdagrad, on rows."""
    return on_rows([var, accum], grad, indices, lambda v, a, g: _adagrad(v, a, lr, g, update_slots))


def _adagrad_with_epsilon(var: Any, accum: Any, lr: Any, epsilon: Any, grad: Any, update_slots: bool) -> Any:
    if update_slots:
        accum = accum + grad * grad
    return var - grad * lr / (jnp.sqrt(accum) + epsilon), accum


@update("ApplyAdagradV2")
def apply_adagrad_v2(
    var: Var, accum: Var, lr: T, epsilon: T, grad: T, *, use_locking: bool = False, update_slots: bool = True
) -> Ref(T):
    """accum += grad^2; var -= lr grad / (sqrt(accum) + epsilon)."""
    return _adagrad_with_epsilon(var, accum, lr, epsilon, grad, update_slots)


@update("SparseApplyAdagradV2")
def sparse_apply_adagrad_v2(
    var: Var,
    accum: Var,
    lr: T,
    epsilon: T,
    grad: T,
    indices: Tindices,
    *,
    use_locking: bool = False,
    update_slots: bool = True,
) -> Ref(T):
    """As ApplyAdagradV2, on rows."""
    return on_rows(
        [var, accum], grad, indices, lambda v, a, g: _adagrad_with_epsilon(v, a, lr, epsilon, g, update_slots)
    )


def _proximal_adagrad(var: Any, accum: Any, lr: Any, l1: Any, l2: Any, grad: Any) -> Any:
    accum = accum + grad * grad
    rate = lr * lax.rsqrt(accum)
    return proximal(var - grad * rate, rate, l1, l2), accum


@update("ApplyProximalAdagrad")
def apply_proximal_adagrad(var: Var, accum: Var, lr: T, l1: T, l2: T, grad: T, *, use_locking: bool = False) -> Ref(T):
    """accum += grad^2; var = prox(var - lr grad / sqrt(accum))."""
    return _proximal_adagrad(jnp.asarray(var), jnp.asarray(accum), lr, l1, l2, grad)


@update("SparseApplyProximalAdagrad")
def sparse_apply_proximal_adagrad(
    var: Var, accum: Var, lr: T, l1: T, l2: T, grad: T, indices: Tindices, *, use_locking: bool = False
) -> Ref(T):
    """As ApplyProximalAdagrad, on rows."""
    return on_rows([var, accum], grad, indices, lambda v, a, g: _proximal_adagrad(v, a, lr, l1, l2, g))


def _adagrad_da(var: Any, total: Any, squares: Any, grad: Any, lr: Any, l1: Any, l2: Any, step: Any) -> Any:
    total = total + grad
    squares = squares + grad * grad
    step = jnp.asarray(step).astype(total.dtype)
    bottom = l2 * (step * lr) + jnp.sqrt(squares)
    shrunk = jnp.sign(total) * jnp.maximum(jnp.abs(total) - step * l1, 0)
    return lr * -jnp.where(l1 > 0, shrunk, total) / bottom, total, squares


@update("ApplyAdagradDA")
def apply_adagrad_da(
    var: Var,
    gradient_accumulator: Var,
    gradient_squared_accumulator: Var,
    grad: T,
    lr: T,
    l1: T,
    l2: T,
    global_step: int64,
    *,
    use_locking: bool = False,
) -> Ref(T):
    """Dual averaging (Duchi et al. 2011): the variable follows from the sums of gradients and of their squares."""
    return _adagrad_da(var, gradient_accumulator, gradient_squared_accumulator, grad, lr, l1, l2, global_step)


@update("SparseApplyAdagradDA")
def sparse_apply_adagrad_da(
    var: Var,
    gradient_accumulator: Var,
    gradient_squared_accumulator: Var,
    grad: T,
    indices: Tindices,
    lr: T,
    l1: T,
    l2: T,
    global_step: int64,
    *,
    use_locking: bool = False,
) -> Ref(T):
    """As ApplyAdagradDA, on rows."""
    slots = [var, gradient_accumulator, gradient_squared_accumulator]
    return on_rows(slots, grad, indices, lambda v, a, s, g: _adagrad_da(v, a, s, g, lr, l1, l2, global_step))


def _adadelta(var: Any, accum: Any, updates: Any, lr: Any, rho: Any, epsilon: Any, grad: Any) -> Any:
    accum = accum * rho + grad * grad * (1 - rho)
    step = jnp.sqrt(updates + epsilon) * lax.rsqrt(accum + epsilon) * grad
    return var - step * lr, accum, updates * rho + step * step * (1 - rho)


@update("ApplyAdadelta")
def apply_adadelta(
    var: Var, accum: Var, accum_update: Var, lr: T, rho: T, epsilon: T, grad: T, *, use_locking: bool = False
) -> Ref(T):
    """var -= lr grad sqrt(mean of squared updates + epsilon) / sqrt(mean of squared gradients + epsilon)."""
    return _adadelta(jnp.asarray(var), jnp.asarray(accum), accum_update, lr, rho, epsilon, grad)


@update("SparseApplyAdadelta")
def sparse_apply_adadelta(
    var: Var,
    accum: Var,
    accum_update: Var,
    lr: T,
    rho: T,
    epsilon: T,
    grad: T,
    indices: Tindices,
    *,
    use_locking: bool = False,
) -> Ref(T):
    """As ApplyAdadelta, on rows."""
    slots = [var, accum, accum_update]
    return on_rows(slots, grad, indices, lambda v, a, u, g: _adadelta(v, a, u, lr, rho, epsilon, g))


# -- FTRL (McMahan et al. 2013, algorithm 1)


def _ftrl(var: Any, accum: Any, linear: Any, grad: Any, shrunk: Any, lr: Any, l1: Any, l2: Any, power: Any) -> Any:
    """`shrunk` is the gradient with the L2 shrinkage."""
    power = jnp.asarray(power)

    def root(a: Any) -> Any:
        return jnp.where(power == -0.5, jnp.sqrt(a), a**-power)

    new = accum + grad * grad
    linear = linear + (shrunk - (root(new) - root(jnp.asarray(accum))) / lr * var)
    top = l1 * jnp.sign(linear) - linear
    bottom = root(new) / lr + 2 * l2
    return jnp.where(jnp.abs(linear) > l1, top / bottom, 0), new, linear


@update("ApplyFtrl")
def apply_ftrl(
    var: Var, accum: Var, linear: Var, grad: T, lr: T, l1: T, l2: T, lr_power: T, *, use_locking: bool = False
) -> Ref(T):
    """Follow the regularized leader: many weights stay exactly 0 where l1 > 0."""
    return _ftrl(var, accum, linear, grad, grad, lr, l1, l2, lr_power)


@update("SparseApplyFtrl")
def sparse_apply_ftrl(
    var: Var,
    accum: Var,
    linear: Var,
    grad: T,
    indices: Tindices,
    lr: T,
    l1: T,
    l2: T,
    lr_power: T,
    *,
    use_locking: bool = False,
) -> Ref(T):
    """As ApplyFtrl, on rows."""
    return on_rows([var, accum, linear], grad, indices, lambda v, a, z, g: _ftrl(v, a, z, g, g, lr, l1, l2, lr_power))


@update("ApplyFtrlV2")
def apply_ftrl_v2(
    var: Var,
    accum: Var,
    linear: Var,
    grad: T,
    lr: T,
    l1: T,
    l2: T,
    l2_shrinkage: T,
    lr_power: T,
    *,
    use_locking: bool = False,
) -> Ref(T):
    """As ApplyFtrl, with the gradient of `l2_shrinkage` var^2 added to what the linear part takes."""
    return _ftrl(var, accum, linear, grad, grad + 2 * l2_shrinkage * var, lr, l1, l2, lr_power)


@update("SparseApplyFtrlV2")
def sparse_apply_ftrl_v2(
    var: Var,
    accum: Var,
    linear: Var,
    grad: T,
    indices: Tindices,
    lr: T,
    l1: T,
    l2: T,
    l2_shrinkage: T,
    lr_power: T,
    *,
    use_locking: bool = False,
) -> Ref(T):
    """As ApplyFtrlV2, on rows."""
    slots = [var, accum, linear]
    return on_rows(
        slots, grad, indices, lambda v, a, z, g: _ftrl(v, a, z, g, g + 2 * l2_shrinkage * v, lr, l1, l2, lr_power)
    )
