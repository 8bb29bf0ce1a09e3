"""Convolutions with the arguments and variables of tf.contrib."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.framework.arg_scope import add_arg_scope
from thalweg._src.contrib.framework.variables import model_variable
from thalweg._src.contrib.layers.arguments import (
    WEIGHTS_AND_BIASES,
    add_variable_to_collections,
    channel_dimension,
    check_format,
    finished,
    get_variable_collections,
    keras_format,
    last_dimension,
    model_variable_getter,
    of_layer,
    two_element_tuple,
)
from thalweg._src.contrib.layers.initializers import xavier_initializer
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.layers import convolutional, transposed
from thalweg._src.lib.layers.separable import SeparableConv2D
from thalweg._src.ops.arrays import padding as padding_ops
from thalweg._src.ops.nets import spaced
from thalweg._src.ops.nets.activations import bias_add, relu
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.initializers import zeros_initializer

_FORMATS = (None, "NWC", "NCW", "NHWC", "NCHW", "NDHWC", "NCDHW")
_CLASSES = {3: convolutional.Conv1D, 4: convolutional.Conv2D, 5: convolutional.Conv3D}


@add_arg_scope
def convolution(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str | None = None,
    rate: Any = 1,
    activation_fn: Any = relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = zeros_initializer(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    conv_dims: int | None = None,
) -> Any:
    """A convolution of signals, images or volumes, as the rank tells, with variables 'weights' and 'biases'.

    `normalizer_fn`, with `normalizer_params`, takes the place of the biases. Raises ValueError for ranks that don't fit and
    unknown formats.
    """
    if data_format not in _FORMATS:
        raise ValueError(f"Invalid data_format: {data_format!r}")
    return convolved(_CLASSES.get, "Conv", **locals())


def convolved(
    kind: Callable[[int | None], Any],
    default: str,
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any,
    padding: str,
    data_format: str | None,
    scope: Any,
    reuse: Any,
    rate: Any = None,
    conv_dims: int | None = None,
    **arguments: Any,
) -> Any:
    """A convolution by a layer of the class that `kind` gives for the rank, in the scope `default`; `arguments` are those of `of_layer`.

    Raises ValueError for ranks without a class, and for others than `conv_dims` asks for.
    """
    with vs.variable_scope(scope, default, [inputs], reuse=reuse, custom_getter=WEIGHTS_AND_BIASES) as sc:
        inputs = to_tensor(inputs)
        rank = inputs.get_shape().ndims
        if conv_dims is not None and conv_dims + 2 != rank:
            raise ValueError(f"Convolution expects input with rank {conv_dims + 2}, got {rank}")
        layer = kind(rank)
        if layer is None:
            raise ValueError("Convolution not supported for input with rank", rank)
        if rate is not None:
            arguments["dilation_rate"] = rate
        return of_layer(
            layer,
            inputs,
            sc,
            filters=num_outputs,
            kernel_size=kernel_size,
            strides=stride,
            padding=padding,
            data_format=keras_format(data_format),
            reuse=reuse,
            **arguments,
        )


def _of_rank(conv_dims: int) -> Callable[..., Any]:
    signature = inspect.signature(convolution)
    fixed = signature.replace(parameters=list(signature.parameters.values())[:-1])

    def convolution_nd(*args: Any, **kwargs: Any) -> Any:
        return convolution(**fixed.bind(*args, **kwargs).arguments, conv_dims=conv_dims)

    convolution_nd.__signature__ = fixed  # type: ignore[attr-defined]
    convolution_nd.__name__ = convolution_nd.__qualname__ = f"convolution{conv_dims}d"
    convolution_nd.__doc__ = f"`convolution` of inputs with {conv_dims} spatial dimensions."
    return add_arg_scope(convolution_nd)


convolution1d, convolution2d, convolution3d = conv1d, conv2d, conv3d = _of_rank(1), _of_rank(2), _of_rank(3)


@add_arg_scope
def convolution2d_transpose(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str = "NHWC",
    activation_fn: Any = relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = zeros_initializer(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """The transpose of a convolution of images, with variables 'weights' and 'biases'."""
    check_format(data_format, "NCHW", "NHWC")
    return convolved(lambda rank: transposed.Conv2DTranspose, "Conv2d_transpose", **locals())


@add_arg_scope
def convolution3d_transpose(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str = "NDHWC",
    activation_fn: Any = relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = zeros_initializer(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """The transpose of a convolution of volumes, with variables 'weights' and 'biases'."""
    check_format(data_format, "NCDHW", "NDHWC")
    return convolved(lambda rank: transposed.Conv3DTranspose, "Conv3d_transpose", **locals())


conv2d_transpose, conv3d_transpose = convolution2d_transpose, convolution3d_transpose


def _biases(size: int, dtype: Any, initializer: Any, regularizer: Any, collections: Any, trainable: bool) -> Any:
    return model_variable(
        "biases",
        shape=[size],
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        collections=get_variable_collections(collections, "biases"),
        trainable=trainable,
    )


@add_arg_scope
def convolution2d_in_plane(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    activation_fn: Any = relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = zeros_initializer(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """The same filter over every channel by itself."""
    with vs.variable_scope(scope, "ConvInPlane", [inputs], reuse=reuse) as sc:
        dtype = inputs.dtype.base_dtype
        steps = two_element_tuple(stride)
        channels = last_dimension(inputs.get_shape(), min_rank=4)
        weights = model_variable(
            "weights",
            shape=[*two_element_tuple(kernel_size), 1, 1],
            dtype=dtype,
            initializer=weights_initializer,
            regularizer=weights_regularizer,
            collections=get_variable_collections(variables_collections, "weights"),
            trainable=trainable,
        )
        filters = padding_ops.tile(weights, [1, 1, channels, 1])
        outputs = spaced.depthwise_conv2d(inputs, filters, [1, *steps, 1], padding)
        if normalizer_fn is None and biases_initializer is not None:
            biases = _biases(channels, dtype, biases_initializer, biases_regularizer, variables_collections, trainable)
            outputs = bias_add(outputs, biases)
        return finished(outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections, sc.name)


conv2d_in_plane = convolution2d_in_plane
_OF_SEPARABLE = model_variable_getter(
    {"bias": "biases", "depthwise_kernel": "depthwise_weights", "pointwise_kernel": "pointwise_weights"}
)


@add_arg_scope
def separable_convolution2d(
    inputs: Any,
    num_outputs: int | None,
    kernel_size: Any,
    depth_multiplier: int = 1,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str = "NHWC",
    rate: Any = 1,
    activation_fn: Any = relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    pointwise_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = zeros_initializer(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """Each channel by itself, then all channels at each place; with `num_outputs` None only the first."""
    check_format(data_format, "NCHW", "NHWC")
    form = keras_format(data_format)
    with vs.variable_scope(scope, "SeparableConv2d", [inputs], reuse=reuse, custom_getter=_OF_SEPARABLE) as sc:
        inputs = to_tensor(inputs)
        dtype = inputs.dtype.base_dtype
        if num_outputs is not None:
            layer = SeparableConv2D(
                filters=num_outputs,
                kernel_size=kernel_size,
                strides=stride,
                padding=padding,
                data_format=form,
                dilation_rate=two_element_tuple(rate),
                depth_multiplier=depth_multiplier,
                use_bias=bool(not normalizer_fn and biases_initializer),
                depthwise_initializer=weights_initializer,
                pointwise_initializer=weights_initializer if pointwise_initializer is None else pointwise_initializer,
                bias_initializer=biases_initializer,
                depthwise_regularizer=weights_regularizer,
                pointwise_regularizer=weights_regularizer,
                bias_regularizer=biases_regularizer,
                trainable=trainable,
                name=sc.name,
                dtype=dtype,
                _scope=sc,
                _reuse=reuse,
            )
            outputs = layer(inputs)
            add_variable_to_collections(layer.depthwise_kernel, variables_collections, "weights")
            add_variable_to_collections(layer.pointwise_kernel, variables_collections, "weights")
            if layer.bias is not None:
                add_variable_to_collections(layer.bias, variables_collections, "biases")
        else:
            steps = two_element_tuple(stride)
            channels = channel_dimension(inputs.get_shape(), form, min_rank=4)
            weights = model_variable(
                "depthwise_weights",
                shape=[*two_element_tuple(kernel_size), channels, depth_multiplier],
                dtype=dtype,
                initializer=weights_initializer,
                regularizer=weights_regularizer,
                trainable=trainable,
                collections=get_variable_collections(variables_collections, "weights"),
            )
            outputs = spaced.depthwise_conv2d(
                inputs,
                weights,
                [1, 1, *steps] if data_format == "NCHW" else [1, *steps, 1],
                padding,
                rate=two_element_tuple(rate),
                data_format=data_format,
            )
            if normalizer_fn is None and biases_initializer is not None:
                size = depth_multiplier * channels
                biases = _biases(size, dtype, biases_initializer, biases_regularizer, variables_collections, trainable)
                outputs = bias_add(outputs, biases, data_format=data_format)
        return finished(outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections, sc.name)


separable_conv2d = separable_convolution2d
