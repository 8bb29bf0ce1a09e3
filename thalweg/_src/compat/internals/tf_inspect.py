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
    """The arguments of a function, below its decorators. Without annotations, as those of the era had none."""
    return inspect.getfullargspec(unwrap(obj))._replace(annotations={})


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
