"""Lists of variables, from the collections of the graph, and operations on all variables of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.ops import basic
from thalweg._src.ops.stateful.assigning import is_variable_initialized
from thalweg._src.ops.stateful.resource_variables import AssignedVariable
from thalweg._src.ops.stateful.variables import Variable

# Variables that are local since 1.1: programs from before initialize them with the global ones.
ONCE_GLOBAL: WeakSet[Variable] = WeakSet()


def global_variables(scope: str | None = None) -> list[Variable]:
    """The variables that are shared and saved."""
    return scopes.get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def all_variables() -> list[Variable]:
    """`global_variables`, by its name of 0.11."""
    return global_variables()


def local_variables(scope: str | None = None) -> list[Variable]:
    """The variables of this process alone, which are not saved: counters of metrics and epochs."""
    return scopes.get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def model_variables(scope: str | None = None) -> list[Variable]:
    """The variables that inference needs."""
    return scopes.get_collection(GraphKeys.MODEL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Variable]:
    """The variables that optimizers change."""
    return scopes.get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def moving_average_variables(scope: str | None = None) -> list[Variable]:
    """The variables that have moving averages."""
    return scopes.get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def variables_initializer(var_list: Sequence[Variable], name: str = "init") -> Operation:
    """An operation that gives all of `var_list` their initial values."""
    if var_list:
        return basic.group(*[v.initializer for v in var_list], name=name)
    return basic.group(name=name)


def initialize_variables(var_list: Sequence[Variable], name: str = "init") -> Operation:
    """`variables_initializer`, by its name of 0.x."""
    return variables_initializer(var_list, name)


def global_variables_initializer() -> Operation:
    """An operation that gives all global variables their initial values, and those that were global until 1.0."""
    return variables_initializer([*global_variables(), *(v for v in local_variables() if v in ONCE_GLOBAL)])


def initialize_all_variables() -> Operation:
    """`global_variables_initializer`, by its name of 0.11."""
    return global_variables_initializer()


def local_variables_initializer() -> Operation:
    """An operation that gives all local variables their initial values."""
    return variables_initializer(local_variables())


def initialize_local_variables() -> Operation:
    """`local_variables_initializer`, by its name of 0.x."""
    return local_variables_initializer()


def assert_variables_initialized(var_list: Sequence[Variable] | None = None) -> Any:
    """A tensor whose evaluation raises FailedPreconditionError if a variable is not initialized; None without variables."""
    found = global_variables() + local_variables() if var_list is None else list(var_list)
    if not found:
        return None
    from thalweg._src.ops.late import array

    ranks = []
    for v in found:
        with get_default_graph().colocate_with(v.op):
            ranks.append(array.rank_internal(v.value(), optimize=False))
    return array.stack(ranks)


def report_uninitialized_variables(
    var_list: Sequence[Variable] | None = None, name: str = "report_uninitialized_variables"
) -> Tensor:
    """The names of the variables that have no value yet, as a vector of strings."""
    from thalweg._src.ops.arrays import constants
    from thalweg._src.ops.late import array
    from thalweg._src.ops.numeric.compare import logical_not

    found = global_variables() + local_variables() if var_list is None else list(var_list)
    with scopes.name_scope(name):
        if not found:
            return constants.constant([], dtype=dtypes.string)
        missing = logical_not(array.stack([is_variable_initialized(v) for v in found]))
        names = constants.constant([v.op.name if not isinstance(v, AssignedVariable) else v.name[:-2] for v in found])
        return array.boolean_mask(names, missing)
