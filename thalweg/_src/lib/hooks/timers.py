"""When a hook acts: every so many steps, or seconds."""

from __future__ import annotations

import time


class HookTimer:
    """Tells at which steps to act."""

    def reset(self) -> None:
        """Forget when the timer was triggered."""

    def should_trigger_for_step(self, step: int) -> bool:
        """Whether to act at `step`."""
        raise NotImplementedError

    def update_last_triggered_step(self, step: int) -> tuple[float | None, int | None]:
        """Note that the hook acted at `step`; gives the seconds and steps since the last time, or Nones."""
        raise NotImplementedError

    def last_triggered_step(self) -> int | None:
        """The step at which the hook acted last."""
        raise NotImplementedError


class SecondOrStepTimer(HookTimer):
    """Every `every_secs` seconds, or every `every_steps` steps; the first step always. Raises ValueError unless one
    is given.
    """

    def __init__(self, every_secs: float | None = None, every_steps: int | None = None):
        if every_secs is None and every_steps is None:
            raise ValueError("Either every_secs or every_steps should be provided.")
        if every_secs is not None and every_steps is not None:
            raise ValueError("Can not provide both every_secs and every_steps.")
        self._every_secs, self._every_steps = every_secs, every_steps
        self.reset()

    def reset(self) -> None:
        self._step: int | None = None
        self._time = 0.0

    def should_trigger_for_step(self, step: int) -> bool:
        if self._step is None:
            return True
        if self._step == step:
            return False
        if self._every_secs is not None:
            return time.time() >= self._time + self._every_secs
        return step >= self._step + self._every_steps  # type: ignore[operator]

    def update_last_triggered_step(self, step: int) -> tuple[float | None, int | None]:
        now = time.time()
        since = (None, None) if self._step is None else (now - self._time, step - self._step)
        self._time, self._step = now, step
        return since

    def last_triggered_step(self) -> int | None:
        return self._step


class NeverTriggerTimer(HookTimer):
    """Never."""

    def should_trigger_for_step(self, step: int) -> bool:
        return False

    def update_last_triggered_step(self, step: int) -> tuple[None, None]:
        return None, None

    def last_triggered_step(self) -> None:
        return None
