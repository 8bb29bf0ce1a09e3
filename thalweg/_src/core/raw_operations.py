"""`tf.Operation(node_def, graph, ...)`: an operation made from its NodeDef, piece by piece, as programs that copy graphs do.

Such an operation stands in the graph before it has its inputs. Ids ascend along edges, so it gets a new one, the last,
with each input that is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from thalweg._src.core import attr_protos, build, functions, infer, shapes, site
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.opdef import OpDef
from thalweg._src.core.signatures import find_op


def make(
    op: Operation,
    node_def: Any,
    graph: Graph,
    inputs: Sequence[Tensor] | None,
    control_inputs: Iterable[Operation] | None,
    original_op: Operation | None,
) -> None:
    """Fill in `op` from a NodeDef whose name is final, and add it to `graph`.

    Raises TypeError where `node_def` is none, ValueError for a type that is not known or a name that is taken.
    """
    if not hasattr(node_def, "op") or not hasattr(node_def, "attr"):
        raise TypeError(f"node_def needs to be a NodeDef: {node_def}")
    opdef = find_op(node_def.op)
    if opdef is None:
        raise ValueError(f"Op type not registered '{node_def.op}' in thalweg")
    if node_def.name in graph._nodes_by_name:
        raise ValueError(f"Duplicate node name in graph: '{node_def.name}'")
    graph._check_not_finalized()
    op.graph, op.opdef, op._name = graph, opdef, node_def.name
    op._attrs = attrs_of(node_def, opdef, graph)
    op._inputs, op._control_inputs, op._device = (), [], ""
    op._stack = site.capture(3)
    if original_op is not None:
        op.original = original_op  # type: ignore[attr-defined]
    op.outputs = [Tensor(op, i, t) for i, t in enumerate(build.output_types(op.opdef, op._attrs))]
    graph._names_in_use.setdefault(op._name.lower(), 1)
    graph._nodes_by_name[op._name] = op
    op._id = 0
    put_last(op)
    op._set_device(node_def.device)
    for tensor in inputs or ():
        add_input(op, tensor)
    op._add_control_inputs(control_inputs or ())
    if inputs:
        infer_shapes(op)


def attrs_of(node_def: Any, opdef: OpDef, graph: Graph) -> dict[str, Any]:
    """The attrs as Python values; names of functions that are bodies in `graph` become those."""
    attrs = {name: attr_protos.attr_from_proto(value) for name, value in node_def.attr.items()}
    if opdef.bodies is not None:
        bodies = functions.bodies_in(graph._ops)

        def body(value: Any) -> Any:
            if isinstance(value, list):
                return [body(v) for v in value]
            return bodies[value.name][0] if getattr(value, "name", None) in bodies else value

        attrs = {name: body(value) for name, value in attrs.items()}
    return attrs


def add_input(op: Operation, tensor: Tensor) -> None:
    """`tensor` as the next input of `op`."""
    op._inputs = (*op._inputs, tensor)
    tensor._consumers.append(op)
    put_last(op)


def put_last(op: Operation) -> None:
    """Give `op` the last id of its graph."""
    graph = op.graph
    with graph._lock:
        if op._id:
            graph._ops.remove(op)
        op._id = graph._next_id
        graph._next_id += 1
        graph._ops.append(op)
    graph._touch()


def infer_shapes(op: Operation) -> None:
    """Infer the shapes of the outputs of an operation that has all its inputs."""
    for tensor, dims in zip(op.outputs, infer.output_dims(op), strict=True):
        merged = shapes.merge(tensor._dims, dims)
        if merged is not False:
            tensor._dims = merged


def put_behind_its_inputs(op: Operation) -> None:
    """Restore the order of ids after `op` got an input, or something to wait for, that was made later: it and all that follow move."""
    before = [t.op for t in op._inputs] + list(op._control_inputs)
    if all(b._id < op._id for b in before):
        return
    waiting: dict[Operation, list[Operation]] = {}
    for other in op.graph._ops:
        for earlier in other._control_inputs:
            waiting.setdefault(earlier, []).append(other)
    following = {op}
    front = [op]
    while front:
        current = front.pop()
        for after in (*(c for t in current.outputs for c in t._consumers), *waiting.get(current, ())):
            if after not in following:
                following.add(after)
                front.append(after)
    for moved in sorted(following, key=lambda o: o._id):
        put_last(moved)
