"""What is run a few times only is compiled hastily; what trains, what is large, and what has run a few times is compiled in full."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compiler import haste
from thalweg._src.compiler.prune import last_uses


@pytest.fixture
def session():
    with tf.Session() as session:
        yield session


def executables(session):
    return [e for cluster in session.plan.executables for e in {id(e): e for e in cluster.values()}.values()]


def hasty(session):
    return [e.hasty is not None for e in executables(session)]


def test_an_evaluation_is_compiled_in_full_when_it_has_run_a_few_times(session):
    x = tf.placeholder(tf.float32, [None])
    y = tf.reduce_sum(tf.exp(x) * tf.tanh(x))
    values = []
    for _ in range(haste.FEW):
        values.append(session.run(y, {x: np.arange(20_000) / 20_000}))
        assert hasty(session) == [True]
    for _ in range(2):
        values.append(session.run(y, {x: np.arange(20_000) / 20_000}))
        assert hasty(session) == [False]
    np.testing.assert_allclose(values, [values[0]] * len(values), rtol=1e-6)


def test_a_step_of_training_is_compiled_in_full_and_other_shapes_of_it_hastily(session):
    x = tf.placeholder(tf.float32, [None])
    w = tf.Variable(1.5)
    step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_mean(tf.square(w * x - 1)))
    session.run(tf.global_variables_initializer())
    expected = 1.5
    for n, kinds in ((20_000, [False]), (20_001, [False, True])):
        batch = np.arange(n) / n
        session.run(step, {x: batch})
        assert hasty(session) == kinds
        expected -= 0.1 * np.mean(2 * (expected * batch - 1) * batch)
    assert session.run(w) == pytest.approx(expected, rel=1e-6)


def test_small_arrays_run_long_on_hasty_code_and_then_on_light_code(session, monkeypatch):
    monkeypatch.setattr(haste, "LONG", 4)
    x = tf.placeholder(tf.float32, [None])
    w = tf.Variable(1.5)
    step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_mean(tf.square(w * x - 1)))
    session.run(tf.global_variables_initializer())
    expected, batch, kinds = 1.5, np.array([1.0, 2.0]), []
    for _ in range(6):
        session.run(step, {x: batch})
        kinds += hasty(session)
        expected -= 0.1 * np.mean(2 * (expected * batch - 1) * batch)
    assert kinds == 4 * [True] + 2 * [False]
    assert [exe.options for exe in executables(session)] == [haste.light_options()]
    assert session.run(w) == pytest.approx(expected, rel=1e-6)


def test_large_arrays_are_not_run_on_hastily_compiled_code(session):
    x = tf.placeholder(tf.float32, [None])
    session.run(tf.exp(x) + tf.tanh(x), {x: np.ones(1_000_000)})
    assert hasty(session) == [False]


def test_turns_of_loops_count():
    def turns(n):
        return jax.make_jaxpr(lambda x: jax.lax.scan(lambda c, _: (jnp.tanh(c), None), x, None, n)[0])(np.ones(1000))

    assert [haste.runs(turns(n).jaxpr, 16) for n in (2, 50, 1000)] == [
        (200, True),
        (haste.FEW, False),
        (0, False),
    ]


def test_loops_without_end_are_taken_to_be_long():
    def endless(n):
        return jax.make_jaxpr(lambda x: jax.lax.while_loop(lambda c: c.sum() < 5, jnp.tanh, x))(np.ones(n))

    assert [haste.runs(endless(n).jaxpr, 16) for n in (10, 10_000)] == [
        (haste.LONG, True),
        (0, False),
    ]


def test_first_values_are_made_by_numpy_and_are_those_of_the_compiled_operations():
    tf.set_random_seed(5)
    kinds = tf.float32, tf.float64, tf.float16
    drawn = [
        f([3, 7], dtype=kind) for f in (tf.random_uniform, tf.random_normal, tf.truncated_normal) for kind in kinds
    ]
    drawn += [tf.random_uniform([40], 2, 900, tf.int32), tf.random_uniform([40], 2, 900, tf.int64)]
    variables = [tf.Variable(d) for d in drawn]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert executables(session) == []
        first, second = session.run(variables), session.run(drawn)
    with tf.Session() as session:
        expected = session.run(drawn), session.run(drawn)
    for x, y in zip([*first, *second], [*expected[0], *expected[1]], strict=True):
        np.testing.assert_allclose(x, y, rtol=2e-6 if x.dtype == np.float32 else 1e-15)


def test_large_first_values_are_compiled(session):
    v = tf.Variable(tf.random_uniform([2_500_000]))
    session.run(v.initializer)
    assert len(executables(session)) == 1
    assert 0.49 < session.run(v).mean() < 0.51


def test_a_step_of_training_that_draws_numbers_is_compiled_once(session, monkeypatch):
    monkeypatch.setattr(haste, "options", lambda: None)
    w = tf.Variable(tf.ones([4]))
    session.run(w.initializer)
    step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.nn.dropout(w, 0.5)))
    for _ in range(3):
        session.run(step)
    assert [exe.program._cache_size() for exe in executables(session)] == [1]


def test_what_nothing_takes_any_more_is_let_go():
    x = tf.constant(1.0)
    y = x + 1
    z = y * y
    ops = [x.op, y.op.inputs[1].op, y.op, z.op]
    assert last_uses(ops, [z]) == [[], [], [x, y.op.inputs[1]], [y]]
