"""tensorflow.python.ops.linalg.linear_operator_util: what TensorFlow Probability takes from there."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.linear_operators.base import one_batch
from thalweg._src.lib.tracking.module import Module
from thalweg._src.ops import basic
from thalweg._src.ops.late import array
from thalweg._src.ops.linear import linear_systems
from thalweg._src.ops.numeric import matmul
from thalweg._src.ops.numeric.complex import imag
from thalweg._src.ops.numeric.elementwise import abs as magnitude
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful.variables import Variable

__all__ = [
    *("assert_compatible_matrix_dimensions", "assert_is_batch_matrix", "assert_no_entries_with_modulus_zero"),
    *("assert_not_ref_type", "assert_zero_imag_part", "base_dtype", "broadcast_matrix_batch_dims"),
    *("cholesky_solve_with_broadcast", "convert_nonref_to_tensor", "dtype_name", "is_ref"),
    *("matmul_with_broadcast", "matrix_solve_with_broadcast", "matrix_triangular_solve_with_broadcast"),
    *("shape_tensor", "use_operator_or_provided_hint_unless_contradicting"),
]


def is_ref(x: Any) -> bool:
    """Whether `x` is a variable, or a module that stands for a tensor."""
    return isinstance(x, Variable) or (isinstance(x, Module) and hasattr(x, "dtype") and hasattr(x, "shape"))


def assert_not_ref_type(x: Any, arg_name: str) -> None:
    """TypeError where `x` is a variable or stands for one."""
    if is_ref(x):
        raise TypeError(f"Argument {arg_name} cannot be reference type. Found: {type(x)}")


def convert_nonref_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Any:
    """`value` as a tensor, but a variable as it is. TypeError where its type is not `dtype`."""
    if value is None:
        return None
    if not is_ref(value):
        return to_tensor(
            value,
            None if dtype is None else dtypes.as_dtype(dtype),
            name,
            preferred=None if dtype_hint is None else dtypes.as_dtype(dtype_hint),
        )
    if dtype is not None and base_dtype(dtype) != base_dtype(value.dtype):
        raise TypeError(
            f'Mutable type must be of dtype "{dtype_name(base_dtype(dtype))}" but is '
            f'"{dtype_name(base_dtype(value.dtype))}".'
        )
    return value


def base_dtype(dtype: Any) -> Any:
    return dtypes.as_dtype(dtype).base_dtype


def dtype_name(dtype: Any) -> str:
    return dtypes.as_dtype(dtype).name


def assert_no_entries_with_modulus_zero(
    x: Any, message: Any = None, name: str = "assert_no_entries_with_modulus_zero"
) -> Any:
    """An operation that fails where an entry is zero."""
    with name_scope(name, values=[x]):
        x = to_tensor(x, None, "x")
        size = magnitude(x)
        return checks.assert_less(array.zeros_like(size), size, message=message)


def assert_zero_imag_part(x: Any, message: Any = None, name: str = "assert_zero_imag_part") -> Any:
    """An operation that fails where an entry has an imaginary part."""
    with name_scope(name, values=[x]):
        x = to_tensor(x, None, "x")
        if not x.dtype.is_complex:
            return basic.no_op()
        imaginary = imag(x)
        return checks.assert_equal(array.zeros_like(imaginary), imaginary, message=message)


def assert_compatible_matrix_dimensions(operator: Any, x: Any) -> Any:
    """An operation that fails where `operator` has not as many columns as `x` has rows."""
    return checks.assert_equal(
        array.shape(x)[-2],
        operator.domain_dimension_tensor(),
        message=f"Incompatible matrix dimensions.  shape[-2] of argument to be the same as this operator's domain: {operator.name}",
    )


def assert_is_batch_matrix(tensor: Any) -> None:
    """ValueError where the rank is known and below two."""
    if tensor.shape.ndims is not None and tensor.shape.ndims < 2:
        raise ValueError(f"Expected [batch] matrix to have at least two dimensions.  Found: {tensor}")


def shape_tensor(shape: Any, name: str | None = None) -> Tensor:
    """A shape as a vector of integers, also where it is empty."""
    empty = isinstance(shape, tuple | list) and not shape
    return to_tensor(shape, dtypes.int32 if empty else None, name)


def broadcast_matrix_batch_dims(batch_matrices: Any, name: str | None = None) -> list[Tensor]:
    """Batches of matrices, broadcast to one batch shape."""
    with name_scope(name or "broadcast_matrix_batch_dims", values=batch_matrices):
        tensors = [to_tensor(m) for m in batch_matrices]
        for tensor in tensors:
            assert_is_batch_matrix(tensor)
        for _ in range(2):  # the first goes through all others, then the others go by it
            for i in range(1, len(tensors)):
                tensors[0], tensors[i] = one_batch(tensors[0], tensors[i])
        return tensors


def cholesky_solve_with_broadcast(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """Solutions of systems whose Cholesky factors are given; batches are broadcast."""
    with name_scope(name, "CholeskySolveWithBroadcast", [chol, rhs]):
        chol, rhs = broadcast_matrix_batch_dims([chol, rhs])
        return linear_systems.cholesky_solve(chol, rhs)


def matmul_with_broadcast(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, name: str | None = None, **options: Any
) -> Tensor:
    """Products of matrices, as `tf.matmul` makes them; batches are broadcast. TensorFlow's own until 1.12."""
    with name_scope(name, "MatMulWithBroadcast", [a, b]):
        a, b = broadcast_matrix_batch_dims([a, b])
        return matmul.matmul(a, b, transpose_a, transpose_b, **options)


def matrix_solve_with_broadcast(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Solutions of systems of equations; batches are broadcast."""
    with name_scope(name, "MatrixSolveWithBroadcast", [matrix, rhs]):
        return linear_systems.matrix_solve(*broadcast_matrix_batch_dims([matrix, rhs]), adjoint=adjoint)


def matrix_triangular_solve_with_broadcast(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """Solutions of triangular systems; batches are broadcast."""
    with name_scope(name, "MatrixTriangularSolve", [matrix, rhs]):
        both = broadcast_matrix_batch_dims([matrix, rhs])
        return linear_systems.matrix_triangular_solve(*both, lower=lower, adjoint=adjoint)


def use_operator_or_provided_hint_unless_contradicting(
    operator: Any, hint_attr_name: str, provided_hint_value: Any, message: str
) -> Any:
    """What is known of an operator or said of it. ValueError where the two contradict."""
    known = getattr(operator, hint_attr_name)
    if known is not None and provided_hint_value is not None and known != provided_hint_value:
        raise ValueError(message)
    return provided_hint_value if known is None else known
