"""The seeds' own code blocks, as they stand on the slides, with the results of TensorFlow 0.12."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from oracle.seed_blocks import BLOCKS, told

import thalweg as tf

RECORDED = json.loads((Path(__file__).parent / "golden" / "seeds-0.12.json").read_text())
# The text of a tensor differs between 0.12 and 1.15 in nothing; paths of floats do, after hundreds of steps.
TOLERANCE = {
    "linear_regression": 1e-4,
    "mini_batching": 1e-3,
    "deep_mnist": 1e-4,
    "basic_mnist": 1e-4,
    "rnn_by_hand": 1e-4,
    "rnn_with_a_cell": 1e-4,
}


def same(got, expected, rtol):
    assert type(got) is type(expected)
    if isinstance(expected, list):
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            same(g, e, rtol)
    elif isinstance(expected, float):
        assert got == pytest.approx(expected, rel=rtol, abs=rtol / 10)
    else:
        assert got == expected


@pytest.mark.parametrize("name", BLOCKS)
def test_block(name):
    with tf.Graph().as_default():
        got = told(BLOCKS[name](tf, np))
    same(got, RECORDED[name], TOLERANCE.get(name, 1e-5))
