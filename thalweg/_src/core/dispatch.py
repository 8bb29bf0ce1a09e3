"""Functions of tensors that take composite values too: where the plain function refuses, a handler is asked.

`ops/ragged_tensors/ragged_dispatch.py` fills the table for ragged tensors. A handler takes the arguments of the function, and returns
NotImplemented where none of them is of its kind.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
HANDLERS: dict[Any, Callable[..., Any]] = {}


def dispatched(fn: F) -> F:
    """`fn`, or its handler where `fn` raises TypeError or ValueError."""

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return fn(*args, **kwargs)
        except (TypeError, ValueError):
            result = handled(call, args, kwargs)
            if result is NotImplemented:
                raise
            return result

    return call  # type: ignore[return-value]


def handled(fn: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """What the handler of `fn` makes of the arguments; NotImplemented without one."""
    handler = HANDLERS.get(fn)
    return NotImplemented if handler is None else handler(*args, **kwargs)
