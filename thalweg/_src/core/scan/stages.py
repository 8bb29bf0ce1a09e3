"""Which parts of a scan's body run when: before it, in which of several loops one after the other, or after all turns.

A *product* is a matrix product with a fixed operand (a weight). What it makes of rows that are known before the loop can be made for
all turns at once, so products are what the cuts are made at:

- a product of rows leaves the loop; a product of joined values, [x, h] W, is x Wx + h Wh, of which x Wx leaves;
- what is carried falls into parts that do not depend on each other in a circle. A part that takes another one's values through a
  product runs in a later loop (the upper layers of a network over time), for which the values of the first are rows;
- outputs that come from what is carried through a product are made after the loop.
"""

from __future__ import annotations

from typing import Any

from thalweg._src.core.lazy import lax
from thalweg._src.core.scan.body import Body, Known, Node, Value, sort
from thalweg._src.core.scan.sums import Sum

FIXED, ROW = -2, -1  # levels of what is the same in every turn, and of what needs nothing carried; others are stages


class Staged:
    """A body with `level[value]`: the stage whose loop has it, `FIXED` or `ROW`; `stage[i]` is that of the carried slot i."""

    def __init__(self, body: Body, sums: list[Sum]):
        self.body, self.sums = body, sums
        summed = {s.at for s in sums}
        self.slots = [i for i in range(len(body.carry)) if i not in summed]
        nodes = self._nodes()
        self._through = _dependence(body, nodes)
        self.stage = self._stages()
        self.level: dict[Any, int] = {}
        self._find_levels(nodes)
        self._split_products()

    def _nodes(self) -> list[Node]:
        targets = [*(self.body.new[i] for i in self.slots), *self.body.out, *(v for s in self.sums for v in s.operands)]
        return sort(targets, lambda v: False)

    def level_of(self, v: Any) -> int:
        if isinstance(v, Known):
            return FIXED
        found = self.level.get(v)
        if found is None:  # made after the levels were found
            found = self.level[v] = max((self.level_of(s) for s in v.node.inputs), default=FIXED)
        return found

    def is_fixed(self, v: Any) -> bool:
        return self.level_of(v) == FIXED

    def is_row(self, v: Any) -> bool:
        """Whether `v` is a row that is given, or follows from such rows."""
        return self.level_of(v) == ROW

    def is_product(self, node: Node) -> bool:
        """Whether `node` is a matrix product of something that changes with a weight."""
        return node.name == "dot_general" and self.is_fixed(node.inputs[0]) != self.is_fixed(node.inputs[1])

    def _stages(self) -> dict[int, int]:
        """The stage of each slot: that of what it depends on, or the next one where that comes through a product."""
        needs = {i: self._through.get(self.body.new[i], {}) for i in self.slots}
        stage: dict[int, int] = {}
        for part in _parts(needs):
            before = [(j, p) for i in part for j, p in needs[i].items() if j not in part]
            at = max((stage[j] + p for j, p in before), default=0)
            stage.update(dict.fromkeys(part, at))
        return stage

    def _find_levels(self, nodes: list[Node]) -> None:
        body = self.body
        self.level.update(dict.fromkeys(body.fixed, FIXED))
        self.level.update(dict.fromkeys(body.rows, ROW))
        self.level.update({v: self.stage.get(i, ROW) for i, v in enumerate(body.carry)})
        for node in nodes:
            at = max((self.level_of(v) for v in node.inputs), default=FIXED)
            self.level.update(dict.fromkeys(node.outputs, at))

    def _split_products(self) -> None:
        """[x, h] W becomes x Wx + h Wh wherever x is there before h is."""
        old: dict[Any, Value] = {}
        for node in self._nodes():
            node.inputs = [old.get(v, v) for v in node.inputs]
            if self.is_product(node) and (new := self._split(node)) is not None:
                old[node.outputs[0]] = new
        if old:
            self.body.new = [old.get(v, v) for v in self.body.new]
            self.body.out = [old.get(v, v) for v in self.body.out]
            for s in self.sums:
                s.operands = [old.get(v, v) for v in s.operands]

    def _split(self, node: Node) -> Value | None:
        side = 1 if self.is_fixed(node.inputs[0]) else 0
        joined, weight = node.inputs[side], node.inputs[1 - side]
        contracted, batched = node.params["dimension_numbers"]
        if joined.node is None or joined.node.name != "concatenate" or batched[0] or len(contracted[0]) != 1:
            return None
        axis = joined.node.params["dimension"]
        if contracted[side][0] != axis:
            return None
        levels = [self.level_of(v) for v in joined.node.inputs]
        here = max(levels)
        if min(levels) == here or min(levels) == FIXED:
            return None
        total, start, late, late_weights = None, 0, [], []
        for part, level in zip(joined.node.inputs, levels, strict=True):
            size = part.aval.shape[axis]
            own = _slice(weight, contracted[1 - side][0], start, start + size)
            start += size
            if level == here:
                late.append(part)
                late_weights.append(own)
            else:
                total = self._sum(total, _product(node, side, part, own))
        rest = late[0] if len(late) == 1 else _join(late, axis)
        weights = late_weights[0] if len(late) == 1 else _join(late_weights, contracted[1 - side][0])
        return self._sum(total, _product(node, side, rest, weights))

    def _sum(self, a: Value | None, b: Value) -> Value:
        if a is None:
            return b
        return Node("add", {}, [a, b], [b.aval], lambda x, y: [lax.add(x, y)]).outputs[0]


def _dependence(body: Body, nodes: list[Node]) -> dict[Any, dict[int, bool]]:
    """For each value the slots of the carry that it depends on, within one turn, and whether through a product."""
    changing = {*body.carry, *body.rows}
    through: dict[Any, dict[int, bool]] = {v: {i: False} for i, v in enumerate(body.carry)}
    for node in nodes:
        if any(v in changing for v in node.inputs):
            changing.update(node.outputs)
        product = node.name == "dot_general" and sum(v in changing for v in node.inputs) == 1
        own: dict[int, bool] = {}
        for v in node.inputs:
            for i, p in through.get(v, {}).items():
                own[i] = own.get(i, False) or p or product
        if own:
            through.update(dict.fromkeys(node.outputs, own))
    return through


def _parts(needs: dict[int, dict[int, bool]]) -> list[set[int]]:
    """The strongly connected components of a graph, each after those that it needs."""
    reach = {i: set(n) for i, n in needs.items()}
    changed = True
    while changed:
        changed = False
        for own in reach.values():
            more = set().union(*(reach[j] for j in own)) - own
            if more:
                own |= more
                changed = True
    parts: list[set[int]] = []
    for i in needs:
        if not any(i in p for p in parts):
            parts.append({i} | {j for j in reach[i] if i in reach[j]})
    return sorted(parts, key=lambda p: len(set().union(*(reach[i] for i in p)) | p))


def _product(node: Node, side: int, operand: Value, weight: Value) -> Value:
    pair = [operand, weight] if side == 0 else [weight, operand]
    return Node("dot_general", node.params, pair, [node.outputs[0].aval], node.run).outputs[0]


def _slice(v: Any, axis: int, start: int, stop: int) -> Value:
    aval = v.aval.update(shape=tuple(stop - start if k == axis else n for k, n in enumerate(v.aval.shape)))
    return Node("slice", {}, [v], [aval], lambda x: [lax.slice_in_dim(x, start, stop, axis=axis)]).outputs[0]


def _join(values: list[Value], axis: int) -> Value:
    shape = list(values[0].aval.shape)
    shape[axis] = sum(v.aval.shape[axis] for v in values)
    aval = values[0].aval.update(shape=tuple(shape))
    params = {"dimension": axis}
    return Node("concatenate", params, values, [aval], lambda *xs: [lax.concatenate(xs, axis)]).outputs[0]
