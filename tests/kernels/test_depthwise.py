"""Depthwise convolutions by kernels of machine code: values, gradients, what follows them, and what stays with the plain lowerings."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import thalweg as tf
from tests.kernels.lowering import lowered, near, normal, other_levels, run_with
from thalweg._src.kernels import depthwise, library
from thalweg._src.ops.nets.depthwise import (
    depthwise_conv2d_filter_gradient,
    depthwise_conv2d_input_gradient,
    depthwise_conv2d_native_op,
    depthwise_layout,
)

pytestmark = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(depthwise, "LEAST", 0)


def by_taps(x, w, g, found):
    """The convolution, its gradient by the image and by the filter, in float64 and one tap after the other."""
    x, pads = x.astype(np.float64), [(0, 0), *((b, max(a, 0)) for b, a in found.pads), (0, 0)]
    padded = np.pad(x, pads)
    y, dx, dw = np.zeros(found.shape), np.zeros_like(padded), np.zeros(w.shape)
    for i, j in itertools.product(*map(range, w.shape[:2])):
        at = [k * d for k, d in zip((i, j), found.rates, strict=True)]
        ends = [a + (c - 1) * s + 1 for a, c, s in zip(at, found.shape[1:3], found.steps, strict=True)]
        part = (slice(None), *(slice(a, e, s) for a, e, s in zip(at, ends, found.steps, strict=True)))
        y += padded[part] * w[i, j, :, 0]
        dx[part] += g * w[i, j, :, 0]
        dw[i, j, :, 0] = np.sum(padded[part] * g, (0, 1, 2))
    (top, _), (left, _) = found.pads
    return y, dx[:, top : top + x.shape[1], left : left + x.shape[2]], dw


@pytest.mark.parametrize("channels", [16, 21, 70])
@pytest.mark.parametrize(
    ("size", "stride", "rate", "padding"),
    [
        ((3, 3), 1, 1, "SAME"),
        ((3, 3), 2, 1, "SAME"),
        ((2, 5), 1, 2, "VALID"),
        ((1, 4), 3, 1, "SAME"),
        ((5, 1), 1, 1, "VALID"),
    ],
)
def test_values_are_those_of_the_sum_over_taps(channels, size, stride, rate, padding):
    x, w = normal(1, 2, 9, 19, channels), normal(2, *size, channels, 1)
    how = {"strides": [1, stride, stride, 1], "padding": padding, "dilations": [1, rate, rate, 1]}
    found = depthwise_layout(x.shape, w.shape, how["strides"], padding, "NHWC", how["dilations"])
    g = normal(3, *found.shape)
    y, dx, dw = by_taps(x, w, g, found)
    near(lowered(depthwise_conv2d_native_op, jnp.asarray(x), w, **how), y)
    near(lowered(depthwise_conv2d_input_gradient, np.array(x.shape), w, jnp.asarray(g), **how), dx)
    near(lowered(depthwise_conv2d_filter_gradient, jnp.asarray(x), np.array(w.shape), jnp.asarray(g), **how), dw)


def values(kernels):
    """A separable network: its loss, gradients, and the second derivative by a scale; and the text of the program."""
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.remapping = 0 if kernels else 2
    with tf.Graph().as_default():
        x, scale = tf.constant(normal(1, 2, 9, 7, 20)), tf.constant(1.5)
        w, bias = tf.constant(normal(2, 3, 3, 20, 1)), tf.constant(normal(3, 20))
        y = tf.nn.depthwise_conv2d(x * scale, w, [1, 1, 1, 1], "SAME")
        y = tf.nn.relu(tf.nn.bias_add(y, bias) + x)
        loss = tf.reduce_sum(tf.nn.depthwise_conv2d(y, w, [1, 2, 2, 1], "SAME") ** 2)
        (by_scale,) = tf.gradients(loss, scale)
        fetches = [y, loss, *tf.gradients(loss, [x, w, bias]), tf.gradients(by_scale, scale)[0]]
        with tf.Session(config=config) as sess:
            return sess.run(fetches), "".join(sess.hlo(y))


def test_a_session_with_kernels_agrees_with_one_without():
    (ours, text), (plain, plain_text) = values(True), values(False)
    assert "custom_call @thalweg_depthwise" in text
    assert "rectify = true" in text
    assert "thalweg" not in plain_text
    for a, b in zip(ours, plain, strict=True):
        near(a, b)


def test_what_the_kernels_are_not_for():
    def text(channels=32, multiplier=1, dtype=np.float32, form="NHWC"):
        call = lambda x, w: lowered(depthwise_conv2d_native_op, x, w, strides=[1] * 4, padding="SAME", data_format=form)
        image = (2, 8, 8, channels) if form == "NHWC" else (2, channels, 8, 8)
        arrays = [jax.ShapeDtypeStruct(shape, dtype) for shape in (image, (3, 3, channels, multiplier))]
        return jax.jit(call).lower(*arrays).as_text()

    assert "thalweg_depthwise" in text()
    for other in ({"channels": 3}, {"multiplier": 2}, {"dtype": np.float16}, {"form": "NCHW"}):
        assert "thalweg" not in text(**other)


def separable(images, width, stride, channels, filters, between, after, *, kernels=True):
    """A depthwise filter whose results, after `between`, one of one element takes; the text of the program too."""
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.remapping = 0 if kernels else 2
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [images, width, width, channels])
        w1 = tf.constant(normal(2, 3, 3, channels, 1))
        w2 = tf.constant(normal(3, 1, 1, channels, filters) / channels**0.5)
        h = tf.nn.depthwise_conv2d_native(x, w1, [1, stride, stride, 1], "SAME")
        h = h * tf.constant(np.abs(normal(4, channels))) + tf.constant(normal(5, channels))
        y = tf.nn.conv2d(between(h), w2, [1, 1, 1, 1], "SAME")
        y = after(tf.nn.bias_add(y, tf.constant(normal(6, filters))))
        fed = {x: normal(1, images, width, width, channels)}
        with tf.Session(config=config) as sess:
            return sess.run([y, *tf.gradients(y, [x, w2])], fed), sess.run(y, fed), "".join(sess.hlo(y, fed))


@pytest.mark.parametrize("between", [tf.identity, tf.nn.relu, tf.nn.relu6])
@pytest.mark.parametrize(
    "case", [(1, 14, 1, 64, 128), (2, 28, 2, 32, 48), (3, 7, 1, 96, 33), (1, 7, 1, 256, 512), (2, 40, 2, 21, 70)]
)
def test_a_filter_of_one_element_takes_the_results_of_a_depthwise_one_from_the_cache(case, between):
    with_gradients, alone, text = separable(*case, between, tf.nn.relu6)
    plain = separable(*case, between, tf.nn.relu6, kernels=False)
    assert "thalweg_separable" in text
    assert "thalweg_depthwise" not in text
    assert "thalweg" not in plain[2]
    near(alone, plain[1])
    for mine, his in zip(with_gradients, plain[0], strict=True):
        near(mine, his)


def test_results_that_others_take_too_are_made_for_all_of_them():
    with tf.Graph().as_default():
        x, w = tf.placeholder(tf.float32, [2, 12, 12, 32]), tf.constant(normal(2, 3, 3, 32, 1))
        h = tf.nn.relu(tf.nn.depthwise_conv2d_native(x, w, [1, 1, 1, 1], "SAME"))
        y = tf.nn.conv2d(h, tf.constant(normal(3, 1, 1, 32, 64)), [1, 1, 1, 1], "SAME")
        with tf.Session() as sess:
            text = "".join(sess.hlo([y, h], {x: normal(1, 2, 12, 12, 32)}))
    assert "thalweg_separable" not in text
    assert "thalweg_depthwise" in text


@other_levels
def test_separable_filters_under_other_instructions(level):
    run_with(
        level,
        "test_depthwise",
        """
import thalweg as tf
t.near(*(t.separable(2, 15, 2, 24, 37, tf.nn.relu6, tf.nn.relu, kernels=k)[1] for k in (True, False)))
""",
    )
