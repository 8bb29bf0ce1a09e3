"""Adam on a CPU in one pass over memory, in place. XLA makes three loops of it, which read and write twice as much."""

import numpy as np

from thalweg._src.core import recipes
from thalweg._src.core.apply import is_checked, kernels_allowed
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.kernels import library
from thalweg._src.ops.updates.training import apply_adam

LEAST = 1 << 15  # elements below which XLA's loops take no longer


def _suits(variables, grad):
    """Whether the kernel is to update the variables. A step that may fail keeps the old values, which XLA does on the way."""
    arrays = [*variables, grad]
    return (
        kernels_allowed()
        and not is_checked()
        and all(recipes.is_replaced(v) for v in variables)
        and all(a.dtype == np.float32 and a.shape == grad.shape for a in arrays)
        and grad.size >= LEAST
        and library.available()
    )


def _by_kernel(op):
    def lowering(
        var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad, *, use_locking=False, use_nesterov=False
    ):
        numbers = beta1_power, beta2_power, lr, beta1, beta2, epsilon
        if not _suits([var, m, v], grad):
            return op.fn(var, m, v, *numbers, grad, use_locking=use_locking, use_nesterov=use_nesterov)
        rate = lr * jnp.sqrt(1 - beta2_power) / (1 - beta1_power)
        shape = jax.ShapeDtypeStruct(var.shape, np.float32)
        # What was made from the old value comes along, so that XLA has it made first and need not copy the variable.
        # What is as large as the variable itself would cost more than the copy.
        readers = [r for r in recipes.made_from(var) if isinstance(r, jax.core.Tracer) and r.size < var.size]
        call = jax.ffi.ffi_call("thalweg_adam", (shape,) * 3, input_output_aliases={0: 0, 1: 1, 2: 2})
        packed = jnp.stack([jnp.asarray(n, np.float32) for n in (rate, beta1, beta2, epsilon)])
        return call(var, m, v, grad, packed, *readers, nesterov=use_nesterov)

    return lowering


for _op in (apply_adam.ref, apply_adam.resource):
    _op.on("cpu")(_by_kernel(_op))
