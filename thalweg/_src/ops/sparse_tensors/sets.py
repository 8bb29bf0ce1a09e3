"""Sets in the rows of tensors: size, intersection, union, difference; and the edit distance of sequences."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.dtypes import float32, int8, int16, int32, int64, string, uint8, uint16
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Outputs, op, type_attr
from thalweg._src.core.sparse_tensor import (
    SparseTensor,
    convert_to_tensor_or_sparse_tensor,
    is_sparse,
    to_sparse_tensor,
)
from thalweg._src.ops.sparse_tensors.sparse_dense import in_bounds, in_order

_ELEMENTS = (int8, int16, int32, int64, uint8, uint16, string)
S = type_attr("T", _ELEMENTS)
T = type_attr("T")

_OPERATIONS = {
    "a-b": lambda a, b: a - b,
    "b-a": lambda a, b: b - a,
    "intersection": lambda a, b: a & b,
    "union": lambda a, b: a | b,
}

Groups = dict[tuple[int, ...], set[Any]]


def _sparse_groups(indices: Any, values: Any, dims: Any, validate: bool) -> Groups:
    if len(dims) < 2:
        raise ValueError(f"Input must be at least rank 2, got {len(dims)}")
    if validate:
        in_bounds(indices, dims)
        in_order(indices)
    out: Groups = {}
    for at, v in zip(indices[:, :-1].tolist(), values.tolist(), strict=True):
        out.setdefault(tuple(at), set()).add(v)
    return out


def _dense_groups(values: Any) -> Groups:
    if values.ndim < 2:
        raise ValueError(f"Input must be at least rank 2, got {values.ndim}")
    return {at: set(values[at].tolist()) for at in np.ndindex(values.shape[:-1])}


def _operated(a: Groups, b: Groups, lead: Any, how: str, dtype: Any) -> Any:
    """The sets of the results, sorted, as a sparse tensor."""
    if how not in _OPERATIONS:
        raise ValueError(f"Invalid set_operation {how}.")
    at: list[tuple[int, ...]] = []
    values: list[Any] = []
    most = 0
    for group in sorted(a.keys() | b.keys()):
        found = sorted(_OPERATIONS[how](a.get(group, set()), b.get(group, set())))
        most = max(most, len(found))
        at += [(*group, i) for i in range(len(found))]
        values += found
    out = np.empty(len(values), dtype)
    out[:] = values
    return np.array(at, np.int64).reshape(-1, len(lead) + 1), out, np.array([*lead, most], np.int64)


def _same_groups(a: Any, b: Any) -> Any:
    if len(a) != len(b) or any(x != y for x, y in zip(a[:-1], b[:-1], strict=False)):
        raise ValueError(f"Mismatched group shapes: {shapes.text(tuple(a[:-1]))} and {shapes.text(tuple(b[:-1]))}")
    return [int(n) for n in a[:-1]]


@op("SetSize", host=True, numpy_only=True)
def _set_size(set_indices: int64, set_values: S, set_shape: int64, *, validate_indices: bool = True) -> int32:
    """The number of distinct values in each row of a sparse tensor."""
    groups = _sparse_groups(set_indices, set_values, set_shape, validate_indices)
    out = np.zeros(tuple(set_shape[:-1]), np.int32)
    for at, members in groups.items():
        out[at] = len(members)
    return out


@op("DenseToDenseSetOperation", host=True, numpy_only=True)
def _dense_to_dense(set1: S, set2: S, *, set_operation: str, validate_indices: bool = True) -> Outputs(
    result_indices=int64, result_values=S, result_shape=int64
):
    """Row by row of two dense tensors."""
    lead = _same_groups(set1.shape, set2.shape)
    return _operated(_dense_groups(set1), _dense_groups(set2), lead, set_operation, set1.dtype)


@op("DenseToSparseSetOperation", host=True, numpy_only=True)
def _dense_to_sparse(
    set1: S,
    set2_indices: int64,
    set2_values: S,
    set2_shape: int64,
    *,
    set_operation: str,
    validate_indices: bool = True,
) -> Outputs(result_indices=int64, result_values=S, result_shape=int64):
    """Row by row of a dense tensor and a sparse one."""
    lead = _same_groups(set1.shape, set2_shape)
    b = _sparse_groups(set2_indices, set2_values, set2_shape, validate_indices)
    return _operated(_dense_groups(set1), b, lead, set_operation, set1.dtype)


@op("SparseToSparseSetOperation", host=True, numpy_only=True)
def _sparse_to_sparse(
    set1_indices: int64,
    set1_values: S,
    set1_shape: int64,
    set2_indices: int64,
    set2_values: S,
    set2_shape: int64,
    *,
    set_operation: str,
    validate_indices: bool = True,
) -> Outputs(result_indices=int64, result_values=S, result_shape=int64):
    """Row by row of two sparse tensors."""
    lead = _same_groups(set1_shape, set2_shape)
    a = _sparse_groups(set1_indices, set1_values, set1_shape, validate_indices)
    b = _sparse_groups(set2_indices, set2_values, set2_shape, validate_indices)
    return _operated(a, b, lead, set_operation, set1_values.dtype)


_set_size.shape_rule(lambda op: [None])


@_dense_to_dense.shape_rule
def _(op):
    a, b = (shapes.of_rank_at_least(t.dims, 2) for t in op.inputs)
    rank = len(a) if a is not None else None if b is None else len(b)
    if a is not None and b is not None:
        shapes.of_rank(b, len(a))
        shapes.merged(a[:-1], b[:-1])
    return [(None, rank), (None,), (rank,)]


def _sparse_rank(indices: Tensor, values: Tensor, dims: Tensor) -> int | None:
    n, columns = shapes.of_rank(indices.dims, 2)
    shapes.one_size(n, shapes.of_rank(values.dims, 1)[0])
    return shapes.one_size(columns, shapes.of_rank(dims.dims, 1)[0])


@_dense_to_sparse.shape_rule
def _(op):
    a = shapes.of_rank_at_least(op.inputs[0].dims, 2)
    rank = _sparse_rank(*op.inputs[1:])
    if a is not None:
        if rank is not None and rank != len(a):
            raise ValueError(f"Dimension must be {len(a)} but is {rank}")
        rank = len(a)
    return [(None, rank), (None,), (rank,)]


@_sparse_to_sparse.shape_rule
def _(op):
    a, b = _sparse_rank(*op.inputs[:3]), _sparse_rank(*op.inputs[3:])
    rank = shapes.one_size(a, b)
    if rank is not None and rank < 2:
        raise ValueError(f"Input 0, expected rank >= 2, got {rank}.")
    return [(None, rank), (None,), (rank,)]


for _set_op in (_set_size, _dense_to_dense, _dense_to_sparse, _sparse_to_sparse):
    _set_op.not_differentiable()


def set_size(a: Any, validate_indices: bool = True) -> Tensor:
    """The number of distinct values in each row of a SparseTensor. Raises TypeError for others, and for floats."""
    sp = convert_to_tensor_or_sparse_tensor(a, name="a")
    if not isinstance(sp, SparseTensor):
        raise TypeError(f"Expected `SparseTensor`, got {sp}.")
    if sp.values.dtype.base_dtype not in _ELEMENTS:
        raise TypeError(f"Invalid dtype {sp.values.dtype}.")
    return _set_size(sp.indices, sp.values, sp.dense_shape, validate_indices=validate_indices)


def _operate(a: Any, b: Any, how: str, validate: bool) -> SparseTensor:
    a = convert_to_tensor_or_sparse_tensor(a, name="a")
    if a.dtype.base_dtype not in _ELEMENTS:
        raise TypeError(f"'a' invalid dtype {a.dtype}.")
    b = convert_to_tensor_or_sparse_tensor(b, name="b")
    if b.dtype.base_dtype != a.dtype.base_dtype:
        raise TypeError(f"Types don't match, {a.dtype} vs {b.dtype}.")
    if is_sparse(a) and not is_sparse(b):
        a, b, how = b, a, {"a-b": "b-a", "b-a": "a-b"}.get(how, how)
    attrs = {"set_operation": how, "validate_indices": validate}
    if is_sparse(a):
        parts = _sparse_to_sparse(a.indices, a.values, a.dense_shape, b.indices, b.values, b.dense_shape, **attrs)
    elif is_sparse(b):
        parts = _dense_to_sparse(a, b.indices, b.values, b.dense_shape, **attrs)
    else:
        parts = _dense_to_dense(a, b, **attrs)
    return SparseTensor(*parts)


def set_intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What is in both of two rows, for each row of the last axis of `a` and `b` (dense or sparse), sorted."""
    return _operate(a, b, "intersection", validate_indices)


def set_union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What is in either of two rows, for each row of the last axis of `a` and `b` (dense or sparse), sorted."""
    return _operate(a, b, "union", validate_indices)


def set_difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """What is in the row of `a` and not in that of `b` (or the other way round), for each row of the last axis, sorted."""
    return _operate(a, b, "a-b" if aminusb else "b-a", validate_indices)


# -- edit distance


@op("EditDistance", host=True, numpy_only=True)
def _edit_distance(
    hypothesis_indices: int64,
    hypothesis_values: T,
    hypothesis_shape: int64,
    truth_indices: int64,
    truth_values: T,
    truth_shape: int64,
    *,
    normalize: bool = True,
) -> float32:
    """The Levenshtein distance of the sequences in the rows of two sparse tensors."""
    if len(hypothesis_shape) != len(truth_shape) or len(truth_shape) < 2:
        raise ValueError(
            f"Expected truth_shape and hypothesis_shape to have one length of 2 or more, got {len(truth_shape)} and "
            f"{len(hypothesis_shape)}"
        )
    out = np.zeros(np.maximum(hypothesis_shape, truth_shape)[:-1], np.float32)
    guesses, truths = _sequences(hypothesis_indices, hypothesis_values), _sequences(truth_indices, truth_values)
    for at in guesses.keys() | truths.keys():
        guess, truth = guesses.get(at, []), truths.get(at, [])
        if any(i < 0 or i >= n for i, n in zip(at, out.shape, strict=True)):
            raise ValueError(f"the sequence {list(at)} is out of bounds of {shapes.text(out.shape)}")
        distance = float(_levenshtein(guess, truth))
        if normalize:
            distance = distance / len(truth) if truth else np.inf if guess else 0.0
        out[at] = distance
    return out


def _sequences(indices: Any, values: Any) -> dict[tuple[int, ...], list[Any]]:
    out: dict[tuple[int, ...], list[Any]] = {}
    for at, v in zip(indices[:, :-1].tolist(), values.tolist(), strict=True):
        out.setdefault(tuple(at), []).append(v)
    return out


def _levenshtein(a: list[Any], b: list[Any]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@_edit_distance.shape_rule
def _(op):
    for part in (op.inputs[:3], op.inputs[3:]):
        _sparse_rank(*part)
    a, b = infer.constant_value(op.inputs[2]), infer.constant_value(op.inputs[5])
    if a is None or b is None:
        return [None]
    if len(a) != len(b):
        raise ValueError(f"Num elements of hypothesis_shape does not match truth_shape: {len(a)} vs. {len(b)}")
    return [tuple(np.maximum(a, b)[:-1].tolist())]


_edit_distance.not_differentiable()


def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: str | None = "edit_distance") -> Tensor:
    """How many insertions, deletions and replacements lead from each sequence of `hypothesis` to that of `truth`.

    Both are SparseTensors whose last axis holds the sequences. With `normalize` the number is divided by the length of
    the truth: infinity for an empty one. Raises TypeError for what is no SparseTensor.
    """
    for what, value in (("Hypothesis", hypothesis), ("Truth", truth)):
        if not is_sparse(value):
            raise TypeError(f"{what} must be a SparseTensor.")
    h, t = to_sparse_tensor(hypothesis), to_sparse_tensor(truth)
    return _edit_distance(
        h.indices, h.values, h.dense_shape, t.indices, t.values, t.dense_shape, normalize=normalize, name=name
    )
