"""Functions that run once for several steps: rows find back to their steps, errors reach all of them, nothing waits for ever."""

import threading

import numpy as np
import pytest

import thalweg as tf

NEVER = 3_600_000_000  # microseconds


def traced(calls):
    def seen(x):
        calls.append(x.tolist())
        return x

    def call(x):
        out = tf.py_func(seen, [x], tf.int32)
        out.set_shape(x.shape)
        return out

    return call


def side_by_side(session, fetch, feeds):
    """What a run on a thread of its own gives for each feed, or the error that it raises."""
    out = {}

    def run(i, feed):
        try:
            out[i] = session.run(fetch, feed)
        except tf.errors.OpError as error:
            out[i] = error

    threads = [threading.Thread(target=run, args=job) for job in enumerate(feeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return [out[i] for i in range(len(feeds))]


def test_steps_on_several_threads_share_a_call():
    calls = []
    factor = tf.get_variable("factor", initializer=3, use_resource=True)
    x = tf.placeholder(tf.int32, [None])
    y = tf.contrib.batching.batch_function(1, 6, NEVER)(lambda x: traced(calls)(x) * factor)(x)
    with tf.Session() as session:
        session.run(factor.initializer)
        found = side_by_side(session, y, [{x: [i] * i} for i in (1, 2, 3)])
    assert [f.tolist() for f in found] == [[3], [6, 6], [9, 9, 9]]
    assert len(calls) == 1
    assert sorted(calls[0]) == [1, 2, 2, 3, 3, 3]


def test_a_batch_is_filled_up_and_a_lonely_step_does_not_wait_for_ever():
    calls = []
    x = tf.placeholder(tf.int32, [None])
    y = tf.nondifferentiable_batch_function(1, 8, 1000, allowed_batch_sizes=[4, 8])(traced(calls))(x)
    with tf.Session() as session:
        assert session.run(y, {x: [5, 6, 7]}).tolist() == [5, 6, 7]
        assert calls == [[5, 6, 7, 5]]


def test_an_error_reaches_every_step_of_the_batch():
    x = tf.placeholder(tf.float32, [None])
    y = tf.contrib.batching.batch_function(1, 2, NEVER)(lambda x: tf.check_numerics(x, "no number"))(x)
    with tf.Session() as session:
        for error in side_by_side(session, y, [{x: [1.0]}, {x: [np.nan]}]):
            assert isinstance(error, tf.errors.InvalidArgumentError)


def test_a_session_that_is_closed_ends_the_waiting():
    x = tf.placeholder(tf.float32, [None])
    y = tf.contrib.batching.batch_function(1, 2, NEVER)(lambda x: x + 1.0)(x)
    session = tf.Session()
    threading.Timer(0.3, session.close).start()
    (error,) = side_by_side(session, y, [{x: [1.0]}])
    assert isinstance(error, tf.errors.CancelledError)


def test_what_can_not_be_joined_is_refused():
    x, y = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    joint = tf.contrib.batching.batch_function(1, 2, 1000)
    both, totals = joint(lambda x, y: x + y)(x, y), joint(lambda x: tf.reduce_sum(x))(x)
    with tf.Session() as session:
        for fetch, feed, message in [
            (both, {x: [1.0], y: [1.0, 2.0]}, "equal 0th-dimension"),
            (both, {x: 1.0, y: 2.0}, "at least one dimension"),
            (both, {x: [1.0] * 3, y: [1.0] * 3}, "larger than maximum"),
            (totals, {x: [1.0, 2.0]}, "0th dimension"),
        ]:
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                session.run(fetch, feed)
    with pytest.raises(ValueError, match="supposed to be Tensors"):
        joint(lambda x: x)(1.0)
