"""tensorflow.python.autograph: the parts of its compiler of Python source that TensorFlow Probability imports, always.

The compiler here has other parts (`lib/autograph`). So the modules can be imported, and what they hold raises UnimplementedError when it
is used.
"""

from typing import Any

from thalweg._src.core.errors import UnimplementedError

FUNCTIONS = (
    *("ast_to_object", "ast_to_source", "getanno", "getfutureimports", "hasanno", "parse_entity", "replace"),
    *("replace_as_expression", "standard_analysis", "transform"),
)
CLASSES = (
    *("ASTEdgePattern", "Base", "ConversionOptions", "EntityContext", "EntityInfo", "Namer", "ProgramContext", "QN"),
)


def refuse(name: str) -> None:
    raise UnimplementedError(
        None,
        None,
        f"{name} is a part of TensorFlow's own compiler of Python functions; thalweg's is asked by tf.autograph.to_graph and tf.function.",
    )


class Base:
    """What transformers of source derive from."""

    def __init__(self, *args: Any, **kwargs: Any):
        refuse(type(self).__name__)


def __getattr__(name: str) -> Any:
    if name in FUNCTIONS:
        return lambda *args, **kwargs: refuse(name)
    if name in CLASSES:
        return type(name, (Base,), {})
    raise AttributeError(name)


def __dir__() -> list[str]:
    return sorted((*FUNCTIONS, *CLASSES))
