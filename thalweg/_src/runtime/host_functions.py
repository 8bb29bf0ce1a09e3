"""Function graphs as Python functions on NumPy arrays: what datasets and generators call, element by element.

A graph becomes a list of steps once; a call is a walk over that list. What the graph captured is bound when the function is made:
values as they are then, resources as references, so that a variable is read when the function runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.compiler.bodies import refers
from thalweg._src.compiler.interpret import RefValue
from thalweg._src.runtime.host_programs import Step, program_of
from thalweg._src.runtime.walks import Streams, Walker, read


class HostFunction(Walker):
    """A function graph with what it captured. Calls may come from several threads at once."""

    def __init__(self, session: Any, graph: Any, captured: Sequence[Any] = ()):
        super().__init__(session, Streams())
        self.graph = graph
        self.program = program_of(graph)
        self.template = list(self.program.values)
        self.count = len(graph.inputs) - len(captured)
        self.template[self.count : len(graph.inputs)] = captured
        # Variables whose values were captured: they are read by every call.
        self.reads = [
            (i, v) for i, v in enumerate(captured, self.count) if type(v) is RefValue and not refers(graph.inputs[i])
        ]

    def again(self, kept: dict[Any, Any]) -> HostFunction:
        """The same function, its random streams shared by all of the same graph that were given the same `kept`, and by no others."""
        out = HostFunction.__new__(HostFunction)
        out.__dict__.update(self.__dict__)
        out._streams = kept.setdefault(("streams", self.graph), Streams())
        return out

    def __call__(self, *args: Any) -> tuple[Any, ...]:
        env = self._begun(args)
        with np.errstate(all="ignore"):
            self.walk(self.program.steps, env)
        return self._results(env)

    def many(self, elements: Sequence[Sequence[Any]], rows: Sequence[Any]) -> list[Any]:
        """The results for several lists of arguments, or the errors that took their place.

        The i-th result for arguments goes into the memory that `row.place(i, shape, dtype)` gives, where it can be. All go through a
        stretch of steps before the first goes on, unless that could be seen from outside.
        """
        envs = [self._begun(args) for args in elements]
        failed: list[BaseException | None] = [None] * len(envs)
        with np.errstate(all="ignore"):
            if self.program.acts:
                for i in range(len(envs)):
                    failed[i] = self._tried(self.program.steps, envs[i], rows[i])
            else:
                for steps in self.program.stretches:
                    for i in range(len(envs)):
                        if failed[i] is None:
                            failed[i] = self._tried(steps, envs[i], rows[i])
        return [self._results(env) if error is None else error for env, error in zip(envs, failed, strict=True)]

    def _begun(self, args: Sequence[Any]) -> list[Any]:
        env = self.template.copy()
        for i, value in enumerate(args):
            env[i] = value if type(value) is np.ndarray else as_array(value)
        for slot, ref in self.reads:
            env[slot] = read(self.session._store, ref)
        return env

    def _results(self, env: list[Any]) -> tuple[Any, ...]:
        for i in self.program.kept:
            env[self.program.results[i]] = env[self.program.results[i]].copy()
        return tuple([env[i] for i in self.program.results])

    def _tried(self, steps: list[Step], env: list[Any], row: Any) -> BaseException | None:
        try:
            self.walk(steps, env, row)
        except BaseException as error:
            return error
        return None


def as_array(value: Any) -> Any:
    """One component of an element as an array: bytes and objects become arrays of rank zero."""
    if isinstance(value, np.ndarray | RefValue):
        return value
    if isinstance(value, np.generic) or hasattr(value, "addressable_shards"):
        return np.asarray(value)
    out = np.empty((), object)
    out[()] = value
    return out
