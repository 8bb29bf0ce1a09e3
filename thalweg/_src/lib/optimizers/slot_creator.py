"""Slots: the variables that an optimizer keeps beside each variable it trains, `w/Momentum` beside `w`."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from thalweg._src.core.graph import get_default_graph
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.late import array
from thalweg._src.ops.stateful import variable_scope
from thalweg._src.ops.stateful.partitioned import SaveSliceInfo
from thalweg._src.ops.stateful.ref_variables import RefVariable
from thalweg._src.ops.stateful.resource_variables import ResourceVariable
from thalweg._src.ops.stateful.variable_store import variable_store
from thalweg._src.ops.stateful.variables import Variable


def create_slot(primary: Any, val: Any, name: str, colocate_with_primary: bool = True) -> Variable:
    """A slot that starts with the tensor `val`, named `name` in the scope of `primary`."""
    dims = val.get_shape()
    return _in_scope(
        primary, name, colocate_with_primary, lambda: _slot(primary, val, dims.is_fully_defined(), None, None)
    )


def create_slot_with_initializer(
    primary: Any, initializer: Any, shape: Any, dtype: Any, name: str, colocate_with_primary: bool = True
) -> Variable:
    """A slot of `shape` and `dtype` that `initializer` fills."""
    validate = shape.is_fully_defined()
    return _in_scope(primary, name, colocate_with_primary, lambda: _slot(primary, initializer, validate, shape, dtype))


def create_zeros_slot(primary: Any, name: str, dtype: Any = None, colocate_with_primary: bool = True) -> Variable:
    """A slot of zeros of the shape of `primary`, and of its type unless `dtype` says otherwise."""
    from thalweg._src.ops.stateful.initializers import zeros_initializer

    dtype = primary.dtype.base_dtype if dtype is None else dtype
    shape = primary.get_shape()
    if shape.is_fully_defined():
        return create_slot_with_initializer(primary, zeros_initializer(), shape, dtype, name, colocate_with_primary)
    value = primary.initialized_value() if isinstance(primary, Variable) else primary
    return create_slot(primary, constants.zeros(array.shape(value), dtype=dtype), name, colocate_with_primary)


def _in_scope(primary: Any, name: str, colocate: bool, make: Callable[[], Variable]) -> Variable:
    # The default name, not the name: a second optimizer on the same variable gets `w/Adam_2`, a shared scope
    # the same slot.
    with variable_scope.variable_scope(None, _free(f"{_name_of(primary)}/{name}")):
        if not colocate:
            return make()
        with get_default_graph().colocate_with(primary.op):
            return make()


def _free(name: str) -> str:
    """`name`, or with a number behind it that no slot has yet.

    A scope that was entered again counts its names from the beginning, so a second optimizer would find the first one's slot.
    """
    scope = variable_scope.get_variable_scope()
    known = variable_store()._vars
    path = f"{scope.name}/{name}" if scope.name else name
    if scope.reuse or f"{path}/" not in known:
        return name
    return name + next(end for end in (f"_{n}" for n in itertools.count(1)) if f"{path}{end}/" not in known)


def _name_of(primary: Any) -> str:
    """The name of a variable or tensor; a variable of eager execution has another operation's name behind it."""
    return primary._shared_name if isinstance(primary, Variable) else primary.op.name


def _slot(primary: Any, value: Any, validate_shape: bool, shape: Any, dtype: Any) -> Variable:
    scope = variable_scope.get_variable_scope()
    partitioner = scope.partitioner
    scope.set_partitioner(None)  # a slot has the partitions of its variable, not those of the scope
    reuse = scope._reuse
    if reuse is True and f"{scope.name}/" not in variable_store()._vars:
        scope._reuse = False  # variables are to be found, this one is new: until 0.12 scopes did not touch slots
    kinds = {ResourceVariable: True, RefVariable: False}
    use_resource = next((resource for kind, resource in kinds.items() if isinstance(primary, kind)), None)
    slot = variable_scope.get_variable(
        "",
        initializer=value,
        trainable=False,
        use_resource=use_resource,
        shape=shape if callable(value) else None,
        dtype=dtype,
        validate_shape=validate_shape,
    )
    scope.set_partitioner(partitioner)
    scope._reuse = reuse
    info = primary._get_save_slice_info() if isinstance(primary, Variable) else None
    if info is not None:
        own_name = slot.name[len(_name_of(primary)) + 1 : -2]
        slot._set_save_slice_info(
            SaveSliceInfo(
                f"{info.full_name}/{own_name}", list(info.full_shape), list(info.var_offset), list(info.var_shape)
            )
        )
    return slot
