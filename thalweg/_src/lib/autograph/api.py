"""tf.autograph: functions with `if`, `while` and `for` about tensors, and what the rewriting of them takes."""

import ast
import enum
import functools
import types
from collections.abc import Callable
from typing import Any

from thalweg._src.lib.autograph import convert as converting
from thalweg._src.lib.autograph.calls import converted
from thalweg._src.lib.autograph.calls import do_not_convert as do_not_convert
from thalweg._src.ops.arrays import stacking


class Feature(enum.Enum):
    """The optional parts of TensorFlow's rewriting."""

    ALL = "ALL"
    AUTO_CONTROL_DEPS = "AUTO_CONTROL_DEPS"
    ASSERT_STATEMENTS = "ASSERT_STATEMENTS"
    BUILTIN_FUNCTIONS = "BUILTIN_FUNCTIONS"
    EQUALITY_OPERATORS = "EQUALITY_OPERATORS"
    LISTS = "LISTS"
    NAME_SCOPES = "NAME_SCOPES"


def set_loop_options(
    parallel_iterations: Any = None, back_prop: Any = None, swap_memory: Any = None, maximum_iterations: Any = None
) -> None:
    """At the head of a loop's body: what its tf.while_loop is told. Nothing where the loop stays one of Python."""


def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """How much a rewriting tells: what could not be rewritten is a debug message of tf.logging, whatever the level."""


def trace(*args: Any) -> None:
    """Print the arguments while a function is traced."""
    print(*args)


def to_graph(
    entity: Callable[..., Any],
    recursive: bool = True,
    arg_values: Any = None,
    arg_types: Any = None,
    experimental_optional_features: Any = None,
) -> Callable[..., Any]:
    """`entity`, a function or method, such that `if`, `while`, `for`, `and`, `or`, `not`, `assert` may be about tensors of a graph.

    Where they are, it builds tf.cond, tf.while_loop and the like; functions of the program that it calls are rewritten too. Names that a
    branch or a loop changes and that are needed behind it must have a value in both branches, or before the loop.

    Raises ValueError for what has no source or is a generator, and NotImplementedError for classes.

    >>> def half(x):
    ...     while x > 10:
    ...         x = x // 2
    ...     return x
    >>> run(tf.autograph.to_graph(half)(tf.constant(100)))
    6
    """
    if isinstance(entity, type):
        raise NotImplementedError(f"tf.autograph rewrites functions; {entity.__name__} is a class")
    if isinstance(entity, types.MethodType):
        return types.MethodType(converting.converted(entity.__func__), entity.__self__)
    if not isinstance(entity, types.FunctionType):
        raise ValueError(f"tf.autograph rewrites functions, not {entity!r}")
    return converting.converted(entity)


def to_code(
    entity: Callable[..., Any],
    recursive: bool = True,
    arg_values: Any = None,
    arg_types: Any = None,
    indentation: str = "  ",
    experimental_optional_features: Any = None,
) -> str:
    """The source that `to_graph` runs in the place of the function's own. Raises as it does."""
    f = getattr(entity, "__func__", entity)
    if not isinstance(f, types.FunctionType):
        raise ValueError(f"tf.autograph rewrites functions, not {entity!r}")
    return ast.unparse(converting.rewritten(f)[0]).replace("    ", indentation)


def convert(
    recursive: bool = False, optional_features: Any = None, user_requested: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: the function is rewritten when it is called, or runs as it is where that can't be."""

    def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(f)
        def call(*args: Any, **kwargs: Any) -> Any:
            return converted(f)(*args, **kwargs)

        return call

    return decorate


def stack(list_or_tensor: Any, element_dtype: Any = None, strict: bool = True) -> Any:
    """A list's tensors as one tensor; a tensor is refused by TypeError unless `strict` is off."""
    if isinstance(list_or_tensor, list | tuple):
        return stacking.stack(list_or_tensor)
    if strict:
        raise TypeError(f"A list is needed, got {list_or_tensor!r}")
    return list_or_tensor
