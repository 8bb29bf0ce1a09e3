"""Optimizers, averages, clipping and schedules against TensorFlow 1.15: names, and values over 20 steps."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle.training_programs import PROGRAMS

import thalweg as tf

GOLDEN = Path(__file__).parents[1] / "golden" / "training-1.15.json.gz"
RECORDED = json.loads(gzip.decompress(GOLDEN.read_bytes()))


def same(got, expected):
    if isinstance(expected, list):
        assert isinstance(got, list | tuple)
        assert len(got) == len(expected), (got, expected)
        for g, e in zip(got, expected, strict=True):
            same(g, e)
    elif isinstance(expected, float):
        assert got == pytest.approx(expected, rel=2e-4, abs=1e-5, nan_ok=True)
    else:
        assert got == expected


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_program(name):
    with tf.Graph().as_default():
        same(PROGRAMS[name](tf, np), RECORDED[name])
