"""Runs the graphs of functions of eager execution: compiled as a session's, on the variables of eager execution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.compiler.bodies import bodies_of, variable_key
from thalweg._src.compiler.interpret import RefValue
from thalweg._src.core import eager
from thalweg._src.core.eager import EagerTensor
from thalweg._src.core.graph import Graph, Operation, Tensor
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


def acting(ops: Sequence[Operation]) -> list[Operation]:
    """The operations that do something besides giving values: they run whether or not a result needs them."""
    return [op for op in ops if _acts(op)]


def _acts(op: Operation) -> bool:
    if op.opdef.effect in ("write", "host"):
        return True
    return any(_acts(inner) for graph, _ in bodies_of(op) for inner in graph._ops)
