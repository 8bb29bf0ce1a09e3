"""Pools, dropout, flattening and other layers without variables, with the arguments of tf.contrib."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.framework.arg_scope import add_arg_scope
from thalweg._src.contrib.layers.arguments import (
    check_format,
    collect_named_outputs,
    keras_format,
    model_variable_getter,
    n_positive_integers,
)
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib.layers import core, pooling
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.derivatives.custom_gradient import custom_gradient
from thalweg._src.ops.nets import spaced
from thalweg._src.ops.reports import checks
from thalweg._src.ops.sparse import sparse_reshape
from thalweg._src.ops.stateful import variable_scope as vs


def _pooled(
    kind: Any, default: str, formats: tuple[str, ...], inputs: Any, kernel_size: Any, stride: Any, padding: str,
    data_format: str, outputs_collections: Any, scope: Any,
) -> Any:  # fmt: skip
    check_format(data_format, *formats)
    with scopes.name_scope(scope, default, [inputs]) as sc:
        inputs = to_tensor(inputs)
        layer = kind(
            pool_size=kernel_size, strides=stride, padding=padding, data_format=keras_format(data_format), _scope=sc
        )
        return collect_named_outputs(outputs_collections, sc, layer(inputs))


@add_arg_scope
def avg_pool2d(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 2,
    padding: str = "VALID",
    data_format: str = "NHWC",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The mean of every window of images."""
    return _pooled(pooling.AveragePooling2D, "AvgPool2D", ("NCHW", "NHWC"), **locals())


@add_arg_scope
def avg_pool3d(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 2,
    padding: str = "VALID",
    data_format: str = "NDHWC",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The mean of every window of volumes."""
    return _pooled(pooling.AveragePooling3D, "AvgPool3D", ("NCDHW", "NDHWC"), **locals())


@add_arg_scope
def max_pool2d(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 2,
    padding: str = "VALID",
    data_format: str = "NHWC",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The maximum of every window of images."""
    return _pooled(pooling.MaxPooling2D, "MaxPool2D", ("NCHW", "NHWC"), **locals())


@add_arg_scope
def max_pool3d(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 2,
    padding: str = "VALID",
    data_format: str = "NDHWC",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The maximum of every window of volumes."""
    return _pooled(pooling.MaxPooling3D, "MaxPool3D", ("NCDHW", "NDHWC"), **locals())


@add_arg_scope
def pool(
    inputs: Any,
    kernel_size: Any,
    pooling_type: str,
    padding: str = "VALID",
    data_format: str | None = None,
    dilation_rate: Any = 1,
    stride: Any = 1,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The maximum ('MAX') or mean ('AVG') of every window, of any number of spatial dimensions."""
    with scopes.name_scope(scope, f"{pooling_type.lower()}_pool", [inputs]) as sc:
        inputs = to_tensor(inputs)
        rank = inputs.get_shape().ndims
        if rank is None:
            raise ValueError("Rank of inputs must be known")
        if rank < 3:
            raise ValueError("Rank of inputs must be >= 3")
        outputs = spaced.pool(
            inputs,
            window_shape=n_positive_integers(rank - 2, kernel_size),
            pooling_type=pooling_type,
            padding=padding,
            data_format=data_format,
            dilation_rate=n_positive_integers(rank - 2, dilation_rate),
            strides=n_positive_integers(rank - 2, stride),
            name=sc,
        )
        return collect_named_outputs(outputs_collections, sc, outputs)


@add_arg_scope
def dropout(
    inputs: Any,
    keep_prob: Any = 0.5,
    noise_shape: Any = None,
    is_training: Any = True,
    outputs_collections: Any = None,
    scope: Any = None,
    seed: int | None = None,
) -> Any:
    """In training a part of the inputs, 1 - keep_prob, is zero and the rest is scaled up."""
    with vs.variable_scope(scope, "Dropout", [inputs], custom_getter=model_variable_getter()) as sc:
        inputs = to_tensor(inputs)
        layer = core.Dropout(rate=1 - keep_prob, noise_shape=noise_shape, seed=seed, name=sc.name, _scope=sc)
        return collect_named_outputs(outputs_collections, sc.name, layer(inputs, training=is_training))


@add_arg_scope
def flatten(inputs: Any, outputs_collections: Any = None, scope: Any = None) -> Any:
    """[batch, a, b, ...] -> [batch, a * b * ...]."""
    with scopes.name_scope(scope, "Flatten", [inputs]) as sc:
        return collect_named_outputs(outputs_collections, sc, core.flatten(to_tensor(inputs)))


@add_arg_scope
def inner_flatten(inputs: Any, new_rank: Any, output_collections: Any = None, scope: Any = None) -> Any:
    """The last axes as one, so that `new_rank` remain; of a tensor or a SparseTensor. Raises ValueError for lower ranks."""
    with scopes.name_scope(scope, "InnerFlatten", [inputs, new_rank]) as sc:
        flat = _flat_sparse if isinstance(inputs, SparseTensor) else _flat_dense
        return collect_named_outputs(output_collections, sc, flat(inputs, new_rank))


def _flat_sparse(inputs: SparseTensor, new_rank: int) -> SparseTensor:
    rank = inputs.dense_shape.get_shape().as_list()[0]
    if rank < new_rank:
        raise ValueError(
            f"Inputs has rank less than new_rank. {inputs} must have rank at least {new_rank}. Received rank {rank}, shape "
            f"{inputs.get_shape()}"
        )
    outer, inner = inputs.dense_shape[: new_rank - 1], inputs.dense_shape[new_rank - 1 :]
    return sparse_reshape(inputs, array.concat((outer, [math.reduce_prod(inner)]), 0))


def _flat_dense(inputs: Any, new_rank: Any) -> Any:
    inputs = to_tensor(inputs)
    enough = checks.assert_rank_at_least(inputs, new_rank, message="inputs has rank less than new_rank")
    with basic.control_dependencies([enough]):
        outer = array.strided_slice(array.shape(inputs), [0], [new_rank - 1])
        flat = array.reshape(inputs, array.concat((outer, [-1]), 0))
    if isinstance(new_rank, int) and inputs.get_shape().ndims is not None:
        sizes = inputs.get_shape().as_list()
        last = 1
        for n in sizes[new_rank - 1 :]:
            last = None if n is None or last is None else last * n
        flat.set_shape([*sizes[: new_rank - 1], last])
    return flat


@add_arg_scope
def dense_to_sparse(
    tensor: Any, eos_token: Any = 0, outputs_collections: Any = None, scope: Any = None
) -> SparseTensor:
    """The elements that are not `eos_token`, as a SparseTensor."""
    with vs.variable_scope(scope, "dense_to_sparse", [tensor]) as sc:
        tensor = to_tensor(tensor)
        indices = array.where(math.not_equal(tensor, array.constant(eos_token, tensor.dtype)))
        values = array.gather_nd(tensor, indices)
        found = SparseTensor(indices, values, array.shape(tensor, out_type=dtypes.int64))
        return collect_named_outputs(outputs_collections, sc, found)


@add_arg_scope
def images_to_sequence(
    inputs: Any, data_format: str = "NHWC", outputs_collections: Any = None, scope: Any = None
) -> Any:
    """Images as sequences of their columns: [batch, height, width, depth] -> [width, batch * height, depth]."""
    check_format(data_format, "NCHW", "NHWC")
    with scopes.name_scope(scope, "ImagesToSequence", [inputs]) as sc:
        inputs = to_tensor(inputs)
        if data_format == "NCHW":
            inputs = array.transpose(inputs, [0, 2, 3, 1])
        _, _, width, depth = inputs.get_shape().as_list()
        sizes = array.shape(inputs)
        columns = array.transpose(inputs, [2, 0, 1, 3])
        outputs = array.reshape(columns, [width, sizes[0] * sizes[1], depth])
        return collect_named_outputs(outputs_collections, sc, outputs)


@add_arg_scope
def sequence_to_images(
    inputs: Any,
    height: int,
    output_data_format: str = "channels_last",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The inverse of `images_to_sequence`: [width, batch * height, depth] -> images of that height."""
    with scopes.name_scope(scope, "SequenceToImages", [inputs]) as sc:
        inputs = to_tensor(inputs)
        width, batches, depth = inputs.get_shape().as_list()
        count = -1 if batches is None else batches // height
        columns = array.reshape(inputs, [width, count, height, depth])
        order = [1, 3, 2, 0] if output_data_format == "channels_first" else [1, 2, 0, 3]
        return collect_named_outputs(outputs_collections, sc, array.transpose(columns, order))


def _scope_name(layer: Any, default: str) -> str:
    """The name of a function, also of one behind functools.partial."""
    return getattr(layer, "__name__", None) or getattr(getattr(layer, "func", None), "__name__", default)


def repeat(inputs: Any, repetitions: int, layer: Any, *args: Any, **kwargs: Any) -> Any:
    """The same layer several times, one after the other, in scopes 'name_1', 'name_2' ..."""
    scope = kwargs.pop("scope", None)
    with vs.variable_scope(scope, "Repeat", [inputs]):
        outputs = to_tensor(inputs)
        name = scope if scope is not None else _scope_name(layer, "repeat")
        for i in range(repetitions):
            kwargs["scope"] = f"{name}_{i + 1}"
            outputs = layer(outputs, *args, **kwargs)
        return outputs


def stack(inputs: Any, layer: Any, stack_args: Any, **kwargs: Any) -> Any:
    """The same layer several times with other arguments, one after the other. Raises ValueError where they are no list."""
    scope = kwargs.pop("scope", None)
    if not isinstance(stack_args, list | tuple):
        raise ValueError("stack_args need to be a list or tuple")
    with vs.variable_scope(scope, "Stack", [inputs]):
        outputs = to_tensor(inputs)
        name = scope if scope is not None else _scope_name(layer, "stack")
        for i, args in enumerate(stack_args):
            kwargs["scope"] = f"{name}_{i + 1}"
            outputs = layer(outputs, *(args if isinstance(args, list | tuple) else [args]), **kwargs)
        return outputs


def scale_gradient(inputs: Any, gradient_multiplier: Any) -> Any:
    """`inputs`, whose gradient is multiplied."""

    @custom_gradient
    def scaled(x: Any) -> Any:
        return basic.identity(x), lambda g: g * gradient_multiplier

    return scaled(to_tensor(inputs))
