"""The canned models of tf.contrib.learn: linear, deep, and both, as model functions."""

from __future__ import annotations

import math as python_math
from typing import Any

from thalweg._src.contrib.layers import column_ops
from thalweg._src.contrib.layers.dense import fully_connected
from thalweg._src.contrib.layers.embedding_columns import EmbeddingColumn
from thalweg._src.contrib.layers.optimizers import optimize_loss
from thalweg._src.contrib.learn.modes import ModeKeys
from thalweg._src.core import scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.estimators.run_config import RunConfig
from thalweg._src.lib.feature_columns import layers as columns
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.optimizers.ftrl import FtrlOptimizer
from thalweg._src.lib.optimizers.sync_replicas import SyncReplicasOptimizer
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.chance.random import dropout as dropout_op
from thalweg._src.ops.nets import activations, normalization
from thalweg._src.ops.numeric import clip
from thalweg._src.ops.stateful.partitioned import min_max_variable_partitioner
from thalweg._src.ops.stateful.variable_scope import variable_scope

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


def partitioner_of(config: RunConfig | None, min_slice_size: int = 256 << 10) -> Any:
    """Parts for each parameter server, of `min_slice_size` bytes at least."""
    return min_max_variable_partitioner(
        max_partitions=config.num_ps_replicas if config else 0, min_slice_size=min_slice_size
    )


def _tell_of(value: Any, tag: str, separator: str) -> None:
    summary.scalar(f"{tag}{separator}fraction_of_zero_values", normalization.zero_fraction(value))
    summary.histogram(f"{tag}{separator}activation", value)


def _deep_logits(features: Any, mode: str, head: Any, params: dict[str, Any], config: Any, separator: str) -> Any:
    """Dense layers, in the scope and collection `dnn`."""
    least = params.get("input_layer_min_slice_size") or 64 << 20
    wide = params.get("input_layer_partitioner") or partitioner_of(config, least)
    feature_columns = params["feature_columns"]
    with variable_scope("dnn", values=tuple(features.values()), partitioner=partitioner_of(config)):
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


def _multipliers(params: dict[str, Any]) -> dict[Any, float] | None:
    """{variable: factor of its gradient} of embeddings. Raises ValueError for columns that embed nothing here."""
    given = params.get("embedding_lr_multipliers")
    if not given:
        return None
    found = {}
    for column, factor in given.items():
        if not isinstance(column, EmbeddingColumn):
            raise ValueError(
                f"learning rate multipler can only be defined for embedding columns. It is defined for {column}"
            )
        variables = scopes.get_collection("dnn", scope=f"dnn/input_from_feature_columns/{column.name}")
        if not variables:
            raise ValueError(f"Couldn't find a variable for column {column}")
        found.update(dict.fromkeys(variables, factor))
    return found


def _linear_logits(features: Any, head: Any, feature_columns: Any, config: Any) -> Any:
    """Weights times features, in the scope and collection `linear`."""
    partitioner = partitioner_of(config, 64 << 20)
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
            gradient_multipliers=_multipliers(params),
            clip_gradients=params.get("gradient_clip_norm"),
            name="dnn",
            summaries=[],
        )

    with variable_scope("dnn"):
        return head.create_model_fn_ops(
            features=features, mode=mode, labels=labels, train_op_fn=train_op_fn, logits=logits
        )


def _rate(limit: float, count: int) -> float:
    return min(limit, 1.0 / python_math.sqrt(count))


def linear_model_fn(features: Any, labels: Any, mode: str, params: dict[str, Any], config: Any = None) -> Any:
    """The ModelFnOps of a linear model."""
    head, feature_columns, features = params["head"], params["feature_columns"], _by_key(features)
    logits = _linear_logits(features, head, feature_columns, config)

    def train_op_fn(loss: Any) -> Any:
        from thalweg._src.ops.derivatives.gradients import gradients

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
        return head.create_model_fn_ops(
            features=features, mode=mode, labels=labels, train_op_fn=train_op_fn, logits=logits
        )


def _of_one_part(optimizer: Any) -> Any:
    if isinstance(optimizer, SyncReplicasOptimizer):
        raise ValueError(
            "SyncReplicasOptimizer is not supported in DNNLinearCombined model. If you want to use this optimizer, please use "
            "either DNN or Linear model."
        )
    return optimizer


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
        parts.append(("dnn", _of_one_part(params.get("dnn_optimizer") or "Adagrad"), 0.05))
    if linear:
        logits.append(_linear_logits(features, head, linear, config))
        _tell_of(logits[-1], "linear", "/")
        parts.append(("linear", _of_one_part(params.get("linear_optimizer") or "Ftrl"), _rate(0.2, len(linear))))
    increments = not params.get("fix_global_step_increment_bug", True)

    def train_op_fn(loss: Any) -> Any:
        steps = [
            optimize_loss(
                loss,
                get_global_step(),
                learning_rate=rate,
                optimizer=_optimizer(optimizer),
                gradient_multipliers=_multipliers(params) if name == "dnn" else None,
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
    return head.create_model_fn_ops(features=features, mode=mode, labels=labels, train_op_fn=train_op_fn, logits=total)
