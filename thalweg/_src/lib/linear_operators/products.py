"""Operators made of operators: adjoints, inverses, compositions, blocks, Kronecker products, low-rank updates."""

import functools
from collections.abc import Sequence
from operator import add, mul
from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape, broadcast_static_shape
from thalweg._src.lib.linear_operators.base import LinearOperator, adjoint_if, implied, one_batch
from thalweg._src.lib.linear_operators.simple import LinearOperatorDiag, LinearOperatorIdentity
from thalweg._src.ops import array, math
from thalweg._src.ops.linear import linalg, linear_systems


def _given(hint: Any, other: Any) -> Any:
    return other if hint is None else hint


class LinearOperatorAdjoint(LinearOperator):
    """The adjoint of an operator."""

    def __init__(
        self,
        operator: LinearOperator,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ):
        self._operator = operator
        super().__init__(
            operator.dtype,
            operator.graph_parents,
            _given(is_non_singular, operator.is_non_singular),
            _given(is_self_adjoint, operator.is_self_adjoint),
            _given(is_positive_definite, operator.is_positive_definite),
            _given(is_square, operator._square_hint),
            name or f"{operator.name}_adjoint",
        )

    @property
    def operator(self) -> LinearOperator:
        return self._operator

    def _shape(self) -> TensorShape:
        own = self._operator.shape
        return own if own.ndims is None else own[:-2].concatenate([own[-1], own[-2]])

    def _shape_tensor(self) -> Tensor:
        own = self._operator.shape_tensor()
        return array.concat([own[:-2], [own[-1], own[-2]]], 0)

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        return self._operator.matmul(x, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        return self._operator.solve(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _determinant(self) -> Tensor:
        return math.conj(self._operator.determinant())

    def _log_abs_determinant(self) -> Tensor:
        return self._operator.log_abs_determinant()

    def _to_dense(self) -> Tensor:
        return linalg.adjoint(self._operator.to_dense())

    def _diag_part(self) -> Tensor:
        return math.conj(self._operator.diag_part())

    def _adjoint(self) -> LinearOperator:
        return self._operator


class LinearOperatorInversion(LinearOperator):
    """The inverse of an operator."""

    def __init__(
        self,
        operator: LinearOperator,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ):
        if operator.is_square is False or is_square is False:
            raise ValueError("Only square operators have an inverse.")
        if operator.is_non_singular is False or is_non_singular is False:
            raise ValueError("Only non-singular operators have an inverse.")
        self._operator = operator
        super().__init__(
            operator.dtype,
            operator.graph_parents,
            True,
            _given(is_self_adjoint, operator.is_self_adjoint),
            _given(is_positive_definite, operator.is_positive_definite),
            True,
            name or f"{operator.name}_inverse",
        )

    @property
    def operator(self) -> LinearOperator:
        return self._operator

    def _shape(self) -> TensorShape:
        return self._operator.shape

    def _shape_tensor(self) -> Tensor:
        return self._operator.shape_tensor()

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        return self._operator.solve(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        return self._operator.matmul(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _determinant(self) -> Tensor:
        return 1.0 / self._operator.determinant()

    def _log_abs_determinant(self) -> Tensor:
        return -self._operator.log_abs_determinant()

    def _inverse(self) -> LinearOperator:
        return self._operator


class _OfMany(LinearOperator):
    """An operator of several, all of one dtype. What all of them are, it is."""

    _word = "operator"

    def _set(self, operators: Sequence[LinearOperator], hints: Any, name: str | None, sign: str) -> None:
        operators = list(operators)
        if not operators:
            raise ValueError(f"Expected a non-empty list of operators. Found: {operators}")
        dtype = operators[0].dtype
        for o in operators:
            if o.dtype != dtype:
                told = [f"{p.name} {p.dtype.name}" for p in operators]
                raise TypeError(f"Expected all operators to have the same dtype.  Found {told}")
        self._operators = operators
        non_singular, self_adjoint, positive, is_square = hints
        parents = [t for o in operators for t in o.graph_parents]
        title = name or sign.join(o.name for o in operators)
        super().__init__(dtype, parents, non_singular, self_adjoint, positive, is_square, title)

    @property
    def operators(self) -> list[LinearOperator]:
        return self._operators

    def _batch(self) -> TensorShape:
        return functools.reduce(broadcast_static_shape, [o.batch_shape for o in self._operators])

    def _batch_tensor(self) -> Tensor:
        return functools.reduce(array.broadcast_dynamic_shape, [o.batch_shape_tensor() for o in self._operators])

    def _all(self, hint: Any, values: Sequence[Any]) -> Any:
        return True if hint is None and all(values) else hint


class LinearOperatorComposition(_OfMany):
    """The product of operators: the last is applied first."""

    def __init__(
        self,
        operators: Sequence[LinearOperator],
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ):
        is_non_singular = self._all(is_non_singular, [o.is_non_singular for o in operators])
        hints = (is_non_singular, is_self_adjoint, is_positive_definite, is_square)
        self._set(operators, hints, name, "_o_")
        for left, right in zip(self._operators, self._operators[1:], strict=False):
            left.domain_dimension.assert_is_compatible_with(right.range_dimension)

    def _shape(self) -> TensorShape:
        first, last = self._operators[0], self._operators[-1]
        return self._batch().concatenate([first.range_dimension, last.domain_dimension])

    def _shape_tensor(self) -> Tensor:
        matrix = [self._operators[0].range_dimension_tensor(), self._operators[-1].domain_dimension_tensor()]
        return array.concat([self._batch_tensor(), array.stack(matrix)], 0)

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        x = adjoint_if(adjoint_arg, x)
        for o in self._operators if adjoint else reversed(self._operators):
            x = o.matmul(x, adjoint=adjoint)
        return x

    def _solve(self, rhs: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        rhs = adjoint_if(adjoint_arg, rhs)
        for o in reversed(self._operators) if adjoint else self._operators:
            rhs = o.solve(rhs, adjoint=adjoint)
        return rhs

    def _are_square(self) -> bool:
        return all(o.is_square for o in self._operators)

    def _determinant(self) -> Tensor:
        if not self._are_square():
            return super()._determinant()
        return functools.reduce(mul, [o.determinant() for o in self._operators])

    def _log_abs_determinant(self) -> Tensor:
        if not self._are_square():
            return super()._log_abs_determinant()
        return functools.reduce(add, [o.log_abs_determinant() for o in self._operators])


class LinearOperatorBlockDiag(_OfMany):
    """Operators along the diagonal, zeros elsewhere."""

    def __init__(
        self,
        operators: Sequence[LinearOperator],
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str | None = None,
    ):
        hints = (
            self._all(is_non_singular, [o.is_non_singular for o in operators]),
            self._all(is_self_adjoint, [o.is_self_adjoint for o in operators]),
            self._all(is_positive_definite, [o.is_positive_definite for o in operators]),
            is_square,
        )
        self._set(operators, hints, name, "_ds_")
        if not all(o.is_square is not False for o in self._operators):
            raise ValueError("Can only represent a block diagonal of square matrices.")

    def _shape(self) -> TensorShape:
        rows = sum((o.range_dimension for o in self._operators[1:]), self._operators[0].range_dimension)
        columns = sum((o.domain_dimension for o in self._operators[1:]), self._operators[0].domain_dimension)
        return self._batch().concatenate([rows, columns])

    def _shape_tensor(self) -> Tensor:
        rows = math.add_n([o.range_dimension_tensor() for o in self._operators])
        columns = math.add_n([o.domain_dimension_tensor() for o in self._operators])
        return array.concat([self._batch_tensor(), array.stack([rows, columns])], 0)

    def _parts(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> list[Tensor]:
        x = adjoint_if(adjoint_arg, x)
        sizes: list[Any] = [(o.range_dimension if adjoint else o.domain_dimension).value for o in self._operators]
        if None in sizes:
            sizes = [o.range_dimension_tensor() if adjoint else o.domain_dimension_tensor() for o in self._operators]
        parts, at = [], 0
        for size in sizes:
            parts.append(x[..., at : at + size, :])
            at = at + size
        return parts

    def _joined(self, rows: list[Tensor]) -> Tensor:
        ranks = {None if r.dims is None else len(r.dims) for r in rows}
        if len(ranks) > 1 or any(o.batch_shape.ndims != 0 for o in self._operators):
            batch = self._batch_tensor()
            for r in rows:
                batch = array.broadcast_dynamic_shape(batch, array.shape(r)[:-2])
            rows = [array.broadcast_to(r, array.concat([batch, array.shape(r)[-2:]], 0)) for r in rows]
        return array.concat(rows, axis=-2)

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        parts = self._parts(x, adjoint, adjoint_arg)
        return self._joined([o.matmul(p, adjoint=adjoint) for o, p in zip(self._operators, parts, strict=True)])

    def _solve(self, rhs: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        parts = self._parts(rhs, adjoint, adjoint_arg)
        return self._joined([o.solve(p, adjoint=adjoint) for o, p in zip(self._operators, parts, strict=True)])

    def _determinant(self) -> Tensor:
        return functools.reduce(mul, [o.determinant() for o in self._operators])

    def _log_abs_determinant(self) -> Tensor:
        return functools.reduce(add, [o.log_abs_determinant() for o in self._operators])

    def _inverse(self) -> LinearOperator:
        return LinearOperatorBlockDiag(
            [o.inverse() for o in self._operators], True, self.is_self_adjoint, self.is_positive_definite, True
        )

    def _cholesky(self) -> LinearOperator:
        return LinearOperatorBlockDiag([o.cholesky() for o in self._operators], True, None, None, True)


class LinearOperatorKronecker(_OfMany):
    """The Kronecker product of operators."""

    def __init__(
        self,
        operators: Sequence[LinearOperator],
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ):
        hints = (
            self._all(is_non_singular, [o.is_non_singular for o in operators]),
            self._all(is_self_adjoint, [o.is_self_adjoint for o in operators]),
            self._all(is_positive_definite, [o.is_positive_definite for o in operators]),
            self._all(is_square, [o.is_square for o in operators]),
        )
        self._set(operators, hints, name, "_x_")

    def _sizes(self, word: str) -> Any:
        return functools.reduce(mul, [getattr(o, word) for o in self._operators])

    def _shape(self) -> TensorShape:
        return self._batch().concatenate([self._sizes("range_dimension"), self._sizes("domain_dimension")])

    def _shape_tensor(self) -> Tensor:
        rows, columns = self._operators[0].range_dimension_tensor(), self._operators[0].domain_dimension_tensor()
        for o in self._operators[1:]:
            rows, columns = rows * o.range_dimension_tensor(), columns * o.domain_dimension_tensor()
        return array.concat([self._batch_tensor(), array.stack([rows, columns])], 0)

    def _to_dense(self) -> Tensor:
        product = functools.reduce(self._kronecker, [o.to_dense() for o in self._operators])
        product.set_shape(self.shape)
        return product

    def _kronecker(self, a: Tensor, b: Tensor) -> Tensor:
        sa, sb = array.shape(a), array.shape(b)
        wide = array.expand_dims(array.expand_dims(a, -1), -3)
        narrow = array.expand_dims(array.expand_dims(b, -2), -4)
        product = wide * narrow
        matrix = array.stack([sa[-2] * sb[-2], sa[-1] * sb[-1]])
        return array.reshape(product, array.concat([array.shape(product)[:-4], matrix], 0))

    def _solve(self, rhs: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        inverse = LinearOperatorKronecker([o.inverse() for o in self._operators])
        return inverse.matmul(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _powers(self) -> list[Any]:
        """How often each operator's determinant is a factor: the number of rows of all, over its own."""
        total = self.range_dimension_tensor()
        return [math.cast(total // o.range_dimension_tensor(), self.dtype) for o in self._operators]

    def _determinant(self) -> Tensor:
        return functools.reduce(
            mul, [o.determinant() ** n for o, n in zip(self._operators, self._powers(), strict=True)]
        )

    def _log_abs_determinant(self) -> Tensor:
        logs = [o.log_abs_determinant() * n for o, n in zip(self._operators, self._powers(), strict=True)]
        return functools.reduce(add, logs)

    def _inverse(self) -> LinearOperator:
        return LinearOperatorKronecker(
            [o.inverse() for o in self._operators], True, self.is_self_adjoint, self.is_positive_definite, True
        )

    def _cholesky(self) -> LinearOperator:
        return LinearOperatorKronecker([o.cholesky() for o in self._operators], True, None, None, True)


class LinearOperatorLowRankUpdate(LinearOperator):
    """L + U D V^H: an operator L, thin matrices U and V [..., n, k], a small diagonal D (the identity unless given)."""

    def __init__(
        self,
        base_operator: LinearOperator,
        u: Any,
        diag_update: Any = None,
        v: Any = None,
        is_diag_update_positive: bool | None = None,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorLowRankUpdate",
    ):
        if diag_update is None:
            reason = "Default diagonal is the identity, which is positive"
            is_diag_update_positive = implied("is_diag_update_positive", is_diag_update_positive, True, reason)
        if base_operator.is_self_adjoint and v is None and not base_operator.dtype.is_complex:
            reason = "L + U D U^H with self-adjoint L and real D is self-adjoint"
            is_self_adjoint = implied("is_self_adjoint", is_self_adjoint, True, reason)
        positive = base_operator.is_positive_definite and base_operator.is_self_adjoint and is_diag_update_positive
        self._by_cholesky = bool(positive and v is None)
        if self._by_cholesky:
            reason = "Arguments imply this is self-adjoint positive-definite operator"
            is_positive_definite = implied("is_positive_definite", is_positive_definite, True, reason)
            is_self_adjoint = implied("is_self_adjoint", is_self_adjoint, True, reason)
            implied("is_non_singular", is_non_singular, True, reason)
        with name_scope(name, values=[u]):
            self._base, self._is_diag_positive = base_operator, is_diag_update_positive
            self._u = to_tensor(u, None, "u")
            self._v = self._u if v is None else to_tensor(v, None, "v")
            self._diag_update = None if diag_update is None else to_tensor(diag_update, None, "diag_update")
            if self._diag_update is None:
                rank = self._u.shape[-1].value
                rank = array.shape(self._u)[-1] if rank is None else rank
                self._diag: LinearOperator = LinearOperatorIdentity(rank, dtype=base_operator.dtype)
            else:
                self._diag = LinearOperatorDiag(self._diag_update, is_positive_definite=is_diag_update_positive)
            parents = [*base_operator.graph_parents, self._u, self._v]
            parents += [] if self._diag_update is None else [self._diag_update]
            hints = (is_non_singular, is_self_adjoint, is_positive_definite, is_square)
            super().__init__(base_operator.dtype, parents, *hints, name)
            base_operator.domain_dimension.assert_is_compatible_with(self._u.shape[-2])

    @property
    def u(self) -> Tensor:
        return self._u

    @property
    def v(self) -> Tensor:
        return self._v

    @property
    def diag_update(self) -> Tensor | None:
        return self._diag_update

    @property
    def is_diag_update_positive(self) -> bool | None:
        return self._is_diag_positive

    @property
    def diag_operator(self) -> LinearOperator:
        return self._diag

    @property
    def base_operator(self) -> LinearOperator:
        return self._base

    def _shape(self) -> TensorShape:
        batch = broadcast_static_shape(self._base.batch_shape, self._u.shape[:-2])
        return batch.concatenate(self._base.shape[-2:])

    def _shape_tensor(self) -> Tensor:
        batch = array.broadcast_dynamic_shape(self._base.batch_shape_tensor(), array.shape(self._u)[:-2])
        return array.concat([batch, self._base.shape_tensor()[-2:]], 0)

    def _matmul(self, x: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        left, right = (self._v, self._u) if adjoint else (self._u, self._v)
        thin = math.matmul(right, x, adjoint_a=True, adjoint_b=adjoint_arg)
        update = math.matmul(left, self._diag.matmul(thin, adjoint=adjoint))
        return self._base.matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg) + update

    def _capacitance(self) -> Tensor:
        """D^-1 + V^H L^-1 U, the small matrix of Woodbury's identity."""
        inner = math.matmul(self._v, self._base.solve(self._u), adjoint_a=True)
        return self._diag.inverse().add_to_tensor(inner)

    def _determinant(self) -> Tensor:
        if self._by_cholesky:
            return math.exp(self.log_abs_determinant())
        small = linear_systems.matrix_determinant(self._capacitance())
        return small * self._diag.determinant() * self._base.determinant()

    def _log_abs_determinant(self) -> Tensor:
        capacitance = self._capacitance()
        if self._by_cholesky:
            diagonal = array.matrix_diag_part(linalg.cholesky(capacitance))
            small = 2 * math.reduce_sum(math.log(diagonal), axis=-1)
        else:
            small = math.log(math.abs(linear_systems.matrix_determinant(capacitance)))
            small = math.cast(small, self.dtype)
        return small + self._diag.log_abs_determinant() + self._base.log_abs_determinant()

    def _solve(self, rhs: Tensor, adjoint: bool, adjoint_arg: bool) -> Tensor:
        """By Woodbury's identity: L^-1 rhs - L^-1 U C^-1 V^H L^-1 rhs."""
        left, right = (self._v, self._u) if adjoint else (self._u, self._v)
        first = self._base.solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)
        thin = math.matmul(right, first, adjoint_a=True)
        capacitance, thin = one_batch(self._capacitance(), thin)
        if self._by_cholesky:
            small = linear_systems.cholesky_solve(linalg.cholesky(capacitance), thin)
        else:
            small = linear_systems.matrix_solve(capacitance, thin, adjoint=adjoint)
        return first - self._base.solve(math.matmul(left, small), adjoint=adjoint)
