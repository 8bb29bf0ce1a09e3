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
            if hashed_output:
                out.append(_hashed(features, num_buckets, hash_key))
            else:
                out.append(b"_X_".join(f if isinstance(f, bytes) else str(f).encode() for f in features))
    result = np.array(out, np.int64) if hashed_output else np.empty(len(out), object)
    if not hashed_output:
        result[:] = out
    return np.array(at, np.int64).reshape(-1, 2), result, np.array([batch, longest], np.int64)


def _hashed(features: Any, buckets: int, key: int) -> int:
    h = key & ((1 << 64) - 1)
    for f in features:
        h = fingerprint_cat64(h, _as_number(f) & ((1 << 64) - 1))
    return h % (buckets or _INT64_MAX)


_sparse_cross.shape_rule(lambda op: [(None, 2), (None,), (2,)])
_sparse_cross.not_differentiable()


def _cross(inputs: Any, hashed: bool, buckets: int, key: int | None, name: str | None) -> SparseTensor:
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
    parts = _sparse_cross(
        [sp.indices for sp in sparse],
        values,
        [sp.dense_shape for sp in sparse],
        dense,
        hashed_output=hashed,
        num_buckets=buckets,
        hash_key=key or _HASH_KEY,
        out_type=int64 if hashed else string,
        internal_type=internal,
        name=name,
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
