"""The type of a dataset as a component of an element."""

from typing import Any

from thalweg._src.core import dtypes, nest
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.lib.data.specs import ComponentSpec


class DatasetSpec(ComponentSpec):
    """A dataset whose elements are of `element_spec`; `dataset_shape` is that of a batch of such datasets."""

    def __init__(self, element_spec: Any, dataset_shape: Any = ()):
        self._element_spec, self._dataset_shape = element_spec, as_shape(dataset_shape)

    @staticmethod
    def from_value(value: Any) -> "DatasetSpec":
        """The type of `value`, a dataset."""
        return DatasetSpec(value.element_spec)

    @property
    def value_type(self) -> Any:
        from thalweg._src.lib.data.dataset import Dataset

        return Dataset

    def _serialize(self) -> Any:
        return (self._element_spec, self._dataset_shape)

    @property
    def _component_specs(self) -> Any:
        return TensorSpec(self._dataset_shape, dtypes.variant)

    def _to_components(self, value: Any) -> Any:
        return value._variant_tensor

    def _from_components(self, components: Any) -> Any:
        from thalweg._src.lib.data.dataset import Dataset

        if self._dataset_shape.ndims == 0:
            return Dataset(components, self._element_spec)
        return NestedVariant(components, self._element_spec, self._dataset_shape)

    @property
    def _flat_tensor_specs(self) -> list[Any]:
        return [TensorSpec(self._dataset_shape, dtypes.variant)]

    def _to_tensor_list(self, value: Any) -> list[Any]:
        return [to_tensor(value._variant_tensor)]

    def _to_batched_tensor_list(self, value: Any) -> list[Any]:
        if self._dataset_shape.ndims == 0:
            raise ValueError("Unbatching a dataset is only supported for rank >= 1")
        return self._to_tensor_list(value)

    def _from_tensor_list(self, tensors: list[Any]) -> Any:
        return self._from_components(tensors[0])

    def _batch(self, batch_size: int | None) -> "DatasetSpec":
        return DatasetSpec(self._element_spec, TensorShape([batch_size]).concatenate(self._dataset_shape))

    def _unbatch(self) -> "DatasetSpec":
        if self._dataset_shape.ndims == 0:
            raise ValueError("Unbatching a dataset is only supported for rank >= 1")
        return DatasetSpec(self._element_spec, self._dataset_shape[1:])


class NestedVariant:
    """A batch of datasets."""

    def __init__(self, variant_tensor: Any, element_spec: Any, dataset_shape: Any):
        self._variant_tensor, self._element_spec, self._dataset_shape = variant_tensor, element_spec, dataset_shape

    @staticmethod
    def of(datasets: list[Any]) -> "NestedVariant":
        """A batch from (nested) lists of datasets."""
        variants = to_tensor(nest.map_leaves(lambda d: d._variant_tensor, datasets))
        return NestedVariant(variants, nest.flatten(datasets)[0].element_spec, variants.shape)

    @property
    def _type_spec(self) -> DatasetSpec:
        return DatasetSpec(self._element_spec, self._dataset_shape)
