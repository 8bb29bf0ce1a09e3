"""Heads: what stands on top of the logits of a model. Loss, predictions, metrics, and what is served, by kind of label."""

from __future__ import annotations

import collections
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib import losses as lib_losses
from thalweg._src.lib import vocabularies
from thalweg._src.lib.estimators import head_checks as checked
from thalweg._src.lib.estimators.export_outputs import (
    DEFAULT_SIGNATURE,
    ClassificationOutput,
    PredictOutput,
    RegressionOutput,
)
from thalweg._src.lib.estimators.keys import MetricKeys, PredictionKeys
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.estimators.spec import EstimatorSpec
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.losses import Reduction, compute_weighted_loss
from thalweg._src.lib.metrics import counts, means, thresholds
from thalweg._src.lib.summary import summary
from thalweg._src.lib.weights import broadcast_weights
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import softmax
from thalweg._src.ops.text.string_numbers import as_string

LossSpec = collections.namedtuple("LossSpec", ["training_loss", "unreduced_loss", "weights", "processed_labels"])
Metrics = dict[str, Any]


class Head:
    """Makes the EstimatorSpec of a model from its logits. Raises ValueError for reductions that don't give a scalar."""

    def __init__(self, weight_column: Any, loss_reduction: str, loss_fn: Any, name: str | None):
        if loss_reduction not in Reduction.all() or loss_reduction == Reduction.NONE:
            raise ValueError(f"Invalid loss_reduction: {loss_reduction}")
        if loss_fn:
            checked.check_loss_fn(loss_fn)
        self._weight_column, self._loss_reduction = weight_column, loss_reduction
        self._loss_fn, self._name = loss_fn, name

    @property
    def name(self) -> str | None:
        """The name that metrics and summaries end with."""
        return self._name

    @property
    def logits_dimension(self) -> int:
        """The size of the last axis of the logits."""
        raise NotImplementedError

    def _labels(self, labels: Any, logits: Any) -> Any:
        """Labels as the loss needs them."""
        raise NotImplementedError

    def _losses(self, labels: Any, logits: Any) -> Any:
        """The loss of each example (and logit)."""
        raise NotImplementedError

    _loss_width = 1
    _weights_per_logit = False

    def create_loss(self, features: Any, mode: str, logits: Any, labels: Any) -> LossSpec:
        """The loss, the losses of examples, the weights, and the labels as the loss needs them."""
        logits = to_tensor(logits)
        labels = self._labels(labels, logits)
        if self._loss_fn:
            unreduced = checked.called_loss_fn(self._loss_fn, labels, logits, features, self._loss_width)
        else:
            unreduced = self._losses(labels, logits)
        weights = checked.checked_weights(features, self._weight_column, logits, self._weights_per_logit)
        loss = compute_weighted_loss(unreduced, weights=weights, reduction=self._loss_reduction)
        return LossSpec(loss, unreduced, weights, labels)

    def _predictions(self, logits: Any) -> Metrics:
        raise NotImplementedError

    def _outputs(self, predictions: Metrics) -> dict[str, Any]:
        raise NotImplementedError

    def _metrics(self, predictions: Metrics, loss: LossSpec) -> Metrics:
        raise NotImplementedError

    def _key(self, key: str) -> str:
        return f"{key}/{self._name}" if self._name else key

    def create_estimator_spec(
        self,
        features: Any,
        mode: str,
        logits: Any,
        labels: Any = None,
        optimizer: Any = None,
        train_op_fn: Any = None,
        regularization_losses: Any = None,
        **_: Any,
    ) -> EstimatorSpec:
        """The EstimatorSpec for `mode`. To train, `optimizer` or `train_op_fn(loss)` is needed, else ValueError is raised."""
        with scopes.name_scope(self._name, "head"):
            with scopes.name_scope(None, "predictions", (logits,)):
                predictions = self._predictions(checked.checked_logits(logits, self.logits_dimension))
            if mode == ModeKeys.PREDICT:
                return EstimatorSpec(mode, predictions=predictions, export_outputs=self._outputs(predictions))
            spec = self.create_loss(features, mode, logits, labels)
            extra = math.add_n(regularization_losses) if regularization_losses else None
            loss = spec.training_loss if extra is None else math.add_n([spec.training_loss, extra])
            if mode == ModeKeys.EVAL:
                with scopes.name_scope(None, "metrics"):
                    metrics = self._metrics(predictions, spec)
                    metrics[MetricKeys.LOSS_MEAN] = means.mean(
                        spec.unreduced_loss, weights=spec.weights, name=MetricKeys.LOSS_MEAN
                    )
                    if extra is not None:
                        metrics[MetricKeys.LOSS_REGULARIZATION] = means.mean(extra, name=MetricKeys.LOSS_REGULARIZATION)
                named = {self._key(key): pair for key, pair in metrics.items()}
                return EstimatorSpec(mode, predictions=predictions, loss=loss, eval_metric_ops=named)
            train_op = made_train_op(loss, optimizer, train_op_fn)
            average = None
            if self._loss_reduction == Reduction.SUM:
                total = math.reduce_sum(spec.weights * array.ones_like(spec.unreduced_loss))
                average = spec.training_loss / total
        with scopes.name_scope(""):
            summary.scalar(self._key(MetricKeys.LOSS), loss)
            if average is not None:
                summary.scalar(self._key(MetricKeys.LOSS_MEAN), average)
            if extra is not None:
                summary.scalar(self._key(MetricKeys.LOSS_REGULARIZATION), extra)
        return EstimatorSpec(mode, predictions=predictions, loss=loss, train_op=train_op)


def made_train_op(loss: Any, optimizer: Any, train_op_fn: Any) -> Any:
    """The op of a training step, with the UPDATE_OPS. Raises ValueError for neither or both."""
    if optimizer is not None and train_op_fn is not None:
        raise ValueError("train_op_fn and optimizer cannot both be set.")
    if optimizer is not None:
        train_op = optimizer.minimize(loss, global_step=get_global_step())
    elif train_op_fn is not None:
        train_op = train_op_fn(loss)
    else:
        raise ValueError("train_op_fn and optimizer cannot both be None.")
    updates = scopes.get_collection(GraphKeys.UPDATE_OPS)
    return basic.group(train_op, *updates) if updates else train_op


class _Classes(Head):
    """Heads whose labels are one of several classes: numbers, or words of a vocabulary."""

    _label_vocabulary: Any
    _count: int

    def _names(self) -> Any:
        return list(self._label_vocabulary) if self._label_vocabulary else as_string(math.range(self._count))

    def _every(self, values: Any, logits: Any) -> Any:
        return array.tile(array.expand_dims(values, axis=0), [array.shape(logits)[0], 1])

    def _of_class(self, logits: Any, two_sided: Any, probabilities: Any) -> Metrics:
        """The predictions that classifiers have in common."""
        ids = array.expand_dims(math.argmax(two_sided, axis=-1, name=PredictionKeys.CLASS_IDS), axis=-1)
        if self._label_vocabulary:
            table = vocabularies.index_to_string_table_from_tensor(
                vocabulary_list=list(self._label_vocabulary), name="class_string_lookup"
            )
            classes = table.lookup(ids)
        else:
            classes = as_string(ids, name="str_classes")
        return {
            PredictionKeys.LOGITS: logits,
            PredictionKeys.PROBABILITIES: probabilities,
            PredictionKeys.CLASS_IDS: ids,
            PredictionKeys.CLASSES: classes,
            PredictionKeys.ALL_CLASS_IDS: self._every(math.range(self._count), logits),
            PredictionKeys.ALL_CLASSES: self._every(self._names(), logits),
        }

    def _classification(self, predictions: Metrics) -> ClassificationOutput:
        scores = predictions[PredictionKeys.PROBABILITIES]
        return ClassificationOutput(scores=scores, classes=self._every(self._names(), scores))

    def _outputs(self, predictions: Metrics) -> dict[str, Any]:
        output = self._classification(predictions)
        return {DEFAULT_SIGNATURE: output, "classification": output, "predict": PredictOutput(predictions)}


def check_vocabulary(vocabulary: Any, error: type[Exception] = ValueError) -> None:
    """Raise `error` for vocabularies that are no lists."""
    if vocabulary is not None and not isinstance(vocabulary, list | tuple):
        raise error(f"label_vocabulary should be a list or a tuple. Given type: {type(vocabulary)}")


class MultiClass(_Classes):
    """Softmax over `n_classes`, more than two; labels are class numbers, or words of `label_vocabulary`."""

    def __init__(
        self,
        n_classes: int,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        loss_reduction: str = Reduction.SUM,
        loss_fn: Any = None,
        name: str | None = None,
    ):
        check_vocabulary(label_vocabulary)
        super().__init__(weight_column, loss_reduction, loss_fn, name)
        if n_classes is None:
            raise ValueError("n_classes cannot be None")
        if n_classes <= 2:
            raise ValueError(f"n_classes must be > 2: {n_classes}.")
        self._count, self._label_vocabulary = n_classes, label_vocabulary

    @property
    def logits_dimension(self) -> int:
        return self._count

    def _labels(self, labels: Any, logits: Any) -> Any:
        labels = checked.checked_labels(labels, logits, 1)
        if self._label_vocabulary is None:
            if not labels.dtype.is_integer:
                raise ValueError(f"Labels dtype should be integer. Instead got {labels.dtype}.")
            ids = labels
        else:
            if labels.dtype != dtypes.string:
                raise ValueError(f"Labels dtype should be string if there is a vocabulary. Instead got {labels.dtype}")
            ids = label_table(self._label_vocabulary).lookup(labels)
        return checked.in_range(ids, self._count)

    def _losses(self, labels: Any, logits: Any) -> Any:
        losses = lib_losses.sparse_softmax_cross_entropy(labels=labels, logits=logits, reduction=Reduction.NONE)
        return array.expand_dims(losses, axis=-1)

    def _predictions(self, logits: Any) -> Metrics:
        return self._of_class(logits, logits, softmax.softmax(logits, name=PredictionKeys.PROBABILITIES))

    def _metrics(self, predictions: Metrics, loss: LossSpec) -> Metrics:
        right = means.accuracy(
            loss.processed_labels,
            predictions[PredictionKeys.CLASS_IDS],
            weights=loss.weights,
            name=MetricKeys.ACCURACY,
        )
        return {MetricKeys.ACCURACY: right}


def label_table(vocabulary: Any) -> Any:
    """The table from words to class numbers."""
    return vocabularies.index_table_from_tensor(vocabulary_list=tuple(vocabulary), name="class_id_lookup")


class BinaryLogistic(_Classes):
    """Sigmoid of one logit; labels are 0 and 1 (or between), or the two words of `label_vocabulary`.

    `thresholds` in (0, 1) add metrics. Raises ValueError for others.
    """

    _count = 2

    def __init__(
        self,
        weight_column: Any = None,
        thresholds: Any = None,
        label_vocabulary: Any = None,
        loss_reduction: str = Reduction.SUM,
        loss_fn: Any = None,
        name: str | None = None,
    ):
        self._thresholds = tuple(thresholds or ())
        check_vocabulary(label_vocabulary, TypeError)
        if any(t <= 0.0 or t >= 1.0 for t in self._thresholds):
            raise ValueError(f"thresholds not in (0, 1): {(self._thresholds,)}.")
        super().__init__(weight_column, loss_reduction, loss_fn, name)
        self._label_vocabulary = label_vocabulary

    @property
    def logits_dimension(self) -> int:
        return 1

    def _labels(self, labels: Any, logits: Any) -> Any:
        labels = checked.checked_labels(labels, logits, 1)
        if self._label_vocabulary is not None:
            labels = label_table(self._label_vocabulary).lookup(labels)
        return checked.in_range(math.cast(labels, dtypes.float32), 2)

    def _losses(self, labels: Any, logits: Any) -> Any:
        return softmax.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)

    def _predictions(self, logits: Any) -> Metrics:
        logistic = math.sigmoid(logits, name=PredictionKeys.LOGISTIC)
        both = array.concat((array.zeros_like(logits), logits), axis=-1, name="two_class_logits")
        probabilities = softmax.softmax(both, name=PredictionKeys.PROBABILITIES)
        return {**self._of_class(logits, both, probabilities), PredictionKeys.LOGISTIC: logistic}

    def _outputs(self, predictions: Metrics) -> dict[str, Any]:
        regression = RegressionOutput(value=predictions[PredictionKeys.LOGISTIC])
        return {**super()._outputs(predictions), "regression": regression}

    def _metrics(self, predictions: Metrics, loss: LossSpec) -> Metrics:
        keys, labels, weights = MetricKeys, loss.processed_labels, loss.weights
        logistic, ids = predictions[PredictionKeys.LOGISTIC], predictions[PredictionKeys.CLASS_IDS]
        share = mean_of(labels, weights, keys.LABEL_MEAN)
        metrics = {
            keys.ACCURACY: means.accuracy(labels, ids, weights=weights, name=keys.ACCURACY),
            keys.PRECISION: counts.precision(labels, ids, weights=weights, name=keys.PRECISION),
            keys.RECALL: counts.recall(labels, ids, weights=weights, name=keys.RECALL),
            keys.PREDICTION_MEAN: mean_of(logistic, weights, keys.PREDICTION_MEAN),
            keys.LABEL_MEAN: share,
            keys.ACCURACY_BASELINE: _larger_part(share),
            keys.AUC: area(labels, logistic, weights, "ROC", keys.AUC),
            keys.AUC_PR: area(labels, logistic, weights, "PR", keys.AUC_PR),
        }
        for t in self._thresholds:
            metrics.update(at_threshold(labels, logistic, weights, t))
        return metrics


def mean_of(values: Any, weights: Any, name: str) -> Any:
    """The mean of values, weighted, as a metric."""
    with scopes.name_scope(name, "mean") as scope:
        values = math.cast(values, dtypes.float32)
        if weights is not None:
            weights = broadcast_weights(weights, values)
        return means.mean(values, weights=weights, name=scope)


def _larger_part(share: Any) -> Any:
    """How often a model is right that always says the more frequent class."""
    with scopes.name_scope(None, "accuracy_baseline"):
        value, update = share
        return math.maximum(value, 1.0 - value, name="value"), math.maximum(update, 1 - update, name="update_op")


def area(labels: Any, predictions: Any, weights: Any, curve: str, name: str) -> Any:
    """The area under a curve, as a metric."""
    with scopes.name_scope(name, "auc") as scope:
        predictions = math.cast(predictions, dtypes.float32)
        if weights is not None:
            weights = broadcast_weights(weights, predictions)
        return thresholds.auc(labels, predictions, weights=weights, curve=curve, name=scope)


def at_threshold(labels: Any, predictions: Any, weights: Any, threshold: float) -> Metrics:
    """Accuracy, precision and recall of "at least `threshold`"."""
    keys, found = MetricKeys, {}
    name = keys.ACCURACY_AT_THRESHOLD % threshold
    above = math.cast(math.greater_equal(predictions, threshold), dtypes.float32)
    found[name] = means.accuracy(labels, above, weights=weights, name=name)
    for key, metric in (
        (keys.PRECISION_AT_THRESHOLD, thresholds.precision_at_thresholds),
        (keys.RECALL_AT_THRESHOLD, thresholds.recall_at_thresholds),
    ):
        name = key % threshold
        value, update = metric(labels, predictions, thresholds=(threshold,), weights=weights, name=name)
        found[name] = array.squeeze(value), array.squeeze(update)
    return found


class Regression(Head):
    """Squared error of `label_dimension` numbers; `inverse_link_fn` turns logits into predictions.

    Raises ValueError for dimensions below 1.
    """

    _weights_per_logit = True

    def __init__(
        self,
        label_dimension: int = 1,
        weight_column: Any = None,
        loss_reduction: str = Reduction.SUM,
        loss_fn: Any = None,
        inverse_link_fn: Any = None,
        name: str | None = None,
    ):
        super().__init__(weight_column, loss_reduction, loss_fn, name)
        if label_dimension < 1:
            raise ValueError(f"Invalid label_dimension {label_dimension}.")
        self._loss_width, self._inverse_link_fn = label_dimension, inverse_link_fn

    @property
    def logits_dimension(self) -> int:
        return self._loss_width

    def _labels(self, labels: Any, logits: Any) -> Any:
        return math.cast(checked.checked_labels(labels, logits, self._loss_width), dtypes.float32)

    def _losses(self, labels: Any, logits: Any) -> Any:
        return lib_losses.mean_squared_error(labels=labels, predictions=logits, reduction=Reduction.NONE)

    def _predictions(self, logits: Any) -> Metrics:
        if not self._inverse_link_fn:
            return {PredictionKeys.PREDICTIONS: logits}
        return {PredictionKeys.PREDICTIONS: self._inverse_link_fn(logits), PredictionKeys.LOGITS: logits}

    def _outputs(self, predictions: Metrics) -> dict[str, Any]:
        output = RegressionOutput(value=predictions[PredictionKeys.PREDICTIONS])
        return {DEFAULT_SIGNATURE: output, "regression": output, "predict": PredictOutput(predictions)}

    def _metrics(self, predictions: Metrics, loss: LossSpec) -> Metrics:
        predicted = predictions[PredictionKeys.PREDICTIONS]
        return {
            MetricKeys.PREDICTION_MEAN: mean_of(predicted, loss.weights, MetricKeys.PREDICTION_MEAN),
            MetricKeys.LABEL_MEAN: means.mean(loss.processed_labels, weights=loss.weights),
        }


def classifier_head(n_classes: int, weight_column: Any, label_vocabulary: Any, loss_reduction: str) -> Head:
    """The head of a classifier: of one logit for two classes, else with softmax."""
    if n_classes == 2:
        return BinaryLogistic(weight_column, None, label_vocabulary, loss_reduction)
    return MultiClass(n_classes, weight_column, label_vocabulary, loss_reduction)
