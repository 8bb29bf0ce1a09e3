"""The streaming metrics of 0.x: tf.metrics under other names, with the predictions first."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from thalweg._src.lib.metrics import counts, means, thresholds, top_k
from thalweg._src.ops import basic

_LAST = "weights metrics_collections updates_collections name"
_PAIR = f"predictions labels {_LAST}"


def _as(function: Callable[..., Any], arguments: str, doc: str, **renamed: str) -> Callable[..., Any]:
    """`function` with its arguments in that order; `renamed` gives the names that it has there for some of them."""
    known = inspect.signature(function).parameters
    parameters = []
    for word in arguments.split():
        name, _, default = word.partition("=")
        there = known.get(renamed.get(name, name))
        value = there.default if there is not None else inspect.Parameter.empty
        if default:
            value = int(default)
        if name in ("predictions", "labels"):
            value = inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=value))
    signature = inspect.Signature(parameters)

    def metric(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        return function(**{renamed.get(k, k): v for k, v in given.items()})

    metric.__signature__, metric.__doc__ = signature, doc  # type: ignore[attr-defined]
    return metric


def _rated(function: Callable[..., Any], doc: str, extra: str = "") -> Callable[..., Any]:
    return _as(function, f"predictions labels {extra} {_LAST}" if extra else _PAIR, doc)


streaming_accuracy = _rated(means.accuracy, "The share of predictions that are right.")
streaming_precision = _rated(counts.precision, "The share of positive predictions that are right.")
streaming_recall = _rated(counts.recall, "The share of positive labels that are found.")
streaming_true_positives = _rated(counts.true_positives, "The number of right positive predictions.")
streaming_true_negatives = _rated(counts.true_negatives, "The number of right negative predictions.")
streaming_false_positives = _rated(counts.false_positives, "The number of wrong positive predictions.")
streaming_false_negatives = _rated(counts.false_negatives, "The number of wrong negative predictions.")
streaming_mean = _as(means.mean, f"values {_LAST}", "The weighted mean.")
streaming_mean_tensor = _as(means.mean_tensor, f"values {_LAST}", "The weighted mean of each element.")
streaming_mean_absolute_error = _rated(means.mean_absolute_error, "The mean of |predictions - labels|.")
streaming_mean_squared_error = _rated(means.mean_squared_error, "The mean of (predictions - labels)^2.")
streaming_root_mean_squared_error = _rated(means.root_mean_squared_error, "The root of the mean squared error.")
streaming_mean_relative_error = _rated(
    means.mean_relative_error, "The mean of |predictions - labels| / normalizer.", "normalizer"
)
streaming_mean_cosine_distance = _rated(means.mean_cosine_distance, "The mean of 1 - predictions . labels.", "dim")
streaming_mean_iou = _rated(means.mean_iou, "The mean over classes of intersection over union.", "num_classes")
streaming_percentage_less = _as(
    means.percentage_below, f"values threshold {_LAST}", "The share of values below a threshold."
)
streaming_auc = _as(
    thresholds.auc,
    "predictions labels weights num_thresholds metrics_collections updates_collections curve name",
    "The area under the ROC curve, or under that of precision and recall (curve='PR').",
)
streaming_precision_at_thresholds = _rated(
    thresholds.precision_at_thresholds, "`streaming_precision` at several thresholds.", "thresholds"
)
streaming_recall_at_thresholds = _rated(
    thresholds.recall_at_thresholds, "`streaming_recall` at several thresholds.", "thresholds"
)
streaming_sensitivity_at_specificity = _as(
    thresholds.sensitivity_at_specificity,
    "predictions labels specificity weights num_thresholds metrics_collections updates_collections name",
    "The sensitivity where the specificity is given.",
)
streaming_specificity_at_sensitivity = _as(
    thresholds.specificity_at_sensitivity,
    "predictions labels sensitivity weights num_thresholds metrics_collections updates_collections name",
    "The specificity where the sensitivity is given.",
)
streaming_sparse_average_precision_at_k = _as(
    top_k.average_precision_at_k, f"predictions labels k {_LAST}", "The average precision of the first k predictions."
)
streaming_sparse_precision_at_k = _as(
    top_k.precision_at_k,
    f"predictions labels k class_id {_LAST}",
    "The share of the first k predictions that are labels.",
)
streaming_sparse_recall_at_k = _as(
    top_k.recall_at_k,
    f"predictions labels k class_id {_LAST}",
    "The share of labels that are among the first k predictions.",
)
streaming_sparse_precision_at_top_k = _as(
    top_k.precision_at_top_k,
    f"top_k_predictions labels class_id {_LAST}",
    "The share of the predictions that are labels; the first ones are given.",
    top_k_predictions="predictions_idx",
)
sparse_recall_at_top_k = _as(
    top_k.recall_at_top_k,
    f"labels top_k_predictions class_id {_LAST}",
    "The share of labels that are among the predictions; the first ones are given.",
    top_k_predictions="predictions_idx",
)


def _at_thresholds(key: str, doc: str) -> Callable[..., Any]:
    """The count `key` at thresholds; its variable stands in the scope of the caller, not in one of its own as in tf.metrics."""

    def count(labels: Any, predictions: Any, at: Any, weights: Any = None) -> tuple[Any, Any]:
        values, updates = thresholds.counts_at(labels, predictions, at, weights, (key,))
        return basic.identity(values[key]), updates[key]

    return _as(count, "predictions labels thresholds weights", doc, thresholds="at")


streaming_true_positives_at_thresholds = _at_thresholds("tp", "`streaming_true_positives` at several thresholds.")
streaming_true_negatives_at_thresholds = _at_thresholds("tn", "`streaming_true_negatives` at several thresholds.")
streaming_false_positives_at_thresholds = _at_thresholds("fp", "`streaming_false_positives` at several thresholds.")
streaming_false_negatives_at_thresholds = _at_thresholds("fn", "`streaming_false_negatives` at several thresholds.")

for _name, _made in list(globals().items()):
    if _name.startswith(("streaming_", "sparse_recall")):
        _made.__name__ = _made.__qualname__ = _name
