"""Plans of input pipelines as steps on NumPy arrays: which plans those are, and that they do what clusters would."""

import threading

import numpy as np
import pytest

import thalweg as tf


def is_straight(session):
    return session.plan.notes.get("straight") is not None


def test_from_queue_to_queue():
    source, sink = tf.FIFOQueue(10, tf.int32, ()), tf.FIFOQueue(10, [tf.float32, tf.string], [(2,), ()])
    i = source.dequeue()
    row = tf.gather(tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), i) / 2.0
    move = sink.enqueue([row, tf.as_string(i)])
    with tf.Session() as session:
        session.run(source.enqueue_many([[2, 0]]))
        for wanted in ([2.5, 3.0], [0.5, 1.0]):
            session.run(move)
            assert is_straight(session)
            assert session.run(sink.dequeue())[0].tolist() == wanted


def test_what_two_things_wait_for_goes_on_beside_each_other():
    queue = tf.FIFOQueue(1, tf.int32, ())
    with tf.Session() as session:
        assert session.run([queue.dequeue(), queue.enqueue(7)])[0] == 7
        assert not is_straight(session)


def test_variables_random_numbers_and_large_arrays_take_the_other_way():
    queue = tf.FIFOQueue(10, tf.float32)
    v = tf.Variable(1.0)
    with tf.Session() as session:
        session.run(v.initializer)
        for x in (v + 1.0, tf.random_uniform([2]), tf.ones([100, 100]) * 2.0):
            session.run(queue.enqueue(x))
            assert not is_straight(session)
        assert session.run(queue.dequeue()) == 2.0


def test_an_error_names_its_operation_and_leaves_the_rest():
    source = tf.FIFOQueue(10, tf.string, ())
    number = tf.string_to_number(source.dequeue(), name="as_number")
    with tf.Session() as session:
        session.run(source.enqueue_many([["1", "one", "2"]]))
        assert session.run(number) == 1
        assert is_straight(session)
        with pytest.raises(tf.errors.InvalidArgumentError, match="as_number"):
            session.run(number)
        assert session.run(number) == 2


def test_a_wait_ends_by_time_by_closing_and_by_the_session():
    queues = [tf.FIFOQueue(1, tf.int32, (), name=name) for name in ("closed", "left")]
    taken = [queue.dequeue() + 1 for queue in queues]
    found = []

    def take(session, number):
        try:
            session.run(number)
        except (tf.errors.OpError, RuntimeError) as error:
            found.append(type(error))

    with tf.Session() as session:
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(taken[0], options=tf.RunOptions(timeout_in_ms=30))
        assert is_straight(session)
        for end in (lambda: session.run(queues[0].close()), session.close):
            number = taken.pop(0)
            thread = threading.Thread(target=take, args=(session, number))
            thread.start()
            end()
            thread.join(20)
            assert not thread.is_alive()
    assert found[0] is tf.errors.OutOfRangeError
    assert found[1:] in (
        [],
        [tf.errors.CancelledError],
    )  # none where the session was closed before the thread came to it


def test_fed_values_and_types():
    queue = tf.FIFOQueue(10, [tf.uint8, tf.string], [(3,), ()])
    x, name = tf.placeholder(tf.int32, [3]), tf.placeholder(tf.string, [])
    put = queue.enqueue([tf.cast(x, tf.uint8), name])
    with tf.Session() as session:
        session.run(put, {x: [1, 2, 3], name: "a"})
        assert is_straight(session)
        row, text = session.run(queue.dequeue())
    assert (row.dtype, row.tolist(), text) == (np.uint8, [1, 2, 3], b"a")
