"""Random numbers of a function of elements, drawn for many calls at once: one dispatch for dozens of small draws.

A stream's state after each call is kept too, so that whoever looks at it finds what single draws would have left.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thalweg._src.core import apply, infer
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.philox import Stream
from thalweg._src.runtime import cache
from thalweg._src.runtime.numpy_lowering import on_cpu

CALLS = 64  # drawn for at once
MOST = 1 << 14  # numbers
PROGRAMS = 256  # that are kept


class Draws:
    """The draws of one random operation. Not for several threads at once."""

    def __init__(self, op: Operation):
        self.op = op
        self.values: list[Any] = []
        self.outputs: list[np.ndarray] = []
        self.states: list[np.ndarray] = []
        self.at = CALLS
        self.kind = (op.opdef, infer.freeze({name: op._attrs[name] for _, name in op.opdef.lower_attrs}))
        self.fits = _fits(op)

    def next(self, state: Any, values: list[Any]) -> tuple[list[np.ndarray], np.ndarray] | None:
        """The outputs of the next call, whose stream is in `state`, and its state then. None where it is to be run by itself."""
        if not self.fits:
            return None
        if not self.waits_for(values) or state is not self.states[self.at]:
            if not self._draw(np.asarray(state), values):
                return None
        return self.taken()

    def waits_for(self, values: list[Any]) -> bool:
        """Whether there are numbers left that were drawn for these inputs."""
        return self.at < CALLS and _same(values, self.values)

    def taken(self) -> tuple[list[np.ndarray], np.ndarray]:
        """The outputs that were drawn next, and the state behind them."""
        at = self.at
        self.at = at + 1
        return [out[at, ...] for out in self.outputs], self.states[self.at]

    def _draw(self, state: np.ndarray, values: list[Any]) -> bool:
        statics = {i: v for i, (v, arg) in enumerate(zip(values, self.op.opdef.inputs, strict=True)) if arg.static}
        if math.prod(values[0].tolist()) * CALLS > MOST or any(v.dtype == object for v in values):
            return False
        shapes = tuple([(v.shape, v.dtype, v.tobytes() if i in statics else None) for i, v in enumerate(values)])
        key = (self.kind, shapes)
        if key not in _programs:
            if len(_programs) >= PROGRAMS:
                _programs.clear()
            cache.enable()
            _programs[key] = _program(self.op.opdef, self.op._attrs, statics)
        with on_cpu():
            outputs, states, ok = _programs[key](state, [v for i, v in enumerate(values) if i not in statics])
        if not bool(ok):
            self.at, self.fits = CALLS, False
            return False
        self.values, self.at = values, 0
        self.outputs = [np.asarray(out) for out in outputs]
        self.states = [state, *np.asarray(states)]
        return True


_programs: dict[Any, Any] = {}  # by op, attrs, and shapes of the inputs: iterators that begin anew find them


def _program(opdef: Any, attrs: dict[str, Any], statics: dict[int, Any]) -> Any:
    """(state, the inputs that are not static) -> the outputs of CALLS calls, the states after each, whether all went well."""

    def many(state: Any, given: list[Any]) -> Any:
        rest = iter(given)
        values = [statics[i] if i in statics else next(rest) for i in range(len(statics) + len(given))]

        def one(state: Any, _: None) -> Any:
            rng = Stream(state)
            with apply.collect_checks([]) as checks:
                result = apply.call(opdef, attrs, values, rng=rng)
            after = rng.finish()
            if any(isinstance(c, apply.Need) for c in checks):  # the numbers drawn tell how much room it takes
                checks = [jnp.bool_(False)]
            ok = jnp.all(jnp.stack([jnp.all(c) for c in checks])) if checks else jnp.bool_(True)
            return after, (apply.flat_outputs(opdef, result), after, ok)

        _, (outputs, states, ok) = jax.lax.scan(one, state, None, length=CALLS)
        return outputs, states, jnp.all(ok)

    return jax.jit(many)


def _fits(op: Operation) -> bool:
    """Whether the first input says how many numbers are drawn."""
    first = op.opdef.inputs[0]
    return op.opdef.simple and first.static and first.name == "shape"


def _same(values: list[Any], others: list[Any]) -> bool:
    return len(values) == len(others) and all(
        a is b or (a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
        for a, b in zip(values, others, strict=True)
    )
