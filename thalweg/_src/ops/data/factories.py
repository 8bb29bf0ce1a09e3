"""The part of a graph that makes a dataset, as a function without arguments, and as bytes that make the dataset elsewhere."""

from thalweg._src.core.build import add_node
from thalweg._src.core.funcgraph import FuncGraph, building
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.graph_import import import_graph_def
from thalweg._src.formats import protos

LARGEST = 1 << 26  # bytes of a description: arrays beyond that are not copied into each checkpoint


def factory_of(dataset: Tensor) -> FuncGraph:
    """A copy of the operations that `dataset` consists of. Raises ValueError where that needs placeholders or state."""
    graph = FuncGraph("_make_dataset", dataset.graph)
    graph._names_in_use = {}  # names of their own: outside, nothing was made
    copies: dict[Tensor, Tensor] = {}
    for op in _ancestors(dataset.op):
        _copy(op, graph, copies)
    graph.outputs = [copies[dataset]]
    return graph


def described(dataset: Tensor) -> bytes:
    """What `remade` makes the dataset of; nothing where that needs more than the graph, or is too large."""
    try:
        graph = factory_of(dataset)
    except ValueError:
        return b""
    proto = graph.as_graph_def()
    if proto.ByteSize() > LARGEST:
        return b""
    return graph.outputs[0].name.encode() + b"\n" + proto.SerializeToString()


def remade(description: bytes, around: Graph) -> FuncGraph:
    """The function of a description, in a graph."""
    name, _, proto = description.partition(b"\n")
    graph = FuncGraph("_make_dataset", around)
    graph._names_in_use = {}
    with building(graph):
        graph.outputs = import_graph_def(protos.GraphDef.FromString(proto), {}, [name.decode()], name="")  # type: ignore[assignment]
    return graph


def acting(dataset: Tensor) -> Operation | None:
    """An operation in a function of `dataset` that gives something else, or does it again, when elements are made anew."""
    seen: set[int] = set()
    stack = [graph for op in _ancestors(dataset.op) for graph in _functions(op)]
    while stack:
        graph = stack.pop()
        if id(graph) in seen:
            continue
        seen.add(id(graph))
        for op in graph._ops:
            if op.opdef.wants_rng or op.opdef.effect == "write":
                return op
            stack += _functions(op)
    return None


def _functions(op: Operation) -> list[FuncGraph]:
    values = [v for value in op._attrs.values() for v in (value if isinstance(value, list | tuple) else [value])]
    return [v for v in values if isinstance(v, FuncGraph)]


def _ancestors(op: Operation) -> list[Operation]:
    """`op` and all whose values it needs, in the order in which they were made."""
    found: set[Operation] = set()
    stack = [op]
    while stack:
        o = stack.pop()
        if o not in found:
            found.add(o)
            stack += [t.op for t in o._inputs]  # what is only waited for stays outside
    return sorted(found, key=lambda o: o._id)


def _copy(op: Operation, graph: Graph, copies: dict[Tensor, Tensor]) -> None:
    makes_dataset = any(t.dtype.base_dtype._name == "variant" for t in op.outputs)
    if op.opdef.must_feed or op.type == "PlaceholderWithDefault":
        raise ValueError(f"Cannot capture a placeholder (name:{op.name}, type:{op.type}) by value.")
    if op.opdef.stateful and not makes_dataset:
        raise ValueError(f"Cannot capture a stateful node (name:{op.name}, type:{op.type}) by value.")
    with graph.as_default():
        node = add_node(
            graph,
            op.opdef,
            [copies[t] for t in op._inputs],
            dict(op._attrs),
            graph._op_name(op.name + "/"),
            device=op._device,
            control_inputs=[],
        )
    for t, copy in zip(op.outputs, node.outputs, strict=True):
        copy._dims = t._dims
        copies[t] = copy
