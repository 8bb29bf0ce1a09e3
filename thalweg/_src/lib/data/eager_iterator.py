"""Iterators of eager execution: Python iterators over the elements of a dataset."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import eager, errors
from thalweg._src.core.eager import EagerTensor, executing_eagerly
from thalweg._src.lib.data import structure
from thalweg._src.ops.data.iterators import IteratorResource
from thalweg._src.ops.data.pipeline import data_of


class EagerIterator(structure.Structured):
    """Walks a dataset once: `next(it)`, `for x in it`, or `get_next()`, which raises OutOfRangeError behind the last element.

    Raises RuntimeError where no eager execution is.
    """

    def __init__(self, dataset: Any):
        if not executing_eagerly():
            raise RuntimeError(
                "tf.data.Iterator objects of eager execution need it: use dataset.make_one_shot_iterator() in a graph."
            )
        self._dataset = dataset._apply_options()
        self._element_spec = dataset.element_spec
        self._types = structure.flat_types(self._element_spec)
        self._resource = IteratorResource(self._types, [s._dims for s in structure.flat_shapes(self._element_spec)])
        self._resource.initialize(data_of(self._dataset._variant_tensor._value))

    def __iter__(self) -> EagerIterator:
        return self

    def __next__(self) -> Any:
        found = self._resource.next()
        if found is None:
            raise StopIteration
        return structure.from_tensors(self._element_spec, self._tensors(found))

    def _tensors(self, values: Any) -> list[EagerTensor]:
        return [eager.make(v, t) for v, t in zip(values, self._types, strict=True)]

    def next(self) -> Any:
        """The next element; StopIteration behind the last one."""
        return self.__next__()

    def get_next(self, name: str | None = None) -> Any:
        """The next element; OutOfRangeError behind the last one."""
        try:
            return self.__next__()
        except StopIteration:
            raise errors.OutOfRangeError(None, None, "End of sequence") from None

    def __del__(self) -> None:
        resource = self.__dict__.get("_resource")
        if resource is not None:
            resource.cancel()
