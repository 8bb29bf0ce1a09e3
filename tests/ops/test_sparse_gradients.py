"""Gradients that come as rows (IndexedSlices) go back through whatever made the table."""

import numpy as np
import pytest

import thalweg as tf

MADE = {
    "add": lambda x, y: x + y,
    "same": lambda x, y: x + x,
    "subtract": lambda x, y: y - x,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "squared_difference": tf.squared_difference,
    "maximum": tf.maximum,
    "negative": lambda x, y: -x,
    "reshape": lambda x, y: tf.reshape(tf.transpose(x), [2, 2]),
    "concat": lambda x, y: tf.concat([x, x], 0),
    "stack": lambda x, y: tf.stack([y, y * y]),
    "slice": lambda x, y: tf.pad(x, [[1, 1], [0, 0]])[1:3],
    "softmax": lambda x, y: tf.nn.softmax(x),
    "bias": lambda x, y: tf.nn.bias_add(x, y),
    "where": lambda x, y: tf.where(x > 2, x, 2 * x),
    "cond": lambda x, y: tf.cond(x[0, 0] > 0, lambda: x * y, lambda: x),
}


@pytest.mark.parametrize("name", MADE)
def test_rows_go_back_as_a_product_does(name):
    with tf.Graph().as_default(), tf.Session() as sess:
        x, y = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([0.5, 3.0])
        table = MADE[name](x, y)
        chosen = tf.gather(table, [0, 1, 0])
        product = tf.matmul(tf.one_hot([0, 1, 0], tf.shape(table)[0]), table)
        found, expected = ([g for g in tf.gradients(tf.square(v), [x, y]) if g is not None] for v in (chosen, product))
        assert len(found) == len(expected) > 0
        for a, b in zip(*sess.run([[tf.convert_to_tensor(g) for g in found], expected]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)
