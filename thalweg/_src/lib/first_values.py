"""First values of variables from a checkpoint: `tf.train.init_from_checkpoint`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.checkpoints import CheckpointReader, checkpoint_filename, load_checkpoint
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saving.saveables import op_list_to_dict, saveable_objects_for_op
from thalweg._src.ops.io import checkpoints
from thalweg._src.ops.stateful.partitioned import PartitionedVariable
from thalweg._src.ops.stateful.variable_store import variable_store
from thalweg._src.ops.stateful.variables import Variable


def init_from_checkpoint(ckpt_dir_or_file: Any, assignment_map: Any) -> None:
    """Make the initializers of variables read a checkpoint.

    `assignment_map` goes from names in the checkpoint to variables here, given as Variable, as list of the parts of a
    partitioned one, or as the name of one that `get_variable` made; or from scope to scope ('old/': 'new/', '/' for
    the root), which takes all variables of the scope here. Pairs may be given instead of a dict.

    Raises ValueError where the checkpoint lacks a tensor or has it in another shape.
    """
    path, reader = checkpoint_filename(ckpt_dir_or_file), load_checkpoint(ckpt_dir_or_file)
    pairs: Iterable[tuple[str, Any]] = assignment_map.items() if hasattr(assignment_map, "items") else assignment_map
    for name, target in sorted(pairs, key=lambda pair: pair[0]):
        variable = _variable(target)
        if variable is not None:
            _initialize(variable, path, name, reader, ckpt_dir_or_file)
        else:
            _initialize_scope(target, path, name, reader, ckpt_dir_or_file)


def is_variable(x: Any) -> bool:
    return isinstance(x, Variable)


def _variable(target: Any) -> Any:
    """The variable that an entry of the map means, or the list of its parts; None for a scope."""
    if is_variable(target):
        return target
    if isinstance(target, PartitionedVariable) or (isinstance(target, list) and all(map(is_variable, target))):
        return list(target)
    return _by_name(target)


def _by_name(name: str) -> Any:
    made = variable_store()._vars
    if name in made:
        return made[name]
    parts: list[Any] = []
    while (part := f"{name}/part_{len(parts)}") in made:
        parts.append(made[part])
    return parts or None


def _initialize(variable: Any, path: Any, name: str, reader: CheckpointReader, source: Any) -> None:
    shapes = reader.get_variable_to_shape_map()
    if name not in shapes:
        raise ValueError(f"Tensor {name} is not found in {source} checkpoint {shapes}")
    if is_variable(variable) and not variable.get_shape().is_compatible_with(shapes[name]):
        raise ValueError(
            f"Shape of variable {variable.name} ({variable.get_shape()}) doesn't match with shape of tensor {name} "
            f"({shapes[name]}) from checkpoint reader."
        )
    _set_initializers(variable, path, name)
    log.debug("Initialize variable %s from checkpoint %s with %s", variable, source, name)


def _initialize_scope(target: str, path: Any, name: str, reader: CheckpointReader, source: Any) -> None:
    scope = target[: target.rindex("/")] if "/" in target else ""
    if not name.endswith("/"):
        raise ValueError(
            f"Assignment map with scope only name {scope} should map to scope only {name}. Should be 'scope/': "
            "'other_scope/'."
        )
    inside = {n.split("/part_")[0] for n in variable_store()._vars if not scope or n.startswith(scope + "/")}
    for own in sorted(inside):
        rest = own[len(scope) :] if target == "/" else own[len(scope) + 1 if scope else 1 :]
        full = (rest if name == "/" else name + rest).removesuffix("/")
        if not reader.has_tensor(full):
            raise ValueError(f"Tensor {full} ({own[len(scope) + 1 :]} in {name}) is not found in {source} checkpoint")
        _set_initializers(_by_name(own), path, full)
        log.debug("Initialize variable %s from checkpoint %s with %s", own, source, full)


def _set_initializers(variable: Any, path: Any, name: str) -> None:
    if is_variable(variable):
        _set_initializer(variable, path, name, "")
        return
    full_name = None
    for part in variable:
        info = part._get_save_slice_info()
        full_name = info.full_name if full_name is None else full_name
        if full_name != info.full_name:
            raise ValueError(f"Slices must all be from the same tensor: {full_name} != {info.full_name}")
        _set_initializer(part, path, name, info.spec)


def _set_initializer(variable: Any, path: Any, name: str, slice_spec: str) -> None:
    graph = get_default_graph()
    with graph.device(variable.device), graph.device("/cpu:0"):
        (read,) = checkpoints.restore_v2(
            path, [name], [slice_spec], dtypes=[variable.dtype.base_dtype], name="checkpoint_initializer"
        )
        (saveable,) = (s for n, op in op_list_to_dict([variable]).items() for s in saveable_objects_for_op(op, n))
    init = saveable.restore([read], restored_shapes=None)
    read.set_shape(variable.shape)
    variable._initializer_op = getattr(init, "op", init)
    variable._initial_value = read
