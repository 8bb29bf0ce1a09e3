"""A session that asks on a command line before each run, and shows the run's tensors after it."""

import shutil
import tempfile
from collections.abc import Callable
from typing import Any

from thalweg._src.core import errors
from thalweg._src.lib.debugging.console import Console, Left
from thalweg._src.lib.debugging.dumps import DebugDumpDir, has_inf_or_nan
from thalweg._src.lib.debugging.sessions import DebugWrapperSession, WatchOptions, describe, watch


class Commands:
    """What the command line has said: how often to run without asking, and what for. It is shared by sessions and hooks."""

    def __init__(self, dump_root: str | None, ask: Callable[[str], str], say: Callable[[str], None]):
        self.filters: dict[str, Callable[..., bool]] = {"has_inf_or_nan": has_inf_or_nan}
        self.console = Console(self.filters, ask, say)
        self.root, self.times, self.wanted, self.has_left = dump_root, 0, None, False
        self.folder = ""

    def add_tensor_filter(self, name: str, tensor_filter: Callable[..., bool]) -> None:
        if not isinstance(name, str):
            raise TypeError("Input argument filter_name is expected to be str, but is not.")
        if not name:
            raise ValueError("Input argument filter_name cannot be empty.")
        if not callable(tensor_filter):
            raise TypeError("Input argument filter_callable is expected to be callable, but is not.")
        self.filters[name] = tensor_filter

    def begin(self, number: int, fetches: Any, feed_dict: Any) -> bool:
        """Whether the run is to be watched, below `self.folder`."""
        if self.has_left:
            return False
        if self.times > 1:
            self.times -= 1
            return False
        if self.wanted is None:
            try:
                answer = self.console.before(f"run {number}: fetches {fetches!r}, feeds {feed_dict!r}")
            except Left:
                self.has_left = True
                self.console.say("The input has ended: the program goes on without the debugger.")
                return False
            self.times, self.wanted = answer["times"], answer["filter"]
            if not answer["watch"] or self.times > 1:
                return False
        self.folder = tempfile.mkdtemp(prefix="tfdbg_", dir=self.root)
        describe(self.folder, fetches, feed_dict)
        return True

    def end(self, number: int, graph: Any, error: BaseException | None) -> None:
        """Show what a watched run has left."""
        try:
            dump = DebugDumpDir(self.folder, validate=False)
            dump.set_python_graph(graph)
            if self.wanted is not None and error is None:
                if not dump.find(self.filters[self.wanted], first_n=1):
                    return
                self.console.say(f"A tensor has passed the filter {self.wanted}: list_tensors -f {self.wanted}")
            self.wanted = None
            how = "ended" if error is None else f"failed: {error}"
            self.console.after(f"run {number} {how}; {dump.size} tensors. help lists the commands.", dump)
        except Left:
            self.has_left = True
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


class LocalCLIDebugWrapperSession(DebugWrapperSession):
    """Before each run it asks on the terminal how to go on; after a watched one it answers questions about its tensors.

    There is one kind of command line, whatever `ui_type` says. Where the input ends, the program goes on without the debugger.
    """

    def __init__(
        self,
        sess: Any,
        dump_root: str | None = None,
        log_usage: bool = True,
        ui_type: str = "curses",
        thread_name_filter: str | None = None,
        config_file_path: Any = False,
        *,
        ask: Callable[[str], str] = input,
        say: Callable[[str], None] = print,
    ):
        super().__init__(sess, thread_name_filter)
        self._commands = Commands(dump_root, ask, say)

    def add_tensor_filter(self, filter_name: str, tensor_filter: Callable[..., bool]) -> None:
        """Let `lt -f` and `run -f` know a function of (DebugTensorDatum, value). Raises TypeError or ValueError."""
        self._commands.add_tensor_filter(filter_name, tensor_filter)

    def _watched_run(self, call: Callable[[], Any], fetches: Any, feed_dict: Any, options: Any) -> Any:
        commands, number = self._commands, self._run_call_count
        if not commands.begin(number, fetches, feed_dict):
            return call()
        watch(options, self.graph, commands.folder, WatchOptions())
        try:
            result = call()
        except errors.OpError as error:
            commands.end(number, self.graph, error)
            raise
        commands.end(number, self.graph, None)
        return result
