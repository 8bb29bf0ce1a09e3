"""The layers of a graph that are quantized: weights, what is added, the activation, and additions around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from thalweg._src.contrib.quantize.patterns import Match, OneOf, Pattern, matches, op_of, tensor_of
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.lib.platform import logging as log

LAYERS = "Conv2D|MatMul|DepthwiseConv2dNative"
ADD = "Add|AddV2"
ACTIVATIONS = frozenset({"Relu", "Relu6", "Identity"})
RELUS = frozenset({"Relu", "Relu6"})

VARIABLE = Pattern("Variable|VariableV2")
PART = Pattern("Identity", [VARIABLE])
READ = Pattern("Identity", [OneOf(PART, Pattern("ConcatV2", [PART, "*", "*"]), VARIABLE)])
READ_RESOURCE = Pattern("ReadVariableOp")
FOLDED = Pattern("Mul")
LAYER = Pattern(LAYERS, ["*", OneOf(READ, READ_RESOURCE, FOLDED)], ordered=False)
OUTPUT = OneOf(Pattern("BatchToSpaceND", [LAYER, "*", "*"]), LAYER)
SEPARABLE = Pattern(LAYERS, [OUTPUT, "*"], ordered=False)
UNDONE = Pattern(ADD, [Pattern("Mul", ["*", OUTPUT], ordered=False), "*"], ordered=False)
FOLDED_BIAS = Pattern(ADD, [UNDONE, "*"], ordered=False)
NORMALIZED = Pattern("Identity", [FOLDED_BIAS])
BIAS = Pattern(f"{ADD}|BiasAdd", [OUTPUT, "*"], ordered=False)
BYPASS = Pattern(ADD, [OneOf(BIAS, FOLDED_BIAS, NORMALIZED), "*"], ordered=False)
ACTIVATION = Pattern("Relu|Relu6|Identity", [OneOf(BIAS, FOLDED_BIAS, NORMALIZED, BYPASS, LAYER)])
BYPASS_BEHIND = Pattern(ADD, ["*", ACTIVATION], ordered=False)


@dataclass
class Layer:
    """The operations of one layer. `bypass`: an addition before the activation; `bypass_behind`: one after it."""

    layer: Operation
    weights: Tensor | None
    activation: Operation | None
    bypass: Operation | None = None
    bypass_behind: Operation | None = None
    bias: Operation | None = None


def layers_to_quantize(graph: Graph) -> list[Layer]:
    """The layers of `graph`, each once: those with most around them first."""
    found: dict[Operation, Layer] = {}
    for layer in _all(graph):
        found.setdefault(layer.layer, layer)
    return list(found.values())


def _all(graph: Graph) -> Iterator[Layer]:
    for match in matches(BYPASS_BEHIND, graph):
        yield _whole(match)
    for match in matches(ACTIVATION, graph):
        if not _feeds_norm(match[ACTIVATION][0]):
            yield _whole(match)
    for match in matches(OneOf(BIAS, FOLDED_BIAS), graph):
        yield Layer(match[LAYER][0], _weights(match), op_of(match, BIAS, FOLDED_BIAS))
    for match in matches(SEPARABLE, graph):
        layer = match[LAYER][0]
        yield Layer(layer, tensor_of(match, READ, READ_RESOURCE), layer)


def _weights(match: Match) -> Tensor | None:
    return tensor_of(match, READ, READ_RESOURCE, FOLDED)


def _whole(match: Match) -> Layer:
    return Layer(
        match[LAYER][0],
        _weights(match),
        op_of(match, ACTIVATION),
        op_of(match, BYPASS),
        op_of(match, BYPASS_BEHIND),
        op_of(match, BIAS, FOLDED_BIAS),
    )


def _feeds_norm(activation: Operation) -> bool:
    """Whether it is the identity between a layer and a batch normalization that is not folded."""
    if activation.type != "Identity":
        return False
    takers = activation.outputs[0].consumers()
    if len(takers) == 1 and takers[0].type in ("FusedBatchNorm", "FusedBatchNormV3"):
        log.info("Not quantized: %s, which a batch normalization takes.", activation.name)
        return True
    return False
