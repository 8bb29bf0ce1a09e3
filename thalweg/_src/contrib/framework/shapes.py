"""Tensors that are made sure to have a shape, and sums of lists of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib import weights
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import shaping
from thalweg._src.ops.numeric import arithmetic, compare, reduce
from thalweg._src.ops.reports import checks
from thalweg._src.ops.reports.checks import Assert
from thalweg._src.ops.stateful.variables import Variable


def reduce_sum_n(tensors: Any, name: str | None = None) -> Tensor:
    """The sum of all elements of all tensors. Raises ValueError without tensors."""
    if not tensors:
        raise ValueError("No tensors provided.")
    with scopes.name_scope(name, "reduce_sum_n", tensors) as scope:
        sums = [reduce.reduce_sum(t, name=f"{t.op.name}/sum") for t in tensors]
        return sums[0] if len(sums) == 1 else arithmetic.add_n(sums, name=scope)


def assert_scalar_int(tensor: Any, name: str | None = None) -> Tensor:
    """`tensor`, an integer scalar. Raises ValueError for anything else."""
    with scopes.name_scope(name, "assert_scalar_int", [tensor]) as scope:
        tensor = to_tensor(tensor)
        if not tensor.dtype.base_dtype.is_integer:
            raise ValueError(f"Expected integer type for {tensor.name}, received type: {tensor.dtype}.")
        return checks.assert_scalar(tensor, name=scope)


def with_same_shape(expected_tensor: Any, tensor: Any) -> Tensor:
    """`tensor`, with the shape of `expected_tensor`: known from now on, or checked when it runs."""
    with scopes.name_scope(f"{tensor.op.name}/", values=[expected_tensor, tensor]):
        shape = expected_tensor.get_shape()
        known = shape.is_fully_defined()
        return with_shape(shape.as_list() if known else shaping.shape(expected_tensor, name="expected_shape"), tensor)


def with_shape(expected_shape: Any, tensor: Any) -> Tensor:
    """`tensor`, of `expected_shape`: known from now on, or checked when it runs.

    Raises ValueError where it is known to have another one, and for what is no vector of int32.
    """
    if isinstance(tensor, SparseTensor):
        raise ValueError("SparseTensor not supported.")
    dynamic = isinstance(expected_shape, Tensor | Variable)
    if isinstance(expected_shape, list | tuple):
        expected_shape = np.asarray(expected_shape, None if len(expected_shape) else np.int32)
        if expected_shape.dtype == np.int64:
            expected_shape = expected_shape.astype(np.int32)
    if not dynamic and isinstance(expected_shape, np.ndarray) and expected_shape.ndim > 1:
        raise ValueError(
            f"Invalid rank {expected_shape.ndim} for shape {expected_shape} expected of tensor {tensor.name}."
        )
    if (
        isinstance(expected_shape, np.ndarray | Tensor | Variable)
        and dtypes.as_dtype(expected_shape.dtype).base_dtype != dtypes.int32
    ):
        raise ValueError(
            f"Invalid dtype {expected_shape.dtype} for shape {expected_shape} expected of tensor {tensor.name}."
        )
    actual = tensor.get_shape()
    if dynamic or not actual.is_fully_defined():
        with scopes.name_scope(f"{tensor.op.name}/", values=[tensor]):
            if not dynamic and len(expected_shape) < 1:
                return shaping.reshape(tensor, [])
            with basic.control_dependencies([_assert_shape(expected_shape, tensor)]):
                result = basic.identity(tensor)
            if not dynamic:
                result.set_shape(expected_shape)
            return result
    if actual.is_compatible_with(expected_shape):
        return tensor
    if len(expected_shape) < 1 and actual.is_compatible_with([1]):
        with scopes.name_scope(f"{tensor.op.name}/", values=[tensor]):
            return shaping.reshape(tensor, [])
    raise ValueError(f"Invalid shape for tensor {tensor.name}, expected {expected_shape}, got {actual}.")


def _assert_shape(expected: Any, tensor: Tensor) -> Any:
    with scopes.name_scope("assert_shape", values=[tensor]) as scope:
        actual = shaping.shape(tensor, name="actual")
        if isinstance(expected, TensorShape) and not expected.is_fully_defined():
            expected = [d or -1 for d in expected.as_list()]
        message = f"Wrong shape for {tensor.name} [expected] [actual]."
        return Assert(_is_shape(expected, tensor, actual), [message, expected, actual], name=scope)


def _is_shape(expected: Any, tensor: Tensor, actual: Tensor) -> Tensor:
    with scopes.name_scope("is_shape", values=[tensor]) as scope:
        with scopes.name_scope("is_rank", values=[tensor]) as inner:
            rank = to_tensor(shaping.size(expected), name="expected")
            same_rank = compare.equal(rank, shaping.rank(tensor, name="actual"), name=inner)
        with scopes.name_scope("shape_tensor_equal", values=[expected, actual]) as inner:
            free = compare.equal(expected, -1)
            either = compare.logical_or(free, compare.equal(expected, actual, "equal"), name="exclude_partial_shape")
            same_sizes = reduce.reduce_all(either, name=inner)
        return compare.logical_and(same_rank, same_sizes, name=scope)


def remove_squeezable_dimensions(predictions: Any, labels: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """`predictions` and `labels` without a last dimension of 1 that one of them has beyond the other."""
    labels, predictions = weights.remove_squeezable_dimensions(labels, predictions, name=name)
    return predictions, labels
