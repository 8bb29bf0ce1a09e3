"""Bijectors of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.contrib.bijectors.base import Bijector
from thalweg._src.contrib.bijectors.combined import Chain
from thalweg._src.contrib.bijectors.scalars import AffineScalar, Softplus
from thalweg._src.contrib.probability.functions import fill_triangular, fill_triangular_inverse
from thalweg._src.core import dtypes, infer, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.shapes import as_shape
from thalweg._src.ops.late import array, linear_systems, math
from thalweg._src.ops.linear.linalg import cholesky
from thalweg._src.ops.nets.activations import softplus
from thalweg._src.ops.nets.softmax import softmax
from thalweg._src.ops.numeric import elementwise


class SoftmaxCentered(Bijector):
    """y = softmax([x, 0]): vectors of n numbers become n + 1 probabilities."""

    def __init__(self, validate_args: bool = False, name: str = "softmax_centered", event_ndims: int = 1):
        super().__init__(None, False, validate_args, forward_min_event_ndims=1, name=name)
        if event_ndims != 1:
            raise ValueError("SoftmaxCentered maps vectors: event_ndims is 1")

    def _forward(self, x: Any) -> Any:
        return softmax(array.concat([x, array.zeros_like(x[..., :1])], -1))

    def _inverse(self, y: Any) -> Any:
        logs = elementwise.log(y)
        return logs[..., :-1] - logs[..., -1:]

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        norm = softplus(math.reduce_logsumexp(x, -1, True))
        return math.reduce_sum(x - norm, -1) - norm[..., 0]

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return -math.reduce_sum(elementwise.log(y), -1)

    def _forward_event_shape(self, input_shape: Any) -> Any:
        return _longer(input_shape, 1)

    def _inverse_event_shape(self, output_shape: Any) -> Any:
        return _longer(output_shape, -1)

    def _forward_event_shape_tensor(self, input_shape: Any) -> Any:
        return array.concat([input_shape[:-1], input_shape[-1:] + 1], 0)

    def _inverse_event_shape_tensor(self, output_shape: Any) -> Any:
        return array.concat([output_shape[:-1], output_shape[-1:] - 1], 0)


def _longer(shape: Any, by: int) -> Any:
    sizes = None if shape.ndims is None else shape.as_list()
    if not sizes or sizes[-1] is None:
        return shape
    if sizes[-1] + by < 1:
        raise ValueError(f"output_shape[-1] = {sizes[-1]} <= 1")
    return as_shape([*sizes[:-1], sizes[-1] + by])


class Ordered(Bijector):
    """Vectors that increase become any vectors: the first number, and the logarithms of the differences."""

    def __init__(self, validate_args: bool = False, name: str = "ordered"):
        super().__init__(None, False, validate_args, forward_min_event_ndims=1, name=name)

    def _forward(self, x: Any) -> Any:
        return array.concat([x[..., :1], elementwise.log(x[..., 1:] - x[..., :-1])], -1)

    def _inverse(self, y: Any) -> Any:
        return math.cumsum(array.concat([y[..., :1], elementwise.exp(y[..., 1:])], -1), -1)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return -math.reduce_sum(elementwise.log(x[..., 1:] - x[..., :-1]), -1)

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return math.reduce_sum(y[..., 1:], -1)


class _WithoutStretching(Bijector):
    """What only moves elements: the determinant is one."""

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return array.constant(0.0, x.dtype)

    _inverse_log_det_jacobian = _forward_log_det_jacobian


class Permute(_WithoutStretching):
    """The elements of vectors in another order: y[i] = x[permutation[i]]. ValueError for what is no permutation."""

    def __init__(self, permutation: Any, validate_args: bool = False, name: str | None = None):
        with scopes.name_scope(name, "permute", values=[permutation]):
            permutation = to_tensor(permutation, name="permutation")
            if not permutation.dtype.is_integer:
                raise TypeError(f"permutation.dtype ({permutation.dtype.name}) should be `int`-like.")
            known = infer.constant_value(permutation)
            if known is not None and sorted(known.tolist()) != list(range(known.size)):
                raise ValueError("Permutation over `d` must contain exactly one of each of `{0, 1, ..., d}`.")
        self._permutation = permutation
        super().__init__(None, True, validate_args, forward_min_event_ndims=1, name=name or "permute")

    @property
    def permutation(self) -> Any:
        return self._permutation

    def _forward(self, x: Any) -> Any:
        return array.gather(x, self.permutation, axis=-1)

    def _inverse(self, y: Any) -> Any:
        return array.gather(y, array.invert_permutation(self.permutation), axis=-1)


class Reshape(_WithoutStretching):
    """Events of the shape `event_shape_in` as events of `event_shape_out`. One size of each may be -1."""

    def __init__(
        self, event_shape_out: Any, event_shape_in: Any = (-1,), validate_args: bool = False, name: str | None = None
    ):
        super().__init__(None, True, validate_args, forward_min_event_ndims=0, name=name or "reshape")
        self._out, self._in = (_sizes(s, self._name) for s in (event_shape_out, event_shape_in))

    def _forward(self, x: Any) -> Any:
        return _reshaped(x, self._in, self._out)

    def _inverse(self, y: Any) -> Any:
        return _reshaped(y, self._out, self._in)

    def _forward_event_shape(self, input_shape: Any) -> Any:
        return _reshaped(array.zeros(input_shape), self._in, self._out).get_shape()

    def _inverse_event_shape(self, output_shape: Any) -> Any:
        return _reshaped(array.zeros(output_shape), self._out, self._in).get_shape()

    def _forward_event_shape_tensor(self, input_shape: Any) -> Any:
        return array.shape(_reshaped(array.zeros(input_shape), self._in, self._out))

    def _inverse_event_shape_tensor(self, output_shape: Any) -> Any:
        return array.shape(_reshaped(array.zeros(output_shape), self._out, self._in))


def _sizes(shape: Any, name: str) -> tuple[Any, Any]:
    """A shape as a tensor of int32, and as an array where it is known. Raises TypeError and ValueError for what is no shape."""
    found = (
        to_tensor(shape, name="event_shape") if len(np.shape(shape)) or not isinstance(shape, tuple | list) else shape
    )
    found = to_tensor(found, dtypes.int32) if isinstance(found, tuple | list) else found
    if not found.dtype.is_integer:
        raise TypeError(f"{found} dtype ({found.dtype.name}) should be `int`-like.")
    if (found.get_shape().ndims or 0) > 1:
        raise ValueError(f"`{found}` rank ({found.get_shape().ndims}) should be <= 1.")
    known = infer.constant_value(found)
    if known is not None:
        if (known == -1).sum() > 1:
            raise ValueError(f"`{found}` must have at most one `-1` (given {known})")
        if (known < -1).any():
            raise ValueError(f"`{found}` elements must be either positive integers or `-1`(given {known}).")
    return found, known


def _reshaped(x: Any, before: tuple[Any, Any], behind: tuple[Any, Any]) -> Any:
    count, rank = before[0].get_shape().as_list()[0], x.get_shape().ndims
    if count is None or rank is None:
        raise ValueError("Reshape: the ranks of events and values must be known")
    own, known = x.get_shape()[rank - count :], before[1]
    if known is not None and own.is_fully_defined():
        sizes = np.array(own.as_list(), np.int64)
        if not np.array_equal(sizes[known >= 0], known[known >= 0]):
            raise ValueError(f"Input `event_shape` does not match `event_shape_in` ({sizes} vs {known}).")
    outside = x.get_shape()[: rank - count]
    if outside.is_fully_defined() and behind[1] is not None:
        return array.reshape(x, [*outside.as_list(), *behind[1].tolist()])
    return array.reshape(x, array.concat([array.shape(x)[: rank - count], behind[0]], 0))


class FillTriangular(Bijector):
    """Vectors of n (n + 1) / 2 numbers as triangles of n rows."""

    def __init__(self, upper: bool = False, validate_args: bool = False, name: str = "fill_triangular"):
        super().__init__(None, False, validate_args, None, 1, 2, name)
        self._upper = upper

    def _forward(self, x: Any) -> Any:
        return fill_triangular(x, self._upper)

    def _inverse(self, y: Any) -> Any:
        return fill_triangular_inverse(y, self._upper)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return array.zeros_like(x[..., 0])

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return array.zeros_like(y[..., 0, 0])

    def _forward_event_shape(self, input_shape: Any) -> Any:
        count = input_shape.as_list()[-1]
        rows = None if count is None else (np.sqrt(1.0 + 8.0 * count) - 1.0) / 2.0
        if rows is not None and rows != int(rows):
            raise ValueError("Vector length is not a triangular number.")
        rows = None if rows is None else int(rows)
        return input_shape[:-1].concatenate([rows, rows])

    def _inverse_event_shape(self, output_shape: Any) -> Any:
        n, m = output_shape.as_list()[-2:]
        if n is not None and m is not None and n != m:
            raise ValueError(f"Matrix must be square. (saw [{n}, {m}])")
        return output_shape[:-2].concatenate([None if n is None or m is None else n * (n + 1) // 2])

    def _forward_event_shape_tensor(self, input_shape: Any) -> Any:
        count = math.cast(input_shape[-1:], dtypes.float32)
        rows = math.cast((elementwise.sqrt(1.0 + 8.0 * count) - 1.0) / 2.0, input_shape.dtype)
        return array.concat([input_shape[:-1], rows, rows], 0)

    def _inverse_event_shape_tensor(self, output_shape: Any) -> Any:
        n = output_shape[-1:]
        return array.concat([output_shape[:-2], math.floordiv(n * (n + 1), 2)], 0)


class TransformDiagonal(Bijector):
    """Matrices with `diag_bijector` of their diagonals in place of these."""

    def __init__(self, diag_bijector: Bijector, validate_args: bool = False, name: str = "transform_diagonal"):
        super().__init__(None, False, validate_args, None, 2, 2, name)
        self._diag_bijector = diag_bijector

    def _forward(self, x: Any) -> Any:
        return array.matrix_set_diag(x, self._diag_bijector.forward(array.matrix_diag_part(x)))

    def _inverse(self, y: Any) -> Any:
        return array.matrix_set_diag(y, self._diag_bijector.inverse(array.matrix_diag_part(y)))

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return self._diag_bijector.forward_log_det_jacobian(array.matrix_diag_part(x), 1)

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return self._diag_bijector.inverse_log_det_jacobian(array.matrix_diag_part(y), 1)


class ScaleTriL(Chain):
    """Vectors as lower triangles whose diagonals are positive: softplus of the numbers there plus `diag_shift`."""

    def __init__(
        self,
        diag_bijector: Bijector | None = None,
        diag_shift: Any = 1e-5,
        validate_args: bool = False,
        name: str = "scale_tril",
    ):
        diag_bijector = diag_bijector or Softplus(validate_args=validate_args)
        if diag_shift is not None:
            diag_bijector = Chain([AffineScalar(shift=diag_shift), diag_bijector])
        super().__init__([TransformDiagonal(diag_bijector), FillTriangular()], validate_args, name)


class MatrixInverseTriL(Bijector):
    """The inverse of lower triangles."""

    def __init__(self, validate_args: bool = False, name: str = "matrix_inverse_tril"):
        super().__init__(None, False, validate_args, forward_min_event_ndims=2, name=name)

    def _forward(self, x: Any) -> Any:
        ones = array.matrix_diag(array.ones_like(x[..., 0]))
        return linear_systems.matrix_triangular_solve(x, ones, lower=True)

    _inverse = _forward

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        # As TensorFlow has it; the determinant within the lower triangles is that to the power (n + 1) / 2n.
        size = math.cast(array.shape(x)[-1], x.dtype)
        return -2.0 * size * math.reduce_sum(elementwise.log(elementwise.abs(array.matrix_diag_part(x))), -1)


class CholeskyOuterProduct(Bijector):
    """x x^T of lower triangles x with positive diagonals."""

    def __init__(self, validate_args: bool = False, name: str = "cholesky_outer_product"):
        super().__init__(None, False, validate_args, forward_min_event_ndims=2, name=name)

    def _forward(self, x: Any) -> Any:
        x = array.matrix_band_part(x, -1, 0)
        return math.matmul(x, x, adjoint_b=True)

    def _inverse(self, y: Any) -> Any:
        return cholesky(y)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        # d(x x^T)/dx is triangular: its diagonal has x_jj once for each row from j on, and twice that where the row is j.
        diagonal = array.matrix_diag_part(x)
        size = x.get_shape().as_list()[-1]
        if size is None:
            raise ValueError("CholeskyOuterProduct: the size of the matrices must be known")
        powers = np.arange(size, 0, -1, x.dtype.as_numpy_dtype)
        return size * np.log(2.0).astype(powers.dtype) + math.reduce_sum(powers * elementwise.log(diagonal), -1)

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return -self._forward_log_det_jacobian(self._inverse(y))
