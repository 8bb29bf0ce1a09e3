"""Variants of the long short-term memory: with normalized gates, coupled gates, groups; and found by search."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.rnn.sized import (
    SizedCell,
    SizedLayerCell,
    joined_variable,
    layer_normalized,
    lstm_sizes,
    width_of,
    zeros,
)
from thalweg._src.core.shapes import as_dims
from thalweg._src.lib.platform import logging
from thalweg._src.lib.rnn.basic import LSTMStateTuple, warn_of_joined_state
from thalweg._src.lib.rnn.cell import depth_of
from thalweg._src.lib.rnn.linear import Linear
from thalweg._src.ops.chance import random
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations
from thalweg._src.ops.numeric import clip
from thalweg._src.ops.stateful import initializers, variable_scope


class CoupledInputForgetGateLSTMCell(SizedCell):
    """An LSTM whose input gate is one minus its forget gate (Greff et al., 2015), with peepholes and projection where asked for."""

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int = 1,
        num_proj_shards: int = 1,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = math.tanh,
        reuse: Any = None,
        layer_norm: bool = False,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
    ):
        super().__init__(_reuse=reuse)
        warn_of_joined_state(self, state_is_tuple)
        self._num_units, self._use_peepholes, self._initializer = num_units, use_peepholes, initializer
        self._num_proj, self._proj_clip = num_proj, proj_clip
        self._num_unit_shards, self._num_proj_shards = num_unit_shards, num_proj_shards
        self._forget_bias, self._state_is_tuple, self._activation = forget_bias, state_is_tuple, activation
        self._layer_norm, self._norm_gain, self._norm_shift = layer_norm, norm_gain, norm_shift
        self._state_size, self._output_size = lstm_sizes(num_units, num_proj, state_is_tuple)

    def _norm(self, x: Any, scope: str) -> Any:
        return layer_normalized(x, scope, self._norm_gain, self._norm_shift) if self._layer_norm else x

    def call(self, inputs: Any, state: Any) -> Any:
        n, dtype, sigmoid = self._num_units, inputs.dtype.base_dtype, math.sigmoid
        if self._state_is_tuple:
            c, m = state
        else:
            c = array.slice(state, [0, 0], [-1, n])
            m = array.slice(state, [0, n], [-1, self._output_size])
        kernel = joined_variable("W", [width_of(inputs) + self._output_size, 3 * n], dtype, self._num_unit_shards)
        b = variable_scope.get_variable("B", shape=[3 * n], initializer=zeros(), dtype=dtype)
        gates = math.matmul(array.concat([inputs, m], 1), kernel)
        if not self._layer_norm:
            gates = activations.bias_add(gates, b)
        j, f, o = array.split(value=gates, num_or_size_splits=3, axis=1)
        j, f, o = self._norm(j, "transform"), self._norm(f, "forget"), self._norm(o, "output")
        if self._use_peepholes:
            w_f = variable_scope.get_variable("W_F_diag", shape=[n], dtype=dtype)
            w_o = variable_scope.get_variable("W_O_diag", shape=[n], dtype=dtype)
        f = f + self._forget_bias
        kept = sigmoid(f + w_f * c if self._use_peepholes else f)
        c = self._norm(kept * c + (1 - kept) * self._activation(j), "state")
        m = sigmoid(o + w_o * c if self._use_peepholes else o) * self._activation(c)
        if self._num_proj is not None:
            m = math.matmul(m, joined_variable("W_P", [n, self._num_proj], dtype, self._num_proj_shards))
            if self._proj_clip is not None:
                m = clip.clip_by_value(m, -self._proj_clip, self._proj_clip)
        return m, LSTMStateTuple(c, m) if self._state_is_tuple else array.concat([c, m], 1)


class LayerNormBasicLSTMCell(SizedCell):
    """A basic LSTM with normalized gates (Ba et al., 2016) and recurrent dropout (Semeniuta et al., 2016)."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        input_size: int | None = None,
        activation: Any = math.tanh,
        layer_norm: bool = True,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        dropout_keep_prob: Any = 1.0,
        dropout_prob_seed: int | None = None,
        reuse: Any = None,
    ):
        super().__init__(_reuse=reuse)
        if input_size is not None:
            logging.warn("%s: The input_size parameter is deprecated.", self)
        self._num_units, self._activation, self._forget_bias = num_units, activation, forget_bias
        self._keep_prob, self._seed = dropout_keep_prob, dropout_prob_seed
        self._layer_norm, self._norm_gain, self._norm_shift = layer_norm, norm_gain, norm_shift
        self._state_size, self._output_size = lstm_sizes(num_units)

    def _norm(self, x: Any, scope: str) -> Any:
        return layer_normalized(x, scope, self._norm_gain, self._norm_shift) if self._layer_norm else x

    def call(self, inputs: Any, state: Any) -> Any:
        c, h = state
        args = array.concat([inputs, h], 1)
        size, dtype = 4 * self._num_units, args.dtype.base_dtype
        weights = variable_scope.get_variable("kernel", [args.get_shape()[-1], size], dtype=dtype)
        gates = math.matmul(args, weights)
        if not self._layer_norm:
            gates = activations.bias_add(gates, variable_scope.get_variable("bias", [size], dtype=dtype))
        i, j, f, o = array.split(value=gates, num_or_size_splits=4, axis=1)
        i, j = self._norm(i, "input"), self._norm(j, "transform")
        f, o = self._norm(f, "forget"), self._norm(o, "output")
        g = self._activation(j)
        if not isinstance(self._keep_prob, float) or self._keep_prob < 1:
            g = random.dropout(g, self._keep_prob, seed=self._seed)
        new_c = self._norm(c * math.sigmoid(f + self._forget_bias) + math.sigmoid(i) * g, "state")
        new_h = self._activation(new_c) * math.sigmoid(o)
        return new_h, LSTMStateTuple(new_c, new_h)


class NASCell(SizedLayerCell):
    """The recurrent cell that neural architecture search found (Zoph and Le, 2016)."""

    def __init__(
        self, num_units: int, num_proj: int | None = None, use_bias: bool = False, reuse: Any = None, **kwargs: Any
    ):
        super().__init__(_reuse=reuse, **kwargs)
        self._num_units, self._num_proj, self._use_bias = num_units, num_proj, use_bias
        self._state_size, self._output_size = lstm_sizes(num_units, num_proj)

    def build(self, inputs_shape: Any) -> None:
        n, width = self._num_units, (as_dims(inputs_shape) or (None,))[-1]
        if width is None:
            raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
        self.recurrent_kernel = self.add_variable("recurrent_kernel", [self._num_proj or n, 8 * n])
        self.kernel = self.add_variable("kernel", [width, 8 * n])
        if self._use_bias:
            self.bias = self.add_variable("bias", shape=[8 * n], initializer=zeros())
        if self._num_proj is not None:
            self.projection_weights = self.add_variable("projection_weights", [n, self._num_proj])
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        sigmoid, tanh, relu = math.sigmoid, math.tanh, activations.relu
        c, m = state
        of_m, of_x = math.matmul(m, self.recurrent_kernel), math.matmul(inputs, self.kernel)
        if self._use_bias:
            of_m = activations.bias_add(of_m, self.bias)
        ms = array.split(axis=1, num_or_size_splits=8, value=of_m)
        xs = array.split(axis=1, num_or_size_splits=8, value=of_x)
        # A binary tree of eight leaves: one product among sums, and each inner node with a function of its own.
        first = [sigmoid(xs[0] + ms[0]), relu(xs[1] + ms[1]), sigmoid(xs[2] + ms[2]), relu(xs[3] * ms[3])]
        second = [tanh(xs[4] + ms[4]), sigmoid(xs[5] + ms[5]), tanh(xs[6] + ms[6]), sigmoid(xs[7] + ms[7])]
        left, right = tanh(first[0] * first[1]), tanh(first[2] + first[3])
        low, high = tanh(second[0] * second[1]), sigmoid(second[2] + second[3])
        new_c = tanh(left + c) * right
        new_m = tanh(new_c * tanh(low + high))
        if self._num_proj is not None:
            new_m = math.matmul(new_m, self.projection_weights)
        return new_m, LSTMStateTuple(new_c, new_m)


class GLSTMCell(SizedCell):
    """An LSTM in groups that do not see each other's inputs (Kuchaiev and Ginsburg, 2017).

    Raises ValueError for sizes that the groups don't divide.
    """

    def __init__(
        self,
        num_units: int,
        initializer: Any = None,
        num_proj: int | None = None,
        number_of_groups: int = 1,
        forget_bias: float = 1.0,
        activation: Any = math.tanh,
        reuse: Any = None,
    ):
        super().__init__(_reuse=reuse)
        if num_units % number_of_groups:
            raise ValueError("num_units must be divisible by number_of_groups")
        if num_proj and num_proj % number_of_groups:
            raise ValueError("num_proj must be divisible by number_of_groups")
        self._num_units, self._initializer, self._num_proj = num_units, initializer, num_proj
        self._forget_bias, self._activation, self._number_of_groups = forget_bias, activation, number_of_groups
        self._state_size, self._output_size = lstm_sizes(num_units, num_proj)
        self._in_groups: list[Any] = [None] * number_of_groups
        self._projection: Any = None

    def _of_group(self, x: Any, group: int, size: int, batch: Any) -> Any:
        return array.slice(x, [0, group * size], [batch, size], name=f"GLSTM_group{group}_input_generation")

    def call(self, inputs: Any, state: Any) -> Any:
        c, m = state
        groups, n, dtype = self._number_of_groups, self._num_units, inputs.dtype.base_dtype
        batch = inputs.get_shape().dims[0].value or array.shape(inputs)[0]
        width = inputs.get_shape().dims[1].value
        if width is None:
            raise ValueError("input size must be statically known")
        if width % groups:
            raise ValueError(f"input size ({width}) must be divisible by number_of_groups ({groups})")
        parts: list[list[Any]] = [[], [], [], []]
        here = variable_scope.get_variable_scope()
        with variable_scope.variable_scope(here, initializer=self._initializer):
            for g in range(groups):
                with variable_scope.variable_scope(f"group{g}"):
                    x = self._of_group(inputs, g, width // groups, batch)
                    x = array.concat([x, self._of_group(m, g, self._output_size // groups, batch)], axis=1)
                    if self._in_groups[g] is None:
                        self._in_groups[g] = Linear(x, 4 * n // groups, False)
                    for part, value in zip(parts, array.split(self._in_groups[g](x), 4, 1), strict=True):
                        part.append(value)
            none = initializers.constant_initializer(0.0, dtype=dtype)
            biases = [
                variable_scope.get_variable(f"bias_{gate}", shape=[n], dtype=dtype, initializer=none) for gate in "ijfo"
            ]
            i, j, f, o = (
                activations.bias_add(array.concat(part, axis=1), b) for part, b in zip(parts, biases, strict=True)
            )
        c = math.sigmoid(f + self._forget_bias) * c + math.sigmoid(i) * math.tanh(j)
        m = math.sigmoid(o) * self._activation(c)
        if self._num_proj is not None:
            with variable_scope.variable_scope("projection"):
                if self._projection is None:
                    self._projection = Linear(m, self._num_proj, False)
                m = self._projection(m)
        return m, LSTMStateTuple(c, m)


class IndyLSTMCell(SizedLayerCell):
    """An LSTM whose units see only their own last output (Gonnet and Deselaers, 2019)."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        activation: Any = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        self._num_units, self._forget_bias, self._activation = num_units, forget_bias, activation or math.tanh
        self._kernel_initializer, self._bias_initializer = kernel_initializer, bias_initializer
        self._state_size, self._output_size = lstm_sizes(num_units)

    def build(self, inputs_shape: Any) -> None:
        n = self._num_units
        own = initializers.random_uniform_initializer(minval=-1, maxval=1, dtype=self.dtype)
        self._kernel_w = self.add_variable(
            "kernel_w", shape=[depth_of(inputs_shape), 4 * n], initializer=self._kernel_initializer
        )
        self._kernel_u = self.add_variable("kernel_u", shape=[1, 4 * n], initializer=own)
        self._bias = self.add_variable("bias", shape=[4 * n], initializer=self._bias_initializer or zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        c, h = state
        gates = math.matmul(inputs, self._kernel_w)
        gates += array.tile(h, [1, 4]) * self._kernel_u
        gates = activations.bias_add(gates, self._bias)
        i, j, f, o = array.split(value=gates, num_or_size_splits=4, axis=1)
        kept = math.multiply(c, math.sigmoid(math.add(f, array.constant(self._forget_bias, dtype=f.dtype))))
        new_c = math.add(kept, math.multiply(math.sigmoid(i), self._activation(j)))
        new_h = math.multiply(self._activation(new_c), math.sigmoid(o))
        return new_h, LSTMStateTuple(new_c, new_h)
