"""Branches of a graph with Switch and Merge, as If.

The operations under one condition fall into groups. Each becomes an If. A gradient stands under the same condition as what it
differentiates, but behind it, so it is a group of its own; what it takes from inside of the earlier branch is an output of that one.
"""

from __future__ import annotations

from typing import Any

from thalweg._src.compiler.frames import Item, Literal, Loop, State, root_of
from thalweg._src.compiler.levels import Level, Stack, repeatable, same_captures
from thalweg._src.core import dtypes
from thalweg._src.core.funcgraph import FuncGraph
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.opdef import OPS


def groups_of(level: Level) -> dict[Item, Group]:
    """The groups of a level, by their items and by the Merges that they lead to."""
    literal = {i: found for i in level.items if (found := _next(level, level.conditions.state[i])) is not None}
    depth, reach = _depths(level, literal)
    groups: dict[Item, Group] = {}

    def join(a: Item, b: Item, p: Tensor) -> None:
        x, y = groups.get(a) or Group(p), groups.get(b) or Group(p)
        if x is y:
            return
        for item in y.members:
            groups[item] = x
        x.members.update(y.members)

    for item in level.items:
        if item in literal:
            groups.setdefault(item, Group(literal[item][0])).members[item] = None
            for b in level.frames.before(item, level.path):
                if b in literal and literal[b][0] is literal[item][0] and depth[b] == depth[item]:
                    join(b, item, literal[item][0])
        elif _joins(level, item):
            p = _next(level, level.conditions.side(item._inputs[0]))
            if p is None:
                continue
            groups.setdefault(item, Group(p[0])).members[item] = None
            for t in item._inputs:
                source = level.frames.item(t.op, level.path)
                if source in literal and literal[source][0] is p[0] and depth[source] == reach[item].get(p[0]):
                    join(source, item, p[0])
    return groups


def _joins(level: Level, item: Item) -> bool:
    """Whether an item is the Merge of the two sides of a condition."""
    merges = isinstance(item, Operation) and item.opdef.frame == "merge"
    return merges and len(item._inputs) > 1 and item not in level.conditions.ways  # type: ignore[union-attr]


def _next(level: Level, state: State) -> Literal | None:
    return next((x for x in state if x not in level.state), None)


def _depths(level: Level, literal: dict[Item, Literal]) -> tuple[dict[Item, int], dict[Item, dict[Tensor, int]]]:
    """How many branches under its own condition lie before each item; and, for each, the deepest that it waits for, by condition."""
    depth: dict[Item, int] = {}
    reach: dict[Item, dict[Tensor, int]] = {}
    for item in level.items:
        before = [b for b in level.frames.before(item, level.path) if b in reach]
        found: dict[Tensor, int] = {}
        for b in before:
            for p, n in reach[b].items():
                found[p] = max(found.get(p, -1), n)
        if item in literal:
            p = literal[item][0]
            own = 0
            for b in before:
                same = b in literal and literal[b][0] is p
                own = max(own, depth[b] if same else reach[b].get(p, -1) + 1)
            depth[item] = found[p] = own
        elif _joins(level, item):
            state = _next(level, level.conditions.side(item._inputs[0]))
            if state is not None:
                p, own = state[0], 0
                for t in item._inputs:
                    b = level.frames.item(t.op, level.path)
                    same = b in literal and literal[b][0] is p
                    own = max(own, depth[b] if same else reach.get(b, {}).get(p, -1) + 1)
                found[p] = own
        reach[item] = found
    return depth, reach


class Group:
    """What becomes one If: items on both sides of the condition `pred`, and the Merges at its end."""

    def __init__(self, pred: Tensor):
        self.pred = pred
        self.members: dict[Item, None] = {}

    def convert(self, level: Level) -> None:
        """Make the If, in the graph of `level`."""
        merges = [m for m in self.members if isinstance(m, Operation) and self._side(level, m) is None]
        sides = {b: [i for i in level.items if i in self.members and self._side(level, i) is b] for b in (True, False)}
        for item in self.members:
            level.done.add(item)
        pred = level.get(self.pred)
        crossing = self._crossing(level, merges)
        roots = _stacks(sides)
        held = [level.stack(r) for r in roots]
        graphs, outputs = [], []
        for side in (True, False):
            graph, results = self._branch(level, side, sides[side], merges, crossing, roots)
            graphs.append(graph)
            outputs.append(results)
        self._effects(graphs, outputs)
        for graph, results in zip(graphs, outputs, strict=True):
            graph.outputs = results
        captured = same_captures(graphs)
        kinds = [_common(a, b) for a, b in zip(*outputs, strict=True)]
        attrs = {
            "Tcond": dtypes.bool,
            "Tin": [t.dtype.base_dtype for t in captured],
            "Tout": [d.base_dtype for d, _ in kinds],
            "then_branch": graphs[0],
            "else_branch": graphs[1],
            "output_shapes": [],
        }
        first = next(iter(merges), None) or _first(self.members)
        new = level.node(OPS["If"], [pred, *captured], attrs, first.name + "/If", [], kinds)
        found = iter(new.outputs)
        for m in merges:
            level.env[m.outputs[0]] = next(found)
            level.env[m.outputs[1]] = next(found)
        for t, _ in crossing:
            level.env[t] = next(found)
        for root, stack in zip(roots, held, strict=True):
            level.stacks[root] = Stack(stack.handle, next(found), next(found))
        for item in self.members:
            level.made[item] = new

    def _side(self, level: Level, item: Item) -> bool | None:
        return next((b for p, b in level.conditions.state[item] if p is self.pred and (p, b) not in level.state), None)

    def _crossing(self, level: Level, merges: list[Operation]) -> list[tuple[Tensor, bool]]:
        """Values from inside of a branch that are used outside of it, and the side that they are on."""
        own: set[Operation] = set()
        for item in self.members:
            own.update([item] if isinstance(item, Operation) else item.all)
        found: dict[Tensor, bool] = {}

        def hand_over(t: Tensor, side: bool, repeated: bool) -> None:
            value = _sent(t, own)
            if value.op not in own or value in found:
                return
            found[value] = side
            for needed in value.op._inputs if repeated and repeatable(value) else ():
                hand_over(needed, side, True)

        def repeats(user: Operation, side: bool) -> bool:  # whether it is another part of the same branch
            item = level.frames.item(user, level.path)
            inside = item in level.conditions.state and self._side(level, item) is side
            return inside or user.opdef.frame == "merge"

        for item in self.members:
            side = self._side(level, item)
            if side is None:
                continue
            for op in [item] if isinstance(item, Operation) else item.exits:
                for t in op.outputs:
                    users = [c for c in t._consumers if c in level.frames.inside and c not in own]
                    if users or t in level.frames.fetches:
                        hand_over(t, side, any(repeats(c, side) for c in users))
        return list(found.items())

    def _branch(
        self,
        level: Level,
        side: bool,
        items: list[Item],
        merges: list[Operation],
        crossing: list[tuple[Tensor, bool]],
        roots: list[Operation],
    ) -> tuple[FuncGraph, list[Tensor]]:
        scope = [op for i in items for op in ([i] if isinstance(i, Operation) else i.all)]
        name = f"{_first(self.members).name}_{'true' if side else 'false'}"
        graph = FuncGraph(name, level.graph or _first(self.members).graph, exact=True)
        inner = Level(
            level.frames, level.path, graph, level, scope, (*level.state, (self.pred, side)), level.conditions, items
        )
        for root in roots:
            stack = level.stack(root)
            inner.stacks[root] = Stack(*[inner.captured(t) for t in (stack.handle, stack.flow, stack.height)])
        inner.emit()
        results: list[Tensor] = []
        for m in merges:
            place = next(i for i, t in enumerate(m._inputs) if (self.pred, side) in level.conditions.side(t))
            results += [inner.get(m._inputs[place]), inner.number(place, m.name + "/index")]
        for t, where in crossing:
            results.append(inner.get(t) if where is side else _nothing(inner, t))
        for root in roots:
            stack = inner.stack(root)
            results += [stack.flow, stack.height]
        self.inner = inner
        graph.effects = [  # type: ignore[attr-defined]
            op for op in inner.out if op.opdef.effect not in (None, "read") or op.opdef.stateful
        ]
        return graph, results

    def _effects(self, graphs: list[Any], outputs: list[list[Tensor]]) -> None:
        """What a branch does besides its values must happen: one more output waits for it."""
        from thalweg._src.compiler.levels import new_operation

        if not any(g.effects for g in graphs):
            return
        import numpy as np

        for graph, results in zip(graphs, outputs, strict=True):
            like = _first(self.members)
            attrs = {"value": np.asarray(True), "dtype": dtypes.bool}
            const = new_operation(graph, OPS["Const"], (), attrs, like.name + "/done", [], [(dtypes.bool, ())], like)
            done = new_operation(
                graph,
                OPS["Identity"],
                (const.outputs[0],),
                {"T": dtypes.bool},
                like.name + "/done_after",
                graph.effects,
                [(dtypes.bool, ())],
                like,
            )
            graph._ops += [const, done]
            results.append(done.outputs[0])


def _sent(t: Tensor, own: set[Operation]) -> Tensor:
    """The value that Switches among `own` send on as `t`."""
    while t.op.opdef.frame == "switch" and t.op in own:
        t = t.op._inputs[0]
    return t


def _stacks(sides: dict[bool, list[Item]]) -> list[Operation]:
    ops = [op for items in sides.values() for i in items for op in ([i] if isinstance(i, Operation) else i.all)]
    return list(dict.fromkeys(root_of(op._inputs[0]) for op in ops if op.opdef.frame in ("push", "pop")))


def _nothing(level: Level, t: Tensor) -> Tensor:
    """What stands in the place of a value on the side where it is not computed."""
    attrs = {"T": t.dtype.base_dtype}
    return level.node(OPS["_Nothing"], (), attrs, t.op.name + "/nothing", [], [(t.dtype.base_dtype, None)]).outputs[0]


def _common(a: Tensor, b: Tensor) -> tuple[Any, Any]:
    """The type and shape of an output of which the branches give `a` and `b`."""
    if a.op.type == "_Nothing" or b.op.type == "_Nothing":
        return a.dtype.base_dtype, None
    x, y = a._dims, b._dims
    if x is None or y is None or len(x) != len(y):
        return a.dtype.base_dtype, None
    return a.dtype.base_dtype, tuple(m if m == n else None for m, n in zip(x, y, strict=True))


def _first(members: dict[Item, None]) -> Operation:
    item = next(iter(members))
    return item.all[0] if isinstance(item, Loop) else item
