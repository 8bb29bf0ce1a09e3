"""Quotients are rounded once, whether the divisor is broadcast, constant, or neither."""

import numpy as np
import pytest

import thalweg as tf

N = np.arange(1, 200)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "divide",
    [tf.divide, tf.div, tf.realdiv, tf.div_no_nan, tf.math.xdivy, tf.truncatediv, lambda x, y: x / y],
    ids=["divide", "div", "realdiv", "div_no_nan", "xdivy", "truncatediv", "operator"],
)
def test_equals_numpy(divide, dtype):
    x, y = N.astype(dtype), N.astype(dtype)
    fed, other = tf.placeholder(dtype, [None]), tf.placeholder(dtype, [None, 1])
    with tf.Session() as session:
        table, row, one = session.run(
            [divide(fed, other), divide(fed, tf.constant(y)), divide(fed[48], dtype(49))], {fed: x, other: y[:, None]}
        )
    np.testing.assert_array_equal(table, x / y[:, None])
    np.testing.assert_array_equal(row, np.ones_like(x))
    assert one == 1


def test_floors():
    x = tf.placeholder(tf.float32, [None])
    with tf.Session() as session:
        np.testing.assert_array_equal(session.run(x // 49.0, {x: N * 49.0}), N)
        np.testing.assert_array_equal(session.run(tf.floor(x / 41.0), {x: N * 41.0}), N)


def test_means():
    x = tf.placeholder(tf.float32, [None, None])
    with tf.Session() as session:
        for n in (3, 7, 41, 49, 1000):
            np.testing.assert_array_equal(session.run(tf.reduce_mean(x, 1), {x: np.ones((2, n))}), [1, 1])
