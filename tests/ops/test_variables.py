"""Where variables may be made, what scopes refuse, where copies lie: as TensorFlow 1.15 has it."""

import copy

import pytest

import thalweg as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as g:
        yield g


@pytest.mark.parametrize("resource", [False, True])
def test_initial_values_from_inside_of_loops_and_branches(resource):
    def body(i, a):
        return i + 1, tf.Variable(tf.zeros([]), use_resource=resource).read_value()

    with pytest.raises(ValueError, match="inside a control-flow construct"):
        tf.while_loop(lambda i, a: i < 3, body, [0, 0.0])
    p = tf.placeholder(tf.bool, [])
    with pytest.raises(ValueError, match="inside a control-flow construct"):
        tf.cond(p, lambda: tf.Variable(tf.zeros([]), use_resource=resource).read_value(), lambda: 1.0)
    made = tf.cond(p, lambda: tf.Variable(3.0, use_resource=resource).read_value(), lambda: 1.0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert [session.run(made, {p: b}) for b in (True, False)] == [3.0, 1.0]


def test_scopes_that_do_not_nest():
    with tf.variable_scope("a"):
        scope = tf.variable_scope("b")
        scope.__enter__()
        with tf.variable_scope("c"):
            with pytest.raises(RuntimeError, match="Improper nesting"):
                scope.__exit__(None, None, None)
        scope.__exit__(None, None, None)
        assert tf.get_variable("v", []).name == "a/v:0"


def test_trainable_variables_that_are_read_together():
    on_read = tf.VariableSynchronization.ON_READ
    assert tf.get_variable("a", [], synchronization=on_read, trainable=True).trainable
    assert not tf.get_variable("b", [], synchronization=on_read).trainable
    with pytest.raises(ValueError, match="ON_READ only for non-trainable"):
        tf.layers.Dense(2).add_weight("w", [1], synchronization=on_read, trainable=True)


def test_where_the_copy_of_a_variable_lies():
    with tf.device("/job:server/task:1"):
        reference, resource = (
            tf.Variable(2.0, caching_device="/job:localhost", use_resource=r).value() for r in (False, True)
        )
    assert (reference.device, reference.op.name) == ("/job:localhost/task:1", "Variable/read")
    assert (resource.device, resource.op.name) == ("/job:localhost", "Variable_1/Read/Identity")


def test_a_variable_that_is_its_own_loss():
    v = tf.get_variable("v", initializer=10.0, use_resource=True)
    (gradient,) = tf.gradients(v, v)
    step = tf.train.MomentumOptimizer(0.5, 0.1).minimize(v, colocate_gradients_with_ops=True)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(gradient) == 1.0
        session.run(step)
        assert session.run(v) == 9.5


def test_assigning_under_another_default_graph(graph):
    v = tf.Variable(1.0, use_resource=True)
    with tf.Graph().as_default() as other:
        done = v.assign(2.0)
    assert done.op.graph is graph
    assert not other.get_operations()
    with pytest.raises(NotImplementedError):
        copy.deepcopy(v)
