"""Which operations a run needs, and in which order they take effect."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from thalweg._src.core import errors
from thalweg._src.core.graph import Operation, Tensor


def prune(targets: Iterable[Operation], feeds: frozenset[Tensor] | set[Tensor]) -> list[Operation]:
    """The operations that `targets` need once `feeds` are given, in an order that respects all edges (by id where that does)."""
    seen: set[Operation] = set()
    stack = list(targets)
    while stack:
        op = stack.pop()
        if op in seen:
            continue
        seen.add(op)
        for t in op._inputs:
            if t not in feeds and t.op not in seen:
                stack.append(t.op)
        for c in op._control_inputs:
            if c not in seen and not _all_fed(c, feeds):
                stack.append(c)
    ordered = sorted(seen, key=lambda op: op._id)
    at = {op: i for i, op in enumerate(ordered)}
    for i, op in enumerate(ordered):
        if any(at.get(c, -1) > i for c in op._control_inputs) or any(
            t not in feeds and at.get(t.op, -1) > i for t in op._inputs
        ):
            return _topological(ordered, feeds)
    return ordered


def last_uses(ops: list[Operation], kept: Iterable[Tensor]) -> list[list[Tensor]]:
    """For each of `ops`, in the order in which they run, the tensors that nothing takes after it, but for those in `kept`."""
    seen = set(kept)
    uses: list[list[Tensor]] = []
    for op in reversed(ops):
        uses.append(list({t: None for t in (*op._inputs, *op.outputs) if t not in seen}))
        seen.update(uses[-1])
    return uses[::-1]


def _all_fed(op: Operation, feeds: frozenset[Tensor] | set[Tensor]) -> bool:
    # A placeholder whose value is fed does not run, also where others wait for it.
    return bool(op.outputs) and all(t in feeds for t in op.outputs)


def _topological(ops: list[Operation], feeds: frozenset[Tensor] | set[Tensor]) -> list[Operation]:
    # Only graphs with control inputs added by hand, or with loops, come here. Ids decide between what is ready.
    inside = set(ops)
    waits: dict[Operation, int] = {}
    followers: dict[Operation, list[Operation]] = {op: [] for op in ops}
    for op in ops:
        before = {t.op for t in op._inputs if t not in feeds and t.op in inside} | {
            c for c in op._control_inputs if c in inside
        }
        before = {b for b in before if not _is_back_edge(b, op)}
        waits[op] = len(before)
        for b in before:
            followers[b].append(op)
    ready = [(op._id, op) for op in ops if waits[op] == 0]
    heapq.heapify(ready)
    out = []
    while ready:
        _, op = heapq.heappop(ready)
        out.append(op)
        for f in followers[op]:
            waits[f] -= 1
            if waits[f] == 0:
                heapq.heappush(ready, (f._id, f))
    if len(out) < len(ops):
        stuck = sorted(op.name for op in inside - set(out))
        raise errors.InvalidArgumentError(
            None,
            None,
            f"Graph is invalid, contains a cycle with {len(stuck)} nodes, including: {', '.join(stuck[:5])}",
        )
    return out


def _is_back_edge(before: Operation, op: Operation) -> bool:
    return before.opdef.back_edge
