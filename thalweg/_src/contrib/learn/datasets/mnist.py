"""MNIST as the era's tutorials read it: `read_data_sets(folder, one_hot=True).train.next_batch(100)`.

Batches come in TensorFlow 1.15's order: NumPy's global generator, seeded by the graph's seed or by `seed`, shuffles
once before the first epoch and again after each.
"""

import gzip
import os
from typing import Any, BinaryIO

import numpy as np

from thalweg._src.contrib.learn.datasets import base
from thalweg._src.core import dtypes
from thalweg._src.core.seeds import get_seed

DEFAULT_SOURCE_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
IMAGES, LABELS = 2051, 2049  # the magic numbers of the two kinds of file


def read_idx(f: BinaryIO, magic: int, what: str) -> np.ndarray:
    """The bytes of an idx file as an array of its shape. ValueError when it does not start with `magic`."""
    with gzip.GzipFile(fileobj=f) as stream:
        found = int.from_bytes(stream.read(4), "big")
        name = getattr(f, "name", "a stream")
        if found != magic:
            raise ValueError(f"Invalid magic number {found} in MNIST {what} file: {name} (it should be {magic})")
        shape = [int.from_bytes(stream.read(4), "big") for _ in range(magic % 256)]
        size = int(np.prod(shape, dtype=np.int64))
        data = stream.read(size)
        if len(data) != size:
            raise ValueError(f"MNIST {what} file {name} ends early: {len(data)} of {size} bytes")
    return np.frombuffer(data, np.uint8).reshape(shape)


def extract_images(f: BinaryIO) -> np.ndarray:
    """The images of a gzipped idx file: uint8 [index, y, x, depth], depth 1."""
    print("Extracting", f.name)
    return read_idx(f, IMAGES, "image")[..., np.newaxis]


def extract_labels(f: BinaryIO, one_hot: bool = False, num_classes: int = 10) -> np.ndarray:
    """The labels of a gzipped idx file: uint8 [index], or one-hot floats [index, num_classes]."""
    print("Extracting", f.name)
    labels = read_idx(f, LABELS, "label")
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


def dense_to_one_hot(labels_dense: np.ndarray, num_classes: int) -> np.ndarray:
    """[n] class numbers -> float64 [n, num_classes] with a one at each class."""
    return np.eye(num_classes)[np.ravel(labels_dense)]


class DataSet:
    """Images and labels, given out in batches.

    `dtype` uint8 leaves pixels at 0..255, float32 rescales them to 0..1. `one_hot` says what fake data look like.
    """

    def __init__(
        self,
        images: Any,
        labels: Any,
        fake_data: bool = False,
        one_hot: bool = False,
        dtype: Any = dtypes.float32,
        reshape: bool = True,
        seed: int | None = None,
    ):
        graph_seed, op_seed = get_seed(seed)
        np.random.seed(graph_seed if seed is None else op_seed)
        dtype = dtypes.as_dtype(dtype).base_dtype
        if dtype not in (dtypes.uint8, dtypes.float32):
            raise TypeError(f"Invalid image dtype {dtype!r}, expected uint8 or float32")
        if fake_data:
            self._num_examples = 10000
            self.one_hot = one_hot
        else:
            if images.shape[0] != labels.shape[0]:
                raise AssertionError(f"images.shape: {images.shape} labels.shape: {labels.shape}")
            self._num_examples = images.shape[0]
            if reshape:
                if images.shape[3] != 1:
                    raise AssertionError(f"reshape=True flattens images of depth 1; these have depth {images.shape[3]}")
                images = images.reshape(images.shape[0], images.shape[1] * images.shape[2])
            if dtype == dtypes.float32:
                images = np.multiply(images.astype(np.float32), np.float32(1.0 / 255.0))
        self._images = images
        self._labels = labels
        self._epochs_completed = 0
        self._index_in_epoch = 0

    @property
    def images(self) -> np.ndarray:
        return self._images

    @property
    def labels(self) -> np.ndarray:
        return self._labels

    @property
    def num_examples(self) -> int:
        return self._num_examples

    @property
    def epochs_completed(self) -> int:
        return self._epochs_completed

    def next_batch(self, batch_size: int, fake_data: bool = False, shuffle: bool = True) -> tuple[Any, Any]:
        """The next `batch_size` images and labels. A batch may run over the end of an epoch into the next one."""
        if fake_data:
            label = [1] + [0] * 9 if self.one_hot else 0
            return [[1] * 784 for _ in range(batch_size)], [label for _ in range(batch_size)]
        start = self._index_in_epoch
        if self._epochs_completed == 0 and start == 0 and shuffle:
            self._shuffle()
        if start + batch_size <= self._num_examples:
            self._index_in_epoch += batch_size
            return self._images[start : self._index_in_epoch], self._labels[start : self._index_in_epoch]
        self._epochs_completed += 1
        images, labels = self._images[start:], self._labels[start:]
        if shuffle:
            self._shuffle()
        self._index_in_epoch = batch_size - len(images)
        return (
            np.concatenate((images, self._images[: self._index_in_epoch]), axis=0),
            np.concatenate((labels, self._labels[: self._index_in_epoch]), axis=0),
        )

    def _shuffle(self) -> None:
        order = np.arange(self._num_examples)
        np.random.shuffle(order)
        self._images, self._labels = self._images[order], self._labels[order]


def read_data_sets(
    train_dir: str,
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: Any = dtypes.float32,
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    source_url: str = DEFAULT_SOURCE_URL,
) -> base.Datasets:
    """MNIST's training, validation (the first `validation_size` of the training images) and test sets.

    The four gzipped idx files are taken from `train_dir`; those that are not there are downloaded into it. OSError when
    that fails, ValueError for a file that is not MNIST's or a validation set larger than the training set.
    """
    if fake_data:
        fakes = [DataSet([], [], fake_data=True, one_hot=one_hot, dtype=dtype, seed=seed) for _ in range(3)]
        return base.Datasets(*fakes)
    paths = fetch(os.fspath(train_dir), source_url or DEFAULT_SOURCE_URL)
    arrays = []
    for path in paths:
        with open(path, "rb") as f:
            arrays.append(extract_images(f) if "images" in os.path.basename(path) else extract_labels(f, one_hot))
    train_images, train_labels, test_images, test_labels = arrays
    if not 0 <= validation_size <= len(train_images):
        raise ValueError(f"Validation size should be between 0 and {len(train_images)}. Received: {validation_size}.")
    n = validation_size
    parts = [(train_images[n:], train_labels[n:]), (train_images[:n], train_labels[:n]), (test_images, test_labels)]
    return base.Datasets(*(DataSet(i, l, dtype=dtype, reshape=reshape, seed=seed) for i, l in parts))


def fetch(folder: str, source_url: str) -> list[str]:
    """The paths of the four files. OSError that names every missing one when a download fails."""
    known = source_url == DEFAULT_SOURCE_URL
    try:
        return [
            base.maybe_download(n, folder, source_url + n, checksum=c if known else None) for n, c in CHECKSUMS.items()
        ]
    except base.NotFetched as error:
        missing = [name for name in CHECKSUMS if not os.path.exists(os.path.join(folder, name))]
        raise OSError(
            f"MNIST is read from {os.path.abspath(folder)}. Missing there: {', '.join(missing)}; "
            f"{source_url} cannot be fetched ({error.why}). Put the files into that folder by hand."
        ) from None


def load_mnist(train_dir: str = "MNIST-data") -> base.Datasets:
    return read_data_sets(train_dir)
