"""Pictures of integers are standardized to floats, which records of TensorFlow 1.15 do not say."""

import numpy as np
import pytest

import thalweg as tf


def test_standardized_integers_are_the_standardized_floats():
    pixels = np.random.RandomState(0).randint(0, 256, (4, 5, 3)).astype(np.uint8)
    of_integers = tf.image.per_image_standardization(pixels)
    of_floats = tf.image.per_image_standardization(pixels.astype(np.float32))
    assert of_integers.dtype == tf.float32
    with tf.Session() as sess:
        one, other = sess.run([of_integers, of_floats])
    np.testing.assert_array_equal(one, other)
    assert abs(one.mean()) < 1e-5
    assert abs(one.std() - 1) < 1e-5


def test_words_are_no_pictures():
    with pytest.raises(TypeError):
        tf.image.per_image_standardization(tf.placeholder(tf.string, [4, 5, 3]))
