"""Transposed convolutions: from the shape of a convolution's output to that of its input."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.layers.arguments import as_function, convert_data_format, deconv_output_length, normalize_tuple
from thalweg._src.lib.layers.convolutional import ConvolutionLayer
from thalweg._src.ops.arrays import shaping, stacking
from thalweg._src.ops.nets import convolution_api
from thalweg._src.ops.stateful.initializers import zeros_initializer


class _Transposed(ConvolutionLayer):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str | None = "channels_last",
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
        output_padding = kwargs.pop("output_padding", None)
        super().__init__(
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            trainable=trainable,
            name=name,
            **kwargs,
        )
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = normalize_tuple(output_padding, self.rank, "output_padding")
            if any(p >= s for s, p in zip(self.strides, self.output_padding, strict=True)):
                raise ValueError(f"Stride {self.strides} must be greater than output padding {self.output_padding}")

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != self.rank + 2:
            raise ValueError(f"Inputs should have rank {self.rank + 2}. Received input shape: {input_shape}")
        self.kernel = self._add_kernel((*self.kernel_size, self.filters, self._channels(input_shape)))
        self._add_bias()
        self.built = True

    def _length(self, n: Any, i: int) -> Any:
        extra = None if self.output_padding is None else self.output_padding[i]
        return deconv_output_length(n, self.kernel_size[i], self.padding, extra, self.strides[i])

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        return self._spatial(input_shape, self._length)

    def call(self, inputs: Any) -> Any:
        sizes = shaping.shape(inputs)
        start = 2 if self._first else 1
        batch = sizes[0]
        space = [sizes[start + i] for i in range(self.rank)]
        space = [self._length(n, i) for i, n in enumerate(space)]
        shape = [batch, self.filters, *space] if self._first else [batch, *space, self.filters]
        target = stacking.stack(shape)
        if self.rank == 2:
            target[0]  # TensorFlow looks at it: the number of ops so far seeds the random ops that follow
        transpose = convolution_api.conv2d_transpose if self.rank == 2 else convolution_api.conv3d_transpose
        outputs = transpose(
            inputs,
            self.kernel,
            target,
            self._steps,
            padding=self.padding.upper(),
            data_format=convert_data_format(self.data_format, self.rank + 2),
        )
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        return self._finished(outputs)

    @property
    def _steps(self) -> tuple[int, ...]:
        return (1, 1, *self.strides) if self._first else (1, *self.strides, 1)

    def _biased(self, outputs: Any) -> Any:
        if self.rank == 3 and self._first:
            return outputs + shaping.reshape(self.bias, (1, self.filters, 1, 1, 1))
        return super()._biased(outputs)


class Conv2DTranspose(_Transposed):
    """The transpose of `Conv2D`: [batch, height, width, in] -> [batch, larger height, larger width, filters]."""


class Conv3DTranspose(_Transposed):
    """The transpose of `Conv3D`: [batch, depth, height, width, in] -> [batch, ..., filters]."""

    rank = 3


conv2d_transpose = as_function(Conv2DTranspose, "The transpose of `conv2d`, by a layer `Conv2DTranspose`.")
conv3d_transpose = as_function(Conv3DTranspose, "The transpose of `conv3d`, by a layer `Conv3DTranspose`.")
