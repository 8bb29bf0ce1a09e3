"""Traces of runs for Chrome's trace viewer (chrome://tracing, Perfetto): the "Trace Event Format", as JSON."""

from __future__ import annotations

import json
from typing import Any


class Timeline:
    """The trace of a run, from the StepStats of its RunMetadata: `Timeline(run_metadata.step_stats)`."""

    def __init__(self, step_stats: Any, graph: Any = None):
        self._step_stats = step_stats

    def generate_chrome_trace_format(
        self, show_dataflow: bool = True, show_memory: bool = False, op_time: str = "schedule"
    ) -> str:
        """JSON with a process for each device, and an event for each operation that ran.

        `show_dataflow` adds arrows from producers to consumers, `show_memory` a counter of the bytes in outputs.
        """
        events: list[dict[str, Any]] = []
        finished: dict[str, tuple[int, int, int]] = {}
        for pid, device in enumerate(self._step_stats.dev_stats):
            events.append({"name": "process_name", "ph": "M", "pid": pid, "args": {"name": f"{device.device} Compute"}})
            lanes: list[int] = []  # when each row of the viewer is free again
            total = 0
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
                    total += sum(_bytes(output) for output in node.output)
                    events.append(_event("C", "Memory", pid, 0, start + length) | {"args": {"bytes": total}})
        return json.dumps({"traceEvents": events}, separators=(",", ":"), indent=4)


def _event(phase: str, name: str, pid: int, tid: int, time: int) -> dict[str, Any]:
    return {"ph": phase, "name": name, "pid": pid, "tid": tid, "ts": time}


def _arrow(number: int, source: tuple[int, int, int] | None, pid: int, tid: int, time: int) -> list[dict[str, Any]]:
    if source is None:
        return []
    begin = _event("s", "dataflow", *source[:2], min(source[2], time)) | {"cat": "DataFlow", "id": number}
    end = _event("t", "dataflow", pid, tid, time) | {"cat": "DataFlow", "id": number}
    return [begin, end]


def _parsed(node: Any) -> tuple[str, list[str]]:
    """Type and inputs of a node, from its label `name = Type(input, ...)`."""
    _, _, call = node.timeline_label.partition(" = ")
    op, _, arguments = call.partition("(")
    inputs = [a.strip().lstrip("^").partition(":")[0] for a in arguments.rstrip(")").split(",") if a.strip()]
    return op or node.node_name.rpartition("/")[2], inputs


def _bytes(output: Any) -> int:
    return output.tensor_description.allocation_description.requested_bytes
