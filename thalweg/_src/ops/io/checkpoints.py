"""Checkpoints as ops: Save and Restore of formats V1 and V2. They run on the host and hold one tensor at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes as types
from thalweg._src.core import errors, infer
from thalweg._src.core.dtypes import int32, string
from thalweg._src.core.opdef import Min, Mixed, Types, op, type_attr
from thalweg._src.core.status import translated
from thalweg._src.core.storage import files_of, matching, scheme_of

dt = type_attr("dt")


def _text(x: np.ndarray) -> str:
    return x.item().decode()


def local_path(path: str) -> str:
    """`path` without the scheme of local files."""
    return path[len("file://") :] if path.startswith("file://") else path


def make_folder_of(prefix: str) -> None:
    """Make the directory of a checkpoint, if only that is missing: shards are written to one of their own."""
    import contextlib
    import os

    folder = os.path.dirname(prefix)
    if folder and not scheme_of(prefix):
        with contextlib.suppress(FileExistsError, FileNotFoundError):  # opening the file will say what is missing
            os.mkdir(folder)


def _texts(x: np.ndarray) -> list[str]:
    return [s.decode() for s in x.ravel()]


def _write(writer: Any, names: Sequence[str], specs: Sequence[str], tensors: Sequence[Any], kinds: Any) -> None:
    """Add each tensor, whole or as the slice that its spec tells."""
    from thalweg._src.formats.slices import parse_shape_and_slice

    for name, spec, tensor, kind in zip(names, specs, tensors, kinds, strict=True):
        array, enum = np.asarray(tensor), kind.base_dtype.as_datatype_enum
        if not spec:
            writer.add(name, array, enum)
            continue
        shape, part, wanted = parse_shape_and_slice(spec)
        if wanted != array.shape:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"Slice in shape_and_slice specification does not match the shape of the tensor to  save: {spec}, "
                f"tensor: {list(array.shape)}",
            )
        writer.add_slice(name, shape, part, array, enum)


def _check_lengths(names: Sequence[str], specs: Sequence[str], tensors: Sequence[Any]) -> None:
    if not len(names) == len(specs) == len(tensors):
        raise errors.InvalidArgumentError(
            None,
            None,
            f"Got {len(names)} tensor names, {len(specs)} shapes and slices, and {len(tensors)} tensors to save",
        )


@op("SaveV2", effect="host", host=True, foldable=False)
def save_v2(
    prefix: string,
    tensor_names: string,
    shape_and_slices: string,
    tensors: Mixed("dtypes", 1),
    *,
    dtypes: Min(Types, 1),
):
    """Write tensors, or slices of partitioned ones, to the checkpoint `prefix` (format V2)."""
    from thalweg._src.formats.bundle import BundleWriter

    names, specs = _texts(tensor_names), _texts(shape_and_slices)
    _check_lengths(names, specs, tensors)
    path = local_path(_text(prefix))
    make_folder_of(path)
    with translated(), BundleWriter(path, files_of(path)) as writer:
        _write(writer, names, specs, tensors, dtypes)


def _save_v1(path: str, names: list[str], specs: list[str], tensors: list[Any], kinds: Any) -> None:
    from thalweg._src.formats.checkpoint_v1 import V1Writer

    _check_lengths(names, specs, tensors)
    with translated():
        path = local_path(path)
        writer = V1Writer(path, files_of(path))
        _write(writer, names, specs, tensors, kinds)
        writer.finish()


@op("Save", effect="host", host=True, foldable=False)
def save(filename: string, tensor_names: string, data: Mixed("T", 1), *, T: Min(Types, 1)):
    """Write tensors to the checkpoint file `filename` (format V1)."""
    names = _texts(tensor_names)
    _save_v1(_text(filename), names, [""] * len(names), data, T)


@op("SaveSlices", effect="host", host=True, foldable=False)
def save_slices(
    filename: string, tensor_names: string, shapes_and_slices: string, data: Mixed("T", 1), *, T: Min(Types, 1)
):
    """As Save, with slices of partitioned tensors."""
    _save_v1(_text(filename), _texts(tensor_names), _texts(shapes_and_slices), data, T)


def open_reader(path: str) -> Any:
    """The reader of a checkpoint of either format; `path` may be a pattern that matches the shards of one of format V1.

    Raises NotFoundError if there is none.
    """
    from thalweg._src.formats.checkpoint import open_checkpoint
    from thalweg._src.formats.publishing import index_name

    path = local_path(path)
    files = files_of(path)
    if files.exists(index_name(path)) or files.exists(path):
        return open_checkpoint(path, files)
    shards = matching(path)
    if not shards:
        raise errors.NotFoundError(
            None, None, f"Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {path}"
        )
    return open_checkpoint(path, files, shards=shards)


def read_tensor(reader: Any, name: str, spec: str, kind: types.DType | None) -> np.ndarray:
    """The tensor `name` or the slice `spec` of it. Raises NotFoundError, InvalidArgumentError where it has another type
    or shape, DataLossError.
    """
    from thalweg._src.formats.slices import parse_shape_and_slice
    from thalweg._src.formats.types import NAME_OF_ENUM

    entry = reader.entry(name)
    if kind is not None and entry.enum != kind.base_dtype.as_datatype_enum:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"tensor_name = {name}; expected dtype {kind.base_dtype.name} does not equal original dtype "
            f"{NAME_OF_ENUM[entry.enum]}",
        )
    if not spec:
        return reader.read(name)
    shape, part, _ = parse_shape_and_slice(spec)
    if shape != entry.shape:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"tensor_name = {name}; shape in shape_and_slice spec {list(shape)} does not match the shape stored in "
            f"checkpoint: {list(entry.shape)}",
        )
    return reader.read(name, part)


@op("RestoreV2", effect="host", host=True, foldable=False)
def restore_v2(prefix: string, tensor_names: string, shape_and_slices: string, *, dtypes: Min(Types, 1)) -> Mixed(
    "dtypes"
):
    """Read tensors from the checkpoint `prefix`, of format V2 or V1."""
    names, specs = _texts(tensor_names), _texts(shape_and_slices)
    with translated(), open_reader(_text(prefix)) as reader:
        return [read_tensor(reader, n, s, d) for n, s, d in zip(names, specs, dtypes, strict=True)]


@op("Restore", effect="host", host=True, foldable=False)
def restore(file_pattern: string, tensor_name: string, *, dt: dt, preferred_shard: int = -1) -> dt:
    """Read a tensor from a checkpoint file, or from shards that match a pattern (format V1)."""
    with translated(), open_reader(_text(file_pattern)) as reader:
        return read_tensor(reader, _text(tensor_name), "", dt)


@op("RestoreSlice", effect="host", host=True, foldable=False)
def restore_slice(
    file_pattern: string, tensor_name: string, shape_and_slice: string, *, dt: dt, preferred_shard: int = -1
) -> dt:
    """As Restore, a slice of a partitioned tensor."""
    with translated(), open_reader(_text(file_pattern)) as reader:
        return read_tensor(reader, _text(tensor_name), _text(shape_and_slice), dt)


@restore_v2.shape_rule
def _(op):
    specs = infer.constant_value(op.inputs[2])
    if specs is None or specs.size != len(op.outputs):
        return [None] * len(op.outputs)
    return [_slice_dims(s) for s in specs.ravel()]


@restore_slice.shape_rule
def _(op):
    spec = infer.constant_value(op.inputs[2])
    return [None if spec is None else _slice_dims(spec.item())]


restore.shape_rule(lambda op: [None])


def _slice_dims(spec: bytes) -> Any:
    from thalweg._src.formats.slices import parse_shape_and_slice

    return parse_shape_and_slice(spec.decode())[2] if spec else None


@op("MergeV2Checkpoints", effect="host", host=True, foldable=False)
def merge_v2_checkpoints(checkpoint_prefixes: string, destination_prefix: string, *, delete_old_dirs: bool = True):
    """Make one checkpoint of several, which are moved; `delete_old_dirs` removes the directories they leave empty."""
    import os

    from thalweg._src.formats.bundle import merge_bundles

    prefixes, merged = [local_path(p) for p in _texts(checkpoint_prefixes)], local_path(_text(destination_prefix))
    with translated():
        merge_bundles(prefixes, merged, files_of(merged))
    if delete_old_dirs:
        merged_in = os.path.dirname(merged)
        for folder in dict.fromkeys(os.path.dirname(p) for p in prefixes):
            if folder != merged_in and os.path.isdir(folder) and not os.listdir(folder):
                os.rmdir(folder)


@op("ShardedFilename", host=True, numpy_only=True)
def sharded_filename(basename: string, shard: int32, num_shards: int32) -> string:
    """The name of one of several files: `base-00001-of-00004`."""
    return np.array(b"%s-%05d-of-%05d" % (basename.item(), int(shard), int(num_shards)), object)


@op("ShardedFilespec", host=True, numpy_only=True)
def sharded_filespec(basename: string, num_shards: int32) -> string:
    """The pattern that matches those names: `base-?????-of-00004`."""
    return np.array(b"%s-?????-of-%05d" % (basename.item(), int(num_shards)), object)


for _name in (sharded_filename, sharded_filespec):
    _name.shape_rule(lambda op: [()])

for _op in (
    *(save_v2, save, save_slices, restore_v2, restore, restore_slice),
    *(merge_v2_checkpoints, sharded_filename, sharded_filespec),
):
    _op.not_differentiable()
