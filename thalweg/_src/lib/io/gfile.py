"""tf.io.gfile: the functions of tf.gfile under the names of Python's os and shutil."""

from collections.abc import Iterator
from typing import Any

from thalweg._src.lib.io import file_io


def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copies a file. Raises AlreadyExistsError where there is one, unless `overwrite`."""
    file_io.copy(src, dst, overwrite)


def exists(path: Any) -> bool:
    """Whether there is such a file or folder."""
    return file_io.file_exists(path)


def glob(pattern: Any) -> list[str]:
    """The files that match a pattern, or one of a list of patterns."""
    return file_io.get_matching_files(pattern)


def isdir(path: Any) -> bool:
    """Whether `path` is a folder."""
    return file_io.is_directory(path)


def listdir(path: Any) -> list[str]:
    """The names in a folder. Raises NotFoundError."""
    return file_io.list_directory(path)


def makedirs(path: Any) -> None:
    """Makes a folder and those above it, where they are missing."""
    file_io.recursive_create_dir(path)


def mkdir(path: Any) -> None:
    """Makes a folder. Raises NotFoundError where the one above it is missing."""
    file_io.create_dir(path)


def remove(path: Any) -> None:
    """Deletes a file. Raises NotFoundError."""
    file_io.delete_file(path)


def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Moves a file. Raises AlreadyExistsError where there is one, unless `overwrite`."""
    file_io.rename(src, dst, overwrite)


def rmtree(path: Any) -> None:
    """Deletes a folder and all that is in it."""
    file_io.delete_recursively(path)


def stat(path: Any) -> Any:
    """Size and time of a file."""
    return file_io.stat(path)


def walk(top: Any, topdown: bool = True, onerror: Any = None) -> Iterator[tuple[str, list[str], list[str]]]:
    """(folder, its folders, its files) of `top` and every folder below it. Errors go to `onerror`, or nowhere."""
    return file_io.walk_below(top, topdown, onerror)
