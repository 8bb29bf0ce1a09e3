"""The function that makes the dataset of a one-shot iterator: a copy of the operations that the dataset consists of."""

from typing import Any

from thalweg._src.core.build import add_node
from thalweg._src.core.funcgraph import FuncGraph, building
from thalweg._src.core.graph import Graph, Operation, Tensor, get_default_graph


def factory_of(dataset: Any) -> FuncGraph:
    """A function without arguments that makes `dataset`. Raises ValueError where that needs placeholders or state."""
    outer = get_default_graph()
    graph = FuncGraph("_make_dataset", outer)
    graph._names_in_use = {}  # names of their own: outside, nothing was made
    source = dataset._variant_tensor
    copies: dict[Tensor, Tensor] = {}
    try:
        for op in _ancestors(source.op):
            _copy(op, graph, copies)
    except ValueError as error:
        if "Cannot capture a stateful node" in str(error):
            raise ValueError(
                "Failed to create a one-shot iterator for a dataset. `Dataset.make_one_shot_iterator()` does not support datasets that "
                "capture stateful objects, such as a `Variable` or `LookupTable`. In these cases, use "
                f"`Dataset.make_initializable_iterator()`. (Original error: {error})"
            ) from None
        raise
    with building(graph):
        variant = dataset.options().applied(_Made(copies[source], dataset))._variant_tensor
    graph.outputs = [variant]
    return graph


class _Made:
    """A dataset as far as options need it."""

    def __init__(self, variant: Tensor, dataset: Any):
        self._variant_tensor, self.element_spec = variant, dataset.element_spec


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
