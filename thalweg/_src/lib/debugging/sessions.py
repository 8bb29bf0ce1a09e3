"""Sessions around sessions whose runs are watched: `DumpingDebugWrapperSession` keeps the dumps, others look at them."""

import contextlib
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import nest
from thalweg._src.core.default_sessions import default_sessions
from thalweg._src.formats import protos
from thalweg._src.lib.debugging.dumps import FEEDS, FETCHES
from thalweg._src.lib.debugging.watches import watch_graph


class WatchOptions:
    """What a `watch_fn` answers: the debugging ops, and patterns of the names and types that are watched."""

    def __init__(
        self,
        debug_ops: str | Sequence[str] | None = None,
        node_name_regex_whitelist: str | None = None,
        op_type_regex_whitelist: str | None = None,
        tensor_dtype_regex_whitelist: str | None = None,
        tolerate_debug_op_creation_failures: bool = False,
    ):
        self.debug_ops = debug_ops or ["DebugIdentity"]
        self.node_name_regex_whitelist = node_name_regex_whitelist
        self.op_type_regex_whitelist = op_type_regex_whitelist
        self.tensor_dtype_regex_whitelist = tensor_dtype_regex_whitelist
        self.tolerate_debug_op_creation_failures = tolerate_debug_op_creation_failures

    def __repr__(self) -> str:
        return f"WatchOptions({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


def watch_options(answer: Any) -> WatchOptions:
    """What a `watch_fn` gave, which may be a tuple of the first arguments of WatchOptions."""
    return WatchOptions(*answer) if isinstance(answer, tuple) else answer


def watch(run_options: Any, graph: Any, folder: str, asked: WatchOptions, *, reset: bool = False) -> None:
    """Ask for the tensors that `asked` describes, written below `folder`."""
    run_options.output_partition_graphs = True
    watch_graph(run_options, graph, debug_urls=f"file://{folder}", reset_disk_byte_usage=reset, **vars(asked))


def describe(folder: str, fetches: Any, feed_dict: Any) -> None:
    """Write beside the dumps of a run what was fetched and fed."""
    fed = repr(feed_dict.keys()) if feed_dict else repr(feed_dict)
    for name, text in ((FETCHES, repr(fetches)), (FEEDS, fed)):
        event = protos.Event(log_message=protos.LogMessage(message=text))
        with open(os.path.join(folder, name), "wb") as f:
            f.write(event.SerializeToString())


class Folders:
    """A folder for each run below `root`, which is made, or empty. Raises ValueError where it is neither."""

    def __init__(self, root: str):
        root = os.path.expanduser(root)
        if os.path.isdir(root) and os.listdir(root):
            raise ValueError(f"session_root path points to a non-empty directory: {root}")
        if os.path.exists(root) and not os.path.isdir(root):
            raise ValueError(f"session_root path points to a file: {root}")
        os.makedirs(root, exist_ok=True)
        self.root, self._count, self._lock = os.path.abspath(root), 0, threading.Lock()

    def next(self) -> str:
        with self._lock:
            number, self._count = self._count, self._count + 1
        path = os.path.join(self.root, f"run_{int(time.time() * 1e6)}_{number}")
        os.makedirs(path)
        return path


class DebugWrapperSession:
    """The base: everything is the session's own, but for `run`, which subclasses watch by `_watched_run`."""

    def __init__(self, sess: Any, thread_name_filter: str | None = None, pass_through_operrors: bool | None = False):
        if not hasattr(sess, "run") or not hasattr(sess, "graph"):
            raise TypeError(f"Expected type tf.Session or tf.MonitoredSession; got type {type(sess)}")
        self._sess, self._run_call_count = sess, 0
        self._threads = re.compile(thread_name_filter) if thread_name_filter else None
        self._pass_through_operrors = bool(pass_through_operrors)
        self._default: Any = None

    graph = property(lambda self: self._sess.graph)
    graph_def = property(lambda self: self._sess.graph_def)
    sess_str = property(lambda self: self._sess.sess_str)
    session = property(lambda self: self._sess)
    run_call_count = property(lambda self: self._run_call_count)

    def __getattr__(self, name: str) -> Any:
        if name == "_sess":
            raise AttributeError(name)
        return getattr(self._sess, name)

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """As the session's. A run of nothing, and one of a thread that the filter leaves out, is not watched."""

        def call(options: Any = options, run_metadata: Any = run_metadata) -> Any:
            return self._sess.run(fetches, feed_dict=feed_dict, options=options, run_metadata=run_metadata)

        return self._run(call, fetches, feed_dict, options, run_metadata)

    def _run(self, call: Callable[..., Any], fetches: Any, feed_dict: Any, options: Any, run_metadata: Any) -> Any:
        self._run_call_count += 1
        name = threading.current_thread().name
        is_empty = isinstance(fetches, list | tuple | dict) and not nest.flatten(fetches)
        if is_empty or (self._threads and not self._threads.match(name)):
            return call()
        options = options if options is not None else protos.RunOptions()
        metadata = run_metadata if run_metadata is not None else protos.RunMetadata()
        return self._watched_run(lambda: call(options=options, run_metadata=metadata), fetches, feed_dict, options)

    def _watched_run(self, call: Callable[[], Any], fetches: Any, feed_dict: Any, options: Any) -> Any:
        raise NotImplementedError

    def make_callable(self, fetches: Any, feed_list: Any = None, accept_options: bool = False) -> Callable[..., Any]:
        """A function whose calls are watched as runs are."""
        runner = self._sess.make_callable(fetches, feed_list=feed_list, accept_options=True)

        def wrapped(*values: Any, options: Any = None, run_metadata: Any = None) -> Any:
            def call(options: Any = options, run_metadata: Any = run_metadata) -> Any:
                return runner(*values, options=options, run_metadata=run_metadata)

            return self._run(call, fetches, None, options, run_metadata)

        return wrapped

    def partial_run_setup(self, fetches: Any, feeds: Any = None) -> Any:
        raise NotImplementedError("partial_run_setup is not implemented for debug-wrapper sessions.")

    def partial_run(self, handle: Any, fetches: Any, feed_dict: Any = None) -> Any:
        raise NotImplementedError("partial_run is not implemented for debug-wrapper sessions.")

    def should_stop(self) -> bool:
        """Of a monitored session. Raises ValueError for one of another kind."""
        if not hasattr(self._sess, "should_stop"):
            raise ValueError(
                f"The wrapped session {self._sess!r} does not have a method called 'should_stop'. Do you intend to wrap a "
                "tf.MonitoredSession instead?"
            )
        return self._sess.should_stop()

    @contextlib.contextmanager
    def as_default(self):
        """The default session in a `with` block."""
        default_sessions.stack.append(self)
        try:
            yield self
        finally:
            default_sessions.stack.remove(self)

    def __enter__(self) -> Any:
        self._default = contextlib.ExitStack()
        self._default.enter_context(self.graph.as_default())
        return self._default.enter_context(self.as_default())

    def __exit__(self, *error: Any) -> None:
        self._default.__exit__(*error)

    def close(self) -> None:
        self._sess.close()


class DumpingDebugWrapperSession(DebugWrapperSession):
    """Each run writes its tensors into a folder of its own below `session_root`.

    `watch_fn(fetches, feeds)` gives WatchOptions for a run. Raises ValueError for a folder that is not empty, TypeError for a
    `watch_fn` that can't be called.
    """

    def __init__(
        self,
        sess: Any,
        session_root: str,
        watch_fn: Callable[..., Any] | None = None,
        thread_name_filter: str | None = None,
        pass_through_operrors: bool | None = None,
        log_usage: bool = True,
    ):
        super().__init__(sess, thread_name_filter, pass_through_operrors)
        if watch_fn is not None and not callable(watch_fn):
            raise TypeError("watch_fn is not callable")
        self._watch_fn, self._folders = watch_fn, Folders(session_root)

    def _watched_run(self, call: Callable[[], Any], fetches: Any, feed_dict: Any, options: Any) -> Any:
        asked = watch_options(self._watch_fn(fetches, feed_dict)) if self._watch_fn else WatchOptions()
        folder = self._folders.next()
        describe(folder, fetches, feed_dict)
        watch(options, self.graph, folder, asked, reset=self._run_call_count == 1)
        return call()
