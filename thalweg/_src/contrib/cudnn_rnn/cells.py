"""Cells that compute what cuDNN's layers do, and whose variables those layers' checkpoints fit."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.rnn.blocks import LSTMBlockCell
from thalweg._src.lib.rnn.basic import GRUCell
from thalweg._src.lib.rnn.cell import assert_real, depth_of
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations
from thalweg._src.ops.stateful import initializers


class CudnnCompatibleLSTMCell(LSTMBlockCell):
    """The LSTM cell that takes the weights of a `CudnnLSTM`: without a forget bias."""

    def __init__(self, num_units: int, reuse: Any = None):
        super().__init__(num_units, forget_bias=0, reuse=reuse, name="cudnn_compatible_lstm_cell")


class CudnnCompatibleGRUCell(GRUCell):
    """The GRU cell that takes the weights of a `CudnnGRU`: the gate is on what the state's matrix gives, h' = tanh(x W + r (h R + b))."""

    def __init__(self, num_units: int, reuse: Any = None, kernel_initializer: Any = None):
        super().__init__(num_units, activation=None, reuse=reuse, kernel_initializer=kernel_initializer)

    def build(self, inputs_shape: Any) -> None:
        n, depth = self._num_units, depth_of(inputs_shape)
        kernel, bias = self._kernel_initializer, self._bias_initializer
        ones = bias or initializers.constant_initializer(1.0, dtype=self.dtype)
        zeros = bias or initializers.zeros_initializer(dtype=self.dtype)
        self._gate_kernel = self.add_variable("gates/kernel", shape=[depth + n, 2 * n], initializer=kernel)
        self._gate_bias = self.add_variable("gates/bias", shape=[2 * n], initializer=ones)
        parts = {"input": depth, "hidden": n}
        self._candidate_kernels = [
            self.add_variable(f"candidate/{part}_projection/kernel", shape=[width, n], initializer=kernel)
            for part, width in parts.items()
        ]
        self._candidate_biases = [
            self.add_variable(f"candidate/{part}_projection/bias", shape=[n], initializer=zeros) for part in parts
        ]
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        assert_real([inputs, state])
        gates = math.matmul(array.concat([inputs, state], 1), self._gate_kernel)
        r, u = array.split(
            value=math.sigmoid(activations.bias_add(gates, self._gate_bias)), num_or_size_splits=2, axis=1
        )
        of_input, of_state = (
            activations.bias_add(math.matmul(x, kernel), bias)
            for x, kernel, bias in zip((inputs, state), self._candidate_kernels, self._candidate_biases, strict=True)
        )
        new_h = (1 - u) * self._activation(of_input + r * of_state) + u * state
        return new_h, new_h
