"""Arguments that had another name once, or stood at another place."""

import functools
import re
from collections.abc import Callable
from typing import Any


def renamed(name: str, value: Any, old_name: str, old_value: Any) -> Any:
    """The value of an argument that may come under its old name. Raises ValueError where both are given."""
    if old_value is None:
        return value
    if value is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{name}'")
    return old_value


def named_at(position: int) -> Callable[[tuple, dict[str, Any]], bool]:
    """Whether the last of the positional arguments, at `position`, is the operation's name: a word that is no data format."""

    def tells(args: tuple, kwargs: dict[str, Any]) -> bool:
        return len(args) == position + 1 and isinstance(args[-1], str) and not re.fullmatch("N?[CDHW]{2,4}", args[-1])

    return tells


def formerly(order: str, *, when: Callable[[tuple, dict[str, Any]], bool]) -> Callable[[Any], Any]:
    """A function that an older release called with its arguments in another order.

    `order` lists the old names; `old=new` renames one on the way. `when(args, kwargs)` tells an old call from a new one.
    """
    pairs = [(word.partition("=")[0], word.partition("=")[2] or word) for word in order.split()]
    names = dict(pairs)

    def decorate(fn: Any) -> Any:
        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            if not when(args, kwargs):
                return fn(*args, **kwargs)
            if len(args) > len(pairs):
                raise TypeError(f"{fn.__name__}() took {len(pairs)} arguments in that form, {len(args)} were given")
            bound = {new: value for (_, new), value in zip(pairs, args, strict=False)}
            for key, value in kwargs.items():
                new = names.get(key, key)
                if new in bound:
                    raise TypeError(f"{fn.__name__}() got multiple values for argument {key!r}")
                bound[new] = value
            return fn(**bound)

        call.formerly = tuple(names)  # type: ignore[attr-defined]
        return call

    return decorate
