"""Cells with a single state: update gates, simple and independent recurrences, and phased and convolutional memories."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.rnn.sized import SizedCell, SizedLayerCell, lstm_sizes, width_of, zeros
from thalweg._src.core import dtypes
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.layers.input_spec import InputSpec
from thalweg._src.lib.rnn.basic import LSTMStateTuple
from thalweg._src.lib.rnn.cell import depth_of
from thalweg._src.lib.rnn.linear import Linear
from thalweg._src.ops.chance import random
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations, convolution_api
from thalweg._src.ops.stateful import initializers, variable_scope


class UGRNNCell(SizedCell):
    """The update gate network (Collins et al., 2016): one gate between the old state and the new."""

    def __init__(
        self,
        num_units: int,
        initializer: Any = None,
        forget_bias: float = 1.0,
        activation: Any = math.tanh,
        reuse: Any = None,
    ):
        super().__init__(_reuse=reuse)
        self._num_units = self._state_size = self._output_size = num_units
        self._initializer, self._forget_bias, self._activation = initializer, forget_bias, activation
        self._linear: Any = None

    def call(self, inputs: Any, state: Any) -> Any:
        width_of(inputs)
        with variable_scope.variable_scope(variable_scope.get_variable_scope(), initializer=self._initializer):
            both = array.concat([inputs, state], 1)
            if self._linear is None:
                self._linear = Linear(both, 2 * self._num_units, True)
            g, c = array.split(axis=1, num_or_size_splits=2, value=self._linear(both))
            c = self._activation(c)
            g = math.sigmoid(g + self._forget_bias)
            new = g * state + (1.0 - g) * c
        return new, new


class IntersectionRNNCell(SizedCell):
    """The intersection network (Collins et al., 2016): gates through time and through depth.

    Raises ValueError for inputs of another width than `num_units`, unless `num_in_proj` is set.
    """

    def __init__(
        self,
        num_units: int,
        num_in_proj: int | None = None,
        initializer: Any = None,
        forget_bias: float = 1.0,
        y_activation: Any = activations.relu,
        reuse: Any = None,
    ):
        super().__init__(_reuse=reuse)
        self._num_units = self._state_size = self._output_size = num_units
        self._initializer, self._forget_bias = initializer, forget_bias
        self._num_input_proj, self._y_activation = num_in_proj, y_activation
        self._projection: Any = None
        self._linear: Any = None

    def call(self, inputs: Any, state: Any) -> Any:
        n, width = self._num_units, width_of(inputs)
        with variable_scope.variable_scope(variable_scope.get_variable_scope(), initializer=self._initializer):
            if width != n:
                if not self._num_input_proj:
                    raise ValueError(
                        "Must have input size == output size for Intersection RNN. To fix, num_in_proj should be set to "
                        "num_units at cell init."
                    )
                with variable_scope.variable_scope("in_projection"):
                    if self._projection is None:
                        self._projection = Linear(inputs, n, True)
                    inputs = self._projection(inputs)
            both = array.concat([inputs, state], 1)
            if self._linear is None:
                self._linear = Linear(both, 4 * n, True)
            z = self._linear(both)
            gh, h, gy, y = z[:, :n], z[:, n : 2 * n], z[:, 2 * n : 3 * n], z[:, 3 * n : 4 * n]
            h, y = math.tanh(h), self._y_activation(y)
            gh, gy = math.sigmoid(gh + self._forget_bias), math.sigmoid(gy + self._forget_bias)
            new_state = gh * state + (1.0 - gh) * h
            new_y = gy * inputs + (1.0 - gy) * y
        return new_y, new_state


class SRUCell(SizedLayerCell):
    """The simple recurrent unit (Lei et al., 2017), whose products with matrices are of the inputs alone."""

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, name: str | None = None, **kwargs: Any
    ):
        super().__init__(_reuse=reuse, name=name, **kwargs)
        self._num_units = self._state_size = self._output_size = num_units
        self._activation = activation or math.tanh
        self.input_spec = InputSpec(ndim=2)

    def build(self, inputs_shape: Any) -> None:
        n = self._num_units
        self._kernel = self.add_variable("kernel", shape=[depth_of(inputs_shape), 4 * n])
        self._bias = self.add_variable("bias", shape=[2 * n], initializer=zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        u = math.matmul(inputs, self._kernel)
        x, f, r, highway = array.split(value=u, num_or_size_splits=4, axis=1)
        gates = math.sigmoid(activations.bias_add(array.concat([f, r], 1), self._bias))
        f, r = array.split(value=gates, num_or_size_splits=2, axis=1)
        c = f * state + (1.0 - f) * x
        return r * self._activation(c) + (1.0 - r) * highway, c


class IndRNNCell(SizedLayerCell):
    """A plain cell whose units see only their own last output (Li et al., 2018)."""

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = self._state_size = self._output_size = num_units
        self._activation = activation or math.tanh

    def build(self, inputs_shape: Any) -> None:
        n = self._num_units
        self._kernel_w = self.add_variable("kernel_w", shape=[depth_of(inputs_shape), n])
        self._kernel_u = self.add_variable("kernel_u", shape=[1, n], initializer=_own_weights(self.dtype))
        self._bias = self.add_variable("bias", shape=[n], initializer=zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        z = math.matmul(inputs, self._kernel_w) + (state * self._kernel_u)
        output = self._activation(activations.bias_add(z, self._bias))
        return output, output


def _own_weights(dtype: Any) -> Any:
    return initializers.random_uniform_initializer(minval=-1, maxval=1, dtype=dtype)


class IndyGRUCell(SizedLayerCell):
    """A gated recurrent unit whose units see only their own last output (Gonnet and Deselaers, 2019)."""

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = self._state_size = self._output_size = num_units
        self._activation = activation or math.tanh
        self._kernel_initializer, self._bias_initializer = kernel_initializer, bias_initializer

    def build(self, inputs_shape: Any) -> None:
        n, depth, kernel, bias = (
            self._num_units,
            depth_of(inputs_shape),
            self._kernel_initializer,
            self._bias_initializer,
        )
        ones = bias or initializers.constant_initializer(1.0, dtype=self.dtype)
        self._gate_kernel_w = self.add_variable("gates/kernel_w", shape=[depth, 2 * n], initializer=kernel)
        self._gate_kernel_u = self.add_variable(
            "gates/kernel_u", shape=[1, 2 * n], initializer=_own_weights(self.dtype)
        )
        self._gate_bias = self.add_variable("gates/bias", shape=[2 * n], initializer=ones)
        self._candidate_kernel_w = self.add_variable("candidate/kernel", shape=[depth, n], initializer=kernel)
        self._candidate_kernel_u = self.add_variable(
            "candidate/kernel_u", shape=[1, n], initializer=_own_weights(self.dtype)
        )
        self._candidate_bias = self.add_variable("candidate/bias", shape=[n], initializer=bias or zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        gates = math.matmul(inputs, self._gate_kernel_w) + (array.tile(state, [1, 2]) * self._gate_kernel_u)
        gates = math.sigmoid(activations.bias_add(gates, self._gate_bias))
        r, u = array.split(value=gates, num_or_size_splits=2, axis=1)
        candidate = math.matmul(inputs, self._candidate_kernel_w) + (r * state * self._candidate_kernel_u)
        c = self._activation(activations.bias_add(candidate, self._candidate_bias))
        new_h = u * state + (1 - u) * c
        return new_h, new_h


class PhasedLSTMCell(SizedCell):
    """An LSTM that opens in cycles (Neil et al., 2016). Inputs are (time [batch, 1], features [batch, depth])."""

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        leak: float = 0.001,
        ratio_on: float = 0.1,
        trainable_ratio_on: bool = True,
        period_init_min: float = 1.0,
        period_init_max: float = 1000.0,
        reuse: Any = None,
    ):
        super().__init__(_reuse=reuse)
        self._num_units, self._use_peepholes, self._leak = num_units, use_peepholes, leak
        self._ratio_on, self._trainable_ratio_on = ratio_on, trainable_ratio_on
        self._period_init_min, self._period_init_max = period_init_min, period_init_max
        self._state_size, self._output_size = lstm_sizes(num_units)
        self._linears: dict[str, Any] = {}

    def _linear(self, scope: str, args: list[Any], size: int) -> Any:
        with variable_scope.variable_scope(scope):
            if scope not in self._linears:
                self._linears[scope] = Linear(args, size, True)
            return self._linears[scope](args)

    def _cycle_ratio(self, time: Any, phase: Any, period: Any) -> Any:
        shifted, period = time - math.cast(phase, time.dtype), math.cast(period, time.dtype)
        # The remainder's gradient is that of the dividend alone.
        rest = array.stop_gradient(math.mod(shifted, period) - shifted) + shifted
        return math.cast(rest / period, dtypes.float32)

    def call(self, inputs: Any, state: Any) -> Any:
        n = self._num_units
        c, h = state
        time, x = inputs
        gates = self._linear("mask_gates", [x, h, c] if self._use_peepholes else [x, h], 2 * n)
        i, f = array.split(axis=1, num_or_size_splits=2, value=math.sigmoid(gates))
        new_c = c * f + i * math.tanh(self._linear("new_input", [x, h], n))
        out = self._linear("output_gate", [x, h, new_c] if self._use_peepholes else [x, h], n)
        new_h = math.tanh(new_c) * math.sigmoid(out)
        period = variable_scope.get_variable(
            "period", [n], initializer=_exponential(self._period_init_min, self._period_init_max)
        )
        phase = variable_scope.get_variable(
            "phase", [n], initializer=initializers.random_uniform_initializer(0.0, period.initial_value)
        )
        ratio_on = variable_scope.get_variable(
            "ratio_on",
            [n],
            initializer=initializers.constant_initializer(self._ratio_on),
            trainable=self._trainable_ratio_on,
        )
        ratio = self._cycle_ratio(time, phase, period)
        rising = 2 * ratio / ratio_on
        k = array.where(ratio < ratio_on, 2 - rising, self._leak * ratio)
        k = array.where(ratio < 0.5 * ratio_on, rising, k)
        new_c, new_h = k * new_c + (1 - k) * c, k * new_h + (1 - k) * h
        return new_h, LSTMStateTuple(new_c, new_h)


def _exponential(low: float, high: float) -> Any:
    def initializer(shape: Any, dtype: Any = dtypes.float32, partition_info: Any = None) -> Any:
        return math.exp(random.random_uniform(shape, math.log(low), math.log(high), dtype))

    return initializer


class ConvLSTMCell(SizedCell):
    """An LSTM over images, its products convolutions (Shi et al., 2015).

    Raises ValueError where `input_shape` has not `conv_ndims` + 1 sizes.
    """

    def __init__(
        self,
        conv_ndims: int,
        input_shape: Any,
        output_channels: int,
        kernel_shape: Any,
        use_bias: bool = True,
        skip_connection: bool = False,
        forget_bias: float = 1.0,
        initializers: Any = None,
        name: str | None = "conv_lstm_cell",
    ):
        super().__init__(name=name)
        if conv_ndims != len(input_shape) - 1:
            raise ValueError(f"Invalid input_shape {input_shape} for conv_ndims={conv_ndims}.")
        self._conv_ndims, self._output_channels, self._kernel_shape = conv_ndims, output_channels, list(kernel_shape)
        self._use_bias, self._forget_bias, self._skip_connection = use_bias, forget_bias, skip_connection
        space = list(input_shape[:-1])
        inner = TensorShape([*space, output_channels])
        self._state_size = LSTMStateTuple(inner, inner)
        self._output_size = TensorShape([*space, output_channels + (input_shape[-1] if skip_connection else 0)])

    def call(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        c, h = state
        z = _convolved([inputs, h], self._kernel_shape, 4 * self._output_channels, self._use_bias)
        i, j, f, o = array.split(value=z, num_or_size_splits=4, axis=self._conv_ndims + 1)
        new_c = math.sigmoid(f + self._forget_bias) * c
        new_c += math.sigmoid(i) * math.tanh(j)
        output = math.tanh(new_c) * math.sigmoid(o)
        if self._skip_connection:
            output = array.concat([output, inputs], axis=-1)
        return output, LSTMStateTuple(new_c, output)


class Conv1DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over [batch, width, channels]."""

    def __init__(self, name: str | None = "conv_1d_lstm_cell", **kwargs: Any):
        super().__init__(conv_ndims=1, name=name, **kwargs)


class Conv2DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over [batch, height, width, channels]."""

    def __init__(self, name: str | None = "conv_2d_lstm_cell", **kwargs: Any):
        super().__init__(conv_ndims=2, name=name, **kwargs)


class Conv3DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over [batch, depth, height, width, channels]."""

    def __init__(self, name: str | None = "conv_3d_lstm_cell", **kwargs: Any):
        super().__init__(conv_ndims=3, name=name, **kwargs)


def _convolved(args: list[Any], filter_size: list[int], features: int, bias: bool) -> Any:
    """The inputs side by side, convolved with `kernel`, plus `biases`. Raises ValueError for ranks that are not one of 3, 4 and 5."""
    dims = [a.get_shape().as_list() for a in args]
    rank = len(dims[0])
    for d in dims:
        if len(d) not in (3, 4, 5):
            raise ValueError(f"Conv Linear expects 3D, 4D or 5D arguments: {dims}")
        if len(d) != rank:
            raise ValueError(f"Conv Linear expects all args to be of same Dimension: {dims}")
    dtype = args[0].dtype.base_dtype
    depth = sum(d[-1] for d in dims)
    kernel = variable_scope.get_variable("kernel", [*filter_size, depth, features], dtype=dtype)
    joined = args[0] if len(args) == 1 else array.concat(axis=rank - 1, values=args)
    if rank == 3:
        out = convolution_api.conv1d(joined, kernel, 1, padding="SAME")
    else:
        convolve = convolution_api.conv2d if rank == 4 else convolution_api.conv3d
        out = convolve(joined, kernel, rank * [1], padding="SAME")
    if not bias:
        return out
    none = initializers.constant_initializer(0.0, dtype=dtype)
    return out + variable_scope.get_variable("biases", [features], dtype=dtype, initializer=none)
