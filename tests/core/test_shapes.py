"""TensorShape as a value: sums, equality. What is asserted is what TensorFlow 1.15 gives."""

import pytest

import thalweg as tf


def test_sum_of_shapes_is_their_concatenation():
    shape = tf.TensorShape([1])
    for joined in (shape + [2], shape + (2,), shape + tf.TensorShape([2]), shape + 2, shape + tf.Dimension(2)):
        assert joined.as_list() == [1, 2]
    for joined in ([2] + shape, (2,) + shape, 2 + shape, tf.Dimension(2) + shape):
        assert joined.as_list() == [2, 1]
    assert (shape + [None]).as_list() == [1, None]
    assert (shape + None).rank is None
    assert sum([shape, shape], tf.TensorShape([])).as_list() == [1, 1]


def test_partly_known_shape_equals_only_itself():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3])
        y = tf.nn.relu(x)
    assert x.shape == x.get_shape()
    equal = [y.shape == x.shape, x.shape == [None, 3]]
    assert equal == [False, False]
    assert y.shape != x.shape
    assert tf.TensorShape([2, 3]) == [2, 3]
    assert tf.TensorShape(None) == tf.TensorShape(None)


def test_shape_that_becomes_known_is_another():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3])
        before = x.shape
        x.set_shape([2, 3])
    assert before != x.shape
    assert x.shape == [2, 3]


def test_types_of_tensors_with_unknown_sizes_are_equal():
    assert tf.TensorSpec([None, 3], tf.float32) == tf.TensorSpec([None, 3], tf.float32)
    assert tf.TensorSpec([None, 3], tf.float32) != tf.TensorSpec([None, 2], tf.float32)


@pytest.mark.parametrize("value", [tf.string, [1], None.__class__])
def test_dimension_of_what_is_no_size(value):
    with pytest.raises(TypeError):
        tf.Dimension(value)


def test_what_programs_print_and_read():
    n = tf.Dimension(34236)
    assert (f"{n:,}", f"{n:>7d}", f"{n}", f"{tf.Dimension(None)}") == ("34,236", "  34236", "34236", "?")
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3])
        assert len(x._shape) == 2
        x.set_shape([2, 3])
        assert x._shape.as_list() == [2, 3]
