"""How far derivatives go through a body: on which of its inputs its outputs depend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.opdef import GRADIENTS


def reached_inputs(graph: Any, outputs: Iterable[int]) -> set[int]:
    """The numbers of the inputs of a body that the outputs with these numbers have derivatives by.

    Derivatives end at integers and at operations that have none; those that have a body go on through it.
    """
    places = {t: i for i, t in enumerate(graph.inputs)}
    stack = [graph.outputs[i] for i in outputs]
    seen: set[Tensor] = set()
    found = set()
    while stack:
        t = stack.pop()
        if t in seen or not _may_have_one(t):
            continue
        seen.add(t)
        if t in places:
            found.add(places[t])
        elif not _ends(t.op):
            through = t.op.opdef.reaches
            inputs = t.op._inputs
            stack += inputs if through is None else [inputs[i] for i in through(t.op, [t.value_index])]
    return found


def _may_have_one(t: Tensor) -> bool:
    d = t.dtype.base_dtype
    return d.is_floating or d.is_complex or d in (dtypes.resource, dtypes.variant)


def _ends(op: Operation) -> bool:
    if op.type in GRADIENTS:
        return GRADIENTS[op.type] is None
    return not op.opdef.differentiable and "_gradient_op_type" not in op.attrs


def through_branches(op: Operation, outputs: Sequence[int]) -> set[int]:
    """The inputs of an If or a Case on which those outputs depend in one branch or another. The choice itself has no derivative."""
    branches = [graph for graph, _ in op.opdef.bodies(op.attrs, op._inputs)]
    return {1 + i for graph in branches for i in reached_inputs(graph, outputs)}


def through_loop(op: Operation, outputs: Sequence[int]) -> set[int]:
    """The inputs of a While on which those outputs depend after some number of turns."""
    body = op.attrs["body"]
    count = len(body.outputs)
    reached = set(outputs)
    new = {i for i in reached if i < count}
    while new:
        behind = reached_inputs(body, new) - reached
        reached |= behind
        new = {i for i in behind if i < count}
    return reached


def where_reached(op: Operation, found: Sequence[Any], outputs: Sequence[int]) -> list[Any]:
    """The gradients of the inputs on which those outputs depend, None for the others."""
    reached = op.opdef.reaches(op, outputs)
    return [g if i in reached else None for i, g in enumerate(found)]
