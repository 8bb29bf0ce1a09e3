"""Which operations of a plan may wait for other threads, what depends on them, and which touch variables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from thalweg._src.compiler.bodies import accesses, bodies_of, body_ops, randoms, source_of
from thalweg._src.core.graph import Operation


def may_wait(op: Operation) -> bool:
    """Whether `op` may wait for other threads, itself or in a body."""
    if op.opdef.waits:
        return True
    return any(may_wait(inner) for graph, _ in bodies_of(op) for inner in body_ops(graph))


class Waits:
    """What a plan knows of its operations that wait: which others depend on them, and which ops touch variables."""

    def __init__(self, ops: Iterable[Operation], fed: Any):
        self.before: dict[Operation, frozenset[Operation]] = {}  # those that an op needs and that may wait
        self.touches: set[Operation] = set()
        none: frozenset[Operation] = frozenset()
        for op in ops:
            needs = [t.op for t in op._inputs if t not in fed] + list(op._control_inputs)
            found = none
            for n in needs:
                found |= self.before.get(n, none)
                if n.opdef.waits and n in self.before:
                    found |= {n}
            self.before[op] = found
            if not may_wait(op) and (randoms(op) or accesses(op, lambda t: source_of(t, fed))):
                self.touches.add(op)
