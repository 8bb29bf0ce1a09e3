"""tensorflow.python.framework.type_spec: descriptions of the types of values."""

from typing import Any

from thalweg._src.core.type_spec import (
    TensorSpec,
    TypeSpec,
    register_type_spec_from_value_converter,
    type_spec_from_value,
)

__all__ = [
    *("BatchableTypeSpec", "TensorSpec", "TypeSpec", "register_type_spec_from_value_converter", "type_spec_from_value"),
]


class BatchableTypeSpec(TypeSpec):
    """Describes values that can be stacked to a batch and taken out of one."""

    def _batch(self, batch_size: Any) -> TypeSpec:
        """The description of `batch_size` (None: any number) such values, stacked."""
        raise NotImplementedError(f"{type(self).__name__}._batch")

    def _unbatch(self) -> TypeSpec:
        """The description of one value of a batch that this describes."""
        raise NotImplementedError(f"{type(self).__name__}._unbatch")
