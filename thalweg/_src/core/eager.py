"""Eager execution: a default graph whose operations run when they are made, and the tensors that hold their values.

To the rest of the house an `EagerGraph` is a graph like others, so every op, type check and gradient function works on it as it
stands. It keeps nothing: an operation is forgotten once it has run, unless a tape listens. The runtime registers what runs one.
"""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import devices, dtypes, shapes
from thalweg._src.core import graph as graph_lib
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.opdef import OpDef, op
from thalweg._src.core.recording import listeners
from thalweg._src.core.shapes import TensorShape

_MAX_INT32 = 2**31 - 1
_ids = itertools.count()
_FIRST_CPU = "/job:localhost/replica:0/task:0/device:CPU:0"

# The runtime sets these: `run(op)` fills in the values of its outputs, `forget()` drops what random operations have drawn.
run: list[Callable[[Operation], None]] = []
forget: list[Callable[[], None]] = []
device_of: list[Callable[[Any], str]] = []


class EagerTensor(Tensor):
    """A tensor that has its value: a NumPy array, an array on a device, or a reference to a resource."""

    __slots__ = ("_id", "_value")
    _id: int
    _value: Any

    def numpy(self) -> Any:
        """The value: an array of the caller's own, or a NumPy scalar (bytes for a string)."""
        array = self._numpy()
        if array.ndim:
            return array.copy()
        return array[()]

    def _numpy(self) -> np.ndarray:
        name = self.dtype._name
        if name in ("resource", "variant"):
            raise NotImplementedError(f"numpy() is not available for tensors of type {name}.")
        value = self._value
        if type(value) is not np.ndarray:
            value = np.asarray(value) if not hasattr(value, "for_user") else np.asarray(value.for_user())
        return value

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        array = self._numpy()
        return array.astype(dtype) if dtype is not None and array.dtype != dtype else array.copy()

    # -- as a Python value

    def __bool__(self) -> bool:
        return bool(self._numpy())

    __nonzero__ = __bool__

    def _item(self) -> Any:
        """The one element. Raises TypeError where there are others."""
        array = self._numpy()
        if array.size != 1:
            raise TypeError("only size-1 arrays can be converted to Python scalars")
        return array.item()

    def __int__(self) -> int:
        return int(self._item())

    def __float__(self) -> float:
        return float(self._item())

    def __complex__(self) -> complex:
        return complex(self._item())

    def __index__(self) -> int:
        return self._numpy().__index__()

    def __round__(self, *digits: int) -> Any:
        return round(self._numpy()[()], *digits)  # type: ignore[call-overload]

    def __format__(self, spec: str) -> str:
        return self._numpy().__format__(spec) if spec else str(self)

    def __len__(self) -> int:
        if not self._dims:
            raise TypeError("Scalar tensor has no `len()`")
        return self._dims[0]  # type: ignore[return-value]

    def __iter__(self) -> Iterator[Any]:
        if not self._dims:
            raise TypeError("Cannot iterate over a scalar tensor.")
        return (self[i] for i in range(self._dims[0]))  # type: ignore[index,arg-type]

    def __reduce__(self) -> Any:
        return _restored, (self._numpy(), self.dtype._name)

    def __deepcopy__(self, memo: Any) -> EagerTensor:
        return self

    # -- facts

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._dims)  # type: ignore[arg-type]

    def set_shape(self, shape: Any) -> None:
        """Raise ValueError unless the tensor has this shape."""
        dims = shapes.as_dims(shape)
        if not shapes.compatible(self._dims, dims):
            raise ValueError(
                f"Tensor's shape {TensorShape._of(self._dims)} is not compatible with supplied shape {TensorShape._of(dims)}"
            )

    @property
    def device(self) -> str:
        """The device that holds the value."""
        return device_of[0](self._value) if device_of else _FIRST_CPU

    @property
    def name(self) -> str:
        raise AttributeError("Tensor.name is meaningless when eager execution is enabled.")

    def consumers(self) -> list[Operation]:
        raise NotImplementedError("consumers not supported for Eager Tensors.")

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        raise NotImplementedError(
            "eval is not supported when eager execution is enabled, is .numpy() what you're looking for?"
        )

    def cpu(self) -> EagerTensor:
        """The tensor on the host's CPU."""
        return _copied(self, "/cpu:0")

    def gpu(self, gpu_index: int = 0) -> EagerTensor:
        """The tensor on a GPU."""
        return _copied(self, f"/gpu:{gpu_index}")

    def __str__(self) -> str:
        return f"tf.Tensor({self._text(False)}, shape={self.shape}, dtype={self.dtype.name})"

    def __repr__(self) -> str:
        return f"<tf.Tensor: id={self._id}, shape={self.shape}, dtype={self.dtype.name}, numpy={self._text(True)}>"

    def _text(self, of_repr: bool) -> str:
        if self.dtype._name in ("resource", "variant"):
            return "<unprintable>"
        array = self._numpy()
        if array.ndim:
            text = repr(array) if of_repr else str(array)
        else:
            text = repr(array[()]) if array.dtype == object else str(array[()])
        return "\n" + text if "\n" in text else text


def make(value: Any, dtype: DType, index: int = 0) -> EagerTensor:
    """A tensor of `value`; its shape is the value's."""
    t = EagerTensor.__new__(EagerTensor)
    t.op, t.value_index, t.dtype, t._id = _nowhere(), index, dtype, next(_ids)
    t._value = value
    t._dims = value.shape if value is not None and hasattr(value, "dtype") else ()
    t._consumers = _NOBODY
    return t


_NOBODY: list[Any] = []


def _restored(array: np.ndarray, dtype: str) -> EagerTensor:
    return make(array, dtypes.as_dtype(dtype))


def _copied(tensor: EagerTensor, device: str) -> EagerTensor:
    from thalweg._src.core.opdef import OPS

    with graph().as_default(), graph().device(device):
        return OPS["Identity"](tensor)


@op("_EagerValue", foldable=False)
def _eager_value():  # type: ignore[no-untyped-def]
    """The operation that eager tensors say they come from; the one that made them is gone."""
    raise AssertionError("it never runs")


_eager_value.not_differentiable()


class EagerGraph(Graph):
    """The graph of eager execution: what is added to it runs at once."""

    def __init__(self) -> None:
        super().__init__()
        node = Operation.__new__(Operation)
        node.graph, node.opdef, node._attrs, node._name = self, _eager_value, {}, "EagerValue"
        node._inputs, node._control_inputs, node._stack, node._device, node._id = (), [], (), "", 0
        node.outputs = []
        self.nowhere = node
        self._random = random.Random()
        self._calls = itertools.count()

    # -- the graph as others see it

    @property
    def is_eager(self) -> bool:
        return True

    @property
    def seed(self) -> int | None:
        """The global random seed."""
        return self._seed

    @seed.setter
    def seed(self, value: int | None) -> None:
        self._seed = value
        self._random = random.Random(value)
        for drop in forget:
            drop()

    def op_seed(self) -> int:
        """The seed of an operation that was given none, under a global seed."""
        return self._random.randint(0, _MAX_INT32)

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` in the current scope; nothing is kept, so names need not be unique."""
        scope = self._stacks.name
        return f"{scope}/{name}" if scope else name

    def fresh_name(self, name: str) -> str:
        """A name that nothing else has, for what is kept by name: variables and resources."""
        return f"{name}_{next(self._calls)}"

    def _op_name(self, name: str) -> str:
        if isinstance(name, bytes):
            name = name.decode()
        if name[-1:] == "/":
            return name[:-1]
        scope = self._stacks.name
        return f"{scope}/{name}" if scope else name

    def control_dependencies(self, control_inputs: Any) -> contextlib.AbstractContextManager[Any]:
        """Nothing to wait for: operations run in the order of the program."""
        for c in control_inputs or ():
            if callable(c) and not isinstance(c, Tensor | Operation) and not hasattr(c, "op"):
                c()
        return contextlib.nullcontext()

    def colocate_with(self, op: Any, ignore_existing: bool = False) -> contextlib.AbstractContextManager[Any]:  # type: ignore[override]
        return contextlib.nullcontext()

    def _attr_scope(self, attr_map: Any) -> contextlib.AbstractContextManager[Any]:  # type: ignore[override]
        return contextlib.nullcontext()

    def _original_op(self, op: Operation) -> contextlib.AbstractContextManager[Any]:  # type: ignore[override]
        return contextlib.nullcontext()

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        if isinstance(obj, EagerTensor):
            return obj
        return super().as_graph_element(obj, allow_tensor, allow_operation)

    def _admit(self, tensor: Tensor) -> Tensor:
        if isinstance(tensor, EagerTensor):
            return tensor
        raise TypeError(
            'An op outside of the function building code is being passed a "Graph" tensor. It is possible to have Graph tensors '
            "leak out of the function building code by including a tf.init_scope in your function building code. The graph "
            f"tensor has name: {tensor.name}"
        )

    def add_to_collection(self, name: Any, value: Any) -> None:
        """Only what libraries keep per program; tensors are gone when nobody holds them."""
        if not isinstance(value, Tensor | Operation) and value is not None:
            super().add_to_collection(name, value)

    def finalize(self) -> None:
        """Nothing: a program goes on to run operations."""

    # -- running

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
        """Run an operation. What comes back has its values; it is not kept here."""
        stacks = self._stacks
        node = Operation.__new__(Operation)
        node.graph, node.opdef, node._attrs, node._name = self, opdef, attrs, name
        node._inputs = tuple(inputs)
        node._stack = ()
        if stacks.attrs:
            for key, value in stacks.attrs.items():
                attrs.setdefault(key, value)
        if self._container and opdef.stateful and attrs.get("container") == "":
            attrs["container"] = self._container
        if stacks.gradients and opdef.name in stacks.gradients:
            attrs["_gradient_op_type"] = stacks.gradients[opdef.name]
        node._control_inputs = []
        node._id = 0
        node._device = ""
        node.outputs = outputs = [make(None, dtype, i) for i, dtype in enumerate(out_types)]  # type: ignore[assignment]
        if device is not None:
            node._device = device
        elif stacks.devices:
            node._device = stacks.device_for(node)
        run[0](node)
        if opdef.source:
            for t in outputs:
                t.op = node
        tapes = listeners.tapes
        if tapes:
            for tape in tapes:
                tape.record(node)
        return node


_graph: EagerGraph | None = None
_first_id = 0  # of the tensors made since
_started = False  # whether eager execution is the mode of the program


def graph() -> EagerGraph:
    """The graph of eager execution, of which there is one."""
    global _graph
    if _graph is None:
        _graph = EagerGraph()
    return _graph


def _nowhere() -> Operation:
    return graph().nowhere


def start() -> None:
    """Make eager execution the mode of the program. Raises ValueError where a default graph has been used before."""
    global _started, _first_id
    if _started:
        return
    used = graph_lib._global_graph
    if used is not None and used.version:
        raise ValueError("tf.enable_eager_execution must be called at program startup.")
    _started, _first_id = True, next(_ids) + 1
    if used is not None:
        graph().seed = used.seed
    graph_lib._global_graph = graph()


def stop() -> None:
    """Build graphs again. Raises ValueError where operations have run eagerly."""
    global _started
    if not _started:
        return
    if next(_ids) != _first_id:
        raise ValueError("tf.disable_eager_execution must be called at program startup.")
    _started = False
    graph_lib._global_graph = None


def executing_eagerly() -> bool:
    """Whether operations run when they are made, here and now."""
    return type(graph_lib.get_default_graph()) is EagerGraph


@contextlib.contextmanager
def eager_mode() -> Iterator[None]:
    """A block of eager execution, wherever it stands."""
    with graph().as_default():
        yield


@contextlib.contextmanager
def graph_mode() -> Iterator[None]:
    """A block that adds to the default graph; under eager execution it builds a graph of its own."""
    with Graph().as_default() if executing_eagerly() else contextlib.nullcontext():
        yield


def default_device(devices_given: Any) -> str:
    """The canonical form of a device that a user names."""
    return devices.canonical(devices_given)


def is_symbolic(value: Any) -> bool:
    """Whether `value` is a tensor of a graph, whose value is known in a run only."""
    return isinstance(value, Tensor) and not isinstance(value, EagerTensor)


def label(tensor: Any) -> str:
    """What messages call a tensor (or variable): its name, or, in eager execution, its shape and type."""
    if isinstance(tensor, EagerTensor):
        return f"shape={tensor.shape} dtype={tensor.dtype.name}"
    return tensor.name
