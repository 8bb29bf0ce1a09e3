"""Datasets and iterators where models of tf.keras take arrays: Keras 2.2 and 2.3 know generators, so they are handed over as such."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.errors import OutOfRangeError
from thalweg._src.core.scopes import init_scope
from thalweg._src.lib.data import iterator, nest
from thalweg._src.lib.data.dataset import Dataset
from thalweg._src.lib.data.eager_iterator import EagerIterator
from thalweg._src.runtime.session import Session

KINDS = (Dataset, iterator.Iterator, EagerIterator)
# A method that takes arrays, the one that takes a generator, and what each calls the number of its steps.
METHODS = (
    ("fit", "fit_generator", "steps_per_epoch"),
    ("evaluate", "evaluate_generator", "steps"),
    ("predict", "predict_generator", "steps"),
)


def training(module: ModuleType) -> None:
    """`fit`, `evaluate` and `predict` of a dataset or an iterator, and of one as `validation_data`."""
    for name, other, steps in METHODS:
        setattr(module.Model, name, _taking_datasets(module, getattr(module.Model, name), other, steps))


def _taking_datasets(module: ModuleType, own: Any, other: str, steps: str) -> Any:
    signature = inspect.signature(own)

    @functools.wraps(own)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = dict(signature.bind(self, *args, **kwargs).arguments)
        data = given.get("x")
        if not isinstance(data, KINDS):
            return own(self, *args, **kwargs)
        taken = inspect.signature(getattr(type(self), other)).parameters
        more = {name: value for name, value in given.items() if name in taken and name != "self"}
        for kind, count in (("x", steps), ("validation_data", "validation_steps")):
            if isinstance(given.get(kind), Dataset) and not more.get(count):
                more[count] = sum(1 for _ in _walk(given[kind]))
        if isinstance(given.get("validation_data"), KINDS):
            more["validation_data"] = _batches(module, given["validation_data"])
        return getattr(self, other)(_batches(module, data), **more, workers=0)

    return method


def _batches(module: ModuleType, data: Any) -> Iterator[Any]:
    """The elements as Keras wants batches; after the last one of a dataset the first one follows."""
    if isinstance(data, Dataset):
        while True:
            yield from map(_batch, _walk(data))
    with init_scope():
        following = None if executing_eagerly() else data.get_next()
    while True:
        with init_scope():
            element = _at_once(data) if following is None else module.K.get_session().run(following)
        yield _batch(element)


def _at_once(walk: Any) -> Any:
    """The next element of an iterator of eager execution, as NumPy arrays."""
    return nest.map_structure(lambda t: t.numpy(), next(walk))


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
                element = _at_once(walk) if session is None else session.run(following)
            yield element
    except (OutOfRangeError, StopIteration):
        return
    finally:
        if session is not None:
            session.close()
