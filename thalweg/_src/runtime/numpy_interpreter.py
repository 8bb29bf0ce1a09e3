"""The interpreter with lowerings on NumPy arrays: for graphs that are not worth a compilation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thalweg._src.compiler.interpret import Interpreter
from thalweg._src.core import apply, infer
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax
from thalweg._src.core.structured import Structured
from thalweg._src.runtime.drawing import Draws
from thalweg._src.runtime.eager_compiled import Compiled
from thalweg._src.runtime.numpy_lowering import lowering, on_cpu

MOST = 256  # executables of random operations
ONCE = 1 << 20  # random numbers that NumPy draws in less time than it takes to compile the operation


class NumPyInterpreter(Interpreter):
    """The interpreter, with lowerings on NumPy arrays; the bodies of branches and loops run in it.

    `ahead`: the same operations will draw random numbers again and again.
    """

    def __init__(self, *args: Any, ahead: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.draws: dict[Operation, Draws] | None = {} if ahead else None

    def _call(self, op: Operation, values: list[Any]) -> Any:
        o = op.opdef
        if o.wants_ctx or o.host is True:
            return super()._call(op, values)
        if not all(isinstance(v, np.ndarray) for v in values):  # in this order: host work needs no JAX
            if any(
                isinstance(v, jax.core.Tracer) for v in values
            ):  # a derivative traces the bodies that it goes through
                return super()._call(op, values)
            values = [np.asarray(v) if isinstance(v, jax.Array) else v for v in values]
        if o.wants_rng:
            if any(getattr(v, "dtype", None) == object for v in values):  # strings stay on the host
                return super()._call(op, values)
            return self._drawn(op, values)
        kwargs = {param: op._attrs[name] for param, name in o.lower_attrs}
        return lowering(o)(*(values if o.simple else apply.grouped(o, op._attrs, values)), **kwargs)

    def _run_bodies(self, op: Operation, values: list[Any], env: Any) -> None:
        structured = any(isinstance(v, Structured) for v in values)  # whose methods call JAX
        if (
            structured or op in self._differentiated or op.opdef.forward_of is not None
        ):  # JAX traces what is differentiated
            with on_cpu():
                super()._run_bodies(op, values, env)
        else:
            super()._run_bodies(op, values, env)

    def drawn(self, op: Operation, values: list[Any]) -> list[np.ndarray] | None:
        """The next random numbers of `op`, where they were drawn ahead for these inputs."""
        draws = self.draws.get(op) if self.draws else None
        if draws is None or not draws.waits_for(values):
            return None
        found, self.state["rng", op.name] = draws.taken()
        return found

    def _drawn(self, op: Operation, values: list[Any]) -> Any:
        """Random numbers. Drawing many takes JAX a second where it is not compiled, so it is, for each shape."""
        opdef = op.opdef
        if self.draws is not None:
            draws = self.draws.get(op) or self.draws.setdefault(op, Draws(op))
            found = draws.next(self._rng(op).state, values)
            if found is not None:
                arrays, after = found
                self.write(("rng", op.name), after)
                return arrays[0] if opdef.simple_out else arrays
        if self.once and opdef.numpy_only and math.prod(values[0].tolist()) <= ONCE:
            return super()._call(op, values)
        statics = {i: v for i, v in enumerate(values) if self._args(op)[i].static}
        key = (
            opdef,
            infer._freeze({name: op._attrs[name] for _, name in opdef.lower_attrs}),
            tuple([(v.shape, v.dtype, v.tobytes() if i in statics else None) for i, v in enumerate(values)]),
        )
        program = _programs.get(key)
        if program is None:
            if len(_programs) >= MOST:
                _programs.clear()
            program = _programs[key] = Compiled(opdef, op._attrs, len(values), statics, "cpu", random=True)
        with on_cpu():
            out, state = program(np.asarray(self._rng(op).state), values)
        self.write(("rng", op.name), np.asarray(state))
        arrays = [np.asarray(v) for v in out]
        return arrays[0] if len(arrays) == 1 and opdef.simple_out else arrays


_programs: dict[Any, Compiled] = {}
