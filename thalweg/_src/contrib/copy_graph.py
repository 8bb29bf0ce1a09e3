"""Single operations, what they need, and variables, copied into another graph under the same names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from thalweg._src.contrib.graph_editor.reroute import add_control_inputs
from thalweg._src.contrib.graph_editor.transform import copy_op_handler
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.ops.stateful.variables import Variable
from thalweg._src.runtime.session import Session


class _Target:
    """Where copies go, as graph_editor's handlers ask for it: the graph, and names below `scope`."""

    def __init__(self, graph: Graph, scope: str):
        self.graph_, self._prefix = graph, scope + "/" if scope else ""

    def new_name(self, name: str) -> str:
        return self._prefix + name


def copy_variable_to_graph(org_instance: Any, to_graph: Graph, scope: str = "") -> Any:
    """A variable of `to_graph` with the initial value of `org_instance`, in its collections (their names below `scope` too, but
    for those of all and of trainable variables). TypeError for what is no variable.
    """
    if not isinstance(org_instance, Variable):
        raise TypeError(f"{org_instance} is not a Variable")
    target, source = _Target(to_graph, scope), org_instance.graph
    kept = (GraphKeys.GLOBAL_VARIABLES, GraphKeys.TRAINABLE_VARIABLES)
    names = [n for n in source.collections if any(v is org_instance for v in source.get_collection(n))]
    with source.as_default(), Session(graph=source) as session:
        value = session.run(org_instance.initialized_value())
    with to_graph.as_default():
        return Variable(
            value,
            trainable=GraphKeys.TRAINABLE_VARIABLES in names,
            collections=[n if n in kept else target.new_name(n) for n in names],
            name=target.new_name(org_instance.op.name),
            validate_shape=False,
        )


def copy_op_to_graph(org_instance: Any, to_graph: Graph, variables: Iterable[Any], scope: str = "") -> Any:
    """The copy of an operation or tensor in `to_graph`, with all that it needs and that is not there yet.

    The variables that it needs are copied before and handed over as `variables`. TypeError for anything else.
    """
    target = _Target(to_graph, scope)
    if not isinstance(org_instance, Operation | Tensor):
        raise TypeError(f"Could not copy instance: {org_instance}")
    name = target.new_name(org_instance.name)
    if name in {v.name for v in variables}:
        return to_graph.get_tensor_by_name(name)
    try:
        return to_graph.as_graph_element(name, allow_tensor=True, allow_operation=True)
    except KeyError:
        pass
    if isinstance(org_instance, Tensor):
        op = copy_op_to_graph(org_instance.op, to_graph, variables, scope)
        made = op.outputs[org_instance.value_index]
        for collection in org_instance.graph.collections:
            if any(member is org_instance for member in org_instance.graph.get_collection(collection)):
                to_graph.add_to_collection(target.new_name(collection), made)
        return made
    before = [copy_op_to_graph(op, to_graph, variables, scope) for op in org_instance.control_inputs]
    inputs = [copy_op_to_graph(t, to_graph, variables, scope) for t in org_instance.inputs]
    with to_graph.as_default():
        made = copy_op_handler(target, org_instance, inputs)[0]
    add_control_inputs(made, before)
    return made


def get_copied_op(org_instance: Any, graph: Graph, scope: str = "") -> Any:
    """What `graph` has under the name of `org_instance`, below `scope`. KeyError where there is nothing."""
    name = _Target(graph, scope).new_name(org_instance.name)
    return graph.as_graph_element(name, allow_tensor=True, allow_operation=True)
