"""Convolutions of signals, images and volumes."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.lib.layers import by_name
from thalweg._src.lib.layers.arguments import (
    as_function,
    conv_output_length,
    convert_data_format,
    normalize_data_format,
    normalize_padding,
    normalize_tuple,
)
from thalweg._src.lib.layers.base import InputSpec
from thalweg._src.lib.layers.core import Described
from thalweg._src.ops.arrays import padding as padding_ops
from thalweg._src.ops.arrays import shaping
from thalweg._src.ops.nets import activations
from thalweg._src.ops.nets.spaced import Convolution
from thalweg._src.ops.stateful.initializers import zeros_initializer


class ConvolutionLayer(Described):
    """What all convolutions share. `rank` is the number of spatial dimensions.

    Raises ValueError for sizes that are no `rank` integers, for unknown paddings and data formats, and where the number of
    channels of the input is unknown.
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = zeros_initializer(),
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: Any = None,
        **kwargs: Any,
    ):
        super().__init__(trainable=trainable, name=name, activity_regularizer=activity_regularizer, **kwargs)
        self.filters, self.use_bias = filters, use_bias
        self.kernel_size = normalize_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = normalize_tuple(strides, self.rank, "strides")
        self.padding = normalize_padding(padding)
        if self.padding == "causal" and self.rank != 1:
            raise ValueError("Causal padding is only supported for `Conv1D`and ``SeparableConv1D`.")
        self.data_format = normalize_data_format(data_format)
        self.dilation_rate = normalize_tuple(dilation_rate, self.rank, "dilation_rate")
        self.activation = by_name.activation(activation)
        self.kernel_initializer = by_name.initializer(kernel_initializer)
        self.bias_initializer = by_name.initializer(bias_initializer)
        self.kernel_regularizer = by_name.regularizer(kernel_regularizer)
        self.bias_regularizer = by_name.regularizer(bias_regularizer)
        self.kernel_constraint = by_name.constraint(kernel_constraint)
        self.bias_constraint = by_name.constraint(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _first(self) -> bool:
        return self.data_format == "channels_first"

    def _channels(self, input_shape: Any) -> int:
        """The number of channels of inputs; from now on inputs must have it."""
        axis = 1 if self._first else -1
        channels = as_shape(input_shape).as_list()[axis]
        if channels is None:
            raise ValueError("The channel dimension of the inputs should be defined. Found `None`.")
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _add_kernel(self, shape: Any, name: str = "kernel") -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=getattr(self, f"{name.split('_')[0]}_initializer"),
            regularizer=getattr(self, f"{name.split('_')[0]}_regularizer"),
            constraint=getattr(self, f"{name.split('_')[0]}_constraint"),
            trainable=True,
            dtype=self.dtype,
        )

    def _add_bias(self) -> None:
        self.bias = self._add_kernel((self.filters,), "bias") if self.use_bias else None

    def _finished(self, outputs: Any) -> Any:
        """`outputs` with the bias and through the activation."""
        if self.bias is not None:
            outputs = self._biased(outputs)
        return outputs if self.activation is None else self.activation(outputs)

    def _biased(self, outputs: Any) -> Any:
        if self._first and self.rank == 1:
            return outputs + shaping.reshape(self.bias, (1, self.filters, 1))
        return activations.bias_add(outputs, self.bias, data_format="NCHW" if self._first else "NHWC")

    def _spatial(self, input_shape: Any, length: Any) -> TensorShape:
        """The shape of outputs, `length(size, i)` being the i-th spatial size."""
        sizes = as_shape(input_shape).as_list()
        space = sizes[2:] if self._first else sizes[1:-1]
        new = [length(n, i) for i, n in enumerate(space)]
        return TensorShape([sizes[0], self.filters, *new] if self._first else [sizes[0], *new, self.filters])

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        return self._spatial(
            input_shape,
            lambda n, i: conv_output_length(
                n, self.kernel_size[i], self.padding, self.strides[i], self.dilation_rate[i]
            ),
        )

    def _causally_padded(self, inputs: Any) -> Any:
        """Signals with zeros before their start, so that no output sees what comes after it."""
        ahead = [self.dilation_rate[0] * (self.kernel_size[0] - 1), 0]
        return padding_ops.pad(inputs, [[0, 0], [0, 0], ahead] if self._first else [[0, 0], ahead, [0, 0]])

    @property
    def _op_padding(self) -> Any:
        padding = "valid" if self.padding == "causal" else self.padding
        return padding if isinstance(padding, list | tuple) else padding.upper()

    def build(self, input_shape: Any) -> None:
        self.kernel = self._add_kernel((*self.kernel_size, self._channels(input_shape), self.filters))
        self._add_bias()
        self._convolution_op = Convolution(
            as_shape(input_shape),
            filter_shape=self.kernel.shape,
            dilation_rate=self.dilation_rate,
            strides=self.strides,
            padding=self._op_padding,
            data_format=convert_data_format(self.data_format, self.rank + 2),
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        if self.padding == "causal":
            inputs = self._causally_padded(inputs)
        return self._finished(self._convolution_op(inputs, self.kernel))


class Conv1D(ConvolutionLayer):
    """The convolution of signals: [batch, length, in] -> [batch, new length, filters]."""

    rank = 1


class Conv2D(ConvolutionLayer):
    """The convolution of images: [batch, height, width, in] -> [batch, new height, new width, filters]."""


class Conv3D(ConvolutionLayer):
    """The convolution of volumes: [batch, depth, height, width, in] -> [batch, ..., filters]."""

    rank = 3


conv1d = as_function(Conv1D, "The convolution of signals [batch, length, in], by a layer `Conv1D`.")
conv2d = as_function(Conv2D, "The convolution of images [batch, height, width, in], by a layer `Conv2D`.")
conv3d = as_function(Conv3D, "The convolution of volumes [batch, depth, height, width, in], by a layer `Conv3D`.")
