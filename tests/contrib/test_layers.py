"""Layers, the parts of tf.contrib around them, and distributions, against TensorFlow 1.15: names, collections and values."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle.layer_programs import PROGRAMS
from oracle.recorded import recorded, same

import thalweg as tf

RECORDED = recorded("layers-1.15")


@pytest.mark.filterwarnings("ignore:Some donated buffers")  # streaming_concat grows a variable
@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_program(name):
    with tf.Graph().as_default():
        same(PROGRAMS[name](tf, np), RECORDED[name], 1e-3, 1e-4)


@pytest.mark.parametrize("resource", [False, True])
def test_weight_decay_beside_the_gradient(resource):
    """TensorFlow lets the decay and the gradient race; here the gradient is that of the weights before they decay."""
    v = tf.get_variable("v", initializer=np.float32([1.0, 2.0]), use_resource=resource)
    step = tf.contrib.opt.MomentumWOptimizer(0.01, 0.1, 0.9).minimize(tf.reduce_sum(tf.square(v)))
    w, momentum = np.float32([1.0, 2.0]), 0.0
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(3):
            sess.run(step)
            momentum = 0.9 * momentum + 2 * w
            w = w - 0.01 * w - 0.1 * momentum
        np.testing.assert_allclose(sess.run(v), w, rtol=1e-5)
