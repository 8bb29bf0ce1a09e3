"""The nearest admissible multipliers, matrices and distributions."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.ops import array, math
from thalweg._src.ops.control.while_loop import while_loop


def _check(tensor: Tensor, name: str, rank: int) -> int:
    """The length of the first axis. ValueError for integers, other ranks and unknown lengths."""
    if not tensor.dtype.is_floating:
        raise ValueError(f"{name} must have a floating-point dtype")
    shape = tensor.get_shape()
    if shape.ndims is None:
        raise ValueError(f"{name} must have known shape")
    if shape.ndims != rank:
        word = {1: "one", 2: "two"}[rank]
        raise ValueError(f"{name} must be {word} dimensional (instead is {shape.ndims}-dimensional)")
    if len(set(shape.as_list())) > 1:
        raise ValueError(f"{name} must be square (instead has shape {shape})")
    if shape.as_list()[0] is None:
        raise ValueError(f"{name} must have fully-known shape")
    return shape.as_list()[0]


def _shifted_down(values: Tensor, rounds: int, excess: Any) -> Tensor:
    """`values`, moved by `excess(values)` shared among those above 0, until no more of them become 0."""

    def body(turn: Any, values: Tensor, positive: Tensor, _: Tensor) -> Any:
        count = math.maximum(1.0, math.reduce_sum(positive, axis=0, keepdims=True))
        values = values + excess(values) / count * positive
        left = math.cast(values > 0, values.dtype)
        return turn + 1, values * left, left, positive

    def going_on(turn: Tensor, _: Tensor, positive: Tensor, before: Tensor) -> Tensor:
        return math.logical_and(turn < rounds, math.reduce_any(math.not_equal(positive, before)))

    ones = array.ones_like(values)
    first = body(array.constant(0), values, ones, ones)
    return while_loop(going_on, body, first, name="euclidean_projection")[1]


def onto_ball(multipliers: Tensor, radius: float) -> Tensor:
    """The nearest vector of numbers from 0 on whose sum is at most `radius` (Duchi et al. 2008). ValueError for others."""
    size = _check(multipliers, "multipliers", 1)
    return _shifted_down(
        multipliers, size, lambda values: math.minimum(0.0, radius - math.reduce_sum(values, axis=0, keepdims=True))
    )


def onto_stochastic(matrix: Tensor) -> Tensor:
    """The nearest matrix whose columns are distributions. ValueError for what is no square matrix."""
    size = _check(matrix, "matrix", 2)
    return _shifted_down(matrix, size, lambda values: 1.0 - math.reduce_sum(values, axis=0, keepdims=True))


def onto_log_stochastic(log_matrix: Tensor) -> Tensor:
    """The logarithms of columns that are distributions, nearest by divergence."""
    log_matrix = log_matrix - math.reduce_max(log_matrix, axis=0, keepdims=True)
    return log_matrix - math.log(math.reduce_sum(math.exp(log_matrix), axis=0, keepdims=True))


def stationary(matrix: Tensor, epsilon: float = 1e-6, maximum_iterations: int = 100) -> Tensor:
    """The eigenvector of the largest eigenvalue, by repeated products. ValueError for integers and bounds not above 0."""
    if not matrix.dtype.is_floating:
        raise ValueError("multipliers must have a floating-point dtype")
    if epsilon <= 0.0:
        raise ValueError("epsilon must be strictly positive")
    if maximum_iterations <= 0:
        raise ValueError("maximum_iterations must be strictly positive")

    def body(turn: Any, vector: Tensor, _: Tensor) -> Any:
        product = math.matmul(matrix, array.expand_dims(vector, 1))[:, 0]
        return turn + 1, product / math.norm(product), vector

    def going_on(turn: Tensor, vector: Tensor, before: Tensor) -> Tensor:
        return math.logical_and(turn < maximum_iterations, math.norm(vector - before) > epsilon)

    ones = array.ones_like(matrix[:, 0])
    start = ones / math.norm(ones)
    first = body(array.constant(0, dtypes.int32), start, start)
    return while_loop(going_on, body, first, name="power_method")[1]
