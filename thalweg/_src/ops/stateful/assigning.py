"""Variables as the arguments of functions: their values, and assignments to them."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.convert import register_tensor_conversion_function
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Tensor
from thalweg._src.ops.stateful import state
from thalweg._src.ops.stateful.ref_variables import RefVariable
from thalweg._src.ops.stateful.resource_variables import ResourceVariable
from thalweg._src.ops.stateful.variables import Variable


def _convert(value: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Any:
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type '{value.dtype.name}'"
        )
    if as_ref and isinstance(value, RefVariable):
        return value._variable
    return value.value()


register_tensor_conversion_function(Variable, _convert, 100)


def assign(
    ref: Any, value: Any, validate_shape: bool | None = None, use_locking: bool | None = None, name: str | None = None
) -> Any:
    """Put `value` into the variable `ref`; gives its tensor, read after that."""
    if isinstance(ref, ResourceVariable):
        return ref.assign(value, name=name)
    tensor = _ref_of(ref, "assign")
    validate = True if validate_shape is None else validate_shape
    locking = True if use_locking is None else use_locking
    return state.assign(tensor, value, validate_shape=validate, use_locking=locking, name=name)


def assign_add(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Add `value` to the variable `ref`."""
    if isinstance(ref, ResourceVariable):
        return ref.assign_add(value, name=name)
    return state.assign_add(_ref_of(ref, "assign_add"), value, use_locking=bool(use_locking), name=name)


def assign_sub(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Subtract `value` from the variable `ref`."""
    if isinstance(ref, ResourceVariable):
        return ref.assign_sub(value, name=name)
    return state.assign_sub(_ref_of(ref, "assign_sub"), value, use_locking=bool(use_locking), name=name)


def _ref_of(ref: Any, method: str) -> Any:
    """The tensor that refers to the variable. Raises AttributeError for what is none, as reading its `method` would."""
    if isinstance(ref, RefVariable):
        return ref._variable
    if isinstance(ref, Tensor) and not ref.dtype._is_ref_dtype:
        raise AttributeError(f"'Tensor' object has no attribute '{method}': {ref.name!r} is no variable")
    return ref


def is_variable_initialized(variable: Any) -> Tensor:
    """Whether the variable has a value, as a bool tensor."""
    if isinstance(variable, Variable):
        return variable.is_initialized()  # type: ignore[attr-defined]
    return state.is_variable_initialized(variable)
