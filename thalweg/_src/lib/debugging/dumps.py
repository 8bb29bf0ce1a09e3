"""What a watched run has written, read back: `DebugDumpDir`, of TensorFlow's dumps as of ours."""

import collections
import functools
import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg._src.core.tensor_protos import make_ndarray
from thalweg._src.formats import protos

PREFIX = "_tfdbg_"
DEVICE, GRAPH, CORE = PREFIX + "device_", PREFIX + "graph_", PREFIX + "core_metadata_"
FETCHES, FEEDS = PREFIX + "fetches_info_", PREFIX + "feed_keys_info_"

CoreMetadata = collections.namedtuple(
    "CoreMetadata", "global_step session_run_index executor_step_index input_names output_names target_nodes"
)


class InconvertibleTensorProto:
    """A tensor that no array can stand for: it was not initialized, or is of a type that has none."""

    def __init__(self, tensor_proto: Any, initialized: bool = True):
        self._tensor_proto, self._initialized = tensor_proto, initialized

    def __str__(self) -> str:
        return str(self._tensor_proto) if self._initialized else "Uninitialized tensor:\n" + str(self._tensor_proto)

    @property
    def initialized(self) -> bool:
        return self._initialized


class WatchKeyDoesNotExistInDebugDumpDirError(ValueError):
    """Nothing was dumped under that key."""


def _event(path: str) -> Any:
    with open(path, "rb") as f:
        return protos.Event.FromString(f.read())


def load_tensor_from_event(event: Any) -> Any:
    """The tensor in an Event of a dump: an array, None where it is empty, or an InconvertibleTensorProto."""
    tensor = event.summary.value[0].tensor
    if not (tensor.tensor_content or tensor.string_val or tensor.ListFields()):
        return None
    if not tensor.dtype:
        return InconvertibleTensorProto(tensor, initialized=False)
    try:
        return make_ndarray(tensor)
    except (KeyError, TypeError, ValueError):
        return InconvertibleTensorProto(tensor)


def load_tensor_from_event_file(event_file_path: str) -> Any:
    """As `load_tensor_from_event`, of a file."""
    return load_tensor_from_event(_event(event_file_path))


def has_inf_or_nan(datum: Any, tensor: Any) -> bool:
    """Whether an array holds an infinity or no number: a filter for `DebugDumpDir.find` and the command line."""
    if isinstance(tensor, InconvertibleTensorProto) or tensor is None:
        return False
    values = np.asarray(tensor)
    return values.dtype.kind in "fc" and not bool(np.isfinite(values).all())


def watch_key(node_name: str, output_slot: int, debug_op: str) -> str:
    """node:slot:op, by which a dump is found."""
    return f"{node_name}:{output_slot}:{debug_op}"


class DebugTensorDatum:
    """One dumped tensor: where it is, and what its name says."""

    def __init__(self, dump_root: str, debug_dump_rel_path: str):
        folder, _, rest = debug_dump_rel_path.partition(os.sep)
        base, _, stamp = rest.rpartition("_")
        base, _, self._debug_op = base.rpartition("_")
        name, _, slot = base.rpartition("_")
        if not stamp.isdigit() or not slot.lstrip("-").isdigit() or not folder.startswith(DEVICE):
            raise ValueError(f"Dump file path does not conform to the naming pattern: {debug_dump_rel_path}")
        self._timestamp, self._output_slot = int(stamp), int(slot)
        self._node_name = name.replace(os.sep, "/")
        self._device_name = folder.removeprefix(DEVICE).replace(",", "/").replace("_", ":")
        for word in ("job", "replica", "task", "device"):
            self._device_name = self._device_name.replace(f"/{word}_", f"/{word}:")
        self._file_path = os.path.join(dump_root, debug_dump_rel_path)

    def __str__(self) -> str:
        return f"{{DebugTensorDatum ({self._device_name}) {self.tensor_name} @ {self._debug_op} @ {self._timestamp}}}"

    __repr__ = __str__

    def get_tensor(self) -> Any:
        """The value, read from its file."""
        return load_tensor_from_event_file(self._file_path)

    timestamp = property(lambda self: self._timestamp)
    debug_op = property(lambda self: self._debug_op)
    device_name = property(lambda self: self._device_name)
    node_name = property(lambda self: self._node_name)
    output_slot = property(lambda self: self._output_slot)
    tensor_name = property(lambda self: f"{self._node_name}:{self._output_slot}")
    watch_key = property(lambda self: watch_key(self._node_name, self._output_slot, self._debug_op))
    file_path = property(lambda self: self._file_path)
    dump_size_bytes = property(lambda self: os.path.getsize(self._file_path))


class DebugDumpDir:
    """The dumps of one run in a folder. The graph is the one that was dumped, or one of `partition_graphs`.

    Raises OSError where the folder or its device folders are missing, and ValueError with `validate` where a dump is of no node.
    """

    def __init__(self, dump_root: str, partition_graphs: Any = None, validate: bool = True):
        if not os.path.isdir(dump_root):
            raise OSError(f"Dump root directory {dump_root} does not exist")
        self._root = dump_root
        self._python_graph: Any = None
        names = sorted(os.listdir(dump_root))
        self._devices = [n for n in names if n.startswith(DEVICE)]
        if not any(n.startswith(CORE) for n in names):
            raise OSError(f"No core metadata file was found in {dump_root}")
        data = [DebugTensorDatum(dump_root, path) for path in self._paths()]
        self._data = sorted(data, key=lambda d: (d.timestamp, d.node_name, d.output_slot))
        self._by_key: dict[str, list[DebugTensorDatum]] = {}
        for datum in self._data:
            self._by_key.setdefault(datum.watch_key, []).append(datum)
        self._graphs = {self._device_of(folder): found for folder in self._devices if (found := self._graph_of(folder))}
        if not self._graphs and partition_graphs:
            self._graphs = {_device_in(graph) or "": graph for graph in partition_graphs}
        self._nodes = {n.name: n for g in self._graphs.values() for n in g.node}
        if validate and self._nodes:
            for datum in self._data:
                if datum.node_name not in self._nodes:
                    raise ValueError(f"Node name {datum.node_name!r} is not found in partition graphs.")

    def _paths(self) -> Iterator[str]:
        for device in self._devices:
            for folder, _, files in os.walk(os.path.join(self._root, device)):
                for name in files:
                    if not name.startswith(PREFIX):
                        yield os.path.relpath(os.path.join(folder, name), self._root)

    def _device_of(self, folder: str) -> str:
        return DebugTensorDatum(self._root, os.path.join(folder, "x_0_DebugIdentity_0")).device_name

    def _graph_of(self, folder: str) -> Any:
        place = os.path.join(self._root, folder)
        for name in sorted(os.listdir(place)):
            if name.startswith(GRAPH):
                return protos.GraphDef.FromString(_event(os.path.join(place, name)).graph_def)
        return None

    # -- the run

    @property
    def core_metadata(self) -> Any:
        """A CoreMetadata of the run, or a list of them where there were several."""
        found = []
        for name in sorted(n for n in os.listdir(self._root) if n.startswith(CORE)):
            facts = json.loads(_event(os.path.join(self._root, name)).log_message.message)
            found.append(CoreMetadata(*(facts[field] for field in CoreMetadata._fields)))
        return found[0] if len(found) == 1 else found

    def _told(self, name: str) -> str | None:
        path = os.path.join(self._root, name)
        return _event(path).log_message.message if os.path.exists(path) else None

    run_fetches_info = property(lambda self: self._told(FETCHES), doc="The text of what was fetched.")
    run_feed_keys_info = property(lambda self: self._told(FEEDS), doc="The text of what was fed.")
    dumped_tensor_data = property(lambda self: list(self._data), doc="All dumps, by their time.")
    size = property(lambda self: len(self._data), doc="How many dumps there are.")

    @property
    def t0(self) -> int | None:
        """The time of the first dump, in microseconds."""
        return self._data[0].timestamp if self._data else None

    # -- the graph

    def loaded_partition_graphs(self) -> bool:
        return bool(self._graphs)

    def partition_graphs(self) -> list[Any]:
        """A GraphDef for each device. Raises LookupError where none were dumped."""
        if not self._graphs:
            raise LookupError("No partition graphs have been loaded.")
        return list(self._graphs.values())

    def reconstructed_non_debug_partition_graphs(self) -> dict[str, Any]:
        """The GraphDef of each device, by its name: nothing of the debugger is in them here."""
        self.partition_graphs()
        return dict(self._graphs)

    def devices(self) -> list[str]:
        return [self._device_of(folder) for folder in self._devices]

    def nodes(self, device_name: str | None = None) -> list[str]:
        if not self._graphs:
            raise LookupError("No partition graphs have been loaded.")
        if device_name is None:
            return list(self._nodes)
        if device_name not in self._graphs:
            raise ValueError(f"Invalid device name: {device_name}")
        return [n.name for n in self._graphs[device_name].node]

    def _node(self, name: str) -> Any:
        if not self._graphs:
            raise LookupError("Nodes have not been loaded from partition graphs yet.")
        if name not in self._nodes:
            raise ValueError(f"Node '{name}' does not exist in partition graphs.")
        return self._nodes[name]

    def node_exists(self, node_name: str, device_name: str | None = None) -> bool:
        if not self._graphs:
            raise LookupError("Nodes have not been loaded from partition graphs yet.")
        return node_name in self._nodes

    def node_attributes(self, node_name: str, device_name: str | None = None) -> Any:
        return self._node(node_name).attr

    def node_op_type(self, node_name: str, device_name: str | None = None) -> str:
        return self._node(node_name).op

    def node_device(self, node_name: str) -> str:
        self._node(node_name)
        return next(device for device, g in self._graphs.items() if any(n.name == node_name for n in g.node))

    def node_inputs(self, node_name: str, is_control: bool = False, device_name: str | None = None) -> list[str]:
        """The names of the inputs (without the slot 0), or of the control inputs."""
        return _inputs(self._node(node_name), is_control)

    @functools.cached_property
    def _recipients(self) -> dict[tuple[str, bool], list[str]]:
        found: dict[tuple[str, bool], list[str]] = {}
        for node in self._nodes.values():
            for is_control in (False, True):
                for name in _inputs(node, is_control):
                    found.setdefault((name.partition(":")[0], is_control), []).append(node.name)
        return found

    def node_recipients(self, node_name: str, is_control: bool = False, device_name: str | None = None) -> list[str]:
        self._node(node_name)
        return self._recipients.get((node_name, is_control), [])

    def transitive_inputs(
        self,
        node_name: str,
        include_control: bool = True,
        include_reversed_ref: bool = False,
        device_name: str | None = None,
    ) -> list[str]:
        """All nodes that `node_name` depends on, depth first."""
        self._node(node_name)
        found: dict[str, None] = {}
        stack = [node_name]
        while stack:
            node = self._nodes.get(stack.pop())
            if node is None:
                continue
            names = [
                n.partition(":")[0] for n in _inputs(node, False) + (_inputs(node, True) if include_control else [])
            ]
            fresh = [n for n in names if n not in found and n != node_name]
            found.update(dict.fromkeys(fresh))
            stack += reversed(fresh)
        return list(found)

    def find_some_path(
        self,
        src_node_name: str,
        dst_node_name: str,
        include_control: bool = True,
        include_reversed_ref: bool = False,
        device_name: str | None = None,
    ) -> list[str] | None:
        """Nodes from one to the other along the flow of data, None where there is no way."""
        self._node(src_node_name)
        self._node(dst_node_name)
        before: dict[str, str | None] = {src_node_name: None}
        line = collections.deque([src_node_name])
        while line:
            name = line.popleft()
            if name == dst_node_name:
                path: list[str] = []
                at: str | None = name
                while at is not None:
                    path.append(at)
                    at = before[at]
                return path[::-1]
            kinds = (False, True) if include_control else (False,)
            for following in [n for c in kinds for n in self._recipients.get((name, c), [])]:
                if following not in before:
                    before[following] = name
                    line.append(following)
        return None

    def set_python_graph(self, python_graph: Any) -> None:
        """Let `node_traceback` look into the Graph that was run."""
        self._python_graph = python_graph

    @property
    def python_graph(self) -> Any:
        return self._python_graph

    def node_traceback(self, element_name: str) -> list[Any]:
        """Where the program made a node: (file, line, function, text). Raises LookupError without a graph, KeyError without a node."""
        if self._python_graph is None:
            raise LookupError("Python graph is not available for traceback lookup")
        name = element_name.partition(":")[0]
        try:
            return self._python_graph.get_operation_by_name(name).traceback
        except KeyError:
            raise KeyError(f'Cannot find node "{name}" in Python graph') from None

    # -- the dumps

    def debug_watch_keys(self, node_name: str, device_name: str | None = None) -> list[str]:
        """The keys of all dumps of a node."""
        return list(dict.fromkeys(d.watch_key for d in self._data if d.node_name == node_name))

    def watch_key_to_data(self, debug_watch_key: str, device_name: str | None = None) -> list[DebugTensorDatum]:
        return self._by_key.get(debug_watch_key, [])

    def find(
        self,
        predicate: Callable[[DebugTensorDatum, Any], bool],
        first_n: int = 0,
        device_name: str | None = None,
        exclude_node_names: str | None = None,
    ) -> list[DebugTensorDatum]:
        """The dumps for which `predicate(datum, value)`, by their time; the first `first_n` where that is not 0."""
        left_out = re.compile(exclude_node_names) if exclude_node_names else None
        found: list[DebugTensorDatum] = []
        for datum in self._data:
            if device_name and datum.device_name != device_name:
                continue
            if left_out and left_out.match(datum.node_name):
                continue
            if predicate(datum, datum.get_tensor()):
                found.append(datum)
                if len(found) == first_n:
                    break
        return found

    def _of(self, node_name: str, output_slot: int, debug_op: str, device_name: str | None) -> list[DebugTensorDatum]:
        key = watch_key(node_name, output_slot, debug_op)
        found = [d for d in self._by_key.get(key, []) if device_name in (None, d.device_name)]
        if not found:
            raise WatchKeyDoesNotExistInDebugDumpDirError(
                f'Watch key "{key}" does not exist in the debug dump of device {device_name}'
            )
        return found

    def get_tensors(self, node_name: str, output_slot: int, debug_op: str, device_name: str | None = None) -> list[Any]:
        """The values of an output, one for each time that it was dumped. Raises a ValueError where it was not."""
        return [d.get_tensor() for d in self._of(node_name, output_slot, debug_op, device_name)]

    def get_tensor_file_paths(
        self, node_name: str, output_slot: int, debug_op: str, device_name: str | None = None
    ) -> list[str]:
        return [d.file_path for d in self._of(node_name, output_slot, debug_op, device_name)]

    def get_rel_timestamps(
        self, node_name: str, output_slot: int, debug_op: str, device_name: str | None = None
    ) -> list[int]:
        """Microseconds from the first dump of the run."""
        return [d.timestamp - (self.t0 or 0) for d in self._of(node_name, output_slot, debug_op, device_name)]

    def get_dump_sizes_bytes(
        self, node_name: str, output_slot: int, debug_op: str, device_name: str | None = None
    ) -> list[int]:
        return [d.dump_size_bytes for d in self._of(node_name, output_slot, debug_op, device_name)]


def _inputs(node: Any, is_control: bool) -> list[str]:
    if is_control:
        return [n[1:] for n in node.input if n.startswith("^")]
    return [n.removesuffix(":0") for n in node.input if not n.startswith("^")]


def _device_in(graph: Any) -> str | None:
    return next((n.device for n in graph.node if n.device), None)
