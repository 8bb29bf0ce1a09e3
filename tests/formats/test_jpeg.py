"""JPEGs decoded by libjpeg-turbo: TensorFlow's bytes, for each cosine transform and way to enlarge colours."""

import base64
import zlib

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.formats import jpeg, limits, pictures

# 19 rows of 17 pixels, quality 40, colours at half the size; the checksums are those of what TensorFlow 1.15 decodes.
PHOTO = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBD"
    "ARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wAARCAATABEDASIAAhEBAxEB/8QAGAABAAMB"
    "AAAAAAAAAAAAAAAAAAQFBgP/xAAmEAACAQMCBQUBAAAAAAAAAAABAgADBBESIUFScZGhEzFUk7HB/8QAFwEAAwEAAAAAAAAAAAAAAAAAAgQFA//EACQRAAEDAwEJ"
    "AAAAAAAAAAAAAAEAAgMREiGBFDEzQlFhkbHh/9oADAMBAAIRAxEAPwCRrDYVctjfJHf+yE1zSuNqetTT2cuBvngPMuqVCgucgYJxjVjzKa4p21oVa2KqzbsofOSO"
    "vUwIpLX3EG4eM/EMZDbXSZArgb8rlqXnf6xEk+mPinu0TC9/ZJ7RIrOmob3HE/hmcvlAFPA4RErN59E/HxW6+lotbcx7xESHUqJc7qv/2Q=="
)
SUMS = {  # (dct_method, fancy_upscaling, channels, ratio)
    ("", True, 0, 1): 0xED8D8F2F,
    ("", True, 1, 1): 0x5852874A,
    ("", True, 3, 2): 0x1E2971FE,
    ("", True, 3, 8): 0xEE08B2C3,
    ("", False, 0, 1): 0xFE63BEAE,
    ("", False, 1, 1): 0x5852874A,
    ("", False, 3, 2): 0x1E2971FE,
    ("", False, 3, 8): 0xEE08B2C3,
    ("INTEGER_FAST", True, 0, 1): 0xED8D8F2F,
    ("INTEGER_FAST", True, 1, 1): 0x5852874A,
    ("INTEGER_FAST", True, 3, 2): 0x1E2971FE,
    ("INTEGER_FAST", True, 3, 8): 0xEE08B2C3,
    ("INTEGER_FAST", False, 0, 1): 0xFE63BEAE,
    ("INTEGER_FAST", False, 1, 1): 0x5852874A,
    ("INTEGER_FAST", False, 3, 2): 0x1E2971FE,
    ("INTEGER_FAST", False, 3, 8): 0xEE08B2C3,
    ("INTEGER_ACCURATE", True, 0, 1): 0xBD23E82F,
    ("INTEGER_ACCURATE", True, 1, 1): 0xA79AB9C5,
    ("INTEGER_ACCURATE", True, 3, 2): 0x57EC3051,
    ("INTEGER_ACCURATE", True, 3, 8): 0xEE08B2C3,
    ("INTEGER_ACCURATE", False, 0, 1): 0xA5B32275,
    ("INTEGER_ACCURATE", False, 1, 1): 0xA79AB9C5,
    ("INTEGER_ACCURATE", False, 3, 2): 0x57EC3051,
    ("INTEGER_ACCURATE", False, 3, 8): 0xEE08B2C3,
}


@pytest.fixture
def turbo():
    if jpeg._turbo() is None:
        pytest.skip("simplejpeg is not installed")


@pytest.mark.parametrize(("how", "total"), SUMS.items(), ids=str)
def test_the_bytes_are_those_of_tensorflow(turbo, how, total):
    method, fancy, channels, ratio = how
    with tf.Session() as sess:
        image = tf.image.decode_jpeg(PHOTO, channels, ratio, fancy_upscaling=fancy, dct_method=method)
        assert zlib.crc32(sess.run(image).tobytes()) == total


def test_without_the_package_pillow_decodes(monkeypatch):
    quick = pictures.read_jpeg(PHOTO, fast=False)
    monkeypatch.setattr(jpeg, "_turbo", lambda: None)
    np.testing.assert_array_equal(pictures.read_jpeg(PHOTO, fast=False), quick)


def test_damage_is_left_to_pillow_and_limits_hold(turbo, monkeypatch):
    assert jpeg.decoded(PHOTO[:300], 0) is None
    monkeypatch.setattr(limits.limits, "picture_pixels", 100)
    with pytest.raises(limits.TooLarge):
        jpeg.decoded(PHOTO, 0)


def test_a_file_with_damage_has_the_librarys_values():
    """Whether it can be read is Pillow's word; what it holds does not change with who finds the damage."""
    pytest.importorskip("simplejpeg")
    random = np.random.RandomState(0)
    pixels = np.kron(random.randint(0, 256, (4, 4, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    whole = pictures.write_jpeg(pixels)
    at = len(whole) - 40
    damaged = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
    found, before = pictures.read_jpeg(damaged, 3), pictures.read_jpeg(whole, 3)
    assert found.shape == before.shape
    np.testing.assert_array_equal(found[:16], before[:16])  # the rows before the damage, to the last bit
