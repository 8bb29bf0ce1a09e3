"""The canned estimators of tf.contrib.learn: linear, deep, and both."""

from __future__ import annotations

import math as python_math
from typing import Any

from thalweg._src.contrib.layers import column_ops
from thalweg._src.contrib.layers.dense import fully_connected
from thalweg._src.contrib.layers.optimizers import optimize_loss
from thalweg._src.contrib.learn import head as heads
from thalweg._src.contrib.learn.estimator import Estimator
from thalweg._src.contrib.learn.modes import ModeKeys, PredictionKey
from thalweg._src.core import scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.estimators.run_config import RunConfig
from thalweg._src.lib.feature_columns import layers as columns
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.optimizers.ftrl import FtrlOptimizer
from thalweg._src.lib.summary import summary
from thalweg._src.ops import activations, basic, clip, normalization
from thalweg._src.ops.partitioned import min_max_variable_partitioner
from thalweg._src.ops.random import dropout as dropout_op
from thalweg._src.ops.variable_scope import variable_scope

_ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "sigmoid"}


def _activation(fn: Any) -> Any:
    if not isinstance(fn, str):
        return fn
    if fn not in _ACTIVATIONS:
        raise ValueError(f"Activation name should be one of [{', '.join(_ACTIVATIONS)}], you provided {fn}.")
    from thalweg._src.ops.late import math

    return getattr(math, fn)


def _by_key(features: Any) -> dict[Any, Any]:
    return features if isinstance(features, dict) else {"": features}


def _partitioner(config: RunConfig | None, min_slice_size: int = 256 << 10) -> Any:
    return min_max_variable_partitioner(
        max_partitions=config.num_ps_replicas if config else 0, min_slice_size=min_slice_size
    )


def _tell_of(value: Any, tag: str, separator: str) -> None:
    summary.scalar(f"{tag}{separator}fraction_of_zero_values", normalization.zero_fraction(value))
    summary.histogram(f"{tag}{separator}activation", value)


def _deep_logits(features: Any, mode: str, head: Any, params: dict[str, Any], config: Any, separator: str) -> Any:
    """Dense layers, in the scope and collection `dnn`."""
    wide = params.get("input_layer_partitioner") or _partitioner(config, 64 << 20)
    feature_columns = params["feature_columns"]
    with variable_scope("dnn", values=tuple(features.values()), partitioner=_partitioner(config)):
        with variable_scope("input_from_feature_columns", partitioner=wide) as scope:
            if column_ops.are_of_contrib(feature_columns):
                net = column_ops.input_from_feature_columns(features, feature_columns, ["dnn"], scope=scope)
            else:
                net = columns.input_layer(features, feature_columns, weight_collections=["dnn"])
        activation = _activation(params.get("activation_fn", activations.relu))
        for i, width in enumerate(params["hidden_units"]):
            with variable_scope(f"hiddenlayer_{i}") as scope:
                net = fully_connected(net, width, activation_fn=activation, variables_collections=["dnn"], scope=scope)
                if params.get("dropout") is not None and mode == ModeKeys.TRAIN:
                    net = dropout_op(net, keep_prob=1.0 - params["dropout"])
            _tell_of(net, scope.name, separator)
        with variable_scope("logits") as scope:
            logits = fully_connected(
                net, head.logits_dimension, activation_fn=None, variables_collections=["dnn"], scope=scope
            )
        _tell_of(logits, scope.name, separator)
        return logits


def _linear_logits(features: Any, head: Any, feature_columns: Any, config: Any) -> Any:
    """Weights times features, in the scope and collection `linear`."""
    partitioner = _partitioner(config, 64 << 20)
    with variable_scope("linear", values=tuple(features.values()), partitioner=partitioner) as scope:
        if column_ops.are_of_contrib(feature_columns):
            return column_ops.weighted_sum_from_feature_columns(
                features, feature_columns, head.logits_dimension, ["linear"], scope=scope
            )[0]
        return columns.linear_model(
            features, feature_columns, units=head.logits_dimension, weight_collections=["linear"]
        )


def _optimizer(optimizer: Any) -> Any:
    is_function = callable(optimizer) and not isinstance(optimizer, type)
    return optimizer() if is_function else optimizer


def deep_model_fn(features: Any, labels: Any, mode: str, params: dict[str, Any], config: Any = None) -> Any:
    """The ModelFnOps of a deep model."""
    head, features = params["head"], _by_key(features)
    logits = _deep_logits(features, mode, head, params, config, "_")

    def train_op_fn(loss: Any) -> Any:
        return optimize_loss(
            loss,
            get_global_step(),
            learning_rate=0.05,
            optimizer=_optimizer(params.get("optimizer") or "Adagrad"),
            clip_gradients=params.get("gradient_clip_norm"),
            name="dnn",
            summaries=[],
        )

    with variable_scope("dnn"):
        return head.create_model_fn_ops(features, mode, labels=labels, train_op_fn=train_op_fn, logits=logits)


def _rate(limit: float, count: int) -> float:
    return min(limit, 1.0 / python_math.sqrt(count))


def linear_model_fn(features: Any, labels: Any, mode: str, params: dict[str, Any], config: Any = None) -> Any:
    """The ModelFnOps of a linear model."""
    head, feature_columns, features = params["head"], params["feature_columns"], _by_key(features)
    logits = _linear_logits(features, head, feature_columns, config)

    def train_op_fn(loss: Any) -> Any:
        from thalweg._src.ops.gradients import gradients

        optimizer = params.get("optimizer") or FtrlOptimizer(learning_rate=_rate(0.2, len(feature_columns)))
        if isinstance(optimizer, str):
            from thalweg._src.contrib.layers.optimizers import OPTIMIZER_CLS_NAMES

            optimizer = OPTIMIZER_CLS_NAMES[optimizer](learning_rate=_rate(0.2, len(feature_columns)))
        variables = scopes.get_collection("linear")
        found = gradients(loss, variables)
        if params.get("gradient_clip_norm"):
            found, _ = clip.clip_by_global_norm(found, params["gradient_clip_norm"])
        pairs = zip(found, variables, strict=True)
        return _optimizer(optimizer).apply_gradients(pairs, global_step=get_global_step())

    with variable_scope("linear"):
        return head.create_model_fn_ops(features, mode, labels=labels, train_op_fn=train_op_fn, logits=logits)


def combined_model_fn(features: Any, labels: Any, mode: str, params: dict[str, Any], config: Any = None) -> Any:
    """The ModelFnOps of a linear and a deep model whose logits are added."""
    head, features = params["head"], _by_key(features)
    linear, deep = params["linear_feature_columns"], params["dnn_feature_columns"]
    if not linear and not deep:
        raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
    logits, parts = [], []
    if deep:
        if not params.get("hidden_units"):
            raise ValueError("dnn_hidden_units must be defined when dnn_feature_columns is specified.")
        logits.append(_deep_logits(features, mode, head, {**params, "feature_columns": deep}, config, "/"))
        parts.append(("dnn", params.get("dnn_optimizer") or "Adagrad", 0.05))
    if linear:
        logits.append(_linear_logits(features, head, linear, config))
        _tell_of(logits[-1], "linear", "/")
        parts.append(("linear", params.get("linear_optimizer") or "Ftrl", _rate(0.2, len(linear))))
    increments = not params.get("fix_global_step_increment_bug", True)

    def train_op_fn(loss: Any) -> Any:
        steps = [
            optimize_loss(
                loss,
                get_global_step(),
                learning_rate=rate,
                optimizer=_optimizer(optimizer),
                clip_gradients=params.get("gradient_clip_norm"),
                variables=scopes.get_collection(name),
                name=name,
                summaries=[],
                increment_global_step=increments,
            )
            for name, optimizer, rate in parts
        ]
        train_op = basic.group(*steps)
        if increments:
            return train_op
        with get_default_graph().control_dependencies([train_op]):
            return get_global_step().assign_add(1).op

    total = logits[0] + logits[1] if len(logits) == 2 else logits[0]
    return head.create_model_fn_ops(features, mode, labels=labels, train_op_fn=train_op_fn, logits=total)


class _Canned(Estimator):
    """Predictions of one key, unless `outputs` are asked for."""

    _key: Any = None

    def predict(
        self,
        x: Any = None,
        input_fn: Any = None,
        batch_size: int | None = None,
        outputs: Any = None,
        as_iterable: bool = True,
        iterate_batches: bool = False,
    ) -> Any:
        """Predictions for arrays or what `input_fn` gives."""
        if not outputs and self._key:
            return self._one(self._key, x, input_fn, batch_size, as_iterable)
        return super().predict(x, input_fn, batch_size, outputs, as_iterable, iterate_batches)

    def _one(self, key: str, x: Any, input_fn: Any, batch_size: int | None, as_iterable: bool) -> Any:
        found = Estimator.predict(self, x, input_fn, batch_size, [key], as_iterable)
        return (p[key] for p in found) if as_iterable else found[key]


class _Classifier(_Canned):
    _key = PredictionKey.CLASSES

    def predict_classes(
        self, x: Any = None, input_fn: Any = None, batch_size: int | None = None, as_iterable: bool = True
    ) -> Any:
        """The class of each example."""
        return self._one(PredictionKey.CLASSES, x, input_fn, batch_size, as_iterable)

    def predict_proba(
        self, x: Any = None, input_fn: Any = None, batch_size: int | None = None, as_iterable: bool = True
    ) -> Any:
        """The probabilities of the classes of each example."""
        return self._one(PredictionKey.PROBABILITIES, x, input_fn, batch_size, as_iterable)


class _Regressor(_Canned):
    _key = PredictionKey.SCORES

    def predict_scores(
        self, x: Any = None, input_fn: Any = None, batch_size: int | None = None, as_iterable: bool = True
    ) -> Any:
        """The number of each example."""
        return self._one(PredictionKey.SCORES, x, input_fn, batch_size, as_iterable)


class _Parameters:
    """`weights_`, `bias_` of models trained before they had checkpoints to ask."""

    @property
    def weights_(self: Any) -> Any:
        values = {
            n: self.get_variable_value(n)
            for n in self.get_variable_names()
            if n.split("/")[-1] in ("weight", "weights") and "Ftrl" not in n
        }
        return next(iter(values.values())) if len(values) == 1 else values

    @property
    def bias_(self: Any) -> Any:
        return self.get_variable_value("linear/bias_weight")


def _head_of_classes(n_classes: int, weight: Any, bias: bool, label_keys: Any = None) -> Any:
    return heads.multi_class_head(
        n_classes, weight_column_name=weight, enable_centered_bias=bias, label_keys=label_keys
    )


def _head_of_numbers(dimension: int, weight: Any, bias: bool) -> Any:
    return heads.regression_head(weight_column_name=weight, label_dimension=dimension, enable_centered_bias=bias)


class LinearEstimator(_Canned, _Parameters):
    """A linear model under any head."""

    def __init__(
        self,
        feature_columns: Any,
        head: Any,
        model_dir: Any = None,
        weight_column_name: Any = None,
        optimizer: Any = None,
        gradient_clip_norm: Any = None,
        _joint_weights: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
    ):
        assert feature_columns
        params = {
            "head": head,
            "feature_columns": tuple(feature_columns),
            "optimizer": optimizer,
            "gradient_clip_norm": gradient_clip_norm,
        }
        Estimator.__init__(self, linear_model_fn, model_dir, config, params, feature_engineering_fn)


class LinearClassifier(_Classifier, LinearEstimator):
    """Classes by weights of features."""

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column_name: Any = None,
        optimizer: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        _joint_weight: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
        label_keys: Any = None,
    ):
        head = _head_of_classes(n_classes, weight_column_name, enable_centered_bias, label_keys)
        LinearEstimator.__init__(
            *(self, feature_columns, head, model_dir, None, optimizer, gradient_clip_norm, _joint_weight, config),
            feature_engineering_fn,
        )


class LinearRegressor(_Regressor, LinearEstimator):
    """Numbers by weights of features."""

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        weight_column_name: Any = None,
        optimizer: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        label_dimension: int = 1,
        _joint_weights: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
    ):
        head = _head_of_numbers(label_dimension, weight_column_name, enable_centered_bias)
        LinearEstimator.__init__(
            *(self, feature_columns, head, model_dir, None, optimizer, gradient_clip_norm, _joint_weights, config),
            feature_engineering_fn,
        )


class DNNEstimator(_Canned):
    """A deep model under any head."""

    def __init__(
        self,
        head: Any,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        optimizer: Any = None,
        activation_fn: Any = activations.relu,
        dropout: Any = None,
        gradient_clip_norm: Any = None,
        config: Any = None,
        feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
    ):
        params = {
            "head": head,
            "hidden_units": hidden_units,
            "feature_columns": tuple(feature_columns or []),
            "optimizer": optimizer,
            "activation_fn": activation_fn,
            "dropout": dropout,
            "gradient_clip_norm": gradient_clip_norm,
        }
        Estimator.__init__(self, deep_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNClassifier(_Classifier, DNNEstimator):
    """Classes by dense layers of `hidden_units`."""

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column_name: Any = None,
        optimizer: Any = None,
        activation_fn: Any = activations.relu,
        dropout: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
        label_keys: Any = None,
    ):
        head = _head_of_classes(n_classes, weight_column_name, enable_centered_bias, label_keys)
        DNNEstimator.__init__(
            *(self, head, hidden_units, feature_columns, model_dir, optimizer, activation_fn, dropout),
            *(gradient_clip_norm, config, feature_engineering_fn),
        )


class DNNRegressor(_Regressor, DNNEstimator):
    """Numbers by dense layers of `hidden_units`."""

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        weight_column_name: Any = None,
        optimizer: Any = None,
        activation_fn: Any = activations.relu,
        dropout: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
        label_dimension: int = 1,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
    ):
        head = _head_of_numbers(label_dimension, weight_column_name, enable_centered_bias)
        DNNEstimator.__init__(
            *(self, head, hidden_units, feature_columns, model_dir, optimizer, activation_fn, dropout),
            *(gradient_clip_norm, config, feature_engineering_fn),
        )


class DNNLinearCombinedEstimator(_Canned):
    """A linear and a deep model, added, under any head."""

    def __init__(
        self,
        head: Any,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = None,
        _joint_linear_weights: bool = False,
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = None,
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = None,
        dnn_dropout: Any = None,
        gradient_clip_norm: Any = None,
        config: Any = None,
        feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None,
        fix_global_step_increment_bug: bool = False,
        input_layer_partitioner: Any = None,
    ):
        linear, deep = tuple(linear_feature_columns or []), tuple(dnn_feature_columns or [])
        if not linear and not deep:
            raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
        params = {
            "head": head,
            "linear_feature_columns": linear,
            "linear_optimizer": linear_optimizer,
            "dnn_feature_columns": deep,
            "dnn_optimizer": dnn_optimizer,
            "hidden_units": dnn_hidden_units,
            "activation_fn": dnn_activation_fn or activations.relu,
            "dropout": dnn_dropout,
            "gradient_clip_norm": gradient_clip_norm,
            "input_layer_partitioner": input_layer_partitioner,
            "fix_global_step_increment_bug": fix_global_step_increment_bug,
        }
        Estimator.__init__(self, combined_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNLinearCombinedClassifier(_Classifier, DNNLinearCombinedEstimator):
    """Classes: wide and deep."""

    def __init__(
        self,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column_name: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = None,
        _joint_linear_weights: bool = False,
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = None,
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = activations.relu,
        dnn_dropout: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
        label_keys: Any = None,
        fix_global_step_increment_bug: bool = False,
    ):
        DNNLinearCombinedEstimator.__init__(
            self,
            _head_of_classes(n_classes, weight_column_name, enable_centered_bias, label_keys),
            *(model_dir, linear_feature_columns, linear_optimizer, _joint_linear_weights, dnn_feature_columns),
            *(dnn_optimizer, dnn_hidden_units, dnn_activation_fn, dnn_dropout, gradient_clip_norm, config),
            *(feature_engineering_fn, embedding_lr_multipliers, fix_global_step_increment_bug),
        )


class DNNLinearCombinedRegressor(_Regressor, DNNLinearCombinedEstimator):
    """Numbers: wide and deep."""

    def __init__(
        self,
        model_dir: Any = None,
        weight_column_name: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = None,
        _joint_linear_weights: bool = False,
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = None,
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = activations.relu,
        dnn_dropout: Any = None,
        gradient_clip_norm: Any = None,
        enable_centered_bias: bool = False,
        label_dimension: int = 1,
        config: Any = None,
        feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
        fix_global_step_increment_bug: bool = False,
    ):
        DNNLinearCombinedEstimator.__init__(
            self,
            _head_of_numbers(label_dimension, weight_column_name, enable_centered_bias),
            *(model_dir, linear_feature_columns, linear_optimizer, _joint_linear_weights, dnn_feature_columns),
            *(dnn_optimizer, dnn_hidden_units, dnn_activation_fn, dnn_dropout, gradient_clip_norm, config),
            *(feature_engineering_fn, embedding_lr_multipliers, fix_global_step_increment_bug),
        )
