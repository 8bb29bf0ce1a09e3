"""Decorators of functions, and of arguments, that go away: one warning each, when they are used."""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.lib.platform import logging as log

_warned: set[Any] = set()
_silent = False


def _tell(*message: Any) -> None:
    if not _silent:
        log.warning(*message)


def _check(func: Any, name: str) -> None:
    if not callable(func):
        raise ValueError(f"{func} is not a function. If this is a property, apply @{name} after @property.")


def _check_notice(date: str | None, instructions: str) -> None:
    if date is not None and not re.match(r"20\d\d-[01]\d-[0123]\d", date):
        raise ValueError("Date must be YYYY-MM-DD.")
    if not instructions:
        raise ValueError("Don't deprecate things without conversion instructions!")


def _when(date: str | None) -> str:
    return "in a future version" if date is None else f"after {date}"


def _place() -> str:
    """The file and line of the call of the deprecated function."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _noted(doc: str | None, notice: str) -> str:
    head, _, rest = (doc or "DEPRECATED FUNCTION").partition("\n")
    return f"{head} (deprecated)\n\nWarning: {notice}\n{rest}"


def deprecated(date: str | None, instructions: str, warn_once: bool = True) -> Callable[[Any], Any]:
    """Warn when the function is called. `date` is 'YYYY-MM-DD' or None; ValueError for another, or without instructions."""
    _check_notice(date, instructions)

    def wrap(func: Any) -> Any:
        _check(func, "deprecated")

        @functools.wraps(func)
        def new(*args: Any, **kwargs: Any) -> Any:
            if func not in _warned:
                if warn_once:
                    _warned.add(func)
                _tell(
                    "From %s: %s (from %s) is deprecated and will be removed %s.\nInstructions for updating:\n%s",
                    _place(),
                    getattr(func, "__qualname__", str(func)),
                    func.__module__,
                    _when(date),
                    instructions,
                )
            return func(*args, **kwargs)

        new.__doc__ = _noted(
            func.__doc__, f"THIS FUNCTION IS DEPRECATED. It will be removed {_when(date)}.\n{instructions}"
        )
        return new

    return wrap


def _warn_of_argument(func: Any, key: Any, warn_once: bool, text: str, date: str | None, instructions: str) -> None:
    if (func, key) in _warned:
        return
    if warn_once:
        _warned.add((func, key))
    _tell(
        "From %s: calling %s (from %s) with %s is deprecated and will be removed %s.\nInstructions for updating:\n%s",
        _place(),
        getattr(func, "__qualname__", str(func)),
        func.__module__,
        text,
        _when(date),
        instructions,
    )


def deprecated_args(
    date: str | None, instructions: str, *deprecated_arg_names_or_tuples: Any, **kwargs: Any
) -> Callable[[Any], Any]:
    """Warn when one of those arguments is passed: its name, or (name, the value that may be passed still).

    Raises ValueError for arguments that the function does not have.
    """
    _check_notice(date, instructions)
    if not deprecated_arg_names_or_tuples:
        raise ValueError("Specify which argument is deprecated.")
    warn_once = kwargs.pop("warn_once", True)
    if kwargs:
        raise ValueError(f"Illegal argument to deprecated_args: {kwargs}")
    names: dict[str, Any] = {}
    for given in deprecated_arg_names_or_tuples:
        if isinstance(given, tuple):
            names[given[0]] = tuple(given[1:])
        else:
            names[given] = ()

    def wrap(func: Any) -> Any:
        _check(func, "deprecated_args")
        signature = inspect.signature(func)
        missing = [n for n in names if n not in signature.parameters]
        takes_any = [p.name for p in signature.parameters.values() if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        if missing and not takes_any:
            raise ValueError(
                f"The following deprecated arguments are not present in the function signature: {missing}. "
                f"Found next arguments: {list(signature.parameters)}."
            )

        @functools.wraps(func)
        def new(*args: Any, **kwargs: Any) -> Any:
            try:
                given = signature.bind_partial(*args, **kwargs).arguments
            except TypeError:
                given = dict(kwargs)
            given = {**given, **kwargs}
            for name, fine in names.items():
                value = given.get(name, given.get("args") if name in takes_any else None)
                passed = name in given and not (name in takes_any and not value)
                if passed and not any(given[name] is f or _equal(given[name], f) for f in fine):
                    _warn_of_argument(func, name, warn_once, name, date, instructions)
            return func(*args, **kwargs)

        listed = ", ".join(sorted(names))
        notice = f"SOME ARGUMENTS ARE DEPRECATED: `({listed})`. They will be removed {_when(date)}.\n{instructions}"
        new.__doc__ = _noted(func.__doc__, notice)
        return new

    return wrap


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except Exception:
        return False


def deprecated_arg_values(
    date: str | None, instructions: str, warn_once: bool = True, **deprecated_kwargs: Any
) -> Callable[[Any], Any]:
    """Warn when an argument has one of those values."""
    _check_notice(date, instructions)
    if not deprecated_kwargs:
        raise ValueError("Specify which argument values are deprecated.")

    def wrap(func: Any) -> Any:
        _check(func, "deprecated_arg_values")
        signature = inspect.signature(func)

        @functools.wraps(func)
        def new(*args: Any, **kwargs: Any) -> Any:
            given = signature.bind(*args, **kwargs).arguments
            for name, value in deprecated_kwargs.items():
                if name in given and _equal(given[name], value):
                    _warn_of_argument(func, (name, str(value)), warn_once, f"{name}={value}", date, instructions)
            return func(*args, **kwargs)

        listed = ", ".join(f"{k}={v!r}" for k, v in sorted(deprecated_kwargs.items()))
        notice = (
            f"SOME ARGUMENT VALUES ARE DEPRECATED: `({listed})`. They will be removed {_when(date)}.\n{instructions}"
        )
        new.__doc__ = _noted(func.__doc__, notice)
        return new

    return wrap


def deprecated_alias(deprecated_name: str, name: str, func_or_class: Any, warn_once: bool = True) -> Any:
    """`func_or_class` under an old name, with a warning of it."""
    if inspect.isclass(func_or_class):

        class Renamed(func_or_class):  # type: ignore[misc,valid-type]
            def __init__(self, *args: Any, **kwargs: Any):
                _warn_of_name(type(self), deprecated_name, name, warn_once)
                super().__init__(*args, **kwargs)

        Renamed.__name__, Renamed.__doc__ = func_or_class.__name__, func_or_class.__doc__
        return Renamed

    @functools.wraps(func_or_class)
    def new(*args: Any, **kwargs: Any) -> Any:
        _warn_of_name(new, deprecated_name, name, warn_once)
        return func_or_class(*args, **kwargs)

    return new


def _warn_of_name(key: Any, deprecated_name: str, name: str, warn_once: bool) -> None:
    if key not in _warned:
        if warn_once:
            _warned.add(key)
        _tell("From %s: The name %s is deprecated. Please use %s instead.\n", _place(), deprecated_name, name)


def deprecated_argument_lookup(new_name: str, new_value: Any, old_name: str, old_value: Any) -> Any:
    """The value of an argument that has an old name too. Raises ValueError if both are given."""
    if old_value is not None:
        if new_value is not None:
            raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'")
        return old_value
    return new_value


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """No warnings of what is deprecated, inside."""
    global _silent
    before, _silent = _silent, True
    try:
        yield
    finally:
        _silent = before


def rewrite_argument_docstring(old_doc: str, old_argument: str, new_argument: str) -> str:
    """A docstring with an argument renamed."""
    return old_doc.replace(f"`{old_argument}`", f"`{new_argument}`").replace(f"{old_argument}:", f"{new_argument}:")
