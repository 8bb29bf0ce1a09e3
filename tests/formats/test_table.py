"""Sorted tables: round trips, blocks, every way to damage one. test_checkpoints.py compares with TensorFlow's."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg._src.formats.errors import DataLoss, Unimplemented
from thalweg._src.formats.table import BLOCK_SIZE, FOOTER, TableReader, TableWriter, _separator, _successor


def written(entries):
    stream = io.BytesIO()
    table = TableWriter(stream)
    for key, value in entries:
        table.add(key, value)
    table.finish()
    return stream.getvalue()


def read(data):
    return [(key, bytes(value)) for key, value in TableReader(io.BytesIO(data))]


@given(st.dictionaries(st.binary(max_size=12), st.binary(max_size=40), max_size=60))
def test_entries_return(entries):
    entries = sorted(entries.items())
    data = written(entries)
    assert read(data) == entries
    table = TableReader(io.BytesIO(data))
    for key, value in entries:
        assert table.get(key) == value
        assert (key + b"\0" in dict(entries)) == (table.get(key + b"\0") is not None)


def test_many_blocks_are_found_by_their_index():
    entries = [(b"key%05d" % i, bytes([i % 256]) * (1000 + i)) for i in range(600)]
    data = written(entries)
    assert len(data) > 2 * BLOCK_SIZE
    table = TableReader(io.BytesIO(data))
    for i in (0, 1, 300, 599, 5):
        assert table.get(entries[i][0]) == entries[i][1]
    assert table.get(b"") is None
    assert table.get(b"key00300a") is None
    assert table.get(b"zzz") is None
    assert read(data) == entries


def test_a_large_value_has_a_block_of_its_own():
    entries = [(b"a", b"1"), (b"b", b"2" * (2 * BLOCK_SIZE)), (b"c", b"3")]
    assert read(written(entries)) == entries


@given(st.binary(max_size=6), st.binary(max_size=6))
def test_index_keys_part_the_blocks(a, b):
    if a != b:
        low, high = sorted((a, b))
        assert low <= _separator(low, high) < high
    assert _successor(a) >= a


def test_keys_must_come_in_order():
    table = TableWriter(io.BytesIO())
    table.add(b"b", b"")
    for key in (b"b", b"a"):
        with pytest.raises(ValueError, match="does not come after"):
            table.add(key, b"")


ENTRIES = [(b"", b"meta"), (b"alpha", b"1"), (b"alphabet", b"22"), (b"beta", b"")]


def test_a_table_cut_anywhere_is_told():
    data = written(ENTRIES)
    for cut in range(len(data)):
        with pytest.raises(DataLoss):
            read(data[:cut])


def test_a_changed_bit_is_found_or_harmless():
    good = written(ENTRIES)
    for bit in range(len(good) * 8):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        try:
            found = read(bytes(data))
        except DataLoss:
            continue
        # Nothing guards the zeros of the footer, and nothing reads them.
        assert found == ENTRIES
        assert bit >= 8 * (len(good) - FOOTER)


def test_a_compressed_block_is_told():
    data = bytearray(written(ENTRIES))
    size = data.index(b"beta") + 4 + 8
    assert data[size] == 0
    data[size] = 1
    from thalweg._src.formats.crc import masked

    data[size + 1 : size + 5] = masked(bytes(data[: size + 1])).to_bytes(4, "little")
    with pytest.raises(Unimplemented, match="snappy"):
        read(bytes(data))


def test_other_files_are_told():
    with pytest.raises(DataLoss, match="too short to be an sstable"):
        read(b"short")
    with pytest.raises(DataLoss, match=r"^x\.ckpt: not an sstable \(bad magic number\)"):
        TableReader(io.BytesIO(b"?" * 100), source="x.ckpt")
