"""Random numbers of every form are TensorFlow 1.15's, in the first run and in the hundredth.

Recorded by tests/oracle/record_streams.py.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle.stream_programs import RUNS, as_numbers, numbers

import thalweg as tf

pytestmark = pytest.mark.skipif(not os.environ.get("THALWEG_SLOW"), reason="takes half a minute: THALWEG_SLOW=1")
GOLDEN = Path(__file__).parents[1] / "golden" / "streams-1.15.npz"


@pytest.fixture(scope="module")
def runs():
    with tf.Graph().as_default(), tf.Session() as session:
        made = numbers(tf)
        tensors = {name: tensor for name, (tensor, _) in made.items()}
        found = [session.run(tensors) for _ in range(RUNS)]
    return {name: exact for name, (_, exact) in made.items()}, found


@pytest.mark.parametrize("at", [0, RUNS - 1])
def test_numbers(runs, at):
    exact, found = runs
    with np.load(GOLDEN) as recorded:
        assert {f"{name}/{i}" for name in exact for i in (0, RUNS - 1)} == set(recorded.files)
        for name, equal in exact.items():
            got, expected = as_numbers(found[at][name]), recorded[f"{name}/{at}"]
            assert got.dtype == expected.dtype, name
            if equal:
                np.testing.assert_array_equal(got, expected, err_msg=name)
            else:  # what goes through a logarithm or a sine may differ in the last digits
                digits = 1e-2 if "bfloat16" in name else {2: 2e-3, 4: 3e-6, 8: 1e-12}[got.dtype.itemsize]
                np.testing.assert_allclose(got, expected, rtol=digits, atol=digits, err_msg=name)
