"""Rows shared out to several tensors by number, and put together again: dynamic_partition, dynamic_stitch."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import int32
from thalweg._src.core.opdef import Many, Min, Static, op, type_attr
from thalweg._src.ops.arrays.gathering import gather
from thalweg._src.ops.arrays.shaping import reshape, shape
from thalweg._src.ops.late import math
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices

T = type_attr("T")


@op("DynamicPartition", host=True, numpy_only=True)
def _dynamic_partition(data: T, partitions: int32, *, num_partitions: Min(int, 1)) -> Many(T, "num_partitions"):
    """The parts of `data` for which `partitions` is 0, 1, ..."""
    if data.shape[: partitions.ndim] != partitions.shape:
        raise ValueError(
            f"data.shape must start with partitions.shape, got data.shape = {shapes.text(data.shape)}, partitions.shape = "
            f"{shapes.text(partitions.shape)}"
        )
    wrong = np.argwhere((partitions < 0) | (partitions >= num_partitions))
    if len(wrong):
        at = tuple(wrong[0])
        raise ValueError(
            f"partitions{shapes.text(at) if at else ''} = {partitions[at]} is not in [0, {num_partitions})"
        )
    return [data[partitions == i] for i in range(num_partitions)]


def _prefix(data: Any, lead: Any) -> Any:
    """What follows `lead` in `data`; raises ValueError where `data` does not begin so."""
    if data is None or lead is None:
        return None
    if len(data) < len(lead):
        raise ValueError(f"Shape must be at least rank {len(lead)} but is rank {len(data)}")
    for a, b in zip(data, lead, strict=False):
        shapes.one_size(a, b)
    return data[len(lead) :]


@_dynamic_partition.shape_rule
def _(op):
    data, partitions = (t.dims for t in op.inputs)
    n = op.attrs["num_partitions"]
    if partitions is None:
        return [None] * n
    rest = _prefix(data, partitions)
    return [None if rest is None else (None, *rest)] * n


@_dynamic_partition.grad
def _(op, *grads):
    data, partitions = op.inputs
    dims = shape(partitions)
    places = reshape(math.range(math.reduce_prod(dims)), dims)
    parts = _dynamic_partition(places, partitions, num_partitions=op.attrs["num_partitions"])
    return reshape(dynamic_stitch(parts, list(grads)), shape(data)), None


@dispatched
def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> Any:
    """A list of `num_partitions` tensors: those parts of `data` for which `partitions` is 0, those with 1, and so on.

    The shape of `data` begins with that of `partitions`. Raises InvalidArgumentError in the run for other numbers.

    >>> run(tf.dynamic_partition([10, 20, 30], [0, 1, 0], 2))
    [array([10, 30], dtype=int32), array([20], dtype=int32)]
    """
    return _dynamic_partition(data, partitions, num_partitions=num_partitions, name=name)


def _stitched(indices: Any, data: Any) -> Any:
    rest = data[0].shape[indices[0].ndim :]
    for i, (at, part) in enumerate(zip(indices, data, strict=True)):
        if part.shape[: at.ndim] != at.shape:
            raise ValueError(
                f"data[{i}].shape = {shapes.text(part.shape)} does not start with indices[{i}].shape = {shapes.text(at.shape)}"
            )
        if part.shape[at.ndim :] != rest:
            raise ValueError(
                f"Need data[0].shape[{indices[0].ndim}:] = data[{i}].shape[{at.ndim}:], got data[0].shape = "
                f"{shapes.text(data[0].shape)}, data[{i}].shape = {shapes.text(part.shape)}, indices[0].shape = "
                f"{shapes.text(indices[0].shape)}, indices[{i}].shape = {shapes.text(at.shape)}"
            )
        if at.size and at.min() < 0:
            raise ValueError(f"indices[{i}] is out of range")
    flat = np.concatenate([at.ravel() for at in indices])
    n = int(flat.max()) + 1 if flat.size else 0
    source = np.zeros(n, np.int64)
    source[flat] = np.arange(flat.size)  # the last of several wins
    lib = xp(*data)
    rows = lib.concatenate([part.reshape(-1, *rest) for part in data])
    if flat.size == 0:
        return rows
    out = rows[source]
    missing = np.ones(n, bool)
    missing[flat] = False
    if missing.any():  # TensorFlow leaves those rows as the memory was
        blank = b"" if out.dtype == object else np.zeros((), out.dtype)
        out = lib.where(missing.reshape(-1, *[1] * len(rest)), blank, out)
    return out


def _data_dependent(op) -> bool:
    """The size of the result hangs on the indices: those that only the run knows make host work."""
    count = op.attrs["N"]
    return op.inputs[count].dtype.is_on_host or not all(infer.follows_from_shapes(t) for t in op.inputs[:count])


@op("DynamicStitch", host=_data_dependent)
def _dynamic_stitch(indices: Many(Static(int32), "N", 1), data: Many(T, "N", 1)) -> T:
    """A tensor whose row `indices[m][i, ...]` is `data[m][i, ...]`; the last of several wins."""
    return _stitched(indices, data)


@op("ParallelDynamicStitch", host=_data_dependent)
def _parallel_dynamic_stitch(indices: Many(Static(int32), "N", 1), data: Many(T, "N", 1)) -> T:
    """As DynamicStitch; which of several wins is left open, here it is the last."""
    return _stitched(indices, data)


def _stitch_rule(op):
    count = op.attrs["N"]
    indices, data = op.inputs[:count], op.inputs[count:]
    rest: Any = None
    most: int | None = 0
    for at, part in zip(indices, data, strict=True):
        value = infer.constant_value(at)
        if value is None:
            most = None
        elif most is not None and value.size:
            most = max(most, int(value.max()) + 1)
        rest = shapes.merged(rest, _prefix(part.dims, at.dims))
    return [None if rest is None else (most, *rest)]


def _stitch_gradient(op, g):
    count = op.attrs["N"]
    if isinstance(g, IndexedSlices):
        g = math.unsorted_segment_sum(g.values, g.indices, shape(op.outputs[0])[0])
    return [None] * count + [gather(g, at) for at in op.inputs[:count]]


for _stitch in (_dynamic_stitch, _parallel_dynamic_stitch):
    _stitch.shape_rule(_stitch_rule)
    _stitch.grad(_stitch_gradient)


def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Any:
    """A tensor whose row `indices[m][i, ...]` is `data[m][i, ...]`; where a row comes several times the last one wins.

    >>> run(tf.dynamic_stitch([[0, 2], [1]], [[10, 30], [20]]))
    array([10, 20, 30], dtype=int32)
    """
    return _dynamic_stitch(indices, data, name=name)


def parallel_dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Any:
    """`tf.dynamic_stitch` for indices that come once each."""
    return _parallel_dynamic_stitch(indices, data, name=name)
