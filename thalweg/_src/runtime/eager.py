"""Runs the operations of eager execution, one at a time, when they are made.

What an operation needs is decided once for its type, attrs and input shapes, and kept as a kernel. Small work on a CPU is done by
NumPy, which is faster than any executable; larger work is compiled when it comes a second time. What touches variables goes by the
state of the program; what needs the host, or runs bodies, goes through the interpreter that sessions use.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.compiler.bodies import is_host_work, variable_key
from thalweg._src.compiler.interpret import Interpreter, RefValue, _as_op_error, _declared_as, uninitialized
from thalweg._src.core import apply, eager, errors, infer
from thalweg._src.core.apply import Replan
from thalweg._src.core.eager import EagerTensor
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.opdef import OpDef
from thalweg._src.core.structured import Structured
from thalweg._src.runtime import numpy_lowering
from thalweg._src.runtime.base_session import BaseSession
from thalweg._src.runtime.eager_compiled import Compiled, all_outputs
from thalweg._src.runtime.hosting import HostContext, on_host
from thalweg._src.runtime.state import fresh_random

_SMALL = 2048  # elements up to which NumPy is faster than an executable
_KEPT_ON_HOST = 64  # elements of a NumPy value that is handed to executables as it is, each time
_MANY_STATICS = 16  # so many values of a static input are compiled for, others run op by op
_USER_ERRORS = (NotImplementedError, TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError)


class EagerSession(BaseSession):
    """What the runtime knows as a session: the variables and resources of eager execution."""

    def __init__(self, config: Any = None):
        super().__init__("", eager.graph(), config)

    _is_eager = True


_session: list[EagerSession] = []


def session() -> EagerSession:
    """The state of eager execution."""
    if not _session:
        _session.append(EagerSession())
    return _session[0]


def configure(config: Any) -> None:
    """Take devices as `config` says. What runs later obeys it."""
    from thalweg._src.runtime.placing import Devices

    own = session()
    own._config, own._devices = config, Devices(config)


# -- one operation


def run(op: Operation) -> None:
    """Run `op`: give its outputs their values. An error names it."""
    opdef = op.opdef
    try:
        if opdef.constant:
            value = op._attrs["value"]
            _fill(op, [value.copy() if value.ndim else value])
            return
        if opdef.alias and not op._device:
            t, source = op.outputs[0], op._inputs[0]
            t._value, t._dims = source._value, source._dims  # type: ignore[attr-defined]
            return
        if opdef.source:
            _make_variable(op)
            return
        way = _ways.get(opdef)
        if way is None:
            way = _ways[opdef] = _way_of(opdef)
        way(op)
    except Replan as replan:
        _again_on_host(op, replan)
    except errors.OpError as error:
        raise _named(error, op) from None
    except _USER_ERRORS as error:
        if getattr(error, "thalweg_user_error", False):
            raise
        raise _named(_as_op_error(error, op), op) from error


def _named(error: errors.OpError, op: Operation) -> errors.OpError:
    error._op = error._node_def = None
    if isinstance(error._message, str) and "[Op:" not in error._message:
        error._message = f"{error._message} [Op:{op.opdef.name}]"
        error.args = (None, None, error._message, *error.args[3:])
    return error


def _fill(op: Operation, values: Any) -> None:
    for t, v in zip(op.outputs, values, strict=True):
        t._value, t._dims = v, v.shape  # type: ignore[attr-defined]


_ways: dict[OpDef, Callable[[Operation], None]] = {}


def _way_of(opdef: OpDef) -> Callable[[Operation], None]:
    apart = (
        opdef.wants_ctx
        or opdef.wants_run
        or opdef.waits
        or opdef.bodies is not None
        or opdef.effect == "host"
        or (not opdef.simple and any(a.ref or a.handle for a in opdef.inputs))
    )
    if apart:
        return _run_apart
    if opdef.effect in ("read", "write") or any(a.ref or a.handle for a in opdef.inputs):
        return _run_with_state
    if opdef.wants_rng:
        return _run_random
    return _run_structured if opdef.structured else _run_plain


# -- functions of their inputs


class Kernel:
    """How operations of one type, with equal attrs and input shapes, are run."""

    __slots__ = ("calls", "compiled", "fast", "host", "small")

    def __init__(self, op: Operation):
        _check_shapes(op)
        self.calls = 0
        self.compiled: Any = None
        self.host = is_host_work(op)
        size = sum([_size(t._dims) if type(t._value) is not RefValue else _held_size(t._value) for t in op._inputs])  # type: ignore[attr-defined]
        self.small = size <= _SMALL
        self.fast = None if self.host else numpy_lowering.pure(op.opdef)


_kernels: dict[Any, Kernel] = {}
_static_counts: dict[Any, int] = {}


def _size(dims: Any) -> int:
    n = 1
    for d in dims or ():
        n *= d
    return n


def _held_size(ref: RefValue) -> int:
    held = session()._store.values.get(ref.key)
    return 0 if held is None else held.size


def _frozen(attrs: dict[str, Any]) -> Any:
    out = []
    for k, v in attrs.items():
        kind = type(v)
        if kind is list or kind is np.ndarray or kind is dict:
            v = infer._freeze(v)
        out.append((k, v))
    return tuple(out)


def _check_shapes(op: Operation) -> None:
    if op.opdef.infer_shapes is not None:
        infer.output_dims(op)


def _run_plain(op: Operation) -> None:
    opdef = op.opdef
    inputs = op._inputs
    key: Any = (opdef, _frozen(op._attrs), tuple([t._dims for t in inputs]), op._device)
    statics: Any = None
    if opdef.static_args or opdef.args_of is not None:
        statics = _statics(op, key)
        key = (key, tuple([v.tobytes() for v in statics.values()]))
    kernel = _kernels.get(key)
    if kernel is None:
        kernel = _kernels[key] = Kernel(op)
    kernel.calls += 1
    if kernel.host:
        values = [on_host(t._value) for t in inputs]  # type: ignore[attr-defined]
        _finish(op, apply.call(opdef, op._attrs, values))
        return
    if kernel.fast is not None and (kernel.small or kernel.calls < 2) and _on_cpu(op):
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
        kernel.compiled = Compiled(opdef, op._attrs, len(inputs), statics or {}, _platform())
    _fill_compiled(op, kernel.compiled, [_for_device(t) for t in inputs])


def _statics(op: Operation, key: Any) -> dict[int, np.ndarray]:
    """The inputs that must be known, and those that may be and are; where values vary, the latter are left out."""
    out = {}
    args = op.opdef.inputs if op.opdef.simple and op.opdef.args_of is None else [a for a, _ in infer._flat_args(op)]
    for i, (arg, t) in enumerate(zip(args, op._inputs, strict=True)):
        if not arg.static and not arg.known:
            continue
        value = t._value  # type: ignore[attr-defined]
        if arg.static or (type(value) is np.ndarray and _static_counts.get(key, 0) < _MANY_STATICS):
            out[i] = np.asarray(value)
    full = (key, tuple([v.tobytes() for v in out.values()]))
    if full not in _kernels:
        _static_counts[key] = _static_counts.get(key, 0) + 1
    return out


def _on_cpu(op: Operation) -> bool:
    device = session()._devices
    return (device.place(op) if op._device else device.default).platform == "cpu"


def _for_device(t: Any) -> Any:
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
            v = _declared_as(v if type(v) is np.ndarray else np.asarray(v), dtype)
        elif type(v) is not np.ndarray and not isinstance(v, RefValue | Structured):
            v = _object(v)
        t._value, t._dims = v, getattr(v, "shape", ())  # type: ignore[attr-defined]


def _object(value: Any) -> np.ndarray:
    out = np.empty((), object)
    out[()] = value
    return out


def _platform() -> str:
    return session()._devices.default.platform


def _fill_compiled(op: Operation, compiled: Compiled, values: list[Any]) -> None:
    _fill_declared(op, _call(op, compiled, (), values)[0])


def _call(op: Operation, compiled: Compiled, state: Any, values: list[Any]) -> Any:
    if not op._device:
        return compiled(state, values)
    device = session()._devices.place(op)
    with jax.enable_x64(True), jax.default_device(device):
        return compiled(jax.device_put(state, device), [jax.device_put(v, device) for v in values])


# -- random numbers


def _run_random(op: Operation) -> None:
    """A random op: equal ones (of type, attrs and device) share a stream, as TensorFlow's cached kernels do."""
    store = session()._store
    stream = (op.opdef.name, _frozen(op._attrs), op._device)
    key = ("rng", stream)
    op._name = f"{op._name}/{hash(stream)}"
    statics = _statics(op, stream)
    shapes = tuple([t._dims for t in op._inputs])
    full = (stream, shapes, tuple([v.tobytes() for v in statics.values()]))
    kernel = _kernels.get(full)
    if kernel is None:
        kernel = _kernels[full] = Kernel(op)
    if kernel.host:
        _run_apart(op)
        return
    with store.lock:
        state = store.values.get(key)
        if state is None:
            state = fresh_random(op)
        if kernel.compiled is None:
            kernel.compiled = Compiled(op.opdef, op._attrs, len(op._inputs), statics, _platform(), random=True)
        out, after = _call(op, kernel.compiled, state, [_for_device(t) for t in op._inputs])
        store.values[key] = after
    _fill_declared(op, out)


def _fill_declared(op: Operation, values: Any) -> None:
    for t, v in zip(op.outputs, values, strict=True):
        want = t.dtype._as_numpy
        if v.dtype != want:
            with jax.enable_x64(True):
                v = jnp.asarray(v).astype(want)
        t._value, t._dims = v, v.shape  # type: ignore[attr-defined]


def _forget_streams() -> None:
    if _session:
        values = _session[0]._store.values
        for key in [k for k in values if isinstance(k, tuple) and k[0] == "rng"]:
            del values[key]


# -- variables


def _make_variable(op: Operation) -> None:
    ref = RefValue(variable_key(op), op)
    op.outputs[0]._value, op.outputs[0]._dims = ref, ()  # type: ignore[attr-defined]
    weakref.finalize(op, session()._store.remove, ref.key).atexit = False


def _run_with_state(op: Operation) -> None:
    """An op of which some inputs are variables: they are read, and what it writes is put in their places."""
    opdef = op.opdef
    store = session()._store
    refs: list[RefValue] = []
    dims: list[Any] = []
    with store.lock:
        values: list[Any] = []
        for arg, t in zip(opdef.inputs, op._inputs, strict=True):
            value = t._value  # type: ignore[attr-defined]
            if type(value) is not RefValue:
                values.append(_for_device(t))
                dims.append(t._dims)
                continue
            refs.append(value)
            held = store.values.get(value.key)
            if held is None and arg.init:
                raise _uninitialized(value, op)
            values.append(held)
            dims.append(None if held is None else held.shape)
        if opdef.name == "ReadVariableOp":
            t = op.outputs[0]
            t._value, t._dims = values[0], dims[0]  # type: ignore[attr-defined]
            return
        if any(v is None for v in values) or any(t.dtype.is_on_host for t in op._inputs):
            _run_apart(op)
            return
        statics = {i: np.asarray(values[i]) for i in opdef.static_args}
        key = (opdef, _frozen(op._attrs), tuple(dims), op._device, tuple([v.tobytes() for v in statics.values()]))
        kernel = _kernels.get(key)
        if kernel is None:
            kernel = _kernels[key] = Kernel(op)
        if kernel.host:
            _run_apart(op)
            return
        out = _on_numpy(op, kernel, values) if kernel.fast is not None and kernel.small else None
        if out is None:
            if kernel.compiled is None:
                kernel.compiled = Compiled(opdef, op._attrs, len(values), statics, _platform())
            out, _ = _call(op, kernel.compiled, (), values)
        n = len(opdef.write_index)
        if n:
            targets = [
                r
                for r, a in zip(refs, [a for a in opdef.inputs if a.ref or a.handle], strict=True)
                if a.name in opdef.writes
            ]
            for ref, value in zip(targets, out[:n], strict=True):
                _put(ref, value)
    _fill_declared(op, out[n:])


def _on_numpy(op: Operation, kernel: Kernel, values: list[Any]) -> Any:
    """What the lowering gives on NumPy arrays; None where it needs JAX, or a device is no CPU."""
    if not _on_cpu(op):
        return None
    opdef = op.opdef
    kwargs = {param: op._attrs[name] for param, name in opdef.lower_attrs}
    try:
        with np.errstate(all="ignore"):
            result = kernel.fast(*[np.asarray(v) for v in values], **kwargs)
        return [np.asarray(v) for v in all_outputs(opdef, result)]
    except errors.OpError:
        raise
    except Exception:  # what NumPy does not do is left to JAX, whose error counts
        kernel.fast = None
        return None


def _uninitialized(ref: RefValue, op: Operation) -> errors.OpError:
    if op.opdef.name == "ReadVariableOp":
        name = ref.source._attrs.get("shared_name") or ref.source.name
        return errors.FailedPreconditionError(
            None,
            None,
            f"Error while reading resource variable {name} from Container: localhost. This could mean that the variable "
            f"was uninitialized. Not found: Resource localhost/{name} does not exist.",
        )
    return uninitialized(ref.source, op)


def _put(ref: RefValue, value: Any) -> None:
    dtype = ref.source._attrs["dtype"]
    if type(value) is np.ndarray and value.size <= _SMALL:
        session()._store.commit([ref.key], [_declared_as(value, dtype)])
        return
    with jax.enable_x64(True):
        value = _declared_as(value, dtype)
        if isinstance(value, np.ndarray) and value.dtype != object:
            value = jnp.array(value)
    session()._store.commit([ref.key], [value])


# -- what the interpreter runs


def _run_structured(op: Operation) -> None:
    """An op that also takes values of several arrays."""
    if any(isinstance(t._value, Structured) for t in op._inputs):  # type: ignore[attr-defined]
        _run_apart(op)
    else:
        _run_plain(op)


class _View(dict):
    """The state as one operation sees it."""

    def __init__(self, store: Any, host: bool):
        super().__init__()
        self._store, self._host = store, host

    def get(self, key: Any, default: Any = None) -> Any:
        if key in self:
            return self[key]
        value = self._store.values.get(key, default)
        return np.asarray(value) if self._host and value is not None else value


def _run_apart(op: Operation) -> None:
    """Host work, bodies, structured values: through the interpreter."""
    own = session()
    host = is_host_work(op)
    opdef = op.opdef
    if opdef.infer_shapes is not None and opdef.bodies is None:
        _check_shapes(op)
    if opdef.wants_ctx and opdef.stateful:
        op._name = eager.graph().fresh_name(op._name)
    env: dict[Any, Any] = {t: on_host(t._value) if host else t._value for t in op._inputs}  # type: ignore[attr-defined]
    state = _View(own._store, host)
    runner = Interpreter(
        state,
        platform=None if host else _platform(),
        traced=False,
        ctx=lambda o: HostContext(own, o, env),
        rng_init=fresh_random,
        wait=own._finish,
    )
    if host:
        runner.step(op, env)
    else:
        with jax.enable_x64(True):
            runner.step(op, env)
    for t in op.outputs:
        value = env[t]
        if type(value) is RefValue and t.dtype._name != "resource":
            value = runner.read(value, op)
        if not isinstance(value, np.ndarray | jax.Array | RefValue | Structured):
            value = _object(value) if t.dtype.is_on_host or t.dtype._name == "resource" else np.asarray(value)
        t._value = value  # type: ignore[attr-defined]
        t._dims = value.shape if isinstance(value, np.ndarray | jax.Array) else ()
    for k in runner.written:
        value = state[k]
        if isinstance(value, np.ndarray) and value.dtype != object and not isinstance(k, tuple):
            with jax.enable_x64(True):
                value = jnp.array(value)
        own._store.commit([k], [value])


def _again_on_host(op: Operation, replan: Replan) -> None:
    op.__dict__.setdefault("hints", set()).add("host")
    _run_apart(op)


def _device_of(value: Any) -> str:
    platform, index = "CPU", 0
    if isinstance(value, jax.Array):
        found = next(iter(value.devices()))
        if found.platform != "cpu":
            platform, index = found.platform.upper(), found.id
    return f"/job:localhost/replica:0/task:0/device:{platform}:{index}"


eager.run.append(run)
eager.forget.append(_forget_streams)
eager.device_of.append(_device_of)

__all__ = ["EagerSession", "EagerTensor", "configure", "run", "session"]
