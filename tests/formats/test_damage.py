"""Damaged and truncated records and pictures: an error that says where, or a choice to pass over them; never a wrong value."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import thalweg as tf
from thalweg._src.formats import bmp, gif, pictures, png, wav
from thalweg._src.formats.errors import DataLoss, FormatError
from thalweg._src.formats.limits import TooLarge, limits
from thalweg._src.formats.records import RecordReader, frame

RECORDS = [b"first", b"", b"x" * 200, b"last"]
FILE = b"".join(map(frame, RECORDS))
PIXELS = np.random.RandomState(1).randint(0, 256, (9, 7, 3), np.uint8)
PNG = png.write_png(PIXELS)
DEEP = png.write_png(PIXELS.astype(np.uint16) * 257)
JPEG = pictures.write_jpeg(PIXELS)

quick = settings(max_examples=120, deadline=None)


def changed(data, at, change):
    out = bytearray(data)
    out[at % len(out)] ^= change
    return bytes(out)


def read_until_damaged(data):
    found = []
    reader = RecordReader(io.BytesIO(data), source="a.tfrecord")
    try:
        found.extend(reader)
    except DataLoss as error:
        damage = error
    else:
        return found, None
    assert "a.tfrecord" in str(damage)
    assert str(damage.offset) in str(damage)
    return found, damage.offset


@quick
@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_a_changed_byte_of_a_record_file_is_found(at, change):
    found, offset = read_until_damaged(changed(FILE, at, change))
    begins = np.cumsum([0, *(16 + len(r) for r in RECORDS)])
    damaged = int(np.searchsorted(begins, at, "right")) - 1
    assert found == RECORDS[:damaged]
    assert offset in (begins[damaged], begins[damaged] + 12)


@quick
@given(st.integers(0, len(FILE)))
def test_a_cut_record_file_gives_whole_records(size):
    found, offset = read_until_damaged(FILE[:size])
    assert found == RECORDS[: len(found)]
    assert (offset is None) == (size == sum(16 + len(r) for r in found))


@pytest.mark.parametrize("data", [PNG, DEEP], ids=["8 bits", "16 bits"])
@quick
@given(where=st.integers(0, 10**6), change=st.integers(1, 255))
def test_a_changed_byte_of_a_png_is_found(data, where, change):
    try:
        found = pictures.read_png(changed(data, where, change))
    except FormatError:
        return
    np.testing.assert_array_equal(found, PIXELS)


@pytest.mark.parametrize("data", [PNG, DEEP], ids=["8 bits", "16 bits"])
@quick
@given(where=st.integers(0, 10**6))
def test_a_cut_png_is_refused(data, where):
    with pytest.raises(DataLoss, match="PNG"):
        pictures.read_png(data[: where % len(data)])


@quick
@given(st.integers(0, len(JPEG) - 1), st.integers(0, 255))
def test_a_damaged_jpeg_gives_a_picture_or_an_error(at, change):
    """JPEG has no checksums: what a changed byte makes of the pixels can't be known. A cut one is refused."""
    try:
        assert pictures.read_jpeg(changed(JPEG, at, change)).dtype == np.uint8
    except FormatError:
        pass
    if at < len(JPEG) - 2:  # without the two bytes that say "end", all the pixels are there
        with pytest.raises(DataLoss, match="JPEG"):
            pictures.read_jpeg(JPEG[:at])


def encoded(kind):
    """A GIF of two pictures, or a BMP."""
    out = io.BytesIO()
    first, *others = [Image.fromarray(x) for x in ((PIXELS, PIXELS[::-1]) if kind == "GIF" else (PIXELS,))]
    first.save(out, kind, **({"save_all": True, "append_images": others} if others else {}))
    return out.getvalue()


WHOLE = {
    "GIF": (encoded("GIF"), gif.read_gif),
    "BMP": (encoded("BMP"), bmp.read_bmp),
    "WAV": (wav.write_wav(np.linspace(-1, 1, 40, dtype=np.float32).reshape(20, 2), 8000), wav.read_wav),
}


@pytest.mark.parametrize("kind", WHOLE)
@quick
@given(size=st.integers(0, 10**6), changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=3))
def test_damage_without_checksums_gives_numbers_or_an_error(kind, size, changes):
    """What a changed byte makes of the numbers can't be known, but nothing else than a FormatError is raised."""
    data, read = WHOLE[kind]
    for at, change in changes:
        data = changed(data, at, change)
    try:
        read(data[: size % len(data)] if size % 3 else data)
    except FormatError:
        return


def test_the_error_names_the_file_and_a_dataset_may_pass_over_it(tmp_path):
    names = [str(tmp_path / f"{i}.png") for i in range(3)]
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(PNG if i != 1 else PNG[:-20])
    dataset = tf.data.Dataset.from_tensor_slices(names).map(lambda n: tf.image.decode_png(tf.read_file(n)))
    strict = dataset.make_one_shot_iterator().get_next()
    lenient = dataset.apply(tf.data.experimental.ignore_errors()).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        session.run(strict)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"1\.png: Invalid PNG data.*chunk at \d+"):
            session.run(strict)
        np.testing.assert_array_equal(session.run(strict), PIXELS)
        for _ in range(2):
            np.testing.assert_array_equal(session.run(lenient), PIXELS)
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(lenient)


def test_limits_are_settable(monkeypatch):
    monkeypatch.setattr(limits, "record_bytes", 100)
    reader = RecordReader(io.BytesIO(FILE), source="a.tfrecord")
    assert reader.read_many(10) == RECORDS[:2]
    with pytest.raises(TooLarge, match=r"a.tfrecord: the record at 37 has 200 bytes.*THALWEG_RECORD_BYTES"):
        reader.read()
    monkeypatch.setattr(limits, "picture_pixels", 62)
    for read, data in ((pictures.read_png, PNG), (pictures.read_png, DEEP), (pictures.read_jpeg, JPEG)):
        with pytest.raises(TooLarge, match="more than the limit of 62"):
            read(data)
    with pytest.raises(TooLarge, match="1 x 700 x 900"):
        gif.read_gif(b"GIF89a" + bytes(7) + b"\x2c" + bytes(4) + b"\x84\x03\xbc\x02" + bytes(9))
    with tf.Session() as session, pytest.raises(tf.errors.ResourceExhaustedError, match=r"tf\.limits"):
        session.run(tf.image.decode_png(PNG))
