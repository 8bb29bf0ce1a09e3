"""What the operating system and the file formats raise, as errors of `tf.errors`."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

from thalweg._src.core import errors

_OF_ERRNO: dict[int | None, type[errors.OpError]] = {
    errno.ENOENT: errors.NotFoundError,
    errno.ENXIO: errors.NotFoundError,
    errno.ENODEV: errors.NotFoundError,
    errno.EEXIST: errors.AlreadyExistsError,
    errno.EPERM: errors.PermissionDeniedError,
    errno.EACCES: errors.PermissionDeniedError,
    errno.EROFS: errors.PermissionDeniedError,
    errno.ENOTDIR: errors.FailedPreconditionError,
    errno.EISDIR: errors.FailedPreconditionError,
    errno.ENOTEMPTY: errors.FailedPreconditionError,
    errno.EBUSY: errors.FailedPreconditionError,
    errno.ENOSPC: errors.ResourceExhaustedError,
    errno.EDQUOT: errors.ResourceExhaustedError,
    errno.EMFILE: errors.ResourceExhaustedError,
    errno.ENOMEM: errors.ResourceExhaustedError,
    errno.EFBIG: errors.ResourceExhaustedError,  # not OutOfRange, which training loops take for the end of their input
    errno.EINVAL: errors.InvalidArgumentError,
    errno.ENAMETOOLONG: errors.InvalidArgumentError,
    errno.ENOSYS: errors.UnimplementedError,
    errno.EXDEV: errors.UnimplementedError,
}


# File systems that are not the operating system's raise these without a number.
_OF_TYPE: dict[type, type[errors.OpError]] = {
    FileNotFoundError: errors.NotFoundError,
    FileExistsError: errors.AlreadyExistsError,
    PermissionError: errors.PermissionDeniedError,
    IsADirectoryError: errors.FailedPreconditionError,
    NotADirectoryError: errors.FailedPreconditionError,
}


def status_of(error: Exception, op: Any = None) -> errors.OpError:
    """The error of `tf.errors` for an OSError or a FormatError."""
    if isinstance(error, OSError):
        kind = _OF_ERRNO.get(error.errno) or _OF_TYPE.get(type(error), errors.UnknownError)
        path = error.filename.decode(errors="replace") if isinstance(error.filename, bytes) else error.filename
        return kind(None, op, f"{path}; {error.strerror}" if path is not None else str(error))  # type: ignore[call-arg,arg-type]
    code = getattr(error, "code", "UNKNOWN")  # a FormatError names its status
    return errors.exception_type_from_error_code(getattr(errors, code))(None, op, str(error))  # type: ignore[call-arg,arg-type]


@contextlib.contextmanager
def translated(op: Any = None) -> Iterator[None]:
    """Errors of files in the block become errors of `tf.errors`."""
    from thalweg._src.formats.errors import FormatError

    try:
        yield
    except (OSError, FormatError) as error:
        raise status_of(error, op) from error
