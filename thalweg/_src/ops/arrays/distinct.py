"""Values that come once: unique, unique_with_counts, setdiff1d."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.opdef import Outputs, op, type_attr

T = type_attr("T")
INTS = (int32, int64)
IDX = type_attr("out_idx", INTS, int32)
AXIS = type_attr("Taxis", INTS, int64)

_MANY = 256  # whole numbers, from which on it is quicker to sort them


def _first_seen(x: Any, axis: int) -> tuple[Any, Any, Any]:
    """The distinct slices along `axis` in the order of their first coming, the number of each slice, and counts."""
    if x.ndim == 1 and x.dtype.kind in "iu" and x.size >= _MANY:
        values, firsts, numbers, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(firsts)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return values[order], place[numbers], counts[order]
    seen: dict[Any, int] = {}
    index = []
    keys = _keys(x) if x.ndim == 1 else [_key(x.take(i, axis)) for i in range(x.shape[axis])]
    first = []
    for i, key in enumerate(keys):
        number = seen.setdefault(key, len(seen))
        if number == len(first):
            first.append(i)
        index.append(number)
    counts = np.bincount(np.array(index, np.int64), minlength=len(first))
    return x.take(np.array(first, np.int64), axis), np.array(index, np.int64), counts


def _keys(x: Any) -> list[Any]:
    """What tells the entries of a vector apart. TensorFlow hashes float16 by its bits, so 0 and -0 are two there; no NaN is another."""
    if x.dtype == np.float16:
        return [float(v) if np.isnan(v) else bits for v, bits in zip(x, x.view(np.int16).tolist(), strict=True)]
    return x.astype(np.float32).tolist() if x.dtype == dtypes.bfloat16.as_numpy_dtype else x.tolist()


def _key(part: Any) -> Any:
    return part.tobytes() if part.dtype.kind in "biu" else tuple(_keys(part.ravel()))


def _vector_rule(op):
    return [(None,), op.inputs[0].dims, (None,)][: len(op.outputs)]


def _checked_vector_rule(op):
    shapes.of_rank(op.inputs[0].dims, 1)
    return _vector_rule(op)


@op("Unique", host=True, numpy_only=True)
def _unique(x: T, *, out_idx: IDX = int32) -> Outputs(y=T, idx=IDX):
    """The distinct entries of a vector, in the order of their first coming, and each entry's number among them."""
    if x.ndim != 1:
        raise ValueError("unique expects a 1D vector.")
    return _first_seen(x, 0)[:2]


@op("UniqueWithCounts", host=True, numpy_only=True)
def _unique_with_counts(x: T, *, out_idx: IDX = int32) -> Outputs(y=T, idx=IDX, count=IDX):
    """As Unique, and how often each distinct entry comes."""
    if x.ndim != 1:
        raise ValueError("unique expects a 1D vector.")
    return _first_seen(x, 0)


def _axis(x: Any, axis: Any) -> int:
    if axis.size == 0:
        if x.ndim != 1:
            raise ValueError("unique expects a 1D vector.")
        return 0
    at = int(axis.reshape(-1)[0])
    if not -x.ndim <= at < x.ndim:
        raise ValueError(f"axis has to be between {-x.ndim} and {x.ndim}, got {at}")
    return at % x.ndim


@op("UniqueV2", host=True, numpy_only=True)
def _unique_along(x: T, axis: AXIS, *, out_idx: IDX = int32) -> Outputs(y=T, idx=IDX):
    """The distinct slices of `x` along `axis` (a vector of one axis, or of none for a vector)."""
    return _first_seen(x, _axis(x, axis))[:2]


@op("UniqueWithCountsV2", host=True, numpy_only=True)
def _unique_along_with_counts(x: T, axis: AXIS, *, out_idx: IDX = int32) -> Outputs(y=T, idx=IDX, count=IDX):
    """As UniqueV2, and how often each distinct slice comes."""
    return _first_seen(x, _axis(x, axis))


def _along_rule(op):
    dims = op.inputs[0].dims
    return [None if dims is None else (None,) * len(dims), (None,), (None,)][: len(op.outputs)]


_unique.shape_rule(_checked_vector_rule)
_unique_with_counts.shape_rule(_vector_rule)
for _u in (_unique_along, _unique_along_with_counts):
    _u.shape_rule(_along_rule)
for _u in (_unique, _unique_with_counts, _unique_along, _unique_along_with_counts):
    _u.not_differentiable()


def unique(x: Any, out_idx: Any = int32, name: str | None = None) -> Any:
    """(y, idx): the distinct entries of the vector `x`, in the order of their first coming, with `x[i] = y[idx[i]]`.

    >>> run(tf.unique([1, 1, 2, 4, 4]))
    Unique(y=array([1, 2, 4], dtype=int32), idx=array([0, 0, 1, 2, 2], dtype=int32))
    """
    return _unique(x, out_idx=dtypes.as_dtype(out_idx), name=name)


def unique_with_counts(x: Any, out_idx: Any = int32, name: str | None = None) -> Any:
    """(y, idx, count): as `tf.unique`, and how often each distinct entry comes."""
    return _unique_with_counts(x, out_idx=dtypes.as_dtype(out_idx), name=name)


@op("ListDiff", host=True, numpy_only=True)
def _list_diff(x: T, y: T, *, out_idx: IDX = int32) -> Outputs(out=T, idx=IDX):
    """The entries of the vector `x` that are not in `y`, and their places."""
    if x.ndim != 1 or y.ndim != 1:
        raise ValueError(f"{'x' if x.ndim != 1 else 'y'} should be a 1D vector.")
    unwanted = set(y.tolist())
    keep = np.array([i for i, v in enumerate(x.tolist()) if v not in unwanted], np.int64)
    return x[keep], keep


@_list_diff.shape_rule
def _(op):
    for t in op.inputs:
        shapes.of_rank(t.dims, 1)
    return [(None,), (None,)]


_list_diff.not_differentiable()


def setdiff1d(x: Any, y: Any, index_dtype: Any = int32, name: str | None = None) -> Any:
    """(out, idx): the entries of the vector `x` that are not in the vector `y`, in order, and their places.

    >>> run(tf.setdiff1d([1, 2, 3, 4, 5, 6], [1, 3, 5]))
    ListDiff(out=array([2, 4, 6], dtype=int32), idx=array([1, 3, 5], dtype=int32))
    """
    return _list_diff(x, y, out_idx=dtypes.as_dtype(index_dtype), name=name)


def listdiff(x: Any, y: Any, out_idx: Any = None, name: str | None = None) -> Any:
    """`tf.setdiff1d`, as it was called before 1.0."""
    return setdiff1d(x, y, int32 if out_idx is None else out_idx, name)
