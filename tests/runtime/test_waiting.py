"""Runs that wait for other threads: what goes on meanwhile, and what ends the waiting."""

import functools
import operator
import threading
import time

import numpy as np
import pytest

import thalweg as tf

pytestmark = pytest.mark.timeout(60)


class Background:
    """A call on a thread; `result` waits for it and raises what it raised."""

    def __init__(self, call):
        self._call = call
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        self.value = self.error = None
        try:
            self.value = self._call()
        except BaseException as error:
            self.error = error

    def result(self, seconds=20):
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "still waiting"
        if self.error is not None:
            raise self.error
        return self.value

    def is_waiting(self):
        self._thread.join(0.1)
        return self._thread.is_alive()


@pytest.fixture
def sess():
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def test_dequeue_waits_for_an_element(sess):
    q = tf.FIFOQueue(3, tf.float32, ())
    taken = Background(lambda out=q.dequeue(): sess.run(out))
    assert taken.is_waiting()
    sess.run(q.enqueue(4.0))
    assert taken.result() == 4.0


def test_enqueue_waits_for_room(sess):
    q = tf.FIFOQueue(1, tf.float32, ())
    put, take = q.enqueue(1.0), q.dequeue()
    sess.run(put)
    late = Background(lambda: sess.run(put))
    assert late.is_waiting()
    sess.run(take)
    late.result()
    assert sess.run(q.size()) == 1


def test_one_run_fills_and_empties_a_queue(sess):
    """The dequeue stands first and waits; the enqueue of the same run serves it."""
    q = tf.FIFOQueue(1, tf.float32, ())
    taken = q.dequeue()
    put = q.enqueue(taken * 0.0 + 1.0)
    other = q.enqueue(5.0)
    values = Background(lambda: sess.run([taken, other])).result()
    assert values[0] == 5.0
    sess.run(q.enqueue(2.0))
    assert Background(lambda: sess.run([taken, put])).result()[0] == 2.0


def test_a_device_step_runs_beside_what_waits(sess):
    q = tf.FIFOQueue(1, tf.float32, ())
    taken = q.dequeue()
    put = q.enqueue(tf.reduce_sum(tf.matmul(tf.ones([2, 3]), tf.ones([3, 2]))))
    assert Background(lambda: sess.run([taken * 2.0, put])).result()[0] == 24.0


def test_other_threads_use_variables_meanwhile(sess):
    v = tf.Variable(0.0)
    q = tf.FIFOQueue(3, tf.float32, ())
    step = tf.assign_add(v, q.dequeue())
    add = tf.assign_add(v, 1.0)
    sess.run(v.initializer)
    waiting = Background(lambda: sess.run(step))
    assert waiting.is_waiting()
    assert sess.run(add) == 1.0
    sess.run(q.enqueue(5.0))
    assert waiting.result() == 6.0


def test_what_follows_a_late_write_waits_too(sess):
    v = tf.Variable(1.0)
    q = tf.FIFOQueue(3, tf.float32, ())
    write = tf.assign(v, q.dequeue())
    with tf.control_dependencies([write]):
        read = tf.identity(v) * 10.0
    sess.run(v.initializer)
    waiting = Background(lambda: sess.run(read))
    assert waiting.is_waiting()
    sess.run(q.enqueue(7.0))
    assert waiting.result() == 70.0


def test_closing_the_session_cancels(sess):
    q = tf.FIFOQueue(1, tf.float32, ())
    put, take = q.enqueue(1.0), tf.FIFOQueue(1, tf.float32, ()).dequeue()
    sess.run(put)
    runs = [Background(lambda: sess.run(put)), Background(lambda: sess.run(take))]
    assert all(r.is_waiting() for r in runs)
    sess.close()
    for run, word in zip(runs, ("Enqueue", "Dequeue"), strict=True):
        with pytest.raises(tf.errors.CancelledError, match=f"{word} operation was cancelled") as caught:
            run.result()
        assert caught.value.op.type.startswith("Queue")


def test_time_limits():
    with tf.Graph().as_default():
        take = tf.FIFOQueue(1, tf.float32, ()).dequeue()
        with tf.Session(config=tf.ConfigProto(operation_timeout_in_ms=50)) as sess:
            start = time.monotonic()
            with pytest.raises(tf.errors.DeadlineExceededError):
                sess.run(take)
            assert time.monotonic() - start < 5
        with tf.Session() as sess, pytest.raises(tf.errors.DeadlineExceededError):
            sess.run(take, options=tf.RunOptions(timeout_in_ms=50))


def test_an_error_beside_it_ends_the_waiting_and_takes_nothing(sess):
    q = tf.FIFOQueue(3, tf.float32, ())
    bad = tf.py_func(lambda: 1 / 0, [], tf.float32)
    take = q.dequeue()
    with pytest.raises(tf.errors.UnknownError, match="ZeroDivisionError"):
        Background(lambda: sess.run([take, bad])).result()
    sess.run(q.enqueue(3.0))
    assert sess.run(q.size()) == 1, "the run that failed must not take the element"


def test_a_batch_that_is_cancelled_gives_back_what_it_took(sess):
    q = tf.FIFOQueue(5, tf.float32, ())
    sess.run(q.enqueue_many([[1.0, 2.0]]))
    many = q.dequeue_many(4)
    with pytest.raises(tf.errors.DeadlineExceededError):
        sess.run(many, options=tf.RunOptions(timeout_in_ms=50))
    assert sess.run(q.dequeue_many(2)).tolist() == [1.0, 2.0]


def test_queues_in_branches_and_loops(sess):
    q = tf.FIFOQueue(10, tf.int32, ())
    choose = tf.placeholder(tf.bool, ())
    put = tf.cond(choose, lambda: q.enqueue(1), tf.no_op)
    total = tf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, s + q.dequeue()), (0, 0))[1]
    sess.run(put, {choose: False})
    assert sess.run(q.size()) == 0
    summing = Background(lambda: sess.run(total))
    assert summing.is_waiting()
    for _ in range(3):
        sess.run(put, {choose: True})
    assert summing.result() == 3


def test_waiting_in_a_loop_can_be_cancelled(sess):
    q = tf.FIFOQueue(10, tf.int32, ())
    total = tf.while_loop(lambda i: i < 3, lambda i: i + q.dequeue(), (0,))
    run = Background(lambda: sess.run(total))
    assert run.is_waiting()
    sess.close()
    with pytest.raises(tf.errors.CancelledError):
        run.result()


def test_what_is_fed_is_the_callers(sess):
    import numpy as np

    q = tf.FIFOQueue(3, tf.float32, ((2,)))
    x = tf.placeholder(tf.float32, [2])
    fed = np.array([1.0, 2.0], np.float32)
    sess.run(q.enqueue(x), {x: fed})
    fed[:] = 9.0
    assert sess.run(q.dequeue()).tolist() == [1.0, 2.0]


def test_many_threads_lose_and_double_nothing(sess):
    q = tf.RandomShuffleQueue(20, 5, tf.int32, ())
    x = tf.placeholder(tf.int32, [None])
    put, take = q.enqueue_many([x]), q.dequeue_many(5)
    producers = [
        Background(lambda k=k: [sess.run(put, {x: range(100 * k + 10 * i, 100 * k + 10 * i + 10)}) for i in range(10)])
        for k in range(3)
    ]

    def consume():
        out = []
        try:
            while True:
                out += sess.run(take).tolist()
        except tf.errors.OutOfRangeError:
            return out

    consumers = [Background(consume) for _ in range(2)]
    for p in producers:
        p.result()
    sess.run(q.close())
    assert sorted(functools.reduce(operator.iadd, (c.result() for c in consumers), [])) == list(range(300))


def test_host_work_needs_no_jax(tmp_path):
    import subprocess
    import sys

    program = (
        "import sys, thalweg as tf\n"
        "q = tf.FIFOQueue(3, tf.string, ())\n"
        "sess = tf.Session()\n"
        "sess.run(q.enqueue('x'))\n"
        "assert sess.run(q.dequeue()) == b'x'\n"
        "assert 'jax' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_host_work_behind_an_executable_that_waits():
    """The summary of a queue's size needs an executable that also holds what follows the element waited for."""
    queue = tf.FIFOQueue(10, [tf.float32], shapes=[[]])
    fill = queue.enqueue_many([np.arange(5, dtype=np.float32)])
    share = tf.cast(queue.size(), tf.float32) * 0.5
    element = queue.dequeue() * 2
    written = tf.summary.scalar("share", share)
    with tf.Session() as session:
        thread = threading.Timer(0.5, session.run, [fill])
        thread.start()
        value, text = session.run([element, written])
        thread.join()
    assert value == 0.0
    assert tf.Summary.FromString(text).value[0].tag == "share"


@pytest.mark.parametrize("use_resource", [False, True])
def test_what_a_branch_writes_beside_what_it_waits_for_is_kept(use_resource):
    with tf.Graph().as_default(), tf.Session() as session:
        sums = tf.ConditionalAccumulator(tf.float32, shape=[2])
        v = tf.get_variable("v", [2], initializer=tf.zeros_initializer(), use_resource=use_resource)
        with tf.control_dependencies([sums.apply_grad(tf.constant([1.0, 2.0]), local_step=9)]):
            enough = tf.greater_equal(sums.num_accumulated(), 3)
            step = tf.cond(enough, lambda: tf.group(v.assign_add(sums.take_grad(1))), tf.no_op)
        session.run(tf.global_variables_initializer())
        found = []
        for _ in range(6):
            session.run(step)
            found.append(session.run(v).tolist())
    assert found == [[0, 0], [0, 0], [1, 2], [1, 2], [1, 2], [2, 4]]
