"""Areas under curves from all predictions so far, with confidence intervals, and from histograms."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, NamedTuple

from thalweg._src.contrib.framework.shapes import remove_squeezable_dimensions
from thalweg._src.contrib.metrics.statistics import streaming_concat
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.metrics.streaming import aligned, collect
from thalweg._src.lib.metrics.thresholds import EPSILON
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.distinct import unique, unique_with_counts
from thalweg._src.ops.arrays.topk import top_k
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.counting import histogram_fixed_width
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful import initializers
from thalweg._src.ops.stateful.variable_scope import get_variable, variable_scope


def _seen(predictions: Any, labels: Any, weights: Any) -> tuple[tuple[Any, Any, Any], Any]:
    """All (predictions, labels, weights) so far, flat, and the operation that adds the batch."""
    predictions = array.reshape(math.cast(predictions, dtypes.float64), [-1])
    labels = array.reshape(math.cast(labels, dtypes.int64), [-1])
    bounds = [
        checks.assert_greater_equal(
            labels, math.cast(0, dtypes.int64), message="labels must be 0 or 1, at least one is <0"
        ),
        checks.assert_less_equal(
            labels, math.cast(1, dtypes.int64), message="labels must be 0 or 1, at least one is >1"
        ),
    ]
    with get_default_graph().control_dependencies(bounds):
        all_predictions, add_predictions = streaming_concat(predictions, name="concat_preds")
        all_labels, add_labels = streaming_concat(labels, name="concat_labels")
        all_weights, add_weights = streaming_concat(array.reshape(weights, [-1]), name="concat_weights")
        update = basic.group(add_labels, add_predictions, add_weights)
    return (all_predictions, all_labels, all_weights), update


def _summed(values: Any) -> Any:
    """[n + 1]: sums of the first 0, 1 ... n values."""
    return array.pad(math.cumsum(values), [[1, 0]])


def streaming_dynamic_auc(
    labels: Any,
    predictions: Any,
    curve: str = "ROC",
    metrics_collections: Any = (),
    updates_collections: Any = (),
    name: str | None = None,
    weights: Any = None,
) -> tuple[Any, Any]:
    """The area under the ROC curve, or under precision over recall ("PR"), with every prediction a threshold; float64.

    0 where all labels are equal. Raises ValueError for another curve or shapes that do not fit.
    """
    if curve not in ("PR", "ROC"):
        raise ValueError(f"curve must be either ROC or PR, {curve} unknown")
    with variable_scope(name, "dynamic_auc"):
        labels.get_shape().assert_is_compatible_with(predictions.get_shape())
        if weights is None:
            weights = constants.ones_like(predictions, dtype=dtypes.float64)
        (p, y, w), update = _seen(predictions, labels, math.cast(weights, dtypes.float64))
        none = constants.zeros_like(w)
        total, positive = math.reduce_sum(w), math.reduce_sum(array.where(math.greater(y, 0), w, none))

        def area() -> Any:
            falling, order = top_k(p, k=array.size(p))
            of_label, weight = array.gather(y, order), array.gather(w, order)
            counts = unique_with_counts(falling).count
            ends = math.cast(_summed(counts), dtypes.int32)
            zero = constants.zeros_like(weight)
            hits = array.gather(_summed(array.where(math.greater(of_label, 0), weight, zero)), ends)
            if curve == "ROC":
                misses = array.gather(_summed(array.where(math.less(of_label, 1), weight, zero)), ends)
                across, up = misses / (total - positive), hits / positive
            else:
                taken = array.gather(_summed(weight), ends)
                across = hits / positive
                up = array.where(math.greater(ends, 0), math.div_no_nan(hits, taken), constants.ones_like(hits))
            return math.reduce_sum((up[1:] + up[:-1]) / 2.0 * math.abs(across[1:] - across[:-1]))

        equal = math.logical_or(math.equal(positive, 0), math.equal(positive, total))
        value = cond(equal, lambda: constants.constant(0, dtypes.float64), area)
        update = collect(updates_collections, update)
        return collect(metrics_collections, value), update


class AucData(NamedTuple):
    """The area under the ROC curve and the ends of its confidence interval."""

    auc: Any
    lower: Any
    upper: Any


def auc_with_confidence_intervals(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    alpha: float = 0.95,
    logit_transformation: bool = True,
    metrics_collections: Any = (),
    updates_collections: Any = (),
    name: str | None = None,
) -> tuple[AucData, Any]:
    """The area under the ROC curve as a mean of placements, and its interval of confidence `alpha` (Pepe 2003).

    Raises ValueError for an `alpha` outside of (0, 1).
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1; currently {alpha:.02f}")
    if weights is None:
        weights = constants.ones_like(predictions)
    with variable_scope(name, "auc_with_confidence_intervals", [labels, predictions, weights]):
        predictions, labels, weights = aligned(predictions, labels, weights)
        weighty = math.greater_equal(math.reduce_sum(weights), 1.0)
        (p, y, w), add = _seen(predictions, labels, weights)
        labels = math.cast(labels, dtypes.int64)
        both = math.logical_and(math.equal(math.reduce_min(labels), 0), math.equal(math.reduce_max(labels), 1))
        update = cond(weighty, lambda: add, basic.no_op)
        found = _placement_auc(p, y, w, alpha, logit_transformation)
        zero = constants.constant(0.0)
        value = AucData(*cond(math.logical_and(both, weighty), lambda: list(found), lambda: [zero] * 3))
        update = collect(updates_collections, update)
        return collect(metrics_collections, value), update


def _placement_auc(p: Any, y: Any, w: Any, alpha: float, logit: bool) -> tuple[Any, Any, Any]:
    """(area, lower, upper): the placement of a prediction is the share of the other label's predictions below it."""
    falling, order = top_k(p, k=array.size(p), sorted=True)
    rising, order = array.reverse(falling, [0]), array.reverse(order, [0])
    true = math.cast(array.gather(y, order), dtypes.float32)
    weight = array.gather(w, order)
    group = unique(rising)[1]

    def placements(others: Any) -> Any:
        sums = math.segment_sum(weight * others, group)
        below = math.cumsum(sums, exclusive=True)
        return array.gather((below + sums / 2.0) / (math.reduce_sum(sums) + EPSILON), group)

    placed = placements(1.0 - true) * true + placements(true) * (1.0 - true)
    w0, w1 = weight * (1.0 - true), weight * true
    n0, n1 = math.reduce_sum(w0), math.reduce_sum(w1)
    placed0, placed1 = placed * (1.0 - true), placed * true
    auc0 = math.reduce_sum(w0 * (1.0 - placed0)) / (n0 + EPSILON)
    auc1 = math.reduce_sum(w1 * placed1) / (n1 + EPSILON)
    auc = array.where(math.less(n0, n1), auc1, auc0)
    var0 = math.reduce_sum(w0 * math.square(1.0 - placed0 - auc0)) / (n0 - 1.0 + EPSILON)
    var1 = math.reduce_sum(w1 * math.square(placed1 - auc1)) / (n1 - 1.0 + EPSILON)
    error = math.sqrt(var0 / (n0 + EPSILON) + var1 / (n1 + EPSILON))
    z = NormalDist().inv_cdf((1.0 - alpha) / 2.0)
    if logit:
        middle = math.log(auc / (1.0 - auc + EPSILON))
        error = error / (auc * (1.0 - auc + EPSILON))
        back = lambda x: 1.0 / (1.0 + math.exp(-x) + EPSILON)
    else:
        middle, back = auc, lambda x: x
    certain = math.logical_or(math.equal(auc, 1.0), math.equal(auc, 0.0))
    lower, upper = (array.where(certain, auc, back(middle + sign * z * error)) for sign in (1.0, -1.0))
    return auc, lower, upper


def auc_using_histogram(
    boolean_labels: Any,
    scores: Any,
    score_range: Any,
    nbins: int = 100,
    collections: Any = None,
    check_shape: bool = True,
    name: str | None = None,
) -> tuple[Any, Any]:
    """The area under the ROC curve from histograms of `scores` in `score_range` for either label, summed over batches.

    Raises ValueError for labels that are no bools.
    """
    collections = [GraphKeys.LOCAL_VARIABLES] if collections is None else collections
    with variable_scope(name, "auc_using_histogram", [boolean_labels, scores, score_range]):
        scores, labels = remove_squeezable_dimensions(scores, boolean_labels)
        labels, scores = to_tensor(labels, name="boolean_labels"), to_tensor(scores, name="scores")
        if labels.dtype != dtypes.bool:
            raise ValueError(f"Argument boolean_labels should have dtype bool.  Found: {labels.dtype}")
        flat = [
            checks.Assert(
                math.equal(1, array.rank(x)), [f"Argument {what} should have rank 1.  Found: ", x.name, array.shape(x)]
            )
            for what, x in (("boolean_labels", labels), ("scores", scores))
            if check_shape
        ]
        with get_default_graph().control_dependencies(flat):
            labels, scores = basic.identity(labels), basic.identity(scores)
        totals, writes = [], []
        for kind, chosen in (("true", labels), ("false", math.logical_not(labels))):
            batch = histogram_fixed_width(array.boolean_mask(scores, chosen), score_range, nbins, dtypes.int64)
            total = get_variable(
                f"hist_{kind}_acc",
                shape=[nbins],
                dtype=dtypes.int64,
                initializer=initializers.zeros_initializer(),
                collections=collections,
                trainable=False,
            )
            totals.append(math.truediv(total, math.reduce_sum(total)))
            writes.append(total.assign_add(batch))
        up, across = (math.cast(array.reverse(share, [0]), dtypes.float32) for share in totals)
        height = math.cumsum(up)
        first = across[0] * height[0] / 2.0
        others = across[1:] * (height[1:] + height[:-1]) / 2.0
        return math.add(first, math.reduce_sum(others), name="auc"), basic.group(*writes, name="update_op")
