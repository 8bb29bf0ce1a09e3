"""`tf.TensorArray`: an array of tensors that a loop writes and reads."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.shapes import TensorShape, as_dims
from thalweg._src.ops import basic
from thalweg._src.ops.control import tensor_array_ops as ops
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.casting import cast


class TensorArray:
    """An array of `size` tensors of one type. Each element is written once; writes return a new TensorArray, to be used from then on.

    `dynamic_size` lets writes make it longer; with `clear_after_read` (the default) an element can be read once. Unless
    `infer_shape` is False, all elements have one shape; `element_shape` names it in advance. Raises ValueError and TypeError for
    arguments that do not go together, InvalidArgumentError while running for indices that are outside.

    >>> a = tf.TensorArray(tf.float32, size=2)
    >>> run(a.write(0, 1.0).write(1, 2.0).stack())
    array([1., 2.], dtype=float32)
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ):
        _check_arguments(size, dynamic_size, clear_after_read, tensor_array_name, handle, element_shape)
        self._dtype = dtypes.as_dtype(dtype).base_dtype
        self._dynamic_size = bool(dynamic_size)
        self._infer_shape = infer_shape
        self._colocate_with: list[Any] | None = [] if colocate_with_first_write_call else None
        self._element_shape = [TensorShape(element_shape)]  # shared with the arrays that writes return
        with scopes.name_scope(name, "TensorArray", [handle, size, flow]) as scope:
            if handle is not None:
                if flow is None:
                    raise ValueError("flow must not be None if handle is not None.")
                self._handle, self._flow = handle, flow
                return
            graph = get_default_graph()
            with contextlib.ExitStack() as stack:
                if colocate_with_first_write_call:
                    stack.enter_context(graph.device(None))
                    stack.enter_context(graph.colocate_with(None, ignore_existing=True))
                self._handle, self._flow = ops.tensor_array_v3(
                    size,
                    dtype=self._dtype,
                    element_shape=as_dims(element_shape),
                    identical_element_shapes=infer_shape,
                    dynamic_size=self._dynamic_size,
                    clear_after_read=clear_after_read is not False,
                    tensor_array_name=tensor_array_name or "",
                    name=scope,
                )

    @property
    def flow(self) -> Tensor:
        """A scalar that orders what is done with the array."""
        return self._flow

    @property
    def dtype(self) -> dtypes.DType:
        """The type of the elements."""
        return self._dtype

    @property
    def handle(self) -> Tensor:
        """The resource that stands for the array."""
        return self._handle

    @property
    def dynamic_size(self) -> bool:
        """Whether writes may make the array longer."""
        return self._dynamic_size

    @property
    def element_shape(self) -> TensorShape:
        """The shape of an element, as far as it is known."""
        return self._element_shape[0]

    @property
    def graph(self) -> Any:
        return self._flow.graph

    def _with_flow(self, flow: Tensor) -> "TensorArray":
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new._flow = flow
        return new

    def _saw(self, shape: TensorShape) -> None:
        """Note the shape of an element. Raises ValueError where it is another one."""
        if not shape.is_compatible_with(self.element_shape):
            raise ValueError(f"Inconsistent shapes: saw {shape} but expected {self.element_shape} ")
        if self._infer_shape:
            self._element_shape[0] = self.element_shape.merge_with(shape)

    @contextlib.contextmanager
    def _near(self, value: Any) -> Iterator[None]:
        """The array lies where the first value is that is written to it."""
        if self._colocate_with is None:
            yield
            return
        if not self._colocate_with:
            self._colocate_with.append(value)
        with get_default_graph().colocate_with(self._colocate_with[0]):
            yield

    def _value(self, value: Any, known: bool = False) -> Tensor:
        return to_tensor(value, self._dtype if known else None, "value", preferred=None if known else self._dtype)

    def identity(self) -> "TensorArray":
        """This array under a flow of its own: control dependencies that stand around it hold for what is read of it."""
        return self._with_flow(basic.identity(self._flow))

    def grad(self, source: str, flow: Any = None, name: str | None = None) -> "TensorArray":
        """The array that holds the gradients of this one's elements in the gradients call named `source`."""
        flow = self._flow if flow is None else flow
        graph = get_default_graph()
        with scopes.name_scope(name, "TensorArrayGrad", [self._handle]):
            with graph.colocate_with(self._handle.op):
                handle, _ = ops.grad_v3(self._handle, flow, source=source, name=name)
                with graph.control_dependencies([handle]):
                    flow = basic.identity(flow, name="gradient_flow")
                out = TensorArray(
                    self._dtype,
                    handle=handle,
                    flow=flow,
                    infer_shape=self._infer_shape,
                    colocate_with_first_write_call=False,
                )
        out._element_shape = self._element_shape
        return out

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The element at `index`."""
        value = ops.read_v3(self._handle, index, self._flow, dtype=self._dtype, name=name)
        value.set_shape(self.element_shape)
        return value

    def write(self, index: Any, value: Any, name: str | None = None) -> "TensorArray":
        """The array with `value` at `index`."""
        with scopes.name_scope(name, "TensorArrayWrite", [self._handle, index, value]):
            value = self._value(value)
            self._saw(value.shape)
            with self._near(value.op):
                return self._with_flow(ops.write_v3(self._handle, index, value, self._flow, name=name))

    def stack(self, name: str | None = None) -> Tensor:
        """All elements, along a new first axis."""
        with get_default_graph().colocate_with(self._handle.op):
            with scopes.name_scope(name, "TensorArrayStack", [self._handle]):
                return self.gather(math.range(0, self.size()), name=name)

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements at `indices`, along a new first axis."""
        value = ops.gather_v3(
            self._handle, indices, self._flow, dtype=self._dtype, element_shape=self.element_shape, name=name
        )
        if self.element_shape.ndims is not None:
            value.set_shape([None, *self.element_shape.as_list()])
        return value

    def concat(self, name: str | None = None) -> Tensor:
        """All elements, one behind the other along their first axis; their sizes along it may differ."""
        rest = self.element_shape[1:] if self.element_shape.ndims else TensorShape(None)
        value, _ = ops.concat_v3(self._handle, self._flow, dtype=self._dtype, element_shape_except0=rest, name=name)
        if rest.ndims is not None:
            value.set_shape([None, *rest.as_list()])
        return value

    def unstack(self, value: Any, name: str | None = None) -> "TensorArray":
        """The array whose elements are the rows of `value`."""
        with scopes.name_scope(name, "TensorArrayUnstack", [self._handle, value]):
            count = array.shape(value)[0]
            return self.scatter(indices=math.range(0, count), value=value, name=name)

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> "TensorArray":
        """The array with the rows of `value` at `indices`."""
        with scopes.name_scope(name, "TensorArrayScatter", [self._handle, value, indices]):
            value = self._value(value)
            self._saw(value.shape[1:])
            with self._near(value.op):
                return self._with_flow(ops.scatter_v3(self._handle, indices, value, self._flow, name=name))

    def split(self, value: Any, lengths: Any, name: str | None = None) -> "TensorArray":
        """The array whose elements are pieces of `value`, of `lengths` rows each."""
        with scopes.name_scope(name, "TensorArraySplit", [self._handle, value, lengths]):
            value = self._value(value, known=True)
            with self._near(value.op):
                lengths = cast(lengths, dtypes.int64)
                known = infer.constant_value(lengths)
                if value.shape.ndims is not None and known is not None and known.ndim and known.size:
                    if np.all(known == known.flat[0]):
                        self._saw(TensorShape([int(known.flat[0])]).concatenate(value.shape[1:]))
                return self._with_flow(ops.split_v3(self._handle, value, lengths, self._flow, name=name))

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements."""
        return ops.size_v3(self._handle, self._flow, name=name)

    def mark_used(self) -> None:
        """Nothing here; TensorFlow warns of arrays that are written and not used."""

    def close(self, name: str | None = None) -> Operation:
        """An operation that gives up the elements."""
        return ops.close_v3(self._handle, name=name)

    # As TensorFlow 0.x named them.
    pack = stack
    unpack = unstack

    def __repr__(self) -> str:
        return f"<TensorArray {self._flow.name} of {self._dtype.name}>"


def _check_arguments(size: Any, dynamic: Any, clear: Any, label: Any, handle: Any, element_shape: Any) -> None:
    if handle is not None and label:
        raise ValueError("Cannot construct with both handle and tensor_array_name")
    if handle is not None and not isinstance(handle, Tensor):
        raise TypeError("Handle must be a Tensor")
    if handle is None and size is None:
        raise ValueError("Size must be provided if handle is not provided")
    for what, value in (
        ("size", size),
        ("element_shape", element_shape),
        ("dynamic_size", dynamic),
        ("clear_after_read", clear),
    ):
        if handle is not None and value is not None:
            raise ValueError(f"Cannot provide both a handle and {what} at the same time")
