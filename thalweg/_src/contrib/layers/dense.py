"""Fully connected layers, biases, softmax, and simple functions of activations, with the arguments of tf.contrib."""

from __future__ import annotations

import functools
from typing import Any

from thalweg._src.contrib.framework.arg_scope import add_arg_scope
from thalweg._src.contrib.framework.variables import model_variable
from thalweg._src.contrib.layers.arguments import (
    WEIGHTS_AND_BIASES,
    check_format,
    collect_named_outputs,
    finished,
    get_variable_collections,
    last_dimension,
    of_layer,
)
from thalweg._src.contrib.layers.initializers import xavier_initializer
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.layers.core import Dense
from thalweg._src.ops import array, math
from thalweg._src.ops.arrays.stacking import stack as pack
from thalweg._src.ops.arrays.stacking import unstack
from thalweg._src.ops.nets import softmax as softmax_ops
from thalweg._src.ops.nets.activations import bias_add as add_bias
from thalweg._src.ops.nets.activations import elu as elu_op
from thalweg._src.ops.nets.activations import relu as relu_op
from thalweg._src.ops.nets.activations import relu6 as relu6_op
from thalweg._src.ops.numeric import elementwise, matmul
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.initializers import constant_initializer, ones_initializer, zeros_initializer


@add_arg_scope
def fully_connected(
    inputs: Any,
    num_outputs: int,
    activation_fn: Any = relu_op,
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
    """`activation_fn(inputs @ weights + biases)` over the last axis: [..., n] -> [..., num_outputs].

    `normalizer_fn`, with `normalizer_params`, takes the place of the biases. Raises ValueError where the last size is unknown.
    """
    if not isinstance(num_outputs, int):
        raise ValueError(f"num_outputs type should be one of {[int]}, got {type(num_outputs)}.")
    return connected(Dense, **locals())


def connected(kind: Any, inputs: Any, num_outputs: int, scope: Any, reuse: Any, **arguments: Any) -> Any:
    """`fully_connected` by a layer of the class `kind`; `arguments` are those of `of_layer`."""
    with vs.variable_scope(scope, "fully_connected", [inputs], reuse=reuse, custom_getter=WEIGHTS_AND_BIASES) as sc:
        return of_layer(kind, to_tensor(inputs), sc, units=num_outputs, reuse=reuse, **arguments)


elu = functools.partial(fully_connected, activation_fn=elu_op)
relu = functools.partial(fully_connected, activation_fn=relu_op)
relu6 = functools.partial(fully_connected, activation_fn=relu6_op)
linear = functools.partial(fully_connected, activation_fn=None)


def legacy_fully_connected(
    x: Any,
    num_output_units: int,
    activation_fn: Any = None,
    weight_init: Any = xavier_initializer(),
    bias_init: Any = zeros_initializer(),
    name: Any = None,
    weight_collections: Any = (GraphKeys.WEIGHTS,),
    bias_collections: Any = (GraphKeys.BIASES,),
    output_collections: Any = (GraphKeys.ACTIVATIONS,),
    trainable: bool = True,
    weight_regularizer: Any = None,
    bias_regularizer: Any = None,
) -> Any:
    """The fully connected layer of 0.x, with variables 'weights' and 'bias'. Raises ValueError where sizes are unknown."""
    with vs.variable_scope(name, "fully_connected", [x]):
        x = to_tensor(x)
        rank = x.get_shape().ndims
        if rank is None:
            raise ValueError("dims of x must be known but is None")
        if rank < 2:
            raise ValueError(f"rank of x must be at least 2 not: {rank}")
        units = x.get_shape().as_list()[-1]
        if units is None:
            raise ValueError("last dimension of x must be known but is None")

        def made(name: str, shape: list[int], first: Any, collections: Any, regularizer: Any) -> Any:
            return vs.get_variable(
                name,
                shape=shape,
                dtype=x.dtype.base_dtype,
                initializer=first,
                collections=list(dict.fromkeys([*(collections or []), GraphKeys.GLOBAL_VARIABLES])),
                regularizer=regularizer,
                trainable=trainable,
            )

        w = made("weights", [units, num_output_units], weight_init, weight_collections, weight_regularizer)
        y = matmul.matmul(x if rank <= 2 else array.reshape(x, [-1, units]), w)
        if bias_init is not None:
            y = add_bias(y, made("bias", [num_output_units], bias_init, bias_collections, bias_regularizer))
        if rank > 2:
            sizes = unstack(array.shape(x))
            sizes[-1] = num_output_units
            y = array.reshape(y, pack(sizes))
            y.set_shape([*x.get_shape().as_list()[:-1], num_output_units])
        if activation_fn is not None:
            y = activation_fn(y)
        scopes.add_to_collections([*(output_collections or []), GraphKeys.ACTIVATIONS], y)
        return y


legacy_relu = functools.partial(legacy_fully_connected, activation_fn=relu_op)
legacy_linear = functools.partial(legacy_fully_connected, activation_fn=None)


@add_arg_scope
def bias_add(
    inputs: Any,
    activation_fn: Any = None,
    initializer: Any = zeros_initializer(),
    regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """`inputs` plus a variable 'biases', one for each channel. Raises ValueError where rank or channels are unknown."""
    check_format(data_format, "NCHW", "NHWC")
    with vs.variable_scope(scope, "BiasAdd", [inputs], reuse=reuse) as sc:
        inputs = to_tensor(inputs)
        rank = inputs.get_shape().ndims
        if rank is None:
            raise ValueError("Dims of shape must be known but is None")
        if rank != 4 and data_format == "NCHW":
            raise ValueError("Data format NCHW only supports 4D Tensor")
        channels = inputs.get_shape().as_list()[1 if data_format == "NCHW" else -1]
        if channels is None:
            raise ValueError("`C` dimension must be known but is None")
        biases = model_variable(
            "biases",
            shape=[channels],
            dtype=inputs.dtype.base_dtype,
            initializer=initializer,
            regularizer=regularizer,
            collections=get_variable_collections(variables_collections, "biases"),
            trainable=trainable,
        )
        outputs = add_bias(inputs, biases, data_format=data_format)
        return finished(outputs, None, None, activation_fn, outputs_collections, sc.name)


@add_arg_scope
def softmax(logits: Any, scope: Any = None) -> Any:
    """The softmax over the last axis, of any rank from 2 on."""
    with vs.variable_scope(scope, "softmax", [logits]):
        classes = last_dimension(logits.get_shape(), min_rank=2)
        predictions = softmax_ops.softmax(array.reshape(logits, [-1, classes]))
        predictions = array.reshape(predictions, array.shape(logits))
        predictions.set_shape(logits.get_shape())
        return predictions


@add_arg_scope
def spatial_softmax(
    features: Any,
    temperature: Any = None,
    name: Any = None,
    variables_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
) -> Any:
    """The expected position of each channel's activation in the image: [batch, h, w, c] -> [batch, 2 c], within [-1, 1]."""
    with vs.variable_scope(name, "spatial_softmax"):
        shape, known = array.shape(features), features.shape.as_list()
        check_format(data_format, "NCHW", "NHWC")
        first = data_format == "NCHW"
        height, width = (shape[2], shape[3]) if first else (shape[1], shape[2])
        channels = known[1 if first else 3]
        if channels is None:
            raise ValueError(
                "The num_channels dimension of the inputs to `spatial_softmax` should be defined. Found `None`."
            )
        with scopes.name_scope("spatial_softmax_op", "spatial_softmax_op", [features]):
            pos_x, pos_y = array.meshgrid(
                math.lin_space(-1.0, 1.0, num=height), math.lin_space(-1.0, 1.0, num=width), indexing="ij"
            )
            pos_x = array.reshape(pos_x, [height * width])
            pos_y = array.reshape(pos_y, [height * width])
            start = ones_initializer() if temperature is None else constant_initializer(temperature)
            temperature = model_variable(
                "temperature",
                shape=(),
                dtype=dtypes.float32,
                initializer=start,
                collections=get_variable_collections(variables_collections, "temperature") if trainable else None,
                trainable=trainable,
            )
            if not first:
                features = array.transpose(features, [0, 3, 1, 2])
            attention = softmax_ops.softmax(array.reshape(features, [-1, height * width]) / temperature)
            expected_x = math.reduce_sum(pos_x * attention, [1], keepdims=True)
            expected_y = math.reduce_sum(pos_y * attention, [1], keepdims=True)
            keypoints = array.reshape(array.concat([expected_x, expected_y], 1), [-1, channels * 2])
            keypoints.set_shape([None, channels * 2])
    return keypoints


@add_arg_scope
def unit_norm(inputs: Any, dim: int, epsilon: float = 1e-7, scope: Any = None) -> Any:
    """`inputs` of length 1 along `dim`. Raises ValueError where the rank is unknown or `dim` is out of range."""
    with vs.variable_scope(scope, "UnitNorm", [inputs]):
        rank = inputs.get_shape().ndims
        if not rank:
            raise ValueError("The input rank must be known.")
        if not 0 <= dim < rank:
            raise ValueError("dim must be positive but smaller than the input rank.")
        lengths = elementwise.sqrt(epsilon + math.reduce_sum(elementwise.square(inputs), dim, True))
        multiples = [array.ones([dim], dtypes.int32)] if dim > 0 else []
        multiples.append(array.strided_slice(array.shape(inputs), [dim], [dim + 1]))
        if dim < rank - 1:
            multiples.append(array.ones([rank - 1 - dim], dtypes.int32))
        return math.div(inputs, array.tile(lengths, array.concat(multiples, 0)))


@add_arg_scope
def maxout(inputs: Any, num_units: int, axis: int = -1, scope: Any = None) -> Any:
    """The maximum of each group of channels: `num_units` of them stay (Goodfellow et al. 2013).

    Raises ValueError where the channels don't divide into them.
    """
    with vs.variable_scope(scope, "MaxOut", [inputs]):
        inputs = to_tensor(inputs)
        shape: list[Any] = inputs.get_shape().as_list()
        channels = shape[axis]
        if channels % num_units:
            raise ValueError(f"number of features({channels}) is not a multiple of num_units({num_units})")
        shape[axis] = num_units
        shape.append(channels // num_units)
        sizes = [array.shape(inputs)[i] if n is None else n for i, n in enumerate(shape)]
        return math.reduce_max(array.reshape(inputs, sizes), -1, keepdims=False)


def poincare_normalize(x: Any, axis: Any = 1, epsilon: float = 1e-5, name: str | None = None) -> Any:
    """Vectors brought back inside of the ball of radius 1 - epsilon (Nickel and Kiela 2017)."""
    with scopes.name_scope(name, "poincare_normalize", [x]) as name:
        x = to_tensor(x, name="x")
        inverse = elementwise.rsqrt(math.reduce_sum(elementwise.square(x), axis, keepdims=True))
        return math.multiply(x, math.minimum((1.0 - epsilon) * inverse, 1.0), name=name)


@add_arg_scope
def one_hot_encoding(
    labels: Any,
    num_classes: Any,
    on_value: Any = 1.0,
    off_value: Any = 0.0,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """Labels as vectors: [batch] -> [batch, num_classes]."""
    with scopes.name_scope(scope, "OneHotEncoding", [labels, num_classes]) as sc:
        labels = to_tensor(labels)
        if labels.dtype == dtypes.int32:
            labels = math.to_int64(labels)
        outputs = array.one_hot(labels, num_classes, on_value=on_value, off_value=off_value)
        return collect_named_outputs(outputs_collections, sc, outputs)
