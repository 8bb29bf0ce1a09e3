"""Writers of summaries that graphs hold: ops that write to an event file where they run (tf.contrib.summary)."""

import atexit
import os
import threading
import time
import weakref
from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.dtypes import REALS, float16, float32, int32, int64, resource, string, uint8
from thalweg._src.core.opdef import Min, op, type_attr
from thalweg._src.core.status import translated
from thalweg._src.ops.reports.event_files import EventFile
from thalweg._src.ops.reports.summary import of_histogram, of_images, of_sounds, of_tensor, tag_of
from thalweg._src.ops.stateful.handles import held

R = type_attr("T", REALS)
H = type_attr("T", REALS, float32)
I = type_attr("T", (uint8, float32, float16), float32)
T = type_attr("T")


class SummaryFile:
    """Events that wait in a list, and the file that takes them once there are more than `most`, or some are `millis` old."""

    def __init__(self, name: str):
        self.name = name
        self._lock = threading.Lock()
        self._file: EventFile | None = None
        self._waiting: list[Any] = []
        self._most, self._seconds, self._flushed = 0, 0.0, 0.0

    def open(self, logdir: str, most: int, millis: int, suffix: str) -> None:
        """Make an event file in `logdir`, unless one is open. Raises errors of `tf.errors` for a folder that can't be written to."""
        with self._lock:
            if self._file is None:
                with translated():
                    os.makedirs(logdir, exist_ok=True)
                    file = EventFile(os.path.join(logdir, "events"), suffix)
                    file.open()
                self._file, self._most, self._seconds, self._flushed = file, most, millis / 1000, time.monotonic()
                _open.add(self)

    def add(self, event: Any) -> None:
        """Let an Event wait, or write all that wait."""
        with self._lock:
            self._check()
            self._waiting.append(event)
            if len(self._waiting) > self._most or time.monotonic() - self._flushed > self._seconds:
                self._flush()

    def flush(self) -> None:
        """Write all events that wait."""
        with self._lock:
            self._check()
            self._flush()

    def close(self) -> None:
        """Write what waits, and close the file. `open` makes another one."""
        with self._lock:
            if self._file is not None:
                self._flush()
                self._file.close()
                self._file = None

    cancel = close  # what a session's end calls

    def _check(self) -> None:
        if self._file is None:
            raise errors.NotFoundError(
                None, None, f"The summary writer {self.name} does not exist: run its init first."
            )

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._flushed = time.monotonic()
        assert self._file is not None
        for event in waiting:
            self._file.write(event)
        self._file.flush()
        self._file.raise_error()


# What is still open when the program ends is closed, so that no event is lost.
_open: weakref.WeakSet[SummaryFile] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for writer in list(_open):
        try:
            writer.close()
        except errors.OpError as error:
            print(f"thalweg: events of {writer.name} were not written: {error}", flush=True)


def _text(value: np.ndarray) -> str:
    return value.item().decode("utf-8", "surrogateescape")


@op("SummaryWriter", host=True, stateful=True, foldable=False)
def summary_writer(*, shared_name: str = "", container: str = "", ctx: Any) -> resource:
    """A writer, which has no file until one is created for it."""
    return ctx.own("summary writer", container, shared_name, SummaryFile)


@op("CreateSummaryFileWriter", effect="host", host=True)
def create_summary_file_writer(
    writer: resource, logdir: string, max_queue: int32, flush_millis: int32, filename_suffix: string
):
    """Make the event file of a writer that has none."""
    held(writer).open(_text(logdir), int(max_queue), int(flush_millis), _text(filename_suffix))


@op("FlushSummaryWriter", effect="host", host=True)
def flush_summary_writer(writer: resource):
    """Write all events that wait."""
    held(writer).flush()


@op("CloseSummaryWriter", effect="host", host=True)
def close_summary_writer(writer: resource):
    """Write what waits, and close the file."""
    held(writer).close()


def _add(writer: Any, step: np.ndarray, **what: Any) -> None:
    from thalweg._src.formats import protos

    held(writer).add(protos.Event(wall_time=time.time(), step=int(step), **what))


@op("WriteSummary", effect="host", host=True)
def write_summary(writer: resource, step: int64, tensor: T, tag: string, summary_metadata: string, *, T: T):
    """Write a tensor of any type, with the metadata that say which plugin shows it."""
    _add(writer, step, summary=of_tensor(tag_of(tag, "tag"), tensor, T, summary_metadata.item()))


@op("WriteRawProtoSummary", effect="host", host=True)
def write_raw_proto_summary(writer: resource, step: int64, tensor: string):
    """Write the values of serialized summaries, all in one event. Raises DataLossError for what is none."""
    from google.protobuf.message import DecodeError

    from thalweg._src.formats import protos

    summary = protos.Summary()
    for i, data in enumerate(tensor.flat):
        try:
            summary.MergeFromString(data)
        except DecodeError:
            raise errors.DataLossError(
                None, None, f"Bad tf.compat.v1.Summary binary proto tensor string at index {i}"
            ) from None
    _add(writer, step, summary=summary)


@op("ImportEvent", effect="host", host=True)
def import_event(writer: resource, event: string):
    """Write a serialized Event as it is. Raises DataLossError for what is none."""
    from google.protobuf.message import DecodeError

    from thalweg._src.formats import protos

    try:
        found = protos.Event.FromString(event.item())
    except DecodeError:
        raise errors.DataLossError(None, None, "Bad tf.Event binary proto tensor string") from None
    held(writer).add(found)


@op("WriteScalarSummary", effect="host", host=True)
def write_scalar_summary(writer: resource, step: int64, tag: string, value: R):
    """Write a number."""
    from thalweg._src.formats import protos

    if value.ndim:
        raise errors.InvalidArgumentError(None, None, f"a scalar is wanted, not the shape {list(value.shape)}")
    summary = protos.Summary()
    summary.value.add(tag=tag_of(tag), simple_value=float(value))
    _add(writer, step, summary=summary)


@op("WriteHistogramSummary", effect="host", host=True)
def write_histogram_summary(writer: resource, step: int64, tag: string, values: H):
    """Write a distribution. What is not finite raises InvalidArgumentError."""
    label = tag_of(tag)
    _add(writer, step, summary=of_histogram(label, values, label))


@op("WriteImageSummary", effect="host", host=True)
def write_image_summary(
    writer: resource, step: int64, tag: string, tensor: I, bad_color: uint8, *, max_images: Min(int, 1) = 3
):
    """Write up to `max_images` pictures."""
    if bad_color.ndim != 1:
        raise errors.InvalidArgumentError(None, None, f"bad_color must be a vector, got shape {list(bad_color.shape)}")
    _add(writer, step, summary=of_images(tag_of(tag), tensor, max_images, bad_color))


@op("WriteAudioSummary", effect="host", host=True)
def write_audio_summary(
    writer: resource, step: int64, tag: string, tensor: float32, sample_rate: float32, *, max_outputs: Min(int, 1) = 3
):
    """Write up to `max_outputs` sounds."""
    _add(writer, step, summary=of_sounds(tag_of(tag), tensor, float(sample_rate), max_outputs))


@op("WriteGraphSummary", effect="host", host=True)
def write_graph_summary(writer: resource, step: int64, tensor: string):
    """Write a serialized GraphDef. Raises DataLossError for what is none."""
    from google.protobuf.message import DecodeError

    from thalweg._src.formats import protos

    try:
        protos.GraphDef.FromString(tensor.item())
    except DecodeError:
        raise errors.DataLossError(None, None, "Bad tf.GraphDef binary proto tensor string") from None
    _add(writer, step, graph_def=tensor.item())


summary_writer.shape_rule(lambda op: [()])
summary_writer.not_differentiable()
