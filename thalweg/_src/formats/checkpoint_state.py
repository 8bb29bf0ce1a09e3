"""The file `checkpoint` of a directory: a CheckpointState in protobuf's text format, which names the latest checkpoint.

Paths in it may be relative to the directory; these functions leave them as they are.
"""

from typing import Any

from . import protos
from .errors import DataLoss


def write_state(state: Any) -> bytes:
    """The contents of the file for a CheckpointState."""
    from google.protobuf import text_format

    return text_format.MessageToString(state).encode()


def read_state(data: bytes, *, source: str = "") -> Any:
    """The CheckpointState in the contents of the file. Raises DataLoss for what is none."""
    from google.protobuf import text_format

    try:
        return text_format.Parse(data.decode(), protos.CheckpointState())
    except (UnicodeDecodeError, text_format.ParseError) as error:
        raise DataLoss(f"not a CheckpointState: {error}", source=source) from error
