"""tf.contrib.learn.Estimator: fit, evaluate and predict with arrays or input functions."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.learn.base_estimator import (
    BaseEstimator,
    features_alone,
    get_input_fn,
    make_metrics_ops,
    predict_arrays,
)
from thalweg._src.contrib.learn.modes import MetricKey, ModeKeys, ModelFnOps
from thalweg._src.contrib.learn.parameters import NotFittedError, ParametersOfEstimator
from thalweg._src.contrib.learn.signatures import placeholders_from
from thalweg._src.core.graph import Graph
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.estimators.modes import fn_args
from thalweg._src.lib.hooks.basic import FeedFnHook
from thalweg._src.lib.metrics.means import mean


class Estimator(BaseEstimator):
    """`model_fn(features, labels, mode, params, config)`, or with fewer arguments, gives a ModelFnOps, or (predictions, loss,
    train_op). Raises ValueError when it gives something else, or takes no `params` that are given.
    """

    def __init__(
        self,
        model_fn: Any = None,
        model_dir: Any = None,
        config: Any = None,
        params: Any = None,
        feature_engineering_fn: Any = None,
    ):
        super().__init__(model_dir=model_dir, config=config)
        if model_fn is not None and params is not None and "params" not in fn_args(model_fn):
            raise ValueError(
                f"Estimator's model_fn ({model_fn}) does not have a params argument, but params ({params}) were passed to the "
                "Estimator's constructor."
            )
        self._model_fn, self.params = model_fn, params
        self._feature_engineering_fn = feature_engineering_fn or (lambda features, labels: (features, labels))

    def _call_model_fn(self, features: Any, labels: Any, mode: str, metrics: Any = None, config: Any = None) -> Any:
        features, labels = self._feature_engineering_fn(features, labels)
        offered = {"mode": mode, "params": self.params, "config": config or self.config, "model_dir": self.model_dir}
        taken = fn_args(self._model_fn)
        given = {name: value for name, value in offered.items() if name in taken[2:]}
        result = self._model_fn(features, labels, **given)
        if not isinstance(result, ModelFnOps):
            if len(result) != 3:
                raise ValueError("Unrecognized value returned by model_fn, please return ModelFnOps.")
            result = ModelFnOps(mode=mode, predictions=result[0], loss=result[1], train_op=result[2])
        if metrics:
            result.eval_metric_ops.update(make_metrics_ops(metrics, features, labels, result.predictions))
        return result

    def _get_train_ops(self, features: Any, labels: Any) -> Any:
        return self._call_model_fn(features, labels, ModeKeys.TRAIN)

    def _get_eval_ops(self, features: Any, labels: Any, metrics: Any) -> Any:
        ops = self._call_model_fn(features, labels, ModeKeys.EVAL, metrics)
        if MetricKey.LOSS not in ops.eval_metric_ops:
            ops.eval_metric_ops[MetricKey.LOSS] = mean(ops.loss)
        return ops

    def _get_predict_ops(self, features: Any) -> Any:
        return self._call_model_fn(features, placeholders_from(self._labels_info), ModeKeys.INFER)

    def export_savedmodel(
        self,
        export_dir_base: Any,
        serving_input_fn: Any,
        default_output_alternative_key: str | None = None,
        assets_extra: Any = None,
        as_text: bool = False,
        checkpoint_path: Any = None,
        graph_rewrite_specs: Any = None,
        strip_default_attrs: bool = False,
    ) -> bytes:
        """Write a SavedModel below `export_dir_base` and give its path. Raises ValueError without an input function."""
        from thalweg._src.contrib.learn.exporting import export_savedmodel

        if serving_input_fn is None:
            raise ValueError("serving_input_fn must be defined.")
        path = checkpoint_path or latest_checkpoint(self._model_dir)
        if not path:
            raise NotFittedError(f"Couldn't find trained model at {self._model_dir}.")
        return export_savedmodel(
            self,
            export_dir_base,
            serving_input_fn,
            default_output_alternative_key,
            assets_extra,
            as_text,
            path,
            strip_default_attrs,
        )


class SKCompat(ParametersOfEstimator):
    """An estimator with scikit-learn's signatures: `fit(x, y)`, `score(x, y)`, and `predict(x)` as arrays."""

    def __init__(self, estimator: Any):
        self._estimator = estimator

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int = 128,
        steps: int | None = None,
        max_steps: int | None = None,
        monitors: Any = None,
    ) -> SKCompat:
        """Train on arrays."""
        input_fn, feed_fn = get_input_fn(x, y, None, None, batch_size, shuffle=True, epochs=None)
        hooks = [FeedFnHook(feed_fn), *(monitors or [])]
        self._estimator.fit(input_fn=input_fn, steps=steps, max_steps=max_steps, monitors=hooks)
        return self

    def score(
        self,
        x: Any,
        y: Any,
        batch_size: int | None = 128,
        steps: int | None = None,
        metrics: Any = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Evaluate on arrays. Raises ValueError for metrics that are no dict."""
        input_fn, feed_fn = get_input_fn(x, y, None, None, batch_size)
        return self._estimator.evaluate(input_fn=input_fn, feed_fn=feed_fn, steps=steps, metrics=metrics, name=name)

    def predict(self, x: Any, batch_size: int | None = 128, outputs: Any = None) -> Any:
        """The predictions for all rows: an array, or {name: array}."""
        return predict_arrays(self._estimator, x, batch_size, outputs)


def infer_real_valued_columns_from_input_fn(input_fn: Any) -> list[Any]:
    """Real-valued columns for all features that `input_fn` gives."""
    from thalweg._src.contrib.layers.column_ops import infer_real_valued_columns

    with Graph().as_default():
        return infer_real_valued_columns(features_alone(input_fn())[0])


def infer_real_valued_columns_from_input(x: Any) -> list[Any]:
    """Real-valued columns for an array, or a dict of arrays."""
    input_fn, _ = get_input_fn(x, None, None, None, None)
    return infer_real_valued_columns_from_input_fn(input_fn)
