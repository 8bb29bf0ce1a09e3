"""tf.contrib.summary: summaries that go to a writer where they are made, at once in eager execution, by operations in a graph."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from thalweg._src.core import dtypes, errors, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.default_sessions import default_sessions as sessions
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Graph, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.global_step import get_or_create_global_step
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.summary.summary import summary_scope
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.control.control_flow import smart_cond, summaries_of
from thalweg._src.ops.late import math
from thalweg._src.ops.reports import summary_writers as ops

_INITIALIZERS = "_SUMMARY_WRITER_V2"


class _State(threading.local):
    def __init__(self) -> None:
        self.writer: Any = None
        self.recording: Any = None


_state = _State()


# -- writers


class SummaryWriter:
    """Writes summaries to an event file, once it is the default writer: a resource of the session, shared by its name."""

    def __init__(self, shared_name: str, create: Callable[..., Any]):
        self._resource = ops.summary_writer(shared_name=shared_name)
        self._create = create
        created = create(self._resource)
        if not executing_eagerly():
            get_default_graph().add_to_collection(_INITIALIZERS, created)

    def set_as_default(self) -> None:
        """Let summaries of this thread go here from now on."""
        _state.writer = self

    @contextlib.contextmanager
    def as_default(self) -> Iterator[SummaryWriter]:
        """A block whose summaries go here. In eager execution its end flushes."""
        old, _state.writer = _state.writer, self
        try:
            yield self
            self.flush()
        finally:
            _state.writer = old

    def init(self) -> Any:
        """Open the file, another one after `close`: an operation in a graph."""
        return self._create(self._resource)

    def flush(self) -> Any:
        """Write what is waiting: an operation in a graph."""
        return flush(self)

    def close(self) -> Any:
        """Write what is waiting, and close the file: an operation in a graph."""
        graph = get_default_graph()
        with graph.control_dependencies(_done(self.flush())), graph.device("cpu:0"):
            return ops.close_summary_writer(self._resource)


class _NoWriter:
    """What `create_file_writer(None)` gives: a writer that writes nothing, and leaves the default one as it is."""

    def set_as_default(self) -> None:
        """Nothing."""

    @contextlib.contextmanager
    def as_default(self) -> Iterator[None]:
        """A block like any other."""
        yield

    def init(self) -> None:
        """Nothing."""

    flush = close = init


def create_file_writer(
    logdir: Any, max_queue: Any = None, flush_millis: Any = None, filename_suffix: Any = None, name: str | None = None
) -> Any:
    """A writer of event files in `logdir`; None makes a writer that writes nothing.

    `name` is what writers of one file share; the default is made of the directory. More than `max_queue` events (10), or
    `flush_millis` (two minutes) since the last time, make it write what waits.
    """
    if logdir is None:
        return _NoWriter()
    folder = str(logdir)
    with get_default_graph().device("cpu:0"):
        settings = {
            "logdir": folder,
            "max_queue": constants.constant(10) if max_queue is None else max_queue,
            "flush_millis": constants.constant(2 * 60 * 1000) if flush_millis is None else flush_millis,
            "filename_suffix": constants.constant(".v2") if filename_suffix is None else filename_suffix,
        }
        create = functools.partial(ops.create_summary_file_writer, **settings)
        return SummaryWriter(f"logdir:{folder}" if name is None else name, create)


def create_summary_file_writer(*args: Any, **kwargs: Any) -> Any:
    """`create_file_writer`, by its former name."""
    log.warning("Deprecation Warning: create_summary_file_writer was renamed to create_file_writer")
    return create_file_writer(*args, **kwargs)


_NAMES = {
    "experiment_name": re.compile(r"^[^\x00-\x1F<>]{0,256}$"),
    "run_name": re.compile(r"^[^\x00-\x1F<>]{0,512}$"),
    "user_name": re.compile(r"^[a-z]([-a-z0-9]{0,29}[a-z0-9])?$", re.IGNORECASE),
}


def create_db_writer(
    db_uri: Any, experiment_name: Any = None, run_name: Any = None, user_name: Any = None, name: str | None = None
) -> NoReturn:
    """Raises ValueError for a name that can't be, UnimplementedError for others: TensorBoard reads no databases any more."""
    for what, given in (("experiment_name", experiment_name), ("run_name", run_name), ("user_name", user_name)):
        if isinstance(given, str) and not _NAMES[what].search(given):
            raise ValueError(f"{what} ({given}) must match {_NAMES[what].pattern}")
    raise errors.UnimplementedError(
        None, None, f"{db_uri}: thalweg writes no databases of summaries; tf.contrib.summary.create_file_writer does."
    )


def eval_dir(model_dir: str, name: str | None = None) -> str:
    """The directory of an evaluation's summaries."""
    return os.path.join(model_dir, f"eval_{name}" if name else "eval")


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


def record_summaries_every_n_global_steps(n: int, global_step: Any = None) -> Any:
    """A block in which summaries are written at every `n`th global step."""
    step = get_or_create_global_step() if global_step is None else global_step

    def now() -> Any:
        return math.equal(step % n, 0)

    with get_default_graph().device("cpu:0"):
        return _recording(now if executing_eagerly() else now())


def should_record_summaries() -> Any:
    """Whether summaries are written here: a bool, or a tensor that tells."""
    value = _state.recording() if callable(_state.recording) else _state.recording
    return False if value is None else value


# -- what


def _step(step: Any) -> Tensor:
    step = get_or_create_global_step() if step is None else step
    return step if isinstance(step, Tensor) else to_tensor(step, dtypes.int64)


def _done(operation: Any) -> list[Any]:
    """What to wait for: nothing in eager execution, where it is over."""
    return [] if operation is None or executing_eagerly() else [operation]


def _write(name: str, tensor: Any, family: str | None, write: Callable[[Any, str, str], Any]) -> Any:
    """Let `write(resource, tag, scope)` write, where summaries are recorded: its operation, or one that does nothing."""
    writer = _state.writer
    if writer is None:
        return basic.no_op()
    graph = get_default_graph()
    outside = graph.get_name_scope()

    def record() -> Tensor:
        # The tag must not tell that the operation stands in a branch.
        with (
            scopes.name_scope(f"{outside}/" if outside else ""),
            summary_scope(name, family, values=[tensor]) as (
                tag,
                scope,
            ),
        ):
            done = _done(write(writer._resource, tag, scope))
            with get_default_graph().control_dependencies(done):
                return constants.constant(True)

    with graph.device("cpu:0"):
        done = smart_cond(should_record_summaries(), record, lambda: constants.constant(False), name="")
    if not executing_eagerly():
        graph.add_to_collection(GraphKeys._SUMMARY_COLLECTION, done)
    return done


def generic(name: str, tensor: Any, metadata: Any = None, family: str | None = None, step: Any = None) -> Any:
    """Write a tensor of any type; `metadata`, a SummaryMetadata or one serialized, names the plugin that shows it."""
    data = metadata.SerializeToString() if hasattr(metadata, "SerializeToString") else metadata

    def write(writer: Any, tag: str, scope: str) -> Any:
        told = "" if data is None else data
        return ops.write_summary(writer, _step(step), basic.identity(tensor), tag, told, name=scope)

    return _write(name, tensor, family, write)


def scalar(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Write a number. The tag is `name` within its name scopes; the step is the global step unless given."""

    def write(writer: Any, tag: str, scope: str) -> Any:
        return ops.write_scalar_summary(writer, _step(step), tag, basic.identity(tensor), name=scope)

    return _write(name, tensor, family, write)


def histogram(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Write a distribution."""

    def write(writer: Any, tag: str, scope: str) -> Any:
        return ops.write_histogram_summary(writer, _step(step), tag, basic.identity(tensor), name=scope)

    return _write(name, tensor, family, write)


def image(
    name: str, tensor: Any, bad_color: Any = None, max_images: int = 3, family: str | None = None, step: Any = None
) -> Any:
    """Write up to `max_images` pictures; pixels that are not finite get `bad_color`, red."""

    def write(writer: Any, tag: str, scope: str) -> Any:
        bad = constants.constant([255, 0, 0, 255], dtypes.uint8) if bad_color is None else bad_color
        pictures = basic.identity(tensor)
        return ops.write_image_summary(writer, _step(step), tag, pictures, bad, max_images=max_images, name=scope)

    return _write(name, tensor, family, write)


def audio(
    name: str, tensor: Any, sample_rate: Any, max_outputs: int, family: str | None = None, step: Any = None
) -> Any:
    """Write up to `max_outputs` sounds."""

    def write(writer: Any, tag: str, scope: str) -> Any:
        sounds = basic.identity(tensor)
        return ops.write_audio_summary(
            writer, _step(step), tag, sounds, sample_rate=sample_rate, max_outputs=max_outputs, name=scope
        )

    return _write(name, tensor, family, write)


def graph(param: Any, step: Any = None, name: str | None = None) -> Any:
    """Write a graph: a string tensor that holds a GraphDef; in eager execution also a Graph or a GraphDef.

    It is written whether summaries are recorded or not. Raises TypeError in a graph for what is no tensor.
    """
    if not executing_eagerly() and not isinstance(param, Tensor):
        raise TypeError(f"graph() needs a tf.Tensor (e.g. tf.placeholder) in graph mode, but was: {type(param)}")
    writer = _state.writer
    if writer is None:
        return basic.no_op()
    with get_default_graph().device("cpu:0"):
        is_graph = isinstance(param, Graph) or type(param).__name__ == "GraphDef"
        tensor = constants.constant(_serialized(param)) if is_graph else basic.identity(param)
        return ops.write_graph_summary(writer._resource, _step(step), tensor, name=name)


def import_event(tensor: Any, name: str | None = None) -> Any:
    """Write a serialized Event as it is, whether summaries are recorded or not."""
    return ops.import_event(_state.writer._resource, tensor, name=name)


def _serialized(graph: Any) -> bytes:
    return (graph.as_graph_def(add_shapes=True) if isinstance(graph, Graph) else graph).SerializeToString()


def all_summary_ops() -> Any:
    """All operations that write summaries in the default graph; None in eager execution."""
    return None if executing_eagerly() else list(summaries_of(get_default_graph()))


def summary_writer_initializer_op() -> list[Any]:
    """The operations that open the writers of the default graph. Raises RuntimeError in eager execution."""
    if executing_eagerly():
        raise RuntimeError("tf.contrib.summary.summary_writer_initializer_op is only supported in graph mode.")
    return get_default_graph().get_collection(_INITIALIZERS)


def initialize(graph: Any = None, session: Any = None) -> None:
    """Open the writers of the default graph, and write `graph`. Nothing happens in eager execution.

    Raises RuntimeError without a default writer, ValueError without a session.
    """
    if executing_eagerly():
        return
    writer = _state.writer
    if writer is None:
        raise RuntimeError("No default tf.contrib.summary.SummaryWriter found")
    session = session or (sessions.stack[-1] if sessions.stack else None)
    if session is None:
        raise ValueError("session must be passed if no default session exists")
    session.run(summary_writer_initializer_op())
    if graph is not None:
        data = constants.placeholder(dtypes.string)
        at = constants.constant(0, dtypes.int64)
        session.run(ops.write_graph_summary(writer._resource, at, data), {data: _serialized(graph)})


def flush(writer: Any = None, name: str | None = None) -> Any:
    """Write what is waiting for `writer` (or its resource), or for the default one."""
    writer = _state.writer if writer is None else writer
    if writer is None:
        return basic.no_op()
    with get_default_graph().device("cpu:0"):
        return ops.flush_summary_writer(getattr(writer, "_resource", writer), name=name)
