"""Datasets where models of tf.keras take arrays: Keras 2.2 and 2.3 know generators, so a dataset is handed over as one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.errors import OutOfRangeError
from thalweg._src.core.scopes import init_scope
from thalweg._src.lib.data import nest
from thalweg._src.lib.data.dataset import Dataset
from thalweg._src.runtime.session import Session

# A method that takes arrays, the one that takes a generator, and what each calls the number of its steps.
METHODS = (
    ("fit", "fit_generator", "steps_per_epoch"),
    ("evaluate", "evaluate_generator", "steps"),
    ("predict", "predict_generator", "steps"),
)


def training(module: ModuleType) -> None:
    """`fit`, `evaluate` and `predict` of a dataset, and of a dataset as `validation_data`."""
    for name, other, steps in METHODS:
        setattr(module.Model, name, _taking_datasets(getattr(module.Model, name), other, steps))


def _taking_datasets(own: Any, other: str, steps: str) -> Any:
    signature = inspect.signature(own)

    @functools.wraps(own)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = dict(signature.bind(self, *args, **kwargs).arguments)
        data = given.get("x")
        if not isinstance(data, Dataset):
            return own(self, *args, **kwargs)
        taken = inspect.signature(getattr(type(self), other)).parameters
        more = {name: value for name, value in given.items() if name in taken and name != "self"}
        for kind, count in (("x", steps), ("validation_data", "validation_steps")):
            if isinstance(given.get(kind), Dataset) and not more.get(count):
                more[count] = sum(1 for _ in _walk(given[kind]))
        if isinstance(given.get("validation_data"), Dataset):
            more["validation_data"] = _again_and_again(given["validation_data"])
        return getattr(self, other)(_again_and_again(data), **more, workers=0)

    return method


def _again_and_again(dataset: Dataset) -> Iterator[Any]:
    """The elements as Keras wants batches; after the last one the first one follows."""
    while True:
        for element in _walk(dataset):
            yield _batch(element)


def _batch(element: Any) -> Any:
    """A tuple (inputs, targets, …), with lists where there are several inputs."""
    if not isinstance(element, tuple):
        return (element, None)
    return tuple(list(part) if isinstance(part, tuple) else part for part in element)


def _walk(dataset: Dataset) -> Iterator[Any]:
    """The elements from the first to the last, as NumPy arrays, by a session of its own where nothing runs at once."""
    with init_scope():
        if executing_eagerly():
            walk = iter(dataset)
            session = None
        else:
            walk = dataset.make_initializable_iterator()
            following = walk.get_next()
            session = Session()
            session.run(walk.initializer)
    try:
        while True:
            with init_scope():
                if session is None:
                    element = nest.map_structure(lambda t: t.numpy(), next(walk))
                else:
                    element = session.run(following)
            yield element
    except (OutOfRangeError, StopIteration):
        return
    finally:
        if session is not None:
            session.close()
