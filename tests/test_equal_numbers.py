"""Public programs give TensorFlow 1.15's losses over their first 20 training steps, from the same seeds.

THALWEG_PROGRAMS names a folder with `run.py` (the runner), `clones` and `base`; without it the programs are not there, and only what
compares them is tested. docs/programs.md has the results.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.programs import followed, largest_difference, milliseconds

ROOT = Path(__file__).parents[1]
GOLDEN = json.loads((ROOT / "tests" / "golden" / "programs-1.15.json").read_text())
PROGRAMS = os.environ.get("THALWEG_PROGRAMS")


def test_difference_is_the_largest_and_needs_the_same_form():
    assert largest_difference([[0, [2.0]], [1, [4.0, 1.0]]], [[0, [2.0]], [1, [4.0, 1.1]]]) == pytest.approx(0.1)
    assert largest_difference([[0, [2.0]]], [[1, [2.0]]]) == float("inf")
    assert largest_difference([], []) == float("inf")


def test_cost_is_the_median_of_the_second_half():
    assert milliseconds([[9.0, 5.0], [9.0, 5.0], [9.0, 0.001], [9.0, 0.003], [9.0, 0.002], [9.0, 0.002]]) == 2.0


def test_ten_programs_are_recorded():
    assert len(GOLDEN) >= 10
    assert all(len(trace) >= 10 for trace in GOLDEN.values())


@pytest.mark.skipif(not PROGRAMS, reason="THALWEG_PROGRAMS names no folder of programs")
@pytest.mark.parametrize("program", sorted(GOLDEN))
def test_losses_are_tensorflows(program, tmp_path):
    home = Path(PROGRAMS)
    settings = argparse.Namespace(
        runner=home / "run.py", clones=home / "clones", steps=21, seeds="numbered", timeout=300
    )
    command = f"env PYTHONPATH={ROOT}{os.pathsep}$PYTHONPATH {sys.executable} -m thalweg run"
    found = followed(program, command, home / "base", settings)
    assert found is not None
    steps = GOLDEN[program]
    assert largest_difference(steps, found["trace"][: len(steps)]) < 1e-3
