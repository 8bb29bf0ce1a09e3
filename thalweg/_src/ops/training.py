"""What optimizers do to a variable and its slots in one step, on all of it (Apply*) or on some of its rows
(SparseApply*).

Each block declares two ops of one formula: `ApplyX` for reference variables and `ResourceApplyX` for resource
variables. The formulas keep TensorFlow's order of operations, so that a training run follows the same numbers.
Where TensorFlow's sparse kernels take rows one after the other, these sum the gradients of a row that is named
twice before they use them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.apply import check, xp
from thalweg._src.core.dtypes import NUMBERS, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Handle, OpDef, Ref, op, type_attr
from thalweg._src.ops.handles import dims_of_handle

T = type_attr("T", NUMBERS)
Tindices = type_attr("Tindices", (int32, int64))
Var = Ref(T)  # in the resource forms: Handle(T)


class Update:
    """An update rule in its two forms. Calling it takes the one that fits the variable, and gives the operation."""

    def __init__(self, ref: OpDef | None, resource: OpDef):
        self.ref, self.resource = ref, resource

    def __call__(self, var: Any, *args: Any, **attrs: Any) -> Any:
        """`var` and slots are variables; what else is a number or tensor becomes one of the variable's type."""
        handle = getattr(var, "handle", None)
        if handle is None:
            assert self.ref is not None, "this rule is for resource variables alone"
            return self.ref(var, *args, **attrs).op
        values = zip(self.resource.inputs, (var, *args), strict=True)
        return self.resource(*[a.handle if arg.handle else a for arg, a in values], **attrs)


def _on_handles(fn: Any) -> Any:
    """`fn` with handles in the place of references, for the resource form."""
    import types

    copy = types.FunctionType(fn.__code__, fn.__globals__, "resource_" + fn.__name__, fn.__defaults__, fn.__closure__)
    copy.__kwdefaults__, copy.__doc__, copy.__module__ = fn.__kwdefaults__, fn.__doc__, fn.__module__
    copy.__annotations__ = {k: Handle(T) if v is Var else v for k, v in fn.__annotations__.items() if k != "return"}
    return copy


def update(name: str, *, ref: bool = True) -> Callable[[Any], Update]:
    """Declare the rule `name` in both forms. Its lowering gives the new values of the variables, in order."""

    def declare(fn: Any) -> Update:
        resource = op("Resource" + name, effect="write")(_on_handles(fn))
        resource.fn = _at_least_float32(resource.fn)
        resource.shape_rule(_check_resource)
        resource.not_differentiable()
        if not ref:
            return Update(None, resource)
        plain = op(name, effect="write", stateful=False)(fn)
        plain.fn = _at_least_float32(fn)
        plain.shape_rule(_check_ref)
        plain.not_differentiable()
        return Update(plain, resource)

    return declare


def _at_least_float32(fn: Any) -> Any:
    """`fn`, computed in float32 where it is given float16 or bfloat16. What becomes of an update would otherwise
    depend on which intermediate results the compiler rounds.
    """

    def lowering(*args: Any, **attrs: Any) -> Any:
        if not any(a.dtype.itemsize == 2 and a.dtype.kind in "fV" for a in args):
            return fn(*args, **attrs)
        return fn(*[a if a.dtype.kind in "iu" else a.astype(np.float32) for a in args], **attrs)

    return lowering


def _check_ref(op):
    return [_checked(op, lambda t: t.dims)]


def _check_resource(op):
    _checked(op, dims_of_handle)


def _checked(op: Any, dims_of: Callable[[Tensor], Any]) -> Any:
    """Variable and slots have one shape, and so has a dense gradient; the numbers are scalars."""
    dims: Any = None
    sparse = any(a.name == "indices" for a in op.opdef.inputs)
    for arg, t in zip(op.opdef.inputs, op.inputs, strict=True):
        if arg.ref or arg.handle:
            own = dims_of(t)
        elif arg.name in ("grad", "delta"):
            if sparse:
                _check_rows(op, t, dims)
                continue
            own = t.dims
        elif arg.name == "indices":
            if t.dims is not None and len(t.dims) != 1:
                raise ValueError(f"Shape must be rank 1 but is rank {len(t.dims)}")
            continue
        else:
            if t.dims:
                raise ValueError(f"Shape must be rank 0 but is rank {len(t.dims)}")
            continue
        merged = shapes.merge(dims, own)
        if merged is False:
            raise ValueError(f"Shapes must be equal, but are {shapes.text(dims)} and {shapes.text(own)}")
        dims = merged
    return dims


def _check_rows(op: Any, grad: Tensor, dims: Any) -> None:
    indices = next(t for a, t in zip(op.opdef.inputs, op.inputs, strict=True) if a.name == "indices")
    count = indices.dims[0] if indices.dims else None
    if dims is not None and shapes.merge((count, *dims[1:]), grad.dims) is False:
        raise ValueError(
            f"Shapes must be equal, but the gradient of {shapes.text(dims)} has {shapes.text(grad.dims)} "
            f"for {count} indices"
        )


def on_rows(variables: Sequence[Any], grad: Any, indices: Any, formula: Callable[..., Any]) -> Any:
    """`formula(rows of each variable, gradient)` applied to the rows at `indices`, each of them once."""
    rows = variables[0].shape[0]
    if xp(*variables, grad, indices) is np:
        return _on_numpy_rows(variables, grad, indices, formula)
    indices = jnp.asarray(indices)
    check(
        jnp.all((indices >= 0) & (indices < rows)),
        lambda: f"indices are out of range: {indices}, there are {rows} rows",
    )
    at, summed = sum_duplicates(indices, jnp.asarray(grad), rows)
    old = [jnp.asarray(v).at[at].get(mode="clip") for v in variables]
    new = formula(*old, summed)
    new = new if isinstance(new, tuple) else (new,)
    out = tuple([jnp.asarray(v).at[at].set(n, mode="drop") for v, n in zip(variables, new, strict=True)])
    return out if len(out) > 1 else out[0]


def _on_numpy_rows(variables: Sequence[Any], grad: Any, indices: Any, formula: Callable[..., Any]) -> Any:
    """`on_rows` on NumPy arrays. The formula sees round numbers of rows, since JAX compiles it for each."""
    rows = variables[0].shape[0]
    check(
        np.all((indices >= 0) & (indices < rows)),
        lambda: f"indices are out of range: {indices}, there are {rows} rows",
    )
    at, place = np.unique(indices, return_inverse=True)
    n = len(at)
    if n == 0:
        out = tuple(variables)
        return out if len(out) > 1 else out[0]
    room = 1 << (n - 1).bit_length()
    padded = np.concatenate([at, np.full(room - n, at[0], at.dtype)])
    summed = np.zeros((room, *grad.shape[1:]), grad.dtype)
    np.add.at(summed, place.reshape(-1), grad)
    new = formula(*[jnp.asarray(np.asarray(v)[padded]) for v in variables], jnp.asarray(summed))
    changed = []
    for v, values in zip(variables, new if isinstance(new, tuple) else (new,), strict=True):
        changed.append(np.array(v))
        changed[-1][at] = np.asarray(values)[:n]
    return tuple(changed) if len(changed) > 1 else changed[0]


def sum_duplicates(indices: Any, grad: Any, rows: int) -> tuple[Any, Any]:
    """Each index once and the sum of its gradients; the places left over hold the index `rows`, which is out of
    range.
    """
    n = indices.shape[0]
    if n <= 1:
        return indices, grad
    order = jnp.argsort(indices, stable=True)
    ordered = indices[order]
    first = jnp.concatenate([jnp.ones((1,), bool), ordered[1:] != ordered[:-1]])
    place = jnp.cumsum(first) - 1
    at = jnp.full((n,), rows, indices.dtype).at[place].set(ordered)
    summed = jnp.zeros_like(grad).at[place].add(grad[order])
    return at, summed


# -- gradient descent


@update("ApplyGradientDescent")
def apply_gradient_descent(var: Var, alpha: T, delta: T, *, use_locking: bool = False) -> Ref(T):
    """var -= alpha delta."""
    return var - delta * alpha


def _proximal(v: Any, rate: Any, l1: Any, l2: Any) -> Any:
    """A step back towards zero: sign(v) max(|v| - rate l1, 0) / (1 + l2 rate), as FOBOS does it."""
    shrunk = jnp.sign(v) * jnp.maximum(jnp.abs(v) - rate * l1, 0)
    return jnp.where(l1 > 0, shrunk, v) / (1 + l2 * rate)


def _proximal_gradient_descent(var: Any, grad: Any, alpha: Any, l1: Any, l2: Any) -> Any:
    return _proximal(var - grad * alpha, alpha, l1, l2)


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
    return _proximal(var - grad * rate, rate, l1, l2), accum


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
