"""tf.contrib.learn.monitors: what watches a training of 0.x, before there were hooks."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from thalweg._src.core import scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.hooks.basic import NanLossDuringTrainingError
from thalweg._src.lib.platform import logging as log
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

    IGNORE_OPS = ("Const", "Assign", "Identity", "Placeholder", "RandomUniform", "Cast", "RestoreSlice")

    def __init__(self, ignore_ops: Any = None):
        super().__init__()
        self._ignored, self._data = ignore_ops or self.IGNORE_OPS, {}  # type: ignore[var-annotated]

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

    def compare(self, other_dump: GraphDump, step: int, atol: float = 1e-06) -> tuple[list[str], dict[str, Any]]:
        """(the names whose values are equal in both dumps, {name: (the value here, the value there)} of the others).

        Of arrays that differ, the difference stands there. Raises ValueError for names that the other has not.
        """
        matched: list[str] = []
        differing: dict[str, Any] = {}
        there = other_dump.data.get(step, {})
        for name, value in self.data.get(step, {}).items():
            if name not in there:
                raise ValueError(f"{name} missing at step {step}.")
            other = there[name]
            if isinstance(value, np.ndarray):
                if np.allclose(value, other, atol=atol):
                    matched.append(name)
                else:
                    differing[name] = value - other
            elif value == other:
                matched.append(name)
            else:
                differing[name] = value, other
        return matched, differing


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
