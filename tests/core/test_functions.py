"""Bodies of If and While in the library of a GraphDef."""

import numpy as np

import thalweg as tf


def program():
    """A cond in a loop after a cond; (input, results)."""
    x = tf.placeholder(tf.float32, [3], name="x")
    y = tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2.0 + tf.split(x, 3)[1], lambda: x - 1.0)
    _, z = tf.while_loop(
        lambda i, a: i < 4, lambda i, a: (i + 1, a * x + tf.cond(i > 2, lambda: 1.0, lambda: 0.5)), [0, y]
    )
    return x, [y, z]


def test_bodies_come_back_as_they_went():
    x, results = program()
    definition = tf.get_default_graph().as_graph_def()
    names = [f.signature.name for f in definition.library.function]
    assert len(set(names)) == len(names) == 6
    expected = tf.Session().run(results, {x: [1.0, -2.0, 3.0]})
    with tf.Graph().as_default() as graph:
        again = tf.import_graph_def(definition, return_elements=[t.name for t in results], name="")
        np.testing.assert_allclose(tf.Session().run(again, {"x:0": [1.0, -2.0, 3.0]})[1], expected[1], rtol=1e-6)
    told = graph.as_graph_def()
    assert {n.name for n in told.node} == {n.name for n in definition.node}
    for ours, theirs in zip(told.library.function, definition.library.function, strict=True):
        assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


def test_imported_bodies_differentiate():
    x, results = program()
    gradient = tf.Session().run(tf.gradients(results[1], x), {x: [1.0, -2.0, 3.0]})
    definition = tf.get_default_graph().as_graph_def()
    with tf.Graph().as_default() as graph:
        (again,) = tf.import_graph_def(definition, return_elements=[results[1].name], name="")
        x = graph.get_tensor_by_name("x:0")
        np.testing.assert_allclose(tf.Session().run(tf.gradients(again, x), {x: [1.0, -2.0, 3.0]}), gradient, rtol=1e-5)


def test_outputs_have_tensorflows_names():
    program()
    loop = next(f for f in tf.get_default_graph().as_graph_def().library.function if "body" in f.signature.name)
    inputs = [text for node in loop.node_def for text in node.input]
    assert any(text.endswith(":z:0") for text in inputs)  # AddV2 and Mul call their output z
    assert len(loop.signature.output_arg) == len(loop.signature.input_arg) == 3  # what it captured is handed on


def test_gradients_through_bodies_survive_a_graph_def():
    """A loop of unknown length, a branch and an op without a gradient of its own: trained after an export and an import."""

    def build():
        w = tf.Variable([0.3, -0.2, 0.5], name="w")
        n = tf.placeholder(tf.int32, [], name="n")
        y = tf.while_loop(lambda i, x: i < n, lambda i, x: (i + 1, x * 0.9 + tf.sin(w)), [0, w * 1.0])[1]
        z = tf.cond(n > 2, lambda: y * w, lambda: tf.map_fn(lambda v: v * v, y))
        loss = tf.reduce_sum(tf.cumprod(z + 1.0, exclusive=True), name="loss")
        tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, name="train")

    def trained():
        with tf.Session() as sess:
            sess.run("init")
            for n in (1, 4, 3):
                sess.run("train", {"n:0": n})
            return sess.run("w:0")

    with tf.Graph().as_default() as graph:
        build()
        tf.global_variables_initializer()
        expected, proto = trained(), graph.as_graph_def()
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(proto, name="")
        np.testing.assert_allclose(trained(), expected, rtol=1e-6)
        again = graph.as_graph_def()
    with tf.Graph().as_default():
        tf.import_graph_def(again, name="below")
        assert tf.get_default_graph().get_operation_by_name("below/train") is not None


def test_a_branch_that_changes_a_variable_is_imported():
    with tf.Graph().as_default() as made:
        v = tf.Variable(1.0, name="v")
        p = tf.placeholder(tf.bool, name="p")
        out = tf.cond(p, lambda: tf.assign_add(v, 5.0), lambda: tf.identity(v))
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.import_graph_def(made.as_graph_def(), name="")
        sess.run("v/Assign")
        assert [sess.run(out.name, {"p:0": b}) for b in (True, False)] == [6.0, 6.0]
