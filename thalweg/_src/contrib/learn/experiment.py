"""tf.contrib.learn.Experiment: a training and its evaluations, run by a schedule."""

from __future__ import annotations

import math
import os
import time
from typing import Any

from thalweg._src.contrib.learn.export_strategies import ExportStrategy
from thalweg._src.contrib.learn.model_monitors import ValidationMonitor
from thalweg._src.contrib.learn.monitor_hooks import replace_monitors_with_hooks
from thalweg._src.contrib.learn.parameters import Evaluable, Trainable
from thalweg._src.contrib.learn.run_config import Environment, RunConfig
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib import server
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.estimators.estimator import Estimator as CoreEstimator
from thalweg._src.lib.estimators.modes import fn_args
from thalweg._src.lib.hooks.basic import GlobalStepWaiterHook
from thalweg._src.lib.hooks.saving import CheckpointSaverHook, CheckpointSaverListener
from thalweg._src.lib.platform import logging as log


class _EvaluateAndExport(CheckpointSaverListener):
    """Evaluates and exports each checkpoint when it is saved."""

    def __init__(self, evaluate: Any, export: Any, model_dir: Any):
        self._evaluate, self._export, self._model_dir = evaluate, export, model_dir
        self._path: Any = None
        self.eval_result: Any = None
        self.export_results: Any = None

    def after_save(self, session: Any, global_step_value: Any) -> None:
        path = latest_checkpoint(self._model_dir)
        if not path or path == self._path:
            log.warning("There is no new checkpoint in %s to evaluate.", self._model_dir)
            return
        self._path = path
        self.eval_result = self._evaluate(name="intermediate_export", checkpoint_path=path)
        self.export_results = self._export(self.eval_result, checkpoint_path=path)


class Experiment:
    """An estimator, the inputs to train and to evaluate it, and how often. Raises ValueError for other estimators."""

    def __init__(
        self,
        estimator: Any,
        train_input_fn: Any,
        eval_input_fn: Any,
        eval_metrics: Any = None,
        train_steps: int | None = None,
        eval_steps: int | None = 100,
        train_monitors: Any = None,
        eval_hooks: Any = None,
        local_eval_frequency: int | None = None,
        eval_delay_secs: float = 120,
        continuous_eval_throttle_secs: float = 60,
        min_eval_frequency: int | None = None,
        delay_workers_by_global_step: bool = False,
        export_strategies: Any = None,
        train_steps_per_iteration: int | None = None,
        checkpoint_and_export: bool = False,
        saving_listeners: Any = None,
        check_interval_secs: float | None = 5,
    ):
        self._core = isinstance(estimator, CoreEstimator)
        if self._core and eval_metrics is not None:
            raise ValueError(
                "`eval_metrics` must be `None` with `tf.estimator.Estimator`. Use `eval_metric_ops` in "
                "`tf.estimator.EstimatorSpec` instead."
            )
        if not self._core:
            for kind in (Evaluable, Trainable):
                if not isinstance(estimator, kind):
                    raise ValueError(
                        f"`estimator` must implement `tf.contrib.learn.{kind.__name__}` or `tf.estimator.Estimator`."
                    )
            if saving_listeners is not None:
                raise ValueError("`saving_listeners` must be `None` with `tf.contrib.learn.Estimator`.")
        self._estimator, self._train_input_fn, self._eval_input_fn = estimator, train_input_fn, eval_input_fn
        self._eval_metrics, self._train_steps, self._eval_steps = eval_metrics, train_steps, eval_steps
        self._train_monitors, self._eval_hooks = list(train_monitors or []), list(eval_hooks or [])
        self._eval_delay_secs, self._throttle = eval_delay_secs, continuous_eval_throttle_secs
        self._min_eval_frequency = 1 if min_eval_frequency is None else min_eval_frequency
        self._local_eval_frequency = local_eval_frequency
        self._saving_listeners, self._check_interval_secs = saving_listeners, check_interval_secs
        if train_steps_per_iteration is not None and not isinstance(train_steps_per_iteration, int):
            raise ValueError("`train_steps_per_iteration` must be an integer.")
        self._train_steps_per_iteration = train_steps_per_iteration
        self._checkpoint_and_export = checkpoint_and_export
        self._delay_workers_by_global_step = delay_workers_by_global_step
        self._export_strategies: tuple[Any, ...] = ()
        self.reset_export_strategies(export_strategies)

    @property
    def estimator(self) -> Any:
        return self._estimator

    @property
    def eval_metrics(self) -> Any:
        return self._eval_metrics

    @property
    def train_steps(self) -> int | None:
        return self._train_steps

    @property
    def eval_steps(self) -> int | None:
        return self._eval_steps

    def extend_train_hooks(self, additional_hooks: Any) -> None:
        """Add hooks to the training."""
        self._train_monitors.extend(additional_hooks)

    def reset_export_strategies(self, new_export_strategies: Any = None) -> Any:
        """Use other export strategies; gives the earlier ones. Raises ValueError for what is none."""
        before = self._export_strategies
        found = new_export_strategies or ()
        found = (found,) if isinstance(found, ExportStrategy) else tuple(found)
        for strategy in found:
            if not isinstance(strategy, ExportStrategy):
                raise ValueError(
                    "`export_strategies` must be an ExportStrategy, an iterable of ExportStrategy, or `None`, found "
                    f"{strategy}."
                )
        self._export_strategies = found
        return before

    def train(self, delay_secs: float | None = None) -> Any:
        """Train until `train_steps`; workers of a cluster start one after the other, and their servers with them.

        Raises ValueError for a cluster and a configuration of tf.estimator.
        """
        begun = time.time()
        config = self._estimator.config
        in_cluster = bool(config.cluster_spec and config.master)
        if not isinstance(config, RunConfig):
            if in_cluster:
                raise ValueError(
                    "For distributed runtime, Experiment class only works with tf.contrib.learn.RunConfig for now, but provided "
                    f"{type(config)}"
                )
        elif in_cluster and config.environment == Environment.LOCAL:
            log.warning("There is a cluster, but the environment is 'local': no server is started.")
        elif in_cluster and config.environment != Environment.GOOGLE:
            self._start_server()
        hooks = list(self._train_monitors)
        if delay_secs is None:
            task = config.task_id or 0
            delay_secs = min(60, 5 * task)
            if self._delay_workers_by_global_step:
                hooks.append(GlobalStepWaiterHook(int(8000.0 * math.log(task + 1))))
                delay_secs = 0
        if delay_secs:
            log.info("Waiting %d secs before starting training.", delay_secs - (time.time() - begun))
            time.sleep(delay_secs)
        return self._train(hooks, max_steps=self._train_steps)

    def _train(self, monitors: Any, steps: int | None = None, max_steps: int | None = None) -> Any:
        hooks = replace_monitors_with_hooks(monitors, self._estimator)
        how = {"input_fn": self._train_input_fn, "steps": steps, "max_steps": max_steps}
        if self._core:
            return self._estimator.train(hooks=hooks, saving_listeners=self._saving_listeners, **how)
        return self._estimator.fit(monitors=hooks, **how)

    def run_std_server(self) -> None:
        """Start the server of this task, and wait as long as it runs."""
        self._start_server().join()

    def _start_server(self) -> Any:
        config = self._estimator.config
        if not config.cluster_spec or not config.task_type or not config.master or config.task_id is None:
            raise ValueError(
                "Could not start server; be sure to specify cluster_spec, task_type, master, and task in RunConfig or set the "
                "TF_CONFIG environment variable."
            )
        started = server.Server(
            config.cluster_spec,
            job_name=config.task_type,
            task_index=config.task_id,
            config=config.tf_config,
            start=False,
        )
        started.start()
        return started

    def _call_evaluate(
        self,
        input_fn: Any = None,
        name: str | None = None,
        steps: Any = None,
        checkpoint_path: Any = None,
        hooks: Any = None,
    ) -> Any:
        how = {"input_fn": input_fn, "steps": steps, "name": name, "checkpoint_path": checkpoint_path, "hooks": hooks}
        if not self._core:
            how["metrics"] = self._eval_metrics
        return self._estimator.evaluate(**how)

    def _evaluated(self, name: str | None = None, checkpoint_path: Any = None) -> Any:
        return self._call_evaluate(self._eval_input_fn, name, self._eval_steps, checkpoint_path, self._eval_hooks)

    def evaluate(self, delay_secs: float | None = None, name: str | None = None) -> Any:
        """Evaluate the last checkpoint."""
        delay_secs = self._eval_delay_secs if delay_secs is None else delay_secs
        if delay_secs:
            log.info("Waiting %f secs before starting eval.", delay_secs)
            time.sleep(delay_secs)
        return self._evaluated(name or "one_pass")

    def local_run(self) -> Any:
        """`train_and_evaluate`, with an evaluation every `local_eval_frequency` steps."""
        before, self._min_eval_frequency = self._min_eval_frequency, self._local_eval_frequency
        try:
            return self.train_and_evaluate()
        finally:
            self._min_eval_frequency = before

    def train_and_evaluate(self) -> tuple[Any, Any]:
        """Train, with an evaluation every so many steps, then evaluate and export: (metrics, exports).

        With `checkpoint_and_export` every checkpoint is evaluated and exported instead.
        """
        before = self._train_monitors
        config, folder = self._estimator.config, self._estimator.model_dir
        how = {"save_secs": config.save_checkpoints_secs, "save_steps": config.save_checkpoints_steps}
        listener = None
        if self._checkpoint_and_export and any(how.values()):
            listener = _EvaluateAndExport(self._evaluated, self._maybe_export, folder)
            self._train_monitors = [*before, CheckpointSaverHook(folder, listeners=[listener], **how)]
        elif self._min_eval_frequency:
            monitor = ValidationMonitor(
                input_fn=self._eval_input_fn,
                eval_steps=self._eval_steps,
                metrics=self._eval_metrics,
                every_n_steps=self._min_eval_frequency,
                check_interval_secs=self._check_interval_secs,
                hooks=self._eval_hooks,
            )
            self._train_monitors = [*before, monitor]
        try:
            self.train(delay_secs=0)
        finally:
            self._train_monitors = before
        if listener is not None:
            return listener.eval_result, listener.export_results
        result = self._evaluated()
        return result, self._maybe_export(result)

    def _trained(self, result: Any) -> bool:
        step = (result or {}).get(GraphKeys.GLOBAL_STEP)
        return bool(step and self._train_steps and step >= self._train_steps)

    def continuous_eval(
        self,
        delay_secs: float | None = None,
        throttle_delay_secs: float | None = None,
        evaluate_checkpoint_only_once: bool = True,
        continuous_eval_predicate_fn: Any = None,
        name: str = "continuous",
    ) -> None:
        """Evaluate each new checkpoint, until the training is over or the predicate is false."""
        self._continuous(
            *(self._eval_input_fn, name, delay_secs, throttle_delay_secs, evaluate_checkpoint_only_once),
            *(continuous_eval_predicate_fn, True),
        )

    def continuous_eval_on_train_data(
        self,
        delay_secs: float | None = None,
        throttle_delay_secs: float | None = None,
        continuous_eval_predicate_fn: Any = None,
        name: str = "continuous_on_train_data",
    ) -> None:
        """As `continuous_eval`, on the data of the training."""
        self._continuous(
            self._train_input_fn, name, delay_secs, throttle_delay_secs, True, continuous_eval_predicate_fn, False
        )

    def _continuous(
        self, input_fn: Any, name: str, delay: Any, throttle: Any, once: bool, predicate: Any, export: bool
    ) -> None:
        goes_on = _predicate(predicate)
        delay = self._eval_delay_secs if delay is None else delay
        if delay:
            log.info("Waiting %f secs before starting eval.", delay)
            time.sleep(delay)
        throttle = self._throttle if throttle is None else throttle
        last: Any = None
        result: Any = None
        while goes_on(result, last):
            if self._trained(result):
                return
            started = time.time()
            path = latest_checkpoint(self._estimator.model_dir)
            if not path or (once and path == last):
                result = {}
            else:
                result = self._call_evaluate(input_fn, name, self._eval_steps, path, self._eval_hooks) or {}
                if export:
                    self._maybe_export(result, path)
                last = path
            rest = throttle - (time.time() - started)
            if rest > 0:
                time.sleep(rest)

    def continuous_train_and_eval(self, continuous_eval_predicate_fn: Any = None) -> tuple[Any, Any]:
        """Train a while, evaluate, and again, until `train_steps` or the predicate is false."""
        goes_on = _predicate(continuous_eval_predicate_fn)
        path: Any = None
        result: Any = None
        exports: Any = None
        steps = self._train_steps_per_iteration or (int(self._train_steps / 10) if self._train_steps else 1000)
        while goes_on(result, path):
            if self._trained(result):
                break
            self._train(self._train_monitors, steps=steps)
            path = latest_checkpoint(self._estimator.model_dir)
            result = self._evaluated("one_pass", path)
            exports = self._maybe_export(result)
        return result, exports

    def _maybe_export(self, result: Any, checkpoint_path: Any = None) -> list[Any]:
        folder = os.path.join(os.fsencode(self._estimator.model_dir), b"export")
        return [
            strategy.export(
                self._estimator,
                os.path.join(folder, os.fsencode(strategy.name)),
                checkpoint_path=checkpoint_path,
                eval_result=result,
            )
            for strategy in self._export_strategies
        ]

    def test(self) -> Any:
        """One step of everything; gives the metrics."""
        self._train(self._train_monitors, steps=1)
        result = self._call_evaluate(self._eval_input_fn, "one_pass", 1)
        self._maybe_export(result)
        return result


def _predicate(fn: Any) -> Any:
    if fn is None:
        return lambda result, path: True
    if not callable(fn):
        raise ValueError("`continuous_eval_predicate_fn` must be a callable, or None.")
    if "checkpoint_path" in fn_args(fn):
        return lambda result, path: fn(result, checkpoint_path=path)
    return lambda result, path: fn(result)
