"""Session and InteractiveSession, and which of them is the default one."""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from typing import Any

from thalweg._src.core import default_sessions, errors
from thalweg._src.core import graph as graph_lib
from thalweg._src.core.graph import Graph
from thalweg._src.formats import frames
from thalweg._src.runtime.base_session import LOCAL, BaseSession
from thalweg._src.runtime.links import reach, wait
from thalweg._src.runtime.servers import address_of, server_of


class Session(BaseSession):
    """Runs a graph and keeps its variables. As a context it is the default session, and closed at the end.

    >>> with tf.Session() as sess:
    ...     print(sess.run(tf.constant(5.0) * tf.constant(6.0)))
    30.0
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None):
        super().__init__(target, graph, config)
        self._entered: list[contextlib.ExitStack] = []

    def __enter__(self) -> Session:
        if self._entered:
            raise RuntimeError(
                "Session context managers are not re-entrant. Use `Session.as_default()` if you want to enter a session multiple times."
            )
        stack = contextlib.ExitStack()
        stack.enter_context(self.graph.as_default())
        stack.enter_context(self.as_default())
        self._entered.append(stack)
        return self

    def __exit__(self, *error: Any) -> None:
        self._entered.pop().__exit__(*error)
        self.close()

    @staticmethod
    def reset(target: str, containers: Any = None, config: Any = None) -> None:
        """Forget the variables of a server, or those in some of its `containers`. Its sessions end: AbortedError.

        Without a server, variables belong to their session, and there is nothing to reset. Waits for a server that is not there, as long as
        the `operation_timeout_in_ms` of `config` says: DeadlineExceededError.
        """
        target = target.decode() if isinstance(target, bytes) else target
        server, address = server_of(target), address_of(target)
        if server is not None:
            server.reset(containers)
        elif address is not None:
            facts = {"containers": [c.decode() if isinstance(c, bytes) else c for c in containers or ()]}
            limit = config.operation_timeout_in_ms if config is not None else 0
            until = time.monotonic() + limit / 1000 if limit else None
            wait(reach(address), "Reset", frames.pack(facts), target, threading.Event(), until)
        elif target not in LOCAL:
            raise errors.NotFoundError(None, None, f"No session factory registered for the target {target!r}.")


class InteractiveSession(BaseSession):
    """A session that is the default one from its creation on, for notebooks and shells. `close` ends that."""

    _count = 0

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None):
        super().__init__(target, graph, config)
        if InteractiveSession._count > 0:
            warnings.warn(
                "An interactive session is already active. This can cause out-of-memory errors in some cases. "
                "You must explicitly call `InteractiveSession.close()` to release resources held by the other session(s).",
                stacklevel=2,
            )
        InteractiveSession._count += 1
        default_sessions.default_sessions.stack.append(self)
        self._own_graph = graph is not None
        if self._own_graph:
            graph_lib._default_graphs.stack.append(self.graph)

    def _check_devices(self) -> None:
        """What an interactive session does not run, it need not place."""

    def close(self) -> None:
        """End the session; it is the default one no more."""
        if not self._closed:
            InteractiveSession._count -= 1
            if self in default_sessions.default_sessions.stack:
                default_sessions.default_sessions.stack.remove(self)
            if self._own_graph and self.graph in graph_lib._default_graphs.stack:
                graph_lib._default_graphs.stack.remove(self.graph)
        super().close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            if not self._closed:
                InteractiveSession._count -= 1


def get_default_session() -> Any:
    """The session of the innermost `with session.as_default()` block, or None."""
    stack = default_sessions.default_sessions.stack
    return stack[-1] if stack else None
