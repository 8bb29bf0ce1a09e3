"""tf.estimator.train_and_evaluate: training, with an evaluation after each checkpoint."""

from __future__ import annotations

import collections
import os
import time
from typing import Any

from thalweg._src.core.keys import GraphKeys
from thalweg._src.formats import protos
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.exporters import Exporter
from thalweg._src.lib.estimators.run_config import TaskType
from thalweg._src.lib.hooks.hook import SessionRunHook
from thalweg._src.lib.hooks.saving import CheckpointSaverListener
from thalweg._src.lib.hooks.timers import SecondOrStepTimer
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.server import Server

_DELAY, _MOST_DELAY = 5, 60  # seconds by which a worker starts after the one before it, and after the chief


def _check_input_fn(input_fn: Any) -> None:
    if not callable(input_fn):
        raise TypeError(f"`input_fn` must be callable, given: {input_fn}")


def _check_hooks(hooks: Any) -> tuple[Any, ...]:
    hooks = tuple(hooks or [])
    for hook in hooks:
        if not isinstance(hook, SessionRunHook):
            raise TypeError(f"All hooks must be `SessionRunHook` instances, given: {hook}")
    return hooks


def _check_exporters(exporters: Any) -> tuple[Exporter, ...]:
    if not exporters:
        return ()
    if isinstance(exporters, Exporter):
        exporters = [exporters]
    wrong = f"`exporters` must be an Exporter, an iterable of Exporter, or `None`, found {exporters}."
    try:
        everything = list(exporters)
    except TypeError:
        raise TypeError(wrong) from None
    if not all(isinstance(e, Exporter) for e in everything):
        raise TypeError(wrong)
    names = [e.name for e in everything]
    for i, name in enumerate(names):
        if not name:
            raise ValueError(f"An Exporter cannot have a name that is `None` or empty. All exporter names: {names}")
        if not isinstance(name, str):
            raise ValueError(f"An Exporter must have a string name. Given: {type(name)}")
        if name in names[:i]:
            raise ValueError(
                f"`exporters` must have unique names. Such a name cannot be `None`. All exporter names: {names}"
            )
    return tuple(everything)


class TrainSpec(collections.namedtuple("TrainSpec", ["input_fn", "max_steps", "hooks"])):
    """What to train on, and until which global step."""

    def __new__(cls, input_fn: Any, max_steps: int | None = None, hooks: Any = None) -> TrainSpec:
        _check_input_fn(input_fn)
        if max_steps is not None and max_steps <= 0:
            raise ValueError(f"Must specify max_steps > 0, given: {max_steps}")
        return super().__new__(cls, input_fn, max_steps, _check_hooks(hooks))


class EvalSpec(
    collections.namedtuple(
        "EvalSpec", ["input_fn", "steps", "name", "hooks", "exporters", "start_delay_secs", "throttle_secs"]
    )
):
    """What to evaluate on, how much of it, how often at most, and what to export after."""

    def __new__(
        cls,
        input_fn: Any,
        steps: int | None = 100,
        name: str | None = None,
        hooks: Any = None,
        exporters: Any = None,
        start_delay_secs: float = 120,
        throttle_secs: float = 600,
    ) -> EvalSpec:
        _check_input_fn(input_fn)
        if steps is not None and steps <= 0:
            raise ValueError(f"Must specify steps > 0, given: {steps}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"`name` must be string, given: {name}")
        hooks, exporters = _check_hooks(hooks), _check_exporters(exporters)
        if start_delay_secs < 0:
            raise ValueError(f"Must specify start_delay_secs >= 0, given: {start_delay_secs}")
        if throttle_secs < 0:
            raise ValueError(f"Must specify throttle_secs >= 0, given: {throttle_secs}")
        return super().__new__(cls, input_fn, steps, name, hooks, exporters, start_delay_secs, throttle_secs)


class _Evaluator:
    """Evaluates new checkpoints, and exports."""

    def __init__(self, estimator: Estimator, spec: EvalSpec, max_steps: int | None):
        self._estimator, self._spec, self._max_steps = estimator, spec, max_steps
        self._last: Any = None

    def evaluate_and_export(self) -> tuple[dict[str, Any] | None, list[Any]]:
        """(metrics, exports); (None, []) when there is no new checkpoint."""
        path = self._estimator.latest_checkpoint()
        if not path or path == self._last:
            log.warning("There is no %s to evaluate.", "new checkpoint" if path else "trained model")
            return None, []
        spec = self._spec
        metrics = self._estimator.evaluate(
            spec.input_fn, steps=spec.steps, name=spec.name, checkpoint_path=path, hooks=spec.hooks
        )
        final = bool(self._max_steps) and metrics[GraphKeys.GLOBAL_STEP] >= self._max_steps
        exports = [
            exporter.export(
                estimator=self._estimator,
                export_path=os.path.join(self._estimator.model_dir, "export", exporter.name),
                checkpoint_path=path,
                eval_result=metrics,
                is_the_final_export=final,
            )
            for exporter in spec.exporters
        ]
        self._last = path
        return metrics, exports


class _EvaluateAfterSaving(CheckpointSaverListener):
    """Evaluates when a checkpoint was written, at most every so many seconds, and at the end."""

    def __init__(self, evaluator: _Evaluator, throttle_secs: float):
        self._evaluator, self._throttle = evaluator, throttle_secs
        self.metrics: Any = None
        self.exports: Any = None

    def begin(self) -> None:
        self._timer, self._first = SecondOrStepTimer(every_secs=self._throttle), True

    def after_save(self, session: Any, global_step_value: Any) -> None:
        if self._first:  # the checkpoint before the first step
            self._first = False
        elif self._timer.should_trigger_for_step(global_step_value):
            self._evaluate(global_step_value)
        else:
            log.info("This checkpoint is not evaluated: the last evaluation is less than %s s ago.", self._throttle)

    def end(self, session: Any, global_step_value: Any) -> None:
        if global_step_value != self._timer.last_triggered_step():
            self._evaluate(global_step_value)

    def _evaluate(self, step: Any) -> None:
        self._timer.update_last_triggered_step(step)
        self.metrics, self.exports = self._evaluator.evaluate_and_export()
        if self.metrics is None:
            raise RuntimeError("There was no new checkpoint after the training.")


def train_and_evaluate(estimator: Any, train_spec: Any, eval_spec: Any) -> tuple[Any, Any] | None:
    """Train until `train_spec.max_steps`, evaluate after each checkpoint and export: (last metrics, last exports).

    In a cluster, by TF_CONFIG, each task does its part: a chief and workers start their servers and train, a parameter server serves
    until it is ended, an evaluator waits for checkpoints. Raises TypeError for other things, RuntimeError for a task without a cluster.
    """
    if not isinstance(eval_spec, EvalSpec):
        raise TypeError(f"`eval_spec` must have type `tf.estimator.EvalSpec`. Got: {type(eval_spec)}")
    if not isinstance(estimator, Estimator):
        raise TypeError(f"`estimator` must have type `tf.estimator.Estimator`. Got: {type(estimator)}")
    if not isinstance(train_spec, TrainSpec):
        raise TypeError(f"`train_spec` must have type `tf.estimator.TrainSpec`. Got: {type(train_spec)}")
    config = estimator.config
    if config.task_type == TaskType.EVALUATOR:
        if config.task_id > 0:
            raise ValueError(
                "For distributed training, there can only be one `evaluator` task (with task id 0).  Given task id "
                f"{config.task_id}"
            )
        _evaluate_forever(estimator, train_spec, eval_spec)
        return None
    if config.task_type == TaskType.PS:
        _start_server(config).join()
    if config.cluster_spec and config.master:
        _start_server(config)
        _wait_for_the_chief(config)
    listener = _EvaluateAfterSaving(_Evaluator(estimator, eval_spec, train_spec.max_steps), eval_spec.throttle_secs)
    alone = not config.cluster_spec
    estimator.train(
        train_spec.input_fn,
        max_steps=train_spec.max_steps,
        hooks=train_spec.hooks,
        saving_listeners=[listener] if alone or config.task_type == TaskType.MASTER else [],
    )
    return (listener.metrics, listener.exports) if alone else None


def _start_server(config: Any) -> Server:
    """The server of this task of a cluster. Raises RuntimeError where there is no cluster."""
    if not config.cluster_spec or not config.task_type or config.task_id is None or not config.master:
        raise RuntimeError(
            "Could not start server; be sure to specify cluster_spec, task_type, master, and task in RunConfig or set the TF_CONFIG "
            "environment variable."
        )
    own = protos.ConfigProto()
    if config.session_config is not None:
        own.gpu_options.CopyFrom(config.session_config.gpu_options)
    log.info("Start Tensorflow server.")
    return Server(config.cluster_spec, config.task_type, config.task_id, protocol=config.protocol, config=own)


def _wait_for_the_chief(config: Any) -> None:
    """Let a worker start later than the chief, and than the workers before it."""
    if config.task_type != TaskType.WORKER:
        return
    most = config.experimental_max_worker_delay_secs
    delay = min(_MOST_DELAY if most is None else int(most), (config.task_id + 1) * _DELAY)
    if delay > 0:
        log.info("Waiting %d secs before starting training.", delay)
        time.sleep(delay)


def _evaluate_forever(estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec) -> None:
    time.sleep(eval_spec.start_delay_secs)
    evaluator = _Evaluator(estimator, eval_spec, train_spec.max_steps)
    while True:
        started = time.time()
        metrics, _ = evaluator.evaluate_and_export()
        if metrics and train_spec.max_steps and metrics[GraphKeys.GLOBAL_STEP] >= train_spec.max_steps:
            return
        time.sleep(max(0.0, eval_spec.throttle_secs - (time.time() - started)))
