"""Estimators extended: metrics added, and trainings that stop when evaluations say so."""

from __future__ import annotations

import collections
import operator
import os
from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.modes import ModeKeys, call_with, fn_args
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunHook
from thalweg._src.lib.hooks.timers import SecondOrStepTimer
from thalweg._src.lib.io import file_io
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.summary.writer import summary_iterator
from thalweg._src.ops.numeric import clip
from thalweg._src.ops.stateful.initializers import constant_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable, variable_scope


def add_metrics(estimator: Any, metric_fn: Any) -> Estimator:
    """An estimator that evaluates the metrics of `metric_fn(features, labels, predictions, config)` too.

    Raises ValueError for functions with other arguments.
    """
    unknown = [a for a in fn_args(metric_fn) if a not in ("features", "labels", "predictions", "config")]
    if unknown:
        raise ValueError(f"metric_fn ({metric_fn}) has following not expected args: {unknown}")

    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
        spec = estimator.model_fn(features, labels, mode, config)
        if mode != ModeKeys.EVAL:
            return spec
        offered = {"features": features, "labels": labels, "predictions": spec.predictions, "config": config}
        return spec._replace(eval_metric_ops={**(spec.eval_metric_ops or {}), **call_with(metric_fn, offered)})

    return Estimator(
        model_fn,
        model_dir=estimator.model_dir,
        config=estimator.config,
        warm_start_from=estimator._warm_start_settings,
    )


class _ClippingOptimizer(Optimizer):
    """Another optimizer, whose gradients are clipped first."""

    def __init__(self, inner: Optimizer, clip_norm: float):
        super().__init__(use_locking=False, name="ClipByNorm" + inner.get_name())
        self._inner, self._clip_norm = inner, clip_norm

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        return self._inner.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        gradients, variables = zip(*grads_and_vars, strict=True)
        gradients, _ = clip.clip_by_global_norm(gradients, self._clip_norm)
        return self._inner.apply_gradients(
            list(zip(gradients, variables, strict=True)), global_step=global_step, name=name
        )

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        return self._inner.get_slot(*args, **kwargs)

    def get_slot_names(self, *args: Any, **kwargs: Any) -> Any:
        return self._inner.get_slot_names(*args, **kwargs)


def clip_gradients_by_norm(optimizer: Optimizer, clip_norm: float) -> Optimizer:
    """`optimizer`, whose gradients are scaled down together where their norm is above `clip_norm`."""
    return _ClippingOptimizer(optimizer, clip_norm)


# -- stopping early


def read_eval_metrics(eval_dir: Any) -> collections.OrderedDict[int, dict[str, float]]:
    """{step: {metric: value}} of the event files in a folder, by step."""
    found: dict[int, dict[str, float]] = collections.defaultdict(dict)
    if file_io.file_exists(eval_dir):
        for path in file_io.get_matching_files(os.path.join(os.fsdecode(eval_dir), "events.out.tfevents.*")):
            for event in summary_iterator(path):
                values = {v.tag: v.simple_value for v in event.summary.value if v.HasField("simple_value")}
                if values:
                    found[event.step].update(values)
    return collections.OrderedDict(sorted(found.items()))


def _stop_variable() -> Any:
    with variable_scope("signal_early_stopping", reuse=None):
        return get_variable(
            "STOP", shape=[], dtype=dtypes.bool, initializer=constant_initializer(False), trainable=False
        )


class _StopOnPredicate(SessionRunHook):
    def __init__(self, should_stop_fn: Callable[[], bool], every_secs: float | None, every_steps: int | None):
        if not callable(should_stop_fn):
            raise TypeError("`should_stop_fn` must be callable.")
        self._should_stop, self._timer = should_stop_fn, SecondOrStepTimer(every_secs, every_steps)

    def begin(self) -> None:
        self._step = get_global_step()
        self._stop_op = _stop_variable().assign(True)

    def before_run(self, run_context: Any) -> SessionRunArgs:
        return SessionRunArgs(self._step)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if not self._timer.should_trigger_for_step(run_values.results):
            return
        self._timer.update_last_triggered_step(run_values.results)
        if self._should_stop():
            log.info("Requesting early stopping at global step %d", run_values.results)
            run_context.session.run(self._stop_op)
            run_context.request_stop()


class _StopWhenTold(SessionRunHook):
    def begin(self) -> None:
        self._stop = _stop_variable()

    def before_run(self, run_context: Any) -> SessionRunArgs:
        return SessionRunArgs(self._stop)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if run_values.results:
            log.info("Early stopping requested, suspending run.")
            run_context.request_stop()


def make_early_stopping_hook(
    estimator: Any, should_stop_fn: Callable[[], bool], run_every_secs: float | None = 60, run_every_steps: Any = None
) -> SessionRunHook:
    """A hook that asks for the end when `should_stop_fn()` is true; the workers of a cluster follow its chief.

    Raises TypeError for other estimators, ValueError for seconds and steps together.
    """
    if not isinstance(estimator, Estimator):
        raise TypeError(f"`estimator` must have type `tf.estimator.Estimator`. Got: {type(estimator)}")
    if run_every_secs is not None and run_every_steps is not None:
        raise ValueError("Only one of `run_every_secs` and `run_every_steps` must be set.")
    if estimator.config.is_chief:
        return _StopOnPredicate(should_stop_fn, run_every_secs, run_every_steps)
    return _StopWhenTold()


def _threshold_hook(better: Callable[[Any, Any], bool], name: str) -> Callable[..., SessionRunHook]:
    def hook(
        estimator: Any,
        metric_name: str,
        threshold: float,
        eval_dir: Any = None,
        min_steps: int = 0,
        run_every_secs: float | None = 60,
        run_every_steps: int | None = None,
    ) -> SessionRunHook:
        folder = estimator.eval_dir() if eval_dir is None else eval_dir

        def crossed() -> bool:
            results = read_eval_metrics(folder).items()
            return any(step >= min_steps and better(found[metric_name], threshold) for step, found in results)

        return make_early_stopping_hook(estimator, crossed, run_every_secs, run_every_steps)

    hook.__name__ = hook.__qualname__ = name
    hook.__doc__ = f"A hook that asks for the end when an evaluation's metric is {name.split('_')[2]} than `threshold`."
    return hook


stop_if_higher_hook = _threshold_hook(operator.gt, "stop_if_higher_hook")
stop_if_lower_hook = _threshold_hook(operator.lt, "stop_if_lower_hook")


def _no_improvement(
    better: Callable[[Any, Any], bool], estimator: Any, metric: str, patience: int, eval_dir: Any, min_steps: int
) -> Callable[[], bool]:
    folder = estimator.eval_dir() if eval_dir is None else eval_dir

    def stuck() -> bool:
        best: tuple[float, int] | None = None
        for step, found in read_eval_metrics(folder).items():
            if step < min_steps:
                continue
            if best is None or better(found[metric], best[0]):
                best = found[metric], step
            if step - best[1] >= patience:
                return True
        return False

    return stuck


def stop_if_no_increase_hook(
    estimator: Any,
    metric_name: str,
    max_steps_without_increase: int,
    eval_dir: Any = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> SessionRunHook:
    """A hook that asks for the end when a metric of evaluations hasn't grown for so many steps."""
    stuck = _no_improvement(operator.gt, estimator, metric_name, max_steps_without_increase, eval_dir, min_steps)
    return make_early_stopping_hook(estimator, stuck, run_every_secs, run_every_steps)


def stop_if_no_decrease_hook(
    estimator: Any,
    metric_name: str,
    max_steps_without_decrease: int,
    eval_dir: Any = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> SessionRunHook:
    """A hook that asks for the end when a metric of evaluations hasn't become less for so many steps."""
    stuck = _no_improvement(operator.lt, estimator, metric_name, max_steps_without_decrease, eval_dir, min_steps)
    return make_early_stopping_hook(estimator, stuck, run_every_secs, run_every_steps)


class InMemoryEvaluatorHook(SessionRunHook):
    """Evaluates while the training goes on, every so many steps. Raises ValueError for numbers below 1."""

    def __init__(
        self,
        estimator: Any,
        input_fn: Any,
        steps: int | None = None,
        hooks: Any = None,
        name: str | None = None,
        every_n_iter: int = 100,
    ):
        if every_n_iter is None or every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        self._estimator, self._input_fn, self._steps = estimator, input_fn, steps
        self._hooks, self._name, self._every, self._count = hooks, name, every_n_iter, 0
        self._last: Any = None

    def _evaluate(self) -> None:
        path = self._estimator.latest_checkpoint()
        if path and path != self._last:
            self._last = path
            self._estimator.evaluate(self._input_fn, steps=self._steps, hooks=self._hooks, name=self._name)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        self._count += 1
        if self._count % self._every == 0:
            self._evaluate()

    def end(self, session: Any) -> None:
        self._evaluate()
