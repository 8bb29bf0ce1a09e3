"""tf.contrib.testing: a writer of summaries that remembers, and readers of what was written."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from thalweg._src.formats import protos
from thalweg._src.lib.io import file_io
from thalweg._src.lib.summary import writer
from thalweg._src.lib.summary.writer import summary_iterator


class FakeSummaryWriter:
    """Stands for FileWriter between `install` and `uninstall`, and keeps what it is given."""

    _replaced: ClassVar[Any] = None

    @classmethod
    def install(cls) -> None:
        """Take the place of FileWriter where writers are cached. Raises ValueError when it has it."""
        if FakeSummaryWriter._replaced:
            raise ValueError("FakeSummaryWriter already installed.")
        FakeSummaryWriter._replaced = writer.FileWriter
        writer.FileWriter = FakeSummaryWriter

    @classmethod
    def uninstall(cls) -> None:
        """Give FileWriter its place back. Raises ValueError when it was not taken."""
        if not FakeSummaryWriter._replaced:
            raise ValueError("FakeSummaryWriter not installed.")
        writer.FileWriter = FakeSummaryWriter._replaced
        FakeSummaryWriter._replaced = None

    def __init__(self, logdir: Any, graph: Any = None):
        self._logdir, self._graph = logdir, graph
        self._summaries: dict[Any, list[Any]] = {}
        self._graphs: list[Any] = []
        self._meta_graphs: list[Any] = []
        self._session_logs: list[Any] = []
        self._run_metadata: dict[str, Any] = {}

    @property
    def summaries(self) -> dict[Any, list[Any]]:
        return self._summaries

    def assert_summaries(
        self,
        test_case: Any,
        expected_logdir: Any = None,
        expected_graph: Any = None,
        expected_summaries: Any = None,
        expected_added_graphs: Any = None,
        expected_added_meta_graphs: Any = None,
        expected_session_logs: Any = None,
    ) -> None:
        """Hold what was added against what is expected: {step: {tag: value}}, without steps per second."""

        def hold(expected: Any, found: Any) -> None:
            if expected is not None and expected != found:
                raise test_case.failureException(f"Expected {expected}, found {found}.")

        hold(expected_logdir, self._logdir)
        if expected_graph is not None:
            hold(True, expected_graph is self._graph)
        for step, expected in (expected_summaries or {}).items():
            hold(True, step in self._summaries)
            values = [v for message in self._summaries[step] for v in message.value]
            hold(expected, {v.tag: v.simple_value for v in values if v.tag != "global_step/sec"})
        hold(expected_added_graphs, self._graphs)
        hold(expected_added_meta_graphs and list(expected_added_meta_graphs), self._meta_graphs)
        hold(expected_session_logs, self._session_logs)

    def add_summary(self, summ: Any, current_global_step: Any) -> None:
        """Keep a Summary, or the bytes of one."""
        if isinstance(summ, bytes):
            summ = protos.Summary.FromString(summ)
        self._summaries.setdefault(current_global_step, []).append(summ)

    def add_graph(self, graph: Any, global_step: Any = None, graph_def: Any = None) -> None:
        """Keep a graph."""
        _check_step(global_step)
        if graph_def is not None:
            raise ValueError(f"Unexpected graph_def {graph_def}.")
        self._graphs.append(graph)

    def add_meta_graph(self, meta_graph_def: Any, global_step: Any = None) -> None:
        """Keep a MetaGraphDef."""
        _check_step(global_step)
        self._meta_graphs.append(meta_graph_def)

    def add_session_log(self, session_log: Any, global_step: Any = None) -> None:
        """Keep a SessionLog."""
        self._session_logs.append(session_log)

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None:
        """Keep a RunMetadata."""
        _check_step(global_step)
        self._run_metadata[tag] = run_metadata

    def flush(self) -> None:
        """Nothing: there is no file."""

    def reopen(self) -> None:
        """Nothing: there is no file."""

    def close(self) -> None:
        """Nothing: there is no file."""


def _check_step(step: Any) -> None:
    if step is not None and step < 0:
        raise ValueError(f"Invalid global_step {step}.")


def latest_event_file(base_dir: Any) -> Any:
    """The newest event file of a folder, or None."""
    return max(file_io.get_matching_files(os.path.join(base_dir, "events.*")), key=os.path.getmtime, default=None)


def latest_events(base_dir: Any) -> list[Any]:
    """The events of the newest event file of a folder."""
    path = latest_event_file(base_dir)
    return list(summary_iterator(path)) if path else []


def latest_summaries(base_dir: Any) -> list[Any]:
    """Those of `latest_events` that hold summaries."""
    return [event for event in latest_events(base_dir) if event.HasField("summary")]


def simple_values_from_events(events: Any, tags: Any) -> dict[str, float]:
    """{tag: value} of the events that hold one of `tags`."""
    values = [v for event in events if event.summary for v in event.summary.value]
    return {v.tag: v.simple_value for v in values if v.tag in tags}
