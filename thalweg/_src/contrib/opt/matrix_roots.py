"""Roots of symmetric matrices by iterations of products, which devices do faster than decompositions."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.late import math
from thalweg._src.ops.linear import linalg, matrix_functions


def matrix_square_root(mat_a: Any, mat_a_size: Any, iter_count: int = 100, ridge_epsilon: float = 1e-4) -> Any:
    """The square root of a positive matrix, by Newton's iteration for a pair (Higham 1997, equation 2.6b).

    Stops as soon as the error of the square grows, and gives the value before that.
    """
    one = linalg.eye(math.cast(mat_a_size, dtypes.int32))
    mat_a = mat_a + ridge_epsilon * one
    norm = math.sqrt(math.reduce_sum(mat_a * mat_a))

    def better(i: Any, y: Any, last_y: Any, z: Any, error: Any, last_error: Any) -> Any:
        return math.logical_and(i < iter_count, error < last_error)

    def turn(i: Any, y: Any, last_y: Any, z: Any, error: Any, last_error: Any) -> Any:
        step = 0.5 * (3.0 * one - math.matmul(z, y))
        next_y = math.matmul(y, step)
        root = next_y * math.sqrt(norm)
        rest = mat_a - math.matmul(root, root)
        return i + 1, next_y, y, math.matmul(step, z), math.sqrt(math.reduce_sum(rest * rest)) / norm, error

    first = mat_a / norm
    _, _, last_y, _, _, _ = while_loop(better, turn, [0, first, first, one, norm, norm + 1.0])
    return last_y * math.sqrt(norm)


def matrix_inverse_pth_root(
    mat_g: Any, mat_g_size: Any, alpha: float, iter_count: int = 100, epsilon: float = 1e-6, ridge_epsilon: float = 1e-6
) -> Any:
    """A positive matrix to the power `alpha`, which is -1/p for a whole p (Guo and Higham 2006, equation 3.2)."""
    one = linalg.eye(math.cast(mat_g_size, dtypes.int32))
    if mat_g_size == 1:
        return math.pow(mat_g + ridge_epsilon, alpha)

    def unfinished(i: Any, m: Any, x: Any) -> Any:
        return math.logical_and(i < iter_count, math.reduce_max(math.abs(m - one)) > epsilon)

    def turn(i: Any, m: Any, x: Any) -> Any:
        step = (1 - alpha) * one + alpha * m
        return i + 1, math.matmul(_whole_power(step, round(-1.0 / alpha)), m), math.matmul(x, step)

    damped = mat_g + ridge_epsilon * one
    scale = (1 - 1 / alpha) / (2 * matrix_functions.norm(damped))
    return while_loop(unfinished, turn, [0, damped * scale, one * math.pow(scale, -alpha)])[2]


def _whole_power(matrix: Any, p: int) -> Any:
    """`matrix` times itself, p times in all (p > 0), by squares."""
    power = None
    while p > 0:
        if p % 2:
            power = matrix if power is None else math.matmul(matrix, power)
        p //= 2
        if p:
            matrix = math.matmul(matrix, matrix)
    return power
