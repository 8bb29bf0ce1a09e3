"""First runs of steps, and clusters that meet ever new shapes, run on NumPy where that costs less than to compile; values are the same."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compiler import uncompiled
from thalweg._src.compiler.uncompiled import TRIES, Uncompiled


@pytest.fixture
def rented(monkeypatch):
    """First runs are made without executables, as they are outside of these tests: three of a step of training."""
    monkeypatch.setattr(uncompiled, "SHARE", 0.5)
    monkeypatch.setattr(uncompiled, "TRAINED", 3)


def executables(session):
    return sum(len(found) > 0 for found in session.plan.executables)


def test_shapes_that_come_again_are_compiled_once_they_have_cost_as_much():
    past = Uncompiled(varies=True)
    past.ran("a", 0.6 * past.price)
    assert past.left("a")
    past.ran("a", 0.6 * past.price)
    assert not past.left("a")
    assert past.left("b")


def test_first_runs_may_cost_a_part_of_an_executable(rented):
    past = Uncompiled()
    assert past.left("a") == past.price / 2
    past.ran("a", past.price / 4)
    assert past.left("a") == past.price / 4
    past.gave_up("a")
    assert not past.left("a")
    for _ in range(uncompiled.RUNS):
        assert past.left("b")
        past.ran("b", 0.0)
    assert not past.left("b")


def test_first_steps_of_training_run_on_numpy_arrays(rented):
    x = tf.placeholder(tf.float32, [None, 3])
    w = tf.Variable(tf.ones([3, 2]))
    hidden = tf.nn.dropout(tf.tanh(tf.matmul(x, w)), 0.5, seed=3)
    step = tf.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(tf.square(hidden - 1.0)))

    def trained(share):
        uncompiled.SHARE = share
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            seen, values = [], []
            for _ in range(5):
                session.run(step, {x: np.arange(12).reshape(4, 3) / 12})
                seen.append(executables(session))
                values.append(session.run(w))
            return seen, values

    found, expected = trained(0.5), trained(0.0)
    assert found[0] == [0, 0, 0, 1, 1]
    assert expected[0] == [1] * 5
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5)


def test_large_arrays_are_compiled_for_at_once_and_the_step_runs_once(rented):
    x = tf.placeholder(tf.float32, [None])
    count = tf.Variable(0)
    added, drawn = tf.assign_add(count, 1), tf.random_uniform([], seed=3)
    total = tf.reduce_sum(tf.exp(tf.exp(x)))

    def run(share, size):
        uncompiled.SHARE = share
        with tf.Session() as session:
            session.run(count.initializer)
            first = session.run([added, drawn, total], {x: np.zeros(size, np.float32)})
            assert executables(session) == (size > 1)
            return session.run(count), *first

    large, small = run(0.01, 1_000_000), run(0.5, 1)
    assert large[:2] == small[:2] == (1, 1)
    assert large[2] == pytest.approx(small[2])
    assert large[3] == pytest.approx(1_000_000 * small[3], rel=1e-3)


def test_training_on_arrays_of_some_size_is_compiled_at_once(rented):
    x = tf.placeholder(tf.float32, [None, 100])
    loss = tf.reduce_sum(tf.square(tf.matmul(x, tf.Variable(tf.ones([100, 10])))))
    step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    seen = []
    for size in (2, 10_000):
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(step, {x: np.ones((size, 100))})
            seen.append(executables(session))
            session.run(loss, {x: np.ones((size, 100))})
            seen.append(executables(session))
    assert seen == [0, 0, 1, 0]


def test_errors_are_the_compilers_and_nothing_has_changed(rented):
    x = tf.placeholder(tf.float32, [None, None])
    v = tf.Variable(1.0)
    product = tf.assign_add(v, tf.reduce_sum(tf.matmul(x, x, name="square")))

    def told(share):
        uncompiled.SHARE = share
        with tf.Session() as session:
            session.run(v.initializer)
            with pytest.raises(tf.errors.InvalidArgumentError) as error:
                session.run(product, {x: np.ones((2, 3))})
            assert session.run(v) == 1.0
            assert session.run(product, {x: np.ones((2, 2))}) == 9.0
            return str(error.value)

    assert told(0.5) == told(0.0)


def test_a_variable_shares_no_memory_with_what_was_fed(rented):
    x = tf.placeholder(tf.float32, [100])
    v = tf.Variable(tf.zeros([100]))
    put, total = tf.assign(v, x), tf.reduce_sum(tf.exp(v))
    fed = np.zeros(100, np.float32)
    with tf.Session() as session:
        given = session.run(put, {x: fed})
        fed[:], given[:] = 5.0, 7.0
        assert session.run(total) == 100.0
        uncompiled.SHARE = 0.0
        assert session.run(tf.reduce_sum(tf.exp(v))) == 100.0


def test_a_loop_runs_on_numpy_arrays_unless_it_is_long_or_differentiated(rented):
    n = tf.placeholder(tf.int32, [])
    x = tf.Variable(2.0)
    end = tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * x), [0, 1.0])[1]
    slope = tf.gradients(end, x)[0]
    with tf.Session() as session:
        session.run(x.initializer)
        assert session.run(end, {n: 3}) == 8.0
        assert executables(session) == 0
        session.run(end, {n: 100_000})
        assert executables(session) == 1
        assert session.run(slope, {n: 3}) == 12.0
        assert executables(session) == 1


def test_what_calls_jax_is_counted_and_compiled_where_there_is_much_of_it(rented, monkeypatch):
    monkeypatch.setattr(uncompiled, "seen", {})
    x = tf.placeholder(tf.float32, [None, 4, 4])
    one = tf.linalg.svd(x, compute_uv=False)
    many = [tf.linalg.svd(x + n, compute_uv=False) for n in range(30)]
    with tf.Session() as session:
        session.run(one, {x: [np.eye(4)]})
        assert executables(session) == 0
        assert uncompiled.seen["Svd"] == [1.0, pytest.approx(1.0, abs=1.0)]
        session.run(many, {x: [np.eye(4)]})
        assert executables(session) == 1
        assert uncompiled.seen["Svd"][0] == 1.0


def test_functions_of_complex_numbers_are_those_of_the_compiler(rented):
    x = tf.placeholder(tf.complex64, [2])
    values = [tf.sigmoid(x), tf.rsqrt(x), tf.tanh(x), tf.sign(x)]
    with tf.Session() as session:
        found = session.run(values, {x: [1 + 2j, -3 + 0.5j]})
        assert executables(session) == 0
        uncompiled.SHARE = 0.0
        expected = session.run([v + 0 for v in values], {x: [1 + 2j, -3 + 0.5j]})
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_what_jax_computes_on_numpy_arrays_has_64_bits(rented):
    alpha = tf.placeholder(tf.float64, [2])
    slope = tf.gradients(tf.random_gamma([], alpha, seed=3, dtype=tf.float64), alpha)[0]
    with tf.Session() as session:
        found = session.run(slope, {alpha: [0.5, 2.0]})
    uncompiled.SHARE = 0.0
    with tf.Session() as session:
        np.testing.assert_allclose(found, session.run(slope, {alpha: [0.5, 2.0]}), rtol=1e-12)


def test_the_program_of_a_run_can_be_read(rented):
    x = tf.placeholder(tf.float32, [2])
    y = tf.tanh(x)
    with tf.Session() as session:
        session.run(y, {x: [1, 2]})
        assert "tanh" in session.hlo(y, {x: [1, 2]})[0]


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
    past = Uncompiled(varies=True)
    for n in range(TRIES):
        assert past.left(n)
        past.ran(n, 2 * past.price)
    assert not past.left("another")


def test_slow_runs_between_quick_ones_do_not_count():
    past = Uncompiled(varies=True)
    for n in range(3 * TRIES):
        past.ran(n, past.price * (2.0 if n % 2 else 0.1))
    assert past.left("another")


def test_steps_without_an_executable_give_the_same_numbers(monkeypatch):
    ids, weights = tf.placeholder(tf.int64, [None, 2]), tf.placeholder(tf.float32, [None])
    features = tf.SparseTensor(ids, tf.nn.dropout(weights, 0.5, seed=3), [4, 6])
    w = tf.Variable(tf.ones([6, 2]))
    loss = tf.reduce_sum(tf.square(tf.sparse_tensor_dense_matmul(features, w) - 1.0))
    step = tf.train.AdamOptimizer(0.1).minimize(loss)

    def trained(without):
        if not without:
            monkeypatch.setattr(Uncompiled, "left", lambda past, key: 0.0)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            losses = []
            for n in range(1, 25):
                at = np.stack([np.arange(n) % 4, np.arange(n) % 6], 1)
                losses.append(session.run([loss, step], {ids: at, weights: np.ones(n)})[0])
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
def test_rows_of_variables_that_are_updated(make, monkeypatch):
    ids = tf.placeholder(tf.int32, [None])
    table = tf.Variable(np.arange(1, 13, dtype=np.float32).reshape(6, 2))
    step = make(0.5).minimize(tf.reduce_sum(tf.square(tf.nn.embedding_lookup(table, ids))))

    def trained(without):
        if not without:
            monkeypatch.setattr(Uncompiled, "left", lambda past, key: 0.0)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for n in range(1, 15):
                session.run(step, {ids: np.arange(n) * n % 6})
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
