"""tf.data.experimental.Optional: an element, or none."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.lib.data import structure
from thalweg._src.lib.data.iterator import Iterator
from thalweg._src.lib.data.specs import ComponentSpec
from thalweg._src.ops.data import optional as ops


class Optional:
    """A value that may be missing."""

    def __init__(self, variant_tensor: Tensor, value_structure: Any):
        self._variant_tensor, self._value_structure = variant_tensor, value_structure

    @staticmethod
    def from_value(value: Any) -> "Optional":
        """An Optional that has `value`."""
        with name_scope("optional") as scope, name_scope("value"):
            spec = structure.spec_of(value)
            tensors = structure.to_tensors(spec, value)
            return Optional(ops.optional_from_value(tensors, name=scope), spec)

    @staticmethod
    def none_from_structure(value_structure: Any) -> "Optional":
        """An Optional without a value."""
        return Optional(ops.optional_none(), value_structure)

    def has_value(self, name: str | None = None) -> Tensor:
        """Whether there is a value."""
        return ops.optional_has_value(self._variant_tensor, name=name)

    def get_value(self, name: str | None = None) -> Any:
        """The value. A run raises InvalidArgumentError where there is none."""
        with name_scope(name, "OptionalGetValue", [self._variant_tensor]) as scope:
            attrs = structure.attrs(self._value_structure)
            tensors = ops.optional_get_value(self._variant_tensor, name=scope, **attrs)
        return structure.from_tensors(self._value_structure, tensors)

    @property
    def value_structure(self) -> Any:
        """The structure of the value."""
        return self._value_structure

    @property
    def _type_spec(self) -> "OptionalSpec":
        return OptionalSpec(self._value_structure)


class OptionalSpec(ComponentSpec):
    """An Optional whose value is of `value_structure`."""

    def __init__(self, value_structure: Any):
        self._value_structure = value_structure

    @staticmethod
    def from_value(value: Any) -> "OptionalSpec":
        """The type of `value`, an Optional."""
        return OptionalSpec(value.value_structure)

    value_type = property(lambda self: Optional)

    def _serialize(self) -> Any:
        return (self._value_structure,)

    @property
    def _component_specs(self) -> Any:
        return [TensorSpec([], dtypes.variant)]

    def _to_components(self, value: Any) -> Any:
        return [value._variant_tensor]

    def _from_components(self, components: Any) -> Any:
        return Optional(components[0], self._value_structure)

    @property
    def _flat_tensor_specs(self) -> list[Any]:
        return [TensorSpec([], dtypes.variant)]

    def _to_tensor_list(self, value: Any) -> list[Any]:
        return [value._variant_tensor]

    def _from_tensor_list(self, tensors: list[Any]) -> Any:
        return Optional(tensors[0], self._value_structure)


def get_next_as_optional(iterator: Iterator) -> Optional:
    """The next element of `iterator` as an Optional, which has no value behind the last one."""
    return iterator.get_next_as_optional()
