"""A graph for inference: masked weights become constants, masks go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.graph import Graph, get_default_graph
from thalweg._src.core.graph_import import import_graph_def
from thalweg._src.core.tensor_protos import make_tensor_proto
from thalweg._src.formats import protos
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.saver import import_meta_graph
from thalweg._src.lib.subgraphs import convert_variables_to_constants, extract_sub_graph
from thalweg._src.runtime.session import Session


def strip_pruning_vars_fn(input_graph_def: Any, output_node_names: Sequence[str]) -> Any:
    """The part of a frozen graph that the outputs need, with each masked weight as a constant."""
    names = [node.name for node in input_graph_def.node if "masked_weight" in node.name]
    with Graph().as_default() as graph, Session(graph=graph) as session:
        import_graph_def(input_graph_def, name="")
        values = session.run({name: graph.get_tensor_by_name(f"{name}:0") for name in names})
    stripped = protos.GraphDef()
    for node in input_graph_def.node:
        copy = stripped.node.add()
        if node.name not in values:
            copy.CopyFrom(node)
            continue
        copy.op, copy.name = "Const", node.name
        copy.attr["dtype"].CopyFrom(node.attr["T"])
        copy.attr["value"].tensor.CopyFrom(make_tensor_proto(values[node.name]))
    return extract_sub_graph(stripped, output_node_names)


def graph_def_from_checkpoint(checkpoint_dir: str, output_node_names: Sequence[str]) -> Any:
    """The frozen graph of the last checkpoint in a folder. ValueError where there is none."""
    path = latest_checkpoint(checkpoint_dir)
    if path is None:
        raise ValueError(f"Could not find a checkpoint at: {checkpoint_dir}.")
    saver = import_meta_graph(path + ".meta", clear_devices=True)
    with Session() as session:
        saver.restore(session, path)
        return convert_variables_to_constants(session, get_default_graph().as_graph_def(), list(output_node_names))
