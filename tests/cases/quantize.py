"""Quantization: numbers as few bits, and floats that pretend to be."""

import numpy as np

from cases.base import OpCase, given, normal, raw, uniform

X = normal(3, 4)


def fake(op, call, label="", inputs=(X,), **more):
    return OpCase(op, list(inputs), call, label, smooth=False, **more)


X4 = np.linspace(-2, 2, 1 * 4 * 4 * 2).reshape(1, 4, 4, 2).astype("float32")
W4 = np.linspace(-1, 2, 2 * 2 * 2 * 3).reshape(2, 2, 2, 3).astype("float32")
RANGES = [-2.0, 2.0, -2.0, 2.0]
WINDOWS = [[1, 2, 2, 1], [1, 1, 1, 1]]


def quantized(op, call, label="", **more):
    """A record of an op on numbers of eight bits: `q(array, 0)` gives them, and what comes back is cast to int32."""

    def run(tf, x):
        def q(array, shift):
            return tf.quantize(tf.constant(array) + tf.reduce_sum(x) * 0.0 + shift, -2.0, 2.0, tf.quint8)[0]

        return [tf.cast(y, tf.int32) if y.dtype.is_quantized else y for y in call(tf, q)]

    return fake(op, run, label, grad=False, misuse=False, **more)


def product(tf, a, b, **more):
    return raw(tf, "QuantizedMatMul", a=a, b=b, min_a=-2.0, max_a=2.0, min_b=-2.0, max_b=2.0, **more)


def both(tf, op, x, y):
    return raw(tf, op, x=x, y=y, min_x=-2.0, max_x=2.0, min_y=-2.0, max_y=2.0)


def biased(tf, q):
    return raw(
        tf,
        "QuantizedBiasAdd",
        input=q(X4, 0),
        bias=q(X4[0, 0, 0], 0),
        min_input=-2.0,
        max_input=2.0,
        min_bias=-1.0,
        max_bias=3.0,
        out_type=tf.qint32,
    )


def relu(tf, op, x, top=2.0):
    return raw(tf, op, features=x, min_features=-2.0, max_features=top)


def summed(tf, q):
    y, low, high = product(tf, q(X4[0, :, 0], 0), q(X4[0, :, 1], 0), transpose_a=True)
    return {"input": y, "input_min": low, "input_max": high}


def again(tf, q, kind):
    return raw(tf, "Requantize", requested_output_min=-10.0, requested_output_max=11.0, out_type=kind, **summed(tf, q))


CASES = [
    fake("FakeQuantWithMinMaxArgs", lambda tf, x: tf.fake_quant_with_min_max_args(x, -1.0, 1.0)),
    fake(
        "FakeQuantWithMinMaxArgs",
        lambda tf, x: tf.fake_quant_with_min_max_args(x, -0.3, 1.0, num_bits=4, narrow_range=True),
        "narrow",
    ),
    fake(
        "FakeQuantWithMinMaxArgsGradient",
        lambda tf, g, x: tf.fake_quant_with_min_max_args_gradient(g, x, -1.0, 1.0),
        inputs=[X, X],
        grad=False,
    ),
    fake(
        "FakeQuantWithMinMaxVars",
        lambda tf, x, a, b: tf.fake_quant_with_min_max_vars(x, a, b),
        inputs=[X, given(-0.8), given(1.2)],
    ),
    fake(
        "FakeQuantWithMinMaxVarsGradient",
        lambda tf, g, x: tf.fake_quant_with_min_max_vars_gradient(g, x, -0.8, 1.2),
        inputs=[X, X],
        grad=False,
    ),
    fake(
        "FakeQuantWithMinMaxVarsPerChannel",
        lambda tf, x, a, b: tf.fake_quant_with_min_max_vars_per_channel(x, a, b),
        inputs=[X, uniform(4, low=-2, high=-0.5), uniform(4, low=0.5, high=2)],
    ),
    fake(
        "FakeQuantWithMinMaxVarsPerChannelGradient",
        lambda tf, g, x: tf.fake_quant_with_min_max_vars_per_channel_gradient(g, x, [-1.0] * 4, [1.0] * 4),
        inputs=[X, X],
        shapes=False,  # the number of channels is known here
        grad=False,
    ),
    fake(
        "QuantizeAndDequantizeV2",
        lambda tf, x: raw(
            tf, "QuantizeAndDequantizeV2", input=x, input_min=-1.5, input_max=1.5, num_bits=6, range_given=True
        ),
        types=("float32", "float64"),
        grad=False,
    ),
    fake(
        "QuantizeAndDequantizeV2",
        lambda tf, x: tf.quantization.quantize_and_dequantize(x, -1.5, 1.5),
        "public",
        types=("float32", "float64"),
    ),
    fake(
        "QuantizeAndDequantizeV2",
        lambda tf, x: tf.quantization.quantize_and_dequantize(
            x, -1.5, 1.5, signed_input=False, num_bits=5, narrow_range=False
        ),
        "unsigned",
    ),
    fake(
        "QuantizeV2",
        lambda tf, x: [
            tf.cast(q, tf.int32) if i == 0 else q for i, q in enumerate(tf.quantize(x, -2.0, 2.0, tf.quint8))
        ],
        grad=False,
    ),
    fake(
        "QuantizeV2",
        lambda tf, x: [
            tf.cast(q, tf.int32) if i == 0 else q
            for i, q in enumerate(tf.quantize(x, -2.0, 2.0, tf.qint8, mode="SCALED"))
        ],
        "scaled",
        grad=False,
    ),
    fake("Dequantize", lambda tf, x: tf.dequantize(tf.quantize(x, -2.0, 2.0, tf.quint8)[0], -2.0, 2.0), grad=False),
    fake(
        "Dequantize",
        lambda tf, x: tf.dequantize(
            tf.quantize(x, -2.0, 2.0, tf.quint8, mode="MIN_FIRST")[0], -2.0, 2.0, mode="MIN_FIRST"
        ),
        "from the least",
        grad=False,
    ),
    fake(
        "QuantizedConcat",
        lambda tf, x: tf.dequantize(
            *tf.quantized_concat(0, [tf.quantize(x, -2.0, 2.0, tf.quint8)[0]] * 2, [-2.0, -1.3], [2.0, 1.3])
        ),
        grad=False,
    ),
    fake(
        "QuantizeAndDequantizeV3",
        lambda tf, x: raw(tf, "QuantizeAndDequantizeV3", input=x, input_min=-1.5, input_max=1.5, num_bits=5),
        grad=False,
    ),
    quantized(
        "QuantizedConv2D", lambda tf, q: tf.nn.quantized_conv2d(q(X4, 0), q(W4, 0), *RANGES, [1, 1, 1, 1], "SAME")
    ),
    quantized(
        "QuantizedConv2D",
        lambda tf, q: tf.nn.quantized_conv2d(q(X4, 0), q(W4, 0), *RANGES, [1, 2, 2, 1], "VALID"),
        "strides",
    ),
    quantized("QuantizedMatMul", lambda tf, q: product(tf, q(X4[0, :, 0], 0), q(X4[0, :, 1], 0), transpose_a=True)),
    quantized("QuantizedMul", lambda tf, q: both(tf, "QuantizedMul", q(X4, 0), q(X4[0, 0, 0], 0))),
    quantized("QuantizedAdd", lambda tf, q: both(tf, "QuantizedAdd", q(X4, 0), q(X4[0, 0, 0], 0))),
    quantized("QuantizedBiasAdd", biased),
    quantized("QuantizedRelu", lambda tf, q: relu(tf, "QuantizedRelu", q(X4, 0))),
    quantized("QuantizedRelu6", lambda tf, q: relu(tf, "QuantizedRelu6", q(X4, 0), 8.0)),
    quantized("QuantizedMaxPool", lambda tf, q: tf.nn.quantized_max_pool(q(X4, 0), -2.0, 2.0, *WINDOWS, "SAME")),
    quantized("QuantizedAvgPool", lambda tf, q: tf.nn.quantized_avg_pool(q(X4, 0), -2.0, 2.0, *WINDOWS, "SAME")),
    quantized(
        "QuantizedReshape",
        lambda tf, q: raw(tf, "QuantizedReshape", tensor=q(X4, 0), shape=[2, -1], input_min=-2.0, input_max=2.0),
    ),
    quantized("RequantizationRange", lambda tf, q: raw(tf, "RequantizationRange", **summed(tf, q))),
    quantized("Requantize", lambda tf, q: again(tf, q, tf.quint8)),
    quantized("Requantize", lambda tf, q: again(tf, q, tf.qint8), "signed"),
    quantized(
        "QuantizeDownAndShrinkRange",
        lambda tf, q: raw(tf, "QuantizeDownAndShrinkRange", out_type=tf.quint8, **summed(tf, q)),
    ),
]
