"""`K.rnn`: a step function over the time axis of a tensor, or of a structure of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.lib import nesting
from thalweg._src.ops.arrays import stacking
from thalweg._src.ops.arrays.constants import constant, ones_like, zeros_like
from thalweg._src.ops.arrays.selecting import where
from thalweg._src.ops.arrays.shaping import expand_dims, shape
from thalweg._src.ops.arrays.transposing import reverse, transpose
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.numeric.compare import logical_and

Step = Callable[[Any, tuple[Any, ...]], tuple[Any, Sequence[Any]]]


def rnn(
    step_function: Step,
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
) -> tuple[Any, Any, Any]:
    """The last output, all outputs ([batch, time, …], or [time, batch, …]) and the last states.

    Where `mask` ([batch, time]) is zero the states stay, and the output is that of the step before, or zero. ValueError
    for a loop that is unrolled over an unknown number of steps, and for a mask without states.
    """
    if not time_major:
        inputs = nesting.map_structure(_swapped, inputs)
    first = nesting.flatten(inputs)[0]
    steps, batch = first.shape.dims[0].value, first.shape.dims[1].value
    if mask is not None:
        mask = mask if mask.dtype.base_dtype.name == "bool" else cast(mask, "bool")
        mask = expand_dims(mask, -1) if mask.shape.ndims == 2 else mask
        mask = mask if time_major else _swapped(mask)

    def step(x: Any, states: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        return step_function(x, (*states, *(constants or ())))

    run = _unrolled if unroll else _looped
    if unroll and not steps:
        raise ValueError("Unrolling requires a fixed number of timesteps.")
    last, outputs, states = run(
        step, inputs, tuple(initial_states), go_backwards, mask, zero_output_for_mask, input_length
    )

    def finished(output: Any) -> Any:
        if isinstance(output, Tensor):
            output.set_shape([steps, batch, *output.shape.as_list()[2:]])
        return output if time_major else _swapped(output)

    return last, nesting.map_structure(finished, outputs), states


def _swapped(x: Any) -> Any:
    return transpose(x, [1, 0, *range(2, x.shape.ndims)])


def _chosen(mask: Any, new: Any, old: Any) -> Any:
    """`new` where the mask, of fewer dimensions, is true."""
    for _ in range(new.shape.ndims - mask.shape.ndims):
        mask = expand_dims(mask, -1)
    return where(logical_and(mask, ones_like(new, dtype="bool")), new, old)


def _all_chosen(mask: Any, new: Any, old: Any) -> Any:
    pairs = zip(nesting.flatten(new), nesting.flatten(old), strict=True)
    return nesting.pack_sequence_as(new, [_chosen(mask, n, o) for n, o in pairs])


def _zeros(output: Any) -> Any:
    return nesting.map_structure(zeros_like, output)


def _unrolled(
    step: Step, inputs: Any, states: Any, backwards: bool, mask: Any, zero_masked: bool, input_length: Any
) -> tuple[Any, Any, Any]:
    parts = [stacking.unstack(x) for x in nesting.flatten(inputs)]
    masks = stacking.unstack(mask) if mask is not None else [None] * len(parts[0])
    turns = [(nesting.pack_sequence_as(inputs, rows), m) for *rows, m in zip(*parts, masks, strict=True)]
    outputs: list[Any] = []
    for x, m in reversed(turns) if backwards else turns:
        output, new = step(x, states)
        if m is not None:
            zero = zero_masked or not outputs
            output = _all_chosen(m, output, _zeros(output) if zero else outputs[-1])
            new = [_chosen(m, n, o) for n, o in zip(new, states, strict=False)]
        states = new
        outputs.append(output)
    stacked = [stacking.stack(list(one)) for one in zip(*map(nesting.flatten, outputs), strict=True)]
    return outputs[-1], nesting.pack_sequence_as(outputs[-1], stacked), states


def _looped(
    step: Step, inputs: Any, states: Any, backwards: bool, mask: Any, zero_masked: bool, input_length: Any
) -> tuple[Any, Any, Any]:
    if mask is not None and not states:
        raise ValueError(
            "No initial states provided! When using masking in an RNN, you should provide initial states (and your step "
            "function should return as its first state at time `t` the output at time `t-1`)."
        )
    flat = nesting.flatten(inputs)
    sizes: Any = shape(flat[0])
    count = sizes[0]

    def array_of(x: Any, name: str) -> Any:
        array = TensorArray(dtype=x.dtype.base_dtype, size=count, tensor_array_name=name)
        return array.unstack(reverse(x, [0]) if backwards else x)

    given = [array_of(x, f"input_ta_{i}") for i, x in enumerate(flat)]
    masks = array_of(mask, "mask_ta") if mask is not None else None
    sample, _ = step(nesting.pack_sequence_as(inputs, [x[0] for x in flat]), states)  # its type and shape alone count
    flat_sample = nesting.flatten(sample)
    arrays = tuple(
        TensorArray(dtype=o.dtype, size=count, element_shape=o.shape, tensor_array_name=f"output_ta_{i}")
        for i, o in enumerate(flat_sample)
    )
    zero = tuple(zeros_like(o) for o in flat_sample)
    before = zero if mask is not None else ()  # the output of the step before, which a masked step repeats

    def body(time: Any, arrays: Any, before: Any, *states: Any) -> tuple[Any, ...]:
        output, new = step(nesting.pack_sequence_as(inputs, [a.read(time) for a in given]), states)
        made, flat_new = nesting.flatten(output), nesting.flatten(new)
        for one, old in zip(flat_new, nesting.flatten(states), strict=True):
            if isinstance(one, Tensor):
                one.set_shape(old.shape)
        if masks is not None:
            m = masks.read(time)
            made = [_chosen(m, o, b) for o, b in zip(made, zero if zero_masked else before, strict=True)]
            flat_new = [_chosen(m, n, o) for n, o in zip(flat_new, nesting.flatten(states), strict=True)]
            before = tuple(made)
        written = tuple(a.write(time, o) for a, o in zip(arrays, made, strict=True))
        return time + 1, written, before, *nesting.pack_sequence_as(states, flat_new)

    _, arrays, _, *states = while_loop(
        lambda time, *_: time < count,
        body,
        (constant(0, dtype="int32", name="time"), arrays, before, *states),
        maximum_iterations=input_length,
        parallel_iterations=32,
        swap_memory=True,
    )
    outputs = [a.stack() for a in arrays]
    last = nesting.pack_sequence_as(sample, [o[-1] for o in outputs])
    return last, nesting.pack_sequence_as(sample, outputs), tuple(states)
