"""A cell over time in a loop: `dynamic_rnn`, in both directions at once, and `raw_rnn`, whose loop the program steers itself."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, nest, scopes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import label
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.rnn.cell import assert_like_rnncell, joined_shape, joined_sizes
from thalweg._src.lib.rnn.steps import (
    best_effort_input_batch_size,
    called,
    first_state,
    lengths_of,
    step_within,
    transpose_batch_time,
    type_of_state,
    zero_outputs,
)
from thalweg._src.ops import basic
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric import compare
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful import variable_scope


def dynamic_rnn(
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """(outputs, final state) of `cell` over the time axis of `inputs`: [batch, time, ...], or [time, batch, ...] with `time_major`.

    Rows whose `sequence_length` is over give zeros and keep their state. `inputs` and outputs may be structures. Raises TypeError for
    what is no cell, ValueError without `initial_state` and `dtype`, or for inputs whose sizes are unknown or differ.

    >>> cell = tf.nn.rnn_cell.BasicRNNCell(3)
    >>> outputs, state = tf.nn.dynamic_rnn(cell, tf.zeros([2, 5, 4]), dtype=tf.float32)
    >>> outputs.shape.as_list(), state.shape.as_list()
    ([2, 5, 3], [2, 3])
    """
    assert_like_rnncell("cell", cell)
    with variable_scope.variable_scope(scope or "rnn") as varscope:
        if not get_default_graph().building_function and varscope.caching_device is None:
            varscope.set_caching_device(lambda op: op.device)
        flat = [to_tensor(x) for x in nest.flatten(inputs)]
        if not time_major:
            flat = [transpose_batch_time(x) for x in flat]
        lengths = None
        if sequence_length is not None:
            lengths = basic.identity(lengths_of(sequence_length), name="sequence_length")
        batch_size = best_effort_input_batch_size(flat)
        if initial_state is not None:
            state = initial_state
        elif not dtype:
            raise ValueError("If there is no initial_state, you must give a dtype.")
        else:
            state = first_state(cell, batch_size, dtype)
        if lengths is not None:
            with get_default_graph().control_dependencies([_assert_shape(lengths, [batch_size])]):
                lengths = basic.identity(lengths, name="CheckSeqLen")
        outputs, state = _loop(
            cell, nest.pack(inputs, flat), state, parallel_iterations or 32, swap_memory, lengths, dtype
        )
        if not time_major:
            outputs = nest.map_leaves(transpose_batch_time, outputs)
        return outputs, state


def _assert_shape(x: Tensor, shape: list[Any]) -> Any:
    own, expected = array.shape(x), array.stack(shape)
    message = [f"Expected shape for Tensor {label(x)} is ", expected, " but saw shape: ", own]
    return checks.Assert(math.reduce_all(compare.equal(own, expected)), message)


def _sizes(flat: list[Tensor]) -> tuple[int | None, int | None]:
    """The steps and the batch of time-major inputs, where known. Raises ValueError for depths that are unknown or sizes that differ."""
    known = [x.shape.with_rank_at_least(3).as_list() for x in flat]
    for dims in known:
        if None in dims[2:]:
            raise ValueError("Input size (depth of inputs) must be accessible via shape inference, but saw value None.")
        if dims[0] != known[0][0]:
            raise ValueError("Time steps is not the same for all the elements in the input in a batch.")
        if dims[1] != known[0][1]:
            raise ValueError("Batch_size is not the same for all the elements in the input.")
    return known[0][0], known[0][1]


def _loop(cell: Any, inputs: Any, state: Any, parallel: int, swap: bool, lengths: Any, dtype: Any) -> Any:
    """(outputs [time, batch, ...], final state) of time-major `inputs`."""
    flat = nest.flatten(inputs)
    sizes = nest.flatten(cell.output_size)
    steps = array.shape(flat[0])[0]
    batch_size = best_effort_input_batch_size(flat)
    known_steps, known_batch = _sizes(flat)
    kind = type_of_state(dtype, state)
    zero = zero_outputs(cell.output_size, batch_size, kind)
    time = array.constant(0, dtype=dtypes.int32, name="time")
    with scopes.name_scope("dynamic_rnn") as base:
        pass

    def store(name: str, element_shape: Any, kind: Any) -> Any:
        return TensorArray(dtype=kind, size=steps, element_shape=element_shape, tensor_array_name=base + name)

    out_stores = tuple(
        store(f"output_{i}", joined_sizes(shapes.TensorShape([known_batch]), size), kind)
        for i, size in enumerate(sizes)
    )
    in_stores = tuple(store(f"input_{i}", x.shape[1:], x.dtype.base_dtype).unstack(x) for i, x in enumerate(flat))

    def step(time: Any, stores: Any, state: Any) -> Any:
        now = [s.read(time) for s in in_stores]
        for x, whole in zip(now, flat, strict=True):
            x.set_shape(whole.shape[1:])
        now = nest.pack(inputs, now)
        if lengths is None:
            output, new_state = called(cell, now, state)
        else:
            output, new_state = step_within(time, lengths, zero, state, lambda: called(cell, now, state))
        stores = tuple(s.write(time, out) for s, out in zip(stores, nest.flatten(output), strict=True))
        return time + 1, stores, new_state

    # All steps, also where every sequence is over before: TensorFlow stops there, with the same result. A loop whose length
    # follows from shapes is one scan, which is compiled once and differentiates without a tape.
    _, out_stores, state = while_loop(
        lambda time, *_: time < steps,
        step,
        (time, out_stores, state),
        parallel_iterations=parallel,
        maximum_iterations=steps,
        swap_memory=swap,
    )
    outputs = []
    for out_store, size in zip(out_stores, sizes, strict=True):
        whole = out_store.stack()
        whole.set_shape(joined_sizes(shapes.TensorShape([known_steps, known_batch]), size))
        outputs.append(whole)
    return nest.pack(cell.output_size, outputs), state


def bidirectional_dynamic_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """((outputs forwards, outputs backwards), (final state forwards, final state backwards)), as of two `dynamic_rnn`."""
    assert_like_rnncell("cell_fw", cell_fw)
    assert_like_rnncell("cell_bw", cell_bw)
    time_axis, batch_axis = (0, 1) if time_major else (1, 0)

    def turned(x: Any) -> Any:
        if sequence_length is None:
            return array.reverse(x, axis=[time_axis])
        return array.reverse_sequence(input=x, seq_lengths=sequence_length, seq_axis=time_axis, batch_axis=batch_axis)

    common = {
        "sequence_length": sequence_length,
        "dtype": dtype,
        "parallel_iterations": parallel_iterations,
        "swap_memory": swap_memory,
        "time_major": time_major,
    }
    with variable_scope.variable_scope(scope or "bidirectional_rnn"):
        with variable_scope.variable_scope("fw") as inner:
            forward, state_fw = dynamic_rnn(cell_fw, inputs, initial_state=initial_state_fw, scope=inner, **common)
        with variable_scope.variable_scope("bw") as inner:
            backwards = nest.map_leaves(turned, inputs)
            backward, state_bw = dynamic_rnn(cell_bw, backwards, initial_state=initial_state_bw, scope=inner, **common)
    return (forward, nest.map_leaves(turned, backward)), (state_fw, state_bw)


def raw_rnn(
    cell: Any, loop_fn: Any, parallel_iterations: int | None = None, swap_memory: bool = False, scope: Any = None
) -> Any:
    """(TensorArrays of what was emitted, final state, final loop state) of a loop that `loop_fn` steers.

    `loop_fn(time, cell_output, cell_state, loop_state)` gives (finished, next input, next state, emitted, next loop state); its first
    call, with None for all but time, says what to begin with. Rows that are finished emit zeros and keep their state.
    """
    assert_like_rnncell("cell", cell)
    if not callable(loop_fn):
        raise TypeError("loop_fn must be a callable")
    with variable_scope.variable_scope(scope or "rnn") as varscope:
        if not get_default_graph().building_function and varscope.caching_device is None:
            varscope.set_caching_device(lambda op: op.device)
        time = array.constant(0, dtype=dtypes.int32)
        finished, next_input, state, emitted, given_loop_state = loop_fn(time, None, None, None)
        loop_state = array.constant(0, dtype=dtypes.int32) if given_loop_state is None else given_loop_state
        known_batch = _common_batch(nest.objects(next_input))
        batch_size = array.shape(nest.objects(next_input)[0])[0] if known_batch is None else known_batch
        nest.same_objects(state, cell.state_size)
        state = nest.map_objects(lambda s: s if isinstance(s, TensorArray) else to_tensor(s), state)
        emitted, sizes, kinds = _emission(cell, emitted, state)
        stores = [
            TensorArray(
                dtype=kind,
                dynamic_size=True,
                element_shape=joined_sizes(shapes.TensorShape([known_batch]), size),
                size=0,
                name=f"rnn_output_{i}",
            )
            for i, (kind, size) in enumerate(zip(kinds, sizes, strict=True))
        ]
        zeros = [array.zeros(joined_shape(batch_size, s), k) for s, k in zip(sizes, kinds, strict=True)]
        zero = nest.pack_objects(emitted, zeros)

        def goes_on(time: Any, finished: Any, *_: Any) -> Any:
            return compare.logical_not(math.reduce_all(finished))

        def step(time: Any, finished: Any, now: Any, stores: Any, state: Any, loop_state: Any) -> Any:
            output, new_state = cell(now, state)
            nest.same_objects(state, new_state)
            nest.same_objects(cell.output_size, output)
            said = loop_fn(time + 1, output, new_state, loop_state)
            new_finished, next_input, next_state, emit, next_loop_state = said
            nest.same_objects(state, next_state)
            nest.same_objects(now, next_input)
            nest.same_objects(stores, emit)
            emit = _where_not(finished, zero, emit)
            next_state = _where_not(finished, state, next_state)
            pairs = zip(nest.objects(stores), nest.objects(emit), strict=True)
            stores = nest.pack_objects(stores, [store.write(time, e) for store, e in pairs])
            kept = loop_state if next_loop_state is None else next_loop_state
            return time + 1, compare.logical_or(finished, new_finished), next_input, stores, next_state, kept

        result = while_loop(
            goes_on,
            step,
            [time, finished, next_input, nest.pack_objects(emitted, stores), state, loop_state],
            parallel_iterations=parallel_iterations or 32,
            swap_memory=swap_memory,
        )
        stores, state, loop_state = result[-3:]
        return stores, state, None if given_loop_state is None else loop_state


def _common_batch(flat_input: list[Any]) -> int | None:
    batch = shapes.Dimension(None)
    for x in flat_input:
        if x.get_shape().dims is not None:
            batch = batch.merge_with(x.get_shape().dims[0])
    return batch.value


def _emission(cell: Any, emitted: Any, state: Any) -> tuple[Any, list[Any], list[Any]]:
    """The structure of what a loop emits, the sizes and dtypes of its parts."""
    if emitted is None:
        sizes = nest.objects(cell.output_size)
        return cell.output_size, sizes, [nest.objects(state)[0].dtype.base_dtype] * len(sizes)
    parts = [to_tensor(e) for e in nest.objects(emitted)]
    sizes = [e.shape if e.shape.is_fully_defined() else array.shape(e) for e in parts]
    return emitted, sizes, [e.dtype.base_dtype for e in parts]


def _where_not(finished: Any, old: Any, new: Any) -> Any:
    """`new`, but `old` in the rows that are finished. TensorArrays and scalars are new."""

    def choose(o: Any, n: Any) -> Any:
        if isinstance(o, TensorArray) or o.dims == ():
            return n
        return array.where(finished, o, n)

    return nest.map_objects(choose, old, new)
