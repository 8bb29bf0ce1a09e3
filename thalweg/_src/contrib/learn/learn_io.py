"""tf.contrib.learn.io: input functions over data in memory, and over functions that generate rows."""

from __future__ import annotations

from collections.abc import Callable, Container
from types import FunctionType, GeneratorType
from typing import Any

from thalweg._src.lib.estimators import inputs
from thalweg._src.lib.estimators.feeding import enqueue_data


def generator_input_fn(
    x: Any,
    target_key: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool = True,
    queue_capacity: int = 1000,
    num_threads: int = 1,
    pad_value: Any = None,
) -> Callable[[], Any]:
    """A function that gives batches of the dicts that `x()` generates; `target_key` (or several) are the labels.

    Rows of different lengths are filled up with `pad_value`. Raises TypeError for what generates no dicts, KeyError for keys
    that are not there.
    """
    if not isinstance(x, FunctionType):
        raise TypeError(f"x must be generator function; got {type(x).__name__}")
    rows = x()
    if not isinstance(rows, GeneratorType):
        raise TypeError(f"x() must be generator; got {type(rows).__name__}")
    first = next(rows)
    if not isinstance(first, dict):
        raise TypeError(f"x() must yield dict; got {type(first).__name__}")
    keys = sorted(first)
    if isinstance(target_key, str):
        target_key = [target_key]
    elif target_key is not None:
        if not isinstance(target_key, Container):
            raise TypeError(f"target_key must be str or Container of str; got {type(target_key).__name__}")
        for item in target_key:  # type: ignore[attr-defined]
            if not isinstance(item, str):
                raise TypeError(f"target_key must be str or Container of str; got {type(item).__name__}")
            if item not in keys:
                raise KeyError(f"target_key not in yielded dict. Expected {keys} keys; got {item}")

    def input_fn() -> Any:
        queue = enqueue_data(
            x,
            queue_capacity,
            shuffle=shuffle,
            num_threads=num_threads,
            enqueue_size=batch_size,
            num_epochs=num_epochs,
            pad_value=pad_value,
        )
        batch = queue.dequeue_many(batch_size) if num_epochs is None else queue.dequeue_up_to(batch_size)
        features = dict(zip(keys, batch if isinstance(batch, list | tuple) else [batch], strict=True))
        if target_key is None:
            return features
        if len(target_key) > 1:
            return features, {key: features.pop(key) for key in target_key}
        return features, features.pop(target_key[0])

    return input_fn


def numpy_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool = True,
    queue_capacity: int = 1000,
    num_threads: int = 1,
) -> Callable[[], Any]:
    """As tf.estimator.inputs.numpy_input_fn; it shuffles unless told otherwise."""
    return inputs.numpy_input_fn(x, y, batch_size, num_epochs, shuffle, queue_capacity, num_threads)


def pandas_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool = True,
    queue_capacity: int = 1000,
    num_threads: int = 1,
    target_column: str = "target",
) -> Callable[[], Any]:
    """As tf.estimator.inputs.pandas_input_fn; it shuffles unless told otherwise."""
    return inputs.pandas_input_fn(x, y, batch_size, num_epochs, shuffle, queue_capacity, num_threads, target_column)
