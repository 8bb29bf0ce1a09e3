"""The metrics that heads of tf.contrib.learn share."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.learn.modes import MetricKey
from thalweg._src.core import dtypes
from thalweg._src.lib.metrics import means, thresholds
from thalweg._src.lib.weights import broadcast_weights
from thalweg._src.ops.late import array, math


def _weights(weights: Any, like: Any, class_id: int | None = None) -> Any:
    if weights is None:
        return None
    weights = broadcast_weights(math.cast(weights, dtypes.float32), like)
    return weights if class_id is None else weights[:, class_id]


def mean_of(values: Any, weights: Any, class_id: int | None = None) -> Any:
    """The mean of values, or of the column of a class."""
    values = math.cast(values, dtypes.float32)
    weights = _weights(weights, values, class_id)
    return means.mean(values if class_id is None else values[:, class_id], weights)


def of_class(classes: Any, weights: Any, class_id: int) -> Any:
    """How often a class is there."""
    same = math.equal(math.cast(class_id, dtypes.int32), math.cast(classes, dtypes.int32))
    return means.mean(array.where(same, array.ones_like(classes), array.zeros_like(classes)), weights=weights)


def area(predictions: Any, labels: Any, weights: Any, class_id: int | None = None, curve: str = "ROC") -> Any:
    """The area under a curve."""
    predictions = math.cast(predictions, dtypes.float32)
    labels = math.cast(labels, dtypes.bool)
    weights = _weights(weights, predictions, class_id)
    if class_id is not None:
        predictions, labels = predictions[:, class_id], labels[:, class_id]
    return thresholds.auc(labels, predictions, weights, curve=curve)


def at_threshold(predictions: Any, labels: Any, weights: Any, threshold: float) -> dict[str, Any]:
    """Accuracy, precision and recall of "at least `threshold`"."""
    above = math.cast(math.greater_equal(predictions, threshold), dtypes.float32)
    found = {MetricKey.ACCURACY_MEAN % threshold: means.accuracy(labels, above, weights)}
    as_float = None if weights is None else math.cast(weights, dtypes.float32)
    for key, metric in (
        (MetricKey.PRECISION_MEAN, thresholds.precision_at_thresholds),
        (MetricKey.RECALL_MEAN, thresholds.recall_at_thresholds),
    ):
        value, update = metric(labels, predictions, (threshold,), as_float)
        found[key % threshold] = array.squeeze(value), array.squeeze(update)
    return found
