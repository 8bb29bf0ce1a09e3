"""Derivatives of loops and branches: which there are, and that random numbers in them are drawn once in a run."""

import numpy as np
import pytest

import thalweg as tf


def test_there_is_none_by_what_a_branch_does_not_depend_on():
    x, z, p = tf.constant(2.0), tf.Variable(3.0), tf.placeholder(tf.bool, [])
    y = tf.cond(p, lambda: x * 2.0, lambda: x + tf.to_float(tf.to_int32(z)))
    assert [g is not None for g in tf.gradients(y, [x, z])] == [True, False]
    one_way = tf.cond(p, lambda: z * 2.0, lambda: x + tf.stop_gradient(z))
    assert None not in tf.gradients(one_way, [x, z])
    nested = tf.cond(p, lambda: tf.while_loop(lambda a: a < 9.0, lambda a: a * a, [x]), lambda: x - tf.round(z))
    assert [g is not None for g in tf.gradients(nested, [x, z])] == [True, False]


def test_there_is_none_by_what_a_loop_does_not_depend_on():
    x, z = tf.constant(2.0), tf.Variable(3.0)

    def body(i, a, b, store):
        return i + 1, a * x, b + tf.stop_gradient(z), store.write(i, tf.to_int32(z))

    store = tf.TensorArray(tf.int32, 3)
    _, a, b, _ = tf.while_loop(lambda i, *_: i < 3, body, [0, x, z, store])
    assert [g is not None for g in tf.gradients(a, [x, z])] == [True, False]
    one = tf.constant(1.0)
    *_, store = tf.while_loop(lambda i, *_: i < 3, body, [0, one, one, store])
    assert tf.gradients(store.stack(), [x, z]) == [None, None]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(tf.gradients(b, [z])) == [1.0]
        assert session.run(tf.gradients(a + tf.stop_gradient(b), [x, z])) == [
            32.0,
            0.0,
        ]  # zeros for what is used at all


@pytest.mark.parametrize(
    ("wanted", "by"),
    [
        (lambda a, b, s: a, "x"),
        (lambda a, b, s: b, "zw"),
        (lambda a, b, s: a + tf.stop_gradient(b), "xzw"),
        (lambda a, b, s: a + tf.stop_gradient(s.stack()), "xv"),
        (lambda a, b, s: tf.stop_gradient(a) + tf.stop_gradient(b), ""),
    ],
)
def test_a_loop_hands_zeros_to_its_results_that_are_used(wanted, by):
    """As TensorFlow 1.15 does, whose loop waits for the gradients of all exits that something between uses."""
    sources = {name: tf.constant(2.0) for name in "xzwv"}
    x, z, w, v = sources.values()
    store = tf.TensorArray(tf.float32, 3)
    _, a, b, store = tf.while_loop(
        lambda i, *_: i < 3, lambda i, a, b, s: (i + 1, a * x, b + w, s.write(i, v)), [0, x, z, store]
    )
    found = tf.gradients(wanted(a, b, store), list(sources.values()))
    assert "".join(name for name, g in zip(sources, found, strict=True) if g is not None) == by


def noisy(n, grows):
    """What a loop with a random mask gives, and its derivative; a growing array stands between the two in a plan."""
    tf.set_random_seed(11)
    w = tf.placeholder(tf.float32, [3])

    def body(i, x, store):
        out = tf.tanh(x * w)
        return i + 1, tf.where(tf.random_uniform([3], seed=5) < 0.5, out, tf.fill([3], 0.3)), store.write(i, out)

    store = tf.TensorArray(tf.float32, 0 if grows else 4, dynamic_size=grows)
    _, x, store = tf.while_loop(lambda i, *_: i < n, body, [0, tf.constant([1.0, 2.0, -1.0]), store])
    y = tf.reduce_sum(store.stack() ** 2) + tf.reduce_sum(x)
    return w, y, tf.gradients(y, w)[0]


@pytest.mark.parametrize("grows", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_the_derivative_sees_the_numbers_that_were_drawn(known, grows):
    at, step = np.array([0.7, -0.4, 1.1], "float32"), 1e-2

    def runs(shift):
        with tf.Graph().as_default(), tf.Session() as session:
            w, y, g = noisy(4 if known else tf.placeholder_with_default(4, []), grows)
            return [session.run([y, g], {w: at + shift}) for _ in range(3)]

    for (low, _), (_, g), (high, _) in zip(runs(-step), runs(0.0), runs(step), strict=True):
        np.testing.assert_allclose(g.sum(), (high - low) / (2 * step), rtol=2e-3, atol=1e-3)


def test_a_derivative_alone_draws_too():
    """The loop's own result is not needed for it; the numbers go on from run to run all the same."""
    tf.set_random_seed(11)
    w = tf.placeholder(tf.float32, [3])
    _, y = tf.while_loop(
        lambda i, y: i < 3, lambda i, y: (i + 1, y + w * tf.random_uniform([3], seed=5)), [0, tf.zeros([3])]
    )
    z = tf.cond(w[0] > 0, lambda: w * tf.random_uniform([3], seed=6), lambda: w)
    slopes = [tf.gradients(y, w)[0], tf.gradients(z, w)[0]]
    feed = {w: [1.0, 1.0, 1.0]}
    with tf.Session() as session:
        alone = [session.run(slopes, feed) for _ in range(3)]
    with tf.Session() as session:
        together = [session.run([[y, z], slopes], feed) for _ in range(3)]
    np.testing.assert_allclose(alone, [found[1] for found in together], rtol=1e-6)
    np.testing.assert_allclose(alone, [found[0] for found in together], rtol=1e-6)
    assert not np.allclose(alone[0], alone[1])
