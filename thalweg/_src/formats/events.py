"""Event files: what TensorBoard reads. TFRecords of Event messages, the first of which tells the version."""

from collections.abc import Iterator
from typing import Any

from . import protos
from .errors import DataLoss
from .records import RecordReader, RecordWriter

VERSION = "brain.Event:2"


def event_file_name(prefix: str, seconds: float, host: str, suffix: str = "") -> str:
    """The name that TensorFlow gives an event file begun at `seconds` after 1970: "events" -> "events.out.tfevents...".

    >>> event_file_name("/logs/events", 1479700000.25, "here", ".v2")
    '/logs/events.out.tfevents.1479700000.here.v2'
    """
    return f"{prefix}.out.tfevents.{int(seconds):010d}.{host}{suffix}"


class EventWriter:
    """Writes events to `stream`. The first one, of whole seconds as TensorFlow's, is written and flushed at once."""

    def __init__(self, stream: Any, wall_time: float):
        self._records = RecordWriter(stream)
        self.write(protos.Event(wall_time=int(wall_time), file_version=VERSION))
        self.flush()

    def write(self, event: Any) -> None:
        """`event` is an Event, or one serialized."""
        self._records.write(event if isinstance(event, bytes) else event.SerializeToString())

    def flush(self) -> None:
        self._records.flush()

    def close(self) -> None:
        """Flush; the stream is the caller's to close."""
        self._records.close()


def read_events(stream: Any, *, source: str = "") -> Iterator[Any]:
    """The events of a file, the one with the version first. Raises DataLoss where the file is cut short or damaged."""
    from google.protobuf.message import DecodeError

    reader = RecordReader(stream, source=source)
    while True:
        at = reader.offset
        record = reader.read()
        if record is None:
            return
        try:
            event = protos.Event.FromString(record)
        except DecodeError as error:
            raise DataLoss(f"the record at {at} is not an Event: {error}.", offset=at, source=source) from error
        yield event
