"""Recurrent loops over ever new lengths, compiled for rounded ones: the numbers are those of loops compiled for each length."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compiler.uncompiled import Uncompiled
from thalweg._src.ops.control.rounding import LEAST, rounded

LENGTHS = [5, 9, 4, 7, 11, 6, 13, 3, 10, 12, 5, 17]


def recurrent():
    """A trained recurrent network: what a step fetches, and what it is fed for a length."""
    x = tf.placeholder(tf.float32, [None, None, 3])
    lengths = tf.placeholder(tf.int32, [None])
    cell = tf.nn.rnn_cell.BasicLSTMCell(4)
    outputs, state = tf.nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs - 0.3)) + tf.reduce_sum(tf.square(state.h))
    step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)

    def feeds(n):
        values = np.random.RandomState(n).standard_normal((2, n, 3))
        return {x: values, lengths: [n, n // 2]}

    return [loss, state.h, outputs, step], feeds


def trained(fetches, feeds):
    """Losses, last states and weights after a step for each of LENGTHS, and the loops of the last plan."""
    tf.set_random_seed(1)
    found = []
    with tf.Session() as session:
        session.run([v.initializer for v in tf.global_variables()])
        for v in tf.trainable_variables():
            v.load(np.random.RandomState(3).uniform(-0.5, 0.5, v.shape.as_list()), session)
        for n in LENGTHS:
            found.append(session.run(fetches, feeds(n))[:3])
        loops = [loop for c in session.plan.clusters for loop in c.loops.values()]
        return found, session.run(tf.trainable_variables()), loops


def test_the_numbers_are_those_of_loops_of_exact_lengths(monkeypatch):
    fetches, feeds = recurrent()
    got, weights, loops = trained(fetches, feeds)
    monkeypatch.setattr(Uncompiled, "left", lambda past, key: 0.0)
    want, expected, none = trained(fetches, feeds)
    for a, b in zip(got, want, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-6)
    for x, y in zip(weights, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-6)
    assert not none
    assert [loop.refused for loop in loops] == [False]
    assert 1 <= len(loops[0].programs) <= 4, "many lengths, few programs"


def test_an_element_behind_the_end_is_an_error():
    x = tf.placeholder(tf.float32, [None])
    n = tf.size(x)
    rows = tf.TensorArray(tf.float32, n, clear_after_read=False).unstack(x)
    shift = tf.placeholder_with_default(0, [])
    _, total = tf.while_loop(lambda i, s: i < n, lambda i, s: (i + 1, s + rows.read(i + shift)), [0, 0.0])
    (gradient,) = tf.gradients(total, x)
    with tf.Session() as session:
        for size in range(2, 12):
            found, slope = session.run([total, gradient], {x: np.arange(size)})
            assert found == sum(range(size))
            np.testing.assert_array_equal(slope, np.ones(size))
        for size in (13, 15, 18):  # the first is compiled, the others meet programs for rounded lengths
            for fetched in ([total, gradient], total):
                with pytest.raises(tf.errors.OpError):
                    session.run(fetched, {x: np.arange(size), shift: 1})
        assert session.run(total, {x: np.arange(14)}) == sum(range(14))


def test_rows_behind_the_end_do_not_reach_gradients():
    """A logarithm of what is behind the end would be infinite, and its share in the gradient of a weight no number."""
    x = tf.placeholder(tf.float32, [None, 3])
    n = tf.shape(x)[0]
    w = tf.get_variable("w", initializer=np.eye(3, dtype=np.float32))
    rows = tf.TensorArray(tf.float32, n).unstack(x)
    made = tf.TensorArray(tf.float32, n + 3)

    def turn(i, h, made):
        h = tf.tanh(tf.matmul(h + tf.log(rows.read(i))[None], w)) / tf.sqrt(h)
        return i + 1, 0.5 + h * h, made.write(i, 1 / h)

    _, h, made = tf.while_loop(lambda i, *_: i < n, turn, [0, tf.ones([1, 3]), made])
    written = made.gather(tf.range(n))
    loss = tf.reduce_sum(h) + tf.reduce_sum(1 / written)
    fetches = [loss, *tf.gradients(loss, [w, x]), written]
    with tf.Session() as session:
        session.run(w.initializer)
        for size in range(2, 16):
            values = np.random.RandomState(size).uniform(1.5, 3, (size, 3))
            found = session.run(fetches, {x: values})
            with tf.Session() as other:
                other.run(w.initializer)
                for a, b in zip(found, other.run(fetches, {x: values}), strict=True):
                    assert np.isfinite(b).all()
                    np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-6)
        loops = [loop for c in session.plan.clusters for loop in c.loops.values()]
        assert [loop.refused for loop in loops] == [False]


def test_loops_that_draw_random_numbers_are_left_alone():
    x = tf.placeholder(tf.float32, [None])
    n = tf.size(x)
    _, total = tf.while_loop(lambda i, s: i < n, lambda i, s: (i + 1, s + tf.random_uniform([])), [0, tf.reduce_sum(x)])
    with tf.Session() as session:
        for size in range(1, 12):
            assert 0 < session.run(total, {x: np.zeros(size)}) < size
        assert all(loop.refused for c in session.plan.clusters for loop in c.loops.values())


@pytest.mark.parametrize("n", [1, LEAST, LEAST + 1, 12, 13, 16, 17, 100, 1000])
def test_rounded_sizes_are_few_and_near(n):
    assert max(n, LEAST) <= rounded(n) <= max(LEAST, 1.5 * n)
    assert rounded(rounded(n)) == rounded(n)
