"""Loops over arrays of ever new lengths, compiled for lengths that are rounded up.

Where a cluster runs on NumPy arrays because its shapes keep changing, a recurrent loop in it would still be traced and compiled for
each number of turns. Here it is compiled for a rounded one (`ops/control/rounding.py`), and told with each call how many turns count
(`core/scan/limits.py`). What can't be counted, changes variables, draws random numbers, or has work for the host is left to the
ordinary way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.compiler import haste
from thalweg._src.compiler.bodies import inner_ops
from thalweg._src.compiler.interpret import Interpreter, RefValue
from thalweg._src.core import apply, errors
from thalweg._src.core.differentiate import Pull, forward_and_pull
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax
from thalweg._src.runtime.numpy_lowering import on_cpu

MOST = 64  # programs of one loop


class RoundedLoop:
    """One operation While of a cluster, and its programs by what is built into them."""

    def __init__(self, op: Operation, *, kernels: bool):
        self.op, self.kernels = op, kernels
        self.programs: dict[Any, _Program] = {}
        inner = inner_ops(op)
        self.refused = not all(map(_is_pure, inner))
        self.calls = 0  # operations on NumPy arrays that the last run took as long as, about
        self._turn = len(inner) / 2

    def run(self, values: Sequence[Any], read: Any, *, taped: bool) -> tuple[list[Any], Any] | None:
        """The loop variables after the last turn, and what pulls gradients back if it is `taped`.

        None where the loop can't be run so; nothing has been done then. `read` gives the value of a variable that is referred to.
        """
        if self.refused:
            return None
        references = {i: v for i, v in enumerate(values) if isinstance(v, RefValue)}
        found = self.op.opdef.rounding(self.op._attrs, values, references)
        if found is None:
            return None
        program = self.programs.get((taped, found.key))
        if program is None:
            while len(self.programs) >= MOST:
                del self.programs[next(iter(self.programs))]
            program = _Program(self.op, {**found.built_in, **references}, found.room, taped, self.kernels)
            self.programs[taped, found.key] = program
        hints = {op: set(op.__dict__.get("hints", ())) for op in inner_ops(self.op)}
        try:
            given = [read(references[i]) if i in references else v for i, v in enumerate(found.given)]
            outputs, vjp = program(given, found.count)
        except (apply.Replan, errors.OpError, TypeError, ValueError):  # what can't be traced
            for op, known in hints.items():
                op.__dict__["hints"] = known
            self.refused = True
            return None
        self.calls = int(found.count * self._turn)
        if outputs is None:  # the ordinary way finds what is wrong
            return None

        def pull(grads: Sequence[Any]) -> list[Any]:
            return found.gradients(program.pulled(vjp, found.seeds(grads)))

        return found.outputs(outputs), pull if taped else None


class _Program:
    """The loop compiled for up to `room` turns, forwards and, by `pull`, backwards."""

    def __init__(self, op: Operation, built_in: dict[int, Any], room: int, taped: bool, kernels: bool):
        self.op, self.built_in, self.room, self.taped, self.kernels = op, built_in, room, taped, kernels
        self.pull: Any = None
        options = haste.light_options()  # the work is in products and kernels
        self.forward = jax.jit(self._forward, compiler_options=options)
        self.backward = jax.jit(self._backward, compiler_options=options)

    def _forward(self, given: Sequence[Any], count: Any) -> Any:
        values, state = [], {}
        for i, v in enumerate(given):
            own = self.built_in.get(i)
            if isinstance(own, RefValue):
                state[own.key] = v
            values.append(v if own is None else own)
        run = Interpreter(state, platform="cpu", traced=True)
        run.current, run.taped = self.op, True
        with apply.limits({f"loop {self.op.name}": (self.room, count)}), apply.kernels(self.kernels):
            if self.taped:
                outputs, _, notes, self.pull = forward_and_pull(self.op.opdef, self.op._attrs, values, run)
                # Only shapes are asked of what is kept beside the residuals.
                self.pull.outputs = jax.tree.map(lambda v: jax.ShapeDtypeStruct(v.shape, v.dtype), self.pull.outputs)
                vjp = self.pull.vjp
            else:
                with apply.collect_checks([]) as checks:
                    outputs = apply.flat_outputs(
                        self.op.opdef, apply.call(self.op.opdef, self.op._attrs, values, run=run)
                    )
                notes, vjp = apply.summary(checks), ()
        shown = [() if isinstance(o, RefValue) else o for o in outputs]
        return shown, notes, vjp

    def _backward(self, vjp: Any, grads: Sequence[Any]) -> Any:
        with apply.kernels(self.kernels):
            return Pull(self.pull.inputs, self.pull.outputs, self.pull.passed, vjp)(grads)

    def pulled(self, vjp: Any, grads: Sequence[Any]) -> list[Any]:
        """The gradients of the inputs by those of the outputs."""
        with on_cpu():
            return self.backward(vjp, grads)

    def __call__(self, given: Sequence[Any], count: int) -> tuple[list[Any] | None, Any]:
        with on_cpu():
            outputs, (ok, needs), vjp = self.forward(given, np.int32(count))
        if not bool(ok) or any(map(int, needs.values())):
            return None, None
        return outputs, vjp


def _is_pure(op: Operation) -> bool:
    opdef = op.opdef
    return not opdef.runs_on_host(op) and not opdef.wants_rng and not opdef.wants_ctx and opdef.effect in (None, "read")
