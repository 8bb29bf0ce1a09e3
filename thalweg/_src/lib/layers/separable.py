"""Separable convolutions: each channel by itself, then all channels at each place."""

from __future__ import annotations

from typing import Any

from thalweg._src.lib.layers import by_name
from thalweg._src.lib.layers.arguments import as_function, convert_data_format
from thalweg._src.lib.layers.convolutional import ConvolutionLayer
from thalweg._src.ops.arrays import shaping
from thalweg._src.ops.nets import activations
from thalweg._src.ops.nets.spaced import separable_conv2d as separable_conv2d_op
from thalweg._src.ops.stateful.initializers import zeros_initializer


class _Separable(ConvolutionLayer):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = None,
        pointwise_initializer: Any = None,
        bias_initializer: Any = zeros_initializer(),
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: Any = None,
        **kwargs: Any,
    ):
        super().__init__(
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            trainable=trainable,
            name=name,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = by_name.initializer(depthwise_initializer)
        self.pointwise_initializer = by_name.initializer(pointwise_initializer)
        self.depthwise_regularizer = by_name.regularizer(depthwise_regularizer)
        self.pointwise_regularizer = by_name.regularizer(pointwise_regularizer)
        self.depthwise_constraint = by_name.constraint(depthwise_constraint)
        self.pointwise_constraint = by_name.constraint(pointwise_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        ones = (1,) * self.rank
        self.depthwise_kernel = self._add_kernel(
            (*self.kernel_size, channels, self.depth_multiplier), "depthwise_kernel"
        )
        self.pointwise_kernel = self._add_kernel(
            (*ones, self.depth_multiplier * channels, self.filters), "pointwise_kernel"
        )
        self._add_bias()
        self.built = True

    def _convolved(self, images: Any, depthwise: Any, pointwise: Any, strides: Any, rate: Any) -> Any:
        return separable_conv2d_op(
            images,
            depthwise,
            pointwise,
            strides=(1, 1, *strides) if self._first else (1, *strides, 1),
            padding=self._op_padding,
            rate=rate,
            data_format=convert_data_format(self.data_format, 4),
        )


class SeparableConv1D(_Separable):
    """A separable convolution of signals: [batch, length, in] -> [batch, new length, filters]."""

    rank = 1

    def call(self, inputs: Any) -> Any:
        if self.padding == "causal":
            inputs = self._causally_padded(inputs)
        axis = 2 if self._first else 1
        images = shaping.expand_dims(inputs, axis)
        depthwise = shaping.expand_dims(self.depthwise_kernel, 0)
        pointwise = shaping.expand_dims(self.pointwise_kernel, 0)
        outputs = self._convolved(images, depthwise, pointwise, self.strides * 2, (1, *self.dilation_rate))
        if self.bias is not None:
            form = convert_data_format(self.data_format, 4)
            outputs = activations.bias_add(outputs, self.bias, data_format=form)
        outputs = shaping.squeeze(outputs, [axis])
        return outputs if self.activation is None else self.activation(outputs)


class SeparableConv2D(_Separable):
    """A separable convolution of images: [batch, height, width, in] -> [batch, new height, new width, filters]."""

    def call(self, inputs: Any) -> Any:
        outputs = self._convolved(
            inputs, self.depthwise_kernel, self.pointwise_kernel, self.strides, self.dilation_rate
        )
        return self._finished(outputs)


separable_conv1d = as_function(SeparableConv1D, "A separable convolution of signals, by a layer `SeparableConv1D`.")
separable_conv2d = as_function(SeparableConv2D, "A separable convolution of images, by a layer `SeparableConv2D`.")
