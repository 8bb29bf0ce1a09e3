"""Messages between the tasks of a cluster: what goes in comes out, and what is damaged is refused."""

import ml_dtypes
import numpy as np
import pytest

from thalweg._src.formats.errors import DataLoss
from thalweg._src.formats.frames import pack, unpack

ITEMS = [
    np.arange(6, dtype=np.int64).reshape(2, 3),
    np.array(1.5, ml_dtypes.bfloat16),
    np.zeros((0, 3), np.float32),
    np.array([True, False]),
    np.array([[b"a"], [b""]], object),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    b"bytes",
]


def test_what_goes_in_comes_out():
    facts, items = unpack(pack({"part": "ü", "feeds": ["a"]}, ITEMS))
    assert facts == {"part": "ü", "feeds": ["a"]}
    for given, found in zip(ITEMS, items, strict=True):
        if isinstance(given, bytes):
            assert found == given
        else:
            assert (found.dtype, found.shape) == (given.dtype, given.shape)
            assert found.tolist() == given.tolist()


def test_only_numbers_and_strings_travel():
    with pytest.raises(TypeError, match="numbers and strings"):
        pack({}, [np.array([object()])])


@pytest.mark.parametrize("damage", [lambda f: f[:-3], lambda f: f + b"x", lambda f: f[:5], lambda f: b"\xff" * len(f)])
def test_damaged_frames_are_refused(damage):
    with pytest.raises(DataLoss):
        unpack(damage(pack({"a": 1}, ITEMS)))
