"""The order of effects, as docs/effects.md states it."""

import numpy as np
import pytest

import thalweg as tf


def run(fetches, *feeds):
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        return sess.run(fetches, *feeds)


def test_reads_see_the_writes_that_they_depend_on():
    v = tf.Variable(1.0)
    before = v + 0.0
    update = tf.assign(v, 5.0)
    beside = v + 0.0
    with tf.control_dependencies([update]):
        after = v + 0.0
    assert run([before, update, beside, after, v]) == [1.0, 5.0, 1.0, 5.0, 5.0]


def test_two_training_steps_in_one_run_work_on_the_old_values():
    d, g = tf.Variable(2.0), tf.Variable(3.0)
    loss = d * g
    d_step = tf.train.GradientDescentOptimizer(0.5).minimize(loss, var_list=[d])
    g_step = tf.train.GradientDescentOptimizer(0.5).minimize(loss, var_list=[g])
    assert run([d_step, g_step, d, g])[2:] == [0.5, 2.0]


def test_reads_that_cannot_all_come_first_follow_creation():
    a, b = tf.Variable(1.0), tf.Variable(2.0)
    write_a = tf.assign(a, 10.0)
    with tf.control_dependencies([write_a]):
        read_b = b + 0.0
    write_b = tf.assign(b, 20.0)
    with tf.control_dependencies([write_b]):
        read_a = a + 0.0
    assert run([read_b, read_a]) == [2.0, 10.0]


def test_a_step_with_and_without_a_value_to_read():
    a = tf.Variable(3.0)
    b = tf.Variable(a * 2.0)
    init = tf.global_variables_initializer()
    change = tf.assign(a, 10.0)
    with tf.Session() as sess:
        sess.run(init)
        assert sess.run([a, b]) == [3.0, 6.0]
        sess.run(change)
        sess.run(init)
        assert sess.run([a, b]) == [3.0, 20.0]


def test_a_read_does_not_wait_for_what_is_not_run():
    v = tf.Variable(1.0)
    tf.assign(v, 5.0)
    assert run(v + 0.0) == 1.0


def test_control_dependencies_order_snapshots():
    v = tf.Variable(1.0)
    with tf.control_dependencies([tf.assign_add(v, 1.0)]):
        y = v * 10.0
        z = tf.identity(v)
    assert run([y, z]) == [20.0, 2.0]


def test_assignments_in_order_of_creation():
    v = tf.Variable(0.0)
    first, second = tf.assign(v, 1.0), tf.assign(v, 2.0)
    assert run([second.op, first.op, v])[2] == 2.0


def test_control_inputs_beat_creation():
    v = tf.Variable(0.0)
    first, second = tf.assign(v, 1.0), tf.assign(v, 2.0)
    first.op._add_control_input(second.op)
    assert run([first.op, second.op, v])[2] == 1.0


def test_resource_variables_are_read_at_their_read():
    v = tf.Variable(1.0, use_resource=True)
    before = v.read_value()
    with tf.control_dependencies([before]):
        update = v.assign_add(1.0)
    with tf.control_dependencies([update.op]):
        after = v.read_value()
    assert run([before, after]) == [1.0, 2.0]


def test_the_loss_is_of_before_the_update():
    w = tf.Variable(2.0)
    loss = w * w
    train = tf.train.GradientDescentOptimizer(0.25).minimize(loss)
    assert run([train, loss, w]) == [None, 4.0, 1.0]


def test_variables_that_start_from_others():
    a = tf.Variable(3.0)
    b = tf.Variable(a * 2.0)
    c = tf.Variable(b.initialized_value() + 1.0)
    assert run([a, b, c]) == [3.0, 6.0, 7.0]


def test_swap_in_one_step():
    a, b = tf.Variable(np.float32([1, 2])), tf.Variable(np.float32([3, 4]))
    old_a = a + 0.0
    with tf.control_dependencies([old_a]):
        first = tf.assign(a, b)
    with tf.control_dependencies([first]):
        second = tf.assign(b, old_a)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(3):
            sess.run(second)
        np.testing.assert_array_equal(sess.run(a), [3, 4])
        np.testing.assert_array_equal(sess.run(b), [1, 2])


def test_an_assertion_comes_before_what_cannot_be_traced_without_it():
    x = tf.placeholder(tf.float32, None)
    with tf.control_dependencies([tf.assert_rank_at_least(x, 1, message="a vector, please")]):
        last = tf.shape(tf.identity(x))[-1]
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match="a vector, please"):
        session.run(last, {x: 1.0})
