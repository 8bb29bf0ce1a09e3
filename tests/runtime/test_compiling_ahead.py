"""A step that waits for its input is compiled meanwhile."""

import threading

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compiler.lower import Executable
from thalweg._src.runtime import cluster_runs, stored_programs


@pytest.fixture
def compiled(tmp_path, monkeypatch):
    """Set when a program has been compiled. All sizes of clusters are."""
    monkeypatch.setattr(cluster_runs, "FEWEST", 1)
    monkeypatch.setattr(stored_programs, "FEWEST", 1)
    monkeypatch.setattr(stored_programs, "cache_folder", lambda what: tmp_path / what)
    monkeypatch.setenv("THALWEG_STORED_PROGRAMS", "on")
    done = threading.Event()
    prepare = Executable.prepare

    def prepared(self, given):
        prepare(self, given)
        done.set()

    monkeypatch.setattr(Executable, "prepare", prepared)
    return done


def fed_by_a_queue(shape):
    """(queue, what puts a batch of ones into it, a step that adds the sum of a batch to `v`, `v`)"""
    queue = tf.FIFOQueue(4, tf.float32, shapes=shape)
    v = tf.get_variable("v", initializer=1.0)
    return queue.enqueue(tf.ones([2, 3])), tf.assign_add(v, tf.reduce_sum(queue.dequeue())), v


def run_beside(session, step):
    """A thread that runs `step`, and the list that its result or error goes to."""
    found = []

    def run():
        try:
            found.append(session.run(step))
        except tf.errors.OpError as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


def test_a_step_is_compiled_before_its_input_is_there(compiled):
    with tf.Session() as session:
        put, step, v = fed_by_a_queue([[2, 3]])
        session.run(v.initializer)
        compiled.clear()
        thread, found = run_beside(session, step)
        assert compiled.wait(60)
        assert not found
        session.run(put)
        thread.join(60)
        assert found == [7.0]
        session.run(put)
        assert session.run(step) == 13.0
        (large,) = [c for c in session.plan.executables if c]
        assert len({id(exe) for exe in large.values()}) == 1


def test_threads_that_wait_for_the_same_step_share_what_is_compiled(compiled):
    with tf.Session() as session:
        put, step, v = fed_by_a_queue([[2, 3]])
        session.run(v.initializer)
        both = [run_beside(session, step) for _ in range(2)]
        for _ in both:
            session.run(put)
        for thread, _ in both:
            thread.join(60)
        assert max(found[0] for _, found in both) == session.run(v) == 13.0


def test_what_fails_ahead_fails_when_it_runs(compiled):
    with tf.Session() as session:
        put, step, _ = fed_by_a_queue([[2, 3]])
        thread, found = run_beside(session, step)
        session.run(put)
        thread.join(60)
        assert isinstance(found[0], tf.errors.FailedPreconditionError)


def test_a_shape_that_is_not_known_is_waited_for(compiled):
    with tf.Session() as session:
        put, step, v = fed_by_a_queue(None)
        session.run(v.initializer)
        compiled.clear()
        thread, found = run_beside(session, step)
        assert not compiled.wait(0.2)
        session.run(put)
        thread.join(60)
        np.testing.assert_array_equal(found, [7.0])
