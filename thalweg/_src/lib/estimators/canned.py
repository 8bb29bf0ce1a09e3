"""The canned models of tf.estimator: linear, deep, both, and a bias alone. Functions from features to logits, and their models."""

from __future__ import annotations

import math as python_math
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.estimators.linear_sdca import LinearSDCA, sdca_model
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.feature_columns.base import suit_layers
from thalweg._src.lib.feature_columns.layers import DenseFeatures, InputLayer, LinearModel
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.layers.core import Dense, Dropout
from thalweg._src.lib.layers.normalization import BatchNormalization
from thalweg._src.lib.optimizers.adagrad import AdagradOptimizer
from thalweg._src.lib.optimizers.adam import AdamOptimizer
from thalweg._src.lib.optimizers.ftrl import FtrlOptimizer
from thalweg._src.lib.optimizers.gradient_descent import GradientDescentOptimizer
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.optimizers.rmsprop import RMSPropOptimizer
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import normalization
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful.initializers import glorot_uniform_initializer, zeros_initializer
from thalweg._src.ops.stateful.partitioned import PartitionedVariable, min_max_variable_partitioner
from thalweg._src.ops.stateful.variable_scope import get_variable, variable_scope

_BY_NAME = {
    "Adagrad": AdagradOptimizer,
    "Adam": AdamOptimizer,
    "Ftrl": FtrlOptimizer,
    "RMSProp": RMSPropOptimizer,
    "SGD": GradientDescentOptimizer,
}
_LINEAR_RATE, _DEEP_RATE, _COMBINED_LINEAR_RATE, _BASELINE_RATE = 0.2, 0.05, 0.005, 0.3


def get_optimizer_instance(opt: Any, learning_rate: float | None = None) -> Optimizer:
    """The optimizer: of a name, with that learning rate; of a function that makes one; or as it is.

    Raises ValueError for other names and things.
    """
    if isinstance(opt, str):
        if opt not in _BY_NAME:
            raise ValueError(f"Unsupported optimizer name: {opt}. Supported names are: {tuple(sorted(_BY_NAME))}")
        if not learning_rate:
            raise ValueError("learning_rate must be specified when opt is string.")
        return _BY_NAME[opt](learning_rate=learning_rate)
    if callable(opt):
        opt = opt()
    if not isinstance(opt, Optimizer):
        raise ValueError(f"The given object is not an Optimizer instance. Given: {opt}")
    return opt


def _check_features(features: Any) -> None:
    if not isinstance(features, dict):
        raise ValueError(f"features should be a dictionary of `Tensor`s. Given type: {type(features)}")


def _partitioner(config: Any, min_slice_size: int = 256 << 10) -> Any:
    replicas = config.num_ps_replicas if config else 0
    return min_max_variable_partitioner(max_partitions=replicas, min_slice_size=min_slice_size)


def _tell_of(value: Any, tag: str) -> None:
    summary.scalar(f"{tag}/fraction_of_zero_values", normalization.zero_fraction(value))
    summary.histogram(f"{tag}/activation", value)


# -- deep


def dnn_logit_fn_builder(
    units: int,
    hidden_units: Any,
    feature_columns: Any,
    activation_fn: Any,
    dropout: Any,
    input_layer_partitioner: Any,
    batch_norm: bool = False,
) -> Any:
    """A function (features, mode) -> logits [batch, units], through dense layers of `hidden_units`.

    Raises ValueError for `units` that are no int.
    """
    if not isinstance(units, int):
        raise ValueError(f"units must be an int.  Given type: {type(units)}")

    def dnn_logit_fn(features: Any, mode: str) -> Any:
        training = mode == ModeKeys.TRAIN
        with variable_scope("input_from_feature_columns", partitioner=input_layer_partitioner):
            if suit_layers(feature_columns):
                net = DenseFeatures(feature_columns, name="input_layer")(features)
            else:
                net = InputLayer(feature_columns, name="input_layer", create_scope_now=False)(features)
        for i, width in enumerate(hidden_units):
            with variable_scope(f"hiddenlayer_{i}") as scope:
                net = _dense(width, activation_fn, scope)(net)
                if dropout is not None and training:
                    net = Dropout(rate=dropout)(net, training=True)
                if batch_norm:
                    name = f"batchnorm_{i}"
                    net = BatchNormalization(momentum=0.999, trainable=True, name=name, _scope=name)(
                        net, training=training
                    )
            _tell_of(net, scope.name)
        with variable_scope("logits") as scope:
            logits = _dense(units, None, scope)(net)
        _tell_of(logits, scope.name)
        return logits

    return dnn_logit_fn


def _dense(units: int, activation: Any, scope: Any) -> Dense:
    return Dense(
        units, activation=activation, kernel_initializer=glorot_uniform_initializer(), name=scope, _scope=scope
    )


def deep_logits(features: Any, mode: str, head: Any, model: dict[str, Any], config: Any) -> Any:
    """The logits of the deep part, in the scope `dnn`."""
    with variable_scope("dnn", values=tuple(features.values()), partitioner=_partitioner(config)):
        logit_fn = dnn_logit_fn_builder(
            head.logits_dimension,
            model["hidden_units"],
            model["feature_columns"],
            model["activation_fn"],
            model["dropout"],
            model["input_layer_partitioner"] or _partitioner(config, 64 << 20),
            model["batch_norm"],
        )
        return logit_fn(features, mode)


def deep_model(features: Any, labels: Any, mode: str, head: Any, optimizer: Any, config: Any, **model: Any) -> Any:
    """The EstimatorSpec of a deep model."""
    optimizer = get_optimizer_instance(optimizer, learning_rate=_DEEP_RATE)
    _check_features(features)
    logits = deep_logits(features, mode, head, model, config)
    with variable_scope("dnn", auxiliary_name_scope=False), scopes.name_scope("dnn/"):
        return head.create_estimator_spec(features, mode, logits, labels=labels, optimizer=optimizer)


# -- linear


def linear_logit_fn_builder(units: int, feature_columns: Any, sparse_combiner: str = "sum") -> Any:
    """A function (features) -> logits [batch, units]: weights times features, and a bias."""

    def linear_logit_fn(features: Any) -> Any:
        model = LinearModel(feature_columns, units=units, sparse_combiner=sparse_combiner, name="linear_model")
        logits = model(features)
        _tell_of_weights(model, units)
        return logits

    return linear_logit_fn


def _tell_of_weights(model: LinearModel, units: int = 1) -> None:
    bias = list(model.bias) if isinstance(model.bias, PartitionedVariable) else [model.bias]
    weights = [v for v in model.variables if not any(v is b for b in bias)]
    if units > 1:
        summary.histogram("bias", bias)
    else:
        summary.scalar("bias", bias[0][0])
    summary.scalar("fraction_of_zero_weights", _fraction_of_zeros(weights))


def _fraction_of_zeros(variables: list[Any]) -> Any:
    with scopes.name_scope("zero_fraction"):
        zeros = [math.reduce_sum(math.cast(math.equal(v, 0.0), dtypes.float32)) for v in variables]
        size = math.add_n([math.cast(array.size(v), dtypes.float32) for v in variables])
        return basic.identity(math.add_n(zeros) / size, name="zero_fraction_or_nan")


def linear_model(
    features: Any,
    labels: Any,
    mode: str,
    head: Any,
    feature_columns: Any,
    optimizer: Any,
    partitioner: Any,
    config: Any,
    sparse_combiner: str = "sum",
) -> Any:
    """The EstimatorSpec of a linear model."""
    _check_features(features)
    partitioner = partitioner or _partitioner(config, 64 << 20)
    with variable_scope("linear", values=tuple(features.values()), partitioner=partitioner):
        if isinstance(optimizer, LinearSDCA):
            return sdca_model(features, labels, mode, head, feature_columns, optimizer, _tell_of_weights)
        logits = linear_logit_fn_builder(head.logits_dimension, feature_columns, sparse_combiner)(features)
        if optimizer is None:
            optimizer = FtrlOptimizer(learning_rate=_rate_by_width(_LINEAR_RATE, feature_columns))
        optimizer = get_optimizer_instance(optimizer, learning_rate=_LINEAR_RATE)
        return head.create_estimator_spec(features, mode, logits, labels=labels, optimizer=optimizer)


def _rate_by_width(rate: float, columns: Any) -> float:
    return min(rate, 1.0 / python_math.sqrt(len(columns)))


# -- both


def combined_model(
    features: Any,
    labels: Any,
    mode: str,
    head: Any,
    linear_feature_columns: Any,
    linear_optimizer: Any,
    dnn_feature_columns: Any,
    dnn_optimizer: Any,
    config: Any,
    linear_sparse_combiner: str = "sum",
    **deep: Any,
) -> Any:
    """The EstimatorSpec of a linear and a deep model whose logits are added; each has its optimizer."""
    _check_features(features)
    if not linear_feature_columns and not dnn_feature_columns:
        raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
    partitioner = deep["input_layer_partitioner"] or _partitioner(config, 64 << 20)
    parts: list[tuple[Any, str]] = []
    logits: list[Any] = []
    if dnn_feature_columns:
        if not deep["hidden_units"]:
            raise ValueError("dnn_hidden_units must be defined when dnn_feature_columns is specified.")
        parts.append((get_optimizer_instance(dnn_optimizer, learning_rate=_DEEP_RATE), "dnn"))
        model = {**deep, "feature_columns": dnn_feature_columns, "input_layer_partitioner": partitioner}
        logits.append(deep_logits(features, mode, head, model, config))
    if linear_feature_columns:
        rate = _rate_by_width(_COMBINED_LINEAR_RATE, linear_feature_columns)
        parts.append((get_optimizer_instance(linear_optimizer, learning_rate=rate), "linear"))
        with variable_scope("linear", values=tuple(features.values()), partitioner=partitioner) as scope:
            logit_fn = linear_logit_fn_builder(head.logits_dimension, linear_feature_columns, linear_sparse_combiner)
            logits.append(logit_fn(features))
            _tell_of(logits[-1], scope.name)

    def train_op_fn(loss: Any) -> Any:
        steps = [
            optimizer.minimize(loss, var_list=scopes.get_collection(GraphKeys.TRAINABLE_VARIABLES, scope=name))
            for optimizer, name in parts
        ]
        with get_default_graph().control_dependencies([basic.group(*steps)]):
            return get_global_step().assign_add(1).op

    total = logits[0] + logits[1] if len(logits) == 2 else logits[0]
    return head.create_estimator_spec(features, mode, total, labels=labels, train_op_fn=train_op_fn)


# -- a bias alone


def baseline_model(features: Any, labels: Any, mode: str, head: Any, optimizer: Any, weight_column: Any = None) -> Any:
    """The EstimatorSpec of a model that knows the labels alone: a bias for each logit."""
    weight_key = getattr(weight_column, "key", weight_column)
    batch, same = None, []
    for key, feature in features.items():
        if key == weight_key:
            continue
        size = array.shape(feature)[0]
        if batch is None:
            batch = size
        else:
            same.append(checks.assert_equal(batch, size))
    width = head.logits_dimension
    with get_default_graph().control_dependencies(same), variable_scope("baseline"):
        bias = get_variable("bias", shape=[width], initializer=zeros_initializer())
        logits = math.multiply(bias, array.ones([batch, width]))

    def train_op_fn(loss: Any) -> Any:
        chosen = get_optimizer_instance(optimizer, learning_rate=_BASELINE_RATE)
        return chosen.minimize(loss, global_step=get_global_step())

    return head.create_estimator_spec(features, mode, logits, labels=labels, train_op_fn=train_op_fn)
