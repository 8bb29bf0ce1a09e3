"""tensorflow.python.ops.resource_variable_ops: resource variables, and the operations on their handles."""

from typing import Any

from thalweg._src.core.opdef import OPS
from thalweg._src.ops.stateful.resource_variables import ResourceVariable as ResourceVariable
from thalweg._src.ops.stateful.variables import Variable as BaseResourceVariable
from thalweg._src.ops.stateful.variables import Variable as _Variable

_OF_HANDLES = {
    "assign_add_variable_op": "AssignAddVariableOp",
    "assign_sub_variable_op": "AssignSubVariableOp",
    "assign_variable_op": "AssignVariableOp",
    "destroy_resource_op": "DestroyResourceOp",
    "read_variable_op": "ReadVariableOp",
    "resource_gather": "ResourceGather",
    "resource_gather_nd": "ResourceGatherNd",
    "resource_scatter_add": "ResourceScatterAdd",
    "resource_scatter_div": "ResourceScatterDiv",
    "resource_scatter_max": "ResourceScatterMax",
    "resource_scatter_min": "ResourceScatterMin",
    "resource_scatter_mul": "ResourceScatterMul",
    "resource_scatter_sub": "ResourceScatterSub",
    "resource_scatter_update": "ResourceScatterUpdate",
    "var_handle_op": "VarHandleOp",
    "var_is_initialized_op": "VarIsInitializedOp",
}


def is_resource_variable(var: Any) -> bool:
    """Whether `var` is a variable of the kind that has a handle."""
    return isinstance(var, _Variable) and hasattr(var, "handle")


def __getattr__(name: str) -> Any:
    if name in _OF_HANDLES and _OF_HANDLES[name] in OPS:
        return OPS[_OF_HANDLES[name]]
    raise AttributeError(name)


def __dir__() -> list[str]:
    return sorted(("BaseResourceVariable", "ResourceVariable", "is_resource_variable", *_OF_HANDLES))
