"""tensorflow.python.framework.graph_util_impl: what programs take from there beside the public functions."""

from typing import Any

from thalweg._src.lib.subgraphs import node_name_from_input as _node_name


def _extract_graph_summary(graph_def: Any) -> tuple[dict[str, list[str]], dict[str, Any], dict[str, int]]:
    """Of each node's name: the nodes that it takes, the node, and its place in the graph."""
    inputs = {n.name: [_node_name(i) for i in n.input] for n in graph_def.node}
    return inputs, {n.name: n for n in graph_def.node}, {n.name: i for i, n in enumerate(graph_def.node)}


def _bfs_for_reachable_nodes(target_nodes: list[str], name_to_input_name: dict[str, list[str]]) -> set[str]:
    """The names of all nodes that the targets need, themselves among them."""
    reached: set[str] = set()
    waiting = list(target_nodes)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += name_to_input_name.get(name, ())
    return reached


__all__: list[str] = []
