"""Fake quantization behind weights, biases, activations and additions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg._src.contrib.graph_editor.reroute import reroute_ts
from thalweg._src.contrib.quantize.consumers import Consumers, quantization_step
from thalweg._src.contrib.quantize.layers import ACTIVATIONS, RELUS, Layer, layers_to_quantize
from thalweg._src.contrib.quantize.ranges import last_value_quantize, moving_average_quantize
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops import math
from thalweg._src.ops.control.control_flow import cond

FAKE_QUANTS = frozenset({"FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVarsPerChannel"})
SUMS_AND_PRODUCTS = frozenset({"Add", "AddV2", "Mul"})
TRANSPARENT = frozenset({"Reshape", "Identity", "BatchToSpaceND", "SpaceToBatchND", "MaxPool", "Max"})


@dataclass
class Quantizer:
    """Puts fake quantization into one graph. `scope` ends with a slash; only operations below it are touched."""

    graph: Graph
    is_training: bool
    weight_bits: int = 8
    activation_bits: int = 8
    symmetric: bool = False
    delay: int | None = None
    scope: str | None = None
    decay: float = 0.999

    def quantize(self) -> None:
        """Quantize all layers, and then sums and products of what is quantized."""
        consumers, done = Consumers(self.graph), set[Operation]()
        for layer in layers_to_quantize(self.graph):
            self._layer(layer, consumers, done)
        self._sums(done)

    def _layer(self, found: Layer, consumers: Consumers, done: set[Operation]) -> None:
        context = outer(found.layer.name)
        if found.weights is not None:
            weights = found.weights.op
            self._insert(
                joined(context, "weights_quant"), weights, consumers.of(weights), weights=True, everywhere=True
            )
        if found.activation is not None:
            name = joined(outer(context) if found.bypass else context, "act_quant")
            self._insert(name, found.activation, consumers.of(found.activation), low=0.0)
            done.add(found.activation)
        if found.bypass is not None:
            self._insert(joined(context, "conv_quant"), found.bias, consumers.of(found.bias), inside=True)
            done.add(found.bias)
            # TensorFlow names this one by the scope of the activation's quantization.
            takers = consumers.of(found.bypass)
            if _activated(takers, ACTIVATIONS):
                log.info("Skipping %s, because its followed by an activation.", found.bypass.name)
            else:
                self._insert(joined(outer(context), "add_quant"), found.bypass, takers, inside=True)
                done.add(found.bypass)
        if found.bypass_behind is not None:
            takers = consumers.of(found.bypass_behind)
            if _activated(takers, RELUS):
                log.info("Skipping %s, because its followed by an activation.", found.bypass_behind.name)
            else:
                name = joined(outer(found.bypass_behind.name), "post_activation_bypass_quant")
                self._insert(name, found.bypass_behind, takers)
                done.add(found.bypass_behind)

    def _sums(self, done: set[Operation]) -> None:
        consumers = Consumers(self.graph)
        for op in self.graph.get_operations():
            if _of_quantized(op, done):
                log.info("Inserting fake quant op activation_%s_quant after %s", op.type, op.name)
                self._insert(joined(op.name, f"activation_{op.type}_quant"), op, consumers.of(op), symmetric=False)

    def _insert(
        self,
        name: str,
        producer: Operation,
        takers: Sequence[Operation],
        *,
        low: float = -6.0,
        weights: bool = False,
        everywhere: bool = False,
        inside: bool = False,
        symmetric: bool | None = None,
    ) -> None:
        """Give `takers` the output of `producer` quantized, under `name`.

        `everywhere`: the producer need not be in the scope; `inside` or `weights`: all takers must be. Raises ValueError
        where a taker does not take it.
        """
        if self.scope and not everywhere and not producer.name.startswith(self.scope):
            log.info("%s: %s is not in scope %s", name, producer.name, self.scope)
            return
        if self.scope and (inside or weights) and any(not taker.name.startswith(self.scope) for taker in takers):
            log.info("%s: not all that take %s are in scope %s", name, producer.name, self.scope)
            return
        inputs = producer.outputs[0]
        if followed_by_fake_quant(inputs):
            return
        current = self.graph.get_name_scope()
        name = name.removeprefix(f"{current}/") if current else name
        symmetric = self.symmetric if symmetric is None else symmetric
        if weights:
            quantized = last_value_quantize(
                inputs,
                is_training=self.is_training,
                num_bits=self.weight_bits,
                symmetric=symmetric,
                narrow_range=True,
                vars_collection=GraphKeys.GLOBAL_VARIABLES,
                name_prefix=name,
            )
        else:
            quantized = moving_average_quantize(
                inputs,
                init_min=low,
                ema_decay=self.decay,
                is_training=self.is_training,
                num_bits=self.activation_bits,
                symmetric=symmetric,
                vars_collection=GraphKeys.GLOBAL_VARIABLES,
                name_prefix=name,
            )
        if self.delay and self.delay > 0:
            due = math.greater_equal(quantization_step(), self.delay, name=f"{name}/activate_quant")
            quantized = cond(due, lambda: quantized, lambda: inputs, name=f"{name}/delayed_quant")
        if takers and reroute_ts([quantized], [inputs], can_modify=list(takers)) < len(takers):
            raise ValueError(f"No inputs quantized for ops: [{', '.join(taker.name for taker in takers)}]")


def outer(name: str) -> str:
    """The scope that an operation or scope is in."""
    found = re.search("^(.*)/([^/]+)", name)
    return found.group(1) if found else ""


def joined(context: str, name: str) -> str:
    """`name` in the scope `context`."""
    return f"{context}/{name}" if context else name


def _activated(takers: Sequence[Operation], types: frozenset[str]) -> bool:
    return any(taker.type in types for taker in takers)


def followed_by_fake_quant(tensor: Tensor) -> bool:
    """Whether `tensor` goes into fake quantization already, itself or reshaped."""
    takers = list(tensor.consumers())
    while takers:
        taker = takers.pop()
        if taker.type in FAKE_QUANTS:
            return True
        if taker.type in ("Reshape", "Identity"):
            takers.extend(c for output in taker.outputs for c in output.consumers())
    return False


def _of_quantized(op: Operation, done: set[Operation]) -> bool:
    """Whether `op` is a sum or product, not quantized and with no activation behind it, of something quantized."""
    if op in done or op.type not in SUMS_AND_PRODUCTS:
        return False
    takers = op.outputs[0].consumers()
    if len(takers) == 1 and takers[0].type in RELUS:
        return False
    for taken in op.inputs:
        source = taken.op
        while source.type in TRANSPARENT:
            source = source.inputs[0].op
        if source.type == "FakeQuantWithMinMaxVars" or source.name.find("delayed_quant/Merge") > 0:
            return True
        if source.type in SUMS_AND_PRODUCTS and any(_of_quantized(t.op, done) for t in source.inputs):
            return True
    return False
