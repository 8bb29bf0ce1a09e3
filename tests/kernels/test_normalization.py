"""Batch normalisation by kernels beside the same by XLA: values, statistics and gradients."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.kernels import library

pytestmark = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)

SHAPES = [(2, 9, 7, 16), (3, 8, 8, 8), (2, 5, 13, 37), (1, 40, 40, 24)]


def normal(seed, *shape, mean=0.0):
    return (np.random.RandomState(seed).standard_normal(shape) + mean).astype(np.float32)


def graph(shape, rectified):
    """(images, a loss, everything there is to fetch) of a layer, perhaps with a relu behind it."""
    x = tf.placeholder(tf.float32, shape)
    scale, offset = tf.constant(normal(1, shape[3])), tf.constant(normal(2, shape[3]))
    y, mean, variance = tf.nn.fused_batch_norm(x, scale, offset)
    out = tf.nn.relu(y) if rectified else y
    loss = tf.reduce_sum(out * tf.constant(normal(3, *shape)))
    return x, [out, mean, variance, *tf.gradients(loss, [x, scale, offset])]


def results(kernels, shape, rectified):
    """(what is fetched, the program's text)."""
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.remapping = 0 if kernels else 2
    with tf.Graph().as_default():
        x, fetched = graph(shape, rectified)
        with tf.Session(config=config) as sess:
            feed = {x: normal(4, *shape, mean=3.0)}
            return sess.run(fetched, feed), "".join(sess.hlo(fetched, feed))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rectified", [False, True])
def test_values_and_gradients_are_those_of_the_plain_lowering(shape, rectified):
    (ours, text), (plain, plain_text) = results(True, shape, rectified), results(False, shape, rectified)
    assert all(f"@thalweg_{name}" in text for name in ("statistics", "normalize", "normalize_gradient"))
    assert "@thalweg_" not in plain_text
    for a, b in zip(ours, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5 * max(1, np.abs(b).max()))


def test_statistics_of_what_is_far_from_zero_keep_their_digits():
    shape = (8, 60, 60, 8)
    given = normal(5, *shape) + np.float32(1000)
    x = tf.placeholder(tf.float32, shape)
    _, mean, variance = tf.nn.fused_batch_norm(x, tf.ones([8]), tf.zeros([8]))
    with tf.Session() as sess:
        m, v = sess.run([mean, variance], {x: given})
    rows = given.reshape(-1, 8).astype(np.float64)
    np.testing.assert_allclose(m, rows.mean(0), rtol=1e-6)
    np.testing.assert_allclose(v, rows.var(0, ddof=1), rtol=1e-4)


def test_a_relu_and_its_gradient_are_parts_of_the_kernels():
    _, text = results(True, SHAPES[0], True)
    assert "rectify = true" in text
    assert text.count("@thalweg_normalize(") == 1


def test_a_value_that_others_take_too_is_made_before_the_relu():
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, SHAPES[0])
        y, _, _ = tf.nn.fused_batch_norm(x, tf.ones([16]), tf.zeros([16]))
        low, rectified = sess.run([y, tf.nn.relu(y)], {x: normal(6, *SHAPES[0])})
    assert low.min() < -1
    np.testing.assert_array_equal(rectified, np.maximum(low, 0))


def test_the_second_gradient():
    shape = (2, 9, 7, 16)
    found = []
    for off in (0, 2):
        config = tf.ConfigProto()
        config.graph_options.rewrite_options.remapping = off
        with tf.Graph().as_default():
            x, fetched = graph(shape, False)
            again = tf.gradients(tf.reduce_sum(fetched[3] ** 2), [x])[0]
            with tf.Session(config=config) as sess:
                found.append(sess.run(again, {x: normal(7, *shape)}))
    np.testing.assert_allclose(*found, rtol=1e-3, atol=1e-4 * np.abs(found[1]).max())
