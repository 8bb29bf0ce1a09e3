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
