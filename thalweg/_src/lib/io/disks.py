"""The file operations of tf.gfile on this machine, and on what fsspec reaches."""

from __future__ import annotations

import os
import shutil
import stat as stat_flags
from typing import Any

from thalweg._src.core.storage import remote


class Facts:
    """What `stat` tells: the length in bytes, the time of the last change in nanoseconds, whether it is a directory."""

    def __init__(self, length: int, mtime_nsec: int, is_directory: bool):
        self.length, self.mtime_nsec, self.is_directory = length, mtime_nsec, is_directory


class Local:
    """Files of this machine."""

    exists = staticmethod(os.path.exists)
    is_directory = staticmethod(os.path.isdir)
    delete = staticmethod(os.remove)
    make_directory = staticmethod(os.mkdir)
    names = staticmethod(os.listdir)
    copy = staticmethod(shutil.copyfile)
    move = staticmethod(os.replace)

    @staticmethod
    def make_directories(path: str) -> None:
        os.makedirs(path, exist_ok=True)

    @staticmethod
    def delete_all(path: str) -> None:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.remove(path)

    @staticmethod
    def stat(path: str) -> Facts:
        found = os.stat(path)
        return Facts(found.st_size, found.st_mtime_ns, stat_flags.S_ISDIR(found.st_mode))


class Remote:
    """Files of an fsspec file system. Directories of object stores are prefixes: making one does little, and can't fail."""

    def __init__(self, files: Any):
        self._files = files

    def exists(self, path: str) -> bool:
        return self._files.exists(path)

    def is_directory(self, path: str) -> bool:
        return self._files.isdir(path)

    def delete(self, path: str) -> None:
        self._files.rm_file(path)

    def make_directory(self, path: str) -> None:
        self._files.mkdir(path)

    def make_directories(self, path: str) -> None:
        self._files.makedirs(path, exist_ok=True)

    def names(self, path: str) -> list[str]:
        own = self._files._strip_protocol(path).rstrip("/")
        found = (str(name).rstrip("/") for name in self._files.ls(path, detail=False))
        return [name.rsplit("/", 1)[-1] for name in found if name != own]

    def copy(self, source: str, target: str) -> None:
        self._files.cp_file(source, target)

    def move(self, source: str, target: str) -> None:
        self._files.mv(source, target, recursive=self._files.isdir(source))

    def delete_all(self, path: str) -> None:
        self._files.rm(path, recursive=True)

    def stat(self, path: str) -> Facts:
        info = self._files.info(path)
        changed = info.get("mtime") or info.get("LastModified") or info.get("updated") or info.get("created") or 0
        seconds = changed.timestamp() if hasattr(changed, "timestamp") else changed
        nanoseconds = int(float(seconds) * 1e9) if isinstance(seconds, int | float) else 0
        return Facts(int(info.get("size") or 0), nanoseconds, info.get("type") == "directory")


def disk(path: str) -> Any:
    """Where `path` is: Local, or a Remote."""
    found = remote(path)
    return Local if found is None else Remote(found)
