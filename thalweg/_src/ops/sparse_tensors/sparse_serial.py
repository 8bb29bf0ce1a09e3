"""Sparse tensors as strings and back, and minibatches of them kept in a map."""

import itertools
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.dtypes import int64, string, variant
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.opdef import Outputs, op, type_attr
from thalweg._src.core.sparse_tensor import SparseTensor, to_sparse_tensor
from thalweg._src.formats import protos, tensors

T = type_attr("T")
DTYPE = type_attr("dtype")
OUT = type_attr("out_type", (string, variant), string)
SERIAL = type_attr("Tserialized", (string, variant), string)


def _packed(array: Any, dtype: Any, out_type: Any) -> Any:
    """One part: the bytes of a TensorProto, or for variants the array itself."""
    if out_type == variant:
        return array
    return tensors.to_proto(array, dtype.as_datatype_enum, content=True).SerializeToString()


def _unpacked(part: Any, dtype: Any) -> Any:
    if isinstance(part, np.ndarray):
        return part
    try:
        proto = protos.TensorProto.FromString(part)
        array = tensors.from_proto(proto)
    except Exception as error:
        raise ValueError(f"Could not parse serialized proto: {error}") from None
    if proto.dtype != dtype.as_datatype_enum:
        raise ValueError(
            f"Requested SparseTensor of type {dtype.name} but SparseTensor[0].values.dtype() == "
            f"{dtypes.as_dtype(proto.dtype).name}"
        )
    return array


def _objects(rows: Any, dims: Any) -> Any:
    out = np.empty(dims, object)
    for i, row in enumerate(rows):
        for j, part in enumerate(row):
            out[(i, j) if len(dims) == 2 else (j,)] = part
    return out


@op("SerializeSparse", host=True, numpy_only=True)
def _serialize(sparse_indices: int64, sparse_values: T, sparse_shape: int64, *, T: T, out_type: OUT = string) -> OUT:
    """[3]: indices, values and shape, each as a serialized tensor."""
    parts = ((sparse_indices, int64), (sparse_values, T), (sparse_shape, int64))
    return _objects([[_packed(a, t, out_type) for a, t in parts]], (3,))


@op("SerializeManySparse", host=True, numpy_only=True)
def _serialize_many(
    sparse_indices: int64, sparse_values: T, sparse_shape: int64, *, T: T, out_type: OUT = string
) -> OUT:
    """[n, 3]: the sparse tensors of a minibatch, one per row."""
    if len(sparse_shape) < 2:
        raise ValueError(f"Rank of input SparseTensor should be > 1, but saw rank: {len(sparse_shape)}")
    parts = _minibatch(sparse_indices, sparse_values, sparse_shape)
    rows = [[_packed(a, t, out_type) for a, t in zip(part, (int64, T, int64), strict=True)] for part in parts]
    return _objects(rows, (len(rows), 3))


def _minibatch(indices: Any, values: Any, dims: Any) -> list[Any]:
    """The sparse tensors along the first axis."""
    out = []
    for i in range(int(dims[0])):
        mine = indices[:, 0] == i
        out.append((indices[mine][:, 1:], values[mine], dims[1:]))
    return out


_serialize.shape_rule(lambda op: [(3,)])
_serialize_many.shape_rule(lambda op: [(None, 3)])
for _s in (_serialize, _serialize_many):
    _s.not_differentiable()


def _batched(parts: list[Any], prefix: tuple[int, ...], numpy: Any) -> Any:
    """One sparse tensor of several, with new axes `prefix` in front; its shape is the greatest of theirs."""
    if not parts:
        return np.zeros((0, len(prefix)), np.int64), np.zeros(0, numpy), np.array(prefix, np.int64)
    rank = len(parts[0][2])
    at, values = [], []
    most = np.zeros(rank, np.int64)
    for i, (indices, v, dims) in enumerate(parts):
        if indices.ndim != 2:
            raise ValueError(
                f"Expected serialized_sparse[{i}, 0] to represent an index matrix but received shape {shapes.text(indices.shape)}"
            )
        if v.ndim != 1:
            raise ValueError(
                f"Expected serialized_sparse[{i}, 1] to represent a values vector but received shape {shapes.text(v.shape)}"
            )
        if dims.ndim != 1:
            raise ValueError(
                f"Expected serialized_sparse[{i}, 2] to represent a shape vector but received shape {shapes.text(dims.shape)}"
            )
        if len(v) != len(indices):
            raise ValueError(f"Expected row counts of indices and values to match: {len(indices)} vs. {len(v)}")
        if len(dims) != rank:
            raise ValueError(
                f"Inconsistent shape across SparseTensors: rank prior to SparseTensor[{i}] was: {rank} but rank of "
                f"SparseTensor[{i}] is: {len(dims)}"
            )
        lead = np.array(np.unravel_index(i, prefix), np.int64).reshape(1, -1) if prefix else np.zeros((1, 0), np.int64)
        at.append(np.concatenate([np.repeat(lead, len(indices), 0), indices], axis=1))
        values.append(v)
        most = np.maximum(most, dims)
    return np.concatenate(at), np.concatenate(values), np.concatenate([np.array(prefix, np.int64), most])


@op("DeserializeManySparse", host=True, numpy_only=True)
def _deserialize_many(serialized_sparse: string, *, dtype: DTYPE) -> Outputs(
    sparse_indices=int64, sparse_values=DTYPE, sparse_shape=int64
):
    """[n, 3] of serialized sparse tensors as one, with a new first axis."""
    if serialized_sparse.ndim != 2:
        raise ValueError(f"Serialized sparse should have rank 2 but got {serialized_sparse.ndim}")
    if serialized_sparse.shape[1] != 3:
        raise ValueError(f"Serialize sparse should have 3 columns but got shape {shapes.text(serialized_sparse.shape)}")
    return _parsed(serialized_sparse, dtype)


def _parsed(serialized: Any, dtype: Any) -> Any:
    kinds = (int64, dtype, int64)
    flat = serialized.reshape(-1, 3)
    parts = [[_unpacked(p, t) for p, t in zip(row, kinds, strict=True)] for row in flat]
    return _batched(parts, serialized.shape[:-1], dtype._as_numpy)


@op("DeserializeSparse", host=True, numpy_only=True)
def _deserialize(serialized_sparse: SERIAL, *, dtype: DTYPE) -> Outputs(
    sparse_indices=int64, sparse_values=DTYPE, sparse_shape=int64
):
    """[..., 3] of serialized sparse tensors as one, with the axes before the last in front."""
    if serialized_sparse.ndim < 1:
        raise ValueError("Serialized sparse should have non-zero rank []")
    if serialized_sparse.shape[-1] != 3:
        raise ValueError(
            f"Serialized sparse should have 3 as the last dimension {shapes.text(serialized_sparse.shape)}"
        )
    return _parsed(serialized_sparse, dtype)


@_deserialize_many.shape_rule
def _(op):
    shapes.one_size(shapes.of_rank(op.inputs[0].dims, 2)[1], 3)
    return [(None, None), (None,), (None,)]


@_deserialize.shape_rule
def _(op):
    dims = op.inputs[0].dims
    if dims is not None and dims:
        shapes.one_size(dims[-1], 3)
    return [(None, None), (None,), (None,)]


for _d in (_deserialize, _deserialize_many):
    _d.not_differentiable()


def serialize_sparse(sp_input: Any, name: str | None = None, out_type: Any = string) -> Tensor:
    """A SparseTensor as three strings (or variants): its indices, values and shape."""
    sp = to_sparse_tensor(sp_input)
    return _serialize(sp.indices, sp.values, sp.dense_shape, out_type=dtypes.as_dtype(out_type), name=name)


def serialize_many_sparse(sp_input: Any, name: str | None = None, out_type: Any = string) -> Tensor:
    """The parts of a SparseTensor along its first axis as [n, 3] strings (or variants)."""
    sp = to_sparse_tensor(sp_input)
    return _serialize_many(sp.indices, sp.values, sp.dense_shape, out_type=dtypes.as_dtype(out_type), name=name)


def _of_rank(parts: Any, rank: int | None) -> SparseTensor:
    indices, values, dims = parts
    indices.set_shape([None, rank])
    dims.set_shape([rank])
    return SparseTensor(indices, values, dims)


def deserialize_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """What `serialize_sparse` made, as a SparseTensor; from [..., 3] strings as one with axes in front."""
    return _of_rank(_deserialize(serialized_sparse, dtype=dtypes.as_dtype(dtype), name=name), rank)


def deserialize_many_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """What `serialize_many_sparse` made, [n, 3] strings, as a SparseTensor with a first axis of n."""
    return _of_rank(_deserialize_many(serialized_sparse, dtype=dtypes.as_dtype(dtype), name=name), rank)


# -- a map of sparse tensors, by number


def _map(ctx: Any, container: str, shared_name: str) -> dict[int, Any]:
    key = ("SparseTensorsMap", container, shared_name or ctx.op.name)
    return ctx.resource(key, dict)


def _kept(entries: dict[int, Any], part: Any) -> int:
    number = next(entries.setdefault(-1, itertools.count()))  # a step that no other thread can come between
    entries[number] = part
    return number


@op("AddSparseToTensorsMap", effect="host", host=True)
def _add_to_map(
    sparse_indices: int64, sparse_values: T, sparse_shape: int64, *, container: str = "", shared_name: str = "", ctx
) -> int64:
    """Puts a sparse tensor into the map; the number under which it is there."""
    return np.int64(_kept(_map(ctx, container, shared_name), (sparse_indices, sparse_values, sparse_shape)))


@op("AddManySparseToTensorsMap", effect="host", host=True)
def _add_many_to_map(
    sparse_indices: int64, sparse_values: T, sparse_shape: int64, *, container: str = "", shared_name: str = "", ctx
) -> int64:
    """Puts the sparse tensors of a minibatch into the map; the numbers under which they are there."""
    if len(sparse_shape) < 2:
        raise ValueError(f"Rank of input SparseTensor should be > 1, but saw rank: {len(sparse_shape)}")
    entries = _map(ctx, container, shared_name)
    return np.array([_kept(entries, p) for p in _minibatch(sparse_indices, sparse_values, sparse_shape)], np.int64)


@op("TakeManySparseFromTensorsMap", effect="host", host=True)
def _take_from_map(sparse_handles: int64, *, dtype: DTYPE, container: str = "", shared_name: str = "", ctx) -> Outputs(
    sparse_indices=int64, sparse_values=DTYPE, sparse_shape=int64
):
    """Takes sparse tensors out of the map, as one with a new first axis."""
    entries = _map(ctx, container, shared_name)
    missing = [int(h) for h in sparse_handles if int(h) not in entries]
    if missing:
        raise ValueError(f"Unable to find SparseTensor: {missing[0]} in map: {shared_name}")
    return _batched([entries.pop(int(h)) for h in sparse_handles], sparse_handles.shape, dtype._as_numpy)


_add_to_map.shape_rule(lambda op: [()])
_add_many_to_map.shape_rule(lambda op: [(None,)])
_take_from_map.shape_rule(lambda op: [(None, None), (None,), (None,)])
for _m in (_add_to_map, _add_many_to_map, _take_from_map):
    _m.not_differentiable()


def add_sparse_to_tensors_map(
    sp_input: Any, container: str | None = None, shared_name: str | None = None, name: str | None = None
) -> Tensor:
    """Puts a SparseTensor into a map of the session and returns its number there."""
    sp = to_sparse_tensor(sp_input)
    return _add_to_map(sp.indices, sp.values, sp.dense_shape, container=container, shared_name=shared_name, name=name)


def add_many_sparse_to_tensors_map(
    sp_input: Any, container: str | None = None, shared_name: str | None = None, name: str | None = None
) -> Tensor:
    """Puts the parts of a SparseTensor along its first axis into a map of the session and returns their numbers."""
    sp = to_sparse_tensor(sp_input)
    return _add_many_to_map(
        sp.indices, sp.values, sp.dense_shape, container=container, shared_name=shared_name, name=name
    )


def take_many_sparse_from_tensors_map(
    sparse_map_op: Any, sparse_handles: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """Takes the SparseTensors with these numbers out of the map that `sparse_map_op` put them into.

    Raises TypeError for an operation of another kind.
    """
    if not isinstance(sparse_map_op, Operation):
        raise TypeError("sparse_map_op be an Operation")
    if sparse_map_op.opdef not in (_add_to_map, _add_many_to_map):
        raise TypeError(
            "sparse_map_op must be one of AddSparseToTensorsMap or AddManySparseToTensorsMap. Instead, found "
            f"`{sparse_map_op.type}`."
        )
    attrs = sparse_map_op.attrs
    with get_default_graph().colocate_with(sparse_map_op):
        return take_many_sparse_from_map(
            sparse_handles, attrs["T"], attrs["shared_name"] or sparse_map_op.name, rank, attrs["container"], name
        )


def take_many_sparse_from_map(
    sparse_handles: Any, dtype: Any, shared_name: str, rank: int | None, container: str = "", name: str | None = None
) -> SparseTensor:
    """Takes the SparseTensors with these numbers out of the map of that name."""
    parts = _take_from_map(sparse_handles, dtype=dtype, container=container, shared_name=shared_name, name=name)
    return _of_rank(parts, rank)
