"""tf.estimator.EstimatorSpec: what a model function gives back."""

from __future__ import annotations

import collections
from typing import Any

from thalweg._src.core import nest
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.estimators.export_outputs import get_export_outputs
from thalweg._src.lib.estimators.modes import ModeKeys, call_with, fn_args
from thalweg._src.lib.hooks.hook import SessionRunHook
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.scaffold import Scaffold
from thalweg._src.ops.late import array
from thalweg._src.ops.stateful.variables import Variable

LOSS_METRIC_KEY = "loss"
AVERAGE_LOSS_METRIC_KEY = "average_loss"


class EstimatorSpec(
    collections.namedtuple(
        "EstimatorSpec",
        [
            *("mode", "predictions", "loss", "train_op", "eval_metric_ops", "export_outputs", "training_chief_hooks"),
            *("training_hooks", "scaffold", "evaluation_hooks", "prediction_hooks"),
        ],
    )
):
    """The ops of a model, for one mode: a loss and `train_op` to train, a loss to evaluate, `predictions` to predict.

    Raises ValueError for what is missing or belongs to another graph, TypeError for things of another kind.
    """

    def __new__(
        cls,
        mode: str,
        predictions: Any = None,
        loss: Any = None,
        train_op: Any = None,
        eval_metric_ops: Any = None,
        export_outputs: Any = None,
        training_chief_hooks: Any = None,
        training_hooks: Any = None,
        scaffold: Any = None,
        evaluation_hooks: Any = None,
        prediction_hooks: Any = None,
    ) -> EstimatorSpec:
        train_op = _check_train_op(train_op, mode)
        loss = _check_loss(loss, mode)
        predictions = _check_predictions(predictions, mode)
        if mode == ModeKeys.PREDICT:
            export_outputs = get_export_outputs(export_outputs, predictions)
        training_hooks, evaluation_hooks = _check_hooks(training_hooks), _check_hooks(evaluation_hooks)
        prediction_hooks, training_chief_hooks = _check_hooks(prediction_hooks), _check_hooks(training_chief_hooks)
        eval_metric_ops = _check_metrics(eval_metric_ops)
        scaffold = scaffold or Scaffold()
        if not isinstance(scaffold, Scaffold):
            raise TypeError(f"scaffold must be tf.train.Scaffold. Given: {scaffold}")
        return super().__new__(
            cls,
            *(mode, predictions, loss, train_op, eval_metric_ops, export_outputs, training_chief_hooks),
            *(training_hooks, scaffold, evaluation_hooks, prediction_hooks),
        )

    def _replace(self, **changes: Any) -> EstimatorSpec:  # type: ignore[override]
        """A spec with other values. Raises ValueError for another mode."""
        if changes.get("mode", self.mode) != self.mode:
            raise ValueError("mode of EstimatorSpec cannot be changed.")
        return EstimatorSpec(**{**self._asdict(), **changes})


def _check_here(item: Any, what: str, name: str) -> None:
    if item.graph is not get_default_graph():
        raise ValueError(
            f'{what} with "{name}" must be from the default graph. Possible causes of this error include: \n\n'
            f"1) {what} was created outside the context of the default graph.\n\n"
            "2) The object passed through to EstimatorSpec was not created in the most recent call to "
            '"model_fn".'
        )


def _check_tensor(x: Any, name: str) -> Any:
    if not isinstance(x, Tensor | Variable):
        raise TypeError(f"{name} must be Tensor, given: {x}")
    return x


def _check_op(x: Any, name: str) -> None:
    if not isinstance(x, Operation | Tensor | Variable):
        raise TypeError(f"{name} must be Operation or Tensor, given: {x}")


def _check_train_op(train_op: Any, mode: str) -> Any:
    if train_op is None:
        if mode == ModeKeys.TRAIN:
            raise ValueError("Missing train_op.")
        return None
    _check_op(train_op, "train_op")
    if isinstance(train_op, Variable):
        train_op = train_op.op
    _check_here(train_op, "train_op", train_op.name)
    return train_op


def _check_loss(loss: Any, mode: str) -> Any:
    if loss is None:
        if mode in (ModeKeys.TRAIN, ModeKeys.EVAL):
            raise ValueError("Missing loss.")
        return None
    _check_tensor(loss, "loss")
    shape = loss.get_shape()
    if shape.num_elements() not in (None, 1):
        raise ValueError(f"Loss must be scalar, given: {loss}")
    if not shape.is_compatible_with(TensorShape([])):
        loss = array.reshape(loss, [])
    _check_here(loss, "loss", loss.name)
    return loss


def _check_predictions(predictions: Any, mode: str) -> Any:
    if predictions is None:
        if mode == ModeKeys.PREDICT:
            raise ValueError("Missing predictions.")
        return {}
    if not isinstance(predictions, dict):
        _check_here(_check_tensor(predictions, "predictions"), "prediction values", predictions.name)
        return predictions
    for key, value in predictions.items():
        _check_tensor(value, f"predictions[{key}]")
        _check_here(value, "prediction values", f"{key}: {value.name}")
    return dict(predictions)


def _check_hooks(hooks: Any) -> tuple[Any, ...]:
    hooks = tuple(hooks or [])
    for hook in hooks:
        if not isinstance(hook, SessionRunHook):
            raise TypeError(f"All hooks must be SessionRunHook instances, given: {hook}")
    return hooks


def _check_metrics(metrics: Any) -> dict[str, Any]:
    if metrics is None:
        return {}
    if not isinstance(metrics, dict):
        raise TypeError(f"eval_metric_ops must be a dict, given: {metrics}")
    for key, value in metrics.items():
        if not isinstance(value, tuple) or len(value) != 2:
            raise TypeError(
                f"Values of eval_metric_ops must be (metric_value, update_op) tuples, given: {value} for key: {key}"
            )
    for key, pair in metrics.items():
        for value in nest.flatten(pair):
            _check_op(value, f"eval_metric_ops[{key}]")
            _check_here(value, "eval_metric_ops", f"{key}: {value.name}")
    return metrics


_MODEL_FN_ARGS = {"features", "labels", "mode", "params", "self", "config"}


def verify_model_fn_args(model_fn: Any, params: Any) -> None:
    """Raise ValueError for model functions with other arguments."""
    args = set(fn_args(model_fn))
    if "features" not in args:
        raise ValueError(f"model_fn ({model_fn}) must include features argument.")
    if params is not None and "params" not in args:
        raise ValueError(
            f"model_fn ({model_fn}) does not include params argument, but params ({params}) is passed to Estimator."
        )
    if params is None and "params" in args:
        log.warning("The model_fn %s takes params, but none are given to the Estimator.", model_fn)
    unknown = list(args - _MODEL_FN_ARGS)
    if unknown:
        raise ValueError(f"model_fn ({model_fn}) has following not expected args: {unknown}")


def call_logit_fn(logit_fn: Any, features: Any, mode: str, params: Any, config: Any) -> Any:
    """The logits that `logit_fn` makes: a tensor, or {name: tensor}. Raises ValueError for other results."""
    made = call_with(logit_fn, {"mode": mode, "params": params, "config": config}, features=features)
    by_name = isinstance(made, dict) and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in made.items())
    if not (by_name or isinstance(made, Tensor)):
        raise ValueError(
            f"logit_fn should return a Tensor or a dictionary mapping strings to Tensors.  logit_fn returned: {made}"
        )
    return made
