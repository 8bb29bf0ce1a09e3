"""tensorflow.python.util.tf_inspect: Python's inspect, that sees through decorators."""

import collections
import inspect
from inspect import (
    FullArgSpec,
    currentframe,
    getcallargs,
    getdoc,
    getfile,
    getmembers,
    getmodule,
    getmro,
    getsource,
    getsourcefile,
    getsourcelines,
    isbuiltin,
    isclass,
    isframe,
    isfunction,
    isgenerator,
    isgeneratorfunction,
    ismethod,
    ismodule,
    isroutine,
    stack,
    unwrap,
)
from typing import Any

ArgSpec = collections.namedtuple("ArgSpec", "args varargs keywords defaults")


def getfullargspec(obj: Any) -> FullArgSpec:
    """The arguments of a function, without annotations, as those of the era had none.

    A decorator that tells of arguments itself has its say; below one that takes whatever comes, the function is asked.
    """
    while hasattr(obj, "_tf_decorator") and hasattr(obj, "__wrapped__"):
        obj = obj.__wrapped__
    spec = inspect.getfullargspec(obj)
    if spec.varargs and spec.varkw and not spec.args and hasattr(obj, "__wrapped__"):
        spec = inspect.getfullargspec(unwrap(obj))
    return spec._replace(annotations={})


def getargspec(obj: Any) -> Any:
    """The arguments of a function, below its decorators, in the form of Python 2."""
    spec = getfullargspec(obj)
    return ArgSpec(spec.args, spec.varargs, spec.varkw, spec.defaults)


__all__ = [
    *("ArgSpec", "FullArgSpec", "currentframe", "getargspec", "getcallargs", "getdoc", "getfile", "getfullargspec"),
    *("getmembers", "getmodule", "getmro", "getsource", "getsourcefile", "getsourcelines", "isbuiltin", "isclass"),
    *("isframe", "isfunction", "isgenerator", "isgeneratorfunction", "ismethod", "ismodule", "isroutine", "stack"),
    "unwrap",
]
