"""tf.gfile and tf.python_io's files: the operating system's, with TensorFlow's names and errors."""

from __future__ import annotations

import binascii
import fnmatch
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.status import translated
from thalweg._src.core.storage import as_path, matching, open_file, scheme_of
from thalweg._src.lib.io.disks import Facts as FileStatistics
from thalweg._src.lib.io.disks import disk

_MODES = ("r", "w", "a", "r+", "w+", "a+")
_BLOCK = 16 * 1024 * 1024


class FileIO:
    """A file opened by the first read or write. `mode` is r, w, a, r+, w+ or a+, with b for bytes instead of str."""

    def __init__(self, name: Any, mode: str):
        plain = mode.replace("b", "")
        if plain not in _MODES:
            raise errors.InvalidArgumentError(None, None, "mode is not 'r' or 'w' or 'a' or 'r+' or 'w+' or 'a+'")
        self._name, self._mode = name, mode
        self._binary = "b" in mode
        self._readable, self._writable = plain in ("r", "r+", "a+", "w+"), plain != "r"
        self._plain = plain
        self._reader: Any = None
        self._writer: Any = None

    @property
    def name(self) -> Any:
        return self._name

    @property
    def mode(self) -> str:
        return self._mode

    def _read_stream(self) -> Any:
        if self._reader is None:
            if not self._readable:
                raise errors.PermissionDeniedError(None, None, "File isn't open for reading")
            with translated():
                self._reader = open_file(self._name, "rb")
        return self._reader

    def _write_stream(self) -> Any:
        if self._writer is None:
            if not self._writable:
                raise errors.PermissionDeniedError(None, None, "File isn't open for writing")
            with translated():
                self._writer = open_file(self._name, "ab" if self._plain[0] == "a" else "wb")
        return self._writer

    def _text(self, data: bytes) -> Any:
        return data if self._binary else data.decode()

    def size(self) -> int:
        """The size of the file in bytes."""
        return stat(self._name).length

    def write(self, file_content: Any) -> None:
        """Append `file_content` (str or bytes)."""
        stream = self._write_stream()
        with translated():
            stream.write(file_content.encode() if isinstance(file_content, str) else file_content)

    def read(self, n: int = -1) -> Any:
        """Up to `n` bytes, or all that is left."""
        stream = self._read_stream()
        with translated():
            return self._text(stream.read(n))

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """Go to `offset`, from the start, from here (1) or from the end (2). `position` is its name of 0.x."""
        stream = self._read_stream()
        if offset is None and position is None:
            raise TypeError("seek(): offset argument required")
        if offset is not None and position is not None:
            raise TypeError("seek(): offset and position may not be set simultaneously.")
        if whence not in (0, 1, 2):
            raise errors.InvalidArgumentError(
                None, None, f"Invalid whence argument: {whence}. Valid values are 0, 1, or 2."
            )
        to = (position if offset is None else offset) + (0, self.tell(), self.size())[whence]
        if to < 0:
            raise errors.InvalidArgumentError(None, None, f"{self._name}: can't seek to {to}")
        if to > self.size():
            raise errors.OutOfRangeError(None, None, f"{self._name}: can't seek to {to}, the size is {self.size()}")
        stream.seek(to)

    def readline(self) -> Any:
        """The next line with its end, or an empty string at the end of the file."""
        stream = self._read_stream()
        with translated():
            return self._text(stream.readline())

    def readlines(self) -> list[Any]:
        """The lines that are left."""
        return list(iter(self.readline, self._text(b"")))

    def tell(self) -> int:
        """Where the next read (or write, in a file that is only written) takes place."""
        return self._read_stream().tell() if self._readable else self._write_stream().tell()

    def seekable(self) -> bool:
        return True

    def __enter__(self) -> FileIO:
        return self

    def __exit__(self, unused_type: Any, unused_value: Any, unused_traceback: Any) -> None:
        self.close()

    def __iter__(self) -> FileIO:
        return self

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    next = __next__

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        if self._writer is not None:
            with translated():
                self._writer.flush()

    def close(self) -> None:
        """Close; a later read starts from the beginning."""
        with translated():
            for stream in (self._reader, self._writer):
                if stream is not None:
                    stream.close()
        self._reader = self._writer = None

    def __del__(self) -> None:
        for stream in (getattr(self, "_reader", None), getattr(self, "_writer", None)):
            if stream is not None:
                stream.close()


class GFile(FileIO):
    """`tf.gfile.GFile`: a FileIO that reads text unless told otherwise."""

    def __init__(self, name: Any, mode: str = "r"):
        super().__init__(name, mode)


def file_exists(filename: Any) -> bool:
    """Whether there is such a file or directory."""
    return disk(path := _path(filename)).exists(path)


def delete_file(filename: Any) -> None:
    """Delete a file. Raises NotFoundError if there is none."""
    path = _path(filename)
    with translated():
        disk(path).delete(path)


def read_file_to_string(filename: Any, binary_mode: bool = False) -> Any:
    """What the file holds, as str, or as bytes with `binary_mode`."""
    with FileIO(filename, "rb" if binary_mode else "r") as f:
        return f.read()


def write_string_to_file(filename: Any, file_content: Any) -> None:
    """Make the file hold `file_content` and nothing else."""
    with FileIO(filename, "w") as f:
        f.write(file_content)


def atomic_write_string_to_file(filename: Any, contents: Any, overwrite: bool = True) -> None:
    """As `write_string_to_file`, but whoever reads the file sees the old contents or the new, never a part."""
    temporary = f"{_path(filename)}.tmp{uuid.uuid4().hex}"
    try:
        write_string_to_file(temporary, contents)
        rename(temporary, filename, overwrite)
    except errors.OpError:
        if file_exists(temporary):
            delete_file(temporary)
        raise


def get_matching_files(filename: Any) -> list[str]:
    """The files that match a pattern (or a list of patterns) of *, ? and [], in directory order."""
    if not isinstance(filename, str | bytes | os.PathLike):
        return [name for one in filename for name in get_matching_files(one)]
    pattern = _path(filename)
    head = next((i for i, c in enumerate(pattern) if c in "*?[\\"), None)
    if head is None:
        return [pattern] if disk(pattern).exists(pattern) else []
    if scheme_of(pattern):
        return matching(pattern)
    root = os.path.dirname(pattern[:head])
    found = []
    parts = pattern[len(root) :].lstrip("/").split("/")
    level = [root]
    for part in parts:
        below = []
        for base in level:
            try:
                names = sorted(os.listdir(base or "."))
            except OSError:
                continue
            below += [os.path.join(base, n) for n in names if fnmatch.fnmatchcase(n, part)]
        level = below
    found += level
    return found


def create_dir(dirname: Any) -> None:
    """Make a directory, whose parent must exist; an empty name is the folder that is there."""
    path = _path(dirname)
    if path:
        with translated():
            disk(path).make_directory(path)


def recursive_create_dir(dirname: Any) -> None:
    """Make a directory and those above it; those that are there stay. An empty name is the folder that is there."""
    path = _path(dirname)
    if not path:
        return
    files = disk(path)
    if files.exists(path) and not files.is_directory(path):
        raise errors.FailedPreconditionError(None, None, f"{path} is no directory")
    with translated():
        files.make_directories(path)


def copy(oldpath: Any, newpath: Any, overwrite: bool = False) -> None:
    """Copy a file. Raises AlreadyExistsError where there is one at `newpath`, unless `overwrite`."""
    _check_free(newpath, overwrite)
    source, target = _path(oldpath), _path(newpath)
    with translated():
        if is_directory(source):
            raise errors.FailedPreconditionError(None, None, f"{oldpath} is a directory")
        if scheme_of(source) == scheme_of(target):
            disk(source).copy(source, target)
        else:
            with open_file(source) as reader, open_file(target, "wb") as writer:
                shutil.copyfileobj(reader, writer, _BLOCK)


def rename(oldname: Any, newname: Any, overwrite: bool = False) -> None:
    """Rename or move. Raises AlreadyExistsError where there is something at `newname`, unless `overwrite`."""
    _check_free(newname, overwrite)
    source, target = _path(oldname), _path(newname)
    if scheme_of(source) != scheme_of(target):
        raise errors.UnimplementedError(None, None, f"Renaming {source} to {target} not implemented: they lie apart")
    with translated():
        disk(source).move(source, target)


def _check_free(path: Any, overwrite: bool) -> None:
    if not overwrite and file_exists(path):
        raise errors.AlreadyExistsError(None, None, f"file already exists: {path}")


def delete_recursively(dirname: Any) -> None:
    """Delete a directory with all in it."""
    path = _path(dirname)
    with translated():
        disk(path).delete_all(path)


def is_directory(dirname: Any) -> bool:
    """Whether there is a directory of that name."""
    return disk(path := _path(dirname)).is_directory(path)


def list_directory(dirname: Any) -> list[str]:
    """The names in a directory. Raises NotFoundError if there is none."""
    path = _path(dirname)
    if not is_directory(path):
        raise errors.NotFoundError(None, None, f"Could not find directory {path}")
    with translated():
        return disk(path).names(path)


def walk(top: Any, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """(directory, names of directories in it, names of files in it) of `top` and below; parents first if `in_order`."""
    return walk_below(top, in_order)


def walk_below(
    top: Any, topdown: bool = True, onerror: Callable[[Exception], Any] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """`walk` with the arguments of tf.io.gfile."""
    path = _path(top)
    try:
        names = list_directory(path)
    except errors.NotFoundError as error:
        if onerror is not None:
            onerror(error)
        return
    folders = [n for n in names if is_directory(os.path.join(path, n))]
    here = (path, folders, [n for n in names if n not in folders])
    if topdown:
        yield here
    for folder in folders:
        yield from walk_below(os.path.join(path, folder), topdown, onerror)
    if not topdown:
        yield here


def stat(filename: Any) -> FileStatistics:
    """Length, time of change, and kind of a file. Raises NotFoundError if there is none."""
    path = _path(filename)
    with translated():
        return disk(path).stat(path)


def filecmp(filename_a: Any, filename_b: Any) -> bool:
    """Whether two files hold the same bytes."""
    if stat(filename_a).length != stat(filename_b).length:
        return False
    return file_crc32(filename_a) == file_crc32(filename_b)


def file_crc32(filename: Any, block_size: int = _BLOCK) -> str:
    """The CRC-32 of a file, in hexadecimal."""
    crc = 0
    with FileIO(filename, "rb") as f:
        while chunk := f.read(block_size):
            crc = binascii.crc32(chunk, crc)
    return hex(crc & 0xFFFFFFFF)


def _path(name: Any) -> str:
    return as_path(name)
