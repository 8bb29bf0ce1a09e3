"""Keeps the latest checkpoints of a `tf.train.Checkpoint` and deletes older ones."""

from __future__ import annotations

import os
import time
from typing import Any

from thalweg._src.core.default_sessions import default_sessions
from thalweg._src.lib import checkpoint_management
from thalweg._src.lib.global_step import number_of_step
from thalweg._src.lib.platform import logging as log


class CheckpointManager:
    """Saves `checkpoint` as `directory`/`checkpoint_name`-N and keeps the last `max_to_keep` of them (None: all).

    One in `keep_checkpoint_every_n_hours` is never deleted. It goes on with what an earlier manager left in the
    directory. Raises ValueError unless `max_to_keep` is positive or None.
    """

    def __init__(
        self,
        checkpoint: Any,
        directory: Any,
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
    ):
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"Expected a positive integer or `None` for `max_to_max_to_keep`, got {max_to_keep}.")
        self._checkpoint, self._directory = checkpoint, os.fspath(directory)
        self._max_to_keep, self._keep_hours = max_to_keep, keep_checkpoint_every_n_hours
        self._prefix = os.path.join(self._directory, checkpoint_name)
        self._count: Any = None
        self._written: dict[str, float] = {}  # the checkpoints that may be deleted, and when they were written
        now = time.time()
        state = checkpoint_management.get_checkpoint_state(self._directory)
        if state is None:
            self._latest, self._last_preserved = None, now - 1
            return
        self._latest, self._last_preserved = state.model_checkpoint_path, state.last_preserved_timestamp
        if now < self._last_preserved:
            log.warning(
                "time.time() returned a value %f seconds behind the last preserved checkpoint timestamp.",
                self._last_preserved - now,
            )
            self._last_preserved = now
        paths = list(state.all_model_checkpoint_paths)
        times = list(state.all_model_checkpoint_timestamps) or [self._last_preserved] * len(paths)
        for path, written in zip(paths, times, strict=False):
            if min(written, now) > self._last_preserved:
                self._written[path] = min(written, now)

    @property
    def latest_checkpoint(self) -> str | None:
        """The path of the latest checkpoint, for `Checkpoint.restore`; None if there is none."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """The checkpoints that may be deleted later, the oldest first."""
        return list(self._written)

    def save(self, checkpoint_number: Any = None) -> str:
        """Write a checkpoint, numbered by the checkpoint's `save_counter` unless a number is given; gives its path."""
        session = default_sessions.stack[-1] if default_sessions.stack else None
        if session is None:
            raise ValueError("CheckpointManager.save needs a default session.")
        new = self._checkpoint._save_counter is None
        counter = self._checkpoint.save_counter
        if new:
            session.run(counter.initializer)
        if self._count is None:
            self._count = counter.assign_add(1, read_value=False)
        session.run(self._count)
        number = counter if checkpoint_number is None else checkpoint_number
        path = self._checkpoint.write(f"{self._prefix}-{number_of_step(session, number)}", session)
        self._written.pop(path, None)
        self._written[path] = time.time()
        self._latest = path
        self._record()  # so that the new one is known if deleting the old ones is interrupted
        self._sweep()
        self._record()
        return path

    def _sweep(self) -> None:
        while self._max_to_keep and len(self._written) > self._max_to_keep:
            path = next(iter(self._written))
            written = self._written.pop(path)
            if self._keep_hours and written - self._keep_hours * 3600 >= self._last_preserved:
                self._last_preserved = written
            else:
                checkpoint_management.remove_checkpoint(path)

    def _record(self) -> None:
        checkpoint_management.write_state(
            self._directory,
            self._latest or "",
            list(self._written),
            save_relative_paths=True,
            all_model_checkpoint_timestamps=list(self._written.values()),
            last_preserved_timestamp=self._last_preserved,
        )
