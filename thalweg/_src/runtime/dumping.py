"""Runs whose tensors are written to files as they come: what `RunOptions.debug_options` ask for, in the debugger's own layout.

A run that is watched goes operation by operation, as a traced one does. Each watched output becomes a file that holds one Event: under the
folder that a `file://` address names, a folder for the device, folders for the scopes of the node, and a name that ends in the slot, the
debugging op and the time in microseconds. Bodies of loops and branches are not looked into.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.compiler.bodies import variable_key
from thalweg._src.compiler.interpret import RefValue
from thalweg._src.core import errors
from thalweg._src.core.graph import Operation
from thalweg._src.formats import protos, tensors
from thalweg._src.formats.types import ENUM_OF_NAME
from thalweg._src.runtime.tracing import Trace

PREFIX = "_tfdbg_"
ALL = -1  # as an output slot: that the node has run


def nan_count(value: np.ndarray, dtype: Any) -> np.ndarray:
    """int64[1]: how many entries are no numbers."""
    return np.array([np.isnan(value).sum() if value.dtype.kind in "fc" else 0], np.int64)


def numeric_summary(value: np.ndarray, dtype: Any) -> np.ndarray:
    """float64[14 + rank]: initialized, count, NaN, -inf, negative, zero, positive, +inf, least, most, mean, variance, type, rank, dims."""
    x = value.astype(np.float64)
    usual = x[np.isfinite(x)]
    counts = [x.size, np.isnan(x).sum(), np.isneginf(x).sum(), (usual < 0).sum(), (usual == 0).sum()]
    counts += [(usual > 0).sum(), np.isposinf(x).sum()]
    measures = (
        [usual.min(), usual.max(), usual.mean(), usual.var()]
        if usual.size
        else [math.inf, -math.inf, math.nan, math.nan]
    )
    return np.array([1, *counts, *measures, dtype.as_datatype_enum, x.ndim, *x.shape], np.float64)


DEBUG_OPS: dict[str, Callable[[np.ndarray, Any], np.ndarray]] = {
    "DebugIdentity": lambda value, dtype: value,
    "DebugNanCount": nan_count,
    "DebugNumericSummary": numeric_summary,
}
_NUMBERS_ONLY = ("DebugNanCount", "DebugNumericSummary")


class Dumps(Trace):
    """The watches of one run, and what they have seen."""

    def __init__(self, session: Any, wanted: Any, feeds: Any, options: Any, device: Callable[[Operation | None], str]):
        super().__init__()
        self.session, self.device = session, device
        self.seen: set[Operation] = set()
        self.watches: dict[str, dict[int, list[tuple[str, list[str]]]]] = {}
        asked = options.debug_options
        for watch in asked.debug_tensor_watch_opts:
            folders = [_folder(url) for url in watch.debug_urls]
            ops = [(_known(name, watch.tolerate_debug_op_creation_failures), folders) for name in watch.debug_ops]
            self.watches.setdefault(watch.node_name, {}).setdefault(watch.output_slot, []).extend(ops)
        self.folders = sorted(
            {f for slots in self.watches.values() for ops in slots.values() for _, fs in ops for f in fs}
        )
        facts = {
            "global_step": asked.global_step,
            "session_run_index": session._steps,
            "executor_step_index": 0,
            "input_names": [t.name for t in feeds],
            "output_names": [t.name for t in wanted.tensors],
            "target_nodes": [op.name for op in wanted.targets],
        }
        now = _now()
        message = protos.Event(log_message=protos.LogMessage(message=json.dumps(facts)))
        graph = protos.Event(graph_def=session.graph.as_graph_def().SerializeToString())
        for folder in self.folders:
            _write(os.path.join(folder, f"{PREFIX}core_metadata_sessionrun{session._steps:014d}_{now}"), message)
            place = os.path.join(folder, device_folder(self.device(None)))
            _write(os.path.join(place, f"{PREFIX}graph_hash{abs(hash(session.graph))}_{now}"), graph)
        for t, value in feeds.items():
            self._dump(t.op, t.value_index, value)

    def before(self, op: Operation, state: Any) -> None:
        """`op` is about to run: variables and constants that it takes have their values already."""
        for t in op._inputs:
            source = t.op
            if source.name in self.watches and source not in self.seen:
                if source.opdef.constant:
                    self._dump(source, 0, source._attrs["value"])
                elif source.opdef.source and state.get(variable_key(source)) is not None:
                    self._dump(source, 0, state.get(variable_key(source)))

    def saw(self, op: Operation, values: list[Any], state: Any) -> None:
        """`op` has run, and gave `values`."""
        for slot, value in enumerate(values):
            if type(value) is RefValue:
                value = state.get(value.key)
            if value is not None:
                self._dump(op, slot, value)

    def finish(self) -> None:
        """Dump what was known without running."""
        plan = self.session._last_plan
        for op in plan.ops:
            if op.opdef.constant and op not in self.seen:
                self._dump(op, 0, op._attrs["value"])
        for t, value in plan.constants.items():
            if t.op not in self.seen:
                self._dump(t.op, t.value_index, value)

    def _dump(self, op: Operation, slot: int, value: Any) -> None:
        self.seen.add(op)
        slots = self.watches.get(op.name, {})
        for debug_op, folders in slots.get(slot, []) + slots.get(ALL, []):
            if not debug_op:
                continue
            dtype = op.outputs[slot].dtype.base_dtype
            if dtype._name in ("resource", "variant"):
                continue
            array = np.asarray(value)
            if debug_op in _NUMBERS_ONLY and array.dtype.kind not in "fiub":
                continue
            now = _now()
            event = protos.Event(wall_time=now)
            told = event.summary.value.add(node_name=f"{op.name}:{slot}:{debug_op}", tag=op.name)
            made = DEBUG_OPS[debug_op](array, dtype)
            enum = dtype.as_datatype_enum if made is array else ENUM_OF_NAME[made.dtype.name]
            told.tensor.CopyFrom(tensors.to_proto(made, enum, content=True))
            for folder in folders:
                place = os.path.join(folder, device_folder(self.device(op)), *op.name.split("/"))
                path = f"{place}_{slot}_{debug_op}_{now}"
                while os.path.exists(path):  # a node that runs again within a microsecond
                    now += 1
                    path = f"{place}_{slot}_{debug_op}_{now}"
                _write(path, event)


def _now() -> int:
    return int(time.time() * 1e6)


def device_folder(device: str) -> str:
    """The folder of a device: /job:localhost/… as _tfdbg_device_,job_localhost,…"""
    return PREFIX + "device_" + device.replace(":", "_").replace("/", ",")


def _write(path: str, event: Any) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(event.SerializeToString())


def _folder(url: str) -> str:
    if not url.startswith("file://"):
        raise errors.UnimplementedError(
            None, None, f"Debug address {url!r}: tensors are written to files only (file://…)"
        )
    return url[len("file://") :]


def _known(name: str, tolerated: bool) -> str:
    """The name of a debugging op without its attributes; empty where it is unknown and that is tolerated."""
    plain = re.sub(r"\(.*\)$", "", name)
    if plain in DEBUG_OPS:
        return plain
    if tolerated:
        return ""
    raise errors.FailedPreconditionError(
        None, None, f"Failed to create debug op {name!r}: there are {', '.join(DEBUG_OPS)}"
    )
