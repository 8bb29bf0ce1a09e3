"""tf.contrib.graph_editor: views, copies, other inputs, and what a session gives afterwards."""

import numpy as np
import pytest

import thalweg as tf
from thalweg.contrib import graph_editor as ge


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as g:
        yield g


def run(x, feeds=None):
    with tf.Session(graph=x.graph) as sess:
        sess.run(tf.variables_initializer(x.graph.get_collection("variables")))
        return sess.run(x, feeds)


def test_views():
    a, b = tf.constant(1.0, name="a"), tf.constant(2.0, name="b")
    c = tf.add(a, b, name="s/c")
    d = tf.multiply(c, a, name="s/d")
    e = tf.multiply(c, c, name="e")
    view = ge.sgv(c.op, d.op)
    assert (view.inputs, view.outputs, len(view.ops)) == ([a, b], [c, d], 2)
    assert view.remap([1], [d, 0]).inputs == [b]
    assert view.remap_outputs([1, 0, 0]).remap_outputs_make_unique().outputs == [d, c]
    assert view.remap_outputs([0, 0]).remap_outputs_to_consumers().outputs == [c, c, c]
    assert view.remap([], []).remap_default().outputs == [c, d]
    assert view.consumers() == [e.op]
    assert ge.sgv(e.graph).remap_outputs([0]).remove_unused_ops().ops == [a.op, b.op, c.op, d.op]
    assert [op.name for op in ge.sgv_scope("s", e.graph).ops] == ["s/c", "s/d"]
    assert (view.input_index(b), view.output_index(d), view.find_op_by_name("s/d")) == (1, 1, d.op)
    assert view
    assert not ge.SubGraphView()
    with pytest.raises(ValueError, match="Duplicate"):
        view.remap_inputs([0, 0])
    with pytest.raises(ValueError, match="range"):
        view.remap_outputs([2])
    with pytest.raises(ValueError, match="not in the inputs"):
        view.input_index(c)


def test_rerouted_tensors_are_what_runs(graph):
    a, b = tf.constant([1.0, 2.0]), tf.constant([3.0, 4.0])
    c, d = a * 10.0, b * 100.0
    with tf.Session() as sess:
        assert sess.run([c, d])[0].tolist() == [10, 20]
        assert ge.swap_ts([a], [b]) == 2
        assert [v.tolist() for v in sess.run([c, d])] == [[30, 40], [100, 200]]
        later = tf.constant([7.0, 8.0])
        assert ge.reroute_ts([later], [b], can_modify=c.op) == 1
        assert [v.tolist() for v in sess.run([c, d])] == [[70, 80], [100, 200]]
    assert all(t.op._id < op._id for op in graph.get_operations() for t in op.inputs)
    with pytest.raises(ValueError, match="Shapes"):
        ge.reroute_ts([a], [tf.constant(1.0)])
    with pytest.raises(ValueError, match="Dtypes"):
        ge.reroute_ts([a], [tf.constant([1, 2])])


def test_control_inputs():
    v = tf.Variable(1.0)
    assign, out = v.assign(5.0), tf.identity(3.0)
    ge.add_control_inputs(out.op, assign.op)
    with tf.Session() as sess:
        sess.run(v.initializer)
        sess.run(out)
        assert sess.run(v) == 5.0
    with pytest.raises(ValueError, match="already"):
        ge.add_control_inputs(out.op, assign.op)
    ge.remove_control_inputs(out.op, assign.op)
    assert out.op.control_inputs == []
    with pytest.raises(ValueError, match="not a control_input"):
        ge.remove_control_inputs(out.op, assign.op)


def test_parts_are_detached_joined_and_bypassed():
    a = tf.constant(2.0, name="a")
    b = tf.negative(a, name="b")
    c = tf.square(b, name="c")
    d = tf.add(c, 1.0, name="d")
    _, before, behind = ge.detach(ge.sgv(c.op))
    assert [t.name for t in before + behind] == ["geph__b_0:0", "geph__c_0:0"]
    assert run([c][0], {before[0]: 3.0}) == 9.0
    assert run(d, {behind[0]: 5.0}) == 6.0
    ge.connect(ge.sgv(b.op), ge.sgv(d.op).remap_inputs([0]))
    assert run(d) == -1.0
    e = tf.exp(b, name="e")
    f = tf.abs(e, name="f")
    ge.bypass(ge.sgv(e.op))
    assert run(f) == 2.0


def test_a_copy_into_another_graph(graph):
    x = tf.placeholder(tf.float32, [2], name="x")
    w = tf.Variable([3.0, 4.0], name="w")
    y = tf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, s + w * x), [0, tf.zeros([2])])[1]
    z = tf.cond(tf.reduce_sum(x) > 0, lambda: y, lambda: -y)
    tf.add_to_collection("mine", z)
    other = tf.Graph()
    view, info = ge.copy(graph, other, "copied")
    assert info.transformed(z).graph is other
    assert info.original(info.transformed(y.op)) is y.op
    assert other.get_collection("copied/mine") == [info.transformed(z)]
    assert {op.name for op in view.ops} >= {"copied/x", "copied/w"}
    with tf.Session(graph=other) as sess:
        sess.run(info.transformed(w.initializer))
        assert sess.run(info.transformed(z), {info.transformed(x): [1, 1]}).tolist() == [9, 12]
        assert sess.run(info.transformed(z), {info.transformed(x): [-1, -1]}).tolist() == [9, 12]


def test_what_would_be_with_other_inputs():
    a, b = tf.constant(1.0, name="a"), tf.Variable(10.0, name="b")
    c = tf.identity(a + b, name="c")
    made = ge.graph_replace({"c": c, "b": b.value()}, {a: tf.constant(2.0)})
    assert (run(made["c"]), made["b"]) == (12.0, b.value())
    copied, _ = ge.copy_with_input_replacements(c.op.inputs[0].op, {a: tf.constant(5.0)})
    assert run(copied.outputs[0]) == 15.0
    with pytest.raises(ValueError, match="not connected"):
        ge.graph_replace(a, {c: tf.constant(1.0)})


def test_a_transformer_with_a_handler_of_its_own(graph):
    x = tf.constant(3.0)
    y = tf.square(tf.square(x))
    copier = ge.Transformer()

    def twice(info, op, new_inputs):
        made, outputs = ge.copy_op_handler(info, op, new_inputs)
        with info.graph_.as_default():
            return (made, [2.0 * outputs[0]]) if op.type == "Square" else (made, outputs)

    copier.transform_op_handler = twice
    other = tf.Graph()
    _, info = copier(graph, other, "")
    assert run(info.transformed(y)) == 2 * (2 * 9.0) ** 2
    with pytest.raises(TypeError, match="Expected a tf.Graph"):
        copier(graph, "g", "")


def test_gradients_with_copies_of_what_they_need():
    """What programs that save memory do: the way back computes the way forth again, from a checkpoint."""
    x = tf.placeholder(tf.float32, [3])
    mid = tf.tanh(x * 2.0)
    last = tf.exp(tf.sin(mid))
    between = ge.get_backward_walk_ops([last.op], inclusive=True, stop_at_ts=[mid])
    copied, info = ge.copy_with_input_replacements(ge.sgv(between), {})
    apart = tf.stop_gradient(mid)
    ge.reroute_ts([apart], [mid], can_modify=copied.ops)
    again = info.transformed(last)
    (g,) = tf.gradients(again, apart)
    (whole,) = tf.gradients(mid, x, grad_ys=g)
    (expected,) = tf.gradients(last, x)
    with tf.Session() as sess:
        feeds = {x: np.float32([0.1, 0.5, -1])}
        np.testing.assert_allclose(sess.run(whole, feeds), sess.run(expected, feeds), rtol=1e-6)
