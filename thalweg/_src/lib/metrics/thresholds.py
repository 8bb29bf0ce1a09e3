"""Streaming metrics of probabilities that become predictions at thresholds: counts, precision, recall, areas under
curves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.metrics.streaming import Metric, aligned, collect, counted, metric_variable
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.weights import broadcast_weights
from thalweg._src.ops import basic
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful.variable_scope import variable_scope

EPSILON = 1e-7  # thresholds just outside of [0, 1], and no division by zero
_NAMES = {"tp": "true_positives", "fn": "false_negatives", "tn": "true_negatives", "fp": "false_positives"}


def counts_at(
    labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any, includes: Sequence[str] = tuple(_NAMES)
) -> tuple[dict[str, Any], dict[str, Any]]:
    """For each of tp, fn, tn, fp in `includes`: its counter of one number per threshold, and that after the batch."""
    message = "predictions must be in [0, 1]"
    predictions = to_tensor(predictions)
    bounds = [
        checks.assert_greater_equal(predictions, math.cast(0.0, predictions.dtype), message=message),
        checks.assert_less_equal(predictions, math.cast(1.0, predictions.dtype), message=message),
    ]
    with get_default_graph().control_dependencies(bounds):
        predictions, labels, weights = aligned(
            math.cast(predictions, dtypes.float32), math.cast(labels, dtypes.bool), weights
        )
    n = len(thresholds)
    column = array.reshape(predictions, [-1, 1])
    row = array.reshape(math.cast(labels, dtypes.bool), [1, -1])
    size = column.dims[0] if column.dims is not None and column.dims[0] is not None else array.shape(column)[0]
    limits = array.tile(array.expand_dims(constant(list(thresholds)), [1]), array.stack([1, size]))
    taken = math.greater(array.tile(array.transpose(column), [n, 1]), limits)
    not_taken = math.logical_not(taken) if {"fn", "tn"} & set(includes) else None
    true = array.tile(row, [n, 1])
    not_true = math.logical_not(true) if {"fp", "tn"} & set(includes) else None
    weights_of_all = None
    if weights is not None:
        weights = broadcast_weights(math.cast(weights, dtypes.float32), predictions)
        weights_of_all = array.tile(array.reshape(weights, [1, -1]), [n, 1])
        limits.get_shape().assert_is_compatible_with(weights_of_all.get_shape())
    values, updates = {}, {}
    for key in _NAMES:
        if key not in includes:
            continue
        total = metric_variable([n], dtypes.float32, name=_NAMES[key])
        label = true if key in ("tp", "fn") else not_true
        prediction = taken if key in ("tp", "fp") else not_taken
        hits = math.cast(math.logical_and(label, prediction), dtypes.float32)
        if weights_of_all is not None:
            hits = hits * weights_of_all
        values[key], updates[key] = total, counted(total, math.reduce_sum(hits, 1))
    return values, updates


def evenly(num_thresholds: int, last: float = 1.0 + EPSILON) -> list[float]:
    """`num_thresholds` of them, from just below 0 to just above 1."""
    inner = [(i + 1) * 1.0 / (num_thresholds - 1) for i in range(num_thresholds - 2)]
    return [0.0 - EPSILON, *inner, last]


def read_off(
    kind: str,
    labels: Any,
    predictions: Any,
    weights: Any,
    thresholds: Sequence[float],
    collections: tuple[Any, Any],
    name: str | None,
    read: Callable[[dict[str, Any], str], Any],
    includes: Sequence[str] = tuple(_NAMES),
) -> Metric:
    """What `read` finds in the counts at `thresholds`, and what after the batch; `collections` take the one and the other.

    `read` gets the counts and a name: "value" or "update_op".
    """
    with variable_scope(name, kind, (predictions, labels, weights)):
        values, updates = counts_at(labels, predictions, thresholds, weights, includes)
        value = collect(collections[0], read(values, "value"))
        return value, collect(collections[1], read(updates, "update_op"))


def _one_count(key: str) -> Callable[..., Metric]:
    def count(
        labels: Any,
        predictions: Any,
        thresholds: Sequence[float],
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Metric:
        with variable_scope(name, _NAMES[key], (predictions, labels, weights)):
            values, updates = counts_at(labels, predictions, thresholds, weights, (key,))
            value = collect(metrics_collections, basic.identity(values[key]))
            return value, collect(updates_collections, updates[key])

    count.__name__ = count.__qualname__ = f"{_NAMES[key]}_at_thresholds"
    count.__doc__ = f"The number of {_NAMES[key].replace('_', ' ')} at each threshold, weighted."
    return count


true_positives_at_thresholds = _one_count("tp")
false_positives_at_thresholds = _one_count("fp")
true_negatives_at_thresholds = _one_count("tn")
false_negatives_at_thresholds = _one_count("fn")


def precision_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`precision` at each threshold."""

    def rate(of: dict[str, Any], name: str) -> Any:
        return math.div(of["tp"], EPSILON + of["tp"] + of["fp"], name="precision_" + name)

    both = (metrics_collections, updates_collections)
    return read_off("precision_at_thresholds", labels, predictions, weights, thresholds, both, name, rate, ("tp", "fp"))


def recall_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`recall` at each threshold."""

    def rate(of: dict[str, Any], name: str) -> Any:
        return math.div(of["tp"], EPSILON + of["tp"] + of["fn"], name="recall_" + name)

    both = (metrics_collections, updates_collections)
    return read_off("recall_at_thresholds", labels, predictions, weights, thresholds, both, name, rate, ("tp", "fn"))


def sensitivity_at_specificity(
    labels: Any,
    predictions: Any,
    specificity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The recall at the threshold whose specificity tn / (tn + fp) is nearest to the one given.

    Raises ValueError for one outside of [0, 1].
    """
    if specificity < 0 or specificity > 1:
        raise ValueError("`specificity` must be in the range [0, 1].")

    def sensitivity(of: dict[str, Any], name: str) -> Any:
        specificities = math.div(of["tn"], of["tn"] + of["fp"] + EPSILON)
        at = math.cast(math.argmin(math.abs(specificities - specificity), 0), dtypes.int32)
        tp, fn = of["tp"], of["fn"]
        return math.div(tp[at], tp[at] + fn[at] + EPSILON, name)

    both = (metrics_collections, updates_collections)
    return read_off(
        "sensitivity_at_specificity", labels, predictions, weights, evenly(num_thresholds), both, name, sensitivity
    )


def specificity_at_sensitivity(
    labels: Any,
    predictions: Any,
    sensitivity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The specificity tn / (tn + fp) at the last threshold whose recall is nearest to the one given.

    Raises ValueError for one outside of [0, 1].
    """
    if sensitivity < 0 or sensitivity > 1:
        raise ValueError("`sensitivity` must be in the range [0, 1].")

    def specificity(of: dict[str, Any], name: str) -> Any:
        sensitivities = math.div(of["tp"], of["tp"] + of["fn"] + EPSILON)
        distance = math.abs(sensitivities - sensitivity)
        nearest = math.cast(math.equal(distance, math.reduce_min(distance)), dtypes.int64)
        at = math.cast(math.argmax(math.cumsum(nearest), 0), dtypes.int32)
        tn, fp = of["tn"], of["fp"]
        return math.div(tn[at], tn[at] + fp[at] + EPSILON, name)

    both = (metrics_collections, updates_collections)
    return read_off(
        "specificity_at_sensitivity",
        labels,
        predictions,
        weights,
        evenly(num_thresholds, last=1.0 - EPSILON),
        both,
        name,
        specificity,
    )


def auc(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
    summation_method: str = "trapezoidal",
    thresholds: Sequence[float] | None = None,
) -> Metric:
    """The area under the curve of recall over false positives ('ROC') or of precision over recall ('PR').

    `summation_method`: 'trapezoidal', 'careful_interpolation' (for PR: Davis and Goadrich 2006), 'minoring',
    'majoring'. Raises ValueError for another curve or method.
    """
    with variable_scope(name, "auc", (labels, predictions, weights)):
        if curve not in ("ROC", "PR"):
            raise ValueError(f"curve must be either ROC or PR, {curve} unknown")
        if thresholds is None:
            limits = evenly(num_thresholds)
        else:
            limits = [0.0 - EPSILON, *sorted(thresholds), 1.0 + EPSILON]
        values, updates = counts_at(labels, predictions, limits, weights)
        n = len(limits)
        value = collect(metrics_collections, _area(values, n, curve, summation_method, "value"))
        return value, collect(updates_collections, _area(updates, n, curve, summation_method, "update_op"))


def _area(of: dict[str, Any], n: int, curve: str, method: str, name: str) -> Any:
    tp, fn, tn, fp = (of[key] for key in ("tp", "fn", "tn", "fp"))
    epsilon = 1.0e-6
    if curve == "PR" and method == "trapezoidal":
        log.warning(
            'Trapezoidal rule is known to produce incorrect PR-AUCs; please switch to "careful_interpolation" instead.'
        )
    if curve == "PR" and method == "careful_interpolation":
        return _interpolated_area(tp, fp, fn, n)
    recall = math.div(tp + epsilon, tp + fn + epsilon)
    if curve == "ROC":
        x, y = math.div(fp, fp + tn + epsilon), recall
    else:
        x, y = recall, math.div(tp + epsilon, tp + fp + epsilon)
    width = x[: n - 1] - x[1:]
    if method in ("trapezoidal", "careful_interpolation"):
        height = (y[: n - 1] + y[1:]) / 2.0
    elif method == "minoring":
        height = math.minimum(y[: n - 1], y[1:])
    elif method == "majoring":
        height = math.maximum(y[: n - 1], y[1:])
    else:
        raise ValueError(f"Invalid summation_method: {method}")
    return math.reduce_sum(math.multiply(width, height), name=name)


def _interpolated_area(tp: Any, fp: Any, fn: Any, n: int) -> Any:
    """Between two thresholds, true positives are a straight line over all positives, so precision is no straight
    line.
    """
    dtp = tp[: n - 1] - tp[1:]
    p = tp + fp
    slope = math.div_no_nan(dtp, math.maximum(p[: n - 1] - p[1:], 0), name="prec_slope")
    intercept = tp[1:] - math.multiply(slope, p[1:])
    both = math.logical_and(p[: n - 1] > 0, p[1:] > 0)
    relative = math.div_no_nan(p[: n - 1], math.maximum(p[1:], 0), name="recall_relative_ratio")
    safe = array.where(both, relative, array.ones_like(p[1:]))
    increments = math.div_no_nan(
        slope * (dtp + intercept * math.log(safe)), math.maximum(tp[1:] + fn[1:], 0), name="pr_auc_increment"
    )
    return math.reduce_sum(increments, name="interpolate_pr_auc")
