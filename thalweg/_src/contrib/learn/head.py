"""The heads of tf.contrib.learn: loss, predictions and metrics on top of logits, by kind of label."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.learn.head_metrics import (
    area,
    at_threshold,
    mean_of,
    of_class,
)
from thalweg._src.contrib.learn.modes import MetricKey, PredictionKey, ProblemType
from thalweg._src.contrib.learn.single_head import Head, SingleHead, as_column
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor
from thalweg._src.lib import losses as lib_losses
from thalweg._src.lib import vocabularies
from thalweg._src.lib.losses import Reduction
from thalweg._src.lib.metrics import means
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import softmax
from thalweg._src.ops.reports import checks
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_to_indicator
from thalweg._src.ops.text.string_numbers import as_string

_Key = PredictionKey


class RegressionHead(SingleHead):
    """Squared error (or Poisson), of one number or several."""

    scope_name = "regression_head"
    problem_type = ProblemType.LINEAR_REGRESSION

    def __init__(self, dimension: int, link_fn: Any = None, poisson: bool = False, **how: Any):
        super().__init__(dimension, **how)
        self._link_fn, self._poisson = link_fn or basic.identity, poisson

    def _losses(self, labels: Any, logits: Any) -> Any:
        labels, logits = as_column(labels), as_column(logits)
        logits.get_shape().assert_is_compatible_with(labels.get_shape())
        labels = math.cast(labels, dtypes.float32)
        if self._poisson:
            return softmax_log_poisson(labels, logits)
        return math.squared_difference(logits, labels)

    def _predictions(self, logits: Any) -> dict[str, Any]:
        if self.logits_dimension == 1:
            logits = array.squeeze(logits, axis=[1], name=_Key.SCORES)
        return {_Key.SCORES: self._link_fn(logits)}

    def _metrics(self, predictions: Any, labels: Any, weights: Any) -> dict[str, Any]:
        return {}


def softmax_log_poisson(labels: Any, logits: Any) -> Any:
    """The Poisson loss of logarithms of rates, with Stirling's term."""
    from thalweg._src.ops.late import math as ops

    loss = ops.exp(logits) - logits * labels
    stirling = labels * ops.log(labels) - labels + 0.5 * ops.log(2.0 * 3.141592653589793 * labels)
    inside = ops.logical_and(labels >= 0.0, labels <= 1.0)
    return loss + array.where(inside, array.zeros_like(labels), stirling)


class BinaryLogisticHead(SingleHead):
    """The sigmoid of one logit."""

    scope_name = "binary_logistic_head"
    problem_type = ProblemType.LOGISTIC_REGRESSION

    def _losses(self, labels: Any, logits: Any) -> Any:
        labels = as_column(math.cast(labels, dtypes.float32))
        return softmax.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)

    def _predictions(self, logits: Any) -> dict[str, Any]:
        both = two_sided(logits)
        return {
            _Key.LOGITS: logits,
            _Key.LOGISTIC: math.sigmoid(logits, name=_Key.LOGISTIC),
            _Key.PROBABILITIES: softmax.softmax(both, name=_Key.PROBABILITIES),
            _Key.CLASSES: math.argmax(both, 1, name=_Key.CLASSES),
        }

    def _alternatives(self, predictions: dict[str, Any]) -> dict[Any, Any]:
        return classification_alternatives(self._head_name, self.problem_type, predictions)

    def _metrics(self, predictions: Any, labels: Any, weights: Any) -> dict[str, Any]:
        logistic = predictions[_Key.LOGISTIC]
        metrics = {
            MetricKey.ACCURACY: means.accuracy(labels, predictions[_Key.CLASSES], weights),
            MetricKey.PREDICTION_MEAN: mean_of(logistic, weights),
            MetricKey.LABEL_MEAN: mean_of(labels, weights),
            MetricKey.ACCURACY_BASELINE: mean_of(labels, weights),
            MetricKey.AUC: area(logistic, labels, weights),
            MetricKey.AUC_PR: area(logistic, labels, weights, curve="PR"),
        }
        for threshold in self._thresholds:
            metrics.update(at_threshold(logistic, labels, weights, threshold))
        return metrics


def two_sided(logits: Any) -> Any:
    """One logit as two: [0, logit]."""
    return array.concat((array.zeros_like(logits), logits), 1)


def classification_alternatives(
    name: str | None, problem_type: int, predictions: dict[str, Any], label_keys: Any = None
) -> dict[Any, Any]:
    """What is exported of a classifier: probabilities, and the classes they are of as strings."""
    probabilities = predictions[_Key.PROBABILITIES]
    with scopes.name_scope(None, "_classification_output_alternatives", (probabilities,)):
        shape = array.shape(probabilities)
        names = list(label_keys) if label_keys else math.range(shape[1])
        classes = array.tile(array.expand_dims(names, axis=0), [shape[0], 1])
        if not label_keys:
            classes = as_string(classes, name="classes_tensor")
    return {name: (problem_type, {_Key.PROBABILITIES: probabilities, _Key.CLASSES: classes})}


class MultiClassHead(SingleHead):
    """Softmax over more than two classes; labels are numbers, or words of `label_keys`."""

    scope_name = "multi_class_head"
    problem_type = ProblemType.CLASSIFICATION

    def __init__(self, n_classes: int, metric_class_ids: Any = None, label_keys: Any = None, **how: Any):
        super().__init__(n_classes, **how)
        if n_classes is None or n_classes <= 2:
            raise ValueError(f"n_classes must be > 2: {n_classes}.")
        self._metric_class_ids = _checked_ids(metric_class_ids, n_classes)
        if label_keys and len(label_keys) != n_classes:
            raise ValueError("Length of label_keys must equal n_classes.")
        self._label_keys = label_keys

    def _transform_labels(self, labels: Any) -> Any:
        tensor = super()._transform_labels(labels)
        ids = tensor
        if self._label_keys:
            ids = vocabularies.index_table_from_tensor(list(self._label_keys), name="label_id_lookup").lookup(tensor)
        return {"labels": tensor, "label_ids": ids}

    def _loss(self, labels: Any, logits: Any, weights: Any) -> tuple[Any, Any]:
        return super()._loss(labels["label_ids"], logits, weights)

    def _losses(self, labels: Any, logits: Any) -> Any:
        labels = to_tensor(labels)
        if not labels.dtype.is_integer:
            raise ValueError(f"Labels dtype should be integer Instead got {labels.dtype}.")
        columns = labels.get_shape().ndims == 2
        if columns:
            labels = array.squeeze(labels, axis=[1])
        losses = softmax.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return array.expand_dims(losses, axis=1) if columns else losses

    def _predictions(self, logits: Any) -> dict[str, Any]:
        classes = math.argmax(logits, 1, name=_Key.CLASSES)
        if self._label_keys:
            names = vocabularies.index_to_string_table_from_tensor(list(self._label_keys), name="class_string_lookup")
            classes = names.lookup(classes)
        probabilities = softmax.softmax(logits, name=_Key.PROBABILITIES)
        return {_Key.LOGITS: logits, _Key.PROBABILITIES: probabilities, _Key.CLASSES: classes}

    def _alternatives(self, predictions: dict[str, Any]) -> dict[Any, Any]:
        return classification_alternatives(self._head_name, self.problem_type, predictions, self._label_keys)

    def _metrics(self, predictions: Any, labels: Any, weights: Any) -> dict[str, Any]:
        classes = predictions[_Key.CLASSES]
        metrics = {MetricKey.ACCURACY: means.accuracy(labels["labels"], classes, weights)}
        for i in self._metric_class_ids if not self._label_keys else ():
            metrics[MetricKey.CLASS_PREDICTION_MEAN % i] = of_class(classes, weights, i)
            metrics[MetricKey.CLASS_LABEL_MEAN % i] = of_class(labels["label_ids"], weights, i)
            metrics[MetricKey.CLASS_PROBABILITY_MEAN % i] = mean_of(predictions[_Key.PROBABILITIES], weights, i)
            metrics[MetricKey.CLASS_LOGITS_MEAN % i] = mean_of(predictions[_Key.LOGITS], weights, i)
        return metrics


def _checked_ids(ids: Any, n_classes: int) -> tuple[int, ...]:
    for i in ids or ():
        if not 0 <= i < n_classes:
            raise ValueError(f"Class ID {i} not in [0, {n_classes}).")
    return tuple(ids or ())


class BinarySvmHead(SingleHead):
    """The hinge loss of one logit."""

    scope_name = "binary_svm_head"
    problem_type = ProblemType.LOGISTIC_REGRESSION

    def _losses(self, labels: Any, logits: Any) -> Any:
        flat = checks.Assert(
            math.less_equal(array.rank(labels), 2), ("labels shape should be either [batch_size, 1] or [batch_size]",)
        )
        with get_default_graph().control_dependencies((flat,)):
            labels = array.reshape(labels, shape=(-1, 1))
        return lib_losses.hinge_loss(labels=labels, logits=logits, reduction=Reduction.NONE)

    def _predictions(self, logits: Any) -> dict[str, Any]:
        return {_Key.LOGITS: logits, _Key.CLASSES: math.argmax(two_sided(logits), 1, name=_Key.CLASSES)}

    def _metrics(self, predictions: Any, labels: Any, weights: Any) -> dict[str, Any]:
        return {MetricKey.ACCURACY: means.accuracy(labels, predictions[_Key.CLASSES], weights)}


class MultiLabelHead(SingleHead):
    """A sigmoid for each class: an example has any number of them. Labels are rows of 0 and 1, or sparse class numbers."""

    scope_name = "multi_label_head"
    problem_type = ProblemType.CLASSIFICATION

    def __init__(self, n_classes: int, metric_class_ids: Any = None, **how: Any):
        super().__init__(n_classes, **how)
        self._metric_class_ids = _checked_ids(metric_class_ids, n_classes)

    def _transform_labels(self, labels: Any) -> Any:
        tensor = convert_to_tensor_or_sparse_tensor(labels[self._label_name] if isinstance(labels, dict) else labels)
        if not isinstance(tensor, SparseTensor):
            return tensor
        if self.logits_dimension < 2:
            raise ValueError("Must set num_classes >= 2 when passing labels as a SparseTensor.")
        return math.cast(sparse_to_indicator(tensor, self.logits_dimension), dtypes.int64)

    def _losses(self, labels: Any, logits: Any) -> Any:
        return softmax.sigmoid_cross_entropy_with_logits(labels=math.cast(labels, dtypes.float32), logits=logits)

    def _predictions(self, logits: Any) -> dict[str, Any]:
        return {
            _Key.LOGITS: logits,
            _Key.PROBABILITIES: math.sigmoid(logits, name=_Key.PROBABILITIES),
            _Key.CLASSES: math.cast(math.greater(logits, 0), dtypes.int64, name=_Key.CLASSES),
        }

    def _alternatives(self, predictions: dict[str, Any]) -> dict[Any, Any]:
        return classification_alternatives(self._head_name, self.problem_type, predictions)

    def _metrics(self, predictions: Any, labels: Any, weights: Any) -> dict[str, Any]:
        classes, probabilities = predictions[_Key.CLASSES], predictions[_Key.PROBABILITIES]
        metrics = {
            MetricKey.ACCURACY: means.accuracy(labels, classes, weights),
            MetricKey.AUC: area(probabilities, labels, weights),
            MetricKey.AUC_PR: area(probabilities, labels, weights, curve="PR"),
        }
        for i in self._metric_class_ids:
            metrics[MetricKey.CLASS_PREDICTION_MEAN % i] = mean_of(classes, weights, i)
            metrics[MetricKey.CLASS_LABEL_MEAN % i] = mean_of(labels, weights, i)
            metrics[MetricKey.CLASS_PROBABILITY_MEAN % i] = mean_of(probabilities, weights, i)
            metrics[MetricKey.CLASS_LOGITS_MEAN % i] = mean_of(predictions[_Key.LOGITS], weights, i)
            metrics[MetricKey.CLASS_AUC % i] = area(probabilities, labels, weights, i)
            metrics[MetricKey.CLASS_AUC_PR % i] = area(probabilities, labels, weights, i, curve="PR")
        return metrics


# -- the functions that make them


def regression_head(
    label_name: str | None = None,
    weight_column_name: str | None = None,
    label_dimension: int = 1,
    enable_centered_bias: bool = False,
    head_name: str | None = None,
    link_fn: Any = None,
) -> Head:
    """A head of squared errors."""
    return RegressionHead(
        label_dimension,
        link_fn,
        label_name=label_name,
        weight_column_name=weight_column_name,
        enable_centered_bias=enable_centered_bias,
        head_name=head_name,
    )


def poisson_regression_head(
    label_name: str | None = None,
    weight_column_name: str | None = None,
    label_dimension: int = 1,
    enable_centered_bias: bool = False,
    head_name: str | None = None,
) -> Head:
    """A head of counts: the logits are logarithms of rates."""
    return RegressionHead(
        label_dimension,
        math.exp,
        True,
        label_name=label_name,
        weight_column_name=weight_column_name,
        enable_centered_bias=enable_centered_bias,
        head_name=head_name,
    )


def _checked_loss_fn(loss_fn: Any) -> Any:
    if loss_fn:
        names = inspect.signature(loss_fn).parameters
        for name in ("labels", "logits", "weights"):
            if name not in names:
                raise ValueError(f"Argument {name} not found in loss_fn.")
    return loss_fn


def multi_class_head(
    n_classes: int,
    label_name: str | None = None,
    weight_column_name: str | None = None,
    enable_centered_bias: bool = False,
    head_name: str | None = None,
    thresholds: Any = None,
    metric_class_ids: Any = None,
    loss_fn: Any = None,
    label_keys: Any = None,
) -> Head:
    """A head for classes: of one logit for two, else with softmax. Raises ValueError for fewer than two."""
    if n_classes is None or n_classes < 2:
        raise ValueError(f"n_classes must be > 1 for classification: {n_classes}.")
    how: dict[str, Any] = {
        "label_name": label_name,
        "weight_column_name": weight_column_name,
        "enable_centered_bias": enable_centered_bias,
        "head_name": head_name,
        "thresholds": thresholds,
        "loss_fn": _checked_loss_fn(loss_fn),
    }
    if n_classes > 2:
        return MultiClassHead(n_classes, metric_class_ids, label_keys, **how)
    if metric_class_ids:
        raise ValueError("metric_class_ids invalid for n_classes==2.")
    if label_keys:
        raise ValueError("label_keys is not supported for n_classes=2.")
    return BinaryLogisticHead(1, **how)


def binary_svm_head(
    label_name: str | None = None,
    weight_column_name: str | None = None,
    enable_centered_bias: bool = False,
    head_name: str | None = None,
    thresholds: Any = None,
) -> Head:
    """A head of the hinge loss."""
    return BinarySvmHead(1, label_name, weight_column_name, enable_centered_bias, head_name, None, thresholds)


def multi_label_head(
    n_classes: int,
    label_name: str | None = None,
    weight_column_name: str | None = None,
    enable_centered_bias: bool = False,
    head_name: str | None = None,
    thresholds: Any = None,
    metric_class_ids: Any = None,
    loss_fn: Any = None,
) -> Head:
    """A head for any number of classes at once. Raises ValueError for fewer than two."""
    if n_classes < 2:
        raise ValueError("n_classes must be > 1 for classification.")
    return MultiLabelHead(
        n_classes,
        metric_class_ids,
        label_name=label_name,
        weight_column_name=weight_column_name,
        enable_centered_bias=enable_centered_bias,
        head_name=head_name,
        thresholds=thresholds,
        loss_fn=_checked_loss_fn(loss_fn),
    )


def loss_only_head(loss_fn: Callable[[], Any], head_name: str | None = None) -> Head:
    """A head of a loss alone."""
    from thalweg._src.contrib.learn.multi_head import LossOnlyHead

    return LossOnlyHead(loss_fn, head_name=head_name)


def multi_head(heads: Any, loss_weights: Any = None) -> Head:
    """Several heads on one model; their losses are added, weighted by `loss_weights`."""
    from thalweg._src.contrib.learn.multi_head import MultiHead

    def merged(losses: Any) -> Any:
        if loss_weights:
            if len(losses) != len(loss_weights):
                raise ValueError("logits and loss_weights must have same size")
            losses = [math.multiply(loss, weight) for loss, weight in zip(losses, loss_weights, strict=True)]
        return math.add_n(losses)

    return MultiHead(heads, loss_merger=merged)
