"""The losses of 0.x: predictions come first, weights are one number, one per example, or one per element."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.framework.arg_scope import add_arg_scope
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.losses import get_losses as get_losses
from thalweg._src.lib.losses import get_regularization_losses as get_regularization_losses
from thalweg._src.ops import array, math
from thalweg._src.ops.nets import softmax
from thalweg._src.ops.nets.activations import relu
from thalweg._src.ops.numeric import elementwise


def _scaled(losses: Any, weights: Any) -> Any:
    """The sum of losses times weights; a weight stands for all axes that it lacks."""
    axes = list(range(max(0, weights.get_shape().ndims), losses.get_shape().ndims))
    return math.reduce_sum(math.multiply(math.reduce_sum(losses, axis=axes), weights))


def _present(losses: Any, weights: Any, per_batch: bool = False) -> Any:
    """How many elements have a weight that is not 0, in all or per example."""
    if weights.get_shape().ndims == 0:
        batch = array.reshape(array.slice(array.shape(losses), [0], [1]), [])
        size, count = math.cast(array.size(losses), dtypes.float32), math.cast(batch, dtypes.float32)
        each = array.where(math.equal(weights, 0), 0.0, math.div(size, count))
        each = math.multiply(array.ones(array.reshape(batch, [1])), each)
    else:
        axes = list(range(1, weights.get_shape().ndims))
        counted = math.reduce_sum(math.cast(math.not_equal(weights, 0), dtypes.float32), axis=axes)
        rest = array.slice(array.shape(losses), [weights.get_shape().ndims], [-1])
        each = math.multiply(counted, math.cast(math.reduce_prod(rest), dtypes.float32))
    return each if per_batch else math.reduce_sum(each)


def compute_weighted_loss(losses: Any, weights: Any = 1.0, scope: str | None = None) -> Any:
    """The mean of losses times weights over the elements whose weight is not 0; it goes to the collection LOSSES.

    Raises ValueError where a rank is unknown.
    """
    with scopes.name_scope(scope, "weighted_loss", [losses, weights]):
        losses = to_tensor(losses)
        kind = losses.dtype
        losses = math.cast(losses, dtypes.float32)
        weights = math.cast(to_tensor(weights), dtypes.float32)
        for name, t in (("losses", losses), ("weights", weights)):
            if t.get_shape().ndims is None:
                raise ValueError(f"{name}.get_shape().ndims cannot be None")
        if weights.get_shape().ndims > 1 and weights.get_shape().as_list()[-1] in (1, None):
            weights = array.squeeze(weights, [-1])
        total = math.reduce_sum(_scaled(losses, weights))
        mean = math.cast(math.div_no_nan(total, _present(losses, weights), name="value"), kind)
        add_loss(mean)
        return mean


@add_arg_scope
def add_loss(loss: Any, loss_collection: str | None = GraphKeys.LOSSES) -> None:
    """Put a loss into a collection."""
    if loss_collection:
        scopes.add_to_collection(loss_collection, loss)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> Any:
    """The sum of all losses, and of the penalties."""
    losses = get_losses() + (get_regularization_losses() if add_regularization_losses else [])
    return math.add_n(losses, name=name)


def _floats(predictions: Any, labels: Any) -> tuple[Any, Any]:
    predictions.get_shape().assert_is_compatible_with(labels.get_shape())
    return math.cast(predictions, dtypes.float32), math.cast(labels, dtypes.float32)


def absolute_difference(predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None) -> Any:
    """The weighted mean of |predictions - labels|."""
    with scopes.name_scope(scope, "absolute_difference", [predictions, labels, weights]) as scope:
        predictions, labels = _floats(predictions, labels)
        return compute_weighted_loss(elementwise.abs(math.subtract(predictions, labels)), weights, scope=scope)


def mean_squared_error(predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None) -> Any:
    """The weighted mean of (predictions - labels)^2."""
    with scopes.name_scope(scope, "mean_squared_error", [predictions, labels, weights]) as scope:
        predictions, labels = _floats(predictions, labels)
        return compute_weighted_loss(math.squared_difference(predictions, labels), weights, scope=scope)


def log_loss(
    predictions: Any, labels: Any = None, weights: Any = 1.0, epsilon: float = 1e-7, scope: str | None = None
) -> Any:
    """The weighted mean of the cross-entropy of probabilities."""
    with scopes.name_scope(scope, "log_loss", [predictions, labels, weights]) as scope:
        predictions, labels = _floats(predictions, labels)
        losses = -math.multiply(labels, elementwise.log(predictions + epsilon)) - math.multiply(
            (1 - labels), elementwise.log(1 - predictions + epsilon)
        )
        return compute_weighted_loss(losses, weights, scope=scope)


def hinge_loss(logits: Any, labels: Any = None, scope: str | None = None) -> Any:
    """max(0, 1 - y logits) of each element, y being -1 for label 0 and 1 for label 1; in no collection."""
    with scopes.name_scope(scope, "hinge_loss", [logits, labels]) as scope:
        logits.get_shape().assert_is_compatible_with(labels.get_shape())
        labels = math.cast(labels, dtypes.float32)
        ones = array.ones_like(labels)
        signs = math.subtract(2 * labels, ones)
        return relu(math.subtract(ones, math.multiply(signs, logits)))


def sigmoid_cross_entropy(
    logits: Any, multi_class_labels: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: str | None = None
) -> Any:
    """The weighted mean of the cross-entropy of each class by itself. `label_smoothing` draws labels towards 1/2."""
    with scopes.name_scope(scope, "sigmoid_cross_entropy_loss", [logits, multi_class_labels, weights]) as scope:
        logits.get_shape().assert_is_compatible_with(multi_class_labels.get_shape())
        labels = math.cast(multi_class_labels, logits.dtype)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = softmax.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


def softmax_cross_entropy(
    logits: Any, onehot_labels: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: str | None = None
) -> Any:
    """The weighted mean of the cross-entropy of one class of several. `label_smoothing` draws labels towards 1/classes."""
    with scopes.name_scope(scope, "softmax_cross_entropy_loss", [logits, onehot_labels, weights]) as scope:
        logits.get_shape().assert_is_compatible_with(onehot_labels.get_shape())
        labels = math.cast(onehot_labels, logits.dtype)
        if label_smoothing > 0:
            classes = math.cast(array.shape(labels)[1], logits.dtype)
            labels = labels * (1.0 - label_smoothing) + label_smoothing / classes
        losses = softmax.softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


def sparse_softmax_cross_entropy(logits: Any, labels: Any, weights: Any = 1.0, scope: str | None = None) -> Any:
    """`softmax_cross_entropy` with the numbers of the classes for labels."""
    with scopes.name_scope(scope, "sparse_softmax_cross_entropy_loss", [logits, labels, weights]) as scope:
        labels = array.reshape(labels, shape=[array.shape(labels)[0]])
        losses = softmax.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


def mean_pairwise_squared_error(
    predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None
) -> Any:
    """The mean over pairs of elements of an example of the squared difference between their errors."""
    with scopes.name_scope(scope, "mean_pairwise_squared_error", [predictions, labels, weights]) as scope:
        predictions, labels = _floats(predictions, labels)
        weights = math.cast(to_tensor(weights), dtypes.float32)
        errors = math.subtract(predictions, labels)
        for name, t in (("diffs", errors), ("weights", weights)):
            if t.get_shape().ndims is None:
                raise ValueError(f"{name}.get_shape().ndims cannot be None")
        axes = list(range(1, errors.get_shape().ndims))
        squares = math.reduce_sum(elementwise.square(errors), axis=axes)
        count = _present(errors, weights, per_batch=True)
        first = 2.0 * math.div_no_nan(squares, count, name="value")
        total = math.reduce_sum(errors, axis=axes)
        second = 2.0 * math.div_no_nan(elementwise.square(total), elementwise.square(count), name="value")
        loss = _scaled(first - second, weights)
        mean = array.where(math.reduce_sum(count) > 0, loss, array.zeros_like(loss), name="value")
        add_loss(mean)
        return mean


def cosine_distance(
    predictions: Any,
    labels: Any = None,
    axis: Any = None,
    weights: Any = 1.0,
    scope: str | None = None,
    dim: Any = None,
) -> Any:
    """The weighted mean of 1 - predictions . labels along `axis`, both being of length 1. Raises ValueError without an axis."""
    axis = dim if axis is None else axis
    if axis is None:
        raise ValueError("You must specify 'axis'.")
    with scopes.name_scope(scope, "cosine_distance_loss", [predictions, labels, weights]) as scope:
        predictions, labels = _floats(predictions, labels)
        losses = 1 - math.reduce_sum(math.multiply(predictions, labels), axis=[axis])
        return compute_weighted_loss(losses, weights, scope=scope)
