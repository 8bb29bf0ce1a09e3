"""Cells of few gates, whose initializers may be given by name: minimal and free of chaos."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.rnn.sized import SizedLayerCell, width_of
from thalweg._src.lib.layers import by_name
from thalweg._src.lib.layers.input_spec import InputSpec
from thalweg._src.lib.rnn.cell import depth_of
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations


class _NamedCell(SizedLayerCell):
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "ones",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=2)
        self.units = self._state_size = self._output_size = units
        self.activation = by_name.activation(activation)
        self.kernel_initializer = by_name.initializer(kernel_initializer)
        self.bias_initializer = by_name.initializer(bias_initializer)


class MinimalRNNCell(_NamedCell):
    """One gate between the last state and the projected input (Chen et al., 2018)."""

    def build(self, inputs_shape: Any) -> None:
        n = self.units
        self.kernel = self.add_variable(
            "kernel", shape=[depth_of(inputs_shape) + 2 * n, n], initializer=self.kernel_initializer
        )
        self.bias = self.add_variable("bias", shape=[n], initializer=self.bias_initializer)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        of_inputs, of_gate = array.split(
            value=self.kernel, num_or_size_splits=[width_of(inputs), 2 * self.units], axis=0
        )
        projected = self.activation(math.matmul(inputs, of_inputs))
        gate = math.matmul(array.concat([projected, state], 1), of_gate)
        u = math.sigmoid(activations.bias_add(gate, self.bias))
        new_h = u * state + (1 - u) * projected
        return new_h, new_h


class CFNCell(_NamedCell):
    """A recurrent network without chaos (Laurent and von Brecht, 2017): the state shrinks towards zero where nothing is added."""

    def build(self, inputs_shape: Any) -> None:
        n, initializer = self.units, self.kernel_initializer
        self.kernel = self.add_variable("kernel", shape=[depth_of(inputs_shape), 3 * n], initializer=initializer)
        self.recurrent_kernel = self.add_variable("recurrent_kernel", shape=[n, 2 * n], initializer=initializer)
        self.bias = self.add_variable("bias", shape=[2 * n], initializer=self.bias_initializer)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        width_of(inputs)
        of_gates, of_inputs = array.split(value=self.kernel, num_or_size_splits=[2 * self.units, self.units], axis=1)
        gates = math.matmul(state, self.recurrent_kernel) + math.matmul(inputs, of_gates)
        gates = math.sigmoid(activations.bias_add(gates, self.bias))
        kept, closed = array.split(value=gates, num_or_size_splits=2, axis=1)
        projected = math.matmul(inputs, of_inputs)
        new_h = kept * self.activation(state) + (1 - closed) * self.activation(projected)
        return new_h, new_h
