"""Recurrent networks against TensorFlow 1.15: cells, ways to run them, decoders, and losses over 50 steps of training."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle.recurrent_programs import PROGRAMS, TRACES

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
    with tf.Graph().as_default():
        got = PROGRAMS[name](tf, np)
    if name in TRACES:
        assert got[-1] < got[0]
        same(got, RECORDED[name], 1e-4, 0)
    else:
        same(got, RECORDED[name], 1e-3, 1e-4)
