"""The few things that formats of several files need from a file system. `LOCAL` is the operating system's."""

import contextlib
import os
from collections.abc import Iterator
from typing import BinaryIO, Protocol


class Files(Protocol):
    def open(self, path: str, mode: str) -> BinaryIO:
        """A binary stream; `mode` is "rb", where the stream must seek, or "wb"."""

    def exists(self, path: str) -> bool: ...

    def rename(self, source: str, target: str) -> None:
        """Replace `target` in one step."""

    def remove(self, path: str) -> None: ...


class LocalFiles:
    """Files of the operating system."""

    def open(self, path: str, mode: str) -> BinaryIO:
        return open(path, mode)  # type: ignore[return-value]

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def rename(self, source: str, target: str) -> None:
        os.replace(source, target)

    def remove(self, path: str) -> None:
        os.remove(path)


LOCAL = LocalFiles()


def temporary_name(path: str) -> str:
    """A name beside `path` for what becomes `path` when it is whole."""
    return f"{path}.tempstate{int.from_bytes(os.urandom(8), 'little')}"


@contextlib.contextmanager
def named(path: str) -> Iterator[None]:
    """Errors of the system in the block say that they are about `path`: those of writing, a full disk say, name no file."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = path
        raise
