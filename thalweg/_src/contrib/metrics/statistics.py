"""Metrics that tf.metrics lacks: covariance and correlation, counts, concatenation, kappa; and dicts of metrics."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.metrics.streaming import aligned, collect, counted, metric_variable
from thalweg._src.lib.weights import broadcast_weights
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.numeric import elementwise
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.assigning import assign


def aggregate_metrics(*value_update_tuples: Any) -> tuple[Any, Any]:
    """(values, updates) of several metrics. Raises ValueError without any."""
    if not value_update_tuples:
        raise ValueError("Expected at least one value_tensor/update_op pair")
    values, updates = zip(*value_update_tuples, strict=True)
    return list(values), list(updates)


def aggregate_metric_map(names_to_tuples: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """({name: value}, {name: update}) from {name: (value, update)}."""
    values, updates = zip(*names_to_tuples.values(), strict=True)
    return dict(zip(names_to_tuples, values, strict=True)), dict(zip(names_to_tuples, updates, strict=True))


def accuracy(predictions: Any, labels: Any, weights: Any = None, name: str | None = None) -> Any:
    """The share of predictions that are right, in this batch. Raises ValueError for types other than labels' or floats."""
    if not (labels.dtype.is_integer or labels.dtype in (dtypes.bool, dtypes.string)):
        raise ValueError(f"Labels should have bool, integer, or string dtype, not {labels.dtype}")
    if not labels.dtype.is_compatible_with(predictions.dtype):
        raise ValueError(
            f"Dtypes of predictions and labels should match. Given: predictions ({predictions.dtype!r}) and "
            f"labels ({labels.dtype!r})"
        )
    with scopes.name_scope(name, "accuracy", values=[predictions, labels]):
        right = math.cast(math.equal(predictions, labels), dtypes.float32)
        if weights is None:
            return math.reduce_mean(right)
        right = math.multiply(right, weights)
        present = math.cast(math.reduce_sum(array.ones_like(right) * weights), dtypes.float32)
        return math.div(math.reduce_sum(right), present)


def count(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """The number of values, or the sum of their weights."""
    with vs.variable_scope(name, "count", (values, weights)):
        total = metric_variable([], dtypes.float32, name="count")
        if weights is None:
            batch = math.cast(array.size(values), dtypes.float32)
        else:
            values, _, weights = aligned(math.cast(values, dtypes.float32), None, weights)
            batch = math.reduce_sum(math.cast(broadcast_weights(weights, values), dtypes.float32))
        update = counted(total, batch)
        return collect(metrics_collections, basic.identity(total)), collect(updates_collections, update)


def streaming_covariance(
    predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """The unbiased covariance of predictions and labels, by pairwise updates (Chan et al. 1979)."""
    with vs.variable_scope(name, "covariance", (predictions, labels, weights)):
        predictions, labels, weights = aligned(predictions, labels, weights)
        total = metric_variable([], dtypes.float32, name="count")
        mean_p = metric_variable([], dtypes.float32, name="mean_prediction")
        mean_l = metric_variable([], dtypes.float32, name="mean_label")
        moment = metric_variable([], dtypes.float32, name="comoment")
        predictions, labels = math.cast(predictions, dtypes.float32), math.cast(labels, dtypes.float32)
        if weights is None:
            batch = math.cast(array.size(labels), dtypes.float32)
            weighted_p, weighted_l = predictions, labels
        else:
            weights = broadcast_weights(math.cast(weights, dtypes.float32), labels)
            batch = math.reduce_sum(weights)
            weighted_p, weighted_l = predictions * weights, labels * weights
        before = basic.identity(total)
        with basic.control_dependencies([before]):
            now = counted(total, batch)
        batch_p = _ratio(math.reduce_sum(weighted_p), batch)
        delta_p = _ratio((batch_p - mean_p) * batch, now)
        old_p = basic.identity(mean_p)
        with basic.control_dependencies([delta_p, old_p]):
            new_p = counted(mean_p, delta_p)
        batch_l = _ratio(math.reduce_sum(weighted_l), batch)
        delta_l = _ratio((batch_l - mean_l) * batch, now)
        old_l = basic.identity(mean_l)
        with basic.control_dependencies([delta_l, old_l]):
            new_l = counted(mean_l, delta_l)
        products = (predictions - batch_p) * (labels - batch_l)
        if weights is not None:
            products = products * weights
        within = math.reduce_sum(products)
        between = (old_p - batch_p) * (old_l - batch_l) * _ratio(before * batch, now)
        moved = counted(moment, within + between)

        def covariance(moment: Any, total: Any, name: str) -> Any:
            return array.where(math.less_equal(total, 1.0), float("nan"), math.truediv(moment, total - 1), name=name)

        value = covariance(basic.identity(moment), basic.identity(total), "covariance")
        with basic.control_dependencies([new_p, new_l, moved]):
            update = covariance(moved, now, "update_op")
        return collect(metrics_collections, value), collect(updates_collections, update)


def _ratio(top: Any, bottom: Any) -> Any:
    """top / bottom, or 0 where that is 0."""
    return math.div_no_nan(top, bottom)


def streaming_pearson_correlation(
    predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """The correlation of predictions and labels."""
    with vs.variable_scope(name, "pearson_r", (predictions, labels, weights)):
        predictions, labels, weights = aligned(predictions, labels, weights)
        if weights is not None:
            weights = broadcast_weights(weights, labels)
        pairs = [
            streaming_covariance(a, b, weights=weights, name=name)
            for a, b, name in (
                (predictions, labels, "covariance"),
                (predictions, predictions, "variance_predictions"),
                (labels, labels, "variance_labels"),
            )
        ]

        def correlation(parts: Any, name: str) -> Any:
            cov, var_p, var_l = parts
            return math.truediv(cov, math.multiply(elementwise.sqrt(var_p), elementwise.sqrt(var_l)), name=name)

        value = correlation([v for v, _ in pairs], "pearson_r")
        update = correlation([u for _, u in pairs], "update_op")
        return collect(metrics_collections, value), collect(updates_collections, update)


def streaming_concat(
    values: Any,
    axis: int = 0,
    max_size: int | None = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """All values so far, side by side along `axis`; no more than `max_size` of them.

    Raises ValueError where a size other than that along `axis` is unknown.
    """
    with vs.variable_scope(name, "streaming_concat", (values,)):
        values = to_tensor(values)
        if values.get_shape().ndims is None:
            raise ValueError("`values` must have known statically known number of dimensions")
        rank = values.get_shape().ndims
        if not -rank <= axis < rank:
            raise ValueError(f"axis = {axis!r} not in [{-rank!r}, {rank!r})")
        axis %= rank
        fixed = values.get_shape().as_list()
        fixed.pop(axis)
        if any(n is None for n in fixed):
            raise ValueError(
                f"all dimensions of `values` other than the dimension to concatenate along must have statically known size. axis={axis}"
            )
        shape = fixed[:axis] + [0] + fixed[axis:]
        held = metric_variable(shape, values.dtype, validate_shape=False, name="array")
        joined = array.concat([held, values], axis)
        if max_size is not None:
            first = [0] * rank
            size = [-1] * rank
            limit = math.minimum(array.shape(joined)[axis], max_size)
            from thalweg._src.ops.arrays.stacking import stack

            joined = array.slice(joined, first, stack([limit if i == axis else n for i, n in enumerate(size)]))
        update = array.shape(assign(held, joined, validate_shape=False))[axis]
        value = basic.identity(held)
        known = list(fixed[:axis]) + [None] + list(fixed[axis:])
        value.set_shape(known)
        return collect(metrics_collections, value), collect(updates_collections, update)


def cohen_kappa(
    labels: Any,
    predictions_idx: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """The agreement of two ratings beyond chance (Cohen 1960). Raises ValueError for fewer than two classes."""
    from thalweg._src.lib.weights import confusion_matrix

    if num_classes < 2:
        raise ValueError(f"`num_classes` must be >= 2.Found: {num_classes}")
    with vs.variable_scope(name, "cohen_kappa", (labels, predictions_idx, weights)):
        labels, predictions = to_tensor(labels), to_tensor(predictions_idx)
        predictions, labels, weights = aligned(predictions, labels, weights)
        kind = dtypes.int64 if weights is None else weights.dtype
        agreed = metric_variable([num_classes], kind, name="po")
        rows = metric_variable([num_classes], kind, name="pe_row")
        columns = metric_variable([num_classes], kind, name="pe_col")
        flat = [array.reshape(t, [-1]) for t in (labels, predictions)]
        table = confusion_matrix(
            flat[0],
            flat[1],
            num_classes=num_classes,
            dtype=kind,
            weights=None if weights is None else array.reshape(weights, [-1]),
        )
        moves = [
            counted(agreed, array.diag_part(table)),
            counted(rows, math.reduce_sum(table, axis=0)),
            counted(columns, math.reduce_sum(table, axis=1)),
        ]

        def kappa(po: Any, row: Any, column: Any, name: str) -> Any:
            seen, total = math.reduce_sum(po), math.reduce_sum(row)
            chance = math.div_no_nan(
                math.cast(math.reduce_sum(row * column), dtypes.float64), math.cast(total, dtypes.float64)
            )
            seen, total = math.cast(seen, dtypes.float64), math.cast(total, dtypes.float64)
            result = math.div_no_nan(seen - chance, total - chance)
            return math.cast(result, dtypes.float32, name=name)

        value = kappa(agreed, rows, columns, "value")
        update = kappa(*moves, "update_op")
        return collect(metrics_collections, value), collect(updates_collections, update)
