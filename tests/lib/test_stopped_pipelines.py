"""Pipelines that fail or are stopped: the error comes out, nothing hangs, no thread stays."""

import threading
import time

import numpy as np
import pytest

import thalweg as tf


@pytest.fixture(autouse=True)
def threads_end():
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + 20
    while set(threading.enumerate()) - before and time.monotonic() < until:
        time.sleep(0.01)
    assert not [t.name for t in set(threading.enumerate()) - before if t.name != "pytest_timeout"]


def closed_while(session, fetch):
    """What a run of `fetch` on another thread raises when the session is closed meanwhile."""
    raised = []

    def run():
        try:
            session.run(fetch)
        except tf.errors.OpError as error:
            raised.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.2)
    session.close()
    thread.join(20)
    assert not thread.is_alive()
    return raised


def fails_at(n):
    def check(i):
        if i >= n:
            raise ValueError("a picture that no one can read")
        return np.int64(i)

    return check


def test_an_error_of_a_filling_thread_ends_the_training():
    value = tf.py_func(fails_at(7), [tf.train.range_input_producer(100, shuffle=False).dequeue()], tf.int64)
    value.set_shape([])
    batch = tf.train.shuffle_batch([value], 2, 50, 1, num_threads=3)
    with tf.Session() as session:
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        with pytest.raises(tf.errors.OpError, match=r"no one can read|closed"):  # noqa: PT012 (until it happens)
            while not coord.should_stop():
                session.run(batch)
            coord.join(threads)
        with pytest.raises(Exception, match="no one can read"):
            coord.join(threads)


def test_stopping_while_queues_are_full_and_empty():
    full = tf.train.batch([tf.train.range_input_producer(10).dequeue()], 2, num_threads=4, capacity=4)
    empty = tf.FIFOQueue(1, tf.int32, ())
    waits = tf.train.batch([empty.dequeue()], 1, num_threads=2)
    with tf.Session() as session:
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        session.run(full)
        coord.request_stop()
        coord.join(threads, stop_grace_period_secs=20)
    assert waits.shape.as_list() == [1]


def test_closing_a_session_ends_what_waits():
    queue = tf.FIFOQueue(1, tf.int32, ())
    assert closed_while(tf.Session(), queue.dequeue()) == [tf.errors.CancelledError]


def test_closing_a_session_ends_what_never_ends():
    endless = tf.data.Dataset.from_tensors(1).repeat()
    assert closed_while(tf.Session(), endless.reduce(0, lambda x, y: x + y)) == [tf.errors.CancelledError]
    assert closed_while(tf.Session(), endless.prefetch(2).reduce(0, lambda x, y: x + y)) == [tf.errors.CancelledError]


PIPELINES = {
    "map": lambda d, f: d.map(f),
    "parallel map": lambda d, f: d.map(f, num_parallel_calls=3),
    "prefetch": lambda d, f: d.map(f).prefetch(4),
    "interleave": lambda d, f: d.interleave(lambda i: tf.data.Dataset.from_tensors(i).map(f), 3, num_parallel_calls=3),
    "generator": lambda d, f: tf.data.Dataset.from_generator(failing_generator, tf.int64, []),
}


def failing_generator():
    yield from range(4)
    raise ValueError("a picture that no one can read")


@pytest.mark.parametrize("kind", PIPELINES)
def test_an_error_within_a_dataset_reaches_the_step(kind):
    def function(i):
        out = tf.py_func(fails_at(4), [i], tf.int64)
        out.set_shape([])
        return out

    dataset = PIPELINES[kind](tf.data.Dataset.range(100), function).repeat()
    element = dataset.make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert [session.run(element) for _ in range(4)] == [0, 1, 2, 3]
        with pytest.raises(tf.errors.OpError, match="no one can read"):
            session.run(element)


def test_an_iterator_left_in_the_middle_leaves_no_thread():
    dataset = tf.data.Dataset.range(10**9).map(lambda i: i + 1, num_parallel_calls=2).prefetch(8)
    element = dataset.batch(4).prefetch(2).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert session.run(element).tolist() == [1, 2, 3, 4]
