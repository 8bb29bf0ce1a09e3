"""LMDB databases: one that the lmdb package wrote (golden/record_lmdb.py), and every way to damage it."""

import gzip
import io
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg._src.formats.errors import DataLoss, FormatError, Unimplemented
from thalweg._src.formats.lmdb import entries

DATA = gzip.decompress((pathlib.Path(__file__).parent / "golden" / "database.mdb.gz").read_bytes())
PAIRS = [(b"%04d" % i, b"ab" * (i % 50)) for i in range(400)] + [(b"long", bytes(range(256)) * 40)]


def read(data):
    return list(entries(io.BytesIO(data), source="a.mdb"))


def test_what_was_written_is_read():
    assert read(DATA) == PAIRS


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(DATA) - 1))
def test_a_file_that_was_cut_is_refused_unless_nothing_is_missing(size):
    """The pages at its end may be free ones."""
    try:
        found = read(DATA[:size])
    except DataLoss:
        with pytest.raises(DataLoss, match="a.mdb: damaged database at"):
            read(DATA[:size])
    else:
        assert found == PAIRS


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_a_changed_byte_leaves_a_database_or_an_error(at, change):
    data = bytearray(DATA)
    data[at] ^= change
    try:
        found = read(bytes(data))
    except FormatError:
        return
    assert len(found) in (0, len(PAIRS))  # none: the meta page that is left is that of the empty database


def test_other_machines_and_versions():
    with pytest.raises(Unimplemented, match="version 2"):
        read(DATA[:20] + b"\2" + DATA[21:])
    with pytest.raises(Unimplemented, match="32 bits"):
        read(DATA[4:])
