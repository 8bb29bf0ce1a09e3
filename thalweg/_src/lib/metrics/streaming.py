"""What streaming metrics share. A metric is a value, from counters in local variables, and an operation that counts
a batch.
"""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.weights import broadcast_weights, remove_squeezable_dimensions
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.control import control_flow
from thalweg._src.ops.late import array, math
from thalweg._src.ops.stateful.variable_modes import VariableAggregation, VariableSynchronization
from thalweg._src.ops.stateful.variables import Variable

Metric = tuple[Any, Any]


def metric_variable(shape: Any, dtype: Any, validate_shape: bool = True, name: str | None = None) -> Variable:
    """A counter: a local variable of zeros, also in the METRIC_VARIABLES collection."""
    return Variable(
        lambda: constants.zeros(shape, dtype),
        trainable=False,
        collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
        validate_shape=validate_shape,
        synchronization=VariableSynchronization.ON_READ,
        aggregation=VariableAggregation.SUM,
        name=name,
    )


def counted(total: Variable, batch: Any, name: str | None = None) -> Any:
    """The counter after `batch` was added to it."""
    from thalweg._src.ops.stateful.assigning import assign_add

    return assign_add(total, batch, name=name)


def collect(collections: Any, value: Any) -> Any:
    """`value`, added to `collections`."""
    if collections:
        scopes.add_to_collections(collections, value)
    return value


def aligned(predictions: Any, labels: Any, weights: Any) -> tuple[Any, Any, Any]:
    """Predictions, labels (or None) and weights (or None) of one rank: a last dimension of 1 comes or goes where
    needed.
    """
    predictions = to_tensor(predictions)
    if labels is not None:
        labels, predictions = remove_squeezable_dimensions(labels, predictions)
        predictions.get_shape().assert_is_compatible_with(labels.get_shape())
    if weights is None:
        return predictions, labels, None
    weights = to_tensor(weights)
    if weights.dims == ():
        return predictions, labels, weights
    if predictions.dims is not None and weights.dims is not None:
        difference = len(weights.dims) - len(predictions.dims)
        if difference == 1:
            weights = array.squeeze(weights, [-1])
        elif difference == -1:
            weights = array.expand_dims(weights, [-1])
        return predictions, labels, weights
    given = weights
    rank = array.rank(given)
    difference = rank - array.rank(predictions)

    def longer() -> Any:
        return control_flow.cond(math.equal(difference, -1), lambda: array.expand_dims(given, [-1]), lambda: given)

    def shorter() -> Any:
        return given if given.dims is not None and given.dims[-1] not in (None, 1) else array.squeeze(given, [-1])

    weights = control_flow.cond(
        math.equal(rank, 0), lambda: given, lambda: control_flow.cond(math.equal(difference, 1), shorter, longer)
    )
    return predictions, labels, weights


def weighted(values: Tensor, weights: Any) -> tuple[Tensor, Tensor]:
    """`values` times their weights, and the weights in the shape of the values, as float32."""
    values, _, weights = aligned(values, None, weights)
    weights = broadcast_weights(math.cast(weights, dtypes.float32), values)
    return math.multiply(values, weights), weights


def quotient(top: Any, bottom: Any, name: str | None) -> Tensor:
    """top / bottom, zero where the bottom is not positive."""
    return math.div_no_nan(top, math.maximum(bottom, 0), name=name)
