"""Sums and the like over devices."""

import numpy as np
import pytest

import thalweg as tf
from thalweg.contrib import nccl


def test_every_device_gets_what_all_make_together():
    with tf.Graph().as_default(), tf.Session() as sess:
        with tf.device("/cpu:0"):
            x, y = tf.constant([1.0, 5.0]), tf.constant([3.0, 2.0])
        found = sess.run([f([x, y]) for f in (nccl.all_sum, nccl.all_prod, nccl.all_min, nccl.all_max)])
        expected = ([4, 7], [3, 10], [1, 2], [3, 5])
        for pair, value in zip(found, expected, strict=True):
            np.testing.assert_array_equal(pair, [value, value])
        assert nccl.all_sum([x, y])[0].device == x.device
        assert sess.run([nccl.reduce_sum([x, y]), nccl.broadcast(x)])[0].tolist() == [4, 7]
        (gx,) = tf.gradients(nccl.all_sum([x, y])[0] * 2.0, x)
        assert sess.run(gx).tolist() == [2, 2]


def test_what_cannot_be_joined():
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="Must pass >0"):
            nccl.all_sum([])
        with pytest.raises(ValueError, match="Device assignment"):
            nccl.all_sum([tf.constant(1.0)])
        with tf.device("/cpu:0"), pytest.raises(ValueError, match="same type"):
            nccl.all_sum([tf.constant(1.0), tf.constant(1)])
