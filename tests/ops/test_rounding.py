"""Random numbers between bounds: a product and a sum, each rounded, whatever instructions the machine has."""

import numpy as np
import pytest

import thalweg as tf


@pytest.mark.parametrize("kind", [tf.float16, tf.float32, tf.float64])
def test_two_roundings(kind):
    low, high = np.array(-2.1, kind.as_numpy_dtype), np.array(5.3, kind.as_numpy_dtype)
    with tf.Graph().as_default(), tf.Session() as session:
        unit = tf.random_uniform([5000], dtype=kind, seed=3)
        variable = tf.Variable(tf.zeros([5000], kind))
        session.run(variable.initializer)
        store = variable.assign(
            tf.random_uniform([5000], low, high, kind, seed=3)
        )  # a step of training: compiled at once
        for _ in range(2):
            expected = session.run(unit) * (high - low) + low
            np.testing.assert_array_equal(session.run(store), expected)


def test_stateless_numbers_of_constant_seeds():
    with tf.Graph().as_default(), tf.Session() as session:
        unit = session.run(tf.random.stateless_uniform([5000], [3, 4]))
        variable = tf.Variable(tf.zeros([5000]))
        session.run(variable.initializer)
        found = session.run(variable.assign(tf.random.stateless_uniform([5000], [3, 4], -2.1, 5.3)))
    low, high = np.float32(-2.1), np.float32(5.3)
    np.testing.assert_array_equal(found, unit * (high - low) + low)


def test_scales_have_derivatives_in_loops():
    with tf.Graph().as_default(), tf.Session() as session:
        scale, turns = tf.constant(1.7), tf.placeholder(tf.int32, [])

        def turn(i, total, drawn):
            numbers = tf.random_normal([3], 0.0, 1.0, seed=5)
            return i + 1, total + tf.reduce_sum(scale * scale * numbers), drawn + tf.reduce_sum(numbers)

        _, total, drawn = tf.while_loop(lambda i, *_: i < turns, turn, (0, 0.0, 0.0))
        (first,) = tf.gradients(total, scale)
        (second,) = tf.gradients(first, scale)
        _, drawn, first, second = session.run([total, drawn, first, second], {turns: 4})
    np.testing.assert_allclose([first, second], [2 * 1.7 * drawn, 2 * drawn], rtol=1e-5)
