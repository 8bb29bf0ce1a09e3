"""What a hook is: it takes part in every run of a monitored session."""

from __future__ import annotations

from typing import Any, NamedTuple


class SessionRunArgs(NamedTuple):
    """What a hook wants of the next run: more fetches, feeds, RunOptions."""

    fetches: Any
    feed_dict: Any = None
    options: Any = None


class SessionRunValues(NamedTuple):
    """What a run gave: the values of the hook's fetches, the RunOptions and RunMetadata of the run."""

    results: Any
    options: Any
    run_metadata: Any


class SessionRunContext:
    """A run as hooks see it: what its caller asked for, the session, and a way to ask for the end."""

    def __init__(self, original_args: SessionRunArgs, session: Any):
        self._original_args, self._session = original_args, session
        self._stop_requested = False

    @property
    def original_args(self) -> SessionRunArgs:
        return self._original_args

    @property
    def session(self) -> Any:
        """The session itself: running it calls no hooks."""
        return self._session

    @property
    def stop_requested(self) -> bool:
        return self._stop_requested

    def request_stop(self) -> None:
        """Let `should_stop` of the monitored session be true after this run."""
        self._stop_requested = True


class SessionRunHook:
    """Extends the runs of a monitored session; override what you need."""

    def begin(self) -> None:
        """Called once, before the session is made; the graph can still be changed."""

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Called whenever a session was made, and made again; the graph is finalized."""

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Called before each run; what it returns is added to the run."""

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Called after each run, with the values of the hook's own fetches."""

    def end(self, session: Any) -> None:
        """Called before the session is closed, unless an exception ends it."""
