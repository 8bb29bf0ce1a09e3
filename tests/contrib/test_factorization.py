"""tf.contrib.factorization: clusters that are apart are found."""

import numpy as np
import pytest

import thalweg as tf


@pytest.mark.parametrize("mini_batch", [False, True])
@pytest.mark.parametrize("distance", ["squared_euclidean", "cosine"])
def test_clusters(distance, mini_batch):
    middles = np.float32([[5, 0], [0, 5], [-5, -5]])
    rows = np.repeat(middles, 10, axis=0) + 0.1 * np.random.randn(30, 2).astype(np.float32)
    x = tf.placeholder(tf.float32, [None, 2])
    how = {"initial_clusters": middles + 1, "distance_metric": distance, "use_mini_batch": mini_batch}
    model = tf.contrib.factorization.KMeans(x, 3, **how)
    distances, nearest, scores, ready, init_op, train_op = model.training_graph()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer(), {x: rows})
        assert not session.run(ready)
        session.run(init_op, {x: rows})
        for _ in range(3):
            session.run(train_op, {x: rows})
        found, worst, every = session.run([nearest[0], tf.reduce_max(scores[0]), distances[0]], {x: rows})
    assert found.tolist() == np.repeat([0, 1, 2], 10).tolist()
    assert every.shape == (30, 3)
    assert worst < 0.3
    np.testing.assert_array_equal(every.argmin(1), found)


def test_what_it_refuses():
    with pytest.raises(ValueError, match="Unsupported distance metric"):
        tf.contrib.factorization.KMeans(tf.zeros([2, 2]), 2, distance_metric="x")
