"""The control-flow frames of imported graphs (Enter, Switch, Merge, NextIteration, Exit, LoopCond) as While and If.

A loop becomes a While: its Merges are the loop variables, what LoopCond reads is the condition, what comes back by NextIteration
the body. What hangs on Switches up to their Merges becomes an If. What belongs to the gradient of a branch uses values from
inside of that branch, so those are further outputs of the first If, which the other side leaves empty.

The stacks that carry values from a loop to its gradient's loop become growing TensorArrays, with the height of the stack beside
them as a number, so that a loop whose turns can be counted is a scan and its gradient too.

The graph itself is not changed. Operations that depend on frames are copied, under their names; the others stay as they are.

Bodies of branches and loops, and functions that the host calls, are rewritten the same way: what has one with frames in it is copied
with another body, which shares all its other operations with the first.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Collection, Iterable
from typing import Any

from thalweg._src.compiler.bodies import is_seen
from thalweg._src.compiler.branches import groups_of
from thalweg._src.compiler.frames import Frames, Item, Loop, plain, root_of, unsupported
from thalweg._src.compiler.levels import Level, Rules, Stack, same_captures
from thalweg._src.compiler.prune import prune
from thalweg._src.core import dtypes
from thalweg._src.core.calls import Call
from thalweg._src.core.funcgraph import FuncGraph
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.opdef import OPS, OpDef


def functionalize(
    ops: list[Operation], feeds: frozenset[Tensor], fetches: Collection[Tensor] = ()
) -> tuple[list[Operation], dict[Tensor, Tensor]]:
    """`ops` without control-flow frames, and what stands for those of their tensors that were replaced.

    Raises UnimplementedError naming the ops where there is a structure that can't be made functional.
    """
    if not any(op.opdef.frame or (op.opdef.graph_attrs and bodies_as_functions(op) is not op._attrs) for op in ops):
        return ops, {}
    graph = ops[0].graph
    key = (
        "functional",
        tuple(op._id for op in ops),
        frozenset((t.op._id, t.value_index) for t in feeds),
        frozenset(t.name for t in fetches),
    )
    found = graph._scratch.get(key)
    if found is None:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, 20_000))
        try:
            found = graph._scratch[key] = _rewritten(ops, feeds, frozenset(fetches))
        finally:
            sys.setrecursionlimit(limit)
    return found


def _rewritten(
    ops: list[Operation], feeds: frozenset[Tensor], fetches: frozenset[Tensor]
) -> tuple[list[Operation], dict[Tensor, Tensor]]:
    frames = Frames(ops, feeds, fetches)
    top = Level(frames, (), None, None, ops, rules=_RULES)
    top.emit()
    for op in ops:  # constants, which nothing replaced needs
        if op.opdef.constant:
            top.out.setdefault(op, None)
    replaced = {t: new for t, new in top.env.items() if new is not t}
    for t in fetches:
        replaced.update(_fetched(top, t))
    order = {op: i for i, op in enumerate(top.out)}
    constants = [op for op in order if op.opdef.constant]
    return constants + [op for op in order if not op.opdef.constant], replaced


def _fetched(top: Level, t: Tensor) -> dict[Tensor, Tensor]:
    """What stands for a fetch that hangs on a Switch: to fetch it is an error where it did not run."""
    state = top.conditions.of(t)
    if not state:
        return {}
    value = top.get(t)
    for pred, side in state:
        attrs = {"T": t.dtype.base_dtype, "side": side}
        kind = (t.dtype.base_dtype, t._dims)
        value = top.node(OPS["_Alive"], (value, top.get(pred)), attrs, t.op.name, [], [kind], t.op).outputs[0]
    return {t: value}


# -- bodies


def bodies_as_functions(op: Operation, made: Callable[[Operation], Operation] = lambda op: op) -> dict[str, Any]:
    """The attrs of `op` with bodies that have no frames; its own dict where they have none. `made` says what stands for an operation
    that `op` differentiates.
    """
    whole = op.opdef.bodies is None  # the host calls it, and it does all that it can be seen to do
    return _with_graphs(op.opdef, op._attrs, lambda held: _as_function(held, whole, made))


def _with_graphs(opdef: OpDef, attrs: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    changed = {}
    for name in opdef.graph_attrs:
        held = attrs.get(name)
        before = held if isinstance(held, list) else [held]
        after = [change(value) for value in before]
        if any(a is not b for a, b in zip(before, after, strict=True)):
            changed[name] = after if isinstance(held, list) else after[0]
    return attrs | changed if changed else attrs


def _as_function(held: Any, whole: bool, made: Callable[[Operation], Operation]) -> Any:
    if isinstance(held, FuncGraph):
        return functional_graph(held, whole)
    if not isinstance(held, Call):
        return held
    attrs = _with_graphs(held.opdef, held.attrs, lambda value: _as_function(value, False, made))
    operation = None if held.operation is None else made(held.operation)
    return held if attrs is held.attrs and operation is held.operation else Call(held.name, attrs, operation)


def functional_graph(graph: FuncGraph, whole: bool = False) -> FuncGraph:
    """`graph` without frames in it or in bodies of its own; itself where there are none. A `whole` one does all that its operations can
    be seen to do, also where its outputs do not need it.
    """
    place = ("functional", whole)
    key = (graph._mutations, len(graph._ops), tuple(graph.outputs))
    found = graph._scratch.get(place)
    if found is None or found[0] != key:
        found = graph._scratch[place] = (key, _without_frames(graph, whole))
    return found[1]


def _without_frames(graph: FuncGraph, whole: bool) -> FuncGraph:
    given = frozenset(graph.inputs)
    acting = [op for op in graph._ops if is_seen(op)] if whole else []
    ops = prune([t.op for t in graph.outputs if t not in given] + acting, given)
    results = [t for t in graph.outputs if t not in given]
    rewritten, stand_ins = functionalize(ops, given, results)
    if rewritten is ops:
        return graph
    new = copy.copy(graph)
    new._scratch = {}
    new._ops = [t.op for t in graph.inputs] + rewritten
    new.outputs = [stand_ins.get(t, t) for t in graph.outputs]
    return new


# -- stacks


def _push(level: Level, op: Operation) -> None:
    root = root_of(op._inputs[0])
    value = level.get(op._inputs[1])
    waits = level.waits(op)
    stack = level.stack(root)
    if root in level.frames.noted:
        attrs = {"T": value.dtype.base_dtype}
        new = level.node(OPS["_Note"], (stack.flow, value), attrs, op.name, waits, [(dtypes.float32, ())], op)
        level.stacks[root] = Stack(stack.handle, new.outputs[0], level.plus(stack.height, 1, op.name + "/height"))
        level.made[op] = new
        level.env[op.outputs[0]] = value
        return
    new = level.node(
        OPS["TensorArrayWriteV3"],
        (stack.handle, stack.height, value, stack.flow),
        {"T": value.dtype.base_dtype},
        op.name,
        waits,
        [(dtypes.float32, ())],
        op,
    )
    level.stacks[root] = Stack(stack.handle, new.outputs[0], level.plus(stack.height, 1, op.name + "/height"))
    level.made[op] = new
    level.env[op.outputs[0]] = value


def _pop(level: Level, op: Operation) -> None:
    root = root_of(op._inputs[0])
    waits = level.waits(op)
    stack = level.stack(root)
    height = level.plus(stack.height, -1, op.name + "/height")
    if root in level.frames.noted:
        out = op.outputs[0]
        attrs = {"T": out.dtype.base_dtype}
        new = level.node(OPS["_Noted"], (stack.flow, height), attrs, op.name, waits, [(out.dtype, out._dims)], op)
        level.stacks[root] = Stack(stack.handle, stack.flow, height)
        level.made[op] = new
        level.env[out] = new.outputs[0]
        return
    new = level.node(
        OPS["TensorArrayReadV3"],
        (stack.handle, height, stack.flow),
        {"dtype": op._attrs["elem_type"]},
        op.name,
        waits,
        [(op.outputs[0].dtype, op.outputs[0]._dims)],
        op,
    )
    level.stacks[root] = Stack(stack.handle, stack.flow, height)
    level.made[op] = new
    level.env[op.outputs[0]] = new.outputs[0]


def _stacks_in(ops: Iterable[Operation]) -> list[Operation]:
    """The stacks that change their height in `ops`."""
    return list(dict.fromkeys(root_of(op._inputs[0]) for op in ops if op.opdef.frame in ("push", "pop")))


def _pushed_before(level: Level, ops: Iterable[Operation], item: Item) -> None:
    """What is popped in `ops` must have been pushed: convert the items of this level that do."""
    popped = {root_of(op._inputs[0]) for op in ops if op.opdef.frame == "pop"}
    if not popped:
        return
    for op in level.frames.position:
        if op.opdef.frame == "push" and root_of(op._inputs[0]) in popped and op in level.scope:
            other = level.frames.item(op, level.path)
            if other is not None and other is not item:
                level.convert(other)


# -- loops


def _convert_loop(level: Level, loop: Loop) -> None:
    """A While for `loop`, in the graph of `level`; the outputs of its Exits become known there."""
    frames = level.frames
    _pushed_before(level, loop.all, loop)
    enters = [_enter_of(frames, m) for m in loop.merges]
    starts = [level.get(e._inputs[0]) for e in enters]
    for t in (t for op in loop.all if op.opdef.frame == "enter" for t in op._inputs):
        if frames.path[t.op][: len(loop.path)] != loop.path if t.op in frames.inside else False:
            level.get(t)  # before the graph of the body asks for it
    roots = _stacks_in(loop.all)
    held = [level.stack(r) for r in roots]
    starts += [t for s in held for t in (s.flow, s.height)]
    kinds = [(m.outputs[0].dtype, None) for m in loop.merges] + [(dtypes.float32, ()), (dtypes.int32, ())] * len(roots)
    waits = _outside_waits(level, loop)
    bodies = []
    for which in ("cond", "body"):
        graph = FuncGraph(f"{'/'.join(loop.path)}_{which}", level.graph or loop.ops[0].graph, exact=True)
        inner = Level(frames, loop.path, graph, level, loop.all)
        arguments = [inner.argument(d, dims, f"{loop.name}/{i}") for i, (d, dims) in enumerate(kinds)]
        graph.arguments = arguments
        for m, a in zip(loop.merges, arguments, strict=False):
            inner.env[m.outputs[0]] = a
            if m in loop.switches:
                inner.env[loop.switches[m].outputs[1]] = a
        for i, (root, stack) in enumerate(zip(roots, held, strict=True)):
            at = len(loop.merges) + 2 * i
            inner.stacks[root] = Stack(inner.captured(stack.handle), arguments[at], arguments[at + 1])
        if which == "cond":
            graph.outputs = [inner.get(loop.cond._inputs[0])]
        else:
            backs = [_next_of(m) for m in loop.merges]
            results = [inner.get(b._inputs[0]) for b in backs]
            inner.finish(backs, results)
            results += [t for r in roots for t in (inner.stacks[r].flow, inner.stacks[r].height)]
            graph.outputs = results
        bodies.append(graph)
    captured = same_captures(bodies)
    inputs = [*starts, *captured]
    types = [t.dtype.base_dtype for t in inputs]
    outputs = [(d.base_dtype if d._ref else d, dims) for d, dims in kinds] + [(t.dtype, t._dims) for t in captured]
    attrs = {
        "T": types,
        "cond": bodies[0],
        "body": bodies[1],
        "output_shapes": [d for _, d in outputs],
        "parallel_iterations": 10,
    }
    new = level.node(OPS["While"], inputs, attrs, "/".join(loop.path), waits, outputs)
    level.made[loop] = new  # type: ignore[index]
    for e in loop.exits:
        merge = plain(plain(e._inputs[0]).op._inputs[0]).op
        if merge not in loop.merges:
            raise unsupported([e], "an Exit that no Switch of the loop leads to")
        level.env[e.outputs[0]] = new.outputs[loop.merges.index(merge)]
        level.made[e] = new
    for i, (root, stack) in enumerate(zip(roots, held, strict=True)):
        at = len(loop.merges) + 2 * i
        level.stacks[root] = Stack(stack.handle, new.outputs[at], new.outputs[at + 1])


def _outside_waits(level: Level, loop: Loop) -> list[Operation]:
    own = set(loop.all)
    found: dict[Operation, None] = {}
    for op in loop.all:
        if any(c not in own for c in op._control_inputs):
            found.update(dict.fromkeys(w for w in level.waits(op)))
    return list(found)


def _enter_of(frames: Frames, merge: Operation) -> Operation:
    for t in merge._inputs:
        if t.op.opdef.frame == "enter":
            return t.op
    raise unsupported([merge], "a loop variable that does not enter")


def _next_of(merge: Operation) -> Operation:
    return next(t.op for t in merge._inputs if t.op.opdef.back_edge)


_RULES = Rules(_convert_loop, _push, _pop, groups_of, bodies_as_functions)
