"""Steps of a few operations on a few numbers, which NumPy makes."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg as tf
from thalweg._src.compiler import plan
from thalweg._src.compiler.tiny import MOST_NUMBERS, MOST_OPERATIONS

BINARY = (tf.add, tf.subtract, tf.multiply, tf.divide, tf.maximum, tf.minimum)
UNARY = (tf.negative, tf.abs, tf.square)


@pytest.fixture(autouse=True)
def allowed(monkeypatch):
    monkeypatch.setattr(plan, "SHARE", 0.5)


def ran(fetches, feeds, *, compiled=False):
    """The values, and how many executables were made."""
    with tf.Session() as sess:
        if compiled:
            sess.hlo(fetches, feeds)
        found = sess.run(fetches, feeds)
        return found, sum(map(len, next(iter(sess._plans.values())).executables))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_expressions_have_the_values_that_a_compiled_step_gives(data):
    with tf.Graph().as_default():
        shapes = data.draw(st.lists(st.sampled_from([(), (3,), (2, 3), (2, 1)]), min_size=2, max_size=3))
        fed = {tf.placeholder(tf.float32, data.draw(st.sampled_from([s, None]))): s for s in shapes}
        made = [*fed, tf.constant(1.5), tf.constant([0.5, -2.0, 4.0])]
        for _ in range(data.draw(st.integers(1, MOST_OPERATIONS))):
            pick = lambda: made[data.draw(st.integers(0, len(made) - 1))]
            if data.draw(st.booleans()):
                made.append(data.draw(st.sampled_from(BINARY))(pick(), pick()))
            else:
                made.append(data.draw(st.sampled_from(UNARY))(pick()))
        rng = np.random.RandomState(data.draw(st.integers(0, 9)))
        feeds = {t: rng.standard_normal(s).astype(np.float32) for t, s in fed.items()}
        tiny, executables = ran(made[-1], feeds)
        assert executables == 0
        whole, executables = ran(made[-1], feeds, compiled=True)
        assert executables
        assert (type(tiny), tiny.dtype, tiny.shape) == (type(whole), whole.dtype, whole.shape)
        np.testing.assert_allclose(tiny, whole, rtol=3e-6, atol=1e-5)  # XLA adds to products without rounding them


def test_types_and_conditions():
    x, y = tf.placeholder(tf.int32, [2]), tf.placeholder(tf.float64, [])
    fetches = [x * x - 3, tf.logical_and(x > 2, x <= 5), tf.sqrt(y) / 2.0]
    (ints, flags, real), executables = ran(fetches, {x: [2, 5], y: 9.0})
    assert executables == 0
    assert ints.dtype == np.int32
    assert ints.tolist() == [1, 22]
    assert flags.tolist() == [False, True]
    assert (type(real), real) == (np.float64, 1.5)


def test_overflow_is_infinite_and_nobody_is_warned():
    x = tf.placeholder(tf.float32, [])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ran([x * x, x / 0.0], {x: 3e38})[0] == [np.inf, np.inf]


def test_what_is_larger_or_of_another_kind_is_compiled():
    x = tf.placeholder(tf.float32, [None])
    assert ran(x + 1.0, {x: np.zeros(MOST_NUMBERS)})[1] == 0
    with tf.Session() as sess:
        y, feeds = x + 1.0, {x: np.zeros(MOST_NUMBERS + 1, np.float32)}
        (cluster,) = sess._plan(sess._fetches(y), feeds).clusters
        assert not cluster.tiny.run(dict(feeds))
        assert sess.run(y, feeds).tolist() == [1.0] * (MOST_NUMBERS + 1)
    many = x
    for _ in range(MOST_OPERATIONS + 1):
        many = many + 1.0
    with tf.Session() as sess:
        assert all(c.tiny is None for c in sess._plan(sess._fetches(many), sess._feeds({x: [1.0]})).clusters)
        assert all(c.tiny is None for c in sess._plan(sess._fetches(tf.exp(x)), sess._feeds({x: [1.0]})).clusters)


def test_a_result_is_an_array_of_its_own():
    x = tf.placeholder(tf.float32, [2])
    given = np.array([1, 2], np.float32)
    with tf.Session() as sess:
        found = sess.run(tf.abs(x), {x: given})
        found[0] = 9
        assert given.tolist() == [1, 2]
        assert sess.run(tf.abs(x), {x: given}).tolist() == [1, 2]


def test_shapes_that_do_not_go_together_are_told_as_by_a_compiled_step():
    x, y = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    with tf.Session() as sess, pytest.raises(tf.errors.InvalidArgumentError, match="Incompatible shapes"):
        sess.run(tf.add(x, y, name="both"), {x: np.zeros(2), y: np.zeros(3)})
