"""What `import_graph_def` refuses, in TensorFlow's words; and data types beside Python's."""

import numpy as np
import pytest
from google.protobuf import text_format

import thalweg as tf

A = "node { name: 'a' op: 'Placeholder' attr { key: 'dtype' value { type: DT_FLOAT } } }"
B = "node { name: 'b' op: 'Neg' input: 'a:0' attr { key: 'T' value { type: DT_%s } } %s }"


def graph_def(text):
    return text_format.Parse(text, tf.GraphDef())


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        (A + B % ("INT32", ""), {}, "Input 0 of node import/b was passed float from import/a:0 incompatible with expected int32."),
        (A, {"return_elements": ["b"]}, "Requested return node 'b' not found in graph def"),
        (A, {"return_elements": ["a:1"]}, "Invalid return output 1 of node 'a', which has 1 output\\(s\\)"),
        ("", {"return_elements": ["a:b:c"]}, "Cannot convert 'a:b:c' to a tensor name."),
        ("versions { producer: -1 }", {}, "producer version -1 below min producer 0 supported by TensorFlow \\S+\\.  Please"),
        ("versions { min_consumer: 9999 }", {}, "min consumer version 9999 above current version \\d+ for TensorFlow"),
        (A + B % ("FLOAT", ""), {"input_map": {"a:0": 2.0}, "name": ""}, "requires a non-empty `name` if `input_map`"),
    ],
)  # fmt: skip
def test_refusals(text, more, message):
    with tf.Graph().as_default(), pytest.raises(ValueError, match=message):
        tf.import_graph_def(graph_def(text), **more)


def test_what_is_no_graph_and_names_as_bytes():
    with tf.Graph().as_default(), tf.Session() as s:
        with pytest.raises(TypeError, match="graph_def must be a GraphDef proto."):
            tf.import_graph_def("")
        (b,) = tf.import_graph_def(graph_def(A + B % ("FLOAT", "")), {b"a:0": 2.0}, [b"b:0"])
        assert s.run(b) == -2.0


def test_types_of_python_are_not_those_of_tensors():
    assert [t == p for t, p in ((tf.int32, int), (tf.string, str), (tf.complex128, complex))] == [False] * 3
    assert [t == p for t, p in ((tf.float32, float), (tf.bool, bool), (tf.int64, np.dtype(int)))] == [True] * 3
    assert tf.string.size == 8
    assert tf.variant.size == 1


PAIR = "node { name: 'a' op: 'NoOp' %s } node { name: 'b' op: 'NoOp' attr { key: '_class' value { list { s: 'loc:@a' } } } %s }"


def test_names_that_are_taken():
    nodes = "".join(f"node {{ name: '{n}' op: 'NoOp' }}" for n in ("outer", "inner", "outer/inner", "a", "empty"))
    with tf.Graph().as_default():
        with tf.name_scope("outer"), tf.name_scope("inner"):
            tf.no_op("op")
        with tf.name_scope("empty"):
            pass
        found = tf.import_graph_def(
            graph_def(nodes), return_elements=["outer", "inner", "outer/inner", "a", "empty"], name=""
        )
        assert [op.name for op in found] == ["outer_1", "inner", "outer/inner_1", "a", "empty"]
        for scope, expected in (("", "a_1"), ("a", "a_2/a"), ("a/", "a/a"), ("a/", "a/a_1")):
            (op,) = tf.import_graph_def(graph_def(A), return_elements=["a"], name=scope)
            assert op.name == expected


def test_colocated_nodes():
    with tf.Graph().as_default():
        _, b = tf.import_graph_def(graph_def(PAIR % ("", "")), return_elements=["a", "b"], name="")
        a, c = tf.import_graph_def(graph_def(PAIR % ("device: '/cpu:0'", "")), return_elements=["a", "b"], name="")
        assert (b.colocation_groups(), c.colocation_groups(), c.device) == ([b"loc:@a"], [b"loc:@a_1"], a.device)
        _, d = tf.import_graph_def(graph_def(PAIR % ("", "device: '/cpu:0'")), return_elements=["a", "b"])
        assert d.device == ""
        with pytest.raises(ValueError, match="Node 'b' expects to be colocated with unknown node 'a'"):
            tf.import_graph_def(graph_def(PAIR[PAIR.index("node { name: 'b'") :] % ""))


def test_versions_of_a_graph_and_shapes_that_are_told():
    text = A + "versions { producer: %d min_consumer: %d }"
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def(text % (50, 9)))
        tf.import_graph_def(graph_def(text % (60, 3)))
        assert (graph.graph_def_versions.producer, graph.graph_def_versions.min_consumer) == (50, 9)
    wrong = B % ("FLOAT", "attr { key: '_output_shapes' value { list { shape { dim { size: 3 } } } } }")
    told = A.replace("} }", "} } attr { key: 'shape' value { shape { dim { size: 2 } } } }", 1) + wrong
    with tf.Graph().as_default(), pytest.raises(ValueError, match="inconsistent with the GraphDef for output #0"):
        tf.import_graph_def(graph_def(told + "versions { producer: 27 }"))
    with tf.Graph().as_default(), pytest.raises(ValueError, match="expected inputs 'float' do not match 0 inputs"):
        tf.import_graph_def(graph_def(B.replace("input: 'a:0'", "") % ("FLOAT", "")))
