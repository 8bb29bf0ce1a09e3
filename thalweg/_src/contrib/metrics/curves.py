"""Metrics along a threshold: rates of errors, F1, precision where recall is given and the other way, points of curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from thalweg._src.core import dtypes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.metrics import counts, means, top_k
from thalweg._src.lib.metrics.streaming import aligned, collect, metric_variable
from thalweg._src.lib.metrics.thresholds import EPSILON, counts_at, evenly, read_off
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import topk
from thalweg._src.ops.arrays.ranges import lin_space
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful.variable_scope import variable_scope
from thalweg._src.ops.updates import updating


def _rate(kind: str, wrong: Any, right: Any, doc: str) -> Callable[..., Any]:
    def rate(
        predictions: Any,
        labels: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> tuple[Any, Any]:
        with variable_scope(name, kind, (predictions, labels, weights)):
            predictions, labels, weights = aligned(
                math.cast(predictions, dtypes.bool), math.cast(labels, dtypes.bool), weights
            )
            missed, new_missed = wrong(labels, predictions, weights)
            met, new_met = right(labels, predictions, weights)

            def share(missed: Any, met: Any, name: str) -> Any:
                return array.where(math.greater(missed + met, 0), math.div(missed, missed + met), 0, name)

            value = collect(metrics_collections, share(missed, met, "value"))
            return value, collect(updates_collections, share(new_missed, new_met, "update_op"))

    rate.__name__ = rate.__qualname__ = f"streaming_{kind}"
    rate.__doc__ = doc
    return rate


streaming_false_positive_rate = _rate(
    "false_positive_rate", counts.false_positives, counts.true_negatives, "The share of false labels taken for true."
)
streaming_false_negative_rate = _rate(
    "false_negative_rate", counts.false_negatives, counts.true_positives, "The share of true labels taken for false."
)


def _rate_at_thresholds(kind: str, wrong: str, right: str) -> Callable[..., Any]:
    def rate(
        predictions: Any,
        labels: Any,
        thresholds: Sequence[float],
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> tuple[Any, Any]:
        def share(of: dict[str, Any], name: str) -> Any:
            return math.div(of[wrong], EPSILON + of[wrong] + of[right])

        both = (metrics_collections, updates_collections)
        found = f"{kind}_at_thresholds"
        return read_off(found, labels, predictions, weights, thresholds, both, name, share, (wrong, right))

    rate.__name__ = rate.__qualname__ = f"streaming_{kind}_at_thresholds"
    rate.__doc__ = f"`streaming_{kind}` at several thresholds."
    return rate


streaming_false_positive_rate_at_thresholds = _rate_at_thresholds("false_positive_rate", "fp", "tn")
streaming_false_negative_rate_at_thresholds = _rate_at_thresholds("false_negative_rate", "fn", "tp")


def f1_score(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """The harmonic mean of precision and recall at the threshold where it is largest."""

    def best(of: dict[str, Any], name: str) -> Any:
        precision = math.div(of["tp"], EPSILON + of["tp"] + of["fp"], name=f"precision_{name}")
        recall = math.div(of["tp"], EPSILON + of["tp"] + of["fn"], name=f"recall_{name}")
        return math.reduce_max(2.0 * precision * recall / (precision + recall + EPSILON))

    both = (metrics_collections, updates_collections)
    return read_off("f1", labels, predictions, weights, evenly(num_thresholds), both, name, best, ("tp", "fp", "fn"))


def recall_at_precision(
    labels: Any,
    predictions: Any,
    precision: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
    strict_mode: bool = False,
) -> tuple[Any, Any]:
    """The recall at the threshold whose precision is nearest; in strict mode the nearest above, or 0 if there is none.

    Raises ValueError for a `precision` outside of [0, 1].
    """
    if not 0 <= precision <= 1:
        raise ValueError("`precision` must be in the range [0, 1].")

    def recall(of: dict[str, Any], name: str) -> Any:
        precisions = math.div(of["tp"], of["tp"] + of["fp"] + EPSILON)
        if strict_mode:
            at = math.argmax(math.div(1.0, precisions - precision + EPSILON), 0, output_type=dtypes.int32)
        else:
            at = math.argmin(math.abs(precisions - precision), 0, output_type=dtypes.int32)
        found = math.div(of["tp"][at], of["tp"][at] + of["fn"][at] + EPSILON, name)
        return cond(precisions[at] >= precision, lambda: found, lambda: basic.identity(0.0)) if strict_mode else found

    both = (metrics_collections, updates_collections)
    return read_off("recall_at_precision", labels, predictions, weights, evenly(num_thresholds), both, name, recall)


def precision_at_recall(
    labels: Any,
    predictions: Any,
    target_recall: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """The precision at the highest threshold that finds `target_recall` of the true labels.

    Raises ValueError for a `target_recall` outside of [0, 1].
    """
    if not 0 <= target_recall <= 1:
        raise ValueError("`target_recall` must be in the range [0, 1].")

    def precision(of: dict[str, Any], name: str) -> Any:
        recalls = math.div(of["tp"], of["tp"] + of["fn"] + EPSILON)
        enough = math.reduce_sum(math.cast(math.greater_equal(recalls, target_recall), dtypes.int64))
        at = enough - 1
        return math.div(of["tp"][at] + EPSILON, of["tp"][at] + of["fp"][at] + EPSILON, name)

    both = (metrics_collections, updates_collections)
    return read_off("precision_at_recall", labels, predictions, weights, evenly(num_thresholds), both, name, precision)


def streaming_curve_points(
    labels: Any = None,
    predictions: Any = None,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
) -> tuple[Any, Any]:
    """[num_thresholds, 2]: points of the ROC curve, or of recall and precision (curve="PR"). Raises ValueError."""
    if curve not in ("ROC", "PR"):
        raise ValueError(f"curve must be either ROC or PR, {curve} unknown")
    with variable_scope(name, "curve_points", (labels, predictions, weights)):
        of, updates = counts_at(labels, predictions, evenly(num_thresholds), weights)
        little = 1e-6
        recall = math.div(of["tp"] + little, of["tp"] + of["fn"] + little)
        if curve == "ROC":
            points = [math.div(of["fp"], of["fp"] + of["tn"] + little), recall]
        else:
            points = [recall, math.div(of["tp"] + little, of["tp"] + of["fp"] + little)]
        update = basic.group(*updates.values())
        return collect(metrics_collections, array.stack(points, axis=1)), collect(updates_collections, update)


class PrecisionRecallData(NamedTuple):
    """Counts, precision and recall, one number for each threshold."""

    tp: Any
    fp: Any
    tn: Any
    fn: Any
    precision: Any
    recall: Any
    thresholds: Any


def precision_recall_at_equal_thresholds(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int | None = None,
    use_locking: bool | None = None,
    name: str | None = None,
) -> tuple[PrecisionRecallData, Any]:
    """Counts, precision and recall at thresholds of equal distance in [0, 1], by a histogram: O(predictions) a batch.

    Raises TypeError for labels that are no bools.
    """
    n = 201 if num_thresholds is None else num_thresholds
    locked = True if use_locking is None else use_locking
    checks.assert_type(labels, dtypes.bool)
    with variable_scope(name, "precision_recall_at_equal_thresholds", (labels, predictions, weights)):
        message = "predictions must be in [0, 1]"
        bounds = [
            checks.assert_greater_equal(predictions, math.cast(0.0, predictions.dtype), message=message),
            checks.assert_less_equal(predictions, math.cast(1.0, predictions.dtype), message=message),
        ]
        with get_default_graph().control_dependencies(bounds):
            predictions, labels, weights = aligned(predictions, labels, weights)
        predictions.get_shape().assert_is_compatible_with(labels.get_shape())
        share = math.cast(1.0 if weights is None else weights, dtypes.float64)
        true = math.cast(labels, dtypes.float64)
        predictions = array.reshape(predictions, [-1])
        place = math.cast(math.floor(predictions * (n - 1)), dtypes.int32)
        with name_scope("variables"):
            true_at = metric_variable([n], dtypes.float64, name="tp_buckets")
            false_at = metric_variable([n], dtypes.float64, name="fp_buckets")
        with name_scope("update_op"):
            writes = [
                updating.scatter_add(total, place, array.reshape(hits * share, [-1]), use_locking=locked)
                for total, hits in ((true_at, true), (false_at, 1.0 - true))
            ]
        tp, fp = math.cumsum(true_at, reverse=True, name="tp"), math.cumsum(false_at, reverse=True, name="fp")
        tn, fn = fp[0] - fp, tp[0] - tp
        precision, recall = (tp / math.maximum(math.cast(EPSILON, dtypes.float64), tp + other) for other in (fp, fn))
        found = (tp, fp, tn, fn, precision, recall, lin_space(0.0, 1.0, n))
        return PrecisionRecallData(*(math.cast(x, predictions.dtype) for x in found)), basic.group(*writes)


def streaming_recall_at_k(
    predictions: Any,
    labels: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """The share of rows whose label [batch] is among the first k predictions [batch, classes]."""
    hits = math.cast(topk.in_top_k(predictions, labels, k), dtypes.float32)
    return means.mean(hits, weights, metrics_collections, updates_collections, name or f"recall_at_{k}")


def streaming_sparse_average_precision_at_top_k(
    top_k_predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """`streaming_sparse_average_precision_at_k` of predictions that are sorted and cut already."""
    return top_k.streaming_average(labels, top_k_predictions, weights, metrics_collections, updates_collections, name)
