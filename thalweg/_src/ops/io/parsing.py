"""Examples to tensors: what a program says about features, and parse_example and its relatives."""

import collections
import re
import warnings
from typing import Any

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int64, string
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.shaping import expand_dims, reshape, squeeze
from thalweg._src.ops.arrays.slicing import slice as slice_
from thalweg._src.ops.io import example_protos, sequence_batches
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_merge


class VarLenFeature(collections.namedtuple("VarLenFeature", ["dtype"])):
    """A feature of any number of values, which becomes a SparseTensor."""


class FixedLenFeature(collections.namedtuple("FixedLenFeature", ["shape", "dtype", "default_value"])):
    """A feature of a fixed shape, which becomes a tensor; `default_value` stands where an example has none."""

    def __new__(cls, shape: Any, dtype: Any, default_value: Any = None) -> "FixedLenFeature":
        return super().__new__(cls, shape, dtype, default_value)


class FixedLenSequenceFeature(
    collections.namedtuple("FixedLenSequenceFeature", ["shape", "dtype", "allow_missing", "default_value"])
):
    """A feature of any number of entries of a fixed shape, padded with `default_value` to the longest in the batch."""

    def __new__(
        cls, shape: Any, dtype: Any, allow_missing: bool = False, default_value: Any = None
    ) -> "FixedLenSequenceFeature":
        return super().__new__(cls, shape, dtype, allow_missing, default_value)


class SparseFeature(
    collections.namedtuple("SparseFeature", ["index_key", "value_key", "dtype", "size", "already_sorted"])
):
    """A SparseTensor made of two features: one with the indices (or one per axis), and one with the values."""

    def __new__(
        cls, index_key: Any, value_key: Any, dtype: Any, size: Any, already_sorted: bool = False
    ) -> "SparseFeature":
        return super().__new__(cls, index_key, value_key, dtype, size, already_sorted)


class _Columns:
    """Features as the ops want them: keys in alphabetical order, with types, shapes and defaults."""

    def __init__(self, features: Any, allowed: tuple[type, ...]):
        self.sparse: dict[str, Any] = {}  # key -> type
        self.dense: dict[str, tuple[Any, Any]] = {}  # key -> (type, dims)
        self.defaults: dict[str, Any] = {}
        for key in sorted(features or {}):
            self._add(key, features[key], allowed)
        both = self.sparse.keys() & self.dense.keys()
        if both:
            raise ValueError(f"Dense and sparse keys must not intersect; intersection: {both}")

    def _add(self, key: str, feature: Any, allowed: tuple[type, ...]) -> None:
        known = (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature)
        if not isinstance(feature, known):
            raise ValueError(f"Invalid feature {key}:{feature}.")
        if not isinstance(feature, allowed):
            raise ValueError(f"Unsupported {type(feature).__name__} {feature}.")
        if isinstance(feature, SparseFeature):
            for what in ("index_key", "value_key"):
                if not getattr(feature, what):
                    raise ValueError(f"Missing {what} for SparseFeature {feature}.")
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}.")
        if isinstance(feature, VarLenFeature):
            self.sparse[key] = dtypes.as_dtype(feature.dtype)
        elif isinstance(feature, SparseFeature):
            self._add_sparse(feature)
        else:
            self._add_dense(key, feature)

    def _add_sparse(self, feature: Any) -> None:
        index_keys = [feature.index_key] if isinstance(feature.index_key, str) else list(feature.index_key)
        if len(index_keys) > 1:
            warnings.warn(
                "SparseFeature is a complicated feature config and should only be used after careful consideration of "
                "VarLenFeature.",
                stacklevel=5,
            )
        wanted = [(k, int64) for k in sorted(index_keys)] + [(feature.value_key, dtypes.as_dtype(feature.dtype))]
        for k, dtype in wanted:
            if self.sparse.setdefault(k, dtype) != dtype:
                raise ValueError(f"Conflicting type {self.sparse[k]} vs {dtype} for feature {k}.")

    def _add_dense(self, key: str, feature: Any) -> None:
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}.")
        dims = shapes.as_dims(feature.shape)
        if isinstance(feature, FixedLenFeature):
            if dims and dims[0] is None:
                raise ValueError(
                    f"First dimension of shape for feature {key} unknown. Consider using FixedLenSequenceFeature."
                )
            if dims is None or None in dims:
                raise ValueError(
                    f"All dimensions of shape for feature {key} need to be known but received {feature.shape}."
                )
        elif feature.allow_missing:
            self.defaults[key] = None
        self.dense[key] = (dtypes.as_dtype(feature.dtype), dims)
        if feature.default_value is not None:
            self.defaults[key] = feature.default_value

    def default_tensors(self) -> list[Tensor]:
        """One default per dense feature: an empty one where there must be a value, a scalar to pad sequences with."""
        out = []
        for key, (dtype, dims) in self.dense.items():
            default = self.defaults.get(key)
            if dims and dims[0] is None:
                blank: Any = "" if dtype == string else 0
                name = None if default is None else "padding_" + _clean(key)
                t = to_tensor(blank if default is None else default, dtype, name)
                out.append(t if default is None else reshape(t, []))
            elif default is None:
                out.append(constants.constant([], dtype))
            elif isinstance(default, Tensor):
                out.append(default)
            else:
                out.append(reshape(to_tensor(default, dtype, "key_" + _clean(key)), dims))
        return out

    @property
    def dense_attrs(self) -> tuple[list[Any], list[Any]]:
        return [t for t, _ in self.dense.values()], [d for _, d in self.dense.values()]

    def named(self, indices: Any, values: Any, sizes: Any, dense: Any) -> dict[str, Any]:
        """The outputs of an op by key."""
        sparse = [SparseTensor(*parts) for parts in zip(indices, values, sizes, strict=True)]
        return dict(zip([*self.sparse, *self.dense], [*sparse, *dense], strict=True))


def _clean(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.\-/]", "_", key)


_ALL = (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature)


def _with_steps(features: Any) -> Any:
    """Sequence features with their first, unknown axis. Raises ValueError for one that may not be missing."""
    out = dict(features)
    for key, f in features.items():
        if isinstance(f, FixedLenSequenceFeature):
            if not f.allow_missing:
                raise ValueError("Unsupported: FixedLenSequenceFeature requires allow_missing to be True.")
            out[key] = f._replace(shape=[None, *f.shape])
    return out


def _finished(features: Any, tensors: dict[str, Any]) -> dict[str, Any]:
    """Sparse features made of their parts; parts that nobody asked for are left out."""
    out = dict(tensors)
    for key in sorted(features):
        f = features[key]
        if isinstance(f, SparseFeature):
            ids = out[f.index_key] if isinstance(f.index_key, str) else [out[k] for k in f.index_key]
            out[key] = sparse_merge(ids, out[f.value_key], vocab_size=f.size, already_sorted=f.already_sorted)
    return {k: v for k, v in out.items() if k in features}


def parse_example(serialized: Any, features: Any, name: str | None = None, example_names: Any = None) -> dict[str, Any]:
    """The features of a vector of serialized tf.train.Example protos, by key.

    `features` maps keys to FixedLenFeature (a tensor [n, *shape]), VarLenFeature (a SparseTensor),
    FixedLenSequenceFeature (a padded tensor [n, most, *shape]) or SparseFeature. Raises ValueError for a feature that is
    not told completely, InvalidArgumentError in the run for examples that lack one without a default, or that hold
    another type or number of values; `example_names` are for its message.
    """
    if not features:
        raise ValueError(f"Missing: features was {features}.")
    full = _with_steps(features)
    return _finished(full, _parse_batch(serialized, example_names, _Columns(full, _ALL), name))


def _parse_batch(serialized: Any, names: Any, columns: _Columns, name: str | None) -> dict[str, Any]:
    with name_scope(name, "ParseExample", [serialized, names]):
        defaults = columns.default_tensors()
        _, dims = columns.dense_attrs
        outputs = example_protos.parse_example_op(
            serialized,
            [] if names is None else names,
            list(columns.sparse),
            list(columns.dense),
            defaults,
            sparse_types=list(columns.sparse.values()),
            dense_shapes=dims,
            name=name,
        )
        return columns.named(*outputs)


def parse_single_example(
    serialized: Any, features: Any, name: str | None = None, example_names: Any = None
) -> dict[str, Any]:
    """As `parse_example`, of one example (a scalar): the tensors have no batch axis."""
    if not features:
        raise ValueError("Missing features.")
    full = _with_steps(features)
    columns = _Columns(full, _ALL)
    if example_names is not None:
        return _finished(full, _parse_named(serialized, example_names, columns, name))
    with name_scope(name, "ParseSingleExample", [serialized]):
        serialized = to_tensor(serialized, None, "serialized")
        _, dims = columns.dense_attrs
        outputs = example_protos.parse_single_example_op(
            serialized,
            columns.default_tensors(),
            num_sparse=len(columns.sparse),
            sparse_keys=list(columns.sparse),
            dense_keys=list(columns.dense),
            sparse_types=list(columns.sparse.values()),
            dense_shapes=dims,
            name=name,
        )
        return _finished(full, columns.named(*outputs))


def _parse_named(serialized: Any, names: Any, columns: _Columns, name: str | None) -> dict[str, Any]:
    """A batch of one, without its batch axis: only batches can be named."""
    with name_scope(name, "ParseSingleExample", [serialized, names]):
        serialized, names = to_tensor(serialized), to_tensor(names)
        for what, t in (("serialized", serialized), ("names", names)):
            if t.dims not in (None, ()):
                raise ValueError(f"Input {what} must be a scalar")
        out = _parse_batch(expand_dims(serialized, 0), expand_dims(names, 0), columns, name)
        for key in columns.dense:
            out[key] = squeeze(out[key], [0], name="Squeeze_" + _clean(key))
        for key in columns.sparse:
            sp = out[key]
            indices = slice_(sp.indices, [0, 1], [-1, -1], name="Slice_Indices_" + _clean(key))
            dims = slice_(sp.dense_shape, [1], [-1], name="Squeeze_Shape_" + _clean(key))
            out[key] = SparseTensor(indices, sp.values, dims)
        return out


# -- sequences


def _sequence_columns(context_features: Any, sequence_features: Any) -> tuple[_Columns, _Columns, list[str]]:
    if not (context_features or sequence_features):
        raise ValueError("Missing features.")
    context = _Columns(context_features, (VarLenFeature, FixedLenFeature))
    lists = _Columns(sequence_features, (VarLenFeature, FixedLenSequenceFeature))
    for key, value in lists.defaults.items():
        if value is not None:
            raise ValueError(f"Value feature_list_dense_defaults[{key}] must be None")
    return context, lists, list(lists.defaults)


def _types(context: _Columns, lists: _Columns) -> dict[str, Any]:
    context_types, context_shapes = context.dense_attrs
    list_types, list_shapes = lists.dense_attrs
    return {
        "context_sparse_types": list(context.sparse.values()),
        "context_dense_shapes": context_shapes,
        "feature_list_dense_types": list_types,
        "feature_list_sparse_types": list(lists.sparse.values()),
        "feature_list_dense_shapes": list_shapes,
    }


def parse_single_sequence_example(
    serialized: Any,
    context_features: Any = None,
    sequence_features: Any = None,
    example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(context, sequences): the features of one serialized tf.train.SequenceExample, by key.

    `context_features` maps keys to FixedLenFeature or VarLenFeature; `sequence_features` to FixedLenSequenceFeature (a
    tensor [steps, *shape]) or VarLenFeature (a SparseTensor [steps, longest]).
    """
    context, lists, may_miss = _sequence_columns(context_features, sequence_features)
    with name_scope(name, "ParseSingleSequenceExample", [serialized]):
        outputs = example_protos.parse_single_sequence_example_op(
            serialized,
            may_miss,
            list(context.sparse),
            list(context.dense),
            list(lists.sparse),
            list(lists.dense),
            context.default_tensors(),
            "" if example_name is None else example_name,
            **_types(context, lists),
            name=name,
        )
        return context.named(*outputs[:4]), lists.named(*outputs[4:])


def parse_sequence_example(
    serialized: Any,
    context_features: Any = None,
    sequence_features: Any = None,
    example_names: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """(context, sequences, lengths): as `parse_single_sequence_example`, of a vector of examples.

    Dense sequences are padded to [n, most steps, *shape]; `lengths` has their numbers of steps.
    """
    context, lists, may_miss = _sequence_columns(context_features, sequence_features)
    with name_scope(name, "ParseSequenceExample", [serialized]):
        outputs = sequence_batches.parse_sequence_example_op(
            serialized,
            [] if example_names is None else example_names,
            context.default_tensors(),
            feature_list_dense_missing_assumed_empty=may_miss,
            context_sparse_keys=list(context.sparse),
            context_dense_keys=list(context.dense),
            feature_list_sparse_keys=list(lists.sparse),
            feature_list_dense_keys=list(lists.dense),
            Ncontext_sparse=len(context.sparse),
            Ncontext_dense=len(context.dense),
            Nfeature_list_sparse=len(lists.sparse),
            Nfeature_list_dense=len(lists.dense),
            **_types(context, lists),
            name=name,
        )
        lengths = dict(zip(lists.dense, outputs[8], strict=True))
        return context.named(*outputs[:4]), lists.named(*outputs[4:8]), lengths
