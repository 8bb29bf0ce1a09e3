"""Calls inside of rewritten functions: functions of the program are rewritten too, some of Python's are replaced."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

from thalweg._src.core.eager import is_symbolic
from thalweg._src.lib.autograph import convert
from thalweg._src.lib.data.dataset import Dataset
from thalweg._src.lib.platform import logging
from thalweg._src.ops import array, math
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.reports.printing import print_
from thalweg._src.ops.text.string_numbers import string_to_number

_LIBRARIES = {
    *sys.stdlib_module_names,
    "jax",
    "numpy",
    "scipy",
    "keras",
    "tensorflow",
    "tensorflow_probability",
    "thalweg",
}
_AS_THEY_ARE = "_ag_as_it_is"  # the attribute of functions that are not to be converted
_told: set[Any] = set()


def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """`func` as it is, also as a decorator with parentheses: what it does stays plain Python inside of converted functions."""
    if func is None:
        return do_not_convert

    @functools.wraps(func)
    def as_it_is(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    setattr(as_it_is, _AS_THEY_ARE, True)
    return as_it_is


def converted(f: Any) -> Any:
    """What to call in the place of `f`: itself if it is no function of the program, or can't be rewritten, which is said once."""
    if isinstance(f, types.BuiltinFunctionType | type):
        try:
            return _BUILTINS.get(f, f)
        except TypeError:  # its class can't be hashed
            return f
    if isinstance(f, functools.partial):
        return functools.partial(converted(f.func), *f.args, **f.keywords)
    if isinstance(f, types.MethodType):
        new = converted(f.__func__)
        return f if new is f.__func__ else types.MethodType(new, f.__self__)
    if not isinstance(f, types.FunctionType) or not _is_of_the_program(f):
        return f
    try:
        return convert.converted(f)
    except ValueError as error:
        if f.__code__ not in _told:
            _told.add(f.__code__)
            logging.debug("AutoGraph could not transform %s and will run it as it is: %s", f.__qualname__, error)
        return f


def _is_of_the_program(f: types.FunctionType) -> bool:
    library = (f.__module__ or "").split(".")[0] in _LIBRARIES and f.__module__ != "__main__"
    return not (library or hasattr(f, _AS_THEY_ARE) or inspect.isgeneratorfunction(f) or inspect.iscoroutinefunction(f))


def _range(*args: Any) -> Any:
    return math.range(*args) if any(map(is_symbolic, args)) else range(*args)


def _len(x: Any) -> Any:
    if isinstance(x, TensorArray):
        return x.size()
    if not is_symbolic(x):
        return len(x)
    if x.dims == ():
        raise ValueError("len requires a non-scalar tensor, got one of shape []")
    return array.shape(x)[0] if x.dims is None or x.dims[0] is None else x.dims[0]


def _abs(x: Any) -> Any:
    return math.abs(x) if is_symbolic(x) else abs(x)


def _number(kind: type, dtype: str) -> Callable[..., Any]:
    def convert_number(x: Any = 0, *base: Any) -> Any:
        if not is_symbolic(x):
            return kind(x, *base)
        return string_to_number(x, dtype) if x.dtype.name == "string" else math.cast(x, dtype)

    return convert_number


def _print(*values: Any, **options: Any) -> None:
    (print_ if any(map(is_symbolic, values)) else print)(*values, **options)


def _enumerate(values: Any, start: int = 0) -> Any:
    return values.enumerate(start) if isinstance(values, Dataset) else enumerate(values, start)


def _zip(*values: Any, **options: Any) -> Any:
    if values and all(isinstance(v, Dataset) for v in values):
        return Dataset.zip(values)
    return zip(*values, **options)  # noqa: B905 - as the program says


def _map(f: Any, *values: Any) -> Any:
    return values[0].map(f) if len(values) == 1 and isinstance(values[0], Dataset) else map(converted(f), *values)


_BUILTINS: dict[Any, Any] = {
    range: _range,
    len: _len,
    abs: _abs,
    print: _print,
    enumerate: _enumerate,
    zip: _zip,
    map: _map,
    int: _number(int, "int32"),
    float: _number(float, "float32"),
}
