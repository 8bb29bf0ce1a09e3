"""tf.estimator.inputs: input functions over arrays and tables in memory."""

from __future__ import annotations

import collections
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.lib.estimators.feeding import enqueue_data


def _check_shuffle(shuffle: Any) -> None:
    if not isinstance(shuffle, bool):
        raise ValueError(
            "shuffle must be provided and explicitly set as boolean (it is recommended to set it as True for training); got "
            f"{shuffle}"
        )


def numpy_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int = 1000,
    num_threads: int = 1,
) -> Callable[[], Any]:
    """A function that gives batches of the rows of `x` (an array, or {name: array}) and of `y`.

    `num_epochs` None is for ever. Raises ValueError unless `shuffle` is True or False; the function raises it for arrays of
    different lengths, names that both have and empty input, and TypeError for other things.

    >>> f = tf.estimator.inputs.numpy_input_fn({"a": np.arange(4)}, np.arange(4) * 10, batch_size=2, shuffle=False)
    >>> features, labels = f()
    """
    _check_shuffle(shuffle)

    def input_fn() -> Any:
        data = _ordered(x)
        names = list(data)
        targets: Any = None
        if isinstance(y, dict):
            if not y:
                raise ValueError("y cannot be empty dict, use None instead.")
            targets = sorted(y)
            twice = set(names) & set(targets)
            if twice:
                raise ValueError(f"{len(twice)} duplicate keys are found in both x and y: {twice}")
            data.update((key, y[key]) for key in targets)
        elif y is not None:
            targets = "__target_key__"
            while targets in data:
                targets += "_n"
            data[targets] = y
        if len({v.shape[0] for v in data.values()}) != 1:
            shapes = {name: data[name].shape for name in names}
            of_y: Any = None if y is None else y.shape if not isinstance(y, dict) else {k: y[k].shape for k in targets}
            raise ValueError(
                "Length of tensors in x and y is mismatched. All elements in x and y must have the same length.\n"
                f"Shapes in x: {shapes}\nShapes in y: {of_y}\n"
            )
        queue = enqueue_data(
            data,
            queue_capacity,
            shuffle=bool(shuffle),
            num_threads=num_threads,
            enqueue_size=batch_size,
            num_epochs=num_epochs,
        )
        batch = _taken(queue, batch_size, num_epochs)
        features = batch[0] if isinstance(x, np.ndarray) else dict(zip(names, batch, strict=False))
        if targets is None:
            return features
        if isinstance(targets, str):
            return features, batch[-1]
        return features, dict(zip(targets, batch[-len(targets) :], strict=True))

    return input_fn


def _ordered(x: Any) -> collections.OrderedDict[str, Any]:
    if isinstance(x, dict):
        if not x:
            raise ValueError("x cannot be an empty dict")
        return collections.OrderedDict(sorted(x.items(), key=lambda item: item[0]))
    if isinstance(x, np.ndarray):
        if x.size == 0:
            raise ValueError("x cannot be an empty array")
        return collections.OrderedDict({"__direct_np_input__": x})
    raise TypeError(f"x must be a dict or array; got {type(x).__name__}")


def _taken(queue: Any, batch_size: int, num_epochs: int | None) -> list[Any]:
    """The components of a batch, without the numbers of the rows."""
    batch = queue.dequeue_many(batch_size) if num_epochs is None else queue.dequeue_up_to(batch_size)
    return list(batch)[1:]


def pandas_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int | None = 1000,
    num_threads: int = 1,
    target_column: str = "target",
) -> Callable[[], Any]:
    """A function that gives batches of the rows of a pandas table, {column: values}, and of `y`, a series or table.

    Raises ValueError for indexes that differ, a target that is a column already, and unless `shuffle` is True or False.
    """
    try:
        import pandas
    except ImportError:
        raise TypeError("pandas_input_fn should not be called without pandas installed") from None
    _check_shuffle(shuffle)
    if not isinstance(target_column, str):
        raise TypeError("target_column must be a string type")
    table = x.copy()
    targets: dict[Any, str] | None = None
    if y is not None:
        if target_column in table:
            raise ValueError(
                f"Cannot use name {target_column} for target column: DataFrame already has a column with that name: "
                f"{table.columns}"
            )
        if not np.array_equal(table.index, y.index):
            raise ValueError(f"Index for x and y are mismatched.\nIndex for x: {table.index}\nIndex for y: {y.index}\n")
        if isinstance(y, pandas.DataFrame):
            targets = {name: f"{name}_{uuid.uuid4()}" if name in table else name for name in y}
            for name, column in targets.items():
                table[column] = y[name]
        else:
            table[target_column] = y
    if queue_capacity is None:
        queue_capacity = 4 * len(table) if shuffle else len(table)
    capacity, least = queue_capacity, max(queue_capacity / 4, 1)

    def input_fn() -> Any:
        queue = enqueue_data(
            table,
            capacity,
            shuffle=bool(shuffle),
            min_after_dequeue=least,
            num_threads=num_threads,
            enqueue_size=batch_size,
            num_epochs=num_epochs,
        )
        batch = _taken(queue, batch_size, num_epochs)
        features = dict(zip(list(table.columns), batch, strict=True))
        if y is None:
            return features
        if targets is None:
            target = features.pop(target_column)
        else:
            target = {name: features.pop(column) for name, column in targets.items()}
        return features, target

    return input_fn
