"""Programs that feed ever new shapes: what depends on them is compiled apart, the rest once; values are the same."""

import logging

import numpy as np

import thalweg as tf
from thalweg._src.compiler.varying import varying


def regression():
    x, y = tf.placeholder(tf.float32, [None, 3], name="x"), tf.placeholder(tf.float32, [None], name="y")
    w, b = tf.Variable([[1.0], [2.0], [3.0]]), tf.Variable(0.5)
    rows = tf.shape(x)[0]
    predicted = tf.reshape(tf.matmul(x, w), [rows]) + b
    loss = tf.reduce_sum(tf.square(predicted - y)) / tf.cast(rows, tf.float32)
    return x, y, w, loss, tf.train.MomentumOptimizer(0.01, 0.9).minimize(loss)


def batch(n):
    rng = np.random.RandomState(n)
    return rng.rand(n, 3).astype(np.float32), rng.rand(n).astype(np.float32)


def by_numpy(sizes):
    w, b = np.array([1.0, 2.0, 3.0]), 0.5
    speed_w, speed_b, losses = np.zeros(3), 0.0, []
    for n in sizes:
        x, y = (a.astype(np.float64) for a in batch(n))
        off = x @ w + b - y
        losses.append((off**2).mean())
        speed_w, speed_b = 0.9 * speed_w + 2 * x.T @ off / n, 0.9 * speed_b + 2 * off.mean()
        w, b = w - 0.01 * speed_w, b - 0.01 * speed_b
    return losses


def test_many_lengths_give_the_same_numbers():
    x, y, _, loss, step = regression()
    sizes = [*range(5, 20), 7, 70, 71]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        losses = [session.run([loss, step], dict(zip((x, y), batch(n), strict=True)))[0] for n in sizes]
        clusters = session.plan.clusters
    np.testing.assert_allclose(losses, by_numpy(sizes), rtol=1e-4)
    assert [c.varies for c in clusters] == [True, False]
    assert clusters[1].compiled == 1
    assert {op.type for op in clusters[1].ops} >= {"ApplyMomentum"}


def test_a_few_shapes_are_one_executable_each():
    x, y, _, loss, step = regression()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for n in (5, 6, 5, 6, 5, 6):
            session.run([loss, step], dict(zip((x, y), batch(n), strict=True)))
        (cluster,) = session.plan.clusters
        assert cluster.compiled == 2


def test_sparse_tensors_of_any_number_of_entries():
    indices, values = tf.placeholder(tf.int64, [None, 2]), tf.placeholder(tf.float32, [None])
    features = tf.SparseTensor(indices, values * 2.0, [4, 6])
    w = tf.Variable(tf.ones([6, 2]))
    hidden = tf.tanh(tf.sparse_tensor_dense_matmul(features, w))
    gradient = tf.gradients(hidden, w)[0]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for n in range(1, 12):
            at = np.stack([np.arange(n) % 4, np.arange(n) % 6], 1)
            dense = np.zeros((4, 6))
            np.add.at(dense, tuple(at.T), 2.0)
            found = session.run([hidden, gradient], {indices: at, values: np.ones(n)})
            expected = np.tanh(dense @ np.ones((6, 2)))
            np.testing.assert_allclose(found[0], expected, rtol=1e-5)
            np.testing.assert_allclose(found[1], dense.T @ (1 - expected**2), rtol=1e-3, atol=1e-5)


def test_a_warning_names_the_feed(caplog):
    x = tf.placeholder(tf.float32, [None], name="lengths")
    y = tf.reduce_sum(x)
    with tf.Session() as session, caplog.at_level(logging.WARNING, "thalweg"):
        for n in range(1, 40):
            assert session.run(y, {x: np.ones(n)}) == n
            for cluster in session.plan.clusters:
                cluster.uncompiled.refused = True  # such as takes long on NumPy
    told = [r.getMessage() for r in caplog.records if "shapes" in r.getMessage()]
    assert len(told) == 1
    assert "lengths:0" in told[0]


def test_sparse_updates_of_any_number_of_rows():
    """Adam's update of an embedding: rows are scattered, then the whole is read by the reference that this gives."""
    ids = tf.placeholder(tf.int32, [None])
    table = tf.Variable(np.arange(12, dtype=np.float32).reshape(6, 2))
    loss = tf.reduce_sum(tf.square(tf.nn.embedding_lookup(table, ids)))
    step = tf.train.AdamOptimizer(0.1).minimize(loss)
    batches = [np.arange(n) % 6 for n in range(1, 12)]

    def trained(seen_before):
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            if not seen_before:
                session._note_shapes = lambda *args: None
            for batch in batches:
                session.run([loss, step], {ids: batch})
            assert any(c.varies for c in session.plan.clusters) == seen_before
            return session.run(table)

    np.testing.assert_allclose(trained(True), trained(False), rtol=1e-5)


def test_a_value_that_is_built_in_and_keeps_changing_is_set_apart():
    """Paddings that are fed must be known while tracing: what they meet is compiled a few times, then runs without."""
    x, paddings = tf.placeholder(tf.float32, [4]), tf.placeholder(tf.int32, [1, 2])
    y = tf.reduce_sum(tf.pad(x, paddings)) + tf.cast(tf.size(tf.pad(x, paddings)), tf.float32)
    with tf.Session() as sess:
        for n in range(20):
            assert sess.run(y, {x: np.ones(4), paddings: [[n, 1]]}) == 4 + 4 + n + 1
        clusters = [c for plan in sess._plans.values() for c in plan.clusters if c.varies]
        assert clusters
        assert not any(c.compiled for c in clusters)


def test_a_network_does_not_vary_with_the_rows_that_its_gradient_has():
    ids = tf.placeholder(tf.int32, [8])
    table = tf.Variable(tf.ones([30, 4]))
    x = tf.nn.embedding_lookup(table, ids)
    for _ in range(40):
        x = tf.tanh(x * 1.1)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    (gradient, _), *_ = optimizer.compute_gradients(tf.reduce_sum(x), [table])
    rows, at = tf.unique(gradient.indices)
    summed = tf.unsorted_segment_sum(gradient.values, at, tf.size(rows))
    step = optimizer.apply_gradients([(tf.IndexedSlices(summed, rows), table)])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for n in range(1, 9):
            session.run(step, {ids: np.arange(8) % n})
        clusters = [c for c in session.plan.clusters if not c.is_host]
        assert max(len(c.ops) for c in clusters if not c.varies) > 100
        assert 0 < sum(len(c.ops) for c in clusters if c.varies) < 30
        values = session.run(table)
    assert np.all(values[8:] == 1.0)
    assert np.all(values[:8] < 1.0)


def test_what_is_traced_for_a_changing_shape_changes_too():
    """A vector as long as another one has rows: nothing of that one comes in but its shape."""
    x = tf.placeholder(tf.float32, [None, 2])
    rows = tf.shape(x)[0] * 2
    twice = tf.fill([rows], 3.0, name="twice")
    also = tf.tanh(tf.ones([5]), name="also")
    total = tf.reduce_sum(twice, name="total") + tf.reduce_sum(also)
    apart = {op.name for op in varying(tf.get_default_graph().get_operations(), {x})}
    assert apart >= {"twice", "total"}
    assert "also" not in apart
    with tf.Session() as session:
        for n in range(1, 9):
            np.testing.assert_allclose(session.run(total, {x: np.ones((n, 2))}), 6 * n + 5 * np.tanh(1), rtol=1e-6)
