"""tf.contrib.input_pipeline, and the queue runners of tf.contrib.training that are fed."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compat.internals.feeding_functions import enqueue_data


def test_strings_one_after_the_other():
    with tf.Graph().as_default(), tf.Session() as sess:
        following = tf.contrib.input_pipeline.seek_next(["a", "b", "c"])
        sess.run(tf.global_variables_initializer())
        assert [sess.run(following) for _ in range(4)] == [b"a", b"b", b"c", b"a"]
        assert "obtain_next/obtain_next_counter:0" in [v.name for v in tf.global_variables()]


def test_so_many_rounds_each_in_another_order():
    with tf.Graph().as_default(), tf.Session() as sess:
        following = tf.contrib.input_pipeline.seek_next(list("abcdefgh"), shuffle=True, seed=5, num_epochs=2)
        sess.run(tf.global_variables_initializer())
        found = [sess.run(following) for _ in range(16)]
        assert sorted(found[:8]) == sorted(found[8:]) == [c.encode() for c in "abcdefgh"]
        assert found[:8] != found[8:]
        with pytest.raises(tf.errors.OutOfRangeError):
            sess.run(following)


def test_a_fed_queue():
    rows = np.arange(32).reshape(16, 2)
    with tf.Graph().as_default(), tf.Session() as sess:
        taken = enqueue_data(rows, capacity=20).dequeue_many(3)
        (runner,) = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)
        assert isinstance(runner, tf.contrib.training.FeedingQueueRunner)
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coordinator)
        for i in range(12):
            at = np.arange(3 * i, 3 * i + 3) % 16
            numbers, values = sess.run(taken)
            np.testing.assert_array_equal(numbers, at)
            np.testing.assert_array_equal(values, rows[at])
        coordinator.request_stop()
        coordinator.join(threads)


def test_a_counter_of_ones_own():
    with tf.Graph().as_default(), tf.Session() as sess:
        counter = tf.Variable(tf.constant(0, tf.int64))
        following = tf.contrib.input_pipeline.obtain_next(["a", "b"], counter)
        sess.run(tf.global_variables_initializer())
        assert [sess.run(following) for _ in range(3)] == [b"b", b"a", b"b"]
