"""tf.autograph: functions are traced here, not rewritten. What asks for a rewritten function is refused; marks and settings are taken."""

import enum
from collections.abc import Callable
from typing import Any, NoReturn

from thalweg._src.core.errors import UnimplementedError


class Feature(enum.Enum):
    """The optional parts of TensorFlow's rewriting."""

    ALL = "ALL"
    AUTO_CONTROL_DEPS = "AUTO_CONTROL_DEPS"
    ASSERT_STATEMENTS = "ASSERT_STATEMENTS"
    BUILTIN_FUNCTIONS = "BUILTIN_FUNCTIONS"
    EQUALITY_OPERATORS = "EQUALITY_OPERATORS"
    LISTS = "LISTS"
    NAME_SCOPES = "NAME_SCOPES"


def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """`func` as it is, also as a decorator with parentheses."""
    return func if func is not None else do_not_convert


def set_loop_options(
    parallel_iterations: Any = None, back_prop: Any = None, swap_memory: Any = None, maximum_iterations: Any = None
) -> None:
    """Options of the `while` around it, which stays a loop of Python."""


def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """How much a rewriting tells: there is none."""


def trace(*args: Any) -> None:
    """Print the arguments while a function is traced."""
    print(*args)


def to_graph(
    entity: Any,
    recursive: bool = True,
    arg_values: Any = None,
    arg_types: Any = None,
    experimental_optional_features: Any = None,
) -> NoReturn:
    """Raises UnimplementedError: loops and branches on tensors are tf.while_loop and tf.cond."""
    _refuse("tf.autograph.to_graph", entity)


def to_code(
    entity: Any,
    recursive: bool = True,
    arg_values: Any = None,
    arg_types: Any = None,
    indentation: str = "  ",
    experimental_optional_features: Any = None,
) -> NoReturn:
    """Raises UnimplementedError: there is no rewritten source."""
    _refuse("tf.autograph.to_code", entity)


def _refuse(what: str, entity: Any) -> NoReturn:
    name = getattr(entity, "__name__", entity)
    raise UnimplementedError(
        None,
        None,
        f"{what}({name}) compiles the source of Python functions, which thalweg traces instead: say loops and branches as "
        "tf.while_loop and tf.cond.",
    )
