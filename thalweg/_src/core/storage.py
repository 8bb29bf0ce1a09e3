"""Files by name, wherever they are: on this machine, or where fsspec reaches (`gs://`, `s3://`, `hdfs://`, `memory://`)."""

from __future__ import annotations

import errno
import glob
import os
import re
from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.formats.files import LOCAL, Files

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]*)://")
BUFFER = 1 << 18


def scheme_of(path: str) -> str:
    """What stands before `://`, or an empty string for a path of this machine."""
    found = _SCHEME.match(path)
    return found.group(1).lower() if found else ""


def as_path(name: Any) -> str:
    """A file name as str, `file://` taken off. Raises TypeError for what is no name."""
    path = os.fsdecode(name)
    return path[len("file://") :] if path.startswith("file://") else path


def remote(path: str) -> Any:
    """The fsspec file system of `path`, or None for a path of this machine.

    Raises UnimplementedError for a scheme that nothing installed knows.
    """
    scheme = scheme_of(path)
    if not scheme:
        return None
    try:
        import fsspec
    except ImportError:
        raise errors.UnimplementedError(
            None,
            None,
            f"File system scheme '{scheme}' not implemented (file: '{path}'): it needs fsspec, which is not installed.",
        ) from None
    try:
        return fsspec.core.url_to_fs(path)[0]
    except (ImportError, ValueError) as error:
        raise errors.UnimplementedError(
            None, None, f"File system scheme '{scheme}' not implemented (file: '{path}'): {error}"
        ) from None


class FarFiles:
    """Files that fsspec reaches, for formats of several files. Folders come with what is written into them."""

    def __init__(self, there: Any):
        self._there = there

    def open(self, path: str, mode: str) -> Any:
        if mode != "rb":
            self._there.makedirs(path.rpartition("/")[0], exist_ok=True)
        if mode == "xb" and self._there.exists(path):
            raise FileExistsError(errno.EEXIST, "the file exists", path)
        return self._there.open(path, mode.replace("x", "w"))

    def exists(self, path: str) -> bool:
        return self._there.exists(path)

    def rename(self, source: str, target: str) -> None:
        self._there.mv(source, target)

    def remove(self, path: str) -> None:
        self._there.rm_file(path)


def files_of(path: str) -> Files:
    """Where the file `path` is: on this machine, or where fsspec reaches."""
    there = remote(path)
    return LOCAL if there is None else FarFiles(there)


def open_file(name: Any, mode: str = "rb", buffering: int = BUFFER) -> Any:
    """A binary stream of the file; `mode` is rb, wb or ab. Raises OSError as `open` does."""
    path = as_path(name)
    there = remote(path)
    return open(path, mode, buffering=buffering) if there is None else there.open(path, mode)


class Content(bytes):
    """The bytes of a whole file, which know where they are from, so that an error about them can say so."""

    source: str = ""

    @classmethod
    def of(cls, name: Any) -> Content:
        """The content of the file `name`. Raises OSError as `open` does."""
        path = as_path(name)
        there = remote(path)
        if there is None:
            found = cls(_read(path))
        else:
            with there.open(path, "rb") as stream:
                found = cls(stream.read())
        found.source = os.fsdecode(name)
        return found


def _read(path: str) -> bytes:
    """The bytes of a file of this machine. A file object would cost four times as much as the reading of a small file."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        size = os.fstat(descriptor).st_size
        parts = [os.read(descriptor, size + 1)]
        if size and len(parts[0]) == size:
            return parts[0]
        while parts[-1]:  # the system may give less than it is asked for
            parts.append(os.read(descriptor, BUFFER))
    finally:
        os.close(descriptor)
    return b"".join(parts)


def plain_strings(array: np.ndarray) -> Any:
    """A copy of an array of strings for users, the string itself where its rank is 0: NumPy can't make an array of a Content."""
    if array.ndim == 0:
        value = array[()]
        return bytes(value) if type(value) is Content else value
    out = array.copy()
    for at, value in enumerate(out.flat):
        if type(value) is Content:
            out.flat[at] = bytes(value)
    return out


def matching(pattern: Any) -> list[str]:
    """The names of the files that match a pattern, sorted."""
    path = as_path(pattern)
    there = remote(path)
    if there is None:
        return sorted(glob.glob(path, include_hidden=True))
    return sorted(there.unstrip_protocol(found) for found in there.glob(path))
