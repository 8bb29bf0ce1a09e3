"""The steps of a function graph on NumPy arrays: made once, walked for every element."""

from __future__ import annotations

import functools
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from thalweg._src.compiler.bodies import bodies_of, refers
from thalweg._src.compiler.prune import prune
from thalweg._src.core import apply
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.runtime.compiled_lowering import compiled


class Step:
    """One operation: `fn` on the values in the slots `inputs` (lists of slots for list inputs) fills the slots `outputs`.

    `only` is the slot of an input that is the only one, `several` takes the values of several from the environment; both are None for
    lists. `fn` is None for what refers to state, runs other graphs or needs the runtime; `chooses` tells the graph of an operation that
    runs one of several.
    """

    __slots__ = ("chooses", "fn", "inputs", "only", "op", "outputs", "rank_one", "several", "types")

    def __init__(self, op: Operation, fn: Any, inputs: list[Any], outputs: list[int], chooses: Any = None):
        self.op, self.inputs, self.outputs, self.chooses = op, inputs, outputs, chooses
        kwargs = {param: op._attrs[name] for param, name in op.opdef.lower_attrs} if fn is not None else {}
        self.fn = functools.partial(fn, **kwargs) if kwargs else fn
        self.types = [None if t.dtype.is_on_host else t.dtype._as_numpy for t in op.outputs]
        self.rank_one = len(op.outputs) == 1 and op.opdef.simple_out
        plainly = all(type(i) is int for i in inputs)
        self.only: int | None = inputs[0] if plainly and len(inputs) == 1 else None
        self.several: Callable[[list[Any]], Any] | None = itemgetter(*inputs) if plainly and len(inputs) > 1 else None


class Program:
    """The steps of a graph, the same for all functions that are made of it. A `body` runs only what its outputs need."""

    def __init__(self, graph: Any, body: bool = False):
        given = frozenset(graph.inputs)
        acting = [] if body else [op for op in graph._ops if _acts(op)]
        ops = prune([t.op for t in graph.outputs if t not in given] + acting, given)
        self.graph = graph
        self.slots: dict[Tensor, int] = {t: i for i, t in enumerate(graph.inputs)}
        self.values: list[Any] = [None] * len(graph.inputs)
        self.steps: list[Step] = []
        self.acts = bool(acting)
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
                self.steps.append(Step(op, compiled(op), _grouped(op, inputs), outputs))
            else:
                self.steps.append(Step(op, None, inputs, outputs, op.opdef.chooses if _is_choice(op) else None))
        self.results = [self.slots[t] for t in graph.outputs]

    def _slot(self, t: Tensor) -> int:
        self.slots[t] = len(self.values)
        self.values.append(None)
        return self.slots[t]


def program_of(graph: Any, body: bool = False) -> Program:
    """The steps of `graph` as it is now."""
    place = ("host program", body)
    key = (graph._mutations, len(graph._ops), tuple(graph.outputs))
    found = graph._scratch.get(place)
    if found is None or found[0] != key:
        found = graph._scratch[place] = (key, Program(graph, body))
    return found[1]


def _acts(op: Operation) -> bool:
    """Whether the operation does something that is seen from outside."""
    return op.opdef.effect == "write" or (op.opdef.effect == "host" and op.opdef.stateful)


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


def _is_choice(op: Operation) -> bool:
    """Whether the operation runs one of several graphs, whose steps can be walked: nothing in them holds several arrays in one value."""
    if op.opdef.chooses is None:
        return False
    return not any(inner.opdef.structured or inner.opdef.forward_of for g, _ in bodies_of(op) for inner in g._ops)


def _grouped(op: Operation, slots: list[int]) -> list[Any]:
    return slots if op.opdef.simple else apply.grouped(op.opdef, op._attrs, slots)
