"""The order of effects: a read sees the variable as it was when the step began, but for the writes that it depends on."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from thalweg._src.compiler.bodies import accesses, variable_key
from thalweg._src.core.graph import Operation, Tensor


def in_effect_order(
    ops: list[Operation], feeds: Any, find: Callable[[Tensor], Operation | None], present: Callable[[str], bool]
) -> tuple[list[Operation], dict[str, bool]]:
    """`ops` (sorted along their edges, writes in the order of creation) with reads before the writes that they do not depend on.

    A variable without a value is no use to a read: there the order of creation decides. Also returns which variables that was asked of, and
    the answers, since they are part of what the order depends on.
    """
    touched = {op: accesses(op, find) for op in ops}
    writes: dict[str, list[Operation]] = {}
    for op, found in touched.items():
        for source, is_write in found:
            if is_write:
                writes.setdefault(variable_key(source), []).append(op)
    if not writes:
        return ops, {}
    before = _predecessors(ops, feeds, writes)
    asked: dict[str, bool] = {}
    late = _reads_after_foreign_writes(ops, touched, writes, before, present, asked)
    if not late:
        return ops, asked
    for reader, writers in late.items():
        for w in writers:
            before[w].add(reader)
    at = {op: i for i, op in enumerate(ops)}
    for op, found in touched.items():  # reads that came first already stay so
        for source, is_write in found:
            for w in () if is_write else writes.get(variable_key(source), ()):
                if at[op] < at[w]:
                    before[w].add(op)
    sorted_ops = _sorted(ops, before)
    return (ops if sorted_ops is None else sorted_ops), asked


def _predecessors(
    ops: list[Operation], feeds: Any, writes: dict[str, list[Operation]]
) -> dict[Operation, set[Operation]]:
    """What each operation waits for: its inputs, its control inputs, and the earlier write of a variable that it writes."""
    inside = set(ops)
    before = {
        op: {t.op for t in op._inputs if t not in feeds and t.op in inside}
        | {c for c in op._control_inputs if c in inside}
        for op in ops
    }
    for writers in writes.values():
        for first, second in zip(writers, writers[1:], strict=False):
            if first is not second:
                before[second].add(first)
    return before


def _reads_after_foreign_writes(ops, touched, writes, before, present, asked) -> dict[Operation, list[Operation]]:
    """Reads that stand after a write which they do not depend on."""
    at = {op: i for i, op in enumerate(ops)}
    contested: dict[Operation, int] = {}  # a bit for each write that some read stands after
    pairs: list[tuple[Operation, Operation]] = []
    for op, found in touched.items():
        own = {variable_key(s) for s, is_write in found if is_write}
        for source, is_write in found:
            key = variable_key(source)
            if is_write or key in own or key not in writes:
                continue
            for w in writes[key]:
                if at[w] < at[op]:
                    if not asked.setdefault(key, present(key)):
                        continue
                    contested.setdefault(w, 1 << len(contested))
                    pairs.append((op, w))
    if not pairs:
        return {}
    ancestors: dict[Operation, int] = {}
    for op in ops:
        mask = contested.get(op, 0)
        for b in before[op]:
            mask |= ancestors.get(b, 0)
        ancestors[op] = mask
    out: dict[Operation, list[Operation]] = {}
    for op, w in pairs:
        if not ancestors[op] & contested[w]:
            out.setdefault(op, []).append(w)
    return out


def _sorted(ops: list[Operation], before: dict[Operation, set[Operation]]) -> list[Operation] | None:
    """`ops` sorted along `before`, in their old order where that is free; None if there is a cycle."""
    at = {op: i for i, op in enumerate(ops)}
    followers: dict[Operation, list[Operation]] = {op: [] for op in ops}
    waits = {op: len(b) for op, b in before.items()}
    for op, b in before.items():
        for p in b:
            followers[p].append(op)
    ready = [at[op] for op in ops if waits[op] == 0]
    heapq.heapify(ready)
    out = []
    while ready:
        op = ops[heapq.heappop(ready)]
        out.append(op)
        for f in followers[op]:
            waits[f] -= 1
            if waits[f] == 0:
                heapq.heappush(ready, at[f])
    return out if len(out) == len(ops) else None
