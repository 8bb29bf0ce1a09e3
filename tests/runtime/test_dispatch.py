"""The path that every `Session.run` takes: who owns the arrays, and what a plan must notice."""

import re

import numpy as np
import pytest

import thalweg as tf


def aligned(shape: tuple[int, ...]) -> np.ndarray:
    """An array at an address that XLA can use in place."""
    size = int(np.prod(shape)) * 4
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(np.float32).reshape(shape)


@pytest.mark.parametrize("new", [aligned, lambda shape: np.empty(shape, np.float32)], ids=["aligned", "as it comes"])
def test_a_fed_array_is_the_callers_again_after_the_run(new):
    n = 700
    x = tf.placeholder(tf.float32, [n, n])
    v = tf.Variable(tf.constant(0.0))
    step = v.assign(tf.reduce_sum(tf.matmul(tf.matmul(x, x), x))).op
    batch = new((n, n))
    with tf.Session() as sess:
        sess.run(v.initializer)
        for _ in range(3):
            batch[:] = 1 / n
            sess.run(step, {x: batch})  # fetches nothing, so nothing else waits for the step
            batch[:] = 0
            assert sess.run(v) == pytest.approx(n, rel=1e-3)


def test_a_result_is_an_array_of_the_callers_own():
    x = tf.placeholder(tf.float32, [3])
    with tf.Session() as sess:
        v = tf.Variable(tf.constant([1.0, 2.0, 3.0]))
        sess.run(v.initializer)
        for fetch in (x + 1, v, tf.identity(v)):
            first = sess.run(fetch, {x: np.zeros(3, np.float32)})
            kept = first.copy()
            first[:] = -1
            np.testing.assert_array_equal(sess.run(fetch, {x: np.zeros(3, np.float32)}), kept)


def test_a_variable_that_changes_its_shape_between_steps():
    x = tf.placeholder(tf.float32)
    v = tf.Variable(tf.constant([1.0]), validate_shape=False)
    grow = tf.assign(v, x, validate_shape=False)
    double = tf.assign(v, v * 2, validate_shape=False)
    with tf.Session() as sess:
        sess.run(v.initializer)
        for n in (1, 3, 3, 2):
            sess.run(grow, {x: np.ones(n, np.float32)})
            sess.run(double.op)
            sess.run(double.op)
            np.testing.assert_array_equal(sess.run(v), np.full(n, 4, np.float32))


def test_shape_arithmetic_stays_out_of_the_program():
    x = tf.placeholder(tf.float32, [None, 4])
    gradient = tf.gradients(tf.reduce_mean(x * x), x)[0]
    with tf.Session() as sess:
        (text,) = sess.hlo(gradient, {x: np.ones((3, 4), np.float32)})
        # the number of elements is computed while tracing
        assert not re.search(r"stablehlo\.(add|multiply|divide|maximum|gather|concatenate).*i(32|64)>", text)
        np.testing.assert_allclose(
            sess.run(gradient, {x: np.ones((3, 4), np.float32)}), np.full((3, 4), 2 / 12), rtol=1e-6
        )
