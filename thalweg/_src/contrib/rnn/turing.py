"""Neural Turing machines (Graves et al., 2014; first values as by Collier and Beel, 2018): a cell that reads and writes a memory."""

from __future__ import annotations

import collections
from typing import Any

from thalweg._src.core.dtypes import float32
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.rnn.cell import LayerRNNCell, assert_like_rnncell, depth_of
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations, softmax
from thalweg._src.ops.numeric import clip
from thalweg._src.ops.stateful import initializers

NTMControllerState = collections.namedtuple(
    "NTMControllerState", ("controller_state", "read_vector_list", "w_list", "M", "time")
)


class NTMCell(LayerRNNCell):
    """A cell `controller`, and heads that move over a memory [batch, memory_size, memory_vector_dim] and read and write it."""

    def __init__(
        self,
        controller: Any,
        memory_size: int,
        memory_vector_dim: int,
        read_head_num: int,
        write_head_num: int,
        shift_range: int = 1,
        output_dim: int | None = None,
        clip_value: float = 20,
        dtype: Any = float32,
        name: str | None = None,
    ):
        super().__init__(dtype=dtype, name=name)
        assert_like_rnncell("NTM RNN controller cell", controller)
        self.controller, self.memory_size, self.memory_vector_dim = controller, memory_size, memory_vector_dim
        self.read_head_num, self.write_head_num = read_head_num, write_head_num
        self.shift_range, self.output_dim, self.clip_value = shift_range, output_dim, clip_value
        self.num_heads = read_head_num + write_head_num
        self.num_parameters_per_head = memory_vector_dim + 2 * shift_range + 4
        self.total_parameter_num = (
            self.num_parameters_per_head * self.num_heads + memory_vector_dim * 2 * write_head_num
        )

    @property
    def state_size(self) -> Any:
        return NTMControllerState(
            controller_state=self.controller.state_size,
            read_vector_list=[self.memory_vector_dim] * self.read_head_num,
            w_list=[self.memory_size] * self.num_heads,
            M=TensorShape([self.memory_size * self.memory_vector_dim]),
            time=TensorShape([]),
        )

    @property
    def output_size(self) -> Any:
        return self.output_dim

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        return NTMControllerState(
            controller_state=self.controller.zero_state(batch_size, dtype),
            read_vector_list=[array.zeros([batch_size, self.memory_vector_dim]) for _ in range(self.read_head_num)],
            w_list=[array.zeros([batch_size, self.memory_size]) for _ in range(self.num_heads)],
            M=array.zeros([batch_size, self.memory_size, self.memory_vector_dim]),
            time=0,
        )

    def build(self, inputs_shape: Any) -> None:
        if self.output_dim is None:
            self.output_dim = depth_of(inputs_shape)
        self._params_kernel, self._params_bias = self._linear(
            "parameters", self.controller.output_size, self.total_parameter_num
        )
        joined = self.controller.output_size + self.memory_vector_dim * self.read_head_num
        self._output_kernel, self._output_bias = self._linear("output", joined, self.output_dim)
        glorot = initializers.glorot_uniform_initializer
        self._init_read_vectors = [
            self.add_variable(f"initial_read_vector_{i}", shape=[1, self.memory_vector_dim], initializer=glorot())
            for i in range(self.read_head_num)
        ]
        self._init_address_weights = [
            self.add_variable(f"initial_address_weights_{i}", shape=[1, self.memory_size], initializer=glorot())
            for i in range(self.num_heads)
        ]
        self._M = self.add_variable(
            "memory",
            shape=[self.memory_size, self.memory_vector_dim],
            initializer=initializers.constant_initializer(1e-6, dtype=self.dtype),
        )
        self.built = True

    def _linear(self, name: str, rows: int, columns: int) -> tuple[Any, Any]:
        kernel = self.add_variable(
            f"{name}_kernel",
            shape=[rows, columns],
            initializer=initializers.truncated_normal_initializer(stddev=rows**-0.5, dtype=float32),
        )
        none = initializers.constant_initializer(0.0, dtype=self.dtype)
        return kernel, self.add_variable(f"{name}_bias", shape=[columns], initializer=none)

    def call(self, x: Any, prev_state: Any) -> Any:
        first, batch = math.equal(prev_state.time, 0), x.shape[0].value or array.shape(x)[0]

        def last(begin: Any, values: Any) -> Any:
            found = cond(first, lambda: [_rows(f(v[0]), batch) for f, v in begin], lambda: values)
            return found if isinstance(found, list | tuple) else [found]

        read = last([(math.tanh, v) for v in self._init_read_vectors], prev_state.read_vector_list)
        output, controller_state = self.controller(array.concat([x, *read], axis=1), prev_state.controller_state)
        parameters = self._clipped(output, self._params_kernel, self._params_bias)
        split = self.num_parameters_per_head * self.num_heads
        heads = array.split(parameters[:, :split], self.num_heads, axis=1)
        changes = array.split(parameters[:, split:], 2 * self.write_head_num, axis=1)
        addresses = last([(softmax.softmax, v) for v in self._init_address_weights], prev_state.w_list)
        memory = cond(first, lambda: _rows(self._M, batch), lambda: prev_state.M)
        w_list = [self._address(head, memory, w) for head, w in zip(heads, addresses, strict=True)]
        read = [math.reduce_sum(array.expand_dims(w, axis=2) * memory, axis=1) for w in w_list[: self.read_head_num]]
        for i, w in enumerate(w_list[self.read_head_num :]):
            w = array.expand_dims(w, axis=2)
            erased = array.expand_dims(math.sigmoid(changes[2 * i]), axis=1)
            added = array.expand_dims(math.tanh(changes[2 * i + 1]), axis=1)
            memory = memory * (1.0 - math.matmul(w, erased)) + math.matmul(w, added)
        output = self._clipped(array.concat([output, *read], axis=1), self._output_kernel, self._output_bias)
        return output, NTMControllerState(controller_state, read, w_list, memory, prev_state.time + 1)

    def _clipped(self, x: Any, kernel: Any, bias: Any) -> Any:
        linear = activations.bias_add(math.matmul(x, kernel), bias)
        return clip.clip_by_value(linear, -self.clip_value, self.clip_value)

    def _address(self, head: Any, memory: Any, last: Any) -> Any:
        """Where a head looks: [batch, memory_size], after its parameters and where it looked before (section 3.3 of the paper)."""
        width, shifts = self.memory_vector_dim, 2 * self.shift_range + 1
        key = math.tanh(head[:, :width])
        strength = array.expand_dims(activations.softplus(head[:, width]), axis=1)
        gate = array.expand_dims(math.sigmoid(head[:, width + 1]), axis=1)
        shift = softmax.softmax(head[:, width + 2 : width + 2 + shifts])
        sharpness = array.expand_dims(activations.softplus(head[:, -1]) + 1, axis=1)
        alike = array.squeeze(math.matmul(memory, array.expand_dims(key, axis=2)), axis=[2]) / (
            _length(memory, 2) * _length(key, 1) + 1e-8
        )
        by_content = _shares(math.exp(strength * alike))
        mixed = gate * by_content + (1 - gate) * last
        moved = self._shifted(mixed, shift)
        return _shares(math.pow(moved, sharpness))

    def _shifted(self, w: Any, shift: Any) -> Any:
        """The circular convolution of `w` [batch, memory_size] with `shift` [batch, 2·shift_range + 1]."""
        size, moved = shift.shape.dims[1].value, []
        for offset in range(-self.shift_range, self.shift_range + 1):
            at = -offset % self.memory_size
            turned = array.concat([w[:, at:], w[:, :at]], axis=1)
            moved.append(array.expand_dims(shift[:, offset % size], 1) * turned)
        return math.add_n(moved)


def _rows(x: Any, count: Any) -> Any:
    """`count` times `x`, along a new first dimension."""
    return array.tile(array.expand_dims(x, 0), array.stack([count, *[1] * x.shape.ndims]))


def _length(x: Any, axis: int) -> Any:
    return math.sqrt(math.reduce_sum(math.square(x), axis=axis, keepdims=axis == 1))


def _shares(x: Any) -> Any:
    return x / math.reduce_sum(x, axis=1, keepdims=True)
