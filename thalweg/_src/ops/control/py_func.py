"""`tf.py_func`: a Python function as an operation."""

import itertools
import threading
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import eager, errors
from thalweg._src.core.convert import as_array, to_tensor
from thalweg._src.core.dtypes import as_dtype, string
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.opdef import Min, Mixed, Types, op
from thalweg._src.core.storage import plain_strings

# Functions by the token that the op carries. A graph keeps its functions alive; a token from another process finds nothing.
_functions: dict[str, Callable[..., Any]] = {}
_numbers = itertools.count()
_lock = threading.Lock()


def _register(graph: Any, func: Callable[..., Any]) -> str:
    with _lock:
        token = f"pyfunc_{next(_numbers)}"
    _functions[token] = func
    graph.outermost._scratch.setdefault("py_func", _Tokens()).append(token)
    return token


class _Tokens(list):
    """The functions of one graph; they go when it does."""

    def __del__(self) -> None:
        for token in self:
            _functions.pop(token, None)


def _call(token: str, values: Any, types: Any, ctx: Any) -> list[Any]:
    func = _functions.get(token)
    if func is None:
        raise errors.UnimplementedError(
            None,
            None,
            f"callback {token} is not found: py_func runs in the process that made it only, no GraphDef can hold it.",
        )
    try:
        result = func(*map(_given, values))
    except (StopIteration, Exception) as error:
        raise _translated(error) from error
    parts = list(result) if isinstance(result, list | tuple) else [] if result is None else [result]
    if len(parts) != len(types):
        raise errors.InvalidArgumentError(
            None, None, f"{token} returns {len(parts)} values, but expects to see {len(types)} values."
        )
    return [_converted(p, t, i, token) for i, (p, t) in enumerate(zip(parts, types, strict=True))]


def _given(value: Any) -> Any:
    """An input as the function gets it: scalars as themselves."""
    array = np.asarray(value)
    if array.dtype == object:
        return plain_strings(array)
    return array if array.ndim else array[()]


_KINDS: dict[type, type[errors.OpError]] = {
    StopIteration: errors.OutOfRangeError,
    ValueError: errors.InvalidArgumentError,
    TypeError: errors.InvalidArgumentError,
    MemoryError: errors.ResourceExhaustedError,
    NotImplementedError: errors.UnimplementedError,
}


def _translated(error: BaseException) -> errors.OpError:
    if isinstance(error, errors.OpError):
        return error
    kind = next((k for base, k in _KINDS.items() if isinstance(error, base)), errors.UnknownError)
    trace = error.__traceback__ and error.__traceback__.tb_next  # without our own frame
    lines = traceback.format_exception(type(error), error, trace)
    return kind(None, None, f"{type(error).__name__}: {error}\n" + "\n".join(lines))  # type: ignore[call-arg]


def _converted(value: Any, dtype: Any, index: int, token: str) -> np.ndarray:
    """A result as an array of `dtype`. Raises InternalError for what is no tensor, InvalidArgumentError for one of another type."""
    if dtype.is_on_host and dtype != string:
        return as_array(value, dtype)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise errors.InvalidArgumentError(None, None, str(error)) from None
    if array.dtype.kind == "V" and array.dtype.names:
        raise errors.InternalError(None, None, "Unsupported numpy data type")
    if array.dtype.kind == "O":
        odd = [type(v).__name__ for v in array.flat if not isinstance(v, bytes | str)]
        if odd:
            raise errors.InternalError(None, None, f"Unsupported object type {odd[0]}")
    found = string if array.dtype.kind in "SUO" else array.dtype
    if found != (string if dtype == string else dtype.numpy_dtype):
        name = getattr(found, "name", found)
        raise errors.InvalidArgumentError(
            None, None, f"{index}-th value returned by {token} is {name}, but expects {dtype.name}"
        )
    return as_array(array, dtype)


def _declare(name: str, **facts: Any) -> Any:
    def py_func(input: Mixed("Tin", 0), *, token: str, Tout: Min(Types, 0), ctx) -> Mixed("Tout", 0):
        """The values of a Python function."""
        if input or facts:
            return _call(token, input, Tout, ctx)
        # What takes nothing and has no state is a constant, found once in a session.
        found = ctx.resource(token, list)
        if not found:
            found.append(_call(token, input, Tout, ctx))
        return found[0]

    opdef = op(name, host=True, foldable=False, **facts)(py_func)
    opdef.shape_rule(lambda node: [None] * len(node.outputs))
    opdef.not_differentiable()
    return opdef


_STATEFUL = _declare("PyFunc", effect="host")
_STATELESS = _declare("PyFuncStateless")


def py_func(func: Callable[..., Any], inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    """The result of `func`, a Python function on NumPy arrays, as an operation: one tensor if `Tout` is one type, else a list.

    It has no gradient, and no GraphDef can hold the function. What the function raises becomes the error of the run, which shows where;
    a result of another type than `Tout` says is an InvalidArgumentError. With no types it is an operation, whose function gives None.
    Without `stateful` it runs only where its result is needed, and once in a session if it takes nothing.

    >>> run(tf.py_func(lambda x: x * 2, [tf.constant([1.0, 2.0])], tf.float32))
    array([2., 4.], dtype=float32)
    """
    single = not isinstance(Tout, list | tuple)
    types = [as_dtype(t).base_dtype for t in ([Tout] if single else Tout)]
    token = _register(get_default_graph(), func)
    opdef = _STATEFUL if stateful else _STATELESS
    out = opdef([to_tensor(x) for x in inp], token=token, Tout=types, name=name)
    if not types:
        return out
    return out[0] if single else list(out)


def numpy_function(func: Callable[..., Any], inp: Any, Tout: Any, name: str | None = None) -> Any:
    """`py_func`, always stateful."""
    return py_func(func, inp, Tout, name=name)


def py_function(func: Callable[..., Any], inp: Any, Tout: Any, name: str | None = None) -> Any:
    """The result of `func`, a Python function that is run eagerly: it receives tensors that have their values, and gives such.

    It has no gradient in a graph. What it raises becomes the error of the run.
    """
    types = [as_dtype(t).base_dtype for t in (Tout if isinstance(Tout, list | tuple) else [Tout])]
    if eager.executing_eagerly():
        found = _as_list(func(*[to_tensor(x) for x in inp]), types)
        out = [to_tensor(r, t) for r, t in zip(found, types, strict=True)]
        return out if isinstance(Tout, list | tuple) else out[0]
    kinds = [to_tensor(x).dtype.base_dtype for x in inp]

    def call(*values: Any) -> Any:
        with eager.eager_mode():
            given = [eager.make(as_array(v, t), t) for v, t in zip(values, kinds, strict=True)]
            found = _as_list(func(*given), types)
            return [to_tensor(r, t).numpy() for r, t in zip(found, types, strict=True)]  # type: ignore[attr-defined]

    return py_func(call, inp, Tout, name=name)


def _as_list(result: Any, types: Any) -> list[Any]:
    """The results of a function for `types`. Raises ValueError where their number is another."""
    if result is None and not types:
        return []
    found = list(result) if isinstance(result, list | tuple) else [result]
    if len(found) != len(types):
        raise ValueError(f"The function gives {len(found)} values, Tout names {len(types)}")
    return found
