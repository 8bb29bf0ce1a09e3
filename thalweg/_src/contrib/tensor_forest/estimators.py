"""Estimators of random forests, as tf.contrib.learn and tf.estimator have them."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.layers.column_ops import transform_features as transform_contrib
from thalweg._src.contrib.learn import head as learn_heads
from thalweg._src.contrib.learn.estimator import Estimator as LearnEstimator
from thalweg._src.contrib.learn.modes import ProblemType
from thalweg._src.contrib.tensor_forest.forest import RandomForestGraphs
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.estimators.estimator import Estimator as CoreEstimator
from thalweg._src.lib.estimators.export_outputs import PredictOutput
from thalweg._src.lib.estimators.heads import Regression, classifier_head
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.feature_columns.layers import transform_features
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunHook
from thalweg._src.lib.losses import Reduction
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.late import math

TREE_PATHS_PREDICTION_KEY = "tree_paths"
VARIANCE_PREDICTION_KEY = "prediction_variance"
ALL_SERVING_KEY = "tensorforest_all"
_EPSILON = 1e-6


class TensorForestLossHook(SessionRunHook):
    """Ends the training when the loss did not fall for `early_stopping_rounds` steps, by a part of `early_stopping_loss_threshold`."""

    def __init__(
        self, early_stopping_rounds: int, early_stopping_loss_threshold: float | None = None, loss_op: Any = None
    ):
        self.early_stopping_rounds, self.loss_op = early_stopping_rounds, loss_op
        self.early_stopping_loss_threshold = early_stopping_loss_threshold or 0.0
        self.min_loss: Any = None
        self.last_step, self.steps = -1, 0

    def before_run(self, run_context: Any) -> Any:
        loss = self.loss_op
        if loss is None:
            loss = run_context.session.graph.get_operation_by_name("rf_training_loss").outputs[0]
        return SessionRunArgs({"global_step": get_global_step(), "current_loss": loss})

    def after_run(self, run_context: Any, run_values: Any) -> None:
        loss, step = run_values.results["current_loss"], run_values.results["global_step"]
        self.steps += 1
        again = self.last_step == -1 or self.last_step > step
        self.last_step = step
        if again:
            self.steps, self.min_loss = 0, None
            return
        if self.min_loss is None or loss < self.min_loss - self.min_loss * self.early_stopping_loss_threshold:
            self.min_loss, self.steps = loss, 0
        if self.steps > self.early_stopping_rounds:
            log.info("TensorForestLossHook requesting stop.")
            run_context.request_stop()


class LossMonitor(TensorForestLossHook):
    """The hook, by its name of 0.12: LossMonitor(early_stopping_rounds, every_n_steps)."""

    def __init__(
        self, early_stopping_rounds: int, every_n_steps: int = 1, early_stopping_loss_threshold: float | None = None
    ):
        super().__init__(early_stopping_rounds * every_n_steps, early_stopping_loss_threshold)


class _TellAtEnd(SessionRunHook):
    """Logs the parts of splits by each feature when the training ends."""

    def __init__(self, importances: Any):
        self._importances = importances

    def end(self, session: Any) -> None:
        log.info("feature_importances: %s", session.run(self._importances))


def _default_head(params: Any, weights_name: Any, core: bool, name: str | None = None) -> Any:
    if not core:
        if params.regression:
            return learn_heads.regression_head(
                weight_column_name=weights_name, label_dimension=params.num_outputs, head_name=name
            )
        return learn_heads.multi_class_head(params.num_classes, weight_column_name=weights_name, head_name=name)
    if params.regression:
        return Regression(params.num_outputs, weights_name, Reduction.SUM_OVER_BATCH_SIZE, name=name)
    return classifier_head(params.num_classes, weights_name, None, Reduction.SUM_OVER_BATCH_SIZE)


def get_model_fn(
    params: Any,
    graph_builder_class: Any,
    device_assigner: Any,
    feature_columns: Any = None,
    weights_name: Any = None,
    model_head: Any = None,
    keys_name: Any = None,
    early_stopping_rounds: int | None = 100,
    early_stopping_loss_threshold: float = 0.001,
    num_trainers: int = 1,
    trainer_id: int = 0,
    report_feature_importances: bool = False,
    local_eval: bool = False,
    head_scope: Any = None,
    include_all_in_serving: bool = False,
    core: bool = False,
) -> Any:
    """A model function of a forest: a ModelFnOps, or an EstimatorSpec with `core`."""
    head = model_head or _default_head(params, weights_name, core)

    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        features = dict(features) if isinstance(features, dict) else {"features": features}
        if feature_columns:
            made = (transform_features if core else transform_contrib)(features, feature_columns)
            features.update({column.name: tensor for column, tensor in made.items()} if core else made)
        weights, keys = features.pop(weights_name, None), features.pop(keys_name, None)
        local = mode == ModeKeys.PREDICT or (local_eval and mode == ModeKeys.EVAL)
        builder = graph_builder_class(params, device_assigner=None if local else device_assigner)
        logits, paths, variance = builder.inference_graph(features)
        summary.scalar("average_tree_size", builder.average_size())
        if not params.regression and params.num_classes == 2:
            one = logits[:, 1:2]
            logits = math.log(math.maximum(one / math.maximum(1.0 - one, _EPSILON), _EPSILON))
        step, hooks = None, []
        if labels is not None and mode == ModeKeys.TRAIN:
            with get_default_graph().control_dependencies([logits.op]):
                how = {"input_weights": weights, "num_trainers": num_trainers, "trainer_id": trainer_id}
                trained = builder.training_graph(features, labels, **how)
                step = basic.group(trained, get_global_step().assign_add(1))
        if weights is not None:
            features[weights_name] = weights
        if report_feature_importances:
            hooks.append(_TellAtEnd(builder.feature_importances()))
        how = {"features": features, "labels": labels, "mode": mode, "logits": logits, "train_op_fn": lambda loss: step}
        spec = head.create_estimator_spec(**how) if core else head.create_model_fn_ops(**how, scope=head_scope)
        if early_stopping_rounds and mode == ModeKeys.TRAIN:
            hooks.append(TensorForestLossHook(early_stopping_rounds, early_stopping_loss_threshold, spec.loss))
        if keys is not None:
            spec.predictions[keys_name] = keys
        if params.inference_tree_paths:
            spec.predictions[TREE_PATHS_PREDICTION_KEY] = paths
        spec.predictions[VARIANCE_PREDICTION_KEY] = variance
        if core:
            spec = spec._replace(training_hooks=[*hooks, *spec.training_hooks])
            if include_all_in_serving:
                spec = spec._replace(export_outputs={ALL_SERVING_KEY: PredictOutput(spec.predictions)})
            return spec
        spec.training_hooks.extend(hooks)
        if include_all_in_serving:
            spec.output_alternatives[ALL_SERVING_KEY] = (ProblemType.UNSPECIFIED, spec.predictions)
        return spec

    return model_fn


def _trainers(num_trainers: int, config: Any) -> int:
    return max(1, config.num_worker_replicas) if num_trainers == 1 and config is not None else num_trainers


class TensorForestEstimator(LearnEstimator):
    """A forest as an estimator of tf.contrib.learn."""

    def __init__(
        self,
        params: Any,
        device_assigner: Any = None,
        model_dir: Any = None,
        feature_columns: Any = None,
        graph_builder_class: Any = RandomForestGraphs,
        config: Any = None,
        weight_column: Any = None,
        keys_column: Any = None,
        feature_engineering_fn: Any = None,
        early_stopping_rounds: int | None = 100,
        early_stopping_loss_threshold: float = 0.001,
        num_trainers: int = 1,
        trainer_id: int = 0,
        report_feature_importances: bool = False,
        local_eval: bool = False,
        version: Any = None,
        head: Any = None,
        include_all_in_serving: bool = False,
    ):
        model_fn = get_model_fn(
            *(params.fill(), graph_builder_class, device_assigner, feature_columns, weight_column, head, keys_column),
            *(early_stopping_rounds, early_stopping_loss_threshold, _trainers(num_trainers, config), trainer_id),
            *(report_feature_importances, local_eval),
            include_all_in_serving=include_all_in_serving,
        )
        super().__init__(model_fn, model_dir, config, feature_engineering_fn=feature_engineering_fn)


class CoreTensorForestEstimator(CoreEstimator):
    """A forest as an estimator of tf.estimator."""

    def __init__(
        self,
        params: Any,
        device_assigner: Any = None,
        model_dir: Any = None,
        feature_columns: Any = None,
        graph_builder_class: Any = RandomForestGraphs,
        config: Any = None,
        weight_column: Any = None,
        keys_column: Any = None,
        feature_engineering_fn: Any = None,
        early_stopping_rounds: int | None = 100,
        early_stopping_loss_threshold: float = 0.001,
        num_trainers: int = 1,
        trainer_id: int = 0,
        report_feature_importances: bool = False,
        local_eval: bool = False,
        version: Any = None,
        head: Any = None,
        include_all_in_serving: bool = False,
    ):
        model_fn = get_model_fn(
            *(params.fill(), graph_builder_class, device_assigner, feature_columns, weight_column, head, keys_column),
            *(early_stopping_rounds, early_stopping_loss_threshold, _trainers(num_trainers, config)),
            *(trainer_id or (config.global_id_in_cluster if config else 0), report_feature_importances, local_eval),
            include_all_in_serving=include_all_in_serving,
            core=True,
        )
        super().__init__(model_fn, model_dir, config)
