"""RaggedTensor: tensors whose rows have different lengths, as `values` and the places in them where rows begin."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType, int32, int64
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.opdef import Many, Outputs, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.shaping import shape as shape_of
from thalweg._src.ops.late import array, math

SPLITS = type_attr("Tsplits", (int32, int64), int64)


class RaggedTensorValue:
    """The value of a RaggedTensor: an array, or another such value, and its row splits."""

    def __init__(self, values: Any, row_splits: Any):
        self.values, self.row_splits = values, np.asarray(row_splits)

    @property
    def flat_values(self) -> Any:
        return self.values.flat_values if isinstance(self.values, RaggedTensorValue) else self.values

    @property
    def nested_row_splits(self) -> tuple[Any, ...]:
        inner = self.values.nested_row_splits if isinstance(self.values, RaggedTensorValue) else ()
        return (self.row_splits, *inner)

    @property
    def ragged_rank(self) -> int:
        return len(self.nested_row_splits)

    @property
    def dtype(self) -> Any:
        return self.flat_values.dtype

    @property
    def shape(self) -> tuple[int | None, ...]:
        return (len(self.row_splits) - 1, None, *self.values.shape[1:])

    def _components(self) -> list[Any]:
        return [*self.nested_row_splits, self.flat_values]

    def to_list(self) -> list[Any]:
        """Nested Python lists."""
        inner = self.values.to_list() if isinstance(self.values, RaggedTensorValue) else self.values.tolist()
        ends = self.row_splits.tolist()
        return [inner[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]

    def __str__(self) -> str:
        return f"<tf.RaggedTensorValue {self.to_list()}>"

    def __repr__(self) -> str:
        return f"tf.RaggedTensorValue(values={self.values!r}, row_splits={self.row_splits!r})"


class RaggedTensor:
    """A tensor [rows, (any length), ...]: row i is `values[row_splits[i]:row_splits[i + 1]]`.

    Made by its `from_...` methods or `tf.ragged.constant`. `values` may itself be ragged.
    """

    def __init__(self, values: Any, row_splits: Any, internal: bool = False):
        if not internal:
            raise ValueError("RaggedTensor constructor is private; please use one of the factory methods instead.")
        self._values, self._row_splits = values, row_splits

    # -- ways to make one

    @classmethod
    def _of(cls, values: Any, row_splits: Any) -> "RaggedTensor":
        values = convert_to_tensor_or_ragged_tensor(values, name="values")
        kind = values.row_splits.dtype.base_dtype if isinstance(values, RaggedTensor) else None
        splits = to_tensor(row_splits, None, "row_splits", preferred=kind or int64)
        if kind is not None and splits.dtype.base_dtype != kind:
            splits, values = math.cast(splits, int64), values.with_row_splits_dtype(int64)
        shapes.of_rank(splits.dims, 1)
        return cls(values, splits, internal=True)

    @classmethod
    def from_row_splits(
        cls, values: Any, row_splits: Any, name: str | None = None, validate: bool = True
    ) -> "RaggedTensor":
        """Rows that begin and end at `row_splits` [rows + 1]. Raises ValueError for an empty list of splits."""
        if isinstance(row_splits, list | tuple) and not row_splits:
            raise ValueError("row_splits tensor may not be empty.")
        with name_scope(name, "RaggedFromRowSplits", None):
            return cls._of(values, row_splits)

    @classmethod
    def from_row_lengths(
        cls, values: Any, row_lengths: Any, name: str | None = None, validate: bool = True
    ) -> "RaggedTensor":
        """Rows of the lengths `row_lengths`."""
        with name_scope(name, "RaggedFromRowLengths", None):
            lengths = to_tensor(row_lengths, None, "row_lengths", preferred=int64)
            return cls._of(values, _splits_of(lengths))

    @classmethod
    def from_row_starts(
        cls, values: Any, row_starts: Any, name: str | None = None, validate: bool = True
    ) -> "RaggedTensor":
        """Rows that begin at `row_starts`."""
        with name_scope(name, "RaggedFromRowStarts", None):
            values = convert_to_tensor_or_ragged_tensor(values, name="values")
            starts = to_tensor(row_starts, None, "row_starts", preferred=int64)
            return cls._of(values, concat([starts, [math.cast(_rows_of(values), starts.dtype.base_dtype)]], 0))

    @classmethod
    def from_row_limits(
        cls, values: Any, row_limits: Any, name: str | None = None, validate: bool = True
    ) -> "RaggedTensor":
        """Rows that end at `row_limits`."""
        with name_scope(name, "RaggedFromRowLimits", None):
            limits = to_tensor(row_limits, None, "row_limits", preferred=int64)
            return cls._of(values, concat([constants.zeros([1], limits.dtype.base_dtype), limits], 0))

    @classmethod
    def from_value_rowids(
        cls, values: Any, value_rowids: Any, nrows: Any = None, name: str | None = None, validate: bool = True
    ) -> "RaggedTensor":
        """`nrows` rows, where `values[i]` belongs to row `value_rowids[i]`; the ids ascend."""
        with name_scope(name, "RaggedFromValueRowIds", None):
            ids = to_tensor(value_rowids, None, "value_rowids", preferred=int64)
            kind = ids.dtype.base_dtype
            if nrows is None:
                nrows = math.reduce_max(concat([ids, to_tensor([-1], kind)], 0)) + 1
            nrows = to_tensor(nrows, kind, "nrows") if not isinstance(nrows, Tensor) else math.cast(nrows, kind)
            ones = array.ones_like(ids)
            lengths = math.unsorted_segment_sum(ones, ids, nrows)
            return cls._of(values, _splits_of(lengths))

    @classmethod
    def from_nested_row_splits(
        cls, flat_values: Any, nested_row_splits: Sequence[Any], name: str | None = None, validate: bool = True
    ) -> "RaggedTensor":
        """A RaggedTensor of several ragged axes, outermost splits first."""
        return _nested(cls.from_row_splits, flat_values, nested_row_splits, name, "RaggedFromNestedRowSplits")

    @classmethod
    def from_nested_row_lengths(
        cls, flat_values: Any, nested_row_lengths: Sequence[Any], name: str | None = None, validate: bool = True
    ) -> "RaggedTensor":
        """A RaggedTensor of several ragged axes, outermost lengths first."""
        return _nested(cls.from_row_lengths, flat_values, nested_row_lengths, name, "RaggedFromNestedRowLengths")

    @classmethod
    def from_nested_value_rowids(
        cls,
        flat_values: Any,
        nested_value_rowids: Sequence[Any],
        nested_nrows: Any = None,
        name: str | None = None,
        validate: bool = True,
    ) -> "RaggedTensor":
        """A RaggedTensor of several ragged axes, outermost row ids first."""
        if isinstance(nested_value_rowids, Tensor):
            raise TypeError("nested_value_rowids must be a list of Tensors")
        counts = [None] * len(nested_value_rowids) if nested_nrows is None else list(nested_nrows)
        result = flat_values
        with name_scope(name, "RaggedFromNestedValueRowIds", None):
            for ids, n in reversed(list(zip(nested_value_rowids, counts, strict=True))):
                result = cls.from_value_rowids(result, ids, n)
        return result

    @classmethod
    def from_tensor(
        cls,
        tensor: Any,
        lengths: Any = None,
        padding: Any = None,
        ragged_rank: int = 1,
        name: str | None = None,
        row_splits_dtype: Any = int64,
    ) -> "RaggedTensor":
        """The rows of a dense tensor: whole, cut to `lengths`, or without the `padding` at their ends."""
        kind = dtypes.as_dtype(row_splits_dtype)
        if lengths is not None and padding is not None:
            raise ValueError("Specify lengths or padding, but not both")
        if not isinstance(ragged_rank, int) or ragged_rank < 1:
            raise (TypeError if not isinstance(ragged_rank, int) else ValueError)(
                f"ragged_rank must be an int greater than 0; got {ragged_rank}"
            )
        with name_scope(name, "RaggedFromTensor", None):
            tensor = to_tensor(tensor, None, "tensor")
            if padding is not None:
                lengths = _without_padding(tensor, padding, kind)
            if lengths is not None:
                return cls._cut(tensor, math.cast(to_tensor(lengths, None, preferred=kind), kind), kind)
            dims = shape_of(tensor, out_type=kind)
            splits, rows = [], dims[0]
            for axis in range(1, ragged_rank + 1):
                splits.append(math.range(rows + 1) * dims[axis])
                rows = rows * dims[axis]
            flat = array.reshape(tensor, concat([[rows], dims[ragged_rank + 1 :]], 0))
            if tensor.dims is not None:
                flat.set_shape((None, *tensor.dims[ragged_rank + 1 :]))
            return cls.from_nested_row_splits(flat, splits)

    @classmethod
    def _cut(cls, tensor: Tensor, lengths: Tensor, kind: DType) -> "RaggedTensor":
        most = shape_of(tensor, out_type=kind)[1]
        lengths = math.minimum(lengths, most)
        return cls._of(array.boolean_mask(tensor, array.sequence_mask(lengths, most)), _splits_of(lengths))

    @classmethod
    def from_sparse(cls, st_input: Any, name: str | None = None, row_splits_dtype: Any = int64) -> "RaggedTensor":
        """The rows of a sparse matrix, whose entries fill them from the left. Raises ValueError for another rank."""
        if not isinstance(st_input, SparseTensor):
            raise TypeError(f"Expected SparseTensor, got {type(st_input).__name__}")
        rank = st_input.get_shape().ndims
        if rank != 2:
            raise ValueError(f"rank(st_input) must be 2, got {rank}")
        kind = dtypes.as_dtype(row_splits_dtype)
        with name_scope(name, "RaggedFromSparse", None):
            rows = math.cast(st_input.indices[:, 0], kind)
            return cls.from_value_rowids(st_input.values, rows, math.cast(st_input.dense_shape[0], kind))

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
        kind = self._row_splits.dtype.base_dtype if out_type is None else dtypes.as_dtype(out_type)
        return shape_of(self._row_splits, out_type=kind)[0] - 1

    def row_starts(self, name: str | None = None) -> Tensor:
        return self._row_splits[:-1]

    def row_limits(self, name: str | None = None) -> Tensor:
        return self._row_splits[1:]

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        """The length of each row; along `axis`, those of the rows there."""
        if axis == 0:
            return self.nrows()
        if axis == 1:
            return self._row_splits[1:] - self._row_splits[:-1]
        if not isinstance(self._values, RaggedTensor):
            raise ValueError(f"axis {axis} is not ragged")
        return self.with_values(self._values.row_lengths(axis - 1))

    def nested_row_lengths(self, name: str | None = None) -> tuple[Tensor, ...]:
        inner = self._values.nested_row_lengths() if isinstance(self._values, RaggedTensor) else ()
        return (self.row_lengths(), *inner)

    def value_rowids(self, name: str | None = None) -> Tensor:
        """The row of each value."""
        kind = self._row_splits.dtype.base_dtype
        return array.repeat(math.range(self.nrows()), math.cast(self.row_lengths(), int32)) if kind else None

    def nested_value_rowids(self, name: str | None = None) -> tuple[Tensor, ...]:
        inner = self._values.nested_value_rowids() if isinstance(self._values, RaggedTensor) else ()
        return (self.value_rowids(), *inner)

    def bounding_shape(self, axis: int | None = None, name: str | None = None, out_type: Any = None) -> Tensor:
        """The shape of the smallest dense tensor that holds this one."""
        kind = self._row_splits.dtype.base_dtype if out_type is None else dtypes.as_dtype(out_type)
        sizes = [math.cast(self.nrows(), kind)]
        for lengths in self.nested_row_lengths():
            most = math.maximum(math.reduce_max(lengths), to_tensor(0, lengths.dtype.base_dtype))
            sizes.append(math.cast(most, kind))
        full = concat([array.stack(sizes), shape_of(self.flat_values, out_type=kind)[1:]], 0)
        return full if axis is None else full[axis]

    def consumers(self) -> list[Operation]:
        return list(dict.fromkeys(o for t in self._components() for o in t.consumers()))

    # -- others like it

    def with_values(self, new_values: Any) -> "RaggedTensor":
        """The same rows with other values."""
        return RaggedTensor._of(new_values, self._row_splits)

    def with_flat_values(self, new_values: Any) -> "RaggedTensor":
        """The same ragged axes with other values below them."""
        if isinstance(self._values, RaggedTensor):
            return self.with_values(self._values.with_flat_values(new_values))
        return self.with_values(new_values)

    def with_row_splits_dtype(self, dtype: Any) -> "RaggedTensor":
        kind = dtypes.as_dtype(dtype)
        values = self._values.with_row_splits_dtype(kind) if isinstance(self._values, RaggedTensor) else self._values
        return RaggedTensor(values, math.cast(self._row_splits, kind), internal=True)

    def to_sparse(self, name: str | None = None) -> SparseTensor:
        """A SparseTensor of the same entries."""
        with name_scope(name, "RaggedToSparse", None):
            splits = [math.cast(s, int64) for s in self.nested_row_splits]
            indices, values, dims = _ragged_to_sparse(splits, self.flat_values)
            rank = self.shape.ndims
            indices.set_shape([None, rank])
            dims.set_shape([rank])
            return SparseTensor(indices, values, dims)

    def to_tensor(self, default_value: Any = None, name: str | None = None) -> Tensor:
        """A dense tensor, rows filled up with `default_value` (0)."""
        from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_tensor_to_dense

        with name_scope(name, "RaggedToTensor", None):
            if default_value is not None:
                default_value = to_tensor(default_value, self.dtype.base_dtype)
            dense = sparse_tensor_to_dense(self.to_sparse(), default_value)
            dense.set_shape(self.shape)
            return dense

    def __getitem__(self, key: Any) -> Any:
        """Row number `key`, or a range of rows."""
        if isinstance(key, slice):
            return self._rows(key)
        if isinstance(key, tuple):
            if len(key) > 1:
                raise ValueError("RaggedTensor takes one index, of its rows")
            return self[key[0]]
        return self._values[self._row_splits[:-1][key] : self._row_splits[1:][key]]

    def _rows(self, key: slice) -> "RaggedTensor":
        if key.step not in (None, 1):
            raise ValueError("RaggedTensor slices have a step of 1")
        starts, limits = self.row_starts()[key], self.row_limits()[key]
        splits = concat([starts[:1], limits], 0)
        return RaggedTensor._of(self._values, splits)

    # What Session.run fetches and feeds in the place of the whole.

    def _components(self) -> list[Tensor]:
        return [*self.nested_row_splits, self.flat_values]

    def _with_components(self, tensors: Sequence[Tensor]) -> "RaggedTensor":
        return RaggedTensor.from_nested_row_splits(tensors[-1], list(tensors[:-1]))

    def _from_values(self, values: Sequence[Any]) -> RaggedTensorValue:
        result = values[-1]
        for splits in reversed(values[:-1]):
            result = RaggedTensorValue(result, splits)
        return result

    def __str__(self) -> str:
        return f"tf.RaggedTensor(values={self._values}, row_splits={self._row_splits})"

    __repr__ = __str__


def _rows_of(values: Any) -> Tensor:
    return values.nrows() if isinstance(values, RaggedTensor) else shape_of(values, out_type=int64)[0]


def _splits_of(lengths: Tensor) -> Tensor:
    return concat([constants.zeros([1], lengths.dtype.base_dtype), math.cumsum(lengths)], 0)


def _nested(make: Callable[..., Any], flat: Any, levels: Any, name: str | None, scope: str) -> Any:
    if isinstance(levels, Tensor):
        raise TypeError("nested partitions must be a list of Tensors")
    with name_scope(name, scope, None):
        for level in reversed(list(levels)):
            flat = make(flat, level)
    return flat


def _without_padding(tensor: Tensor, padding: Any, kind: DType) -> Tensor:
    """The lengths of rows up to their last entry that is no padding."""
    padding = to_tensor(padding, tensor.dtype.base_dtype, "padding")
    if padding.dims is not None and tensor.dims is not None:
        shapes.merged(tensor.dims[2:], padding.dims)
    same = math.equal(tensor, padding)
    inner = 0 if tensor.dims is None else len(tensor.dims) - 2
    if inner:
        same = math.reduce_all(same, list(range(2, inner + 2)))
    most = shape_of(tensor, out_type=kind)[1]
    return math.reduce_max(math.range(1, most + 1) * math.cast(math.logical_not(same), kind), axis=1)


@op("RaggedTensorToSparse", host=True, numpy_only=True)
def _ragged_to_sparse(rt_nested_splits: Many(SPLITS, "RAGGED_RANK", 1), rt_dense_values: type_attr("T")) -> Outputs(
    sparse_indices=int64, sparse_values=type_attr("T"), sparse_dense_shape=int64
):
    """The entries of a ragged tensor with their places."""
    values = rt_dense_values
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


@_ragged_to_sparse.shape_rule
def _(op):
    return [(None, None), (None,), (None,)]


_ragged_to_sparse.not_differentiable()


# -- conversions and constants


def convert_to_tensor_or_ragged_tensor(
    value: Any, dtype: Any = None, preferred_dtype: Any = None, name: str | None = None
) -> Any:
    """`value` as a RaggedTensor if it is one (or the value of one), as a Tensor otherwise."""
    want = None if dtype is None else dtypes.as_dtype(dtype)
    if isinstance(value, RaggedTensorValue):
        flat = to_tensor(value.flat_values, want, "flat_values")
        value = RaggedTensor.from_nested_row_splits(flat, value.nested_row_splits)
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


def map_flat_values(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`f` of the values below all ragged axes; RaggedTensors among the arguments must have the same splits."""
    ragged = [a for a in (*args, *kwargs.values()) if isinstance(a, RaggedTensor)]
    if not ragged:
        return f(*args, **kwargs)
    plain = lambda a: a.flat_values if isinstance(a, RaggedTensor) else a
    result = f(*[plain(a) for a in args], **{k: plain(v) for k, v in kwargs.items()})
    return ragged[0].with_flat_values(result)
