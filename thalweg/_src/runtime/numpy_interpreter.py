"""The interpreter with lowerings on NumPy arrays: for graphs that are not worth a compilation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thalweg._src.compiler import uncompiled
from thalweg._src.compiler.interpret import Interpreter
from thalweg._src.core import apply, infer
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax
from thalweg._src.core.structured import Structured
from thalweg._src.runtime.drawing import Draws
from thalweg._src.runtime.eager_compiled import Compiled
from thalweg._src.runtime.numpy_lowering import dispatched, lowering, on_cpu
from thalweg._src.runtime.recalled import Recalled
from thalweg._src.runtime.rounded_loops import RoundedLoop

MOST = 256  # executables of random operations
ONCE = 1 << 20  # random numbers that NumPy draws in less time than it takes to compile the operation


class NumPyInterpreter(Interpreter):
    """The interpreter, with lowerings on NumPy arrays; the bodies of branches and loops run in it.

    `ahead`: the same operations will draw random numbers again and again.
    """

    def __init__(self, *args: Any, ahead: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.draws: dict[Operation, Draws] | None = {} if ahead else None
        self.loops: dict[Operation, RoundedLoop] | None = None  # those of a cluster whose shapes keep changing
        self.recalled: Recalled | None = None  # of such a cluster
        self.kernels = True
        self.spent = 0.0  # by the prices of `uncompiled`
        self.most = math.inf  # that may be
        self.traces = False  # whether a loop had to be traced for its shapes

    def _folded(self, op: Operation, values: list[Any]) -> list[np.ndarray]:
        if self.recalled is None:
            return super()._folded(op, values)
        return self.recalled.outputs(op, values, lambda: self._evaluated(op, values))

    def _evaluated(self, op: Operation, values: list[Any]) -> list[np.ndarray]:
        result = apply.flat_outputs(op.opdef, self._called(op, values))
        return [infer.as_declared(v, t.dtype) for v, t in zip(result, op.outputs, strict=True)]

    def _call(self, op: Operation, values: list[Any]) -> Any:
        before = dispatched()
        result = self._called(op, values)
        calls = dispatched() - before
        uncompiled.called(op.type, calls)
        price = uncompiled.DRAWN if op.opdef.wants_rng else uncompiled.NUMBER
        self.pay(uncompiled.CALLED + price * _size(result) + uncompiled.DISPATCHED * calls)
        return result

    def pay(self, price: float) -> None:
        """Something has cost that much. Raises Costly where that is too much."""
        self.spent += price
        if self.spent > self.most:
            raise uncompiled.Costly

    def _called(self, op: Operation, values: list[Any]) -> Any:
        o = op.opdef
        if o.wants_ctx or o.host is True:
            return super()._call(op, values)
        if not all(isinstance(v, np.ndarray) for v in values):  # in this order: host work needs no JAX
            # A derivative traces the bodies that it goes through.
            if any(isinstance(v, jax.core.Tracer) for v in values):
                return super()._call(op, values)
            if self.most < math.inf and any(isinstance(v, Structured) for v in values):  # whose methods call JAX
                raise uncompiled.Costly
            values = [np.asarray(v) if isinstance(v, jax.Array) else v for v in values]
        if o.wants_rng:
            if any(getattr(v, "dtype", None) == object for v in values):  # strings stay on the host
                return super()._call(op, values)
            return self._drawn(op, values)
        kwargs = {param: op._attrs[name] for param, name in o.lower_attrs}
        return lowering(o)(*(values if o.simple else apply.grouped(o, op._attrs, values)), **kwargs)

    def _run_bodies(self, op: Operation, values: list[Any], env: Any) -> None:
        if self.loops is not None and op.opdef.rounding is not None and self._by_rounded_loop(op, values, env):
            return
        self.traces |= op in self._differentiated
        structured = any(isinstance(v, Structured) for v in values)  # whose methods call JAX
        if structured and self.most < math.inf:
            raise uncompiled.Costly
        # JAX traces what is differentiated.
        if structured or op in self._differentiated or op.opdef.forward_of is not None:
            with on_cpu():
                super()._run_bodies(op, values, env)
        else:
            super()._run_bodies(op, values, env)

    def drawn(self, op: Operation, values: list[Any]) -> list[np.ndarray] | None:
        """The next random numbers of `op`, where they were drawn ahead for these inputs."""
        draws = self.draws.get(op) if self.draws else None
        key = ("rng", op.name)
        if draws is None or not draws.waits_for(values) or draws.states[draws.at] is not self.state.get(key):
            return None
        found, self.state[key] = draws.taken()
        return found

    def _by_rounded_loop(self, op: Operation, values: list[Any], env: Any) -> bool:
        """Run a loop by a program for rounded lengths; False where that can't be, and nothing has been done."""
        assert self.loops is not None
        loop = self.loops.get(op)
        if loop is None:
            loop = self.loops[op] = RoundedLoop(op, kernels=self.kernels)
        taped = op in self._differentiated
        found = loop.run(values, lambda ref: self.read(ref, op), taped=taped)
        if found is None:
            return False
        outputs, pull = found
        self.pay(uncompiled.CALLED * loop.calls)
        if taped:
            self.pulls[op] = pull
        env.update(zip(op.outputs, outputs, strict=True))
        return True

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
            infer.freeze({name: op._attrs[name] for _, name in opdef.lower_attrs}),
            tuple([(v.shape, v.dtype, v.tobytes() if i in statics else None) for i, v in enumerate(values)]),
        )
        program = _programs.get(key)
        if program is None:
            if len(_programs) >= MOST:
                _programs.clear()
            self.pay(uncompiled.DISPATCHED)
            program = _programs[key] = Compiled(opdef, op._attrs, len(values), statics, "cpu", random=True)
        with on_cpu():
            out, state = program(np.asarray(self._rng(op).state), values)
        self.write(("rng", op.name), np.asarray(state))
        arrays = [np.asarray(v) for v in out]
        return arrays[0] if len(arrays) == 1 and opdef.simple_out else arrays


def _size(result: Any) -> int:
    """How many numbers a lowering gave."""
    return sum(map(_size, result)) if isinstance(result, list | tuple) else getattr(result, "size", 1)


_programs: dict[Any, Compiled] = {}
