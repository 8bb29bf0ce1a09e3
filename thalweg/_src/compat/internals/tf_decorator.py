"""tensorflow.python.util.tf_decorator: decorators that keep what they decorate in sight."""

import functools
import inspect
from collections.abc import Callable
from typing import Any


def make_decorator(
    target: Any,
    decorator_func: Callable[..., Any],
    decorator_name: str | None = None,
    decorator_doc: str = "",
    decorator_argspec: Any = None,
) -> Any:
    """`decorator_func` with the name, the text and the arguments of `target`."""
    decorated = functools.wraps(target)(decorator_func)
    decorated._tf_decorator = decorator_name or decorator_func.__name__  # type: ignore[attr-defined]
    return decorated


def unwrap(maybe_tf_decorator: Any) -> tuple[list[Any], Any]:
    """([], what is below all decorators)."""
    return [], inspect.unwrap(maybe_tf_decorator)
