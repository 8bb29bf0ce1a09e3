"""Runs the graphs of functions of eager execution: compiled as a session's, on the variables of eager execution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.compiler.bodies import accesses, bodies_of, refers, source_of, variable_key
from thalweg._src.compiler.interpret import RefValue
from thalweg._src.core import eager
from thalweg._src.core.eager import EagerTensor
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.opdef import OPS
from thalweg._src.runtime.base_session import BaseSession
from thalweg._src.runtime.eager_session import session
from thalweg._src.runtime.fetch import Fetches
from thalweg._src.runtime.waiting import Execution


class FunctionSession(BaseSession):
    """A session on the graph of a function. Any of its tensors can be fed with the value of an eager tensor."""

    _is_eager = True

    def __init__(self, graph: Graph):
        super().__init__("", graph)
        outer = session()
        self._store, self._devices, self._config = outer._store, outer._devices, outer._config
        self._wanted: dict[Any, Fetches] = {}

    def call(
        self, fetches: Sequence[Tensor], targets: Sequence[Operation], feeds: dict[Tensor, Any]
    ) -> list[EagerTensor]:
        """The values of `fetches`, as eager tensors, after running `targets` too."""
        key = (tuple(fetches), tuple(targets))
        wanted = self._wanted.get(key)
        if wanted is None:
            wanted = self._wanted[key] = Fetches(self._graph, [*fetches, *targets])
        env: dict[Tensor, Any] = dict(feeds)
        plan = self._plan(wanted, feeds)
        if plan.waits is not None:
            Execution(self, plan, env, None).run()
        else:
            for cluster, executables in zip(plan.clusters, plan.executables, strict=True):
                self._run_cluster(plan, cluster, executables, env)
        out = []
        for t in fetches:
            t = plan.stand_ins.get(t, t)
            if t in env:
                value = env[t]
            elif t in plan.constants:
                value = plan.constants[t]
            else:
                value = RefValue(variable_key(plan.refs[t]), plan.refs[t])
            if type(value) is RefValue and t.dtype._name != "resource":
                value = self._store.values[value.key]
            out.append(eager.make(value, t.dtype.base_dtype))
        return out


def in_program_order(ops: Sequence[Operation], inputs: Sequence[Tensor] = ()) -> list[Operation]:
    """Make `ops`, what a function has built, touch each variable in the order in which they were made; returns those that act.

    In the bodies of branches and loops too, whose outputs wait for what acts there. `inputs` are the arguments of the graph they stand in.
    """
    given = {t: t.op for t in inputs if refers(t)}
    wrote: dict[str, Operation] = {}
    read: dict[str, list[Operation]] = {}
    for op in ops:
        for graph, _ in bodies_of(op):
            _finish_body(graph)
        for source, writes in accesses(op, lambda t: source_of(t, (), given)):
            key = variable_key(source)
            earlier = read.pop(key, []) if writes else []
            earlier += [wrote[key]] if key in wrote else []
            new = [e for e in earlier if e is not op and e not in op._control_inputs]
            if new:
                op._add_control_inputs(new)
            if writes:
                wrote[key] = op
            else:
                read.setdefault(key, []).append(op)
    return acting(ops)


def _finish_body(graph: Any) -> None:
    work = in_program_order(list(graph._ops), graph.inputs)
    if work:
        with graph.as_default(), graph.control_dependencies(work):
            graph.outputs = [OPS["Identity"](t) for t in graph.outputs]


def acting(ops: Sequence[Operation]) -> list[Operation]:
    """The operations that do something besides giving values: they run whether or not a result needs them."""
    return [op for op in ops if _acts(op)]


def _acts(op: Operation) -> bool:
    if op.opdef.effect in ("write", "host", "check"):
        return True
    return any(_acts(inner) for graph, _ in bodies_of(op) for inner in graph._ops)
