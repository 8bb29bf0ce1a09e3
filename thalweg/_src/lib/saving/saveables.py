"""What a Saver saves: variables, slices of partitioned ones, and objects that know their own tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core import scopes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.ops import basic
from thalweg._src.ops.late import array
from thalweg._src.ops.stateful import state
from thalweg._src.ops.stateful.eager_variables import EagerVariable
from thalweg._src.ops.stateful.partitioned import PartitionedVariable
from thalweg._src.ops.stateful.resource_variables import ResourceVariable
from thalweg._src.ops.stateful.variable_lists import global_variables
from thalweg._src.ops.stateful.variables import Variable


class SaveSpec:
    """One tensor in a checkpoint: its name there, and the slice it is of a larger one ('' for none).

    `tensor` may be a function that gives the tensor when the saver is built; then `dtype` and `device` must be given.
    """

    def __init__(
        self,
        tensor: Tensor | Callable[[], Tensor],
        slice_spec: str,
        name: str,
        dtype: Any = None,
        device: str | None = None,
    ):
        self._tensor, self.slice_spec, self.name = tensor, slice_spec, name
        if callable(tensor):
            if dtype is None or device is None:
                raise AssertionError(
                    "When passing a callable `tensor` to a SaveSpec, an explicit dtype and device must be given."
                )
            self.dtype, self.device = dtype, device
        else:
            self.dtype, self.device = tensor.dtype, tensor.device

    @property
    def tensor(self) -> Tensor:
        return self._tensor() if callable(self._tensor) else self._tensor


class SaveableObject:
    """Something that saves and restores itself as one or several tensors. Put it into the SAVEABLE_OBJECTS
    collection.
    """

    def __init__(self, op: Any, specs: list[SaveSpec], name: str):
        self.op, self.specs, self.name = op, specs, name

    @property
    def optional_restore(self) -> bool:
        return False

    @property
    def device(self) -> Any:
        return self.specs[0].device

    def restore(self, restored_tensors: list[Tensor], restored_shapes: list[Any] | None) -> Any:
        """The operation that puts `restored_tensors` (with `restored_shapes`, in those shapes) in their place."""
        raise ValueError("Calling an abstract method.")


class ReferenceVariableSaveable(SaveableObject):
    """A reference variable, given as its tensor."""

    def __init__(self, var: Any, slice_spec: str, name: str):
        tensor = var._ref() if isinstance(var, Variable) else var
        super().__init__(var, [SaveSpec(tensor, slice_spec, name)], name)

    def restore(self, restored_tensors: list[Tensor], restored_shapes: list[Any] | None) -> Any:
        (value,) = restored_tensors
        target = self.op._ref() if isinstance(self.op, Variable) else self.op
        if restored_shapes is not None:
            value = array.reshape(value, restored_shapes[0])
        fixed = restored_shapes is None and target.get_shape().is_fully_defined()
        return state.assign(target, value, validate_shape=fixed)


class ResourceVariableSaveable(SaveableObject):
    """A resource variable, given as itself or as a tensor that reads it."""

    def __init__(self, var: Any, slice_spec: str, name: str):
        if isinstance(var, Tensor):
            self.handle, tensor = var.op.inputs[0], var
        elif isinstance(var, ResourceVariable):
            self.handle, tensor = var.handle, self._reader(var)  # type: ignore[assignment]
        else:
            raise ValueError(f"Saveable is neither a resource variable nor a read operation. Got: {var!r}")
        self._shape = var.shape
        super().__init__(var, [SaveSpec(tensor, slice_spec, name, dtype=var.dtype, device=var.device)], name)

    @staticmethod
    def _reader(var: ResourceVariable) -> Callable[[], Tensor]:
        def read() -> Tensor:
            with get_default_graph().device(var.device):
                value = var.read_value()
                with get_default_graph().device("/device:CPU:0"):
                    return basic.identity(value)

        return read

    def restore(self, restored_tensors: list[Tensor], restored_shapes: list[Any] | None) -> Any:
        (value,) = restored_tensors
        if restored_shapes is not None:
            value = array.reshape(value, restored_shapes[0])
        with get_default_graph().device(self.handle.device):
            value = basic.identity(value)
            if shapes.merge(self._shape._dims, value.dims) is False:
                raise ValueError(f"Shapes {self._shape} and {value.shape} are incompatible")
            return state.assign_variable(self.handle, value, dtype=value.dtype.base_dtype)


def all_saveable_objects(scope: str | None = None) -> list[Any]:
    """The global variables of the default graph, and what it has among its saveable objects."""
    return global_variables(scope) + scopes.get_collection(GraphKeys.SAVEABLE_OBJECTS, scope)


def _is_variable(t: Any) -> bool:
    return isinstance(t, Tensor) and (t.op.opdef.source or _reads_handle(t))


def _reads_handle(t: Tensor) -> bool:
    return t.op.opdef is state.read_variable


def _saveable_of(variable: Any, slice_spec: str, name: str) -> SaveableObject:
    handle = isinstance(variable, ResourceVariable) or (isinstance(variable, Tensor) and _reads_handle(variable))
    return (ResourceVariableSaveable if handle else ReferenceVariableSaveable)(variable, slice_spec, name)


def saveable_objects_for_op(op: Any, name: Any) -> Iterator[SaveableObject]:
    """The saveable objects of `op` (a variable, its tensor, slices of one, a SaveableObject) under `name`.

    Raises TypeError for what is no variable, ValueError for slices that do not belong together.
    """
    if not isinstance(name, str):
        raise TypeError(
            "names_to_saveables must be a dict mapping string names to trackable operations. Name is not a string: "
            f"{name}"
        )
    if isinstance(op, SaveableObject):
        yield op
    elif isinstance(op, list | tuple | PartitionedVariable):
        full_name = None
        for variable in op:
            info = variable._get_save_slice_info() if isinstance(variable, Variable) else None
            if not isinstance(variable, Variable):
                raise ValueError(f"Slices must all be Variables: {variable}")
            if info is None:
                raise ValueError(f"Slices must all be slices: {variable}")
            full_name = info.full_name if full_name is None else full_name
            if full_name != info.full_name:
                raise ValueError(f"Slices must all be from the same tensor: {full_name} != {info.full_name}")
            yield _saveable_of(variable, info.spec, name)
    elif hasattr(op, "_gather_saveables_for_checkpoint"):
        for attr, factory in op._gather_saveables_for_checkpoint().items():
            made = factory(f"{name}_{attr}") if callable(factory) else factory
            yield from saveable_objects_for_op(made, made.name)
    else:
        if isinstance(op, EagerVariable):
            yield ResourceVariableSaveable(op, "", name)
            return
        if isinstance(op, ResourceVariable):
            variable = op._graph_element
        else:
            variable = to_tensor(op, None, None, as_ref=True)
        if not _is_variable(variable):
            raise TypeError(
                "names_to_saveables must be a dict mapping string names to Tensors/Variables. Not a variable: "
                f"{variable}"
            )
        yield _saveable_of(variable, "", name)


def op_list_to_dict(op_list: Any) -> dict[str, Any]:
    """{name: what to save under it} of a list of variables; slices of one variable are gathered under its name.

    Raises TypeError for what is no variable, ValueError where a name comes twice.
    """
    if not isinstance(op_list, list | tuple | set):
        raise TypeError(f"Variables to save should be passed in a dict or a list: {op_list}")
    found: dict[str, Any] = {}
    for var in sorted(op_list, key=lambda v: v.name):
        info = var._get_save_slice_info() if isinstance(var, Variable) else None
        if info is not None:
            slices = found.setdefault(info.full_name, [])
            if not isinstance(slices, list):
                raise ValueError(f"Mixing slices and non-slices with the same name: {info.full_name}")
            slices.append(var)
            continue
        item: Any = var
        if isinstance(var, SaveableObject | PartitionedVariable):
            name = var.name
        elif hasattr(var, "_gather_saveables_for_checkpoint"):
            found.update(
                op_list_to_dict([f() if callable(f) else f for f in var._gather_saveables_for_checkpoint().values()])
            )
            continue
        elif isinstance(var, EagerVariable):
            name = var._shared_name
        else:
            item = var._graph_element if isinstance(var, ResourceVariable) else to_tensor(var, None, None, as_ref=True)
            if not _is_variable(item):
                raise TypeError(f"Variable to save is not a Variable: {item}")
            name = item.op.inputs[0].op.name if _reads_handle(item) else item.op.name
        if name in found and not isinstance(var, SaveableObject):
            raise ValueError(f"At least two variables have the same name: {name}")
        found[name] = item
    return found


def validate_and_slice_inputs(names_to_saveables: Any) -> list[SaveableObject]:
    """The saveable objects of a dict or list of variables, by name. Raises ValueError where one comes under two
    names.
    """
    if not isinstance(names_to_saveables, dict):
        names_to_saveables = op_list_to_dict(names_to_saveables)
    found: list[SaveableObject] = []
    seen: set[int] = set()
    for name, op in sorted(names_to_saveables.items(), key=lambda item: item[0]):
        for saveable in saveable_objects_for_op(op, name):
            if id(saveable.op) in seen:
                raise ValueError(f"The same saveable will be restored with two names: {saveable.name}")
            seen.add(id(saveable.op))
            found.append(saveable)
    return found
