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


@pytest.mark.parametrize("how", ["random", "kmeans_plus_plus", "kmc2"])
def test_first_centers_are_rows(how):
    rows = np.float32([[0, 0], [0, 1], [9, 9], [9, 8], [20, 0], [20, 1]])
    model = tf.contrib.factorization.KMeans(rows[:, :], 3, initial_clusters=how, random_seed=3, kmc2_chain_length=2)
    _, _, _, ready, init_op, _ = model.training_graph()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        while not session.run(ready):
            session.run(init_op)
        centers = session.run("clusters:0")
    assert len(centers) == 3
    assert all(any((c == row).all() for row in rows) for c in centers)


def test_an_estimator_of_clusters():
    rows = np.float32([[0, 0], [0, 1], [9, 9], [9, 8]])
    inputs = lambda: tf.train.limit_epochs(tf.constant(rows), num_epochs=1)
    model = tf.contrib.factorization.KMeansClustering(2, initial_clusters=rows[[0, 2]], use_mini_batch=False)
    model.train(inputs)
    np.testing.assert_allclose(model.cluster_centers(), [[0, 0.5], [9, 8.5]], atol=1e-4)
    assert list(model.predict_cluster_index(inputs)) == [0, 0, 1, 1]
    np.testing.assert_allclose(model.score(inputs), 1.0, atol=1e-3)
    assert np.array(list(model.transform(inputs))).shape == (4, 2)


@pytest.mark.parametrize("kind", ["full", "diag"])
def test_a_mixture(kind):
    random = np.random.RandomState(0)
    rows = random.randn(200, 2).astype(np.float32) + np.repeat(np.float32([[8, 0], [0, 8]]), 100, axis=0)
    first = np.float32([[6, 1], [1, 6]])
    loss, scores, (assignments,), train_op, init_op, ready = tf.contrib.factorization.gmm(
        tf.constant(rows), first, 2, 0, covariance_type=kind
    )
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(init_op)
        assert session.run(ready)
        for _ in range(5):
            session.run(train_op)
        means, covariances, found = session.run(["clusters:0", "clusters_covs:0", assignments[0]])
    assert found.tolist() == [0] * 100 + [1] * 100
    np.testing.assert_allclose(means[:, 0], [rows[:100].mean(0), rows[100:].mean(0)], atol=1e-2)
    spread = covariances[:, [0, 1], [0, 1]] if kind == "full" else covariances
    np.testing.assert_allclose(spread, [rows[:100].var(0), rows[100:].var(0)], rtol=0.05)


def test_factors_of_a_sparse_matrix():
    left, right = np.random.RandomState(1).rand(8, 2), np.random.RandomState(2).rand(6, 2)
    whole = (left @ right.T).astype(np.float32)
    places = [(i, j) for i in range(8) for j in range(6) if (i + j) % 3]
    matrix = tf.SparseTensor(places, [whole[p] for p in places], [8, 6])
    model = tf.contrib.factorization.WALSModel(
        *(8, 6, 2, 0.0), regularization=1e-4, num_row_shards=2, row_init=[left[:4] + 0.3, left[4:]], col_init=right
    )
    rows, cols = model.update_row_factors(matrix), model.update_col_factors(matrix)
    with tf.Session() as session:
        session.run([model.initialize_op])
        session.run(model.worker_init)
        for _ in range(3):
            for prepare, begin, update in (
                (model.row_update_prep_gramian_op, model.initialize_row_update_op, rows[1]),
                (model.col_update_prep_gramian_op, model.initialize_col_update_op, cols[1]),
            ):
                session.run(prepare)
                session.run(begin)
                session.run(update)
        factors = [np.concatenate(session.run(side)) for side in (model.row_factors, model.col_factors)]
    found = factors[0] @ factors[1].T
    np.testing.assert_allclose([found[p] for p in places], [whole[p] for p in places], atol=0.02)
