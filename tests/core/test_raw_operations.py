"""`tf.Operation(node_def, graph, ...)`, as programs use it that copy graphs."""

import copy
import importlib

import pytest

import thalweg as tf
from thalweg._src.compat import hook


def copied(op, name, inputs, **swapped):
    """A copy of `op` made piece by piece, its inputs added one by one."""
    node = copy.deepcopy(op.node_def)
    node.name = name
    new = tf.Operation(node, op.graph, [], op._output_types[:], [], [], None, copy.deepcopy(op.op_def))
    op.graph._add_op(new)
    for tensor in inputs:
        new._add_input(tensor)
    new._add_control_inputs(swapped.get("after", []))
    new._set_control_flow_context(op._get_control_flow_context())
    before = hook.installed()
    hook.install()
    try:
        importlib.import_module("tensorflow.python.framework.ops").set_shapes_for_outputs(new)
    finally:
        if not before:
            hook.uninstall()
    op.graph._record_op_seen_by_control_dependencies(new)
    op.graph._apply_device_functions(new)
    return new


def test_a_copy_takes_other_inputs_even_later_ones():
    x = tf.constant([1.0, 2.0])
    y = x * 3.0
    new = tf.Operation(copy.deepcopy(y.op.node_def).__class__.FromString(_renamed(y.op, "again")), y.graph)
    later = tf.constant([10.0, 20.0])  # made after the copy has begun
    new._add_input(later)
    new._add_input(y.op.inputs[1])
    from thalweg._src.core import raw_operations

    raw_operations.infer_shapes(new)
    z = new.outputs[0]
    assert z.shape.as_list() == [2]
    assert new.name == "again"
    assert z.graph.get_tensor_by_name("again:0") is z
    with tf.Session() as sess:
        assert sess.run(z).tolist() == [30.0, 60.0]
        assert sess.run(tf.gradients(z, later)[0]).tolist() == [3.0, 3.0]


def _renamed(op, name):
    node = copy.deepcopy(op.node_def)
    node.name = name
    return node.SerializeToString()


def test_copies_of_branches_keep_their_bodies():
    p = tf.placeholder_with_default(True, [])
    x = tf.constant(2.0)
    y = tf.cond(p, lambda: x + 1.0, lambda: x - 1.0)
    branch = y.op if y.op.opdef.bodies is not None else y.op.inputs[0].op
    new = copied(branch, "copied", branch.inputs, after=[x.op])
    assert new.control_inputs == [x.op]
    with tf.Session() as sess:
        assert sess.run(new.outputs[0]) == 3.0
        assert sess.run(new.outputs[0], {p: False}) == 1.0


def test_names_are_final_and_types_are_known():
    c = tf.constant(1.0, name="c")
    with pytest.raises(ValueError, match="Duplicate node name"):
        tf.Operation(copy.deepcopy(c.op.node_def), c.graph)
    node = copy.deepcopy(c.op.node_def)
    node.name, node.op = "d", "NoSuchOp"
    with pytest.raises(ValueError, match="NoSuchOp"):
        tf.Operation(node, c.graph)
    with pytest.raises(TypeError):
        tf.Operation("c", c.graph)
    with pytest.raises(ValueError, match="not an operation of this graph"):
        tf.Graph()._add_op(c.op)


def test_sums_of_linear_operators_are_of_the_narrowest_kind():
    from thalweg._src.compat.internals.linear_operator_addition import add_operators

    diag = tf.linalg.LinearOperatorDiag([1.0, 2.0])
    scaled = tf.linalg.LinearOperatorScaledIdentity(2, 3.0)
    lower = tf.linalg.LinearOperatorLowerTriangular([[1.0, 0.0], [5.0, 1.0]])
    full = tf.linalg.LinearOperatorFullMatrix([[0.0, 1.0], [1.0, 0.0]])
    kinds = [type(add_operators(given)[0]) for given in ([diag, scaled], [diag, lower], [lower, full])]
    assert kinds == [type(diag), type(lower), type(full)]
    with tf.Session() as sess:
        assert sess.run(add_operators([diag, scaled, lower])[0].to_dense()).tolist() == [[5.0, 0.0], [5.0, 6.0]]
    with pytest.raises(TypeError):
        add_operators([diag], addition_tiers=[[]])
