"""The cells of every program: a plain one, the gated recurrent unit, and the long short-term memory."""

from __future__ import annotations

import collections
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.lib.layers.input_spec import InputSpec
from thalweg._src.lib.platform import logging
from thalweg._src.lib.rnn.cell import (
    LayerRNNCell,
    activation_of,
    assert_real,
    assert_real_type,
    depth_of,
    initializer_of,
)
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations
from thalweg._src.ops.numeric import clip
from thalweg._src.ops.stateful import initializers, partitioned


class BasicRNNCell(LayerRNNCell):
    """output = new state = tanh([inputs, state] W + b)."""

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        assert_real_type(dtype)
        self.input_spec = InputSpec(ndim=2)
        self._num_units, self._activation = num_units, activation_of(activation)

    @property
    def state_size(self) -> int:
        return self._num_units

    @property
    def output_size(self) -> int:
        return self._num_units

    def build(self, input_shape: Any) -> None:
        n = self._num_units
        self._kernel = self.add_variable("kernel", shape=[depth_of(input_shape) + n, n])
        self._bias = self.add_variable("bias", shape=[n], initializer=initializers.zeros_initializer(dtype=self.dtype))
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        assert_real([inputs, state])
        z = math.matmul(array.concat([inputs, state], 1), self._kernel)
        output = self._activation(activations.bias_add(z, self._bias))
        return output, output

    def get_config(self) -> dict[str, Any]:
        own = {"num_units": self._num_units, "activation": name_of(self._activation), "reuse": self._reuse}
        return {**super().get_config(), **own}


class GRUCell(LayerRNNCell):
    """The gated recurrent unit (Cho et al., 2014): gates r, u = sigmoid([x, h] Wg + bg), new h = u h + (1 - u) tanh([x, r h] Wc + bc)."""

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        assert_real_type(dtype)
        self.input_spec = InputSpec(ndim=2)
        self._num_units, self._activation = num_units, activation_of(activation)
        self._kernel_initializer = initializer_of(kernel_initializer)
        self._bias_initializer = initializer_of(bias_initializer)

    @property
    def state_size(self) -> int:
        return self._num_units

    @property
    def output_size(self) -> int:
        return self._num_units

    def build(self, input_shape: Any) -> None:
        n, depth = self._num_units, depth_of(input_shape) + self._num_units
        kernel, bias = self._kernel_initializer, self._bias_initializer
        ones = bias or initializers.constant_initializer(1.0, dtype=self.dtype)
        zeros = bias or initializers.zeros_initializer(dtype=self.dtype)
        self._gate_kernel = self.add_variable("gates/kernel", shape=[depth, 2 * n], initializer=kernel)
        self._gate_bias = self.add_variable("gates/bias", shape=[2 * n], initializer=ones)
        self._candidate_kernel = self.add_variable("candidate/kernel", shape=[depth, n], initializer=kernel)
        self._candidate_bias = self.add_variable("candidate/bias", shape=[n], initializer=zeros)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        assert_real([inputs, state])
        gates = math.matmul(array.concat([inputs, state], 1), self._gate_kernel)
        gates = math.sigmoid(activations.bias_add(gates, self._gate_bias))
        r, u = array.split(value=gates, num_or_size_splits=2, axis=1)
        candidate = math.matmul(array.concat([inputs, r * state], 1), self._candidate_kernel)
        c = self._activation(activations.bias_add(candidate, self._candidate_bias))
        new_h = u * state + (1 - u) * c
        return new_h, new_h

    def get_config(self) -> dict[str, Any]:
        own = {
            "num_units": self._num_units,
            "kernel_initializer": self._kernel_initializer,
            "bias_initializer": self._bias_initializer,
            "activation": name_of(self._activation),
            "reuse": self._reuse,
        }
        return {**super().get_config(), **own}


class LSTMStateTuple(collections.namedtuple("LSTMStateTuple", ("c", "h"))):
    """The state of an LSTM: what the cell keeps, and what it gave out last."""

    __slots__ = ()

    @property
    def dtype(self) -> Any:
        """The dtype of both parts. Raises TypeError where they differ."""
        c, h = self
        if c.dtype != h.dtype:
            raise TypeError(f"Inconsistent internal state: {c.dtype} vs {h.dtype}")
        return c.dtype


class BasicLSTMCell(LayerRNNCell):
    """The long short-term memory (Zaremba et al., 2014), without peepholes or projection.

    i, j, f, o = [x, h] W + b; new c = c sigmoid(f + forget_bias) + sigmoid(i) tanh(j); new h = tanh(c) sigmoid(o).
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        assert_real_type(dtype)
        warn_of_joined_state(self, state_is_tuple)
        self.input_spec = InputSpec(ndim=2)
        self._num_units, self._forget_bias, self._state_is_tuple = num_units, forget_bias, state_is_tuple
        self._activation = activation_of(activation)

    @property
    def state_size(self) -> Any:
        n = self._num_units
        return LSTMStateTuple(n, n) if self._state_is_tuple else 2 * n

    @property
    def output_size(self) -> int:
        return self._num_units

    def build(self, input_shape: Any) -> None:
        n = self._num_units
        self._kernel = self.add_variable("kernel", shape=[depth_of(input_shape) + n, 4 * n])
        zeros = initializers.zeros_initializer(dtype=self.dtype)
        self._bias = self.add_variable("bias", shape=[4 * n], initializer=zeros)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        assert_real([inputs, state])
        one = constants.constant(1, dtype=dtypes.int32)
        c, h = state if self._state_is_tuple else array.split(value=state, num_or_size_splits=2, axis=one)
        gates = activations.bias_add(math.matmul(array.concat([inputs, h], 1), self._kernel), self._bias)
        i, j, f, o = array.split(value=gates, num_or_size_splits=4, axis=one)
        forget = math.sigmoid(math.add(f, constants.constant(self._forget_bias, dtype=f.dtype)))
        kept, written = math.multiply(c, forget), math.multiply(math.sigmoid(i), self._activation(j))
        new_c = math.add(kept, written)
        new_h = math.multiply(self._activation(new_c), math.sigmoid(o))
        return new_h, LSTMStateTuple(new_c, new_h) if self._state_is_tuple else array.concat([new_c, new_h], 1)

    def get_config(self) -> dict[str, Any]:
        own = {
            "num_units": self._num_units,
            "forget_bias": self._forget_bias,
            "state_is_tuple": self._state_is_tuple,
            "activation": name_of(self._activation),
            "reuse": self._reuse,
        }
        return {**super().get_config(), **own}


class LSTMCell(LayerRNNCell):
    """The long short-term memory with peepholes, clipping and a projection of the output (Sak et al., 2014), where asked for."""

    def __init__(
        self,
        num_units: int,
        use_peepholes: Any = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int | None = None,
        num_proj_shards: int | None = None,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        assert_real_type(dtype)
        warn_of_joined_state(self, state_is_tuple)
        if num_unit_shards is not None or num_proj_shards is not None:
            logging.warn(
                "%s: num_unit_shards and num_proj_shards are deprecated: a variable scope takes a partitioner.", self
            )
        self.input_spec = InputSpec(ndim=2)
        self._num_units, self._use_peepholes, self._cell_clip = num_units, use_peepholes, cell_clip
        self._initializer = initializer_of(initializer)
        self._num_proj, self._proj_clip = num_proj, proj_clip
        self._num_unit_shards, self._num_proj_shards = num_unit_shards, num_proj_shards
        self._forget_bias, self._state_is_tuple = forget_bias, state_is_tuple
        self._activation = activation_of(activation)
        self._output_size = num_proj or num_units
        both = LSTMStateTuple(num_units, self._output_size)
        self._state_size = both if state_is_tuple else num_units + self._output_size

    @property
    def state_size(self) -> Any:
        return self._state_size

    @property
    def output_size(self) -> int:
        return self._output_size

    def build(self, input_shape: Any) -> None:
        n, initializer = self._num_units, self._initializer
        depth = depth_of(input_shape) + (n if self._num_proj is None else self._num_proj)
        self._kernel = self.add_variable(
            "kernel", shape=[depth, 4 * n], initializer=initializer, partitioner=shards(self._num_unit_shards)
        )
        zeros = initializers.zeros_initializer(**({} if self.dtype is None else {"dtype": self.dtype}))
        self._bias = self.add_variable("bias", shape=[4 * n], initializer=zeros)
        if self._use_peepholes:
            self._w_f_diag = self.add_variable("w_f_diag", shape=[n], initializer=initializer)
            self._w_i_diag = self.add_variable("w_i_diag", shape=[n], initializer=initializer)
            self._w_o_diag = self.add_variable("w_o_diag", shape=[n], initializer=initializer)
        if self._num_proj is not None:
            self._proj_kernel = self.add_variable(
                "projection/kernel",
                shape=[n, self._num_proj],
                initializer=initializer,
                partitioner=shards(self._num_proj_shards),
            )
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        assert_real([inputs, state])
        sigmoid, act = math.sigmoid, self._activation
        c, m = state if self._state_is_tuple else self._apart(state)
        if inputs.shape.with_rank(2).dims[1].value is None:
            raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
        gates = activations.bias_add(math.matmul(array.concat([inputs, m], 1), self._kernel), self._bias)
        i, j, f, o = array.split(value=gates, num_or_size_splits=4, axis=1)
        if self._use_peepholes:
            kept = sigmoid(f + self._forget_bias + self._w_f_diag * c) * c
            c = kept + sigmoid(i + self._w_i_diag * c) * act(j)
        else:
            kept = sigmoid(f + self._forget_bias) * c
            c = kept + sigmoid(i) * act(j)
        if self._cell_clip is not None:
            c = clip.clip_by_value(c, -self._cell_clip, self._cell_clip)
        m = sigmoid(o + self._w_o_diag * c) * act(c) if self._use_peepholes else sigmoid(o) * act(c)
        if self._num_proj is not None:
            m = math.matmul(m, self._proj_kernel)
            if self._proj_clip is not None:
                m = clip.clip_by_value(m, -self._proj_clip, self._proj_clip)
        return m, LSTMStateTuple(c, m) if self._state_is_tuple else array.concat([c, m], 1)

    def _apart(self, state: Any) -> Any:
        n = self._num_units
        return array.slice(state, [0, 0], [-1, n]), array.slice(state, [0, n], [-1, self._output_size])

    def get_config(self) -> dict[str, Any]:
        kept = "num_units use_peepholes cell_clip initializer num_proj proj_clip num_unit_shards num_proj_shards"
        own = {name: getattr(self, "_" + name) for name in f"{kept} forget_bias state_is_tuple".split()}
        return {
            **super().get_config(),
            **own,
            "activation": name_of(self._activation),
            "reuse": self._reuse,
        }


def shards(count: int | None) -> Any:
    """A partitioner into `count` parts along the first axis, or None."""
    return None if count is None else partitioned.fixed_size_partitioner(count)


def warn_of_joined_state(cell: Any, state_is_tuple: bool) -> None:
    if not state_is_tuple:
        logging.warn(
            "%s: Using a concatenated state is slower and will soon be deprecated.  Use state_is_tuple=True.", cell
        )


def name_of(function: Any) -> Any:
    """The name of an activation, for configurations."""
    return getattr(function, "__name__", None) or getattr(function, "name", function)
