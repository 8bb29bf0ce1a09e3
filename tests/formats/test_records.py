"""TFRecord files: TensorFlow's own, round trips, and every way to damage one."""

import io
import pathlib
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg._src.formats.crc import masked, unmask, value
from thalweg._src.formats.errors import DataLoss
from thalweg._src.formats.records import RecordReader, RecordWriter, frame

GOLDEN = pathlib.Path(__file__).parent / "golden"
RECORDS = [b"", b"a", b"two\x00\xff", b"x" * 300]  # what record_records.py wrote
KINDS = ("", "GZIP", "ZLIB")


def written(records, compression="", **kwargs):
    stream = io.BytesIO()
    writer = RecordWriter(stream, compression=compression, **kwargs)
    for record in records:
        writer.write(record)
    writer.close()
    return stream.getvalue()


@pytest.mark.parametrize(("name", "compression"), [("plain", ""), ("gzip", "GZIP"), ("zlib", "ZLIB")])
def test_tensorflows_files_are_read(name, compression):
    with (GOLDEN / f"records-{name}.tfrecord").open("rb") as stream:
        assert list(RecordReader(stream, compression=compression)) == RECORDS


@pytest.mark.parametrize(("name", "compression"), [("plain", ""), ("zlib", "ZLIB")])
def test_our_files_are_tensorflows(name, compression):
    theirs = (GOLDEN / f"records-{name}.tfrecord").read_bytes()
    ours = written(RECORDS, compression, memory_level=9)
    assert zlib.decompress(ours) == zlib.decompress(theirs) if compression else ours == theirs


@given(st.binary())
def test_the_mask_comes_off(data):
    assert unmask(masked(data)) == value(data)


@given(st.lists(st.binary(max_size=100), max_size=20), st.sampled_from(KINDS), st.integers(1, 64), st.integers(1, 7))
def test_records_return(records, compression, block, many):
    stream = io.BytesIO(written(records, compression))
    reader = RecordReader(stream, compression=compression, block=block)
    out = []
    while batch := reader.read_many(many):
        assert len(batch) <= many
        out += batch
    assert out == records
    assert reader.offset == sum(16 + len(r) for r in records)
    assert reader.read() is None


def test_the_offset_is_that_of_the_next_record():
    reader = RecordReader(io.BytesIO(written(RECORDS)))
    at = []
    while reader.read() is not None:
        at.append(reader.offset)
    assert at == [16, 33, 54, 370]


@pytest.mark.parametrize("cut", range(len(frame(b"abc")) * 2))
def test_a_file_cut_anywhere_gives_what_is_whole(cut):
    data = written([b"abc", b"def"])
    size = len(frame(b"abc"))
    reader = RecordReader(io.BytesIO(data[:cut]))
    if cut >= size:
        assert reader.read_many(5) == [b"abc"]
    if cut % size == 0:
        assert reader.read() is None
        return
    for _ in range(2):  # the same, as often as it is read
        with pytest.raises(DataLoss, match="truncated record") as caught:
            reader.read()
        assert cut // size * size <= caught.value.offset <= cut


@pytest.mark.parametrize("compression", ["GZIP", "ZLIB"])
def test_a_compressed_file_cut_anywhere_is_told(compression):
    data = written(RECORDS, compression)
    for cut in range(1, len(data)):
        with pytest.raises(DataLoss):
            list(RecordReader(io.BytesIO(data[:cut]), compression=compression))


@pytest.mark.parametrize("bit", range(len(frame(b"abc")) * 8))
def test_a_changed_bit_is_found(bit):
    data = bytearray(written([b"abc", b"def"]))
    start = len(frame(b"abc"))
    data[start + bit // 8] ^= 1 << bit % 8
    reader = RecordReader(io.BytesIO(bytes(data)))
    assert reader.read() == b"abc"
    with pytest.raises(DataLoss, match="corrupted record") as caught:
        reader.read()
    assert caught.value.offset == (start if bit < 96 else start + 12)


def test_a_changed_bit_in_a_compressed_file_is_found():
    good = written(RECORDS, "ZLIB")
    for bit in range(len(good) * 8):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        try:
            assert list(RecordReader(io.BytesIO(bytes(data)), compression="ZLIB")) == RECORDS
        except DataLoss:
            continue


def test_unchecked_reading_skips_the_data_but_not_the_lengths():
    data = bytearray(written([b"abc"]))
    data[12] ^= 1
    assert RecordReader(io.BytesIO(bytes(data)), check=False).read() == b"`bc"
    data[0] ^= 1
    with pytest.raises(DataLoss, match="the length does not match"):
        RecordReader(io.BytesIO(bytes(data)), check=False).read()


def test_a_huge_length_does_not_ask_for_memory():
    length = (1 << 31).to_bytes(8, "little")
    data = length + masked(length).to_bytes(4, "little") + b"short"
    with pytest.raises(DataLoss, match="truncated record at 12"):
        RecordReader(io.BytesIO(data)).read()


def test_a_record_that_arrives_in_parts_is_read_when_whole():
    class Growing(io.BytesIO):
        def grow(self, data):
            at = self.tell()
            self.seek(0, io.SEEK_END)
            self.write(data)
            self.seek(at)

    data = written([b"abc", b"defg"])
    stream = Growing(data[:30])
    reader = RecordReader(stream)
    assert reader.read() == b"abc"
    with pytest.raises(DataLoss):
        reader.read()
    stream.grow(data[30:])
    assert reader.read() == b"defg"
    assert reader.read() is None


def test_flushed_records_can_be_read_before_the_end():
    for compression in KINDS:
        stream = io.BytesIO()
        writer = RecordWriter(stream, compression=compression)
        writer.write(b"abc")
        writer.flush()
        reader = RecordReader(io.BytesIO(stream.getvalue()), compression=compression)
        assert reader.read() == b"abc"


def test_members_of_a_gzip_file_follow_each_other():
    data = written([b"abc"], "GZIP") + written([b"def"], "GZIP")
    assert list(RecordReader(io.BytesIO(data), compression="GZIP")) == [b"abc", b"def"]


@settings(max_examples=30)
@given(st.binary(max_size=64), st.sampled_from(KINDS))
def test_noise_is_never_a_record(noise, compression):
    try:
        records = list(RecordReader(io.BytesIO(noise), compression=compression))
    except DataLoss:
        return
    assert b"".join(map(frame, records)) == noise or compression


def test_misuse_is_told():
    with pytest.raises(ValueError, match="Unknown compression 'SNAPPY'"):
        RecordReader(io.BytesIO(), compression="SNAPPY")
    writer = RecordWriter(io.BytesIO())
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"")
    with pytest.raises(ValueError, match="closed"):
        writer.flush()


def test_the_error_names_its_source():
    with pytest.raises(DataLoss, match=r"^a\.tfrecord: truncated record at 0"):
        RecordReader(io.BytesIO(b"123"), source="a.tfrecord").read()
