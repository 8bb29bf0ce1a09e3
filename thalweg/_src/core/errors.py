"""The tree of errors that a run can end with: `tf.errors.OpError` and its kinds, one for each status code.

Every error carries `op` (what failed), `node_def`, `message` and `error_code`.
"""

from __future__ import annotations

from typing import Any

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """An operation failed. `op` is the Operation (or None), `message` says what came and what was wanted."""

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int):
        super().__init__()
        self._node_def, self._op, self._message, self._error_code = node_def, op, message, error_code

    @property
    def message(self) -> str:
        return self._message

    @property
    def op(self) -> Any:
        return self._op

    @property
    def error_code(self) -> int:
        return self._error_code

    @property
    def node_def(self) -> Any:
        if self._node_def is None and self._op is not None:
            return self._op.node_def
        return self._node_def

    def __str__(self) -> str:
        op = self._op
        if op is None:
            return str(self._message)
        lines = [str(self._message), "", f"Caused by op {op.name!r} ({op.type})"]
        site = getattr(op, "site", None)
        if site:
            lines[-1] += f", made at {site}"
        original = getattr(op, "_original_op", None)
        if original is not None:
            lines.append(f"...which was originally created as op {original.name!r}, made at {original.site}")
        return "\n".join(lines)

    def __reduce__(self):
        return type(self)._rebuild, (self._message, self._error_code)

    @classmethod
    def _rebuild(cls, message: str, code: int) -> OpError:
        error = cls.__new__(cls)
        OpError.__init__(error, None, None, message, code)
        return error


class _Coded(OpError):
    code = UNKNOWN

    def __init__(self, node_def: Any, op: Any, message: str):
        super().__init__(node_def, op, message, self.code)


class CancelledError(_Coded):
    """The operation was cancelled, because a queue or a session was closed."""

    code = CANCELLED


class UnknownError(OpError):
    """An error that no other kind describes."""

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int = UNKNOWN):
        super().__init__(node_def, op, message, error_code)


class InvalidArgumentError(_Coded):
    """An input is wrong, whatever the state of the program."""

    code = INVALID_ARGUMENT


class DeadlineExceededError(_Coded):
    """The time that was allowed has passed."""

    code = DEADLINE_EXCEEDED


class NotFoundError(_Coded):
    """A file, a variable or a table that was asked for does not exist."""

    code = NOT_FOUND


class AlreadyExistsError(_Coded):
    """What should be made is there already."""

    code = ALREADY_EXISTS


class PermissionDeniedError(_Coded):
    """The caller may not do this."""

    code = PERMISSION_DENIED


class UnauthenticatedError(_Coded):
    """The caller did not say who it is."""

    code = UNAUTHENTICATED


class ResourceExhaustedError(_Coded):
    """Memory, disk or another resource ran out."""

    code = RESOURCE_EXHAUSTED


class FailedPreconditionError(_Coded):
    """The system is not in the state that the operation needs: a variable is not initialized, say."""

    code = FAILED_PRECONDITION


class AbortedError(_Coded):
    """The operation was given up, as a rule because another one came in between."""

    code = ABORTED


class OutOfRangeError(_Coded):
    """An input ended: no more elements in a queue, no more records in a file."""

    code = OUT_OF_RANGE


class UnimplementedError(_Coded):
    """This is not supported."""

    code = UNIMPLEMENTED


class InternalError(_Coded):
    """An invariant of thalweg is broken; please report it."""

    code = INTERNAL


class UnavailableError(_Coded):
    """A service can't be reached now; trying again may help."""

    code = UNAVAILABLE


class DataLossError(_Coded):
    """Data is damaged or lost for good: a checksum does not fit, a file is truncated."""

    code = DATA_LOSS


_CLASSES: dict[int, type[OpError]] = {c.code: c for c in _Coded.__subclasses__()} | {UNKNOWN: UnknownError}


def exception_type_from_error_code(error_code: int) -> type[OpError]:
    """The class of errors with this code."""
    return _CLASSES[error_code]


def error_code_from_exception_type(cls: type[OpError]) -> int:
    """The code of the errors of this class."""
    return next((code for code, c in _CLASSES.items() if c is cls), UNKNOWN)


class raise_exception_on_not_ok_status:
    """Kept for programs that import it: gives nothing of use and raises nothing."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, type_arg: Any, value_arg: Any, traceback_arg: Any) -> None:
        return None


def invalid(message: str) -> InvalidArgumentError:
    """What a lowering raises for a wrong value; whoever runs it adds the operation."""
    return InvalidArgumentError(None, None, message)
