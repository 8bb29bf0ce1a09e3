"""tensorflow.python.framework.tensor_util: tensors and protos, tensors and their values."""

from typing import Any

from thalweg._src.core import infer
from thalweg._src.core.graph import Tensor
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.core.tensor_protos import make_ndarray, make_tensor_proto
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices

MakeNdarray = make_ndarray


def constant_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor where it is known while the graph is built, else None."""
    return infer.get_static_value(tensor, partial)


def constant_value_as_shape(tensor: Any) -> TensorShape:
    """The value of a vector of sizes, as far as it is known."""
    return TensorShape(infer.partial_value(tensor))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor, a variable, sparse, or slices."""
    return isinstance(x, Tensor | SparseTensor | IndexedSlices) or hasattr(x, "initial_value")


def ShapeEquals(tensor_proto: Any, shape: Any) -> bool:
    """Whether a TensorProto has that shape."""
    return [d.size for d in tensor_proto.tensor_shape.dim] == [int(n) for n in shape]


__all__ = [
    *("MakeNdarray", "ShapeEquals", "constant_value", "constant_value_as_shape", "is_tensor", "make_ndarray"),
    "make_tensor_proto",
]
