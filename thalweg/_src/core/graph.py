"""Graph: operations by name, in the order of their creation, with collections; and the stack of default graphs."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from thalweg._src.core import site
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph_contexts import GraphContexts
from thalweg._src.core.node import Operation, Tensor
from thalweg._src.core.opdef import OpDef

PRODUCER_VERSION = 134  # GraphDef versions of TensorFlow 1.15
MIN_CONSUMER_VERSION = 0


class Graph(GraphContexts):
    """A dataflow graph: operations by name, in the order of their creation, with collections and versions.

    >>> g = tf.Graph()
    >>> with g.as_default():
    ...     c = tf.constant(30.0)
    >>> c.graph is g
    True
    """

    def __init__(self) -> None:
        super().__init__()
        self._ops: list[Operation] = []
        self._nodes_by_name: dict[str, Operation] = {}
        self._next_id = 1
        self._mutations = 0  # changes other than new ops: plans made before are void
        self._finalized = False
        self._collections: dict[Any, list[Any]] = {}
        self._seed: int | None = None
        self._unfeedable: set[Tensor] = set()
        self._unfetchable: set[Operation] = set()
        self._producer = PRODUCER_VERSION
        self._min_consumer = MIN_CONSUMER_VERSION
        self._functions: dict[str, Any] = {}
        self._scratch: dict[Any, Any] = {}  # what libraries keep per graph: variable stores, counters

    @property
    def version(self) -> int:
        """Grows with every operation that is added."""
        return self._next_id - 1

    @property
    def seed(self) -> int | None:
        """The graph-level random seed."""
        return self._seed

    @seed.setter
    def seed(self, value: int | None) -> None:
        self._seed = value

    def op_seed(self) -> int:
        """The seed of a random op that was given none, under a graph-level seed."""
        return self.version

    @property
    def graph_def_versions(self) -> Any:
        from thalweg._src.formats import protos

        return protos.VersionDef(producer=self._producer, min_consumer=self._min_consumer)

    def _import_versions(self, versions: Any) -> None:
        """Note that the graph holds nodes of a GraphDef of these versions."""
        self._producer = min(self._producer, versions.producer)
        self._min_consumer = max(self._min_consumer, versions.min_consumer)

    @property
    def finalized(self) -> bool:
        return self._finalized

    @property
    def _c_graph(self) -> Graph:
        """What internal functions of TensorFlow's C library take for a graph."""
        return self

    @property
    def _building_function(self) -> bool:
        """The name by which programs of 1.x ask for `building_function`."""
        return self.building_function

    @property
    def building_function(self) -> bool:
        return False

    @property
    def outermost(self) -> Graph:
        """The graph that variables live in: this one, but for the graphs of functions and branches."""
        return self

    def _get_control_flow_context(self) -> None:
        """None: loops and branches have graphs of their own."""
        return

    @property
    def around_loops(self) -> Graph:
        """The graph, of this function, in which the outermost loop around stands; this one where there is none."""
        return self

    def finalize(self) -> None:
        """Make the graph read-only. Adding to it raises RuntimeError from now on."""
        self._finalized = True

    def _unsafe_unfinalize(self) -> None:
        self._finalized = False

    def _check_not_finalized(self) -> None:
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")

    def _touch(self) -> None:
        self._mutations += 1

    def as_default(self) -> contextlib.AbstractContextManager[Graph]:
        """Make this the default graph of a `with` block."""
        return _default_graphs.entered(self)

    def __enter__(self) -> Graph:
        raise TypeError("Use `with graph.as_default():` to make a graph the default one.")

    def __exit__(self, *error: Any) -> None:
        pass

    # -- adding operations

    def outside(self, tensor: Tensor) -> Tensor | None:
        """The tensor of a graph around this one that `tensor` stands for."""
        return None

    def _admit(self, tensor: Tensor) -> Tensor:
        """`tensor` as an input of an op of this graph."""
        if type(tensor) is not Tensor:
            raise RuntimeError("Attempting to capture an EagerTensor without building a function.")
        if getattr(tensor.op.graph, "is_loop", False) and tensor.op.graph.outermost is self.outermost:
            raise ValueError(_in_a_loop(tensor, self))
        raise ValueError(f"{tensor} must be from the same graph as {self}: it belongs to another one.")

    def _add(
        self,
        opdef: OpDef,
        inputs: Sequence[Tensor],
        attrs: dict[str, Any],
        name: str,
        out_types: Sequence[DType],
        *,
        shapes_of: Callable[[Operation], Any],
        control_inputs: list[Operation] | None = None,
        device: str | None = None,
        depth: int = 3,
    ) -> Operation:
        """Add a node. `name` is final. The node joins the graph only once its output shapes are inferred."""
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")
        stacks = self._stacks
        op = Operation.__new__(Operation)
        op.graph, op.opdef, op._attrs, op._name = self, opdef, attrs, name
        op._inputs = tuple(inputs)
        op._stack = site.capture(depth)
        if stacks.attrs:
            for key, value in stacks.attrs.items():
                attrs.setdefault(key, value)
        if self._container and opdef.stateful and attrs.get("container") == "":
            attrs["container"] = self._container
        if stacks.original is not None:
            op.original = stacks.original  # type: ignore[attr-defined]
        if stacks.gradients and opdef.name in stacks.gradients:
            attrs["_gradient_op_type"] = stacks.gradients[opdef.name]
        if stacks.colocate:
            attrs["_class"] = sorted({g for other in stacks.colocate for g in _groups_of(other)})
        if control_inputs is None:
            control_inputs = stacks.control_inputs_for(op._inputs) if stacks.controls else []
        op._control_inputs = control_inputs
        op._id = self._next_id
        op._device = ""
        outputs = []
        for i, dtype in enumerate(out_types):
            t = Tensor.__new__(Tensor)
            t.op, t.value_index, t.dtype, t._dims, t._consumers = op, i, dtype, None, []
            outputs.append(t)
        op.outputs = outputs
        for t, dims in zip(outputs, shapes_of(op), strict=True):
            t._dims = dims
        if device is not None:
            op._device = device
        elif stacks.devices:
            op._device = stacks.device_for(op)
        with self._lock:
            op._id = self._next_id
            self._next_id += 1
            self._ops.append(op)
            self._nodes_by_name[name] = op
        for t in op._inputs:
            t._consumers.append(op)
        for controller in stacks.controls:
            controller.seen.add(op)
        return op

    def create_op(
        self,
        op_type: str,
        inputs: Sequence[Tensor],
        dtypes: Sequence[Any] | None = None,
        input_types: Any = None,
        name: str | None = None,
        attrs: dict[str, Any] | None = None,
        op_def: Any = None,
        compute_shapes: bool = True,
        compute_device: bool = True,
    ) -> Operation:
        """Add an op by the name of its type. `attrs` may hold AttrValue protos or Python values."""
        from thalweg._src.core import build

        return build.create(self, op_type, inputs, name or op_type, attrs or {})

    # -- looking up

    def _add_op(self, op: Operation) -> None:
        """Nothing: an operation stands in its graph from its making on. Raises ValueError where this is not its graph."""
        if self._nodes_by_name.get(op.name) is not op:
            raise ValueError(f"{op.name!r} is not an operation of this graph")

    def get_operations(self) -> list[Operation]:
        """All operations, in the order of their creation."""
        return list(self._ops)

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation of that name. Raises KeyError if there is none, ValueError for the name of a tensor."""
        if not isinstance(name, str):
            raise TypeError(f"Operation names are strings (or similar), not {type(name).__name__}.")
        return self.as_graph_element(name, allow_tensor=False, allow_operation=True)

    def get_tensor_by_name(self, name: str) -> Tensor:
        """The tensor of that name, 'op:0'. Raises KeyError if there is none, ValueError for the name of an operation."""
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings (or similar), not {type(name).__name__}.")
        return self.as_graph_element(name, allow_tensor=True, allow_operation=False)

    def _get_operation_by_name_unsafe(self, name: str) -> Operation:
        return self._nodes_by_name[name]

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """The Tensor or Operation that `obj` (one of those, a variable, a name) stands for in this graph.

        Raises TypeError for what can't stand for one, ValueError for one of another graph, KeyError for an unknown name.
        """
        if not (allow_tensor or allow_operation):
            raise ValueError("allow_tensor and allow_operation can't both be False.")
        wanted = " or ".join(["Tensor"] * allow_tensor + ["Operation"] * allow_operation)
        if not isinstance(obj, Tensor | Operation | str):
            convert = getattr(obj, "_as_graph_element", None)
            obj = convert() if callable(convert) else obj.decode() if isinstance(obj, bytes) else obj
        if isinstance(obj, str):
            return self._by_any_name(obj, allow_tensor, allow_operation)
        if isinstance(obj, Tensor) and allow_tensor:
            if obj.graph is not self:
                raise ValueError(f"Tensor {obj} is not an element of this graph.")
            return obj
        if isinstance(obj, Operation) and allow_operation:
            if obj.graph is not self:
                raise ValueError(f"Operation {obj!r} is not an element of this graph.")
            return obj
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {wanted}.")

    def _by_any_name(self, name: str, allow_tensor: bool, allow_operation: bool) -> Any:
        if ":" in name and allow_tensor:
            op_name, _, index = name.rpartition(":")
            if not index.isdigit() or ":" in op_name:
                raise ValueError(
                    f"The name {name!r} looks a like a Tensor name, but is not a valid one. Tensor names are `<op_name>:<output_index>`."
                )
            op = self._nodes_by_name.get(op_name)
            if op is None:
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist. The operation, {op_name!r}, does not exist in the graph."
                )
            if int(index) >= len(op.outputs):
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist. "
                    f"The operation, {op_name!r}, exists but only has {len(op.outputs)} outputs."
                )
            return op.outputs[int(index)]
        if ":" in name:
            if allow_operation and self._nodes_by_name.get(name.rpartition(":")[0]) is not None:
                raise ValueError(f"The name {name!r} appears to refer to a Tensor, not a Operation.")
            raise ValueError(f"The name {name!r} looks like an (invalid) Operation name, not a Tensor.")
        op = self._nodes_by_name.get(name)
        if op is not None and allow_operation:
            return op
        if op is not None:
            raise ValueError(
                f"The name {name!r} refers to an Operation, not a Tensor. Tensor names must be of the form `<op_name>:<output_index>`."
            )
        if not allow_operation:
            raise ValueError(
                f"The name {name!r} looks like an (invalid) Operation name, not a Tensor. "
                "Tensor names must be of the form `<op_name>:<output_index>`."
            )
        raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")

    # -- collections

    def add_to_collection(self, name: Any, value: Any) -> None:
        """Append `value` to the collection `name`."""
        self._check_not_finalized()
        with self._lock:
            self._collections.setdefault(name, []).append(value)

    def add_to_collections(self, names: Any, value: Any) -> None:
        """Append `value` to each of the collections (a list of names, or one)."""
        for name in (names,) if isinstance(names, str) or names is None else set(names):
            self.add_to_collection(name, value)

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        """A copy of the collection; with `scope`, only items whose name matches that pattern from its start."""
        values = self._collections.get(name, [])
        if scope is None:
            return list(values)
        pattern = re.compile(scope)
        return [v for v in values if hasattr(v, "name") and pattern.match(v.name)]

    def get_collection_ref(self, name: Any) -> list[Any]:
        """The collection itself, made if it is not there: what you append is in the graph. A key may say what `kind` of list it is."""
        with self._lock:
            return self._collections.setdefault(name, getattr(name, "kind", list)())

    def get_all_collection_keys(self) -> list[str]:
        return [k for k in self._collections if isinstance(k, str)]

    @property
    def collections(self) -> list[str]:
        return list(self._collections)

    def clear_collection(self, name: Any) -> None:
        self._check_not_finalized()
        self._collections.pop(name, None)

    def prevent_feeding(self, tensor: Tensor) -> None:
        """Feeding `tensor` becomes an error."""
        self._unfeedable.add(tensor)

    def is_feedable(self, tensor: Tensor) -> bool:
        return tensor not in self._unfeedable

    def prevent_fetching(self, op: Operation) -> None:
        """Fetching `op` becomes an error."""
        self._unfetchable.add(op)

    def is_fetchable(self, tensor_or_op: Any) -> bool:
        return (tensor_or_op.op if isinstance(tensor_or_op, Tensor) else tensor_or_op) not in self._unfetchable

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """The graph as a GraphDef; with `from_version`, only operations added after that version."""
        from thalweg._src.core import graphdef

        return graphdef.export(self, from_version=from_version, add_shapes=add_shapes)


def _groups_of(op: Operation) -> list[str]:
    groups = op._attrs.get("_class")
    return [g if isinstance(g, str) else g.decode() for g in groups] if groups else ["loc:@" + op.name]


# -- the stack of default graphs


class _DefaultStack(threading.local):
    def __init__(self) -> None:
        self.stack: list[Graph] = []

    @contextlib.contextmanager
    def entered(self, graph: Graph) -> Iterator[Graph]:
        self.stack.append(graph)
        try:
            yield graph
        finally:
            if self.stack:  # a test case may have cleared it meanwhile
                if self.stack[-1] is not graph:
                    raise AssertionError(f"Nesting violated for default stack of {type(graph)} objects")
                self.stack.pop()


_default_graphs = _DefaultStack()
_global_graph: Graph | None = None
_global_lock = threading.Lock()


def get_default_graph() -> Graph:
    """The graph that operations are added to: of the innermost `with graph.as_default()`, else one for the whole program."""
    stack = _default_graphs.stack
    if stack:
        return stack[-1]
    global _global_graph
    if _global_graph is None:
        with _global_lock:
            if _global_graph is None:
                _global_graph = Graph()
    return _global_graph


def reset_default_graph() -> None:
    """Begin a new default graph. Raises AssertionError inside a `with graph.as_default()` block."""
    if _default_graphs.stack:
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared graph, exit the nesting and "
            "create a new graph."
        )
    global _global_graph
    if type(_global_graph) in (Graph, type(None)):  # the graph of eager execution is not one to be cleared
        _global_graph = Graph()


def _in_a_loop(tensor: Tensor, graph: Any) -> str:
    """Why a tensor of a loop's body can't be used in `graph`."""
    outer = graph
    while outer is not None and not getattr(outer, "is_loop", False):
        outer = getattr(outer, "outer", None)
    name, user = tensor.op.name, graph._stacks.name
    why = f"'{name}' is in a while loop" if outer is None else "they are in different while loops"
    return f"Cannot use '{name}' as input to '{user}' because {why}. See info log for more details."
