"""What a cuDNN layer computes: cells over time, layer above layer, in one direction or both, with weights out of one vector."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.cudnn_rnn import formats
from thalweg._src.contrib.cudnn_rnn.cells import CudnnCompatibleGRUCell
from thalweg._src.core.graph import Tensor
from thalweg._src.lib.layers import core
from thalweg._src.lib.rnn.basic import BasicLSTMCell, BasicRNNCell, LSTMStateTuple
from thalweg._src.lib.rnn.dynamic import bidirectional_dynamic_rnn, dynamic_rnn
from thalweg._src.ops.late import array
from thalweg._src.ops.nets import activations


def cell_of(mode: str, units: int, kernels: list[Tensor], biases: list[Tensor]) -> Any:
    """A cell whose weights are tensors that are there."""
    if mode == formats.GRU:
        gru = CudnnCompatibleGRUCell(units)
        gru._gate_kernel, *gru._candidate_kernels = kernels
        gru._gate_bias, *gru._candidate_biases = biases
        gru.built = True
        return gru
    if mode == formats.LSTM:
        cell: Any = BasicLSTMCell(units, forget_bias=0.0)
    else:
        cell = BasicRNNCell(units, activation=activations.relu if mode == formats.RELU else None)
    (cell._kernel,), (cell._bias,), cell.built = kernels, biases, True
    return cell


def network(
    converter: formats.CudnnParamsFormatConverter,
    inputs: Any,
    states: tuple[Any, ...],
    vector: Any,
    *,
    lengths: Any = None,
    time_major: bool = True,
    dropout: float = 0.0,
    training: Any = True,
    seed: int | None = None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """(outputs, last states): `states` are (h, c) of an LSTM, (h,) of others, each [layers x directions, batch, units].

    Without `time_major`, inputs, outputs and states have the batch first. Between layers `dropout` of the values are dropped.
    """
    layout = converter.layout
    kernels, biases = converter.opaque_to_tf_canonical(vector)
    places = layout.num_layers * layout.directions
    each = len(kernels) // places
    cells = [
        cell_of(layout.mode, layout.num_units, kernels[i * each : (i + 1) * each], biases[i * each : (i + 1) * each])
        for i in range(places)
    ]
    axis = 0 if time_major else 1
    first = list(zip(*[array.unstack(s, places, axis=axis) for s in states], strict=True))
    begin = [LSTMStateTuple(c=s[1], h=s[0]) if layout.mode == formats.LSTM else s[0] for s in first]
    x, ends = inputs, []
    how = {"sequence_length": lengths, "time_major": time_major}
    for layer in range(layout.num_layers):
        if layer and dropout:
            x = core.dropout(x, rate=dropout, seed=seed, training=training)
        scope = f"layer_{layer}"
        if layout.directions == 1:
            x, end = dynamic_rnn(cells[layer], x, initial_state=begin[layer], scope=scope, **how)
            ends.append(end)
        else:
            two, start = cells[2 * layer : 2 * layer + 2], begin[2 * layer : 2 * layer + 2]
            out, both = bidirectional_dynamic_rnn(
                *two, x, initial_state_fw=start[0], initial_state_bw=start[1], scope=scope, **how
            )
            x = array.concat(out, 2)
            ends += both
    parts = [(e.h, e.c) if layout.mode == formats.LSTM else (e,) for e in ends]
    return x, tuple(array.stack(list(column), axis=axis) for column in zip(*parts, strict=True))
