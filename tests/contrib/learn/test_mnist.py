"""MNIST's reader: file format, order of batches, errors."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.contrib.learn.datasets import base, mnist

PROGRAM = """
import hashlib, sys
import numpy as np
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

def trace(part, size, times):
    digest = hashlib.md5()
    for _ in range(times):
        images, labels = part.next_batch(size)
        digest.update(np.asarray(images, np.float32).tobytes() + np.asarray(labels, np.float32).tobytes())
    return digest.hexdigest()

"""


def idx(magic, array):
    return gzip.compress(struct.pack(f">{1 + array.ndim}i", magic, *array.shape) + array.astype(np.uint8).tobytes())


def write(folder, n_train=60, n_test=20):
    rng = np.random.default_rng(5)
    for part, n in (("train", n_train), ("t10k", n_test)):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(2051, rng.integers(0, 256, (n, 28, 28))))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(2049, np.arange(n) % 10))
    return str(folder)


def trace(part, size, times):
    digest = hashlib.md5()
    for _ in range(times):
        images, labels = part.next_batch(size)
        digest.update(np.asarray(images, np.float32).tobytes() + np.asarray(labels, np.float32).tobytes())
    return digest.hexdigest()


def test_shapes_and_types(tmp_path):
    data = mnist.read_data_sets(write(tmp_path), one_hot=True, validation_size=10)
    assert data._fields == ("train", "validation", "test")
    assert [part.num_examples for part in data] == [50, 10, 20]
    assert data.train.images.shape == (50, 784)
    assert data.train.images.dtype == np.float32
    assert data.train.images.max() == 1.0
    assert data.train.labels.shape == (50, 10)
    assert data.train.labels.sum(axis=1).tolist() == [1] * 50
    assert data.validation.labels.argmax(1).tolist() == list(range(10))
    raw = mnist.read_data_sets(str(tmp_path), dtype=tf.uint8, reshape=False, validation_size=0)
    assert raw.test.images.shape == (20, 28, 28, 1)
    assert raw.test.images.dtype == np.uint8
    assert raw.test.labels.tolist() == [i % 10 for i in range(20)]


def test_an_epoch_gives_each_example_once_and_batches_run_over_its_end(tmp_path):
    train = mnist.read_data_sets(write(tmp_path), validation_size=0).train
    seen = [image.tobytes() for _ in range(4) for image in train.next_batch(15)[0]]
    assert len(set(seen)) == 60
    assert train.epochs_completed == 0
    images, labels = train.next_batch(25)
    assert train.epochs_completed == 1
    assert images.shape == (25, 784)
    assert labels.shape == (25,)
    train.next_batch(25)
    images, _ = train.next_batch(25)  # 10 of this epoch, 15 of the next one
    assert train.epochs_completed == 2
    assert len(images) == 25


def test_unshuffled_batches_come_in_the_order_of_the_file(tmp_path):
    train = mnist.read_data_sets(write(tmp_path), validation_size=0).train
    labels = [train.next_batch(7, shuffle=False)[1] for _ in range(8)]
    assert np.concatenate(labels).tolist() == [i % 10 for i in range(56)]


def test_the_order_is_tensorflow_s(tmp_path):
    # Recorded by `oracle 1.15` on the same files: PROGRAM above, then the two lines of the test below.
    folder = write(tmp_path)
    assert trace(mnist.read_data_sets(folder, one_hot=True, seed=3, validation_size=5).train, 7, 40) == SEED_3
    with tf.Graph().as_default():
        tf.set_random_seed(11)
        assert trace(mnist.read_data_sets(folder, validation_size=5).train, 7, 40) == GRAPH_SEED_11


SEED_3 = "fe16b0bff6d7e8758a218a0f4995b5a8"
GRAPH_SEED_11 = "4a7ac06228953f8f883d140932db9148"


def test_the_order_is_tensorflow_s_now(tmp_path, oracle):
    folder = write(tmp_path)
    ask = "print(trace(input_data.read_data_sets({!r}, one_hot=True, seed=3, validation_size=5).train, 7, 40))\n"
    ask += "tf.set_random_seed(11)\nprint(trace(input_data.read_data_sets({!r}, validation_size=5).train, 7, 40))\n"
    lines = oracle("1.15", PROGRAM + ask.format(folder, folder)).split()
    assert lines[-1] == GRAPH_SEED_11
    assert SEED_3 in lines


def test_fake_data():
    train = mnist.read_data_sets("", fake_data=True, one_hot=True).train
    images, labels = train.next_batch(3, fake_data=True)
    assert np.shape(images) == (3, 784)
    assert labels == [[1] + [0] * 9] * 3
    assert train.num_examples == 10000


def test_errors(tmp_path, monkeypatch):
    folder = write(tmp_path)
    with pytest.raises(ValueError, match="Validation size should be between 0 and 60. Received: 61"):
        mnist.read_data_sets(folder, validation_size=61)
    with pytest.raises(TypeError, match="expected uint8 or float32"):
        mnist.read_data_sets(folder, dtype=tf.int32, validation_size=0)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(idx(2051, np.zeros(3)))
    with pytest.raises(ValueError, match="Invalid magic number 2051 in MNIST label file"):
        mnist.read_data_sets(folder)
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    monkeypatch.setattr(base, "download", refuse)
    with pytest.raises(OSError, match=r"Missing there: train-labels-idx1-ubyte\.gz, t10k-labels-idx1-ubyte\.gz") as e:
        mnist.read_data_sets(folder)
    assert str(tmp_path) in str(e.value)
    assert "no network" in str(e.value)


def refuse(*_):
    raise OSError("no network")


def test_download_checks_size_and_sum(tmp_path):
    source = tmp_path / "source.bin"
    source.write_bytes(b"abc" * 1000)
    right = hashlib.sha256(source.read_bytes()).hexdigest()
    path = base.maybe_download("copy.bin", str(tmp_path / "new"), source.as_uri(), checksum=right)
    assert (tmp_path / "new" / "copy.bin").read_bytes() == source.read_bytes()
    source.unlink()
    assert base.maybe_download("copy.bin", str(tmp_path / "new"), source.as_uri()) == path  # it is there already
    source.write_bytes(b"abd" * 1000)
    with pytest.raises(base.NotFetched, match="SHA-256"):
        base.maybe_download("other.bin", str(tmp_path / "new"), source.as_uri(), checksum=right)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["copy.bin"]


def test_csv(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("2,3,setosa,other\n1.5,2,3,0\n4,5,6,1\n")
    data = base.load_csv_with_header(str(path), target_dtype=np.int64, features_dtype=np.float32)
    assert data.data.tolist() == [[1.5, 2, 3], [4, 5, 6]]
    assert data.target.tolist() == [0, 1]
    path.write_text("1.5,2,3,0\n4,5,6,1\n")
    plain = base.load_csv_without_header(str(path), target_dtype=np.float64, features_dtype=np.float32, target_column=0)
    assert plain.target.tolist() == [1.5, 4]
