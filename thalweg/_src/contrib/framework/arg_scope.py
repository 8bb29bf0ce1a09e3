"""Default arguments of functions for the length of a block: `with arg_scope([conv2d], padding="SAME")`."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterator
from typing import Any

_stack: list[dict[str, dict[str, Any]]] = [{}]
_decorated: dict[str, tuple[str, ...]] = {}  # key of a function -> its arguments that have defaults


def current_arg_scope() -> dict[str, dict[str, Any]]:
    """The arguments in force, by the key of the function."""
    return _stack[-1]


def arg_scope_func_key(op: Any) -> str:
    """The key of a function in scopes."""
    return getattr(op, "_key_op", str(op))


@contextlib.contextmanager
def arg_scope(list_ops_or_scope: Any, **kwargs: Any) -> Iterator[dict[str, dict[str, Any]]]:
    """The functions take `kwargs` for arguments that a call does not pass. A scope that was yielded can be entered again.

    Raises ValueError for a function without `add_arg_scope`, and for arguments beside a scope; TypeError for another first argument.
    """
    if isinstance(list_ops_or_scope, dict):
        if kwargs:
            raise ValueError("When attempting to re-use a scope by suppling adictionary, kwargs must be empty.")
        scope = dict(list_ops_or_scope)
    elif isinstance(list_ops_or_scope, list | tuple):
        scope = dict(current_arg_scope())
        for op in list_ops_or_scope:
            if not has_arg_scope(op):
                raise ValueError(f"{(op.__module__, op.__name__)} is not decorated with @add_arg_scope")
            key = arg_scope_func_key(op)
            scope[key] = {**scope.get(key, {}), **kwargs}
    else:
        raise TypeError("list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict)")
    _stack.append(scope)
    try:
        yield scope
    finally:
        _stack.pop()


def add_arg_scope(func: Any) -> Any:
    """Let `arg_scope` give defaults to the function."""
    key = arg_scope_func_key(func)

    @functools.wraps(func)
    def scoped(*args: Any, **kwargs: Any) -> Any:
        given = current_arg_scope().get(key)
        return func(*args, **({**given, **kwargs} if given else kwargs))

    parameters = inspect.signature(func).parameters.values()
    _decorated[key] = tuple(p.name for p in parameters if p.default is not p.empty)
    scoped._key_op = key  # type: ignore[attr-defined]
    return scoped


def has_arg_scope(func: Any) -> bool:
    """Whether `arg_scope` knows the function."""
    return arg_scope_func_key(func) in _decorated


def arg_scoped_arguments(func: Any) -> tuple[str, ...]:
    """The arguments of the function that a scope may give."""
    assert has_arg_scope(func)
    return _decorated[arg_scope_func_key(func)]
