"""Hooks that watch the runs of monitored sessions and estimators."""

from collections.abc import Callable
from typing import Any

from thalweg._src.formats import protos
from thalweg._src.lib.debugging.command_line import Commands
from thalweg._src.lib.debugging.sessions import Folders, WatchOptions, describe, watch, watch_options
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunHook


class DumpingDebugHook(SessionRunHook):
    """Each run writes its tensors into a folder of its own below `session_root`, as a DumpingDebugWrapperSession's do."""

    def __init__(
        self,
        session_root: str,
        watch_fn: Callable[..., Any] | None = None,
        thread_name_filter: str | None = None,
        log_usage: bool = True,
    ):
        self._folders, self._watch_fn = Folders(session_root), watch_fn

    def before_run(self, run_context: Any) -> Any:
        fetches, feeds = run_context.original_args.fetches, run_context.original_args.feed_dict
        asked = watch_options(self._watch_fn(fetches, feeds)) if self._watch_fn else WatchOptions()
        folder, options = self._folders.next(), protos.RunOptions()
        describe(folder, fetches, feeds)
        watch(options, run_context.session.graph, folder, asked)
        return SessionRunArgs(None, options=options)


class LocalCLIDebugHook(SessionRunHook):
    """The command line of a LocalCLIDebugWrapperSession, for monitored sessions and estimators."""

    def __init__(
        self,
        ui_type: str = "curses",
        dump_root: str | None = None,
        thread_name_filter: str | None = None,
        config_file_path: Any = None,
        *,
        ask: Callable[[str], str] = input,
        say: Callable[[str], None] = print,
    ):
        self._commands, self._count, self._watched = Commands(dump_root, ask, say), 0, False

    def add_tensor_filter(self, filter_name: str, tensor_filter: Callable[..., bool]) -> None:
        """Let `lt -f` and `run -f` know a function of (DebugTensorDatum, value). Raises TypeError or ValueError."""
        self._commands.add_tensor_filter(filter_name, tensor_filter)

    def before_run(self, run_context: Any) -> Any:
        fetches, feeds = run_context.original_args.fetches, run_context.original_args.feed_dict
        self._count += 1
        self._watched = self._commands.begin(self._count, fetches, feeds)
        if not self._watched:
            return None
        options = protos.RunOptions()
        watch(options, run_context.session.graph, self._commands.folder, WatchOptions())
        return SessionRunArgs(None, options=options)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if self._watched:
            self._commands.end(self._count, run_context.session.graph, None)
