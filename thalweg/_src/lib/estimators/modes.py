"""What a model function is called for, and which arguments functions take."""

from __future__ import annotations

import functools
import inspect
from typing import Any


class ModeKeys:
    """Training, evaluation, or prediction."""

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"


def fn_args(fn: Any) -> tuple[str, ...]:
    """The names of the arguments that a function, method, partial or object takes; `self` of a method is left out.

    What a partial has fixed is not among them.
    """
    if isinstance(fn, functools.partial):
        inner = fn_args(fn.func)
        fixed = set(fn.keywords)
        return tuple(a for a in inner[len(fn.args) :] if a not in fixed)
    if not inspect.isroutine(fn) and not inspect.isclass(fn) and callable(fn):
        fn = fn.__call__
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.KEYWORD_ONLY)
    return tuple(p.name for p in inspect.signature(fn).parameters.values() if p.kind in named)


def call_with(fn: Any, offered: dict[str, Any], **always: Any) -> Any:
    """Call `fn` with `always` and those of `offered` that it takes."""
    taken = fn_args(fn)
    return fn(**always, **{name: value for name, value in offered.items() if name in taken})
