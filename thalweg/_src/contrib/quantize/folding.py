"""Fused batch normalizations go into the weights of the layer before them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from thalweg._src.contrib.graph_editor.reroute import reroute_ts
from thalweg._src.contrib.quantize.corrections import Normalized, corrections
from thalweg._src.contrib.quantize.patterns import Match, OneOf, Pattern, matches, op_of, tensor_of
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops import array, math
from thalweg._src.ops.arrays.blocks import batch_to_space_nd
from thalweg._src.ops.derivatives.gradients import RegisterGradient
from thalweg._src.ops.nets.convolution_api import conv2d
from thalweg._src.ops.nets.spaced import depthwise_conv2d

LAYERS = "Conv2D|DepthwiseConv2dNative|MatMul"
INPUT, WEIGHTS, GAMMA, BETA, MEAN, VARIANCE, AVERAGE, DECAY = (Pattern("*") for _ in range(8))
LAYER = Pattern(LAYERS, [INPUT, WEIGHTS])
TO_SPACE = Pattern("BatchToSpaceND", [LAYER, "*", "*"])
OUTPUT = OneOf(Pattern("Identity", [OneOf(TO_SPACE, LAYER)]), LAYER, TO_SPACE)
NORM = Pattern(
    "FusedBatchNorm|FusedBatchNormV3", [OneOf(Pattern("Reshape", [OUTPUT, "*"]), OUTPUT), GAMMA, BETA, MEAN, VARIANCE]
)
SHAPED_BACK = Pattern("Reshape", [NORM, "*"])
DIFFERENCE = Pattern("Sub", [AVERAGE, NORM])
STEP = Pattern("Mul", [DIFFERENCE, DECAY])


@RegisterGradient("FoldFusedBatchNormGrad")
def _(op: Operation, _: Any, g_mean: Tensor, g_variance: Tensor, *others: Any) -> tuple[Any, ...]:
    """The gradient of a batch's statistics alone: the normalized batch is used no more."""
    x = op.inputs[0]
    n = math.cast(array.size(x) / array.size(g_mean), dtypes.float32)
    dx = g_mean / n + 2 * g_variance * (x - op.outputs[1]) / (n - 1)
    return dx, None, None, None, None


def fold_fused(graph: Graph, is_training: bool, freeze_delay: int | None) -> None:
    """Put every fused batch normalization of `graph` behind a layer into that layer's weights.

    Raises ValueError where nobody takes what was normalized.
    """
    for norm in list(_found(graph)):
        scope, slash, _ = norm.layer.name.rpartition("/")
        with name_scope(scope + slash):
            with name_scope(f"{scope}{slash}BatchNorm_Fold{slash}"):
                factor = norm.gamma * math.rsqrt(norm.variance + norm.norm.get_attr("epsilon"))
                bias = math.subtract(norm.beta, norm.mean * factor, name="bias")
                scale = corrections("", norm, freeze_delay) if is_training else None
                by_weights = scale[0] if scale else None
                if norm.layer.type == "DepthwiseConv2dNative":
                    shape = norm.weights.get_shape().as_list()[2:4]
                    factor = array.reshape(factor, shape, name="scale_reshape")
                    if scale:
                        by_weights = array.reshape(by_weights, shape, name="correction_reshape")
            weights = norm.weights
            if scale:
                weights = math.multiply(by_weights, weights, name="correction_mult")
            weights = math.multiply(weights, factor, name="mul_fold")
            output = _layer_with(norm, weights)
            if scale:
                output = math.multiply(scale[1], output, name="post_conv_mul")
                output = math.add(output, scale[2], "correction_add")
            output = math.add(output, bias, name="add_fold")
            if not reroute_ts([output], [norm.output]):
                raise ValueError(f"Folding batch norms failed, {norm.output.name} had no outputs.")


def _found(graph: Graph) -> Iterator[Normalized]:
    """The fused normalizations behind layers, each layer once."""
    layers: set[Operation] = set()
    for match in list(matches(OneOf(SHAPED_BACK, NORM), graph)):
        norm = _described(match, graph)
        if norm is not None and norm.layer not in layers:
            layers.add(norm.layer)
            yield norm


def _described(match: Match, graph: Graph) -> Normalized | None:
    """The normalization of a match; None where nobody takes its output, or a matrix product keeps the shape of images."""
    layer, op = op_of(match, LAYER), op_of(match, NORM)
    output = op.outputs[0]
    if layer.type == "MatMul":
        shaped = op_of(match, SHAPED_BACK)
        if shaped is None:
            return None
        output = shaped.outputs[0]
    if not output.consumers():
        return None
    norm = Normalized(
        gamma=tensor_of(match, GAMMA),
        beta=tensor_of(match, BETA),
        mean=tensor_of(match, MEAN),
        variance=tensor_of(match, VARIANCE),
        epsilon=op.get_attr("epsilon"),
        layer=layer,
        norm=op,
        batch_to_space=op_of(match, TO_SPACE),
        input=tensor_of(match, INPUT),
        weights=tensor_of(match, WEIGHTS),
        output=output,
    )
    if op.get_attr("is_training"):
        op._set_attr("_gradient_op_type", "FoldFusedBatchNormGrad")
        norm.mean = op.outputs[1]
        with name_scope(op.name.rpartition("/")[0] + "/"):
            n = math.cast(array.size(tensor_of(match, LAYER)) / array.size(norm.mean), dtypes.float32)
            norm.variance = math.multiply(op.outputs[2], (n - 1) / n, name="Undo_Bessel_Correction")
        _find_averages(norm, graph)
    return norm


def _find_averages(norm: Normalized, graph: Graph) -> None:
    """Set the moving averages of `norm`, and how fast they move, from the operations that move them."""
    decays: dict[int, Tensor | None] = {}
    for match in matches(STEP, graph):
        average, batch = op_of(match, DIFFERENCE).inputs
        if batch.op is norm.norm:
            decays[batch.value_index] = tensor_of(match, DECAY)
            if batch.value_index == 1:
                norm.moving_mean = average
            elif batch.value_index == 2:
                norm.moving_variance = average
    norm.decays = (decays.get(1), decays.get(2))


def _layer_with(norm: Normalized, weights: Tensor) -> Tensor:
    """The output of a copy of the layer with other weights, in the current scope. TypeError for a layer of another type."""
    op, x = norm.layer, norm.input
    name = op.name.rpartition("/")[2] + "_Fold"
    output = copied(op, x, weights, name)
    if norm.batch_to_space is not None:
        _, shape, crops = norm.batch_to_space.inputs
        output = batch_to_space_nd(output, shape, crops, name=norm.batch_to_space.name.rpartition("/")[2] + "_Fold")
    return output


def copied(op: Operation, x: Tensor, weights: Tensor, name: str) -> Tensor:
    """The output of a copy of a layer with other inputs. TypeError for a layer of another type."""
    if op.type == "Conv2D":
        return conv2d(
            x,
            weights,
            strides=op.get_attr("strides"),
            padding=op.get_attr("padding"),
            use_cudnn_on_gpu=op.get_attr("use_cudnn_on_gpu"),
            data_format=op.get_attr("data_format").decode(),
            name=name,
        )
    if op.type == "DepthwiseConv2dNative":
        return depthwise_conv2d(x, weights, strides=op.get_attr("strides"), padding=op.get_attr("padding"), name=name)
    if op.type == "MatMul":
        return math.matmul(
            x, weights, transpose_a=op.get_attr("transpose_a"), transpose_b=op.get_attr("transpose_b"), name=name
        )
    raise TypeError(f"Unsupported operation type: {op.type}")
