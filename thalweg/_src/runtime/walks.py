"""Walks over the steps of a program (`host_programs`): plain lowerings, branches, random numbers, and what needs the runtime."""

from __future__ import annotations

import functools
import threading
from typing import Any

import numpy as np

from thalweg._src.compiler.bodies import refers
from thalweg._src.compiler.interpret import RefValue, as_op_error, uninitialized
from thalweg._src.core import apply, errors, laying
from thalweg._src.core.apply import Replan
from thalweg._src.core.graph import Operation
from thalweg._src.core.structured import Structured
from thalweg._src.core.waiting import finish
from thalweg._src.runtime.host_programs import Fixed, Program, Step, program_of
from thalweg._src.runtime.hosting import HostContext
from thalweg._src.runtime.numpy_interpreter import NumPyInterpreter
from thalweg._src.runtime.numpy_lowering import on_cpu
from thalweg._src.runtime.state import fresh_random


class State(dict):
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


class Streams:
    """The state of the random operations of a function, that of an interpreter, and what it waits for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.interpreter: NumPyInterpreter | None = None
        self.waiting: dict[Any, threading.Event] = {}
        self.cancelled: BaseException | None = None

    def state_in(self, store: Any) -> State:
        """What the operations see of variables, and where their streams are."""
        return State(store)

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


class Walker:
    """What walks over steps in one session. Several threads may at once."""

    def __init__(self, session: Any, streams: Streams):
        self.session, self._streams = session, streams

    def program_of(self, graph: Any) -> Program:
        """The steps of a graph that an operation chooses."""
        return program_of(graph, body=True)

    def walk(self, steps: list[Step], env: list[Any], row: Any = None) -> None:
        """Take the steps, one after the other, results going into `row`. An error names the operation."""
        step: Any = None
        try:
            for step in steps:
                fn = step.fn
                if fn is None:
                    self._general(step, env)
                    continue
                if row is not None and step.result is not None:
                    result = _laid(step, env, row)
                else:
                    result = fn(*step.arguments(env))
                if step.rank_one:
                    kind = step.types[0]
                    if kind is not None and (type(result) is not np.ndarray or result.dtype is not kind):
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
            raise as_op_error(error, step.op) from error

    def _general(self, step: Step, env: list[Any]) -> None:
        """An operation that refers to state, calls other graphs or needs the runtime."""
        op = step.op
        if step.fixed is not None:
            return self._fixed(step.fixed, env)
        if step.chooses is not None and not any(isinstance(env[i], Structured) for i in step.inputs):
            return self._choose(step, env)
        if op.opdef.wants_rng:
            found = self._drawn(op, [env[i] for i in step.inputs])
            if found is not None:
                for slot, value in zip(step.outputs, found, strict=True):
                    env[slot] = value
                return None
        streams = self._streams
        runner = self._interpreter()
        own = {t: env[i] for t, i in zip(op._inputs, step.inputs, strict=True)}
        if op.opdef.wants_rng or op.opdef.bodies is not None:  # JAX may be called
            with on_cpu(), streams.lock:
                runner.step(op, own)
                self._commit(runner)
        elif op.opdef.writes:
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
        return None

    def _fixed(self, group: Fixed, env: list[Any]) -> None:
        """Steps whose results shapes decide: what they gave for those shapes, or their work."""
        key = group.key(env)
        found = group.known.get(key)
        if found is None:
            self.walk(group.steps, env)
            group.keep(key, env)
            return
        for slot, value in zip(group.slots, found, strict=True):
            env[slot] = value

    def _choose(self, step: Step, env: list[Any]) -> None:
        """An operation that runs one of several graphs: the steps of that graph."""
        graph = step.chooses(step.op._attrs, self._value(env[step.inputs[0]]))
        found = step.programs.get(graph)
        if found is None:
            program = self.program_of(graph)
            given = [(i, j, refers(t)) for i, (j, t) in enumerate(zip(step.inputs[1:], graph.inputs, strict=True))]
            taken = [
                (slot, i, refers(t)) for t, slot, i in zip(step.op.outputs, step.outputs, program.results, strict=True)
            ]
            found = step.programs[graph] = program, given, taken
        program, given, taken = found
        inner = program.values.copy()
        for i, j, refer in given:
            inner[i] = env[j] if refer else self._value(env[j])
        self.walk(program.steps, inner)
        for slot, i, refer in taken:
            env[slot] = inner[i] if refer else self._value(inner[i])

    def _value(self, value: Any) -> Any:
        """`value`, or what the variable holds that it refers to."""
        return read(self.session._store, value) if type(value) is RefValue else value

    def _drawn(self, op: Operation, values: list[Any]) -> list[np.ndarray] | None:
        """Random numbers that were drawn ahead for these inputs; None where there are none left."""
        streams = self._streams
        if streams.interpreter is None:
            return None
        with streams.lock:
            return streams.interpreter.drawn(op, values)

    def _interpreter(self) -> NumPyInterpreter:
        streams = self._streams
        if streams.interpreter is None:
            with streams.lock:
                streams.interpreter = streams.interpreter or self._make_interpreter()
        return streams.interpreter

    def _make_interpreter(self) -> NumPyInterpreter:
        session = self.session
        return NumPyInterpreter(
            self._streams.state_in(session._store),
            traced=False,
            ctx=lambda op: HostContext(session, op, {}),
            rng_init=fresh_random,
            wait=self._streams.wait,
            ahead=True,
        )

    def _commit(self, runner: NumPyInterpreter) -> None:
        keys = [k for k in runner.written if not isinstance(k, tuple)]
        if keys:
            store = self.session._store
            with store.lock:
                store.commit(keys, [np.asarray(runner.state.pop(k)) for k in keys])
        runner.written.clear()


def _laid(step: Step, env: list[Any], row: Any) -> Any:
    """What a step gives whose output is a result, made in its place in `row`."""
    laying.wanted.place = functools.partial(row.place, step.result)
    try:
        return step.fn(*step.arguments(env))
    finally:
        laying.wanted.place = None


def read(store: Any, ref: RefValue) -> Any:
    """What the variable holds that `ref` refers to. Raises FailedPreconditionError where it holds nothing."""
    value = State(store).get(ref.key)
    if value is None:
        raise uninitialized(ref.source, ref.source)
    return value
