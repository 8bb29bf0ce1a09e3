"""tf.contrib.learn.monitors: what watches a training of 0.x, before there were hooks."""

from __future__ import annotations

import copy
import time
from typing import Any

import numpy as np

from thalweg._src.core import scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.estimators.estimator import Estimator as CoreEstimator
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.hooks.basic import NanLossDuringTrainingError
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.summary.writer import FileWriter, FileWriterCache


class BaseMonitor:
    """Called around each step. Raises ValueError where the calls come in another order."""

    def __init__(self) -> None:
        self._begun = False
        self._current_epoch: int | None = None
        self._current_step: int | None = None
        self._max_steps: int | None = None
        self._estimator: Any = None

    @property
    def run_on_all_workers(self) -> bool:
        return False

    def set_estimator(self, estimator: Any) -> None:
        """The estimator that is trained."""
        if estimator is None:
            raise ValueError("Missing estimator.")
        self._estimator = estimator

    def begin(self, max_steps: int | None = None) -> None:
        """Before the first step."""
        if self._begun:
            raise ValueError("begin called twice without end.")
        self._max_steps, self._begun = max_steps, True

    def end(self, session: Any = None) -> None:
        """After the last step."""
        if not self._begun:
            raise ValueError("end called without begin.")
        self._max_steps, self._begun = None, False

    def epoch_begin(self, epoch: int) -> None:
        """Before an epoch."""
        if self._current_epoch is not None:
            raise ValueError("epoch_begin called twice without epoch_end.")
        if epoch < 0:
            raise ValueError(f"Invalid epoch {epoch}.")
        self._current_epoch = epoch

    def epoch_end(self, epoch: int) -> None:
        """After an epoch."""
        if self._current_epoch != epoch:
            raise ValueError(f"epoch_end expected {self._current_epoch} but got {epoch}.")
        self._current_epoch = None

    def step_begin(self, step: int) -> list[Any]:
        """Before a step: the tensors to run with it."""
        if step < 0 or (self._max_steps is not None and step > self._max_steps):
            raise ValueError(f"Invalid step {step}.")
        self._current_step = step
        return []

    def step_end(self, step: int, output: Any) -> bool:
        """After a step, with {name: value}; true to stop."""
        if self._current_step != step:
            raise ValueError(f"step_end expected {self._current_step} but got {step}.")
        self._current_step = None
        return False

    def post_step(self, step: int, session: Any) -> None:
        """After `step_end`, with the session."""


def _value(outputs: Any, wanted: Any) -> Any:
    return outputs[wanted] if wanted in outputs else outputs[wanted.name]


class EveryN(BaseMonitor):
    """Acts every so many steps, in the first steps, and at the last one."""

    def __init__(self, every_n_steps: int = 100, first_n_steps: int = 1):
        super().__init__()
        self._every_n_steps, self._first_n_steps = every_n_steps, first_n_steps
        self._last_successful_step: int | None = None
        self._last_active_step = 0
        self._active = False

    def every_n_step_begin(self, step: int) -> list[Any]:
        """As step_begin."""
        return []

    def every_n_step_end(self, step: int, outputs: Any) -> bool:
        """As step_end."""
        return False

    def every_n_post_step(self, step: int, session: Any) -> None:
        """As post_step."""

    def step_begin(self, step: int) -> list[Any]:
        super().step_begin(step)
        self._active = (
            step <= self._first_n_steps
            or step >= self._every_n_steps + self._last_active_step
            or step == self._max_steps
        )
        return self.every_n_step_begin(step) if self._active else []

    def step_end(self, step: int, output: Any) -> bool:
        super().step_end(step, output)
        return self.every_n_step_end(step, output) if self._active else False

    def post_step(self, step: int, session: Any) -> None:
        if self._active:
            self.every_n_post_step(step, session)
            self._last_active_step = step
        self._last_successful_step = step

    def end(self, session: Any = None) -> None:
        super().end(session)
        if self._last_successful_step is not None and self._last_successful_step != self._last_active_step:
            self.every_n_post_step(self._last_successful_step, session)


class StopAtStep(BaseMonitor):
    """Stops after `num_steps`, or at `last_step`. Raises ValueError unless exactly one is given."""

    def __init__(self, num_steps: int | None = None, last_step: int | None = None):
        super().__init__()
        if num_steps is None and last_step is None:
            raise ValueError("One of num_steps or last_step must be specified.")
        if num_steps is not None and last_step is not None:
            raise ValueError("Only one of num_steps or last_step can be specified.")
        self._num_steps, self._last_step = num_steps, last_step

    @property
    def run_on_all_workers(self) -> bool:
        return True

    def step_begin(self, step: int) -> list[Any]:
        super().step_begin(step)
        if self._last_step is None:
            self._last_step = step + (self._num_steps or 0) - 1
        return []

    def step_end(self, step: int, output: Any) -> bool:
        super().step_end(step, output)
        return step >= (self._last_step or 0)


class PrintTensor(EveryN):
    """Logs tensors: names, or {tag: name}."""

    def __init__(self, tensor_names: Any, every_n: int = 100, first_n: int = 1):
        super().__init__(every_n, first_n)
        self._tensor_names = tensor_names if isinstance(tensor_names, dict) else {t: t for t in tensor_names}

    def every_n_step_begin(self, step: int) -> list[Any]:
        return list(self._tensor_names.values())

    def every_n_step_end(self, step: int, outputs: Any) -> bool:
        found = [f"{tag} = {_value(outputs, name)}" for tag, name in self._tensor_names.items() if name in outputs]
        log.info("Step %d: %s", step, ", ".join(found))
        return False


class LoggingTrainable(EveryN):
    """Logs the trainable variables of a scope."""

    def __init__(self, scope: str | None = None, every_n: int = 100, first_n: int = 1):
        super().__init__(every_n, first_n)
        self._scope = scope

    def every_n_step_begin(self, step: int) -> list[Any]:
        found = scopes.get_collection(GraphKeys.TRAINABLE_VARIABLES, scope=self._scope)
        self._names = {v.name: v.value().name for v in found}
        return list(self._names.values())

    def every_n_step_end(self, step: int, outputs: Any) -> bool:
        found = [f"{tag} = {_value(outputs, name)}" for tag, name in self._names.items() if name in outputs]
        log.info("Logging Trainable: Step %d: %s", step, ", ".join(found))
        return False


class SummarySaver(EveryN):
    """Writes a summary."""

    def __init__(
        self,
        summary_op: Any,
        save_steps: int = 100,
        output_dir: Any = None,
        summary_writer: Any = None,
        scaffold: Any = None,
    ):
        super().__init__(every_n_steps=save_steps)
        self._summary_op, self._scaffold = summary_op, scaffold
        self._writer = summary_writer or (FileWriter(output_dir) if output_dir else None)

    def set_estimator(self, estimator: Any) -> None:
        super().set_estimator(estimator)
        if self._writer is None:
            self._writer = FileWriter(estimator.model_dir)

    def every_n_step_begin(self, step: int) -> list[Any]:
        if self._summary_op is None and self._scaffold is not None:
            self._summary_op = self._scaffold.summary_op
        return [] if self._summary_op is None else [self._summary_op]

    def every_n_step_end(self, step: int, outputs: Any) -> bool:
        if self._summary_op is not None and self._writer:
            self._writer.add_summary(_value(outputs, self._summary_op), step)
        return False

    def end(self, session: Any = None) -> None:
        super().end(session)
        if self._writer:
            self._writer.flush()


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


class CaptureVariable(EveryN):
    """Keeps the values of a variable: `values` is {step: array}."""

    def __init__(self, var_name: str, every_n: int = 100, first_n: int = 1):
        super().__init__(every_n, first_n)
        self._var_name, self._values = var_name, {}  # type: ignore[var-annotated]

    @property
    def values(self) -> dict[int, Any]:
        return self._values

    def every_n_step_begin(self, step: int) -> list[Any]:
        return [self._var_name]

    def every_n_step_end(self, step: int, outputs: Any) -> bool:
        self._values[step] = _value(outputs, self._var_name)
        return False


class GraphDump(BaseMonitor):
    """Keeps the values of all tensors of each step: `data` is {step: {name: array}}."""

    _IGNORED = ("Const", "Assign", "Identity", "Placeholder", "RandomUniform", "Cast", "RestoreSlice")

    def __init__(self, ignore_ops: Any = None):
        super().__init__()
        self._ignored, self._data = ignore_ops or self._IGNORED, {}  # type: ignore[var-annotated]

    def begin(self, max_steps: int | None = None) -> None:
        super().begin(max_steps)
        operations = get_default_graph().get_operations()
        self._tensors = [t for op in operations if op.type not in self._ignored for t in op.outputs]

    def step_begin(self, step: int) -> list[Any]:
        super().step_begin(step)
        return list(self._tensors)

    def step_end(self, step: int, output: Any) -> bool:
        super().step_end(step, output)
        self._data[step] = output
        return False

    @property
    def data(self) -> dict[int, Any]:
        return self._data


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


class StepCounter(EveryN):
    """Writes the steps per second as a summary."""

    def __init__(self, every_n_steps: int = 100, output_dir: Any = None, summary_writer: Any = None):
        super().__init__(every_n_steps=every_n_steps)
        self._writer = summary_writer or (FileWriterCache.get(output_dir) if output_dir else None)
        self._last: tuple[float, int] | None = None

    def set_estimator(self, estimator: Any) -> None:
        super().set_estimator(estimator)
        if self._writer is None:
            self._writer = FileWriterCache.get(estimator.model_dir)

    def every_n_step_end(self, step: int, outputs: Any) -> bool:
        from thalweg._src.formats import protos

        now = time.time()
        if self._last is not None and self._writer is not None and now > self._last[0]:
            pace = (step - self._last[1]) / (now - self._last[0])
            value = protos.Summary.Value(tag="global_step/sec", simple_value=pace)
            self._writer.add_summary(protos.Summary(value=[value]), step)
        self._last = now, step
        return False


class NanLoss(EveryN):
    """Stops, or raises NanLossDuringTrainingError, when the loss is NaN."""

    def __init__(self, loss_tensor: Any, every_n_steps: int = 100, fail_on_nan_loss: bool = True):
        super().__init__(every_n_steps=every_n_steps)
        self._loss, self._fail = loss_tensor, fail_on_nan_loss

    def every_n_step_begin(self, step: int) -> list[Any]:
        return [self._loss]

    def every_n_step_end(self, step: int, outputs: Any) -> bool:
        if not np.isnan(_value(outputs, self._loss)):
            return False
        if self._fail:
            raise NanLossDuringTrainingError
        log.warning("Model diverged with loss = NaN.")
        return True


def get_default_monitors(
    loss_op: Any = None,
    summary_op: Any = None,
    save_summary_steps: int = 100,
    output_dir: Any = None,
    summary_writer: Any = None,
) -> list[Any]:
    """A monitor that logs the loss, and one that writes summaries."""
    monitors: list[Any] = []
    if loss_op is not None:
        monitors.append(PrintTensor({"loss": loss_op.name}))
    if summary_op is not None:
        monitors.append(SummarySaver(summary_op, save_summary_steps, output_dir, summary_writer))
    return monitors
