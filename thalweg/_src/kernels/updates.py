"""What steps do to variables on a CPU, in one pass over memory: optimizers with slots, and moving averages.

XLA makes a loop for each slot, which read and write twice as much, and compiles every one of them: two or three for a variable, hundreds
for a deep network. The kernels are compiled once for all.
"""

from typing import Any, NamedTuple

import numpy as np

from thalweg._src.core import recipes
from thalweg._src.core.apply import is_checked, kernels_allowed
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.kernels import library
from thalweg._src.ops.numeric.arithmetic import subtract
from thalweg._src.ops.stateful.state import assign_sub, assign_sub_variable
from thalweg._src.ops.updates.training import apply_adam, apply_momentum, apply_rms_prop

LEAST = 8  # elements below which it does not matter


def _suits(variables, grad):
    """Whether the kernel is to update the variables."""
    arrays = [*variables, grad]
    return (
        kernels_allowed()
        and all(recipes.is_replaced(v) for v in variables)
        and all(a.dtype == np.float32 and a.shape == grad.shape for a in arrays)
        and grad.size >= LEAST
        and library.available()
    )


def _updated(rule, variables, grad, numbers):
    """New values of a variable and its slots.

    They take the place of the old ones, but in a step that may fail, which leaves those where they are.
    """
    var = variables[0]
    in_place = not is_checked()
    # What was made from the old value comes along, so that XLA has it made first and need not copy the variable.
    # What is as large as the variable itself would cost more than the copy.
    readers = [r for r in recipes.made_from(var) if isinstance(r, jax.core.Tracer) and r.size < var.size]
    shapes = (jax.ShapeDtypeStruct(var.shape, np.float32),) * len(variables)
    aliases = {i: i for i in range(len(variables))} if in_place else None
    call = jax.ffi.ffi_call("thalweg_update", shapes, input_output_aliases=aliases)
    packed = jnp.stack([jnp.asarray(n, np.float32) for n in numbers])
    return call(*variables, grad, packed, *(readers if in_place else ()), rule=rule)


def _adam(op):
    def lowering(
        var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad, *, use_locking=False, use_nesterov=False
    ):
        if not _suits([var, m, v], grad):
            numbers = beta1_power, beta2_power, lr, beta1, beta2, epsilon
            return op.fn(var, m, v, *numbers, grad, use_locking=use_locking, use_nesterov=use_nesterov)
        rate = lr * jnp.sqrt(1 - beta2_power) / (1 - beta1_power)
        rule = "nadam" if use_nesterov else "adam"
        return _updated(rule, [var, m, v], grad, (rate, beta1, beta2, epsilon))

    return lowering


def _momentum(op):
    def lowering(var, accum, lr, grad, momentum, *, use_locking=False, use_nesterov=False):
        if not _suits([var, accum], grad):
            return op.fn(var, accum, lr, grad, momentum, use_locking=use_locking, use_nesterov=use_nesterov)
        return _updated("nesterov" if use_nesterov else "momentum", [var, accum], grad, (lr, momentum))

    return lowering


def _rms_prop(op):
    def lowering(var, ms, mom, lr, rho, momentum, epsilon, grad, *, use_locking=False):
        if not _suits([var, ms, mom], grad):
            return op.fn(var, ms, mom, lr, rho, momentum, epsilon, grad, use_locking=use_locking)
        return _updated("rmsprop", [var, ms, mom], grad, (lr, rho, momentum, epsilon))

    return lowering


for _op, _made in ((apply_adam, _adam), (apply_momentum, _momentum), (apply_rms_prop, _rms_prop)):
    for _kind in (_op.ref, _op.resource):
        _kind.on("cpu")(_made(_kind))


# -- moving averages: var -= (var - value) rest


class Distance(NamedTuple):
    """The recipe of (var - value) rest, for a variable that is replaced; without `rest` it is 1."""

    var: Any
    value: Any
    rest: Any = None


@subtract.on("cpu")
def _(x, y):
    difference = subtract.fn(x, y)
    if recipes.is_replaced(x) and _suits([x], y):
        return recipes.note(difference, Distance(x, y))
    return difference


def faded(value, rest):
    """`value`, the distance from a variable to what it is to be near to, times a scalar; None where it is not that."""
    recipe = recipes.of(value)
    if not isinstance(recipe, Distance) or recipe.rest is not None or rest.ndim or rest.dtype != np.float32:
        return None
    return recipes.note(value * rest, recipe._replace(rest=rest))


def _averaged(op):
    def lowering(var, delta, **more):
        recipe = recipes.of(delta)
        if not isinstance(recipe, Distance) or recipe.rest is None or recipe.var is not var:
            return op.fn(var, delta, **more)
        return _updated("average", [var], recipe.value, (recipe.rest,))[0]

    return lowering


for _op in (assign_sub, assign_sub_variable):
    _op.on("cpu")(_averaged(_op))
