"""How many float operations a node takes, by TensorFlow 1.15's counting: nodes of other types, and of unknown shapes, count nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

from thalweg._src.core.graph import Operation, Tensor

Sizes = Callable[[Tensor], "tuple[int, ...] | None"]
Rule = Callable[[Operation, "_Inputs", tuple[int, ...]], float]

RULES: dict[str, Rule] = {}


def _rule(*types: str) -> Callable[[Rule], Rule]:
    def add(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(types, rule))
        return rule

    return add


def _per_element(count: int) -> Rule:
    return lambda op, inputs, output: count * math.prod(output)


for _types, _count in (
    (("Reciprocal", "Square", "Log", "Neg", "AssignSub", "AssignAdd", "BiasAdd"), 1),
    (("Add", "Sub", "Mul", "RealDiv", "Maximum", "Minimum", "Pow"), 1),
    (("GreaterEqual", "Greater", "LessEqual", "Less", "Equal", "NotEqual"), 1),
    (("Rsqrt", "SquaredDifference"), 2),
    (("RsqrtGrad",), 4),
    (("Softmax",), 5),
):
    RULES.update(dict.fromkeys(_types, _per_element(_count)))


@_rule("Sum", "ArgMax", "ArgMin", "BiasAddGrad")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    return math.prod(inputs[0]) - math.prod(output)


@_rule("Mean")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    return math.prod(inputs[0])


@_rule("L2Loss")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    return 3 * math.prod(inputs[0]) - 1


@_rule("AddN")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    return math.prod(output) * (len(inputs) - 1)


@_rule("MatMul")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    # Either input tells the inner size; a fed one may be of unknown shape.
    which = 0 if inputs.known(0) else 1
    inner = inputs[which][int(op._attrs["transpose_b"]) if which else int(not op._attrs["transpose_a"])]
    return 2 * math.prod(output) * inner


@_rule("Conv2D")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    return 2 * math.prod(output) * math.prod(inputs[1][:3])


@_rule("DepthwiseConv2dNative")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    return 2 * math.prod(output) * math.prod(inputs[1][:2])


@_rule("Conv2DBackpropInput")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    return 2 * math.prod(output) * math.prod(inputs[1]) / (output[-1] * math.prod(op._attrs["strides"][1:3]))


@_rule("Conv2DBackpropFilter")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    image = inputs[0]
    return 2 * math.prod(image) * math.prod(output) / (image[-1] * math.prod(op._attrs["strides"][1:3]))


@_rule("AvgPool", "MaxPool")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    return math.prod(op._attrs["ksize"]) * math.prod(output)


@_rule("AvgPoolGrad")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    return 2 * math.prod(op._attrs["ksize"]) * math.prod(inputs[1])


@_rule("MaxPoolGrad")
def _(op: Operation, inputs: _Inputs, output: tuple[int, ...]) -> float:
    return (math.prod(op._attrs["ksize"]) + 1) * math.prod(inputs[1])


class _UnknownShape(Exception):
    """A rule has asked for the shape of an input that has none."""


class _Inputs:
    """The shapes of the inputs; asking for one that is not known raises _UnknownShape."""

    def __init__(self, shapes: list[tuple[int, ...] | None]):
        self._shapes = shapes

    def known(self, i: int) -> bool:
        return self._shapes[i] is not None

    def __getitem__(self, i: int) -> tuple[int, ...]:
        shape = self._shapes[i]
        if shape is None:
            raise _UnknownShape
        return shape

    def __len__(self) -> int:
        return len(self._shapes)


def float_ops(op: Operation, size: Sizes) -> int:
    """The float operations of `op`; `size` tells the shape of a tensor, None where it is not known."""
    rule = RULES.get(op.type)
    if rule is None or not op.outputs or op._attrs.get("data_format", "NHWC") not in ("NHWC", b"NHWC"):
        return 0
    output = size(op.outputs[0])
    if output is None:
        return 0
    try:
        return int(rule(op, _Inputs([size(t) for t in op.inputs]), output))
    except _UnknownShape:
        return 0
