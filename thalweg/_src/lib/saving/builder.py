"""The operations of a Saver: SaveV2 behind `save/control_dependency`, RestoreV2 and assignments behind
`save/restore_all`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.devices import DeviceSpec, canonical
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.formats import protos
from thalweg._src.lib.saving.saveables import SaveableObject, validate_and_slice_inputs
from thalweg._src.ops import basic
from thalweg._src.ops.arrays.constants import constant, placeholder_with_default
from thalweg._src.ops.io import checkpoints
from thalweg._src.ops.late import array
from thalweg._src.ops.stateful.partitioned import PartitionedVariable

V1, V2 = 1, 2  # SaverDef.CheckpointFormatVersion


def on_cpu(device: str) -> str:
    """The same task's CPU."""
    spec = DeviceSpec.from_string(device)
    spec.device_type, spec.device_index = "CPU", 0
    return spec.to_string()


class BaseSaverBuilder:
    """Adds one RestoreV2 for each tensor. Subclasses may override `save_op` and `restore_op`."""

    def __init__(self, write_version: int = V2):
        self._write_version = write_version

    def save_op(self, filename_tensor: Tensor, saveables: Sequence[SaveableObject]) -> Operation:
        """The operation that writes all tensors of `saveables`."""
        specs = [spec for saveable in saveables for spec in saveable.specs]
        names, slices = [s.name for s in specs], [s.slice_spec for s in specs]
        tensors = [s.tensor for s in specs]
        if self._write_version == V2:
            return checkpoints.save_v2(filename_tensor, names, slices, tensors)
        if self._write_version != V1:
            raise RuntimeError(f"Unexpected write_version: {self._write_version}")
        return checkpoints.save_slices(filename_tensor, names, slices, tensors, name="save")

    def restore_op(self, filename_tensor: Tensor, saveable: SaveableObject, preferred_shard: int) -> list[Tensor]:
        """Tensors that read those of `saveable`."""
        return [
            checkpoints.restore_v2(filename_tensor, [spec.name], [spec.slice_spec], dtypes=[spec.dtype.base_dtype])[0]
            for spec in saveable.specs
        ]

    def bulk_restore(
        self,
        filename_tensor: Tensor,
        saveables: Sequence[SaveableObject],
        preferred_shard: int,
        restore_sequentially: bool,
    ) -> list[Tensor]:
        """Tensors that read those of all `saveables`."""
        out: list[Tensor] = []
        for saveable in saveables:
            with get_default_graph().device(on_cpu(saveable.device) if saveable.device else None):
                out += self.restore_op(filename_tensor, saveable, preferred_shard)
        return out

    def sharded_filename(self, filename_tensor: Tensor, shard: int, num_shards: Tensor) -> Tensor:
        """The name of one shard."""
        return checkpoints.sharded_filename(filename_tensor, shard, num_shards)

    def build(
        self,
        names_to_saveables: Any,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        filename: str | None = "model",
    ) -> Any:
        """Add the operations of a saver to the default graph; gives its SaverDef.

        Raises TypeError and ValueError for what can't be saved.
        """
        saveables = validate_and_slice_inputs(names_to_saveables)
        graph = get_default_graph()
        with scopes.name_scope(name, "save", [_op_of(s) for s in saveables]):
            path = placeholder_with_default(filename or "model", shape=(), name="filename")
            path = placeholder_with_default(path, shape=(), name="Const")  # the name that older programs feed
            if sharded:
                groups = _by_device(saveables)
                saved = self._sharded_save(path, groups)
                restored = self._sharded_restore(path, groups, restore_sequentially, reshape)
            else:
                saved = self._save(path, saveables)
                restored = self._restore(path, saveables, restore_sequentially, reshape)
        for key in graph.get_all_collection_keys():
            for item in graph.get_collection(key):
                # An importer looks a partitioned variable up by the name of its whole tensor.
                if isinstance(item, PartitionedVariable) and item.name not in graph._nodes_by_name:
                    item.as_tensor()
        return protos.SaverDef(
            filename_tensor_name=path.name,
            save_tensor_name=saved.name,
            restore_op_name=restored.name,
            max_to_keep=max_to_keep or 0,
            sharded=sharded,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            version=self._write_version,
        )

    def _save(self, path: Tensor, saveables: Sequence[SaveableObject]) -> Tensor:
        return basic.with_dependencies([self.save_op(path, saveables)], path)

    def _restore(
        self,
        path: Tensor,
        saveables: Sequence[SaveableObject],
        restore_sequentially: bool,
        reshape: bool,
        shard: int = -1,
        name: str = "restore_all",
    ) -> Operation:
        tensors = iter(self.bulk_restore(path, saveables, shard, restore_sequentially))
        assigned = []
        for saveable in saveables:
            own = [next(tensors) for _ in saveable.specs]
            assigned.append(saveable.restore(own, [_shape(s.tensor) for s in saveable.specs] if reshape else None))
        return basic.group(*assigned, name=name)

    def _sharded_save(self, path: Tensor, groups: list[tuple[str, list[SaveableObject]]]) -> Tensor:
        if self._write_version == V2:
            return self._save_shards_then_merge(path, groups)
        graph = get_default_graph()
        count = constant(len(groups), name="num_shards")
        saves = []
        for shard, (device, saveables) in enumerate(groups):
            with graph.device(device):
                saves.append(self._save(self.sharded_filename(path, shard, count), saveables))
        with graph.control_dependencies([s.op for s in saves]):
            return checkpoints.sharded_filespec(path, count)

    def _save_shards_then_merge(self, path: Tensor, groups: list[tuple[str, list[SaveableObject]]]) -> Tensor:
        from thalweg._src.ops.text.strings import string_join

        graph = get_default_graph()
        # All shards are written beside the checkpoint, then become it together.
        temporary = string_join([path, f"_temp_{uuid.uuid4().hex}/part"])
        count = constant(len(groups), name="num_shards")
        saves, names = [], []
        for shard, (device, saveables) in enumerate(groups):
            with graph.device(on_cpu(device)):
                names.append(self.sharded_filename(temporary, shard, count))
                saves.append(self._save(names[-1], saveables))
        with graph.control_dependencies([s.op for s in saves]), graph.device(on_cpu(groups[-1][0])):
            merged = checkpoints.merge_v2_checkpoints(array.stack(names), path, delete_old_dirs=True)
            with graph.control_dependencies([merged]):
                return basic.identity(path)

    def _sharded_restore(
        self, path: Tensor, groups: list[tuple[str, list[SaveableObject]]], sequentially: bool, reshape: bool
    ) -> Operation:
        shards = []
        for shard, (device, saveables) in enumerate(groups):
            with get_default_graph().device(device):
                shards.append(self._restore(path, saveables, sequentially, reshape, shard, "restore_shard"))
        return basic.group(*shards, name="restore_all")


class BulkSaverBuilder(BaseSaverBuilder):
    """Adds one RestoreV2 for all tensors."""

    def bulk_restore(
        self,
        filename_tensor: Tensor,
        saveables: Sequence[SaveableObject],
        preferred_shard: int,
        restore_sequentially: bool,
    ) -> list[Tensor]:
        specs = [spec for saveable in saveables for spec in saveable.specs]
        with get_default_graph().device("cpu:0"):
            return checkpoints.restore_v2(
                filename_tensor,
                [s.name for s in specs],
                [s.slice_spec for s in specs],
                dtypes=[s.dtype.base_dtype for s in specs],
            )


def _op_of(saveable: SaveableObject) -> Any:
    op = saveable.op
    return op if isinstance(op, Tensor) else getattr(op, "_variable", None)


def _shape(t: Tensor) -> Any:
    return t.get_shape() if t.get_shape().is_fully_defined() else array.shape(t)


def _by_device(saveables: Sequence[SaveableObject]) -> list[tuple[str, list[SaveableObject]]]:
    groups: dict[str, list[SaveableObject]] = {}
    for saveable in saveables:
        devices = {canonical(spec.tensor.device) for spec in saveable.specs}
        if len(devices) != 1:
            raise ValueError(f"All tensors of a saveable object must be on the same device: {saveable.name}")
        groups.setdefault(devices.pop(), []).append(saveable)
    return sorted(groups.items())
