"""Streaming counts of right and wrong yes-or-no predictions, and precision and recall from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.metrics.streaming import Metric, aligned, collect, counted, metric_variable
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful.variable_scope import variable_scope


def _count(values: Any, weights: Any, metrics_collections: Any, updates_collections: Any) -> Metric:
    """How many of the bools are true, weighted."""
    checks.assert_type(values, dtypes.bool)
    count = metric_variable([], dtypes.float32, name="count")
    values = math.cast(values, dtypes.float32)
    if weights is not None:
        fits = checks.assert_rank_in(weights, (0, array.rank(values)))
        with get_default_graph().control_dependencies((fits,)):
            values = math.multiply(values, math.cast(weights, dtypes.float32))
    value = collect(metrics_collections, basic.identity(count))
    return value, collect(updates_collections, counted(count, math.reduce_sum(values)))


def _bools(labels: Any, predictions: Any, weights: Any) -> tuple[Any, Any, Any]:
    return aligned(math.cast(predictions, dtypes.bool), math.cast(labels, dtypes.bool), weights)


def _counter(name: str, label: bool, prediction: bool, what: str) -> Callable[..., Metric]:
    def count(
        labels: Any,
        predictions: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Metric:
        with variable_scope(name, default_name, (predictions, labels, weights)):
            predictions, labels, weights = _bools(labels, predictions, weights)
            hits = math.logical_and(math.equal(labels, label), math.equal(predictions, prediction))
            return _count(hits, weights, metrics_collections, updates_collections)

    default_name = name
    count.__name__, count.__qualname__, count.__doc__ = name, name, f"How many {what}, weighted."
    return count


true_positives = _counter("true_positives", True, True, "predictions are rightly true")
false_positives = _counter("false_positives", False, True, "predictions are wrongly true")
true_negatives = _counter("true_negatives", False, False, "predictions are rightly false")
false_negatives = _counter("false_negatives", True, False, "predictions are wrongly false")


def _rate(right: Any, wrong: Any, name: str) -> Any:
    """right / (right + wrong), zero where both are zero."""
    return array.where(math.greater(right + wrong, 0), math.div(right, right + wrong), 0, name)


def precision(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How many of the true predictions are right."""
    with variable_scope(name, "precision", (predictions, labels, weights)):
        predictions, labels, weights = _bools(labels, predictions, weights)
        right, new_right = true_positives(labels, predictions, weights)
        wrong, new_wrong = false_positives(labels, predictions, weights)
        value = collect(metrics_collections, _rate(right, wrong, "value"))
        return value, collect(updates_collections, _rate(new_right, new_wrong, "update_op"))


def recall(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How many of the true labels are predicted."""
    with variable_scope(name, "recall", (predictions, labels, weights)):
        predictions, labels, weights = _bools(labels, predictions, weights)
        right, new_right = true_positives(labels, predictions, weights)
        missed, new_missed = false_negatives(labels, predictions, weights)
        value = collect(metrics_collections, _rate(right, missed, "value"))
        return value, collect(updates_collections, _rate(new_right, new_missed, "update_op"))
