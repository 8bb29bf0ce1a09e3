"""Crosses of categorical columns: every combination of the features of a row, as a string or a hash."""

import itertools
from typing import Any

import numpy as np

from thalweg._src.core.dtypes import int64, string
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Many, Min, Mixed, Outputs, op, type_attr
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.formats.hashes import fingerprint64, fingerprint_cat64
from thalweg._src.ops.late import math

OUT = type_attr("out_type", (int64, string))
INTERNAL = type_attr("internal_type", (int64, string))
_HASH_KEY = 0xDECAFCAFFE
_INT64_MAX = (1 << 63) - 1
_MASK = (1 << 64) - 1


def _rows(indices: Any, values: Any, dims: Any) -> list[list[Any]]:
    """The features of each row."""
    rows: list[list[Any]] = [[] for _ in range(int(dims[0]))]
    for at, v in zip(indices[:, 0].tolist(), values.tolist(), strict=True):
        rows[at].append(v)
    return rows


def _as_number(v: Any) -> int:
    return fingerprint64(v) if isinstance(v, bytes) else v


def _text(dims: Any) -> str:
    return f"[{','.join(map(str, dims))}]"


def _check(indices: Any, values: Any, dims: Any, dense: Any) -> None:
    for i, (at, v, shape) in enumerate(zip(indices, values, dims, strict=True)):
        if at.ndim != 2:
            raise ValueError(f"Input indices should be a matrix but received shape {_text(at.shape)} at position {i}")
        if v.ndim != 1:
            raise ValueError(
                f"Input values should be a std::vector but received shape {_text(v.shape)} at position {i}"
            )
        if len(v) != len(at):
            raise ValueError(f"Expected size of values to be {len(at)} got {len(v)} at position {i}")
        if len(shape) != 2:
            raise ValueError(f"shape should imply a 2D tensor, but got {shape.tolist()} at position {i}")
    sizes = [int(s[0]) for s in dims] + [d.shape[0] for d in dense if d.ndim == 2]
    for d in dense:
        if d.ndim != 2:
            raise ValueError(f"Dense inputs should be a matrix but received shape {_text(d.shape)}")
    if any(n != sizes[0] for n in sizes):
        raise ValueError(f"Expected batch size {sizes[0]} got {next(n for n in sizes if n != sizes[0])}")


@op("SparseCross", host=True, numpy_only=True)
def _sparse_cross(
    indices: Many(int64, "N", 0),
    values: Mixed("sparse_types", 0, allowed=(int64, string)),
    shapes: Many(int64, "N", 0),
    dense_inputs: Mixed("dense_types", 0, allowed=(int64, string)),
    *,
    hashed_output: bool,
    num_buckets: Min(int, 0),
    hash_key: int,
    out_type: OUT,
    internal_type: INTERNAL,
) -> Outputs(output_indices=int64, output_values=OUT, output_shape=int64):
    """Every combination of one feature per column, row by row; the last column changes fastest."""
    columns = (indices, values, shapes, dense_inputs)
    return _crossed(*columns, (lambda features: _hashed(features, num_buckets, hash_key)) if hashed_output else None)


@op("SparseFeatureCross", host=True, numpy_only=True)
def _sparse_feature_cross(
    indices: Many(int64, "N", 0),
    values: Mixed("sparse_types", 0, allowed=(int64, string)),
    shapes: Many(int64, "N", 0),
    dense: Mixed("dense_types", 0, allowed=(int64, string)),
    *,
    hashed_output: bool,
    num_buckets: Min(int, 0),
    out_type: OUT,
    internal_type: INTERNAL,
) -> Outputs(output_indices=int64, output_values=OUT, output_shape=int64):
    """As `SparseCross`, with the hash of old."""
    return _crossed(
        indices,
        values,
        shapes,
        dense,
        (lambda features: _hashed_of_old(features, num_buckets)) if hashed_output else None,
    )


def _crossed(indices: Any, values: Any, shapes: Any, dense_inputs: Any, hashed: Any) -> tuple[Any, Any, Any]:
    """(places, combinations, shape); a combination is what `hashed` makes of its features, or their text."""
    _check(indices, values, shapes, dense_inputs)
    columns = [_rows(*column) for column in zip(indices, values, shapes, strict=True)]
    columns += [d.tolist() for d in dense_inputs]
    batch = len(columns[0]) if columns else 0
    at: list[tuple[int, int]] = []
    out: list[Any] = []
    longest = 0
    for b in range(batch):
        crosses = list(itertools.product(*[c[b] for c in columns]))
        longest = max(longest, len(crosses))
        for i, features in enumerate(crosses):
            at.append((b, i))
            if hashed:
                out.append(hashed(features))
            else:
                out.append(b"_X_".join(f if isinstance(f, bytes) else str(f).encode() for f in features))
    result = np.array(out, np.int64) if hashed else np.empty(len(out), object)
    if not hashed:
        result[:] = out
    return np.array(at, np.int64).reshape(-1, 2), result, np.array([batch, longest], np.int64)


def _hashed(features: Any, buckets: int, key: int) -> int:
    h = key & _MASK
    for f in features:
        h = fingerprint_cat64(h, _as_number(f) & _MASK)
    return h % (buckets or _INT64_MAX)


def _hashed_of_old(features: Any, buckets: int) -> int:
    signed = lambda x: ((x & _MASK) ^ 1 << 63) - (1 << 63)
    h = _HASH_KEY
    for f in features:
        h = signed(h ^ signed(_as_number(f) + 0x9E3779B97F4A7800 + (h << 10) + (h >> 4)))
    return (h & _MASK) % (buckets or _INT64_MAX)


for _op in (_sparse_cross, _sparse_feature_cross):
    _op.shape_rule(lambda op: [(None, 2), (None,), (2,)])
    _op.not_differentiable()


def _cross(
    inputs: Any, hashed: bool, buckets: int, key: int | None, name: str | None, *, of_old: bool = False
) -> SparseTensor:
    if not isinstance(inputs, list):
        raise TypeError("Inputs must be a list")
    if not all(isinstance(i, SparseTensor | Tensor) for i in inputs):
        raise TypeError("All inputs must be SparseTensors")
    sparse = [i for i in inputs if isinstance(i, SparseTensor)]
    dense = [i for i in inputs if isinstance(i, Tensor)]
    values = [sp.values for sp in sparse]
    internal = string if all(v.dtype.base_dtype == string for v in values + dense) else int64
    values, dense = (
        [v if v.dtype.base_dtype == string else math.cast(v, int64) for v in part] for part in (values, dense)
    )
    columns = ([sp.indices for sp in sparse], values, [sp.dense_shape for sp in sparse], dense)
    out = int64 if hashed else string
    how = {"hashed_output": hashed, "num_buckets": buckets, "out_type": out, "internal_type": internal, "name": name}
    parts = (
        _sparse_feature_cross(*columns, **how) if of_old else _sparse_cross(*columns, hash_key=key or _HASH_KEY, **how)
    )
    return SparseTensor(*parts)


def sparse_cross(inputs: Any, name: str | None = None) -> SparseTensor:
    """Every combination of the features in each row of `inputs` (SparseTensors or matrices), joined by "_X_"."""
    return _cross(inputs, False, 0, None, name)


def sparse_cross_hashed(
    inputs: Any, num_buckets: int = 0, hash_key: int | None = None, name: str | None = None
) -> SparseTensor:
    """As `tf.sparse.cross`, with a hash of each combination, less than `num_buckets` where that is not 0."""
    return _cross(inputs, True, num_buckets, hash_key, name)


def sparse_feature_cross(
    inputs: Any, hashed_output: bool = False, num_buckets: int = 0, name: str | None = None, hash_key: int | None = None
) -> SparseTensor:
    """Every combination of the features in each row, as text or as a hash: without `hash_key` the one of contrib's first days."""
    return _cross(inputs, hashed_output, num_buckets, hash_key, name, of_old=not hash_key)
