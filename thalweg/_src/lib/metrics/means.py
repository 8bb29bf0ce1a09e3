"""Streaming means: of values, of errors, of what is right."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.metrics.streaming import Metric, aligned, collect, counted, metric_variable, quotient, weighted
from thalweg._src.lib.weights import confusion_matrix, remove_squeezable_dimensions
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.late import array, math
from thalweg._src.ops.stateful.variable_scope import variable_scope
from thalweg._src.ops.updates import updating


def mean(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of all values so far, weighted. Gives the tensor of the mean, and one that counts a batch first.

    >>> mean, update = tf.metrics.mean(tf.constant([1.0, 3.0]))
    >>> with tf.Session() as sess:
    ...     sess.run(tf.local_variables_initializer())
    ...     sess.run([update, mean])[0]
    2.0
    """
    with variable_scope(name, "mean", (values, weights)):
        values = math.cast(values, dtypes.float32)
        total = metric_variable([], dtypes.float32, name="total")
        count = metric_variable([], dtypes.float32, name="count")
        if weights is None:
            number = math.cast(array.size(values), dtypes.float32)
        else:
            values, weights = weighted(values, weights)
            number = math.reduce_sum(weights)
        new_total = counted(total, math.reduce_sum(values))
        with get_default_graph().control_dependencies([values]):
            new_count = counted(count, number)
        value = collect(metrics_collections, quotient(total, count, "value"))
        return value, collect(updates_collections, quotient(new_total, new_count, "update_op"))


def mean_tensor(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of tensors of one shape, element by element."""
    with variable_scope(name, "mean", (values, weights)):
        values = math.cast(values, dtypes.float32)
        total = metric_variable(values.get_shape(), dtypes.float32, name="total_tensor")
        count = metric_variable(values.get_shape(), dtypes.float32, name="count_tensor")
        number = array.ones_like(values)
        if weights is not None:
            values, weights = weighted(values, weights)
            number = math.multiply(number, weights)
        new_total = counted(total, values)
        with get_default_graph().control_dependencies([values]):
            new_count = counted(count, number)
        value = collect(metrics_collections, quotient(total, count, "value"))
        return value, collect(updates_collections, quotient(new_total, new_count, "update_op"))


def accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How often predictions are equal to labels."""
    predictions, labels, weights = aligned(predictions, labels, weights)
    if labels.dtype != predictions.dtype:
        predictions = math.cast(predictions, labels.dtype)
    right = math.cast(math.equal(predictions, labels), dtypes.float32)
    return mean(right, weights, metrics_collections, updates_collections, name or "accuracy")


def percentage_below(
    values: Any,
    threshold: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The fraction of values below `threshold`."""
    below = math.cast(math.less(values, threshold), dtypes.float32)
    return mean(below, weights, metrics_collections, updates_collections, name or "percentage_below_threshold")


def mean_absolute_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of |predictions - labels|."""
    predictions, labels, weights = aligned(predictions, labels, weights)
    errors = math.abs(predictions - labels)
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_absolute_error")


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of (predictions - labels)^2."""
    predictions, labels, weights = aligned(predictions, labels, weights)
    errors = math.squared_difference(labels, predictions)
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_squared_error")


def root_mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The root of `mean_squared_error`."""
    predictions, labels, weights = aligned(predictions, labels, weights)
    mse, update = mean_squared_error(labels, predictions, weights, name=name or "root_mean_squared_error")
    value = collect(metrics_collections, math.sqrt(mse))
    return value, collect(updates_collections, math.sqrt(update))


def mean_relative_error(
    labels: Any,
    predictions: Any,
    normalizer: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of |predictions - labels| / normalizer, zero where that is zero."""
    predictions, labels, weights = aligned(predictions, labels, weights)
    predictions, normalizer = remove_squeezable_dimensions(predictions, normalizer)
    predictions.get_shape().assert_is_compatible_with(normalizer.get_shape())
    errors = array.where(
        math.equal(normalizer, 0.0), array.zeros_like(labels), math.div(math.abs(labels - predictions), normalizer)
    )
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_relative_error")


def mean_cosine_distance(
    labels: Any,
    predictions: Any,
    dim: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of 1 - predictions . labels along `dim`, where both have the length 1."""
    predictions, labels, weights = aligned(predictions, labels, weights)
    products = math.reduce_sum(math.multiply(predictions, labels), [dim], keepdims=True)
    distance, update = mean(products, weights, name=name or "mean_cosine_distance")
    value = collect(metrics_collections, math.subtract(1.0, distance))
    return value, collect(updates_collections, math.subtract(1.0, update))


def mean_per_class_accuracy(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean over the classes of how often each of them is recognized."""
    with variable_scope(name, "mean_accuracy", (predictions, labels, weights)):
        labels, predictions = _flat(math.cast(labels, dtypes.int64)), _flat(predictions)
        predictions.get_shape().assert_is_compatible_with(labels.get_shape())
        total = metric_variable([num_classes], dtypes.float32, name="total")
        count = metric_variable([num_classes], dtypes.float32, name="count")
        ones = constants.ones([array.size(labels)], dtypes.float32)
        if labels.dtype != predictions.dtype:
            predictions = math.cast(predictions, labels.dtype)
        right = math.cast(math.equal(predictions, labels), dtypes.float32)
        if weights is not None:
            weights = math.cast(_flat(weights), dtypes.float32)
            right, ones = right * weights, ones * weights
        new_total = updating.scatter_add(total, labels, ones)
        new_count = updating.scatter_add(count, labels, right)
        value = collect(metrics_collections, math.reduce_mean(quotient(count, total, None), name="mean_accuracy"))
        return value, collect(updates_collections, quotient(new_count, new_total, "update_op"))


def _flat(x: Any) -> Any:
    return array.reshape(x, [-1]) if x.get_shape().ndims > 1 else x


def mean_iou(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean over the classes of intersection over union: right / (right + missed + taken wrongly)."""
    with variable_scope(name, "mean_iou", (predictions, labels, weights)):
        predictions.get_shape().assert_is_compatible_with(labels.get_shape())
        total, update = _streaming_confusion_matrix(labels, predictions, num_classes, weights)
        taken = math.cast(math.reduce_sum(total, 0), dtypes.float32)
        there = math.cast(math.reduce_sum(total, 1), dtypes.float32)
        right = math.cast(array.diag_part(total), dtypes.float32)
        union = taken + there - right
        present = math.reduce_sum(math.cast(math.not_equal(union, 0), dtypes.float32))
        union = array.where(math.greater(union, 0), union, array.ones_like(union))
        iou = math.div(right, union)
        value = array.where(
            math.greater(present, 0), math.reduce_sum(iou, name="mean_iou") / present, constants.constant(0.0)
        )
        return collect(metrics_collections, value), collect(updates_collections, update)


def _streaming_confusion_matrix(labels: Any, predictions: Any, num_classes: int, weights: Any = None) -> Metric:
    total = metric_variable([num_classes, num_classes], dtypes.float64, name="total_confusion_matrix")
    predictions, labels = math.cast(predictions, dtypes.int64), math.cast(labels, dtypes.int64)
    classes = math.cast(num_classes, dtypes.int64)
    weights = _flat(weights) if weights is not None else None
    batch = confusion_matrix(_flat(labels), _flat(predictions), classes, weights=weights, dtype=dtypes.float64)
    return total, counted(total, batch)
