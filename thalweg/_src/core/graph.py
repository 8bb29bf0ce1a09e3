"""The data model: Graph, Operation and Tensor, and the stacks (graph, names, devices, control inputs) of graph building."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from thalweg._src.core import devices, dtypes, shapes, site
from thalweg._src.core.dtypes import DType
from thalweg._src.core.opdef import OpDef
from thalweg._src.core.shapes import Dims, TensorShape

_VALID_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\-/]*$")
_VALID_SCOPE = re.compile(r"^[A-Za-z0-9_.\-/]*$")

PRODUCER_VERSION = 134  # GraphDef versions of TensorFlow 1.15
MIN_CONSUMER_VERSION = 0


class Tensor:
    """One output of an operation: a name for a value that a session can compute. It has a dtype and a static shape.

    Operators (`+`, `@`, `[]`, `<` ...) add operations to its graph; `==` and `!=` compare identity, as in TensorFlow 1.x.
    """

    __slots__ = ("__dict__", "__weakref__", "_consumers", "_dims", "dtype", "op", "value_index")
    __array_priority__ = 100  # np.ndarray + Tensor asks Tensor
    OVERLOADABLE_OPERATORS: set[str] = set()
    op: Operation
    dtype: DType
    value_index: int

    def __init__(self, op: Operation, value_index: int, dtype: Any):
        self.op, self.value_index, self.dtype = op, value_index, dtypes.as_dtype(dtype)
        self._dims: Dims = None
        self._consumers: list[Operation] = []

    @property
    def graph(self) -> Graph:
        return self.op.graph

    @property
    def name(self) -> str:
        """`op:0`, `op:1` ..."""
        return f"{self.op.name}:{self.value_index}"

    @property
    def device(self) -> str:
        return self.op.device

    @property
    def dims(self) -> Dims:
        """The static shape as a tuple of sizes and Nones, or None (thalweg's own short form of `shape`)."""
        return self._dims

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return TensorShape._of(self._dims)

    def get_shape(self) -> TensorShape:
        """The static shape."""
        return TensorShape._of(self._dims)

    def _shape_as_list(self) -> list[int | None] | None:
        return None if self._dims is None else list(self._dims)

    def set_shape(self, shape: Any) -> None:
        """Add what you know to the static shape. Raises ValueError where it contradicts what is known."""
        self._dims = shapes.merged(self._dims, shapes.as_dims(shape))

    @property
    def _rank(self) -> int | None:
        return None if self._dims is None else len(self._dims)

    def consumers(self) -> list[Operation]:
        """The operations that take this tensor as an input."""
        return list(self._consumers)

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """The tensor's value in `session`, or in the default session."""
        return _default_session_for(self.graph, session, "evaluate tensor", "eval").run(self, feed_dict)

    def experimental_ref(self) -> Tensor:
        return self

    ref = experimental_ref

    def _as_tf_output(self) -> Tensor:
        """What internal functions of TensorFlow's C library take for a tensor."""
        return self

    def _as_node_def_input(self) -> str:
        return self.op.name if self.value_index == 0 else self.name

    # Equality and hash are object's own: identity, at the speed of C.

    def __copy__(self) -> Tensor:
        return self

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(
            "Tensor objects are only iterable when eager execution is enabled. To iterate over this tensor use tf.map_fn."
        )

    def __len__(self) -> int:
        raise TypeError(
            f"len is not well defined for symbolic Tensors ({self.name}). Use x.shape[0] or tf.shape(x)[0]."
        )

    def __bool__(self) -> bool:
        raise TypeError(
            "Using a `tf.Tensor` as a Python `bool` is not allowed. Use `if t is not None:` instead of `if t:` to test if a "
            "tensor is defined, and use TensorFlow ops such as tf.cond to execute subgraphs conditioned on the value of a tensor."
        )

    __nonzero__ = __bool__

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise NotImplementedError(f"Cannot convert a symbolic Tensor ({self.name}) to a numpy array.")

    def __str__(self) -> str:
        shape = "" if self._dims is None else f", shape={self.shape}"
        device = f", device={self.device}" if self.device else ""
        return f'Tensor("{self.name}"{shape}, dtype={self.dtype.name}{device})'

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    @staticmethod
    def _override_operator(operator: str, func: Callable[..., Any]) -> None:
        setattr(Tensor, operator, func)
        Tensor.OVERLOADABLE_OPERATORS.add(operator)


class Operation:
    """One node of a graph: an op of some type, with its inputs, attrs and outputs."""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_attrs",
        "_control_inputs",
        "_device",
        "_id",
        "_inputs",
        "_name",
        "_stack",
        "graph",
        "opdef",
        "outputs",
    )
    graph: Graph
    opdef: OpDef
    outputs: list[Tensor]
    _attrs: dict[str, Any]
    _control_inputs: list[Operation]
    _device: str
    _id: int
    _inputs: tuple[Tensor, ...]
    _name: str
    _stack: site.Stack

    def __init__(
        self,
        node_def: Any,
        g: Graph,
        inputs: Sequence[Tensor] | None = None,
        output_types: Any = None,
        control_inputs: Iterable[Operation] | None = None,
        input_types: Any = None,
        original_op: Operation | None = None,
        op_def: Any = None,
    ):
        from thalweg._src.core import raw_operations

        raw_operations.make(self, node_def, g, inputs, control_inputs, original_op)

    @property
    def name(self) -> str:
        return self._name

    @property
    def type(self) -> str:
        """The type of the op: 'MatMul'."""
        return self.opdef.name

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return self._inputs

    @property
    def control_inputs(self) -> list[Operation]:
        """Operations that run before this one although it takes nothing from them."""
        return list(self._control_inputs)

    @property
    def attrs(self) -> dict[str, Any]:
        """The attrs as Python values; read only."""
        return self._attrs

    @property
    def device(self) -> str:
        return self._device

    def _set_device(self, device: Any) -> None:
        self._device = devices.canonical(device)

    @property
    def site(self) -> str:
        """File and line of the user's program that made the op."""
        return site.user_line(self._stack)

    @property
    def _original_op(self) -> Operation | None:
        return self.__dict__.get("original")

    @property
    def traceback(self) -> list[tuple[str, int, str, str]]:
        """The stack at the creation of the op, outermost frame first."""
        return site.traceback(self._stack)

    @property
    def node_def(self) -> Any:
        """The op as a NodeDef."""
        from thalweg._src.core import graphdef

        return graphdef.node_def(self)

    @property
    def op_def(self) -> Any:
        """The schema of the op as an OpDef proto."""
        from thalweg._src.core import graphdef

        return graphdef.op_def(self.opdef)

    def get_attr(self, name: str) -> Any:
        """The value of an attr, as TensorFlow's `get_attr` gives it. Raises ValueError if there is none of that name."""
        from thalweg._src.core import graphdef

        if name not in self._attrs:
            raise ValueError(f"Operation {self.name!r} has no attr named {name!r}.")
        return graphdef.public_attr(self, name)

    def _set_attr(self, name: str, value: Any) -> None:
        from thalweg._src.core import graphdef

        self._attrs[name] = graphdef.attr_from_proto(value) if hasattr(value, "WhichOneof") else value
        self.graph._touch()

    def values(self) -> tuple[Tensor, ...]:
        return tuple(self.outputs)

    def colocation_groups(self) -> list[bytes]:
        """The names of the groups whose ops share a device, `[b'loc:@name']`."""
        own = [b"loc:@" + self.name.encode()]
        return [c.encode() if isinstance(c, str) else c for c in self._attrs.get("_class", [])] or own

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run the operation in `session`, or in the default session."""
        _default_session_for(self.graph, session, "execute operation", "run").run(self, feed_dict)

    def _add_control_input(self, op: Operation) -> None:
        self._add_control_inputs([op])

    def _add_control_inputs(self, ops: Iterable[Operation]) -> None:
        for op in ops:
            if not isinstance(op, Operation):
                raise TypeError(f"op must be an Operation: {op!r}")
            if op.graph is not self.graph:
                raise ValueError(f"{op.name!r} and {self.name!r} are of different graphs")
            if op not in self._control_inputs:
                self._control_inputs.append(op)
        self.graph._touch()

    def _add_input(self, tensor: Tensor, dtype: Any = None) -> None:
        from thalweg._src.core import raw_operations

        raw_operations.add_input(self, tensor)

    @property
    def _output_types(self) -> list[int]:
        return [t.dtype.as_datatype_enum for t in self.outputs]

    def _get_control_flow_context(self) -> None:
        """None: loops and branches have graphs of their own."""
        return

    def _set_control_flow_context(self, context: None) -> None:
        if context is not None:
            raise ValueError(
                f"Operation {self.name!r} can't be put into {context!r}: loops and branches have graphs of their own."
            )

    def _update_input(self, index: int, tensor: Tensor) -> None:
        old = self._inputs[index]
        self._inputs = (*self._inputs[:index], tensor, *self._inputs[index + 1 :])
        if all(t is not old for t in self._inputs):
            old._consumers.remove(self)
        tensor._consumers.append(self)
        self.graph._touch()

    def __str__(self) -> str:
        return str(self.node_def)

    def __repr__(self) -> str:
        return f"<tf.Operation '{self.name}' type={self.type}>"


class Graph:
    """A dataflow graph: operations by name, in the order of their creation, with collections and versions.

    >>> g = tf.Graph()
    >>> with g.as_default():
    ...     c = tf.constant(30.0)
    >>> c.graph is g
    True
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._ops: list[Operation] = []
        self._nodes_by_name: dict[str, Operation] = {}
        self._names_in_use: dict[str, int] = {}
        self._next_id = 1
        self._mutations = 0  # changes other than new ops: plans made before are void
        self._finalized = False
        self._collections: dict[Any, list[Any]] = {}
        self._seed: int | None = None
        self._unfeedable: set[Tensor] = set()
        self._unfetchable: set[Operation] = set()
        self._local = threading.local()
        self._container = ""
        self._producer = PRODUCER_VERSION
        self._functions: dict[str, Any] = {}
        self._scratch: dict[Any, Any] = {}  # what libraries keep per graph: variable stores, counters

    # -- state of graph building, one stack each per thread

    @property
    def _stacks(self) -> _Stacks:
        try:
            return self._local.stacks
        except AttributeError:
            self._local.stacks = _Stacks()
            return self._local.stacks

    @property
    def _name_stack(self) -> str:
        return self._stacks.name

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

        return protos.VersionDef(producer=self._producer, min_consumer=MIN_CONSUMER_VERSION)

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

    # -- names

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` inside the current name scope, made unique: `a`, `a_1`, `a_2` ... Case does not tell names apart."""
        if self._name_stack:
            name = f"{self._name_stack}/{name}"
        with self._lock:
            key = name.lower()
            in_use = self._names_in_use
            i = in_use.get(key, 0)
            if mark_as_used:
                in_use[key] = i + 1
            if i > 0:
                base = key
                while key in in_use:
                    key = f"{base}_{i}"
                    i += 1
                if mark_as_used:
                    in_use[base] = i
                    in_use[key] = 1
                name = f"{name}_{i - 1}"
            return name

    def get_name_scope(self) -> str:
        """The current name scope: 'a/b', or '' at the top."""
        return self._name_stack

    @contextlib.contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Prefix the names of what is made in the block. A name that ends in '/' re-enters a scope; None or '' leaves all.

        Yields the scope, 'a/b/'. Raises ValueError for a name that is not valid.
        """
        stacks = self._stacks
        old = stacks.name
        stacks.name = self._enter_scope(name)
        try:
            yield stacks.name + "/" if stacks.name else ""
        finally:
            stacks.name = old

    def _enter_scope(self, name: str | None) -> str:
        if not name:
            return ""
        if isinstance(name, bytes):
            name = name.decode()
        if self._name_stack:
            if not _VALID_SCOPE.match(name):
                raise ValueError(f"'{name}' is not a valid scope name")
        elif not _VALID_NAME.match(name):
            raise ValueError(f"'{name}' is not a valid scope name")
        return name[:-1] if name[-1] == "/" else self.unique_name(name)

    # -- adding operations

    def _op_name(self, name: str) -> str:
        """The full name of a new op; a name that ends in '/' is taken as it stands."""
        if isinstance(name, bytes):
            name = name.decode()
        if name[-1:] == "/":
            return name[:-1]
        if not _VALID_NAME.match(name) and not (self._name_stack and _VALID_SCOPE.match(name)):
            raise ValueError(f"'{name}' is not a valid op name")
        return self.unique_name(name)

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

    def _record_op_seen_by_control_dependencies(self, op: Operation) -> None:
        for controller in self._stacks.controls:
            controller.seen.add(op)

    @property
    def _colocation_stack(self) -> list[Operation]:
        return self._stacks.colocate

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
        """The collection itself, made if it is not there: what you append is in the graph."""
        with self._lock:
            return self._collections.setdefault(name, [])

    def get_all_collection_keys(self) -> list[str]:
        return [k for k in self._collections if isinstance(k, str)]

    @property
    def collections(self) -> list[str]:
        return list(self._collections)

    def clear_collection(self, name: Any) -> None:
        self._check_not_finalized()
        self._collections.pop(name, None)

    # -- contexts

    def control_dependencies(self, control_inputs: Any) -> contextlib.AbstractContextManager[Any]:
        """What is made in the block runs after `control_inputs`; None drops the dependencies of the blocks around."""
        return self._controlled(control_inputs)

    @contextlib.contextmanager
    def _controlled(self, control_inputs: Any) -> Iterator[None]:
        stacks = self._stacks
        old = stacks.controls
        if control_inputs is None:
            stacks.controls = []
        else:
            stacks.controls = [*old, _Controller(self._control_ops(control_inputs))]
        try:
            yield
        finally:
            stacks.controls = old

    def _control_ops(self, control_inputs: Any) -> list[Operation]:
        ops: list[Operation] = []
        for c in control_inputs:
            c = getattr(c, "values", c) if type(c).__name__ == "IndexedSlices" else c
            if not isinstance(c, Tensor | Operation) and hasattr(c, "op"):
                # After a write, a resource variable's op is the write: to wait for that reads nothing.
                if not hasattr(c, "_as_graph_element") or hasattr(c, "handle"):
                    c = c.op
            element = self.as_graph_element(c)
            op = element.op if isinstance(element, Tensor) else element
            if op not in ops:
                ops.append(op)
        return ops

    @contextlib.contextmanager
    def device(self, device_name_or_function: Any) -> Iterator[None]:
        """Place what is made in the block: a device string (merged with the blocks around), a function of the op, or None."""
        stacks = self._stacks
        old = stacks.devices
        stacks.devices = [*old, devices.user_device(device_name_or_function)]
        try:
            yield
        finally:
            stacks.devices = old

    def _apply_device_functions(self, op: Any) -> None:
        """Tell `op._set_device` the device that the blocks around give, a DeviceSpec; outside of any, nothing."""
        if self._stacks.devices:
            op._set_device(devices.DeviceSpec.from_string(devices.apply(self._stacks.devices, op)))

    @contextlib.contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """Place what is made in the block with `op` (an Operation, a Tensor or a variable)."""
        if op is None and not ignore_existing:
            raise ValueError("Trying to reset colocation (op is None) but ignore_existing is not True")
        stacks = self._stacks
        old, old_devices = stacks.colocate, stacks.devices
        if op is not None and not isinstance(op, Operation):
            op = self.as_graph_element(op) if not hasattr(op, "op") else op.op
            op = op.op if isinstance(op, Tensor) else op
        stacks.colocate = ([] if ignore_existing else list(old)) + ([op] if op is not None else [])
        if op is not None:
            stacks.devices = [devices.user_device(None), devices.user_device(op.device or None)]
        elif ignore_existing:
            stacks.devices = []
        try:
            yield
        finally:
            stacks.colocate, stacks.devices = old, old_devices

    @contextlib.contextmanager
    def _colocate_with_for_gradient(self, op: Any, gradient_uid: Any = None, ignore_existing: bool = False):
        with self.colocate_with(op, ignore_existing):
            yield

    @contextlib.contextmanager
    def _original_op(self, op: Operation) -> Iterator[None]:
        """Ops made in the block remember `op` as the one they were made for: gradients do."""
        stacks = self._stacks
        old = stacks.original
        stacks.original = op
        try:
            yield
        finally:
            stacks.original = old

    @contextlib.contextmanager
    def container(self, container_name: str) -> Iterator[str]:
        """The resource container of what is made in the block."""
        old = self._container
        self._container = container_name
        try:
            yield container_name
        finally:
            self._container = old

    @contextlib.contextmanager
    def gradient_override_map(self, op_type_map: dict[str, str]) -> Iterator[None]:
        """Ops of the given types, made in the block, get the gradient registered under another name.

        Raises TypeError for a map that does not go from strings to strings.
        """
        if not isinstance(op_type_map, dict) or not all(isinstance(x, str) for kv in op_type_map.items() for x in kv):
            raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        with self._with_stack("gradients", op_type_map):
            yield

    @contextlib.contextmanager
    def _attr_scope(self, attr_map: dict[str, Any]) -> Iterator[None]:
        """Ops made in the block carry these attrs too; a value of None takes one away."""
        if not isinstance(attr_map, dict):
            raise TypeError(
                "attr_map must be a dictionary mapping strings to Callable objects that return AttrValue protos"
            )
        from thalweg._src.core import graphdef

        attrs = {k: graphdef.attr_from_proto(v) if hasattr(v, "WhichOneof") else v for k, v in attr_map.items()}
        with self._with_stack("attrs", attrs):
            yield

    @contextlib.contextmanager
    def _kernel_label_map(self, op_to_kernel_label_map: dict[str, str]) -> Iterator[None]:
        if not isinstance(op_to_kernel_label_map, dict):
            raise TypeError("op_to_kernel_label_map must be a dictionary mapping strings to strings")
        yield  # there is one lowering per op; labels choose nothing

    @contextlib.contextmanager
    def _with_stack(self, which: str, more: dict[str, Any]) -> Iterator[None]:
        stacks = self._stacks
        old = getattr(stacks, which)
        merged = {**old, **more}
        setattr(stacks, which, {k: v for k, v in merged.items() if v is not None})
        try:
            yield
        finally:
            setattr(stacks, which, old)

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

    def switch_to_thread_local(self) -> None:
        """The stacks of graph building are per thread here anyway."""

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """The graph as a GraphDef; with `from_version`, only operations added after that version."""
        from thalweg._src.core import graphdef

        return graphdef.export(self, from_version=from_version, add_shapes=add_shapes)


class _Controller:
    """One `control_dependencies` block: what it waits for, and the ops made in it, which need not wait again."""

    __slots__ = ("ops", "seen")

    def __init__(self, ops: list[Operation]):
        self.ops = ops
        self.seen: set[Operation] = set()


class _Stacks:
    """The state of graph building in one thread."""

    __slots__ = ("attrs", "colocate", "controls", "devices", "gradients", "name", "original")

    def __init__(self) -> None:
        self.name = ""
        self.devices: list[Any] = []
        self.controls: list[_Controller] = []
        self.colocate: list[Operation] = []
        self.gradients: dict[str, str] = {}
        self.original: Operation | None = None
        self.attrs: dict[str, Any] = {}

    def control_inputs_for(self, inputs: Sequence[Tensor]) -> list[Operation]:
        """An op waits for a block's control inputs unless one of its inputs, made in the block, does so already."""
        out: list[Operation] = []
        producers = {t.op for t in inputs}
        for controller in self.controls:
            if producers.isdisjoint(controller.seen):
                out += [c for c in controller.ops if c not in producers and c not in out]
        return out

    def device_for(self, op: Operation) -> str:
        return devices.apply(self.devices, op)


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


# The session that `eval` and `run` use; the runtime keeps its stack of default sessions here.
class _SessionStack(threading.local):
    def __init__(self) -> None:
        self.stack: list[Any] = []


default_sessions = _SessionStack()


def _default_session_for(graph: Graph, session: Any, doing: str, method: str) -> Any:
    if session is None:
        if not default_sessions.stack:
            raise ValueError(
                f"Cannot {doing} using `{method}()`: No default session is registered. Use `with sess.as_default()` or pass an "
                f"explicit session to `{method}(session=sess)`"
            )
        session = default_sessions.stack[-1]
        if session.graph is not graph:
            raise ValueError(
                f"Cannot use the default session to {doing}: the tensor's graph is different from the session's graph. "
                f"Pass an explicit session to `{method}(session=sess)`."
            )
    elif session.graph is not graph:
        raise ValueError(
            f"Cannot use the given session to {doing}: the tensor's graph is different from the session's graph."
        )
    return session


@contextlib.contextmanager
def name_scope_on(graph: Graph, name: str) -> Iterator[str]:
    with graph.as_default(), graph.name_scope(name) as scope:
        yield scope


def _in_a_loop(tensor: Tensor, graph: Any) -> str:
    """Why a tensor of a loop's body can't be used in `graph`."""
    outer = graph
    while outer is not None and not getattr(outer, "is_loop", False):
        outer = getattr(outer, "outer", None)
    name, user = tensor.op.name, graph._stacks.name
    why = f"'{name}' is in a while loop" if outer is None else "they are in different while loops"
    return f"Cannot use '{name}' as input to '{user}' because {why}. See info log for more details."
