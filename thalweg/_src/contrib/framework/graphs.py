"""Facts about graphs and tensors."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.convert import graph_of
from thalweg._src.core.graph import Graph, Tensor, get_default_graph
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor
from thalweg._src.ops.stateful.variables import Variable


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor (dense, sparse or ragged) or a variable."""
    return isinstance(x, Tensor | SparseTensor | RaggedTensor | Variable) or bool(getattr(x, "is_tensor_like", False))


def get_placeholders(graph: Graph) -> list[Tensor]:
    """The tensors of a graph that must be fed."""
    return [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]


def get_graph_from_inputs(op_input_list: Any, graph: Graph | None = None) -> Graph:
    """The graph that the inputs belong to. Raises ValueError where they belong to several."""
    return graph_of(list(op_input_list), graph)


def get_name_scope() -> str:
    """The current name scope of the default graph."""
    return get_default_graph().get_name_scope()
