"""tf.data.Iterator: the place in a walk over a dataset, and the tensors of the next element."""

import warnings
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.scopes import colocate_with, name_scope
from thalweg._src.lib.data import nest, structure
from thalweg._src.ops.data import iterators as ops

GLOBAL_ITERATORS = "iterators"  # the collection of all iterators of a graph
MANY_CALLS = 32


class Iterator(structure.Structured):
    """Walks a dataset: `get_next()` gives the tensors of the next element of each run.

    Made by `make_one_shot_iterator` and `make_initializable_iterator` of a dataset, or by `from_structure` and `from_string_handle`.
    """

    def __init__(
        self, iterator_resource: Any, initializer: Any, output_types: Any, output_shapes: Any, output_classes: Any
    ):
        self._iterator_resource, self._initializer = iterator_resource, initializer
        if output_types is None or output_shapes is None or output_classes is None:
            raise ValueError(
                "If `structure` is not specified, all of `output_types`, `output_shapes`, and `output_classes` must be specified."
            )
        self._element_spec = structure.from_legacy(output_types, output_shapes, output_classes)
        self._string_handle = ops.iterator_to_string_handle(iterator_resource)
        self._get_next_call_count = 0
        get_default_graph().add_to_collection(GLOBAL_ITERATORS, iterator_resource)

    @staticmethod
    def from_structure(
        output_types: Any, output_shapes: Any = None, shared_name: str | None = None, output_classes: Any = None
    ) -> "Iterator":
        """An iterator for any dataset of this structure; `make_initializer` sets one."""
        spec = structure.declared(output_types, output_shapes, output_classes)
        resource = ops.iterator_v2(shared_name=shared_name or "", container="", **structure.attrs(spec))
        return Iterator(resource, None, structure.types_of(spec), structure.shapes_of(spec), structure.classes_of(spec))

    @staticmethod
    def from_string_handle(
        string_handle: Any, output_types: Any, output_shapes: Any = None, output_classes: Any = None
    ) -> "Iterator":
        """The iterator whose string handle is fed: one of several, chosen in each run."""
        spec = structure.declared(output_types, output_shapes, output_classes)
        handle = to_tensor(string_handle, dtypes.string)
        resource = ops.iterator_from_string_handle_v2(handle, **structure.attrs(spec))
        return Iterator(resource, None, structure.types_of(spec), structure.shapes_of(spec), structure.classes_of(spec))

    @property
    def initializer(self) -> Operation:
        """The operation that begins a walk from the start. Raises ValueError where there is none."""
        if self._initializer is None:
            raise ValueError("Iterator does not have an initializer.")
        return self._initializer

    def make_initializer(self, dataset: Any, name: str | None = None) -> Operation:
        """An operation that lets this iterator walk `dataset`. Raises TypeError where its elements are of another structure."""
        with name_scope(name, "make_initializer") as scope:
            self._check(dataset)
            with colocate_with(self._iterator_resource.op):
                applied = dataset._apply_options()
                return ops.make_iterator(applied._variant_tensor, self._iterator_resource, name=scope)

    def _check(self, dataset: Any) -> None:
        own, given = self._element_spec, dataset.element_spec
        nest.assert_same_structure(self.output_types, dataset.output_types)
        nest.assert_same_structure(self.output_shapes, dataset.output_shapes)
        for a, b in zip(nest.flatten(self.output_classes), nest.flatten(dataset.output_classes), strict=True):
            if a is not b and a != b:
                raise TypeError(
                    f"Expected output classes {self.output_classes!r} but got dataset with output class {dataset.output_classes!r}."
                )
        for a, b in zip(nest.flatten(self.output_types), nest.flatten(dataset.output_types), strict=True):
            if a != b:
                raise TypeError(
                    f"Expected output types {self.output_types!r} but got dataset with output types {dataset.output_types!r}."
                )
        for a, b in zip(nest.flatten(own), nest.flatten(given), strict=True):
            shapes = getattr(a, "shape", None), getattr(b, "shape", None)
            if None not in shapes and not shapes[0].is_compatible_with(shapes[1]):
                raise TypeError(
                    f"Expected output shapes compatible with {self.output_shapes!r} but got dataset with output shapes "
                    f"{dataset.output_shapes!r}."
                )

    def get_next(self, name: str | None = None) -> Any:
        """The tensors of the next element; behind the last one a run raises OutOfRangeError. Call it once, outside of the loop."""
        self._get_next_call_count += 1
        if self._get_next_call_count > MANY_CALLS:
            warnings.warn(
                "An unusually high number of `Iterator.get_next()` calls was detected. This often indicates that `Iterator.get_next()` "
                "is being called inside a training loop, which will cause gradual slowdown and eventual resource exhaustion. If this "
                "is the case, restructure your code to call `next_element = iterator.get_next()` once outside the loop, and use "
                "`next_element` as the input to some computation that is invoked inside the loop.",
                stacklevel=2,
            )
        tensors = ops.iterator_get_next(self._iterator_resource, name=name, **structure.attrs(self._element_spec))
        return structure.from_tensors(self._element_spec, tensors)

    def get_next_as_optional(self) -> Any:
        """The next element as an Optional, which has no value behind the last one."""
        from thalweg._src.lib.data.optional import Optional

        spec = self._element_spec
        return Optional(ops.iterator_get_next_as_optional(self._iterator_resource, **structure.attrs(spec)), spec)

    def string_handle(self, name: str | None = None) -> Tensor:
        """A string that `from_string_handle` takes, in the same session."""
        if name is None:
            return self._string_handle
        return ops.iterator_to_string_handle(self._iterator_resource, name=name)
