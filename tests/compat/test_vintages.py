"""Calls as 0.11 and 0.12 took them: other orders and names of arguments, told apart from 1.x's by the call itself."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.ops.arguments import formerly


def random(*shape):
    return tf.constant(np.random.RandomState(sum(shape)).rand(*shape).astype(np.float32))


def same(old, new):
    with tf.Session() as session:
        a, b = session.run([old, new])
    np.testing.assert_allclose(a, b, 1e-6)


def test_flags_of_reverse():
    x = random(2, 3)
    same(tf.reverse(x, dims=[False, True]), tf.reverse(x, [1]))
    same(tf.reverse(x, [True, True]), tf.reverse(x, [0, 1]))


def test_inputs_came_before_labels():
    w, b, x = random(9, 4), random(9), random(3, 4)
    labels = tf.constant([[1], [2], [3]], tf.int64)
    values = tf.nn.uniform_candidate_sampler(labels, 1, 4, True, 9, seed=1)
    for loss in (tf.nn.nce_loss, tf.nn.sampled_softmax_loss):
        same(loss(w, b, x, labels, 4, 9, 1, values), loss(w, b, labels, x, 4, 9, 1, values))


def test_the_name_stood_earlier():
    x, volume = random(1, 4, 4, 2), random(1, 4, 4, 4, 2)
    ones, twos = [1, 1, 1, 1], [1, 2, 2, 2, 1]
    assert tf.nn.depthwise_conv2d(x, random(2, 2, 2, 1), ones, "SAME", "mine").op.name.startswith("mine")
    assert tf.nn.separable_conv2d(x, random(2, 2, 2, 1), random(1, 1, 2, 3), ones, "SAME", "own").op.name.startswith(
        "own"
    )
    assert tf.nn.avg_pool3d(volume, twos, twos, "SAME", "pool").op.name == "pool"
    assert tf.nn.max_pool3d(volume, twos, twos, "SAME", "NDHWC", "most").op.name == "most"
    assert tf.nn.conv3d(volume, random(2, 2, 2, 2, 1), twos, "SAME", "conv").op.name == "conv"
    assert tf.arg_max(x, 1, "largest").op.name == "largest"
    assert tf.arg_max(x, 1, tf.int32).dtype == tf.int32
    assert tf.decode_csv(["1,2"], [[1], [2]], ",", "parts")[0].op.name == "parts"


def test_height_and_width_of_resize_images():
    x = random(1, 4, 4, 3)
    same(tf.image.resize_images(x, 8, 6), tf.image.resize_images(x, [8, 6]))
    same(tf.image.resize_images(x, new_height=8, new_width=6, method=1), tf.image.resize_images(x, [8, 6], 1))
    with pytest.raises(ValueError, match="size"):
        tf.image.resize_images(x, 8)


def test_channels_come_before_the_dtype():
    assert tf.image.decode_png(tf.constant(b""), 3).shape.as_list() == [None, None, 3]


def test_an_old_form_binds_like_a_function():
    @formerly("b a=first", when=lambda args, kwargs: "b" in kwargs or len(args) > 2)
    def f(first=0, second=0, b=None):
        return first, second, b

    assert f(1, 2) == (1, 2, None)
    assert f(b=3, a=4) == (4, 0, 3)
    with pytest.raises(TypeError, match="multiple values"):
        f(1, b=2)
    with pytest.raises(TypeError, match="took 2 arguments"):
        f(1, 2, 3)


def test_names_and_flags_of_0_12():
    p, x = tf.constant(True), tf.ones([4])
    assert tf.cond(p, lambda: 1, lambda: 2, "mine").op.name.startswith("mine")
    assert tf.case([(p, lambda: tf.constant(1))], lambda: tf.constant(2), False, "own").op.name.startswith("own")
    v = tf.Variable(1.0, use_resource=False)
    assert tf.convert_to_tensor(v, None, "n", True).dtype.name == "float32_ref"
    assert tf.convert_to_tensor(v, as_ref=True).dtype.name == "float32_ref"
    assert tf.convert_to_tensor(1, None, "n", False, tf.float32).dtype == tf.float32
    assert [t.shape.as_list() for t in tf.split_v(x, size_splits=[1, 3], split_dim=0)] == [[1], [3]]
    assert [t.shape.as_list() for t in tf.split_v(x, [1, 3], 0)] == [[1], [3]]
    made = tf.orthogonal_initializer(1.0, tf.float64, 3)
    assert (made.dtype, made.seed) == (tf.float64, 3)
    before = tf.logging.get_verbosity()
    tf.logging.set_verbosity(verbosity=tf.logging.ERROR)
    assert tf.logging.get_verbosity() == tf.logging.ERROR
    tf.logging.set_verbosity(before)
    with pytest.raises(TypeError, match="missing"):
        tf.logging.set_verbosity()
