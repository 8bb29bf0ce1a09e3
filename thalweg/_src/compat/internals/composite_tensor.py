"""tensorflow.python.framework.composite_tensor: values that are made of several tensors."""

from typing import Any

from thalweg._src.core.type_spec import TypeSpec
from thalweg._src.lib import nesting


class _HasComponents(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return cls in type(value).__mro__ or (
            cls is CompositeTensor
            and nesting.is_sequence_or_composite(value)
            and not nesting.is_sequence(value)
            and not isinstance(value, TypeSpec)
        )


class CompositeTensor(metaclass=_HasComponents):
    """The base of such values; sparse tensors, slices and ragged tensors are instances."""


def is_composite_or_composite_value(tensor: Any) -> bool:
    """Whether `tensor` is made of several, or is what a session gives for such a one."""
    return isinstance(tensor, CompositeTensor)
