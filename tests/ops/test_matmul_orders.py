"""Matrix products whose smaller factor is turned over first: values are those of the plain product for every size and order."""

import numpy as np
import pytest

import thalweg as tf


@pytest.mark.parametrize("rows", [1, 2, 7, 64, 65])
@pytest.mark.parametrize(("columns", "others"), [(300, 256), (256, 300), (40, 2000), (2000, 40), (3, 5)])
def test_gradients_of_a_layer_are_the_products_of_numpy(rows, columns, others):
    normal = np.random.RandomState(1).standard_normal
    x, w, g = (normal(shape).astype(np.float32) for shape in ((rows, columns), (columns, others), (rows, others)))
    with tf.Graph().as_default(), tf.Session() as sess:
        fed = [tf.placeholder(tf.float32, a.shape) for a in (x, w, g)]
        by_weights = tf.matmul(fed[0], fed[2], transpose_a=True)
        by_input = tf.matmul(fed[2], fed[1], transpose_b=True)
        by_weights, by_input = sess.run([by_weights, by_input], dict(zip(fed, (x, w, g), strict=True)))
    np.testing.assert_allclose(by_weights, x.T @ g, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(by_input, g @ w.T, rtol=1e-4, atol=1e-3)
