"""The control-flow frames of a graph: in which loop each operation stands, and under which conditions.

TensorFlow's graphs say this only by their edges. Enter begins the frame of a loop, Exit leads out of it. Switch sends a value to
one of its outputs; what hangs on the other one does not run, up to a Merge.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.graph import Operation, Tensor

Path = tuple[str, ...]
Literal = tuple[Tensor, bool]  # a predicate, and what it must be
State = tuple[Literal, ...]  # outermost condition first
Item = Any  # an operation, or a Loop as a whole


class Loop:
    """One frame: its operations with those of the frames inside it, its loop variables and its condition."""

    def __init__(self, path: Path):
        self.path = path
        self.ops: list[Operation] = []  # of this frame alone
        self.all: list[Operation] = []
        self.merges: list[Operation] = []  # one for each loop variable
        self.switches: dict[Operation, Operation] = {}  # by the merge whose value they send on
        self.exits: list[Operation] = []
        self.cond: Any = None

    @property
    def name(self) -> str:
        return self.path[-1]

    def is_skeleton(self, op: Operation) -> bool:
        """Whether `op` makes up the loop itself rather than what happens in it."""
        kind = op.opdef.frame
        return kind in ("enter", "exit", "next", "cond") or op in self.merges or op in self.switches.values()


class Frames:
    """The loops among `ops`, which are sorted along their edges. Raises UnimplementedError for frames that are no loops."""

    def __init__(self, ops: Sequence[Operation], feeds: frozenset[Tensor], fetches: frozenset[Tensor]):
        self.feeds, self.fetches = feeds, fetches
        self.inside = set(ops)
        self.position = {op: i for i, op in enumerate(ops)}
        self.path: dict[Operation, Path] = {}
        for op in ops:
            self.path[op] = self._path_of(op)
        self.loops: dict[Path, Loop] = {}
        for op in ops:
            self._sort_in(op)
        pushes = [op for op in ops if op.opdef.frame == "push"]
        values = {root_of(op._inputs[0]) for op in pushes if not self._follows_from_shapes(op._inputs[1], {})}
        self.noted = {
            root_of(op._inputs[0]) for op in pushes
        } - values  # stacks of shapes, which are known while tracing
        for loop in self.loops.values():
            if loop.cond is None:
                raise unsupported(loop.ops, f"the frame {loop.name!r} has no LoopCond")
            for op in loop.ops:
                if op.opdef.frame == "switch" and plain(op._inputs[1]) is loop.cond.outputs[0]:
                    loop.switches[plain(op._inputs[0]).op] = op

    def _follows_from_shapes(self, t: Tensor, known: dict[Tensor, bool]) -> bool:
        """Whether the value of `t` is known as soon as all shapes are."""
        if t in known:
            return known[t]
        known[t] = False
        op, opdef = t.op, t.op.opdef
        if t in self.feeds or t.dtype.is_floating or t.dtype.is_complex or t.dtype.is_on_host or op not in self.inside:
            return False
        if opdef.constant or opdef.needs_only_shapes(op):
            known[t] = True
        elif opdef.frame in ("enter", "switch"):
            known[t] = self._follows_from_shapes(op._inputs[0], known)
        elif not opdef.frame and (opdef.foldable or opdef.alias) and opdef.effect is None and op._inputs:
            known[t] = not opdef.runs_on_host(op) and all(self._follows_from_shapes(s, known) for s in op._inputs)
        return known[t]

    def _path_of(self, op: Operation) -> Path:
        before = [t.op for t in op._inputs if t not in self.feeds] + list(op._control_inputs)
        own: Path = ()
        for b in before:
            if b in self.inside and not b.opdef.back_edge:
                behind = self.path.get(b, ())
                behind = behind[:-1] if b.opdef.frame == "exit" else behind
                own = max(own, behind, key=len)
        return (*own, op._attrs["frame_name"]) if op.opdef.frame == "enter" else own

    def _sort_in(self, op: Operation) -> None:
        path = self.path[op]
        for depth in range(1, len(path) + 1):
            self.loops.setdefault(path[:depth], Loop(path[:depth])).all.append(op)
        if not path:
            return
        loop = self.loops[path]
        loop.ops.append(op)
        kind = op.opdef.frame
        if kind == "exit":
            loop.exits.append(op)
        elif kind == "merge" and any(t.op.opdef.back_edge for t in op._inputs):
            loop.merges.append(op)
        elif kind == "cond":
            if loop.cond is not None:
                raise unsupported([loop.cond, op], "one frame with two conditions")
            loop.cond = op

    # -- the items of one level: operations of one frame, the loops right inside it as wholes

    def item(self, op: Operation, path: Path) -> Item:
        """The item of the level `path` to which `op` belongs; None where it is further out."""
        own = self.path.get(op)
        if own is None or own[: len(path)] != path:
            return None
        return op if len(own) == len(path) else self.loops[own[: len(path) + 1]]

    def items(self, path: Path, ops: Iterable[Operation]) -> list[Item]:
        """The items of a level, sorted along their edges; constants and what makes up the level's own loop left out."""
        loop = self.loops.get(path)
        found: dict[Item, None] = {}
        for op in ops:
            item = self.item(op, path)
            if item is None or op.opdef.constant or (loop is not None and item is op and loop.is_skeleton(op)):
                continue
            found[item] = None
        return _sorted(list(found), lambda i: self.before(i, path), lambda i: self._place(i))

    def _place(self, item: Item) -> int:
        return self.position[item if isinstance(item, Operation) else item.all[0]]

    def needs(self, item: Item) -> tuple[list[Tensor], list[Operation]]:
        """The tensors and operations outside of `item` that it waits for."""
        if isinstance(item, Operation):
            return list(item._inputs), self.controls(item)
        own = set(item.all)
        tensors = [t for op in item.all for t in op._inputs if t in self.feeds or t.op not in own]
        return tensors, [c for op in item.all for c in self.controls(op) if c not in own]

    def controls(self, op: Operation) -> list[Operation]:
        """The operations that `op` waits for without a value; if it has an effect, also through constants, which are no items."""
        if op.opdef.effect is None:
            return list(op._control_inputs)
        constants = [t.op for t in op._inputs if t.op.opdef.constant and t not in self.feeds]
        constants += [c for c in op._control_inputs if c.opdef.constant]
        return list(dict.fromkeys([*op._control_inputs, *(c for k in constants for c in k._control_inputs)]))

    def before(self, item: Item, path: Path) -> list[Item]:
        """The items of the level for which `item` waits."""
        tensors, controls = self.needs(item)
        ops = [t.op for t in tensors if t not in self.feeds] + controls
        out = [self.item(op, path) for op in ops if op in self.inside and not op.opdef.constant]
        return [i for i in dict.fromkeys(out) if i is not None and i is not item]


def _sorted(items: list[Item], before: Callable[[Item], list[Item]], place: Callable[[Item], int]) -> list[Item]:
    known = set(items)
    waits: dict[Item, int] = {}
    followers: dict[Item, list[Item]] = {i: [] for i in items}
    for i in items:
        own = [b for b in before(i) if b in known and not _is_back(b)]
        waits[i] = len(own)
        for b in own:
            followers[b].append(i)
    ready = [(place(i), n, i) for n, i in enumerate(items) if not waits[i]]
    heapq.heapify(ready)
    out = []
    n = len(items)
    while ready:
        _, _, item = heapq.heappop(ready)
        out.append(item)
        for f in followers[item]:
            waits[f] -= 1
            if not waits[f]:
                n += 1
                heapq.heappush(ready, (place(f), n, f))
    if len(out) < len(items):
        left = [i if isinstance(i, Operation) else i.all[0] for i in items if waits[i]]
        raise unsupported(left, "operations that wait for each other")
    return out


def _is_back(item: Item) -> bool:
    return isinstance(item, Operation) and item.opdef.back_edge


def plain(t: Tensor) -> Tensor:
    """The tensor that `t` is another name for."""
    while t.op.opdef.alias and t.op._inputs:
        t = t.op._inputs[0]
    return t


def root_of(t: Tensor) -> Operation:
    """What made the stack behind a handle."""
    while t.op.opdef.alias or t.op.opdef.frame in ("enter", "switch", "exit"):
        t = t.op._inputs[0]
    return t.op


def unsupported(ops: Iterable[Operation], why: str) -> errors.UnimplementedError:
    """The error for control flow that can't be made functional."""
    found = list(ops)
    names = ", ".join(f"{op.name} ({op.type})" for op in found[:5])
    return errors.UnimplementedError(None, found[0], f"This control flow can't be run: {why}: {names}.")


# -- conditions


class Conditions:
    """Under which conditions the items of one level run; `items` are sorted along their edges."""

    def __init__(self, frames: Frames, path: Path, items: Iterable[Item]):
        self.frames, self.path = frames, path
        self.state: dict[Item, State] = {}
        # Of Merges of several conditions, one of which holds: that of each input.
        self.ways: dict[Operation, list[Literal]] = {}
        for item in items:
            self.state[item] = self._state_of(item)

    def of(self, t: Tensor) -> State:
        """The conditions of a tensor."""
        if t in self.frames.feeds:
            return ()
        op = t.op
        item = self.frames.item(op, self.path)
        own = self.state.get(item, ())
        if op.opdef.frame == "switch" and item is op and op in self.state:
            literal = (plain(op._inputs[1]), t.value_index == 1)
            return own if literal in own else (*own, literal)
        return own

    def _state_of(self, item: Item) -> State:
        if isinstance(item, Operation) and item.opdef.frame == "merge":
            return self._behind_merge(item)
        if isinstance(item, Operation) and item.opdef.frame == "trigger":
            return ()  # it runs when all that it waits for has run, or was found not to
        tensors, controls = self.frames.needs(item)
        found = [self.of(t) for t in tensors]
        found += [self.state.get(self.frames.item(c, self.path), ()) for c in controls]
        state: State = ()
        for other in found:
            state = self._union(item, state, other)
        return state

    def side(self, t: Tensor) -> State:
        """The conditions of an input of a Merge: a constant, which is no item, has those of what it waits for."""
        constant = t not in self.frames.feeds and t.op.opdef.constant
        return self._state_of(t.op) if constant else self.of(t)

    def _behind_merge(self, op: Operation) -> State:
        if len(op._inputs) == 1:
            return self.side(op._inputs[0])
        if len(op._inputs) == 2:
            a, b = self.side(op._inputs[0]), self.side(op._inputs[1])
            differ = [x for x in a if (x[0], not x[1]) in b]
            if len(differ) == 1 and {x for x in a if x is not differ[0]} == {
                x for x in b if x != (differ[0][0], not differ[0][1])
            }:
                return tuple(x for x in a if x is not differ[0])
        found = [self.side(t) for t in op._inputs]
        common = tuple(x for x in found[0] if all(x in other for other in found))
        own = [[x for x in state if x not in common] for state in found]
        if all(len(x) == 1 and x[0][1] for x in own) and len({x[0][0] for x in own}) == len(own):
            self.ways[op] = [x[0] for x in own]
            return common
        raise unsupported(
            [op, *(t.op for t in op._inputs)], "a Merge whose inputs are not the two sides of one condition"
        )

    def _union(self, item: Item, a: State, b: State) -> State:
        long, short = (a, b) if len(a) >= len(b) else (b, a)
        out = long
        for literal in short:
            if (literal[0], not literal[1]) in out:
                raise unsupported(
                    [item if isinstance(item, Operation) else item.all[0]],
                    "an operation that waits for both sides of a condition",
                )
            out = out if literal in out else (*out, literal)
        return out
