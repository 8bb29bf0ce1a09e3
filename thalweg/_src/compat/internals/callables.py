"""tensorflow.python.util.function_utils: what functions take."""

import functools
import inspect
from collections.abc import Callable
from typing import Any


def fn_args(fn: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the arguments of a function, method or partial, without self and what is bound."""
    if isinstance(fn, functools.partial):
        names = fn_args(fn.func)[len(fn.args) :]
        return tuple(n for n in names if n not in (fn.keywords or {}))
    target = fn if inspect.isroutine(fn) else type(fn).__call__
    names = tuple(inspect.getfullargspec(inspect.unwrap(target)).args)
    bound = inspect.ismethod(fn) or target is not fn
    return names[1:] if bound and names else names


def has_kwargs(fn: Callable[..., Any]) -> bool:
    """Whether a function takes any keyword."""
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(fn).parameters.values())
