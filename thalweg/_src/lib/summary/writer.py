"""tf.summary.FileWriter: summaries, graphs and what runs cost, as the events that TensorBoard shows."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Graph, get_default_graph
from thalweg._src.lib.summary.event_file import EventFileWriter
from thalweg._src.lib.summary.session_writer import SessionEventWriter


class FileWriter:
    """Writes events to a file in `logdir`; with `graph`, that graph first. As a context it closes itself.

    Events wait in a queue of `max_queue` and reach the disk after `flush_secs`, or with `flush` and `close`.
    `filename_suffix` ends the file's name. With `session`, operations in that session's graph write the events, to a
    file that all such writers of `logdir` share. Raises RuntimeError in eager execution.

    >>> with tf.summary.FileWriter(logdir) as writer:
    ...     writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), global_step=1)
    """

    def __init__(
        self,
        logdir: Any,
        graph: Any = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        graph_def: Any = None,
        filename_suffix: str | None = None,
        session: Any = None,
    ):
        if executing_eagerly():
            raise RuntimeError(
                "tf.summary.FileWriter is not compatible with eager execution. Use tf.contrib.summary instead."
            )
        self.event_writer: Any
        if session is None:
            self.event_writer = EventFileWriter(logdir, max_queue, flush_secs, filename_suffix)
        else:
            self.event_writer = SessionEventWriter(session, logdir, max_queue, flush_secs, filename_suffix or "")
        self._closed = False
        self._run_tags: set[str] = set()
        self._summary_tags: set[str] = set()
        if graph is not None or graph_def is not None:
            self.add_graph(graph=graph, graph_def=graph_def)
            self._add_own_meta_graph(graph if graph is not None else graph_def)

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def get_logdir(self) -> str:
        """The directory of the event file."""
        return self.event_writer.get_logdir()

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Add a Summary, or one serialized, as a run of `tf.summary.merge_all()` gives it, for `global_step`."""
        from thalweg._src.formats import protos

        data = bytes(summary) if isinstance(summary, bytes) else summary.SerializeToString()
        summary = protos.Summary.FromString(data)
        for value in summary.value:
            # What a plugin needs to know of a tag stands in its first event alone.
            if value.HasField("metadata"):
                if value.tag in self._summary_tags:
                    value.ClearField("metadata")
                self._summary_tags.add(value.tag)
        self._add_event(protos.Event(summary=summary), global_step)

    def add_session_log(self, session_log: Any, global_step: Any = None) -> None:
        """Add a SessionLog: that a session started, say, or wrote a checkpoint."""
        from thalweg._src.formats import protos

        own = protos.SessionLog.FromString(session_log.SerializeToString())
        self._add_event(protos.Event(session_log=own), global_step)

    def add_graph(self, graph: Any, global_step: Any = None, graph_def: Any = None) -> None:
        """Add a Graph (or a GraphDef, as 0.x did). Raises ValueError for both, TypeError for something else."""
        from thalweg._src.formats import protos

        if graph is not None and graph_def is not None:
            raise ValueError("Please pass only graph, or graph_def (deprecated), but not both.")
        definition = _graph_def(graph if graph is not None else graph_def)
        self._add_event(protos.Event(graph_def=definition.SerializeToString()), global_step)

    def _add_own_meta_graph(self, graph: Any) -> None:
        from thalweg._src.lib.meta_graph import create_meta_graph_def

        self.add_meta_graph(create_meta_graph_def(graph_def=_graph_def(graph)))

    def add_meta_graph(self, meta_graph_def: Any, global_step: Any = None) -> None:
        """Add a MetaGraphDef. Raises TypeError for something else."""
        from thalweg._src.formats import protos

        if type(meta_graph_def).__name__ != "MetaGraphDef":
            raise TypeError(f"meta_graph_def must be type MetaGraphDef, saw type: {type(meta_graph_def)}")
        self._add_event(protos.Event(meta_graph_def=meta_graph_def.SerializeToString()), global_step)

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None:
        """Add what a run cost, under a tag of its own. Raises ValueError for a tag that was used before."""
        from thalweg._src.formats import protos

        if tag in self._run_tags:
            raise ValueError("The provided tag was already used for this event type")
        self._run_tags.add(tag)
        tagged = protos.TaggedRunMetadata(tag=tag, run_metadata=run_metadata.SerializeToString())
        self._add_event(protos.Event(tagged_run_metadata=tagged), global_step)

    def add_event(self, event: Any) -> None:
        """Add an Event as it is."""
        self._warn_if_closed()
        self.event_writer.add_event(event)

    def _add_event(self, event: Any, step: Any) -> None:
        event.wall_time = time.time()
        if step is not None:
            event.step = int(step)
        self.add_event(event)

    def flush(self) -> None:
        """Put all events on the disk."""
        self._warn_if_closed()
        self.event_writer.flush()

    def close(self) -> None:
        """Flush and close. Events that are added afterwards are dropped, with a warning."""
        self.event_writer.close()
        self._closed = True

    def reopen(self) -> None:
        """Go on after `close`, with another event file."""
        self.event_writer.reopen()
        self._closed = False

    def _warn_if_closed(self) -> None:
        if self._closed:
            warnings.warn(
                "Attempting to use a closed FileWriter. The operation will be a noop unless the FileWriter is "
                "explicitly reopened.",
                stacklevel=3,
            )


class SummaryWriter(FileWriter):
    """FileWriter, by its name of TensorFlow 0.11."""

    def __init__(
        self, logdir: Any, graph: Any = None, max_queue: int = 10, flush_secs: float = 120, graph_def: Any = None
    ):
        super().__init__(logdir, graph, max_queue, flush_secs, graph_def)


class FileWriterCache:
    """One FileWriter for each directory."""

    _cache: dict[str, FileWriter] = {}
    _lock = threading.RLock()

    @staticmethod
    def get(logdir: str) -> FileWriter:
        """The writer of `logdir`, made with the default graph if there is none."""
        with FileWriterCache._lock:
            if logdir not in FileWriterCache._cache:
                FileWriterCache._cache[logdir] = FileWriter(logdir, graph=get_default_graph())
            return FileWriterCache._cache[logdir]

    @staticmethod
    def clear() -> None:
        """Close and forget all writers."""
        with FileWriterCache._lock:
            for writer in FileWriterCache._cache.values():
                writer.close()
            FileWriterCache._cache.clear()


def summary_iterator(path: Any) -> Iterator[Any]:
    """The events of an event file, one by one. Raises DataLossError where it is damaged."""
    from thalweg._src.core.status import translated
    from thalweg._src.core.storage import open_file
    from thalweg._src.formats.events import read_events

    with translated(), open_file(path) as stream:
        events = read_events(stream, source=str(path))
        while (event := next(events, None)) is not None:
            yield event


def _graph_def(graph: Any) -> Any:
    if isinstance(graph, Graph):
        return graph.as_graph_def(add_shapes=True)
    if type(graph).__name__ == "GraphDef":
        return graph
    raise TypeError("The passed graph must be an instance of `Graph` or the deprecated `GraphDef`")
