"""IndexedSlices: rows of a larger tensor, as the gradient of a gather is: `values[i]` belongs to row `indices[i]`."""

import collections
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.convert import register_tensor_conversion_function, to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.core.type_spec import TensorSpec, TypeSpec, register_type_spec_from_value_converter

IndexedSlicesValue = collections.namedtuple("IndexedSlicesValue", ["values", "indices", "dense_shape"])

# Turning more elements than this into a dense tensor is worth a warning.
_LARGE = 100_000_000


class IndexedSlices:
    """Rows of a tensor of shape `dense_shape`: `values` [n, ...] for the rows `indices` [n]; a row may come several times."""

    def __init__(self, values: Tensor, indices: Tensor, dense_shape: Tensor | None = None):
        self._values, self._indices, self._dense_shape = values, indices, dense_shape

    @property
    def values(self) -> Tensor:
        return self._values

    @property
    def indices(self) -> Tensor:
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        from thalweg._src.core import infer

        if self._dense_shape is None:
            return TensorShape(None)
        return TensorShape._of(infer.partial_value(self._dense_shape))

    @property
    def name(self) -> str:
        return self._values.name

    @property
    def device(self) -> str:
        return self._values.device

    @property
    def op(self) -> Operation:
        return self._values.op

    @property
    def dtype(self) -> DType:
        return self._values.dtype

    @property
    def graph(self) -> Graph:
        return self._values.graph

    def consumers(self) -> list[Operation]:
        return self._values.consumers()

    def _with_values(self, values: Tensor) -> "IndexedSlices":
        return IndexedSlices(values, self._indices, self._dense_shape)

    # What Session.run fetches and feeds in the place of the whole.

    def _components(self) -> list[Tensor]:
        return [t for t in (self._values, self._indices, self._dense_shape) if t is not None]

    def _from_values(self, values: Sequence[Any]) -> IndexedSlicesValue:
        return IndexedSlicesValue(*values, *[None] * (3 - len(values)))

    def __neg__(self) -> "IndexedSlices":
        return self._with_values(-self._values)  # type: ignore[operator]

    def __str__(self) -> str:
        shape = "" if self._dense_shape is None else f", dense_shape={self._dense_shape}"
        return f"IndexedSlices(indices={self._indices}, values={self._values}{shape})"

    __repr__ = __str__


def _to_dense(value: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Any:
    from thalweg._src.core.infer import constant_value
    from thalweg._src.ops.numeric.segments import unsorted_segment_sum

    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Tensor conversion requested dtype {dtype.name} for IndexedSlices with dtype {value.dtype.name}"
        )
    if value.dense_shape is None:
        raise ValueError(f"Tensor conversion requested for IndexedSlices without dense_shape: {value!s}")
    shape = constant_value(value.dense_shape)
    if shape is not None and shape.prod() >= _LARGE:
        warnings.warn(
            f"Converting sparse IndexedSlices to a dense Tensor with {int(shape.prod())} elements. "
            "This may consume a large amount of memory.",
            stacklevel=2,
        )
    return unsorted_segment_sum(value.values, value.indices, value.dense_shape[0], name=name)


register_tensor_conversion_function(IndexedSlices, _to_dense, 100)


def convert_to_tensor_or_indexed_slices(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """`value` itself if it is IndexedSlices or a SparseTensor, a Tensor otherwise."""
    if hasattr(value, "_components"):
        if dtype is not None and not dtypes.as_dtype(dtype).is_compatible_with(value.dtype):
            raise ValueError(
                f"Tensor conversion requested dtype {dtypes.as_dtype(dtype).name} for Tensor with dtype {value.dtype.name}: {value!s}"
            )
        return value
    return to_tensor(value, None if dtype is None else dtypes.as_dtype(dtype), name)


def as_slices(value: Any) -> IndexedSlices:
    """`value` as IndexedSlices: a dense tensor gives all its rows."""
    if isinstance(value, IndexedSlices):
        return value
    from thalweg._src.ops.array import shape_internal
    from thalweg._src.ops.arrays.ranges import range as range_

    v = to_tensor(value)
    return IndexedSlices(v, range_(0, shape_internal(v)[0]), shape_internal(v, optimize=False))


def scaled(gradient: Any, factor: Any) -> Any:
    """A gradient, dense or in slices, times a number; None stays None."""
    if isinstance(gradient, IndexedSlices):
        return IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
    return None if gradient is None else gradient * factor


def concat_slices(parts: list[Any]) -> IndexedSlices:
    """The sum of IndexedSlices (and dense tensors) of one shape, as the list of all their rows."""
    from thalweg._src.ops.arrays.joining import concat
    from thalweg._src.ops.numeric.casting import cast

    slices = [as_slices(p) for p in parts]
    indices = [s.indices for s in slices]
    if len({i.dtype.base_dtype for i in indices}) > 1:
        indices = [cast(i, dtypes.int64) for i in indices]
    return IndexedSlices(concat([s.values for s in slices], 0), concat(indices, 0), slices[0].dense_shape)


class IndexedSlicesSpec(TypeSpec):
    """The type of IndexedSlices: of the whole (`shape`, `dtype`), and of the parts that say which rows there are."""

    __slots__ = ("_dense_shape_dtype", "_indices_dtype", "_indices_shape", "_shape", "_values_dtype")

    value_type = property(lambda self: IndexedSlices)

    def __init__(
        self,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        indices_dtype: Any = dtypes.int64,
        dense_shape_dtype: Any = None,
        indices_shape: Any = None,
    ):
        self._shape, self._indices_shape = as_shape(shape), as_shape(indices_shape).with_rank(1)
        self._values_dtype, self._indices_dtype = dtypes.as_dtype(dtype), dtypes.as_dtype(indices_dtype)
        self._dense_shape_dtype = None if dense_shape_dtype is None else dtypes.as_dtype(dense_shape_dtype)

    def _serialize(self) -> Any:
        kinds = self._values_dtype, self._indices_dtype, self._dense_shape_dtype
        return (self._shape, *kinds, self._indices_shape)

    @property
    def _component_specs(self) -> Any:
        values = TensorSpec(self._indices_shape.concatenate(self._shape[1:]), self._values_dtype)
        specs = values, TensorSpec(self._indices_shape, self._indices_dtype)
        if self._dense_shape_dtype is None:
            return specs
        return (*specs, TensorSpec([self._shape.ndims], self._dense_shape_dtype))

    def _to_components(self, value: Any) -> Any:
        return tuple(value._components())

    def _from_components(self, components: Any) -> Any:
        fed = all(isinstance(c, np.ndarray) for c in components)
        return IndexedSlicesValue(*components, *[None] * (3 - len(components))) if fed else IndexedSlices(*components)

    @classmethod
    def _of(cls, value: IndexedSlices) -> "IndexedSlicesSpec":
        kind = None if value.dense_shape is None else value.dense_shape.dtype
        return cls(value.shape, value.dtype, value.indices.dtype, kind, value.indices.shape)


register_type_spec_from_value_converter(IndexedSlices, IndexedSlicesSpec._of)
