"""Frozen graphs cut down to inference."""

import numpy as np
import pytest
from google.protobuf import text_format

import thalweg as tf
from thalweg._src.lib import inference_graphs

FLOAT = tf.float32.as_datatype_enum


def frozen(values, images):
    """A graph of two convolutions with normalizations of fixed statistics, and what it gives."""
    const = lambda *dims, name=None: tf.constant(values.randn(*dims).astype("f"), name=name)

    def normal(t, name):
        n = t.shape[-1].value
        parts = {"scale": const(n), "offset": const(n), "mean": const(n), "variance": tf.abs(const(n)) + 0.5}
        with tf.Session():
            parts["variance"] = tf.constant(parts["variance"].eval())
        return tf.raw_ops.FusedBatchNorm(x=t, is_training=False, name=name, **parts).y

    with tf.Graph().as_default() as graph, tf.Session() as sess:
        x = tf.placeholder(tf.float32, [None, 5, 5, 2], name="x")
        y = tf.identity(x * 2.0, name="pre")
        y = tf.nn.relu(normal(tf.nn.conv2d(y, const(3, 3, 2, 4, name="w"), 1, "SAME", name="c"), "bn"))
        y = normal(tf.nn.depthwise_conv2d(y, const(2, 2, 4, 2, name="dw"), [1] * 4, "VALID", name="dc"), "dbn")
        y = tf.identity(y, name="out")
        return graph.as_graph_def(), sess.run(y, {x: images})


def test_as_tensorflow_makes_it():
    images = np.random.RandomState(1).randn(2, 5, 5, 2).astype("f")
    graph_def, expected = frozen(np.random.RandomState(0), images)
    made = inference_graphs.optimize_for_inference(graph_def, ["x"], ["out"], FLOAT)
    kinds = {n.name: n.op for n in made.node}
    # what TensorFlow 1.15 leaves of it
    assert " ".join(f"{name}:{kind}" for name, kind in sorted(kinds.items())) == (
        "Relu:Relu bn:BiasAdd c:Conv2D c_bn_offset:Const dbn:BiasAdd dc:DepthwiseConv2dNative dc_bn_offset:Const dw:Const "
        "mul:Mul mul/y:Const out:Identity w:Const x:Placeholder"
    )
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.import_graph_def(made, name="")
        np.testing.assert_allclose(sess.run("out:0", {"x:0": images}), expected, rtol=1e-4, atol=1e-5)


def test_inputs_become_placeholders(tmp_path):
    with tf.Graph().as_default() as graph:
        a = tf.constant([1.0, 2.0], name="a")
        b = tf.exp(a, name="b")
        tf.add(b, 1.0, name="c")
        tf.negative(b, name="unused")
    graph_def = graph.as_graph_def()
    made = inference_graphs.strip_unused(graph_def, ["b"], ["c"], FLOAT)
    assert sorted(n.name for n in made.node) == ["b", "c", "c/y"]
    assert next(n for n in made.node if n.name == "b").op == "Placeholder"
    with pytest.raises(KeyError, match="zz"):
        inference_graphs.strip_unused(graph_def, ["zz"], ["c"], FLOAT)
    with pytest.raises(ValueError, match="Tensor"):
        inference_graphs.strip_unused(graph_def, ["b:0"], ["c"], [FLOAT])
    source, target = str(tmp_path / "in.pbtxt"), str(tmp_path / "out.pb")
    (tmp_path / "in.pbtxt").write_text(text_format.MessageToString(graph_def))
    assert inference_graphs.strip_unused_from_files(source + "x", False, target, True, "b", "c", FLOAT) == -1
    assert inference_graphs.strip_unused_from_files(source, False, target, True, "b", "c", FLOAT) is None
    assert tf.GraphDef.FromString((tmp_path / "out.pb").read_bytes()) == made


def test_what_is_not_a_graph():
    graph_def = tf.GraphDef()
    graph_def.node.add(name="a", op="Relu", input=["b:1"])
    with pytest.raises(ValueError, match="not found"):
        inference_graphs.ensure_graph_is_valid(graph_def)
    graph_def.node.add(name="a", op="NoOp")
    with pytest.raises(ValueError, match="Duplicate"):
        inference_graphs.fold_batch_norms(graph_def)
