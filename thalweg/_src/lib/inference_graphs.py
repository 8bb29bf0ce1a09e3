"""Frozen graphs cut down to what inference needs: tensorflow.python.tools.strip_unused_lib and optimize_for_inference_lib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import graph_import
from thalweg._src.formats import protos, tensors
from thalweg._src.lib import graph_io
from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.subgraphs import extract_sub_graph, node_name_from_input, remove_training_nodes

# A normalization of fixed statistics: where its inputs stand, and the attr that holds epsilon.
_ORDERS = {
    "BatchNormWithGlobalNormalization": (("conv", "mean", "variance", "beta", "gamma"), "variance_epsilon"),
    "FusedBatchNorm": (("conv", "gamma", "beta", "mean", "variance"), "epsilon"),
}
_CHANNELS = {"Conv2D": 1, "DepthwiseConv2dNative": 2}  # how many of the filter's last axes number channels


def strip_unused(
    input_graph_def: Any, input_node_names: Sequence[str], output_node_names: Sequence[str], placeholder_type_enum: Any
) -> Any:
    """The nodes that the outputs need, with placeholders in the place of the inputs, of that type (or one type for each).

    Raises ValueError for a tensor's name, KeyError for inputs that are not there.
    """
    for name in input_node_names:
        if ":" in name:
            raise ValueError(f"Name '{name}' appears to refer to a Tensor, not a Operation.")
    source = graph_import.as_graph_def(input_graph_def)
    missing = set(input_node_names) - {n.name for n in source.node}
    if missing:
        raise KeyError(f"The following input nodes were not found: {missing}")
    replaced = protos.GraphDef(library=source.library, versions=source.versions)
    for n in source.node:
        kept = replaced.node.add()
        if n.name not in input_node_names:
            kept.CopyFrom(n)
            continue
        kept.op, kept.name = "Placeholder", n.name
        one_each = isinstance(placeholder_type_enum, list)
        kept.attr["dtype"].type = (
            placeholder_type_enum[list(input_node_names).index(n.name)] if one_each else placeholder_type_enum
        )
        for attr in ("_output_shapes", "shape"):
            if attr in n.attr:
                kept.attr[attr].CopyFrom(n.attr[attr])
    return extract_sub_graph(replaced, list(output_node_names))


def strip_unused_from_files(
    input_graph: str,
    input_binary: bool,
    output_graph: str,
    output_binary: bool,
    input_node_names: str,
    output_node_names: str,
    placeholder_type_enum: Any,
) -> int | None:
    """`strip_unused` from file to file, with names in one string; -1 where there is no such file, or no output is named."""
    if not file_io.file_exists(input_graph):
        print(f"Input graph file '{input_graph}' does not exist!")
        return -1
    if not output_node_names:
        print("You need to supply the name of a node to --output_node_names.")
        return -1
    source = graph_io.read_message(input_graph, protos.GraphDef, as_text=not input_binary)
    made = strip_unused(source, input_node_names.split(","), output_node_names.split(","), placeholder_type_enum)
    file_io.atomic_write_string_to_file(output_graph, graph_io.contents_of(made, as_text=not output_binary))
    print(f"{len(made.node)} ops in the final graph.")
    return None


def ensure_graph_is_valid(graph_def: Any) -> None:
    """Raises ValueError where two nodes have one name, or an input names none."""
    names: set[str] = set()
    for n in graph_def.node:
        if n.name in names:
            raise ValueError("Duplicate node names detected for ", n.name)
        names.add(n.name)
    for n in graph_def.node:
        for name in n.input:
            if node_name_from_input(name) not in names:
                raise ValueError(f"Input for {n.name} not found: {name}")


def values_from_const(node_def: Any) -> np.ndarray:
    """The array of a Const node. Raises ValueError for other nodes."""
    if node_def.op != "Const":
        raise ValueError(f"Node named '{node_def.name}' should be a Const op for values_from_const.")
    return tensors.from_proto(node_def.attr["value"].tensor)


def fold_batch_norms(input_graph_def: Any) -> Any:
    """Normalizations of fixed statistics behind convolutions of constant filters, made part of the filters and of a bias."""
    source = graph_import.as_graph_def(input_graph_def)
    ensure_graph_is_valid(source)
    nodes = {n.name: n for n in source.node}
    folded: dict[str, list[Any]] = {}  # what stands in the place of a node
    gone: set[str] = set()
    for n in source.node:
        if n.op in _ORDERS:
            _fold(n, nodes, folded, gone)
    out = protos.GraphDef(library=source.library, versions=source.versions)
    for n in source.node:
        if n.name not in gone:
            out.node.extend(folded.get(n.name, [n]))
    return out


def _proto(values: np.ndarray, like: Any) -> Any:
    kind = like.attr["dtype"].type
    return tensors.to_proto(values.astype(values_from_const(like).dtype), kind)


def _fold(norm: Any, nodes: dict[str, Any], folded: dict[str, list[Any]], gone: set[str]) -> None:
    order, epsilon = _ORDERS[norm.op]
    parts = {part: nodes[node_name_from_input(norm.input[i])] for i, part in enumerate(order)}
    conv = parts.pop("conv")
    if conv.op not in _CHANNELS:
        log.warning("Didn't find expected Conv2D or DepthwiseConv2dNative input to '%s'", norm.name)
        return
    filters = nodes[node_name_from_input(conv.input[1])]
    for n in (filters, *parts.values()):
        if n.op != "Const":
            log.warning("Didn't find expected Constant input to '%s': '%s'. Is the graph frozen?", norm.name, n.name)
            return
    weights = values_from_const(filters)
    channels = weights.shape[-_CHANNELS[conv.op] :]
    values = {part: values_from_const(n) for part, n in parts.items()}
    for part, value in values.items():
        if value.shape != (np.prod(channels),):
            log.warning("Incorrect shape for %s, found %s, for node %s", part, value.shape, norm.name)
            return
    scale = 1.0 / np.sqrt(values["variance"].astype(np.float64) + norm.attr[epsilon].f)
    if norm.op == "FusedBatchNorm" or norm.attr["scale_after_normalization"].b:
        scale = scale * values["gamma"]
    offset = values["beta"] - values["mean"] * scale
    new_filters, bias = protos.NodeDef(), protos.NodeDef()
    new_filters.CopyFrom(filters)
    new_filters.attr["value"].tensor.CopyFrom(_proto(weights * scale.reshape(channels), filters))
    folded[filters.name] = [new_filters]
    bias.op, bias.name = "Const", conv.name + "_bn_offset"
    bias.attr["dtype"].CopyFrom(parts["mean"].attr["dtype"])
    bias.attr["value"].tensor.CopyFrom(_proto(offset, filters))
    added = protos.NodeDef(op="BiasAdd", name=norm.name, input=[conv.name, bias.name])
    added.attr["T"].CopyFrom(conv.attr["T"])
    if "data_format" in conv.attr:
        added.attr["data_format"].CopyFrom(conv.attr["data_format"])
    folded[norm.name] = [bias, added]
    used = [node_name_from_input(i) for n in nodes.values() if n is not norm for i in n.input]
    gone.update(n.name for n in parts.values() if n.name not in used)


def optimize_for_inference(
    input_graph_def: Any,
    input_node_names: Sequence[str],
    output_node_names: Sequence[str],
    placeholder_type_enum: Any,
    toco_compatible: bool = False,
) -> Any:
    """A frozen graph from its inputs to its outputs, without nodes that only training needs and with normalizations folded.

    TensorFlow also joins a resize or padding with the convolution behind it, unless `toco_compatible`; the compiler does that here.
    """
    ensure_graph_is_valid(input_graph_def)
    made = strip_unused(input_graph_def, input_node_names, output_node_names, placeholder_type_enum)
    made = fold_batch_norms(remove_training_nodes(made, output_node_names))
    ensure_graph_is_valid(made)
    return made
