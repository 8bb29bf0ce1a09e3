"""What is in a checkpoint, and the wait for the next one."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, errors
from thalweg._src.core.status import translated
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops.io.checkpoints import open_reader


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


class CheckpointReader:
    """Reads the tensors of one checkpoint, of either format, one by one.

    Raises NotFoundError where there is none, DataLossError where it is damaged.
    """

    def __init__(self, filename: str | bytes | os.PathLike[str]):
        path = os.fspath(filename)
        with translated():
            self._reader = open_reader(_text(path))
        weakref.finalize(self, self._reader.close)

    def has_tensor(self, tensor_str: str | bytes) -> bool:
        return _text(tensor_str) in self._reader

    def get_tensor(self, tensor_str: str | bytes) -> Any:
        """The value of a tensor, an array of its own. Raises NotFoundError."""
        name = _text(tensor_str)
        if name not in self._reader:
            raise errors.NotFoundError(None, None, f"Key {name} not found in checkpoint")
        with translated():
            value = self._reader.read(name)
        if value.ndim == 0:
            return value[()]
        return value if value.flags.writeable else np.array(value)

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        return {name: list(entry.shape) for name, entry in self._reader.entries()}

    def get_variable_to_dtype_map(self) -> dict[str, dtypes.DType]:
        return {name: dtypes.as_dtype(entry.enum) for name, entry in self._reader.entries()}

    def debug_string(self) -> bytes:
        """A line for each tensor: its name, type and shape."""
        from thalweg._src.formats.checkpoint import describe

        return describe(self._reader).encode()


def new_checkpoint_reader(filepattern: str | bytes) -> CheckpointReader:
    """`tf.train.NewCheckpointReader`."""
    return CheckpointReader(filepattern)


def checkpoint_filename(ckpt_dir_or_file: Any) -> str | None:
    """The checkpoint that is meant: the latest one of a directory (None if it has none), else the path itself."""
    path = _text(os.fspath(ckpt_dir_or_file))
    return latest_checkpoint(path) if file_io.is_directory(path) else path


def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """The reader of a checkpoint, or of the latest one of a directory. Raises ValueError for a directory without."""
    filename = checkpoint_filename(ckpt_dir_or_file)
    if filename is None:
        raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {ckpt_dir_or_file}")
    return CheckpointReader(filename)


def load_variable(ckpt_dir_or_file: Any, name: str) -> Any:
    """The value of one tensor of a checkpoint."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """(name, shape) of each tensor of a checkpoint, by name."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def wait_for_new_checkpoint(
    checkpoint_dir: Any,
    last_checkpoint: str | None = None,
    seconds_to_sleep: float = 1,
    timeout: float | None = None,
) -> str | None:
    """The latest checkpoint of a directory as soon as it is another one than `last_checkpoint`; None after `timeout`
    seconds without.
    """
    log.info("Waiting for new checkpoint at %s", checkpoint_dir)
    end = None if timeout is None else time.time() + timeout
    while True:
        path = latest_checkpoint(checkpoint_dir)
        if path is not None and path != last_checkpoint:
            log.info("Found new checkpoint at %s", path)
            return path
        if end is not None and time.time() + seconds_to_sleep > end:
            return None
        time.sleep(seconds_to_sleep)


def checkpoints_iterator(
    checkpoint_dir: Any,
    min_interval_secs: float = 0,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Iterator[str]:
    """Each new checkpoint of a directory, at most one in `min_interval_secs`.

    Ends where none comes for `timeout` seconds, unless `timeout_fn` then says that more may come (False).
    """
    path: str | None = None
    while True:
        found = wait_for_new_checkpoint(checkpoint_dir, path, timeout=timeout)
        if found is None:
            if timeout_fn is None:
                log.info("Timed-out waiting for a checkpoint.")
                return
            if timeout_fn():
                return
            continue
        start, path = time.time(), found
        yield path
        time.sleep(max(0.0, start + min_interval_secs - time.time()))
