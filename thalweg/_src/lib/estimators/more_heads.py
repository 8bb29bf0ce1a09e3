"""Heads by name: the functions of tf.contrib.estimator, the classes of tf.estimator, several labels and several heads."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib.estimators import head_checks as checked
from thalweg._src.lib.estimators.export_outputs import DEFAULT_SIGNATURE, ClassificationOutput, PredictOutput
from thalweg._src.lib.estimators.heads import (
    BinaryLogistic,
    Head,
    LossSpec,
    Metrics,
    MultiClass,
    Regression,
    area,
    at_threshold,
    check_vocabulary,
    label_table,
    made_train_op,
    mean_of,
)
from thalweg._src.lib.estimators.keys import MetricKeys, PredictionKeys
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.estimators.spec import EstimatorSpec
from thalweg._src.lib.losses import Reduction
from thalweg._src.lib.metrics import means
from thalweg._src.lib.summary import summary
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import softmax
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_to_indicator
from thalweg._src.ops.text.string_numbers import as_string

_OVER_BATCH = Reduction.SUM_OVER_BATCH_SIZE


def _reduction(name: str) -> str:
    """A reduction by its name in 1.x or 2.x."""
    return {"sum": Reduction.SUM, "sum_over_batch_size": _OVER_BATCH, "auto": _OVER_BATCH}.get(name, name)


class MultiLabel(Head):
    """A sigmoid for each of `n_classes`: an example has any number of them.

    Labels are rows of 0 and 1, or sparse class numbers, or sparse words of `label_vocabulary`.
    """

    def __init__(
        self,
        n_classes: int,
        weight_column: Any = None,
        thresholds: Any = None,
        label_vocabulary: Any = None,
        loss_reduction: str = _OVER_BATCH,
        loss_fn: Any = None,
        classes_for_class_based_metrics: Any = None,
        name: str | None = None,
    ):
        if n_classes is None or n_classes < 2:
            raise ValueError(f"n_classes must be > 1 for multi-label classification. Given: {n_classes}")
        self._thresholds = tuple(thresholds or ())
        for t in self._thresholds:
            if t <= 0.0 or t >= 1.0:
                raise ValueError(f"thresholds must be in (0, 1) range. Given: {t}")
        check_vocabulary(label_vocabulary)
        if label_vocabulary and len(label_vocabulary) != n_classes:
            raise ValueError(
                f"Length of label_vocabulary must be n_classes ({n_classes}). Given: {len(label_vocabulary)}"
            )
        super().__init__(weight_column, _reduction(loss_reduction), loss_fn, name)
        self._count, self._label_vocabulary = n_classes, label_vocabulary
        self._by_class = tuple(classes_for_class_based_metrics or ())

    @property
    def logits_dimension(self) -> int:
        return self._count

    def _labels(self, labels: Any, logits: Any) -> Any:
        if labels is None:
            raise ValueError(
                "You must provide a labels Tensor. Given: None. Suggested troubleshooting steps: Check that your data contain "
                "your label feature. Check that your input_fn properly parses and returns labels."
            )
        if isinstance(labels, SparseTensor):
            values = labels.values
            if labels.dtype == dtypes.string:
                values = label_table(self._label_vocabulary).lookup(labels.values)
            values = checked.in_range(values, self._count)
            sparse = SparseTensor(labels.indices, math.cast(values, dtypes.int64), labels.dense_shape)
            return math.cast(sparse_to_indicator(sparse, self._count), dtypes.int64)
        dense = checked.checked_labels(labels, logits, self._count)
        return checked.in_range(dense, 2, "labels must be an integer indicator Tensor with values in [0, 1]")

    def _losses(self, labels: Any, logits: Any) -> Any:
        losses = softmax.sigmoid_cross_entropy_with_logits(labels=math.cast(labels, dtypes.float32), logits=logits)
        return math.reduce_mean(losses, axis=-1, keepdims=True)

    def _predictions(self, logits: Any) -> Metrics:
        probabilities = math.sigmoid(logits, name=PredictionKeys.PROBABILITIES)
        return {PredictionKeys.LOGITS: logits, PredictionKeys.PROBABILITIES: probabilities}

    def _outputs(self, predictions: Metrics) -> dict[str, Any]:
        scores = predictions[PredictionKeys.PROBABILITIES]
        names = list(self._label_vocabulary) if self._label_vocabulary else as_string(math.range(self._count))
        classes = array.tile(array.expand_dims(names, axis=0), [array.shape(scores)[0], 1])
        output = ClassificationOutput(scores=scores, classes=classes)
        return {DEFAULT_SIGNATURE: output, "classification": output, "predict": PredictOutput(predictions)}

    def _metrics(self, predictions: Metrics, loss: LossSpec) -> Metrics:
        labels, weights = loss.processed_labels, loss.weights
        probabilities = predictions[PredictionKeys.PROBABILITIES]
        metrics = {
            MetricKeys.AUC: area(labels, probabilities, weights, "ROC", MetricKeys.AUC),
            MetricKeys.AUC_PR: area(labels, probabilities, weights, "PR", MetricKeys.AUC_PR),
        }
        for t in self._thresholds:
            metrics.update(at_threshold(labels, probabilities, weights, t))
        for given in self._by_class:
            i = self._label_vocabulary.index(given) if isinstance(given, str) else given
            kind = "NAME" if isinstance(given, str) else "CLASS"
            part, truth = probabilities[:, i : i + 1], labels[:, i : i + 1]
            key = getattr(MetricKeys, f"PROBABILITY_MEAN_AT_{kind}") % given
            metrics[key] = mean_of(part, weights, key)
            for curve, name in (("ROC", "AUC_AT_"), ("PR", "AUC_PR_AT_")):
                key = getattr(MetricKeys, name + kind) % given
                metrics[key] = area(truth, part, weights, curve, key)
        return metrics


class MultiHead(Head):
    """Several heads with names on one model: logits side by side or in a dict, labels in a dict. Losses are added.

    Raises ValueError for no heads, heads without names, and names that are there twice.
    """

    def __init__(self, heads: Any, head_weights: Any = None):
        if not heads:
            raise ValueError(f"Must specify heads. Given: {heads}")
        if head_weights and len(head_weights) != len(heads):
            raise ValueError(
                f"heads and head_weights must have the same size. Given len(heads): {len(heads)}. Given len(head_weights): "
                f"{len(head_weights)}."
            )
        names = [head.name for head in heads]
        if not all(names):
            raise ValueError(f"All given heads must have name specified. Given: {heads}")
        super().__init__(None, Reduction.SUM, None, "_".join(names))
        self._heads, self._head_weights = tuple(heads), tuple(head_weights or ())

    @property
    def logits_dimension(self) -> int:
        return sum(head.logits_dimension for head in self._heads)

    def _split(self, logits: Any) -> dict[str, Any]:
        if isinstance(logits, dict):
            return logits
        logits, parts, begin = to_tensor(logits), {}, 0
        for head in self._heads:
            parts[head.name] = logits[..., begin : begin + head.logits_dimension]
            begin += head.logits_dimension
        return parts

    def create_loss(self, features: Any, mode: str, logits: Any, labels: Any) -> LossSpec:
        parts = self._split(logits)
        specs = [h.create_loss(features, mode, parts[h.name], labels[h.name]) for h in self._heads]
        names = [h.name for h in self._heads]
        losses, weights = (
            dict(zip(names, self._scaled([getattr(s, field) for s in specs]), strict=True))
            for field in ("unreduced_loss", "weights")
        )
        found = {h.name: s.processed_labels for h, s in zip(self._heads, specs, strict=True)}
        return LossSpec(self._weighted([s.training_loss for s in specs]), losses, weights, found)

    def _scaled(self, values: list[Any]) -> list[Any]:
        """A value of each head times the head's weight."""
        if not self._head_weights:
            return values
        return [math.multiply(value, w) for value, w in zip(values, self._head_weights, strict=True)]

    def _weighted(self, losses: list[Any]) -> Any:
        return math.add_n(self._scaled(losses))

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
        """The EstimatorSpec for `mode`: predictions by (head, name), losses added, metrics of all."""
        parts = self._split(logits)
        if labels is not None and not isinstance(labels, dict):
            raise ValueError(f"labels must be a dict. Given: {labels}")
        nothing = {"train_op_fn": lambda loss: loss.op} if mode == ModeKeys.TRAIN else {}
        specs = [
            h.create_estimator_spec(
                features, mode, parts[h.name], None if labels is None else labels[h.name], **nothing
            )
            for h in self._heads
        ]
        pairs = list(zip(self._heads, specs, strict=True))
        predictions = {(h.name, key): v for h, s in pairs for key, v in s.predictions.items()}
        if mode == ModeKeys.PREDICT:
            outputs = {DEFAULT_SIGNATURE: specs[0].export_outputs[DEFAULT_SIGNATURE]}
            flat: Metrics = {}
            for head, spec in pairs:
                for key, output in spec.export_outputs.items():
                    outputs[head.name if key == DEFAULT_SIGNATURE else f"{head.name}/{key}"] = output
                    if key == "predict":
                        flat.update({f"{head.name}/{k}": v for k, v in output.outputs.items()})
            outputs["predict"] = PredictOutput(flat)
            return EstimatorSpec(mode, predictions=predictions, export_outputs=outputs)
        loss = self._weighted([spec.loss for spec in specs])
        if regularization_losses:
            loss = math.add_n([loss, *regularization_losses])
        if mode == ModeKeys.EVAL:
            metrics = {key: pair for spec in specs for key, pair in spec.eval_metric_ops.items()}
            for head, spec in pairs:
                metrics[f"{MetricKeys.LOSS}/{head.name}"] = means.mean(spec.loss, name=f"loss_{head.name}")
            return EstimatorSpec(mode, predictions=predictions, loss=loss, eval_metric_ops=metrics)
        summary.scalar(MetricKeys.LOSS, loss)
        train_op = made_train_op(loss, optimizer, train_op_fn)
        return EstimatorSpec(mode, predictions=predictions, loss=loss, train_op=train_op)


# -- tf.contrib.estimator


def binary_classification_head(
    weight_column: Any = None,
    thresholds: Any = None,
    label_vocabulary: Any = None,
    loss_reduction: str = _OVER_BATCH,
    loss_fn: Any = None,
    name: str | None = None,
) -> Head:
    """A head for two classes."""
    return BinaryLogistic(weight_column, thresholds, label_vocabulary, _reduction(loss_reduction), loss_fn, name)


def multi_class_head(
    n_classes: int,
    weight_column: Any = None,
    label_vocabulary: Any = None,
    loss_reduction: str = _OVER_BATCH,
    loss_fn: Any = None,
    name: str | None = None,
) -> Head:
    """A head for more than two classes."""
    return MultiClass(n_classes, weight_column, label_vocabulary, _reduction(loss_reduction), loss_fn, name)


def regression_head(
    weight_column: Any = None,
    label_dimension: int = 1,
    loss_reduction: str = _OVER_BATCH,
    loss_fn: Any = None,
    inverse_link_fn: Any = None,
    name: str | None = None,
) -> Head:
    """A head for numbers."""
    return Regression(label_dimension, weight_column, _reduction(loss_reduction), loss_fn, inverse_link_fn, name)


def _log_poisson(full: bool) -> Any:
    def poisson_loss(labels: Any, logits: Any) -> Any:
        loss = math.exp(logits) - logits * labels
        if not full:
            return loss
        stirling = labels * math.log(labels) - labels + 0.5 * math.log(2.0 * 3.141592653589793 * labels)
        small = math.logical_and(labels >= 0.0, labels <= 1.0)
        return loss + array.where(small, array.zeros_like(labels), stirling)

    return poisson_loss


def poisson_regression_head(
    weight_column: Any = None,
    label_dimension: int = 1,
    loss_reduction: str = _OVER_BATCH,
    compute_full_loss: bool = True,
    name: str | None = None,
) -> Head:
    """A head for counts: the logits are logarithms of rates."""
    loss = _log_poisson(compute_full_loss)
    return Regression(label_dimension, weight_column, _reduction(loss_reduction), loss, math.exp, name)


def logistic_regression_head(
    weight_column: Any = None, loss_reduction: str = _OVER_BATCH, name: str | None = None
) -> Head:
    """A head for numbers in [0, 1]."""

    def logistic_loss(labels: Any, logits: Any) -> Any:
        labels = checked.in_range(labels, 2, "Labels must be in range [0, 1]")
        return softmax.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)

    return Regression(1, weight_column, _reduction(loss_reduction), logistic_loss, math.sigmoid, name)


def multi_label_head(
    n_classes: int,
    weight_column: Any = None,
    thresholds: Any = None,
    label_vocabulary: Any = None,
    loss_reduction: str = _OVER_BATCH,
    loss_fn: Any = None,
    classes_for_class_based_metrics: Any = None,
    name: str | None = None,
) -> Head:
    """A head for any number of classes at once."""
    return MultiLabel(
        *(n_classes, weight_column, thresholds, label_vocabulary, loss_reduction, loss_fn),
        *(classes_for_class_based_metrics, name),
    )


def multi_head(heads: Any, head_weights: Any = None) -> Head:
    """Several heads on one model."""
    return MultiHead(heads, head_weights)


# tf.estimator has the same heads as classes.
BinaryClassHead = binary_classification_head
LogisticRegressionHead = logistic_regression_head
MultiLabelHead = MultiLabel


def MultiClassHead(
    n_classes: int,
    weight_column: Any = None,
    label_vocabulary: Any = None,
    loss_reduction: str = _OVER_BATCH,
    loss_fn: Any = None,
    name: str | None = None,
) -> Head:
    """A head for more than two classes."""
    return multi_class_head(n_classes, weight_column, label_vocabulary, loss_reduction, loss_fn, name)


def RegressionHead(
    label_dimension: int = 1,
    weight_column: Any = None,
    loss_reduction: str = _OVER_BATCH,
    loss_fn: Any = None,
    inverse_link_fn: Any = None,
    name: str | None = None,
) -> Head:
    """A head for numbers."""
    return regression_head(weight_column, label_dimension, loss_reduction, loss_fn, inverse_link_fn, name)


def PoissonRegressionHead(
    label_dimension: int = 1,
    weight_column: Any = None,
    loss_reduction: str = _OVER_BATCH,
    compute_full_loss: bool = True,
    name: str | None = None,
) -> Head:
    """A head for counts."""
    return poisson_regression_head(weight_column, label_dimension, loss_reduction, compute_full_loss, name)
