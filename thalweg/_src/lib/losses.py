"""tf.losses: a scalar to minimize, from labels and what a model made of them. Each joins the LOSSES collection."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.weights import (
    assert_broadcastable,
    broadcast_weights,
    remove_squeezable_dimensions,
    squeeze_weights,
)
from thalweg._src.ops import basic
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations, softmax


class Reduction:
    """How a loss becomes of the losses of all elements."""

    NONE = "none"  # they stay as they are
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"  # divided by their number
    MEAN = "weighted_mean"  # divided by the sum of weights
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"  # divided by the number of weights that are not zero
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls) -> tuple[str, ...]:
        return (
            *(cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE),
            *(cls.SUM_OVER_NONZERO_WEIGHTS, cls.SUM_BY_NONZERO_WEIGHTS),
        )

    @classmethod
    def validate(cls, key: str) -> None:
        """Raise ValueError for what is no reduction."""
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}.")


_BY_NONZERO = Reduction.SUM_BY_NONZERO_WEIGHTS


def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _BY_NONZERO,
) -> Tensor:
    """`losses`, weighted and reduced. Raises ValueError for weights that do not fit."""
    Reduction.validate(reduction)
    with scopes.name_scope(scope, "weighted_loss", (losses, weights)):
        with get_default_graph().control_dependencies((assert_broadcastable(weights, losses),)):
            losses = to_tensor(losses)
            dtype = losses.dtype
            losses, weights = math.cast(losses, dtypes.float32), math.cast(weights, dtypes.float32)
            weighted = math.multiply(losses, weights)
            if reduction == Reduction.NONE:
                loss = weighted
            else:
                loss = math.reduce_sum(weighted)
                if reduction == Reduction.MEAN:
                    loss = _safe_mean(loss, math.reduce_sum(array.ones_like(losses) * weights))
                elif reduction == _BY_NONZERO:
                    loss = _safe_mean(loss, _num_present(losses, weights))
                elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
                    loss = _safe_mean(loss, _num_elements(losses))
            loss = math.cast(loss, dtype)
            add_loss(loss, loss_collection)
            return loss


def _safe_mean(losses: Tensor, count: Tensor) -> Tensor:
    """The sum over the count, zero where that is zero."""
    return math.div_no_nan(math.reduce_sum(losses), count, name="value")


def _num_elements(losses: Tensor) -> Tensor:
    with scopes.name_scope(None, "num_elements", [losses]) as scope:
        return math.cast(array.size(losses, name=scope), losses.dtype)


def _num_present(losses: Tensor, weights: Any, per_batch: bool = False) -> Tensor:
    """How many elements (of each row, with `per_batch`) have a weight that is not zero."""
    with scopes.name_scope(None, "num_present", (losses, weights)) as scope:
        weights = math.cast(weights, dtypes.float32)
        present = array.where(math.equal(weights, 0.0), array.zeros_like(weights), array.ones_like(weights))
        present = broadcast_weights(present, losses)
        if per_batch:
            return math.reduce_sum(present, math.range(1, array.rank(present)), keepdims=True, name=scope)
        return math.reduce_sum(present, name=scope)


def _required(**values: Any) -> None:
    for name, value in values.items():
        if value is None:
            raise ValueError(f"{name} must not be None.")


def _as_floats(predictions: Any, labels: Any) -> tuple[Tensor, Tensor]:
    """Both as float32. Raises ValueError where their shapes differ."""
    predictions, labels = math.cast(predictions, dtypes.float32), math.cast(labels, dtypes.float32)
    predictions.get_shape().assert_is_compatible_with(labels.get_shape())
    return predictions, labels


def absolute_difference(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _BY_NONZERO,
) -> Tensor:
    """|predictions - labels|."""
    _required(labels=labels, predictions=predictions)
    with scopes.name_scope(scope, "absolute_difference", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = math.abs(math.subtract(predictions, labels))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def cosine_distance(
    labels: Any,
    predictions: Any,
    axis: int | None = None,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _BY_NONZERO,
    dim: int | None = None,
) -> Tensor:
    """1 - predictions . labels along `axis`, where both have the length 1. `dim` is the older name of `axis`."""
    if dim is not None:
        if axis is not None:
            raise ValueError("Cannot specify both 'axis' and 'dim'")
        axis = dim
    if axis is None:
        raise ValueError("You must specify 'axis'.")
    _required(labels=labels, predictions=predictions)
    with scopes.name_scope(scope, "cosine_distance_loss", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = 1 - math.reduce_sum(math.multiply(predictions, labels), (axis,), keepdims=True)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _BY_NONZERO,
) -> Tensor:
    """max(0, 1 - s logits), where s is -1 for the label 0 and 1 for the label 1."""
    _required(labels=labels, logits=logits)
    with scopes.name_scope(scope, "hinge_loss", (logits, labels, weights)) as scope:
        logits, labels = _as_floats(logits, labels)
        ones = array.ones_like(labels)
        signs = math.subtract(2 * labels, ones)
        losses = activations.relu(math.subtract(ones, math.multiply(signs, logits)))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _BY_NONZERO,
) -> Tensor:
    """error^2 / 2 up to an error of `delta`, and a straight line beyond."""
    _required(labels=labels, predictions=predictions)
    with scopes.name_scope(scope, "huber_loss", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        error = math.abs(math.subtract(predictions, labels))
        inside = math.minimum(error, delta)
        beyond = math.subtract(error, inside)
        half = to_tensor(0.5, inside.dtype)
        losses = math.add(math.multiply(half, math.multiply(inside, inside)), math.multiply(delta, beyond))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _BY_NONZERO,
) -> Tensor:
    """-labels log(predictions) - (1 - labels) log(1 - predictions), with `epsilon` added below the logarithms."""
    _required(labels=labels, predictions=predictions)
    with scopes.name_scope(scope, "log_loss", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = -math.multiply(labels, math.log(predictions + epsilon)) - math.multiply(
            (1 - labels), math.log(1 - predictions + epsilon)
        )
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def mean_pairwise_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
) -> Tensor:
    """The squared error of the differences between the elements of a row; one weight for each row, or for all."""
    _required(labels=labels, predictions=predictions)
    with scopes.name_scope(scope, "mean_pairwise_squared_error", (predictions, labels, weights)) as scope:
        weights, labels = math.cast(weights, dtypes.float32), math.cast(labels, dtypes.float32)
        with get_default_graph().control_dependencies((assert_broadcastable(weights, labels),)):
            predictions = math.cast(predictions, dtypes.float32)
            predictions.get_shape().assert_is_compatible_with(labels.get_shape())
            errors = math.subtract(predictions, labels)
            axis = math.range(1, array.rank(errors))
            squares = math.reduce_sum(math.square(errors), axis, keepdims=True)
            present = _num_present(errors, weights, per_batch=True)
            term1 = 2.0 * math.div_no_nan(squares, math.maximum(present - 1, 0), name="value")
            total = math.reduce_sum(errors, axis, keepdims=True)
            pairs = math.maximum(math.multiply(present, present - 1), 0)
            term2 = 2.0 * math.div_no_nan(math.square(total), pairs, name="value")
            loss = math.reduce_sum(math.multiply(term1 - term2, weights))
            mean = array.where(math.reduce_sum(present) > 0, loss, array.zeros_like(loss), name="value")
            add_loss(mean, loss_collection)
            return mean


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _BY_NONZERO,
) -> Tensor:
    """(predictions - labels)^2."""
    _required(labels=labels, predictions=predictions)
    with scopes.name_scope(scope, "mean_squared_error", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = math.squared_difference(predictions, labels)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _BY_NONZERO,
) -> Tensor:
    """The cross-entropy of independent labels of 0 or 1; `label_smoothing` moves them towards 1/2."""
    _required(multi_class_labels=multi_class_labels, logits=logits)
    with scopes.name_scope(scope, "sigmoid_cross_entropy_loss", (logits, multi_class_labels, weights)) as scope:
        logits = to_tensor(logits)
        labels = math.cast(multi_class_labels, logits.dtype)
        logits.get_shape().assert_is_compatible_with(labels.get_shape())
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = softmax.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _BY_NONZERO,
) -> Tensor:
    """The cross-entropy of the softmax of `logits`; `label_smoothing` moves the labels towards 1 / classes."""
    _required(onehot_labels=onehot_labels, logits=logits)
    with scopes.name_scope(scope, "softmax_cross_entropy_loss", (logits, onehot_labels, weights)) as scope:
        logits = to_tensor(logits)
        labels = math.cast(onehot_labels, logits.dtype)
        logits.get_shape().assert_is_compatible_with(labels.get_shape())
        if label_smoothing > 0:
            classes = math.cast(array.shape(labels)[-1], logits.dtype)
            labels = labels * (1.0 - label_smoothing) + label_smoothing / classes
        labels = basic.stop_gradient(labels, name="labels_stop_gradient")
        losses = softmax.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _BY_NONZERO,
) -> Tensor:
    """`softmax_cross_entropy` with the numbers of the classes as labels."""
    _required(labels=labels, logits=logits)
    with scopes.name_scope(scope, "sparse_softmax_cross_entropy_loss", (logits, labels, weights)) as scope:
        labels, logits = remove_squeezable_dimensions(labels, logits, expected_rank_diff=1)
        weights = squeeze_weights(labels, weights)
        losses = softmax.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


# -- the collections


def add_loss(loss: Any, loss_collection: str | None = GraphKeys.LOSSES) -> None:
    """Add a loss to a collection."""
    if loss_collection:
        scopes.add_to_collection(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: str = GraphKeys.LOSSES) -> list[Any]:
    """The losses of the graph, of the name scope `scope`."""
    return scopes.get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """The penalties that regularizers of variables made."""
    return scopes.get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> Tensor:
    """The sum of all penalties, zero without any."""
    losses = get_regularization_losses(scope)
    return math.add_n(losses, name=name) if losses else constant(0.0)


def get_total_loss(
    add_regularization_losses: bool = True, name: str = "total_loss", scope: str | None = None
) -> Tensor:
    """The sum of all losses, and of the penalties. Raises ValueError without any."""
    losses = get_losses(scope)
    if add_regularization_losses:
        losses += get_regularization_losses(scope)
    return math.add_n(losses, name=name)
