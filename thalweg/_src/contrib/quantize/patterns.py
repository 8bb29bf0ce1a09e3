"""Shapes of subgraphs, matched from an operation backwards along its inputs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from thalweg._src.core.graph import Graph, Operation, Tensor

# What a match bound: each pattern to the operation and the output of it that was taken.
Match = dict[Any, tuple[Operation, Tensor | None]]


class Pattern:
    """One operation of the types `types` ("A|B", "*" for any) whose inputs match `inputs`; no inputs: any.

    With `ordered=False` the inputs may come in any order.
    """

    def __init__(self, types: str, inputs: Sequence[Any] = (), ordered: bool = True) -> None:
        self._types = None if types == "*" else frozenset(types.split("|"))
        self._inputs = [Pattern(i) if isinstance(i, str) else i for i in inputs]
        self._ordered = ordered

    def match(self, op: Operation, tensor: Tensor | None = None) -> Match | None:
        """What is bound where `op` matches, else None."""
        if self._types is not None and op.type not in self._types:
            return None
        bound: Match = {self: (op, tensor)}
        if not self._inputs:
            return bound
        if len(op.inputs) != len(self._inputs):
            return None
        for order in [self._inputs] if self._ordered else itertools.permutations(self._inputs):
            found = [pattern.match(t.op, t) for t, pattern in zip(op.inputs, order, strict=True)]
            if None not in found:
                for part in found:
                    bound.update(part or {})
                return bound
        return None


class OneOf:
    """The first of several patterns that matches."""

    def __init__(self, *patterns: Pattern | OneOf) -> None:
        self._patterns = patterns

    def match(self, op: Operation, tensor: Tensor | None = None) -> Match | None:
        """What the first matching pattern binds, else None."""
        for pattern in self._patterns:
            bound = pattern.match(op, tensor)
            if bound is not None:
                return bound
        return None


def matches(pattern: Pattern | OneOf, graph: Graph) -> Iterator[Match]:
    """The match of each operation of `graph` that has one, in the order of the graph."""
    for op in graph.get_operations():
        bound = pattern.match(op)
        if bound is not None:
            yield bound


def op_of(match: Match, *patterns: Pattern) -> Operation | None:
    """The operation that the first bound one of `patterns` stands for."""
    return next((match[p][0] for p in patterns if p in match), None)


def tensor_of(match: Match, *patterns: Pattern) -> Tensor | None:
    """The tensor that the first bound one of `patterns` stands for."""
    return next((match[p][1] for p in patterns if p in match), None)
