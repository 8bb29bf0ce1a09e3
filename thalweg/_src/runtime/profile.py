"""`RunOptions` and `RunMetadata`: what a run cost, filled in when the caller asks."""

from __future__ import annotations

import time
from typing import Any

from thalweg._src.core import errors
from thalweg._src.runtime.fetch import Fetches

NO_TRACE, SOFTWARE_TRACE, HARDWARE_TRACE, FULL_TRACE = 0, 1, 2, 3


def run(session: Any, wanted: Fetches, feeds: dict[Any, Any], options: Any, metadata: Any) -> Any:
    """A run with options and metadata. With a trace level, `metadata.step_stats` gets an entry for each cluster."""
    if options is not None and type(options).__name__ != "RunOptions":
        raise TypeError(f"options must be a tf.RunOptions, but got {type(options)}")
    if metadata is not None and type(metadata).__name__ != "RunMetadata":
        raise TypeError(f"run_metadata must be a tf.RunMetadata, but got {type(metadata)}")
    level = 0 if options is None else int(options.trace_level)
    start = time.time()
    values = session._execute(wanted.tensors, wanted.targets, feeds)
    end = time.time()
    if metadata is not None:
        metadata.Clear()
        if level:
            _fill(metadata, session, start, end)
        if options is not None and options.output_partition_graphs:
            metadata.partition_graphs.add().CopyFrom(session.graph.as_graph_def())
    return wanted.build(values)


def _fill(metadata: Any, session: Any, start: float, end: float) -> None:
    plan = session.plan
    for cluster in plan.clusters:
        device = metadata.step_stats.dev_stats.add(device=_device_name(cluster.colour))
        for op in cluster.ops:
            node = device.node_stats.add(node_name=op.name, timeline_label=f"{op.name} = {op.type}")
            node.all_start_micros = int(start * 1e6)
            for i, t in enumerate(op.outputs):
                out = node.output.add(slot=i)
                out.tensor_description.dtype = t.dtype.base_dtype.as_datatype_enum
                out.tensor_description.shape.CopyFrom(t.shape.as_proto())
        if cluster.ops:
            # XLA runs a cluster as one program: its time stands at its last op.
            last = device.node_stats[len(cluster.ops) - 1]
            last.op_end_rel_micros = last.all_end_rel_micros = int((end - start) * 1e6)


def _device_name(colour: Any) -> str:
    if colour == "host" or colour is None:
        return "/job:localhost/replica:0/task:0/device:CPU:0"
    return f"/job:localhost/replica:0/task:0/device:{colour.platform.upper()}:{colour.id}"


def check_timeout(options: Any) -> None:
    """Raise InvalidArgumentError for a timeout that is no time."""
    if options is not None and options.timeout_in_ms < 0:
        raise errors.InvalidArgumentError(
            None, None, f"timeout_in_ms must not be negative, got {options.timeout_in_ms}"
        )
