"""tf.ConditionalAccumulator and tf.SparseConditionalAccumulator as objects of the graph."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import as_dtype
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.shapes import TensorShape
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.queueing import accumulators as ops
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices


class ConditionalAccumulatorBase:
    """What both kinds share: gradients of the current step are added, older ones dropped; taking waits until there are enough."""

    def __init__(self, dtype: Any, shape: Any, accumulator_ref: Tensor):
        self._dtype, self._shape = as_dtype(dtype), TensorShape(shape)
        self._accumulator_ref = accumulator_ref
        self._name = accumulator_ref.op.name.split("/")[-1]

    @property
    def accumulator_ref(self) -> Tensor:
        """The handle of the accumulator."""
        return self._accumulator_ref

    @property
    def name(self) -> str:
        """The name of the accumulator."""
        return self._name

    @property
    def dtype(self) -> Any:
        """The dtype of the gradients."""
        return self._dtype

    def _use(self, what: str) -> Any:
        resource = self._accumulator_ref.dtype.base_dtype == dtypes.resource
        return (ops.OF_RESOURCES if resource else ops.OF_REFERENCES)[what]

    def num_accumulated(self, name: str | None = None) -> Tensor:
        """How many gradients have been added since the last were taken."""
        return self._use("count")(self._accumulator_ref, name=name or f"{self._name}_NumAccumulated")

    def set_global_step(self, new_global_step: Any, name: str | None = None) -> Operation:
        """Set the step: gradients of earlier ones are dropped."""
        step = cast(to_tensor(new_global_step), dtypes.int64)
        return self._use("set_step")(self._accumulator_ref, step, name=name)


class ConditionalAccumulator(ConditionalAccumulatorBase):
    """An accumulator of tensors; `reduction_type` is MEAN or SUM. Those with the same `shared_name` are one."""

    def __init__(
        self,
        dtype: Any,
        shape: Any = None,
        shared_name: str | None = None,
        name: str = "conditional_accumulator",
        reduction_type: str = "MEAN",
    ):
        ref = ops.OF_RESOURCES["new"](
            dtype=dtype, shape=shape, shared_name=shared_name, name=name, reduction_type=reduction_type
        )
        super().__init__(dtype, shape, ref)

    def apply_grad(self, grad: Any, local_step: Any = 0, name: str | None = None) -> Operation:
        """Add a gradient, unless `local_step` is earlier than the accumulator's."""
        grad = to_tensor(grad, self._dtype)
        grad.shape.assert_is_compatible_with(self._shape)
        step = cast(to_tensor(local_step), dtypes.int64)
        return self._use("apply")(self._accumulator_ref, step, grad, name=name)

    def take_grad(self, num_required: Any, name: str | None = None) -> Tensor:
        """The mean (or sum), when `num_required` gradients have come; the step goes on by one."""
        out = self._use("take")(self._accumulator_ref, num_required, dtype=self._dtype, name=name)
        out.set_shape(self._shape)
        return out


class SparseConditionalAccumulator(ConditionalAccumulatorBase):
    """An accumulator of rows of tensors. The mean of a row is over the gradients that have it."""

    def __init__(
        self,
        dtype: Any,
        shape: Any = None,
        shared_name: str | None = None,
        name: str = "sparse_conditional_accumulator",
        reduction_type: str = "MEAN",
    ):
        ref = ops.sparse_accumulator(
            dtype=dtype, shape=shape, shared_name=shared_name, name=name, reduction_type=reduction_type
        )
        super().__init__(dtype, shape, ref)

    def apply_indexed_slices_grad(self, grad: IndexedSlices, local_step: Any = 0, name: str | None = None) -> Operation:
        """Add IndexedSlices, unless `local_step` is earlier than the accumulator's."""
        return self.apply_grad(grad.indices, grad.values, grad.dense_shape, local_step, name)

    def apply_grad(
        self,
        grad_indices: Any,
        grad_values: Any,
        grad_shape: Any = None,
        local_step: Any = 0,
        name: str | None = None,
    ) -> Operation:
        """Add the rows `grad_values` at `grad_indices` of a tensor of shape `grad_shape`."""
        return ops.sparse_apply_gradient(
            self._accumulator_ref,
            cast(to_tensor(local_step), dtypes.int64),
            cast(grad_indices, dtypes.int64),
            grad_values,
            cast([] if grad_shape is None else grad_shape, dtypes.int64),
            has_known_shape=grad_shape is not None,
            name=name,
        )

    def take_grad(self, num_required: Any, name: str | None = None) -> Any:
        """(indices, values, shape) of the mean, when `num_required` gradients have come."""
        return ops.sparse_take_gradient(self._accumulator_ref, num_required, dtype=self._dtype, name=name)

    def take_indexed_slices_grad(self, num_required: Any, name: str | None = None) -> IndexedSlices:
        """The mean as IndexedSlices, when `num_required` gradients have come."""
        taken = self.take_grad(num_required, name)
        return IndexedSlices(indices=taken.indices, values=taken.values, dense_shape=taken.shape)
