"""Fake quantization with ranges that follow the values: those of the last batch, or their moving average."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.moving_averages import assign_moving_average
from thalweg._src.ops import math
from thalweg._src.ops.nets.fake_quantizing import (
    fake_quant_with_min_max_vars,
    fake_quant_with_min_max_vars_per_channel,
)
from thalweg._src.ops.stateful.assigning import assign
from thalweg._src.ops.stateful.initializers import constant_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable, variable_scope
from thalweg._src.ops.stateful.variables import VariableAggregation


def _range(inputs: Tensor, per_channel: bool, num_bits: int, narrow_range: bool, symmetric: bool) -> Any:
    """The smallest and the largest number, of each channel or of all, and 0 between them."""
    axis = list(range(len(inputs.get_shape()) - 1)) if per_channel else None
    if axis == []:
        low = high = inputs
    else:
        low = math.reduce_min(inputs, axis=axis, name="BatchMin")
        high = math.reduce_max(inputs, axis=axis, name="BatchMax")
    if not symmetric:
        return math.minimum(low, 0.0), math.maximum(high, 0.0)
    # All 2^bits steps have one more below zero than above.
    ratio = -1 if narrow_range else -((1 << num_bits) - 2) / (1 << num_bits)
    return math.minimum(low, high / ratio), math.maximum(high, low * ratio)


def _quantized(
    inputs: Tensor,
    per_channel: bool,
    init_min: float,
    init_max: float,
    vars_collection: str | None,
    name_prefix: str,
    reuse: bool | None,
    is_training: bool,
    num_bits: int,
    narrow_range: bool,
    symmetric: bool,
    ema_decay: float | None = None,
) -> Tensor:
    """`inputs` rounded to the range in two variables, which training sets first; averaged where there is an `ema_decay`."""
    with variable_scope(None, default_name=name_prefix, values=[inputs], reuse=reuse) as scope:
        scope.set_partitioner(None)
        shape = inputs.get_shape()
        if per_channel:
            assert len(shape) in (1, 2, 4), f"Expected 1D, 2D or 4D input, was: {shape} in  scope: {name_prefix}"

        def bound(name: str, value: float) -> Any:
            return get_variable(
                name,
                shape=[shape[-1]] if per_channel else [],
                initializer=constant_initializer(value),
                collections=[*([vars_collection] if vars_collection else []), GraphKeys.GLOBAL_VARIABLES],
                trainable=False,
                aggregation=VariableAggregation.MEAN,
            )

        low, high = bound("min", init_min), bound("max", init_max)
        if is_training:
            smallest, largest = _range(inputs, per_channel, num_bits, narrow_range, symmetric)
            if ema_decay is None:
                low = assign(low, smallest, name="AssignMinLast")
                high = assign(high, largest, name="AssignMaxLast")
            else:
                low = assign_moving_average(low, smallest, ema_decay, name="AssignMinEma")
                high = assign_moving_average(high, largest, ema_decay, name="AssignMaxEma")
        rounded = fake_quant_with_min_max_vars_per_channel if per_channel else fake_quant_with_min_max_vars
        return rounded(inputs, low, high, num_bits=num_bits, narrow_range=narrow_range)


def last_value_quantize(
    inputs: Tensor,
    per_channel: bool = False,
    init_min: float = -6.0,
    init_max: float = 6.0,
    vars_collection: str | None = None,
    name_prefix: str = "LastValueQuant",
    reuse: bool | None = None,
    is_training: bool = True,
    num_bits: int = 8,
    narrow_range: bool = False,
    symmetric: bool = False,
) -> Tensor:
    """`inputs` in 2^num_bits steps over the range of the last batch."""
    return _quantized(**locals())


def moving_average_quantize(
    inputs: Tensor,
    per_channel: bool = False,
    init_min: float = -6.0,
    init_max: float = 6.0,
    ema_decay: float = 0.999,
    vars_collection: str | None = GraphKeys.MOVING_AVERAGE_VARIABLES,
    name_prefix: str = "MovingAvgQuantize",
    reuse: bool | None = None,
    is_training: bool = True,
    num_bits: int = 8,
    narrow_range: bool = False,
    symmetric: bool = False,
) -> Tensor:
    """`inputs` in 2^num_bits steps over a moving average of the batches' ranges."""
    return _quantized(**locals())
