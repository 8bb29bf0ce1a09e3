"""Scaled losses, and products in half precision."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compiler import mixed
from thalweg._src.runtime import precision


@pytest.fixture(autouse=True)
def float32_again():
    yield
    precision.everywhere[0] = False


def half_on(monkeypatch, kind="bfloat16"):
    """Take this machine's processor for one whose products are faster in half precision."""
    monkeypatch.setitem(mixed.TYPES, "cpu", kind)


def squared(v):
    return tf.reduce_sum(v * v)


def test_a_dynamic_scale_grows_and_shrinks():
    scale = tf.train.experimental.DynamicLossScale(initial_loss_scale=4, increment_period=2, multiplier=2.0)
    grads = tf.placeholder(tf.float32, [2])
    change, finite = scale.update([grads, None])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        seen = []
        for g in ([1, 2], [1, 2], [1, np.inf], [np.nan, 0], [0, 0]):
            seen.append(sess.run([finite, change], {grads: g})[0])
            seen.append(sess.run(scale()))
    assert seen == [True, 4.0, True, 8.0, False, 4.0, False, 2.0, True, 2.0]
    assert type(scale).from_config(scale.get_config()).initial_loss_scale == 4.0


def test_a_fixed_scale_changes_no_gradient():
    v = tf.Variable([3.0, -1.0])
    opt = tf.train.experimental.MixedPrecisionLossScaleOptimizer(tf.train.GradientDescentOptimizer(0.5), 128)
    (gradient, _), step = opt.compute_gradients(squared(v), [v])[0], opt.minimize(squared(v))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        np.testing.assert_allclose(sess.run(gradient), [6.0, -2.0])
        sess.run(step)
        np.testing.assert_allclose(sess.run(v), [0.0, 0.0])


def test_a_step_that_is_not_finite_changes_the_scale_alone():
    v, x = tf.Variable([3.0, -1.0]), tf.placeholder(tf.float32, [])
    opt = tf.train.experimental.enable_mixed_precision_graph_rewrite(tf.train.MomentumOptimizer(0.1, 0.9))
    steps = tf.train.get_or_create_global_step()
    train = opt.minimize(squared(v) * x, global_step=steps)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(train, {x: np.inf})
        np.testing.assert_allclose(sess.run(v), [3.0, -1.0])
        assert sess.run([steps, opt._loss_scale()]) == [0, 2.0**14]
        sess.run(train, {x: 1.0})
        np.testing.assert_allclose(sess.run(v), [2.4, -0.8], rtol=1e-6)
        assert sess.run([steps, opt.get_slot(v, "momentum")[0]]) == [1, 6.0]


def test_errors():
    opt = tf.train.GradientDescentOptimizer(0.1)
    experimental = tf.train.experimental
    with pytest.raises(ValueError, match="must be an instance of Optimizer"):
        experimental.MixedPrecisionLossScaleOptimizer("sgd", 2)
    with pytest.raises(ValueError, match="at least 1"):
        experimental.FixedLossScale(0.5)
    with pytest.raises(ValueError, match="Could not interpret"):
        experimental.MixedPrecisionLossScaleOptimizer(opt, "large")
    with pytest.raises(ValueError, match="must not already be"):
        experimental.enable_mixed_precision_graph_rewrite(experimental.MixedPrecisionLossScaleOptimizer(opt, 2))
    with pytest.raises(ValueError, match="must be an instance of a"):
        experimental.enable_mixed_precision_graph_rewrite("sgd")
    with pytest.raises(NotImplementedError):
        experimental.LossScale()()


def test_products_alone_are_in_half_precision(monkeypatch):
    half_on(monkeypatch)
    a, b = np.float32(1 + 2**-10), np.ones([2, 2], np.float32)
    x = tf.constant(np.full([2, 2], a))
    product, total = tf.matmul(tf.identity(x), b), tf.reduce_sum(tf.identity(x) * b)
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.auto_mixed_precision = 1
    with tf.Session(config=config) as sess:
        got = sess.run([product, total])
    assert got[0].dtype == np.float32
    assert got[0][0, 0] == 2.0  # 1 + 2^-10 is 1 in bfloat16
    assert got[1] == 4 * a
    with tf.Session() as sess:
        assert sess.run(product)[0, 0] == 2 * a


def test_loops_and_gradients_are_in_half_precision_too(monkeypatch):
    half_on(monkeypatch, "float16")
    w = tf.Variable(np.linspace(-1, 1, 9).reshape(3, 3).astype(np.float32))
    image = tf.Variable(np.linspace(-1, 1, 2 * 5 * 5 * 3).reshape(2, 5, 5, 3).astype(np.float32))
    x = tf.reduce_mean(tf.layers.conv2d(image, 3, 3, kernel_initializer=tf.ones_initializer()), [1, 2])
    _, y = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.tanh(tf.matmul(y, w))), [0, x])
    loss = tf.reduce_sum(y * y)
    found = tf.gradients(loss, [w, image])
    tf.train.experimental.enable_mixed_precision_graph_rewrite(tf.train.GradientDescentOptimizer(0.1), 2)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        half = sess.run([loss, *found])
    tf.train.experimental.disable_mixed_precision_graph_rewrite()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        full = sess.run([loss, *found])
    for a, b in zip(half, full, strict=True):
        assert not np.array_equal(a, b)
        np.testing.assert_allclose(a, b, rtol=0.05, atol=0.02)
    assert half[0].dtype == np.float32
