"""The derivative of a lowering by JAX: what SymbolicGradient computes, and what an op with a gradient beside it stores for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import apply
from thalweg._src.core.apply import Replan
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.opdef import OpDef
from thalweg._src.core.structured import Structured


def forward_and_pull(
    opdef: OpDef, attrs: dict[str, Any], values: Sequence[Any], run: Any
) -> tuple[list[Any], Any, Any, Pull]:
    """Run an op so that it can be pulled back: (outputs, variables it changed, what it checked and needed, pull).

    `pull` takes the gradients of the outputs (None for zero) and gives those of the inputs; inputs that are not floating-point get
    zeros, a variable's handle the gradient of its value, a structured value a structured gradient.
    """
    values = [v.in_loop() if isinstance(v, Structured) and run is not None and run.traced else v for v in values]
    inputs = [_Input(v, run) for v in values]
    passed: dict[int, Any] = {}  # references that a loop hands on

    def forward(*xs: Any) -> tuple[Any, Any]:
        given = iter(xs)
        state = dict(run.state) if run is not None else {}
        full = [i.full(given, state) for i in inputs]
        child = run.child(state) if run is not None else None
        if child is not None:
            child.current, child.taped = run.current, True
        with apply.collect_checks([]) as checks:
            raw = apply.call(opdef, attrs, full, run=child, platform=getattr(run, "platform", None))
            outputs = []
            for i, o in enumerate(apply.flat_outputs(opdef, raw)):
                if run is not None and run.is_reference(o):
                    passed[i] = o
                    o = jnp.zeros((), jnp.float32)
                outputs.append(o if isinstance(o, Structured) else jnp.asarray(o))
        changed = {k: child.state[k] for k in child.written} if child is not None else {}
        return outputs, (changed, apply.summary(checks))

    primals = [x for i in inputs for x in i.floats]
    outputs, vjp, (changed, notes) = jax.vjp(forward, *primals, has_aux=True)

    return [passed.get(i, o) for i, o in enumerate(outputs)], changed, notes, Pull(inputs, outputs, passed, vjp)


class Pull:
    """Takes the gradients of an op's outputs (None for zero) to those of its inputs.

    Of `inputs` and `outputs` only shapes and types are asked; `passed` are references that the op hands on.
    """

    def __init__(self, inputs: Sequence[_Input], outputs: Sequence[Any], passed: dict[int, Any], vjp: Any):
        self.inputs, self.outputs, self.passed, self.vjp = inputs, outputs, passed, vjp

    def __call__(self, grads: Sequence[Any]) -> list[Any]:
        seeds = [_seed(None if i in self.passed else g, self.outputs[i]) for i, g in enumerate(grads)]
        try:
            pulled = self.vjp(seeds)
        except ValueError as error:
            if "while_loop" in str(error):  # no bound on its turns: only op by op is there a tape
                raise Replan(None, "a loop of unknown length is differentiated") from None
            raise
        # TensorFlow's complex gradients are the conjugates of JAX's; real ones don't care.
        found = iter([jnp.conj(g) for g in pulled])
        own = [i.gradient(found) for i in self.inputs]
        for i, reference in self.passed.items():  # what is handed on hands its gradient back
            for at, taken in enumerate(self.inputs):
                if taken.floats and taken.key == reference.key and getattr(grads[i], "shape", None) == own[at].shape:
                    own[at] = own[at] + grads[i]
                    break
        return own


class _Input:
    """One input of the op: its floating-point arrays, and how it comes together again."""

    def __init__(self, value: Any, run: Any):
        self.value = value
        self.key = value.key if run is not None and run.is_reference(value) else None
        if self.key is not None:
            held = run.state.get(self.key)
            leaves = [] if held is None else [held]
        elif isinstance(value, Structured):
            leaves = jax.tree.leaves(value)
        else:
            leaves = [value] if isinstance(value, np.ndarray | jax.Array) and value.dtype != object else []
        self.leaves = leaves
        self.is_float = [bool(jnp.issubdtype(x.dtype, jnp.inexact)) for x in leaves]
        self.floats = [jnp.asarray(x) for x, f in zip(leaves, self.is_float, strict=True) if f]

    def full(self, given: Any, state: dict[Any, Any]) -> Any:
        """The value with its floating-point arrays taken from `given`; a reference puts its own into `state`."""
        leaves = [next(given) if f else x for x, f in zip(self.leaves, self.is_float, strict=True)]
        if self.key is not None:
            if leaves:
                state[self.key] = leaves[0]
            return self.value
        if isinstance(self.value, Structured):
            return jax.tree.unflatten(jax.tree.structure(self.value), leaves)
        return leaves[0] if any(self.is_float) else self.value

    def gradient(self, found: Any) -> Any:
        own = [
            next(found) if f else jnp.zeros(x.shape, x.dtype) for x, f in zip(self.leaves, self.is_float, strict=True)
        ]
        if isinstance(self.value, Structured):
            return self.value.as_gradient(own) if any(self.is_float) else jnp.zeros((), jnp.float32)
        return own[0] if own else jnp.zeros((), jnp.float32)


def _seed(g: Any, output: Any) -> Any:
    if isinstance(output, Structured):
        leaves, tree = jax.tree.flatten(output)
        return jax.tree.unflatten(tree, [_seed(s, x) for s, x in zip(output.seed(g), leaves, strict=True)])
    if not jnp.issubdtype(output.dtype, jnp.inexact):
        return np.zeros(output.shape, jax.dtypes.float0)
    if g is None:
        return jnp.zeros(output.shape, output.dtype)
    return jnp.conj(jnp.asarray(g, output.dtype))
