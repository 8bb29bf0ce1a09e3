"""tf.contrib.learn.Experiment: a training and its evaluations, run by a schedule."""

from __future__ import annotations

import os
import time
from typing import Any

from thalweg._src.contrib.learn.estimator import BaseEstimator
from thalweg._src.contrib.learn.monitors import ValidationMonitor, replace_monitors_with_hooks
from thalweg._src.contrib.learn.run_config import RunConfig, TaskType
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.estimators.estimator import Estimator as CoreEstimator
from thalweg._src.lib.estimators.modes import fn_args
from thalweg._src.lib.platform import logging as log


class ExportStrategy:
    """A name and a function (estimator, folder, checkpoint_path, eval_result) that exports."""

    def __init__(self, name: str, export_fn: Any, strip_default_attrs: Any = None):
        self.name, self.export_fn, self.strip_default_attrs = name, export_fn, strip_default_attrs

    def export(
        self, estimator: Any, export_path: Any, checkpoint_path: Any = None, eval_result: Any = None, **_: Any
    ) -> Any:
        """Export, and give the path."""
        offered = {"checkpoint_path": checkpoint_path, "eval_result": eval_result}
        taken = fn_args(self.export_fn)
        return self.export_fn(estimator, export_path, **{k: v for k, v in offered.items() if k in taken})


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
            for name, method in (("Evaluable", "evaluate"), ("Trainable", "fit")):
                if not hasattr(estimator, method):
                    raise ValueError(
                        f"`estimator` must implement `tf.contrib.learn.{name}` or `tf.estimator.Estimator`."
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

    def reset_export_strategies(self, new_export_strategies: Any = None) -> list[Any]:
        """Use other export strategies; gives the earlier ones."""
        before = getattr(self, "_export_strategies", [])
        found = new_export_strategies or []
        self._export_strategies = [found] if isinstance(found, ExportStrategy) else list(found)
        return before

    def train(self, delay_secs: float | None = None) -> Any:
        """Train until `train_steps`; workers of a cluster start one after the other."""
        if delay_secs is None:
            delay_secs = min(60, 5 * (self._estimator.config.task_id or 0))
        if delay_secs:
            log.info("Waiting %f secs before starting training.", delay_secs)
            time.sleep(delay_secs)
        return self._train(max_steps=self._train_steps)

    def _train(self, steps: int | None = None, max_steps: int | None = None) -> Any:
        if self._core:
            hooks = replace_monitors_with_hooks(self._train_monitors, self._estimator)
            return self._estimator.train(
                self._train_input_fn,
                hooks=hooks,
                steps=steps,
                max_steps=max_steps,
                saving_listeners=self._saving_listeners,
            )
        return self._estimator.fit(
            input_fn=self._train_input_fn, steps=steps, max_steps=max_steps, monitors=self._train_monitors
        )

    def _evaluate(self, input_fn: Any, name: str | None = None, steps: Any = None, path: Any = None) -> Any:
        how = {"input_fn": input_fn, "steps": steps, "name": name, "hooks": self._eval_hooks}
        if path:
            how["checkpoint_path"] = path
        return (
            self._estimator.evaluate(**how)
            if self._core
            else self._estimator.evaluate(metrics=self._eval_metrics, **how)
        )

    def evaluate(self, delay_secs: float | None = None, name: str | None = None) -> Any:
        """Evaluate the last checkpoint."""
        delay_secs = self._eval_delay_secs if delay_secs is None else delay_secs
        if delay_secs:
            log.info("Waiting %f secs before starting eval.", delay_secs)
            time.sleep(delay_secs)
        return self._evaluate(self._eval_input_fn, name or "one_pass", self._eval_steps)

    def local_run(self) -> Any:
        """`train_and_evaluate`."""
        if self._local_eval_frequency is not None:
            self._min_eval_frequency = self._local_eval_frequency
        return self.train_and_evaluate()

    def train_and_evaluate(self) -> tuple[Any, list[Any]]:
        """Train, with an evaluation every so many steps, then evaluate and export: (metrics, exports)."""
        before = list(self._train_monitors)
        if self._min_eval_frequency:
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
        result = self._evaluate(self._eval_input_fn, None, self._eval_steps)
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
        time.sleep(self._eval_delay_secs if delay is None else delay)
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
                result = self._evaluate(input_fn, name, self._eval_steps, path) or {}
                if export:
                    self._maybe_export(result, path)
                last = path
            time.sleep(max(0.0, throttle - (time.time() - started)))

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
            self._train(steps=steps)
            path = latest_checkpoint(self._estimator.model_dir)
            result = self._evaluate(self._eval_input_fn, "one_pass", self._eval_steps, path)
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

    def test(self) -> tuple[Any, list[Any]]:
        """One step of everything."""
        self._train(steps=1)
        result = self._evaluate(self._eval_input_fn, "one_pass", 1)
        return result, self._maybe_export(result)


def _predicate(fn: Any) -> Any:
    if fn is None:
        return lambda result, path: True
    if not callable(fn):
        raise ValueError("`continuous_eval_predicate_fn` must be a callable, or None.")
    if "checkpoint_path" in fn_args(fn):
        return lambda result, path: fn(result, checkpoint_path=path)
    return lambda result, path: fn(result)


# -- learn_runner


def run(
    experiment_fn: Any, output_dir: Any = None, schedule: str | None = None, run_config: Any = None, hparams: Any = None
) -> Any:
    """Make an experiment, by `experiment_fn(output_dir)` or `experiment_fn(run_config, hparams)`, and run its `schedule`:
    the name of a method; by default what the task in a cluster asks for. Raises ValueError and TypeError for other things.
    """
    if output_dir is not None and run_config is not None:
        raise ValueError("Cannot provide both `output_dir` and `run_config`")
    if output_dir is None and run_config is None:
        raise ValueError("Must set value for `output_dir` or `run_config`")
    if not callable(experiment_fn):
        raise TypeError(f'Experiment builder "{experiment_fn}" is not callable.')
    if run_config is not None:
        experiment = _made_of_config(experiment_fn, run_config, hparams)
    else:
        if not output_dir:
            raise ValueError("Must specify an output directory")
        if hparams is not None:
            raise ValueError("Must set `hparams` as None for `experiment_fn` with `output_dir`.")
        experiment = _checked(experiment_fn(output_dir=output_dir))
    schedule = schedule or _default_schedule(run_config or experiment.estimator.config)
    task = getattr(experiment, schedule, None)
    if task is None:
        raise ValueError(f"Schedule references non-existent task {schedule}")
    if not callable(task):
        raise TypeError(f"Schedule references non-callable member {schedule}")
    return task()


def _checked(experiment: Any) -> Any:
    if not isinstance(experiment, Experiment):
        raise TypeError(f"Experiment builder did not return an Experiment instance, got {type(experiment)} instead.")
    return experiment


def _made_of_config(experiment_fn: Any, run_config: Any, hparams: Any) -> Any:
    if not isinstance(run_config, RunConfig):
        raise ValueError("`run_config` must be `tf.contrib.learn.RunConfig` instance")
    if not run_config.model_dir:
        raise ValueError("Must specify a model directory `model_dir` in `run_config`.")
    expected = run_config.uid()
    experiment = _checked(experiment_fn(run_config, hparams))
    config = experiment.estimator.config
    if not hasattr(config, "uid"):
        raise RuntimeError(
            "Pass `run_config` argument of the `experiment_fn` to the Estimator in Experiment. It is likely a different "
            "`RunConfig` is passed to `Estimator` or the `config` constructor argument in `Estimator` is not set."
        )
    if config.uid() != expected:
        raise RuntimeError(
            "`RunConfig` instance is expected to be used by the `Estimator` inside the `Experiment`. expected "
            f"{expected}, but got {config.uid()}"
        )
    return experiment


def tune(experiment_fn: Any, tuner: Any) -> None:
    """Run the trials of a tuner."""
    while tuner.next_trial():
        tuner.run_experiment(lambda run_config, hparams: _made_of_config(experiment_fn, run_config, hparams))


def _default_schedule(config: Any) -> str:
    spec = config.cluster_spec
    if not spec or sum(len(spec.job_tasks(job)) for job in spec.jobs) <= 1:
        return "train_and_evaluate"
    if not config.task_type:
        raise ValueError("Must specify a schedule")
    schedules = {TaskType.MASTER: "train_and_evaluate", TaskType.PS: "run_std_server", TaskType.WORKER: "train"}
    if config.task_type not in schedules:
        raise ValueError(f"No default schedule for task type: {config.task_type}")
    return schedules[config.task_type]


Trainable = Evaluable = BaseEstimator
