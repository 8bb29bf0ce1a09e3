"""Operation and Tensor: the nodes of a graph, and what flows between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from thalweg._src.core import devices, dtypes, errors, shapes, site
from thalweg._src.core.default_sessions import default_session_for
from thalweg._src.core.dtypes import DType
from thalweg._src.core.opdef import OpDef
from thalweg._src.core.reference import Reference
from thalweg._src.core.shapes import Dims, TensorShape

if TYPE_CHECKING:
    from thalweg._src.core.graph import Graph


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
        """The static shape: the same object while it does not change, as partly known shapes equal only themselves."""
        known = self.__dict__.get("_shape")
        if known is None or known._dims is not self._dims:
            known = self.__dict__["_shape"] = TensorShape._of(self._dims)
        return known

    _shape = property(lambda self: self.shape)  # where TensorFlow kept it until 1.8, and programs read it

    def get_shape(self) -> TensorShape:
        """The static shape."""
        return self.shape

    def _shape_as_list(self) -> list[int | None] | None:
        return None if self._dims is None else list(self._dims)

    def _shape_tuple(self) -> tuple[int | None, ...] | None:
        return self._dims

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
        return default_session_for(self.graph, session, "evaluate tensor", "eval").run(self, feed_dict)

    def experimental_ref(self) -> Reference:
        """What stands for this tensor in sets and dicts; its `deref()` is the tensor."""
        return Reference(self)

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
    def _input_types(self) -> list[DType]:
        """The types of the inputs as the operation takes them: a reference only where it wants one."""
        from thalweg._src.core import infer

        return [t.dtype if arg.ref else t.dtype.base_dtype for arg, t in infer.flat_args(self)]

    @property
    def control_inputs(self) -> list[Operation]:
        """Operations that run before this one although it takes nothing from them."""
        return list(self._control_inputs)

    @property
    def _control_outputs(self) -> list[Operation]:
        """The operations that wait for this one."""
        return [op for op in self.graph._ops if self in op._control_inputs]

    def _remove_all_control_inputs(self) -> None:
        self._control_inputs = []
        self.graph._touch()

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
        return self.__dict__.get("told") or site.traceback(self._stack)

    @property
    def traceback_with_start_lines(self) -> list[tuple[str, int, str, str, int]]:
        """`traceback` with the first line of each function."""
        if "told" in self.__dict__:
            return [(*frame, frame[1]) for frame in self.traceback]
        starts = [code.co_firstlineno for code, _ in reversed(list(site.frames(self._stack)))]
        return [(*frame, start) for frame, start in zip(self.traceback, starts, strict=True)]

    @property
    def _traceback(self) -> list[tuple[str, int, str, str]]:
        return self.traceback

    @_traceback.setter
    def _traceback(self, frames: Iterable[tuple[Any, ...]]) -> None:
        """Libraries leave their own frames out of an op's stack, and write (file, line, function, anything)."""
        self.__dict__["told"] = [(file, line, function, site.text(file, line)) for file, line, function, _ in frames]

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
        from thalweg._src.core import attr_protos

        if name not in self._attrs:
            raise ValueError(f"Operation {self.name!r} has no attr named {name!r}.")
        return attr_protos.public_attr(self, name)

    def _set_attr(self, name: str, value: Any) -> None:
        from thalweg._src.core import attr_protos

        self._attrs[name] = attr_protos.attr_from_proto(value) if hasattr(value, "WhichOneof") else value
        self.graph._touch()

    def values(self) -> tuple[Tensor, ...]:
        return tuple(self.outputs)

    def colocation_groups(self) -> list[bytes]:
        """The names of the groups whose ops share a device, `[b'loc:@name']`."""
        own = [b"loc:@" + self.name.encode()]
        return [c.encode() if isinstance(c, str) else c for c in self._attrs.get("_class", [])] or own

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run the operation in `session`, or in the default session."""
        default_session_for(self.graph, session, "execute operation", "run").run(self, feed_dict)

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
        if tensor.op.graph is not self.graph:
            raise ValueError(f"{tensor} must be from the same graph as {self.name!r}.")
        if not 0 <= index < len(self._inputs):
            raise errors.OutOfRangeError(
                None,
                self,
                f"Cannot update edge. Input index [{index}] is greater than the number of total inputs [{len(self._inputs)}].",
            )
        if not shapes.compatible(self._inputs[index]._dims, tensor._dims):
            told = f"{shapes.text(tensor._dims)} and {shapes.text(self._inputs[index]._dims)}"
            raise errors.InvalidArgumentError(None, self, f"Cannot update edge, incompatible shapes: {told}.")
        self._inputs[index]._consumers.remove(self)  # which holds a consumer once for each of its inputs
        self._inputs = (*self._inputs[:index], tensor, *self._inputs[index + 1 :])
        tensor._consumers.append(self)
        self.graph._touch()

    def __str__(self) -> str:
        return str(self.node_def)

    def __repr__(self) -> str:
        return f"<tf.Operation '{self.name}' type={self.type}>"
