"""Operators of one tensor: full, diagonal and triangular matrices, identities, zeros, reflections."""

from typing import Any

from thalweg._src.core import infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import COMPLEX, FLOATS, float32, int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.linear_operators.base import LinearOperator, adjoint_if, implied, one_batch, static_scalar
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.linear import linear_systems
from thalweg._src.ops.reports import checks


def _numeric(x: Any, name: str) -> Tensor:
    x = to_tensor(x, None, name)
    if x.dtype.base_dtype not in (*FLOATS, *COMPLEX):
        raise TypeError(f"Argument {name} must have a floating or complex dtype.  Found: {x.dtype}")
    return x


class LinearOperatorFullMatrix(LinearOperator):
    """The matrices [..., m, n] themselves."""

    def __init__(
        self,
        matrix: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorFullMatrix",
    ):
        with name_scope(name, values=[matrix]):
            self._matrix = _numeric(matrix, "matrix")
            self._matrix.shape.with_rank_at_least(2)
            hints = (is_non_singular, is_self_adjoint, is_positive_definite, is_square)
            super().__init__(self._matrix.dtype, [self._matrix], *hints, name)

    def _shape(self) -> TensorShape:
        return self._matrix.shape

    def _shape_tensor(self) -> Tensor:
        return array.shape(self._matrix)

    def _to_dense(self) -> Tensor:
        return self._matrix


class LinearOperatorLowerTriangular(LinearOperator):
    """The lower triangles of `tril` [..., n, n]; what is above the diagonal counts as 0."""

    def __init__(
        self,
        tril: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorLowerTriangular",
    ):
        is_square = implied("is_square", is_square, True, "Only square lower triangular operators are supported")
        with name_scope(name, values=[tril]):
            tril = _numeric(tril, "tril")
            tril.shape.with_rank_at_least(2)
            self._tril = array.matrix_band_part(tril, -1, 0)
            self._diag = array.matrix_diag_part(self._tril)
            hints = (is_non_singular, is_self_adjoint, is_positive_definite, is_square)
            super().__init__(tril.dtype, [tril], *hints, name)

    def _shape(self) -> TensorShape:
        return self._tril.shape

    def _shape_tensor(self) -> Tensor:
        return array.shape(self._tril)

    def _assert_non_singular(self) -> Any:
        return checks.assert_none_equal(
            self._diag, to_tensor(0, self.dtype), message="Singular operator:  Diagonal contained zero values."
        )

    def _determinant(self) -> Tensor:
        return math.reduce_prod(self._diag, axis=[-1])

    def _log_abs_determinant(self) -> Tensor:
        return math.reduce_sum(math.log(math.abs(self._diag)), axis=[-1])

    def _solve(self, rhs: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        tril, rhs = one_batch(self._tril, adjoint_if(adjoint_arg, rhs))
        return linear_systems.matrix_triangular_solve(tril, rhs, lower=True, adjoint=adjoint)

    def _to_dense(self) -> Tensor:
        return self._tril

    def _diag_part(self) -> Tensor:
        return self._diag


class LinearOperatorDiag(LinearOperator):
    """Diagonal matrices, of their diagonals `diag` [..., n]."""

    def __init__(
        self,
        diag: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorDiag",
    ):
        is_square = implied("is_square", is_square, True, "Only square, diagonal operators are supported")
        with name_scope(name, values=[diag]):
            self._diag = _numeric(diag, "diag")
            self._diag.shape.with_rank_at_least(1)
            if not self._diag.dtype.is_complex:
                reason = "A real diagonal operator is always self adjoint"
                is_self_adjoint = implied("is_self_adjoint", is_self_adjoint, True, reason)
            hints = (is_non_singular, is_self_adjoint, is_positive_definite, is_square)
            super().__init__(self._diag.dtype, [self._diag], *hints, name)

    @property
    def diag(self) -> Tensor:
        return self._diag

    def _shape(self) -> TensorShape:
        return self._diag.shape.concatenate(self._diag.shape[-1:])

    def _shape_tensor(self) -> Tensor:
        sizes = array.shape(self._diag)
        return array.concat([sizes, sizes[-1:]], 0)

    def _assert_non_singular(self) -> Any:
        return checks.assert_none_equal(
            self._diag, to_tensor(0, self.dtype), message="Singular operator:  Diagonal contained zero values."
        )

    def _assert_positive_definite(self) -> Any:
        message = "Diagonal operator had diagonal entries with non-positive real part, thus was not positive definite."
        return checks.assert_positive(math.real(self._diag), message=message)

    def _assert_self_adjoint(self) -> Any:
        message = "This diagonal operator contained non-zero imaginary values.  Thus it was not self-adjoint."
        imaginary = math.imag(self._diag)
        return checks.assert_equal(imaginary, constants.zeros_like(imaginary), message=message)

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        diag = math.conj(self._diag) if adjoint else self._diag
        return array.expand_dims(diag, -1) * adjoint_if(adjoint_arg, x)

    def _solve(self, rhs: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        diag = math.conj(self._diag) if adjoint else self._diag
        return adjoint_if(adjoint_arg, rhs) * array.expand_dims(1.0 / diag, -1)

    def _determinant(self) -> Tensor:
        return math.reduce_prod(self._diag, axis=[-1])

    def _log_abs_determinant(self) -> Tensor:
        value = math.reduce_sum(math.log(math.abs(self._diag)), axis=[-1])
        return math.cast(value, self.dtype)

    def _to_dense(self) -> Tensor:
        return array.matrix_diag(self._diag)

    def _diag_part(self) -> Tensor:
        return self._diag

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return array.matrix_set_diag(x, self._diag + array.matrix_diag_part(x))

    def _adjoint(self) -> LinearOperator:
        hints = (self.is_non_singular, self.is_self_adjoint, self.is_positive_definite, True)
        return LinearOperatorDiag(math.conj(self._diag), *hints)

    def _inverse(self) -> LinearOperator:
        hints = (self.is_non_singular, self.is_self_adjoint, self.is_positive_definite, True)
        return LinearOperatorDiag(1.0 / self._diag, *hints)

    def _cholesky(self) -> LinearOperator:
        return LinearOperatorDiag(math.sqrt(self._diag), is_self_adjoint=True, is_positive_definite=True)


class _Sized(LinearOperator):
    """An operator made of its sizes: `num_rows`, `num_columns` and a batch shape."""

    def _set_sizes(self, rows: Any, columns: Any, batch_shape: Any) -> None:
        self._rows, self._columns = static_scalar(rows, "num_rows"), static_scalar(columns, "num_columns")
        self._batch = None if batch_shape is None else to_tensor(batch_shape, int32, "batch_shape_arg")
        for what, size in (("num_rows", self._rows), ("num_columns", self._columns)):
            n = infer.constant_value(size)
            if n is not None and n < 0:
                raise ValueError(f"Argument {what} must be non-negative.  Found: {n}")
        if self._batch is not None:
            self._batch.shape.assert_has_rank(1)
            known = infer.constant_value(self._batch)
            if known is not None and (known < 0).any():
                raise ValueError(f"Argument batch_shape must be non-negative.  Found: {known}")

    def _shape(self) -> TensorShape:
        matrix = [infer.partial_scalar(self._rows), infer.partial_scalar(self._columns)]
        batch = () if self._batch is None else infer.partial_value(self._batch)
        return TensorShape(None if batch is None else [*batch, *matrix])

    def _shape_tensor(self) -> Tensor:
        matrix = array.stack([math.cast(self._rows, int32), math.cast(self._columns, int32)])
        return matrix if self._batch is None else array.concat([self._batch, matrix], 0)

    def _of_batch(self, x: Tensor) -> Tensor:
        """`x` broadcast to the batch shape."""
        if self._batch is None:
            return x
        return x + constants.zeros(array.concat([self._batch, [1, 1]], 0), dtype=self.dtype)

    def _filled(self, value: Any) -> Tensor:
        """`value` for each matrix of the batch."""
        return constants.zeros(self.batch_shape_tensor(), dtype=self.dtype) + value

    def _smaller(self) -> Tensor:
        return math.minimum(self._rows, self._columns)

    def _diagonal_of(self, make: Any) -> Tensor:
        n = infer.constant_value(self._smaller())
        n = self._smaller() if n is None else int(n)
        return make(array.concat([self.batch_shape_tensor(), [n]], 0), dtype=self.dtype)

    def add_to_tensor(self, mat: Any, name: str = "add_to_tensor") -> Tensor:
        """The sum of the matrices and the tensor `mat`."""
        return super().add_to_tensor(mat, name)


class LinearOperatorIdentity(_Sized):
    """The identity of `num_rows` rows, for each of a batch."""

    def __init__(
        self,
        num_rows: Any,
        batch_shape: Any = None,
        dtype: Any = None,
        is_non_singular: bool | None = True,
        is_self_adjoint: bool | None = True,
        is_positive_definite: bool | None = True,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorIdentity",
    ):
        for what, hint in (
            ("self adjoint", is_self_adjoint),
            ("non-singular", is_non_singular),
            ("positive-definite", is_positive_definite),
            ("square", is_square),
        ):
            if not hint:
                raise ValueError(f"An identity operator is always {what}.")
        with name_scope(name):
            super().__init__(dtype or float32, None, True, True, True, True, name)
            self._set_sizes(num_rows, num_rows, batch_shape)

    def _nothing(self) -> Any:
        return basic.no_op()

    _assert_non_singular = _assert_positive_definite = _assert_self_adjoint = _nothing

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        return self._of_batch(adjoint_if(adjoint_arg, x))

    _solve = _matmul

    def _determinant(self) -> Tensor:
        return self._filled(1)

    def _log_abs_determinant(self) -> Tensor:
        return self._filled(0)

    def _diag_part(self) -> Tensor:
        return self._diagonal_of(constants.ones)

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return array.matrix_set_diag(x, array.matrix_diag_part(x) + self._diag_part())

    def _inverse(self) -> LinearOperator:
        return self

    _cholesky = _inverse


class LinearOperatorScaledIdentity(_Sized):
    """The identity of `num_rows` rows times `multiplier` [...]."""

    def __init__(
        self,
        num_rows: Any,
        multiplier: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorScaledIdentity",
    ):
        if not is_square:
            raise ValueError("A ScaledIdentity operator is always square.")
        with name_scope(name, values=[multiplier, num_rows]):
            self._multiplier = _numeric(multiplier, "multiplier")
            if not self._multiplier.dtype.is_complex:
                is_self_adjoint = True if is_self_adjoint is None else is_self_adjoint
            hints = (is_non_singular, is_self_adjoint, is_positive_definite, is_square)
            super().__init__(self._multiplier.dtype, [self._multiplier], *hints, name)
            self._set_sizes(num_rows, num_rows, None)

    @property
    def multiplier(self) -> Tensor:
        return self._multiplier

    def _shape(self) -> TensorShape:
        n = infer.partial_scalar(self._rows)
        return self._multiplier.shape.concatenate(TensorShape([n, n]))

    def _shape_tensor(self) -> Tensor:
        n = math.cast(self._rows, int32)
        return array.concat([array.shape(self._multiplier), array.stack([n, n])], 0)

    def _factor(self, adjoint: bool) -> Tensor:
        m = math.conj(self._multiplier) if adjoint else self._multiplier
        return array.expand_dims(array.expand_dims(m, -1), -1)

    def _assert_non_singular(self) -> Any:
        return checks.assert_positive(math.abs(self._multiplier), message="LinearOperator was singular")

    def _assert_positive_definite(self) -> Any:
        return checks.assert_positive(math.real(self._multiplier), message="LinearOperator was not positive definite.")

    def _assert_self_adjoint(self) -> Any:
        imaginary = math.imag(self._multiplier)
        message = "LinearOperator was not self-adjoint"
        return checks.assert_equal(imaginary, constants.zeros_like(imaginary), message=message)

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        return adjoint_if(adjoint_arg, x) * self._factor(adjoint)

    def _solve(self, rhs: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        return adjoint_if(adjoint_arg, rhs) / self._factor(adjoint)

    def _determinant(self) -> Tensor:
        return self._multiplier ** math.cast(self._rows, self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        size = math.log(math.abs(self._multiplier))
        return math.cast(self._rows, size.dtype) * size

    def _diag_part(self) -> Tensor:
        return self._diagonal_of(constants.ones) * array.expand_dims(self._multiplier, -1)

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return array.matrix_set_diag(x, array.matrix_diag_part(x) + array.expand_dims(self._multiplier, -1))

    def _of(self, multiplier: Tensor) -> LinearOperator:
        hints = (self.is_non_singular, self.is_self_adjoint, self.is_positive_definite, True)
        return LinearOperatorScaledIdentity(self._rows, multiplier, *hints)

    def _adjoint(self) -> LinearOperator:
        return self._of(math.conj(self._multiplier))

    def _inverse(self) -> LinearOperator:
        return self._of(1.0 / self._multiplier)

    def _cholesky(self) -> LinearOperator:
        return self._of(math.sqrt(self._multiplier))


class LinearOperatorZeros(_Sized):
    """Zeros, `num_rows` by `num_columns`, for each of a batch."""

    def __init__(
        self,
        num_rows: Any,
        num_columns: Any = None,
        batch_shape: Any = None,
        dtype: Any = None,
        is_non_singular: bool | None = False,
        is_self_adjoint: bool | None = True,
        is_positive_definite: bool | None = False,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorZeros",
    ):
        if is_non_singular is not False:
            raise ValueError("A zero operator is never non-singular.")
        if is_positive_definite is not False:
            raise ValueError("A zero operator is never positive definite.")
        if is_square and num_columns is not None and num_columns is not num_rows and num_columns != num_rows:
            raise ValueError("A zero operator with different numbers of rows and columns is not square.")
        with name_scope(name):
            hints = (is_non_singular, is_self_adjoint if is_square else None, is_positive_definite, is_square)
            super().__init__(dtype or float32, None, *hints, name)
            self._set_sizes(num_rows, num_rows if num_columns is None else num_columns, batch_shape)

    def _assert_self_adjoint(self) -> Any:
        return basic.no_op()

    def _assert_non_singular(self) -> Any:
        raise ValueError("Zero operators are always singular.")

    def _assert_positive_definite(self) -> Any:
        raise ValueError("Zero operators are always not positive definite.")

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        x = adjoint_if(adjoint_arg, x)
        rows = self._columns if adjoint else self._rows
        sizes = array.shape(x)
        result = constants.zeros(
            array.concat([sizes[:-2], array.stack([math.cast(rows, int32), sizes[-1]])], 0), self.dtype
        )
        return self._of_batch(result)

    def _determinant(self) -> Tensor:
        return self._filled(0)

    def _diag_part(self) -> Tensor:
        return self._diagonal_of(constants.zeros)

    def _to_dense(self) -> Tensor:
        return constants.zeros(self.shape_tensor(), dtype=self.dtype)

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return self._of_batch(x)


class LinearOperatorHouseholder(LinearOperator):
    """Reflections at the hyperplanes orthogonal to `reflection_axis` [..., n]: I - 2 v v^H / |v|^2."""

    def __init__(
        self,
        reflection_axis: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorHouseholder",
    ):
        reason = "A Householder operator is always {}"
        is_self_adjoint = implied("is_self_adjoint", is_self_adjoint, True, reason.format("self adjoint"))
        is_positive_definite = implied("is_positive_definite", is_positive_definite, False, reason.format("indefinite"))
        is_non_singular = implied("is_non_singular", is_non_singular, True, reason.format("non-singular"))
        is_square = implied("is_square", is_square, True, reason.format("square"))
        with name_scope(name, values=[reflection_axis]):
            self._axis = _numeric(reflection_axis, "reflection_axis")
            self._axis.shape.with_rank_at_least(1)
            hints = (is_non_singular, is_self_adjoint, is_positive_definite, is_square)
            super().__init__(self._axis.dtype, [self._axis], *hints, name)

    @property
    def reflection_axis(self) -> Tensor:
        return self._axis

    def _shape(self) -> TensorShape:
        return self._axis.shape.concatenate(self._axis.shape[-1:])

    def _shape_tensor(self) -> Tensor:
        sizes = array.shape(self._axis)
        return array.concat([sizes, sizes[-1:]], 0)

    def _unit(self) -> Tensor:
        v = self._axis
        length = math.sqrt(math.reduce_sum(v * math.conj(v), axis=-1, keepdims=True))
        return array.expand_dims(v / length, -1)

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        x = adjoint_if(adjoint_arg, x)
        v = self._unit()
        return x - 2.0 * math.matmul(v, math.matmul(v, x, adjoint_a=True))

    _solve = _matmul

    def _determinant(self) -> Tensor:
        return -constants.ones(self.batch_shape_tensor(), dtype=self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        return constants.zeros(self.batch_shape_tensor(), dtype=self.dtype)

    def _inverse(self) -> LinearOperator:
        return self
