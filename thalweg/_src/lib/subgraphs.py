"""tf.graph_util: parts of graphs, and graphs without variables or training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, graph_import
from thalweg._src.core.graph import Graph, Operation
from thalweg._src.formats import protos, tensors
from thalweg._src.lib.platform import logging as log

_VARIABLES = ("Variable", "VariableV2", "VarHandleOp")
_PASS_ON = ("Switch", "Enter", "Exit", "Identity", "Merge", "NextIteration")
_CHANGE_VARIABLES = (
    *("Assign", "AssignAdd", "AssignSub", "Queue", "ScatterAdd", "ScatterSub", "ScatterUpdate", "TruncatedNormal"),
    *("Variable", "VariableV2"),
)


def node_name_from_input(node_name: str) -> str:
    """The node that an input names, "^node" or "node:1"."""
    return node_name.removeprefix("^").partition(":")[0]


def extract_sub_graph(graph_def: Any, dest_nodes: Sequence[str]) -> Any:
    """The nodes that `dest_nodes` need, in their order. Raises TypeError for arguments of other types,
    AssertionError for nodes that are not there.
    """
    if type(graph_def).__name__ != "GraphDef":
        raise TypeError("graph_def must be a graph_pb2.GraphDef proto.")
    if isinstance(dest_nodes, str):
        raise TypeError("dest_nodes must be a list.")
    graph_def = graph_import.as_graph_def(graph_def)
    nodes = {n.name: n for n in graph_def.node}
    for name in dest_nodes:
        if name not in nodes:
            raise AssertionError(f"{name} is not in graph")
    kept: set[str] = set()
    waiting = list(dest_nodes)
    while waiting:
        name = waiting.pop()
        if name in kept or name not in nodes:
            continue
        kept.add(name)
        waiting += [node_name_from_input(i) for i in nodes[name].input]
        groups = nodes[name].attr["_class"].list.s if "_class" in nodes[name].attr else ()
        waiting += [g.decode()[5:] for g in groups if g.startswith(b"loc:@")]
    return protos.GraphDef(
        node=[n for n in graph_def.node if n.name in kept], library=graph_def.library, versions=graph_def.versions
    )


def convert_variables_to_constants(
    sess: Any,
    input_graph_def: Any,
    output_node_names: Sequence[str],
    variable_names_whitelist: Sequence[str] | None = None,
    variable_names_blacklist: Sequence[str] | None = None,
) -> Any:
    """The part of the graph that `output_node_names` need, with the values of `sess` in the places of variables.

    Raises ValueError for a read of something else than a variable.
    """
    part = extract_sub_graph(input_graph_def, output_node_names)
    nodes = {n.name: n for n in part.node}
    fetched = {}
    for n in part.node:
        allowed = variable_names_whitelist is None or n.name in variable_names_whitelist
        denied = variable_names_blacklist is not None and n.name in variable_names_blacklist
        if n.op in _VARIABLES and allowed and not denied:
            fetched[n.name] = f"{n.name}/Read/ReadVariableOp:0" if n.op == "VarHandleOp" else f"{n.name}:0"
    handles = _types_of_handles(part, nodes)
    values = dict(zip(fetched, sess.run(list(fetched.values())), strict=True)) if fetched else {}
    log.info("Froze %d variables.", len(values))
    out = protos.GraphDef(library=part.library)
    for n in part.node:
        if n.name in values:
            out.node.append(_constant(n.name, n.attr["dtype"].type, values[n.name]))
        elif n.name in handles:
            passed = out.node.add()
            passed.CopyFrom(n)
            passed.attr.pop("_output_shapes", None)
            passed.attr["T"].type = handles[n.name]
        elif n.op == "ReadVariableOp" and _source(n, nodes) in values:
            read = out.node.add(name=n.name, op="Identity", input=n.input)
            read.attr["T"].type = n.attr["dtype"].type
            _copy_class(n, read)
        elif n.op == "ResourceGather" and _source(n, nodes) in values:
            out.node.extend(_gather(n))
        else:
            out.node.add().CopyFrom(n)
    log.info("Converted %d variables to const ops.", len(values))
    return out


def _source(n: Any, nodes: dict[str, Any]) -> str:
    """The variable that a read reads, through what passes its handle on."""
    name = node_name_from_input(n.input[0])
    while nodes[name].op in _PASS_ON:
        name = node_name_from_input(nodes[name].input[0])
    return name


def _types_of_handles(part: Any, nodes: dict[str, Any]) -> dict[str, int]:
    """The nodes that pass handles on to reads, and the types of the variables: they will pass values on."""
    found: dict[str, int] = {}
    for n in part.node:
        if n.op not in ("ReadVariableOp", "ResourceGather"):
            continue
        waiting = [node_name_from_input(n.input[0])]
        while waiting:
            name = waiting.pop()
            if nodes[name].op in _PASS_ON:
                if name not in found:
                    found[name] = n.attr["dtype"].type
                    waiting += [node_name_from_input(i) for i in nodes[name].input if not i.startswith("^")]
            elif nodes[name].op != "VarHandleOp":
                raise ValueError("Cannot find the variable that is an input to the ReadVariableOp.")
    return found


def _constant(name: str, dtype: int, value: Any) -> Any:
    node = protos.NodeDef(name=name, op="Const")
    node.attr["dtype"].type = dtype
    array = np.asarray(value)
    if array.dtype.kind in "SU":
        array = array.astype(object)
    node.attr["value"].tensor.CopyFrom(tensors.to_proto(array, dtype))
    return node


def _copy_class(source: Any, target: Any) -> None:
    if "_class" in source.attr:
        target.attr["_class"].CopyFrom(source.attr["_class"])


def _gather(n: Any) -> list[Any]:
    if n.attr["batch_dims"].i != 0:
        raise ValueError("batch_dims != 0 is not supported by freeze_graph.")
    kind = n.attr["Tindices"].type
    axis = _constant(f"{n.name}/axis", kind, np.zeros((), dtypes.as_dtype(kind).as_numpy_dtype))
    gather = protos.NodeDef(name=n.name, op="GatherV2", input=[n.input[0], n.input[1], axis.name])
    gather.attr["Tparams"].type = n.attr["dtype"].type
    gather.attr["Tindices"].type = gather.attr["Taxis"].type = kind
    _copy_class(n, gather)
    return [axis, gather]


def remove_training_nodes(input_graph: Any, protected_nodes: Sequence[str] | None = None) -> Any:
    """The graph without CheckNumerics and Identity nodes, but for those in `protected_nodes` or with control inputs."""
    protected = set(protected_nodes or ())
    source = graph_import.as_graph_def(input_graph)
    removed = {n.name: n.input[0] for n in source.node if n.op == "CheckNumerics" and n.name not in protected}
    kept = []
    for n in source.node:
        if n.name not in removed:
            copy = protos.NodeDef()
            copy.CopyFrom(n)
            copy.ClearField("input")
            copy.input.extend(_past(i, removed) for i in n.input if not (i.startswith("^") and i[1:] in removed))
            kept.append(copy)
    controls = {i[1:] for n in kept for i in n.input if i.startswith("^")}
    spliced = {
        n.name: n.input[0]
        for n in kept
        if n.op == "Identity"
        and n.name not in protected
        and n.name not in controls
        and not any(i.startswith("^") for i in n.input)
    }
    out = protos.GraphDef()
    for n in kept:
        if n.name in spliced:
            continue
        for i, name in enumerate(n.input):
            n.input[i] = _past(name, spliced)
        out.node.append(n)
    return out


def _past(name: str, passed: dict[str, str]) -> str:
    """The input of a node, when nodes that hand on what they get are left out: {name of one: its own input}."""
    while name.lstrip("^") in passed:
        name = passed[name.lstrip("^")]
    return name


def must_run_on_cpu(node: Any, pin_variables_on_cpu: bool = False) -> bool:
    """Whether TensorFlow runs the node (an Operation or a NodeDef) on the CPU, whatever its device says."""
    n = node.node_def if isinstance(node, Operation) else node
    if pin_variables_on_cpu and n.op in _CHANGE_VARIABLES:
        return True
    if n.op == "Const":
        return n.attr["dtype"].type in (protos.DT_STRING, protos.DT_INT32)
    if n.op in ("DynamicStitch", "ParallelDynamicStitch"):
        return n.attr["T"].type == protos.DT_INT32
    return n.op == "Cast" and n.attr["SrcT"].type == protos.DT_INT32


def tensor_shape_from_node_def_name(graph: Graph, input_name: str) -> Any:
    """The static shape of a tensor, or of the first output of a node."""
    name = input_name if ":" in input_name else f"{input_name}:0"
    return graph.get_tensor_by_name(name).get_shape()
