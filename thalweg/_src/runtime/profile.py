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
    timeout = 0 if options is None else int(options.timeout_in_ms)
    values = session._execute(wanted, feeds, timeout)
    end = time.time()
    session._steps += 1
    if metadata is not None:
        metadata.Clear()
        if level:
            _fill(metadata, session, start, end)
        if _is_modelled(session):
            _fill_costs(metadata, session, end - start)
        if options is not None and options.output_partition_graphs:
            metadata.partition_graphs.add().CopyFrom(session.graph.as_graph_def())
    return wanted.build(values)


def _is_modelled(session: Any) -> bool:
    every = session._config.graph_options.build_cost_model if session._config is not None else 0
    return every > 0 and session._steps % every == 0


def _fill(metadata: Any, session: Any, start: float, end: float) -> None:
    """An entry for each op of the plan. XLA runs a cluster as one program, so the time of a run stands at its last op."""
    devices: dict[str, Any] = {}
    colours = {op: c.colour for c in session.plan.clusters for op in c.ops}
    node = None
    for op in session.plan.ops:
        name = _device_name(colours.get(op))
        if name not in devices:
            devices[name] = metadata.step_stats.dev_stats.add(device=name)
        node = devices[name].node_stats.add(node_name=op.name, timeline_label=f"{op.name} = {op.type}")
        node.all_start_micros = int(start * 1e6)
        for i, t in enumerate(op.outputs):
            description = node.output.add(slot=i).tensor_description
            description.dtype = t.dtype.base_dtype.as_datatype_enum
            description.shape.CopyFrom(t.shape.as_proto())
    if node is not None:
        node.op_end_rel_micros = node.all_end_rel_micros = int((end - start) * 1e6)


def _fill_costs(metadata: Any, session: Any, seconds: float) -> None:
    numbers = {op: i for i, op in enumerate(session.plan.ops)}
    for op, i in numbers.items():
        node = metadata.cost_graph.node.add(name=op.name, device=op.device or _device_name(None), id=i)
        for t in op.inputs:
            if t.op in numbers:
                node.input_info.add(preceding_node=numbers[t.op], preceding_port=t.value_index)
        for t in op.outputs:
            size = t.shape.num_elements()
            node.output_info.add(
                size=-1 if size is None else size * t.dtype.size, dtype=t.dtype.base_dtype.as_datatype_enum
            )
    if numbers:
        metadata.cost_graph.node[-1].compute_cost = int(seconds * 1e6)


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
