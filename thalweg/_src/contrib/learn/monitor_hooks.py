"""Monitors as hooks of sessions."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunHook


class RunHookAdapterForMonitors(SessionRunHook):
    """Monitors as one hook."""

    def __init__(self, monitors: list[Any]):
        self._monitors = monitors

    def begin(self) -> None:
        self._last_step: int | None = None
        self._step = get_global_step()
        for monitor in self._monitors:
            monitor.begin(max_steps=None)

    def before_run(self, run_context: Any) -> SessionRunArgs:
        if self._last_step is None:
            self._last_step = int(run_context.session.run(self._step)) + 1
        self._requests: dict[Any, list[Any]] = {m: m.step_begin(self._last_step) or [] for m in self._monitors}
        graph = get_default_graph()
        names = {r if isinstance(r, str) else r.name for requests in self._requests.values() for r in requests}
        return SessionRunArgs({name: graph.as_graph_element(name) for name in names})

    def after_run(self, run_context: Any, run_values: Any) -> None:
        results, step = run_values.results, self._last_step
        stop = False
        for monitor in self._monitors:
            wanted = {r if isinstance(r, str) else r.name for r in self._requests[monitor]}
            stop = bool(monitor.step_end(step, {name: results[name] for name in wanted})) or stop
        if stop:
            run_context.request_stop()
        for monitor in self._monitors:
            monitor.post_step(step, run_context.session)
        self._last_step = int(run_context.session.run(self._step)) + 1

    def end(self, session: Any) -> None:
        self._last_step = None
        for monitor in self._monitors:
            monitor.end(session=session)


def replace_monitors_with_hooks(monitors_or_hooks: Any, estimator: Any) -> list[Any]:
    """Hooks as they are, and one hook for all monitors, which get to know `estimator`."""
    everything = list(monitors_or_hooks or [])
    hooks = [m for m in everything if isinstance(m, SessionRunHook)]
    monitors = [m for m in everything if not isinstance(m, SessionRunHook)]
    for monitor in monitors:
        monitor.set_estimator(estimator)
    return [*hooks, RunHookAdapterForMonitors(monitors)] if monitors else hooks
