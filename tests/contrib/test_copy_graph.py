"""tf.contrib.copy_graph."""

import pytest

import thalweg as tf


def test_an_operation_and_what_it_needs():
    copies = tf.contrib.copy_graph
    source, target = tf.Graph(), tf.Graph()
    with source.as_default():
        x = tf.placeholder(tf.float32, name="x")
        a = tf.Variable(3.0, name="a")
        with tf.control_dependencies([tf.no_op("first")]):
            y = tf.add(x * a, 4.0, name="y")
        tf.add_to_collection("results", y)
    variable = copies.copy_variable_to_graph(a, target)
    made = copies.copy_op_to_graph(y, target, [variable])
    assert made.graph is target
    assert made.name == "y:0"
    assert target.get_collection("results") == [made]
    assert [op.name for op in made.op.inputs[0].op.control_inputs] == ["first"]
    assert copies.copy_op_to_graph(y, target, [variable]) is made
    assert target.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES) == [variable]
    with tf.Session(graph=target) as session:
        session.run(variable.initializer)
        assert session.run(made, {copies.get_copied_op(x, target): 5.0}) == 19.0


def test_below_a_scope():
    copies = tf.contrib.copy_graph
    source, target = tf.Graph(), tf.Graph()
    with source.as_default():
        a = tf.Variable(2, name="a", collections=["kept", tf.GraphKeys.GLOBAL_VARIABLES])
        c = tf.constant(7, name="c")
    copied = copies.copy_variable_to_graph(a, target, "there")
    assert copied.name == "there/a:0"
    assert target.get_collection("there/kept") == [copied]
    assert copies.copy_op_to_graph(c, target, [], "there").name == "there/c:0"
    with pytest.raises(KeyError):
        copies.get_copied_op(c, target)
    for refuses in (lambda: copies.copy_variable_to_graph(c, target), lambda: copies.copy_op_to_graph(1, target, [])):
        with pytest.raises(TypeError):
            refuses()
