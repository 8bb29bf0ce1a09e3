"""RaggedTensor: tensors whose rows have different lengths, as `values` and the places in them where rows begin."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType, int32, int64
from thalweg._src.core.errors import invalid
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.opdef import Many, Outputs, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.shaping import shape as shape_of
from thalweg._src.ops.basic import control_dependencies
from thalweg._src.ops.late import array, math
from thalweg._src.ops.ragged_tensors.ragged_makers import RaggedMakers
from thalweg._src.ops.ragged_tensors.ragged_values import RaggedTensorValue
from thalweg._src.ops.reports import checks

SPLITS = type_attr("Tsplits", (int32, int64), int64)


class RaggedTensor(RaggedMakers):
    """A tensor [rows, (any length), ...]: row i is `values[row_splits[i]:row_splits[i + 1]]`.

    Made by its `from_...` methods or `tf.ragged.constant`. `values` may itself be ragged.
    """

    def __init__(
        self,
        values: Any,
        row_splits: Any,
        cached_row_lengths: Any = None,
        cached_value_rowids: Any = None,
        cached_nrows: Any = None,
        internal: bool = False,
    ):
        if not internal:
            raise ValueError("RaggedTensor constructor is private; please use one of the factory methods instead.")
        if not isinstance(row_splits, Tensor):
            raise TypeError(f"Row-partitioning argument must be a Tensor, got {row_splits!r}")
        if not isinstance(values, RaggedTensor | Tensor):
            raise TypeError(f"values must be a Tensor or RaggedTensor, got {values!r}")
        if row_splits.dtype.base_dtype not in (int32, int64):
            raise ValueError("Row-partitioning argument must be int32 or int64")
        row_splits.get_shape().assert_has_rank(1)
        values.get_shape().with_rank_at_least(1)
        row_splits.set_shape([None])
        for known in (cached_row_lengths, cached_value_rowids, cached_nrows):
            if known is not None and not isinstance(known, Tensor):
                raise TypeError("Cached value must be a Tensor or None.")
            if known is not None and known.dtype.base_dtype not in (int32, int64):
                raise TypeError("Cached value must be int32 or int64.")
        self._values, self._row_splits = values, row_splits
        self._known = (cached_row_lengths, cached_value_rowids, cached_nrows)

    # -- its parts

    @property
    def values(self) -> Any:
        return self._values

    @property
    def row_splits(self) -> Tensor:
        return self._row_splits

    @property
    def flat_values(self) -> Tensor:
        """The values below all ragged axes."""
        return self._values.flat_values if isinstance(self._values, RaggedTensor) else self._values

    @property
    def nested_row_splits(self) -> tuple[Tensor, ...]:
        """The splits of all ragged axes, outermost first."""
        inner = self._values.nested_row_splits if isinstance(self._values, RaggedTensor) else ()
        return (self._row_splits, *inner)

    @property
    def ragged_rank(self) -> int:
        """The number of ragged axes."""
        return len(self.nested_row_splits)

    @property
    def dtype(self) -> DType:
        return self._values.dtype

    @property
    def op(self) -> Operation:
        return self.flat_values.op

    @property
    def graph(self) -> Graph:
        return self.flat_values.graph

    @property
    def shape(self) -> TensorShape:
        """The static shape; ragged axes are unknown."""
        splits = self._row_splits.dims
        rows = None if splits is None or splits[0] is None else splits[0] - 1
        inner = self._values.shape
        if inner.ndims is None:
            return TensorShape(None)
        return TensorShape([rows, None, *inner.as_list()[1:]])

    def get_shape(self) -> TensorShape:
        return self.shape

    def nrows(self, out_type: Any = None, name: str | None = None) -> Tensor:
        """The number of rows."""
        kind = self._kind if out_type is None else dtypes.as_dtype(out_type)
        if self._known[2] is not None:
            return math.cast(self._known[2], kind)
        with name_scope(name, "RaggedNRows", None):
            return shape_of(self._row_splits, out_type=kind)[0] - 1

    @property
    def _kind(self) -> DType:
        """The type of the row splits."""
        return self._row_splits.dtype.base_dtype

    def row_starts(self, name: str | None = None) -> Tensor:
        """Where each row begins among the values."""
        with name_scope(name, "RaggedRowStarts", None):
            return self._row_splits[:-1]

    def row_limits(self, name: str | None = None) -> Tensor:
        """Where each row ends among the values."""
        with name_scope(name, "RaggedRowLimits", None):
            return self._row_splits[1:]

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        """The length of each row; along `axis`, those of the rows there."""
        with name_scope(name, "RaggedRowLengths", None):
            axis = positive_axis(axis, self.shape.ndims)
            if axis == 0:
                return self.nrows()
            if axis == 1 and self._known[0] is not None:
                return self._known[0]
            if axis == 1:
                return self._row_splits[1:] - self._row_splits[:-1]
            if isinstance(self._values, RaggedTensor):
                return self.with_values(self._values.row_lengths(axis - 1))
            dims = shape_of(self._values, out_type=self._kind)
            return self.with_values(array.fill(dims[: axis - 1], dims[axis - 1]))

    def nested_row_lengths(self, name: str | None = None) -> tuple[Tensor, ...]:
        """The lengths of the rows of all ragged axes, outermost first."""
        with name_scope(name, "RaggedNestedRowLengths", None):
            return tuple(splits[1:] - splits[:-1] for splits in self.nested_row_splits)

    def value_rowids(self, name: str | None = None) -> Tensor:
        """The row of each value."""
        if self._known[1] is not None:
            return self._known[1]
        with name_scope(name, "RaggedValueRowIds", None):
            return array.repeat(math.range(self.nrows()), math.cast(self.row_lengths(), int32))

    def nested_value_rowids(self, name: str | None = None) -> tuple[Tensor, ...]:
        """The row of each value, for all ragged axes, outermost first."""
        with name_scope(name, "RaggedNestedValueRowIds", None):
            inner = self._values.nested_value_rowids() if isinstance(self._values, RaggedTensor) else ()
            return (self.value_rowids(), *inner)

    def bounding_shape(self, axis: int | None = None, name: str | None = None, out_type: Any = None) -> Tensor:
        """The shape of the smallest dense tensor that holds this one."""
        kind = self._kind if out_type is None else dtypes.as_dtype(out_type)
        with name_scope(name, "RaggedBoundingBox", None):
            sizes = [self.nrows(kind)]
            for lengths in self.nested_row_lengths():
                most = math.maximum(math.reduce_max(lengths), to_tensor(0, lengths.dtype.base_dtype))
                sizes.append(math.cast(most, kind))
            full = concat([array.stack(sizes), shape_of(self.flat_values, out_type=kind)[1:]], 0)
            return full if axis is None else array.gather(full, axis)

    def consumers(self) -> list[Operation]:
        """The operations that take one of its tensors."""
        return list(dict.fromkeys(o for t in self._components() for o in t.consumers()))

    # -- others like it

    def with_values(self, new_values: Any) -> "RaggedTensor":
        """The same rows with other values. Raises ValueError where there can't be as many of those."""
        new_values = convert_to_tensor_or_ragged_tensor(new_values)
        new_values.get_shape().with_rank_at_least(1)
        self._values.get_shape()[:1].assert_is_compatible_with(new_values.get_shape()[:1])
        if isinstance(new_values, RaggedTensor) and new_values._kind != self._kind:
            raise ValueError(
                "self and new_values have mismatched row_splits dtypes; with_row_splits_dtype() changes them"
            )
        return RaggedTensor(new_values, self._row_splits, *self._known, internal=True)

    def with_flat_values(self, new_values: Any) -> "RaggedTensor":
        """The same ragged axes with other values below them."""
        if isinstance(self._values, RaggedTensor):
            return self.with_values(self._values.with_flat_values(new_values))
        return self.with_values(new_values)

    def with_row_splits_dtype(self, dtype: Any) -> "RaggedTensor":
        """The same with row splits of int32 or int64. Raises ValueError for another type."""
        kind = dtypes.as_dtype(dtype)
        if kind not in (int32, int64):
            raise ValueError("dtype must be int32 or int64")
        if kind == self._kind:
            return self
        values = self._values.with_row_splits_dtype(kind) if isinstance(self._values, RaggedTensor) else self._values
        return RaggedTensor(values, math.cast(self._row_splits, kind), internal=True)

    def to_sparse(self, name: str | None = None) -> SparseTensor:
        """A SparseTensor of the same entries."""
        with name_scope(name, "RaggedToSparse", None):
            indices, values, dims = _ragged_to_sparse(list(self.nested_row_splits), self.flat_values)
            rank = self.shape.ndims
            indices.set_shape([None, rank])
            dims.set_shape([rank])
            return SparseTensor(indices, values, dims)

    def to_tensor(self, default_value: Any = None, name: str | None = None) -> Tensor:
        """A dense tensor, rows filled up with `default_value` (0), which fits what lies below the ragged axes."""
        with name_scope(name, "RaggedToTensor", None):
            if default_value is not None:
                default_value = to_tensor(default_value, self.dtype.base_dtype, "default_value")
            values = self._values.to_tensor(default_value) if isinstance(self._values, RaggedTensor) else self._values
            below = shape_of(values, out_type=self._kind)
            if default_value is None:
                default_value = array.zeros(below[1:], values.dtype.base_dtype)
            else:
                if values.dims is not None:
                    default_value.get_shape().with_rank_at_most(len(values.dims) - 1)
                if (
                    default_value.dims is not None
                    and values.dims is not None
                    and len(default_value.dims) + 1 == len(values.dims)
                ):
                    shapes.merged(default_value.dims, values.dims[1:])
                else:
                    default_value = array.broadcast_to(default_value, below[1:])
            default_value.set_shape(values.get_shape()[1:])
            widest = math.maximum(
                math.reduce_max(self._row_splits[1:] - self._row_splits[:-1]), to_tensor(0, self._kind)
            )
            places = array.expand_dims(self._row_splits[:-1], 1) + array.expand_dims(math.range(0, widest), 0)
            filled = math.less(places, array.expand_dims(self._row_splits[1:], 1))
            places = array.where(filled, places, array.fill(shape_of(places), below[0]))
            return array.gather(concat([values, array.stack([default_value])], 0), places)

    def to_list(self) -> list[Any]:
        """Nested Python lists, in eager execution. Raises ValueError in a graph."""
        from thalweg._src.core.eager import EagerTensor

        parts = self._components()
        if not all(isinstance(t, EagerTensor) for t in parts):
            raise ValueError(
                "RaggedTensor.to_list() is for eager execution: run the RaggedTensor, its value has to_list()"
            )
        return self._from_values([t.numpy() for t in parts]).to_list()

    def __getitem__(self, key: Any) -> Any:
        """Rows, and pieces of them: integers and slices of rows; slices of inner ragged axes; `...` and `tf.newaxis`."""
        from thalweg._src.ops.ragged_tensors import ragged_indexing

        return ragged_indexing.item(self, key)

    def __bool__(self) -> bool:
        raise TypeError("RaggedTensor may not be used as a boolean.")

    # What Session.run fetches and feeds in the place of the whole.

    def _components(self) -> list[Tensor]:
        return [*self.nested_row_splits, self.flat_values]

    def _with_components(self, tensors: Sequence[Tensor]) -> "RaggedTensor":
        return RaggedTensor.from_nested_row_splits(tensors[-1], list(tensors[:-1]), validate=False)

    def _from_values(self, values: Sequence[Any]) -> RaggedTensorValue:
        result = values[-1]
        for splits in reversed(values[:-1]):
            result = RaggedTensorValue(result, splits)
        return result

    def __str__(self) -> str:
        return f"tf.RaggedTensor(values={self._values}, row_splits={self._row_splits})"

    __repr__ = __str__


@op("RaggedTensorToSparse", host=True, numpy_only=True)
def _ragged_to_sparse(rt_nested_splits: Many(SPLITS, "RAGGED_RANK", 1), rt_dense_values: type_attr("T")) -> Outputs(
    sparse_indices=int64, sparse_values=type_attr("T"), sparse_dense_shape=int64
):
    """The entries of a ragged tensor with their places."""
    values = rt_dense_values
    _check_partitions(rt_nested_splits, len(values))
    counts = [len(rt_nested_splits[0]) - 1]
    at = np.arange(counts[0])[:, None]
    for splits in rt_nested_splits:
        lengths = np.diff(splits)
        counts.append(int(lengths.max(initial=0)))
        within = np.concatenate([np.arange(n) for n in lengths]) if len(lengths) else np.zeros(0, np.int64)
        at = np.concatenate([np.repeat(at, lengths, axis=0), within[:, None]], axis=1)
    inner = values.shape[1:]
    grid = np.indices(inner).reshape(len(inner), -1).T if inner else np.zeros((1, 0), np.int64)
    at = np.concatenate([np.repeat(at, len(grid), axis=0), np.tile(grid, (len(at), 1))], axis=1)
    return at.astype(np.int64), values.reshape(-1), np.array([*counts, *inner], np.int64)


def _check_partitions(nested_splits: Sequence[np.ndarray], count: int) -> None:
    sizes = [*(len(s) - 1 for s in nested_splits[1:]), count]
    for splits, size in zip(nested_splits, sizes, strict=True):
        if not len(splits) or splits[0] != 0:
            raise invalid("First value of ragged splits must be 0.")
        if (np.diff(splits) < 0).any():
            raise invalid("Ragged splits should be non decreasing.")
        if splits[-1] != size:
            raise invalid("Final value of ragged splits must match the length of the corresponding ragged values.")


@_ragged_to_sparse.shape_rule
def _(op):
    *splits, values = [t.dims for t in op.inputs]
    rank = None if values is None else len(splits) + len(values)
    count = None if values is None or None in values else int(np.prod(values))
    return [(count, rank), (count,), (rank,)]


@_ragged_to_sparse.grad
def _(op, _indices, g, _shape):
    *splits, values = op.inputs
    return [*[None] * len(splits), array.reshape(g, shape_of(values))]


# -- conversions and constants


def positive_axis(axis: int, rank: int | None) -> int:
    """`axis` counted from the front. Raises TypeError for no integer, ValueError where there is no such axis."""
    if not isinstance(axis, int):
        raise TypeError(f"axis must be an int; got {type(axis).__name__}")
    if axis < 0 and rank is None:
        raise ValueError("axis may only be negative if ndims is statically known.")
    place = axis + (rank or 0) if axis < 0 else axis
    if place < 0 or (rank is not None and place >= rank):
        raise ValueError(f"axis={axis} out of bounds: expected {-(rank or 0)}<=axis<{rank}")
    return place


def convert_to_tensor_or_ragged_tensor(
    value: Any, dtype: Any = None, preferred_dtype: Any = None, name: str | None = None
) -> Any:
    """`value` as a RaggedTensor if it is one (or the value of one), as a Tensor otherwise."""
    want = None if dtype is None else dtypes.as_dtype(dtype)
    if isinstance(value, RaggedTensorValue):
        flat = to_tensor(value.flat_values, want, "flat_values")
        value = RaggedTensor.from_nested_row_splits(flat, value.nested_row_splits, validate=False)
    if isinstance(value, RaggedTensor):
        if want is not None and not want.is_compatible_with(value.dtype):
            raise ValueError(
                f"Tensor conversion requested dtype {want.name} for RaggedTensor with dtype {value.dtype.name}: {value}"
            )
        return value
    return to_tensor(value, want, name, preferred=None if preferred_dtype is None else dtypes.as_dtype(preferred_dtype))


def is_ragged(value: Any) -> bool:
    """Whether `value` is a RaggedTensor or the value of one."""
    return isinstance(value, RaggedTensor | RaggedTensorValue)


def map_flat_values(op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`op` of the values below all ragged axes; RaggedTensors among the arguments, and in lists of them, must have the same splits."""
    found: list[RaggedTensor] = []

    def plain(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(plain(v) for v in value)
        if is_ragged(value):
            found.append(convert_to_tensor_or_ragged_tensor(value))
            return found[-1].flat_values
        return value

    flat, named = [plain(a) for a in args], {k: plain(v) for k, v in kwargs.items()}
    if not found:
        return op(*args, **kwargs)
    with control_dependencies(same_splits(found)):
        return found[0].with_flat_values(op(*flat, **named))


def same_splits(values: Sequence[RaggedTensor]) -> list[Any]:
    """Checks that these have the same rows. Raises ValueError where they have ragged axes in different numbers."""
    first = values[0]
    if any(v.ragged_rank != first.ragged_rank for v in values):
        raise ValueError("Inputs must have identical ragged splits")
    return [
        checks.assert_equal(a, b, message="Inputs must have identical ragged splits")
        for v in values[1:]
        for a, b in zip(first.nested_row_splits, v.nested_row_splits, strict=True)
        if a is not b
    ]
