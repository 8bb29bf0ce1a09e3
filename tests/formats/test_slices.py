"""Slices of partitioned tensors."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg._src.formats import slices
from thalweg._src.formats.errors import InvalidArgument
from thalweg._src.formats.slices import FULL, assemble, parse_shape_and_slice, slice_key


def test_a_specification_is_read():
    assert parse_shape_and_slice("4 3 0,2:-") == ((4, 3), ((0, 2), FULL), (2, 3))
    assert slices.slice_text(((0, 2), FULL)) == "0,2:-"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("-", "at least|least two"),
        ("4 x -:-", "Non numerical"),
        ("4 0,2,1", "Expected a pair"),
        ("4 a", "Expected a pair"),
        ("4 -1,2", "non-negative start"),
        ("4 0,0", "positive length"),
        ("4 3,2", "out of bounds"),
        ("4 4 0,2", "Mismatching ranks"),
    ],
)
def test_a_bad_specification_is_told(text, told):
    with pytest.raises(InvalidArgument, match=told):
        parse_shape_and_slice(text)


def test_keys_are_ordered_codes():
    # As the index of golden/v2-1.15.ckpt has them.
    assert slice_key("part/v/part_0", ((0, 2), FULL)) == b"\x00part/v/part_0\x00\x01\x01\x02\x80\x82\x80\x7f"
    assert slice_key("s", ()) == b"\x00s\x00\x01\x00"
    assert slice_key("n\0n", ()) == b"\x00n\x00\xffn\x00\x01\x00"


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_codes_sort_as_their_numbers_do(a, b):
    assert (a < b) == (slices._signed(a) < slices._signed(b))


@pytest.mark.parametrize(
    ("n", "code"),
    [
        (0, "80"),
        (63, "bf"),
        (64, "c040"),
        (-1, "7f"),
        (-64, "40"),
        (-65, "3fbf"),
        (0x424242, "f0424242"),
        (-2048, "3800"),
    ],
)
def test_codes_are_those_of_the_format(n, code):
    assert slices._signed(n).hex() == code


@st.composite
def partitions(draw):
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    axis = draw(st.integers(0, len(shape) - 1))
    cuts = sorted(draw(st.sets(st.integers(1, 4).filter(lambda n: n < shape[axis]))) if shape[axis] > 1 else [])
    edges = [0, *cuts, shape[axis]]
    parts = []
    for a, b in itertools.pairwise(edges):
        part = [FULL] * len(shape)
        part[axis] = (a, b - a)
        parts.append(tuple(part))
    wanted = []
    for size in shape:
        start = draw(st.integers(0, size - 1))
        wanted.append(draw(st.sampled_from([FULL, (start, draw(st.integers(1, size - start)))])))
    return tuple(shape), parts, tuple(wanted)


def cut(array, part):
    return array[tuple(slice(None) if p == FULL else slice(p[0], p[0] + p[1]) for p in part)]


@given(partitions())
def test_any_slice_is_assembled_from_any_partition(case):
    shape, parts, wanted = case
    whole = np.arange(np.prod(shape)).reshape(shape)
    result = assemble("v", shape, wanted, parts, whole.dtype, lambda part: cut(whole, part))
    assert np.array_equal(result, cut(whole, wanted))


def test_missing_and_overlapping_slices_are_told():
    def zeros(part):
        return np.zeros(slices.slice_shape(part, (4,)))

    with pytest.raises(InvalidArgument, match="Does not have sufficient slices for partitioned tensor v"):
        assemble("v", (4,), (FULL,), [((0, 2),)], np.dtype(float), zeros)
    with pytest.raises(InvalidArgument, match="Overlapping"):
        assemble("v", (4,), (FULL,), [((0, 2),), ((1, 2),)], np.dtype(float), zeros)
