"""`RunOptions` and `RunMetadata`: what a run cost, filled in when the caller asks."""

from __future__ import annotations

import time
from typing import Any

from thalweg._src.core.devices import DeviceSpec
from thalweg._src.runtime.dumping import Dumps
from thalweg._src.runtime.fetch import Fetches
from thalweg._src.runtime.tracing import Trace

NO_TRACE, SOFTWARE_TRACE, HARDWARE_TRACE, FULL_TRACE = 0, 1, 2, 3


def run(session: Any, wanted: Fetches, feeds: dict[Any, Any], options: Any, metadata: Any) -> Any:
    """A run with options and metadata. With a trace level, `metadata.step_stats` gets an entry for each operation.

    Such a run goes operation by operation, so it takes longer than others.
    """
    if options is not None and type(options).__name__ != "RunOptions":
        raise TypeError(f"options must be a tf.RunOptions, but got {type(options)}")
    if metadata is not None and type(metadata).__name__ != "RunMetadata":
        raise TypeError(f"run_metadata must be a tf.RunMetadata, but got {type(metadata)}")
    level = 0 if options is None else int(options.trace_level)
    watched = options is not None and len(options.debug_options.debug_tensor_watch_opts) > 0
    dumps = Dumps(session, wanted, feeds, options, lambda op: device_name(session, op)) if watched else None
    trace = dumps or (Trace() if level and metadata is not None else None)
    timeout = 0 if options is None else int(options.timeout_in_ms)
    start = time.time()
    values = session._execute(wanted, feeds, timeout, trace)
    end = time.time()
    if dumps is not None:
        dumps.finish()
    session._steps += 1
    if metadata is not None:
        metadata.Clear()
        if trace is not None and level:
            _fill(metadata, session, trace)
        if _is_modelled(session):
            _fill_costs(metadata, session, end - start)
        if options is not None and options.output_partition_graphs:
            metadata.partition_graphs.add().CopyFrom(session.graph.as_graph_def())
    return wanted.build(values)


def _is_modelled(session: Any) -> bool:
    every = session._config.graph_options.build_cost_model if session._config is not None else 0
    return every > 0 and session._steps % every == 0


def _fill(metadata: Any, session: Any, trace: Trace) -> None:
    """An entry for each operation that ran, under its device."""
    devices: dict[str, Any] = {}
    colours = {op: c.colour for c in session.plan.clusters for op in c.ops}
    threads: dict[int, int] = {}
    for record in trace.records:
        op = record.op
        name = _device_of(op, colours.get(op), session._devices.prefix_of(op))
        if name not in devices:
            devices[name] = metadata.step_stats.dev_stats.add(device=name)
        node = devices[name].node_stats.add(node_name=op.name, timeline_label=_label(op))
        node.thread_id = threads.setdefault(record.thread, len(threads))
        node.all_start_micros, node.all_start_nanos = int(record.start * 1e6), int(record.start * 1e9)
        node.scheduled_micros, node.scheduled_nanos = node.all_start_micros, node.all_start_nanos
        node.op_end_rel_micros = node.all_end_rel_micros = max(1, round(record.seconds * 1e6))
        node.op_end_rel_nanos = node.all_end_rel_nanos = max(1, round(record.seconds * 1e9))
        kind = "gpu_bfc" if "GPU" in name else "cpu"
        own = 0
        for i, (t, size) in enumerate(zip(op.outputs, record.outputs, strict=True)):
            if size is None:
                continue
            shape, count = size
            description = node.output.add(slot=i).tensor_description
            description.dtype = t.dtype.base_dtype.as_datatype_enum
            for dim in shape:
                description.shape.dim.add(size=dim)
            if not op.opdef.alias:  # what passes a value on takes no memory of its own
                own += count
                told = description.allocation_description
                told.allocator_name, told.requested_bytes, told.allocated_bytes = kind, count, count
        if own:
            node.memory.add(allocator_name=kind, total_bytes=own, peak_bytes=own, live_bytes=own)
            if op.opdef.source:
                node.memory_stats.persistent_memory_size = own


def _label(op: Any) -> str:
    """What a viewer shows of an operation: `name = Type(inputs)`."""
    inputs = [t.op.name if not t.value_index else t.name for t in op.inputs] + [f"^{o.name}" for o in op.control_inputs]
    return f"{op.name} = {op.type}({', '.join(inputs)})"


def device_name(session: Any, op: Any = None) -> str:
    """The name of the device that runs `op` in `session`; of the host without one."""
    if op is None:
        return f"{session._devices.prefix}/device:CPU:0"
    return _device_of(op, None, session._devices.prefix)


def _device_of(op: Any, colour: Any, prefix: str) -> str:
    """TensorFlow's name of the device that ran `op`: the one that its device string names, where that is complete."""
    spec = DeviceSpec.from_string(op.device) if op.device else DeviceSpec()
    is_host = colour is None or colour == "host"
    kind = spec.device_type or ("CPU" if is_host else colour.platform.upper())
    index = spec.device_index if spec.device_index is not None else 0 if is_host else colour.id
    return f"{prefix}/device:{kind.upper()}:{index}"


def _fill_costs(metadata: Any, session: Any, seconds: float) -> None:
    numbers = {op: i for i, op in enumerate(session.plan.ops)}
    for op, i in numbers.items():
        node = metadata.cost_graph.node.add(
            name=op.name, device=op.device or _device_of(op, None, session._devices.prefix_of(op)), id=i
        )
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
