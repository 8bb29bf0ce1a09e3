"""Recurrent networks against TensorFlow 1.15: cells, ways to run them, decoders, and losses over 50 steps of training."""

import copy
import gzip
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle.recurrent_programs import TRACES
from oracle.sequence_programs import ALWAYS, FIRST, PROGRAMS

import thalweg as tf

GOLDEN = Path(__file__).parents[1] / "golden" / "recurrent-1.15.json.gz"
RECORDED = json.loads(gzip.decompress(GOLDEN.read_bytes()))


def same(got, expected, rtol, atol):
    if isinstance(expected, list):
        assert isinstance(got, list | tuple)
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            same(g, e, rtol, atol)
    elif isinstance(expected, float):
        assert got == pytest.approx(expected, rel=rtol, abs=atol)
    else:
        assert got == expected


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_program(name):
    if name not in FIRST | ALWAYS and not os.environ.get("THALWEG_SLOW"):
        pytest.skip("takes two minutes with its like: THALWEG_SLOW=1")
    with tf.Graph().as_default():
        got = PROGRAMS[name](tf, np)
    if name in TRACES:
        assert got[-1] < got[0]
        same(got, RECORDED[name], 1e-4, 0)
    else:
        same(got, RECORDED[name], 1e-3, 1e-4)


def test_buckets_go_through_one_cell():
    """The encoder takes a copy of the decoder's cell; for the second bucket both find the variables of the first."""
    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(4) for _ in range(2)])
    ids = [tf.placeholder(tf.int32, [None]) for _ in range(3)]
    weights = [tf.placeholder(tf.float32, [None]) for _ in range(3)]

    def model(encoder, decoder):
        return tf.contrib.legacy_seq2seq.embedding_attention_seq2seq(encoder, decoder, cell, 5, 6, 4)

    model_with_buckets = tf.contrib.legacy_seq2seq.model_with_buckets
    _, (loss, longer) = model_with_buckets(ids, ids, ids, weights, [(2, 2), (3, 3)], model)
    found = tf.trainable_variables()
    gates = [v.name for v in found if "gates/kernel" in v.name]
    assert len(gates) == 4, gates
    assert [g is not None for g in tf.gradients(longer, found)] == [g is not None for g in tf.gradients(loss, found)]
    cell(tf.zeros([1, 4]), cell.zero_state(1, tf.float32), scope="again")
    assert not copy.deepcopy(cell).built
