"""What goes wrong with bytes. `code` names the status of tf.errors that the layers above raise for it."""


class FormatError(ValueError):
    """The base of these errors."""

    code = "UNKNOWN"


class DataLoss(FormatError):
    """The bytes are not what their format says: cut short, or changed.

    `offset` is where in the stream the bad part begins, if that is known; `source` names the file, if there is one.
    """

    code = "DATA_LOSS"

    def __init__(self, message: str, *, offset: int | None = None, source: str = ""):
        super().__init__(f"{source}: {message}" if source else message)
        self.offset = offset
        self.source = source


class NotFound(FormatError):
    """The file is good, but has no such entry."""

    code = "NOT_FOUND"


class InvalidArgument(FormatError):
    """What was asked for, or given to be written, does not fit the rest."""

    code = "INVALID_ARGUMENT"


class Unimplemented(FormatError):
    """The file uses a part of its format that we don't read, or would have to, to hold what was given."""

    code = "UNIMPLEMENTED"
