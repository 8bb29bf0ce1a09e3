"""tf.contrib.quantize: a graph is rewritten in place, for training or for evaluation and export."""

from __future__ import annotations

from thalweg._src.contrib.quantize.folding import fold_fused
from thalweg._src.contrib.quantize.inserting import Quantizer
from thalweg._src.contrib.quantize.unfused import fold_unfused
from thalweg._src.core.graph import Graph, get_default_graph


def _rewrite(
    graph: Graph | None,
    is_training: bool,
    *,
    weight_bits: int = 8,
    activation_bits: int = 8,
    symmetric: bool = False,
    delay: int | None = None,
    freeze_delay: int | None = None,
    scope: str | None = None,
) -> None:
    """Fold batch normalizations into weights, and quantize. ValueError for a graph that has training ops."""
    graph = graph or get_default_graph()
    training = sorted({op.type for op in graph.get_operations() if "Apply" in op.type})
    if training:
        raise ValueError(f"Training op found in graph, exiting {training}")
    if scope and not scope.endswith("/"):
        scope += "/"
    with graph.as_default():
        fold_fused(graph, is_training, freeze_delay)
        fold_unfused(graph, is_training, freeze_delay)
        Quantizer(graph, is_training, weight_bits, activation_bits, symmetric, delay, scope).quantize()


def create_training_graph(input_graph: Graph | None = None, quant_delay: int = 0) -> None:
    """Round weights and activations of the graph as 8 bits would, after `quant_delay` steps; gradients pass through.

    To be called before the optimizer. Raises ValueError for a graph that has training ops.
    """
    _rewrite(input_graph, True, delay=quant_delay)


def create_eval_graph(input_graph: Graph | None = None) -> None:
    """The same for a graph that is evaluated or exported: ranges are those that training left."""
    _rewrite(input_graph, False)


def experimental_create_training_graph(
    input_graph: Graph | None = None,
    weight_bits: int = 8,
    activation_bits: int = 8,
    symmetric: bool = False,
    quant_delay: int = 0,
    freeze_bn_delay: int | None = None,
    scope: str | None = None,
) -> None:
    """`create_training_graph` with other numbers of bits, ranges around 0, frozen averages, or in one scope only."""
    _rewrite(
        input_graph,
        True,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        symmetric=symmetric,
        delay=quant_delay,
        freeze_delay=freeze_bn_delay,
        scope=scope,
    )


def experimental_create_eval_graph(
    input_graph: Graph | None = None,
    weight_bits: int = 8,
    activation_bits: int = 8,
    symmetric: bool = False,
    quant_delay: int | None = None,
    scope: str | None = None,
) -> None:
    """`create_eval_graph` with other numbers of bits, ranges around 0, or in one scope only."""
    _rewrite(
        input_graph,
        False,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        symmetric=symmetric,
        delay=quant_delay,
        scope=scope,
    )
