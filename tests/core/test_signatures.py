"""Ops of TensorFlow that thalweg has no kernel for: graphs hold them, runs refuse them."""

import gzip
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle.opdef_facts import facts

import thalweg as tf
from thalweg._src.core import graphdef, signatures

REGISTRY = json.loads(gzip.decompress((Path(__file__).parents[1] / "golden" / "opdefs.json.gz").read_bytes()))


def test_every_op_of_the_library_is_known():
    unknown = [n for n, f in REGISTRY.items() if signatures.find_op(n) is None and "contrib" not in f and n[0] != "_"]
    assert not unknown
    assert signatures.find_op("NoSuchOp") is None


def test_signatures_are_the_recorded_ones():
    for name, fact in signatures._recorded().items():
        ours = facts(graphdef.op_def(signatures.find_op(name)))
        assert (ours["in"], ours["out"]) == (fact["in"], fact["out"]), name
        assert [a[:2] for a in sorted(ours["attr"])] == [a[:2] for a in sorted(fact["attr"])], name
        assert ("s" in ours.get("flags", "")) == ("s" in fact.get("flags", "")), name


def test_a_graph_holds_them_and_what_needs_none_runs():
    with tf.Graph().as_default() as graph:
        fed = graph.create_op("InfeedDequeue", [], [tf.float32], attrs={"dtype": tf.float32, "shape": [2]})
        tiled = graph.create_op("TPUReplicatedInput", [fed.outputs[0]] * 2, [tf.float32])
        rest = tiled.outputs[0] * 2.0
    assert (fed.outputs[0].dtype, tiled.get_attr("N"), tiled.outputs[0].shape.ndims) == (tf.float32, 2, None)
    with tf.Graph().as_default(), tf.Session() as session:
        ends = [tiled.outputs[0].name, rest.name]
        middle, doubled = tf.import_graph_def(graph.as_graph_def(), return_elements=ends)
        assert session.run(doubled, {middle: [1.0, 2.0]}).tolist() == [2.0, 4.0]
        with pytest.raises(
            tf.errors.InvalidArgumentError, match="No OpKernel was registered to support Op 'InfeedDequeue'"
        ):
            session.run(doubled)


def test_what_a_later_graph_may_not_hold():
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 2, 2])
        graph.create_op("BatchCholesky", [x], [tf.float32])
        old, new = graph.as_graph_def(), graph.as_graph_def()
    old.versions.producer = 12
    with tf.Graph().as_default():
        tf.import_graph_def(old)
        with pytest.raises(
            ValueError, match="BatchCholesky is not available in GraphDef version .* removed in version 13"
        ):
            tf.import_graph_def(new)
