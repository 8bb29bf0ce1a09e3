"""The tutorials' reader of MNIST, on a file of three images."""

import gzip
import struct

import numpy as np
import pytest

from thalweg.examples.tutorials.mnist import input_data, mnist

IMAGES = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
LABELS = np.uint8([7, 0, 9])


@pytest.fixture
def files(tmp_path):
    images, labels = tmp_path / "images.gz", tmp_path / "labels.gz"
    images.write_bytes(gzip.compress(struct.pack(">iiii", 2051, *IMAGES.shape) + IMAGES.tobytes()))
    labels.write_bytes(gzip.compress(struct.pack(">ii", 2049, 3) + LABELS.tobytes()))
    return images, labels


def test_files_are_read(files):
    with open(files[0], "rb") as f:
        np.testing.assert_array_equal(input_data.extract_images(f)[..., 0], IMAGES)
    with open(files[1], "rb") as f:
        one_hot = input_data.extract_labels(f, one_hot=True)
    np.testing.assert_array_equal(one_hot, input_data.dense_to_one_hot(LABELS, mnist.NUM_CLASSES))
    assert one_hot.argmax(1).tolist() == LABELS.tolist()
    with open(files[1], "rb") as f, pytest.raises(ValueError, match="magic number"):
        input_data.extract_images(f)


def test_a_file_that_is_there_is_not_fetched(files):
    found = input_data.maybe_download(files[0].name, str(files[0].parent), "http://nowhere.invalid/")
    assert found == str(files[0])


def test_batches_go_round():
    data = input_data.DataSet(IMAGES[..., np.newaxis], LABELS, seed=3)
    images, labels = data.next_batch(2, shuffle=False)
    assert images.shape == (2, mnist.IMAGE_SIZE**2)
    assert images.max() <= 1.0
    assert labels.tolist() == [7, 0]
    assert data.next_batch(2, shuffle=False)[1].tolist() == [9, 7]
    assert data.epochs_completed == 1
