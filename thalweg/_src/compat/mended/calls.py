"""Ways of calling that libraries have given up: keyword-only parameters by position, and arguments renamed or dropped."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any


def positional(function: Callable) -> Callable:
    """`function`, whose keyword-only parameters may come by position, in their order, unless it takes any number of these."""
    parameters = inspect.signature(function).parameters.values()
    fixed = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    late = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    if not late or any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        more = dict(zip(late, args[len(fixed) :], strict=False))
        return function(*args[: len(fixed)], **more, **kwargs)

    return call


def renamed(function: Callable, names: Mapping[str, str | None]) -> Callable:
    """`function`, which also takes arguments by their old `names`; one whose new name is None changes nothing any more."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for old, new in names.items():
            if old in kwargs:
                value = kwargs.pop(old)
                if new is not None:
                    kwargs[new] = value
        return function(*args, **kwargs)

    return call


def rename_arguments(owner: Any, table: Mapping[str, Mapping[str, str | None]]) -> None:
    """`renamed` for those attributes of a module or class that `table` has and that no longer take the old names."""
    for name, names in table.items():
        function = getattr(owner, name, None)
        if function is None:
            continue
        taken = inspect.signature(function).parameters
        gone = {old: new for old, new in names.items() if old not in taken}
        if gone:
            setattr(owner, name, renamed(function, gone))


def positional_functions(module: ModuleType) -> None:
    """Every public function that a module defines, where it takes keyword-only arguments."""
    for name, value in list(vars(module).items()):
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
            setattr(module, name, positional(value))


def supply(owner: Any, members: Mapping[str, Any]) -> None:
    """Those of `members` that `owner`, a class or module, does not have."""
    for name, value in members.items():
        if not hasattr(owner, name):
            setattr(owner, name, value)
