"""Layers of bidirectional networks, one upon the other; cells that take all steps at once."""

from __future__ import annotations

from typing import Any

from thalweg._src.lib.rnn.dynamic import bidirectional_dynamic_rnn, dynamic_rnn
from thalweg._src.lib.rnn.static import static_bidirectional_rnn, static_rnn
from thalweg._src.ops.late import array
from thalweg._src.ops.stateful import variable_scope


def _check(cells_fw: Any, cells_bw: Any, states_fw: Any, states_bw: Any) -> None:
    for what, cells in (("fw", cells_fw), ("bw", cells_bw)):
        if not cells:
            raise ValueError(f"Must specify at least one {what} cell for BidirectionalRNN.")
    for what, cells in (("fw", cells_fw), ("bw", cells_bw)):
        if not isinstance(cells, list):
            raise ValueError(f"cells_{what} must be a list of RNNCells (one per layer).")
    if len(cells_fw) != len(cells_bw):
        raise ValueError("Forward and Backward cells must have the same depth.")
    for what, states in (("fw", states_fw), ("bw", states_bw)):
        if states is not None and (not isinstance(states, list) or len(states) != len(cells_fw)):
            raise ValueError(f"initial_states_{what} must be a list of state tensors (one per layer).")


def stack_bidirectional_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """(outputs, final states forwards, final states backwards) of layers of `static_bidirectional_rnn`.

    Each layer takes the outputs of both directions of the one below. Raises ValueError where the lists don't fit together.
    """
    _check(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states: list[tuple[Any, Any]] = []
    with variable_scope.variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (fw, bw) in enumerate(zip(cells_fw, cells_bw, strict=True)):
            with variable_scope.variable_scope(f"cell_{i}") as inner:
                inputs, *last = static_bidirectional_rnn(
                    fw,
                    bw,
                    inputs,
                    initial_state_fw=initial_states_fw[i] if initial_states_fw else None,
                    initial_state_bw=initial_states_bw[i] if initial_states_bw else None,
                    sequence_length=sequence_length,
                    dtype=dtype,
                    scope=inner,
                )
            states.append(tuple(last))  # type: ignore[arg-type]
    return inputs, *zip(*states, strict=True)


def stack_bidirectional_dynamic_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    parallel_iterations: int | None = None,
    time_major: bool = False,
    scope: Any = None,
    swap_memory: bool = False,
) -> Any:
    """`stack_bidirectional_rnn` over a tensor, by `bidirectional_dynamic_rnn`; outputs are joined along the last axis."""
    _check(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states: list[tuple[Any, Any]] = []
    with variable_scope.variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (fw, bw) in enumerate(zip(cells_fw, cells_bw, strict=True)):
            with variable_scope.variable_scope(f"cell_{i}"):
                outputs, last = bidirectional_dynamic_rnn(
                    fw,
                    bw,
                    inputs,
                    initial_state_fw=initial_states_fw[i] if initial_states_fw else None,
                    initial_state_bw=initial_states_bw[i] if initial_states_bw else None,
                    sequence_length=sequence_length,
                    parallel_iterations=parallel_iterations,
                    dtype=dtype,
                    swap_memory=swap_memory,
                    time_major=time_major,
                )
                inputs = array.concat(outputs, 2)
            states.append(last)
    return inputs, *zip(*states, strict=True)


class FusedRNNCell:
    """What takes all steps at once: called with (inputs [time, batch, width] or a list, first state, dtype, lengths, scope)."""

    def __call__(
        self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None, scope: Any = None
    ) -> Any:
        raise NotImplementedError


class FusedRNNCellAdaptor(FusedRNNCell):
    """A `FusedRNNCell` that runs a cell over the steps, in a loop or unrolled."""

    def __init__(self, cell: Any, use_dynamic_rnn: bool = False):
        self._cell, self._use_dynamic_rnn = cell, use_dynamic_rnn

    def __call__(
        self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None, scope: Any = None
    ) -> Any:
        as_list = isinstance(inputs, list)
        common = {
            "sequence_length": sequence_length,
            "initial_state": initial_state,
            "dtype": dtype,
            "scope": scope,
        }
        if self._use_dynamic_rnn:
            whole = array.stack(inputs) if as_list else inputs
            outputs, state = dynamic_rnn(self._cell, whole, time_major=True, **common)
            return array.unstack(outputs) if as_list else outputs, state
        outputs, state = static_rnn(self._cell, inputs if as_list else array.unstack(inputs), **common)
        return outputs if as_list else array.stack(outputs), state


class TimeReversedFusedRNN(FusedRNNCell):
    """A `FusedRNNCell` that takes the steps backwards, each row within its length."""

    def __init__(self, cell: Any):
        self._cell = cell

    def _reverse(self, t: Any, lengths: Any) -> Any:
        if isinstance(t, list):
            return list(reversed(t))
        return array.reverse(t, [0]) if lengths is None else array.reverse_sequence(t, lengths, 0, 1)

    def __call__(
        self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None, scope: Any = None
    ) -> Any:
        outputs, state = self._cell(
            self._reverse(inputs, sequence_length),
            initial_state=initial_state,
            dtype=dtype,
            sequence_length=sequence_length,
            scope=scope,
        )
        return self._reverse(outputs, sequence_length), state
