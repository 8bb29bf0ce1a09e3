"""Cells whose step is one op, and the LSTM that is one op over all steps."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.rnn.sized import SizedLayerCell, lstm_sizes
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.shapes import as_dims
from thalweg._src.lib.layers.base import Layer
from thalweg._src.lib.layers.input_spec import InputSpec
from thalweg._src.lib.rnn.basic import LSTMStateTuple
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import recurrent
from thalweg._src.ops.stateful import initializers


class LSTMBlockCell(SizedLayerCell):
    """`LSTMCell` with its step as one op; its variables are those of `LSTMCell`, the gates in the order i, j, f, o as well."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        dtype: Any = None,
        reuse: Any = None,
        name: str | None = "lstm_cell",
    ):
        super().__init__(_reuse=reuse, dtype=dtype, name=name)
        self._num_units, self._forget_bias, self._use_peephole = num_units, forget_bias, use_peephole
        self._cell_clip = -1 if cell_clip is None else cell_clip
        self._state_size, self._output_size = lstm_sizes(num_units)
        self.input_spec = InputSpec(ndim=2)

    def build(self, inputs_shape: Any) -> None:
        _build_lstm(self, inputs_shape)

    def call(self, inputs: Any, state: Any) -> Any:
        if len(state) != 2:
            raise ValueError("Expecting state to be a tuple with length 2.")
        peepholes = _peepholes(self, self.dtype)
        found = recurrent.lstm_block_cell(
            inputs,
            *state,
            self._kernel,
            *peepholes,
            self._bias,
            forget_bias=self._forget_bias,
            cell_clip=self._cell_clip,
            use_peephole=self._use_peephole,
        )
        return found.h, LSTMStateTuple(found.cs, found.h)


def _build_lstm(cell: Any, inputs_shape: Any) -> None:
    width = (as_dims(inputs_shape) or (None,))[-1]
    if not width:
        raise ValueError(f"Expecting inputs_shape[1] to be set: {inputs_shape}")
    n = cell._num_units
    cell._kernel = cell.add_variable("kernel", [width + n, 4 * n])
    cell._bias = cell.add_variable("bias", [4 * n], initializer=initializers.constant_initializer(0.0))
    if cell._use_peephole:
        cell._w_i_diag = cell.add_variable("w_i_diag", [n])
        cell._w_f_diag = cell.add_variable("w_f_diag", [n])
        cell._w_o_diag = cell.add_variable("w_o_diag", [n])
    cell.built = True


def _peepholes(cell: Any, dtype: Any) -> Any:
    """The weights from the state to the gates i, f, o; zeros where there are none."""
    if cell._use_peephole:
        return cell._w_i_diag, cell._w_f_diag, cell._w_o_diag
    return (array.zeros([cell._num_units], dtype=dtype),) * 3


class LSTMBlockWrapper(Layer):
    """A layer over all steps: subclasses give `num_units` and `_call_cell(inputs, state, output, dtype, lengths)`."""

    @property
    def num_units(self) -> int:
        raise NotImplementedError

    def _call_cell(
        self, inputs: Any, initial_cell_state: Any, initial_output: Any, dtype: Any, sequence_length: Any
    ) -> Any:
        raise NotImplementedError

    def call(self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None) -> Any:
        """(outputs, final state) over `inputs` [time, batch, width], or a list of [batch, width].

        Outputs past `sequence_length` are zero. Raises ValueError without `initial_state` and `dtype`, or for an unknown width.
        """
        as_list = isinstance(inputs, list)
        if as_list:
            inputs = array.stack(inputs)
        steps, batch, width = inputs.get_shape().with_rank(3).as_list()
        if not width:
            raise ValueError(f"Expecting inputs_shape[2] to be set: {inputs.get_shape()}")
        batch = array.shape(inputs)[1] if batch is None else batch
        steps = array.shape(inputs)[0] if steps is None else steps
        if initial_state is None:
            if dtype is None:
                raise ValueError("Either initial_state or dtype needs to be specified")
            zero = array.zeros(array.stack([batch, self.num_units]), dtype=dtype)
            initial_state = zero, zero
        elif len(initial_state) != 2:
            raise ValueError("Expecting initial_state to be a tuple with length 2 or None")
        elif dtype is None:
            dtype = initial_state[0].dtype
        if sequence_length is not None:
            sequence_length = to_tensor(sequence_length)
        first_cell, first_output = initial_state
        cells, outputs = self._call_cell(inputs, first_cell, first_output, dtype, sequence_length)
        if sequence_length is None:
            last_cell, last_output = cells[-1], outputs[-1]
        else:
            mask = array.transpose(array.sequence_mask(sequence_length, steps, dtype=dtype), [1, 0])
            outputs *= array.tile(array.expand_dims(mask, [-1]), [1, 1, self.num_units])
            last_cell = _at(first_cell, cells, sequence_length, batch)
            last_output = _at(first_output, outputs, sequence_length, batch)
        return array.unstack(outputs) if as_list else outputs, LSTMStateTuple(last_cell, last_output)


def _at(first: Any, steps: Any, lengths: Any, batch: Any) -> Any:
    """Each row of `steps` after its own length; `first` after none."""
    whole = array.concat([array.expand_dims(first, [0]), steps], 0)
    rows = array.stack([lengths, math.range(math.cast(batch, lengths.dtype))], axis=1)
    return array.gather_nd(whole, rows)


class LSTMBlockFusedCell(LSTMBlockWrapper):
    """An LSTM over all steps as one op; its variables are those of `LSTMBlockCell`."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        reuse: Any = None,
        dtype: Any = None,
        name: str | None = "lstm_fused_cell",
    ):
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        self._num_units, self._forget_bias, self._use_peephole = num_units, forget_bias, use_peephole
        self._cell_clip = -1 if cell_clip is None else cell_clip
        self.input_spec = InputSpec(ndim=3)

    @property
    def num_units(self) -> int:
        return self._num_units

    def build(self, input_shape: Any) -> None:
        _build_lstm(self, input_shape)

    def _call_cell(
        self,
        inputs: Any,
        initial_cell_state: Any = None,
        initial_output: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
    ) -> Any:
        steps = inputs.get_shape().with_rank(3).dims[0].value
        if sequence_length is not None:
            steps = math.reduce_max(sequence_length)
        elif steps is None:
            steps = array.shape(inputs)[0]
        found = recurrent.block_lstm(
            math.cast(steps, dtypes.int64),
            inputs,
            initial_cell_state,
            initial_output,
            self._kernel,
            *_peepholes(self, dtype),
            self._bias,
            forget_bias=self._forget_bias,
            cell_clip=self._cell_clip,
            use_peephole=self._use_peephole,
        )
        return found.cs, found.h


class GRUBlockCell(SizedLayerCell):
    """`GRUCell` with its step as one op. Raises ValueError unless one of `num_units` and `cell_size` is given."""

    _names = ("w_ru", "b_ru", "w_c", "b_c")

    def __init__(
        self,
        num_units: int | None = None,
        cell_size: int | None = None,
        reuse: Any = None,
        name: str | None = "gru_cell",
    ):
        super().__init__(_reuse=reuse, name=name)
        if (cell_size is None) == (num_units is None):
            raise ValueError("Exactly one of num_units or cell_size must be provided.")
        self._cell_size = self._state_size = self._output_size = cell_size if num_units is None else num_units
        self.input_spec = InputSpec(ndim=2)

    def build(self, input_shape: Any) -> None:
        width, n = (as_dims(input_shape) or (None,))[-1], self._cell_size
        if width is None:
            raise ValueError("Expecting input_size to be set.")
        gates, gates_bias, candidate, candidate_bias = self._names
        one, zero = (initializers.constant_initializer(v) for v in (1.0, 0.0))
        self._gate_kernel = self.add_variable(gates, [width + n, 2 * n])
        self._gate_bias = self.add_variable(gates_bias, [2 * n], initializer=one)
        self._candidate_kernel = self.add_variable(candidate, [width + n, n])
        self._candidate_bias = self.add_variable(candidate_bias, [n], initializer=zero)
        self.built = True

    def call(self, inputs: Any, h_prev: Any) -> Any:
        size = h_prev.get_shape().with_rank(2)[1]
        if size != self._cell_size:
            raise ValueError(f"Shape of h_prev[1] incorrect: cell_size {self._cell_size} vs {size}")
        found = recurrent.gru_block_cell(
            inputs, h_prev, self._gate_kernel, self._candidate_kernel, self._gate_bias, self._candidate_bias
        )
        return found.h, found.h


class GRUBlockCellV2(GRUBlockCell):
    """`GRUBlockCell` with the names of `GRUCell`'s variables."""

    _names = ("gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias")
