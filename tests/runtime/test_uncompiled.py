"""Clusters that meet ever new shapes run on NumPy where that costs less than one more compilation; values are the same."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compiler.uncompiled import FIRST, TRIES, Uncompiled


def tried(cost=1.0):
    past = Uncompiled()
    for _ in range(FIRST):
        assert not past.suits("a")
        past.made(cost)
    return past


def test_shapes_that_come_again_are_compiled_once_they_have_cost_as_much():
    past = tried(1.0)
    past.ran("a", 0.6)
    assert past.suits("a")
    past.ran("a", 0.6)
    assert not past.suits("a")
    assert past.suits("b")


def test_prices_are_counted():
    """The same runs have the same prices, whatever else the machine does."""

    def spent():
        tf.reset_default_graph()
        x = tf.placeholder(tf.float32, [None, 3])
        y = tf.reduce_sum(tf.tanh(x) * 2.0, 0)
        with tf.Session() as session:
            for n in range(1, 12):
                session.run(y, {x: np.ones((n, 3))})
            found = [c.uncompiled for c in session.plan.clusters if c.varies]
            return [(past.price, past.spent) for past in found]

    first = spent()
    assert first[0][1]
    assert first == spent()


def test_what_takes_longer_is_given_up():
    past = tried(1.0)
    for n in range(TRIES):
        assert past.suits(n)
        past.ran(n, 2.0)
    assert not past.suits("another")


def test_slow_runs_between_quick_ones_do_not_count():
    past = tried(1.0)
    for n in range(3 * TRIES):
        past.ran(n, 2.0 if n % 2 else 0.1)
    assert past.suits("another")


def test_steps_without_an_executable_give_the_same_numbers():
    ids, weights = tf.placeholder(tf.int64, [None, 2]), tf.placeholder(tf.float32, [None])
    features = tf.SparseTensor(ids, tf.nn.dropout(weights, 0.5, seed=3), [4, 6])
    w = tf.Variable(tf.ones([6, 2]))
    loss = tf.reduce_sum(tf.square(tf.sparse_tensor_dense_matmul(features, w) - 1.0))
    step = tf.train.AdamOptimizer(0.1).minimize(loss)

    def trained(without):
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            losses = []
            for n in range(1, 25):
                at = np.stack([np.arange(n) % 4, np.arange(n) % 6], 1)
                losses.append(session.run([loss, step], {ids: at, weights: np.ones(n)})[0])
                for cluster in session.plan.clusters:
                    cluster.uncompiled.refused = not without
            spent = sum(len(c.uncompiled.spent) for c in session.plan.clusters)
            assert (spent > 0) == without
            return losses, session.run(w)

    found, expected = trained(True), trained(False)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-4)


def test_an_error_names_its_op_and_changes_nothing():
    ids = tf.placeholder(tf.int32, [None])
    table = tf.Variable(np.arange(12, dtype=np.float32).reshape(6, 2))
    rows = tf.gather(table, ids, name="rows")
    step = tf.assign_add(table, tf.ones([6, 2]) * tf.reduce_mean(rows * 0.0 + 1.0))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for n in range(1, 20):
            session.run(step, {ids: np.arange(n) % 6})
        assert any(c.uncompiled.spent for c in session.plan.clusters)
        before = session.run(table)
        with pytest.raises(tf.errors.InvalidArgumentError, match="rows"):
            session.run(step, {ids: np.arange(40) - 3})
        np.testing.assert_array_equal(session.run(table), before)


@pytest.mark.parametrize("make", [tf.train.AdagradOptimizer])
def test_rows_of_variables_that_are_updated(make):
    ids = tf.placeholder(tf.int32, [None])
    table = tf.Variable(np.arange(1, 13, dtype=np.float32).reshape(6, 2))
    step = make(0.5).minimize(tf.reduce_sum(tf.square(tf.nn.embedding_lookup(table, ids))))

    def trained(without):
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for n in range(1, 15):
                session.run(step, {ids: np.arange(n) * n % 6})
                for cluster in session.plan.clusters:
                    cluster.uncompiled.refused = not without
            assert any(c.uncompiled.spent for c in session.plan.clusters) == without
            return session.run(table)

    np.testing.assert_allclose(trained(True), trained(False), rtol=1e-4)


def test_a_loop_whose_variables_grow_draws_its_random_numbers_compiled():
    """Such a loop runs operation by operation, on NumPy arrays; random numbers are compiled for their shape, once."""
    from thalweg._src.runtime import numpy_interpreter

    def body(i, xs):
        return i + 1, tf.concat([xs, tf.random_gamma([1], 2.0, seed=3)], 0)

    start = [tf.constant(0), tf.zeros([0])]
    invariants = [tf.TensorShape([]), tf.TensorShape([None])]
    n = tf.placeholder(tf.int32, [])
    _, grown = tf.while_loop(lambda i, xs: i < n, body, start, shape_invariants=invariants)
    numpy_interpreter._programs.clear()
    with tf.Session() as sess:
        values = sess.run(grown, {n: 6})
        assert values.shape == (6,)
        assert len(set(values.tolist())) == 6
        assert (values > 0).all()
        assert len(numpy_interpreter._programs) == 1
        again = sess.run(grown, {n: 9})  # the stream goes on
        assert not set(again.tolist()) & set(values.tolist())
