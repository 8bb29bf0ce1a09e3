"""Lowerings on NumPy arrays alone: what a dataset's functions run on, element by element.

A lowering is written against `jnp`, `lax` and `jax`. Called eagerly, those cost tens of microseconds for an addition, and compile
something for each new shape; an input pipeline has small arrays of many shapes. So here a lowering is bound to other globals: `jnp`
gives NumPy's function where the two mean the same, and everything else is JAX's own, called on the host's CPU, its result a NumPy
array again. A lowering that this does not suit (`x.at[...]`, bodies that JAX traces) runs as it is.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core.lazy import jax, jnn, jnp, lax
from thalweg._src.core.opdef import OpDef
from thalweg._src.runtime.numpy_functions import OF_JNP, OF_LAX

# Functions that NumPy has under the same name and with the same meaning, types of results included (or cast afterwards).
_NAMES = """abs absolute add all any arccos arcsin arctan arctan2 around bitwise_and bitwise_or bitwise_xor broadcast_to ceil clip
    concatenate conj cos cosh cumprod cumsum diff divide dot equal exp exp2 expand_dims expm1 flip floor floor_divide fmod greater
    greater_equal invert isfinite isinf isnan left_shift less less_equal linspace log log1p log2 logical_and logical_not logical_or
    logical_xor matmul max maximum mean min minimum mod moveaxis multiply negative not_equal ones ones_like pad power prod
    real imag reciprocal remainder repeat reshape right_shift roll rint rot90 round sign sin sinh split sqrt square squeeze stack
    std subtract sum swapaxes tan tanh tile transpose trunc var where zeros zeros_like full full_like arange float32 float64 float16
    int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool_ complex64 complex128 ndim shape size result_type pi newaxis inf nan
    asarray array einsum tensordot outer triu tril eye meshgrid finfo iinfo issubdtype floating integer inexact complexfloating
    argmax argmin deg2rad rad2deg hypot ravel broadcast_shapes arcsinh arccosh arctanh sort count_nonzero float_power
    broadcast_arrays diagonal take take_along_axis logaddexp"""
_SAME = frozenset(_NAMES.split())


class _Shadow(types.ModuleType):
    """A module of JAX as host functions see it."""

    def __init__(self, real: Any, same: bool):
        super().__init__(real.__name__)
        self._real, self._same = real, same

    def __getattr__(self, name: str) -> Any:
        own = (OF_JNP if self._same else OF_LAX).get(name)
        value: Any
        if own is not None:
            value = _own_or(own, _here(getattr(self._real, name)))
        elif self._same and name in _SAME and hasattr(np, name):
            value = getattr(np, name)
        else:
            value = getattr(self._real, name)
            if isinstance(value, types.ModuleType):
                value = _Shadow(value, False)
            elif callable(value) and not isinstance(value, type):
                value = _here(value)
        setattr(self, name, value)
        return value


def _own_or(own: Callable[..., Any], jaxs: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        out = own(*args, **kwargs)
        return jaxs(*args, **kwargs) if out is NotImplemented else out

    return call


def _here(fn: Callable[..., Any]) -> Callable[..., Any]:
    """`fn` of JAX on the host's CPU, with 64-bit types; what it gives are NumPy arrays."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if _mode.numpy_alone:
            raise NeedsJAX
        _dispatch(fn, args, kwargs)
        with on_cpu():
            return plain(fn(*args, **kwargs))

    return call


_AGAIN = 0.01  # of the price of a function of JAX for new shapes: what it costs for those that it has been compiled for
_MANY = 100_000
_dispatches: set[Any] = set()


def _dispatch(fn: Any, args: Any, kwargs: dict[str, Any]) -> None:
    """Count a call of a function of JAX."""
    key = fn, _kind(args), _kind(tuple(kwargs.items()))
    _mode.dispatched += _AGAIN if key in _dispatches else 1.0
    if len(_dispatches) > _MANY:
        _dispatches.clear()
    _dispatches.add(key)


def _kind(value: Any) -> Any:
    """What JAX compiles anew for."""
    if isinstance(value, list | tuple):
        return tuple(map(_kind, value))
    if isinstance(value, np.ndarray | np.generic):
        return value.shape, value.dtype
    return value if value.__hash__ is not None else id(value)


def plain(value: Any) -> Any:
    """`value` with NumPy arrays in the place of JAX's."""
    if type(value) is np.ndarray or value is None:
        return value
    if isinstance(value, jax.Array):
        return np.asarray(value)
    if isinstance(value, list | tuple):
        parts = [plain(v) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return _here(value) if isinstance(value, types.FunctionType) else value


_cpu: list[Any] = []


@contextlib.contextmanager
def on_cpu():
    """JAX on the host's CPU, with 64-bit types; NumPy silent where numbers overflow."""
    if not _cpu:
        _cpu.append(jax.local_devices(backend="cpu")[0])
    with np.errstate(all="ignore"), jax.enable_x64(True), jax.default_device(_cpu[0]):
        yield


_modules: dict[int, Any] = {}
_functions: dict[types.FunctionType, types.FunctionType] = {}
_REAL = {id(jnp): (jnp, True), id(lax): (lax, False), id(jax): (jax, False), id(jnn): (jnn, False)}
_shadows: dict[int, _Shadow] = {}


class _Globals(dict):
    """The globals of a module of ours, functions and JAX's modules replaced when they are first looked up."""

    def __init__(self, real: dict[str, Any]):
        super().__init__({"__builtins__": real["__builtins__"], "__name__": real["__name__"]})
        for name, value in real.items():
            if id(value) in _REAL:
                if id(value) not in _shadows:
                    _shadows[id(value)] = _Shadow(*_REAL[id(value)])
                self[name] = _shadows[id(value)]
            elif not name.startswith("__"):
                self[name] = value

    def rebind(self) -> None:
        for name, value in list(self.items()):
            if isinstance(value, types.FunctionType) and value.__module__.startswith("thalweg._src.ops."):
                self[name] = shadowed(value)


def shadowed(fn: types.FunctionType) -> types.FunctionType:
    """`fn`, and what it calls of our ops, bound to NumPy."""
    found = _functions.get(fn)
    if found is not None:
        return found
    real = fn.__globals__
    own = _modules.get(id(real))
    fresh = own is None
    if own is None:
        own = _modules[id(real)] = _Globals(real)
    found = types.FunctionType(fn.__code__, own, fn.__name__, fn.__defaults__, fn.__closure__)
    found.__kwdefaults__ = fn.__kwdefaults__
    _functions[fn] = found
    if fresh:
        own.rebind()
    return found


_unsuited: set[str] = set()  # types of ops whose lowerings need JAX


@functools.cache
def lowering(opdef: OpDef) -> Callable[..., Any]:
    """The lowering of `opdef` as a function from NumPy arrays to NumPy arrays."""
    if opdef.host is True:
        return opdef.fn

    def as_it_is(*args: Any, **kwargs: Any) -> Any:
        _dispatch(opdef, args, kwargs)
        with on_cpu():
            return plain(opdef.fn(*args, **kwargs))

    wide = getattr(opdef.fn, "of_wide_types", None)  # what `fn` does where no number has two bytes
    fn = wide or opdef.fn
    if opdef.name in _unsuited or not isinstance(fn, types.FunctionType) or fn.__closure__:
        return as_it_is
    fast = shadowed(fn)

    def call(*args: Any, **kwargs: Any) -> Any:
        if opdef.name not in _unsuited and not (wide and any(a.dtype.itemsize == 2 for a in args)):
            try:
                return plain(fast(*args, **kwargs))
            except (AttributeError, TypeError, NotImplementedError, jax.errors.JAXTypeError):
                result = as_it_is(*args, **kwargs)
                _unsuited.add(opdef.name)
                return result
        return as_it_is(*args, **kwargs)

    return call


class NeedsJAX(Exception):
    """A lowering called what NumPy does not have."""


class _Mode(threading.local):
    def __init__(self) -> None:
        self.numpy_alone = False
        self.dispatched = 0.0


def dispatched() -> float:
    """How many calls of JAX's functions, for shapes of their own, lowerings have made in this thread."""
    return _mode.dispatched


_mode = _Mode()
_not_pure: set[str] = set()


def not_pure(opdef: OpDef) -> None:
    """From now on, `pure` gives None for this op."""
    _not_pure.add(opdef.name)


def pure(opdef: OpDef) -> Callable[..., Any] | None:
    """The lowering of `opdef` on NumPy alone, which raises NeedsJAX where that is not enough; None where it is known not to be."""
    if opdef.name in _not_pure or opdef.name in _unsuited or not isinstance(opdef.fn, types.FunctionType):
        return None
    if opdef.fn.__closure__:
        return None
    fast = shadowed(opdef.fn)

    def call(*args: Any, **kwargs: Any) -> Any:
        _mode.numpy_alone = True
        try:
            return fast(*args, **kwargs)
        finally:
            _mode.numpy_alone = False

    return call
