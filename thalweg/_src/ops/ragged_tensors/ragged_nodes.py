"""Two types of ops that graphs of TensorFlow have where ours have several: rows gathered, and rows laid into a tensor."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import Many, Min, Outputs, Static, op, type_attr
from thalweg._src.ops.ragged_tensors.ragged import SPLITS

VALUES, T = type_attr("Tvalues"), type_attr("T")
INDICES = type_attr("Tindices", (int32, int64))
INDEX, SHAPE = type_attr("Tindex", (int32, int64)), type_attr("Tshape", (int32, int64))


@op("RaggedGather", host=True, numpy_only=True)
def ragged_gather(
    params_nested_splits: Many(SPLITS, "PARAMS_RAGGED_RANK", 1),
    params_dense_values: VALUES,
    indices: INDICES,
    *,
    OUTPUT_RAGGED_RANK: Min(int, 0),
) -> Outputs(output_nested_splits=Many(SPLITS, "OUTPUT_RAGGED_RANK"), output_dense_values=VALUES):
    """The rows `indices` of a ragged tensor: their splits, those that the axes of `indices` make first, and their values."""
    _check_splits(params_nested_splits, len(params_dense_values))
    count = len(params_nested_splits[0]) - 1
    if ((indices < 0) | (indices >= count)).any():
        at = np.argwhere((indices < 0) | (indices >= count))[0]
        place = f"[{','.join(map(str, at))}]" if len(at) else ""
        raise invalid(f"indices{place} = {indices[tuple(at)]} is not in [0, {count})")
    sizes = indices.shape
    made = [np.arange(np.prod(sizes[: d + 1], dtype=np.int64) + 1) * sizes[d + 1] for d in range(len(sizes) - 1)]
    chosen = indices.reshape(-1).astype(np.int64)
    for splits in params_nested_splits:
        starts, lengths = splits[chosen], splits[chosen + 1] - splits[chosen]
        made.append(np.concatenate([[0], np.cumsum(lengths)]))
        chosen = _ranges(starts, lengths)
    kind = params_nested_splits[0].dtype
    return [s.astype(kind) for s in made[len(made) - OUTPUT_RAGGED_RANK :]], params_dense_values[chosen]


@ragged_gather.shape_rule
def _(node):
    rank, values = node.inputs[-1].dims, node.inputs[-2].dims
    if rank is not None:
        expected = node.attrs["PARAMS_RAGGED_RANK"] + len(rank) - 1
        if expected != node.attrs["OUTPUT_RAGGED_RANK"]:
            raise ValueError(f"RaggedGather {node.name!r}: OUTPUT_RAGGED_RANK must be {expected}.")
    return [(None,)] * node.attrs["OUTPUT_RAGGED_RANK"] + [None if values is None else (None, *values[1:])]


def _check_splits(nested: Any, count: int) -> None:
    for splits, end in zip(nested, [*(len(s) for s in nested[1:]), count], strict=True):
        if not len(splits):
            raise invalid("Ragged splits may not be empty")
        if splits[0] < 0:
            raise invalid("Ragged splits must be non-negative")
        if splits[-1] > end:
            raise invalid("Ragged splits must not point past values")
        if (np.diff(splits) < 0).any():
            raise invalid("Ragged splits must be sorted")


def _ranges(starts: Any, lengths: Any) -> Any:
    """The numbers from each start on, as many as its length says, one range behind the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)


@op("RaggedTensorToTensor", host=True, numpy_only=True)
def ragged_to_tensor(
    shape: Static(SHAPE),
    values: T,
    default_value: T,
    row_partition_tensors: Many(INDEX, "num_row_partition_tensors", 1),
    *,
    row_partition_types: list[str],
) -> T:
    """Rows side by side in a tensor of `shape` (-1: as large as is needed), `default_value` behind their ends.

    A partition is the row splits of an axis, or the row of each value of it (behind FIRST_DIM_SIZE, the number of rows).
    """
    kinds = [k.decode() if isinstance(k, bytes) else k for k in row_partition_types]
    count, partitions = _partitions(kinds, row_partition_tensors)
    wanted = [] if np.ndim(shape) == 0 else [int(n) for n in shape]
    rank = len(partitions) + 1
    inner = values.shape[1:]
    sizes = wanted[:rank] if wanted else [-1] * rank
    rows, starts = np.arange(count), []
    for rowids in partitions:
        first = np.searchsorted(rowids, rowids, side="left")
        starts.append(np.arange(len(rowids)) - first)
    needed = [count, *(int(s.max(initial=-1)) + 1 for s in starts)]
    sizes = [n if w < 0 else w for w, n in zip(sizes, needed, strict=True)]
    if wanted and any(w not in (-1, n) for w, n in zip(wanted[rank:], inner, strict=True)):
        raise invalid(f"Shapes {wanted} and {[*sizes, *inner]} are incompatible")
    out = np.empty((*sizes, *inner), values.dtype)
    out[...] = default_value
    places = [rows]
    for rowids, within in zip(partitions, starts, strict=True):
        places = [*(p[rowids] for p in places), within]
    inside = np.logical_and.reduce([p < n for p, n in zip(places, sizes, strict=True)])
    out[tuple(p[inside] for p in places)] = values[inside]
    return out


def _partitions(kinds: list[str], tensors: Any) -> tuple[int, list[Any]]:
    """The number of rows, and for each ragged axis the row of each of its values."""
    count = None
    if kinds[0] == "FIRST_DIM_SIZE":
        count, kinds, tensors = int(tensors[0]), kinds[1:], tensors[1:]
    elif kinds[0] != "ROW_SPLITS":
        raise invalid(f"Cannot handle {kinds[0]} in first dimension.")
    rowids = []
    for kind, t in zip(kinds, tensors, strict=True):
        if kind == "ROW_SPLITS":
            rowids.append(np.repeat(np.arange(len(t) - 1), np.diff(t)))
            count = len(t) - 1 if count is None else count
        elif kind == "VALUE_ROWIDS":
            rowids.append(t.astype(np.int64))
        else:
            raise invalid(f"Unsupported partition type:{kind}")
    return count or 0, rowids


@ragged_to_tensor.shape_rule
def _(node):
    from thalweg._src.core import infer

    kinds = node.attrs["row_partition_types"]
    rank = len(kinds) - (kinds[0] in ("FIRST_DIM_SIZE", b"FIRST_DIM_SIZE")) + 1
    values, wanted = node.inputs[1].dims, infer.partial_value(node.inputs[0])
    if wanted is None or node.inputs[0].dims == ():
        return [None if values is None else (None,) * rank + tuple(values[1:])]
    inner = (None,) * (len(wanted) - rank) if values is None else values[1:]
    return [(*wanted[:rank], *shapes.merged(wanted[rank:], inner))]


ragged_gather.not_differentiable()
ragged_to_tensor.not_differentiable()
