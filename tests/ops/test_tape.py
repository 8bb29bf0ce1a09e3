"""GradientTape: what it follows, what it forgets, and its errors."""

import numpy as np
import pytest

import thalweg as tf


def run(fetches):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches)


def test_watched_tensor():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert run(tape.gradient(y, x)) == 6.0


def test_variables_watch_themselves():
    v = tf.Variable(1.5)
    r = tf.get_variable("r", initializer=2.5, use_resource=True)
    with tf.GradientTape() as tape:
        y = v * v * r
    assert set(tape.watched_variables()) == {v, r}
    np.testing.assert_allclose(run(tape.gradient(y, [v, r])), [7.5, 2.25])


def test_what_came_before_is_constant():
    x = tf.constant(2.0)
    before = x * 3.0
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = before * x
    assert run(tape.gradient(y, x)) == 6.0  # not 12: `before` was not recorded


def test_unwatched_is_none():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        y = x * x
    assert tape.gradient(y, {"x": x}) == {"x": None}


def test_stop_recording():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        with tape.stop_recording():
            aside = x * 5.0
        y = x * aside
    assert run(tape.gradient(y, x)) == 10.0


def test_persistence():
    x = tf.constant(2.0)
    with tf.GradientTape() as once:
        once.watch(x)
        y = x * x
    once.gradient(y, x)
    with pytest.raises(RuntimeError):
        once.gradient(y, x)
    with tf.GradientTape(persistent=True) as often:
        often.watch(x)
        y = x * x
        z = y * x
    assert run([often.gradient(y, x), often.gradient(z, x)]) == [4.0, 12.0]


def test_jacobian():
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.stack([x[0] * x[1], x[0], x[1] ** 2])
    np.testing.assert_allclose(run(tape.jacobian(y, x)), [[2, 1], [1, 0], [0, 4]])


def test_watching_other_things():
    with tf.GradientTape() as tape, pytest.raises(ValueError, match="not tf.Tensor"):
        tape.watch(3.0)
