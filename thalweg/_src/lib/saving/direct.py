"""Saving and restoring past the executables: read off a Saver's operations which variables they move, and move
those.

The operations say the same to whoever runs them, here or in TensorFlow. But run as a graph, they pass all variables
through executables, which copy them; directly, only one tensor at a time is in memory twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from thalweg._src.core import errors, infer
from thalweg._src.core.dtypes import DType, as_dtype
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.status import translated
from thalweg._src.core.storage import files_of
from thalweg._src.lib.saving.saveables import op_list_to_dict
from thalweg._src.ops.io import checkpoints
from thalweg._src.runtime import direct
from thalweg._src.runtime.processor import give_back

MUCH = 1 << 26  # bytes


class Move(NamedTuple):
    """One variable and its place in a checkpoint. `reshape`: it takes values of another shape, if the size is the same;
    `shape`: what a value must fit; `dtype`: the type of the tensor in the checkpoint.
    """

    source: Operation
    name: str
    slice_spec: str
    dtype: DType
    reshape: bool
    shape: Any


def eager_moves(variables: Any) -> list[Move]:
    """The moves of variables of eager execution: a list of them, or a dict by name. Raises ValueError for equal names."""
    named = variables if isinstance(variables, dict) else op_list_to_dict(variables)
    moves = []
    for name, found in sorted(named.items()):
        for v in found if isinstance(found, list | tuple) else [found]:
            spec = v._save_slice_info.spec if v._save_slice_info is not None else ""
            source = v.handle.op
            moves.append(Move(source, name, spec, v.dtype.base_dtype, False, source._attrs["shape"]))
    return moves


def save_moves(graph: Graph, saver_def: Any) -> list[Move] | None:
    """What the save operation of `saver_def` writes; None if it does more than write variables to one bundle."""
    filename = graph.as_graph_element(saver_def.filename_tensor_name)
    op = _only_writer(graph.as_graph_element(saver_def.save_tensor_name).op, filename)
    if op is None or any(c.type != "ReadVariableOp" for c in op._control_inputs):
        return None
    names, specs = _constants(op)
    if names is None:
        return None
    moves = []
    for name, spec, t in zip(names, specs, op._inputs[3:], strict=True):
        source = _source(t)
        if source is None:
            return None
        moves.append(Move(source, name, spec, t.dtype.base_dtype, False, None))
    return moves


# What a Saver puts between its filename and what it returns, besides SaveV2 itself.
_AROUND = {"Identity", "MergeV2Checkpoints", "Pack", "ShardedFilename", "StringJoin", "Const"}


def _only_writer(saved: Operation, filename: Tensor) -> Operation | None:
    """The SaveV2 that writes the one shard of a Saver; None where there are several, or other operations."""
    writers = []
    waiting, seen = [saved], set()
    while waiting:
        op = waiting.pop()
        if op in seen or op is filename.op:
            continue
        seen.add(op)
        if op.type == "SaveV2":
            writers.append(op)
            waiting.append(op._inputs[0].op)
        elif op.type in _AROUND:
            waiting += [*[t.op for t in op._inputs], *op._control_inputs]
        else:
            return None
    return writers[0] if len(writers) == 1 else None


def restore_moves(graph: Graph, saver_def: Any) -> list[Move] | None:
    """What the restore operation of `saver_def` reads; None if it does more than assign tensors to variables."""
    restored = graph.as_graph_element(saver_def.restore_op_name)
    assigns: list[Operation] = []
    if not isinstance(restored, Operation) or not _assigns(restored, assigns):
        return None
    moves = []
    for op in assigns:
        move = _restore_move(op, graph, saver_def)
        if move is None:
            return None
        moves.append(move)
    return moves


def _assigns(op: Operation, found: list[Operation]) -> bool:
    """Collect the assignments behind groups; False if something else is there."""
    if op.type == "NoOp":
        return all(_assigns(c, found) for c in op._control_inputs)
    if op.type not in ("Assign", "AssignVariableOp") or op._control_inputs:
        return False
    if op not in found:
        found.append(op)
    return True


def _restore_move(op: Operation, graph: Graph, saver_def: Any) -> Move | None:
    target, value = op._inputs
    source = target.op
    while value.op.type == "Identity":
        value = value.op._inputs[0]
    reshape = value.op.type == "Reshape"
    if reshape:
        value = value.op._inputs[0]
    reader = value.op
    if not source.opdef.source or reader.type != "RestoreV2" or reader._control_inputs:
        return None
    names, specs = _constants(reader)
    if names is None or not _is_filename(reader._inputs[0], graph, saver_def):
        return None
    i = value.value_index
    fixed = op._attrs.get("validate_shape", True) or reshape
    return Move(source, names[i], specs[i], value.dtype, reshape, source._attrs.get("shape") if fixed else None)


def _is_filename(t: Tensor, graph: Graph, saver_def: Any) -> bool:
    return t is graph.as_graph_element(saver_def.filename_tensor_name)


def _constants(op: Operation) -> tuple[Any, Any]:
    names, specs = infer.constant_value(op._inputs[1]), infer.constant_value(op._inputs[2])
    if names is None or specs is None:
        return None, None
    return [n.decode() for n in names.ravel()], [s.decode() for s in specs.ravel()]


def _source(t: Tensor) -> Operation | None:
    """The variable that `t` is the value of, through identities and a read."""
    while t.op.type == "Identity" and not t.op._control_inputs:
        t = t.op._inputs[0]
    if t.op.type == "ReadVariableOp" and not t.op._control_inputs:
        t = t.op._inputs[0]
    return t.op if t.op.opdef.source and "shape" in t.op._attrs else None


def save(session: Any, prefix: str, moves: list[Move], more: Mapping[str, np.ndarray] = MappingProxyType({})) -> None:
    """Write the variables, as they are between two steps, and `more` arrays under their names."""
    from thalweg._src.formats.bundle import BundleWriter
    from thalweg._src.formats.slices import parse_shape_and_slice

    path = checkpoints.local_path(prefix)
    checkpoints.make_folder_of(path)
    with translated(), direct.held(session), BundleWriter(path, files_of(path)) as writer:
        for move in moves:
            value, enum = direct.value_of(session, move.source), move.dtype.as_datatype_enum
            if move.slice_spec:
                shape, part, _ = parse_shape_and_slice(move.slice_spec)
                writer.add_slice(move.name, shape, part, value, enum)
            else:
                writer.add(move.name, value, enum)
        for name, array in more.items():
            writer.add(name, array, as_dtype(array.dtype).as_datatype_enum)


def restore(session: Any, path: str, moves: list[Move]) -> None:
    """Read the variables. What does not fit is found before the first of them changes."""
    with translated(), checkpoints.open_reader(path) as reader:
        for move in moves:
            _check(reader, move)
        left = 0  # bytes of what was replaced, which the C library keeps
        for move in moves:
            value = checkpoints.read_tensor(reader, move.name, move.slice_spec, move.dtype)
            if move.reshape:
                value = value.reshape(_full_shape(move, value))
            left += direct.put(session, move.source, value)
            del value  # before the next one is read
            if left >= MUCH:
                give_back()
                left = 0


def _check(reader: Any, move: Move) -> None:
    from thalweg._src.formats.slices import parse_shape_and_slice
    from thalweg._src.formats.types import NAME_OF_ENUM

    entry = reader.entry(move.name)
    if entry.enum != move.dtype.as_datatype_enum:
        raise errors.InvalidArgumentError(
            None,
            move.source,
            f"tensor_name = {move.name}; expected dtype {move.dtype.name} does not equal original dtype "
            f"{NAME_OF_ENUM[entry.enum]}",
        )
    shape = entry.shape
    if move.slice_spec:
        full, _, shape = parse_shape_and_slice(move.slice_spec)
        if full != entry.shape:
            raise errors.InvalidArgumentError(
                None,
                move.source,
                f"tensor_name = {move.name}; shape in shape_and_slice spec {list(full)} does not match the shape "
                "stored "
                f"in checkpoint: {list(entry.shape)}",
            )
    if move.shape is None:
        return
    if move.reshape:
        if None not in move.shape and int(np.prod(shape)) != int(np.prod(move.shape)):
            raise errors.InvalidArgumentError(
                None,
                move.source,
                f"Input to reshape is a tensor with {int(np.prod(shape))} values, but the requested shape has "
                f"{int(np.prod(move.shape))}: {move.name}",
            )
    elif len(shape) != len(move.shape) or any(d is not None and d != n for d, n in zip(move.shape, shape, strict=True)):
        want = ",".join("?" if d is None else str(d) for d in move.shape)
        raise errors.InvalidArgumentError(
            None,
            move.source,
            f"Assign requires shapes of both tensors to match. lhs shape= [{want}] rhs shape= "
            f"[{','.join(map(str, shape))}]: the variable {move.source.name!r} and {move.name!r} in the checkpoint",
        )


def _full_shape(move: Move, value: np.ndarray) -> Any:
    return value.shape if move.shape is None or None in move.shape else move.shape
