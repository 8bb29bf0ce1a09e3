"""NCHW, which TensorFlow has on GPUs only: the same numbers as NHWC, transposed, gradients included."""

import numpy as np
import pytest

import thalweg as tf

FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def swapped(pairs):
    """[batch, height, width, depth] facts (strides, sizes) in NCHW order."""
    return [pairs[i] for i in FIRST]


def conv(x, w, b, layout):
    strides = [1, 2, 1, 1]
    y = tf.nn.conv2d(x, w, strides if layout == "NHWC" else swapped(strides), "SAME", data_format=layout)
    return tf.nn.bias_add(y, b, data_format=layout)


def dilated(x, w, b, layout):
    rates = [1, 1, 2, 1]
    return tf.nn.conv2d(
        x, w, [1, 1, 1, 1], "VALID", data_format=layout, dilations=rates if layout == "NHWC" else swapped(rates)
    )


def max_pool(x, w, b, layout):
    size, strides = [1, 2, 3, 1], [1, 2, 1, 1]
    if layout == "NCHW":
        size, strides = swapped(size), swapped(strides)
    return tf.nn.max_pool(x, size, strides, "SAME", data_format=layout)


def avg_pool(x, w, b, layout):
    size, strides = [1, 3, 2, 1], [1, 1, 2, 1]
    if layout == "NCHW":
        size, strides = swapped(size), swapped(strides)
    return tf.nn.avg_pool(x, size, strides, "SAME", data_format=layout)


def batch_norm(x, w, b, layout):
    return tf.nn.fused_batch_norm(x, b[:3] + 2.0, b[1:], epsilon=0.01, data_format=layout)[0]


def conv_transpose(x, w, b, layout):
    shape = [2, 10, 6, 5] if layout == "NHWC" else [2, 5, 10, 6]
    strides = [1, 2, 1, 1]
    kernel = tf.concat([w, w[..., :1]], 3)  # [height, width, out, in]
    kernel = tf.transpose(kernel, [0, 1, 3, 2])
    strides = strides if layout == "NHWC" else swapped(strides)
    return tf.nn.conv2d_transpose(x, kernel, shape, strides, "SAME", data_format=layout)


@pytest.mark.parametrize("function", [conv, dilated, max_pool, avg_pool, batch_norm, conv_transpose])
def test_nchw_is_nhwc_transposed(function):
    r = np.random.RandomState(0)
    image, kernel, bias = (r.randn(*s).astype(np.float32) for s in ((2, 5, 6, 3), (3, 2, 3, 4), (4,)))
    results = []
    for layout in ("NHWC", "NCHW"):
        with tf.Graph().as_default(), tf.Session() as session:
            x, w, b = tf.constant(image), tf.constant(kernel), tf.constant(bias)
            y = function(x if layout == "NHWC" else tf.transpose(x, FIRST), w, b, layout)
            y = y if layout == "NHWC" else tf.transpose(y, LAST)
            grads = [g for g in tf.gradients(y * y, [x, w, b]) if g is not None]
            results.append(session.run([y, *grads]))
            assert y.get_shape().as_list() == list(results[-1][0].shape)
    assert len(results[0]) == len(results[1]) > 1
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
