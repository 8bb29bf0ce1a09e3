"""Numbers of elements that are none, and older names of specs."""

from typing import Any

from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.lib.data.specs import RaggedTensorSpec, SparseTensorSpec

INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2


def TensorStructure(dtype: Any, shape: Any) -> TensorSpec:
    """`tf.TensorSpec`, its arguments in the other order."""
    return TensorSpec(shape, dtype)


def SparseTensorStructure(dtype: Any, shape: Any) -> SparseTensorSpec:
    """`tf.SparseTensorSpec`, its arguments in the other order."""
    return SparseTensorSpec(shape, dtype)


def RaggedTensorStructure(dtype: Any, shape: Any, ragged_rank: int) -> RaggedTensorSpec:
    """`tf.RaggedTensorSpec`, its arguments in another order."""
    return RaggedTensorSpec(shape, dtype, ragged_rank)
