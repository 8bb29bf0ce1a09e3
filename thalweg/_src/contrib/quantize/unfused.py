"""Batch normalizations of single operations, found by the names that `tf.contrib.layers.batch_norm` gives them."""

from __future__ import annotations

import re
from typing import Any

from thalweg._src.contrib.graph_editor.reroute import reroute_ts
from thalweg._src.contrib.quantize.consumers import SKIPPED, Consumers
from thalweg._src.contrib.quantize.corrections import Normalized, corrections
from thalweg._src.contrib.quantize.folding import copied
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.scopes import device
from thalweg._src.ops import array, math
from thalweg._src.ops.arrays.blocks import batch_to_space_nd
from thalweg._src.ops.stateful.variable_scope import get_variable_scope


def fold_unfused(graph: Graph, is_training: bool, freeze_delay: int | None) -> None:
    """Put every batch normalization of single operations into its layer's weights.

    Raises ValueError for a layer of an unknown kind, and where what takes the output is not found.
    """
    consumers = Consumers(graph)
    for prefix in _prefixes(graph):
        inner = f"{prefix}BatchNorm/batchnorm_1/"
        rsqrt = graph.get_operation_by_name(inner + "Rsqrt")
        scaled = sum(op.type == "Mul" for op in consumers.of(rsqrt)) == 1
        shifted = graph.get_operation_by_name(inner + "add_1")
        if not shifted.outputs[0].consumers():
            continue
        folded = _folded(graph, prefix, scaled, is_training, freeze_delay)
        taker = _taker(graph, prefix)
        if reroute_ts([folded], [shifted.outputs[0]], can_modify=[taker]) != 1:
            raise ValueError(f"Unexpected inputs to op: {taker.name}")


def _prefixes(graph: Graph) -> list[str]:
    """What stands before "BatchNorm/batchnorm" in the names of operations, each once."""
    found = (re.search("^(.*)BatchNorm/batchnorm", op.name) for op in graph.get_operations())
    return list(dict.fromkeys(m.group(1) for m in found if m and not m.group(1).startswith(SKIPPED)))


def _taker(graph: Graph, prefix: str) -> Operation:
    """The activation behind the normalization, or the addition that it goes into."""
    for suffix in ("Relu6", "Relu", "Identity"):
        try:
            return graph.get_operation_by_name(prefix + suffix)
        except KeyError:
            continue
    outer = re.search("^(.*)/([^/]+)", prefix)
    return graph.get_operation_by_name((outer.group(1) + "/" if outer else "") + "AddV2")


def _nearest(graph: Graph, suffix: str, prefix: str) -> Tensor | None:
    """The first output of the operation whose name ends with `suffix` and has most parts in common with `prefix`."""
    parts = set(prefix.split("/"))
    shared = {
        op.name: len(parts & set(op.name.split("/"))) for op in graph.get_operations() if op.name.endswith(suffix)
    }
    shared = {name: count for name, count in shared.items() if count or not prefix}
    return graph.get_tensor_by_name(max(shared, key=shared.__getitem__) + ":0") if shared else None


def _described(graph: Graph, prefix: str, scaled: bool) -> Normalized:
    """The tensors of the normalization under `prefix`. ValueError where there are no statistics."""

    def near(suffix: str) -> Tensor | None:
        return _nearest(graph, "BatchNorm/" + suffix, prefix)

    read = "/Read/ReadVariableOp" if get_variable_scope().use_resource else "/read"
    moving_mean = near("moving_mean" + read)
    if moving_mean is None:
        raise ValueError(f"The batch normalization under {prefix!r} has no moving averages.")
    gamma = near("gamma" + (read if "Op" in read else "")) if scaled else array.ones(moving_mean.shape)
    return Normalized(
        gamma=gamma,
        mean=near("moments/Squeeze"),
        variance=near("moments/Squeeze_1"),
        epsilon=near("batchnorm_1/add/y"),
        moving_mean=moving_mean,
        moving_variance=near("moving_variance" + read),
        decays=(near("AssignMovingAvg/decay"), near("AssignMovingAvg_1/decay")),
    )


def _folded(graph: Graph, prefix: str, scaled: bool, is_training: bool, freeze_delay: int | None) -> Tensor:
    """The output of the layer with folded weights, and what is added to it."""
    inner = f"{prefix}BatchNorm/batchnorm_1/"
    scaling = graph.get_operation_by_name(inner + ("mul_1" if scaled else "mul"))
    shifting = graph.get_operation_by_name(inner + "add_1")
    layer, to_space = scaling.inputs[0].op, None
    if layer.type == "BatchToSpaceND":
        layer, to_space = layer.inputs[0].op, layer
    if layer.type not in ("DepthwiseConv2dNative", "Conv2D", "MatMul"):
        raise ValueError(f"Cannot handle operation of type: {layer.type}")
    weights, factor = layer.inputs[1], scaling.inputs[1]
    norm = _described(graph, prefix, scaled)
    correction: Any = corrections(prefix, norm, freeze_delay) if is_training else None
    if layer.type == "DepthwiseConv2dNative":
        shape = weights.get_shape().as_list()[2:4]
        factor = graph.get_operation_by_name(inner + ("mul" if scaled else "Rsqrt")).outputs[0]
        factor = array.reshape(factor, shape, prefix + "scale_reshape")
    if correction:
        by_weights = correction[0]
        if layer.type == "DepthwiseConv2dNative":
            by_weights = array.reshape(by_weights, shape, prefix + "correction_reshape")
        with device(scaling.device):
            weights = math.multiply(by_weights, weights, prefix + "correction_mult")
    weights = math.multiply(weights, factor, name=prefix + "mul_fold")
    output = copied(layer, layer.inputs[0], weights, layer.name + "_Fold")
    if to_space is not None:
        output = batch_to_space_nd(output, to_space.inputs[1], to_space.inputs[2], name=to_space.name + "_Fold")
    if correction:
        with device(layer.device):
            output = math.multiply(correction[1], output, prefix + "post_conv_mul")
            output = math.add(output, correction[2], prefix + "correction_add")
    return math.add(output, shifting.inputs[1], name=prefix + "add_fold")
