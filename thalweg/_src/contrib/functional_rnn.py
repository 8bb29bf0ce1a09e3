"""tf.contrib.recurrent: recurrent networks by the interface that TPUs asked for."""

from __future__ import annotations

from typing import Any

from thalweg._src.lib.rnn.dynamic import bidirectional_dynamic_rnn, dynamic_rnn
from thalweg._src.ops.late import array


def functional_rnn(
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    time_major: bool = False,
    scope: Any = None,
    use_tpu: bool = False,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """`tf.nn.dynamic_rnn`; with `reverse`, over the time axis from its end, outputs in the order of the inputs."""
    axis = [0 if time_major else 1]
    inputs = array.reverse(inputs, axis) if reverse else inputs
    outputs, state = dynamic_rnn(
        cell, inputs, sequence_length, initial_state, dtype, time_major=time_major, scope=scope or "rnn"
    )
    return (array.reverse(outputs, axis) if reverse else outputs), state


def bidirectional_functional_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    time_major: bool = False,
    use_tpu: bool = False,
    fast_reverse: bool = False,
    scope: Any = None,
) -> tuple[Any, Any]:
    """`tf.nn.bidirectional_dynamic_rnn`."""
    return bidirectional_dynamic_rnn(
        cell_fw,
        cell_bw,
        inputs,
        sequence_length=sequence_length,
        initial_state_fw=initial_state_fw,
        initial_state_bw=initial_state_bw,
        dtype=dtype,
        time_major=time_major,
        scope=scope,
    )
