"""The ops that parse tf.train.Example and SequenceExample protos into tensors."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import float32, int64, string
from thalweg._src.core.opdef import Many, Min, Mixed, Outputs, Shape, TypesOf, op
from thalweg._src.formats import protos

KINDS = (float32, int64, string)
VALUES = TypesOf(*KINDS)
LISTS = {float32: "float_list", int64: "int64_list", string: "bytes_list"}
_NAMES = {float32: "float", int64: "int64", string: "bytes"}
FEW = 32
DATA_TYPES = {float32: "float", int64: "int64", string: "string"}


def _text(dims: Any) -> str:
    return shapes.text(tuple(dims))


def _parsed(kind: Any, data: bytes, where: str) -> Any:
    try:
        return kind.FromString(data)
    except Exception:
        raise ValueError(f"Could not parse example input, value: '{data!r}'{where}") from None


class _Reader:
    """Reads features by key; `where` begins the messages of its errors."""

    def __init__(self, features: Any, name: str, index: int):
        self.features, self.index = features, index
        self.name = name or "<unknown>"

    def values(self, key: str, dtype: Any) -> Any:
        """The values of a feature as an array; None where it is missing or empty of any kind."""
        feature = self.features.get(key)
        return None if feature is None else self.of(feature, key, dtype)

    def of(self, feature: Any, key: str, dtype: Any) -> Any:
        kind = feature.WhichOneof("kind")
        if kind is None:
            return None
        if kind != LISTS[dtype]:
            raise ValueError(
                f"Name: {self.name}, Key: {key}, Index: {self.index}.  Data types don't match. "
                f"Expected type: {DATA_TYPES[dtype]}, but Feature is: {kind}"
            )
        return as_array(getattr(feature, kind).value, dtype)

    def dense(self, key: str, dtype: Any, dims: Any, default: Any) -> Any:
        """A feature of a fixed shape; `default` where it is missing."""
        values = self.values(key, dtype)
        if values is None:
            if default.size == 0 and shapes.size_of(dims):
                raise ValueError(
                    f"Name: {self.name}, Feature: {key} (data type: {DATA_TYPES[dtype]}) is required but could not be "
                    "found."
                )
            return np.broadcast_to(default, dims) if default.ndim == 0 else default.reshape(dims)
        return self.shaped(values, key, dtype, dims)

    def shaped(self, values: Any, key: str, dtype: Any, dims: Any) -> Any:
        if values.size != shapes.size_of(dims):
            raise ValueError(
                f"Name: {self.name}, Key: {key}, Index: {self.index}.  Number of {_NAMES[dtype]} values != expected.  "
                f"Values size: {values.size} but output shape: {_text(dims)}"
            )
        return values.reshape(dims)

    def rows(self, key: str, dtype: Any, dims: Any) -> Any:
        """A feature of shape [any number, *dims]; no rows where it is missing."""
        values = self.values(key, dtype)
        if values is None:
            return np.zeros((0, *dims), dtype._as_numpy)
        stride = shapes.size_of(dims) or 1
        if values.size % stride:
            raise ValueError(
                f"Name: {self.name}, Key: {key}, Index: {self.index}.  Number of {_NAMES[dtype]} values is not a multiple of "
                f"stride length. Saw {values.size} values but output shape is: {_text(dims)}"
            )
        return values.reshape(-1, *dims)


def as_array(values: Any, dtype: Any) -> Any:
    """A repeated field as an array."""
    if dtype == string:
        out = np.empty(len(values), object)
        out[:] = values[:]
        return out
    if len(values) < FEW:  # asking a field for an array costs more than walking it
        return np.fromiter(values, dtype._as_numpy, len(values))
    return np.array(values, dtype._as_numpy)


def ragged(rows: list[Any], dtype: Any) -> Any:
    """Vectors of different lengths as a sparse matrix: indices, values, shape."""
    lengths = np.array([len(r) for r in rows], np.int64)
    at = np.stack([np.repeat(np.arange(len(rows)), lengths), _within(lengths)], axis=1).astype(np.int64)
    values = np.concatenate(rows) if rows else np.zeros(0, dtype._as_numpy)
    return at, values, np.array([len(rows), lengths.max(initial=0)], np.int64)


def _within(lengths: Any) -> Any:
    """0, 1, ... anew for every length."""
    return np.concatenate([np.arange(n) for n in lengths]) if len(lengths) else np.zeros(0, np.int64)


def padded(rows: list[Any], dims: Any, dtype: Any, filler: Any) -> Any:
    """[n, most, *dims] of arrays [any number, *dims]."""
    most = max((len(r) for r in rows), default=0)
    blank = b"" if dtype == string else 0
    out = np.full((len(rows), most, *dims), blank if filler is None else filler, dtype._as_numpy)
    for i, r in enumerate(rows):
        out[i, : len(r)] = r
    return out


def _keys(values: Any) -> list[str]:
    return [k.item().decode() if isinstance(k, np.ndarray) else k.decode() for k in values]


def empty(dtype: Any) -> Any:
    return np.zeros(0, dtype._as_numpy)


# -- Example


@op("ParseExample", host=True, numpy_only=True)
def parse_example_op(
    serialized: string,
    names: string,
    sparse_keys: Many(string, "Nsparse", 0),
    dense_keys: Many(string, "Ndense", 0),
    dense_defaults: Mixed("Tdense", 0, allowed=KINDS),
    *,
    sparse_types: VALUES,
    Tdense: VALUES,
    dense_shapes: Min(list[Shape], 0),
) -> Outputs(
    sparse_indices=Many(int64, "Nsparse"),
    sparse_values=Mixed("sparse_types"),
    sparse_shapes=Many(int64, "Nsparse"),
    dense_values=Mixed("Tdense"),
):
    """A vector of serialized Examples: features of any length as sparse matrices, the others as tensors [n, ...]."""
    if names.size and names.size != serialized.size:
        raise ValueError(f"Expected len(names) == len(examples), but got: {names.size} vs. {serialized.size}")
    readers = []
    for i, data in enumerate(serialized):
        features = _parsed(protos.Example, data, "").features.feature
        readers.append(_Reader(features, names[i].decode() if names.size else "", i))
    sparse = []
    for key, dtype in zip(_keys(sparse_keys), sparse_types, strict=True):
        rows = [r.values(key, dtype) for r in readers]
        sparse.append(ragged([empty(dtype) if v is None else v for v in rows], dtype))
    dense = []
    for key, dtype, default, dims in zip(_keys(dense_keys), Tdense, dense_defaults, dense_shapes, strict=True):
        if dims and dims[0] is None:
            dense.append(padded([r.rows(key, dtype, dims[1:]) for r in readers], dims[1:], dtype, default.item()))
        else:
            out = np.empty((len(readers), *dims), dtype._as_numpy)
            for i, r in enumerate(readers):
                out[i] = r.dense(key, dtype, dims, default)
            dense.append(out)
    return [s[0] for s in sparse], [s[1] for s in sparse], [s[2] for s in sparse], dense


@parse_example_op.shape_rule
def _(op):
    serialized, names = op.inputs[:2]
    batch = shapes.of_rank(serialized.dims, 1)[0]
    shapes.of_rank(names.dims, 1)
    n = op.attrs["Nsparse"]
    dense = []
    for dims in op.attrs["dense_shapes"]:
        dense.append(None if dims is None else (batch, *dims))
    return [(None, 2)] * n + [(None,)] * n + [(2,)] * n + dense


@op("ParseSingleExample", host=True, numpy_only=True)
def parse_single_example_op(
    serialized: string,
    dense_defaults: Mixed("Tdense", 0, allowed=KINDS),
    *,
    num_sparse: Min(int, 0),
    sparse_keys: Min(list[str], 0),
    dense_keys: Min(list[str], 0),
    sparse_types: VALUES,
    Tdense: VALUES,
    dense_shapes: Min(list[Shape], 0),
) -> Outputs(
    sparse_indices=Many(int64, "num_sparse"),
    sparse_values=Mixed("sparse_types"),
    sparse_shapes=Many(int64, "num_sparse"),
    dense_values=Mixed("Tdense"),
):
    """One serialized Example: features of any length as sparse vectors, the others as tensors."""
    reader = _Reader(_parsed(protos.Example, serialized.item(), "").features.feature, "", 0)
    indices, values, sizes = [], [], []
    for key, dtype in zip(sparse_keys, sparse_types, strict=True):
        row = reader.values(key, dtype)
        row = empty(dtype) if row is None else row
        indices.append(np.arange(len(row), dtype=np.int64)[:, None])
        values.append(row)
        sizes.append(np.array([len(row)], np.int64))
    dense = []
    for key, dtype, default, dims in zip(dense_keys, Tdense, dense_defaults, dense_shapes, strict=True):
        if dims and dims[0] is None:
            dense.append(reader.rows(key, dtype, dims[1:]))
        else:
            dense.append(reader.dense(key, dtype, dims, default))
    return indices, values, sizes, dense


@parse_single_example_op.shape_rule
def _(op):
    shapes.of_rank(op.inputs[0].dims, 0)
    n = op.attrs["num_sparse"]
    return [(None, 1)] * n + [(None,)] * n + [(1,)] * n + list(op.attrs["dense_shapes"])


# -- SequenceExample: a context, and lists of features over time


class _Sequence:
    """One SequenceExample."""

    def __init__(self, data: bytes, name: str, index: int):
        proto = _parsed(protos.SequenceExample, data, "")
        self.context = _Reader(proto.context.feature, name, index)
        self.lists = proto.feature_lists.feature_list
        self.name = name

    def steps(self, key: str, dtype: Any) -> list[Any]:
        """The values of each step of a list of any lengths; no steps where the list is missing."""
        found = self.lists.get(key)
        return [] if found is None else [self._step(key, dtype, t, f) for t, f in enumerate(found.feature)]

    def _step(self, key: str, dtype: Any, t: int, feature: Any) -> Any:
        kind = feature.WhichOneof("kind")
        if kind is None:
            return empty(dtype)
        if kind != LISTS[dtype]:
            raise ValueError(
                f"Name: {self.name}, Feature list: {key}, Index: {t}.  Data types don't match. "
                f"Expected type: {DATA_TYPES[dtype]}  Feature is: {feature}"
            )
        return as_array(getattr(feature, kind).value, dtype)

    def dense(self, key: str, dtype: Any, dims: Any, missing_is_empty: bool) -> Any:
        """[steps, *dims] of a list whose features have one shape."""
        found = self.lists.get(key)
        if found is None:
            if missing_is_empty:
                return np.zeros((0, *dims), dtype._as_numpy)
            raise ValueError(
                f"Name: {self.name}, Feature list '{key}' is required but could not be found.  Did you mean to include it in "
                "feature_list_dense_missing_assumed_empty or feature_list_dense_defaults?"
            )
        out = np.empty((len(found.feature), *dims), dtype._as_numpy)
        for t, feature in enumerate(found.feature):
            values = self._step(key, dtype, t, feature)
            if values.size != shapes.size_of(dims):
                raise ValueError(
                    f"Name: {self.name}, Key: {key}, Index: {t}.  Number of {_NAMES[dtype]} values != expected.  "
                    f"values size: {values.size} but output shape: {_text(dims)}"
                )
            out[t] = values.reshape(dims)
        return out


@op("ParseSingleSequenceExample", host=True, numpy_only=True)
def parse_single_sequence_example_op(
    serialized: string,
    feature_list_dense_missing_assumed_empty: string,
    context_sparse_keys: Many(string, "Ncontext_sparse", 0),
    context_dense_keys: Many(string, "Ncontext_dense", 0),
    feature_list_sparse_keys: Many(string, "Nfeature_list_sparse", 0),
    feature_list_dense_keys: Many(string, "Nfeature_list_dense", 0),
    context_dense_defaults: Mixed("Tcontext_dense", 0, allowed=KINDS),
    debug_name: string,
    *,
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
):
    """One serialized SequenceExample."""
    sequence = _Sequence(serialized.item(), debug_name.item().decode() if debug_name.size else "", 0)
    context = [
        sequence.context.values(k, t) for k, t in zip(_keys(context_sparse_keys), context_sparse_types, strict=True)
    ]
    context = [empty(t) if v is None else v for v, t in zip(context, context_sparse_types, strict=True)]
    columns = zip(_keys(context_dense_keys), Tcontext_dense, context_dense_shapes, context_dense_defaults, strict=True)
    dense = [sequence.context.dense(*column) for column in columns]
    lists = [
        ragged(sequence.steps(k, t), t)
        for k, t in zip(_keys(feature_list_sparse_keys), feature_list_sparse_types, strict=True)
    ]
    may_miss = {k.decode() for k in feature_list_dense_missing_assumed_empty}
    steps = zip(_keys(feature_list_dense_keys), feature_list_dense_types, feature_list_dense_shapes, strict=True)
    return (
        [np.arange(len(v), dtype=np.int64)[:, None] for v in context],
        context,
        [np.array([len(v)], np.int64) for v in context],
        dense,
        [x[0] for x in lists],
        [x[1] for x in lists],
        [x[2] for x in lists],
        [sequence.dense(k, t, dims, k in may_miss) for k, t, dims in steps],
    )


@parse_single_sequence_example_op.shape_rule
def _(op):
    a = op.attrs
    shapes.of_rank(op.inputs[0].dims, 0)
    n, m = a["Ncontext_sparse"], a["Nfeature_list_sparse"]
    out = [(None, 1)] * n + [(None,)] * n + [(1,)] * n + list(a["context_dense_shapes"])
    out += [(None, 2)] * m + [(None,)] * m + [(2,)] * m
    return out + [None if d is None else (None, *d) for d in a["feature_list_dense_shapes"]]


for _parse in (parse_example_op, parse_single_example_op, parse_single_sequence_example_op):
    _parse.not_differentiable()
