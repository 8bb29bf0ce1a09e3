"""Cells around a cell: attention over its own last outputs, a highway past it."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import nest
from thalweg._src.lib.platform import logging
from thalweg._src.lib.rnn.basic import warn_of_joined_state
from thalweg._src.lib.rnn.cell import EnclosingCell, RNNCell, assert_like_rnncell
from thalweg._src.lib.rnn.linear import Linear
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations, convolution_api, softmax
from thalweg._src.ops.stateful import initializers, variable_scope


class AttentionCellWrapper(RNNCell):
    """A cell that reads its own last `attn_length` outputs by attention (Bahdanau et al., 2014; Rocktäschel et al., 2015).

    Raises ValueError for a length below 1, or a state tuple inside a joined state.
    """

    def __init__(
        self,
        cell: Any,
        attn_length: int,
        attn_size: int | None = None,
        attn_vec_size: int | None = None,
        input_size: int | None = None,
        state_is_tuple: bool = True,
        reuse: Any = None,
    ):
        super().__init__(_reuse=reuse)
        assert_like_rnncell("cell", cell)
        if nest.is_nested(cell.state_size) and not state_is_tuple:
            raise ValueError(
                f"Cell returns tuple of states, but the flag state_is_tuple is not set. State size is: {cell.state_size}"
            )
        if attn_length <= 0:
            raise ValueError(f"attn_length should be greater than zero, got {attn_length}")
        warn_of_joined_state(self, state_is_tuple)
        self._cell, self._state_is_tuple, self._input_size = cell, state_is_tuple, input_size
        self._attn_length, self._attn_size = attn_length, attn_size or cell.output_size
        self._attn_vec_size = attn_vec_size or self._attn_size
        self._linear1: Any = None
        self._linear2: Any = None
        self._linear3: Any = None

    @property
    def state_size(self) -> Any:
        size = (self._cell.state_size, self._attn_size, self._attn_size * self._attn_length)
        return size if self._state_is_tuple else sum(size)

    @property
    def output_size(self) -> int:
        return self._attn_size

    def call(self, inputs: Any, state: Any) -> Any:
        size, length = self._attn_size, self._attn_length
        if self._state_is_tuple:
            state, reads, memory = state
        else:
            inner, joined = self._cell.state_size, state
            state = array.slice(joined, [0, 0], [-1, inner])
            reads = array.slice(joined, [0, inner], [-1, size])
            memory = array.slice(joined, [0, inner + size], [-1, size * length])
        memory = array.reshape(memory, [-1, length, size])
        width = inputs.get_shape().as_list()[1] if self._input_size is None else self._input_size
        if self._linear1 is None:
            self._linear1 = Linear([inputs, reads], width, True)
        cell_output, new_state = self._cell(self._linear1([inputs, reads]), state)
        query = array.concat(nest.flatten(new_state), 1) if self._state_is_tuple else new_state
        new_reads, rest = self._attention(query, memory)
        with variable_scope.variable_scope("attn_output_projection"):
            if self._linear2 is None:
                self._linear2 = Linear([cell_output, new_reads], size, True)
            output = self._linear2([cell_output, new_reads])
        memory = array.concat([rest, array.expand_dims(output, 1)], 1)
        memory = array.reshape(memory, [-1, length * size])
        new = (new_state, new_reads, memory)
        return output, new if self._state_is_tuple else array.concat(list(new), 1)

    def _attention(self, query: Any, memory: Any) -> Any:
        """(what is read, the memory less its oldest entry)."""
        size, length, wide = self._attn_size, self._attn_length, self._attn_vec_size
        with variable_scope.variable_scope("attention"):
            k = variable_scope.get_variable("attn_w", [1, 1, size, wide])
            v = variable_scope.get_variable("attn_v", [wide])
            hidden = array.reshape(memory, [-1, length, 1, size])
            features = convolution_api.conv2d(hidden, k, [1, 1, 1, 1], "SAME")
            if self._linear3 is None:
                self._linear3 = Linear(query, wide, True)
            y = array.reshape(self._linear3(query), [-1, 1, 1, wide])
            mask = softmax.softmax(math.reduce_sum(v * math.tanh(features + y), [2, 3]))
            read = math.reduce_sum(array.reshape(mask, [-1, length, 1, 1]) * hidden, [1, 2])
            return array.reshape(read, [-1, size]), array.slice(memory, [0, 1, 0], [-1, -1, -1])


class HighwayWrapper(EnclosingCell):
    """A cell whose inputs pass it by, as far as a gate says (Srivastava et al., 2015)."""

    def __init__(self, cell: Any, couple_carry_transform_gates: bool = True, carry_bias_init: float = 1.0):
        super().__init__(cell)
        self._couple_carry_transform_gates = couple_carry_transform_gates
        self._carry_bias_init = carry_bias_init

    def _gate(self, name: str, x: Any, bias: float) -> Any:
        width = x.get_shape().with_rank(2).dims[1].value
        weight = variable_scope.get_variable(f"{name}_w", [width, width])
        first = initializers.constant_initializer(bias)
        b = variable_scope.get_variable(f"{name}_b", [width], initializer=first)
        return math.sigmoid(activations.xw_plus_b(x, weight, b))

    def _highway(self, x: Any, out: Any) -> Any:
        x.get_shape().assert_is_compatible_with(out.get_shape())
        carry = self._gate("carry", x, self._carry_bias_init)
        coupled = self._couple_carry_transform_gates
        transform = 1 - carry if coupled else self._gate("transform", x, -self._carry_bias_init)
        return x * carry + out * transform

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        outputs, new_state = self._cell(inputs, state, scope=scope)
        nest.assert_same_structure(inputs, outputs)
        return nest.map_leaves(self._highway, inputs, outputs), new_state


class CompiledWrapper(EnclosingCell):
    """The cell itself: everything here is compiled as it is."""

    def __init__(self, cell: Any, compile_stateful: bool = False):
        super().__init__(cell)
        if compile_stateful:
            logging.warn("%s: compile_stateful changes nothing: whole steps are compiled.", type(self).__name__)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        return self._cell(inputs, state, scope=scope)
