"""Assignments to what is no variable, sums of gradients from several devices, custom gradients that make variables."""

import pytest

import thalweg as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as g:
        yield g


@pytest.mark.parametrize("name", ["assign", "assign_add", "assign_sub"])
def test_assignment_to_a_tensor_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
        getattr(tf, name)(tf.constant(1.0), 2.0)


def test_gradients_of_one_device_are_added_there_first():
    with tf.device("/device:CPU:0"):
        w = tf.constant(1.0, shape=[1, 1])
    with tf.device("/task:1"):
        first = tf.matmul(w, tf.constant(1.0, shape=[1, 2])) * tf.matmul(w, tf.constant(2.0, shape=[1, 2]))
    with tf.device("/task:2"):
        second = tf.matmul(w, tf.constant(1.0, shape=[1, 2]))
    (g,) = tf.gradients(first + second, [w], colocate_gradients_with_ops=True)
    assert g.op.type == "AddN"
    assert g.op.colocation_groups() == w.op.colocation_groups()
    (ones,) = [t.op for t in g.op.inputs if t.op.type == "AddN"]
    assert len(ones.inputs) == 2
    assert ones.device == "/task:1"


def test_custom_gradient_makes_resource_variables_only():
    def dense(x, use_resource):
        @tf.custom_gradient
        def f(x):
            with tf.variable_scope("f", use_resource=use_resource):
                w = tf.get_variable("w", [2, 4])
            return tf.matmul(x, w), lambda g, variables=None: (tf.ones_like(x), [tf.ones([2, 4])])

        return f(x)

    with tf.variable_scope("a", use_resource=True), pytest.raises(TypeError, match="must be `ResourceVariable`s"):
        dense(tf.ones([3, 2]), False)
    with tf.variable_scope("b"):
        x = tf.ones([3, 2])
        (g,) = tf.gradients(dense(x, True), x)
    assert tf.Session().run(g).tolist() == [[1.0, 1.0]] * 3
