"""What makes a batch normalization with moving averages behave, in training, as one with the batch's statistics.

Weights are scaled by the moving averages, so that rounding sees what inference will see; the layer's output is scaled
back and moved (arXiv 1806.08342, section 3.2.2). From `freeze_delay` steps on the averages stay and nothing is undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thalweg._src.contrib.graph_editor.reroute import reroute_ts
from thalweg._src.contrib.quantize.consumers import quantization_step
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.control.control_flow import smart_cond


@dataclass
class Normalized:
    """A layer and the batch normalization behind it: the tensors that folding needs."""

    gamma: Tensor
    mean: Tensor | None
    variance: Tensor | None
    epsilon: Any
    moving_mean: Tensor | None = None
    moving_variance: Tensor | None = None
    decays: tuple[Tensor | None, Tensor | None] = (None, None)
    layer: Operation | None = None
    batch_to_space: Operation | None = None
    norm: Operation | None = None
    beta: Tensor | None = None
    input: Tensor | None = None
    weights: Tensor | None = None
    output: Tensor | None = None


def corrections(prefix: str, norm: Normalized, freeze_delay: int | None) -> tuple[Tensor, Tensor, Tensor]:
    """The factor for the weights, the factor that undoes it behind the layer, and what is added there."""
    with name_scope(prefix + "batch_norm_correction"):
        of_moving = math.rsqrt(norm.moving_variance + norm.epsilon)
        of_batch = math.rsqrt(norm.variance + norm.epsilon)
        scale = basic.identity(math.divide(of_moving, of_batch, name="scale_compute"), name="correction_scale")
        back = math.reciprocal(scale, name="reciprocal_compute")
        offset = math.multiply(norm.gamma, norm.mean * of_batch - norm.moving_mean * of_moving, name="offset_compute")
        frozen: Any = False
        if freeze_delay is not None:
            frozen = math.greater_equal(quantization_step(), freeze_delay, name="use_moving_average")
        for decay, name in zip(norm.decays, ("freeze_moving_mean", "freeze_moving_var"), strict=True):
            takers = list(dict.fromkeys(decay.consumers()))
            slowed = smart_cond(frozen, lambda: 0.0, lambda decay=decay: decay, name=name)
            if slowed is not decay:
                reroute_ts([slowed], [decay], can_modify=takers)
        back = smart_cond(frozen, lambda: array.ones(scale.shape), lambda: back, name="correction_recip")
        offset = smart_cond(frozen, lambda: offset, lambda: array.zeros(offset.shape), name="correction_offset")
    return scale, back, offset
