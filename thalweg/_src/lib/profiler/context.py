"""`tf.contrib.tfprof.ProfileContext`: the steps of sessions are traced and profiled while it is entered."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.graph import get_default_graph
from thalweg._src.formats import protos
from thalweg._src.lib.profiler.profiler import Profiler
from thalweg._src.runtime.base_session import BaseSession

WARMUP_STEPS = 10  # before steps are chosen by chance
MAX_TRACED_STEPS = 100


class ProfileContext:
    """While it is entered, runs of all sessions count as steps; those in `trace_steps` are traced and added to `profiler`.

    Without `trace_steps`, what is fetched for the first time is traced, and some steps by chance. At `dump_steps` the RunMetadata
    of the last traced step is written as `profile_dir`/run_metadata_STEP; TensorFlow's own files of profiles are not written.
    With `enabled=False` nothing happens. ValueError for no `profile_dir` and for more than 100 steps.
    """

    _active: ProfileContext | None = None

    def __init__(
        self,
        profile_dir: Any,
        trace_steps: Iterable[int] | None = None,
        dump_steps: Iterable[int] | None = None,
        enabled: bool = True,
        debug: bool = False,
    ):
        self._enabled = enabled
        if not enabled:
            return
        if not profile_dir:
            raise ValueError("Must have a directory for profile.\n")
        self._by_chance = trace_steps is None
        self._trace_steps = set(trace_steps or ())
        if len(self._trace_steps) > MAX_TRACED_STEPS:
            raise ValueError("Only support tracing up to 100 steps.\n")
        self._dump_steps = {MAX_TRACED_STEPS} if dump_steps is None else set(dump_steps)
        self._folder, self._debug = os.fspath(profile_dir), debug
        self._step, self._traced, self._last = 0, 0, None
        self._trace_next = self._dump_next = False
        self._seen: set[str] = set()
        self._automatic: list[tuple[str, Any, set[int]]] = []
        self._views: dict[str, dict[int, Any]] = {}
        self._profiler: Profiler | None = None
        self._chance, self._lock = random.Random(111), threading.Lock()

    @property
    def profiler(self) -> Profiler | None:
        """The profiler of the default graph that traced steps are added to; None where nothing is enabled."""
        if self._enabled and self._profiler is None:
            self._profiler = Profiler(get_default_graph())
        return self._profiler if self._enabled else None

    def add_auto_profiling(self, cmd: str, options: Any, profile_steps: Iterable[int]) -> None:
        """Trace these steps, and profile each with `cmd` ("scope" or "op") and `options`."""
        if self._enabled:
            steps = set(profile_steps)
            self._automatic.append((cmd, options, steps))
            self._trace_steps |= steps

    def get_profiles(self, cmd: str) -> dict[int, Any]:
        """What `add_auto_profiling` has found, by step. ValueError where `cmd` has not run."""
        if cmd not in self._views:
            raise ValueError(f"No autoprofiler for command: {cmd}, was run")
        return self._views[cmd]

    def trace_next_step(self) -> None:
        """Trace the next step."""
        if self._enabled:
            self._trace_next = True

    def dump_next_step(self) -> None:
        """Write what the last traced step cost after the next one."""
        if self._enabled:
            self._dump_next = True

    # -- within runs

    def _wants(self, fetches: Any) -> bool:
        """Whether this step is traced."""
        if self._traced > MAX_TRACED_STEPS:
            return False
        if self._step in self._trace_steps or self._trace_next:
            return True
        if not self._by_chance or self._step <= WARMUP_STEPS:
            return False
        new = repr(fetches) not in self._seen
        self._seen.add(repr(fetches))
        return new or (self._step < MAX_TRACED_STEPS and self._chance.randint(0, 10) < 2)

    def _run(self, run: Any, session: Any, fetches: Any, feed_dict: Any, options: Any, run_metadata: Any) -> Any:
        """One step, `run` being the session's own method. Steps that run at the same time are not traced."""
        if not self._lock.acquire(blocking=False):
            return run(session, fetches, feed_dict, options, run_metadata)
        try:
            if self._wants(fetches):
                self._traced += 1
                traced = protos.RunOptions(trace_level=protos.RunOptions.FULL_TRACE)
                if options is not None:
                    traced.MergeFrom(options)
                    traced.trace_level = protos.RunOptions.FULL_TRACE
                run_metadata = protos.RunMetadata() if run_metadata is None else run_metadata
                found = run(session, fetches, feed_dict, traced, run_metadata)
                self._last = run_metadata
                with session.graph.as_default():
                    self._add(run_metadata)
            else:
                found = run(session, fetches, feed_dict, options, run_metadata)
            if self._last is not None and (self._step in self._dump_steps or self._dump_next):
                os.makedirs(self._folder, exist_ok=True)
                Path(self._folder, f"run_metadata_{self._step}").write_bytes(self._last.SerializeToString())
            return found
        finally:
            self._step += 1
            self._trace_next = self._dump_next = False
            self._lock.release()

    def _add(self, metadata: Any) -> None:
        profiler = self.profiler
        assert profiler is not None
        profiler.add_step(self._step, metadata)
        kinds = {
            "scope": profiler.profile_name_scope,
            "op": profiler.profile_operations,
            "graph": profiler.profile_graph,
            "code": profiler.profile_python,
        }
        for cmd, options, steps in self._automatic:
            if self._step in steps:
                if cmd not in kinds:
                    raise ValueError(f"Unknown cmd: {cmd}\n")
                self._views.setdefault(cmd, {})[self._step] = kinds[cmd](options)

    def __enter__(self) -> ProfileContext:
        if not self._enabled:
            return self
        if ProfileContext._active is not None:
            raise errors.InternalError(None, None, "Already in context or context not cleaned.")
        ProfileContext._active, run = self, BaseSession.run
        self._replaced = run

        def profiled(
            session: Any, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
        ) -> Any:
            return self._run(run, session, fetches, feed_dict, options, run_metadata)

        BaseSession.run = profiled  # type: ignore[method-assign]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._enabled:
            BaseSession.run = self._replaced  # type: ignore[method-assign]
            ProfileContext._active = None
