"""Linear estimators of tf.contrib.learn that learn by dual ascent: support vector machines, and what SDCAOptimizer trains."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.layers import column_ops
from thalweg._src.contrib.layers.numeric_columns import real_valued_column
from thalweg._src.contrib.learn.head import BinaryLogisticHead, BinarySvmHead, RegressionHead
from thalweg._src.contrib.linear_optimizer.optimizer import SDCAOptimizer
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.ops.late import array
from thalweg._src.ops.stateful.variable_scope import variable_scope

_BIAS = "tf_virtual_bias_column"
_LOSSES = {BinarySvmHead: "hinge_loss", BinaryLogisticHead: "logistic_loss", RegressionHead: "squared_loss"}


def loss_of(head: Any) -> str:
    """The loss that dual ascent minimizes for a head. Raises ValueError for heads that are neither of the three, or have several logits."""
    if type(head) not in _LOSSES:
        raise ValueError(f"Unsupported head type: {head}")
    if head.logits_dimension != 1:
        raise ValueError("SDCA only applies for logits_dimension=1.")
    return _LOSSES[type(head)]


def _batch_size(features: dict[Any, Any]) -> Any:
    first = next(iter(features.values()))
    return first.dense_shape[0] if isinstance(first, SparseTensor) else array.shape(first)[0]


def sdca_model_fn(features: Any, labels: Any, mode: str, params: dict[str, Any], config: Any = None) -> Any:
    """The ModelFnOps of a linear model under `params["optimizer"]`, an SDCAOptimizer. Raises ValueError for other optimizers."""
    head, feature_columns, optimizer = params["head"], params["feature_columns"], params["optimizer"]
    hook = params.get("update_weights_hook")
    if not isinstance(optimizer, SDCAOptimizer):
        raise ValueError("Optimizer must be of type SDCAOptimizer")
    loss_type = loss_of(head)
    if any(column.name == _BIAS for column in feature_columns):
        raise ValueError(f"{_BIAS} is a reserved column name.")
    with variable_scope("linear", values=tuple(features.values()), partitioner=optimizer.partitioner) as scope:
        logits, columns_to_variables, bias = column_ops.weighted_sum_from_feature_columns(
            features, feature_columns, num_outputs=1, scope=scope
        )
    features = {**features, _BIAS: array.ones([_batch_size(features), 1])}
    columns_to_variables[real_valued_column(_BIAS)] = [bias]

    def train_op_fn(loss: Any) -> Any:
        model, train_op = optimizer.get_train_step(
            columns_to_variables, params.get("weight_column_name"), loss_type, features, labels, get_global_step()
        )
        if hook is not None:
            hook.set_parameters(model, train_op)
        return train_op

    ops = head.create_model_fn_ops(features=features, labels=labels, mode=mode, train_op_fn=train_op_fn, logits=logits)
    return ops if hook is None else ops._replace(training_chief_hooks=[*ops.training_chief_hooks, hook])
