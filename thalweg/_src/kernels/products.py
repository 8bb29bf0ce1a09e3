"""Products of matrices on a CPU: large ones by a kernel, others by XLA, with a transposed matrix brought to where it is read quickly."""

from typing import Any

import numpy as np

from thalweg._src.core.apply import in_turn
from thalweg._src.core.lazy import lax
from thalweg._src.kernels.calls import called, derived, takes
from thalweg._src.ops.numeric.matmul import check_sizes, mat_mul_op

NARROW = 64  # columns of a matrix, or examples of a batch
LARGE = 1 << 16  # elements of a layer's weights above which it matters how they are read

# From where on the kernel is quicker than XLA's products: multiplications, rows of the result, the other two sizes.
LEAST, LEAST_ROWS, LEAST_OTHERS = 1 << 31, 1024, 512


@mat_mul_op.on("cpu")
def _(a: Any, b: Any, *, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    check_sizes(a, b, transpose_a, transpose_b)
    if in_turn():
        return mat_mul_op.fn(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
    rows, depth = a.shape[::-1] if transpose_a else a.shape
    columns = b.shape[0 if transpose_b else 1]
    large = rows * depth * columns >= LEAST and rows >= LEAST_ROWS and min(depth, columns) >= LEAST_OTHERS
    plainly = lambda a, b: _by_xla(a, b, transpose_a, transpose_b)
    if not large or not takes(a, b):
        return plainly(a, b)
    turned = {"turn_a": bool(transpose_a), "turn_b": bool(transpose_b)}
    return derived(lambda a, b: called("thalweg_multiply", (rows, columns), a, b, **turned), plainly)(a, b)


def _by_xla(a, b, transpose_a, transpose_b):
    """XLA brings a transposed matrix into order first. So turn the smaller one over; barriers keep XLA from folding that back.

    The gradient of a layer's weights took 1.2 to 6 times as long where one of its two factors has few columns, and up to twice where both
    have few rows, those of a small batch; the gradient of what the layer takes up to 2.5 times, for such a batch.
    """
    barrier = lax.optimization_barrier
    if a.dtype == np.float32 and transpose_a and not transpose_b:
        (rows, columns), others = a.shape, b.shape[1]
        if min(columns, others) <= NARROW and others < columns:
            return barrier(barrier(b.T) @ a).T
        if min(columns, others) <= NARROW or (rows <= NARROW and columns * others >= LARGE):
            return barrier(a.T) @ b
    if a.dtype == np.float32 and transpose_b and not transpose_a and 1 < a.shape[0] <= NARROW and b.size >= LARGE:
        return barrier(b @ barrier(a.T)).T
    return mat_mul_op.fn(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
