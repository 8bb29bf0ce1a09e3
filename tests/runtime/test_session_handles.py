"""tf.get_session_handle: tensors that stay where they are between two runs."""

import numpy as np
import pytest

import thalweg as tf


def test_a_loop_over_runs_copies_nothing_to_the_host():
    x = tf.placeholder(tf.float32, [3])
    first = tf.get_session_handle(x * 2.0)
    with tf.Session() as session:
        kept = session.run(first, {x: [1.0, 2.0, 3.0]})
        holder, y = tf.get_session_tensor(kept.handle, tf.float32)
        following = tf.get_session_handle(y + 1.0)
        for _ in range(5):
            kept = session.run(following, {holder: kept.handle})
        assert not isinstance(kept.array, np.ndarray)
        assert kept.eval().tolist() == [7.0, 9.0, 11.0]
        assert len(kept._held) == 1  # what was dropped is forgotten


def test_a_handle_is_fed_for_a_tensor():
    c = tf.constant(10.0) * 5.0
    d = c - tf.constant(2.0)
    with tf.Session() as session:
        kept, value = session.run([tf.get_session_handle(c), d])
        assert value == 48.0
        assert session.run(d, {c: kept}) == 48.0
        assert session.run([c, d], {c: 60.0, d: kept}) == [60.0, 50.0]


@pytest.mark.parametrize("use_resource", [False, True])
def test_a_variable_that_changes_leaves_its_handle_alone(use_resource):
    v = tf.get_variable("v", initializer=np.float32([1.0, 2.0]), use_resource=use_resource)
    step = tf.identity(v.assign_add([1.0, 1.0]))
    with tf.Session() as session:
        session.run(v.initializer)
        before, after = session.run(tf.get_session_handle(v.read_value())), session.run(tf.get_session_handle(step))
        session.run(step)
        assert before.eval().tolist() == [1.0, 2.0]
        assert after.eval().tolist() == [2.0, 3.0]


def test_a_handle_is_deleted_by_itself_or_by_name():
    with tf.Session() as session:
        one, two = session.run([tf.get_session_handle(tf.constant(v) + 1.0) for v in (1.0, 2.0)])
        one.delete()
        with pytest.raises(TypeError, match="deleted"):
            one.eval()
        raw = two.get_raw_handle()
        holder, delete = tf.delete_session_tensor(raw)
        session.run(delete, {holder: raw})
        holder, x = tf.get_session_tensor(raw, tf.float32)
        with pytest.raises(tf.errors.InvalidArgumentError, match="not in the session store"):
            session.run(x, {holder: raw})


def test_what_is_no_tensor_and_what_has_another_type():
    with pytest.raises(TypeError, match="Tensor"):
        tf.get_session_handle(3.0)
    with tf.Session() as session:
        kept = session.run(tf.get_session_handle(tf.constant([1.0])))
        holder, x = tf.get_session_tensor(kept.handle, tf.int32)
        with pytest.raises(tf.errors.InvalidArgumentError, match="float32, not int32"):
            session.run(x, {holder: kept.handle})
