"""Weights of losses and metrics: a scalar, or of the rank of the values with sizes that are theirs or one."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.control import control_flow
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports import checks
from thalweg._src.ops.sparse_tensors.sparse_arithmetic import sparse_add

_PREFIX = "weights can not be broadcast to values."


def assert_broadcastable(weights: Any, values: Any) -> Operation:
    """An operation that fails unless `weights` fit `values`. Raises ValueError where that is known by now."""
    with scopes.name_scope(None, "assert_broadcastable", (weights, values)) as scope:
        weights, weights_shape, weights_rank = _measured(weights, "weights")
        values, values_shape, values_rank = _measured(values, "values")
        own, others = weights.dims, values.dims
        if own is not None and others is not None:
            if not own:
                return basic.no_op(name="static_scalar_check_success")
            if len(own) != len(others):
                raise ValueError(
                    f"{_PREFIX} values.rank={len(others)}. weights.rank={len(own)}. values.shape={values.shape}. "
                    f"weights.shape={weights.shape}."
                )
            if None not in own and None not in others:
                for i, (n, m) in enumerate(zip(own, others, strict=True)):
                    if n not in (1, m):
                        raise ValueError(
                            f"{_PREFIX} Mismatch at dim {i}. values.shape={list(others)} weights.shape={list(own)}."
                        )
                return basic.no_op(name="static_dims_check_success")
        is_scalar = math.equal(0, weights_rank, name="is_scalar")
        data = (_PREFIX, "weights.shape=", weights.name, weights_shape, "values.shape=", values.name, values_shape)
        fits = control_flow.cond(
            is_scalar,
            lambda: is_scalar,
            lambda: _fits(weights_rank, weights_shape, values_rank, values_shape),
            name="is_valid_shape",
        )
        return checks.Assert(fits, (*data, "is_scalar=", is_scalar), name=scope)


def _measured(x: Any, what: str) -> tuple[Tensor, Tensor, Tensor]:
    with scopes.name_scope(None, what, (x,)) as scope:
        x = to_tensor(x, None, scope)
        return x, array.shape(x, name="shape"), array.rank(x, name="rank")


def _fits(weights_rank: Tensor, weights_shape: Tensor, values_rank: Tensor, values_shape: Tensor) -> Tensor:
    """Whether both ranks are one, and every size of the weights is 1 or that of the values."""
    with scopes.name_scope(None, "has_valid_nonscalar_shape", (weights_rank, weights_shape)) as scope:
        same_rank = math.equal(values_rank, weights_rank, name="is_same_rank")

        def sizes() -> Tensor:
            fitting = math.logical_or(math.equal(weights_shape, 1), math.equal(weights_shape, values_shape))
            return math.reduce_all(fitting)

        return control_flow.cond(same_rank, sizes, lambda: same_rank, name=scope)


def broadcast_weights(weights: Any, values: Any) -> Tensor:
    """`weights` in the shape of `values`."""
    with scopes.name_scope(None, "broadcast_weights", (weights, values)) as scope:
        values = to_tensor(values, None, "values")
        weights = to_tensor(weights, values.dtype.base_dtype, "weights")
        own, others = weights.get_shape(), values.get_shape()
        if own.is_fully_defined() and others.is_fully_defined() and own.is_compatible_with(others):
            return weights
        with get_default_graph().control_dependencies((assert_broadcastable(weights, values),)):
            return math.multiply(weights, array.ones_like(values), name=scope)


def remove_squeezable_dimensions(
    labels: Any, predictions: Any, expected_rank_diff: int = 0, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Labels and predictions without a last dimension of 1 that one of them has beyond the other.

    `expected_rank_diff` is how many more dimensions predictions have as a rule.
    """
    with scopes.name_scope(name, "remove_squeezable_dimensions", [labels, predictions]):
        predictions, labels = to_tensor(predictions), to_tensor(labels)
        if labels.dims is not None and predictions.dims is not None:
            difference = len(predictions.dims) - len(labels.dims)
            if difference == expected_rank_diff + 1:
                predictions = array.squeeze(predictions, [-1])
            elif difference == expected_rank_diff - 1:
                labels = array.squeeze(labels, [-1])
            return labels, predictions
        difference = array.rank(predictions) - array.rank(labels)
        if predictions.dims is None or predictions.dims[-1] in (None, 1):
            longer = predictions
            predictions = control_flow.cond(
                math.equal(expected_rank_diff + 1, difference),
                lambda: array.squeeze(longer, [-1]),
                lambda: longer,
            )
        if labels.dims is None or labels.dims[-1] in (None, 1):
            other = labels
            labels = control_flow.cond(
                math.equal(expected_rank_diff - 1, difference),
                lambda: array.squeeze(other, [-1]),
                lambda: other,
            )
        return labels, predictions


def squeeze_weights(labels: Tensor, weights: Any) -> Tensor:
    """Weights without a last dimension of 1 that the labels do not have."""
    weights = to_tensor(weights)
    if labels.dims is not None and weights.dims is not None:
        return array.squeeze(weights, [-1]) if len(weights.dims) - len(labels.dims) == 1 else weights
    difference = array.rank(weights) - array.rank(labels)
    if weights.dims is None or (weights.dims and weights.dims[-1] in (None, 1)):
        given = weights
        return control_flow.cond(math.equal(1, difference), lambda: array.squeeze(given, [-1]), lambda: given)
    return weights


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
    weights: Any = None,
) -> Tensor:
    """How often each class (row) was taken for each class (column): [classes, classes].

    `num_classes` is the largest class plus one unless given. Classes that are negative or too large raise
    InvalidArgumentError.

    >>> run(tf.confusion_matrix([1, 2, 4], [2, 2, 4], num_classes=5))[1, 2]
    1
    """
    with scopes.name_scope(name, "confusion_matrix", (predictions, labels, num_classes, weights)):
        labels, predictions = remove_squeezable_dimensions(
            to_tensor(labels, None, "labels"), to_tensor(predictions, None, "predictions")
        )
        predictions, labels = math.cast(predictions, dtypes.int64), math.cast(labels, dtypes.int64)
        labels = _checked(labels, "labels", num_classes)
        predictions = _checked(predictions, "predictions", num_classes)
        if num_classes is None:
            num_classes = math.maximum(math.reduce_max(predictions), math.reduce_max(labels)) + 1
        if weights is not None:
            weights = to_tensor(weights, None, "weights")
            predictions.get_shape().assert_is_compatible_with(weights.get_shape())
            weights = math.cast(weights, dtype)
        shape = array.stack([num_classes, num_classes])
        values = array.ones_like(predictions, dtype) if weights is None else weights
        hits = SparseTensor(array.stack([labels, predictions], axis=1), values, math.cast(shape, dtypes.int64))
        return sparse_add(constants.zeros(math.cast(shape, dtypes.int32), dtype), hits)


def _checked(classes: Tensor, what: str, num_classes: Any) -> Tensor:
    checked = basic.with_dependencies(
        [checks.assert_non_negative(classes, message=f"`{what}` contains negative values")], classes
    )
    if num_classes is None:
        return checked
    limit = math.cast(num_classes, dtypes.int64)
    return basic.with_dependencies([checks.assert_less(checked, limit, message=f"`{what}` out of bound")], checked)
