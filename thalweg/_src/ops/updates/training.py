"""What optimizers do to a variable and its slots in one step, on all of it (Apply*) or on some of its rows (SparseApply*).

The formulas keep TensorFlow's order of operations, so that a training run follows the same numbers. adagrads.py has the rules that
keep sums of squares.
"""

from typing import Any

from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Ref
from thalweg._src.ops.updates.adagrads import apply_adadelta as apply_adadelta
from thalweg._src.ops.updates.adagrads import apply_adagrad as apply_adagrad
from thalweg._src.ops.updates.adagrads import apply_adagrad_da as apply_adagrad_da
from thalweg._src.ops.updates.adagrads import apply_adagrad_v2 as apply_adagrad_v2
from thalweg._src.ops.updates.adagrads import apply_ftrl as apply_ftrl
from thalweg._src.ops.updates.adagrads import apply_ftrl_v2 as apply_ftrl_v2
from thalweg._src.ops.updates.adagrads import apply_proximal_adagrad as apply_proximal_adagrad
from thalweg._src.ops.updates.adagrads import sparse_apply_adadelta as sparse_apply_adadelta
from thalweg._src.ops.updates.adagrads import sparse_apply_adagrad as sparse_apply_adagrad
from thalweg._src.ops.updates.adagrads import sparse_apply_adagrad_da as sparse_apply_adagrad_da
from thalweg._src.ops.updates.adagrads import sparse_apply_adagrad_v2 as sparse_apply_adagrad_v2
from thalweg._src.ops.updates.adagrads import sparse_apply_ftrl as sparse_apply_ftrl
from thalweg._src.ops.updates.adagrads import sparse_apply_ftrl_v2 as sparse_apply_ftrl_v2
from thalweg._src.ops.updates.adagrads import sparse_apply_proximal_adagrad as sparse_apply_proximal_adagrad
from thalweg._src.ops.updates.update_rules import T, Tindices, Var, on_rows, proximal, update

# -- gradient descent


@update("ApplyGradientDescent")
def apply_gradient_descent(var: Var, alpha: T, delta: T, *, use_locking: bool = False) -> Ref(T):
    """var -= alpha delta."""
    return var - delta * alpha


def _proximal_gradient_descent(var: Any, grad: Any, alpha: Any, l1: Any, l2: Any) -> Any:
    return proximal(var - grad * alpha, alpha, l1, l2)


@update("ApplyProximalGradientDescent")
def apply_proximal_gradient_descent(var: Var, alpha: T, l1: T, l2: T, delta: T, *, use_locking: bool = False) -> Ref(T):
    """var = prox(var - alpha delta)."""
    return _proximal_gradient_descent(var, delta, alpha, l1, l2)


@update("SparseApplyProximalGradientDescent")
def sparse_apply_proximal_gradient_descent(
    var: Var, alpha: T, l1: T, l2: T, grad: T, indices: Tindices, *, use_locking: bool = False
) -> Ref(T):
    """As ApplyProximalGradientDescent, on rows."""
    return on_rows([var], grad, indices, lambda v, g: _proximal_gradient_descent(v, g, alpha, l1, l2))


# -- momentum


def _momentum(var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, nesterov: bool) -> Any:
    accum = accum * momentum + grad
    if nesterov:
        return var - (grad * lr + accum * momentum * lr), accum
    return var - accum * lr, accum


@update("ApplyMomentum")
def apply_momentum(
    var: Var, accum: Var, lr: T, grad: T, momentum: T, *, use_locking: bool = False, use_nesterov: bool = False
) -> Ref(T):
    """accum = accum momentum + grad; var -= lr accum."""
    return _momentum(var, accum, lr, grad, momentum, use_nesterov)


@update("SparseApplyMomentum")
def sparse_apply_momentum(
    var: Var,
    accum: Var,
    lr: T,
    grad: T,
    indices: Tindices,
    momentum: T,
    *,
    use_locking: bool = False,
    use_nesterov: bool = False,
) -> Ref(T):
    """As ApplyMomentum, on rows."""
    return on_rows([var, accum], grad, indices, lambda v, a, g: _momentum(v, a, lr, g, momentum, use_nesterov))


def _keras_momentum(var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, nesterov: bool) -> Any:
    accum = accum * momentum - grad * lr
    if nesterov:
        return var + (accum * momentum - grad * lr), accum
    return var + accum, accum


@update("ApplyKerasMomentum", ref=False)
def apply_keras_momentum(
    var: Var, accum: Var, lr: T, grad: T, momentum: T, *, use_locking: bool = False, use_nesterov: bool = False
) -> Ref(T):
    """accum = accum momentum - lr grad; var += accum."""
    return _keras_momentum(var, accum, lr, grad, momentum, use_nesterov)


@update("SparseApplyKerasMomentum", ref=False)
def sparse_apply_keras_momentum(
    var: Var,
    accum: Var,
    lr: T,
    grad: T,
    indices: Tindices,
    momentum: T,
    *,
    use_locking: bool = False,
    use_nesterov: bool = False,
) -> Ref(T):
    """As ApplyKerasMomentum, on rows."""
    return on_rows([var, accum], grad, indices, lambda v, a, g: _keras_momentum(v, a, lr, g, momentum, use_nesterov))


# -- the Adam family


def _moments(m: Any, v: Any, beta1: Any, beta2: Any, grad: Any) -> tuple[Any, Any]:
    return m + (grad - m) * (1 - beta1), v + (grad * grad - v) * (1 - beta2)


@update("ApplyAdam")
def apply_adam(
    var: Var,
    m: Var,
    v: Var,
    beta1_power: T,
    beta2_power: T,
    lr: T,
    beta1: T,
    beta2: T,
    epsilon: T,
    grad: T,
    *,
    use_locking: bool = False,
    use_nesterov: bool = False,
) -> Ref(T):
    """var -= lr m / (sqrt(v) + epsilon), m and v being means of the gradient and its square, corrected for their
    start at 0.
    """
    rate = lr * jnp.sqrt(1 - beta2_power) / (1 - beta1_power)
    m, v = _moments(m, v, beta1, beta2, grad)
    if use_nesterov:
        return var - ((grad * (1 - beta1) + beta1 * m) * rate) / (jnp.sqrt(v) + epsilon), m, v
    return var - (m * rate) / (jnp.sqrt(v) + epsilon), m, v


@update("ApplyAdamWithAmsgrad", ref=False)
def apply_adam_with_amsgrad(
    var: Var,
    m: Var,
    v: Var,
    vhat: Var,
    beta1_power: T,
    beta2_power: T,
    lr: T,
    beta1: T,
    beta2: T,
    epsilon: T,
    grad: T,
    *,
    use_locking: bool = False,
) -> Ref(T):
    """As ApplyAdam, with the largest v so far below the fraction (Reddi et al. 2018)."""
    rate = lr * jnp.sqrt(1 - beta2_power) / (1 - beta1_power)
    m, v = _moments(m, v, beta1, beta2, grad)
    vhat = jnp.maximum(vhat, v)
    return var - (m * rate) / (jnp.sqrt(vhat) + epsilon), m, v, vhat


@update("ApplyAdaMax")
def apply_ada_max(
    var: Var,
    m: Var,
    v: Var,
    beta1_power: T,
    lr: T,
    beta1: T,
    beta2: T,
    epsilon: T,
    grad: T,
    *,
    use_locking: bool = False,
) -> Ref(T):
    """As ApplyAdam, with the largest gradient, which fades, below the fraction (Kingma and Ba 2014, section 7.1)."""
    m = m + (grad - m) * (1 - beta1)
    v = jnp.maximum(beta2 * v, jnp.abs(grad))
    return var - lr / (1 - beta1_power) * (m / (v + epsilon)), m, v


# -- RMSProp


def _rms_prop(var: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any) -> Any:
    ms = ms + (grad * grad - ms) * (1 - rho)
    mom = mom * momentum + (grad * lr) / jnp.sqrt(ms + epsilon)
    return var - mom, ms, mom


@update("ApplyRMSProp")
def apply_rms_prop(
    var: Var, ms: Var, mom: Var, lr: T, rho: T, momentum: T, epsilon: T, grad: T, *, use_locking: bool = False
) -> Ref(T):
    """mom = momentum mom + lr grad / sqrt(mean of grad^2 + epsilon); var -= mom."""
    return _rms_prop(var, ms, mom, lr, rho, momentum, epsilon, grad)


@update("SparseApplyRMSProp")
def sparse_apply_rms_prop(
    var: Var,
    ms: Var,
    mom: Var,
    lr: T,
    rho: T,
    momentum: T,
    epsilon: T,
    grad: T,
    indices: Tindices,
    *,
    use_locking: bool = False,
) -> Ref(T):
    """As ApplyRMSProp, on rows."""
    slots = [var, ms, mom]
    return on_rows(slots, grad, indices, lambda v, s, m, g: _rms_prop(v, s, m, lr, rho, momentum, epsilon, g))


def _centered_rms_prop(
    var: Any, mg: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any
) -> Any:
    ms = ms + (grad * grad - ms) * (1 - rho)
    mg = mg + (grad - mg) * (1 - rho)
    mom = mom * momentum + (grad * lr) / jnp.sqrt((ms - mg * mg) + epsilon)
    return var - mom, mg, ms, mom


@update("ApplyCenteredRMSProp")
def apply_centered_rms_prop(
    var: Var,
    mg: Var,
    ms: Var,
    mom: Var,
    lr: T,
    rho: T,
    momentum: T,
    epsilon: T,
    grad: T,
    *,
    use_locking: bool = False,
) -> Ref(T):
    """As ApplyRMSProp, with the variance of the gradient in the place of its mean square."""
    return _centered_rms_prop(var, mg, ms, mom, lr, rho, momentum, epsilon, grad)


@update("SparseApplyCenteredRMSProp")
def sparse_apply_centered_rms_prop(
    var: Var,
    mg: Var,
    ms: Var,
    mom: Var,
    lr: T,
    rho: T,
    momentum: T,
    epsilon: T,
    grad: T,
    indices: Tindices,
    *,
    use_locking: bool = False,
) -> Ref(T):
    """As ApplyCenteredRMSProp, on rows."""
    slots = [var, mg, ms, mom]
    return on_rows(
        slots, grad, indices, lambda v, c, s, m, g: _centered_rms_prop(v, c, s, m, lr, rho, momentum, epsilon, g)
    )


# -- sign updates (Bello et al. 2017)


def _signs(m: Any, beta: Any, grad: Any) -> tuple[Any, Any]:
    m = m * beta + grad * (1 - beta)
    return m, jnp.sign(grad) * jnp.sign(m)


@update("ApplyAddSign")
def apply_add_sign(
    var: Var, m: Var, lr: T, alpha: T, sign_decay: T, beta: T, grad: T, *, use_locking: bool = False
) -> Ref(T):
    """var -= lr (alpha + sign_decay sign(grad) sign(m)) grad."""
    m, signs = _signs(m, beta, grad)
    return var - lr * (alpha + sign_decay * signs) * grad, m


@update("ApplyPowerSign")
def apply_power_sign(
    var: Var, m: Var, lr: T, logbase: T, sign_decay: T, beta: T, grad: T, *, use_locking: bool = False
) -> Ref(T):
    """var -= lr exp(logbase sign_decay sign(grad) sign(m)) grad."""
    m, signs = _signs(m, beta, grad)
    return var - lr * jnp.exp(logbase * sign_decay * signs) * grad, m
