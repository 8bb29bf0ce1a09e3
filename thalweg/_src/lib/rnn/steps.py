"""What the ways of running a cell over time have in common: sizes of batches, types of states, steps past the end of a sequence."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, nest, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.lib.rnn.cell import joined_shape
from thalweg._src.ops.late import array, math


def transpose_batch_time(x: Any) -> Tensor:
    """`x` with its first two axes exchanged; unchanged below rank 2."""
    x = to_tensor(x)
    if x.dims is not None and len(x.dims) < 2:
        return x
    rank = array.rank(x)
    out = array.transpose(x, array.concat(([1, 0], math.range(2, rank)), axis=0))
    if x.dims is not None:
        out.set_shape(shapes.TensorShape([x.dims[1], x.dims[0], *x.dims[2:]]))
    return out


def best_effort_input_batch_size(flat_input: Any) -> Any:
    """The second size of time-major inputs: an integer where it is known, else a scalar tensor. Raises ValueError below rank 2."""
    for x in flat_input:
        if x.dims is None:
            continue
        if len(x.dims) < 2:
            raise ValueError(f"Expected input tensor {x} to have rank at least 2")
        if x.dims[1] is not None:
            return x.dims[1]
    return array.shape(flat_input[0])[1]


def type_of_state(explicit: Any, state: Any) -> Any:
    """`explicit`, or the dtype that all parts of `state` have. Raises ValueError where they differ or there are none."""
    if explicit is not None:
        return explicit
    found = [s.dtype for s in nest.objects(state)]
    if not found:
        raise ValueError("Unable to infer dtype from empty state.")
    if any(d != found[0] for d in found):
        raise ValueError(
            "State has tensors of different inferred_dtypes. Unable to infer a single representative dtype."
        )
    return found[0]


def first_state(cell: Any, batch_size: Any, dtype: Any) -> Any:
    """The state that `cell` begins with."""
    if getattr(cell, "get_initial_state", None) is not None:
        return cell.get_initial_state(inputs=None, batch_size=batch_size, dtype=dtype)
    return cell.zero_state(batch_size, dtype)


def wants_list_of_states(cell: Any) -> bool:
    """Whether `cell` is Keras's kind, which takes and gives its states as a list."""
    from thalweg._src.lib.layers.base import Layer
    from thalweg._src.lib.rnn.cell import RNNCell

    return isinstance(cell, Layer) and not isinstance(cell, RNNCell) and not hasattr(cell, "zero_state")


def called(cell: Any, inputs: Any, state: Any) -> Any:
    """(output, new state) of one step, with a single state as it is, whichever kind the cell is."""
    if not wants_list_of_states(cell):
        return cell(inputs, state)
    output, new_state = cell(inputs, state if nest.is_nested(state) else [state])
    return output, new_state if nest.is_nested(state) else new_state[0]


def zero_outputs(output_size: Any, batch_size: Any, dtype: Any) -> Any:
    """Zeros in the structure of `output_size`, with a batch in front."""

    def zeros(size: Any) -> Tensor:
        return array.zeros(array.stack(joined_shape(batch_size, size)), dtype)

    return nest.map_leaves(zeros, output_size)


def step_within(time: Any, lengths: Any, zero_output: Any, state: Any, call: Any) -> Any:
    """(output, new state) of `call()`, but for the rows whose sequence is over by `time`: zeros, and the state they had."""
    over = time >= lengths

    def kept(old: Any, new: Any) -> Any:
        if not isinstance(new, Tensor) or (isinstance(old, Tensor) and old.dims == ()):
            return new
        out = array.where(over, old, new)
        out.set_shape(old.get_shape())
        return out

    output, new_state = call()
    nest.same_objects(zero_output, output)
    nest.same_objects(state, new_state)
    output = nest.pack_objects(
        zero_output,
        [kept(o, n) for o, n in zip(nest.objects(zero_output), nest.objects(output), strict=True)],
    )
    new_state = nest.pack_objects(
        state,
        [kept(o, n) for o, n in zip(nest.objects(state), nest.objects(new_state), strict=True)],
    )
    return output, new_state


def lengths_of(sequence_length: Any) -> Tensor:
    """Lengths as an int32 vector. Raises ValueError for another rank."""
    lengths = math.cast(to_tensor(sequence_length), dtypes.int32)
    if lengths.dims is not None and len(lengths.dims) != 1:
        raise ValueError(f"sequence_length must be a vector of length batch_size, but saw shape: {lengths.shape}")
    return lengths


def reversed_steps(steps: Any, lengths: Any) -> list[Any]:
    """A list of steps backwards; each row within its own length, where `lengths` are given."""
    if lengths is None:
        return list(reversed(steps))
    columns = []
    for sequence in zip(*[nest.flatten(x) for x in steps], strict=True):
        dims = sequence[0].dims
        merged = shapes.merge_all([t.dims for t in sequence])
        for t in sequence:
            t.set_shape(shapes.TensorShape(merged))
        backwards = array.unstack(array.reverse_sequence(array.stack(sequence), lengths, 0, 1))
        for t in backwards:
            t.set_shape(shapes.TensorShape(merged if merged else dims))
        columns.append(backwards)
    return [nest.pack(x, list(row)) for x, row in zip(steps, zip(*columns, strict=True), strict=True)]
