"""The ops of TensorArrays. Their values are in array_values.py; `tf.TensorArray`, which makes them, is in tensor_array.py.

Three generations are in use: handles of the first are references, of the second strings (TensorFlow 0.12 writes those), of the
third resources. They differ in nothing else.
"""

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.dtypes import as_dtype, float32, int32, int64, resource, string
from thalweg._src.core.eager import EagerGraph, EagerTensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Known, Outputs, Ref, Shape, Static, op, type_attr
from thalweg._src.core.structured import Last, Structured
from thalweg._src.ops.control.array_values import ArrayHandle, ArrayValue, Facts, Serial

D = type_attr("dtype")
T = type_attr("T")


def _made(run, size, dtype, element_shape, dynamic_size, clear_after_read, tensor_array_name, uniform):
    if np.ndim(size):
        raise errors.InvalidArgumentError(
            None, None, f"TensorArray size must be scalar, but had shape: {list(np.shape(size))}"
        )
    if int(size) < 0:
        raise errors.InvalidArgumentError(None, None, "Size should be >= 0.")
    handle = ArrayHandle(
        Facts(
            tensor_array_name or run.current.name,
            dtype.numpy_dtype,
            int(size),
            dynamic_size,
            element_shape,
            uniform,
            clear_after_read,
            0,
            None,
            None,
            Serial(),
        )
    )
    return handle, handle.begin(None)


@op("TensorArrayV3", stateful=True, foldable=False, host=lambda node: node.attrs["dtype"].is_on_host)
def tensor_array_v3(
    size: Static(int32),
    *,
    dtype: D,
    element_shape: Shape = None,
    dynamic_size: bool = False,
    clear_after_read: bool = True,
    identical_element_shapes: bool = False,
    tensor_array_name: str = "",
    run,
) -> Outputs(handle=resource, flow=float32):
    """A new TensorArray of `size` elements."""
    return _made(
        run,
        size,
        dtype,
        element_shape,
        dynamic_size,
        clear_after_read,
        tensor_array_name,
        identical_element_shapes,
    )


@op(
    "TensorArrayV2",
    stateful=True,
    foldable=False,
    device_strings=True,
    host=lambda node: node.attrs["dtype"].is_on_host,
)
def tensor_array_by_name(
    size: Static(int32),
    *,
    dtype: D,
    element_shape: Shape = None,
    dynamic_size: bool = False,
    clear_after_read: bool = True,
    tensor_array_name: str = "",
    run,
) -> Outputs(handle=string):
    """A new TensorArray of `size` elements."""
    return _made(run, size, dtype, element_shape, dynamic_size, clear_after_read, tensor_array_name, False)[0]


@op("TensorArray", stateful=True, foldable=False, device_strings=True, host=lambda node: node.attrs["dtype"].is_on_host)
def tensor_array_by_reference(
    size: Static(int32),
    *,
    dtype: D,
    dynamic_size: bool = False,
    clear_after_read: bool = True,
    tensor_array_name: str = "",
    element_shape: Shape = None,
    run,
) -> Outputs(handle=Ref(string)):
    """A new TensorArray of `size` elements."""
    return _made(run, size, dtype, element_shape, dynamic_size, clear_after_read, tensor_array_name, False)[0]


tensor_array_v3.shape_rule(lambda node: [(), ()])
tensor_array_by_name.shape_rule(lambda node: [(2,)])
tensor_array_by_reference.shape_rule(lambda node: [(2,)])


def root_of(handle):
    """The op that made the array behind a handle, and how many times a gradient was taken on the way; (None, 0) if not known."""
    order = 0
    while isinstance(handle, Tensor):
        node = handle.op
        if node.type in ("TensorArrayV3", "TensorArrayV2", "TensorArray"):
            return node, order
        if node.type.startswith("TensorArrayGrad"):
            order += 1
            handle = node.inputs[0]
        elif (node.opdef.alias or node.opdef.frame) and node.inputs:
            handle = node.inputs[0]
        elif node.type == "_Arg":
            outer = [t for t, inner in getattr(node.graph, "captures", {}).items() if inner is handle]
            handle = outer[0] if outer else None
        else:
            return None, 0
    return None, 0


def _element_dims(node):
    root, _ = root_of(node.inputs[0])
    return root.attrs["element_shape"] if root is not None else None


def _fixed(node):
    """Whether the size of an array is what it was made with."""
    root, _ = root_of(node.inputs[0])
    return root is not None and not root.attrs["dynamic_size"]


def _name(dtype):
    """A type as TensorFlow's kernels name it."""
    return as_dtype(dtype).cpp_name if dtype != object else "string"


def _of_strings(node):
    """Whether plain Python must hold the elements."""
    dtype = node.attrs.get("dtype") or node.attrs.get("T")
    if dtype is None:
        root, _ = root_of(node.inputs[0])
        dtype = root.attrs["dtype"] if root is not None else None
    return dtype is not None and dtype.is_on_host


def _clears(run):
    """Who reads, where that is noted: not where JAX traces it, perhaps twice."""
    return None if run.is_child else run.current


def _clears_many(run):
    """Who stacks: nobody under eager execution, where TensorFlow's arrays are lists of Python and stay whole."""
    at_once = run.current is not None and type(run.current.graph) is EagerGraph
    return None if at_once else _clears(run)


def _write(handle, index, value, flow_in, run):
    if np.ndim(index):
        raise errors.InvalidArgumentError(
            None, None, f"TensorArray index must be scalar, but had shape: {list(np.shape(index))}"
        )
    if isinstance(value, Structured):
        return Last(value)
    if np.dtype(value.dtype) != handle.facts.dtype:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"TensorArray dtype is {_name(handle.facts.dtype)} but Op is trying to write dtype {_name(value.dtype)}.",
        )
    return handle.begin(flow_in).write(index, value, run.active)


def _read(handle, index, dtype, flow_in, run):
    _same_type(handle, dtype)
    if isinstance(flow_in, Last):
        return flow_in.value
    return handle.begin(flow_in).read(index, _clears(run))


def _same_type(handle, dtype):
    if handle.facts.dtype != dtype.numpy_dtype:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"TensorArray dtype is {_name(handle.facts.dtype)} but Op requested dtype {_name(dtype.numpy_dtype)}.",
        )


def _gather(handle, indices, flow_in, dtype, element_shape, run):
    _same_type(handle, dtype)
    return handle.begin(flow_in).gather(indices, element_shape, _clears_many(run))


def _concat(handle, flow_in, dtype, dims, run):
    _same_type(handle, dtype)
    return handle.begin(flow_in).concat(dims, _clears_many(run))


def _size(handle, flow_in):
    known = handle.facts.size if not handle.facts.dynamic else handle.begin(flow_in).size
    return np.int32(known) if isinstance(known, int) else known


def _family(version, arg):
    """The ops of one generation: `version` ends their names, they take handles as `arg` says."""
    facts = {
        "stateful": version == "V3",
        "foldable": False,
        "structured": True,
        "device_strings": True,
        "host": _of_strings,
    }

    @op("TensorArrayWrite" + version, **facts)
    def write(handle: arg, index: Known(int32), value: T, flow_in: float32, *, run) -> Outputs(flow_out=float32):
        """The array with `value` at `index`."""
        return _write(handle, index, value, flow_in, run)

    @op("TensorArrayRead" + version, **facts)
    def read(handle: arg, index: Known(int32), flow_in: float32, *, dtype: D, run) -> Outputs(value=D):
        """The element at `index`."""
        return _read(handle, index, dtype, flow_in, run)

    @op("TensorArrayGather" + version, **facts)
    def gather(
        handle: arg, indices: Known(int32), flow_in: float32, *, dtype: D, element_shape: Shape = None, run
    ) -> Outputs(value=D):
        """The elements at `indices`, stacked."""
        return _gather(handle, indices, flow_in, dtype, element_shape, run)

    @op("TensorArrayScatter" + version, **facts)
    def scatter(handle: arg, indices: Known(int32), value: T, flow_in: float32) -> Outputs(flow_out=float32):
        """The array with the rows of `value` at `indices`."""
        return handle.begin(flow_in).scatter(indices, value)

    @op("TensorArrayConcat" + version, **facts)
    def concat(handle: arg, flow_in: float32, *, dtype: D, element_shape_except0: Shape = None, run) -> Outputs(
        value=D, lengths=int64
    ):
        """The elements joined along their first axis, and the length of each."""
        return _concat(handle, flow_in, dtype, element_shape_except0, run)

    @op("TensorArraySplit" + version, **facts)
    def split(handle: arg, value: T, lengths: Static(int64), flow_in: float32) -> Outputs(flow_out=float32):
        """The array whose elements are pieces of `value`, of `lengths` rows each."""
        return handle.begin(flow_in).split(value, lengths)

    @op("TensorArraySize" + version, shape_only=_fixed, **facts)
    def size(handle: arg, flow_in: float32) -> Outputs(size=int32):
        """The number of elements."""
        return _size(handle, flow_in)

    @op("TensorArrayClose" + version, **facts)
    def close(handle: arg):
        """Gives up the array; here it ends by itself when nothing needs it."""

    for flow in (write, scatter, split, size):
        flow.shape_rule(lambda node: [()])
    read.shape_rule(lambda node: [_element_dims(node)])
    gather.shape_rule(lambda node: [_stacked(node)])
    concat.shape_rule(lambda node: [_joined(node), (None,)])
    read.grad(_read_gradient)
    write.grad(_write_gradient)
    gather.grad(_gather_gradient)
    scatter.grad(_scatter_gradient)
    concat.grad(_concat_gradient)
    split.grad(_split_gradient)
    size.not_differentiable()
    close.not_differentiable()
    return write, read, gather, scatter, concat, split, size, close


def _stacked(node):
    dims = node.attrs["element_shape"]
    return None if dims is None else (None, *dims)


def _joined(node):
    dims = node.attrs["element_shape_except0"]
    return None if dims is None else (None, *dims)


# -- gradients


def _gradient_array(node, flow, grad):
    """The gradient array of the op's array in this call of tf.gradients, its flow starting from `flow`."""
    from thalweg._src.ops.control.tensor_array import TensorArray

    handle = node.inputs[0]
    dtype = node.attrs["dtype"] if "dtype" in node.attrs else node.attrs["T"]
    array = TensorArray(dtype=dtype, handle=handle, flow=flow, colocate_with_first_write_call=False)
    return array.grad(source=gradient_source(grad), flow=flow)


def gradient_source(tensor):
    """The name of the gradients call that made `tensor`. Raises ValueError outside of one."""
    if isinstance(tensor, EagerTensor):
        return "gradients"  # nothing is shared between calls: the flow holds all
    parts = tensor.name.split("/")
    places = [i for i, p in enumerate(parts) if p.startswith("gradients")]
    if not places:
        raise ValueError(
            f"Expected op/tensor name to start with gradients (excluding scope), got: {tensor.name}. This means that a "
            "tf.gradients op with this op in its dependency path has a custom name that does not start with 'gradients'. "
            "Please make sure all calls to tf.gradients that have non-empty 'name' arguments use names that start with "
            "'gradients'."
        )
    return "/".join(parts[: places[-1] + 1])


def _read_gradient(node, g):
    handle, index, flow = node.inputs
    return [None, None, _gradient_array(node, flow, g).write(index, g).flow]


def _write_gradient(node, flow):
    return [None, None, _gradient_array(node, flow, flow).read(node.inputs[1]), flow]


def _gather_gradient(node, g):
    _, indices, flow = node.inputs
    return [None, None, _gradient_array(node, flow, g).scatter(indices, g).flow]


def _scatter_gradient(node, flow):
    return [None, None, _gradient_array(node, flow, flow).gather(node.inputs[1]), flow]


def _concat_gradient(node, g, _):
    _, flow = node.inputs
    return [None, _gradient_array(node, flow, g).split(g, lengths=node.outputs[1]).flow]


def _split_gradient(node, flow):
    return [None, _gradient_array(node, flow, flow).concat(), None, flow]


write_v3, read_v3, gather_v3, scatter_v3, concat_v3, split_v3, size_v3, close_v3 = _family("V3", resource)
_family("V2", string)
_family("", Ref(string))


@op("TensorArrayGradV3", stateful=True, foldable=False, structured=True, host=_of_strings)
def grad_v3(handle: resource, flow_in: float32, *, source: str) -> Outputs(grad_handle=resource, flow_out=float32):
    """The gradient array of an array; `source` names the gradients call that it belongs to."""
    return handle.gradient(flow_in), flow_in


@op("TensorArrayGradV2", stateful=True, foldable=False, structured=True, device_strings=True, host=_of_strings)
def gradient_by_name(handle: string, flow_in: float32, *, source: str) -> Outputs(grad_handle=string):
    """The gradient array of an array; `source` names the gradients call that it belongs to."""
    return handle.gradient(flow_in)


@op("TensorArrayGrad", stateful=True, foldable=False, structured=True, device_strings=True, host=_of_strings)
def gradient_by_reference(handle: string, flow_in: float32, *, source: str) -> Outputs(grad_handle=Ref(string)):
    """The gradient array of an array; `source` names the gradients call that it belongs to."""
    return handle.gradient(flow_in)


@op("TensorArrayGradWithShape", stateful=True, foldable=False, structured=True, host=_of_strings)
def grad_with_shape(handle: resource, flow_in: float32, shape_to_prepend: Static(int32), *, source: str) -> Outputs(
    grad_handle=resource, flow_out=float32
):
    """As TensorArrayGradV3; the elements have the shape of the array's with `shape_to_prepend` before it."""
    token = handle.gradient(flow_in)
    own = flow_in.element_dims if isinstance(flow_in, ArrayValue) else handle.facts.dims
    dims = None if own is None else (*(None if d < 0 else int(d) for d in shape_to_prepend), *own)
    token = ArrayHandle(token.facts._replace(dims=dims))
    size = flow_in.known_size if isinstance(flow_in, ArrayValue) else handle.facts.size
    return token, ArrayValue(token.facts, (None,) * size)


grad_with_shape.shape_rule(lambda node: [(), ()])
grad_with_shape.not_differentiable()
grad_v3.shape_rule(lambda node: [(), ()])
gradient_by_name.shape_rule(lambda node: [(2,)])
gradient_by_reference.shape_rule(lambda node: [(2,)])
for _made_by in (
    tensor_array_v3,
    tensor_array_by_name,
    tensor_array_by_reference,
    grad_v3,
    gradient_by_name,
    gradient_by_reference,
):
    _made_by.not_differentiable()
