"""The part of a graph that another task runs: its GraphDef, and what goes there and comes back in a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.compiler.partition import Elsewhere, Partition
from thalweg._src.compiler.stage import Cluster
from thalweg._src.core import errors, functions, graphdef
from thalweg._src.core.devices import DeviceSpec
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.shapes import as_shape
from thalweg._src.formats import protos
from thalweg._src.runtime.hosting import on_host


class Part:
    """What a cluster of another task's asks of that task.

    `graph_def` holds the operations under their own names, and a placeholder for each of the tensors `takes`, which are fed under the names
    in `feeds`; `gives` are the tensors that come back, under the names in `fetches`; `targets` are to be run besides. `handle` is what the
    task calls the part.
    """

    handle = ""

    def __init__(self, cluster: Cluster, partition: Partition):
        self.task, self.takes, self.gives = cluster.colour, cluster.inputs, cluster.outputs
        self._names = {op.name for op in cluster.ops}
        self.feeds = [self._fresh(f"{t.op.name}/_{t.value_index}_taken") for t in self.takes]
        places = dict(zip(self.takes, self.feeds, strict=True))
        proto = protos.GraphDef(versions=cluster.ops[0].graph.graph_def_versions)
        for name, t in zip(self.feeds, self.takes, strict=True):
            node = proto.node.add(name=name, op="Placeholder")
            node.attr["dtype"].type = t.dtype.base_dtype.as_datatype_enum
            node.attr["shape"].shape.CopyFrom(as_shape(t._dims).as_proto())
        inside = set(cluster.ops)
        for op in sorted(cluster.ops, key=lambda op: op._id):
            node = graphdef.node_def(op)
            node.device = _device_there(op, self.task)
            del node.input[:]
            for t in op._inputs:
                t = cluster.stands.get(t, t)
                node.input.append(places.get(t) or t._as_node_def_input())
            node.input.extend(sorted("^" + c.name for c in _controls(op, inside)))
            proto.node.append(node)
        self.fetches = [self._fetched(t, cluster, partition, proto) for t in self.gives]
        given = {t.op for t in self.gives}
        taken = {t.op for op in cluster.ops for t in op._inputs}
        self.targets = [op.name for op in cluster.ops if op not in cluster.free | given | taken]
        bodies = functions.bodies_in(cluster.ops)
        for body, hands_on in bodies.values():
            proto.library.function.append(functions.definition(body, hands_on=hands_on))
        proto.library.function.extend(f for name, f in cluster.ops[0].graph._functions.items() if name not in bodies)
        self.graph_def = proto

    def _fresh(self, name: str) -> str:
        while name in self._names:
            name += "_"
        self._names.add(name)
        return name

    def _fetched(self, t: Tensor, cluster: Cluster, partition: Partition, proto: Any) -> str:
        """The name under which `t` is fetched: of a variable that the part writes, the value before writes it does not depend on."""
        source = partition.source(t)
        if source is None or source not in {s for key, s in cluster.sources.items() if key in cluster.writes}:
            return t.name
        # An operation that hands on the value of a reference, and, not being an alias of it, reads it once.
        name = self._fresh(f"{t.op.name}/_{t.value_index}_given")
        node = proto.node.add(name=name, op="PreventGradient", device=t.op.device, input=[t._as_node_def_input()])
        node.attr["T"].type = t.dtype.base_dtype.as_datatype_enum
        return name + ":0"


def _device_there(op: Operation, task: Elsewhere) -> str:
    """The device of `op` as its task has it: what takes a handle goes where the handle is, whatever it was placed on."""
    spec = DeviceSpec.from_string(op.device)
    stays = spec.job in (None, task.job) and spec.task in (None, task.task)
    return op.device if stays else str(task)


def _controls(op: Operation, inside: set[Operation]) -> set[Operation]:
    """What `op` must come after among the operations `inside`, by control edges, also through groups that are not."""
    found: set[Operation] = set()
    stack, seen = list(op._control_inputs), set()
    while stack:
        c = stack.pop()
        if c in seen:
            continue
        seen.add(c)
        if c in inside:
            found.add(c)
        elif not c.outputs or c.opdef.alias:
            stack += [*c._control_inputs, *(t.op for t in c._inputs)]
    return found


def travelling(name: str, value: Any) -> np.ndarray:
    """`value`, of the tensor `name`, as another task gets it. Raises UnimplementedError for what only its own process understands."""
    array = on_host(value)
    if isinstance(array, np.generic):
        array = np.asarray(array)
    if not isinstance(array, np.ndarray) or (
        array.dtype == object and not all(isinstance(x, bytes) for x in array.flat)
    ):
        raise errors.UnimplementedError(
            None, None, f"{name} is a {type(value).__name__}, which does not go from one task of a cluster to another"
        )
    return array
