"""Variables of models: made with collections and devices, found by scope and name, filled from values and checkpoints."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.contrib.framework.arg_scope import add_arg_scope
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.devices import DeviceSpec
from thalweg._src.core.graph import Graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.formats.protos import SaverDef
from thalweg._src.lib import global_step
from thalweg._src.lib.checkpoints import CheckpointReader
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saver import Saver
from thalweg._src.ops.arrays.constants import constant, placeholder
from thalweg._src.ops.basic import control_dependencies, group
from thalweg._src.ops.numeric import compare
from thalweg._src.ops.reports.checks import Assert
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.assigning import assign, is_variable_initialized
from thalweg._src.ops.stateful.variable_modes import VariableAggregation, VariableSynchronization
from thalweg._src.ops.stateful.variables import Variable


def zero_initializer(ref: Any, use_locking: bool = True, name: str = "zero_initializer") -> Any:
    """Set a variable that has no value yet to zeros. InvalidArgumentError where it has one."""
    fresh = Assert(compare.logical_not(is_variable_initialized(ref)), ["input is already initialized"])
    with control_dependencies([fresh]):
        zeros = constant(0, dtype=ref.dtype.base_dtype, shape=ref.get_shape().as_list())
        return assign(ref, zeros, use_locking=use_locking, name=name)


def assert_global_step(global_step_tensor: Any) -> None:
    """Raises TypeError or ValueError for what is no global step."""
    global_step.assert_global_step(global_step_tensor)


def assert_or_get_global_step(graph: Graph | None = None, global_step_tensor: Any = None) -> Any:
    """The tensor, checked; the global step of `graph` without one."""
    if global_step_tensor is None:
        return global_step.get_global_step(graph)
    global_step.assert_global_step(global_step_tensor)
    return global_step_tensor


def local_variable(
    initial_value: Any, validate_shape: bool = True, name: str | None = None, use_resource: bool | None = None
) -> Variable:
    """A variable of this process: not trained, not saved."""
    return _untrained(initial_value, [GraphKeys.LOCAL_VARIABLES], validate_shape, name, use_resource)


def global_variable(
    initial_value: Any, validate_shape: bool = True, name: str | None = None, use_resource: bool | None = None
) -> Variable:
    """A variable that is not trained."""
    return _untrained(initial_value, [GraphKeys.GLOBAL_VARIABLES], validate_shape, name, use_resource)


def _untrained(value: Any, collections: list[str], validate_shape: bool, name: Any, use_resource: Any) -> Variable:
    return Variable(
        value,
        trainable=False,
        collections=collections,
        validate_shape=validate_shape,
        name=name,
        use_resource=use_resource,
    )


@add_arg_scope
def variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    caching_device: Any = None,
    device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    use_resource: bool | None = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """`tf.get_variable` with a device, for use with `arg_scope`."""
    collections = list(dict.fromkeys([GraphKeys.GLOBAL_VARIABLES] if collections is None else collections))
    getter: Any = vs.get_variable
    if custom_getter is not None:
        getter = functools.partial(custom_getter, reuse=vs.get_variable_scope().reuse)
    with scopes.device(device or ""):
        return getter(
            name,
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
            collections=collections,
            caching_device=caching_device,
            partitioner=partitioner,
            use_resource=use_resource,
            synchronization=synchronization,
            aggregation=aggregation,
        )


@add_arg_scope
def model_variable(
    name: str,
    shape: Any = None,
    dtype: Any = dtypes.float32,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    caching_device: Any = None,
    device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    use_resource: bool | None = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """`variable`, in MODEL_VARIABLES too: what a model needs at inference."""
    collections = [*(collections or []), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES]
    return variable(
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=collections,
        caching_device=caching_device,
        device=device,
        partitioner=partitioner,
        custom_getter=custom_getter,
        use_resource=use_resource,
        synchronization=synchronization,
        aggregation=aggregation,
    )


def add_model_variable(var: Any) -> None:
    """Put a variable into MODEL_VARIABLES, once."""
    collection = scopes.get_collection_ref(GraphKeys.MODEL_VARIABLES)
    if not any(v is var for v in collection):
        collection.append(var)


# -- finding


def get_variables(
    scope: Any = None, suffix: str | None = None, collection: str = GraphKeys.GLOBAL_VARIABLES
) -> list[Any]:
    """The variables of a collection whose names match `scope` from their start and end in `suffix` (before the colon)."""
    if isinstance(scope, vs.VariableScope):
        scope = scope.name
    if suffix is not None:
        scope = (scope or "") + ".*" + (suffix if ":" in suffix else suffix + ":")
    return scopes.get_collection(collection, scope)


def get_model_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """The model variables of a scope."""
    return get_variables(scope, suffix, GraphKeys.MODEL_VARIABLES)


def get_local_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """The local variables of a scope."""
    return get_variables(scope, suffix, GraphKeys.LOCAL_VARIABLES)


def get_trainable_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """The trainable variables of a scope."""
    return get_variables(scope, suffix, GraphKeys.TRAINABLE_VARIABLES)


def get_variables_to_restore(include: Any = None, exclude: Any = None) -> list[Any]:
    """The variables of the scopes `include` (all without it) but those of `exclude`. Raises TypeError for what is no list."""
    for what, given in (("include", include), ("exclude", exclude)):
        if given is not None and not isinstance(given, list | tuple):
            raise TypeError(f"{what} is provided but is not a list or a tuple.")
    found = get_variables() if include is None else [v for scope in include for v in get_variables(scope)]
    left_out = {id(v) for scope in exclude or () for v in get_variables(scope)}
    return [v for v in found if id(v) not in left_out]


def get_variables_by_suffix(suffix: str, scope: Any = None) -> list[Any]:
    """The variables whose names end in `suffix`."""
    return get_variables(scope=scope, suffix=suffix)


def get_variables_by_name(given_name: str, scope: Any = None) -> list[Any]:
    """The variables whose last part of the name is `given_name`."""
    return get_variables(scope=scope, suffix=f"/{given_name}:|^{given_name}:")


def get_unique_variable(var_op_name: str) -> Any:
    """The variable of that name. Raises ValueError unless there is one."""
    candidates = get_variables(scope=var_op_name)
    if not candidates:
        raise ValueError(f"Couldn't find variable {var_op_name}")
    for candidate in candidates:
        if candidate.op.name == var_op_name:
            return candidate
    raise ValueError(f"Variable {var_op_name} does not uniquely identify a variable")


def get_variable_full_name(var: Any) -> str:
    """The name of a variable; for a part of a partitioned one, the name of the whole."""
    return var._save_slice_info.full_name if var._save_slice_info else var.op.name


def filter_variables(
    var_list: Any, include_patterns: Any = None, exclude_patterns: Any = None, reg_search: bool = True
) -> list[Any]:
    """The variables whose names match one of the patterns to include and none to exclude; `reg_search`: anywhere in the name."""
    matches = re.search if reg_search else re.match

    def one_of(patterns: Any, v: Any) -> bool:
        return any(matches(p, v.name) for p in patterns)

    kept = [v for v in var_list if include_patterns is None or one_of(include_patterns, v)]
    return [v for v in kept if exclude_patterns is None or not one_of(exclude_patterns, v)]


class VariableDeviceChooser:
    """A device function that deals variables to parameter servers in turn."""

    def __init__(
        self,
        num_tasks: int = 0,
        job_name: str = "ps",
        device_type: str = "CPU",
        device_index: int = 0,
        replica: int | None = None,
    ):
        self._job_name, self._device_type, self._device_index = job_name, device_type, device_index
        self._replica, self._num_tasks, self._next_task_id = replica, num_tasks, 0

    def __call__(self, op: Any) -> str:
        where: dict[str, Any] = {
            "replica": self._replica,
            "device_type": self._device_type,
            "device_index": self._device_index,
        }
        if self._num_tasks > 0:
            where["job"], where["task"] = self._job_name, self._next_task_id
            self._next_task_id = (self._next_task_id + 1) % self._num_tasks
        return DeviceSpec(**where).to_string()


# -- filling


def assign_from_values(var_names_to_values: dict[str, Any]) -> tuple[Any, dict[Any, Any]]:
    """An op that sets the variables of those names, and the feeds that it needs. Raises ValueError for unknown names."""
    feeds, assigns = {}, []
    for name, value in var_names_to_values.items():
        found = scopes.get_collection(GraphKeys.GLOBAL_VARIABLES, name)
        if not found:
            raise ValueError(f"Variable {name} wasn't found")
        exact = found if len(found) == 1 else [v for v in found if v.op.name == name]
        if not exact:
            raise ValueError(f"Variable {name} doesn't uniquely identify a variable")
        fed, op = _fed(exact[0])
        assigns.append(op)
        feeds[fed] = np.asarray(value).reshape(exact[0].get_shape().as_list())
    return group(*assigns), feeds


def _fed(var: Any) -> tuple[Any, Any]:
    """A placeholder, and the op that gives its value to the variable."""
    value = placeholder(dtype=var.dtype.base_dtype, shape=var.get_shape(), name="placeholder/" + var.op.name)
    return value, var.assign(value)


def assign_from_values_fn(var_names_to_values: dict[str, Any]) -> Callable[[Any], Any]:
    """A function of a session that sets the variables of those names."""
    op, feeds = assign_from_values(var_names_to_values)
    return lambda session: session.run(op, feeds)


def assign_from_checkpoint(
    model_path: Any, var_list: Any, ignore_missing_vars: bool = False
) -> tuple[Any, dict[Any, Any]]:
    """An op that sets variables to values from a checkpoint, and the feeds that it needs.

    `var_list` is a list, or goes from names in the checkpoint to a variable or a list of them. Raises ValueError for a tensor
    that the checkpoint lacks (skipped with `ignore_missing_vars`) or has in another shape.
    """
    grouped: dict[str, list[Any]] = {}
    if isinstance(var_list, tuple | list):
        for var in var_list:
            grouped.setdefault(get_variable_full_name(var), []).append(var)
    else:
        grouped = {k: list(v) if isinstance(v, tuple | list) else [v] for k, v in var_list.items()}
    reader = CheckpointReader(model_path)
    feeds, assigns = {}, []
    for name, targets in grouped.items():
        if not reader.has_tensor(name):
            text = f"Checkpoint is missing variable [{name}]"
            if not ignore_missing_vars:
                raise ValueError(text)
            log.warning(text)
            continue
        value = np.asarray(reader.get_tensor(name))
        for var in targets:
            fed, op = _fed(var)
            assigns.append(op)
            feeds[fed] = _part_for(var, name, value)
    return group(*assigns), feeds


def _part_for(var: Any, name: str, value: np.ndarray) -> np.ndarray:
    info = var._save_slice_info
    if info:
        cut = tuple(slice(start, start + size) for start, size in zip(info.var_offset, info.var_shape, strict=True))
        return value[cut].reshape(info.var_shape)
    if var.get_shape().as_list() != list(value.shape):
        raise ValueError(
            f"Total size of new array must be unchanged for {name} lh_shape: [{value.shape}], rh_shape: [{var.get_shape()}]"
        )
    return value


def assign_from_checkpoint_fn(
    model_path: Any, var_list: Any, ignore_missing_vars: bool = False, reshape_variables: bool = False
) -> Callable[[Any], None] | None:
    """A function of a session that restores variables; None if nothing is left to restore. ValueError for an empty list."""
    if not var_list:
        raise ValueError("var_list cannot be empty")
    if ignore_missing_vars:
        reader = CheckpointReader(model_path)
        wanted = var_list if isinstance(var_list, dict) else {v.op.name: v for v in var_list}
        for name in wanted:
            if not reader.has_tensor(name):
                log.warning("Variable %s missing in checkpoint %s", name, model_path)
        var_list = {name: v for name, v in wanted.items() if reader.has_tensor(name)}
    if not var_list:
        log.warning("No Variables to restore")
        return None
    saver = Saver(var_list, reshape=reshape_variables, write_version=SaverDef.V1)
    return lambda session: saver.restore(session, model_path)
