"""The contents of a lookup table, as the session holds them."""

import threading
from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.dtypes import DType
from thalweg._src.core.errors import invalid

WHOLE_LINE, LINE_NUMBER = -2, -1


class Table:
    """A mapping from keys (scalars, or vectors in dense tables) to values of one shape."""

    def __init__(self, key_type: DType, value_type: DType, value_shape: tuple[int, ...] = (), *, fixed: bool = False):
        self.key_type, self.value_type, self.value_shape, self.fixed = key_type, value_type, value_shape, fixed
        self.entries: dict[Any, Any] = {}
        self.initialized = not fixed
        self.forbidden: dict[Any, str] = {}
        self.key_shape: tuple[int, ...] = ()
        self.lock = threading.Lock()
        # A dense table has so many buckets; what is not used of them shows in what it exports.
        self.buckets, self.load = 0, 0.8
        self.removed: list[Any] = []  # the values of deleted entries, which stay in their buckets

    def keys_of(self, keys: Any) -> tuple[list[Any], tuple[int, ...]]:
        """Hashable keys, and the shape in which they came."""
        array = np.asarray(keys)
        rank = len(self.key_shape)
        dense = bool(self.buckets)  # takes one key, or a vector of keys
        if (rank and array.shape[-rank:] != self.key_shape) or (dense and array.ndim > rank + 1):
            outer = array.shape[:1] if dense else array.shape[: max(array.ndim - rank, 0)]
            raise invalid(f"Expected key shape {shape_text(outer + self.key_shape)} got {shape_text(array.shape)}")
        outer = array.shape[: array.ndim - rank]
        if not rank:
            return array.ravel().tolist(), outer
        return [tuple(row.ravel().tolist()) for row in array.reshape(-1, *self.key_shape)], outer

    def check_keys(self, keys: list[Any]) -> None:
        for k in keys:
            if k in self.forbidden:
                raise invalid(f"Using the {self.forbidden[k]} as a table key is not allowed")

    def find(self, keys: Any, default: Any) -> np.ndarray:
        if not self.initialized:
            raise errors.FailedPreconditionError(None, None, "Table not initialized.")
        flat, outer = self.keys_of(keys)
        self.check_keys(flat)
        fallback = np.asarray(default)
        if fallback.shape != self.value_shape:
            raise invalid(
                f"Expected shape {shape_text(self.value_shape)} for default value, got {shape_text(fallback.shape)}"
            )
        with self.lock:
            found = [self.entries.get(k, fallback) for k in flat]
        out = np.empty((len(flat), *self.value_shape), self.value_type.numpy_dtype)
        for i, value in enumerate(found):
            out[i] = value
        return out.reshape(outer + self.value_shape)

    def insert(self, keys: Any, values: Any) -> None:
        flat, outer = self.keys_of(keys)
        self.check_keys(flat)
        array = np.asarray(values)
        if array.shape != outer + self.value_shape:
            raise invalid(
                f"Expected shape {shape_text(outer + self.value_shape)} for value, got {shape_text(array.shape)}"
            )
        rows = array.reshape(len(flat), *self.value_shape)
        with self.lock:
            while self.buckets and len(self.entries) + len(flat) > self.buckets * self.load:
                self.buckets, self.removed = self.buckets * 2, []
            self.entries.update(zip(flat, rows, strict=True))

    def remove(self, keys: Any) -> None:
        flat, _ = self.keys_of(keys)
        self.check_keys(flat)
        with self.lock:
            for k in flat:
                if k in self.entries:
                    self.removed.append(self.entries.pop(k))

    def replace(self, keys: Any, values: Any) -> None:
        if self.fixed:
            flat, _ = self.keys_of(keys)
            self.fill(list(zip(flat, np.asarray(values).ravel(), strict=True)))
            return
        with self.lock:
            self.entries.clear()
        flat, outer = self.keys_of(keys)
        used = [i for i, k in enumerate(flat) if k not in self.forbidden]
        rows = np.asarray(values).reshape(len(flat), *self.value_shape)
        own = np.asarray(keys).reshape(len(flat), *self.key_shape)
        if self.buckets:  # what was exported has a row per bucket
            self.buckets, self.removed = len(flat), []
        self.insert(own[used], rows[used])

    def export(self) -> tuple[np.ndarray, np.ndarray]:
        if not self.initialized:
            raise errors.FailedPreconditionError(None, None, "Table not initialized.")
        with self.lock:
            items = list(self.entries.items())
            if self.buckets:
                zero = np.zeros(self.value_shape, self.value_type.numpy_dtype)
                empty, *deleted = self.forbidden
                items += [(deleted[0], value) for value in self.removed] if deleted else []
                items += [(empty, zero)] * (self.buckets - len(items))
        keys = np.empty((len(items), *self.key_shape), self.key_type.numpy_dtype)
        values = np.empty((len(items), *self.value_shape), self.value_type.numpy_dtype)
        for i, (k, v) in enumerate(items):
            keys[i] = np.reshape(np.array(k, keys.dtype), self.key_shape) if self.key_shape else k
            values[i] = v
        return keys, values

    def fill(self, pairs: list[tuple[Any, Any]]) -> None:
        """Fill a table that is filled once. Filling it again with the same is fine; with another, or twice the same key, is not."""
        new: dict[Any, Any] = {}
        for k, v in pairs:
            if k in new and not np.array_equal(new[k], v):
                raise errors.FailedPreconditionError(
                    None,
                    None,
                    f"HashTable has different value for same key. Key {_show(k)} has {_show(new[k])} and trying to add value {_show(v)}",
                )
            new[k] = v
        with self.lock:
            if self.initialized:
                same = new.keys() == self.entries.keys() and all(
                    np.array_equal(v, self.entries[k]) for k, v in new.items()
                )
                if not same:
                    raise errors.FailedPreconditionError(
                        None, None, "Table was already initialized with different data."
                    )
                return
            self.entries, self.initialized = new, True


def _show(value: Any) -> str:
    value = value[()] if isinstance(value, np.ndarray) else value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def shape_text(shape: tuple[int, ...]) -> str:
    return "[" + ",".join(map(str, shape)) + "]"
