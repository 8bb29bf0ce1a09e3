"""Constants of TensorProtos; what can't be joined."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.formats import protos


def test_constant_of_a_tensor_proto():
    with tf.Graph().as_default(), tf.Session() as s:
        c = tf.constant(tf.make_tensor_proto([1.5, 2.0]))
        assert c.dtype == tf.float32
        assert c.shape == [2]
        assert s.run(c * tf.constant(tf.make_tensor_proto(2.0))).tolist() == [3.0, 4.0]


def test_constant_of_a_variant(capsys):
    held = protos.VariantTensorDataProto(type_name=b"int", metadata=np.array(7, np.int32).tobytes())
    proto = protos.TensorProto(dtype=tf.variant.as_datatype_enum, variant_val=[held])
    proto.tensor_shape.SetInParent()
    with tf.Graph().as_default(), tf.Session() as s:
        c = tf.constant(proto)
        assert c.dtype == tf.variant
        assert c.op.get_attr("value") == proto
        s.run(tf.Print(c, [c], message="held: ").op)
    assert 'held: [type_name: "int"' in capsys.readouterr().err


def test_scalars_are_not_joined_along_an_unknown_axis():
    with (
        tf.Graph().as_default(),
        pytest.raises(ValueError, match="Can't concatenate scalars \\(use tf.stack instead\\)"),
    ):
        tf.concat([tf.constant(1), tf.constant(2)], tf.placeholder(tf.int32))
