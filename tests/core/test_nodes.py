"""Tensors in sets, changed inputs, scopes of devices that do not nest: as TensorFlow 1.15 has them."""

import pytest

import thalweg as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as g:
        yield g


def test_reference_stands_for_its_tensor():
    x, y, v = tf.constant(3), tf.constant(3), tf.Variable(5)
    names = {x.experimental_ref(): "x", y.experimental_ref(): "y", v.experimental_ref(): "v"}
    assert [names[t.experimental_ref()] for t in (x, y, v)] == ["x", "y", "v"]
    assert x.experimental_ref() != y.experimental_ref()
    assert [r.deref() for r in names] == [x, y, v]


def test_input_that_can_not_be_put_in_the_place_of_another(graph):
    z = tf.constant(2, shape=[3, 1]) + tf.constant(0, shape=[3, 1])
    with tf.Graph().as_default():
        stranger = tf.constant(2)
    with pytest.raises(ValueError, match="must be from the same graph"):
        z.op._update_input(0, stranger)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"incompatible shapes: \[2,2\] and \[3,1\]"):
        z.op._update_input(0, tf.constant(1, shape=[2, 2]))
    with pytest.raises(
        tf.errors.OutOfRangeError, match=r"index \[1\] is greater than the number of total inputs \[0\]"
    ):
        z.op.inputs[0].op._update_input(1, z)


def test_device_scope_that_is_left_too_early(graph):
    outer = graph.device("/device:GPU:8")
    outer.__enter__()
    with graph.device("/device:GPU:9"), pytest.raises(RuntimeError, match="without proper scope nesting"):
        outer.__exit__(None, None, None)


def test_first_axis_that_does_not_fit_is_told():
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 2 and 5 for 'add'"):
        tf.add(tf.ones([1, 2, 3]), tf.ones([4, 5, 6]), name="add")
