"""What datasets do on threads of their own: calls side by side, in line, and gone with the iterator that wanted them."""

import threading
import time

import numpy as np
import pytest

import thalweg as tf

ELEMENTS = 40


def elements(dataset, session):
    """All elements, the class of the error in the place of one that could not be made."""
    fetch = tf.data.make_one_shot_iterator(dataset).get_next()
    out = []
    while True:
        try:
            out.append(session.run(fetch))
        except tf.errors.OutOfRangeError:
            return out
        except tf.errors.OpError as error:
            out.append(type(error))


def data_threads():
    return [t for t in threading.enumerate() if t.name == "thalweg-data"]


def wait_for_fewer(most):
    until = time.monotonic() + 20
    while len(data_threads()) > most and time.monotonic() < until:
        time.sleep(0.01)
    return len(data_threads()) <= most


def python(fn, type=tf.int64):
    def call(x):
        out = tf.py_func(fn, [x], type)
        out.set_shape([])
        return out

    return call


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_results_stand_in_the_order_of_elements(workers):
    def late(x):
        time.sleep(0.002 * (x % 3 == 0))
        return x * 2

    dataset = tf.data.Dataset.range(ELEMENTS).map(python(late), num_parallel_calls=workers)
    with tf.Session() as session:
        assert elements(dataset, session) == [2 * i for i in range(ELEMENTS)]
    assert wait_for_fewer(0)


def test_arguments_of_contrib_data():
    numbers = tf.contrib.data.Dataset.range(5)
    with tf.Session() as session:
        assert elements(numbers.map(lambda x: x + 1, num_threads=2, output_buffer_size=3), session) == [1, 2, 3, 4, 5]
        assert elements(numbers.map(lambda x: x + 1, output_buffer_size=3), session) == [1, 2, 3, 4, 5]
        assert elements(numbers.map(lambda x: x + 1, 2), session) == [1, 2, 3, 4, 5]
    assert wait_for_fewer(0)


def test_calls_are_side_by_side():
    meeting = threading.Barrier(3, timeout=20)  # three calls that wait for each other

    def meet(x):
        meeting.wait()
        return x

    with tf.Session() as session:
        dataset = tf.data.Dataset.range(9).map(python(meet), num_parallel_calls=3)
        assert elements(dataset, session) == list(range(9))


def test_errors_of_the_function_and_of_the_source_stand_in_line():
    def refuse(at):
        def call(x):
            if x == at:
                raise ValueError("refused")
            return x

        return call

    dataset = tf.data.Dataset.range(6).map(python(refuse(1))).map(python(refuse(4)), num_parallel_calls=2)
    with tf.Session() as session:
        bad = tf.errors.InvalidArgumentError
        assert elements(dataset, session) == [0, bad, 2, 3, bad, 5]


def test_what_is_ready_comes_first_where_order_does_not_count():
    gate = threading.Event()

    def slow_first(x):
        if x == 0:
            assert gate.wait(20)
        return x

    options = tf.data.Options()
    options.experimental_deterministic = False
    dataset = tf.data.Dataset.range(4).map(python(slow_first), num_parallel_calls=2).with_options(options)
    fetch = tf.data.make_one_shot_iterator(dataset).get_next()
    with tf.Session() as session:
        first = session.run(fetch)
        gate.set()
        assert first != 0
        assert sorted([first, *(session.run(fetch) for _ in range(3))]) == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["parallel map", "prefetch", "parallel interleave"])
def test_threads_of_a_walk_that_is_left_early_end(kind):
    source = tf.data.Dataset.range(1000)
    ahead = {
        "parallel map": lambda: source.map(lambda x: x + 1, num_parallel_calls=2),
        "prefetch": lambda: source.prefetch(4),
        "parallel interleave": lambda: source.interleave(
            lambda x: tf.data.Dataset.range(1000), cycle_length=2, num_parallel_calls=2
        ),
    }[kind]()
    fetch = tf.data.make_one_shot_iterator(ahead.take(3).repeat(20)).get_next()
    with tf.Session() as session:
        for _ in range(60):
            session.run(fetch)
        assert wait_for_fewer(4)  # those of the last walk at most
    assert wait_for_fewer(0)


def test_a_session_that_is_closed_ends_calls_that_wait():
    never = tf.FIFOQueue(1, tf.int64).dequeue
    dataset = tf.data.Dataset.range(10).map(lambda x: never() + x, num_parallel_calls=2)
    fetch = tf.data.make_initializable_iterator(dataset)
    session, raised = tf.Session(), []
    session.run(fetch.initializer)
    got = fetch.get_next()

    def run():
        try:
            session.run(got)
        except tf.errors.OpError as error:
            raised.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.2)
    session.close()
    thread.join(20)
    assert raised == [tf.errors.CancelledError]
    assert wait_for_fewer(0)


def test_branches_of_a_function_are_walked_as_graphs():
    v = tf.get_variable("v", initializer=np.int64(100), use_resource=True)

    def choose(x):
        small = tf.cond(x < 2, lambda: x + v, lambda: tf.cond(x < 4, lambda: x * 10, lambda: tf.identity(x)))
        return small, tf.switch_case(tf.cast(x, tf.int32), [lambda: x, lambda: x + 5, lambda: -x])

    fetch = tf.data.make_initializable_iterator(tf.data.Dataset.range(5).map(choose))
    with tf.Session() as session:
        session.run(v.initializer)
        session.run(fetch.initializer)
        got = fetch.get_next()
        assert [session.run(got) for _ in range(5)] == [(100, 0), (101, 6), (20, -2), (30, -3), (4, -4)]


def test_random_numbers_of_a_branch_are_those_of_its_stream():
    def draw(x):
        return tf.cond(x % 2 < 1, lambda: tf.random_uniform([], seed=5), lambda: tf.constant(-1.0))

    def one_after_the_other(x):
        del x
        return tf.random_uniform([], seed=5)

    with tf.Session() as session:
        tf.set_random_seed(7)
        mixed = elements(tf.data.Dataset.range(200).map(draw), session)
        assert mixed[1::2] == [-1.0] * 100
        assert len(set(mixed[::2])) == 100
        assert all(0 <= x < 1 for x in mixed[::2])
    with tf.Session() as session:
        again = elements(tf.data.Dataset.range(200).map(draw), session)
    with tf.Graph().as_default():
        tf.set_random_seed(7)
        with tf.Session() as session:
            assert len(set(elements(tf.data.Dataset.range(150).map(one_after_the_other), session))) == 150
    assert again[::2] == mixed[::2]
