"""Traces of runs for Chrome's trace viewer (chrome://tracing, Perfetto): the "Trace Event Format", as JSON."""

from __future__ import annotations

import collections
import json
from typing import Any, NamedTuple


class AllocationMaximum(NamedTuple):
    """The most that an allocator gave at one time: when (microseconds after 1970), how much, and the names of the tensors."""

    timestamp: int
    num_bytes: int
    tensors: frozenset[str]


class StepStatsAnalysis(NamedTuple):
    """What `Timeline.analyze_step_stats` finds."""

    chrome_trace: Trace
    allocator_maximums: dict[str, AllocationMaximum]


class Trace:
    """The events of a trace, in the Trace Event Format."""

    def __init__(self, events: list[dict[str, Any]]):
        self.events = events

    def format_to_string(self, pretty: bool = False) -> str:
        """The JSON that a trace viewer opens."""
        indent = {"separators": (",", ": "), "indent": 4} if pretty else {"separators": (",", ":")}
        return json.dumps({"traceEvents": self.events}, **indent)  # type: ignore[arg-type]


class Timeline:
    """The trace of a run, from the StepStats of its RunMetadata: `Timeline(run_metadata.step_stats)`."""

    def __init__(self, step_stats: Any, graph: Any = None):
        self._step_stats = step_stats

    def generate_chrome_trace_format(
        self, show_dataflow: bool = True, show_memory: bool = False, op_time: str = "schedule"
    ) -> str:
        """JSON with a process for each device, and an event for each operation that ran.

        `show_dataflow` adds arrows from producers to consumers, `show_memory` a counter of the bytes in tensors that are still
        wanted. `op_time` is how long an operation takes: "schedule" until all of it is over, "gpu" or "all" likewise here.
        """
        return self._trace(show_dataflow, show_memory).format_to_string(pretty=True)

    def analyze_step_stats(
        self, show_dataflow: bool = True, show_memory: bool = True, op_time: str = "schedule"
    ) -> StepStatsAnalysis:
        """The trace, and the most that each allocator gave at one time."""
        most: dict[str, AllocationMaximum] = {}
        for name, steps in self._memory().items():
            time, total, tensors = max(steps, key=lambda step: step[1])
            most[name] = AllocationMaximum(time, total, tensors)
        return StepStatsAnalysis(self._trace(show_dataflow, show_memory), most)

    def _memory(self) -> dict[str, list[tuple[int, int, frozenset[str]]]]:
        """Of each allocator: the times at which what it holds changes, the bytes and the tensors from then on."""
        given: dict[str, tuple[str, int, int]] = {}  # tensor -> allocator, bytes, time
        last: dict[str, int] = {}  # tensor -> when the last operation that takes it ends
        for device in self._step_stats.dev_stats:
            for node in device.node_stats:
                end = node.all_start_micros + max(node.op_end_rel_micros, 1)
                for output in node.output:
                    size = _bytes(output)
                    name = f"{node.node_name}:{output.slot}" if output.slot else node.node_name
                    if size:
                        told = output.tensor_description.allocation_description.allocator_name
                        given[name] = told, size, node.all_start_micros
                        last[name] = max(last.get(name, 0), end)
                for source in _parsed(node, whole=True)[1]:
                    last[source] = max(last.get(source, 0), end)
        changes: dict[str, list[tuple[int, int, str]]] = collections.defaultdict(list)
        for name, (allocator, size, start) in given.items():
            changes[allocator] += [(start, size, name), (last[name], -size, name)]
        steps = {}
        for allocator, found in changes.items():
            total, held, steps[allocator] = 0, set(), []
            for time, size, name in sorted(found, key=lambda c: (c[0], -c[1])):
                total += size
                (held.add if size > 0 else held.discard)(name)
                steps[allocator].append((time, total, frozenset(held)))
        return steps

    def _trace(self, show_dataflow: bool, show_memory: bool) -> Trace:
        events: list[dict[str, Any]] = []
        finished: dict[str, tuple[int, int, int]] = {}
        for pid, device in enumerate(self._step_stats.dev_stats):
            events.append({"name": "process_name", "ph": "M", "pid": pid, "args": {"name": f"{device.device} Compute"}})
            lanes: list[int] = []  # when each row of the viewer is free again
            for node in sorted(device.node_stats, key=lambda n: n.all_start_micros):
                start, length = node.all_start_micros, max(node.op_end_rel_micros, 1)
                lane = next((i for i, free in enumerate(lanes) if free <= start), len(lanes))
                lanes[lane : lane + 1] = [start + length]
                op, inputs = _parsed(node)
                arguments = {"name": node.node_name, "op": op, **{f"input{i}": n for i, n in enumerate(inputs)}}
                events.append(_event("X", op, pid, lane, start) | {"cat": "Op", "dur": length, "args": arguments})
                if show_dataflow:
                    for source in inputs:
                        events += _arrow(len(events), finished.get(source), pid, lane, start)
                    finished[node.node_name] = (pid, lane, start + length)
        if show_memory:
            pid = len(self._step_stats.dev_stats)
            for allocator, steps in self._memory().items():
                events.append({"name": "process_name", "ph": "M", "pid": pid, "args": {"name": f"{allocator} Memory"}})
                events += [
                    _event("C", allocator, pid, 0, time) | {"args": {allocator: total}} for time, total, _ in steps
                ]
                pid += 1
        return Trace(events)


def _event(phase: str, name: str, pid: int, tid: int, time: int) -> dict[str, Any]:
    return {"ph": phase, "name": name, "pid": pid, "tid": tid, "ts": time}


def _arrow(number: int, source: tuple[int, int, int] | None, pid: int, tid: int, time: int) -> list[dict[str, Any]]:
    if source is None:
        return []
    begin = _event("s", "dataflow", *source[:2], min(source[2], time)) | {"cat": "DataFlow", "id": number}
    end = _event("t", "dataflow", pid, tid, time) | {"cat": "DataFlow", "id": number}
    return [begin, end]


def _parsed(node: Any, whole: bool = False) -> tuple[str, list[str]]:
    """Type and inputs of a node, from its label `name = Type(input, ...)`: the operations, or as a `whole` their tensors."""
    _, _, call = node.timeline_label.partition(" = ")
    op, _, arguments = call.partition("(")
    inputs = [a.strip().lstrip("^") for a in arguments.rstrip(")").split(",") if a.strip()]
    return op or node.node_name.rpartition("/")[2], inputs if whole else [a.partition(":")[0] for a in inputs]


def _bytes(output: Any) -> int:
    return output.tensor_description.allocation_description.requested_bytes
