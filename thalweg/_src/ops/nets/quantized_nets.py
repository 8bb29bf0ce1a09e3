"""Networks of quantized numbers: convolutions, matrix products, sums, activations and pools of integers that stand for floats.

Each value comes with the range [min, max] that its integers stand for, as in graphs that were rewritten for small machines. Sums of
products are exact: they are kept in float64, whose 53 bits hold all that int32 does.
"""

from typing import Any

import numpy as np

from thalweg._src.core.apply import check, xp
from thalweg._src.core.dtypes import QUANTIZED, float32, int32, int64, qint32, quint8
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Enum, Outputs, Static, op, type_attr
from thalweg._src.ops.arrays.shaping import target_shape
from thalweg._src.ops.nets.convolution import convolve
from thalweg._src.ops.nets.pool_windows import Pool
from thalweg._src.ops.nets.pooling import max_pool_op
from thalweg._src.ops.nets.quantizing import half_away, limits

T1, T2 = type_attr("T1", QUANTIZED), type_attr("T2", QUANTIZED)
T = type_attr("T", QUANTIZED)
Tinput, Tfilter = type_attr("Tinput", QUANTIZED), type_attr("Tfilter", QUANTIZED)
PADDING = Enum("SAME", "VALID")
D, F = np.float64, np.float32


def _out(name: str, default: Any = None) -> Any:
    return type_attr(name, QUANTIZED, default)


def _steps(kind: Any) -> float:
    """How many integers a type has."""
    return 2.0 ** (np.dtype(kind).itemsize * 8)


def _code_of(value: Any, low: Any, high: Any, kind: Any) -> Any:
    """The integer that stands for `value` in [low, high], in float64 and unclamped; the lowest one for an empty range."""
    n = _steps(kind)
    width = (high - low).astype(D) * (n / (n - 1.0))
    scale = n / xp(low).where(width == 0, 1.0, width)
    code = half_away(value * scale) - half_away(low.astype(D) * scale) + limits(kind)[0]
    return xp(low).where(width == 0, limits(kind)[0], code)


def _clamped(code: Any, kind: Any) -> Any:
    return xp(code).clip(code, *limits(kind))


def _float_of(code: Any, low: Any, high: Any) -> Any:
    """The float that an integer stands for in [low, high]."""
    n = _steps(code.dtype)
    scale = (high - low).astype(D) * (n / (n - 1.0)) / n
    short = scale.astype(F)
    first = half_away(low / xp(low).where(short == 0, F(1), short)) * short
    value = (first.astype(D) + (code.astype(D) - limits(code.dtype)[0]) * scale).astype(F)
    return xp(low).where(low == high, low, value)


def _zero(low: Any, high: Any, kind: Any) -> Any:
    return _code_of(D(0), low, high, kind)


def _range_of_products(kinds: Any, ranges: Any, out: Any) -> tuple[Any, Any]:
    """The range of a sum of products in the integers of `out`: one level is the product of one level of each factor."""
    one = F(1)
    for kind, (low, high) in zip(kinds, ranges, strict=True):
        lowest, highest = limits(kind)
        one = one * ((high - low) / F(highest - lowest))
    lowest, highest = limits(out._as_numpy)
    return one * F(lowest), one * F(highest)


def _centred(x: Any, low: Any, high: Any) -> Any:
    """The integers of `x`, the one that stands for 0 being 0."""
    return x.astype(D) - _zero(low, high, x.dtype)


@op("QuantizedConv2D", convolves=True)
def _conv2d(
    input: Tinput,
    filter: Tfilter,
    min_input: float32,
    max_input: float32,
    min_filter: float32,
    max_filter: float32,
    *,
    out_type: _out("out_type", qint32),
    strides: list[int],
    padding: PADDING,
    dilations: list[int] = [1, 1, 1, 1],  # noqa: B006
) -> Outputs(output=_out("out_type", qint32), min_output=float32, max_output=float32):
    """Images [batch, height, width, in] under filters [height, width, in, out]."""
    x, w = _centred(input, min_input, max_input), _centred(filter, min_filter, max_filter)
    y = convolve(jnp.asarray(x), jnp.asarray(w), strides, padding, dilations, "NHWC")
    ranges = [(min_input, max_input), (min_filter, max_filter)]
    low, high = _range_of_products([input.dtype, filter.dtype], ranges, out_type)
    return y.astype(out_type._as_numpy), low, high


@op("QuantizedMatMul")
def _mat_mul(
    a: T1,
    b: T2,
    min_a: float32,
    max_a: float32,
    min_b: float32,
    max_b: float32,
    *,
    Toutput: _out("Toutput", qint32),
    transpose_a: bool = False,
    transpose_b: bool = False,
    Tactivation: _out("Tactivation", quint8),
) -> Outputs(out=_out("Toutput", qint32), min_out=float32, max_out=float32):
    """The matrix product: [m, k], [k, n] -> [m, n]."""
    x, y = _centred(a, min_a, max_a), _centred(b, min_b, max_b)
    out = jnp.matmul(x.T if transpose_a else x, y.T if transpose_b else y)
    low, high = _range_of_products([a.dtype, b.dtype], [(min_a, max_a), (min_b, max_b)], Toutput)
    return out.astype(Toutput._as_numpy), low, high


@op("QuantizedMul")
def _mul(
    x: T1,
    y: T2,
    min_x: float32,
    max_x: float32,
    min_y: float32,
    max_y: float32,
    *,
    Toutput: _out("Toutput", qint32),
) -> Outputs(z=_out("Toutput", qint32), min_z=float32, max_z=float32):
    """x y, element by element."""
    check(max_x > min_x, "max_x must be larger than min_a.")
    check(max_y > min_y, "max_x must be larger than min_b.")
    z = _centred(x, min_x, max_x) * _centred(y, min_y, max_y)
    low, high = _range_of_products([x.dtype, y.dtype], [(min_x, max_x), (min_y, max_y)], Toutput)
    return z.astype(Toutput._as_numpy), low, high


def _widened(x: Any, low: Any, high: Any, most: Any, kind: Any) -> Any:
    """`x` in the wide integers of `kind` over [-most, most]: what its first integer is there, and a whole number for each level."""
    first, second = (_code_of(_float_of(np.asarray(q, x.dtype), low, high), -most, most, kind) for q in (0, 1))
    return _clamped(first + x.astype(D) * (second - first), kind)


@op("QuantizedAdd")
def _add(
    x: T1,
    y: T2,
    min_x: float32,
    max_x: float32,
    min_y: float32,
    max_y: float32,
    *,
    Toutput: _out("Toutput", qint32),
) -> Outputs(z=_out("Toutput", qint32), min_z=float32, max_z=float32):
    """x + y, element by element, in a range 2**14 times the larger one."""
    check(max_x > min_x, "max_x must be larger than min_x.")
    check(max_y > min_y, "max_y must be larger than min_y.")
    lib = xp(min_x, min_y)
    most = lib.maximum(lib.abs(lib.minimum(min_x, min_y)), lib.abs(lib.maximum(max_x, max_y))) * F(2**14)
    kind = Toutput._as_numpy
    z = _widened(x, min_x, max_x, most, kind) + _widened(y, min_y, max_y, most, kind)
    return z.astype(kind), -most, most


def _rounded(x: Any, low: Any, high: Any, most: Any, kind: Any) -> Any:
    """`x` in the wide integers of `kind` over [-most, most], by way of float32, as TensorFlow's kernel computes."""
    step = ((high - low).astype(D) / (_steps(x.dtype) - 1.0)).astype(F)
    start = half_away(low / step) * step - F(limits(x.dtype)[0]) * step
    scale = ((_steps(kind) - 1.0) / (most + most).astype(D)).astype(F)
    code = half_away((start + x.astype(F) * step) * scale) - (half_away(-most * scale) - F(limits(kind)[0]))
    return _clamped(code.astype(D), kind)


@op("QuantizedBiasAdd")
def _bias_add(
    input: T1,
    bias: T2,
    min_input: float32,
    max_input: float32,
    min_bias: float32,
    max_bias: float32,
    *,
    out_type: _out("out_type"),
) -> Outputs(output=_out("out_type"), min_out=float32, max_out=float32):
    """`input` + `bias`, along the last axis, in a range 2**17 times the larger one."""
    if input.ndim < 2:
        raise ValueError(f"Input tensor must be at least 2D: {list(input.shape)}")
    if bias.ndim != 1:
        raise ValueError(f"Biases must be 1D: {list(bias.shape)}")
    if bias.shape[0] != input.shape[-1]:
        raise ValueError(
            "Must provide as many biases as the last dimension of the input tensor: "
            f"{list(bias.shape)} vs. {list(input.shape)}"
        )
    lib = xp(min_input, min_bias)
    most = lib.maximum(lib.maximum(max_input, -min_input), lib.maximum(max_bias, -min_bias)) * F(2**17)
    kind = out_type._as_numpy
    terms = (_rounded(input, min_input, max_input, most, kind), _rounded(bias, min_bias, max_bias, most, kind))
    return (terms[0] + terms[1]).astype(kind), -most, most


def _declare_activation(name: str, top: float | None) -> Any:
    @op(name)
    def activation(
        features: Tinput,
        min_features: float32,
        max_features: float32,
        *,
        out_type: _out("out_type", quint8),
    ) -> Outputs(activations=_out("out_type", quint8), min_activations=float32, max_activations=float32):
        kind = features.dtype
        out = xp(features).maximum(features, _clamped(_zero(min_features, max_features, kind), kind).astype(kind))
        if top is not None:
            most = _clamped(_code_of(D(top), min_features, max_features, kind), kind).astype(kind)
            out = xp(out).minimum(out, most)
        return out.astype(out_type._as_numpy), min_features, max_features

    activation.__doc__ = "max(features, 0)" + (f", {top:g} at most." if top else ".")
    return activation


_relu, _relu6 = _declare_activation("QuantizedRelu", None), _declare_activation("QuantizedRelu6", 6.0)


@op("QuantizedMaxPool")
def _max_pool(
    input: T, min_input: float32, max_input: float32, *, ksize: list[int], strides: list[int], padding: PADDING
) -> Outputs(output=T, min_output=float32, max_output=float32):
    """The maximum of every window of `ksize`."""
    return max_pool_op.fn(input, ksize=ksize, strides=strides, padding=padding), min_input, max_input


@op("QuantizedAvgPool")
def _avg_pool(
    input: T, min_input: float32, max_input: float32, *, ksize: list[int], strides: list[int], padding: PADDING
) -> Outputs(output=T, min_output=float32, max_output=float32):
    """The mean of every window of `ksize`, rounded towards zero; padding does not count."""
    if ksize[0] != 1 or strides[0] != 1 or ksize[3] != 1 or strides[3] != 1:
        raise NotImplementedError("Pooling is not yet supported on the batch dimension, nor over channels.")
    pool = Pool.over(input.shape, ksize, strides, padding)
    ones = np.ones(input.shape, np.int32)
    sums, counts = (
        lax.reduce_window(jnp.asarray(v, np.int32), np.int32(0), lax.add, pool.sizes, pool.strides, pool.pads)
        for v in (input, ones)
    )
    return lax.div(sums, counts).astype(input.dtype), min_input, max_input


@op("QuantizedReshape")
def _reshape(
    tensor: type_attr("T"),
    shape: Static(type_attr("Tshape", [int32, int64], int32)),
    input_min: float32,
    input_max: float32,
) -> Outputs(output=type_attr("T"), output_min=float32, output_max=float32):
    """The elements of `tensor`, in order, in another shape."""
    return tensor.reshape(target_shape(tensor.shape, shape)), input_min, input_max


def _used(input: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """The range of what is there, 0 included from below."""
    lib = xp(input, low, high)
    return lib.minimum(F(0), _float_of(lib.min(input), low, high)), _float_of(lib.max(input), low, high)


def _requantized(input: Any, low: Any, high: Any, new_low: Any, new_high: Any, kind: Any) -> Any:
    """`input` in the integers of `kind` over another range; from int32 to uint8 in the fixed-point numbers of TensorFlow's kernel."""
    if (input.dtype, np.dtype(kind)) != (np.int32, np.uint8):
        code = _code_of(_float_of(input, low, high).astype(D), new_low, new_high, kind)
        return _clamped(code, kind).astype(kind)
    lib, one = xp(input, low, new_low), D(2**16)
    width = new_high - new_low
    safe = lib.where(width == 0, F(1), width).astype(D)
    empty = width == 0
    scale = lib.where(empty, 0.0, 255.0 * one * (high - low).astype(D) / safe).astype(np.int64)
    middle = ((low + high).astype(D) / 2.0).astype(F)
    per_unit = lib.where(empty, 0.0, 255.0 / safe).astype(F)
    first = ((middle * per_unit).astype(F) * F(one)).astype(np.int64)
    start = lib.where(empty, 0.0, one * (new_low.astype(D) * 255.0) / safe).astype(np.int64)
    fixed = ((input.astype(np.int64) * scale) >> 32) + (first - start + 2**15)
    return lib.clip(fixed >> 16, 0, 255).astype(kind)


@op("RequantizationRange")
def _requantization_range(input: Tinput, input_min: float32, input_max: float32) -> Outputs(
    output_min=float32, output_max=float32
):
    """The range that the values of `input` take."""
    return _used(input, input_min, input_max)


@op("Requantize")
def _requantize(
    input: Tinput,
    input_min: float32,
    input_max: float32,
    requested_output_min: float32,
    requested_output_max: float32,
    *,
    out_type: _out("out_type"),
) -> Outputs(output=_out("out_type"), output_min=float32, output_max=float32):
    """`input` in the integers of another type, which stand for the range that is asked for."""
    low, high = requested_output_min, requested_output_max
    check(low <= 0, "requested_output_min must be <= 0")
    check(high >= low, "requested_output_max must be >= requested_output_min")
    return _requantized(input, input_min, input_max, low, high, out_type._as_numpy), low, high


@op("QuantizeDownAndShrinkRange")
def _quantize_down(input: Tinput, input_min: float32, input_max: float32, *, out_type: _out("out_type")) -> Outputs(
    output=_out("out_type"), output_min=float32, output_max=float32
):
    """`input` in the integers of a smaller type, over the range that its values take."""
    low, high = _used(input, input_min, input_max)
    return _requantized(input, input_min, input_max, low, high, out_type._as_numpy), low, high


def quantized_conv2d(
    input: Any,
    filter: Any,
    min_input: Any,
    max_input: Any,
    min_filter: Any,
    max_filter: Any,
    strides: Any,
    padding: str,
    out_type: Any = qint32,
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Any:
    """(output, min_output, max_output): a convolution of quantized images with quantized filters."""
    ranges = (min_input, max_input, min_filter, max_filter)
    attrs = {"strides": list(strides), "padding": padding, "out_type": out_type, "dilations": list(dilations)}
    return _conv2d(input, filter, *ranges, **attrs, name=name)


def _pool(pool: Any, kind: str) -> Any:
    def quantized_pool(
        input: Any, min_input: Any, max_input: Any, ksize: Any, strides: Any, padding: str, name: str | None = None
    ) -> Any:
        return pool(input, min_input, max_input, ksize=list(ksize), strides=list(strides), padding=padding, name=name)

    quantized_pool.__name__ = quantized_pool.__qualname__ = f"quantized_{kind}_pool"
    quantized_pool.__doc__ = f"(output, min_output, max_output): the {kind} pool of quantized images."
    return quantized_pool


quantized_max_pool, quantized_avg_pool = _pool(_max_pool, "max"), _pool(_avg_pool, "avg")
