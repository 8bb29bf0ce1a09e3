"""A map before a batch: several elements in a go, results in the memory of the batch. What is seen from outside stays the same."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.core.laying import Memory
from thalweg._src.ops.data import memory, stacking


def batches(dataset, count):
    """What `count` runs give: arrays, or the classes of their errors."""
    batch = tf.data.make_one_shot_iterator(dataset).get_next()
    out = []
    with tf.Session() as session:
        for _ in range(count):
            try:
                out.append(session.run(batch))
            except tf.errors.OpError as error:
                out.append(type(error).__name__)
    return out


def pictures(count=11, workers=None, bad=()):
    def one(i):
        picture = tf.cast(tf.fill([40, 40, 3], i), tf.float32)
        with tf.control_dependencies([tf.assert_equal(tf.reduce_any(tf.equal(i, list(bad) or [-1])), False)]):
            return tf.image.resize_images(tf.image.flip_left_right(picture), [32, 24]), i

    return tf.data.Dataset.range(count).map(one, num_parallel_calls=workers)


@pytest.fixture
def together(monkeypatch):
    """How often batches were there without a copy, and how often not."""
    seen = []

    def noted(column):
        seen.append(memory.together(column) is not None)
        return memory.together(column)

    monkeypatch.setattr(stacking, "together", noted)
    return seen


@pytest.mark.parametrize("workers", [None, 1, 3])
def test_batches_are_made_in_place(workers, together):
    (a, i), (b, j), (c, k), end = batches(pictures(11, workers).batch(4), 4)
    assert [a.shape, b.shape, c.shape] == [(4, 32, 24, 3), (4, 32, 24, 3), (3, 32, 24, 3)]
    assert end == "OutOfRangeError"
    assert [*i, *j, *k] == list(range(11))
    np.testing.assert_array_equal(np.concatenate([a, b, c])[:, 5, 7, 1], np.arange(11, dtype=np.float32))
    assert together == [True] * 3


@pytest.mark.parametrize("workers", [None, 1, 3])
def test_an_error_costs_the_batch_that_was_begun(workers):
    found = batches(pictures(12, workers, bad=(5,)).batch(3), 5)
    assert found[1] == "InvalidArgumentError"
    assert [list(found[n][1]) for n in (0, 2, 3)] == [[0, 1, 2], [6, 7, 8], [9, 10, 11]]
    np.testing.assert_array_equal(found[2][0][:, 0, 0, 0], [6, 7, 8])


def test_what_the_function_does_is_done_element_by_element():
    done = []

    def one(i):
        a = tf.py_func(lambda x: done.append(("a", int(x))) or x, [i], tf.int64)
        return tf.py_func(lambda x: done.append(("b", int(x))) or x, [a], tf.int64)

    batches(tf.data.Dataset.range(3).map(one).batch(3), 1)
    assert done == [(k, i) for i in range(3) for k in "ab"]


def test_batches_do_not_share_memory():
    batch = tf.data.make_one_shot_iterator(pictures(8).batch(4).repeat()).get_next()
    with tf.Session() as session:
        first = session.run(batch)[0]
        first[:] = -1
        second, third = session.run(batch)[0], session.run(batch)[0]
    assert second.min() == 4
    assert third.min() == 0


def test_the_same_result_twice_and_a_result_that_is_a_constant():
    def one(i):
        x = tf.image.resize_images(tf.fill([40, 40, 3], tf.cast(i, tf.float32)), [32, 32])
        return x, x, tf.zeros([64, 32]), tf.shape(x)

    x, y, z, dims = batches(tf.data.Dataset.range(4).map(one).batch(4), 1)[0]
    np.testing.assert_array_equal(x, y)
    assert x[3].max() == 3
    assert not z.any()
    assert dims.tolist() == [[32, 32, 3]] * 4


def test_pictures_of_different_sizes_are_refused():
    def one(i):
        size = tf.cast(tf.stack([32 + i, 32]), tf.int32)
        return tf.image.resize_images(tf.zeros([40, 40, 3]), size)

    assert batches(tf.data.Dataset.range(4).map(one).batch(4), 1) == ["InvalidArgumentError"]


def test_shapes_decide_once_for_each_shape():
    """Sizes, limits and checks of a random crop depend on the picture's shape alone."""

    def one(n):
        picture = tf.reshape(tf.range(n * n * 3), [n, n, 3])
        return tf.random_crop(picture, [3, 3, 3], seed=1), tf.shape(picture)

    dataset = tf.data.Dataset.from_tensor_slices([4, 5, 4, 2, 3, 5]).map(one)
    found = batches(dataset, 6)
    assert [tuple(f[1]) if isinstance(f, tuple) else f for f in found] == [
        (4, 4, 3), (5, 5, 3), (4, 4, 3), "InvalidArgumentError", (3, 3, 3), (5, 5, 3)
    ]  # fmt: skip
    found[0][1][:] = 0  # the caller's own
    np.testing.assert_array_equal(found[4][0], np.arange(27).reshape(3, 3, 3))


def test_an_element_that_ends_the_dataset():
    def one(i):
        queue = tf.FIFOQueue(4, tf.int64)
        with tf.control_dependencies([queue.close()]):
            return i + queue.dequeue()

    assert batches(tf.data.Dataset.range(4).map(one).batch(2), 1) == ["OutOfRangeError"]


BATCHES = {
    "a batch": (lambda d: d.batch(4), True),
    "made ahead": (lambda d: d.batch(4).prefetch(1), True),
    "kept in memory": (lambda d: d.batch(4).cache().repeat(), False),
    "one element of a larger batch": (lambda d: d.batch(4).batch(1), False),
}


@pytest.mark.parametrize("kind", BATCHES)
def test_a_batch_is_handed_over_where_nobody_else_has_it(kind):
    make, handed = BATCHES[kind]
    dataset = make(tf.data.Dataset.range(8).map(resized))
    following = tf.data.make_one_shot_iterator(dataset).get_next()
    with tf.Session() as sess:
        first = sess.run(following)
        first[...] = -1.0  # what the caller gets is his own
        second, again = sess.run([following, tf.identity(following)])
    assert isinstance(first.base, Memory) == handed
    assert second.min() >= 0
    assert not np.shares_memory(second, again)
    np.testing.assert_array_equal(second, again)


def resized(n):
    return tf.image.resize_images(tf.fill([64, 64, 3], tf.cast(n, tf.uint8)), [32, 32])
