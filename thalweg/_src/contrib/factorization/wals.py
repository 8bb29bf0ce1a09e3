"""tf.contrib.factorization.WALSModel: factors of a sparse matrix by weighted alternating least squares.

What is minimized over the rows u of U and v of V: the sum over all (i, j) of w_ij (a_ij - u_i v_j)^2 and `regularization` times the
squares of the factors. w_ij is `unobserved_weight`, and for what is given `row_weights[i] col_weights[j]` more.
"""

from __future__ import annotations

import contextlib
import numbers
from collections.abc import Iterable
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import partitioning
from thalweg._src.ops.chance.random import random_normal
from thalweg._src.ops.late import array, math
from thalweg._src.ops.linear.linalg import eye
from thalweg._src.ops.linear.linear_systems import matrix_solve
from thalweg._src.ops.nets.embedding import assigned, embedding_lookup
from thalweg._src.ops.numeric import segments
from thalweg._src.ops.stateful.assigning import assign
from thalweg._src.ops.stateful.variable_lists import variables_initializer
from thalweg._src.ops.stateful.variables import Variable
from thalweg._src.ops.updates import updating


class _Side:
    """The factors of the rows, or of the columns: variables in shards, their weights and their sum of squares; copies for a sweep."""

    def __init__(self, name: str, count: int, width: int, shards: int, init: Any, weights: Any, scoped: bool):
        self.count, self.shards = count, shards
        sizes = [count // shards + (i < count % shards) for i in range(shards)]
        with scopes.name_scope(f"{name}_weights") if scoped else contextlib.nullcontext():
            self.weights = _weights(weights, sizes, f"{name}_weights")
        with scopes.name_scope(f"{name}_factors") if scoped else contextlib.nullcontext():
            self.factors = _factors(init, sizes, width, f"{name}_factors")
        self.gramian = Variable(array.zeros([width, width]), name=f"{name}_gramian")
        self.used_factors, self.used_weights, self.used_gramian = self.factors, self.weights, self.gramian
        self.name, self.fill, self.clear, self.fill_weights = name, basic.no_op(), basic.no_op(), basic.no_op()

    def prepare_gramian(self) -> Any:
        """The op that sums the squares of the factors."""
        with scopes.name_scope("col_prepare_gramian" if self.name == "row" else "row_prepare_gramian"):
            squares = [math.matmul(f, f, transpose_a=True) for f in self.factors]
            return assign(self.gramian, math.add_n(squares)).op

    def cache(self, factors: bool, gramian: bool) -> None:
        """Use copies: they are filled before the other side's sweep, so that a sweep sees one state."""
        fill, clear = [], []
        if factors:
            self.used_factors = [_copy(f"{self.name}_factors_cache_shard_{i}") for i in range(self.shards)]
            pairs = list(zip(self.used_factors, self.factors, strict=True))
            fill += [assign(c, v, validate_shape=False).op for c, v in pairs]
            clear += [assign(c, 1.0, validate_shape=False).op for c, _ in pairs]
            if self.weights is not None:
                self.used_weights = [_copy(f"{self.name}_wt_cache_shard_{i}") for i in range(self.shards)]
                both = zip(self.used_weights, self.weights, strict=True)
                self.fill_weights = basic.group(*[assign(c, v, validate_shape=False) for c, v in both])
        if gramian:
            self.used_gramian = _copy(f"{self.name}_gramian_cache")
            fill.append(assign(self.used_gramian, self.gramian, validate_shape=False).op)
            clear.append(assign(self.used_gramian, 1.0, validate_shape=False).op)
        self.fill, self.clear = basic.group(*fill), basic.group(*clear)

    def put(self, ids: Any, rows: Any, name: str) -> Any:
        """The op that sets the factors `ids`."""
        if self.shards == 1:
            return updating.scatter_update(self.factors[0], ids, rows, name=name).op
        at, own = assigned(ids, self.factors, "div")
        at = math.cast(at, dtypes.int32)
        shares = partitioning.dynamic_partition(own, at, self.shards)
        parts = partitioning.dynamic_partition(rows, at, self.shards)
        updates = [updating.scatter_update(f, i, r) for f, i, r in zip(self.factors, shares, parts, strict=True)]
        return basic.group(*updates, name=name)


def _copy(name: str) -> Any:
    how = {"trainable": False, "collections": [GraphKeys.LOCAL_VARIABLES], "validate_shape": False}
    return Variable(1.0, name=name, **how)


def _factors(init: Any, sizes: list[int], width: int, name: str) -> list[Any]:
    init = init() if callable(init) else init
    if isinstance(init, list):
        assert len(init) == len(sizes)
    elif not (isinstance(init, str) and init == "random"):
        init = [init]
    made = []
    for i, size in enumerate(sizes):
        first = random_normal([size, width]) if isinstance(init, str) else init[i]
        made.append(Variable(first, dtype=dtypes.float32, name=f"{name}_shard_{i}"))
    return made


def _weights(init: Any, sizes: list[int], name: str) -> list[Any] | None:
    """A vector for each shard: of one number, or of numbers. Raises ValueError for other things."""
    if init is None:
        return None
    if isinstance(init, Iterable):
        given = list(init)
        if len(sizes) == 1 and len(given) == sizes[0]:
            given = [given]
        assert len(given) == len(sizes)
        firsts = given
    elif isinstance(init, numbers.Real) and init >= 0:
        firsts = [init * array.ones([size]) for size in sizes]
    else:
        raise ValueError(
            "Invalid weight initialization argument. Must be one of these: None, a real non-negative real number, or a list of "
            "lists of non-negative real numbers (or equivalent iterables) corresponding to sharded factors."
        )
    return [Variable(first, dtype=dtypes.float32, name=f"{name}_shard_{i}") for i, first in enumerate(firsts)]


class WALSModel:
    """The graph that factors a sparse matrix [input_rows, input_cols] into `n_components`.

    A sweep over the rows is: run `row_update_prep_gramian_op` and `initialize_row_update_op`, then the op of `update_row_factors` on
    batches of rows; the same for columns. `initialize_op` first, and `worker_init` once. Raises ValueError for negative weights.
    """

    def __init__(
        self,
        input_rows: int,
        input_cols: int,
        n_components: int,
        unobserved_weight: float = 0.1,
        regularization: float | None = None,
        row_init: Any = "random",
        col_init: Any = "random",
        num_row_shards: int = 1,
        num_col_shards: int = 1,
        row_weights: Any = 1,
        col_weights: Any = 1,
        use_factors_weights_cache: bool = True,
        use_gramian_cache: bool = True,
        use_scoped_vars: bool = False,
    ):
        assert (row_weights is None) == (col_weights is None)
        self._unobserved_weight, self._regularization = unobserved_weight, regularization
        self._input_rows, self._input_cols = input_rows, input_cols
        self._width = n_components
        self._rows = _Side("row", input_rows, n_components, num_row_shards, row_init, row_weights, use_scoped_vars)
        self._cols = _Side("col", input_cols, n_components, num_col_shards, col_init, col_weights, use_scoped_vars)
        self._row_weights, self._col_weights = self._rows.weights, self._cols.weights
        self.row_update_prep_gramian_op = self._cols.prepare_gramian()
        self.col_update_prep_gramian_op = self._rows.prepare_gramian()
        with scopes.name_scope("transient_vars"):
            for side in (self._rows, self._cols):
                side.cache(use_factors_weights_cache, use_gramian_cache)
            self.initialize_row_update_op = basic.group(self._cols.fill, self._rows.clear)
            self.initialize_col_update_op = basic.group(self._rows.fill, self._cols.clear)
            self.worker_init = basic.group(self._rows.fill_weights, self._cols.fill_weights, name="worker_init")

    @property
    def row_factors(self) -> list[Any]:
        """The factors of the rows, a variable for each shard."""
        return self._rows.factors

    @property
    def col_factors(self) -> list[Any]:
        """The factors of the columns."""
        return self._cols.factors

    @property
    def row_weights(self) -> list[Any] | None:
        """The weights of the rows, or None."""
        return self._rows.weights

    @property
    def col_weights(self) -> list[Any] | None:
        """The weights of the columns, or None."""
        return self._cols.weights

    @property
    def initialize_op(self) -> Any:
        """The op that sets all variables."""
        sides = (self._rows, self._cols)
        every = [v for side in sides for v in [*side.factors, side.gramian, *(side.weights or [])]]
        return variables_initializer(every)

    def update_row_factors(self, sp_input: Any = None, transpose_input: bool = False) -> tuple[Any, Any, Any, Any, Any]:
        """(factors of the rows in `sp_input`, the op that keeps them, loss, regularization, sum of weights).

        The loss is what it would be if all rows were like these.
        """
        return self._updated(self._rows, self._cols, sp_input, transpose_input, None)

    def update_col_factors(self, sp_input: Any = None, transpose_input: bool = False) -> tuple[Any, Any, Any, Any, Any]:
        """As `update_row_factors`, for columns."""
        return self._updated(self._cols, self._rows, sp_input, not transpose_input, None)

    def project_row_factors(
        self, sp_input: Any = None, transpose_input: bool = False, projection_weights: Any = None
    ) -> Any:
        """The factors that rows would have, with weights of their own: a number or one for each row."""
        weights = 1 if projection_weights is None else projection_weights
        return self._updated(self._rows, self._cols, sp_input, transpose_input, weights)[0]

    def project_col_factors(
        self, sp_input: Any = None, transpose_input: bool = False, projection_weights: Any = None
    ) -> Any:
        """As `project_row_factors`, for columns."""
        weights = 1 if projection_weights is None else projection_weights
        return self._updated(self._cols, self._rows, sp_input, not transpose_input, weights)[0]

    def _updated(
        self, left: _Side, right: _Side, sp_input: Any, transposed: bool, weights: Any
    ) -> tuple[Any, Any, Any, Any, Any]:
        """Least squares for the `left` factors of what `sp_input` has, with the `right` ones as they are."""
        assert isinstance(sp_input, SparseTensor)
        first, second = sp_input.indices[:, 0], sp_input.indices[:, 1]
        left_ids, at = array.unique(second if transposed else first)
        right_ids, other = array.unique(first if transposed else second)
        values, number = sp_input.values, array.size(left_ids)
        factors = embedding_lookup(right.used_factors, right_ids, partition_strategy="div")
        gramian = right.used_gramian
        of_entries = array.gather(factors, other)
        lhs = self._unobserved_weight * gramian
        if self._regularization is not None:
            lhs += self._regularization * eye(self._width)
        if left.weights is None:
            own_weights: Any = array.zeros_like(values)
            rhs = self._unobserved_weight * segments.unsorted_segment_sum(
                array.expand_dims(values, 1) * of_entries, at, number
            )
            new = array.transpose(matrix_solve(lhs, array.transpose(rhs)))
        else:
            if weights is None:
                of_rows = embedding_lookup(left.used_weights, left_ids, partition_strategy="div")
            else:
                of_rows = array.ones([number]) * math.cast(to_tensor(weights), dtypes.float32)
            of_columns = embedding_lookup(right.used_weights, right_ids, partition_strategy="div")
            own_weights = array.gather(of_rows, at) * array.gather(of_columns, other)
            column = array.expand_dims(own_weights, 1)
            squares = array.expand_dims(column * of_entries, 2) * array.expand_dims(of_entries, 1)
            total = array.expand_dims(lhs, 0) + segments.unsorted_segment_sum(squares, at, number)
            weighted = (self._unobserved_weight + column) * array.expand_dims(values, 1) * of_entries
            rhs = segments.unsorted_segment_sum(weighted, at, number)
            new = array.squeeze(matrix_solve(total, array.expand_dims(rhs, -1)), [2])
        update = left.put(left_ids, new, f"{left.name}_update")
        said = math.reduce_sum(array.gather(new, at) * of_entries, 1)
        missed = math.square(values - said)
        share = left.count / math.cast(number, dtypes.float32)
        everywhere = math.reduce_sum(math.matmul(new, new, transpose_a=True) * gramian)
        loss = share * (
            self._unobserved_weight * (math.reduce_sum(missed - math.square(said)) + everywhere)
            + math.reduce_sum(own_weights * missed)
        )
        regularization = to_tensor(0.0)
        if self._regularization is not None:
            squares = math.reduce_sum(math.square(new)) * share + math.trace(gramian)
            regularization = self._regularization * squares
        sum_weights = self._unobserved_weight * left.count * right.count + math.reduce_sum(own_weights) * share
        return new, update, loss, regularization, sum_weights
