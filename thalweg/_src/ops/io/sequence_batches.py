"""The op that parses a batch of SequenceExamples. Unlike the op for one of them, it names features and examples only in its errors."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import int64, string
from thalweg._src.core.opdef import Many, Min, Mixed, Outputs, Shape, op
from thalweg._src.formats import protos
from thalweg._src.ops.io.example_protos import DATA_TYPES, KINDS, LISTS, VALUES, as_array, empty, padded, ragged


class _Sequence:
    """One SequenceExample of a batch."""

    def __init__(self, data: bytes, name: str):
        self.name = name or "<unknown>"
        try:
            proto = protos.SequenceExample.FromString(data)
        except Exception:
            raise ValueError(f"Invalid protocol message input, example id: {self.name}") from None
        self._context, self._lists = proto.context.feature, proto.feature_lists.feature_list

    def of_context(self, key: str, dtype: Any) -> Any:
        """The values of a feature of the context; None where it is missing."""
        found = self._context.get(key)
        return None if found is None else self._values(found, key, dtype, "context")

    def steps(self, key: str, dtype: Any) -> list[Any] | None:
        """The values of each step of a list; None where it is missing."""
        found = self._lists.get(key)
        return None if found is None else [self._values(f, key, dtype, "sequence") for f in found.feature]

    def _values(self, feature: Any, key: str, dtype: Any, where: str) -> Any:
        kind = feature.WhichOneof("kind")
        if kind is None:
            return empty(dtype)
        if kind != LISTS[dtype]:
            raise ValueError(f"Error in {where} feature {key} in example {self.name}")
        return as_array(getattr(feature, kind).value, dtype)


def _dense(batch: list[_Sequence], rows: list[Any], key: str, dtype: Any, dims: Any, default: Any) -> Any:
    """[batch, *dims] of the values of a feature of the context; `default` where it is missing."""
    size = shapes.size_of(dims)
    longest = max((0 if r is None else r.size for r in rows), default=size)
    if longest != size and not (default.size and all(r is None for r in rows)):
        raise ValueError(f"Inconsistent number of elements for feature {key}: {longest} vs 1")
    out = np.empty((len(batch), *dims), dtype._as_numpy)
    for i, (s, values) in enumerate(zip(batch, rows, strict=True)):
        if values is None and default.size == 0 and size:
            raise ValueError(f"Feature: {key} (data type: {DATA_TYPES[dtype]}) is required but could not be found.")
        if values is None:
            out[i] = np.broadcast_to(default, dims) if default.ndim == 0 else default.reshape(dims)
        elif values.size != size:
            raise ValueError(f"Unexpected number of elements in example {s.name}")
        else:
            out[i] = values.reshape(dims)
    return out


def _stacked(s: _Sequence, steps: list[Any] | None, key: str, dtype: Any, dims: Any, may_miss: bool) -> Any:
    """[steps, *dims] of a list whose features have one shape; no steps where it may be missing and is."""
    if steps is None and not may_miss:
        raise ValueError(f"Missing feature {key} in example {s.name}")
    out = np.empty((len(steps or ()), *dims), dtype._as_numpy)
    for t, values in enumerate(steps or ()):
        if values.size != shapes.size_of(dims):
            raise ValueError(f"Unexpected number of elements in feature {key}, example {s.name}")
        out[t] = values.reshape(dims)
    return out


@op("ParseSequenceExample", host=True, numpy_only=True)
def parse_sequence_example_op(
    serialized: string,
    debug_name: string,
    context_dense_defaults: Mixed("Tcontext_dense", 0, allowed=KINDS),
    *,
    feature_list_dense_missing_assumed_empty: Min(list[str], 0),
    context_sparse_keys: Min(list[str], 0),
    context_dense_keys: Min(list[str], 0),
    feature_list_sparse_keys: Min(list[str], 0),
    feature_list_dense_keys: Min(list[str], 0),
    Ncontext_sparse: Min(int, 0) = 0,
    Ncontext_dense: Min(int, 0) = 0,
    Nfeature_list_sparse: Min(int, 0) = 0,
    Nfeature_list_dense: Min(int, 0) = 0,
    context_sparse_types: VALUES = (),
    Tcontext_dense: VALUES = (),
    feature_list_dense_types: VALUES = (),
    context_dense_shapes: Min(list[Shape], 0) = (),
    feature_list_sparse_types: VALUES = (),
    feature_list_dense_shapes: Min(list[Shape], 0) = (),
) -> Outputs(
    context_sparse_indices=Many(int64, "Ncontext_sparse"),
    context_sparse_values=Mixed("context_sparse_types"),
    context_sparse_shapes=Many(int64, "Ncontext_sparse"),
    context_dense_values=Mixed("Tcontext_dense"),
    feature_list_sparse_indices=Many(int64, "Nfeature_list_sparse"),
    feature_list_sparse_values=Mixed("feature_list_sparse_types"),
    feature_list_sparse_shapes=Many(int64, "Nfeature_list_sparse"),
    feature_list_dense_values=Mixed("feature_list_dense_types"),
    feature_list_dense_lengths=Many(int64, "Nfeature_list_dense"),
):
    """A vector of serialized SequenceExamples; lists of different lengths are padded, their lengths come beside."""
    if debug_name.size and debug_name.size != serialized.size:
        raise ValueError("example_names must be empty or have the correct number of elements")
    names = [n.decode() for n in debug_name] or [""] * serialized.size
    batch = [_Sequence(data, name) for data, name in zip(serialized, names, strict=True)]
    kinds = [*zip(context_sparse_keys, context_sparse_types, strict=True)]
    kinds += zip(context_dense_keys, Tcontext_dense, strict=True)
    rows = {key: [s.of_context(key, t) for s in batch] for key, t in kinds}
    kinds = [*zip(feature_list_sparse_keys, feature_list_sparse_types, strict=True)]
    kinds += zip(feature_list_dense_keys, feature_list_dense_types, strict=True)
    lines = {key: [s.steps(key, t) for s in batch] for key, t in kinds}
    dense = [
        _dense(batch, rows[column[0]], *column)
        for column in zip(context_dense_keys, Tcontext_dense, context_dense_shapes, context_dense_defaults, strict=True)
    ]
    context = [
        ragged([empty(t) if v is None else v for v in rows[key]], t)
        for key, t in zip(context_sparse_keys, context_sparse_types, strict=True)
    ]
    lists = [
        _ragged_steps([v or [] for v in lines[key]], t)
        for key, t in zip(feature_list_sparse_keys, feature_list_sparse_types, strict=True)
    ]
    may_miss = set(feature_list_dense_missing_assumed_empty)
    steps, lengths = [], []
    for key, t, dims in zip(feature_list_dense_keys, feature_list_dense_types, feature_list_dense_shapes, strict=True):
        parts = [_stacked(s, v, key, t, dims, key in may_miss) for s, v in zip(batch, lines[key], strict=True)]
        steps.append(padded(parts, dims, t, None))
        lengths.append(np.array([len(p) for p in parts], np.int64))
    return (
        [x[0] for x in context],
        [x[1] for x in context],
        [x[2] for x in context],
        dense,
        [x[0] for x in lists],
        [x[1] for x in lists],
        [x[2] for x in lists],
        steps,
        lengths,
    )


def _ragged_steps(rows: list[list[Any]], dtype: Any) -> Any:
    """Lists of vectors as a sparse tensor [batch, most steps, longest]."""
    at, values, steps, longest = [], [], 0, 0
    for i, row in enumerate(rows):
        steps = max(steps, len(row))
        for t, v in enumerate(row):
            longest = max(longest, len(v))
            at += [(i, t, j) for j in range(len(v))]
            values.append(v)
    flat = np.concatenate(values) if values else empty(dtype)
    return np.array(at, np.int64).reshape(-1, 3), flat, np.array([len(rows), steps, longest], np.int64)


@parse_sequence_example_op.shape_rule
def _(op):
    a = op.attrs
    batch = shapes.of_rank(op.inputs[0].dims, 1)[0]
    n, m = a["Ncontext_sparse"], a["Nfeature_list_sparse"]
    out: list[Any] = [(None, 2)] * n + [(None,)] * n + [(2,)] * n
    out += [None if d is None else (batch, *d) for d in a["context_dense_shapes"]]
    out += [(None, 3)] * m + [(None,)] * m + [(3,)] * m
    out += [None if d is None else (batch, None, *d) for d in a["feature_list_dense_shapes"]]
    return out + [(batch,)] * a["Nfeature_list_dense"]


parse_sequence_example_op.not_differentiable()
