"""Plans of input pipelines, walked straight through: what the threads of queue runners do again and again, an element at a time.

Such a plan has operations that wait, one after the other, and small arrays; it touches no variables. A cluster at a time costs it more
than its work. So it becomes a list of steps, once: each a lowering on NumPy arrays, with the slots that it takes from and puts into.
"""

from __future__ import annotations

import functools
import itertools
import math
import types
from typing import Any

import numpy as np

from thalweg._src.compiler.bodies import is_host_work, refers
from thalweg._src.compiler.interpret import _as_op_error
from thalweg._src.compiler.plan import Plan
from thalweg._src.core import apply, errors
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.waiting import advance
from thalweg._src.runtime.compiled_lowering import compiled
from thalweg._src.runtime.hosting import HostContext, on_host
from thalweg._src.runtime.waiting import Execution

MOST = 4096  # elements of what an operation computes: more is worth an executable


class Straight:
    """The steps of a plan. Several threads may walk it at once."""

    def __init__(self, session: Any, plan: Plan):
        self.session, self.plan = session, plan
        self.slots: dict[Tensor, int] = {}
        self.template: list[Any] = []
        for t in plan.feeds:
            self._put(t)
        steps = [step for op in plan.ops if (step := self._step(op)) is not None]
        self.resources = [step for step in steps if _makes_resource(step[0])]
        self.steps = [step for step in steps if not _makes_resource(step[0])]
        self.made: Any = None  # the store's signature when resources were looked up, and the values with them
        self.wanted = [(t, self.slots[t]) for t in {plan.stand_ins.get(t, t) for t in plan.fetches} if t in self.slots]

    def _put(self, t: Tensor, value: Any = None) -> int:
        self.slots[t] = len(self.template)
        self.template.append(value)
        return self.slots[t]

    def _step(self, op: Operation) -> Any:
        """(op, function, slots in, slots out, dtypes), or None for what has no work."""
        o = op.opdef
        if o.constant:
            self._put(op.outputs[0], op._attrs["value"])
            return None
        if o.alias:
            self.slots[op.outputs[0]] = self.slots[op._inputs[0]]
            return None
        if not op.outputs and o.effect is None and not o.host:
            return None
        inputs: list[Any] = [self.slots[t] for t in op._inputs]
        if not o.simple:
            inputs = apply.grouped(o, op._attrs, inputs)
        fn = _bound(op, HostContext(self.session, op, {}))
        kinds = [
            None if t.dtype.is_on_host or t.dtype.base_dtype._name == "resource" else t.dtype._as_numpy
            for t in op.outputs
        ]
        one = len(op.outputs) == 1 and o.simple_out
        return op, fn, inputs, [self._put(t) for t in op.outputs], kinds, one

    def run(self, env: dict[Tensor, Any], until: float | None) -> None:
        """Walk the plan, `env` holding what is fed; what is fetched is put there. `until` as for an Execution."""
        signature = self.session._store.signature
        if self.made is None or self.made[0] != signature:
            found = self.template.copy()
            for _, fn, _, outputs, kinds, _ in self.resources:
                found[outputs[0]] = _declared(fn(), kinds[0])
            self.made = self.session._store.signature, found
        values = self.made[1].copy()
        for t in self.plan.feeds:
            values[self.slots[t]] = on_host(env[t])
        with np.errstate(all="ignore"):
            for op, fn, inputs, outputs, kinds, one in self.steps:
                try:
                    result = fn(*[values[i] if type(i) is int else [values[j] for j in i] for i in inputs])
                    if type(result) is types.GeneratorType:
                        ended, value = advance(result)
                        result = value if ended else self._awaited(op, result, value, env, until)
                    if one:
                        values[outputs[0]] = _declared(result, kinds[0])
                    elif outputs:
                        for slot, value, kind in zip(outputs, apply.flat_outputs(op.opdef, result), kinds, strict=True):
                            values[slot] = _declared(value, kind)
                except errors.OpError as error:
                    if error._op is None:
                        error._op = op
                    raise
                except (
                    NotImplementedError,
                    TypeError,
                    ValueError,
                    IndexError,
                    ZeroDivisionError,
                    OverflowError,
                ) as error:
                    if getattr(error, "thalweg_user_error", False):
                        raise
                    raise _as_op_error(error, op) from error
        for t, slot in self.wanted:
            env[t] = values[slot]

    def _awaited(self, op: Operation, work: Any, attempt: Any, env: dict[Tensor, Any], until: float | None) -> Any:
        """The outputs of an operation that waits for `attempt`. Only meanwhile the run can be cancelled."""
        walk = Execution(self.session, self.plan, env, until)
        with walk.going_on():
            return walk.finished(op, work, attempt)


def straight(session: Any, plan: Plan) -> Straight | None:
    """The steps of `plan`, where it is of this kind; None where it is not."""
    waits = plan.waits
    if (
        waits is None
        or waits.touches
        or plan.refs
        or any(c.colour.platform != "cpu" for c in plan.clusters if not c.is_host)
    ):
        return None
    line = [op for op in plan.ops if op.opdef.waits]
    # Each waits for the one before: nothing that could go on meanwhile is kept from it.
    if any(a not in waits.before[b] for a, b in itertools.pairwise(line)):
        return None
    return Straight(session, plan) if all(map(_fits, plan.ops)) else None


def _fits(op: Operation) -> bool:
    """Whether a step can be made of `op`, and NumPy is the right one to take it."""
    o = op.opdef
    if o.constant:
        return True
    if o.source or o.bodies is not None or o.wants_run or o.wants_rng or o.writes:
        return False
    tensors = (*op._inputs, *op.outputs)
    if any(t.dtype._ref for t in tensors):
        return False
    if is_host_work(op):
        return True
    return not any(map(refers, tensors)) and all(_size(t) <= MOST for t in op.outputs)


def _makes_resource(op: Operation) -> bool:
    """Whether `op` hands out a queue or reader of the session, the same one each time."""
    o = op.opdef
    return not op._inputs and o.wants_ctx and o.stateful and o.effect is None and len(op.outputs) == 1


def _size(t: Tensor) -> float:
    """The number of elements, infinite where it is not known."""
    return math.inf if t.dims is None else math.prod([math.inf if d is None else float(d) for d in t.dims])


def _bound(op: Operation, context: HostContext) -> Any:
    """The lowering of `op` on NumPy arrays, given its attrs."""
    o = op.opdef
    kwargs = {param: op._attrs[name] for param, name in o.lower_attrs}
    if o.wants_ctx:
        kwargs["ctx"] = context
    fn = compiled(op)
    return functools.partial(fn, **kwargs) if kwargs else fn


def _declared(value: Any, kind: Any) -> Any:
    """A step's result as an array of the type that its op declares."""
    if kind is None:
        return value if type(value) is np.ndarray else on_host(value)
    if type(value) is not np.ndarray:
        return np.asarray(value, kind)
    return value if value.dtype == kind else value.astype(kind)
