"""The derivative of a lowering by JAX: what SymbolicGradient computes, and what an op with a gradient beside it stores for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import apply
from thalweg._src.core.apply import Replan
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.opdef import OpDef

Pull = Callable[[Sequence[Any]], list[Any]]


def forward_and_pull(
    opdef: OpDef, attrs: dict[str, Any], values: Sequence[Any], run: Any
) -> tuple[list[Any], Any, Any, Pull]:
    """Run an op so that it can be pulled back: (outputs, variables it changed, whether its checks held, pull).

    `pull` takes the gradients of the outputs (None for zero) and gives those of the inputs; inputs that are not floating-point get
    zeros, a variable's handle the gradient of its value.
    """
    values = list(values)
    primal = {i: _primal(v, run) for i, v in enumerate(values)}
    floats = [i for i, v in primal.items() if v is not None and jnp.issubdtype(v.dtype, jnp.inexact)]

    def forward(*xs: Any) -> tuple[Any, Any]:
        full = list(values)
        state = dict(run.state) if run is not None else {}
        for i, x in zip(floats, xs, strict=True):
            if run is not None and run.is_reference(values[i]):
                state[values[i].key] = x
            else:
                full[i] = x
        child = run.child(state) if run is not None else None
        with apply.collect_checks([]) as checks:
            raw = apply.call(opdef, attrs, full, run=child, platform=getattr(run, "platform", None))
            outputs = [jnp.asarray(o) for o in apply.flat_outputs(opdef, raw)]
        ok = jnp.all(jnp.stack([jnp.asarray(c) for c in checks])) if checks else None
        changed = {k: child.state[k] for k in child.written} if child is not None else {}
        return outputs, (changed, ok)

    outputs, vjp, (changed, ok) = jax.vjp(forward, *[jnp.asarray(primal[i]) for i in floats], has_aux=True)

    def pull(grads: Sequence[Any]) -> list[Any]:
        seeds = [_seed(g, o) for g, o in zip(grads, outputs, strict=True)]
        out: list[Any] = [
            jnp.zeros((), jnp.float32) if primal[i] is None else jnp.zeros(primal[i].shape, primal[i].dtype)
            for i in range(len(values))
        ]
        try:
            pulled = vjp(seeds)
        except ValueError as error:
            if "while_loop" in str(error):  # no bound on its turns: only op by op is there a tape
                raise Replan(None, "a loop of unknown length is differentiated") from None
            raise
        for i, g in zip(floats, pulled, strict=True):
            out[i] = jnp.conj(g)  # TensorFlow's complex gradients are the conjugates of JAX's; real ones don't care
        return out

    return outputs, changed, ok, pull


def _primal(value: Any, run: Any) -> Any:
    if run is not None and run.is_reference(value):
        return run.state.get(value.key)
    return value if isinstance(value, np.ndarray | jax.Array) and value.dtype != object else None


def _seed(g: Any, output: Any) -> Any:
    if not jnp.issubdtype(output.dtype, jnp.inexact):
        return np.zeros(output.shape, jax.dtypes.float0)
    if g is None:
        return jnp.zeros(output.shape, output.dtype)
    return jnp.conj(jnp.asarray(g, output.dtype))
