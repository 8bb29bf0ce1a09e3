"""Columns joined to what a model reads: tf.feature_column.input_layer, linear_model, DenseFeatures, and how to parse them."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.feature_columns.base import (
    CategoricalColumn,
    DenseColumn,
    FeatureColumn,
    FeatureTransformationCache,
    LayerState,
    ScopeState,
    check_batch_sizes,
    normalize,
    scoped_variable,
)
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations
from thalweg._src.ops.nets.embedding import safe_embedding_lookup_sparse
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_reshape
from thalweg._src.ops.stateful.initializers import zeros_initializer
from thalweg._src.ops.stateful.partitioned import PartitionedVariable
from thalweg._src.ops.stateful.template import make_template
from thalweg._src.ops.stateful.variable_scope import get_variable_scope, variable_scope


def _check_dense(columns: list[Any], kind: str) -> None:
    for column in columns:
        if not isinstance(column, DenseColumn):
            raise ValueError(
                f"Items of feature_columns must be a {kind}. You can wrap a categorical column with an embedding_column or "
                f"indicator_column. Given: {column}"
            )


def _collections(names: Any) -> list[Any]:
    names = list(names or [])
    return [*names, *(n for n in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES) if n not in names)]


def _flat(tensor: Any, column: Any) -> Any:
    """[batch, *variable_shape] -> [batch, elements]."""
    return array.reshape(tensor, (array.shape(tensor)[0], column.variable_shape.num_elements()))


def input_layer(
    features: dict[Any, Any],
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
    cols_to_vars: dict[Any, Any] | None = None,
    cols_to_output_tensors: dict[Any, Any] | None = None,
) -> Any:
    """The dense columns side by side, sorted by name: [batch, width].

    `cols_to_vars` and `cols_to_output_tensors`, where given, get the variables and the tensor of each column. Raises
    ValueError for categorical columns that are not embedded or indicated.

    >>> columns = [tf.feature_column.numeric_column("a"), tf.feature_column.numeric_column("b")]
    >>> run(tf.feature_column.input_layer({"a": [[1.0]], "b": [[2.0]]}, columns))
    array([[1., 2.]], dtype=float32)
    """
    columns = normalize(feature_columns, "_FeatureColumn")
    _check_dense(columns, "_DenseColumn")
    with variable_scope(None, default_name="input_layer", values=features.values()):
        return _joined(features, columns, weight_collections, trainable, cols_to_vars, cols_to_output_tensors)


def _joined(
    features: Any,
    columns: list[Any],
    weight_collections: Any,
    trainable: bool,
    cols_to_vars: Any = None,
    cols_to_output_tensors: Any = None,
) -> Any:
    names = _collections(weight_collections)
    cache, tensors = FeatureTransformationCache(features), []
    for column in columns:
        with variable_scope(None, default_name=column._var_scope_name):
            tensor = _flat(column.get_dense_tensor(cache, ScopeState(names, trainable)), column)
            tensors.append(tensor)
            if cols_to_vars is not None:
                own = get_variable_scope().name
                cols_to_vars[column] = scopes.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=own)
            if cols_to_output_tensors is not None:
                cols_to_output_tensors[column] = tensor
    check_batch_sizes(tensors, columns)
    return array.concat(tensors, 1)


class InputLayer:
    """`input_layer` as an object whose calls share variables."""

    def __init__(
        self,
        feature_columns: Any,
        weight_collections: Any = None,
        trainable: bool = True,
        cols_to_vars: Any = None,
        name: str = "feature_column_input_layer",
        create_scope_now: bool = True,
    ):
        self._columns = normalize(feature_columns, "_FeatureColumn")
        _check_dense(self._columns, "_DenseColumn")
        self._collections, self._trainable, self._name = weight_collections, trainable, name
        self._template = make_template(name, _joined, create_scope_now_=create_scope_now)

    def __call__(self, features: Any) -> Any:
        return self._template(features, self._columns, self._collections, self._trainable)

    @property
    def name(self) -> str:
        return self._name

    def __getattr__(self, name: str) -> Any:
        if name in ("variables", "weights") or name.endswith(("trainable_variables", "trainable_weights")):
            return getattr(self._template, name)
        raise AttributeError(name)


class FeaturesLayer:
    """A layer over columns: its first call makes the variables, in a scope of its name with one below for each column.

    Raises ValueError for columns of another kind.
    """

    _kind: type = DenseColumn
    _default_name = "dense_features"

    def __init__(self, feature_columns: Any, trainable: bool = True, name: str | None = None, **kwargs: Any):
        self._feature_columns = normalize(feature_columns)
        for column in self._feature_columns:
            if not isinstance(column, self._kind):
                raise ValueError(
                    f"Items of feature_columns must be a {self._kind}. You can wrap a categorical column with an "
                    f"embedding_column or indicator_column. Given: {column}"
                )
        self.name, self.trainable, self.built = name or self._default_name, trainable, False
        self._state = LayerState(self, trainable)
        self.trainable_variables: list[Any] = []
        self.non_trainable_variables: list[Any] = []

    @property
    def variables(self) -> list[Any]:
        return self.trainable_variables + self.non_trainable_variables

    @property
    def weights(self) -> list[Any]:
        return self.variables

    @property
    def trainable_weights(self) -> list[Any]:
        return self.trainable_variables

    def _keep(self, variable: Any, name: str, trainable: bool) -> None:
        parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
        (self.trainable_variables if trainable else self.non_trainable_variables).extend(parts)

    def build(self, _: Any = None) -> None:
        """Make the variables."""
        for column in self._feature_columns:
            with variable_scope(self.name, auxiliary_name_scope=False):
                with variable_scope(column.name, auxiliary_name_scope=False):
                    column.create_state(self._state)
        self.built = True

    def __call__(self, features: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(features, dict):
            raise ValueError("We expected a dictionary here. Instead we got: ", features)
        if not self.built:
            self.build()
        with scopes.name_scope(self.name):
            return self.call(features, *args, **kwargs)

    def call(self, features: Any) -> Any:
        raise NotImplementedError


class DenseFeatures(FeaturesLayer):
    """A layer that joins dense columns: [batch, width]."""

    def call(self, features: Any, cols_to_output_tensors: Any = None) -> Any:
        cache, tensors = FeatureTransformationCache(features), []
        for column in self._feature_columns:
            with scopes.name_scope(column.name):
                tensor = _flat(column.get_dense_tensor(cache, self._state), column)
                tensors.append(tensor)
                if cols_to_output_tensors is not None:
                    cols_to_output_tensors[column] = tensor
        check_batch_sizes(tensors, self._feature_columns)
        return array.concat(tensors, -1)


class LinearModel(FeaturesLayer):
    """A layer: the sum over columns of weights times values, plus a bias. [batch, units].

    The weights of a column are `weights` of its scope, `bias_weights` is the bias; all start at zero.
    """

    _kind = FeatureColumn
    _default_name = "linear_model"

    def __init__(
        self,
        feature_columns: Any,
        units: int = 1,
        sparse_combiner: str = "sum",
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(feature_columns, trainable, name)
        _check_linear(self._feature_columns, "")
        self._units, self._combiner = units, sparse_combiner
        self.bias: Any = None

    def build(self, _: Any = None) -> None:
        with variable_scope(self.name, auxiliary_name_scope=False):
            for column in self._feature_columns:
                with variable_scope(column.name, auxiliary_name_scope=False):
                    column.create_state(self._state)
                    self._state.create_variable(
                        column,
                        name="weights",
                        dtype=dtypes.float32,
                        shape=(_width(column), self._units),
                        initializer=zeros_initializer(),
                        trainable=self.trainable,
                    )
            self.bias = scoped_variable(
                "bias_weights",
                [self._units],
                dtypes.float32,
                zeros_initializer(),
                trainable=self.trainable,
                use_resource=True,
            )
            self._keep(self.bias, "bias_weights", self.trainable)
        self.built = True

    def call(self, features: Any) -> Any:
        cache, sums = FeatureTransformationCache(features), []
        for column in self._feature_columns:
            with scopes.name_scope(column.name):
                weights = self._state.get_variable(column, "weights")
                sums.append(_weighted_sum(column, cache, self._state, self._combiner, weights))
        check_batch_sizes(sums, self._feature_columns)
        return activations.bias_add(math.add_n(sums, name="weighted_sum_no_bias"), self.bias, name="weighted_sum")


def _check_linear(columns: list[Any], prefix: str) -> None:
    for column in columns:
        if not isinstance(column, DenseColumn | CategoricalColumn):
            raise ValueError(
                f"Items of feature_columns must be either a {prefix}DenseColumn or {prefix}CategoricalColumn. Given: {column}"
            )


def _width(column: Any) -> int:
    """How many weights a column has for each unit."""
    return column.num_buckets if isinstance(column, CategoricalColumn) else column.variable_shape.num_elements()


def _weighted_sum(column: Any, cache: Any, state: Any, combiner: str, weights: Any) -> Any:
    """[batch, units] of one column."""
    if not isinstance(column, CategoricalColumn):
        return math.matmul(_flat(column.get_dense_tensor(cache, state), column), weights, name="weighted_sum")
    ids, id_weights = column.get_sparse_tensors(cache, state)
    ids = sparse_reshape(ids, [array.shape(ids)[0], -1])
    if id_weights is not None:
        id_weights = sparse_reshape(id_weights, [array.shape(id_weights)[0], -1])
    return safe_embedding_lookup_sparse(weights, ids, sparse_weights=id_weights, combiner=combiner, name="weighted_sum")


def linear_model(
    features: dict[Any, Any],
    feature_columns: Any,
    units: int = 1,
    sparse_combiner: str = "sum",
    weight_collections: Any = None,
    trainable: bool = True,
    cols_to_vars: dict[Any, Any] | None = None,
) -> Any:
    """The sum over columns of weights times values, plus a bias: [batch, units].

    A categorical column has a weight for each class; an example with several gets their sum (`sparse_combiner`: or mean, or
    sqrtn). `cols_to_vars`, where given, gets the variables of each column and of "bias".
    """
    columns = normalize(feature_columns, "_FeatureColumn")
    _check_linear(columns, "_")
    names = [n for n in _collections(weight_collections) if n != GraphKeys.GLOBAL_VARIABLES]
    found: dict[Any, Any] = {}

    def variable(name: str, shape: Any) -> Any:
        made = scoped_variable(name, shape, dtypes.float32, zeros_initializer(), trainable=trainable)
        for part in list(made) if isinstance(made, PartitionedVariable) else [made]:
            for collection in names:
                scopes.add_to_collection(collection, part)
        return made

    with variable_scope(None, "linear_model"):
        cache, sums = FeatureTransformationCache(features), []
        for column in columns:
            with variable_scope(None, default_name=column._var_scope_name):
                state = ScopeState(_collections(weight_collections), trainable)
                weights = variable("weights", (_width(column), units))
                sums.append(_weighted_sum(column, cache, state, sparse_combiner, weights))
                own = get_variable_scope().name
                found[column] = scopes.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=own)
        check_batch_sizes(sums, columns)
        total = math.add_n(sums, name="weighted_sum_no_bias")
        bias = variable("bias_weights", [units])
        found["bias"] = list(bias) if isinstance(bias, PartitionedVariable) else [bias]
        predictions = activations.bias_add(total, bias, name="weighted_sum")
    if cols_to_vars is not None:
        cols_to_vars.update(found)
    return predictions


def make_parse_example_spec(feature_columns: Any) -> dict[str, Any]:
    """{key: how to parse it} of all columns, for tf.parse_example.

    Raises ValueError for other things, and where columns want a key parsed in different ways.
    """
    spec: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(f"All feature_columns must be _FeatureColumn instances. Given: {column}")
        for key, value in column.parse_example_spec.items():
            if key in spec and spec[key] != value:
                raise ValueError(
                    f"feature_columns contain different parse_spec for key {key}. Given {value} and {spec[key]}"
                )
            spec[key] = value
    return spec


def transform_features(features: dict[Any, Any], feature_columns: Any) -> dict[Any, Any]:
    """{column: its tensor}."""
    columns = normalize(feature_columns)
    made: dict[Any, Any] = {}
    with scopes.name_scope(None, "transform_features", list(features.values())):
        cache, state = FeatureTransformationCache(features), ScopeState()
        for column in columns:
            with scopes.name_scope(None, column.name):
                made[column] = cache.get(column, state)
    return made
