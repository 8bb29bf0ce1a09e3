"""Tensors in sets, changed inputs, scopes of devices that do not nest: as TensorFlow 1.15 has them."""

import warnings

import numpy as np
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


def test_inputs_and_waits_that_change(graph):
    x, y = tf.constant(1), tf.constant(2)
    z = x + y
    z.op._update_input(0, y)
    assert (list(z.op.inputs), x.consumers(), y.consumers()) == ([y, y], [], [z.op, z.op])
    z.op._update_input(0, x)
    z.op._update_input(1, y)
    assert (x.consumers(), y.consumers()) == ([z.op], [z.op])
    z.op._add_control_inputs([x.op, x.op])
    assert x.op._control_outputs == [z.op]
    z.op._remove_all_control_inputs()
    assert z.op.control_inputs == []
    with tf.Session() as session:
        assert session.run(z) == 3


def test_operations_that_wait_for_each_other(graph):
    x, y = tf.constant(1), tf.constant(2)
    y.op._add_control_input(x.op)
    x.op._add_control_input(y.op)
    with tf.Session() as session:
        with pytest.raises(tf.errors.InvalidArgumentError, match="Graph is invalid, contains a cycle with 2 nodes"):
            session.run(x)


def test_a_name_scope_takes_its_inputs_in_second_place():
    x = tf.constant(1.0)
    with tf.name_scope("older", [x]) as scope:
        assert scope == "older/"
    with pytest.raises(TypeError, match="likely meant"):
        tf.name_scope(None, [x])


def test_what_an_operation_tells_of_itself(graph):
    op = tf.no_op()
    assert [frame[:-1] for frame in op.traceback_with_start_lines] == op.traceback
    assert all(frame[-1] <= frame[1] for frame in op.traceback_with_start_lines)
    with pytest.raises(TypeError, match="Can't convert Operation 'NoOp' to Tensor"):
        tf.convert_to_tensor(op)
    with tf.name_scope("outer"), tf.name_scope("/") as scope:
        assert scope == "/"


def test_arrays_under_another_name():
    class Wrapped:
        def __array__(self, dtype=None, copy=None):
            return np.array([b"foo", b"barbaz"]) if self.texts else np.array([1.5, 2.5])

        texts = True

    assert tf.make_ndarray(tf.make_tensor_proto(Wrapped(), shape=[1, 2])).tolist() == [[b"foo", b"barbaz"]]
    numbers = Wrapped()
    numbers.texts = False
    assert tf.constant(numbers).dtype == tf.float64
    assert tf.constant(numbers, tf.float32).dtype == tf.float32


def test_what_is_known_of_a_stack(graph):
    value = tf.contrib.util.constant_value
    known, hidden = tf.constant([[1.0, 2.0]]), tf.placeholder(tf.float32)
    first, second = value(tf.stack([known, hidden]), partial=True)
    assert (first.tolist(), second) == ([[1.0, 2.0]], None)
    assert value(tf.stack([known, hidden], axis=1), partial=True) is None
    assert value(tf.Variable(1.0)) is None
    assert value("hi") == "hi"


def test_known_divisions_by_zero_are_infinite_without_a_warning():
    quotient = tf.constant([1.0, -1.0]) / tf.constant([0.0, 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tf.contrib.util.constant_value(quotient).tolist() == [np.inf, -np.inf]
