"""Tensors of quantized types: quantize, dequantize, quantized_concat."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.apply import check, xp
from thalweg._src.core.dtypes import QUANTIZED, float32, int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Enum, Many, Outputs, Static, op, type_attr

Q = type_attr("T", QUANTIZED)
MODE = Enum("MIN_COMBINED", "MIN_FIRST", "SCALED")
ROUND = Enum("HALF_AWAY_FROM_ZERO", "HALF_TO_EVEN")


def limits(numpy: Any) -> tuple[Any, Any]:
    """The smallest and the largest number of an integer type."""
    info = np.iinfo(numpy)
    return np.float64(info.min), np.float64(info.max)


def half_away(x: Any) -> Any:
    """`x` rounded to integers, halves away from zero."""
    lib = xp(x)
    return lib.sign(x) * lib.floor(lib.abs(x) + 0.5)


@op("QuantizeV2")
def _quantize(
    input: float32,
    min_range: float32,
    max_range: float32,
    *,
    T: Q,
    mode: MODE = "MIN_COMBINED",
    round_mode: ROUND = "HALF_AWAY_FROM_ZERO",
) -> Outputs(output=Q, output_min=float32, output_max=float32):
    """`input` as integers, and the range that they stand for."""
    if round_mode == "HALF_TO_EVEN" and mode != "SCALED":
        raise ValueError(f"Round mode 'HALF_TO_EVEN' only supported for mode 'SCALED', but mode is '{mode}'.")
    lib = xp(input, min_range, max_range)
    check(~(max_range < min_range), "input_max_range must be larger than input_min_range.")
    f = np.float32
    low = lib.minimum(f(0), min_range)
    epsilon = lib.maximum(f(1), lib.maximum(lib.abs(min_range), lib.abs(max_range))) / f(100)
    high = lib.maximum(lib.maximum(max_range, low + epsilon), f(0))
    kind = T._as_numpy
    q_low, q_high = limits(kind)
    if mode == "MIN_COMBINED":
        scale = (f(q_high - q_low) / (high - low)).astype(f)
        scaled = (lib.clip(input, low, high) - low) * scale
        half = f((q_high - q_low + 1) / 2) if q_low < 0 else f(0)
        out = half_away(scaled - half) if q_low < 0 else lib.floor(scaled + f(0.5))
    elif mode == "MIN_FIRST":
        steps = 2.0 ** (np.dtype(kind).itemsize * 8)
        scale = steps / ((high - low).astype(np.float64) * (steps / (steps - 1)))
        out = half_away(input.astype(np.float64) * scale) - half_away(low.astype(np.float64) * scale) + q_low
        out = lib.clip(out, q_low, q_high)
    else:
        most = np.finfo(f).max
        from_low = lib.where(q_low * low > 0, f(q_low) / lib.where(low == 0, f(1), low), most)
        from_high = lib.where(q_high * high > 0, f(q_high) / lib.where(high == 0, f(1), high), most)
        scale = lib.minimum(from_low, from_high)
        low, high = f(q_low) / scale, f(q_high) / scale
        scaled = lib.clip(input, low, high) * scale
        out = lib.round(scaled) if round_mode == "HALF_TO_EVEN" else half_away(scaled)
    return lib.clip(out.astype(np.float64), q_low, q_high).astype(kind), low, high


@op("Dequantize")
def _dequantize(input: Q, min_range: float32, max_range: float32, *, mode: MODE = "MIN_COMBINED") -> float32:
    """The floats that quantized integers stand for."""
    lib = xp(input, min_range, max_range)
    f = np.float32
    q_low, q_high = limits(input.dtype)
    if mode == "MIN_COMBINED":
        half = f((q_high - q_low + 1) / 2) if q_low < 0 else f(0)
        return (input.astype(f) + half) * ((max_range - min_range) / f(q_high - q_low)) + min_range
    if mode == "SCALED":
        scale = max_range / f(q_high)
        if q_low < 0:
            scale = lib.maximum(min_range / f(q_low), scale)
        return input.astype(f) * scale
    d = np.float64
    steps = 2.0 ** (np.dtype(input.dtype).itemsize * 8)
    scale = (max_range - min_range).astype(d) * (steps / (steps - 1)) / steps
    step = scale.astype(f)
    first = half_away(min_range / step) * step
    return (first.astype(d) + (input.astype(d) - q_low) * scale).astype(f)


_quantize.shape_rule(lambda op: [op.inputs[0].dims, (), ()])
_dequantize.shape_rule(lambda op: [op.inputs[0].dims])


def quantize(
    input: Any,
    min_range: Any,
    max_range: Any,
    T: Any,
    mode: str = "MIN_COMBINED",
    round_mode: str = "HALF_AWAY_FROM_ZERO",
    name: str | None = None,
) -> Any:
    """(output, output_min, output_max): floats as integers of the quantized type `T`, and the range they stand for."""
    return _quantize(input, min_range, max_range, T=dtypes.as_dtype(T), mode=mode, round_mode=round_mode, name=name)


def quantize_v2(
    input: Any,
    min_range: Any,
    max_range: Any,
    T: Any,
    mode: str = "MIN_COMBINED",
    name: str | None = None,
    round_mode: str = "HALF_AWAY_FROM_ZERO",
) -> Any:
    """As `tf.quantization.quantize`, with another order of arguments."""
    return quantize(input, min_range, max_range, T, mode, round_mode, name)


def dequantize(
    input: Any, min_range: Any, max_range: Any, mode: str = "MIN_COMBINED", name: str | None = None
) -> Tensor:
    """The floats that integers of a quantized type stand for, whose range is [`min_range`, `max_range`]."""
    return _dequantize(input, min_range, max_range, mode=mode, name=name)


# -- concat


@op("QuantizedConcat")
def _quantized_concat(
    concat_dim: Static(int32),
    values: Many(type_attr("T"), "N", 2),
    input_mins: Many(float32, "N"),
    input_maxes: Many(float32, "N"),
) -> Outputs(output=type_attr("T"), output_min=float32, output_max=float32):
    """Quantized tensors one after the other, brought to one range."""
    lib = xp(*values, *input_mins)
    kind = values[0].dtype
    q_low, q_high = limits(kind)
    low, high = lib.min(lib.stack(input_mins)), lib.max(lib.stack(input_maxes))
    if q_low < 0:
        high = lib.maximum(high, -low)
        low = -high
    else:
        low = lib.minimum(low, np.float32(0))
    steps = 2.0 ** (np.dtype(kind).itemsize * 8)
    out = []
    for v, a, b in zip(values, input_mins, input_maxes, strict=True):
        real = _dequantize.fn(v, a, b, mode="MIN_FIRST")
        scale = (np.float32(steps - 1) / (high - low)).astype(np.float32)
        q = half_away(real * scale) - (half_away(low * scale) - np.float32(q_low))
        same = (a == low) & (b == high)
        out.append(lib.where(same, v, lib.clip(q, q_low, q_high).astype(kind)))
    return lib.concatenate(out, axis=int(concat_dim)), low, high


def quantized_concat(concat_dim: Any, values: Any, input_mins: Any, input_maxes: Any, name: str | None = None) -> Any:
    """(output, output_min, output_max): quantized tensors one after the other along `concat_dim`, in one range."""
    return _quantized_concat(concat_dim, values, input_mins, input_maxes, name=name)
