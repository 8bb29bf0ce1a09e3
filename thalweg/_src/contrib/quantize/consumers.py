"""Who takes a tensor, apart from gradients and summaries; the step that delays are counted in."""

from __future__ import annotations

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Graph, Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops import basic
from thalweg._src.ops.stateful.assigning import assign_add
from thalweg._src.ops.stateful.initializers import zeros_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable
from thalweg._src.ops.stateful.variables import VariableAggregation

SKIPPED = ("gradients/", "RMSProp/", "Adagrad/", "Const_", "HistogramSummary", "ScalarSummary")
STEP = "fake_quantization_step"


class Consumers:
    """Which operations took each tensor when this was made."""

    def __init__(self, graph: Graph) -> None:
        self._takers: dict[Tensor, dict[Operation, None]] = {}
        for op in graph.get_operations():
            if not op.name.startswith(SKIPPED):
                for taken in op.inputs:
                    self._takers.setdefault(taken, {})[op] = None

    def of(self, op: Operation) -> list[Operation]:
        """The operations that take an output of `op`."""
        return list(dict.fromkeys(taker for t in op.outputs for taker in self._takers.get(t, ())))


def quantization_step() -> Tensor:
    """The number of runs of the rewritten graph, counted by itself."""
    graph = get_default_graph()
    try:
        return graph.get_tensor_by_name(f"{STEP}/Identity:0")
    except KeyError:
        with name_scope(None):
            step = get_variable(
                STEP,
                shape=[],
                dtype=dtypes.int64,
                initializer=zeros_initializer(),
                trainable=False,
                collections=[GraphKeys.GLOBAL_VARIABLES],
                aggregation=VariableAggregation.ONLY_FIRST_REPLICA,
            )
            with name_scope(step.op.name + "/"):
                return basic.identity(assign_add(step, 1))
