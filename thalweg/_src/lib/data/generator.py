"""Datasets of what a Python generator yields."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.convert import as_array, to_tensor
from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.lib.data import nest, structure
from thalweg._src.lib.data.dataset import Dataset
from thalweg._src.lib.data.functions import ElementFunction
from thalweg._src.ops.control.py_func import numpy_function
from thalweg._src.ops.data.sources import generator_dataset


class Generators:
    """The iterators that run, by number."""

    def __init__(self, generator: Any):
        self._generator = generator
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._arguments: dict[int, tuple[Any, ...]] = {}
        self._iterators: dict[int, Iterator[Any]] = {}

    def begin(self, *args: Any) -> np.ndarray:
        with self._lock:
            number = next(self._numbers)
        self._arguments[number] = args
        return np.array(number, np.int64)

    def iterator(self, number: int) -> Iterator[Any]:
        number = int(number)
        if number not in self._iterators:
            self._iterators[number] = iter(self._generator(*self._arguments.pop(number)))
        return self._iterators[number]

    def end(self, number: int) -> np.ndarray:
        self._iterators.pop(int(number), None)
        return np.array(0, np.int64)


def from_generator(generator: Any, output_types: Any, output_shapes: Any = None, args: Any = None) -> Dataset:
    """What the iterators that `generator(*args)` makes yield.

    Raises TypeError where it is not callable. An element of another structure, type or shape than declared is an
    InvalidArgumentError of the run.
    """
    if not callable(generator):
        raise TypeError("`generator` must be callable.")
    shapes: Any
    if output_shapes is None:
        shapes = nest.map_structure(lambda _: TensorShape(None), output_types)
    else:
        shapes = nest.map_structure_up_to(output_types, as_shape, output_shapes)
    inputs = () if args is None else tuple(to_tensor(a, None, "args") for a in args)
    types = [dtypes.as_dtype(t) for t in nest.flatten(output_types)]
    dims = nest.flatten(shapes)
    running = Generators(generator)

    def begin(_: Any) -> Any:
        return numpy_function(running.begin, list(inputs), dtypes.int64)

    def step(number: Any) -> Any:
        def produce(i: Any) -> list[np.ndarray]:
            return _checked(next(running.iterator(i)), output_types, types, dims)

        flat = numpy_function(produce, [number], types)
        if output_shapes is not None:
            for t, d in zip(flat, dims, strict=True):
                t.set_shape(d)
        return nest.pack_sequence_as(output_types, flat)

    def end(number: Any) -> Any:
        return numpy_function(running.end, [number], dtypes.int64)

    return Dataset.from_tensors(0).flat_map(lambda dummy: _dataset(dummy, begin, step, end))


def _dataset(argument: Any, begin: Any, step: Any, end: Any) -> Dataset:
    what = "Dataset.from_generator()"
    spec = structure.spec_of(argument)
    first = ElementFunction(begin, what, spec)
    following = ElementFunction(step, what, first.spec)
    last = ElementFunction(end, what, first.spec)
    variant = generator_dataset(
        structure.to_tensors(spec, argument) + first.captured,
        following.captured,
        last.captured,
        init_func=first.graph,
        next_func=following.graph,
        finalize_func=last.graph,
        **structure.attrs(following.spec),
    )
    return Dataset(variant, following.spec)


def _checked(values: Any, output_types: Any, types: list[Any], dims: list[Any]) -> list[np.ndarray]:
    try:
        flat = nest.flatten_up_to(output_types, values)
    except (TypeError, ValueError):
        raise TypeError(
            "`generator` yielded an element that did not match the expected structure. The expected structure was "
            f"{output_types}, but the yielded element was {values}."
        ) from None
    out = []
    for value, dtype, shape in zip(flat, types, dims, strict=True):
        out.append(array := _converted(value, dtype))
        if not shape.is_compatible_with(array.shape):
            raise ValueError(
                f"`generator` yielded an element of shape {array.shape} where an element of shape {shape} was expected."
            )
    return out


def _converted(value: Any, dtype: Any) -> np.ndarray:
    try:
        if dtype.is_on_host:
            return as_array(value, dtype)
        array = np.asarray(value)
        if array.dtype.kind in "SUO":
            raise TypeError
        return array.astype(dtype.numpy_dtype, copy=False)
    except (TypeError, ValueError):
        raise TypeError(
            "`generator` yielded an element that could not be converted to the expected type. The expected type was "
            f"{dtype.name}, but the yielded element was {value}."
        ) from None
