"""Runs that are traced: operation by operation, so that each has a time and a size of its own.

An executable of XLA is one program for many operations, which says nothing of a single one. A traced run therefore compiles and runs
each operation by itself; what is told is how long it took when it ran, without its compilation.
"""

from __future__ import annotations

import dataclasses
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.compiler.interpret import Interpreter, RefValue
from thalweg._src.compiler.plan import Plan
from thalweg._src.core import apply, errors, infer
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax
from thalweg._src.core.philox import Stream
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.structured import Structured
from thalweg._src.runtime import cache

# What JAX reports about the making of programs, which is not the operation's own time.
_COMPILING = ("/jax/core/compile/backend_compile_duration", "/jax/core/compile/jaxpr_to_mlir_module_duration")


@dataclasses.dataclass
class Record:
    """One operation that ran: when it began (seconds after 1970), how long it took, and what it gave: (shape, bytes) of each output."""

    op: Operation
    start: float
    seconds: float
    outputs: list[tuple[tuple[int, ...], int] | None]
    thread: int


class Trace:
    """The records of one run, in the order in which operations ended."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def gave(self, plan: Plan) -> None:
        """Write down the constants that a run only fetches, which take no time."""
        inside = {op for cluster in plan.clusters for op in cluster.ops}
        for t, value in plan.constants.items():
            if t.op not in inside:
                sizes: list[Any] = [(value.shape, value.nbytes)]
                self.records.append(Record(t.op, time.time(), 0.0, sizes, threading.get_ident()))

    def before(self, op: Operation, state: Any) -> None:
        """`op` is about to run, on variables that are as `state` says."""

    def saw(self, op: Operation, values: list[Any], state: Any) -> None:
        """`op` has run and gave `values`."""


class _Compiling(threading.local):
    seconds = 0.0


_compiling = _Compiling()
_listening = False


def _listen() -> None:
    global _listening
    if not _listening:
        _listening = True
        jax.monitoring.register_event_duration_secs_listener(_heard)


def _heard(event: str, duration: float, **more: Any) -> None:
    if event in _COMPILING:
        _compiling.seconds += duration


class TracingInterpreter(Interpreter):
    """The interpreter, writing down each operation of the graph that it runs; those in bodies count with the op that has them."""

    def __init__(self, *args: Any, trace: Trace, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.trace = trace
        self._inside = False
        self._aside = 0.0  # seconds of the operation that runs which are not its own
        _listen()

    def run_one(self, op: Operation, env: dict[Any, Any], result: Callable[[], Any] | None = None) -> None:
        if self._inside:
            super().run_one(op, env, result)
            return
        self._inside, self._aside = True, 0.0
        self.trace.before(op, self.state)
        compiled, start = _compiling.seconds, time.time()
        try:
            super().run_one(op, env, result)
            values = [env.get(t) for t in op.outputs]
            _wait_for(values)
        finally:
            self._inside = False
        end = time.time()
        aside = self._aside if self._aside else _compiling.seconds - compiled
        seconds = max(end - start - aside, 0.0)
        self.trace.records.append(
            Record(op, end - seconds, seconds, [self._size(v) for v in values], threading.get_ident())
        )
        self.trace.saw(op, values, self.state)

    def _size(self, value: Any) -> tuple[tuple[int, ...], int] | None:
        """The shape of a value and the bytes that it takes; of a variable where it refers to one."""
        if type(value) is RefValue:
            value = self.state.get(value.key)
        if isinstance(value, np.ndarray) and value.dtype == object:
            return value.shape, sum(len(v) for v in value.flat if isinstance(v, bytes | str))
        if isinstance(value, Structured) or not hasattr(value, "nbytes"):
            return None
        return tuple(value.shape), int(value.nbytes)

    def _call(self, op: Operation, values: list[Any]) -> Any:
        """What the lowering gives, from an executable of this one operation where it can be one."""
        program, own = self._program(op, values)
        if program is None:
            return super()._call(op, values)
        begun = time.time()
        state = self._rng(op).state if op.opdef.wants_rng else None
        try:
            _wait_for((state, own))
            _wait_for(program(state, *own))  # made and warm
            self._aside += time.time() - begun
            result, fine, after = program(state, *own)
        except (errors.OpError, TypeError, ValueError, NotImplementedError, jax.errors.JAXTypeError):
            self._aside += time.time() - begun
            return super()._call(op, values)  # it says what is wrong, or takes what no executable can
        _wait_for(result)
        if not bool(fine):
            return super()._call(op, values)
        if after is not None:
            self.write(("rng", op.name), after)
        return result

    def _program(self, op: Operation, values: list[Any]) -> tuple[Any, list[Any]]:
        """An executable of `op`, and the values that it takes; None for what plain Python does."""
        opdef = op.opdef
        if self.platform is None or opdef.host is not False or opdef.wants_ctx or opdef.structured:
            return None, []
        args = self._args(op)
        known = {i: v for i, (v, a) in enumerate(zip(values, args, strict=True)) if a.static or a.known}
        own = [v for i, v in enumerate(values) if i not in known]
        takes_arrays = opdef.wants_rng or any(isinstance(v, jax.Array) for v in own)
        if not takes_arrays or any(getattr(v, "dtype", None) == object for v in own):
            return None, []
        shapes = tuple([(np.shape(v), str(getattr(v, "dtype", type(v)))) for v in own])
        key: Any = (self.platform, shapes, tuple([(i, np.asarray(v).tobytes()) for i, v in known.items()]))
        if _is_plain(op._attrs):
            attrs = tuple([(k, infer.freeze(v)) for k, v in op._attrs.items()])
            programs, key = _shared, (opdef, attrs, key)
        else:
            programs = _programs.setdefault(op, {})
        if key not in programs:
            if len(programs) >= MOST:
                programs.clear()
            programs[key] = _compiled(op, len(values), known, self.platform)
        return programs[key], own


MOST = 4096  # executables that are kept, of each kind

# Executables of single operations, so that neither a second trace nor a layer of the same shapes makes them again: of operations
# with plain attrs by type, attrs, shapes and what is known, of others by the operation itself.
_shared: dict[Any, Any] = {}
_programs: weakref.WeakKeyDictionary[Operation, dict[Any, Any]] = weakref.WeakKeyDictionary()


def _is_plain(value: Any) -> bool:
    """Whether equal attrs say the same of another operation: numbers, texts, types, shapes and arrays do, graphs and functions don't."""
    if isinstance(value, dict):
        return all(_is_plain(v) for v in value.values())
    if isinstance(value, list):
        return all(_is_plain(v) for v in value)
    if isinstance(value, np.ndarray):
        return value.dtype != object
    return value is None or isinstance(
        value, bool | int | float | complex | str | bytes | np.generic | DType | TensorShape
    )


def _compiled(op: Operation, count: int, known: dict[int, Any], platform: str) -> Any:
    """`op` as an executable of the state of its random stream (or None) and the inputs that are not `known`."""
    opdef, attrs = op.opdef, op._attrs  # not `op` itself, which its executables must not keep

    def traced(state: Any, *own: Any) -> Any:
        rest = iter(own)
        values = [known[i] if i in known else next(rest) for i in range(count)]
        rng = Stream(state) if opdef.wants_rng else None
        checks: list[Any] = []
        with apply.collect_checks(checks):
            result = apply.call(opdef, attrs, values, rng=rng, platform=platform)
        return result, apply.summary(checks)[0] if checks else True, None if rng is None else rng.finish()

    cache.enable()
    return jax.jit(traced)


def _wait_for(value: Any) -> None:
    jax.block_until_ready([v for v in jax.tree_util.tree_leaves(value) if isinstance(v, jax.Array)])
