"""Sorting as Python 2 wrote it, in a program under `thalweg run --py2`."""

import numpy as np
import pytest

from thalweg._src.compat import python2

pytest.importorskip("fissix")

PROGRAM = """
def falling(a, b): return b - a
one = [1, 3, 2]; one.sort(falling)
two = sorted([1, 3, 2], falling)
three = sorted([1, -3, 2], falling, abs)
four = sorted([1, 3, 2], cmp=falling, reverse=True)
five = [1, 3, 2]; five.sort(cmp=falling)
six = np.sort(np.array([3.0, 1.0]))
seven = np.sort(np.array([[3, 1], [2, 0]]), 0)
eight = [3, 1]; eight.sort(key=abs)
nine = np.array([3, 1]); nine.sort(0)
ten = sorted([3, 1], key=lambda x: -x)
"""


@pytest.fixture
def mending():
    python2.turn_on()
    yield
    python2.turn_off()


def test_lists_take_a_function_that_compares_and_arrays_an_axis(mending):
    found = {"np": np}
    exec(compile(python2.parsed(PROGRAM, "program.py"), "program.py", "exec"), found)
    assert [found[n] for n in ("one", "two", "three", "four", "five")] == [
        [3, 2, 1],
        [3, 2, 1],
        [-3, 2, 1],
        [1, 2, 3],
        [3, 2, 1],
    ]
    assert [found[n].tolist() for n in ("six", "seven", "nine")] == [[1.0, 3.0], [[2, 0], [3, 1]], [1, 3]]
    assert (found["eight"], found["ten"]) == ([1, 3], [3, 1])
