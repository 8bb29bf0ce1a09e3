"""What each operation of a graph costs: what its shapes say, and what a traced run saw."""

from __future__ import annotations

import dataclasses
from typing import Any

from thalweg._src.core.graph import Graph, Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.profiler.float_ops import float_ops

SUMS = ("params", "float_ops", "micros", "accelerator_micros", "cpu_micros", "bytes", "peak_bytes", "residual_bytes")
SUMS += ("output_bytes", "occurrence")


@dataclasses.dataclass
class Cost:
    """What one node costs; `types` are what it is counted by."""

    name: str
    types: set[str] = dataclasses.field(default_factory=set)
    own: dict[str, int] = dataclasses.field(default_factory=lambda: dict.fromkeys(SUMS, 0))
    shape: tuple[int, ...] | None = None
    devices: set[str] = dataclasses.field(default_factory=set)
    runs: int = 0


def costs(graph: Graph, runs: list[Any], log: Any = None) -> dict[str, Cost]:
    """The cost of each operation by its name; times and sizes are the means of `runs`, which are RunMetadata."""
    seen = _shapes_of(runs)

    def size(t: Tensor) -> tuple[int, ...] | None:
        dims = t._dims
        if dims is None or None in dims:
            return seen.get((t.op.name, t.value_index))
        return tuple(d for d in dims if d is not None)

    found: dict[str, Cost] = {}
    for op in graph.get_operations():
        cost = found[op.name] = Cost(op.name, {op.type, op.device} - {""})
        cost.own["float_ops"] = float_ops(op, size)
        cost.own["occurrence"] = 1
        if op.opdef.source and op.outputs:
            dims = op._attrs.get("shape")
            cost.shape = None if dims is None or None in dims else tuple(dims)
            cost.own["params"] = 0 if cost.shape is None else _product(cost.shape)
    for key in (GraphKeys.TRAINABLE_VARIABLES, GraphKeys.GLOBAL_VARIABLES):
        kind = "_trainable_variables" if key == GraphKeys.TRAINABLE_VARIABLES else "_checkpoint_variables"
        for variable in graph.get_collection(key):
            if variable.op.name in found:
                found[variable.op.name].types.add(kind)
    for entry in log.log_entries if log is not None else ():
        if entry.name in found:
            found[entry.name].types.update(entry.types)
            found[entry.name].own["float_ops"] = entry.float_ops or found[entry.name].own["float_ops"]
    _add_runs(found, runs)
    return found


def _product(shape: tuple[int, ...]) -> int:
    out = 1
    for d in shape:
        out *= d
    return out


def _shapes_of(runs: list[Any]) -> dict[tuple[str, int], tuple[int, ...]]:
    return {
        (node.node_name, output.slot): tuple(d.size for d in output.tensor_description.shape.dim)
        for run in runs
        for device in run.step_stats.dev_stats
        for node in device.node_stats
        for output in node.output
    }


def _add_runs(found: dict[str, Cost], runs: list[Any]) -> None:
    for run in runs:
        for device in run.step_stats.dev_stats:
            on_accelerator = "GPU" in device.device or "TPU" in device.device
            for node in device.node_stats:
                cost = found.get(node.node_name)
                if cost is None:
                    continue
                cost.devices.add(device.device)
                cost.types.add(device.device)
                cost.runs += 1
                memory = sum(m.total_bytes for m in node.memory)
                told = {
                    "micros": node.all_end_rel_micros,
                    "accelerator_micros" if on_accelerator else "cpu_micros": node.all_end_rel_micros,
                    "bytes": memory,
                    "peak_bytes": sum(m.peak_bytes for m in node.memory),
                    "residual_bytes": sum(m.live_bytes for m in node.memory),
                    "output_bytes": memory,
                }
                for key, value in told.items():
                    cost.own[key] += value
    for cost in found.values():
        for key in (
            "micros",
            "accelerator_micros",
            "cpu_micros",
            "bytes",
            "peak_bytes",
            "residual_bytes",
            "output_bytes",
        ):
            cost.own[key] //= max(1, len(runs))
