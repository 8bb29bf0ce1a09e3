"""Initial values that depend on other variables: an initializer that runs alone takes the initial values of those that have none."""

from __future__ import annotations

from thalweg._src.core import scopes
from thalweg._src.core.funcgraph import FuncGraph
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys

# What asks by itself whether a variable has a value, and reads that say when they are to happen.
_ENDS = frozenset(["IsVariableInitialized", "VarIsInitializedOp", "ReadVariableOp", "If"])


def guarded(name: str, value: Tensor) -> Tensor:
    """`value`, the initial value of the variable `name`, with each reference variable in it replaced by its initialized value.

    Raises ValueError for a value that is made in a loop or a branch.
    """
    if isinstance(value.graph, FuncGraph) and value.graph.capture_name is not None:
        raise ValueError(
            f"Initializer for variable {name}/ is from inside a control-flow construct, such as a loop or conditional. When creating "
            "a variable inside a loop or conditional, use a lambda as the initializer."
        )
    with scopes.init_scope():
        return _guarded(value, name, {})


def _guarded(t: Tensor, name: str, made: dict[Operation, Operation]) -> Tensor:
    op = t.op
    if op not in made:
        made[op] = _of_operation(op, name, made)
    return t if made[op] is op else made[op].outputs[t.value_index]


def _of_operation(op: Operation, name: str, made: dict[Operation, Operation]) -> Operation:
    if op.type in _ENDS or op.graph is not get_default_graph():
        return op
    if op.opdef.source and op.outputs and op.outputs[0].dtype._is_ref_dtype:
        for key in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES):
            for variable in op.graph.get_collection(key):
                if variable.op is op:
                    return variable.initialized_value().op
        return op
    inputs = [_guarded(t, name, made) for t in op._inputs]
    if all(a is b for a, b in zip(inputs, op._inputs, strict=True)):
        return op
    own = f"{op.name}_{name}".replace(":", "_")
    with op.graph.name_scope(None):
        return op.graph.create_op(op.type, inputs, name=own, attrs=dict(op._attrs))
