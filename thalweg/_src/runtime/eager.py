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
from thalweg._src.compiler.functionalize import bodies_as_functions
from thalweg._src.compiler.interpret import Interpreter, RefValue, as_op_error, declared_as, uninitialized
from thalweg._src.core import eager, errors
from thalweg._src.core.apply import Replan
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.opdef import OpDef
from thalweg._src.core.structured import Structured
from thalweg._src.runtime.eager_compiled import Compiled, all_outputs
from thalweg._src.runtime.eager_kernels import (
    SMALL,
    Kernel,
    called,
    check_shapes,
    fill_declared,
    for_device,
    frozen,
    kernels,
    object_array,
    on_cpu,
    platform_of,
    run_plain,
    statics_of,
)
from thalweg._src.runtime.eager_session import session
from thalweg._src.runtime.hosting import HostContext, on_host
from thalweg._src.runtime.state import fresh_random

_USER_ERRORS = (NotImplementedError, TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError)


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
        if opdef.graph_attrs:
            op._attrs = bodies_as_functions(op)
        way = _ways.get(opdef)
        if way is None:
            way = _ways[opdef] = _way_of(opdef)
        way(op)
    except Replan:
        _again_on_host(op)
    except errors.OpError as error:
        raise _named(error, op) from None
    except _USER_ERRORS as error:
        if getattr(error, "thalweg_user_error", False):
            raise
        raise _named(as_op_error(error, op), op) from error


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
    return _run_structured if opdef.structured else run_plain


# -- random numbers


def _run_random(op: Operation) -> None:
    """A random op: equal ones (of type, attrs and device) share a stream, as TensorFlow's cached kernels do."""
    store = session()._store
    stream = (op.opdef.name, frozen(op._attrs), op._device)
    key = ("rng", stream)
    op._name = f"{op._name}/{hash(stream)}"
    statics = statics_of(op, stream)
    shapes = tuple([t._dims for t in op._inputs])
    full = (stream, shapes, tuple([v.tobytes() for v in statics.values()]))
    kernel = kernels.get(full)
    if kernel is None:
        kernel = kernels[full] = Kernel(op)
    if kernel.host:
        _run_apart(op)
        return
    with store.lock:
        state = store.values.get(key)
        if state is None:
            state = fresh_random(op)
        if kernel.compiled is None:
            kernel.compiled = Compiled(op.opdef, op._attrs, len(op._inputs), statics, platform_of(), random=True)
        out, after = called(op, kernel.compiled, state, [for_device(t) for t in op._inputs])
        store.values[key] = after
    fill_declared(op, out)


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
                values.append(for_device(t))
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
        key = (opdef, frozen(op._attrs), tuple(dims), op._device, tuple([v.tobytes() for v in statics.values()]))
        kernel = kernels.get(key)
        if kernel is None:
            kernel = kernels[key] = Kernel(op)
        if kernel.host:
            _run_apart(op)
            return
        out = _on_numpy(op, kernel, values) if kernel.fast is not None and kernel.small else None
        if out is None:
            if kernel.compiled is None:
                kernel.compiled = Compiled(opdef, op._attrs, len(values), statics, platform_of())
            out, _ = called(op, kernel.compiled, (), values)
        n = len(opdef.write_index)
        if n:
            targets = [
                r
                for r, a in zip(refs, [a for a in opdef.inputs if a.ref or a.handle], strict=True)
                if a.name in opdef.writes
            ]
            for ref, value in zip(targets, out[:n], strict=True):
                _put(ref, value)
    fill_declared(op, out[n:])


def _on_numpy(op: Operation, kernel: Kernel, values: list[Any]) -> Any:
    """What the lowering gives on NumPy arrays; None where it needs JAX, or a device is no CPU."""
    if not on_cpu(op):
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
    if type(value) is np.ndarray and value.size <= SMALL:
        session()._store.commit([ref.key], [declared_as(value, dtype)])
        return
    with jax.enable_x64(True):
        value = declared_as(value, dtype)
        if isinstance(value, np.ndarray) and value.dtype != object:
            value = jnp.array(value)
    session()._store.commit([ref.key], [value])


# -- what the interpreter runs


def _run_structured(op: Operation) -> None:
    """An op that also takes values of several arrays."""
    if any(isinstance(t._value, Structured) for t in op._inputs):  # type: ignore[attr-defined]
        _run_apart(op)
    else:
        run_plain(op)


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
        check_shapes(op)
    if opdef.wants_ctx and opdef.stateful:
        op._name = eager.graph().fresh_name(op._name)
    env: dict[Any, Any] = {t: on_host(t._value) if host else t._value for t in op._inputs}  # type: ignore[attr-defined]
    state = _View(own._store, host)
    runner = Interpreter(
        state,
        platform=None if host else platform_of(),
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
            value = object_array(value) if t.dtype.is_on_host or t.dtype._name == "resource" else np.asarray(value)
        t._value = value  # type: ignore[attr-defined]
        t._dims = value.shape if isinstance(value, np.ndarray | jax.Array) else ()
    for k in runner.written:
        value = state[k]
        if isinstance(value, np.ndarray) and value.dtype != object and not isinstance(k, tuple):
            with jax.enable_x64(True):
                value = jnp.array(value)
        own._store.commit([k], [value])


def _again_on_host(op: Operation) -> None:
    op.__dict__.setdefault("hints", set()).add("host")
    _run_apart(op)


eager.run.append(run)
