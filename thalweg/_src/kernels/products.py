"""Products of large float32 matrices on a CPU by a kernel, where that is quicker than XLA's.

XLA's own product is as quick below `LEAST`, and quicker where the left matrix comes transposed.
Values agree with the plain lowering within rounding; JAX's derivatives of the kernel are those of the plain product.
"""

from typing import Any

import numpy as np

from thalweg._src.core.apply import kernels_allowed
from thalweg._src.core.lazy import jax
from thalweg._src.kernels import library
from thalweg._src.ops.numeric.matmul import mat_mul_op

LEAST = 1 << 32  # multiplications: some 1,600 in each direction
THIN = 512  # rows, columns or length of the sums, below which much of the time goes to bringing the matrices into order

_plainly = mat_mul_op.platforms["cpu"]


def _suits(a: Any, b: Any, rows: int, depth: int, columns: int) -> bool:
    return (
        kernels_allowed()
        and a.dtype == b.dtype == np.float32
        and (isinstance(a, jax.Array) or isinstance(b, jax.Array))
        and min(rows, depth, columns) >= THIN
        and rows * depth * columns >= LEAST
        and library.available()
    )


@mat_mul_op.on("cpu")
def _(a: Any, b: Any, *, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    flags = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    (rows, depth), (columns, length) = a.shape, b.shape[:: 1 if transpose_b else -1]
    if transpose_a or depth != length or not _suits(a, b, rows, depth, columns):
        return _plainly(a, b, **flags)

    def kernel(a: Any, b: Any) -> Any:
        shape = jax.ShapeDtypeStruct((rows, columns), np.float32)
        call = jax.ffi.ffi_call("thalweg_product", shape, vmap_method="sequential")
        return call(a, b, turned=transpose_b)

    call = jax.custom_jvp(kernel)
    call.defjvps(lambda da, out, a, b: _plainly(da, b, **flags), lambda db, out, a, b: _plainly(a, db, **flags))
    return call(a, b)
