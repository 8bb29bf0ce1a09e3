"""Monitors that do something with the model: evaluate, export or save it."""

from __future__ import annotations

import copy
import time
from typing import Any

from thalweg._src.contrib.learn.monitors import BaseMonitor, EveryN
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.estimators.estimator import Estimator as CoreEstimator
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saver import Saver


class ValidationMonitor(EveryN):
    """Evaluates new checkpoints while a model is trained, and stops early when it gets no better.

    Raises ValueError without data.
    """

    def __init__(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        batch_size: int | None = None,
        eval_steps: int | None = None,
        every_n_steps: int = 100,
        metrics: Any = None,
        hooks: Any = None,
        early_stopping_rounds: int | None = None,
        early_stopping_metric: str = "loss",
        early_stopping_metric_minimize: bool = True,
        name: str | None = None,
        check_interval_secs: float | None = 5,
    ):
        super().__init__(every_n_steps=every_n_steps, first_n_steps=-1)
        if x is None and input_fn is None:
            raise ValueError("Either x or input_fn should be provided.")
        self.x, self.y, self.input_fn, self.batch_size, self.eval_steps = x, y, input_fn, batch_size, eval_steps
        self.metrics, self.hooks, self.name = metrics, hooks, name
        self.early_stopping_rounds, self.early_stopping_metric = early_stopping_rounds, early_stopping_metric
        self.early_stopping_metric_minimize = early_stopping_metric_minimize
        self._interval, self._last_check = check_interval_secs, None
        self._best_step: int | None = None
        self._best_value: Any = None
        self._best_metrics: Any = None
        self._early_stopped, self._latest_path = False, None

    @property
    def early_stopped(self) -> bool:
        return self._early_stopped

    @property
    def best_step(self) -> int | None:
        return self._best_step

    @property
    def best_value(self) -> Any:
        return self._best_value

    @property
    def best_metrics(self) -> Any:
        return self._best_metrics

    def _evaluated(self) -> dict[str, Any]:
        common = {"input_fn": self.input_fn, "steps": self.eval_steps, "hooks": self.hooks, "name": self.name}
        extra = {"x": self.x, "y": self.y, "batch_size": self.batch_size, "metrics": self.metrics}
        if isinstance(self._estimator, CoreEstimator):
            if any(value is not None for value in extra.values()):
                raise ValueError(
                    "tf.estimator.Estimator does not support following arguments: x, y, batch_size, metrics. Should set as "
                    "`None` in ValidationMonitor"
                )
            return self._estimator.evaluate(**common)
        return self._estimator.evaluate(**common, **extra)

    def every_n_step_end(self, step: int, outputs: Any) -> bool:
        if self._estimator is None:
            raise ValueError("Missing call to set_estimator.")
        now = time.time()
        if self._interval is not None and self._last_check is not None and now - self._last_check <= self._interval:
            return False
        self._last_check = now  # type: ignore[assignment]
        path = latest_checkpoint(self._estimator.model_dir)
        if path is None or path == self._latest_path:
            return False
        self._latest_path = path
        results = self._evaluated()
        log.info("Validation (step %d): %s", step, ", ".join(f"{k} = {v}" for k, v in results.items()))
        if self.early_stopping_rounds is None:
            return False
        if self.early_stopping_metric not in results:
            raise ValueError(f"Metric {self.early_stopping_metric} missing from outputs {set(results)}.")
        value = results[self.early_stopping_metric]
        better = self._best_value is None or (
            value < self._best_value if self.early_stopping_metric_minimize else value > self._best_value
        )
        if better:
            self._best_value, self._best_metrics, self._best_step = value, copy.deepcopy(results), step
        if step - (self._best_step or 0) < self.early_stopping_rounds:
            return False
        log.info("Stopping. Best step: %s with %s = %s.", self._best_step, self.early_stopping_metric, self._best_value)
        self._early_stopped = True
        return True


class ExportMonitor(EveryN):
    """Exports the estimator, as `Estimator.export` does, every so many steps and at the end."""

    def __init__(
        self,
        every_n_steps: int,
        export_dir: Any,
        input_fn: Any = None,
        input_feature_key: Any = None,
        exports_to_keep: int | None = 5,
        signature_fn: Any = None,
        default_batch_size: int = 1,
    ):
        super().__init__(every_n_steps=every_n_steps)
        self.export_dir, self.exports_to_keep, self.signature_fn = export_dir, exports_to_keep, signature_fn
        self._how = {
            "input_fn": input_fn,
            "input_feature_key": input_feature_key,
            "use_deprecated_input_fn": input_fn is None,
            "default_batch_size": default_batch_size,
        }
        self.last_export_dir: Any = None

    def every_n_step_end(self, step: int, outputs: Any) -> bool:
        super().every_n_step_end(step, outputs)
        self._export()
        return False

    def end(self, session: Any = None) -> None:
        super().end(session=session)
        if latest_checkpoint(self._estimator.model_dir):
            self._export()

    def _export(self) -> None:
        if isinstance(self._estimator, CoreEstimator):
            raise ValueError("ExportMonitor does not support `tf.estimator.Estimator`: use an exporter.")
        how = {"exports_to_keep": self.exports_to_keep, "signature_fn": self.signature_fn, **self._how}
        try:
            self.last_export_dir = self._estimator.export(self.export_dir, **how)
        except RuntimeError:
            log.info("The last checkpoint has been exported already.")


class CheckpointSaver(BaseMonitor):
    """Saves checkpoints every so many seconds or steps. Raises ValueError unless exactly one is given."""

    def __init__(
        self,
        checkpoint_dir: str,
        save_secs: float | None = None,
        save_steps: int | None = None,
        saver: Any = None,
        checkpoint_basename: str = "model.ckpt",
        scaffold: Any = None,
    ):
        super().__init__()
        if (save_secs is None) == (save_steps is None):
            raise ValueError("Exactly one of save_steps and save_secs must be provided.")
        self._path = f"{checkpoint_dir}/{checkpoint_basename}"
        self._secs, self._steps, self._saver, self._scaffold = save_secs, save_steps, saver, scaffold
        self._last: tuple[float, int] | None = None

    def post_step(self, step: int, session: Any) -> None:
        now = time.time()
        if self._last is not None:
            due = now >= self._last[0] + self._secs if self._secs else step >= self._last[1] + (self._steps or 0)
            if not due:
                return
        self._last = now, step
        self._save(step, session)

    def end(self, session: Any = None) -> None:
        super().end(session)
        self._save(session.run(get_global_step()), session)

    def _save(self, step: int, session: Any) -> None:
        saver = self._saver or (self._scaffold.saver if self._scaffold else None) or Saver()
        saver.save(session, self._path, global_step=step)
