"""Function graphs as Python functions on NumPy arrays: what datasets and generators call, element by element.

A graph becomes a list of steps once; a call is a walk over that list. What the graph captured is bound when the function is made:
values as they are then, resources as references, so that a variable is read when the function runs.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.compiler.bodies import refers
from thalweg._src.compiler.interpret import Interpreter, RefValue, _as_op_error, uninitialized
from thalweg._src.compiler.prune import prune
from thalweg._src.core import apply, errors
from thalweg._src.core.apply import Replan
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.waiting import finish
from thalweg._src.runtime.compiled_lowering import compiled
from thalweg._src.runtime.hosting import HostContext
from thalweg._src.runtime.numpy_interpreter import NumPyInterpreter
from thalweg._src.runtime.numpy_lowering import on_cpu
from thalweg._src.runtime.state import fresh_random


class Step:
    """One operation: `fn` on the values in the slots `inputs` (lists of slots for list inputs) fills the slots `outputs`."""

    __slots__ = ("fn", "inputs", "kwargs", "op", "outputs", "rank_one", "types")

    def __init__(self, op: Operation, fn: Any, inputs: list[Any], outputs: list[int]):
        self.op, self.fn, self.inputs, self.outputs = op, fn, inputs, outputs
        self.kwargs = {param: op._attrs[name] for param, name in op.opdef.lower_attrs}
        self.types = [None if t.dtype.is_on_host else t.dtype._as_numpy for t in op.outputs]
        self.rank_one = len(op.outputs) == 1 and op.opdef.simple_out


class Program:
    """The steps of a graph, the same for all functions that are made of it."""

    def __init__(self, graph: Any):
        given = frozenset(graph.inputs)
        acting = [
            op for op in graph._ops if op.opdef.effect == "write" or (op.opdef.effect == "host" and op.opdef.stateful)
        ]
        ops = prune([t.op for t in graph.outputs if t not in given] + acting, given)
        self.slots: dict[Tensor, int] = {t: i for i, t in enumerate(graph.inputs)}
        self.values: list[Any] = [None] * len(graph.inputs)
        self.steps: list[Step] = []
        self.acts = bool(acting)
        self.computes = False  # whether JAX may be called but by lowerings, which see to that themselves
        for op in ops:
            if op.opdef.name == "_Arg":
                continue
            inputs = [self.slots[t] for t in op._inputs]
            if op.opdef.alias and not refers(op._inputs[0]):
                self.slots[op.outputs[0]] = inputs[0]
                continue
            outputs = [self._slot(t) for t in op.outputs]
            if op.opdef.constant:
                self.values[outputs[0]] = op._attrs["value"]
            elif _is_plain(op):
                fn = compiled(op)
                self.steps.append(Step(op, fn, _grouped(op, inputs), outputs))
            else:
                self.computes = self.computes or op.opdef.bodies is not None or op.opdef.wants_rng
                self.steps.append(Step(op, None, inputs, outputs))
        self.results = [self.slots[t] for t in graph.outputs]

    def _slot(self, t: Tensor) -> int:
        self.slots[t] = len(self.values)
        self.values.append(None)
        return self.slots[t]


def _is_plain(op: Operation) -> bool:
    """Whether the operation is a function of its inputs' values."""
    o = op.opdef
    return not (
        o.source
        or o.alias
        or o.wants_run
        or o.wants_ctx
        or o.wants_rng
        or o.writes
        or o.bodies is not None
        or any(refers(t) for t in (*op._inputs, *op.outputs))
    )


def _grouped(op: Operation, slots: list[int]) -> list[Any]:
    return slots if op.opdef.simple else apply.grouped(op.opdef, op._attrs, slots)


class _State(dict):
    """The variables that a function sees: those of the session, read when asked for."""

    def __init__(self, store: Any):
        super().__init__()
        self._store = store

    def get(self, key: Any, default: Any = None) -> Any:
        if key in self:
            return self[key]
        while True:
            value = self._store.values.get(key)
            if value is None:
                return default
            try:
                return np.asarray(value)
            except RuntimeError:  # donated to a step that is running: its successor is there in a moment
                if self._store.values.get(key) is value:
                    with self._store.lock:
                        pass


class _Streams:
    """The state of the random operations of a function, that of an interpreter, and what it waits for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.interpreter: Interpreter | None = None
        self.waiting: dict[Any, threading.Event] = {}
        self.cancelled: BaseException | None = None

    def wait(self, op: Operation, work: Any) -> Any:
        """The outputs of an operation that may wait, waiting for them here unless `cancel` ends that."""
        return finish(work, self._until_done)

    def _until_done(self, attempt: Any) -> None:
        done = threading.Event()
        attempt.when_done(done.set)
        self.waiting[attempt] = done
        try:
            if self.cancelled is not None:
                attempt.cancel(self.cancelled)
            done.wait()
        except BaseException as error:
            attempt.cancel(error)
            raise
        finally:
            self.waiting.pop(attempt, None)

    def cancel(self, error: BaseException) -> None:
        """End what the function waits for, now and from now on."""
        self.cancelled = error
        for attempt, done in list(self.waiting.items()):
            attempt.cancel(error)
            done.set()


class HostFunction:
    """A function graph with what it captured. Calls may come from several threads at once."""

    def __init__(self, session: Any, graph: Any, captured: Sequence[Any] = ()):
        self.session, self.graph = session, graph
        key = (graph._mutations, len(graph._ops), tuple(graph.outputs))
        found = graph._scratch.get("host program")
        if found is None or found[0] != key:
            found = graph._scratch["host program"] = (key, Program(graph))
        self.program: Program = found[1]
        self.template = list(self.program.values)
        self.count = len(graph.inputs) - len(captured)
        self.template[self.count : len(graph.inputs)] = captured
        # Variables whose values were captured: they are read by every call.
        self.reads = [
            (i, v) for i, v in enumerate(captured, self.count) if type(v) is RefValue and not refers(graph.inputs[i])
        ]
        self._streams = _Streams()

    @property
    def acts(self) -> bool:
        """Whether it calls Python or changes variables."""
        return self.program.acts

    def again(self, kept: dict[Any, Any]) -> HostFunction:
        """The same function, its random streams shared by all of the same graph that were given the same `kept`, and by no others."""
        out = HostFunction.__new__(HostFunction)
        out.__dict__.update(self.__dict__)
        out._streams = kept.setdefault(("streams", self.graph), _Streams())
        return out

    def __call__(self, *args: Any) -> tuple[Any, ...]:
        env = self.template.copy()
        for i, value in enumerate(args):
            env[i] = value if type(value) is np.ndarray else as_array(value)
        for slot, ref in self.reads:
            env[slot] = _read(self.session._store, ref)
        step: Any = None
        try:
            with on_cpu() if self.program.computes else np.errstate(all="ignore"):
                for step in self.program.steps:
                    fn = step.fn
                    if fn is None:
                        self._general(step, env)
                        continue
                    result = fn(
                        *[env[i] if type(i) is int else [env[j] for j in i] for i in step.inputs], **step.kwargs
                    )
                    if step.rank_one:
                        kind = step.types[0]
                        if kind is not None and (type(result) is not np.ndarray or result.dtype != kind):
                            result = np.asarray(result, kind) if type(result) is not np.ndarray else result.astype(kind)
                        env[step.outputs[0]] = result
                        continue
                    values = apply.flat_outputs(step.op.opdef, result)
                    for slot, value, kind in zip(step.outputs, values, step.types, strict=True):
                        env[slot] = value if kind is None else np.asarray(value, kind)
        except errors.OpError as error:
            if error._op is None:
                error._op = step.op
            raise
        except Replan as replan:
            raise errors.InternalError(None, step.op, str(replan)) from replan
        except (NotImplementedError, TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError) as error:
            if getattr(error, "thalweg_user_error", False):
                raise
            raise _as_op_error(error, step.op) from error
        return tuple([env[i] for i in self.program.results])

    def _general(self, step: Step, env: list[Any]) -> None:
        """An operation that refers to state, calls other graphs or needs the runtime."""
        op = step.op
        streams = self._streams
        if streams.interpreter is None:
            with streams.lock:
                streams.interpreter = streams.interpreter or self._make_interpreter()
        runner = streams.interpreter
        own = {t: env[i] for t, i in zip(op._inputs, step.inputs, strict=True)}
        if op.opdef.wants_rng or op.opdef.writes or op.opdef.bodies is not None:
            with streams.lock:
                runner.step(op, own)
                self._commit(runner)
        else:
            runner.step(op, own)
        for t, slot in zip(op.outputs, step.outputs, strict=True):
            value = own[t]
            if type(value) is RefValue and not t.dtype._ref and t.dtype.base_dtype._name != "resource":
                value = runner.read(value, op)
            env[slot] = np.asarray(value) if hasattr(value, "addressable_shards") else value

    def _make_interpreter(self) -> Interpreter:
        session = self.session
        return NumPyInterpreter(
            _State(session._store),
            traced=False,
            ctx=lambda op: HostContext(session, op, {}),
            rng_init=fresh_random,
            wait=self._streams.wait,
            ahead=True,
        )

    def _commit(self, runner: Interpreter) -> None:
        keys = [k for k in runner.written if not isinstance(k, tuple)]
        if keys:
            store = self.session._store
            with store.lock:
                store.commit(keys, [np.asarray(runner.state.pop(k)) for k in keys])
        runner.written.clear()


def _read(store: Any, ref: RefValue) -> Any:
    value = _State(store).get(ref.key)
    if value is None:
        raise uninitialized(ref.source, ref.source)
    return value


def as_array(value: Any) -> Any:
    """One component of an element as an array: bytes and objects become arrays of rank zero."""
    if isinstance(value, np.ndarray | RefValue):
        return value
    if isinstance(value, np.generic) or hasattr(value, "addressable_shards"):
        return np.asarray(value)
    out = np.empty((), object)
    out[()] = value
    return out
