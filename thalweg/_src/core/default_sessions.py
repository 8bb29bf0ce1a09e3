"""The stack of default sessions, which `eval` and `run` use; the runtime keeps it here."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thalweg._src.core.graph import Graph


class _SessionStack(threading.local):
    def __init__(self) -> None:
        self.stack: list[Any] = []


default_sessions = _SessionStack()


def default_session_for(graph: Graph, session: Any, doing: str, method: str) -> Any:
    """`session`, or the default one for None. Raises ValueError where there is none, or one of another graph."""
    if session is None:
        if not default_sessions.stack:
            raise ValueError(
                f"Cannot {doing} using `{method}()`: No default session is registered. Use `with sess.as_default()` or pass an "
                f"explicit session to `{method}(session=sess)`"
            )
        session = default_sessions.stack[-1]
        if session.graph is not graph:
            raise ValueError(
                f"Cannot use the default session to {doing}: the tensor's graph is different from the session's graph. "
                f"Pass an explicit session to `{method}(session=sess)`."
            )
    elif session.graph is not graph:
        raise ValueError(
            f"Cannot use the given session to {doing}: the tensor's graph is different from the session's graph."
        )
    return session
