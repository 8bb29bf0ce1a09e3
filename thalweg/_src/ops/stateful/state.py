"""Variables as ops: reference variables (VariableV2 and what assigns to it) and resource variables (VarHandleOp).

A lowering that writes returns the new value; the interpreter puts it in the place of the old one.
"""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.dtypes import NUMBERS, int32, int64, resource
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import Handle, Ref, Shape, op, type_attr

T = type_attr("T")
N = type_attr("T", NUMBERS)
dtype_attr = type_attr("dtype")
D = dtype_attr


@op("VariableV2", source=True, stateful=True)
def variable_v2(*, shape: Shape, dtype: dtype_attr, container: str = "", shared_name: str = "") -> Ref(dtype_attr):
    """A buffer that a session keeps between runs."""
    raise AssertionError("a variable is read from the session")


@op("Variable", source=True, stateful=True)
def variable_v1(*, shape: Shape, dtype: dtype_attr, container: str = "", shared_name: str = "") -> Ref(dtype_attr):
    """The form of VariableV2 in graphs of TensorFlow 0.x."""
    raise AssertionError("a variable is read from the session")


@op("TemporaryVariable", source=True, stateful=True)
def temporary_variable(*, shape: Shape, dtype: dtype_attr, var_name: str = "") -> Ref(dtype_attr):
    """A buffer for one step."""
    raise AssertionError("a variable is read from the session")


for _source in (variable_v2, variable_v1, temporary_variable):
    _source.not_differentiable()
    _source.shape_rule(lambda op: [op.attrs["shape"]])


@op("VarHandleOp", source=True, stateful=True)
def var_handle(*, container: str = "", shared_name: str = "", dtype: dtype_attr, shape: Shape) -> resource:
    """The handle of a resource variable."""
    raise AssertionError("a handle is a name")


var_handle.shape_rule(lambda op: [()])
var_handle.not_differentiable()


@op("Assign", effect="write", stateful=False)
def assign(ref: Ref(T, init=False), value: T, *, validate_shape: bool = True, use_locking: bool = True) -> Ref(T):
    """Put `value` into the variable."""
    return value


@assign.shape_rule
def _(op):
    ref, value = op.inputs
    if not op.attrs["validate_shape"]:
        return [value.dims]
    merged = shapes.merge(ref.dims, value.dims)
    if merged is False:
        raise ValueError(
            f"Dimensions of {shapes.text(ref.dims)} and {shapes.text(value.dims)} are not compatible: Assign {op.name!r} needs "
            f"equal shapes. Shapes must be equal rank and size, for '{op.name}' (op: 'Assign')."
        )
    return [merged]


def _update_shape(op):
    ref, value = op.inputs
    merged = shapes.merge(ref.dims, value.dims)
    if merged is False:
        raise ValueError(
            f"Dimensions must be equal, but are {shapes.text(ref.dims)} and {shapes.text(value.dims)} for '{op.name}' (op: '{op.type}')."
        )
    return [merged]


@op("AssignAdd", effect="write", stateful=False)
def assign_add(ref: Ref(N), value: N, *, use_locking: bool = False) -> Ref(N):
    """Add `value` to the variable."""
    return xp(ref, value).add(ref, value)


@op("AssignSub", effect="write", stateful=False)
def assign_sub(ref: Ref(N), value: N, *, use_locking: bool = False) -> Ref(N):
    """Subtract `value` from the variable."""
    return xp(ref, value).subtract(ref, value)


assign_add.shape_rule(_update_shape)
assign_sub.shape_rule(_update_shape)
assign.not_differentiable()
assign_add.not_differentiable()
assign_sub.not_differentiable()


@op("IsVariableInitialized", stateful=False, foldable=False, presence=True)
def is_variable_initialized(ref: Ref(dtype_attr, init=False)) -> bool_:
    """Whether the variable has a value."""
    return np.bool_(ref is not None)


is_variable_initialized.shape_rule(lambda op: [()])


@op("VarIsInitializedOp", effect="read", foldable=False, presence=True)
def var_is_initialized(resource: Handle(dtype_attr, init=False)) -> bool_:
    """Whether the resource variable has a value."""
    return np.bool_(resource is not None)


var_is_initialized.shape_rule(lambda op: [()])


def _handle_dims(op):
    from thalweg._src.ops.stateful.handles import dims_of_handle

    return dims_of_handle(op.inputs[0])


@op("ReadVariableOp", effect="read", foldable=False)
def read_variable(resource: Handle(dtype_attr), *, dtype: dtype_attr) -> dtype_attr:
    """The value of the resource variable at this place in the order of effects."""
    return resource


read_variable.shape_rule(lambda op: [_handle_dims(op)])


@read_variable.grad
def _(op, g):
    return g


@op("AssignVariableOp", effect="write", resizes=True)
def assign_variable(resource: Handle(dtype_attr, init=False), value: dtype_attr, *, dtype: dtype_attr):
    """Put `value` into the resource variable. Where the static shapes can't tell that it has another shape, it may have."""
    return value


@assign_variable.shape_rule
def _(op):
    dims = _handle_dims(op)
    if shapes.merge(dims, op.inputs[1].dims) is False:
        raise ValueError(
            f"Shapes {shapes.text(dims)} and {shapes.text(op.inputs[1].dims)} are incompatible: AssignVariableOp {op.name!r}"
        )


@op("AssignAddVariableOp", effect="write")
def assign_add_variable(resource: Handle(dtype_attr), value: dtype_attr, *, dtype: dtype_attr):
    """Add `value` to the resource variable."""
    _same_shapes(resource, value)
    return xp(resource, value).add(resource, value)


@op("AssignSubVariableOp", effect="write")
def assign_sub_variable(resource: Handle(dtype_attr), value: dtype_attr, *, dtype: dtype_attr):
    """Subtract `value` from the resource variable."""
    _same_shapes(resource, value)
    return xp(resource, value).subtract(resource, value)


def _same_shapes(variable: Any, value: Any) -> None:
    if variable.shape != value.shape:
        raise invalid(
            f"Cannot update variable with shape {list(variable.shape)} using a Tensor with shape {list(value.shape)}, "
            "shapes must be equal."
        )


@op("VariableShape", effect="read", foldable=False)
def variable_shape(
    input: Handle(dtype_attr), *, out_type: type_attr("out_type", (int32, int64), int32) = int32
) -> type_attr("out_type", (int32, int64), int32):
    """The shape of the resource variable's value."""
    return np.array(input.shape, out_type._as_numpy)


@variable_shape.shape_rule
def _(op):
    dims = _handle_dims(op)
    return [(None if dims is None else len(dims),)]
