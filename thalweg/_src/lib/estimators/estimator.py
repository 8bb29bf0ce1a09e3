"""tf.estimator.Estimator: a model function, trained, evaluated, used and exported, each time in a graph of its own."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.graph import Graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.seeds import set_random_seed
from thalweg._src.lib import checkpoints
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.device_setter import STANDARD_PS_OPS, replica_device_setter
from thalweg._src.lib.estimators import evaluating, exporting
from thalweg._src.lib.estimators.input_results import chosen, ends, length_of, parse_input_fn_result
from thalweg._src.lib.estimators.modes import ModeKeys, call_with, fn_args
from thalweg._src.lib.estimators.run_config import TaskType, with_model_dir
from thalweg._src.lib.estimators.spec import LOSS_METRIC_KEY, EstimatorSpec, verify_model_fn_args
from thalweg._src.lib.estimators.warm import WarmStartSettings, warm_start_settings
from thalweg._src.lib.global_step import _get_or_create_global_step_read, create_global_step, get_global_step
from thalweg._src.lib.hooks.basic import LoggingTensorHook, NanTensorHook, StopAtStepHook
from thalweg._src.lib.hooks.hook import SessionRunHook
from thalweg._src.lib.hooks.saving import CheckpointSaverHook, CheckpointSaverListener
from thalweg._src.lib.metrics.means import mean
from thalweg._src.lib.monitored_session import ChiefSessionCreator, MonitoredSession, MonitoredTrainingSession
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.scaffold import Scaffold
from thalweg._src.lib.summary import summary
from thalweg._src.lib.warm_start import warm_start
from thalweg._src.ops import basic

__all__ = ["Estimator", "WarmStartSettings"]


def _variables_on_servers(config: Any) -> Any:
    """The device function of a cluster that has parameter servers; None for others."""
    if not config.num_ps_replicas:
        return None
    task = f"/job:{config.task_type}/task:{config.task_id}" if config.task_type else "/job:worker"
    return replica_device_setter(
        ps_tasks=config.num_ps_replicas, worker_device=task, cluster=config.cluster_spec, ps_ops=STANDARD_PS_OPS
    )


class Estimator:
    """Train and use what `model_fn(features, labels, mode, params, config)` builds; it may take fewer of these.

    It returns an EstimatorSpec. Checkpoints and summaries go to `model_dir` (a new temporary folder if none is given), and
    training goes on from the last one. `warm_start_from`: a checkpoint, SavedModel or WarmStartSettings for the first values.
    Raises ValueError for model functions with other arguments.

    >>> def model_fn(features, labels, mode):
    ...     w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
    ...     loss = tf.reduce_mean(tf.square(w * features["x"] - labels))
    ...     step = tf.train.get_global_step()
    ...     train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, step)
    ...     return tf.estimator.EstimatorSpec(mode, predictions=w * features["x"], loss=loss, train_op=train)
    >>> inputs = tf.estimator.inputs.numpy_input_fn({"x": np.float32([1, 2])}, np.float32([2, 4]), 2, None, False)
    >>> round(float(tf.estimator.Estimator(model_fn).train(inputs, steps=50).get_variable_value("w")), 3)
    2.0
    """

    def __init__(
        self, model_fn: Any, model_dir: Any = None, config: Any = None, params: Any = None, warm_start_from: Any = None
    ):
        _check_nothing_overridden(self)
        self._config = with_model_dir(config, model_dir)
        self._model_dir: str = self._config.model_dir
        self._session_config = self._config.session_config
        log.info("Using config: %s", vars(self._config))
        self._device_fn = self._config.device_fn or _variables_on_servers(self._config)
        if model_fn is None:
            raise ValueError("model_fn must be provided to Estimator.")
        verify_model_fn_args(model_fn, params)
        self._model_fn = model_fn
        self._params = copy.deepcopy(params or {})
        self._warm_start_settings = warm_start_settings(warm_start_from)

    @property
    def model_dir(self) -> str:
        return self._model_dir

    @property
    def config(self) -> Any:
        return copy.deepcopy(self._config)

    @property
    def params(self) -> Any:
        return copy.deepcopy(self._params)

    @property
    def model_fn(self) -> Any:
        """The model function, with `params` filled in: (features, labels, mode, config)."""

        def public_model_fn(features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
            return self._call_model_fn(features, labels, mode, config)

        return public_model_fn

    def latest_checkpoint(self) -> Any:
        """The path of the last checkpoint, or None."""
        return latest_checkpoint(self.model_dir)

    def get_variable_value(self, name: str) -> Any:
        """The array in the last checkpoint. Raises ValueError when there is none."""
        _check_trained(self.model_dir)
        return checkpoints.load_variable(self.model_dir, name)

    def get_variable_names(self) -> list[str]:
        """The names in the last checkpoint. Raises ValueError when there is none."""
        _check_trained(self.model_dir)
        return [name for name, _ in checkpoints.list_variables(self.model_dir)]

    def eval_dir(self, name: str | None = None) -> str:
        """Where the summaries of an evaluation go."""
        return os.path.join(self._model_dir, f"eval_{name}" if name else "eval")

    # -- training

    def train(
        self,
        input_fn: Any,
        hooks: Any = None,
        steps: int | None = None,
        max_steps: int | None = None,
        saving_listeners: Any = None,
    ) -> Estimator:
        """Train for `steps` more steps, until the global step is `max_steps`, or until the input ends.

        `input_fn` gives (features, labels) or a Dataset of them. Raises ValueError for numbers below 1 and for both together.
        """
        if self.config.task_type in (TaskType.EVALUATOR, TaskType.PS):
            raise ValueError(
                "Train has been called wrong configuration. Please use tf.estimator.train_and_evaluate which calls proper API "
                f"according to given configuration. Current configuration: {self.config}."
            )
        if steps is not None and max_steps is not None:
            raise ValueError("Can not provide both steps and max_steps.")
        if steps is not None and steps <= 0:
            raise ValueError(f"Must specify steps > 0, given: {steps}")
        if max_steps is not None and max_steps <= 0:
            raise ValueError(f"Must specify max_steps > 0, given: {max_steps}")
        if max_steps is not None and max_steps <= _saved_step(self._model_dir):
            log.info("Skipping training since max_steps has already saved.")
            return self
        hooks = _check_hooks(hooks)
        if steps is not None or max_steps is not None:
            hooks.append(StopAtStepHook(steps, max_steps))
        listeners = list(saving_listeners or [])
        for listener in listeners:
            if not isinstance(listener, CheckpointSaverListener):
                raise TypeError(f"saving_listeners must be a list of CheckpointSaverListener, given: {listener}")
        loss = self._train_model(input_fn, hooks, listeners)
        log.info("Loss for final step: %s.", loss)
        return self

    def _train_model(self, input_fn: Any, hooks: list[Any], listeners: list[Any]) -> Any:
        with Graph().as_default() as graph, graph.device(self._device_fn):
            set_random_seed(self._config.tf_random_seed)
            if self._create_and_assert_global_step(graph) is not None:
                _get_or_create_global_step_read(graph)
            features, labels, worker_hooks = parse_input_fn_result(self._call_input_fn(input_fn, ModeKeys.TRAIN))
            spec = self._call_model_fn(features, labels, ModeKeys.TRAIN, self.config)
            step = get_global_step(graph)
            if self._warm_start_settings:
                log.info("Warm-starting with WarmStartSettings: %s", self._warm_start_settings)
                warm_start(*self._warm_start_settings)
            if not any(t.op.name == "loss" for t in scopes.get_collection(GraphKeys.SUMMARIES)):
                summary.scalar("loss", spec.loss)
            scopes.add_to_collection(GraphKeys.LOSSES, spec.loss)
            worker_hooks = [*worker_hooks, *hooks, NanTensorHook(spec.loss)]
            every = self._config.log_step_count_steps
            if every is not None:
                worker_hooks.append(LoggingTensorHook({"loss": spec.loss, "step": step}, every_n_iter=every))
            worker_hooks.extend(spec.training_hooks)
            return self._run_training(spec, worker_hooks, listeners)

    def _run_training(self, spec: EstimatorSpec, worker_hooks: list[Any], listeners: list[Any]) -> Any:
        config = self._config
        if not (spec.scaffold.saver or scopes.get_collection(GraphKeys.SAVERS)):
            saver = Saver(
                sharded=True,
                max_to_keep=config.keep_checkpoint_max,
                keep_checkpoint_every_n_hours=config.keep_checkpoint_every_n_hours,
                defer_build=True,
                save_relative_paths=True,
            )
            scopes.add_to_collection(GraphKeys.SAVERS, saver)
        chief_hooks: list[Any] = []
        everything = [*worker_hooks, *spec.training_chief_hooks]
        savers = [h for h in everything if isinstance(h, CheckpointSaverHook)]
        if (config.save_checkpoints_secs or config.save_checkpoints_steps) and not savers:
            chief_hooks = savers = [
                CheckpointSaverHook(
                    self._model_dir,
                    save_secs=config.save_checkpoints_secs,
                    save_steps=config.save_checkpoints_steps,
                    scaffold=spec.scaffold,
                )
            ]
        if listeners:
            if not savers:
                raise ValueError(
                    "There should be a CheckpointSaverHook to use saving_listeners. Please set one of the "
                    "RunConfig.save_checkpoints_steps or RunConfig.save_checkpoints_secs."
                )
            savers[0]._listeners.extend(x for x in listeners if x not in savers[0]._listeners)
        loss, any_step = None, False
        with MonitoredTrainingSession(
            master=config.master,
            is_chief=config.is_chief,
            checkpoint_dir=self._model_dir,
            scaffold=spec.scaffold,
            hooks=worker_hooks,
            chief_only_hooks=(*chief_hooks, *spec.training_chief_hooks),
            save_checkpoint_secs=0,  # a hook saves
            save_summaries_steps=config.save_summary_steps,
            config=self._session_config,
            max_wait_secs=config.session_creation_timeout_secs,
            log_step_count_steps=config.log_step_count_steps,
        ) as session:
            while not session.should_stop():
                _, loss = session.run([spec.train_op, spec.loss])
                any_step = True
        if not any_step:
            log.warning("The training made no steps. Perhaps the input is empty.")
        return loss

    # -- evaluation

    def evaluate(
        self, input_fn: Any, steps: int | None = None, hooks: Any = None, checkpoint_path: Any = None, name: Any = None
    ) -> dict[str, Any]:
        """{metric: value} over `steps` batches, or all of the input, with "loss" and "global_step" among them.

        Uses the last checkpoint, or the one given; values as they are initialized when there is none.
        """
        hooks = _check_hooks(hooks)
        if steps is not None:
            if steps <= 0:
                raise ValueError(f"Must specify steps > 0, given: {steps}")
            hooks.append(evaluating.StopAfterNEvalsHook(num_evals=steps))
        if not checkpoint_path:
            checkpoint_path = latest_checkpoint(self._model_dir)
            if not checkpoint_path:
                log.info("There is no trained model in %s; it is initialized to be evaluated.", self._model_dir)
        with Graph().as_default() as graph:
            set_random_seed(self._config.tf_random_seed)
            self._create_and_assert_global_step(graph)
            features, labels, input_hooks = parse_input_fn_result(self._call_input_fn(input_fn, ModeKeys.EVAL))
            spec = self._call_model_fn(features, labels, ModeKeys.EVAL, self.config)
            update, values = _metric_ops(spec)
            self._maybe_warm_start(checkpoint_path)
            if GraphKeys.GLOBAL_STEP in values:
                raise ValueError(
                    "Metric with name `global_step` is not allowed, because Estimator already defines a default metric with "
                    "the same name."
                )
            values[GraphKeys.GLOBAL_STEP] = get_global_step(graph)
            scaffold = spec.scaffold
            if scaffold.local_init_op:
                evaluating.get_or_create_eval_step()
                init = basic.group(scaffold.local_init_op, Scaffold.default_local_init_op())
                scaffold = Scaffold(local_init_op=init, copy_from_scaffold=scaffold)
            results = evaluating.evaluate_once(
                checkpoint_path=checkpoint_path,
                master=self._config.evaluation_master,
                scaffold=scaffold,
                eval_ops=update,
                final_ops=values,
                hooks=[*input_hooks, *hooks, *spec.evaluation_hooks],
                config=self._session_config,
            )
            evaluating.write_results(self.eval_dir(name), results, results[GraphKeys.GLOBAL_STEP], checkpoint_path)
            return results

    def _maybe_warm_start(self, checkpoint_path: Any) -> None:
        if not checkpoint_path and self._warm_start_settings:
            log.info("Warm-starting with WarmStartSettings: %s", self._warm_start_settings)
            warm_start(*self._warm_start_settings)

    # -- prediction

    def predict(
        self,
        input_fn: Any,
        predict_keys: Any = None,
        hooks: Any = None,
        checkpoint_path: Any = None,
        yield_single_examples: bool = True,
    ) -> Iterator[Any]:
        """The predictions for each example, or for each batch without `yield_single_examples`.

        `predict_keys` chooses among them. Raises ValueError for keys that are not there and batches of different lengths.
        """
        hooks = _check_hooks(hooks)
        if not checkpoint_path:
            checkpoint_path = latest_checkpoint(self._model_dir)
        if not checkpoint_path:
            log.info("There is no trained model in %s; it is initialized to predict.", self._model_dir)
        with Graph().as_default() as graph:
            set_random_seed(self._config.tf_random_seed)
            self._create_and_assert_global_step(graph)
            features, _, input_hooks = parse_input_fn_result(self._call_input_fn(input_fn, ModeKeys.PREDICT))
            if not ends(features):
                log.warning(
                    "The input is neither a tf.data.Dataset nor of a QueueRunner: predict will never end. This is probably a "
                    "mistake."
                )
            spec = self._call_model_fn(features, None, ModeKeys.PREDICT, self.config)
            self._maybe_warm_start(checkpoint_path)
            predictions = chosen(spec.predictions, predict_keys)
            creator = ChiefSessionCreator(
                checkpoint_filename_with_path=checkpoint_path,
                master=self._config.master,
                scaffold=spec.scaffold,
                config=self._session_config,
            )
            everything = [*input_hooks, *hooks, *spec.prediction_hooks]
            with MonitoredSession(session_creator=creator, hooks=everything) as session:
                while not session.should_stop():
                    batch = session.run(predictions)
                    if not yield_single_examples:
                        yield batch
                    elif not isinstance(predictions, dict):
                        yield from batch
                    else:
                        for i in range(length_of(batch)):
                            yield {key: value[i] for key, value in batch.items()}

    # -- export

    def export_saved_model(
        self,
        export_dir_base: Any,
        serving_input_receiver_fn: Any,
        assets_extra: Any = None,
        as_text: bool = False,
        checkpoint_path: Any = None,
        experimental_mode: str = ModeKeys.PREDICT,
    ) -> bytes:
        """Write a SavedModel into a folder below `export_dir_base` that is named by the time, and give its path.

        Raises ValueError without a function for the inputs, or without a checkpoint.
        """
        if not serving_input_receiver_fn:
            raise ValueError("An input_receiver_fn must be defined.")
        receivers = {experimental_mode: serving_input_receiver_fn}
        return self._export_all_saved_models(export_dir_base, receivers, assets_extra, as_text, checkpoint_path, True)

    def export_savedmodel(
        self,
        export_dir_base: Any,
        serving_input_receiver_fn: Any,
        assets_extra: Any = None,
        as_text: bool = False,
        checkpoint_path: Any = None,
        strip_default_attrs: bool = False,
    ) -> bytes:
        """The earlier name of `export_saved_model`."""
        if not serving_input_receiver_fn:
            raise ValueError("An input_receiver_fn must be defined.")
        receivers = {ModeKeys.PREDICT: serving_input_receiver_fn}
        return self._export_all_saved_models(
            export_dir_base, receivers, assets_extra, as_text, checkpoint_path, strip_default_attrs
        )

    def experimental_export_all_saved_models(
        self,
        export_dir_base: Any,
        input_receiver_fn_map: Any,
        assets_extra: Any = None,
        as_text: bool = False,
        checkpoint_path: Any = None,
    ) -> bytes:
        """One SavedModel with a graph for each mode of `input_receiver_fn_map`."""
        return self._export_all_saved_models(
            export_dir_base, input_receiver_fn_map, assets_extra, as_text, checkpoint_path, True
        )

    def _export_all_saved_models(
        self,
        export_dir_base: Any,
        input_receiver_fn_map: Any,
        assets_extra: Any = None,
        as_text: bool = False,
        checkpoint_path: Any = None,
        strip_default_attrs: bool = True,
    ) -> bytes:
        return exporting.export(
            self, export_dir_base, input_receiver_fn_map, assets_extra, as_text, checkpoint_path, strip_default_attrs
        )

    # -- the user's functions

    def _create_global_step(self, graph: Graph) -> Any:
        return create_global_step(graph)

    def _create_and_assert_global_step(self, graph: Graph) -> Any:
        step = self._create_global_step(graph)
        assert step is get_global_step()
        assert step.dtype.is_integer
        return step

    def _call_input_fn(self, input_fn: Any, mode: str) -> Any:
        with scopes.device("/cpu:0"):
            return call_with(input_fn, {"mode": mode, "params": self.params, "config": self.config})

    def _call_model_fn(self, features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        offered = {"labels": labels, "mode": mode, "params": self.params, "config": config}
        if labels is not None and "labels" not in fn_args(self._model_fn):
            raise ValueError("model_fn does not take labels, but input_fn returns labels.")
        log.info("Calling model_fn.")
        spec = call_with(self._model_fn, offered, features=features)
        log.info("Done calling model_fn.")
        if not isinstance(spec, EstimatorSpec):
            raise ValueError("model_fn should return an EstimatorSpec.")
        return spec


_MAY_BE_OVERRIDDEN = {"model_fn", "_create_and_assert_global_step", "_export_all_saved_models"} | {
    *("_call_input_fn", "_create_global_step"),  # before 1.13
}


def _check_nothing_overridden(estimator: Estimator) -> None:
    """Raise ValueError for subclasses with methods of their own under our names."""
    own, theirs = Estimator, type(estimator)
    if theirs.__name__ == "TPUEstimator":
        return
    members = {m for m in dir(own) if not m.startswith("__")} & set(theirs.__dict__) - _MAY_BE_OVERRIDDEN
    if any(getattr(own, m) != getattr(theirs, m) for m in members):
        raise ValueError(
            f"Subclasses of Estimator cannot override members of Estimator. {theirs} does override {sorted(members)}"
        )


def _check_trained(model_dir: str) -> None:
    if not latest_checkpoint(model_dir):
        raise ValueError(f"Could not find trained model in model_dir: {model_dir}.")


def _saved_step(model_dir: str) -> int:
    """The global step of the last checkpoint; 0 without one."""
    path = latest_checkpoint(model_dir)
    if not path:
        return 0
    reader = checkpoints.new_checkpoint_reader(path)
    return int(reader.get_tensor(GraphKeys.GLOBAL_STEP)) if reader.has_tensor(GraphKeys.GLOBAL_STEP) else 0


def _check_hooks(hooks: Any) -> list[Any]:
    hooks = list(hooks or [])
    for hook in hooks:
        if not isinstance(hook, SessionRunHook):
            raise TypeError(f"Hooks must be a SessionRunHook, given: {hook}")
    return hooks


def _metric_ops(spec: EstimatorSpec) -> tuple[Any, dict[str, Any]]:
    """The op that counts a batch in all metrics, and {metric: value}, with the mean of the loss."""
    metrics = dict(spec.eval_metric_ops)
    if LOSS_METRIC_KEY in metrics:
        raise ValueError(
            f'Metric with name "{LOSS_METRIC_KEY}" is not allowed, because Estimator already defines a default metric with '
            "the same name."
        )
    metrics[LOSS_METRIC_KEY] = mean(spec.loss)
    ordered = sorted(metrics.items())
    return basic.group(*(update for _, (_, update) in ordered)), {name: value for name, (value, _) in ordered}
