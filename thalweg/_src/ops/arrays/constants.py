"""Where values come from: constants, placeholders, and the ops that make tensors of one value."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes, errors, infer, shapes
from thalweg._src.core.apply import xp
from thalweg._src.core.build import add_node
from thalweg._src.core.convert import MAX_ELEMENTS, as_array, register_tensor_conversion_function, to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import DType
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.infer import same_shape
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import OPS, Shape, Static, TensorValue, op, type_attr
from thalweg._src.formats import tensors

T = type_attr("T")
dtype_attr = type_attr("dtype")


@op("Const", constant=True, numpy_only=True)
def _const(*, value: TensorValue, dtype: dtype_attr) -> dtype_attr:
    """A value that is part of the graph."""
    return value


@_const.shape_rule
def _(op):
    return op.attrs["value"].shape


_const.not_differentiable()


def constant(
    value: Any, dtype: Any = None, shape: Any = None, name: str | None = "Const", verify_shape: bool = False
) -> Tensor:
    """A tensor that always has this value.

    `value`: a number, string, nested list, array or TensorProto; Python floats become float32, ints int32. With `shape`, a single value
    fills it, and a shorter list is padded with its last element. Raises TypeError where `dtype` can't hold the value,
    ValueError where the shape does not fit.

    >>> run(tf.constant([1.0, 2.0], shape=[3]))
    array([1., 2., 2.], dtype=float32)
    """
    return _constant(value, None if dtype is None else dtypes.as_dtype(dtype), shape, name, verify_shape)


def _constant(value: Any, dtype: DType | None, shape: Any, name: str | None, verify: bool) -> Tensor:
    if type(value).__name__ == "TensorProto":  # says its type and shape itself
        return _make(tensors.from_proto(value), dtypes.as_dtype(value.dtype), name or "Const")
    array = as_array(value, dtype)
    if shape is not None:
        dims = shapes.as_dims(shape)
        if shapes.size_of(dims) == 0 and not isinstance(value, np.ndarray | np.generic):
            array = np.empty(dims, array.dtype)  # a shape without elements takes any list
        array = _shaped(array, dims, verify)
    if array.size > MAX_ELEMENTS:
        raise ValueError("Cannot create a tensor proto whose content is larger than 2GB.")
    element = dtype.base_dtype if dtype is not None else dtypes.of_numpy(array.dtype)
    return _make(array, element, "Const" if name is None else name)


def _make(array: np.ndarray, dtype: DType, name: str) -> Tensor:
    graph = get_default_graph()
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    op = add_node(graph, OPS["Const"], (), {"value": array, "dtype": dtype}, graph._op_name(name))
    return op.outputs[0]


def _shaped(array: np.ndarray, dims: Any, verify: bool) -> np.ndarray:
    if dims is None or None in dims:
        raise ValueError(f"The shape of a constant must be known, got {shapes.text(dims)}")
    if verify and array.shape != dims:
        raise TypeError(f"Expected Tensor's shape: {dims}, got {array.shape}.")
    if array.shape == dims:
        return array
    wanted = int(np.prod(dims, dtype=np.int64))
    if array.size > wanted:
        raise ValueError(f"Too many elements provided. Needed at most {wanted}, but received {array.size}")
    if array.size == wanted:
        return array.reshape(dims)
    if array.size == 0:
        raise ValueError(f"No elements to fill the shape {dims} with")
    flat = np.empty((wanted,), array.dtype)
    flat[: array.size] = array.ravel()
    flat[array.size :] = array.ravel()[-1]
    return flat.reshape(dims)


def _convert(value: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Any:
    return _constant(value, dtype, None, name or "Const", False)


def _convert_list(value: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Any:
    if any(_holds_tensor(v) for v in value):
        return NotImplemented  # a list of tensors is packed (ops.array)
    return _convert(value, dtype, name)


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_tensor(v) for v in value)
    return isinstance(value, Tensor) or hasattr(value, "_as_graph_element")


def _convert_dtype_value(value: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Any:
    dims = shapes.as_dims(value)
    if dims is None or None in dims:
        raise ValueError(f"Cannot convert a partially known TensorShape to a Tensor: {shapes.as_shape(value)}")
    if dtype not in (None, dtypes.int32, dtypes.int64):
        raise TypeError(f"Cannot convert a TensorShape to dtype: {dtype.name}")  # type: ignore[union-attr]
    large = any(d > 2**31 - 1 for d in dims)  # type: ignore[operator]
    if large and dtype == dtypes.int32:
        raise ValueError(f"Cannot convert a TensorShape to dtype int32; a dimension is too large ({max(dims)})")  # type: ignore[type-var]
    want = dtype or (dtypes.int64 if large else dtypes.int32)
    return _constant(np.array(dims, want._as_numpy), want, None, name or "shape_as_tensor", False)


def _convert_dimension(value: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Any:
    if value.value is None:
        raise ValueError(f"Cannot convert an unknown Dimension to a Tensor: {value}")
    if dtype not in (None, dtypes.int32, dtypes.int64):
        raise TypeError(f"Cannot convert a Dimension to dtype: {dtype.name}")  # type: ignore[union-attr]
    return _constant(value.value, dtype or dtypes.int32, None, name or "shape_as_tensor", False)


register_tensor_conversion_function(shapes.TensorShape, _convert_dtype_value, 100)
register_tensor_conversion_function(shapes.Dimension, _convert_dimension, 100)
register_tensor_conversion_function((list, tuple), _convert_list, 100)
register_tensor_conversion_function(object, _convert, 200)


@op("Placeholder", foldable=False, must_feed=True)
def _placeholder(*, dtype: dtype_attr, shape: Shape = None) -> dtype_attr:
    """A value that the caller feeds."""
    raise errors.InvalidArgumentError(None, None, "fed by the caller")  # the plan reports it before anything runs


@_placeholder.shape_rule
def _(op):
    return [op.attrs["shape"]]


_placeholder.not_differentiable()


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor whose value comes with every run: `sess.run(y, feed_dict={x: value})`. Running without raises
    InvalidArgumentError.
    """
    if executing_eagerly():
        raise RuntimeError("tf.placeholder() is not compatible with eager execution.")
    return _placeholder(dtype=dtype, shape=shapes.as_dims(shape), name=name)


@op("PlaceholderWithDefault", foldable=False)
def _placeholder_with_default(input: dtype_attr, *, shape: Shape) -> dtype_attr:
    """A tensor that the caller may feed; `input` otherwise."""
    return input


@_placeholder_with_default.shape_rule
def _(op):
    dims = op.attrs["shape"]
    if not shapes.compatible(op.inputs[0].dims, dims):
        raise ValueError(
            f"The default of shape {shapes.text(op.inputs[0].dims)} does not fit the placeholder's {shapes.text(dims)}"
        )
    return [dims]


@_placeholder_with_default.grad
def _(op, g):
    return g


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """A tensor of static shape `shape` (None: not known) that the caller may feed; `input` otherwise."""
    return _placeholder_with_default(input, shape=shapes.as_shape(shape), name=name)


@op("Fill")
def _fill(dims: Static(type_attr("index_type", (dtypes.int32, dtypes.int64), dtypes.int32)), value: T) -> T:
    """A tensor of shape `dims` filled with the scalar `value`."""
    return xp(value).full(tuple(int(d) for d in dims), value)


@_fill.shape_rule
def _(op):
    dims, value = op.inputs
    shapes.of_rank(dims.dims, 1)
    if value.dims not in (None, ()):
        raise ValueError(f"Shape must be rank 0 but is rank {len(value.dims)} for '{op.name}' (op: 'Fill')")
    sizes = infer.partial_ints(dims)
    if sizes is not None and any(n is not None and n < 0 for n in sizes):
        raise ValueError("Fill dimensions must be >= 0")
    return [infer.partial_value(dims)]


@_fill.grad
def _(op, g):
    from thalweg._src.ops.numeric.reduce import reduce_sum

    return None, reduce_sum(g)


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """A tensor of shape `dims` filled with the scalar `value`."""
    return _fill(dims, value, name=name)


def _of_one(shape: Any, dtype: Any, value: Any, name: str) -> Tensor:
    graph = get_default_graph()
    element = dtypes.as_dtype(dtype).base_dtype
    if element == dtypes.string and value:
        raise TypeError(f"Expected string, got {value} of type '{type(value).__name__}' instead.")
    with graph.name_scope(name) as scope:
        fill_value: Any = b"" if element == dtypes.string and not value else element._as_numpy.type(value)
        if not isinstance(shape, Tensor):
            try:
                dims = infer_dims(shape)
                if dims is not None and None not in dims:
                    single = isinstance(shape, int | np.integer)  # ones(3): TensorFlow makes no constant of that
                    if int(np.prod(dims, dtype=np.int64)) < 1000 and not single:
                        return _make(np.full(dims, fill_value, element._as_numpy), element, scope)
                    shape = shapes.TensorShape(dims)  # its constant is named 'shape_as_tensor'
            except (TypeError, ValueError):
                _ask_whether_small(shape)
            shape = to_tensor(shape, None, None, preferred=dtypes.int32)
        if shape.dims != () and shape.dims is not None and len(shape.dims) != 1:
            raise ValueError(f"A shape is a vector, got a tensor of shape {shapes.text(shape.dims)}")
        if shape.dims == ():
            from thalweg._src.ops.array import reshape

            shape = reshape(shape, [-1])
        return _fill(shape, _make(np.array(fill_value, element._as_numpy), element, "Const"), name=scope)


def _ask_whether_small(shape: Any) -> None:
    """TensorFlow asks `np.prod(shape) < 1000` also where sizes are tensors. The nodes that this leaves behind have no use,
    but their number seeds the random ops that follow.
    """
    if isinstance(shape, list | tuple) and shape:
        product = shape[0]
        for size in shape[1:]:
            product = product * size
        product < 1000  # noqa: B015


def infer_dims(shape: Any) -> Any:
    """`shape` as sizes if it is made of numbers alone; raises TypeError where tensors are in it."""
    if isinstance(shape, list | tuple) and any(_holds_tensor(s) for s in shape):
        raise TypeError("shape holds tensors")
    if isinstance(shape, np.ndarray):
        shape = shape.tolist()
    return shapes.as_dims(shape)


def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """A tensor of zeros (False, or empty strings).

    >>> run(tf.zeros([2, 2]))
    array([[0., 0.],
           [0., 0.]], dtype=float32)
    """
    return _of_one(shape, dtype, 0, name or "zeros")


def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """A tensor of ones (True)."""
    return _of_one(shape, dtype, 1, name or "ones")


@op("ZerosLike", shape_only=True, foldable=False)
def _zeros_like(x: T) -> T:
    """Zeros of the shape and type of `x`."""
    if isinstance(x, np.ndarray) and x.dtype == object:
        return np.full(x.shape, b"", object)
    return jnp.zeros(x.shape, x.dtype)


_ONES = (*dtypes.FLOATS, *dtypes.COMPLEX, *dtypes.INTEGERS[:6], dtypes.bool)


@op("OnesLike", shape_only=True, foldable=False)
def _ones_like(x: type_attr("T", _ONES)) -> T:
    """Ones of the shape and type of `x`."""
    return jnp.ones(x.shape, x.dtype)


for _like in (_zeros_like, _ones_like):
    _like.shape_rule(same_shape)
    _like.not_differentiable()


@dispatched
def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Zeros of the shape of `tensor`, and of its type unless `dtype` says otherwise."""
    from thalweg._src.ops.array import shape_internal

    with get_default_graph().name_scope(name or "zeros_like") as scope:
        tensor = to_tensor(tensor, None, "tensor")
        element = tensor.dtype.base_dtype if dtype is None else dtypes.as_dtype(dtype).base_dtype
        if optimize and tensor.dims is not None and None not in tensor.dims:
            return zeros(tensor.dims, element, name=scope)
        if element != tensor.dtype.base_dtype:
            result = zeros(shape_internal(tensor, optimize=optimize), element, name=scope)
        else:
            result = _zeros_like(tensor, name=scope)
        result.set_shape(tensor.dims)
        return result


@dispatched
def ones_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Ones of the shape of `tensor`, and of its type unless `dtype` says otherwise."""
    from thalweg._src.ops.array import shape_internal

    with get_default_graph().name_scope(name or "ones_like") as scope:
        tensor = to_tensor(tensor, None, "tensor")
        shape = shape_internal(tensor, optimize=optimize)
        result = ones(shape, tensor.dtype.base_dtype if dtype is None else dtype, name=scope)
        result.set_shape(tensor.dims)
        return result
