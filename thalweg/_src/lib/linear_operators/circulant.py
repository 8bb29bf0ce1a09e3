"""Operators that Fourier transforms diagonalize: circulant ones over one, two or three axes; and Toeplitz ones."""

from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import COMPLEX, complex64, complex128, float32, float64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape, broadcast_static_shape
from thalweg._src.lib.linear_operators.base import LinearOperator, adjoint_if, implied
from thalweg._src.ops import array, math
from thalweg._src.ops.reports import checks
from thalweg._src.ops.signals import fft

_FORWARD = {1: fft.fft, 2: fft.fft2d, 3: fft.fft3d}
_INVERSE = {1: fft.ifft, 2: fft.ifft2d, 3: fft.ifft3d}
_COMPLEX = {float32: complex64, float64: complex128}


class _Circulant(LinearOperator):
    """F^-1 diag(spectrum) F, where F is the Fourier transform over `block_depth` axes."""

    _depth = 1

    def __init__(
        self,
        spectrum: Any,
        input_output_dtype: Any = complex64,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str = "LinearOperatorCirculant",
    ):
        with name_scope(name, values=[spectrum]):
            spectrum = to_tensor(spectrum, None, "spectrum")
            spectrum.shape.with_rank_at_least(self._depth)
            if not (spectrum.dtype.is_complex or spectrum.dtype.is_floating):
                raise TypeError(f"Argument spectrum must have a floating or complex dtype.  Found: {spectrum.dtype}")
            if not spectrum.dtype.is_complex:
                reason = "A real spectrum always corresponds to a self-adjoint operator"
                is_self_adjoint = implied("is_self_adjoint", is_self_adjoint, True, reason)
            is_square = implied("is_square", is_square, True, "A circulant operator is always square")
            self._spectrum = math.cast(spectrum, _COMPLEX.get(spectrum.dtype.base_dtype, spectrum.dtype))
            hints = (is_non_singular, is_self_adjoint, is_positive_definite, is_square)
            super().__init__(input_output_dtype, [spectrum], *hints, name)

    @property
    def spectrum(self) -> Tensor:
        return self._spectrum

    @property
    def block_depth(self) -> int:
        """Over how many axes the operator is circulant."""
        return self._depth

    @property
    def block_shape(self) -> TensorShape:
        return self._spectrum.shape[-self._depth :]

    def block_shape_tensor(self) -> Tensor:
        return array.shape(self._spectrum)[-self._depth :]

    def _shape(self) -> TensorShape:
        n = self.block_shape.num_elements()
        own = self._spectrum.shape
        return TensorShape(None) if own.ndims is None else own[: -self._depth].concatenate([n, n])

    def _shape_tensor(self) -> Tensor:
        sizes = array.shape(self._spectrum)
        n = math.reduce_prod(sizes[-self._depth :])
        return array.concat([sizes[: -self._depth], array.stack([n, n])], 0)

    def _scaled(self, x: Tensor, factor: Any) -> Tensor:
        """`factor` times the Fourier transform of the columns of `x`, transformed back."""
        rows = math.cast(array.matrix_transpose(x), self._spectrum.dtype)
        outer = array.shape(rows)[:-1]
        blocks = array.reshape(rows, array.concat([outer, self.block_shape_tensor()], 0))
        spectrum = array.expand_dims(factor, -self._depth - 1)
        y = _INVERSE[self._depth](spectrum * _FORWARD[self._depth](blocks))
        sizes = array.shape(y)
        columns = array.reshape(y, array.concat([sizes[: -self._depth], [-1]], 0))
        columns.set_shape(self._static_rows(x))
        return math.cast(array.matrix_transpose(columns), self.dtype)

    def _static_rows(self, x: Tensor) -> Any:
        if x.dims is None or self.batch_shape.ndims is None:
            return None
        batch = broadcast_static_shape(x.shape[:-2], self.batch_shape)
        return batch.concatenate([x.shape[-1], self.range_dimension])

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        return self._scaled(adjoint_if(adjoint_arg, x), math.conj(self._spectrum) if adjoint else self._spectrum)

    def _solve(self, rhs: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        spectrum = math.conj(self._spectrum) if adjoint else self._spectrum
        return self._scaled(adjoint_if(adjoint_arg, rhs), 1.0 / spectrum)

    def _axes(self) -> list[int]:
        return list(range(-self._depth, 0))

    def _determinant(self) -> Tensor:
        return math.cast(math.reduce_prod(self._spectrum, axis=self._axes()), self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        return math.cast(math.reduce_sum(math.log(math.abs(self._spectrum)), axis=self._axes()), self.dtype)

    def _diag_part(self) -> Tensor:
        mean = math.cast(math.reduce_mean(self._spectrum, axis=self._axes(), keepdims=True), self.dtype)
        outer = array.shape(self._spectrum)[: -self._depth]
        flat = array.reshape(mean, array.concat([outer, [1]], 0))
        return array.tile(flat, array.concat([array.ones_like(outer), [self.domain_dimension_tensor()]], 0))

    def _assert_non_singular(self) -> Any:
        tiny = to_tensor(0, self._spectrum.dtype.real_dtype)
        message = "Singular operator:  Spectrum contained zero values."
        return checks.assert_greater(math.abs(self._spectrum), tiny, message=message)

    def _assert_positive_definite(self) -> Any:
        message = "Not positive definite:  Real part of spectrum was not all positive."
        return checks.assert_positive(math.real(self._spectrum), message=message)

    def _assert_self_adjoint(self) -> Any:
        imaginary = math.abs(math.imag(self._spectrum))
        message = "Not self-adjoint:  The spectrum contained non-zero imaginary part."
        return checks.assert_equal(imaginary, array.zeros_like(imaginary), message=message)

    def convolution_kernel(self, name: str = "convolution_kernel") -> Tensor:
        """The kernel with which the operator convolves."""
        with self._scope(name):
            return math.cast(_INVERSE[self._depth](self._spectrum), self.dtype)

    def assert_hermitian_spectrum(self, name: str = "assert_hermitian_spectrum") -> Any:
        """An operation that fails unless the convolution kernel is real."""
        with self._scope(name):
            kernel = _INVERSE[self._depth](self._spectrum)
            tiny = 1e-5 if kernel.dtype == COMPLEX[0] else 1e-11
            bound = to_tensor(tiny, kernel.dtype.real_dtype)
            return checks.assert_less(math.reduce_max(math.abs(math.imag(kernel))), bound)


class LinearOperatorCirculant(_Circulant):
    """Matrices each of whose rows is the one above, moved by one; of their spectrum [..., n]."""


class LinearOperatorCirculant2D(_Circulant):
    """Block circulant matrices, of their spectrum [..., n0, n1]."""

    _depth = 2

    def __init__(
        self,
        spectrum: Any,
        input_output_dtype: Any = complex64,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str = "LinearOperatorCirculant2D",
    ):
        hints = is_non_singular, is_self_adjoint, is_positive_definite, is_square
        super().__init__(spectrum, input_output_dtype, *hints, name)


class LinearOperatorCirculant3D(_Circulant):
    """Nested block circulant matrices, of their spectrum [..., n0, n1, n2]."""

    _depth = 3

    def __init__(
        self,
        spectrum: Any,
        input_output_dtype: Any = complex64,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str = "LinearOperatorCirculant3D",
    ):
        hints = is_non_singular, is_self_adjoint, is_positive_definite, is_square
        super().__init__(spectrum, input_output_dtype, *hints, name)


class LinearOperatorToeplitz(LinearOperator):
    """Matrices with one value along each diagonal, of their first columns and rows [..., n]."""

    def __init__(
        self,
        col: Any,
        row: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorToeplitz",
    ):
        is_square = implied("is_square", is_square, True, "Only square Toeplitz operators are supported")
        with name_scope(name, values=[row, col]):
            self._row, self._col = to_tensor(row, None, "row"), to_tensor(col, None, "col")
            for x in (self._row, self._col):
                x.shape.with_rank_at_least(1)
            hints = (is_non_singular, is_self_adjoint, is_positive_definite, is_square)
            super().__init__(self._row.dtype, [self._row, self._col], *hints, name)

    @property
    def row(self) -> Tensor:
        return self._row

    @property
    def col(self) -> Tensor:
        return self._col

    def _shape(self) -> TensorShape:
        both = broadcast_static_shape(self._row.shape, self._col.shape)
        return both if both.ndims is None else both.concatenate(both[-1:])

    def _shape_tensor(self) -> Tensor:
        both = array.broadcast_dynamic_shape(array.shape(self._row), array.shape(self._col))
        return array.concat([both, both[-1:]], 0)

    def _to_dense(self) -> Tensor:
        n = self.domain_dimension_tensor()
        batch = array.broadcast_dynamic_shape(array.shape(self._row), array.shape(self._col))
        row, col = (array.broadcast_to(x, batch) for x in (self._row, self._col))
        # Diagonals from the lower left to the upper right: the column upwards, then the row without its first.
        line = array.concat([array.reverse(col, [-1]), row[..., 1:]], -1)
        places = array.expand_dims(n - 1 - math.range(n), -1) + array.expand_dims(math.range(n), 0)
        dense = array.gather(line, places, axis=-1)
        dense.set_shape(self.shape)
        return dense

    def _diag_part(self) -> Tensor:
        first = self._col[..., :1]
        return first + array.zeros_like(self._col + self._row)
