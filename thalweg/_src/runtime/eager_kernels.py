"""Operations of eager execution that are functions of their inputs: kernels, on NumPy or compiled, kept by shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.compiler.bodies import is_host_work
from thalweg._src.compiler.interpret import RefValue, declared_as
from thalweg._src.core import apply, errors, infer
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.structured import Structured
from thalweg._src.runtime import numpy_lowering
from thalweg._src.runtime.eager_compiled import Compiled
from thalweg._src.runtime.eager_session import session
from thalweg._src.runtime.hosting import on_host

SMALL = 2048  # elements up to which NumPy is faster than an executable


_KEPT_ON_HOST = 64  # elements of a NumPy value that is handed to executables as it is, each time


_MANY_STATICS = 16  # so many values of a static input are compiled for, others run op by op


class Kernel:
    """How operations of one type, with equal attrs and input shapes, are run."""

    __slots__ = ("calls", "compiled", "fast", "host", "small")

    def __init__(self, op: Operation):
        check_shapes(op)
        self.calls = 0
        self.compiled: Any = None
        self.host = is_host_work(op)
        size = sum([_size(t._dims) if type(t._value) is not RefValue else _held_size(t._value) for t in op._inputs])  # type: ignore[attr-defined]
        self.small = size <= SMALL
        self.fast = None if self.host else numpy_lowering.pure(op.opdef)


kernels: dict[Any, Kernel] = {}


_static_counts: dict[Any, int] = {}


def _size(dims: Any) -> int:
    n = 1
    for d in dims or ():
        n *= d
    return n


def _held_size(ref: RefValue) -> int:
    held = session()._store.values.get(ref.key)
    return 0 if held is None else held.size


def frozen(attrs: dict[str, Any]) -> Any:
    out = []
    for k, v in attrs.items():
        kind = type(v)
        if kind is list or kind is np.ndarray or kind is dict:
            v = infer.freeze(v)
        out.append((k, v))
    return tuple(out)


def check_shapes(op: Operation) -> None:
    if op.opdef.infer_shapes is not None:
        infer.output_dims(op)


def run_plain(op: Operation) -> None:
    opdef = op.opdef
    inputs = op._inputs
    key: Any = (opdef, frozen(op._attrs), tuple([t._dims for t in inputs]), op._device)
    statics: Any = None
    if opdef.static_args or opdef.args_of is not None:
        statics = statics_of(op, key)
        key = (key, tuple([v.tobytes() for v in statics.values()]))
    kernel = kernels.get(key)
    if kernel is None:
        kernel = kernels[key] = Kernel(op)
    kernel.calls += 1
    if kernel.host:
        values = [on_host(t._value) for t in inputs]  # type: ignore[attr-defined]
        _finish(op, apply.call(opdef, op._attrs, values))
        return
    if kernel.fast is not None and (kernel.small or kernel.calls < 2) and on_cpu(op):
        values = [np.asarray(t._value) for t in inputs]  # type: ignore[attr-defined]
        kwargs = {param: op._attrs[name] for param, name in opdef.lower_attrs}
        try:
            with np.errstate(all="ignore"):
                result = kernel.fast(*(values if opdef.simple else apply.grouped(opdef, op._attrs, values)), **kwargs)
            _finish(op, result)
            return
        except errors.OpError:
            raise
        except numpy_lowering.NeedsJAX:
            numpy_lowering.not_pure(opdef)
            kernel.fast = None
        except Exception:  # what NumPy does not do is left to JAX, whose error counts
            kernel.fast = None
    if kernel.compiled is None:
        kernel.compiled = Compiled(opdef, op._attrs, len(inputs), statics or {}, platform_of())
    _fill_compiled(op, kernel.compiled, [for_device(t) for t in inputs])


def statics_of(op: Operation, key: Any) -> dict[int, np.ndarray]:
    """The inputs that must be known, and those that may be and are; where values vary, the latter are left out."""
    out = {}
    args = op.opdef.inputs if op.opdef.simple and op.opdef.args_of is None else [a for a, _ in infer.flat_args(op)]
    for i, (arg, t) in enumerate(zip(args, op._inputs, strict=True)):
        if not arg.static and not arg.known:
            continue
        value = t._value  # type: ignore[attr-defined]
        if arg.static or (type(value) is np.ndarray and _static_counts.get(key, 0) < _MANY_STATICS):
            out[i] = np.asarray(value)
    full = (key, tuple([v.tobytes() for v in out.values()]))
    if full not in kernels:
        _static_counts[key] = _static_counts.get(key, 0) + 1
    return out


def on_cpu(op: Operation) -> bool:
    device = session()._devices
    return (device.place(op) if op._device else device.default).platform == "cpu"


def for_device(t: Any) -> Any:
    """The value of `t` for an executable; a large NumPy array moves to the device once."""
    value = t._value
    if type(value) is np.ndarray and value.size > _KEPT_ON_HOST and value.dtype != object:
        with jax.enable_x64(True):
            value = t._value = jnp.array(value)
    return value


def _finish(op: Operation, result: Any) -> None:
    """Give the outputs the values that a lowering returned on NumPy arrays."""
    for t, v in zip(op.outputs, apply.flat_outputs(op.opdef, result), strict=True):
        dtype = t.dtype
        if not dtype.is_on_host and dtype._name != "resource" and not isinstance(v, Structured):
            v = declared_as(v if type(v) is np.ndarray else np.asarray(v), dtype)
        elif type(v) is not np.ndarray and not isinstance(v, RefValue | Structured):
            v = object_array(v)
        t._value, t._dims = v, getattr(v, "shape", ())  # type: ignore[attr-defined]


def object_array(value: Any) -> np.ndarray:
    out = np.empty((), object)
    out[()] = value
    return out


def platform_of() -> str:
    return session()._devices.default.platform


def _fill_compiled(op: Operation, compiled: Compiled, values: list[Any]) -> None:
    fill_declared(op, called(op, compiled, (), values)[0])


def called(op: Operation, compiled: Compiled, state: Any, values: list[Any]) -> Any:
    if not op._device:
        return compiled(state, values)
    device = session()._devices.place(op)
    with jax.enable_x64(True), jax.default_device(device):
        return compiled(jax.device_put(state, device), [jax.device_put(v, device) for v in values])


def fill_declared(op: Operation, values: Any) -> None:
    for t, v in zip(op.outputs, values, strict=True):
        want = t.dtype._as_numpy
        if v.dtype != want:
            with jax.enable_x64(True):
                v = jnp.asarray(v).astype(want)
        t._value, t._dims = v, v.shape  # type: ignore[attr-defined]
