"""The elements of datasets, in order, random numbers included, against those of TensorFlow 1.15."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle.data_walks import walked, walks

import thalweg as tf

RECORDED = json.loads((Path(__file__).parents[1] / "golden" / "data-walks.json").read_text())


@pytest.mark.parametrize("name", sorted(walks(tf)))
def test_elements_are_tensorflows(name):
    got = walked(tf, walks(tf)[name])
    for mine, theirs in zip(got, RECORDED[name], strict=True):
        assert len(mine) == len(theirs), (mine, theirs)
        for a, b in zip(mine, theirs, strict=True):
            if isinstance(b, str):
                assert a == b
            else:
                np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-7)
