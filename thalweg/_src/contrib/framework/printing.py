"""A value that prints itself whenever it is computed, with its name, type and shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.late import math
from thalweg._src.ops.reports.printing import Print
from thalweg._src.ops.stateful.variables import Variable

_KINDS = (Tensor, SparseTensor, TensorArray, Variable)


def print_op(
    input_: Any,
    data: Sequence[Any] | None = None,
    message: str | None = None,
    first_n: int | None = None,
    summarize: int = 20,
    print_tensor_name: bool = True,
    print_tensor_type: bool = True,
    print_shape: bool = True,
    summarize_indicator_vector: bool = True,
    name: str | None = None,
) -> Any:
    """`input_` (dense, sparse, a TensorArray or a variable), which is printed when it is computed, and `data` with it.

    `summarize_indicator_vector` adds the place of the first True of a boolean tensor. ValueError for other kinds of values.
    """

    def described(value: Any) -> list[Any]:
        kind = next((k for k in _KINDS if isinstance(value, k)), None)
        if kind is None:
            raise ValueError(f"{value!r} is no Tensor, SparseTensor, TensorArray or Variable")
        said: list[Any] = ["Name: " + value.name] if print_tensor_name and kind is Tensor else []
        if print_tensor_type:
            said.append(f"Type: {kind.__name__} ({value.dtype.name})")
        if print_shape:
            said += _size(value)
        if summarize_indicator_vector and value.dtype == dtypes.bool:
            said += ["First True in Boolean tensor at:", math.argmax(math.cast(value, dtypes.uint8), 0)]
        return said + _numbers(value)

    said = [part for value in (input_, *(data or ())) for part in described(value)]

    def printing(tensor: Any) -> Tensor:
        return Print(tensor, said, message=message or "", first_n=first_n, summarize=summarize, name=name)

    if isinstance(input_, SparseTensor):
        return SparseTensor(input_.indices, printing(input_.values), input_.dense_shape)
    if isinstance(input_, TensorArray):
        held = input_.stack()
        return TensorArray(input_.dtype, size=input_.size(), clear_after_read=False).unstack(printing(held))
    return printing(input_)


def _size(value: Any) -> list[Any]:
    if isinstance(value, SparseTensor):
        return ["Shape:", value.dense_shape]
    if isinstance(value, TensorArray):
        return ["Size:", value.size()]
    return [f"Shape: {value.get_shape().dims}"] if isinstance(value, Tensor) else []


def _numbers(value: Any) -> list[Any]:
    if isinstance(value, SparseTensor):
        return ["Sparse indices:", value.indices, "Sparse values:", value.values]
    return ["Value:", value.stack() if isinstance(value, TensorArray) else value]
