"""The metrics of forests by name, and which prediction each is of."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.contrib.learn.modes import PredictionKey
from thalweg._src.core import dtypes
from thalweg._src.lib import losses
from thalweg._src.lib.metrics import counts, means, thresholds
from thalweg._src.ops.arrays.topk import in_top_k
from thalweg._src.ops.late import array, math

INFERENCE_PROB_NAME = PredictionKey.PROBABILITIES
INFERENCE_PRED_NAME = PredictionKey.CLASSES
FEATURE_IMPORTANCE_NAME = "global_feature_importance"

_EVERY_HUNDREDTH = np.arange(0, 1, 0.01, dtype=np.float32)


def _classes(targets: Any) -> Any:
    return math.cast(array.reshape(targets, [-1]), dtypes.int32)


def _one_hot(targets: Any, like: Any) -> Any:
    return array.one_hot(_classes(targets), array.shape(like)[1])


def _top_5(probabilities: Any, targets: Any) -> Any:
    return means.mean(in_top_k(probabilities, _classes(targets), 5))


def _accuracy(predictions: Any, targets: Any, weights: Any = None) -> Any:
    return means.accuracy(labels=targets, predictions=predictions, weights=weights)


def _r2(scores: Any, targets: Any, weights: Any = None) -> Any:
    targets = math.cast(targets, dtypes.float32)
    total = math.reduce_sum(math.squared_difference(targets, math.reduce_mean(targets, 0)), 0)
    rest = math.reduce_sum(math.squared_difference(targets, scores), 0)
    return means.mean(1 - math.reduce_sum(rest / total), weights=weights)


def _sigmoid_entropy(probabilities: Any, targets: Any, weights: Any = None) -> Any:
    return means.mean(losses.sigmoid_cross_entropy(_one_hot(targets, probabilities), probabilities), weights=weights)


def _softmax_entropy(probabilities: Any, targets: Any, weights: Any = None) -> Any:
    return means.mean(losses.sparse_softmax_cross_entropy(_classes(targets), probabilities), weights=weights)


def _predictions(predictions: Any, targets: Any, **_: Any) -> Any:
    return predictions


def _class_log_loss(probabilities: Any, targets: Any, weights: Any = None) -> Any:
    return means.mean(losses.log_loss(_one_hot(targets, probabilities), probabilities), weights=weights)


def _precision(predictions: Any, targets: Any, weights: Any = None) -> Any:
    return counts.precision(labels=targets, predictions=predictions, weights=weights)


def _recall(predictions: Any, targets: Any, weights: Any = None) -> Any:
    return counts.recall(labels=targets, predictions=predictions, weights=weights)


def _precision_at(probabilities: Any, targets: Any, weights: Any = None) -> Any:
    return thresholds.precision_at_thresholds(targets, probabilities[:, 1:2], _EVERY_HUNDREDTH, weights=weights)


def _recall_at(probabilities: Any, targets: Any, weights: Any = None) -> Any:
    return thresholds.recall_at_thresholds(targets, probabilities[:, 1:2], _EVERY_HUNDREDTH, weights=weights)


def _auc(probabilities: Any, targets: Any, weights: Any = None) -> Any:
    return thresholds.auc(labels=targets, predictions=probabilities[:, 1:2], weights=weights)


_METRICS = {
    "auc": (_auc, INFERENCE_PROB_NAME),
    "sigmoid_entropy": (_sigmoid_entropy, INFERENCE_PROB_NAME),
    "softmax_entropy": (_softmax_entropy, INFERENCE_PROB_NAME),
    "accuracy": (_accuracy, INFERENCE_PRED_NAME),
    "r2": (_r2, PredictionKey.SCORES),
    "predictions": (_predictions, INFERENCE_PRED_NAME),
    "classification_log_loss": (_class_log_loss, INFERENCE_PROB_NAME),
    "precision": (_precision, INFERENCE_PRED_NAME),
    "precision_at_thresholds": (_precision_at, INFERENCE_PROB_NAME),
    "recall": (_recall, INFERENCE_PRED_NAME),
    "recall_at_thresholds": (_recall_at, INFERENCE_PROB_NAME),
    "top_5": (_top_5, INFERENCE_PROB_NAME),
}


def get_metric(metric_name: str) -> Any:
    """The function (predictions, targets) -> metric of that name. Raises KeyError for others."""
    return _METRICS[metric_name][0]


def get_prediction_key(metric_name: str) -> str:
    """The key of the prediction that the metric of that name is of. Raises KeyError for others."""
    return _METRICS[metric_name][1]
