"""Random numbers of a dataset's function, drawn for many calls at once: those that single draws give."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.runtime.drawing import CALLS, Draws

DRAWS = {
    "uniform": lambda: tf.random_uniform([3], seed=7),
    "integers": lambda: tf.random_uniform([2], maxval=50, dtype=tf.int32, seed=7),
    "normal": lambda: tf.random_normal([3], seed=7),
}


def by_dataset(draw, count):
    tf.set_random_seed(3)
    dataset = tf.data.Dataset.range(count).map(lambda _: draw())
    following = tf.data.make_one_shot_iterator(dataset).get_next()
    with tf.Session() as sess:
        return [sess.run(following) for _ in range(count)]


@pytest.mark.parametrize("name", DRAWS)
def test_they_are_those_of_single_draws(name, monkeypatch):
    with tf.Graph().as_default():
        many = by_dataset(DRAWS[name], CALLS + 3)
    monkeypatch.setattr(Draws, "next", lambda *_: None)
    with tf.Graph().as_default():
        single = by_dataset(DRAWS[name], CALLS + 3)
    np.testing.assert_array_equal(many, single)
    assert len({tuple(row) for row in many}) > 20


def test_bounds_that_change_from_call_to_call():
    with tf.Graph().as_default():
        dataset = tf.data.Dataset.range(1, 40).map(lambda n: tf.random_uniform([], maxval=n, dtype=tf.int64, seed=2))
        following = tf.data.make_one_shot_iterator(dataset).get_next()
        with tf.Session() as sess:
            found = [sess.run(following) for _ in range(1, 40)]
    assert all(0 <= x < n for n, x in enumerate(found, 1))
    assert max(found) > 15


def test_bounds_without_room_are_an_error_of_that_call():
    with tf.Graph().as_default():
        dataset = tf.data.Dataset.range(2, -1, -1).map(
            lambda n: tf.random_uniform([], maxval=n, dtype=tf.int64, seed=2)
        )
        following = tf.data.make_one_shot_iterator(dataset).get_next()
        with tf.Session() as sess:
            assert 0 <= sess.run(following) < 2
            assert sess.run(following) == 0
            with pytest.raises(tf.errors.InvalidArgumentError, match="minval < maxval"):
                sess.run(following)
