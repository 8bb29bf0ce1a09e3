"""SparseTensor: the entries of a tensor that are not zero, as their places and values."""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import dtypes, infer, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.default_sessions import default_session_for
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape

SparseTensorValue = collections.namedtuple("SparseTensorValue", ["indices", "values", "dense_shape"])


class SparseTensor:
    """A tensor of shape `dense_shape` whose entry at `indices[i]` is `values[i]` and that is zero elsewhere.

    `indices` [n, rank] and `dense_shape` [rank] are int64, `values` [n] of any type. Most ops want the indices in
    row-major order, which `tf.sparse_reorder` brings them into. Raises ValueError where the three don't fit together.
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any = None, shape: Any = None):
        dense_shape = shape if dense_shape is None else dense_shape  # its name before 0.12
        with name_scope(None, "SparseTensor", [indices, values, dense_shape]):
            self._indices = to_tensor(indices, dtypes.int64, "indices")
            self._values = to_tensor(values, None, "values", as_ref=True)
            self._dense_shape = to_tensor(dense_shape, dtypes.int64, "dense_shape")
        n, rank = (shapes.Dimension(d) for d in shapes.of_rank(self._indices.dims, 2))
        n.merge_with(shapes.of_rank(self._values.dims, 1)[0])
        rank.merge_with(shapes.of_rank(self._dense_shape.dims, 1)[0])

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """A SparseTensor of constants. Raises TypeError for what is no SparseTensorValue."""
        if not is_sparse(sparse_tensor_value):
            raise TypeError(f"Neither a SparseTensor nor SparseTensorValue: {sparse_tensor_value}.")
        v = sparse_tensor_value
        return cls(v.indices, v.values, v.dense_shape)

    @property
    def indices(self) -> Tensor:
        """[n, rank], int64."""
        return self._indices

    @property
    def values(self) -> Tensor:
        """[n]."""
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        """[rank], int64."""
        return self._dense_shape

    @property
    def op(self) -> Operation:
        return self._values.op

    @property
    def dtype(self) -> DType:
        return self._values.dtype

    @property
    def graph(self) -> Graph:
        return self._indices.graph

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return TensorShape._of(infer.partial_value(self._dense_shape))

    def get_shape(self) -> TensorShape:
        """The static shape."""
        return self.shape

    def consumers(self) -> list[Operation]:
        found = [op for t in self._components() for op in t.consumers()]
        return list(dict.fromkeys(found))

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """The value, a SparseTensorValue, in `session` or in the default session."""
        return default_session_for(self.graph, session, "evaluate tensor", "eval").run(self, feed_dict)

    def _with_values(self, values: Tensor) -> SparseTensor:
        return SparseTensor(self._indices, values, self._dense_shape)

    # What Session.run fetches and feeds in the place of the whole.

    def _components(self) -> list[Tensor]:
        return [self._indices, self._values, self._dense_shape]

    def _from_values(self, values: Sequence[Any]) -> Any:
        return SparseTensorValue(*values)

    @staticmethod
    def _override_operator(operator: str, func: Callable[..., Any]) -> None:
        if getattr(SparseTensor, operator, None) not in (None, object.__dict__.get(operator)):
            raise ValueError(f"operator {operator} cannot be overwritten again on class SparseTensor.")
        setattr(SparseTensor, operator, func)

    def __str__(self) -> str:
        return f"SparseTensor(indices={self._indices}, values={self._values}, dense_shape={self._dense_shape})"

    __repr__ = __str__


def is_sparse(x: Any) -> bool:
    """Whether `x` is a SparseTensor or a SparseTensorValue."""
    return isinstance(x, SparseTensor | SparseTensorValue)


def to_sparse_tensor(value: Any) -> SparseTensor:
    """`value`, a SparseTensor or its value, as a SparseTensor. Raises TypeError for others."""
    if isinstance(value, SparseTensorValue):
        return SparseTensor.from_value(value)
    if not isinstance(value, SparseTensor):
        raise TypeError("Input must be a SparseTensor.")
    return value


def convert_to_tensor_or_sparse_tensor(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """`value` as a SparseTensor if it is one (or the value of one), as a Tensor otherwise."""
    want = None if dtype is None else dtypes.as_dtype(dtype)
    if isinstance(value, SparseTensorValue):
        value = SparseTensor.from_value(value)
    if isinstance(value, SparseTensor):
        if want is not None and not want.is_compatible_with(value.dtype):
            raise RuntimeError(f"Sparse dtype: requested = {want.name}, actual = {value.dtype.name}")
        return value
    return to_tensor(value, want, name)
