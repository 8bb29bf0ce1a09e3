"""Target columns of tf.contrib.layers: what a model predicts, as a loss, predictions and metrics. Heads came after them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.learn.modes import MetricKey
from thalweg._src.contrib.losses.losses import hinge_loss
from thalweg._src.contrib.metrics import streaming
from thalweg._src.core import dtypes
from thalweg._src.ops.basic import control_dependencies
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets.softmax import (
    sigmoid_cross_entropy_with_logits,
    softmax,
    sparse_softmax_cross_entropy_with_logits,
)
from thalweg._src.ops.reports.checks import Assert

_MEAN_OF_TARGETS = "labels/actual_target_mean"
_BASELINE = "accuracy/baseline_target_mean"


class ProblemType:
    """What kind of problem a target column is."""

    UNSPECIFIED = 0
    CLASSIFICATION = 1
    LINEAR_REGRESSION = 2
    LOGISTIC_REGRESSION = 3


class TargetColumn:
    """What one head of a model predicts. `loss_fn(logits, target)` gives the losses of the examples."""

    def __init__(
        self,
        loss_fn: Callable[[Any, Any], Any] | None,
        num_label_columns: int,
        label_name: str | None,
        weight_column_name: str | None,
        problem_type: int,
    ):
        if not loss_fn:
            raise ValueError("loss_fn must be provided")
        if num_label_columns is None:
            raise ValueError("num_label_columns must be provided")
        self._loss_fn, self._num_label_columns = loss_fn, num_label_columns
        self._label_name, self._weight_column_name, self._problem_type = label_name, weight_column_name, problem_type

    @property
    def label_name(self) -> str | None:
        return self._label_name

    @property
    def weight_column_name(self) -> str | None:
        return self._weight_column_name

    @property
    def num_label_columns(self) -> int:
        """The number of logits of an example."""
        return self._num_label_columns

    @property
    def problem_type(self) -> int:
        """A constant of ProblemType."""
        return self._problem_type

    def logits_to_predictions(self, logits: Any, proba: bool = False) -> Any:
        """The predictions, or their probabilities."""
        raise NotImplementedError

    def get_eval_ops(self, features: Any, logits: Any, labels: Any, metrics: Any = None) -> dict[str, Any]:
        """{name: (value, update)} of the loss and of metrics."""
        raise NotImplementedError

    def get_weight_tensor(self, features: Any) -> Any:
        """The weights of the examples, or None."""
        if not self._weight_column_name:
            return None
        return array.reshape(math.cast(features[self._weight_column_name], dtypes.float32), shape=(-1,))

    def _losses(self, logits: Any, target: Any, features: Any) -> tuple[Any, Any]:
        """The losses of the examples, times their weights, and the weights or None."""
        target = target[self.label_name] if isinstance(target, dict) else target
        losses, weights = self._loss_fn(logits, target), self.get_weight_tensor(features)
        if weights is None:
            return losses, None
        return math.multiply(array.reshape(losses, shape=(-1,)), array.reshape(weights, shape=(-1,))), weights

    def training_loss(self, logits: Any, target: Any, features: Any, name: str = "training_loss") -> Any:
        """The loss that is trained: the mean over the batch of weighted losses."""
        return math.reduce_mean(self._losses(logits, target, features)[0], name=name)

    def loss(self, logits: Any, target: Any, features: Any) -> Any:
        """The loss that is reported: the weighted mean."""
        losses, weights = self._losses(logits, target, features)
        if weights is None:
            return math.reduce_mean(losses, name="loss")
        return math.div(math.reduce_sum(losses), math.reduce_sum(weights), name="loss")


class RegressionTargetColumn(TargetColumn):
    """See `regression_target`."""

    def logits_to_predictions(self, logits: Any, proba: bool = False) -> Any:
        return array.squeeze(logits, axis=[1]) if self.num_label_columns == 1 else logits

    def get_eval_ops(self, features: Any, logits: Any, labels: Any, metrics: Any = None) -> dict[str, Any]:
        result = {"loss": streaming.streaming_mean(self.loss(logits, labels, features))}
        predictions = self.logits_to_predictions(logits) if metrics else None
        return {**result, **_measured(predictions, labels, metrics, self.get_weight_tensor(features))}


class MultiClassTargetColumn(TargetColumn):
    """See `multi_class_target`."""

    def logits_to_predictions(self, logits: Any, proba: bool = False) -> Any:
        if self.num_label_columns == 1:
            logits = array.concat([array.zeros_like(logits), logits], 1)
        return softmax(logits) if proba else math.argmax(logits, 1)

    def get_eval_ops(self, features: Any, logits: Any, labels: Any, metrics: Any = None) -> dict[str, Any]:
        """Those of `metrics`: {name: metric of classes} or {(name, 'classes' or 'probabilities'): metric}.

        Raises ValueError for other names.
        """
        result = {"loss": streaming.streaming_mean(self.loss(logits, labels, features))}
        if metrics is None:
            metrics = {("accuracy", "classes"): streaming.streaming_accuracy}
        if self.num_label_columns == 1:
            above, targets = math.sigmoid(logits), math.cast(labels, dtypes.float32)
            for name, metric in get_default_binary_metrics_for_eval(thresholds=[0.5]).items():
                result[name] = metric(above, targets)
        of: dict[str, dict[str, Any]] = {"classes": {}, "probabilities": {}}
        for name, metric in metrics.items():
            name, kind = (name, "classes") if isinstance(name, str) else _named(name)
            of[kind][name] = metric
        weights = self.get_weight_tensor(features)
        for kind, chosen in of.items():
            if chosen:
                predictions = self.logits_to_predictions(logits, proba=kind == "probabilities")
                result.update(_measured(predictions, labels, chosen, weights))
        return result


def _named(name: Any) -> tuple[str, str]:
    if not isinstance(name, tuple):
        raise ValueError(f"Ignoring metric {name}. Its name is not in the correct form.")
    if len(name) != 2:
        raise ValueError(f"Ignoring metric {name}. It returned a tuple with len {len(name)}, expected 2.")
    if name[1] not in ("classes", "probabilities"):
        raise ValueError(
            f"Ignoring metric {name}. The 2nd element of its name should be either 'classes' or 'probabilities'."
        )
    return name


class BinarySvmTargetColumn(MultiClassTargetColumn):
    """See `binary_svm_target`."""

    def logits_to_predictions(self, logits: Any, proba: bool = False) -> Any:
        if proba:
            raise ValueError("logits to probabilities is not supported for _BinarySvmTargetColumn")
        return super().logits_to_predictions(logits)


def _measured(predictions: Any, labels: Any, metrics: Any, weights: Any) -> dict[str, Any]:
    how = {} if weights is None else {"weights": weights}
    return {
        name: metric(predictions, math.cast(labels, predictions.dtype), **how)
        for name, metric in (metrics or {}).items()
    }


def _as_matrix(target: Any) -> Any:
    return array.expand_dims(target, axis=1) if len(target.get_shape()) == 1 else target


def _squared_errors(logits: Any, target: Any) -> Any:
    target = _as_matrix(target)
    logits.get_shape().assert_is_compatible_with(target.get_shape())
    return math.squared_difference(logits, math.cast(target, dtypes.float32))


def _log_losses(logits: Any, target: Any) -> Any:
    return sigmoid_cross_entropy_with_logits(labels=math.cast(_as_matrix(target), dtypes.float32), logits=logits)


def _softmax_losses(logits: Any, target: Any) -> Any:
    if not target.dtype.is_integer:
        raise ValueError(f"Target's dtype should be integer Instead got {target.dtype}.")
    if len(target.get_shape()) == 2:
        target = array.squeeze(target, axis=[1])
    return sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)


def _hinge_losses(logits: Any, target: Any) -> Any:
    flat = Assert(
        math.less_equal(array.rank(target), 2), ["target's shape should be either [batch_size, 1] or [batch_size]"]
    )
    with control_dependencies([flat]):
        target = array.reshape(target, shape=[array.shape(target)[0], 1])
    return hinge_loss(logits, target)


def regression_target(
    label_name: str | None = None, weight_column_name: str | None = None, label_dimension: int = 1
) -> RegressionTargetColumn:
    """Numbers, by their squared errors."""
    return RegressionTargetColumn(
        _squared_errors, label_dimension, label_name, weight_column_name, ProblemType.LINEAR_REGRESSION
    )


def multi_class_target(
    n_classes: int, label_name: str | None = None, weight_column_name: str | None = None
) -> MultiClassTargetColumn:
    """One of `n_classes`, by its log likelihood. Raises ValueError for fewer than two."""
    if n_classes < 2:
        raise ValueError("n_classes must be > 1 for classification.")
    losses, width = (_log_losses, 1) if n_classes == 2 else (_softmax_losses, n_classes)
    return MultiClassTargetColumn(losses, width, label_name, weight_column_name, ProblemType.CLASSIFICATION)


def binary_svm_target(label_name: str | None = None, weight_column_name: str | None = None) -> BinarySvmTargetColumn:
    """One of two classes, by the hinge loss of a support vector machine."""
    return BinarySvmTargetColumn(_hinge_losses, 1, label_name, weight_column_name, ProblemType.CLASSIFICATION)


def get_default_binary_metrics_for_eval(thresholds: Any) -> dict[str, Callable[..., Any]]:
    """{name: metric(predictions, labels, weights=None)} of a logistic regression, at each of the thresholds."""
    metrics: dict[str, Callable[..., Any]] = {
        MetricKey.PREDICTION_MEAN: lambda predictions, labels, weights=None: streaming.streaming_mean(
            predictions, weights=weights
        ),
        _MEAN_OF_TARGETS: _mean_of_labels,
        _BASELINE: _mean_of_labels,
        MetricKey.AUC: lambda predictions, labels, weights=None: streaming.streaming_auc(
            predictions, labels, weights=_as_float(weights)
        ),
    }
    for threshold in thresholds:
        metrics[MetricKey.ACCURACY_MEAN % threshold] = functools.partial(_accuracy_at, threshold)
        for key, metric in (
            (MetricKey.PRECISION_MEAN, streaming.streaming_precision_at_thresholds),
            (MetricKey.RECALL_MEAN, streaming.streaming_recall_at_thresholds),
        ):
            metrics[key % threshold] = functools.partial(_at, threshold, metric)
    return metrics


def _as_float(weights: Any) -> Any:
    return None if weights is None else math.cast(weights, dtypes.float32)


def _mean_of_labels(predictions: Any, labels: Any, weights: Any = None) -> Any:
    return streaming.streaming_mean(labels, weights=weights)


def _accuracy_at(threshold: float, predictions: Any, labels: Any, weights: Any = None) -> Any:
    above = math.cast(math.greater_equal(predictions, threshold), dtypes.float32)
    return streaming.streaming_accuracy(predictions=above, labels=labels, weights=weights)


def _at(threshold: float, metric: Any, predictions: Any, labels: Any, weights: Any = None) -> Any:
    value, update = metric(predictions, labels=labels, thresholds=[threshold], weights=_as_float(weights))
    return array.squeeze(value), update
