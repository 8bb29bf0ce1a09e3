"""Quantization: numbers as few bits, and floats that pretend to be."""

from cases.base import OpCase, given, normal, raw, uniform

X = normal(3, 4)


def fake(op, call, label="", inputs=(X,), **more):
    return OpCase(op, list(inputs), call, label, smooth=False, **more)


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
]
