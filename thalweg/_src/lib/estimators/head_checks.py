"""Labels, weights and logits of heads: their shapes checked, when the graph is built where they are known, else when it runs."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor
from thalweg._src.lib.estimators.modes import call_with, fn_args
from thalweg._src.lib.feature_columns.base import FeatureTransformationCache
from thalweg._src.lib.feature_columns.numeric import NumericColumn, numeric_column
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports import checks


def under(conditions: Any) -> Any:
    """A block whose ops wait for `conditions`."""
    return get_default_graph().control_dependencies(conditions)


def checked_labels(labels: Any, logits: Any, width: int) -> Any:
    """Labels of shape [..., width], like the logits but for the last axis. Raises ValueError for others, and sparse ones."""
    if labels is None:
        raise ValueError(
            "You must provide a labels Tensor. Given: None. Suggested troubleshooting steps: Check that your data contain "
            "your label feature. Check that your input_fn properly parses and returns labels."
        )
    with scopes.name_scope(None, "labels", (labels, logits)) as scope:
        labels = convert_to_tensor_or_sparse_tensor(labels)
        if isinstance(labels, SparseTensor):
            raise ValueError(
                f"SparseTensor labels are not supported. labels must be a Tensor of shape [D0, D1, ..., DN, {width}], e.g. "
                f"[batch_size, {width}]. Suggested Fix (1): Check the label feature in your data. Each example must contain "
                f"{width} value(s). If not, your choice of label was probably incorrect. Suggested Fix (2): In your input_fn, "
                "use tf.sparse_tensor_to_dense() to turn labels into a Tensor."
            )
        ranks = labels.shape.ndims, logits.shape.ndims
        if None not in ranks and ranks[0] == ranks[1] - 1:
            labels = array.expand_dims(labels, -1)
        own, theirs = array.shape(labels), array.shape(logits)
        message = (
            f"labels shape must be [D0, D1, ... DN, {width}]. Suggested Fix: check your n_classes argument to the estimator "
            "and/or the shape of your label."
        )
        with under([checks.assert_rank_at_least(labels, 2, message=message)]):
            last = None if labels.shape.ndims is None else labels.shape.as_list()[-1]
            if last is not None and last != width:
                raise ValueError(
                    f"Mismatched label shape. Expected labels dimension={width}.  Received {last}. Suggested Fix:If your "
                    "classifier expects one-hot encoding label,check your n_classes argument to the estimator and/or the "
                    "shape of your label. Otherwise, check the shape of your label."
                )
            wanted = array.concat([theirs[:-1], [width]], axis=0)
            data = ["expected_labels_shape: ", wanted, "labels_shape: ", own]
            with under([checks.assert_equal(wanted, own, message=message, data=data)]):
                return basic.identity(labels, name=scope)


def checked_weights(features: Any, weight_column: Any, logits: Any, per_logit: bool = False) -> Any:
    """The weights of examples, [..., 1] (or like the logits with `per_logit`); 1.0 without a column.

    Raises TypeError for columns that are not numeric.
    """
    message = "weights shape must be [D0, D1, ... DN]" + (
        ", [D0, D1, ... DN, 1] or [D0, D1, ... DN, logits_dimension]" if per_logit else " or [D0, D1, ... DN, 1]"
    )
    with scopes.name_scope(None, "weights", (logits,)) as scope:
        if weight_column is None:
            return 1.0
        if isinstance(weight_column, str):
            weight_column = numeric_column(weight_column, shape=(1,))
        if not isinstance(weight_column, NumericColumn):
            raise TypeError(
                f"Weight column must be either a string or _NumericColumn. Given type: {type(weight_column)}."
            )
        weights = weight_column.get_dense_tensor(FeatureTransformationCache(features), None)
        weights = math.cast(weights, dtypes.float32, name="weights")
        own = array.shape(weights, name="weights_shape")
        theirs = array.shape(logits, name="logits_shape")
        data = ["logits_shape: ", theirs, "weights_shape: ", own]
        ranks = weights.shape.ndims, logits.shape.ndims
        if None not in ranks and ranks[0] == ranks[1] - 1:
            with under([checks.assert_equal(theirs[:-1], own, message=message, data=data)]):
                return array.expand_dims(weights, -1, name=scope)
        single = array.concat([theirs[:-1], [1]], axis=0)
        if per_logit:
            fits = math.reduce_any([math.reduce_all(math.equal(theirs, own)), math.reduce_all(math.equal(single, own))])
            condition = checks.Assert(fits, [message, *data])
        else:
            condition = checks.assert_equal(single, own, message=message, data=data)
        with under([condition]):
            return basic.identity(weights, name=scope)


def checked_logits(logits: Any, width: int) -> Any:
    """Logits as floats of shape [..., width]. Raises ValueError for others."""
    message = "logits shape must be [D0, D1, ... DN, logits_dimension]"
    with scopes.name_scope(None, "logits", (logits,)) as scope:
        logits = math.cast(to_tensor(logits), dtypes.float32)
        shape = array.shape(logits)
        with under([checks.assert_rank_at_least(logits, 2, data=[shape], message=message)]):
            last = None if logits.shape.ndims is None else logits.shape.as_list()[-1]
            if last is not None:
                if isinstance(width, int) and last != width:
                    raise ValueError(f"{message}, got {logits.shape}.")
                return logits
            with under([checks.assert_equal(width, shape[-1], data=[shape], message=message)]):
                return basic.identity(logits, name=scope)


def in_range(labels: Any, n_classes: int, message: str | None = None) -> Any:
    """Labels in [0, n_classes), checked when the graph runs."""
    with scopes.name_scope(None, "assert_range", (labels,)):
        last = to_tensor(n_classes - 1, labels.dtype)
        below = checks.assert_less_equal(labels, last, message=message or "Labels must <= n_classes - 1")
        above = checks.assert_non_negative(labels, message=message or "Labels must >= 0")
        with under((below, above)):
            return basic.identity(labels)


def check_loss_fn(loss_fn: Any) -> None:
    """Raise ValueError for loss functions with other arguments."""
    args = fn_args(loss_fn)
    for wanted in ("labels", "logits"):
        if wanted not in args:
            raise ValueError(f"loss_fn must contain argument: {wanted}. Given arguments: {args}")
    unknown = list(set(args) - {"labels", "logits", "features"})
    if unknown:
        raise ValueError(f"loss_fn has unexpected args: {unknown}")


def called_loss_fn(loss_fn: Any, labels: Any, logits: Any, features: Any, width: int = 1) -> Any:
    """The losses of a user's function, [..., width], checked when the graph runs."""
    with scopes.name_scope(None, "call_loss_fn", [labels, logits]):
        losses = call_with(loss_fn, {"features": features}, labels=labels, logits=logits)
        theirs = array.shape(logits, name="logits_shape")
        wanted = array.concat([theirs[:-1], [width]], axis=0, name="expected_loss_shape")
        own = array.shape(losses, name="loss_shape")
        message = f"loss_fn must return Tensor of shape [D0, D1, ... DN, {width}]. "
        fits = checks.Assert(
            math.reduce_all(math.equal(own, wanted)),
            [message, "logits_shape: ", theirs, "loss_shape: ", own],
            name="check_loss_shape",
        )
        with under([fits]):
            return basic.identity(losses)
