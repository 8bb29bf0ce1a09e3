"""A cell unrolled over a list of inputs: one copy of its operations for each step."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, nest, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.rnn.cell import assert_like_rnncell, joined_shape, joined_sizes
from thalweg._src.lib.rnn.steps import called, first_state, reversed_steps, step_within, type_of_state
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.stateful import variable_scope


def static_rnn(
    cell: Any,
    inputs: Any,
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """(outputs, final state) of `cell` over `inputs`, a list of [batch, depth] tensors (or structures of them), one for each step.

    Rows whose `sequence_length` is over give zeros and keep their state. Raises TypeError for what is no cell or no list, ValueError for
    an empty list, unknown depths, or a missing `dtype`.
    """
    assert_like_rnncell("cell", cell)
    if not nest.is_nested(inputs):
        raise TypeError("inputs must be a sequence")
    if not inputs:
        raise ValueError("inputs must not be empty")
    outputs = []
    with variable_scope.variable_scope(scope or "rnn") as varscope:
        _cache_variables(varscope)
        static_batch = _batch_of(inputs)
        batch_size = static_batch or array.shape(nest.flatten(inputs)[0])[0]
        if initial_state is not None:
            state = initial_state
        elif not dtype:
            raise ValueError("If no initial_state is provided, dtype must be specified")
        else:
            state = first_state(cell, batch_size, dtype)
        lengths = zero = None
        if sequence_length is not None:
            lengths = to_tensor(sequence_length, name="sequence_length")
            if lengths.dims is not None and len(lengths.dims) != 1:
                raise ValueError("sequence_length must be a vector of length batch_size")
            zero = _zeros(cell.output_size, batch_size, static_batch, type_of_state(dtype, state))
            lengths = math.cast(lengths, dtypes.int32)
        for time, x in enumerate(inputs):
            if time > 0:
                varscope.reuse_variables()
            if lengths is None:
                output, state = called(cell, x, state)
            else:
                output, state = step_within(time, lengths, zero, state, _call(cell, x, state))
            outputs.append(output)
    return outputs, state


def _call(cell: Any, x: Any, state: Any) -> Any:
    return lambda: called(cell, x, state)


def _cache_variables(varscope: Any) -> None:
    """In a loop a variable is read where it is; elsewhere where it is kept."""
    if not get_default_graph().building_function and varscope.caching_device is None:
        varscope.set_caching_device(lambda op: op.device)


def _batch_of(inputs: Any) -> int | None:
    """The size of the batch, if an input knows it. Raises ValueError for unknown depths or sizes that differ."""
    flat = nest.flatten(inputs)
    first = flat[0] if not isinstance(flat[0], list) else flat[0][0]
    if first.dims is not None and len(first.dims) == 1:
        return first.dims[0]
    batch = first.shape.with_rank_at_least(2).dims[0]
    for x in flat:
        shape = x.shape.with_rank_at_least(2)
        batch.assert_is_compatible_with(shape.dims[0])
        for i, size in enumerate(shape.as_list()[1:]):
            if size is None:
                raise ValueError(
                    f"Input size (dimension {i} of inputs) must be accessible via shape inference, but saw value None."
                )
    return batch.value


def _zeros(output_size: Any, batch_size: Any, static_batch: int | None, dtype: Any) -> Any:
    def zeros(size: Any) -> Any:
        out = array.zeros(array.stack(joined_shape(batch_size, size)), dtype)
        out.set_shape(joined_sizes(shapes.TensorShape([static_batch]), size))
        return out

    return nest.map_leaves(zeros, output_size)


def static_state_saving_rnn(
    cell: Any, inputs: Any, state_saver: Any, state_name: Any, sequence_length: Any = None, scope: Any = None
) -> Any:
    """`static_rnn` that begins with `state_saver.state(name)` and hands its last state to `state_saver.save_state(name, value)`.

    Raises ValueError where `state_name` has not the structure of the cell's `state_size`.
    """
    sizes = cell.state_size
    if nest.is_nested(sizes) != nest.is_nested(state_name):
        raise ValueError(
            "state_name should be the same type as cell.state_size.  "
            f"state_name: {state_name}, cell.state_size: {sizes}"
        )
    names = nest.flatten(state_name)
    if len(names) != len(nest.flatten(sizes)):
        raise ValueError(f"#elems(state_name) != #elems(state_size): {len(names)} vs. {len(nest.flatten(sizes))}")
    before = nest.pack(sizes, [state_saver.state(name) for name in names])
    outputs, state = static_rnn(cell, inputs, initial_state=before, sequence_length=sequence_length, scope=scope)
    parts = nest.flatten(state)
    saved = [state_saver.save_state(name, part) for name, part in zip(names, parts, strict=True)]
    with get_default_graph().control_dependencies(saved):
        outputs[-1] = nest.map_leaves(basic.identity, outputs[-1])
        state = nest.pack(state, [basic.identity(part) for part in parts])
    return outputs, state


def static_bidirectional_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """(outputs, final state forwards, final state backwards): each output has that of both directions side by side."""
    assert_like_rnncell("cell_fw", cell_fw)
    assert_like_rnncell("cell_bw", cell_bw)
    if not nest.is_nested(inputs):
        raise TypeError("inputs must be a sequence")
    if not inputs:
        raise ValueError("inputs must not be empty")
    with variable_scope.variable_scope(scope or "bidirectional_rnn"):
        with variable_scope.variable_scope("fw") as inner:
            forward, state_fw = static_rnn(cell_fw, inputs, initial_state_fw, dtype, sequence_length, scope=inner)
        with variable_scope.variable_scope("bw") as inner:
            turned = reversed_steps(inputs, sequence_length)
            backward, state_bw = static_rnn(cell_bw, turned, initial_state_bw, dtype, sequence_length, scope=inner)
    backward = reversed_steps(backward, sequence_length)
    pairs = zip(nest.flatten(forward), nest.flatten(backward), strict=True)
    outputs = nest.pack(forward, [array.concat([f, b], 1) for f, b in pairs])
    return outputs, state_fw, state_bw
