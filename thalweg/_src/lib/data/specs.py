"""The types of the components of elements: how each is made of tensors, in an element and in a batch."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.core.sparse_tensor import SparseTensor, SparseTensorValue
from thalweg._src.core.type_spec import TensorSpec, TypeSpec, register_type_spec_from_value_converter
from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor, RaggedTensorValue
from thalweg._src.ops.ragged_tensors.ragged_variant import ragged_from_variant, ragged_to_variant
from thalweg._src.ops.sparse_tensors.sparse_serial import deserialize_sparse, serialize_many_sparse, serialize_sparse


class ComponentSpec(TypeSpec):
    """A TypeSpec of components of elements: `_flat_tensor_specs` says which tensors stand for one."""

    def _to_tensor_list(self, value: Any) -> list[Tensor]:
        raise NotImplementedError

    def _to_batched_tensor_list(self, value: Any) -> list[Tensor]:
        raise NotImplementedError

    def _from_tensor_list(self, tensors: list[Tensor]) -> Any:
        raise NotImplementedError

    def _batch(self, batch_size: int | None) -> Any:
        raise NotImplementedError

    def _unbatch(self) -> Any:
        raise NotImplementedError

    def _to_legacy_output_types(self) -> Any:
        return self

    def _to_legacy_output_shapes(self) -> Any:
        return self

    def _to_legacy_output_classes(self) -> Any:
        return self


class SparseTensorSpec(ComponentSpec):
    """The dtype and shape of a SparseTensor."""

    __slots__ = ("_dtype", "_shape")

    def __init__(self, shape: Any = None, dtype: Any = dtypes.float32):
        self._shape, self._dtype = as_shape(shape), dtypes.as_dtype(dtype)

    @classmethod
    def from_value(cls, value: Any) -> "SparseTensorSpec":
        """The spec of a SparseTensor or SparseTensorValue."""
        if isinstance(value, SparseTensor):
            return cls(value.shape, value.dtype)
        if isinstance(value, SparseTensorValue):
            if isinstance(value.values, np.ndarray):
                return cls(list(value.dense_shape), to_tensor(value.values).dtype)
            return cls.from_value(SparseTensor.from_value(value))
        raise TypeError("Expected SparseTensor or SparseTensorValue")

    @property
    def dtype(self) -> Any:
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        return self._shape

    value_type = property(lambda self: SparseTensor)

    def _serialize(self) -> Any:
        return (self._shape, self._dtype)

    @property
    def _component_specs(self) -> Any:
        rank = self._shape.ndims
        return [
            TensorSpec([None, rank], dtypes.int64),
            TensorSpec([None], self._dtype),
            TensorSpec([rank], dtypes.int64),
        ]

    def _to_components(self, value: Any) -> Any:
        if isinstance(value, SparseTensorValue):
            value = SparseTensor.from_value(value)
        return [value.indices, value.values, value.dense_shape]

    def _from_components(self, components: Any) -> Any:
        fed = all(isinstance(c, np.ndarray) for c in components)
        return SparseTensorValue(*components) if fed else SparseTensor(*components)

    @property
    def _flat_tensor_specs(self) -> list[Any]:
        return [TensorSpec(None, dtypes.variant)]

    def _to_tensor_list(self, value: Any) -> list[Tensor]:
        if isinstance(value, SparseTensorValue):
            value = SparseTensor.from_value(value)
        return [serialize_sparse(value, out_type=dtypes.variant)]

    def _to_batched_tensor_list(self, value: Any) -> list[Tensor]:
        if value.dense_shape.dims is not None and value.dense_shape.dims[0] == 0:
            raise ValueError("Unbatching a sparse tensor is only supported for rank >= 1")
        return [serialize_many_sparse(value, out_type=dtypes.variant)]

    def _from_tensor_list(self, tensors: list[Tensor]) -> Any:
        return deserialize_sparse(tensors[0], dtype=self._dtype, rank=self._shape.ndims)

    def _batch(self, batch_size: int | None) -> Any:
        return SparseTensorSpec(TensorShape([batch_size]).concatenate(self._shape), self._dtype)

    def _unbatch(self) -> Any:
        if self._shape.ndims == 0:
            raise ValueError("Unbatching a tensor is only supported for rank >= 1")
        return SparseTensorSpec(self._shape[1:], self._dtype)

    def _to_legacy_output_types(self) -> Any:
        return self._dtype

    def _to_legacy_output_shapes(self) -> Any:
        return self._shape

    def _to_legacy_output_classes(self) -> Any:
        return SparseTensor


class RaggedTensorSpec(ComponentSpec):
    """The dtype, shape and number of ragged dimensions of a RaggedTensor."""

    __slots__ = ("_dtype", "_ragged_rank", "_row_splits_dtype", "_shape")

    def __init__(
        self,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        ragged_rank: Any = None,
        row_splits_dtype: Any = dtypes.int64,
    ):
        self._shape, self._dtype = as_shape(shape), dtypes.as_dtype(dtype)
        self._row_splits_dtype = dtypes.as_dtype(row_splits_dtype)
        rank = self._shape.ndims
        if ragged_rank is None:
            if rank is None:
                raise ValueError("Must specify ragged_rank or a shape with a known rank.")
            ragged_rank = rank - 1
        self._ragged_rank = ragged_rank
        if not isinstance(ragged_rank, int):
            raise TypeError("ragged_rank must be an int")
        if rank is not None and ragged_rank >= rank:
            raise ValueError("ragged_rank must be less than rank.")

    @classmethod
    def from_value(cls, value: Any) -> "RaggedTensorSpec":
        """The spec of a RaggedTensor or RaggedTensorValue."""
        return cls(value.shape, value.dtype, value.ragged_rank, value.row_splits.dtype)

    value_type = property(lambda self: RaggedTensor if self._ragged_rank > 0 else Tensor)

    def _serialize(self) -> Any:
        return (self._shape, self._dtype, self._ragged_rank, self._row_splits_dtype)

    @property
    def _component_specs(self) -> Any:
        splits = [TensorSpec([None], self._row_splits_dtype) for _ in range(self._ragged_rank)]
        rest = None if self._shape.ndims is None else [None, *self._shape.as_list()[self._ragged_rank + 1 :]]
        return [TensorSpec(rest, self._dtype), *splits]

    def _to_components(self, value: Any) -> Any:
        return [value.flat_values, *value.nested_row_splits]

    def _from_components(self, components: Any) -> Any:
        return RaggedTensor.from_nested_row_splits(components[0], components[1:])

    @property
    def _flat_tensor_specs(self) -> list[Any]:
        return [TensorSpec(None, dtypes.variant)]

    def _to_tensor_list(self, value: Any) -> list[Tensor]:
        return [ragged_to_variant(value, batched=False)]

    def _to_batched_tensor_list(self, value: Any) -> list[Tensor]:
        return [ragged_to_variant(value, batched=True)]

    def _from_tensor_list(self, tensors: list[Tensor]) -> Any:
        result = ragged_from_variant(tensors[0], self._dtype, self._ragged_rank, self._row_splits_dtype)
        if self._shape.ndims is not None:
            flat = result.flat_values if isinstance(result, RaggedTensor) else result
            flat.set_shape(
                [None, *self._shape.as_list()[self._ragged_rank + 1 :]] if self._ragged_rank else self._shape
            )
        return result

    def _batch(self, batch_size: int | None) -> Any:
        shape = TensorShape([batch_size]).concatenate(self._shape)
        return RaggedTensorSpec(shape, self._dtype, self._ragged_rank + 1, self._row_splits_dtype)

    def _unbatch(self) -> Any:
        rank = self._ragged_rank - 1
        return RaggedTensorSpec(self._shape[1:], self._dtype, rank, self._row_splits_dtype)

    def _to_legacy_output_types(self) -> Any:
        return self._dtype

    def _to_legacy_output_shapes(self) -> Any:
        return self._shape


register_type_spec_from_value_converter(SparseTensor, SparseTensorSpec.from_value)
register_type_spec_from_value_converter(SparseTensorValue, SparseTensorSpec.from_value)
register_type_spec_from_value_converter(RaggedTensor, RaggedTensorSpec.from_value)
register_type_spec_from_value_converter(RaggedTensorValue, RaggedTensorSpec.from_value)
