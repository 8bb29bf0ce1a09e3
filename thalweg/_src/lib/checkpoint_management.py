"""The files of checkpoints, and the file `checkpoint` that names the latest of a directory."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.status import translated
from thalweg._src.formats import checkpoint_state, protos
from thalweg._src.formats.errors import DataLoss
from thalweg._src.formats.publishing import pending_name
from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log

V2 = 2  # SaverDef.V2


def _state_file(save_dir: Any, latest_filename: str | None) -> str:
    return os.path.join(os.fspath(save_dir), latest_filename or "checkpoint")


def generate_checkpoint_state_proto(
    save_dir: Any,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] | None = None,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> Any:
    """A CheckpointState whose latest checkpoint is `model_checkpoint_path`; it is added to the list, also the
    caller's, if it is not its last.

    Where `save_dir` is relative, so are the paths: to `save_dir`. Raises ValueError for timestamps of another
    number than paths.
    """
    save_dir = os.fspath(save_dir)
    given = all_model_checkpoint_paths
    paths: Any = given if isinstance(given, list) else list(given or [])
    if not paths or paths[-1] != model_checkpoint_path:
        paths.append(model_checkpoint_path)
    if all_model_checkpoint_timestamps and len(all_model_checkpoint_timestamps) != len(paths):
        raise ValueError(
            f"Checkpoint timestamps, if provided, must match checkpoint paths (got paths {paths} and timestamps "
            f"{all_model_checkpoint_timestamps})"
        )
    if not os.path.isabs(save_dir):
        model_checkpoint_path = _relative(model_checkpoint_path, save_dir)
        paths = [_relative(p, save_dir) for p in paths]
    return protos.CheckpointState(
        model_checkpoint_path=model_checkpoint_path,
        all_model_checkpoint_paths=paths,
        all_model_checkpoint_timestamps=all_model_checkpoint_timestamps,
        last_preserved_timestamp=last_preserved_timestamp,
    )


def _relative(path: str, save_dir: str) -> str:
    return path if os.path.isabs(path) else os.path.relpath(path, save_dir)


def update_checkpoint_state(
    save_dir: Any,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] | None = None,
    latest_filename: str | None = None,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> None:
    """Write the file `checkpoint` of `save_dir`, at once. Raises RuntimeError where it would be the checkpoint
    itself.
    """
    write_state(
        save_dir,
        model_checkpoint_path,
        all_model_checkpoint_paths,
        latest_filename,
        False,
        all_model_checkpoint_timestamps,
        last_preserved_timestamp,
    )


def write_state(
    save_dir: Any,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] | None = None,
    latest_filename: str | None = None,
    save_relative_paths: bool = False,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> None:
    """`update_checkpoint_state`, with paths relative to `save_dir` where `save_relative_paths` says so."""
    state_file = _state_file(save_dir, latest_filename)
    latest, paths = model_checkpoint_path, list(all_model_checkpoint_paths or [])
    if save_relative_paths:
        folder = os.fspath(save_dir)
        latest = os.path.relpath(latest, folder) if os.path.isabs(latest) else latest
        paths = [os.path.relpath(p, folder) if os.path.isabs(p) else p for p in paths]
    state = generate_checkpoint_state_proto(
        save_dir, latest, paths, all_model_checkpoint_timestamps, last_preserved_timestamp
    )
    if state_file == state.model_checkpoint_path:
        raise RuntimeError(
            f"Save path '{model_checkpoint_path}' conflicts with path used for checkpoint state.  "
            "Please use a different save path."
        )
    file_io.atomic_write_string_to_file(state_file, checkpoint_state.write_state(state))


def get_checkpoint_state(checkpoint_dir: Any, latest_filename: str | None = None) -> Any:
    """The CheckpointState of a directory, with paths that can be opened from here; None where there is no good one.

    Raises ValueError for one that names no checkpoint.
    """
    state_file = _state_file(checkpoint_dir, latest_filename)
    if not file_io.file_exists(state_file):
        return None
    try:
        with translated():
            state = checkpoint_state.read_state(
                file_io.read_file_to_string(state_file, binary_mode=True), source=state_file
            )
    except (errors.OpError, DataLoss) as error:
        log.warning("%s: %s", type(error).__name__, error)
        log.warning("%s: Checkpoint ignored", state_file)
        return None
    if not state.model_checkpoint_path:
        raise ValueError(f"Invalid checkpoint state loaded from {checkpoint_dir}")
    folder = os.fspath(checkpoint_dir)
    state.model_checkpoint_path = os.path.join(folder, state.model_checkpoint_path)  # an absolute path stays as it is
    for i, path in enumerate(state.all_model_checkpoint_paths):
        state.all_model_checkpoint_paths[i] = os.path.join(folder, path)
    return state


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """The path of the latest checkpoint in a directory, for `Saver.restore`; None if there is none."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None or not state.model_checkpoint_path:
        return None
    if checkpoint_exists(state.model_checkpoint_path):
        return state.model_checkpoint_path
    log.error("Couldn't match files for checkpoint %s", state.model_checkpoint_path)
    return None


def checkpoint_exists(checkpoint_prefix: Any) -> bool:
    """Whether there is a checkpoint of either format; for shards of format V1, `checkpoint_prefix` is their pattern."""
    prefix = os.fspath(checkpoint_prefix)
    return bool(file_io.get_matching_files(prefix + ".index") or file_io.get_matching_files(prefix))


def get_checkpoint_mtimes(checkpoint_prefixes: Sequence[str]) -> list[float]:
    """When the checkpoints were written, in seconds since 1970; those that do not exist are left out."""
    times = []
    for prefix in checkpoint_prefixes:
        found = file_io.get_matching_files(prefix + ".index") or file_io.get_matching_files(prefix)
        if found:
            times.append(file_io.stat(found[0]).mtime_nsec / 1e9)
    return times


def remove_checkpoint(
    checkpoint_prefix: str, checkpoint_format_version: int = V2, meta_graph_suffix: str = "meta"
) -> None:
    """Delete the files of a checkpoint, and its MetaGraph."""
    _delete(meta_graph_filename(checkpoint_prefix, meta_graph_suffix))
    if checkpoint_format_version == V2:
        for file in (".index", ".data-?????-of-?????"):
            _delete(checkpoint_prefix + file)
            _delete(pending_name(checkpoint_prefix + file))
    else:
        _delete(checkpoint_prefix)


def _delete(pattern: str) -> None:
    for path in file_io.get_matching_files(pattern):
        file_io.delete_file(path)


def meta_graph_filename(checkpoint_filename: str, meta_graph_suffix: str = "meta") -> str:
    """The name of the MetaGraph beside a checkpoint: 'model-7.meta', for all its shards."""
    return re.sub(r"-[\d\?]+-of-\d+$", "", checkpoint_filename) + "." + meta_graph_suffix
