"""Streaming metrics of the k best predictions of each row against the set of its labels.

`labels` is [..., labels] of class numbers, dense or sparse (rows may have different numbers of labels).
"""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.metrics.streaming import Metric, collect, counted, metric_variable
from thalweg._src.lib.weights import assert_broadcastable, broadcast_weights
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.control import control_flow
from thalweg._src.ops.late import array, math


def _sparse_module() -> Any:
    from thalweg._src.ops import sparse

    return sparse


def _sets() -> Any:
    from thalweg._src.ops.sparse_tensors import sets

    return sets


def _is_sparse(x: Any) -> bool:
    return hasattr(x, "dense_shape") and hasattr(x, "indices")


def _dense_or_sparse(x: Any) -> Any:
    from thalweg._src.core.sparse_tensor import convert_to_tensor_or_sparse_tensor

    return convert_to_tensor_or_sparse_tensor(x)


def _name(name: str, k: int | None = None, class_id: int | None = None) -> str:
    name = f"{name}_at_{k:d}" if k is not None else f"{name}_at_k"
    return name if class_id is None else f"{name}_class{class_id:d}"


def _with_label_axis(labels: Any, predictions: Any) -> Any:
    """Labels with a last axis, which one label for each row leaves out."""
    with scopes.name_scope(None, "expand_labels", (labels, predictions)) as scope:
        labels = _dense_or_sparse(labels)
        if _is_sparse(labels):
            lacks = math.equal(array.rank(predictions), array.size(labels.dense_shape) + 1)
            shape = array.concat((labels.dense_shape, (1,)), 0)
            return control_flow.cond(
                lacks, lambda: _sparse_module().sparse_reshape(labels, shape, name=scope), lambda: labels
            )
        if labels.dims is not None and predictions.dims is not None:
            if len(predictions.dims) == len(labels.dims):
                return labels
            if len(predictions.dims) == len(labels.dims) + 1:
                return array.expand_dims(labels, -1, name=scope)
            raise ValueError(
                f"Unexpected labels shape {labels.get_shape()} for predictions shape {predictions.get_shape()}."
            )
        lacks = math.equal(array.rank(predictions), array.rank(labels) + 1)
        return control_flow.cond(lacks, lambda: array.expand_dims(labels, -1, name=scope), lambda: labels)


def _of_class(ids: Any, class_id: int) -> Any:
    """The sets `ids` without all but one class, as a SparseTensor."""
    from thalweg._src.core.sparse_tensor import SparseTensor

    ids = _dense_or_sparse(ids)
    if _is_sparse(ids):
        return _sparse_module().sparse_retain(ids, math.equal(ids.values, class_id))
    shape = array.shape(ids, out_type=dtypes.int64)
    last = array.size(shape) - 1
    one_per_row = math.reduced_shape(shape, array.reshape(last, [1]))
    wanted = constants.fill(one_per_row, math.cast(class_id, dtypes.int64))
    found = _sets().set_intersection(wanted, ids)
    return SparseTensor(indices=found.indices, values=found.values, dense_shape=shape)


def _sizes(kind: str, labels: Any, predictions_idx: Any, class_id: int | None, weights: Any, name: str | None) -> Any:
    """For each row, how many classes are in both sets ('true_positives'), in one alone, or in the other alone."""
    with scopes.name_scope(name, kind, (predictions_idx, labels, weights)):
        if class_id is not None:
            labels, predictions_idx = _of_class(labels, class_id), _of_class(predictions_idx, class_id)
        sets = _sets()
        if kind == "true_positives":
            found = sets.set_intersection(predictions_idx, labels)
        else:
            found = sets.set_difference(predictions_idx, labels, aminusb=kind == "false_positives")
        sizes = math.cast(sets.set_size(found), dtypes.float64)
        if weights is None:
            return sizes
        with get_default_graph().control_dependencies((assert_broadcastable(weights, sizes),)):
            return math.multiply(sizes, math.cast(weights, dtypes.float64))


def _streaming(kind: str, labels: Any, predictions_idx: Any, k: Any, class_id: Any, weights: Any) -> Metric:
    """The counter of `kind` ('true_positive' ...), and that after the batch."""
    with scopes.name_scope(None, _name(kind, k, class_id), (predictions_idx, labels, weights)) as scope:
        sizes = _sizes(kind + "s", labels, predictions_idx, class_id, weights, None)
        total = metric_variable([], dtypes.float64, name=scope)
        return total, counted(total, math.cast(math.reduce_sum(sizes), dtypes.float64), name="update")


def _rate(
    what: str,
    wrong_kind: str,
    labels: Any,
    predictions_idx: Any,
    k: Any,
    class_id: Any,
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Metric:
    with scopes.name_scope(name, _name(what, k, class_id), (predictions_idx, labels, weights)) as scope:
        labels = _with_label_axis(labels, predictions_idx)
        top = math.cast(predictions_idx, dtypes.int64)
        right, new_right = _streaming("true_positive", labels, top, k, class_id, weights)
        wrong, new_wrong = _streaming(wrong_kind, labels, top, k, class_id, weights)
        value = collect(metrics_collections, math.div(right, math.add(right, wrong), name=scope))
        update = math.div(new_right, math.add(new_right, new_wrong), name="update")
        return value, collect(updates_collections, update)


def recall_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How many of the labels are among the classes in `predictions_idx`; of one class alone, with `class_id`."""
    return _rate(
        *("recall", "false_negative", labels, predictions_idx, k, class_id, weights),
        *(metrics_collections, updates_collections, name),
    )


def precision_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How many of the classes in `predictions_idx` are among the labels; of one class alone, with `class_id`."""
    return _rate(
        *("precision", "false_positive", labels, predictions_idx, k, class_id, weights),
        *(metrics_collections, updates_collections, name),
    )


def _top(predictions: Any, k: int) -> Any:
    from thalweg._src.ops.arrays.topk import top_k

    return top_k(predictions, k)[1]


def recall_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`recall_at_top_k` of the k highest predictions of each row."""
    with scopes.name_scope(name, _name("recall", k, class_id), (predictions, labels, weights)) as scope:
        return recall_at_top_k(
            *(labels, _top(predictions, k), k, class_id, weights, metrics_collections, updates_collections, scope)
        )


def precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`precision_at_top_k` of the k highest predictions of each row."""
    with scopes.name_scope(name, _name("precision", k, class_id), (predictions, labels, weights)) as scope:
        return precision_at_top_k(
            *(labels, _top(predictions, k), k, class_id, weights, metrics_collections, updates_collections, scope)
        )


sparse_precision_at_k = precision_at_k


def average_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of the average precision: the precision at each of the first k ranks that holds a label, over the
    number of labels. Raises ValueError for k < 1.
    """
    if k < 1:
        raise ValueError(f"Invalid k={k}.")
    with scopes.name_scope(name, _name("average_precision", k), (predictions, labels, weights)) as scope:
        predictions_idx = _top(predictions, k)
        labels = _without_unknown(labels, math.cast(array.shape(predictions)[-1], dtypes.int64))
        return streaming_average(labels, predictions_idx, weights, metrics_collections, updates_collections, scope)


sparse_average_precision_at_k = average_precision_at_k


def streaming_average(
    labels: Any, predictions_idx: Any, weights: Any, metrics_collections: Any, updates_collections: Any, name: Any
) -> Metric:
    with scopes.name_scope(name, "average_precision_at_top_k", (predictions_idx, labels, weights)) as scope:
        average = _average_precision(labels, predictions_idx)
        if weights is not None:
            weights = broadcast_weights(math.cast(weights, dtypes.float64), average)
            average = math.multiply(average, weights)
        with scopes.name_scope(None, "max", (average,)) as max_scope:
            most = metric_variable([], dtypes.float64, name=max_scope)
            if weights is None:
                batch_most = math.cast(array.size(average, name="batch_max"), dtypes.float64)
            else:
                batch_most = math.reduce_sum(weights, name="batch_max")
            new_most = counted(most, batch_most, name="update")
        with scopes.name_scope(None, "total", (average,)) as total_scope:
            total = metric_variable([], dtypes.float64, name=total_scope)
            new_total = counted(total, math.reduce_sum(average, name="batch_total"), name="update")
        value = collect(metrics_collections, math.div_no_nan(total, most, name="mean"))
        return value, collect(updates_collections, math.div_no_nan(new_total, new_most, name=scope))


def _average_precision(labels: Any, predictions_idx: Any) -> Any:
    """The average precision of each row."""
    with scopes.name_scope(None, "average_precision", (predictions_idx, labels)) as scope:
        predictions_idx = math.cast(predictions_idx, dtypes.int64, name="predictions_idx")
        if predictions_idx.dims == ():
            raise ValueError("The rank of predictions_idx must be at least 1.")
        k = predictions_idx.dims[-1] if predictions_idx.dims is not None else None
        if k is None:
            raise ValueError("The last dimension of predictions_idx must be set.")
        labels = _with_label_axis(labels, predictions_idx)
        single = array.expand_dims(predictions_idx, -1, name="predictions_idx_per_k")
        per_k = _repeated(labels, k)
        relevant = _sizes("true_positives", per_k, single, None, None, "relevant_per_k")
        found = math.cumsum(relevant, axis=-1, name="tp_per_k")
        ranks = math.cumsum(array.ones_like(relevant), axis=-1, name="retrieved_per_k")
        precision = math.div(math.cast(found, dtypes.float64), math.cast(ranks, dtypes.float64), name="precision_per_k")
        hits = math.multiply(precision, math.cast(relevant, dtypes.float64), name="relevant_precision_per_k")
        total = math.reduce_sum(hits, (-1,), name="precision_sum")
        return math.div(total, math.cast(_number_of_labels(labels, k), dtypes.float64), name=scope)


def _repeated(labels: Any, k: int) -> Any:
    """The label sets, each k times, along a new axis before the last."""
    with scopes.name_scope("labels_per_k", "expand_and_tile", (labels,)) as scope:
        labels = _dense_or_sparse(labels)
        if _is_sparse(labels):
            at = array.reshape(array.size(labels.dense_shape) - 1, [1])
            shape = array.concat(
                (array.slice(labels.dense_shape, [0], at), [1], array.slice(labels.dense_shape, at, [-1])),
                0,
                name="expanded_shape",
            )
            expanded = _sparse_module().sparse_reshape(labels, shape=shape, name="expand")
            return expanded if k == 1 else _sparse_module().sparse_concat(-2, [expanded] * k, name=scope)
        expanded = array.expand_dims(labels, -2, name="expand")
        if k == 1:
            return expanded
        ones = array.ones_like(array.shape(labels))
        return array.tile(expanded, array.concat((ones[:-1], (k,), ones[-1:]), 0, name="multiples"), name=scope)


def _number_of_labels(labels: Any, k: int) -> Any:
    """How many labels each row has, at most k."""
    with scopes.name_scope(None, "num_relevant", (labels,)) as scope:
        if _is_sparse(labels):
            return math.minimum(_sets().set_size(labels), k, name=scope)
        there = array.where_v2(math.greater_equal(labels, 0), array.ones_like(labels), array.zeros_like(labels))
        return math.minimum(math.reduce_sum(there, -1), k, name=scope)


def _without_unknown(labels: Any, num_classes: Any) -> Any:
    """Labels with -1 in the place of classes that do not exist."""
    from thalweg._src.core.sparse_tensor import SparseTensor

    labels = _dense_or_sparse(labels)
    values = labels.values if _is_sparse(labels) else labels

    def cleaned() -> Any:
        known = array.where_v2(math.greater_equal(values, num_classes), -1 * array.ones_like(values), values)
        return SparseTensor(labels.indices, known, labels.dense_shape) if _is_sparse(labels) else known

    return control_flow.cond(math.greater_equal(math.reduce_max(values), num_classes), cleaned, lambda: labels)
