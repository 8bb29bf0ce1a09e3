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


@pytest.mark.parametrize("use_resource", [False, True])
def test_variable_whose_shape_may_change(use_resource):
    v = tf.Variable([[0.0]], shape=tf.TensorShape(None), use_resource=use_resource)
    assert v.shape.rank is None
    put = tf.assign(v, tf.zeros([2, 2]), validate_shape=False)
    with tf.Session() as s:
        s.run(v.initializer)
        s.run(put)
        assert s.run(v).shape == (2, 2)
    with pytest.raises(ValueError, match="not compatible with the explicitly supplied `shape`"):
        tf.Variable([1.0, 2.0, 3.0], shape=[4], use_resource=use_resource)


def test_assignments_to_a_resource_variable():
    v = tf.Variable([0.0, 1.0], use_resource=True)
    assert v.assign_add([1.0, 1.0]).name != v.name
    with pytest.raises(ValueError, match="Shapes must be equal rank"):
        v.assign_add(1.0)
    with pytest.raises(ValueError, match="Shapes \\(2,\\) and \\(3,\\) are incompatible"):
        v.assign([1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"input shapes: \[\], \[2\], \[3\]"):
        tf.scatter_update(v, [0, 1], [0.0, 1.0, 2.0])


def test_scalar_is_not_partitioned():
    with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(2)):
        assert tf.get_variable("v", shape=()).name == "s/v:0"
        assert len(list(tf.get_variable("w", shape=[4]))) == 2


@pytest.mark.parametrize("use_resource", [False, True])
def test_gather_nd_of_a_variable(use_resource):
    v = tf.Variable([[1, 2], [3, 4], [5, 6]], use_resource=use_resource)
    parts, rows = tf.gather_nd(v, [[0, 1], [2, 0]]), tf.gather(v, [1])
    with tf.Session() as s:
        s.run(v.initializer)
        assert [x.tolist() for x in s.run([parts, v.gather_nd([[1, 1]]), rows, v.sparse_read([1])])] == [
            [2, 5],
            [4],
            [[3, 4]],
            [[3, 4]],
        ]


def test_a_resource_variable_may_get_another_shape_in_a_run():
    v = tf.Variable([0.0, 0.0], use_resource=True)
    x = tf.placeholder(tf.float32, None)
    assign, plus, add = v.assign(x), v + 1, v.assign_add(x)
    with tf.Session() as s:
        s.run(v.initializer)
        assert s.run(plus).tolist() == [1, 1]
        assert s.run(assign, {x: [1, 2, 3]}).tolist() == [1, 2, 3]
        assert s.run(plus).tolist() == [2, 3, 4]
        assert v.shape.as_list() == [2]
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"Cannot update variable with shape \[3\]"):
            s.run(add, {x: [1.0] * 4})
    with pytest.raises(ValueError, match="incompatible"):
        v.assign([1.0, 2.0, 3.0])


def test_a_reference_variable_keeps_its_shape():
    v = tf.Variable([0.0, 0.0], use_resource=False)
    x = tf.placeholder(tf.float32, None)
    checked, free = v.assign(x), tf.assign(v, x, validate_shape=False)
    with tf.Session() as s:
        s.run(v.initializer)
        with pytest.raises(tf.errors.InvalidArgumentError, match="requires shapes of both tensors to match"):
            s.run(checked, {x: [1, 2, 3]})
        assert s.run(free, {x: [1, 2, 3]}).tolist() == [1, 2, 3]


def test_a_variable_scope_object_is_entered_again():
    def inside(scope):
        with scope as s:
            v = tf.get_variable(f"v{len(tf.global_variables())}", [1])
            return v.op.name, tf.add(v, 1, name="op").op.name, s.name, s.original_name_scope

    with tf.variable_scope("a"):
        pass
    scope, made = tf.variable_scope("a"), tf.variable_scope(None, default_name="d")
    assert inside(scope) == ("a/v0", "a_1/op", "a", "a_1/")
    assert inside(scope) == ("a/v1", "a_2/op", "a", "a_1/")
    assert inside(made) == ("d/v2", "d/op", "d", "d/")
    assert inside(made) == ("d/v3", "d_1/op", "d", "d/")
    assert inside(tf.variable_scope(None, default_name="d")) == ("d_1/v4", "d_2/op", "d_1", "d_2/")
    still = tf.variable_scope("n", auxiliary_name_scope=False)
    for block in ("one", "two"):
        with tf.name_scope(block):
            assert inside(still)[1].startswith("one/op")


def test_numbers_in_branches_are_not_checked():
    tf.cond(tf.placeholder(tf.bool), lambda: tf.constant(1.0), lambda: tf.constant(2.0))
    with pytest.raises(ValueError, match=r"not compatible with TensorFlow control flow"):
        tf.add_check_numerics_ops()
