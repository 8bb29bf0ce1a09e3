"""Facts about graphs and tensors, and a part of a graph made one node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.convert import graph_of
from thalweg._src.core.graph import Graph, Tensor, get_default_graph
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.formats import protos
from thalweg._src.lib.subgraphs import extract_sub_graph, node_name_from_input
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


def fuse_op(
    graph_def: Any,
    input_nodes: Sequence[str],
    output_nodes: Sequence[str],
    output_dtypes: Sequence[int],
    output_quantized: bool,
    op_name: str,
    op_type: str,
) -> Any:
    """A GraphDef in which one node of the type `op_type` stands for all nodes between `input_nodes` and `output_nodes`.

    TypeError where a node between them needs one before the inputs; AssertionError for nodes that are not there.
    """
    if isinstance(input_nodes, str) or isinstance(output_nodes, str):
        raise TypeError("input_nodes and output_nodes must be lists.")
    before = {n.name for n in extract_sub_graph(graph_def, input_nodes).node}
    until = {n.name for n in extract_sub_graph(graph_def, output_nodes).node}
    inside = until - before - set(output_nodes)
    for node in graph_def.node:
        sources = [node_name_from_input(i) for i in node.input]
        stray = [s for s in sources if s in before and s not in input_nodes]
        if node.name in inside and stray:
            raise TypeError(f"Node {node.name} uses input {stray[0]} not in input_nodes.")
    fused = protos.NodeDef(name=op_name, op=op_type, input=list(input_nodes))
    fused.attr["_output_types"].list.type.extend(output_dtypes)
    fused.attr["_output_quantized"].b = output_quantized
    made = protos.GraphDef(library=graph_def.library, versions=graph_def.versions)
    made.node.extend(n for n in graph_def.node if n.name in before)
    made.node.append(fused)
    nodes = {n.name: n for n in graph_def.node}
    for index, name in enumerate(output_nodes):
        output = made.node.add()
        output.CopyFrom(nodes[name])
        output.input[:] = [f"{op_name}:{index}" if index else op_name]
    made.node.extend(n for n in graph_def.node if n.name not in before and n.name not in until)
    return made
