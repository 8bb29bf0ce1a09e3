"""tf.contrib.summary: summaries that go to a writer where they are made, at once in eager execution, by operations in a graph."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import EagerTensor, executing_eagerly
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.global_step import get_or_create_global_step
from thalweg._src.lib.summary.summary import _scope
from thalweg._src.lib.summary.writer import FileWriter
from thalweg._src.ops import basic, constants
from thalweg._src.ops import summary as ops
from thalweg._src.ops.control_flow import smart_cond
from thalweg._src.ops.late import math
from thalweg._src.ops.py_func import py_func

_SUMMARIES = "_SUMMARY_V2"
_INITIALIZERS = "_SUMMARY_WRITER_INIT"


class _State(threading.local):
    def __init__(self) -> None:
        self.writer: SummaryWriter | None = None
        self.recording: Any = None


_state = _State()


class SummaryWriter:
    """Writes summaries to the event file of a directory, once it is the default writer. Without a directory it writes nothing."""

    def __init__(self, logdir: Any, max_queue: Any = None, flush_millis: Any = None, suffix: Any = None):
        self._logdir = logdir
        self._settings = (max_queue, flush_millis, suffix)
        self._file: FileWriter | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._started = False
        if executing_eagerly():
            self._open()
        elif logdir is not None:
            get_default_graph().add_to_collection(_INITIALIZERS, self._operation("open", self._open))

    def _open(self) -> FileWriter | None:
        with self._lock:
            if self._file is None and self._logdir is not None:
                queue, millis, suffix = [_value(x) for x in self._settings]
                self._file = FileWriter(
                    _text(self._logdir),
                    max_queue=10 if queue is None else int(queue),
                    flush_secs=2 * 60 if millis is None else millis / 1000,
                    filename_suffix=".v2" if suffix is None else _text(suffix),
                )
            return self._file

    def _operation(self, name: str, action: Callable[[], Any]) -> Any:
        """`action`, now or by an operation."""
        if executing_eagerly():
            action()
            return None

        def act() -> bool:
            action()
            return True

        return py_func(act, [], dtypes.bool, name=name).op

    def set_as_default(self) -> None:
        """Let summaries of this thread go here from now on."""
        _state.writer = self

    @contextlib.contextmanager
    def as_default(self) -> Iterator[SummaryWriter]:
        """A block whose summaries go here."""
        old, _state.writer = _state.writer, self
        try:
            yield self
            if executing_eagerly():
                self.flush()
        finally:
            _state.writer = old

    def init(self) -> Any:
        """Open the file: an operation in a graph."""
        return self._operation("open", self._open)

    def flush(self) -> Any:
        """Write what is waiting."""
        return self._operation("flush", lambda: self._file.flush() if self._file is not None else None)

    def close(self) -> Any:
        """Write what is waiting, and close the file."""
        return self._operation("close", lambda: self._file.close() if self._file is not None else None)

    def write(self, summary: bytes, step: int) -> None:
        """Add a Summary at `step`."""
        file = self._open()
        if file is not None:
            file.add_summary(summary, step)


def _value(x: Any) -> Any:
    return x.numpy() if isinstance(x, EagerTensor) else x


def _text(x: Any) -> str:
    x = _value(x)
    return x.decode() if isinstance(x, bytes) else str(x)


def create_file_writer(
    logdir: Any, max_queue: Any = None, flush_millis: Any = None, filename_suffix: Any = None, name: str | None = None
) -> SummaryWriter:
    """A writer of event files in `logdir`; None makes a writer that writes nothing."""
    return SummaryWriter(logdir, max_queue, flush_millis, filename_suffix)


create_summary_file_writer = create_file_writer


# -- when


@contextlib.contextmanager
def _recording(value: Any) -> Iterator[None]:
    old, _state.recording = _state.recording, value
    try:
        yield
    finally:
        _state.recording = old


def always_record_summaries() -> Any:
    """A block in which summaries are written."""
    return _recording(True)


def never_record_summaries() -> Any:
    """A block in which no summaries are written."""
    return _recording(False)


@contextlib.contextmanager
def record_summaries_every_n_global_steps(n: int, global_step: Any = None) -> Iterator[None]:
    """A block in which summaries are written at every `n`th global step."""
    step = get_or_create_global_step() if global_step is None else global_step

    def now() -> Any:
        return math.equal(to_tensor(step) % n, 0)

    with get_default_graph().device("cpu:0"), _recording(now if executing_eagerly() else now()):
        yield


def should_record_summaries() -> Any:
    """Whether summaries are written here: a bool, or a tensor that tells."""
    value = _state.recording() if callable(_state.recording) else _state.recording
    return False if value is None else value


# -- what


def _write(name: str, tensor: Any, family: str | None, step: Any, make: Callable[..., Tensor]) -> Any:
    writer = _state.writer
    if writer is None:
        return basic.no_op() if not executing_eagerly() else None
    own_step = get_or_create_global_step() if step is None else step

    def record() -> Any:
        with _scope(name, family, [tensor]) as (tag, _):
            data = make(tag)
        at = math.cast(to_tensor(own_step), dtypes.int64)
        if executing_eagerly():
            writer.write(data.numpy(), int(at.numpy()))  # type: ignore[attr-defined]
            return constants.constant(True)

        def write(summary: bytes, when: np.int64) -> bool:
            writer.write(summary, int(when))
            return True

        return py_func(write, [data, at], dtypes.bool, name="write_summary")

    with get_default_graph().device("cpu:0"):
        done = smart_cond(should_record_summaries(), record, lambda: constants.constant(False))
    if not executing_eagerly():
        get_default_graph().add_to_collection(_SUMMARIES, done)
    return done


def scalar(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Write a number. The tag is `name` within its name scopes; the step is the global step unless given."""
    return _write(name, tensor, family, step, lambda tag: ops.scalar_summary(tag, tensor))


def histogram(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Write a distribution."""
    return _write(name, tensor, family, step, lambda tag: ops.histogram_summary(tag, tensor))


def image(
    name: str, tensor: Any, bad_color: Any = None, max_images: int = 3, family: str | None = None, step: Any = None
) -> Any:
    """Write up to `max_images` pictures."""
    return _write(name, tensor, family, step, lambda tag: ops.image_summary(tag, tensor, max_images=max_images))


def audio(
    name: str, tensor: Any, sample_rate: Any, max_outputs: int, family: str | None = None, step: Any = None
) -> Any:
    """Write up to `max_outputs` sounds."""

    def make(tag: Any) -> Tensor:
        rate = to_tensor(sample_rate, dtypes.float32, "sample_rate")
        return ops.audio_summary_v2(tag, tensor, rate, max_outputs=max_outputs)

    return _write(name, tensor, family, step, make)


def all_summary_ops() -> Any:
    """All operations that write summaries in the default graph; None in eager execution."""
    return None if executing_eagerly() else get_default_graph().get_collection(_SUMMARIES)


def summary_writer_initializer_op() -> list[Any]:
    """The operations that open the writers of the default graph. Raises RuntimeError in eager execution."""
    if executing_eagerly():
        raise RuntimeError("tf.contrib.summary.summary_writer_initializer_op is only supported in graph mode.")
    return get_default_graph().get_collection(_INITIALIZERS)


def initialize(graph: Any = None, session: Any = None) -> None:
    """Open the writers of the graph, and write the graph. Nothing happens in eager execution. Raises ValueError without a session."""
    from thalweg._src.core.graph import default_sessions

    if executing_eagerly() or _state.writer is None:
        return
    session = session or (default_sessions.stack[-1] if default_sessions.stack else None)
    if session is None:
        raise ValueError("session must be provided if there is no default session.")
    session.run(summary_writer_initializer_op())
    if graph is not None:
        file = _state.writer._open()
        if file is not None:
            file.add_graph(graph)


def flush(writer: SummaryWriter | None = None, name: str | None = None) -> Any:
    """Write what is waiting for `writer`, or for the default one."""
    writer = writer or _state.writer
    return writer.flush() if writer is not None else basic.no_op()
