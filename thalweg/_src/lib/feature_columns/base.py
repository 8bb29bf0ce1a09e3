"""What a feature column is, what it asks of its surroundings, and the features as it sees them.

A column is a description: which feature it reads, and how that becomes a tensor. Two objects stand between it and a graph:
a `FeatureTransformationCache`, which makes each tensor once, and a state, which holds the variables.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor
from thalweg._src.ops.arrays.gathering import gather_nd
from thalweg._src.ops.arrays.selecting import where_v2
from thalweg._src.ops.control import control_flow
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports import checks
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_reshape


class FeatureColumn:
    """A feature of a model: its name, how to parse it, how to make it."""

    @property
    def name(self) -> str:
        """The name of the column, and of the scope of its variables."""
        raise NotImplementedError

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """{key: how to parse it}, for tf.parse_example."""
        raise NotImplementedError

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        """The tensor of the column before a model sees it; ask the cache for what it is made of."""
        raise NotImplementedError

    def create_state(self, state_manager: Any) -> None:
        """Make the variables, if there are any."""

    @property
    def parents(self) -> list[Any]:
        """The columns and keys that it is made of."""
        raise NotImplementedError

    @property
    def _var_scope_name(self) -> str:
        return self.name

    @property
    def _is_v2_column(self) -> bool:
        return all(not isinstance(p, FeatureColumn) or p._is_v2_column for p in self.parents)

    # The names of 1.x for the same.

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        return self.parse_example_spec

    def _transform_feature(self, inputs: Any) -> Any:
        return self.transform_feature(inputs, None)

    def __lt__(self, other: Any) -> bool:
        return str(self) < str(other)

    def __gt__(self, other: Any) -> bool:
        return str(self) > str(other)


class DenseColumn(FeatureColumn):
    """A column that is a tensor [batch, *variable_shape]."""

    @property
    def variable_shape(self) -> TensorShape:
        """The shape of one example."""
        raise NotImplementedError

    @property
    def _variable_shape(self) -> TensorShape:
        return self.variable_shape

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        """The tensor, [batch, *variable_shape]."""
        raise NotImplementedError

    def _get_dense_tensor(self, inputs: Any, weight_collections: Any = None, trainable: Any = None) -> Any:
        return self.get_dense_tensor(inputs, ScopeState(weight_collections, trainable))


class CategoricalColumn(FeatureColumn):
    """A column that is a sparse tensor of the numbers of classes, with or without weights."""

    IdWeightPair = collections.namedtuple("IdWeightPair", ("id_tensor", "weight_tensor"))

    @property
    def num_buckets(self) -> int:
        """How many classes there are."""
        raise NotImplementedError

    @property
    def _num_buckets(self) -> int:
        return self.num_buckets

    def get_sparse_tensors(self, transformation_cache: Any, state_manager: Any) -> Any:
        """An IdWeightPair; the weights may be None."""
        return self.IdWeightPair(transformation_cache.get(self, state_manager), None)

    def _get_sparse_tensors(self, inputs: Any, weight_collections: Any = None, trainable: Any = None) -> Any:
        return self.get_sparse_tensors(inputs, ScopeState(weight_collections, trainable))


class SequenceDenseColumn(FeatureColumn):
    """A column that is a tensor [batch, time, *variable_shape] with the length of each sequence."""

    TensorSequenceLengthPair = collections.namedtuple("TensorSequenceLengthPair", ("dense_tensor", "sequence_length"))

    def get_sequence_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> Any:
        """A TensorSequenceLengthPair."""
        raise NotImplementedError


class StateManager:
    """Holds what columns make: variables and tables."""

    def __init__(self) -> None:
        self._variables: dict[Any, dict[str, Any]] = collections.defaultdict(dict)
        self._resources: dict[Any, dict[str, Any]] = collections.defaultdict(dict)

    def create_variable(self, feature_column: Any, name: str, shape: Any, **how: Any) -> Any:
        """Make a variable for the column. Raises ValueError when it is there."""
        if name in self._variables[feature_column]:
            raise ValueError("Variable already exists.")
        variable = self._make(name, shape, **how)
        self._variables[feature_column][name] = variable
        return variable

    def _make(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        trainable: bool = True,
        use_resource: bool = True,
        initializer: Any = None,
    ) -> Any:
        raise NotImplementedError("StateManager.create_variable")

    def get_variable(self, feature_column: Any, name: str) -> Any:
        """The variable. Raises ValueError when there is none."""
        if name not in self._variables[feature_column]:
            raise ValueError("Variable does not exist.")
        return self._variables[feature_column][name]

    def add_resource(self, feature_column: Any, name: str, resource: Any) -> None:
        """Keep a table."""
        self._resources[feature_column][name] = resource

    def get_resource(self, feature_column: Any, name: str) -> Any:
        """The table. Raises ValueError when there is none."""
        if name not in self._resources[feature_column]:
            raise ValueError("Resource does not exist.")
        return self._resources[feature_column][name]


class LayerState(StateManager):
    """Variables that belong to a layer, each made by `get_variable` so that scopes have their say."""

    def __init__(self, layer: Any, trainable: bool):
        super().__init__()
        self._layer, self._trainable = layer, trainable

    def _make(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        trainable: bool = True,
        use_resource: bool = True,
        initializer: Any = None,
    ) -> Any:
        variable = scoped_variable(
            name, shape, dtype, initializer, trainable=self._trainable and trainable, use_resource=use_resource
        )
        self._layer._keep(variable, name, self._trainable and trainable)
        return variable


class ScopeState(StateManager):
    """Variables of the current scope, made when they are first asked for."""

    def __init__(self, weight_collections: Any = None, trainable: Any = True):
        super().__init__()
        self.collections, self.trainable = weight_collections, True if trainable is None else trainable

    def get_variable(self, feature_column: Any, name: str) -> Any:
        if name not in self._variables[feature_column]:
            feature_column.create_state(self)
        return super().get_variable(feature_column, name)

    def _make(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        trainable: bool = True,
        use_resource: bool = True,
        initializer: Any = None,
    ) -> Any:
        return scoped_variable(
            name, shape, dtype, initializer, trainable=self.trainable and trainable, collections=self.collections
        )


def scoped_variable(name: str, shape: Any, dtype: Any, initializer: Any, **how: Any) -> Any:
    """`get_variable` of the current scope, float32 unless told otherwise."""
    from thalweg._src.ops.stateful import variable_scope as vs

    return vs.get_variable(name=name, shape=shape, dtype=dtype or dtypes.float32, initializer=initializer, **how)


class FeatureTransformationCache:
    """Features by key, and what columns make of them: each is made once."""

    def __init__(self, features: dict[Any, Any]):
        self._features = dict(features)
        self._made: dict[Any, Any] = {}

    def get(self, key: Any, state_manager: Any = None) -> Any:
        """The tensor of a key or a column. Raises ValueError for unknown keys and TypeError for other things."""
        if key in self._made:
            return self._made[key]
        if key in self._features:
            found = self._made[key] = _as_matrix(key, self._features[key])
            return found
        if isinstance(key, str):
            raise ValueError(f"Feature {key} is not in features dictionary.")
        if not isinstance(key, FeatureColumn):
            raise TypeError(f'"key" must be either a "str" or "FeatureColumn". Provided: {key}')
        made = key.transform_feature(self, state_manager)
        if made is None:
            raise ValueError(f"Column {key.name} is not supported.")
        self._made[key] = made
        return made


def _as_matrix(key: Any, feature: Any) -> Any:
    """The feature as a tensor of two axes or more. Raises ValueError for scalars."""
    tensor = convert_to_tensor_or_sparse_tensor(feature)
    rank = tensor.get_shape().ndims
    message = f"Feature (key: {key}) cannot have rank 0. Given: {tensor}"

    def widened() -> Any:
        if isinstance(tensor, SparseTensor):
            return sparse_reshape(tensor, [array.shape(tensor)[0], 1])
        return array.expand_dims(tensor, -1)

    if rank == 0:
        raise ValueError(message)
    if rank is not None:
        return widened() if rank == 1 else tensor
    positive = checks.assert_positive(array.rank(tensor), message=message)
    with get_default_graph().control_dependencies([positive]):
        return control_flow.cond(math.equal(1, array.rank(tensor)), widened, lambda: tensor)


def to_sparse(tensor: Any, ignore_value: Any = None) -> SparseTensor:
    """A sparse tensor as it is; of a dense one what differs from `ignore_value` ("", -1 or 0 by its type)."""
    tensor = convert_to_tensor_or_sparse_tensor(tensor)
    if isinstance(tensor, SparseTensor):
        return tensor
    with scopes.name_scope(None, "to_sparse_input", (tensor,)):
        if ignore_value is None:
            if tensor.dtype == dtypes.string:
                ignore_value = ""
            else:
                ignore_value = -1 if tensor.dtype.is_integer else tensor.dtype.as_numpy_dtype()
        ignored = math.cast(ignore_value, tensor.dtype, name="ignore_value")
        indices = where_v2(math.not_equal(tensor, ignored), name="indices")
        return SparseTensor(
            indices=indices,
            values=gather_nd(tensor, indices, name="values"),
            dense_shape=array.shape(tensor, out_type=dtypes.int64, name="dense_shape"),
        )


def normalize(feature_columns: Any, kind: str = "FeatureColumn") -> list[Any]:
    """The columns sorted by name. Raises ValueError for other things, for none, and for names that are there twice."""
    if isinstance(feature_columns, FeatureColumn):
        feature_columns = [feature_columns]
    if isinstance(feature_columns, Iterator):
        feature_columns = list(feature_columns)
    if isinstance(feature_columns, dict):
        raise ValueError("Expected feature_columns to be iterable, found dict.")
    by_name: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(f"Items of feature_columns must be a {kind}. Given (type {type(column)}): {column}.")
    if not feature_columns:
        raise ValueError("feature_columns must not be empty.")
    for column in feature_columns:
        if column.name in by_name:
            raise ValueError(
                f"Duplicate feature column name found for columns: {column} and {by_name[column.name]}. This usually means "
                "that these columns refer to same base feature. Either one must be discarded or a duplicated but renamed "
                "item must be inserted in features dict."
            )
        by_name[column.name] = column
    return sorted(feature_columns, key=lambda c: c.name)


def check_batch_sizes(tensors: list[Any], columns: list[Any]) -> None:
    """Raise ValueError where known first dimensions differ."""
    known: tuple[Any, int] | None = None
    for tensor, column in zip(tensors, columns, strict=True):
        dims = tensor.get_shape()
        size = None if dims.ndims is None else dims.as_list()[0]
        if size is None:
            continue
        if known is None:
            known = column, size
        elif known[1] != size:
            raise ValueError(
                "Batch size (first dimension) of each feature must be same. Batch size of columns "
                f"({known[0].name}, {column.name}): ({known[1]}, {size})"
            )


def check_key(key: Any) -> None:
    """Raise ValueError for keys that are no strings."""
    if not isinstance(key, str):
        raise ValueError(f"key must be a string. Got: type {type(key)}. Given key: {key}.")


def check_string_or_int(dtype: Any, prefix: str) -> None:
    """Raise ValueError for other types."""
    if dtype != dtypes.string and not dtype.is_integer:
        raise ValueError(f"{prefix} dtype must be string or integer. dtype: {dtype}.")


def suit_layers(feature_columns: Any) -> bool:
    """Whether all can be used by layers: no shared embeddings of 1.x among them."""
    return all(isinstance(c, FeatureColumn) and c._is_v2_column for c in feature_columns)
