"""Quantization simulated in floats, for training: fake_quant_with_min_max_* and quantize_and_dequantize."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.apply import check, xp
from thalweg._src.core.dtypes import FLOATS, float32, int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.infer import same_shape
from thalweg._src.core.opdef import Enum, Outputs, op, type_attr

T = type_attr("T", FLOATS)


def _nudged(low: Any, high: Any, bits: int, narrow: bool) -> tuple[Any, Any, Any]:
    """The range moved a little so that zero is one of the quantized values, and the width of a step."""
    lib = xp(low, high)
    one = np.float32
    q_low, q_high = one(1 if narrow else 0), one(2**bits - 1)
    scale = (high - low) / (q_high - q_low)
    zero = q_low - low / scale
    zero = lib.clip(lib.floor(zero + one(0.5)), q_low, q_high)
    return (q_low - zero) * scale, (q_high - zero) * scale, scale


def _quantized(x: Any, low: Any, high: Any, scale: Any) -> Any:
    lib = xp(x, low)
    inside = lib.maximum(lib.minimum(x, high), low) - low
    return lib.floor(inside * (np.float32(1) / scale) + np.float32(0.5)) * scale + low


def _check_bits(bits: int) -> None:
    if not 2 <= bits <= 16:
        raise ValueError(f"num_bits must be between 2 and 16, inclusive, is: {bits}")


# -- a fixed range


def _fixed(op_min: float, op_max: float, bits: int, narrow: bool) -> Any:
    _check_bits(bits)
    if not op_min < op_max:
        raise ValueError(f"min has to be smaller than max, was: {op_min} >= {op_max}")
    return _nudged(np.float32(op_min), np.float32(op_max), bits, narrow)


@op("FakeQuantWithMinMaxArgs")
def _fake_quant_args(
    inputs: float32, *, min: float = -6.0, max: float = 6.0, num_bits: int = 8, narrow_range: bool = False
) -> float32:
    """`inputs` rounded to the quantized values of a fixed range."""
    return _quantized(inputs, *_fixed(min, max, num_bits, narrow_range))


@op("FakeQuantWithMinMaxArgsGradient")
def _fake_quant_args_gradient(
    gradients: float32,
    inputs: float32,
    *,
    min: float = -6.0,
    max: float = 6.0,
    num_bits: int = 8,
    narrow_range: bool = False,
) -> float32:
    """`gradients` where `inputs` are in the range."""
    low, high, _ = _fixed(min, max, num_bits, narrow_range)
    return gradients * ((inputs >= low) & (inputs <= high)).astype(np.float32)


_fake_quant_args.shape_rule(same_shape)
_fake_quant_args_gradient.shape_rule(same_shape)


@_fake_quant_args.grad
def _(op, g):
    attrs = {k: op.attrs[k] for k in ("min", "max", "num_bits", "narrow_range")}
    return _fake_quant_args_gradient(g, op.inputs[0], **attrs)


def fake_quant_with_min_max_args(
    inputs: Any, min: float = -6, max: float = 6, num_bits: int = 8, narrow_range: bool = False, name: str | None = None
) -> Tensor:
    """`inputs` rounded to the 2^`num_bits` values of the range [`min`, `max`], which is moved so that it holds zero."""
    return _fake_quant_args(inputs, min=min, max=max, num_bits=num_bits, narrow_range=narrow_range, name=name)


def fake_quant_with_min_max_args_gradient(
    gradients: Any,
    inputs: Any,
    min: float = -6,
    max: float = 6,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Tensor:
    """The gradient of `fake_quant_with_min_max_args`: `gradients` where `inputs` are in the range."""
    attrs = {"min": min, "max": max, "num_bits": num_bits, "narrow_range": narrow_range}
    return _fake_quant_args_gradient(gradients, inputs, **attrs, name=name)


# -- ranges that are learned


def _by_range(inputs: Any, low: Any, high: Any, bits: int, narrow: bool) -> Any:
    """Where both ends are zero nothing but zero is in the range."""
    _check_bits(bits)
    lib = xp(inputs, low, high)
    none = (low == 0) & (high == 0)
    nudged = _nudged(lib.where(none, np.float32(-1), low), lib.where(none, np.float32(1), high), bits, narrow)
    return none, nudged, lib


def _fake_quant(inputs: Any, low: Any, high: Any, bits: int, narrow: bool) -> Any:
    none, nudged, lib = _by_range(inputs, low, high, bits, narrow)
    return lib.where(none, np.float32(0), _quantized(inputs, *nudged)).astype(np.float32)


def _fake_quant_gradients(gradients: Any, inputs: Any, low: Any, high: Any, bits: int, narrow: bool, axes: Any) -> Any:
    none, (first, last, _), _ = _by_range(inputs, low, high, bits, narrow)
    lib = xp(gradients, inputs, low, high)
    below, above = inputs < first, inputs > last
    zero = np.float32(0)
    back = lib.where(none, gradients, lib.where(below | above, zero, gradients))
    to_low = lib.where(none, zero, lib.where(below, gradients, zero).sum(axes))
    to_high = lib.where(none, zero, lib.where(above, gradients, zero).sum(axes))
    return back, to_low, to_high


@op("FakeQuantWithMinMaxVars")
def fake_quant_with_min_max_vars(
    inputs: float32, min: float32, max: float32, *, num_bits: int = 8, narrow_range: bool = False
) -> float32:
    """`inputs` rounded to the 2^`num_bits` values of the range [`min`, `max`], which is moved so that it holds zero.

    Gradients go to `min` and `max` from the entries outside.
    """
    return _fake_quant(inputs, min, max, num_bits, narrow_range)


@op("FakeQuantWithMinMaxVarsGradient")
def fake_quant_with_min_max_vars_gradient(
    gradients: float32, inputs: float32, min: float32, max: float32, *, num_bits: int = 8, narrow_range: bool = False
) -> Outputs(backprops_wrt_input=float32, backprop_wrt_min=float32, backprop_wrt_max=float32):
    """The gradients of `fake_quant_with_min_max_vars`, for inputs, min and max."""
    return _fake_quant_gradients(gradients, inputs, min, max, num_bits, narrow_range, None)


@op("FakeQuantWithMinMaxVarsPerChannel")
def fake_quant_with_min_max_vars_per_channel(
    inputs: float32, min: float32, max: float32, *, num_bits: int = 8, narrow_range: bool = False
) -> float32:
    """As `fake_quant_with_min_max_vars`, with a range for each entry of the last axis."""
    return _fake_quant(inputs, min, max, num_bits, narrow_range)


@op("FakeQuantWithMinMaxVarsPerChannelGradient")
def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients: float32, inputs: float32, min: float32, max: float32, *, num_bits: int = 8, narrow_range: bool = False
) -> Outputs(backprops_wrt_input=float32, backprop_wrt_min=float32, backprop_wrt_max=float32):
    """The gradients of `fake_quant_with_min_max_vars_per_channel`, for inputs, min and max."""
    axes = tuple(range(inputs.ndim - 1))
    return _fake_quant_gradients(gradients, inputs, min, max, num_bits, narrow_range, axes)


def _range_rule(rank):
    def rule(op):
        n = len(op.inputs)
        x = op.inputs[0].dims if n == 3 else shapes.merged(op.inputs[0].dims, op.inputs[1].dims)
        low, high = (shapes.of_rank(t.dims, rank) for t in op.inputs[n - 2 :])
        if rank:
            shapes.of_rank_at_least(x, 1)
            size = shapes.one_size(low[0], high[0])
            if x is not None:
                size = shapes.one_size(size, x[-1])
                x = (*x[:-1], size)
            low = (size,)
        return [x] if n == 3 else [x, low, low]

    return rule


def _range_gradient(gradient):
    def back(op, g):
        return gradient(g, *op.inputs, num_bits=op.attrs["num_bits"], narrow_range=op.attrs["narrow_range"])

    return back


for _forward, _backward, _n in (
    (fake_quant_with_min_max_vars, fake_quant_with_min_max_vars_gradient, 0),
    (fake_quant_with_min_max_vars_per_channel, fake_quant_with_min_max_vars_per_channel_gradient, 1),
):
    _forward.shape_rule(_range_rule(_n))
    _backward.shape_rule(_range_rule(_n))
    _forward.grad(_range_gradient(_backward))


# -- quantize and dequantize

ROUND = Enum("HALF_TO_EVEN", "HALF_UP")


def _there_and_back(x: Any, low: Any, high: Any, bits: Any, signed: bool, given: bool, mode: str, narrow: bool) -> Any:
    lib = xp(x, low, high, bits)
    kind = x.dtype
    if not given:
        low, high = x.min(), x.max()
    q_low: Any = -(2.0 ** (bits - 1)) + narrow if signed else 0.0
    q_high: Any = 2.0 ** (bits - 1) - 1 if signed else 2.0**bits - 1
    wide = np.float64 if kind == np.float64 else np.float32
    low, high = lib.asarray(low, wide), lib.asarray(high, wide)
    q_low, q_high = lib.asarray(q_low, wide), lib.asarray(q_high, wide)
    most = np.finfo(wide).max
    from_low = lib.where(q_low * low > 0, q_low / lib.where(low == 0, wide(1), low), most)
    from_high = lib.where(q_high * high > 0, q_high / lib.where(high == 0, wide(1), high), most)
    by_low = from_low < from_high
    scale = lib.where(by_low, from_low, from_high)
    step = lib.where(by_low, low / lib.where(q_low == 0, wide(1), q_low), high / q_high)
    wide_x = x.astype(wide)
    if given:
        wide_x = lib.clip(wide_x, lib.where(by_low, low, q_low * step), lib.where(by_low, q_high * step, high))
    scaled = wide_x * scale
    rounded = lib.round(scaled) if mode == "HALF_TO_EVEN" else lib.floor(scaled + wide(0.5))
    return (rounded * step).astype(kind)


@op("QuantizeAndDequantize")
def _quantize_and_dequantize_1(
    input: T,
    *,
    signed_input: bool = True,
    num_bits: int = 8,
    range_given: bool = False,
    input_min: float = 0.0,
    input_max: float = 0.0,
) -> T:
    """The first form of QuantizeAndDequantizeV2, with the range as attrs."""
    return _there_and_back(
        input, input_min, input_max, num_bits, signed_input, range_given, "HALF_TO_EVEN", narrow=False
    )


@op("QuantizeAndDequantizeV2")
def _quantize_and_dequantize(
    input: T,
    input_min: T,
    input_max: T,
    *,
    signed_input: bool = True,
    num_bits: int = 8,
    range_given: bool = False,
    round_mode: ROUND = "HALF_TO_EVEN",
    narrow_range: bool = False,
) -> T:
    """`input` rounded to quantized values."""
    if range_given:
        check(input_min <= input_max, "Invalid range: input_min > input_max")
    return _there_and_back(
        input, input_min, input_max, num_bits, signed_input, range_given, round_mode, narrow=narrow_range
    )


@op("QuantizeAndDequantizeV3")
def quantize_and_dequantize_v3(
    input: T,
    input_min: T,
    input_max: T,
    num_bits: int32,
    *,
    signed_input: bool = True,
    range_given: bool = True,
    narrow_range: bool = False,
) -> T:
    """As QuantizeAndDequantizeV2, with the number of bits as an input."""
    if range_given:
        check(input_min <= input_max, "Invalid range: input_min > input_max")
    bits = xp(num_bits).asarray(num_bits, np.float32)
    return _there_and_back(input, input_min, input_max, bits, signed_input, range_given, "HALF_TO_EVEN", narrow_range)


for _q in (_quantize_and_dequantize_1, _quantize_and_dequantize, quantize_and_dequantize_v3):
    _q.shape_rule(same_shape)
    _q.grad(lambda op, g: [g] + [None] * (len(op.inputs) - 1))


def quantize_and_dequantize(
    input: Any,
    input_min: Any,
    input_max: Any,
    signed_input: bool = True,
    num_bits: int = 8,
    range_given: bool = False,
    round_mode: str = "HALF_TO_EVEN",
    name: str | None = None,
    narrow_range: bool = False,
) -> Tensor:
    """`input` as it comes back from quantization to `num_bits`. The range is that of the input unless `range_given`.

    Gradients pass through. Raises InvalidArgumentError in the run where `input_min` is greater than `input_max`.
    """
    return _quantize_and_dequantize(
        input,
        input_min,
        input_max,
        signed_input=signed_input,
        num_bits=num_bits,
        range_given=range_given,
        round_mode=round_mode,
        narrow_range=narrow_range,
        name=name,
    )
