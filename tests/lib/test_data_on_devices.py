"""Elements that lie on a device before a step asks for them. The CPU is a device like others here."""

import numpy as np
import pytest

import thalweg as tf

data = tf.data.experimental
BOTH = pytest.mark.parametrize("to_device", [data.prefetch_to_device, data.copy_to_device])


def numbers():
    return (
        tf.data.Dataset.range(5).map(lambda i: {"i": i, "x": tf.cast(i, tf.float32) / 2, "s": tf.as_string(i)}).batch(2)
    )


@BOTH
def test_the_same_elements(to_device):
    element = numbers().apply(to_device("/cpu:0")).make_one_shot_iterator().get_next()
    total = tf.reduce_sum(element["x"]) + tf.cast(element["i"][0], tf.float32)
    with tf.Session() as session:
        first, result = session.run([element, total])
        assert (first["i"].dtype, first["x"].tolist(), first["s"].tolist()) == (np.int64, [0, 0.5], [b"0", b"1"])
        assert result == 0.5
        assert session.run(total) == 4.5
        session.run(element)
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(element)


def test_what_a_step_takes_is_on_the_device():
    import jax

    dataset = numbers().apply(data.copy_to_device("/cpu:0"))
    with tf.Session() as session:
        from thalweg._src.ops.data.pipeline import Run, data_of

        element = next(data_of(session.run(dataset._variant_tensor)).iterate(Run()))
    kinds = [isinstance(x, jax.Array) for x in element]
    assert sorted(kinds) == [False, True, True]


@BOTH
def test_a_device_that_is_not_there(to_device):
    iterator = numbers().apply(to_device("/device:TPU:3")).make_initializable_iterator()
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match="TPU:3"):
        session.run(iterator.initializer)


@BOTH
def test_what_comes_behind_takes_them_too(to_device):
    dataset = numbers().apply(to_device("/cpu:0")).map(lambda e: e["x"] * 2)
    element = dataset.make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert session.run(element).tolist() == [0, 1]
