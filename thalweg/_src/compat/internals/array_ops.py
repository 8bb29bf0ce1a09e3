"""tensorflow.python.ops.array_ops: sizes and shapes that may stay unknown until a run, in the order of arguments there."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Tensor
from thalweg._src.ops.arrays import shaping

__all__ = ["shape_internal", "size_internal"]


def shape_internal(
    input: Any, name: str | None = None, optimize: bool = True, out_type: DType = dtypes.int32
) -> Tensor:
    """The shape of a tensor, as a constant where it is known and `optimize` is true."""
    return shaping.shape_internal(input, optimize=optimize, out_type=dtypes.as_dtype(out_type), name=name)


def size_internal(input: Any, name: str | None = None, optimize: bool = True, out_type: DType = dtypes.int32) -> Tensor:
    """The number of a tensor's elements, as a constant where it is known and `optimize` is true."""
    return shaping.size_internal(input, optimize=optimize, out_type=dtypes.as_dtype(out_type), name=name)
