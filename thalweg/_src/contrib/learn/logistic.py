"""tf.contrib.learn.LogisticRegressor: any model of probabilities, with the metrics of two classes."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.learn.estimator import Estimator
from thalweg._src.contrib.learn.head_metrics import area, at_threshold
from thalweg._src.contrib.learn.modes import MetricKey, ModeKeys, ModelFnOps, ProblemType
from thalweg._src.lib.metrics import means


def _metrics(labels: Any, predictions: Any, thresholds: Any) -> dict[str, Any]:
    """Means, the area under the curve, and accuracy, precision and recall at each threshold."""
    if isinstance(labels, dict) and len(labels) == 1:
        (labels,) = labels.values()
    found = {
        MetricKey.PREDICTION_MEAN: means.mean(predictions),
        MetricKey.LABEL_MEAN: means.mean(labels),
        MetricKey.ACCURACY_BASELINE: means.mean(labels),  # what the constant answer "1" would reach
        MetricKey.AUC: area(predictions, labels, None),
    }
    for threshold in thresholds:
        found.update(at_threshold(predictions, labels, None, threshold))
    return found


def LogisticRegressor(
    model_fn: Any, thresholds: Any = None, model_dir: Any = None, config: Any = None, feature_engineering_fn: Any = None
) -> Estimator:
    """An Estimator of `model_fn(features, labels, mode)`, which gives (probabilities of the class 1, loss, train_op)."""

    def with_metrics(features: Any, labels: Any, mode: str, params: dict[str, Any]) -> ModelFnOps:
        predictions, loss, train_op = model_fn(features, labels, mode)
        measured = mode == ModeKeys.EVAL
        return ModelFnOps(
            mode=mode,
            predictions=predictions,
            loss=loss,
            train_op=train_op,
            eval_metric_ops=_metrics(labels, predictions, params["thresholds"] or [0.5]) if measured else None,
            output_alternatives={"head": (ProblemType.LOGISTIC_REGRESSION, {"predictions": predictions})},
        )

    return Estimator(
        model_fn=with_metrics,
        model_dir=model_dir,
        config=config,
        params={"thresholds": thresholds},
        feature_engineering_fn=feature_engineering_fn,
    )
