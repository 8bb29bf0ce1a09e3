"""Arrays, tables and iterators as placeholders and what feeds them, batch by batch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.ops.arrays.constants import placeholder


def as_array(data: Any) -> Any:
    """Tables (dask's too) as arrays, dicts of tables as dicts of arrays; other things, such as files of rows, as they are."""
    if isinstance(data, dict):
        return {key: as_array(value) for key, value in data.items()}
    if hasattr(data, "map_partitions"):
        data = data.compute()
    if hasattr(data, "iloc"):
        return np.asarray(data)
    return np.asarray(data) if isinstance(data, list) else data


def is_iterator(data: Any) -> bool:
    """Whether rows come one after the other."""
    return hasattr(data, "__next__")


class DataFeeder:
    """Batches of the rows of `x` and `y` (arrays, or dicts of them), shuffled, `epochs` times or for ever.

    With `n_classes` above 1 the labels become rows with a one; 0 keeps them as floats.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        n_classes: Any = None,
        batch_size: int | None = None,
        shuffle: bool = True,
        random_state: Any = None,
        epochs: int | None = None,
    ):
        self.x, self.y, self.n_classes = as_array(x), as_array(y), n_classes
        if n_classes is not None and self.y is not None and not isinstance(self.y, dict):
            self.y = np.asarray(self.y, np.int64 if n_classes > 1 else np.float32)
        self._rows = len(next(iter(self.x.values())) if isinstance(self.x, dict) else self.x)
        self.batch_size = self._rows if batch_size is None else batch_size
        if self.batch_size <= 0:
            raise ValueError(f"Invalid batch_size {self.batch_size}.")
        self.max_epochs, self.shuffle = epochs, shuffle
        self.random_state = np.random.RandomState(42) if random_state is None else random_state
        self.offset, self.epoch = 0, 0
        self.indices = self._order()
        self._places: list[tuple[Any, Any, Any]] = []
        self._epoch_placeholder: Any = None

    def _order(self) -> np.ndarray:
        return self.random_state.permutation(self._rows) if self.shuffle else np.arange(self._rows)

    def make_epoch_variable(self) -> Any:
        """A placeholder of the number of the epoch."""
        self._epoch_placeholder = placeholder(dtypes.int32, [1], name="epoch")
        return self._epoch_placeholder

    def input_builder(self) -> tuple[Any, Any]:
        """The placeholders of features and labels; None without labels."""
        self._places = []
        features = self._made(self.x, "input", None)
        return features, None if self.y is None else self._made(self.y, "output", self.n_classes)

    def _made(self, data: Any, name: str, n_classes: Any) -> Any:
        if isinstance(data, dict):
            classes = n_classes if isinstance(n_classes, dict) else {}
            return {key: self._place(value, f"{name}_{key}", classes.get(key)) for key, value in data.items()}
        return self._place(data, name, n_classes)

    def _place(self, data: np.ndarray, name: str, n_classes: Any) -> Any:
        is_label = name.startswith("output")
        shape: list[int | None] = [None, *data.shape[1:]]
        if not is_label and data.ndim == 1:
            shape = [None, 1]
        dtype = dtypes.as_dtype(data.dtype)
        if n_classes is not None and n_classes > 1:
            shape, dtype = [*shape, n_classes], dtypes.float32
        made = placeholder(dtype, shape, name=name)
        self._places.append((made, data, n_classes if is_label else ()))
        return made

    def set_placeholders(self, input_placeholder: Any, output_placeholder: Any) -> None:
        """Feed placeholders that were made before."""
        self._places = [(input_placeholder, self.x, ()), (output_placeholder, self.y, self.n_classes)]

    def get_feed_params(self) -> dict[str, Any]:
        """Where the feeder is."""
        return {"epoch": self.epoch, "offset": self.offset, "batch_size": self.batch_size}

    def get_feed_dict_fn(self) -> Callable[[], dict[Any, Any]]:
        """A function that gives the next batch as a feed dict. It raises StopIteration at the end."""

        def feed_dict_fn() -> dict[Any, Any]:
            if self.max_epochs is not None and self.epoch >= self.max_epochs:
                raise StopIteration
            rows = self.indices[self.offset : self.offset + self.batch_size]
            feed = {} if self._epoch_placeholder is None else {self._epoch_placeholder.name: [self.epoch]}
            for place, data, n_classes in self._places:
                feed[place.name] = _batch(data, rows, n_classes)
            self.offset += self.batch_size
            if self.offset >= self._rows:
                self.indices, self.offset = self._order(), 0
                self.epoch += 1
            return feed

        return feed_dict_fn


def _batch(data: Any, rows: np.ndarray, n_classes: Any) -> np.ndarray:
    """Rows of features (`n_classes` is ()) or of labels. A file (of h5py) gives rows in ascending order only."""
    if isinstance(data, np.ndarray):
        batch = data[rows]
    else:
        order = np.argsort(rows)
        batch = np.asarray(data[rows[order]])[np.argsort(order)]
    if n_classes == ():
        return batch.reshape(-1, 1) if batch.ndim == 1 else batch
    return one_hot(batch, n_classes) if n_classes is not None and n_classes > 1 else batch


def one_hot(labels: Any, n_classes: int) -> np.ndarray:
    """Rows with a one where the class is."""
    return np.eye(n_classes, dtype=np.float32)[np.asarray(labels, np.int64)]


class StreamingDataFeeder:
    """Batches of rows that iterators give."""

    def __init__(self, x: Any, y: Any, n_classes: Any = None, batch_size: int | None = None):
        self._x, self._first_x = _peeked(x)
        self._y, self._first_y = (None, None) if y is None else _peeked(y)
        self.n_classes, self.batch_size = n_classes, batch_size or 1

    def input_builder(self) -> tuple[Any, Any]:
        """The placeholders of features and labels."""
        self._input = self._made(self._first_x, "input", None)
        self._output = None if self._y is None else self._made(self._first_y, "output", self.n_classes)
        return self._input, self._output

    def set_placeholders(self, input_placeholder: Any, output_placeholder: Any) -> None:
        """Feed placeholders that were made before."""
        self._input, self._output = input_placeholder, output_placeholder

    def get_feed_params(self) -> dict[str, Any]:
        """The size of batches."""
        return {"batch_size": self.batch_size}

    @staticmethod
    def _made(first: Any, name: str, n_classes: Any) -> Any:
        if isinstance(first, dict):
            return {k: StreamingDataFeeder._made(v, f"{name}_{k}", None) for k, v in first.items()}
        one = np.asarray(first)
        if name.startswith("output") and one.shape[:1] == (1,):  # labels may come as lists of one
            one = one[0]
        many = n_classes is not None and n_classes > 1
        dtype = dtypes.float32 if n_classes is not None and n_classes > 0 else dtypes.as_dtype(one.dtype)
        return placeholder(dtype, [None, *one.shape, *([n_classes] if many else [])], name=name)

    def get_feed_dict_fn(self) -> Callable[[], dict[Any, Any]]:
        """A function that gives the next batch as a feed dict. It raises StopIteration at the end."""

        def feed_dict_fn() -> dict[Any, Any]:
            rows = list(itertools.islice(self._x, self.batch_size))
            if not rows:
                raise StopIteration
            feed = _fed(self._input, rows)
            if self._y is not None:
                labels = list(itertools.islice(self._y, len(rows)))
                if self.n_classes is not None and self.n_classes > 1:
                    feed[self._output.name] = one_hot(labels, self.n_classes)
                else:
                    feed.update(_fed(self._output, labels))
            return feed

        return feed_dict_fn


def _fed(places: Any, rows: list[Any]) -> dict[Any, Any]:
    if isinstance(places, dict):
        return {place.name: np.asarray([row[key] for row in rows]) for key, place in places.items()}
    batch = np.asarray(rows)
    return {places.name: batch.reshape(-1, *places.dims[1:])}


def _peeked(rows: Any) -> tuple[Iterator[Any], Any]:
    first = next(rows)
    return itertools.chain([first], rows), first


def setup_train_data_feeder(
    x: Any,
    y: Any,
    n_classes: Any = None,
    batch_size: int | None = None,
    shuffle: bool = True,
    epochs: int | None = None,
) -> Any:
    """The feeder for arrays or for iterators. Raises ValueError where only one of both is an iterator."""
    if is_iterator(x):
        if y is not None and not is_iterator(y):
            raise ValueError("Both x and y should be iterators for streaming learning to work.")
        return StreamingDataFeeder(x, y, n_classes, batch_size)
    return DataFeeder(x, y, n_classes, batch_size, shuffle=shuffle, epochs=epochs)


def setup_predict_data_feeder(x: Any, batch_size: int | None = None) -> Any:
    """The rows of `x` in batches. Raises ValueError for sizes below 1."""
    if batch_size is not None and batch_size <= 0:
        raise ValueError(f"Invalid batch_size {batch_size}.")
    if is_iterator(x):
        return _chunks(x, batch_size)
    x = as_array(x)
    if x.ndim == 1:
        x = x.reshape(-1, 1)
    if batch_size is None:
        return [x]
    return [x[i * batch_size : (i + 1) * batch_size] for i in range(math.ceil(len(x) / batch_size))]


def _chunks(rows: Iterator[Any], batch_size: int | None) -> Iterator[np.ndarray]:
    while chunk := list(itertools.islice(rows, batch_size)):
        yield np.asarray(chunk)
