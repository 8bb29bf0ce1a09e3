"""Layers and cells whose weights are behind masks."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.framework.arg_scope import add_arg_scope
from thalweg._src.contrib.layers.arguments import check_format
from thalweg._src.contrib.layers.convolutions import convolved
from thalweg._src.contrib.layers.dense import connected
from thalweg._src.contrib.layers.initializers import xavier_initializer
from thalweg._src.contrib.model_pruning.masks import masked
from thalweg._src.lib.layers.convolutional import Conv2D
from thalweg._src.lib.layers.core import Dense
from thalweg._src.lib.rnn.basic import BasicLSTMCell, LSTMCell
from thalweg._src.ops.nets.activations import relu
from thalweg._src.ops.stateful.initializers import zeros_initializer


class _MaskedKernel:
    """A layer whose `kernel` is, once it is built, the masked one; `weights_behind` is the variable."""

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)  # type: ignore[misc]
        self.weights_behind = self.kernel
        self.built = False  # more variables are made
        self.kernel = masked(self.weights_behind, self.add_variable)  # type: ignore[attr-defined]
        self.built = True


class MaskedConv2D(_MaskedKernel, Conv2D):
    """A Conv2D with a mask."""


class MaskedFullyConnected(_MaskedKernel, Dense):
    """A Dense layer with a mask."""


class _MaskedCell:
    """A cell whose kernel is, once it is built, the masked one."""

    def build(self, inputs_shape: Any) -> None:
        super().build(inputs_shape)  # type: ignore[misc]
        self.built = False  # more variables are made
        self._kernel = masked(self._kernel, self.add_variable)  # type: ignore[attr-defined, has-type]
        self.built = True


class MaskedBasicLSTMCell(_MaskedCell, BasicLSTMCell):
    """A BasicLSTMCell with a mask."""


class MaskedLSTMCell(_MaskedCell, LSTMCell):
    """An LSTMCell with a mask for its kernel; a projection has none."""


@add_arg_scope
def masked_convolution(
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
) -> Any:
    """`tf.contrib.layers.conv2d` with a mask. ValueError for other ranks than 4 and other formats than of images."""
    check_format(data_format or "NHWC", "NHWC", "NCHW")
    return convolved({4: MaskedConv2D}.get, "Conv", weights="weights_behind", **locals())


masked_conv2d = masked_convolution


@add_arg_scope
def masked_fully_connected(
    inputs: Any,
    num_outputs: int,
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
    """`tf.contrib.layers.fully_connected` with a mask. ValueError where `num_outputs` is no integer."""
    if not isinstance(num_outputs, int):
        raise ValueError(f"num_outputs should be int or long, got {num_outputs}.")
    return connected(MaskedFullyConnected, weights="weights_behind", **locals())
