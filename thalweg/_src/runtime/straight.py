"""Plans of input pipelines, walked straight through: what the threads of queue runners do again and again, an element at a time.

Such a plan has operations that wait, one after the other; it touches no variables, and its arrays are small, or pictures and the like
whose shapes are never the same. A cluster at a time costs it more than its work, an executable for each shape far more. So it becomes a
list of steps on NumPy arrays, once (`host_programs`).
"""

from __future__ import annotations

import functools
import itertools
import math
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.compiler.bodies import accesses, bodies_of, body_ops, inner_ops, is_host_work, refers, source_of
from thalweg._src.compiler.plan import Plan
from thalweg._src.compiler.waits import may_wait
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.waiting import advance, begun
from thalweg._src.runtime.host_programs import Program, is_choice
from thalweg._src.runtime.hosting import HostContext, on_host
from thalweg._src.runtime.waiting import Execution
from thalweg._src.runtime.walks import State, Streams, Walker

MOST = 4096  # elements of what an operation computes, in plans whose shapes are known: more is worth an executable


class SessionStreams(Streams):
    """The random streams of a session, for all that walks in it. They are kept where its other runs have theirs."""

    def state_in(self, store: Any) -> State:
        return _Kept(store)


class _Kept(State):
    """Random streams that are read from the session and written to it."""

    def __setitem__(self, key: Any, value: Any) -> None:
        self._store.values[key] = value


class Straight(Walker):
    """The steps of a plan. Several threads may walk it at once."""

    def __init__(self, session: Any, plan: Plan):
        super().__init__(session, session._walked_streams)
        self.plan = plan
        program = Program(plan.ops, plan.feeds, (), bind=self._bound)
        self.template = program.values
        self.resources = [step for step in program.steps if _makes_resource(step.op)]
        self.steps = [step for step in program.steps if not _makes_resource(step.op)]
        self.made: Any = None  # the store's signature when resources were looked up, and the values with them
        self.fed = [(t, program.slots[t]) for t in plan.feeds]
        fetched = {plan.stand_ins.get(t, t) for t in plan.fetches}
        self.wanted = [(t, program.slots[t]) for t in fetched if t in program.slots]
        self.times = threading.local()  # when each thread gives up waiting

    def run(self, env: dict[Tensor, Any], until: float | None) -> None:
        """Walk the plan, `env` holding what is fed; what is fetched is put there. `until` as for an Execution."""
        values = self._begun().copy()
        for t, slot in self.fed:
            values[slot] = on_host(env[t])
        self.times.until = until
        with np.errstate(all="ignore"):
            self.walk(self.steps, values)
        for t, slot in self.wanted:
            env[t] = on_host(values[slot])

    def run_often(self, count: int, stop: Callable[[], bool]) -> None:
        """Walk the plan so many times, unless `stop()`; nothing is fed or fetched, and no time is too long."""
        begun = self._begun()
        self.times.until = None
        with np.errstate(all="ignore"):
            for _ in range(count):
                if stop():
                    break
                self.walk(self.steps, begun.copy())

    def _begun(self) -> list[Any]:
        """What the steps start with: constants and resources."""
        signature = self.session._store.signature
        if self.made is None or self.made[0] != signature:
            found = self.template.copy()
            self.walk(self.resources, found)
            for step in self.resources:  # arrays of one handle, which can be stacked and chosen from
                found[step.outputs[0]] = on_host(found[step.outputs[0]])
            self.made = self.session._store.signature, found
        return self.made[1]

    def program_of(self, graph: Any) -> Program:
        return Program(body_ops(graph), graph.inputs, graph.outputs, bind=self._bound)

    def _bound(self, op: Operation, fn: Any) -> Any:
        """The lowering `fn` of an operation that is about resources of the session, or waits."""
        if op.opdef.wants_ctx:
            fn = functools.partial(fn, ctx=HostContext(self.session, op, {}))
        return functools.partial(self._waited, op, fn) if op.opdef.waits else fn

    def _waited(self, op: Operation, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """The outputs of an operation that may wait. Only meanwhile the run can be cancelled."""
        work = begun(fn(*[[*map(on_host, a)] if type(a) is list else on_host(a) for a in args], **kwargs))
        if type(work) is not types.GeneratorType:
            return work
        ended, value = advance(work)
        if ended:
            return value
        waiting = Execution(self.session, self.plan, {}, self.times.until)
        with waiting.going_on():
            return waiting.finished(op, work, value)


def straight(session: Any, plan: Plan) -> Straight | None:
    """The steps of `plan`, where it is of this kind; None where it is not."""
    waits = plan.waits
    if waits is None or plan.refs or any(c.colour.platform != "cpu" for c in plan.clusters if not c.is_host):
        return None
    if any(accesses(op, lambda t: source_of(t, plan.feeds)) for op in waits.touches):
        return None
    line = [op for op in plan.ops if may_wait(op)]
    # Each waits for the one before: nothing that could go on meanwhile is kept from it.
    if any(a not in waits.before[b] for a, b in itertools.pairwise(line)):
        return None
    if not all(map(_fits, plan.ops)):
        return None
    computed = [op for op in plan.ops if not op.opdef.constant and not is_host_work(op)]
    sizes = [_size(t) for op in computed for t in op.outputs if not refers(t)]
    if math.inf not in sizes and (max(sizes, default=0) > MOST or any(map(_may_loop, plan.ops))):
        return None
    return Straight(session, plan)


def _fits(op: Operation) -> bool:
    """Whether a step can be made of `op`, and NumPy is able to take it. What it chooses among may wait too."""
    o = op.opdef
    if o.source or o.writes or (o.wants_run and o.bodies is None) or o.convolves or o.forward_of is not None:
        return False
    if o.takes_nothing or o.frame:  # a step takes what is there
        return False
    if any(t.dtype._ref for t in (*op._inputs, *op.outputs)):
        return False
    if may_wait(op) and not o.waits and not is_choice(op):
        return False
    return all(_fits(inner) for graph, _ in bodies_of(op) for inner in body_ops(graph) if inner.type != "_Arg")


def _may_loop(op: Operation) -> bool:
    """Whether `op` runs a graph other than one of several, once."""
    return any(o.opdef.bodies is not None and o.opdef.chooses is None for o in (op, *inner_ops(op)))


def _makes_resource(op: Operation) -> bool:
    """Whether `op` hands out a queue or reader of the session, the same one each time."""
    o = op.opdef
    return not op._inputs and o.wants_ctx and o.stateful and o.effect is None and len(op.outputs) == 1


def _size(t: Tensor) -> float:
    """The number of elements, infinite where it is not known."""
    return math.inf if t.dims is None else math.prod([math.inf if d is None else float(d) for d in t.dims])
