"""What an operation needs and touches, with the bodies of branches and loops counted in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.compiler.prune import prune
from thalweg._src.core import dtypes, infer
from thalweg._src.core.graph import Operation, Tensor

_TASK = re.compile(r"/job:([^/]+)(?:/replica:\d+)?/task:(\d+)")
Find = Callable[[Tensor], Operation | None]


def variable_key(op: Operation) -> str:
    """The name under which a session keeps a variable."""
    name = op._attrs.get("shared_name") or op.name
    container = op._attrs.get("container")
    task = _TASK.match(op._device) if op._device else None
    if task is not None and task[1] != "localhost":  # tasks of a cluster have variables of their own
        return f"{container or ''}//{task[1]}:{task[2]}//{name}"
    return f"{container}//{name}" if container else name  # no name holds two slashes


def source_of(tensor: Tensor, feeds: Any = frozenset(), inputs: dict[Tensor, Any] | None = None) -> Any:
    """The variable whose buffer `tensor` refers to, or None for a plain value. `inputs` says what a body's inputs refer to."""
    while tensor not in feeds:
        if inputs is not None and tensor in inputs:
            return inputs[tensor]
        op = tensor.op
        opdef = op.opdef
        if opdef.source:
            return op
        if opdef.alias:
            tensor = op._inputs[0]
        elif opdef.writes and tensor.dtype._ref and opdef.simple:
            tensor = op._inputs[opdef.write_index[0]]
        else:
            return None
    return None


def body_ops(graph: Any) -> list[Operation]:
    """The operations that the outputs of a body need, in order."""
    key = ("body ops", graph._mutations, len(graph._ops), tuple(graph.outputs))
    found = graph._scratch.get("body ops")
    if found is None or found[0] != key:
        given = frozenset(graph.inputs)
        found = graph._scratch["body ops"] = (key, prune([t.op for t in graph.outputs if t not in given], given))
    return found[1]


def bodies_of(op: Operation) -> list[tuple[Any, list[Tensor]]]:
    """The body graphs of `op`, each with the tensors outside that its inputs stand for."""
    return op.opdef.bodies(op._attrs, op._inputs) if op.opdef.bodies is not None else []


def inner_ops(op: Operation) -> list[Operation]:
    """All operations in the bodies of `op`, at every depth."""
    found: list[Operation] = []
    for graph, _ in bodies_of(op):
        for inner in body_ops(graph):
            found += [inner, *inner_ops(inner)]
    return found


def accesses(op: Operation, find: Find) -> list[tuple[Operation, bool]]:
    """The variables that `op` reads or writes: (variable, does it write)."""
    opdef = op.opdef
    if opdef.source or opdef.alias:
        return []
    if opdef.bodies is not None and bodies_of(op):
        return [(source, writes and not opdef.pure_bodies) for source, writes in _in_bodies(op, find)]
    out = []
    for arg, t in infer.flat_args(op):
        source = find(t)
        if source is not None:
            out.append((source, arg.name in opdef.writes))
    return out


def _in_bodies(op: Operation, find: Find) -> Iterator[tuple[Operation, bool]]:
    for t in op._inputs:
        source = find(t)
        if source is not None and not t.dtype._ref and t.dtype.base_dtype._name != "resource":
            yield source, False  # read once, where the op stands
    for graph, outer in bodies_of(op):
        refer = {i: find(t) for i, t in zip(graph.inputs, outer, strict=True) if refers(i)}

        def inside(t: Tensor, refer: dict[Tensor, Any] = refer) -> Any:
            return source_of(t, (), refer)

        for inner in body_ops(graph):
            yield from accesses(inner, inside)
        for t in graph.outputs:
            source = inside(t)
            if source is not None and not refers(t):
                yield source, False  # a body that returns a variable reads it


def refers(t: Tensor) -> bool:
    """Whether `t` is a reference or a handle."""
    return t.dtype._ref or t.dtype.base_dtype._name == "resource"


def randoms(op: Operation) -> list[Operation]:
    """The random operations in `op`: itself, or those of its bodies."""
    if op.opdef.wants_rng:
        return [op]
    return [r for graph, _ in bodies_of(op) for inner in body_ops(graph) for r in randoms(inner)]


def is_host_work(op: Operation) -> bool:
    """Whether plain Python must run `op`, because of what it is, of the types it handles, or of what stands in a body."""
    opdef = op.opdef
    if "host" in op.__dict__.get("hints", ()):
        return True
    if opdef.bodies is not None:
        return any(
            is_host_work(inner) for graph, _ in bodies_of(op) for inner in body_ops(graph) if not inner.opdef.constant
        )
    if opdef.alias and opdef.host is False and not any(t.dtype.is_on_host for t in op._inputs):
        return False
    if opdef.runs_on_host(op):
        return True
    return opdef.host is False and not opdef.device_strings and (_touches_strings(op) or _moves_handles(op))


def is_seen(op: Operation) -> bool:
    """Whether `op`, or an operation in a body of it, does something that is seen from outside."""
    if op.opdef.effect == "write" or (op.opdef.effect == "host" and op.opdef.stateful):
        return True
    return any(is_seen(inner) for graph, _ in bodies_of(op) for inner in graph._ops)


def _touches_strings(op: Operation) -> bool:
    return any(t.dtype.is_on_host for t in op._inputs) or any(t.dtype.is_on_host for t in op.outputs)


def _moves_handles(op: Operation) -> bool:
    """Whether `op` treats handles of resources as plain values: stacks them, chooses one of them."""
    of_any_type = [a for a in op.opdef.inputs if a.type_attr is not None]
    return any(op._attrs.get(a.type_attr.name) is dtypes.resource for a in of_any_type)


def slots(op: Operation) -> list[tuple[Tensor, bool]]:
    """The inputs whose values must be known while tracing (True), or are used if they are (False)."""
    opdef = op.opdef
    if opdef.bodies is not None and bodies_of(op):
        needed: dict[Tensor, None] = {}
        for graph, outer in bodies_of(op):
            inner = static_needs(graph)[1]
            needed.update((t, None) for i, t in zip(graph.inputs, outer, strict=True) if i in inner)
        return [(t, True) for t in needed] + [(t, False) for t in op._inputs if t not in needed and not refers(t)]
    if not opdef.static_args and opdef.args_of is None:
        return []
    return [(t, arg.static) for arg, t in infer.flat_args(op) if arg.static or arg.known]


def static_needs(graph: Any) -> tuple[set[Operation], set[Tensor]]:
    """Which operations of a body are computed while tracing, and which of its inputs that needs."""
    ops = body_ops(graph)
    found = graph._scratch.get("static needs")
    if found is not None and found[0] is ops:
        return found[1]
    fold: set[Operation] = set()
    inputs: set[Tensor] = set()
    given = set(graph.inputs)

    def mark(t: Tensor) -> None:
        if t in given:
            inputs.add(t)
            return
        op = t.op
        if op in fold or op.opdef.constant or op.opdef.effect is not None or not op.opdef.foldable:
            return
        fold.add(op)
        if not op.opdef.needs_only_shapes(op):
            for s in op._inputs:
                mark(s)

    for op in ops:
        for t, required in slots(op):
            if required:
                mark(t)
    graph._scratch["static needs"] = (ops, (fold, inputs))
    return fold, inputs
