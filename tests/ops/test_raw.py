"""tf.raw_ops: ops by the names of their types, by keywords alone."""

import csv
import gzip
import inspect
import json
from pathlib import Path

import pytest

import thalweg as tf
from thalweg._src.core.opdef import OPS

REGISTRY = json.loads(gzip.decompress((Path(__file__).parents[1] / "golden" / "opdefs.json.gz").read_bytes()))
SIGNATURES = Path(__file__).parents[3] / "shared" / "api" / "signatures-1.15.tsv"


def test_every_op_is_there():
    with tf.Session() as sess:
        for name in dir(tf.raw_ops):
            assert name in REGISTRY
            assert callable(getattr(tf.raw_ops, name))
        values = sess.run(tf.raw_ops.Sum(input=[[1.0, 2.0], [3.0, 4.0]], axis=0, keep_dims=True))
    assert values.tolist() == [[4.0, 6.0]]
    assert "_Arg" in OPS
    assert not hasattr(tf.raw_ops, "_Arg")
    assert not hasattr(tf.raw_ops, "NoSuchOp")


def test_results_are_the_ops_own():
    with tf.Graph().as_default():
        top = tf.raw_ops.TopKV2(input=[1.0, 3.0], k=1, sorted=None)
        assert top._fields == ("values", "indices")
        assert top.values.op.get_attr("sorted")
        assert tf.raw_ops.NoOp(name="nothing").name == "nothing"
        assert [t.name for t in tf.raw_ops.Unpack(value=[1, 2], num=2)] == ["Unpack:0", "Unpack:1"]
        chosen = tf.raw_ops.Select(condition=True, x=[1], y=[2])
        assert list(chosen.op.inputs)[1].op.name == "Select/t"
    with tf.Session() as sess:
        assert sess.run(tf.raw_ops.Where(condition=[False, True])).tolist() == [[1]]
        assert [v.tolist() for v in sess.run(tf.raw_ops.Split(axis=0, value=[1, 2], num_split=2))] == [[1], [2]]


def test_arguments():
    with pytest.raises(TypeError, match=r"Add only takes keyword args \(possible keys: \['x', 'y', 'name'\]\)"):
        tf.raw_ops.Add(1, 2)
    with pytest.raises(TypeError, match="missing a required"):
        tf.raw_ops.Add(x=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        tf.raw_ops.Add(x=1, y=2, z=3)


@pytest.mark.skipif(not SIGNATURES.exists(), reason="the signatures of TensorFlow 1.15 do not lie beside the checkout")
def test_arguments_are_named_as_in_tensorflow():
    with open(SIGNATURES, encoding="utf-8", newline="") as f:
        rows = [row for row in csv.DictReader(f, delimiter="\t") if row["symbol"].startswith("raw_ops.")]
    there = {row["symbol"][8:]: row["argspec"] for row in rows}
    assert set(dir(tf.raw_ops)) <= set(there)
    for name in dir(tf.raw_ops):
        for parameter in inspect.signature(getattr(tf.raw_ops, name)).parameters.values():
            written = parameter.name + ("," if parameter.default is parameter.empty else "=")
            assert written in there[name].replace(")", ",").replace(" ", ""), (name, parameter)
