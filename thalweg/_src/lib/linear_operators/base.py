"""LinearOperator: a matrix (or a batch of them) known by what it does, which its structure makes cheaper than a dense matrix.

A class of operators says how it multiplies (`_matmul`), its shape, and what it does better than the dense forms here.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dimension import Dimension
from thalweg._src.core.dtypes import int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.tracking.module import Module
from thalweg._src.ops import array, math
from thalweg._src.ops.linear import linalg, linear_systems
from thalweg._src.ops.reports import checks


def adjoint_if(flag: Any, x: Tensor) -> Tensor:
    return linalg.adjoint(x) if flag else x


def implied(name: str, given: Any, value: bool, reason: str) -> bool:
    """The hint `given`, which must be `value` (or None). Raises ValueError otherwise."""
    if given is not None and bool(given) is not value:
        raise ValueError(f"{reason}, but {name}={given} was given.")
    return value


class LinearOperator(Module):
    """A batch of matrices of shape [..., m, n] that need not exist as tensors.

    The hints `is_non_singular`, `is_self_adjoint`, `is_positive_definite` and `is_square` are promises (or None) that
    choose the methods of computing; they are not checked. Raises ValueError for hints that contradict each other.
    """

    def __init__(
        self,
        dtype: Any,
        graph_parents: Sequence[Any] | None = None,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ):
        if is_positive_definite:
            if is_non_singular is False:
                raise ValueError("A positive definite matrix is always non-singular.")
            is_non_singular = True
        if (is_non_singular or is_self_adjoint) and is_square is False:
            kind = "non-singular" if is_non_singular else "self-adjoint"
            raise ValueError(f"A {kind} matrix is always square.")
        if is_non_singular or is_self_adjoint:
            is_square = True
        for i, t in enumerate(graph_parents or []):
            if t is None or not (isinstance(t, Tensor) or hasattr(t, "_as_graph_element")):
                raise ValueError(f"Graph parent item {i} is not a Tensor; {t}.")
        self._dtype = dtypes.as_dtype(dtype).base_dtype
        self._graph_parents = list(graph_parents or [])
        self._is_non_singular, self._is_self_adjoint = is_non_singular, is_self_adjoint
        self._is_positive_definite, self._square_hint = is_positive_definite, is_square
        self._name = name or type(self).__name__

    @contextlib.contextmanager
    def _scope(self, name: str) -> Iterator[str]:
        with name_scope(f"{self.name}/{name}") as scope:
            yield scope

    # -- what it is

    @property
    def dtype(self) -> Any:
        return self._dtype

    @property
    def name(self) -> str:
        return self._name

    @property
    def graph_parents(self) -> list[Any]:
        """The tensors that the operator was made of."""
        return self._graph_parents

    @property
    def is_non_singular(self) -> bool | None:
        return self._is_non_singular

    @property
    def is_self_adjoint(self) -> bool | None:
        return self._is_self_adjoint

    @property
    def is_positive_definite(self) -> bool | None:
        return self._is_positive_definite

    @property
    def is_square(self) -> bool | None:
        """Whether it is square: as the hint says, or the static shape. Raises ValueError for a hint that is wrong."""
        found = self.domain_dimension == self.range_dimension
        if self._square_hint is False and found:
            raise ValueError("User set is_square hint to False, but the operator was square.")
        return found if self._square_hint is None else self._square_hint

    # -- shapes

    def _shape(self) -> Any:
        """The static shape, a TensorShape."""
        raise NotImplementedError

    def _shape_tensor(self) -> Tensor:
        """The shape as a tensor, where it is not static."""
        raise NotImplementedError

    @property
    def shape(self) -> TensorShape:
        return self._shape()

    @property
    def batch_shape(self) -> TensorShape:
        return self.shape[:-2]

    @property
    def tensor_rank(self) -> int | None:
        return self.shape.ndims

    @property
    def domain_dimension(self) -> Dimension:
        """The number of columns."""
        return Dimension(None) if self.shape.ndims is None else self.shape[-1]

    @property
    def range_dimension(self) -> Dimension:
        """The number of rows."""
        return Dimension(None) if self.shape.ndims is None else self.shape[-2]

    def shape_tensor(self, name: str = "shape_tensor") -> Tensor:
        with self._scope(name):
            if self.shape.is_fully_defined():
                return to_tensor(np.array(self.shape.as_list(), np.int32), None, "shape")
            return self._shape_tensor()

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        with self._scope(name):
            if self.batch_shape.is_fully_defined():
                return to_tensor(np.array(self.batch_shape.as_list(), np.int32), None, "batch_shape")
            return self.shape_tensor()[:-2]

    def tensor_rank_tensor(self, name: str = "tensor_rank_tensor") -> Tensor:
        with self._scope(name):
            return array.size(self.shape_tensor()) if self.tensor_rank is None else to_tensor(self.tensor_rank)

    def domain_dimension_tensor(self, name: str = "domain_dimension_tensor") -> Tensor:
        with self._scope(name):
            n = self.domain_dimension.value
            return self.shape_tensor()[-1] if n is None else to_tensor(n)

    def range_dimension_tensor(self, name: str = "range_dimension_tensor") -> Tensor:
        with self._scope(name):
            n = self.range_dimension.value
            return self.shape_tensor()[-2] if n is None else to_tensor(n)

    # -- assertions

    def _assert_non_singular(self) -> Any:
        if self._uses_cholesky():
            return self.assert_positive_definite()
        values = linalg.svd(self.to_dense(), compute_uv=False)
        condition = math.reduce_max(values, axis=-1) / math.reduce_min(values, axis=-1)
        sizes = [
            math.cast(t, self.dtype.real_dtype) for t in (self.range_dimension_tensor(), self.domain_dimension_tensor())
        ]
        hundred = to_tensor(100.0, self.dtype.real_dtype)
        tiny = math.reduce_max(array.stack([hundred, *sizes])) * float(np.finfo(self.dtype.as_numpy_dtype).eps)
        return checks.assert_less(condition, 1.0 / tiny, message="Singular matrix up to precision epsilon.")

    def _assert_positive_definite(self) -> Any:
        if not self.is_self_adjoint:
            raise NotImplementedError("assert_positive_definite is not implemented.")
        diagonal = array.matrix_diag_part(linalg.cholesky(self.to_dense()))
        return checks.assert_positive(math.real(diagonal), message="Matrix was not positive definite.")

    def _assert_self_adjoint(self) -> Any:
        dense = self.to_dense()
        return checks.assert_equal(dense, linalg.adjoint(dense), message="Matrix was not equal to its adjoint.")

    def assert_non_singular(self, name: str = "assert_non_singular") -> Any:
        """An operation that fails where the operator is singular up to precision."""
        with self._scope(name):
            return self._assert_non_singular()

    def assert_positive_definite(self, name: str = "assert_positive_definite") -> Any:
        """An operation that fails where the operator is not positive definite."""
        with self._scope(name):
            return self._assert_positive_definite()

    def assert_self_adjoint(self, name: str = "assert_self_adjoint") -> Any:
        """An operation that fails where the operator is not its own adjoint."""
        with self._scope(name):
            return self._assert_self_adjoint()

    # -- products

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        return math.matmul(self.to_dense(), x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _checked(self, x: Any, name: str, mine: Dimension, axis: int) -> Tensor:
        x = to_tensor(x, None, name)
        if x.dtype.base_dtype != self.dtype:
            raise TypeError(f"Expected argument to have dtype {self.dtype}.  Found: {x.dtype} in tensor {x}")
        if x.dims is not None:
            mine.assert_is_compatible_with(x.shape[axis])
        return x

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul") -> Any:
        """The product with `x`, a tensor [..., n, k] or another operator; of the adjoint of either where a flag says so."""
        if isinstance(x, LinearOperator):
            return self._product(adjoint, x, adjoint_arg, name)
        with self._scope(name):
            mine = self.range_dimension if adjoint else self.domain_dimension
            x = self._checked(x, "x", mine, -1 if adjoint_arg else -2)
            return self._matmul(x, adjoint, adjoint_arg)

    def _product(self, adjoint: bool, x: "LinearOperator", adjoint_arg: bool, name: str) -> "LinearOperator":
        from thalweg._src.lib.linear_operators.products import LinearOperatorComposition

        left, right = self.adjoint() if adjoint else self, x.adjoint() if adjoint_arg else x
        a, b = left.domain_dimension, right.range_dimension
        if not a.is_compatible_with(b):
            raise ValueError(f"Operators are incompatible. Expected `x` to have dimension {a} but got {b}.")
        with self._scope(name):
            return LinearOperatorComposition([left, right])

    def __matmul__(self, other: Any) -> Any:
        return self.matmul(other)

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Tensor:
        """The product with vectors [..., n]."""
        with self._scope(name):
            x = self._checked(x, "x", self.range_dimension if adjoint else self.domain_dimension, -1)
            return array.squeeze(self.matmul(array.expand_dims(x, -1), adjoint=adjoint), -1)

    # -- determinants

    def _uses_cholesky(self) -> bool:
        return bool(self.is_self_adjoint and self.is_positive_definite)

    def _determinant(self) -> Tensor:
        if self._uses_cholesky():
            return math.exp(self.log_abs_determinant())
        return linear_systems.matrix_determinant(self.to_dense())

    def _log_abs_determinant(self) -> Tensor:
        if self._uses_cholesky():
            diagonal = array.matrix_diag_part(linalg.cholesky(self.to_dense()))
            return 2 * math.reduce_sum(math.log(diagonal), axis=[-1])
        return linear_systems.log_matrix_determinant(self.to_dense())[1]

    def _need_square(self, what: str) -> None:
        if self.is_square is False:
            raise NotImplementedError(f"{what} not implemented for an operator that is expected to not be square.")

    def determinant(self, name: str = "det") -> Tensor:
        """The determinants. Raises NotImplementedError for operators that are not square."""
        self._need_square("Determinant")
        with self._scope(name):
            return self._determinant()

    def log_abs_determinant(self, name: str = "log_abs_det") -> Tensor:
        """The logarithms of the absolute values of determinants."""
        self._need_square("Determinant")
        with self._scope(name):
            return self._log_abs_determinant()

    # -- systems

    def _solve(self, rhs: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        rhs = adjoint_if(adjoint_arg, rhs)
        if self._uses_cholesky():
            return linear_systems.cholesky_solve(*one_batch(linalg.cholesky(self.to_dense()), rhs))
        return linear_systems.matrix_solve(*one_batch(self.to_dense(), rhs), adjoint=adjoint)

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve") -> Any:
        """The x of A x = `rhs`, a tensor [..., m, k] or another operator. NotImplementedError for singular operators."""
        if self.is_non_singular is False:
            raise NotImplementedError("Exact solve not implemented for an operator that is expected to be singular.")
        self._need_square("Exact solve")
        if isinstance(rhs, LinearOperator):
            inverse = self.inverse()
            return (inverse.adjoint() if adjoint else inverse).matmul(rhs, adjoint_arg=adjoint_arg, name=name)
        with self._scope(name):
            mine = self.domain_dimension if adjoint else self.range_dimension
            rhs = self._checked(rhs, "rhs", mine, -1 if adjoint_arg else -2)
            return self._solve(rhs, adjoint, adjoint_arg)

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Tensor:
        """The x of A x = `rhs` for vectors [..., m]."""
        with self._scope(name):
            rhs = self._checked(rhs, "rhs", self.domain_dimension if adjoint else self.range_dimension, -1)
            return array.squeeze(self.solve(array.expand_dims(rhs, -1), adjoint=adjoint), -1)

    # -- other operators

    def adjoint(self, name: str = "adjoint") -> "LinearOperator":
        """The adjoint operator; itself where it is self-adjoint."""
        if self.is_self_adjoint:
            return self
        with self._scope(name):
            return self._adjoint()

    def _adjoint(self) -> "LinearOperator":
        from thalweg._src.lib.linear_operators.products import LinearOperatorAdjoint

        return LinearOperatorAdjoint(self)

    @property
    def H(self) -> "LinearOperator":
        return self.adjoint()

    def inverse(self, name: str = "inverse") -> "LinearOperator":
        """The inverse operator. Raises ValueError for operators that are not square or are singular."""
        if self.is_square is False:
            raise ValueError("Cannot take the Inverse: This operator represents a non square matrix.")
        if self.is_non_singular is False:
            raise ValueError("Cannot take the Inverse: This operator represents a singular matrix.")
        with self._scope(name):
            return self._inverse()

    def _inverse(self) -> "LinearOperator":
        from thalweg._src.lib.linear_operators.products import LinearOperatorInversion

        return LinearOperatorInversion(self)

    def cholesky(self, name: str = "cholesky") -> "LinearOperator":
        """The Cholesky factor, an operator. Raises ValueError unless the hints promise that there is one."""
        if not self._uses_cholesky():
            raise ValueError("Cannot take the Cholesky decomposition: Not a positive definite self adjoint matrix.")
        with self._scope(name):
            return self._cholesky()

    def _cholesky(self) -> "LinearOperator":
        from thalweg._src.lib.linear_operators.simple import LinearOperatorLowerTriangular

        return LinearOperatorLowerTriangular(
            linalg.cholesky(self.to_dense()), is_non_singular=True, is_self_adjoint=False, is_square=True
        )

    # -- dense forms

    def _to_dense(self) -> Tensor:
        columns = self.domain_dimension.value
        columns = self.domain_dimension_tensor() if columns is None else columns
        batch = self.batch_shape.as_list() if self.batch_shape.is_fully_defined() else self.batch_shape_tensor()
        return self.matmul(linalg.eye(columns, batch_shape=batch, dtype=self.dtype))

    def to_dense(self, name: str = "to_dense") -> Tensor:
        """The matrices as a tensor."""
        with self._scope(name):
            return self._to_dense()

    def _diag_part(self) -> Tensor:
        return array.matrix_diag_part(self.to_dense())

    def diag_part(self, name: str = "diag_part") -> Tensor:
        """The diagonals."""
        with self._scope(name):
            return self._diag_part()

    def trace(self, name: str = "trace") -> Tensor:
        """The sums of the diagonals."""
        with self._scope(name):
            return math.reduce_sum(self.diag_part(), axis=-1)

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return self.to_dense() + x

    def add_to_tensor(self, x: Any, name: str = "add_to_tensor") -> Tensor:
        """The sum of the matrices and the tensor `x`."""
        with self._scope(name):
            x = to_tensor(x, None, "x")
            if x.dtype.base_dtype != self.dtype:
                raise TypeError(f"Expected argument to have dtype {self.dtype}.  Found: {x.dtype} in tensor {x}")
            return self._add_to_tensor(x)


def one_batch(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Two batches of matrices, broadcast to one batch shape where they have different ones."""
    known = None not in (a.dims, b.dims)
    if known and None not in (*a.dims, *b.dims) and a.dims[:-2] == b.dims[:-2]:  # type: ignore[index, misc]
        return a, b
    sa, sb = array.shape(a), array.shape(b)
    batch = array.broadcast_dynamic_shape(sa[:-2], sb[:-2])
    both = [array.broadcast_to(t, array.concat([batch, s[-2:]], 0)) for t, s in ((a, sa), (b, sb))]
    if known:
        dims = shapes.broadcast(a.dims[:-2], b.dims[:-2])  # type: ignore[index]
        if dims:
            for t, own in zip(both, (a, b), strict=True):
                t.set_shape([*dims, *own.dims[-2:]])  # type: ignore[index]
    return both[0], both[1]


def static_scalar(value: Any, name: str) -> Tensor:
    """A size as an int32 scalar. Raises TypeError where it is no integer, ValueError where it is no scalar."""
    size = to_tensor(value, int32 if isinstance(value, int | np.integer) else None, name)
    if not size.dtype.is_integer:
        raise TypeError(f"Argument {name} must be integer type.  Found: {size}")
    if size.dims not in (None, ()):
        raise ValueError(f"Argument {name} must be a 0-D Tensor.  Found: {size}")
    return size
