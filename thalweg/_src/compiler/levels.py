"""One graph at a time, rewritten without frames: the graph outside of them, a body, or a branch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg._src.compiler.frames import Conditions, Frames, Item, Loop, State, unsupported
from thalweg._src.core import dtypes
from thalweg._src.core.funcgraph import FuncGraph
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.opdef import OPS, OpDef

_SMALL = 1024  # constants with more elements are captured rather than copied
_new_ids = itertools.count(1 << 40)


class Rules(NamedTuple):
    """How loops, stacks, branches and the bodies of operations are rewritten."""

    loop: Callable[[Any, Any], None]
    push: Callable[[Any, Any], None]
    pop: Callable[[Any, Any], None]
    groups: Callable[[Any], dict[Any, Any]]
    attrs: Callable[[Operation, Callable[[Operation], Operation]], dict[str, Any]]


class Stack:
    """A stack while a graph is rewritten: the array of its elements, and how many there are."""

    def __init__(self, handle: Tensor, flow: Tensor, height: Tensor):
        self.handle, self.flow, self.height = handle, flow, height


class Level:
    """What is rewritten into one graph: the graph outside of frames (`graph` is None), a body, or a branch.

    `scope` are the operations that belong here; other tensors come from the `parent`. `state` are the conditions under which all
    of it runs.
    """

    def __init__(
        self,
        frames: Frames,
        path: tuple[str, ...],
        graph: FuncGraph | None,
        parent: Level | None,
        scope: Iterable[Operation],
        state: State = (),
        conditions: Conditions | None = None,
        items: list[Item] | None = None,
        rules: Rules | None = None,
    ):
        self.frames, self.path, self.graph, self.parent, self.state = frames, path, graph, parent, state
        self.scope = set(scope)
        self.items = frames.items(path, scope) if items is None else items
        self.conditions = Conditions(frames, path, self.items) if conditions is None else conditions
        self.env: dict[Tensor, Tensor] = {}
        self.made: dict[Item, Operation | None] = {}
        self.done: set[Item] = set()
        self.out: dict[Operation, None] = {}
        self.stacks: dict[Operation, Stack] = {}
        self.rules: Rules = rules if parent is None else parent.rules  # type: ignore[assignment]
        self.groups: dict[Item, Any] = self.rules.groups(self)

    # -- the walk

    def emit(self) -> None:
        """Rewrite every item."""
        for item in self.items:
            self.convert(item)

    def convert(self, item: Item) -> None:
        """Rewrite an item, and before it what it needs."""
        if item in self.done:
            return
        group = self.groups.get(item)
        if group is not None:
            group.convert(self)
            return
        self.done.add(item)
        if isinstance(item, Loop):
            self.rules.loop(self, item)
            return
        kind = item.opdef.frame
        if item in self.conditions.ways:
            self._choose(item)
        elif kind == "merge":
            self._merge(item)
        elif kind in ("switch", "close"):
            self.made[item] = None
        elif kind == "stack":
            stack = self.stack(item)
            self.env[item.outputs[0]], self.made[item] = stack.handle, stack.handle.op
        elif kind == "push":
            self.rules.push(self, item)
        elif kind == "pop":
            self.rules.pop(self, item)
        elif kind and kind != "trigger":
            raise unsupported([item], "an op of a frame outside of any")
        else:
            self.copy(item)

    def finish(self, ends: Iterable[Operation], results: list[Tensor]) -> None:
        """Let the results of a body wait for what its `ends` wait for."""
        waits = list(dict.fromkeys(w for op in ends for w in self.waits(op)))
        if waits and results:
            first = results[0]
            attrs = {"T": first.dtype.base_dtype}
            results[0] = self.node(
                OPS["Identity"], (first,), attrs, first.op.name + "/after", waits, [(first.dtype, first._dims)]
            ).outputs[0]

    def get(self, t: Tensor) -> Tensor:
        """The tensor that stands for `t` here."""
        found = self.env.get(t)
        if found is not None:
            return found
        if t in self.frames.feeds:
            return t if self.graph is None else self.capture(t)
        op = t.op
        if op.opdef.constant:
            return self.constant(op)
        if op not in self.scope:
            if self.parent is None:
                return t
            again = self.again(t)
            return self.capture(t) if again is None else again
        if op.opdef.frame == "switch" and op in self.conditions.state:
            return self.get(op._inputs[0])
        if op.opdef.frame == "enter" and len(self.frames.path[op]) == len(self.path):
            return self.get(op._inputs[0])  # the same in every turn
        item = self.frames.item(op, self.path)
        self.convert(item)
        if t not in self.env:
            raise unsupported([op], "a value that is used where it is not there")
        return self.env[t]

    def again(self, t: Tensor) -> Tensor | None:
        """What is `repeatable` of another part of the same branch is computed again here."""
        op = t.op
        item = self.frames.item(op, self.path)
        state = self.conditions.state.get(item, ()) if item is op else ()
        if not repeatable(t) or not self.state or state[: len(self.state)] != self.state:
            return None
        self.copy(op, controls=False)
        return self.env[t]

    def capture(self, t: Tensor) -> Tensor:
        """`t` of the level around, as an argument of this graph."""
        assert self.parent is not None
        assert self.graph is not None
        return self.captured(self.parent.get(t), t)

    def captured(self, outer: Tensor, t: Tensor | None = None) -> Tensor:
        assert self.graph is not None
        found = self.graph.captures.get(outer)
        if found is None:
            found = self.graph.captures[outer] = self.argument(outer.dtype, outer._dims, outer.op.name)
        if t is not None:
            self.env[t] = found
        return found

    def constant(self, op: Operation) -> Tensor:
        t = op.outputs[0]
        if self.graph is None:
            self.out.setdefault(op, None)
            return t
        if op._attrs["value"].size > _SMALL:
            return self.capture(t)
        new = self.node(op.opdef, (), op._attrs, op.name, [], [(t.dtype, t._dims)], op)
        self.env[t] = new.outputs[0]
        return new.outputs[0]

    def copy(self, op: Operation, controls: bool = True) -> None:
        """`op` with the inputs and bodies that it has here; itself where those are the same."""
        inputs = tuple([self.get(t) for t in op._inputs])
        waits = self.waits(op) if controls else []
        attrs = self.rules.attrs(op, self._stands_for) if op.opdef.graph_attrs else op._attrs
        if self.graph is None and inputs == op._inputs and waits == op._control_inputs and attrs is op._attrs:
            new = op
            self.out.setdefault(op, None)
        else:
            new = self.node(op.opdef, inputs, attrs, op.name, waits, [(t.dtype, t._dims) for t in op.outputs], op)
        self.made[op] = new
        self.done.add(op)
        self.env.update(zip(op.outputs, new.outputs, strict=True))

    def _stands_for(self, op: Operation) -> Operation:
        """What was made of `op`, which this graph may have."""
        if op not in self.scope or self.frames.item(op, self.path) is not op:
            return op
        self.convert(op)
        return self.made.get(op) or op

    def waits(self, op: Operation) -> list[Operation]:
        """The control inputs of `op`, as far as they are in this graph."""
        out: dict[Operation, None] = {}
        for c in self.frames.controls(op):
            if c not in self.scope or c.opdef.constant:
                continue
            item = self.frames.item(c, self.path)
            if item is None or item not in self.conditions.state:
                continue
            self.convert(item)
            made = self.made.get(item if isinstance(item, Loop) else c)
            if made is not None:
                out[made] = None
        return list(out)

    # -- nodes

    def node(
        self,
        opdef: OpDef,
        inputs: Sequence[Tensor],
        attrs: dict[str, Any],
        name: str,
        controls: list[Operation],
        outputs: Sequence[tuple[Any, Any]],
        like: Operation | None = None,
    ) -> Operation:
        """A new operation; it is in this level's graph, but the graph that is rewritten does not know it."""
        first = next(iter(self.frames.position))
        graph: Graph = self.graph if self.graph is not None else first.graph
        op = new_operation(graph, opdef, inputs, attrs, name, controls, outputs, first if like is None else like)
        if self.graph is not None:
            self.graph._ops.append(op)
        self.out[op] = None
        return op

    def argument(self, dtype: Any, dims: Any, name: str) -> Tensor:
        return self.node(OPS["_Arg"], (), {"T": dtype.base_dtype, "index": 0}, name, [], [(dtype, dims)]).outputs[0]

    def number(self, value: int, name: str) -> Tensor:
        array = np.int32(value).reshape(())
        attrs = {"value": np.asarray(array), "dtype": dtypes.int32}
        return self.node(OPS["Const"], (), attrs, name, [], [(dtypes.int32, ())]).outputs[0]

    def plus(self, t: Tensor, n: int, name: str) -> Tensor:
        attrs = {"T": dtypes.int32}
        return self.node(
            OPS["AddV2"], (t, self.number(n, name + "/step")), attrs, name, [], [(dtypes.int32, ())]
        ).outputs[0]

    # -- stacks

    def stack(self, root: Operation) -> Stack:
        """The stack that `root` made, as it is here and now."""
        found = self.stacks.get(root)
        if found is not None:
            return found
        if self.parent is not None and root not in self.scope:
            outer = self.parent.stack(root)
            found = Stack(*[self.captured(t) for t in (outer.handle, outer.flow, outer.height)])
        else:
            attrs = {
                "dtype": root._attrs["elem_type"],
                "element_shape": None,
                "dynamic_size": True,
                "clear_after_read": False,
                "identical_element_shapes": False,
                "tensor_array_name": root.name,
            }
            made = self.node(
                OPS["TensorArrayV3"],
                (self.number(0, root.name + "/size"),),
                attrs,
                root.name,
                [],
                [(dtypes.resource, ()), (dtypes.float32, ())],
            )
            found = Stack(made.outputs[0], made.outputs[1], self.number(0, root.name + "/height"))
        self.stacks[root] = found
        return found

    def _choose(self, op: Operation) -> None:
        """A Merge of several conditions of which one holds: the input of the first that does."""
        ways = self.conditions.ways[op]
        value, index = self.get(op._inputs[-1]), self.number(len(ways) - 1, op.name + "/index")
        for i in range(len(ways) - 2, -1, -1):
            holds, here = self.get(ways[i][0]), self.get(op._inputs[i])
            for name, then, other in (("", here, value), ("/index", self.number(i, op.name + "/index"), index)):
                dims = then._dims if then._dims == other._dims else None
                attrs = {"T": then.dtype.base_dtype}
                new = self.node(OPS["_Either"], (holds, then, other), attrs, op.name + name, [], [(then.dtype, dims)])
                if name:
                    index = new.outputs[0]
                else:
                    value = new.outputs[0]
        self.env[op.outputs[0]], self.env[op.outputs[1]] = value, index
        self.made[op] = value.op

    def _merge(self, op: Operation) -> None:
        """A Merge that no condition has: it has one input."""
        if len(op._inputs) != 1:
            raise unsupported([op], "a Merge without a condition")
        self.env[op.outputs[0]] = self.get(op._inputs[0])
        self.env[op.outputs[1]] = self.number(0, op.name + "/index")
        self.made[op] = self.env[op.outputs[0]].op


def repeatable(t: Tensor) -> bool:
    """Whether `t` is a shape or the like, which parts of a branch compute again rather than hand over, so that it stays known."""
    if t.dtype.is_floating or t.dtype.is_complex or t.dtype.base_dtype._name == "resource" or t.dtype._ref:
        return False
    o = t.op.opdef
    return not (o.frame or o.effect is not None or not o.foldable or o.source or o.stateful)


def same_captures(graphs: list[FuncGraph]) -> list[Tensor]:
    """Give all `graphs` the same captures in the same order; returns what they capture."""
    union: dict[Tensor, None] = {}
    for g in graphs:
        union.update(dict.fromkeys(g.captures))
    for g in graphs:
        for t in union:
            if t not in g.captures:
                attrs = {"T": t.dtype.base_dtype, "index": 0}
                g.captures[t] = new_operation(
                    g, OPS["_Arg"], (), attrs, t.op.name, [], [(t.dtype, t._dims)], t.op
                ).outputs[0]
        g.captures = {t: g.captures[t] for t in union}
    return list(union)


def new_operation(
    graph: Graph,
    opdef: OpDef,
    inputs: Sequence[Tensor],
    attrs: dict[str, Any],
    name: str,
    controls: list[Operation],
    outputs: Sequence[tuple[Any, Any]],
    like: Operation,
) -> Operation:
    """An operation that `graph` does not know: nothing else than what is rewritten sees it."""
    op = Operation.__new__(Operation)
    op.graph, op.opdef, op._attrs, op._name, op._inputs = graph, opdef, attrs, name, tuple(inputs)
    op._control_inputs, op._stack, op._device = list(controls), like._stack, like._device
    op._id = like._id if like.opdef is opdef and not opdef.constant else next(_new_ids)
    op.outputs = []
    for i, (dtype, dims) in enumerate(outputs):
        t = Tensor.__new__(Tensor)
        t.op, t.value_index, t.dtype, t._dims, t._consumers = op, i, dtype, dims, []
        op.outputs.append(t)
    return op
