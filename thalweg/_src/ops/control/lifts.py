"""Reads and writes of TensorArrays that leave a loop.

In a loop whose counter is known, an array that is read at the counter is cut into rows before it: a scan takes a row in each turn.
An array that is written at the counter is put together after it, from the rows that a scan returns. So neither is carried from
turn to turn, and no derivative has to add up whole arrays.
"""

import numpy as np

from thalweg._src.core import apply
from thalweg._src.core.lazy import jnp
from thalweg._src.core.scan.limits import only_live
from thalweg._src.core.structured import Structured
from thalweg._src.ops.control import tensor_array_ops
from thalweg._src.ops.control.array_values import ArrayHandle, ArrayValue
from thalweg._src.ops.control.turns import through_identities


class Read:
    """A read of an array that no turn changes: `output` in the body, its rows in `rows`."""

    def __init__(self, node, rows, inside):
        self.node, self.rows, self.inside = node, rows, inside


class Write:
    """The only use of the loop variable `at`: what `node` writes at the places in `index`."""

    def __init__(self, node, at, index, start):
        self.node, self.at, self.index, self.start = node, at, index, start

    def finish(self, rows, live, active):
        """The array after the loop. `live` tells which turns were really made, `active` whether the loop was."""
        start = self.start
        first = rows[0] if rows.shape[0] else None
        if first is not None:
            start._fits(first, int(self.index[0]))
        dims = tuple(rows.shape[1:])
        size, facts = start.known_size, start.facts
        most = int(self.index.max()) + 1 if len(self.index) else 0
        blank = active is None and start.items is not None and all(i is None for i in start.items)
        if blank and (live is None or not facts.dynamic):
            size = max(size, most) if facts.dynamic else size
            if np.array_equal(self.index, np.arange(size)):
                rows = rows.astype(facts.dtype)
                if live is None:
                    return ArrayValue(facts, None, rows, jnp.ones((size,), bool), size)
                return ArrayValue(facts, None, only_live(rows, live), live, size)
        dense = start.to_dense(dims, max(most, size or 0) if facts.dynamic else None, known=not facts.dynamic)
        at = jnp.asarray(self.index, jnp.int32)
        done = jnp.ones(at.shape, bool) if live is None else live
        if active is not None:
            done &= active
        room = dense.buffer.shape[0]
        old = dense.written[jnp.clip(at, 0, max(room - 1, 0))] if room else jnp.zeros(at.shape, bool)
        apply.check(jnp.all(~(done & old)), f"TensorArray {facts.name}: an index was written before")
        if not facts.dynamic:
            apply.check(jnp.all(~done | (at < room)), f"TensorArray {facts.name}: an index is outside")
        at = jnp.where(done, at, room)
        buffer = dense.buffer.at[at].set(rows.astype(dense.buffer.dtype), mode="drop")
        written = dense.written.at[at].set(True, mode="drop")
        length = dense.length
        if facts.dynamic:
            length = jnp.maximum(length, jnp.max(jnp.where(done, at + 1, 0), initial=0))
        return ArrayValue(facts, None, buffer, written, length)


def lifted(cond, body, variables, captured, turns, count, unchanged, run):
    """The reads and writes that leave a loop of `count` turns; `turns` foretells indices."""
    width = len(body.outputs)
    values = dict(zip(body.inputs, [*variables, *captured], strict=True))
    fixed = {t for i, t in enumerate(body.inputs) if i >= width or i in unchanged}
    reads, writes = [], []
    users: dict = {}
    ops = run.body_ops(body)
    for node in ops:
        for t in node.inputs:
            users.setdefault(through_identities(t), []).append(node)
    for node in ops:
        if node.opdef is tensor_array_ops.read_v3:
            found = _read(node, values, fixed, turns, count)
            if found is not None:
                reads.append(found)
        elif node.opdef is tensor_array_ops.write_v3:
            found = _write(node, cond, body, values, fixed, users, turns, count, run)
            if found is not None:
                writes.append(found)
    return reads, writes


def _read(node, values, fixed, turns, count):
    handle, index, flow = map(through_identities, node.inputs)
    if handle not in fixed or flow not in fixed:
        return None
    token, value = values[handle], values[flow]
    if (
        not isinstance(token, ArrayHandle)
        or not isinstance(value, ArrayValue)
        or value.facts.order != token.facts.order
    ):
        return None
    series = turns.series(index, count)
    if series is None or not value.dense or not value.buffer.shape[0] or not count:
        return None
    size = value.known_size
    if size is None:
        return None
    inside = (series >= 0) & (series < size)
    rows = value.buffer
    if not np.array_equal(series, np.arange(rows.shape[0])):
        rows = rows[np.clip(series, 0, size - 1)]
    return Read(node, rows, None if inside.all() else inside)


def _is_flow(t, values):
    """Whether `t` is the flow of an array rather than a number."""
    t = through_identities(t)
    if t in values:
        return isinstance(values[t], Structured)
    if t.op.opdef.hands_on:  # a loop gives a flow where it takes one
        return _is_flow(t.op.inputs[t.value_index], values)
    return t.op.opdef.outputs[-1].name in ("flow", "flow_out") and t.op.outputs[-1] is t


def _write(node, cond, body, values, fixed, users, turns, count, run):
    handle, index, flow = map(through_identities, (node.inputs[0], node.inputs[1], node.inputs[3]))
    width = len(body.outputs)
    if handle not in fixed or flow not in body.inputs[:width]:
        return None
    at = body.inputs.index(flow)
    out = node.outputs[0]
    if through_identities(body.outputs[at]) is not out:
        return None
    if sum(through_identities(t) is out for t in body.outputs) > 1 or any(
        through_identities(t) is flow for t in body.outputs
    ):
        return None
    if [u for u in users.get(flow, []) if not u.opdef.alias] != [node] or [
        u for u in users.get(out, []) if not u.opdef.alias
    ]:
        return None
    if any(cond.inputs[at] in map(through_identities, u.inputs) for u in run.body_ops(cond)):
        return None
    token, value = values[handle], values[flow]
    if not isinstance(token, ArrayHandle) or not isinstance(value, ArrayValue) or _is_flow(node.inputs[2], values):
        return None
    if value.facts.order or token.facts.order or value.facts.dtype == object or not count:
        return None
    if value.known_size is None:
        return None
    series = turns.series(index, count)
    if series is None or len(set(series.tolist())) < len(series) or (series < 0).any():
        return None
    if not value.facts.dynamic and turns.count is not None and (series >= value.known_size).any():
        return None  # the write that fails says so
    if value.items is not None and any(i < len(value.items) and value.items[i] is not None for i in series.tolist()):
        return None
    return Write(node, at, series, value)
