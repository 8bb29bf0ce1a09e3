"""Training, evaluation and prediction with arrays or input functions: what all estimators of tf.contrib.learn share."""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.contrib.learn.bundles import export_estimator, generic_signature_fn
from thalweg._src.contrib.learn.feeding import setup_train_data_feeder
from thalweg._src.contrib.learn.metric_spec import MetricSpec
from thalweg._src.contrib.learn.monitor_hooks import replace_monitors_with_hooks
from thalweg._src.contrib.learn.parameters import Evaluable, NotFittedError, ParametersOfEstimator, Trainable
from thalweg._src.contrib.learn.run_config import RunConfig
from thalweg._src.contrib.learn.signatures import create_signatures, tensors_compatible
from thalweg._src.core import scopes
from thalweg._src.core.graph import Graph, Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.seeds import set_random_seed
from thalweg._src.lib import checkpoints
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.estimators import evaluating
from thalweg._src.lib.estimators.input_results import chosen, parse_input_fn_result
from thalweg._src.lib.estimators.run_config import default_session_config
from thalweg._src.lib.global_step import _get_or_create_global_step_read, create_global_step
from thalweg._src.lib.hooks.basic import FeedFnHook, LoggingTensorHook, NanTensorHook, StopAtStepHook
from thalweg._src.lib.hooks.saving import CheckpointSaverHook
from thalweg._src.lib.monitored_session import ChiefSessionCreator, MonitoredSession, MonitoredTrainingSession
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saver import Saver
from thalweg._src.ops import basic


def get_input_fn(
    x: Any, y: Any, input_fn: Any, feed_fn: Any, batch_size: int | None, shuffle: bool = False, epochs: int | None = 1
) -> tuple[Any, Any]:
    """(input_fn, feed_fn): as given, or of a feeder for arrays. Raises ValueError for both, and neither."""
    if input_fn is None:
        if x is None:
            raise ValueError("Either x or input_fn must be provided.")
        if isinstance(x, Tensor) or isinstance(y, Tensor):
            raise ValueError("Inputs cannot be tensors. Please provide input_fn.")
        feeder = setup_train_data_feeder(x, y, None, batch_size, shuffle=shuffle, epochs=epochs)
        return feeder.input_builder, feeder.get_feed_dict_fn()
    _check_input_args(x, y, input_fn, feed_fn, batch_size)
    return input_fn, feed_fn


def _check_input_args(x: Any, y: Any, input_fn: Any, feed_fn: Any, batch_size: int | None) -> None:
    if input_fn is None:
        if x is None:
            raise ValueError("Either x or input_fn must be provided.")
        if feed_fn is not None:
            raise ValueError("Can not provide feed_fn without input_fn.")
        return
    if x is not None or y is not None:
        raise ValueError("Can not provide both input_fn and x or y.")
    if batch_size is not None:
        raise ValueError("Can not provide both input_fn and batch_size.")


def make_metrics_ops(metrics: Any, features: Any, labels: Any, predictions: Any) -> dict[str, Any]:
    """The ops of `metrics`: {name: MetricSpec}, or, as 0.x had it, {name or (name, key): function(predictions, labels)}."""
    if isinstance(labels, dict) and len(labels) == 1:
        labels = next(iter(labels.values()))
    made = {}
    for name, metric in sorted((metrics or {}).items(), key=lambda item: str(item[0])):
        if isinstance(metric, MetricSpec):
            made[name] = metric.create_metric_ops(features, labels, predictions)
        elif isinstance(name, tuple):
            if len(name) != 2:
                raise ValueError(f"Invalid metric for {name}. It returned a tuple with len {len(name)}, expected 2.")
            if not isinstance(predictions, dict):
                raise ValueError(
                    "Metrics passed provide (name, prediction), but predictions are not dict. Metrics: "
                    f"{metrics}, Predictions: {predictions}."
                )
            label = labels[name[1]] if isinstance(labels, dict) and name[1] in labels else labels
            made[name[0]] = metric(predictions[name[1]], label)
        elif isinstance(predictions, dict):
            raise ValueError(
                "Metrics passed provide only name, no prediction, but predictions are dict. Metrics: "
                f"{metrics}, Labels: {labels}."
            )
        else:
            made[name] = metric(predictions, labels)
    return made


class BaseEstimator(ParametersOfEstimator, Evaluable, Trainable):
    """Training, evaluation and prediction around three functions that subclasses have: _get_train_ops(features, labels),
    _get_eval_ops(features, labels, metrics) and _get_predict_ops(features). Raises ValueError for two different folders.
    """

    def __init__(self, model_dir: Any = None, config: Any = None):
        self._config = config or RunConfig()
        self._session_config = self._config.session_config or default_session_config()
        known = self._config.model_dir
        if model_dir is not None and known is not None and model_dir != known:
            raise ValueError(
                "model_dir are set both in constructor and RunConfig, but with different values. In constructor: "
                f"'{model_dir}', in RunConfig: '{known}' "
            )
        self._model_dir: str = model_dir or known or tempfile.mkdtemp()
        if model_dir is None and known is None:
            log.warning("Using temporary folder as model directory: %s", self._model_dir)
        if known is None:
            self._config = self._config.replace(model_dir=self._model_dir)
        log.info("Using config: %s", vars(self._config))
        self._features_info: Any = None
        self._labels_info: Any = None
        self._graph: Any = None

    @property
    def config(self) -> Any:
        return copy.deepcopy(self._config)

    @property
    def model_dir(self) -> str:
        return self._model_dir

    @property
    def model_fn(self) -> Any:
        """The model function with parameters filled in: (features, labels, mode, config)."""

        def public_model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
            return self._call_model_fn(features, labels, mode, config=config)

        return public_model_fn

    def _call_model_fn(self, features: Any, labels: Any, mode: str, metrics: Any = None, config: Any = None) -> Any:
        raise NotImplementedError

    # -- training

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        steps: int | None = None,
        batch_size: int | None = None,
        monitors: Any = None,
        max_steps: int | None = None,
    ) -> Any:
        """Train on arrays `x` and `y`, or on what `input_fn` gives, for `steps` more or until `max_steps`.

        Raises ValueError for both at once.
        """
        if steps is not None and max_steps is not None:
            raise ValueError("Can not provide both steps and max_steps.")
        _check_input_args(x, y, input_fn, None, batch_size)
        hooks = []
        if x is not None:
            input_fn, feed_fn = get_input_fn(x, y, None, None, batch_size, shuffle=True, epochs=None)
            hooks.append(FeedFnHook(feed_fn))
        if max_steps is not None:
            path = latest_checkpoint(self._model_dir)
            if path and max_steps <= checkpoints.load_variable(path, GraphKeys.GLOBAL_STEP):
                log.info("Skipping training since max_steps has already saved.")
                return self
        hooks.extend(replace_monitors_with_hooks(monitors, self))
        if steps is not None or max_steps is not None:
            hooks.append(StopAtStepHook(steps, max_steps))
        loss = self._train_model(input_fn, hooks)
        log.info("Loss for final step: %s.", loss)
        return self

    def partial_fit(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        steps: int | None = 1,
        batch_size: int | None = None,
        monitors: Any = None,
    ) -> Any:
        """Train one step more, or `steps`."""
        return self.fit(x, y, input_fn, steps, batch_size, monitors)

    def _train_model(self, input_fn: Any, hooks: list[Any]) -> Any:
        self._graph = Graph()
        config = self._config
        with self._graph.as_default() as graph, graph.device(config.device_fn):
            set_random_seed(config.tf_random_seed)
            step = create_global_step(graph)
            features, labels, input_hooks = parse_input_fn_result(input_fn())
            self._check_inputs(features, labels)
            _get_or_create_global_step_read()
            ops = self._get_train_ops(features, labels)
            scopes.add_to_collection(GraphKeys.LOSSES, ops.loss)
            told = LoggingTensorHook({"loss": ops.loss, "step": step}, every_n_iter=100)
            everything = [*input_hooks, *hooks, NanTensorHook(ops.loss), told, *ops.training_hooks]
            if not (ops.scaffold.saver or scopes.get_collection(GraphKeys.SAVERS)):
                saver = Saver(
                    sharded=True,
                    max_to_keep=config.keep_checkpoint_max,
                    keep_checkpoint_every_n_hours=config.keep_checkpoint_every_n_hours,
                    defer_build=True,
                    save_relative_paths=True,
                )
                scopes.add_to_collection(GraphKeys.SAVERS, saver)
            chief = list(ops.training_chief_hooks)
            saves = config.save_checkpoints_secs or config.save_checkpoints_steps
            if saves and not any(isinstance(h, CheckpointSaverHook) for h in [*everything, *chief]):
                how = {"save_secs": config.save_checkpoints_secs}
                if config.save_checkpoints_steps:
                    how = {"save_steps": config.save_checkpoints_steps}
                chief.insert(0, CheckpointSaverHook(self._model_dir, scaffold=ops.scaffold, **how))
            loss = None
            with MonitoredTrainingSession(
                master=config.master,
                is_chief=config.is_chief,
                checkpoint_dir=self._model_dir,
                scaffold=ops.scaffold,
                hooks=everything,
                chief_only_hooks=chief,
                save_checkpoint_secs=0,  # a hook saves
                save_summaries_steps=config.save_summary_steps,
                max_wait_secs=config.session_creation_timeout_secs,
                config=self._session_config,
            ) as session:
                while not session.should_stop():
                    _, loss = session.run([ops.train_op, ops.loss])
            return loss

    def _check_inputs(self, features: Any, labels: Any) -> None:
        """Note what inputs look like; raise ValueError when later ones look different."""
        if self._features_info is None:
            self._features_info = create_signatures(features)
        elif not tensors_compatible(features, self._features_info):
            raise ValueError(
                "Features are incompatible with given information. Given features: "
                f"{features}, required signatures: {self._features_info}."
            )
        if labels is None:
            return
        if self._labels_info is None:
            self._labels_info = create_signatures(labels)
        elif not tensors_compatible(labels, self._labels_info):
            raise ValueError(
                f"Labels are incompatible with given information. Given labels: {labels}, required signatures: "
                f"{self._labels_info}."
            )

    # -- evaluation

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        feed_fn: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        metrics: Any = None,
        name: str | None = None,
        checkpoint_path: Any = None,
        hooks: Any = None,
        log_progress: bool = True,
    ) -> dict[str, Any]:
        """{metric: value}, on arrays or what `input_fn` gives, with "loss" and "global_step" among them.

        Raises NotFittedError before the training, ValueError for metrics that are no dict.
        """
        _check_input_args(x, y, input_fn, feed_fn, batch_size)
        if metrics is not None and not isinstance(metrics, dict):
            raise ValueError(f"Metrics argument should be None or dict. Got {metrics}.")
        if x is not None:
            input_fn, feed_fn = get_input_fn(x, y, None, None, batch_size)
        results, step = self._evaluate_model(
            input_fn, steps, feed_fn, metrics, name, checkpoint_path, hooks, log_progress
        )
        results["global_step"] = step
        return results

    def _evaluate_model(
        self,
        input_fn: Any,
        steps: int | None,
        feed_fn: Any = None,
        metrics: Any = None,
        name: str | None = "",
        checkpoint_path: Any = None,
        hooks: Any = None,
        log_progress: bool = True,
    ) -> tuple[dict[str, Any], Any]:
        checkpoint_path = checkpoint_path or latest_checkpoint(self._model_dir)
        if not checkpoint_path:
            raise NotFittedError(f"Couldn't find trained model at {self._model_dir}.")
        folder = os.path.join(self._model_dir, f"eval_{name}" if name else "eval")
        with Graph().as_default() as graph:
            set_random_seed(self._config.tf_random_seed)
            step = create_global_step(graph)
            features, labels, input_hooks = parse_input_fn_result(input_fn())
            self._check_inputs(features, labels)
            ops = self._get_eval_ops(features, labels, metrics)
            update, values = _split_metrics(ops.eval_metric_ops)
            everything = [*input_hooks, *(hooks or [])]
            if feed_fn:
                everything.append(FeedFnHook(feed_fn))
            if steps:
                everything.append(evaluating.StopAfterNEvalsHook(steps, log_progress=log_progress))
            key = "global_step"
            while key in values:
                key = "_" + key
            values[key] = step
            results = evaluating.evaluate_once(
                checkpoint_path=checkpoint_path,
                master=self._config.evaluation_master,
                scaffold=ops.scaffold,
                eval_ops=update,
                final_ops=values,
                hooks=everything,
                config=self._session_config,
            )
            evaluating.write_results(folder, results, results[key])
            return results, results[key]

    # -- prediction

    def predict(
        self,
        x: Any = None,
        input_fn: Any = None,
        batch_size: int | None = None,
        outputs: Any = None,
        as_iterable: bool = True,
        iterate_batches: bool = False,
    ) -> Any:
        """Predictions: an iterable over examples (or batches), or an array of all without `as_iterable`."""
        _check_input_args(x, None, input_fn, None, batch_size)
        if x is not None and not as_iterable:
            return predict_arrays(self, x, batch_size)
        input_fn, feed_fn = get_input_fn(x, None, input_fn, None, batch_size)
        return self._infer_model(input_fn, feed_fn, outputs, as_iterable, iterate_batches)

    def _infer_model(
        self, input_fn: Any, feed_fn: Any = None, outputs: Any = None, as_iterable: bool = True, batches: bool = False
    ) -> Any:
        path = latest_checkpoint(self._model_dir)
        if not path:
            raise NotFittedError(f"Couldn't find trained model at {self._model_dir}.")
        with Graph().as_default() as graph:
            set_random_seed(self._config.tf_random_seed)
            create_global_step(graph)
            features, _, hooks = parse_input_fn_result(features_alone(input_fn()))
            ops = self._get_predict_ops(features)
            predictions = chosen(ops.predictions, outputs, "outputs")
            creator = ChiefSessionCreator(
                checkpoint_filename_with_path=path, scaffold=ops.scaffold, config=self._session_config
            )
            session = MonitoredSession(session_creator=creator, hooks=hooks)
            constant = not (feed_fn or hooks or graph.get_collection(GraphKeys.QUEUE_RUNNERS))
        if as_iterable:
            return _predicted(session, predictions, feed_fn, batches, constant)
        with session:
            return session.run(predictions, feed_fn() if feed_fn else None)

    _signature_fn: Any = staticmethod(generic_signature_fn)

    def export(
        self,
        export_dir: Any,
        input_fn: Any = None,
        input_feature_key: Any = None,
        use_deprecated_input_fn: bool = True,
        signature_fn: Any = None,
        prediction_key: Any = None,
        default_batch_size: int = 1,
        exports_to_keep: int | None = None,
        checkpoint_path: Any = None,
    ) -> bytes:
        """Write a model as it was exported before SavedModel, into a folder below `export_dir`, and give its path.

        `input_fn(estimator, examples)` makes features of serialized examples, which else are parsed as the training saw them; or,
        without `use_deprecated_input_fn`, `input_fn()` gives (features, labels), the examples under `input_feature_key` among
        them. `signature_fn(examples, features, predictions)` names what is served. Raises NotFittedError before the training.
        """
        path = checkpoint_path or latest_checkpoint(self._model_dir)
        if not path:
            raise NotFittedError(f"Couldn't find trained model at {self._model_dir}.")
        return export_estimator(
            *(self, export_dir, signature_fn, input_fn, input_feature_key, use_deprecated_input_fn),
            *(default_batch_size, exports_to_keep, prediction_key, path),
        )

    def get_variable_value(self, name: str) -> Any:
        """The array in the last checkpoint."""
        return checkpoints.load_variable(self.model_dir, name)

    def get_variable_names(self) -> list[str]:
        """The names in the last checkpoint."""
        return [name for name, _ in checkpoints.list_variables(self.model_dir)]

    def _get_train_ops(self, features: Any, labels: Any) -> Any:
        raise NotImplementedError

    def _get_predict_ops(self, features: Any) -> Any:
        raise NotImplementedError

    def _get_eval_ops(self, features: Any, labels: Any, metrics: Any) -> Any:
        raise NotImplementedError("_get_eval_ops not implemented in BaseEstimator")


def predict_arrays(estimator: Any, x: Any, batch_size: int | None, outputs: Any = None) -> Any:
    """The predictions for all rows: an array, or {name: array}."""
    input_fn, feed_fn = get_input_fn(x, None, None, None, batch_size)
    results = list(estimator._infer_model(input_fn, feed_fn, outputs, True, True))
    if not isinstance(results[0], dict):
        return np.concatenate(results, axis=0)
    return {key: np.concatenate([r[key] for r in results], axis=0) for key in results[0]}


def features_alone(result: Any) -> Any:
    return (result[0], None) if isinstance(result, list | tuple) else result


def _split_metrics(metrics: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    updates, values = [], {}
    for name, metric in metrics.items():
        if isinstance(metric, list | tuple) and len(metric) == 2:
            values[name] = metric[0]
            updates.append(metric[1])
        else:
            values[name] = metric
    return (basic.group(*updates) if updates else None), values


def _predicted(session: Any, predictions: Any, feed_fn: Any, batches: bool, constant: bool) -> Iterator[Any]:
    with session:
        while not session.should_stop():
            try:
                feed = feed_fn() if feed_fn else None
            except StopIteration:
                return
            batch = session.run(predictions, feed)
            if batches:
                yield batch
            elif not isinstance(predictions, dict):
                yield from batch
            else:
                first = next(iter(batch.values()))
                length = first.dense_shape[0] if hasattr(first, "dense_shape") else first.shape[0]
                for i in range(length):
                    yield {key: value[i] for key, value in batch.items()}
            if constant:
                return
